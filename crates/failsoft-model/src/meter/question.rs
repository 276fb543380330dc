//! What decisions ask of a meter; none of it changes anything (8.4, 8.6).

use super::period::life_end;
use super::{Instances, Key, Table, Taken};
use crate::document::{Meter, Share};
use crate::json::LARGEST;
use crate::numbers::{percent, plus};

/// How much of a meter's limit a `local_meter` may give away.
pub(crate) struct Allowance<'a> {
    pub(crate) share: &'a Share,
    pub(crate) divisor: i64,
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

/// MET-22: the share of what is left, rounded down.
pub(crate) fn share_of(left: i64, allowance: &Allowance<'_>) -> i64 {
    match allowance.share {
        Share::PerInstance => left.checked_div(allowance.divisor).unwrap_or(0),
        Share::Percent(hundredths) => percent(left, *hundredths),
    }
}

impl Table {
    /// MET-20: the first row that fits.
    pub(crate) fn local_meter_stands(
        &self,
        meter: &Meter,
        allowance: &Allowance<'_>,
        names: &[String],
        amount: i64,
        taken: Option<&Taken>,
        now: i64,
    ) -> bool {
        let key = self.seen(meter, names, now);
        if Table::mode(meter, key.as_ref()) != "block" {
            return true;
        }
        let Some(limit) = self.limit(meter, names, key.as_ref()) else { return false };
        if key.is_none() && !self.has_room(meter, names, now) {
            return false;
        }
        let (used, own) = match &key {
            None => (0, 0),
            Some(key) => (key.used(), self.own_without(key, taken)),
        };
        let left = limit.saturating_sub(used).max(0);
        plus(own, amount) <= share_of(left, allowance)
    }

    /// MET-21: the own count without what this same request has taken, as far as that is still in it: unsettled; or,
    /// once settled, while the period of the commit lasts and no reading was accepted since that.
    fn own_without(&self, key: &Key, taken: Option<&Taken>) -> i64 {
        let own = self.own(key);
        let Some(taken) = taken.filter(|taken| taken.names == key.names) else { return own };
        let Some(id) = taken.id else { return own };
        let unsettled = self.pending.iter().any(|amount| amount.id == id);
        let settled = taken.period == key.number() && key.accepted < id;
        // MET-8: of a count that stands at the largest nothing is left out.
        if own < LARGEST && (unsettled || settled) { own.saturating_sub(taken.amount).max(0) } else { own }
    }

    /// MET-32: what is settled here beside the reading, less what this request took, where that is in it.
    fn spent_since(&self, key: &Key, taken: Option<&Taken>) -> i64 {
        let settled = key.settled();
        let Some(taken) = taken.filter(|taken| taken.names == key.names) else { return settled };
        let Some(id) = taken.id else { return settled };
        let unsettled = self.pending.iter().any(|amount| amount.id == id);
        let unread = taken.period == key.number() && key.accepted < id;
        if settled < LARGEST && unread && !unsettled {
            settled.saturating_sub(taken.amount).max(0)
        } else {
            settled
        }
    }

    /// MET-33 and MET-32: the time of the reading by which a `block` meter stops this key. Of a store that has failed
    /// the reading alone says so; of one that is fine (`fine`), reading and own count together. No reading, no stop.
    pub(crate) fn stops_since(
        &self,
        meter: &Meter,
        names: &[String],
        taken: Option<&Taken>,
        fine: bool,
        now: i64,
    ) -> Option<i64> {
        let key = self.seen(meter, names, now)?;
        let reading = key.reading.as_ref()?;
        let limit = self.limit(meter, names, Some(&key))?;
        let own = if fine { self.spent_since(&key, taken) } else { 0 };
        let stops = Table::mode(meter, Some(&key)) == "block" && plus(reading.used, own) >= limit;
        stops.then_some(reading.time)
    }

    /// DEC-31 and MET-24: what is left of the reading's life, where that has an end.
    pub(crate) fn life_left(&self, meter: &Meter, names: &[String], now: i64) -> Option<i64> {
        let key = self.seen(meter, names, now)?;
        life_end(meter, key.reading.as_ref()?).map(|end| end.saturating_sub(now))
    }
}
