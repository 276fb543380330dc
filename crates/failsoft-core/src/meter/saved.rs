//! A meter's counts over a restart: ages, not moments (spec 10).

use alloc::format;
use alloc::string::String;
use alloc::vec::Vec;

use super::keys::{Entry, Slot};
use super::reading::{Held, Reading};
use super::reserved::{Amount, MOST};
use super::table::{MOST_LIMITS, MOST_OWED, Table, Unreported};
use super::{Key, KeyNames, LONGEST_NAME};
use crate::health::snapshot::plain_data;
use crate::matrix::Meter;
use crate::{MeterMode, Millis, Time};

plain_data! {
    /// A meter's counts, in the engine's own form.
    pub struct MeterSnapshot {
        /// The keys, in their row.
        pub keys: Vec<KeySnapshot>,
        /// Amounts of requests that have not finished.
        pub unsettled: Vec<UnsettledSnapshot>,
        /// What keys that have left had unreported.
        pub owed: Vec<UnreportedSnapshot>,
        /// Limits that an operator has set for a key.
        pub limits: Vec<LimitSnapshot>,
        /// The limit that an operator has set for every other key.
        pub limit: Option<u64>,
        /// How many periods have begun.
        pub periods: u64,
        /// How many amounts have waited.
        pub waited: u64,
        /// How many keys have been unreported.
        pub unreported: u64,
        /// A full table has been told.
        pub full_told: bool,
    }

    /// What is counted of a key.
    pub struct KeySnapshot {
        /// Its hash, in hexadecimal digits; under the same hash key when it is restored.
        pub key: String,
        /// Since when its period runs; where none does, how old its reading is.
        pub age_ms: Millis,
        /// The period's number; 0 where none runs.
        pub period: u64,
        /// How many readings were accepted.
        pub accepted: u64,
        /// What was settled, but for what stands with the reading or is unreported.
        pub newer: u64,
        /// That its limit was reached was told.
        pub reached: bool,
        /// Its period began where the one before ended.
        pub carried: bool,
        /// What the store last said.
        pub reading: Option<ReadingSnapshot>,
        /// What the store has not heard.
        pub unreported: Option<UnreportedSnapshot>,
    }

    /// What the store last said of a key.
    pub struct ReadingSnapshot {
        /// How much was used.
        pub used: u64,
        /// The limit, where it was told.
        pub limit: Option<u64>,
        /// The mode, where it was told.
        pub mode: Option<MeterMode>,
        /// How old the reading is.
        pub age_ms: Millis,
        /// What is left until the reset that was told.
        pub reset_left_ms: Option<Millis>,
        /// What was settled here up to the mark.
        pub older: u64,
        /// How long ago the mark was set.
        pub mark_age_ms: Millis,
    }

    /// What the store has not heard.
    pub struct UnreportedSnapshot {
        /// How much.
        pub amount: u64,
        /// Which began first.
        pub order: u64,
        /// How long ago its period ended, where it has.
        pub ended_age_ms: Option<Millis>,
        /// Whose it is.
        pub tenant: Option<String>,
        /// Whose it is.
        pub session: Option<String>,
    }

    /// An amount of a request that has not finished.
    pub struct UnsettledSnapshot {
        /// Its number.
        pub serial: u64,
        /// The key's hash.
        pub key: String,
        /// How much.
        pub amount: u64,
        /// When it is settled at latest.
        pub left_ms: Millis,
        /// Whose it is, where the store has not heard of it.
        pub unreported: Option<UnreportedSnapshot>,
    }

    /// An operator's limit.
    pub struct LimitSnapshot {
        /// The key's hash.
        pub key: String,
        /// The limit.
        pub limit: u64,
    }
}

/// A larger number is hand-made: so many more are left to be given.
const LARGEST_NUMBER: u64 = 1 << 52;

pub(crate) fn number(from: u64) -> u64 {
    from.min(LARGEST_NUMBER)
}

pub(crate) fn digits((first, second): Key) -> String {
    format!("{first:016x}{second:016x}")
}

pub(crate) fn key_of(digits: &str) -> Option<Key> {
    let half = |digits: Option<&str>| {
        let digits = digits.filter(|digits| digits.bytes().all(|digit| digit.is_ascii_hexdigit()))?;
        u64::from_str_radix(digits, 16).ok()
    };
    (digits.len() == 32).then_some(())?;
    Some((half(digits.get(..16))?, half(digits.get(16..))?))
}

fn unreported(names: &KeyNames, amount: u64, order: u64, ended: Option<Millis>) -> UnreportedSnapshot {
    UnreportedSnapshot {
        amount,
        order,
        ended_age_ms: ended,
        tenant: names.tenant.as_deref().map(String::from),
        session: names.session.as_deref().map(String::from),
    }
}

fn names(from: &UnreportedSnapshot) -> KeyNames {
    let held =
        |name: &Option<String>| name.as_deref().filter(|name| name.len() <= LONGEST_NAME).map(Into::into);
    KeyNames { tenant: held(&from.tenant), session: held(&from.session) }
}

fn owed(from: &UnreportedSnapshot, then: Time) -> Unreported {
    let ended = from.ended_age_ms.map(|age| then.minus(age));
    Unreported { amount: from.amount, order: number(from.order), names: names(from), ended }
}

