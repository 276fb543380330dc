//! Permits that are out: leases by name, each of one generation of its circuit and with an end.

use alloc::collections::BTreeMap;
use alloc::sync::Arc;

use crate::{Millis, Time};

/// So many permits are remembered per dependency; past it the oldest is forgotten, and its outcome comes late.
const MOST: usize = 16_384;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Lease {
    pub(crate) generation: u64,
    pub(crate) expires: Time,
    /// It is the permit of the one trial call.
    pub(crate) trial: bool,
    /// When it was given, among the others.
    order: u64,
}

/// The leases of one dependency.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Permits {
    leases: BTreeMap<Arc<str>, Lease>,
    /// Oldest first. All leases of a dependency last equally long, so this is the order in which they end.
    by_age: BTreeMap<u64, Arc<str>>,
    given: u64,
}

impl Permits {
    pub(crate) fn give(&mut self, name: &str, generation: u64, now: Time, ttl: Millis, trial: bool) {
        self.take_back(name);
        self.drop_expired(now);
        if self.leases.len() >= MOST {
            self.drop_oldest();
        }
        self.given = self.given.saturating_add(1);
        let name: Arc<str> = name.into();
        let lease = Lease { generation, expires: now.plus(ttl), trial, order: self.given };
        self.by_age.insert(self.given, name.clone());
        self.leases.insert(name, lease);
    }

    /// The lease of that name, if it is still out in this generation.
    pub(crate) fn find(&self, name: &str, generation: u64, now: Time) -> Option<Lease> {
        self.leases.get(name).copied().filter(|lease| lease.generation == generation && now < lease.expires)
    }

    pub(crate) fn take_back(&mut self, name: &str) {
        if let Some(lease) = self.leases.remove(name) {
            self.by_age.remove(&lease.order);
        }
    }

    fn drop_expired(&mut self, now: Time) {
        while let Some((_, name)) = self.by_age.first_key_value()
            && self.leases.get(name).is_none_or(|lease| lease.expires <= now)
        {
            self.drop_oldest();
        }
    }

    fn drop_oldest(&mut self) {
        if let Some((_, name)) = self.by_age.pop_first() {
            self.leases.remove(&name);
        }
    }
}
