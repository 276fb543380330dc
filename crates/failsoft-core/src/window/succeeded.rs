//! An open window under the next matrix (spec 10.3).

use super::OpenWindow;
use super::account::{Row, Way};
use crate::matrix::DependencyId;
use crate::reload::Succession;

impl OpenWindow {
    /// Whether every rung by which it was used goes on, and every meter that it holds something of.
    pub(crate) fn goes_on(&self, of: DependencyId, by: &Succession) -> bool {
        let mut places =
            self.ledger.ways.keys().filter_map(|way| way.rung()).chain(self.counted.keys().copied());
        let rows = self.ledger.tenants.values().chain([&self.ledger.others]);
        let mut meters = rows.flat_map(|row| row.amounts.keys());
        by.dependency(of).is_some()
            && places.all(|place| by.rung(of, place).is_some())
            && meters.all(|meter| by.meter(*meter).is_some())
    }

    /// Its rungs and meters get their new numbers.
    pub(crate) fn follow(&mut self, of: DependencyId, by: &Succession) {
        let ways = core::mem::take(&mut self.ledger.ways).into_iter();
        self.ledger.ways = ways
            .filter_map(|(way, requests)| match way {
                Way::Rung(place, kind) => Some((Way::Rung(by.rung(of, place)?, kind), requests)),
                other => Some((other, requests)),
            })
            .collect();
        let counted = core::mem::take(&mut self.counted).into_iter();
        self.counted = counted.filter_map(|(place, counts)| Some((by.rung(of, place)?, counts))).collect();
        self.ledger.tenants.values_mut().for_each(|row| row.follow(by));
        self.ledger.others.follow(by);
    }
}

impl Row {
    fn follow(&mut self, by: &Succession) {
        let amounts = core::mem::take(&mut self.amounts).into_iter();
        self.amounts = amounts.filter_map(|(meter, amount)| Some((by.meter(meter)?, amount))).collect();
    }
}
