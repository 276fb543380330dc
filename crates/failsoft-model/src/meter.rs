//! The first simple meter (spec 8): what this instance has counted for each key, and what `local_meter` may
//! still give away.

use crate::document::{Meter, Share};
use crate::numbers::aged;

/// The count of one key.
#[derive(Clone, Debug)]
struct Entry {
    key: Vec<String>,
    start: i64,
    count: i64,
    /// Which period this is, so that a request's own part is known to be in it or not.
    period: u64,
}

/// What a request took from a meter: the figure, the key, and the period in which it was counted, if it was.
#[derive(Clone, Debug)]
pub(crate) struct Taken {
    pub(crate) amount: i64,
    key: Vec<String>,
    period: Option<u64>,
}

/// The counts of one meter.
#[derive(Clone, Debug, Default)]
pub(crate) struct Counts {
    entries: Vec<Entry>,
    periods: u64,
    /// Whether `table.full` was told (MET-11: once per meter).
    pub(crate) full_told: bool,
}

/// How much of a meter's limit a `local_meter` may give away.
pub(crate) struct Allowance<'a> {
    pub(crate) share: &'a Share,
    pub(crate) divisor: i64,
}

/// The number of instances last told, and when (trace.md, `instances`).
pub(crate) type Instances = Option<(i64, i64)>;

/// MET-1 and REQ-7: the key is made of the names that the meter's `key` lists; a missing one is the empty string.
pub(crate) fn key(meter: &Meter, tenant: &str, session: &str) -> Vec<String> {
    let part = |name: &String| {
        if name == "tenant" { tenant.to_owned() } else { session.to_owned() }
    };
    meter.key.iter().map(part).collect()
}

/// MET-23: the count told, if it is not older than `signal_ttl`; else the larger of the last
/// count and `max_instances`; at least 1.
pub(crate) fn divisor(meter: &Meter, instances: Instances, signal_ttl: i64, now: i64) -> i64 {
    match instances {
        Some((count, told_at)) if now.saturating_sub(told_at) <= signal_ttl => count.max(1),
        other => {
            let last = other.map_or(0, |(count, _)| count);
            last.max(meter.max_instances.unwrap_or(0)).max(1)
        }
    }
}

/// MET-22: the share of the limit, rounded down.
fn share_of(limit: i64, allowance: &Allowance<'_>) -> i64 {
    match allowance.share {
        Share::PerInstance => limit.checked_div(allowance.divisor).unwrap_or(0),
        Share::Percent(percent) => {
            let product = i128::from(limit).saturating_mul(i128::from(*percent));
            i64::try_from(product / 100).unwrap_or(i64::MAX)
        }
    }
}

impl Counts {
    /// MET-2: a key's period has ended `window` after it began; without a window never.
    fn ended(meter: &Meter, entry: &Entry, now: i64) -> bool {
        meter.window.is_some_and(|window| now >= entry.start.saturating_add(window))
    }

    /// The entry of a key in its present period.
    fn current(&self, meter: &Meter, key: &[String], now: i64) -> Option<&Entry> {
        self.entries.iter().find(|entry| entry.key == key && !Counts::ended(meter, entry, now))
    }

    /// MET-10: whether a key is in the table or can still come in: there is room, or a key whose period has
    /// ended or whose count is 0 would leave.
    fn has_room(&self, meter: &Meter, key: &[String], now: i64) -> bool {
        let known = self.entries.iter().any(|entry| entry.key == key);
        let room = i64::try_from(self.entries.len()).unwrap_or(i64::MAX) < meter.capacity;
        let leaves = self.entries.iter().any(|entry| entry.count == 0 || Counts::ended(meter, entry, now));
        known || room || leaves
    }

    /// MET-20 and MET-21: whether `local_meter` stands for a request that asks for `amount`, and has `taken` already.
    pub(crate) fn local_meter_stands(
        &self,
        meter: &Meter,
        allowance: &Allowance<'_>,
        key: &[String],
        amount: i64,
        taken: Option<&Taken>,
        now: i64,
    ) -> bool {
        if meter.mode != "block" {
            return true;
        }
        let Some(limit) = meter.limit else { return false };
        if !self.has_room(meter, key, now) {
            return false;
        }
        let current = self.current(meter, key, now);
        let count = current.map_or(0, |entry| entry.count);
        let own = match (current, taken) {
            (Some(entry), Some(taken)) if taken.period == Some(entry.period) => taken.amount,
            _ => 0,
        };
        let others = count.saturating_sub(own).max(0);
        others.saturating_add(amount) <= share_of(limit, allowance)
    }

    /// MET-5 and MET-11: takes an amount at a commit. A newcomer to a full table is not counted.
    pub(crate) fn take(&mut self, meter: &Meter, key: Vec<String>, amount: i64, now: i64) -> Taken {
        // Nothing taken makes no key.
        if amount == 0 || !self.has_room(meter, &key, now) {
            return Taken { amount, key, period: None };
        }
        if !self.entries.iter().any(|entry| entry.key == key) {
            let room = i64::try_from(self.entries.len()).unwrap_or(i64::MAX) < meter.capacity;
            if !room {
                let leaving = self
                    .entries
                    .iter()
                    .position(|entry| entry.count == 0 || Counts::ended(meter, entry, now));
                if let Some(place) = leaving {
                    self.entries.remove(place);
                }
            }
        }
        if self.current(meter, &key, now).is_none() {
            self.entries.retain(|entry| entry.key != key);
            self.periods = self.periods.saturating_add(1);
            self.entries.push(Entry { key: key.clone(), start: now, count: 0, period: self.periods });
        }
        let mut period = None;
        for entry in &mut self.entries {
            if entry.key == key {
                entry.count = entry.count.saturating_add(amount);
                period = Some(entry.period);
            }
        }
        Taken { amount, key, period }
    }

    /// RST-4 and RST-7: periods began so much earlier.
    pub(crate) fn age(&mut self, away: i64) {
        for entry in &mut self.entries {
            entry.start = aged(entry.start, away);
        }
    }

    /// RST-9: a snapshot without meters: nothing counted. What requests took before is of no period any more.
    pub(crate) fn begin_anew(&mut self) {
        self.entries.clear();
        self.full_told = false;
    }

    /// Whether the last `take` could not be counted.
    pub(crate) fn was_counted(taken: &Taken) -> bool {
        taken.period.is_some()
    }

    /// MET-7: `finish` corrects what was taken, not below 0, while the period in which it was taken lasts.
    pub(crate) fn correct(&mut self, meter: &Meter, taken: &Taken, actual: i64, now: i64) {
        for entry in &mut self.entries {
            if entry.key == taken.key
                && taken.period == Some(entry.period)
                && !Counts::ended(meter, entry, now)
            {
                let corrected = entry.count.saturating_add(actual).saturating_sub(taken.amount);
                entry.count = corrected.max(0);
            }
        }
        // A key whose count is 0 leaves.
        self.entries.retain(|entry| entry.count > 0);
    }
}
