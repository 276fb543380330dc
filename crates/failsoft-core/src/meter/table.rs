//! One meter: counting and settling, periods, and room for newcomers.

use alloc::collections::BTreeMap;
use alloc::vec::Vec;

use super::keys::{Entry, Keys, Slot};
use super::reading::{Held, Reading};
use super::readings::Readings;
use super::reserved::{Amount, Reserved};
use super::{Key, KeyNames, Place, Taken, sum};
use crate::matrix::Meter;
use crate::{INTEGER_MAX, MeterMode, Millis, Time};

/// What was settled here while the store had failed, and was not told yet.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Unreported {
    pub(crate) amount: u64,
    /// Which began first.
    pub(crate) order: u64,
    pub(crate) names: KeyNames,
    /// When its period ended, where it has.
    pub(crate) ended: Option<Time>,
}

/// One meter's counts. Bounded by its capacity, whatever is sent in.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Table {
    pub(super) keys: Keys,
    pub(super) readings: Readings,
    pub(super) reserved: Reserved,
    pub(super) unreported: BTreeMap<Slot, Unreported>,
    /// What keys that have left, or whose period has ended by guess, had unreported: it is told, and counts no more.
    pub(super) owed: Vec<Unreported>,
    /// How many have been unreported.
    pub(super) unreported_given: u64,
    /// Limits that an operator has set for a key.
    pub(super) limits: BTreeMap<Key, u64>,
    pub(super) limit_of_all: Option<u64>,
    /// How many periods have begun.
    pub(super) periods: u64,
    pub(super) full_told: bool,
}

/// A limit that was reached: what an event tells of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Reached {
    pub(crate) mode: MeterMode,
    pub(crate) used: u64,
    pub(crate) own: u64,
    pub(crate) limit: u64,
}

/// So many keys may have a limit of their own, set by an operator.
pub(super) const MOST_LIMITS: usize = 1_024;

/// So much of what is owed is told by name; the rest together, under none.
pub(super) const MOST_OWED: usize = 65_536;

impl Table {
    pub(super) fn held(&self, entry: &Entry) -> Option<Held> {
        self.readings.get(entry.reading()?, entry.base)
    }

    /// What the store last said, where it still stands.
    pub(super) fn told(&self, meter: &Meter, entry: &Entry, now: Time) -> Option<Reading> {
        self.held(entry).map(|held| held.told).filter(|told| told.lives(meter.window, now))
    }

    /// All that this instance has counted of the key.
    pub(super) fn own(&self, slot: Slot, entry: &Entry) -> u64 {
        sum(self.settled(slot, entry), self.reserved.sum_of(slot))
    }

    /// When the key's period ends; nothing where none runs, or it never does.
    pub(super) fn end(&self, meter: &Meter, entry: &Entry) -> Option<Time> {
        let began = entry.began()?;
        let reset = self.held(entry).and_then(|held| held.told.reset);
        reset.or_else(|| meter.window.map(|window| began.exactly_after(window)))
    }

    pub(super) fn settled(&self, slot: Slot, entry: &Entry) -> u64 {
        let older = self.held(entry).map_or(0, |held| held.older);
        let unreported = self.unreported.get(&slot).map_or(0, |unreported| unreported.amount);
        sum(sum(entry.newer, older), unreported)
    }

    /// The key's limit: an operator's, else the reading's, else the document's.
    pub(super) fn limit(&self, meter: &Meter, key: Key, told: Option<&Reading>) -> Option<u64> {
        let set = self.limits.get(&key).copied().or(self.limit_of_all);
        set.or_else(|| told.and_then(|told| told.limit)).or(meter.limit)
    }

    /// When time alone changes something.
    pub(crate) fn due(&self) -> Option<Time> {
        self.reserved.first().map(|(until, _)| until)
    }

    /// Settles what has waited long enough by `now`, each amount at its own moment.
    pub(crate) fn advance(&mut self, meter: &Meter, now: Time) {
        while let Some((until, serial)) = self.reserved.first()
            && until <= now
        {
            // What ends at this very moment ends after it.
            self.settle_reserved(meter, serial, just_before(until));
        }
    }

