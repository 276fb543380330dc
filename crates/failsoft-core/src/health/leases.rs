//! Permits that are out: leases in the order in which they were given, found in one step by their number.
//!
//! All leases of a dependency last equally long, so the order in which they were given is the order in which they
//! end. What has become of each (lagging, hung, of an older generation) is not written here but follows from its
//! place: see `Vital`, which `decide` can copy and carry ahead without touching this.

use alloc::vec::Vec;

use crate::Time;

/// So many permits are remembered per dependency; past it the oldest is given back, and its outcome comes late.
pub(crate) const MOST: usize = 1 << SLOT_BITS;
const SLOT_BITS: u32 = 14;

/// A permit to call a dependency once: a lease, which its outcome or its release gives back.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Permit(u64);

impl Permit {
    /// As a number, for another language to hold.
    #[must_use]
    pub const fn number(self) -> u64 {
        self.0
    }

    /// The permit of that number. One that was never given is late, like any that has ended.
    #[must_use]
    pub const fn from_number(number: u64) -> Self {
        Self(number)
    }

    fn slot(self) -> Slot {
        Slot(u32::try_from(self.0 & ((1 << SLOT_BITS) - 1)).unwrap_or(Slot::NONE.0))
    }

    const fn serial(self) -> u64 {
        self.0 >> SLOT_BITS
    }
}

/// A place among the leases.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Slot(u32);

impl Slot {
    pub(crate) const NONE: Self = Self(u32::MAX);

    fn index(self) -> usize {
        usize::try_from(self.0).unwrap_or(usize::MAX)
    }

    pub(crate) fn is_none(self) -> bool {
        self == Self::NONE
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Lease {
    /// How many were given before it, from 1.
    pub(crate) serial: u64,
    pub(crate) given: Time,
    /// It is a trial's.
    pub(crate) trial: bool,
    /// No outcome will name it.
    pub(crate) unnamed: bool,
    pub(crate) next: Slot,
    previous: Slot,
}

/// The leases of one dependency.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Leases {
    slots: Vec<Option<Lease>>,
    free: Vec<Slot>,
    oldest: Slot,
    newest: Slot,
    given: u64,
}

impl Default for Leases {
    fn default() -> Self {
        Self { slots: Vec::new(), free: Vec::new(), oldest: Slot::NONE, newest: Slot::NONE, given: 0 }
    }
}

impl Leases {
    pub(crate) fn get(&self, slot: Slot) -> Option<&Lease> {
        self.slots.get(slot.index())?.as_ref()
    }

    /// The lease of a permit, if it is still out.
    pub(crate) fn find(&self, permit: Permit) -> Option<(Slot, Lease)> {
        let lease = self.get(permit.slot()).filter(|lease| lease.serial == permit.serial())?;
        Some((permit.slot(), *lease))
    }

    pub(crate) fn oldest(&self) -> Slot {
        self.oldest
    }

    pub(crate) fn is_full(&self) -> bool {
        self.free.is_empty() && self.slots.len() >= MOST
    }

    /// How many were given.
    pub(crate) fn given(&self) -> u64 {
        self.given
    }

    /// None so far, and none of a number up to `given` will be.
    pub(crate) fn after(given: u64) -> Self {
        Self { given, ..Self::default() }
    }

    /// The number that the next lease will have.
    pub(crate) fn next_serial(&self) -> u64 {
        self.given.saturating_add(1)
    }

    pub(crate) fn push(&mut self, now: Time, trial: bool, unnamed: bool) -> (Slot, Permit) {
        self.given = self.next_serial();
        let lease =
            Lease { serial: self.given, given: now, trial, unnamed, next: Slot::NONE, previous: self.newest };
        let slot = match self.free.pop() {
            Some(slot) => slot,
            None => {
                self.slots.push(None);
                Slot(u32::try_from(self.slots.len().saturating_sub(1)).unwrap_or(Slot::NONE.0))
            }
        };
        if let Some(place) = self.slots.get_mut(slot.index()) {
            *place = Some(lease);
        }
        match self.slots.get_mut(self.newest.index()) {
            Some(Some(newest)) => newest.next = slot,
            _ => self.oldest = slot,
        }
        self.newest = slot;
        (slot, Permit(self.given.wrapping_shl(SLOT_BITS) | u64::from(slot.0)))
    }

    pub(crate) fn remove(&mut self, slot: Slot) {
        let Some(lease) = self.slots.get_mut(slot.index()).and_then(Option::take) else {
            return;
        };
        match self.slots.get_mut(lease.previous.index()) {
            Some(Some(previous)) => previous.next = lease.next,
            _ => self.oldest = lease.next,
        }
        match self.slots.get_mut(lease.next.index()) {
            Some(Some(next)) => next.previous = lease.previous,
            _ => self.newest = lease.previous,
        }
        self.free.push(slot);
    }
}
