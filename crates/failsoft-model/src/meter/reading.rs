//! Readings (8.5): what the shared store says.

use super::{Reading, Table, Told};
use crate::document::Meter;
use crate::numbers::{aged, plus};

/// A reading as a line tells it (MET-30).
pub(crate) struct Read {
    pub(crate) used: i64,
    pub(crate) limit: Option<i64>,
    pub(crate) mode: Option<String>,
    pub(crate) resets_in: Option<i64>,
    pub(crate) age: i64,
}

impl Table {
    /// MET-30: a reading is ignored, whole, or takes the place of the one held.
    pub(crate) fn read(&mut self, meter: &Meter, names: &[String], read: Read, now: i64) -> Told {
        let time = aged(now, read.age);
        let reset = read.resets_in.map(|left| plus(time, left));
        let seen = self.seen(meter, names, now);
        let older_than_held = seen.as_ref().is_some_and(|key| {
            (key.carried && time < key.start) || key.reading.as_ref().is_some_and(|held| time < held.time)
        });
        // Where no reset is known, what was read a window ago is of a period that is over.
        let known = seen.as_ref().and_then(|key| key.reading.as_ref()?.reset);
        let window_end = meter.window.map(|window| plus(time, window));
        if older_than_held || reset.or(known).or(window_end).is_some_and(|end| end <= now) {
            return Told::default();
        }
        self.touch(meter, names, now);
        let limit = self.operators_limit(names).or(read.limit).or(meter.limit);
        let over = limit.is_some_and(|limit| read.used >= limit);
        // MET-2: the period of a newcomer begins at the reading's time.
        if !self.come_in(meter, names, time, over, now) {
            return self.no_room();
        }
        let tick = self.tick();
        if let Some(key) = self.key_mut(names) {
            // MET-2: the reading may be earlier than the first amount.
            if time < key.start {
                (key.start, key.mark) = (time, time);
            }
            // MET-34: what the store has counted by then goes.
            if time >= key.mark || time == now {
                key.older = if time == now { 0 } else { key.newer };
                key.newer = 0;
                key.mark = now;
            }
            let kept = key.reading.as_ref().and_then(|held| held.reset);
            key.reading = Some(Reading {
                used: read.used,
                time,
                limit: read.limit,
                mode: read.mode,
                reset: reset.or(kept),
            });
            key.accepted = tick;
        }
        self.touched(meter, names)
    }
}