    /// What ended up to `ended` has ended before it.
    pub(super) fn settle_reserved(&mut self, meter: &Meter, serial: u64, ended: Time) {
        let Some(slot) = self.reserved.get(serial).map(|amount| amount.slot) else { return };
        self.roll(meter, slot, ended);
        let Some(Amount { amount, unreported, .. }) = self.reserved.remove(serial) else { return };
        self.settle(slot, amount, unreported);
    }

    /// Told once it can be, though it counts no more; `ended` is when its period did, where that is why.
    fn owe(&mut self, slot: Slot, ended: Option<Time>) {
        let Some(unreported) = self.unreported.remove(&slot) else { return };
        let unreported = Unreported { ended, ..unreported };
        let full = self.owed.len() >= MOST_OWED;
        match self.owed.last_mut().filter(|_| full) {
            None => self.owed.push(unreported),
            Some(last) => {
                last.names = KeyNames::default();
                last.amount = sum(last.amount, unreported.amount);
            }
        }
    }

    fn settle(&mut self, slot: Slot, amount: u64, unreported: Option<KeyNames>) {
        if amount == 0 {
            return;
        }
        match unreported {
            None => {
                if let Some(entry) = self.keys.get_mut(slot) {
                    entry.newer = sum(entry.newer, amount);
                }
            }
            Some(names) => {
                let given = &mut self.unreported_given;
                let held = self.unreported.entry(slot).or_insert_with(|| {
                    *given = sum(*given, 1);
                    Unreported { amount: 0, order: *given, names, ended: None }
                });
                held.amount = sum(held.amount, amount);
            }
        }
    }

    /// Ends what has ended by `now`: the period, the reading's life, or both. What is not settled yet begins the next
    /// period; a key of which nothing is left leaves. Whether it is still held.
    pub(super) fn roll(&mut self, meter: &Meter, slot: Slot, now: Time) -> bool {
        let Some(entry) = self.keys.get(slot) else { return false };
        let ended = self.end(meter, entry).filter(|end| *end <= now);
        let mut held = self.held(entry);
        let stays = held.is_none_or(|held| held.told.lives(meter.window, now));
        if ended.is_none() && stays {
            return true;
        }
        let (entry, mut next) = (*entry, *entry);
        next.set_reached(false);
        if let Some(end) = ended {
            self.owe_at_end(slot, &entry, end);
            next.newer = 0;
            let lasts = self.reserved.sum_of(slot) > 0;
            self.periods = if lasts { sum(self.periods, 1) } else { self.periods };
            next.set_period(if lasts { self.periods } else { 0 }, lasts);
            if lasts {
                next.base = last_end(end, meter.window, now);
            }
            held =
                held.map(|held| Held { older: 0, mark: if lasts { next.base } else { held.mark }, ..held });
        }
        if !stays {
            next.newer = sum(next.newer, held.map_or(0, |held| held.older));
        }
        self.replace(slot, next, held.filter(|_| stays));
        !self.leave_if_empty(slot)
    }

    /// Puts a key's counts and its reading, which lies as far from the key's base as it did before.
    fn replace(&mut self, slot: Slot, mut entry: Entry, held: Option<Held>) {
        match (entry.reading(), held) {
            (place, Some(held)) => entry.set_reading(Some(self.readings.put(place, entry.base, held))),
            (Some(place), None) => {
                self.readings.remove(place);
                entry.set_reading(None);
            }
            (None, None) => {}
        }
        if let Some(place) = self.keys.get_mut(slot) {
            place.take_counts_of(&entry);
        }
    }

    /// The first amount begins a period.
    fn begin(&mut self, slot: Slot, now: Time) {
        let Some(entry) = self.keys.get(slot).filter(|entry| entry.period() == 0) else { return };
        let mut entry = *entry;
        let held = self.held(&entry).map(|held| Held { mark: now, ..held });
        self.periods = sum(self.periods, 1);
        entry.set_period(self.periods, false);
        entry.base = now;
        self.replace(slot, entry, held);
    }

    /// What becomes of a key's unreported amount when its period has ended. A reset that the store told
    /// has ended the store's count too; `window` alone is this engine's guess, so the store is still owed.
    fn owe_at_end(&mut self, slot: Slot, entry: &Entry, end: Time) {
        match self.held(entry).is_some_and(|held| held.told.reset.is_some()) {
            true => drop(self.unreported.remove(&slot)),
            false => self.owe(slot, Some(end)),
        }
    }

