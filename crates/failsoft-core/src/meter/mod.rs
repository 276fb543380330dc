//! Meters: what the shared store last said of each key, and what this instance has counted itself (spec 8).
//!
//! - `index.rs`, `keys.rs`: the keys that are held, found by hash, in the row by which room is made. Bounded by
//!   `capacity`.
//! - `reading.rs`: what the store said, and what of this instance's own count a reading stands for.
//! - `readings.rs`: all readings of a table, small.
//! - `reserved.rs`: amounts of requests that have not finished.
//! - `table.rs`: one meter: counting, settling, periods, room.
//! - `question.rs`: what a decision reads of it, at a moment that may be later than the last signal.
//! - `saved.rs`: over a restart.
//! - `succeeded.rs`: under the next matrix.
//!
//! Keys are 128-bit keyed hashes of the names, so that a name costs a fixed amount whatever its length, and a
//! table never holds more than its declared capacity.

mod index;
mod keys;
mod question;
mod reading;
mod readings;
mod reserved;
pub(crate) mod saved;
mod succeeded;
mod table;

use alloc::sync::Arc;
use core::hash::Hasher;

use siphasher::sip128::{Hasher128, SipHasher13};

use crate::draft::{MeterKey, Share};
use crate::{Millis, Time};

pub(crate) use index::MOST as MOST_KEYS;
pub(crate) use question::View;
pub(crate) use reading::Reading;
pub(crate) use table::Table;

/// Two 64-bit halves of a keyed hash.
pub(crate) type Key = (u64, u64);

/// A name that is longer is not held.
pub(crate) const LONGEST_NAME: usize = 4_096;

/// The key under which a request's amounts are counted.
pub(crate) fn key(secret: (u64, u64), of: MeterKey, tenant: &str, session: &str) -> Key {
    let mut hasher = SipHasher13::new_with_keys(secret.0, secret.1);
    // The terminator keeps ("ab", "c") and ("a", "bc") apart: 0xff is in no UTF-8 text.
    hasher.write(tenant.as_bytes());
    if of == MeterKey::TenantSession {
        hasher.write_u8(0xff);
        hasher.write(session.as_bytes());
    }
    let hash = hasher.finish128();
    (hash.h1, hash.h2)
}

/// Whose key it is, where a person or the host has to be told.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct KeyNames {
    /// The tenant; none where its name is too long to be held.
    pub tenant: Option<Arc<str>>,
    /// The session; none where the meter counts by tenant alone, or its name is too long to be held.
    pub session: Option<Arc<str>>,
}

impl KeyNames {
    pub(crate) fn of(key: MeterKey, tenant: &str, session: &str) -> Self {
        let held = |name: &str| Some(name).filter(|name| name.len() <= LONGEST_NAME).map(Arc::from);
        let session = if key == MeterKey::TenantSession { held(session) } else { None };
        Self { tenant: held(tenant), session }
    }
}

/// What one request has taken of one meter.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Taken {
    pub(crate) key: Key,
    pub(crate) amount: u64,
    /// Where it was counted; none where the table had no room.
    pub(crate) place: Option<Place>,
}

/// Where an amount was counted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Place {
    /// The number under which it waits to be settled; 0 where it was settled at once.
    pub(crate) serial: u64,
    /// The key's period at the commit.
    pub(crate) period: u64,
    /// How many readings had been accepted.
    pub(crate) readings: u32,
    /// The store had failed for it.
    pub(crate) unreported: bool,
}

/// How much of what is left one instance may let through alone.
pub(crate) fn portion(left: u64, share: Share, divisor: u64) -> u64 {
    match share {
        Share::PerInstance => left.checked_div(divisor).unwrap_or(left),
        Share::Percent(percent) => Millis::new(left).percent(percent).get(),
    }
}

/// By how much a limit is divided: the number of instances told, while it is fresh; else the most there may be.
pub(crate) fn divisor(
    told: Option<(u64, Time)>,
    signal_ttl: Millis,
    max_instances: Option<u64>,
    now: Time,
) -> u64 {
    let most = match told {
        Some((count, at)) if now.since(at) <= signal_ttl => count,
        Some((count, _)) => count.max(max_instances.unwrap_or(0)),
        None => max_instances.unwrap_or(0),
    };
    most.max(1)
}

/// Counts stop at the largest number that every language can carry.
pub(crate) fn sum(one: u64, other: u64) -> u64 {
    one.saturating_add(other).min(crate::INTEGER_MAX)
}
