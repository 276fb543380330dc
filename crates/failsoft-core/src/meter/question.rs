//! What a decision reads of a meter. It changes nothing, at whatever moment it is asked.

use super::keys::Entry;
use super::reading::Reading;
use super::reserved::Amount;
use super::table::{Table, last_end};
use super::{Key, Taken, sum};
use crate::matrix::Meter;
use crate::{INTEGER_MAX, MeterMode, Time};

/// A key as it stands at one moment, for one request.
#[derive(Clone, Copy, Debug)]
pub(crate) struct View {
    pub(crate) reading: Option<Reading>,
    pub(crate) limit: Option<u64>,
    pub(crate) mode: MeterMode,
    /// The own count, without what this request has taken.
    pub(crate) own: u64,
    /// What of it is settled; the same.
    settled: u64,
    /// It is held, or would find room.
    pub(crate) has_room: bool,
    /// When its period began, where that was the end of the one before.
    pub(super) carried_at: Option<Time>,
}

impl View {
    /// What is left of the limit by the reading.
    pub(crate) fn left(&self) -> Option<u64> {
        let used = self.reading.map_or(0, |reading| reading.used);
        self.limit.map(|limit| limit.saturating_sub(used))
    }

    /// The reading, where it is at or over a limit that blocks.
    pub(crate) fn blocks(&self) -> Option<Reading> {
        let limit = self.limit.filter(|_| self.mode == MeterMode::Block)?;
        self.reading.filter(|reading| reading.used >= limit)
    }

    /// The reading, where it and what was settled since come to a limit that blocks.
    pub(crate) fn is_spent(&self) -> Option<Reading> {
        let limit = self.limit.filter(|_| self.mode == MeterMode::Block)?;
        self.reading.filter(|reading| sum(reading.used, self.settled) >= limit)
    }
}

impl Table {
    /// The key at `now`, as a request sees it that has `taken` of it already.
    pub(crate) fn view(&self, meter: &Meter, key: Key, taken: Option<Taken>, now: Time) -> View {
        let found = self.keys.find(key).and_then(|slot| Some((slot, *self.keys.get(slot)?)));
        let nothing = View {
            reading: None,
            limit: self.limit(meter, key, None),
            mode: meter.mode,
            own: 0,
            settled: 0,
            has_room: found.is_some() || self.has_room(meter, now),
            carried_at: None,
        };
        let Some((slot, entry)) = found else { return nothing };
        let mine =
            taken.filter(|taken| taken.key == key).and_then(|taken| Some((taken.amount, taken.place?)));
        // An amount whose time is over is settled, whether or not a signal has come since.
        let waits = mine.map(|(_, place)| place.serial).filter(|serial| {
            let held = self.reserved.get(*serial);
            held.is_some_and(|amount| amount.slot == slot && amount.until > now)
        });
        let reading = self.told(meter, &entry, now);
        let known = View {
            reading,
            limit: self.limit(meter, key, reading.as_ref()),
            mode: reading.and_then(|reading| reading.mode).unwrap_or(meter.mode),
            ..nothing
        };
        if let Some(end) = self.end(meter, &entry).filter(|end| *end <= now) {
            // What was settled has gone, and what had not been settled by then has begun the next period.
            let began = last_end(end, meter.window, now);
            let (mut own, mut settled, mut lasts) = (0, 0, false);
            for (serial, Amount { amount, until, .. }) in self.reserved.of(slot, began) {
                own = sum(own, if Some(serial) == waits { 0 } else { *amount });
                settled = sum(settled, if *until <= now { *amount } else { 0 });
                lasts |= *amount > 0;
            }
            return View { own, settled, carried_at: lasts.then_some(began), ..known };
        }
        // What should have been settled by now is, whether or not a signal has come since.
        let due = self
            .reserved
            .of(slot, Time::from_unclamped(i64::MIN))
            .take_while(|(_, amount)| amount.until <= now);
        let due = due.fold(0, |all, (_, amount)| sum(all, amount.amount));
        let settled = sum(self.settled(slot, &entry), due);
        let own = self.own(slot, &entry);
        let unread = mine.filter(|(_, place)| self.is_unread(&entry, place.period, place.readings));
        let still_in = mine.filter(|_| waits.is_some()).or(unread).map_or(0, |(amount, _)| amount);
        let settled_in = unread.filter(|_| waits.is_none()).map_or(0, |(amount, _)| amount);
        // Of a count that was cut short nobody knows how much is whose.
        let less =
            |count: u64, mine: u64| if count >= INTEGER_MAX { count } else { count.saturating_sub(mine) };
        View {
            own: less(own, still_in),
            settled: less(settled, settled_in),
            carried_at: entry.began().filter(|_| entry.carried()),
            ..known
        }
    }

    /// Whether what was settled in that period, after so many readings, is still counted.
    fn is_unread(&self, entry: &Entry, period: u64, readings: u32) -> bool {
        entry.period() == period && entry.accepted == readings
    }

    /// Whether a newcomer would find room.
    fn has_room(&self, meter: &Meter, now: Time) -> bool {
        if self.keys.len() < meter.capacity {
            return true;
        }
        let (slots, count) = self.keys.front();
        slots.iter().take(count).filter_map(|slot| self.keys.get(*slot)).any(|entry| {
            let view = self.view(meter, entry.key, None, now);
            let is_over = view.reading.zip(view.limit).is_some_and(|(told, limit)| told.used >= limit);
            sum(view.reading.map_or(0, |told| told.used), view.own) == 0 && !is_over
        })
    }
}