    /// A reading of a key, in the place of the one that it has.
    pub(super) fn put_reading(&mut self, slot: Slot, held: Held) {
        if let Some(entry) = self.keys.get(slot).copied() {
            self.replace(slot, entry, Some(held));
        }
    }

    /// Lets go of a key of which nothing is left; whether it did.
    pub(super) fn leave_if_empty(&mut self, slot: Slot) -> bool {
        let empty = self.keys.get(slot).is_some_and(|entry| {
            entry.newer == 0 && entry.reading().is_none() && self.reserved.sum_of(slot) == 0
        });
        let leaves = empty && !self.unreported.contains_key(&slot);
        if leaves {
            self.keys.remove(slot);
        }
        leaves
    }

    /// The key as it stands at `now`, held if there is room; nothing where there is none. `base` is where its reading, if
    /// any, will be held from.
    fn hold(&mut self, meter: &Meter, key: Key, base: Time, now: Time, is_over: bool) -> Option<Slot> {
        if let Some(slot) = self.keys.find(key)
            && self.roll(meter, slot, now)
        {
            return Some(slot);
        }
        if self.keys.len() >= meter.capacity && !self.make_room(meter, now, is_over) {
            return None;
        }
        Some(self.keys.push(Entry::new(key, base)))
    }

    /// The key, and a period in which an amount can be counted.
    fn hold_period(&mut self, meter: &Meter, key: Key, now: Time) -> Option<Slot> {
        // Nearly always a period runs and nothing ends.
        if let Some(slot) = self.keys.find(key)
            && let Some(entry) = self.keys.get(slot)
            && let (None, Some(began)) = (entry.reading(), entry.began())
            && meter.window.is_none_or(|window| now < began.exactly_after(window))
        {
            return Some(slot);
        }
        let slot = self.hold(meter, key, now, now, false)?;
        self.begin(slot, now);
        Some(slot)
    }

    /// Looks at the front of the row for one that may leave; those that stay go to its end.
    fn make_room(&mut self, meter: &Meter, now: Time, is_over: bool) -> bool {
        let before = self.keys.len();
        let (slots, count) = self.keys.front();
        let looked_at = || slots.iter().copied().take(count);
        looked_at().for_each(|slot| {
            self.roll(meter, slot, now);
        });
        if self.keys.len() == before
            && let Some(slot) = looked_at()
                .find(|slot| self.usage(*slot) == 0 && !self.is_over(meter, *slot))
                .or_else(|| if is_over { self.least_used(meter, looked_at()) } else { None })
        {
            self.displace(slot);
        }
        for slot in looked_at() {
            // One that has left is in no row.
            if self.keys.get(slot).is_some_and(|entry| self.keys.find(entry.key) == Some(slot)) {
                self.keys.move_to_back(slot);
            }
        }
        self.keys.len() < before
    }

    /// The reading's, and this instance's own.
    fn usage(&self, slot: Slot) -> u64 {
        self.keys.get(slot).map_or(0, |entry| {
            let used = self.held(entry).map_or(0, |held| held.told.used);
            sum(used, self.own(slot, entry))
        })
    }

    /// Whether its reading is at or over its limit.
    pub(super) fn is_over(&self, meter: &Meter, slot: Slot) -> bool {
        self.keys.get(slot).is_some_and(|entry| {
            let told = self.held(entry).map(|held| held.told);
            let limit = self.limit(meter, entry.key, told.as_ref());
            told.zip(limit).is_some_and(|(told, limit)| told.used >= limit)
        })
    }

    fn least_used(&self, meter: &Meter, slots: impl Iterator<Item = Slot>) -> Option<Slot> {
        slots.filter(|slot| !self.is_over(meter, *slot)).min_by_key(|slot| self.usage(*slot))
    }

    pub(super) fn displace(&mut self, slot: Slot) {
        if let Some(entry) = self.keys.get(slot).copied() {
            self.replace(slot, entry, None);
        }
        self.owe(slot, None);
        self.reserved.forget(slot);
        self.keys.remove(slot);
    }

