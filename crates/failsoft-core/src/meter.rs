//! A first simple meter: what this instance has counted itself, per key, in periods that begin with the first amount.
//!
//! Keys are 128-bit keyed hashes of the names, so that a name costs a fixed amount whatever its length, and a
//! table never holds more than its declared capacity.

use alloc::collections::{BTreeMap, BTreeSet};
use alloc::format;
use core::hash::Hasher;

use siphasher::sip128::{Hasher128, SipHasher24};

use crate::draft::{MeterKey, Share};
use crate::matrix::Meter;
use crate::snapshot::MeterSnapshot;
use crate::{INTEGER_MAX, MeterMode, Millis, Time};

/// Two 64-bit halves of a keyed hash.
pub(crate) type Key = (u64, u64);

/// The key under which a request's amounts are counted.
pub(crate) fn key(secret: (u64, u64), of: MeterKey, tenant: &str, session: &str) -> Key {
    let mut hasher = SipHasher24::new_with_keys(secret.0, secret.1);
    // The terminator keeps ("ab", "c") and ("a", "bc") apart: 0xff is in no UTF-8 text.
    hasher.write(tenant.as_bytes());
    hasher.write_u8(0xff);
    if of == MeterKey::TenantSession {
        hasher.write(session.as_bytes());
    }
    let hash = hasher.finish128();
    (hash.h1, hash.h2)
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Entry {
    count: u64,
    started: Time,
    /// Which period it is: a moment would not do, because a restart moves it.
    period: u64,
}

impl Entry {
    fn ended(&self, window: Option<Millis>, now: Time) -> bool {
        window.is_some_and(|window| self.started.exactly_after(window) <= now)
    }
}

/// What one request has taken of one meter.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Taken {
    pub(crate) key: Key,
    pub(crate) amount: u64,
    /// The period in which it was counted; none where the table had no room.
    pub(crate) period: Option<u64>,
}

/// One meter's own counts.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Table {
    entries: BTreeMap<Key, Entry>,
    /// When each period ends, the first first, so that a full table need not be searched.
    ends: BTreeSet<(Time, Key)>,
    /// How many periods have begun.
    periods: u64,
    pub(crate) full_told: bool,
}

impl Table {
    pub(crate) fn save(&self, now: Time) -> MeterSnapshot {
        let key = |((first, second), entry): (&Key, &Entry)| {
            (format!("{first:016x}{second:016x}"), entry.count, now.since(entry.started), entry.period)
        };
        MeterSnapshot {
            keys: self.entries.iter().map(key).collect(),
            full_told: self.full_told,
            periods: self.periods,
        }
    }

    /// Puts what was saved, if anything, in the place of what is counted, as far as it has room; `then` is the moment
    /// of saving. Numbers of periods are not given again, so that no request takes a new period for its own.
    pub(crate) fn restore(&mut self, meter: &Meter, saved: Option<&MeterSnapshot>, then: Time) {
        let plain = MeterSnapshot::default();
        let saved = saved.unwrap_or(&plain);
        *self =
            Self { full_told: saved.full_told, periods: self.periods.max(saved.periods), ..Self::default() };
        for (key, count, age, period) in saved.keys.iter().take(meter.capacity) {
            let half = |digits: Option<&str>| digits.and_then(|half| u64::from_str_radix(half, 16).ok());
            let (Some(first), Some(second)) = (half(key.get(..16)), half(key.get(16..))) else { continue };
            let (key, started) = ((first, second), then.minus(*age));
            self.entries.insert(key, Entry { count: *count, started, period: *period });
            if let Some(window) = meter.window {
                self.ends.insert((started.exactly_after(window), key));
            }
        }
    }

    fn live(&self, meter: &Meter, key: Key, now: Time) -> Option<&Entry> {
        self.entries.get(&key).filter(|entry| !entry.ended(meter.window, now))
    }

    fn has_room(&self, meter: &Meter, key: Key, now: Time) -> bool {
        self.entries.contains_key(&key)
            || self.entries.len() < meter.capacity
            || self.ends.first().is_some_and(|(end, _)| *end <= now)
    }

    /// Counts `amount`, and says in which period; nothing where the table has no room for a newcomer.
    pub(crate) fn add(&mut self, meter: &Meter, key: Key, amount: u64, now: Time) -> Option<u64> {
        if amount == 0 {
            return Some(0);
        }
        self.drop_ended(now);
        if !self.has_room(meter, key, now) {
            return None;
        }
        let next = self.periods.saturating_add(1);
        let entry = self.entries.entry(key).or_insert(Entry { count: 0, started: now, period: next });
        self.periods = self.periods.max(entry.period);
        entry.count = entry.count.saturating_add(amount).min(INTEGER_MAX);
        let (started, period) = (entry.started, entry.period);
        if let Some(window) = meter.window {
            self.ends.insert((started.exactly_after(window), key));
        }
        Some(period)
    }

    /// Puts what it really cost in the place of what was taken.
    pub(crate) fn settle(&mut self, meter: &Meter, taken: Taken, actual: u64, now: Time) {
        // What was counted in a period that is over went with it.
        let lasts = self.live(meter, taken.key, now).is_some_and(|entry| taken.period == Some(entry.period));
        if !lasts {
            return;
        }
        if let Some(entry) = self.entries.get_mut(&taken.key) {
            let more = actual.saturating_sub(taken.amount);
            let less = taken.amount.saturating_sub(actual);
            entry.count = entry.count.saturating_add(more).min(INTEGER_MAX).saturating_sub(less);
            if entry.count == 0
                && let Some(gone) = self.entries.remove(&taken.key)
                && let Some(window) = meter.window
            {
                self.ends.remove(&(gone.started.exactly_after(window), taken.key));
            }
        }
    }

    /// Each key is dropped once per period, so this costs nothing in the long run.
    fn drop_ended(&mut self, now: Time) {
        while let Some((end, key)) = self.ends.first().copied()
            && end <= now
        {
            self.ends.remove(&(end, key));
            self.entries.remove(&key);
        }
    }

    /// Whether this instance alone may let `amount` through. What the request took itself is not held against it.
    pub(crate) fn has_left(
        &self,
        meter: &Meter,
        share: Share,
        divisor: u64,
        claim: (Key, u64, Option<Taken>),
        now: Time,
    ) -> bool {
        if matches!(meter.mode, MeterMode::Alert | MeterMode::Degrade) {
            return true;
        }
        let Some(limit) = meter.limit else { return false };
        let (key, amount, taken) = claim;
        if !self.has_room(meter, key, now) {
            return false;
        }
        let entry = self.live(meter, key, now);
        let own = match (entry, taken) {
            (Some(entry), Some(taken)) if taken.period == Some(entry.period) && taken.key == key => {
                entry.count.saturating_sub(taken.amount)
            }
            (Some(entry), _) => entry.count,
            (None, _) => 0,
        };
        own.saturating_add(amount) <= portion(limit, share, divisor)
    }
}

fn portion(limit: u64, share: Share, divisor: u64) -> u64 {
    match share {
        Share::PerInstance => limit.checked_div(divisor).unwrap_or(limit),
        Share::Percent(percent) => Millis::new(limit).percent(percent).get(),
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