impl Table {
    pub(crate) fn save(&mut self, meter: &Meter, now: Time) -> MeterSnapshot {
        // What has not been settled has begun a period of its own; what has ended with nothing left is ended still.
        let slots: Vec<Slot> =
            self.keys.row().map(|(slot, _)| slot).filter(|slot| self.reserved.sum_of(*slot) > 0).collect();
        slots.into_iter().for_each(|slot| {
            self.roll(meter, slot, now);
        });
        let reading = |held: &Held| ReadingSnapshot {
            used: held.told.used,
            limit: held.told.limit,
            mode: held.told.mode,
            age_ms: now.since(held.told.at),
            reset_left_ms: held.told.reset.map(|reset| reset.since(now)),
            older: held.older,
            mark_age_ms: now.since(held.mark),
        };
        let key = |(slot, entry): (Slot, &Entry)| KeySnapshot {
            key: digits(entry.key),
            age_ms: now.since(entry.base),
            period: entry.period(),
            accepted: entry.accepted.into(),
            newer: entry.newer,
            reached: entry.reached(),
            carried: entry.carried(),
            reading: self.held(entry).as_ref().map(reading),
            unreported: self
                .unreported
                .get(&slot)
                .map(|told| unreported(&told.names, told.amount, told.order, None)),
        };
        let amount = |(serial, amount): (u64, &Amount)| {
            Some(UnsettledSnapshot {
                serial,
                key: digits(self.keys.get(amount.slot)?.key),
                amount: amount.amount,
                left_ms: amount.until.since(now),
                unreported: amount.unreported.as_ref().map(|names| unreported(names, 0, 0, None)),
            })
        };
        let owed_told = |told: &Unreported| {
            unreported(&told.names, told.amount, told.order, told.ended.map(|ended| now.since(ended)))
        };
        let limit = |(key, limit): (&Key, &u64)| LimitSnapshot { key: digits(*key), limit: *limit };
        MeterSnapshot {
            keys: self.keys.row().map(key).collect(),
            unsettled: self.reserved.iter().filter_map(amount).collect(),
            owed: self.owed.iter().map(owed_told).collect(),
            limits: self.limits.iter().map(limit).collect(),
            limit: self.limit_of_all,
            periods: self.periods,
            waited: self.reserved.given,
            unreported: self.unreported_given,
            full_told: self.full_told,
        }
    }

    /// Puts what was saved, if anything, in the place of what is counted, as far as it has room; `then` is the moment
    /// of saving. Numbers are not given again, so that no request takes another's amount or period for its own.
    pub(crate) fn restore(&mut self, meter: &Meter, saved: Option<&MeterSnapshot>, then: Time) {
        let plain = MeterSnapshot::default();
        let saved = saved.unwrap_or(&plain);
        // Hand-made ones may name numbers that were never given, or past the last.
        let largest = |numbers: &mut dyn Iterator<Item = u64>| numbers.max().map_or(0, number);
        let given = self.reserved.given.max(number(saved.waited));
        let periods = largest(&mut saved.keys.iter().map(|key| key.period));
        let orders = largest(&mut saved.keys.iter().filter_map(|key| Some(key.unreported.as_ref()?.order)));
        *self = Self {
            full_told: saved.full_told,
            periods: self.periods.max(number(saved.periods)).max(periods),
            unreported_given: self.unreported_given.max(number(saved.unreported)).max(orders),
            limit_of_all: saved.limit,
            limits: saved
                .limits
                .iter()
                .take(MOST_LIMITS)
                .filter_map(|of| Some((key_of(&of.key)?, of.limit)))
                .collect(),
            owed: saved.owed.iter().take(MOST_OWED).map(|from| owed(from, then)).collect(),
            ..Self::default()
        };
        self.reserved.given = given;
        // Of a smaller table those that are over their limit stay, and what the others had unreported is owed.
        let is_over = |from: &&KeySnapshot| {
            let told = from.reading.as_ref();
            let limit = told.and_then(|told| told.limit).or(meter.limit);
            told.zip(limit).is_some_and(|(told, limit)| told.used >= limit)
        };
        let (over, under): (Vec<_>, Vec<_>) = if saved.keys.len() > meter.capacity {
            saved.keys.iter().partition(is_over)
        } else {
            (Vec::new(), saved.keys.iter().collect())
        };
        let mut keys = over.into_iter().chain(under);
        keys.by_ref().take(meter.capacity).for_each(|from| self.restore_key(from, then));
        let lost = keys.filter_map(|from| from.unreported.as_ref()).map(|from| owed(from, then));
        self.owed.extend(lost);
        self.owed.truncate(MOST_OWED);
        for from in saved.unsettled.iter().take(MOST) {
            let Some(slot) = key_of(&from.key).and_then(|key| self.keys.find(key)) else { continue };
            let known = self.reserved.get(from.serial).is_some();
            if from.serial == 0 || from.serial > LARGEST_NUMBER || from.amount == 0 || known {
                continue;
            }
            let (amount, until) = (from.amount, then.exactly_after(from.left_ms));
            let unreported = from.unreported.as_ref().map(names);
            self.reserved.put(from.serial, Amount { slot, amount, until, unreported });
        }
    }

    fn restore_key(&mut self, from: &KeySnapshot, then: Time) {
        let Some(key) = key_of(&from.key).filter(|key| self.keys.find(*key).is_none()) else { return };
        let mut entry = Entry::new(key, then.minus(from.age_ms));
        entry.newer = from.newer;
        entry.accepted = u32::try_from(from.accepted).unwrap_or(u32::MAX);
        entry.set_period(number(from.period), from.carried);
        entry.set_reached(from.reached);
        let slot = self.keys.push(entry);
        if let Some(reading) = &from.reading {
            let told = Reading {
                used: reading.used,
                limit: reading.limit,
                mode: reading.mode,
                at: then.minus(reading.age_ms),
                reset: reading.reset_left_ms.map(|left| then.exactly_after(left)),
            };
            let mark = then.minus(reading.mark_age_ms);
            self.put_reading(slot, Held { told, older: reading.older, mark });
        }
        if let Some(told) = &from.unreported {
            self.unreported.insert(slot, Unreported { ended: None, ..owed(told, then) });
        }
    }
}