    /// Settles an amount that no request waits for; false where there is no room for it.
    pub(crate) fn use_at_once(
        &mut self,
        meter: &Meter,
        key: Key,
        amount: u64,
        unreported: Option<KeyNames>,
        now: Time,
    ) -> bool {
        let slot = self.hold_period(meter, key, now);
        if let Some(slot) = slot {
            self.settle(slot, amount, unreported);
        }
        slot.is_some()
    }

    /// Takes an amount, to be settled within `within` (none: at once). `unreported` names a key whose store has failed.
    pub(crate) fn take(
        &mut self,
        meter: &Meter,
        key: Key,
        amount: u64,
        within: Option<Millis>,
        unreported: Option<KeyNames>,
        now: Time,
    ) -> Taken {
        let slot = if amount == 0 { None } else { self.hold_period(meter, key, now) };
        let Some(slot) = slot else { return Taken { key, amount, place: None } };
        let place = self.keys.get(slot).map(|entry| Place {
            serial: 0,
            period: entry.period(),
            readings: entry.accepted,
            unreported: unreported.is_some(),
        });
        let serial = match within {
            None => {
                self.settle(slot, amount, unreported);
                0
            }
            Some(within) => {
                let until = now.exactly_after(within);
                let serial = self.reserved.push(Amount { slot, amount, until, unreported });
                if let Some((_, first)) = self.reserved.first().filter(|_| self.reserved.is_over_full()) {
                    self.settle_reserved(meter, first, just_before(now));
                }
                serial
            }
        };
        Taken { key, amount, place: place.map(|place| Place { serial, ..place }) }
    }

    /// What waits of a request is unreported from now on, or not, by what the request has told of the store.
    pub(crate) fn ask_again(&mut self, taken: &mut Taken, unreported: Option<KeyNames>) {
        let slot = self.keys.find(taken.key);
        let Some(place) = taken.place.as_mut() else { return };
        if let Some(amount) = self.reserved.get_mut(place.serial).filter(|amount| Some(amount.slot) == slot) {
            place.unreported = unreported.is_some();
            amount.unreported = unreported;
        }
    }

    /// What a request took has cost so much; what was taken where that is not told. Whether anything was settled.
    pub(crate) fn finish(
        &mut self,
        meter: &Meter,
        taken: Taken,
        actual: Option<u64>,
        names: impl FnOnce() -> KeyNames,
        now: Time,
    ) -> bool {
        let Some(place) = taken.place else { return false };
        let (Some(slot), actual) = (self.keys.find(taken.key), actual.unwrap_or(taken.amount)) else {
            return false;
        };
        let waits = self.reserved.get(place.serial).is_some_and(|amount| amount.slot == slot);
        if waits {
            self.roll(meter, slot, now);
            let unreported = self.reserved.remove(place.serial).and_then(|amount| amount.unreported);
            self.settle(slot, actual, unreported);
            self.leave_if_empty(slot);
            return actual > 0;
        }
        let lasts = |entry: &Entry| {
            entry.period() == place.period && self.end(meter, entry).is_none_or(|end| now < end)
        };
        if !self.keys.get(slot).is_some_and(lasts) {
            return false;
        }
        // Its reading may have gone.
        self.roll(meter, slot, now);
        let Some(entry) = self.keys.get(slot) else { return false };
        let read_since = entry.accepted != place.readings;
        let more = actual.saturating_sub(taken.amount);
        if more > 0 {
            self.settle(slot, more, place.unreported.then(names));
        } else if !read_since {
            self.take_off(slot, taken.amount.saturating_sub(actual), place.unreported);
            self.leave_if_empty(slot);
        }
        more > 0
    }

    fn take_off(&mut self, slot: Slot, mut less: u64, unreported: bool) {
        let mut from = |part: &mut u64| {
            // A count that was cut short may be far more.
            let gone = if *part >= INTEGER_MAX { 0 } else { less.min(*part) };
            *part = part.saturating_sub(gone);
            less = less.saturating_sub(gone);
        };
        if unreported && let Some(held) = self.unreported.get_mut(&slot) {
            from(&mut held.amount);
            if held.amount == 0 {
                self.unreported.remove(&slot);
            }
        }
        if let Some(entry) = self.keys.get_mut(slot) {
            from(&mut entry.newer);
        }
    }

