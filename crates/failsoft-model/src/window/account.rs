//! The account of a window (7.2): what went through, by which rung, and for whom.

use std::collections::BTreeMap;

use serde_json::{Map, Value, json};

use super::{Taken, Windows};
use crate::document::Meter;
use crate::json::LARGEST;
use crate::numbers::{one_more, plus};
use crate::request::Request;

/// WIN-4: a tenant whose name has more bytes has no row of its own.
const LONGEST_NAME: usize = 4_096;

/// WIN-11: what stands with `rung` null, in the order in which it is told. (A `withhold` of a meter that holds the
/// request is `over_limit`.)
const WITHOUT_PLACE: [&str; 4] = ["allow", "break_glass", "over_limit", "shadow"];

/// What went through in one window.
#[derive(Clone, Debug, Default)]
pub(super) struct Account {
    /// Under which rung how many requests were counted.
    decisions: Vec<(Taken, i64)>,
    /// A row for each of the first tenants, in the order in which they came.
    tenants: Vec<(String, Row)>,
    others: Row,
}

/// One row: how many requests, and the sum of their amounts by meter.
#[derive(Clone, Debug, Default)]
struct Row {
    requests: i64,
    amounts: BTreeMap<String, i64>,
}

/// What a request knows of a window that counts it, so that it is counted once and corrected there (WIN-5, WIN-10).
#[derive(Clone, Debug)]
pub(crate) struct Counted {
    pub(super) window: u64,
    /// The tenant of the row in which it was counted; none is `others`.
    pub(super) row: Option<String>,
    /// What was counted for each meter.
    pub(super) amounts: BTreeMap<String, i64>,
}

impl Account {
    /// WIN-5: counts a request, and says in which tenant's row; none is `others`.
    pub(super) fn count(
        &mut self,
        under: Taken,
        tenant: &str,
        amounts: &BTreeMap<String, i64>,
        tenants: i64,
    ) -> Option<String> {
        if !self.decisions.iter().any(|(rung, _)| *rung == under) {
            self.decisions.push((under.clone(), 0));
        }
        for (rung, requests) in &mut self.decisions {
            if *rung == under {
                one_more(requests);
            }
        }
        // WIN-4: the first so many tenants have a row each.
        let has_row = self.tenants.iter().any(|(name, _)| name == tenant);
        let rows = i64::try_from(self.tenants.len()).unwrap_or(i64::MAX);
        if !has_row && rows < tenants && tenant.len() <= LONGEST_NAME {
            self.tenants.push((tenant.to_owned(), Row::default()));
        }
        let row = self.tenants.iter().any(|(name, _)| name == tenant).then(|| tenant.to_owned());
        let counted = self.row_mut(row.as_deref());
        one_more(&mut counted.requests);
        for (meter, amount) in amounts {
            let sum = counted.amounts.entry(meter.clone()).or_default();
            *sum = plus(*sum, *amount);
        }
        row
    }

    /// The meters of which it holds something.
    pub(super) fn meters(&self) -> Vec<String> {
        let rows = self.tenants.iter().map(|(_, row)| row).chain([&self.others]);
        let amounts = rows.flat_map(|row| &row.amounts);
        amounts.filter(|(_, amount)| **amount != 0).map(|(meter, _)| meter.clone()).collect()
    }

    /// RST-13: the numbers of the rungs under which it counts are others.
    pub(super) fn renumber(&mut self, new_place: impl Fn(&mut Option<i64>)) {
        for (rung, _) in &mut self.decisions {
            new_place(&mut rung.place);
        }
    }

    /// The row of a tenant; without one `others`.
    fn row_mut(&mut self, tenant: Option<&str>) -> &mut Row {
        for (name, row) in &mut self.tenants {
            if Some(name.as_str()) == tenant {
                return row;
            }
        }
        &mut self.others
    }

    /// WIN-11: `total`, `decisions`, `tenants` and `others`.
    pub(super) fn told(&self, meters: &[Meter]) -> Map<String, Value> {
        let mut total = Row::default();
        for row in self.tenants.iter().map(|(_, row)| row).chain([&self.others]) {
            total.requests = plus(total.requests, row.requests);
            for (meter, amount) in &row.amounts {
                let sum = total.amounts.entry(meter.clone()).or_default();
                *sum = plus(*sum, *amount);
            }
        }
        let mut sorted: Vec<&(String, Row)> = self.tenants.iter().collect();
        sorted.sort_by(|(left, _), (right, _)| left.as_bytes().cmp(right.as_bytes()));
        let mut tenants = Vec::new();
        for (name, row) in sorted {
            tenants.push(json!({ "tenant": name, "requests": row.requests, "amounts": row.amounts(meters) }));
        }
        let mut told = Map::new();
        told.insert("total".to_owned(), total.told(meters));
        told.insert("decisions".to_owned(), Value::Array(self.decisions_told()));
        told.insert("tenants".to_owned(), Value::Array(tenants));
        told.insert("others".to_owned(), self.others.told(meters));
        told
    }

    /// WIN-11: the rungs of the ladder first, in order; then those with `rung` null.
    fn decisions_told(&self) -> Vec<Value> {
        let mut decisions: Vec<&(Taken, i64)> = self.decisions.iter().collect();
        decisions.sort_by_key(|(rung, _)| {
            let without = WITHOUT_PLACE.iter().position(|kind| *kind == rung.kind);
            (rung.place.is_none(), rung.place, without)
        });
        let row = |(rung, requests): &(Taken, i64)| json!({ "rung": rung.place, "rung_kind": rung.kind, "requests": requests });
        decisions.into_iter().map(row).collect()
    }
}

impl Row {
    /// WIN-11: a row without `tenant`.
    fn told(&self, meters: &[Meter]) -> Value {
        json!({ "requests": self.requests, "amounts": self.amounts(meters) })
    }

    /// WIN-11: the meters whose sum in this row is not 0, in the order of the document.
    fn amounts(&self, meters: &[Meter]) -> Value {
        let mut amounts = Map::new();
        for meter in meters {
            let sum = self.amounts.get(&meter.name).copied().unwrap_or(0);
            if sum != 0 {
                amounts.insert(meter.name.clone(), json!(sum));
            }
        }
        Value::Object(amounts)
    }
}

impl Windows {
    /// WIN-10: what a `finish` tells of a meter stands in the place of what was counted, in every open window that
    /// counts the request. One that has closed is not here any more, and one that opened since has another number.
    pub(crate) fn correct_account(&mut self, request: &Request, meter: &str, actual: i64) {
        for counted in &request.counted {
            for window in self.open.iter_mut().filter(|window| window.id == counted.window) {
                let before = counted.amounts.get(meter).copied().unwrap_or(0);
                let row = window.account.row_mut(counted.row.as_deref());
                let sum = row.amounts.entry(meter.to_owned()).or_default();
                let difference = actual.saturating_sub(before);
                // WIN-4: one that stands at 2^53 - 1 is corrected upward only, for nobody knows what was cut off.
                if *sum < LARGEST || difference > 0 {
                    *sum = plus(*sum, difference).max(0);
                }
            }
        }
    }
}
