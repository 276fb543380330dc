//! Readings (8.5): what the shared store says.

use super::period::life_end;
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
        let told = read.resets_in.map(|left| plus(time, left));
        let seen = self.seen(meter, names, now);
        let held = seen.as_ref().and_then(|key| key.reading.as_ref());
        let carried = seen.as_ref().and_then(|key| key.period.as_ref()).filter(|period| period.carried);
        let too_old =
            held.is_some_and(|held| time < held.time) || carried.is_some_and(|period| time < period.start);
        // A reset that it does not tell stays what it was.
        let reset = told.or(held.and_then(|held| held.reset));
        let reading = Reading { used: read.used, time, limit: read.limit, mode: read.mode, reset };
        if too_old || life_end(meter, &reading).is_some_and(|end| end <= now) {
            return Told::default();
        }
        self.touch(meter, names, now);
        let limit = self.operators_limit(names).or(reading.limit).or(meter.limit);
        let over = limit.is_some_and(|limit| reading.used >= limit);
        if !self.come_in(meter, names, over, now) {
            return self.no_room();
        }
        let tick = self.tick();
        if let Some(key) = self.key_mut(names) {
            // MET-34: what the store has counted by then goes. While no period runs nothing is counted.
            if let Some(period) = &mut key.period
                && (time >= period.mark || time == now)
            {
                key.older = if time == now { 0 } else { key.newer };
                key.newer = 0;
                period.mark = now;
            }
            key.reading = Some(reading);
            key.accepted = tick;
        }
        self.touched(meter, names)
    }
}
