//! Amounts of requests that have not finished: each waits for its `finish`, at latest until its time is over.

use alloc::collections::{BTreeMap, BTreeSet};
use alloc::vec::Vec;

use super::keys::Slot;
use super::{KeyNames, sum};
use crate::{Millis, Time};

/// So many wait per meter; past it the one that would be settled first is settled.
pub(crate) const MOST: usize = 65_536;

/// One amount that waits.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Amount {
    pub(crate) slot: Slot,
    pub(crate) amount: u64,
    pub(crate) until: Time,
    /// Whose it is, where the store has not heard of it.
    pub(crate) unreported: Option<KeyNames>,
}

/// All that wait, of one meter: by number, by the moment at which each is settled, and by key.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Reserved {
    by_serial: BTreeMap<u64, Amount>,
    by_time: BTreeSet<(Time, u64)>,
    by_slot: BTreeSet<(Slot, Time, u64)>,
    sums: BTreeMap<Slot, u128>,
    /// The largest number that was given; the next is the one after it.
    pub(crate) given: u64,
}

impl Reserved {
    pub(crate) fn push(&mut self, amount: Amount) -> u64 {
        let serial = sum(self.given, 1);
        self.put(serial, amount);
        serial
    }

    /// Holds an amount under its number, in the place of one that has it.
    pub(crate) fn put(&mut self, serial: u64, amount: Amount) {
        self.remove(serial);
        self.given = self.given.max(serial);
        self.by_time.insert((amount.until, serial));
        self.by_slot.insert((amount.slot, amount.until, serial));
        let sum = self.sums.entry(amount.slot).or_insert(0);
        *sum = sum.saturating_add(amount.amount.into());
        self.by_serial.insert(serial, amount);
    }

    pub(crate) fn get(&self, serial: u64) -> Option<&Amount> {
        self.by_serial.get(&serial)
    }

    pub(crate) fn get_mut(&mut self, serial: u64) -> Option<&mut Amount> {
        self.by_serial.get_mut(&serial)
    }

    pub(crate) fn remove(&mut self, serial: u64) -> Option<Amount> {
        let amount = self.by_serial.remove(&serial)?;
        self.by_time.remove(&(amount.until, serial));
        self.by_slot.remove(&(amount.slot, amount.until, serial));
        if let Some(sum) = self.sums.get_mut(&amount.slot) {
            *sum = sum.saturating_sub(amount.amount.into());
            if *sum == 0 {
                self.sums.remove(&amount.slot);
            }
        }
        Some(amount)
    }

    /// All that waits of a key.
    pub(crate) fn sum_of(&self, slot: Slot) -> u64 {
        let sum = if self.sums.is_empty() { None } else { self.sums.get(&slot) };
        sum.map_or(0, |sum| u64::try_from(*sum).unwrap_or(u64::MAX))
    }

    pub(crate) fn is_over_full(&self) -> bool {
        self.by_serial.len() > MOST
    }

    /// The one that is settled next, and when.
    pub(crate) fn first(&self) -> Option<(Time, u64)> {
        self.by_time.first().copied()
    }

    pub(crate) fn iter(&self) -> impl Iterator<Item = (u64, &Amount)> {
        self.by_serial.iter().map(|(serial, amount)| (*serial, amount))
    }

    /// Those of a key that are settled after `moment`.
    pub(crate) fn of(&self, slot: Slot, moment: Time) -> impl Iterator<Item = (u64, &Amount)> {
        let after = self.by_slot.range((slot, moment.past(Millis::ZERO), 0)..);
        let own = after.take_while(move |(held, _, _)| *held == slot);
        own.filter_map(|(_, _, serial)| Some((*serial, self.by_serial.get(serial)?)))
    }

    /// All of a key that has to leave.
    pub(crate) fn forget(&mut self, slot: Slot) {
        let first = Time::from_unclamped(i64::MIN);
        let own: Vec<u64> = self.of(slot, first).map(|(serial, _)| serial).collect();
        own.into_iter().for_each(|serial| {
            self.remove(serial);
        });
    }
}
