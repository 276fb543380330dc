//! The keys of a meter, and room for a newcomer (MET-11).

use super::period::{owed, roll};
use super::{Key, Period, Table};
use crate::document::Meter;
use crate::json::LARGEST;
use crate::numbers::{aged, plus};

/// MET-11: a newcomer to a full table looks at so many keys at the front of the row.
const FRONT: usize = 16;

impl Table {
    /// A number that is larger than all before.
    pub(super) fn tick(&mut self) -> u64 {
        self.ticks = self.ticks.saturating_add(1);
        self.ticks
    }

    /// MET-6: the amounts of a key that are not settled.
    pub(super) fn unsettled(&self, names: &[String]) -> i64 {
        let own = self.pending.iter().filter(|amount| amount.names == names);
        own.fold(0, |sum, amount| plus(sum, amount.amount))
    }

    /// MET-8: own count.
    pub(super) fn own(&self, key: &Key) -> i64 {
        plus(key.settled(), self.unsettled(&key.names))
    }

    /// MET-8: use.
    pub(super) fn use_of(&self, key: &Key) -> i64 {
        plus(key.used(), self.own(key))
    }

    /// MET-8: a key of which nothing is counted and that has no reading is not held.
    fn is_held(&self, key: &Key) -> bool {
        key.reading.is_some() || self.own(key) > 0
    }

    /// A key as it stands now, where it is held. It changes nothing: a question asks so too.
    pub(super) fn seen(&self, meter: &Meter, names: &[String], now: i64) -> Option<Key> {
        let mut key = self.row.iter().find(|key| key.names == names)?.clone();
        // No period has the number 0.
        roll(meter, &mut key, now, self.unsettled(names) > 0, 0);
        self.is_held(&key).then_some(key)
    }

    /// The key in the row.
    pub(super) fn key_mut(&mut self, names: &[String]) -> Option<&mut Key> {
        self.row.iter_mut().find(|key| key.names == names)
    }

    /// A line counts or reads a key: what has ended goes, and one of which nothing is left is a newcomer again.
    pub(super) fn touch(&mut self, meter: &Meter, names: &[String], now: i64) {
        self.roll(meter, names, now);
        self.leave_if_empty(names);
    }

    /// What has ended by `moment` goes, and what is owed by that is.
    fn roll(&mut self, meter: &Meter, names: &[String], moment: i64) {
        let (number, rest) = (self.tick(), self.unsettled(names) > 0);
        let owed = self.key_mut(names).and_then(|key| roll(meter, key, moment, rest, number));
        owed.into_iter().for_each(|owed| self.owe(owed));
    }

    /// MET-2: an amount is counted; where no period runs, one begins.
    pub(super) fn begin(&mut self, names: &[String], now: i64) {
        let number = self.tick();
        if let Some(key) = self.key_mut(names) {
            key.period.get_or_insert(Period { start: now, carried: false, mark: now, number });
        }
    }

    /// MET-8: leaves the row where nothing is left.
    pub(super) fn leave_if_empty(&mut self, names: &[String]) {
        let place = self.row.iter().position(|key| key.names == names && !self.is_held(key));
        if let Some(place) = place {
            self.row.remove(place);
        }
    }

    /// A key comes in, at the end of the row, where there is room. (One that is there already has it.)
    pub(super) fn come_in(&mut self, meter: &Meter, names: &[String], over: bool, now: i64) -> bool {
        if self.row.iter().any(|key| key.names == names) {
            return true;
        }
        if !self.make_room(meter, over, now) {
            return false;
        }
        self.row.push(Key::new(names.to_vec()));
        true
    }

    /// MET-11, for a question: whether the key could come in. It changes nothing.
    pub(super) fn has_room(&self, meter: &Meter, names: &[String], now: i64) -> bool {
        let mut tried = self.clone();
        tried.touch(meter, names, now);
        tried.make_room(meter, false, now)
    }

