//! Amounts of requests that have not finished: each waits for its `finish`, at latest until its time is over.

use alloc::collections::{BTreeMap, BTreeSet};

use super::KeyNames;
use super::keys::Slot;
use crate::Time;

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

/// All that wait, of one meter.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Reserved {
    by_serial: BTreeMap<u64, Amount>,
    by_time: BTreeSet<(Time, u64)>,
    /// How many have been given; the next has the number after it.
    pub(crate) given: u64,
}

impl Reserved {
    pub(crate) fn push(&mut self, amount: Amount) -> u64 {
        self.given = self.given.saturating_add(1);
        self.put(self.given, amount);
        self.given
    }

    pub(crate) fn put(&mut self, serial: u64, amount: Amount) {
        self.by_time.insert((amount.until, serial));
        self.by_serial.insert(serial, amount);
    }

    pub(crate) fn get(&self, serial: u64) -> Option<&Amount> {
        self.by_serial.get(&serial)
    }

    pub(crate) fn remove(&mut self, serial: u64) -> Option<Amount> {
        let amount = self.by_serial.remove(&serial)?;
        self.by_time.remove(&(amount.until, serial));
        Some(amount)
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

    /// All of a key that has to leave.
    pub(crate) fn forget(&mut self, slot: Slot) {
        let gone = |amount: &Amount| amount.slot == slot;
        let by_time = &mut self.by_time;
        self.by_serial.retain(|serial, amount| {
            if gone(amount) {
                by_time.remove(&(amount.until, *serial));
            }
            !gone(amount)
        });
    }
}
