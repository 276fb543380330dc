//! What ends by time alone: a key's period (MET-2), and the life of its reading (MET-41).

use super::{Key, Owed, Period, Reading};
use crate::document::Meter;
use crate::numbers::plus;

/// MET-41: when a reading's life ends.
pub(super) fn life_end(meter: &Meter, reading: &Reading) -> Option<i64> {
    reading.reset.or_else(|| meter.window.map(|window| plus(reading.time, window)))
}

/// MET-2: when a key's period ends, where one runs.
fn period_end(meter: &Meter, key: &Key) -> Option<i64> {
    let period = key.period.as_ref()?;
    let reset = key.reading.as_ref().and_then(|reading| reading.reset);
    reset.or_else(|| meter.window.map(|window| plus(period.start, window)))
}

/// Lets what has ended by `moment` end, each thing at its own moment, a period before a reading: so a told reset ends
/// both. `rest` is whether the key has unsettled amounts all that time, `number` is for the periods that begin.
/// What was unreported is owed, unless the store itself told the reset.
pub(super) fn roll(meter: &Meter, key: &mut Key, moment: i64, rest: bool, number: u64) -> Option<Owed> {
    let mut owed = None;
    loop {
        let period = period_end(meter, key);
        let life = key.reading.as_ref().and_then(|reading| life_end(meter, reading));
        let first = period.into_iter().chain(life).min().filter(|end| moment >= *end);
        let Some(end) = first else { return owed };
        if period == Some(end) {
            // Only the first can have something unreported.
            owed = owed.or(end_period(key, end, rest, number));
        }
        if life == Some(end) {
            end_reading(key);
        }
        // With no reading to wait for, what is not settled goes through every window up to the present one.
        if key.reading.is_none()
            && period == Some(end)
            && let Some(next) = &mut key.period
        {
            let over = moment.saturating_sub(end);
            let into = meter.window.and_then(|window| over.checked_rem(window)).unwrap_or(over);
            next.start = end.saturating_add(over.saturating_sub(into));
            next.mark = next.start;
            return owed;
        }
    }
}

/// MET-2: all that is settled goes; the unsettled rest begins the next period at that very end.
fn end_period(key: &mut Key, end: i64, rest: bool, number: u64) -> Option<Owed> {
    let guessed = key.reading.as_ref().is_none_or(|reading| reading.reset.is_none());
    let owed = owed(key, Some(end)).filter(|_| guessed);
    (key.newer, key.older, key.unreported) = (0, 0, 0);
    key.reached = false;
    key.period = rest.then_some(Period { start: end, carried: true, mark: end, number });
    owed
}

/// MET-41: the reading goes, and what is counted goes on.
fn end_reading(key: &mut Key) {
    key.reading = None;
    key.newer = plus(key.newer, key.older);
    key.older = 0;
    key.reached = false;
}

/// What a key has unreported, as it becomes owed; `ended` is when its period ended, where it did.
pub(super) fn owed(key: &Key, ended: Option<i64>) -> Option<Owed> {
    let owed = Owed { names: key.names.clone(), amount: key.unreported, from: key.unreported_from, ended };
    (key.unreported > 0).then_some(owed)
}