    /// MET-11: looks at the front of a full row; whoever stays goes to its end, be there room or not. `over` is for a
    /// reading at or over its limit.
    fn make_room(&mut self, meter: &Meter, over: bool, now: i64) -> bool {
        let capacity = usize::try_from(meter.capacity).unwrap_or(usize::MAX);
        if self.row.len() < capacity {
            return true;
        }
        let mut rest = self.row.split_off(self.row.len().min(FRONT));
        let mut front = std::mem::take(&mut self.row);
        for key in &mut front {
            let (number, rest) = (self.tick(), self.unsettled(&key.names) > 0);
            let owed = roll(meter, key, now, rest, number);
            owed.into_iter().for_each(|owed| self.owe(owed));
        }
        let looked_at = front.len();
        front.retain(|key| self.is_held(key));
        if front.len() == looked_at {
            let unused = |key: &Key| self.use_of(key) == 0 && !self.reads_over(meter, key);
            let leaves = front.iter().position(unused);
            let leaves = leaves.or_else(|| if over { self.least_used_below(meter, &front) } else { None });
            if let Some(place) = leaves {
                let gone = front.remove(place);
                owed(&gone, None).into_iter().for_each(|owed| self.owe(owed));
                // Nothing of it is counted any more: its requests' amounts are of a period that is over.
                self.pending.retain(|amount| amount.names != gone.names);
            }
        }
        let left = front.len() < looked_at;
        rest.append(&mut front);
        self.row = rest;
        left
    }

    /// MET-11: the least used of those whose own reading is not at or over their limit, the first of equals.
    fn least_used_below(&self, meter: &Meter, front: &[Key]) -> Option<usize> {
        let below = front.iter().enumerate().filter(|(_, key)| !self.reads_over(meter, key));
        below.min_by_key(|(_, key)| self.use_of(key)).map(|(place, _)| place)
    }

    /// Lets time pass: what is due is settled, each at its own moment (MET-31). At the very end of a period it is
    /// settled first, and goes with it (MET-2).
    pub(crate) fn advance(&mut self, meter: &Meter, now: i64) {
        while let Some(place) = self.due_first() {
            let Some(due) = self.pending.get(place).map(|amount| amount.due).filter(|due| *due <= now) else {
                return;
            };
            self.settle_by_time(meter, place, due);
        }
    }

    /// The unsettled amount that would be settled first.
    pub(super) fn due_first(&self) -> Option<usize> {
        let all = self.pending.iter().enumerate();
        all.min_by_key(|(_, amount)| (amount.due, amount.id)).map(|(place, _)| place)
    }

    /// MET-31: settled as it was taken.
    pub(super) fn settle_by_time(&mut self, meter: &Meter, place: usize, moment: i64) {
        let Some(amount) = self.pending.get(place).cloned() else { return };
        // It is unsettled at every end before this moment.
        self.roll(meter, &amount.names, moment.saturating_sub(1));
        self.pending.remove(place);
        self.settle(&amount.names, amount.amount, amount.unreported);
    }

    /// RST-12: another `window` or `capacity`. What has ended by now has ended.
    pub(crate) fn refit(&mut self, old: &Meter, new: &Meter) {
        if old.window == new.window && old.capacity == new.capacity {
            return;
        }
        let held: Vec<Key> = self.row.iter().filter(|key| self.is_held(key)).cloned().collect();
        self.row = held;
        let capacity = usize::try_from(new.capacity).unwrap_or(usize::MAX);
        while self.row.len() > capacity {
            let below = self.row.iter().position(|key| !self.reads_over(new, key));
            let gone = self.row.remove(below.unwrap_or(0));
            owed(&gone, None).into_iter().for_each(|owed| self.owe(owed));
            self.pending.retain(|amount| amount.names != gone.names);
        }
    }

    /// RST-12: what is unsettled is settled now, in the order in which time would.
    pub(crate) fn settle_all(&mut self, meter: &Meter, now: i64) {
        self.end_by_time(meter, now);
        while let Some(place) = self.due_first() {
            self.settle_by_time(meter, place, now);
        }
    }

    /// RST-9: a snapshot without meters: nothing is counted, read or set. What requests took before is of no period any
    /// more, so numbers go on.
    pub(crate) fn begin_anew(&mut self) {
        *self = Table { ticks: self.ticks, ..Table::default() };
    }

    /// RST-4 and RST-7: every moment moves into the past by the time away.
    pub(crate) fn age(&mut self, away: i64) {
        let left = |moment: &mut i64| *moment = moment.saturating_sub(away).min(LARGEST);
        for key in &mut self.row {
            if let Some(period) = &mut key.period {
                (period.start, period.mark) = (aged(period.start, away), aged(period.mark, away));
            }
            if let Some(reading) = &mut key.reading {
                reading.time = aged(reading.time, away);
                if let Some(reset) = &mut reading.reset {
                    left(reset);
                }
            }
        }
        for amount in &mut self.pending {
            left(&mut amount.due);
        }
        for ended in self.owed.iter_mut().filter_map(|owed| owed.ended.as_mut()) {
            *ended = aged(*ended, away);
        }
    }
}