    /// The store says how it is. Nothing where this is not heard; else whether it is held: the table may have no room.
    pub(crate) fn read(&mut self, meter: &Meter, key: Key, told: Reading, now: Time) -> Option<bool> {
        let view = self.view(meter, key, None, now);
        let reading = Reading { reset: told.reset.or(view.reading.and_then(|held| held.reset)), ..told };
        let older = view.carried_at.is_some_and(|carried| told.at < carried)
            || view.reading.is_some_and(|held| told.at < held.at);
        if older || !reading.lives(meter.window, now) {
            return None;
        }
        let is_over = self.limit(meter, key, Some(&told)).is_some_and(|limit| told.used >= limit);
        let Some(slot) = self.hold(meter, key, told.at, now, is_over) else { return Some(false) };
        let Some(mut entry) = self.keys.get(slot).copied() else { return Some(false) };
        let before = self.held(&entry);
        let held = Held::after(before.as_ref(), entry.began(), told, &mut entry.newer, now);
        if entry.period() == 0 {
            entry.base = told.at;
        }
        entry.accepted = entry.accepted.saturating_add(1);
        self.replace(slot, entry, Some(held));
        Some(true)
    }

    /// An operator sets the limit of a key (of all that have none: no key), or lifts it. False where a meter holds
    /// no more of them.
    pub(crate) fn set_limit(&mut self, key: Option<Key>, limit: Option<u64>) -> bool {
        match (key, limit) {
            (None, limit) => self.limit_of_all = limit,
            (Some(key), None) => {
                self.limits.remove(&key);
            }
            (Some(key), Some(limit)) => {
                if self.limits.len() >= MOST_LIMITS && !self.limits.contains_key(&key) {
                    return false;
                }
                self.limits.insert(key, limit);
            }
        }
        true
    }

    /// Whether it is to be told now that there was no room: once.
    pub(crate) fn tell_full(&mut self) -> bool {
        !core::mem::replace(&mut self.full_told, true)
    }

    /// Whether a key that alerts or degrades has come to its limit: told once, until its period ends or its reading goes.
    pub(crate) fn reached(&mut self, meter: &Meter, key: Key, now: Time) -> Option<Reached> {
        if meter.mode == MeterMode::Block && self.readings.are_none() {
            return None;
        }
        let slot = self.keys.find(key)?;
        let entry = self.keys.get(slot)?;
        let told = self.told(meter, entry, now);
        let mode = told.and_then(|told| told.mode).unwrap_or(meter.mode);
        let limit = self.limit(meter, key, told.as_ref())?;
        let used = told.map_or(0, |told| told.used);
        let own = self.own(slot, entry);
        if mode == MeterMode::Block || entry.reached() || sum(used, own) < limit {
            return None;
        }
        self.keys.get_mut(slot)?.set_reached(true);
        Some(Reached { mode, used, own, limit })
    }

    pub(crate) fn has_unreported(&self) -> bool {
        !self.unreported.is_empty() || !self.owed.is_empty()
    }

    /// What the store has not heard, the first to begin first. From now on it is the host's to add.
    pub(crate) fn report(&mut self, meter: &Meter, now: Time) -> Vec<Unreported> {
        let slots: Vec<Slot> = self.unreported.keys().copied().collect();
        for slot in slots {
            let Some(entry) = self.keys.get(slot).copied() else { continue };
            if let Some(end) = self.end(meter, &entry).filter(|end| *end <= now) {
                self.owe_at_end(slot, &entry, end);
            }
        }
        let known = core::mem::take(&mut self.unreported);
        known.iter().for_each(|(slot, unreported)| self.settle(*slot, unreported.amount, None));
        let mut told = core::mem::take(&mut self.owed);
        told.extend(known.into_values());
        told.sort_unstable_by_key(|unreported| unreported.order);
        told
    }
}

fn just_before(moment: Time) -> Time {
    Time::from_unclamped(moment.as_millis().saturating_sub(1))
}

/// The last end of a period by `now`, where what is unsettled goes on from one to the next.
pub(super) fn last_end(end: Time, window: Option<Millis>, now: Time) -> Time {
    let whole = |window: Millis| now.since(end).get().checked_div(window.get());
    let periods = window.and_then(whole).unwrap_or(0);
    let length = window.map_or(0, Millis::get).saturating_mul(periods);
    end.exactly_after(Millis::new(length))
}
