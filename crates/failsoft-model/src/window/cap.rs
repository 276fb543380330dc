//! What the caps of rungs count in a window (3.7).

use super::{Window, Windows};
use crate::document::{Bound, Cap, Meter, Rung};
use crate::engine::Asked;
use crate::meter;
use crate::numbers::plus;
use crate::request::Request;
use crate::rung;

/// LAD-51: so many keys are counted where no meter says how many.
const KEYS: i64 = 10_000;

/// What a request took from a cap (LAD-53).
#[derive(Clone, Debug)]
pub(crate) struct CapTaken {
    pub(super) dependency: String,
    pub(super) place: usize,
    pub(super) window: u64,
    key: Vec<String>,
    amount: i64,
    /// Where it is an `amount`: of which meter, so that `finish` corrects it.
    meter: Option<String>,
    /// It was counted; a full table counts nothing more.
    counted: bool,
}

/// LAD-50: whether a rung's cap still stands. `since` is since when the dependency has failed (DEC-27).
pub(crate) fn cap_stands(
    asked: Asked<'_>,
    dependency: &str,
    place: usize,
    written: &Rung,
    since: i64,
) -> Result<bool, String> {
    let Some(cap) = &written.cap else { return Ok(true) };
    // WIN-3: one that may close counts as closed.
    let (out, idle) = (asked.engine.is_out(dependency)?, asked.engine.document.window_idle);
    let window = asked.engine.windows.of(dependency);
    let window = window.filter(|window| !window.may_close(out, idle, asked.now));
    if let Bound::Time(time) = cap.bound {
        if !rung::goes_on(rung::verdict(&written.kind)) {
            return Ok(asked.now < plus(since, time));
        }
        return Ok(window.is_none_or(|window| asked.now < plus(window.opened, time)));
    }
    let meter = meter_of(asked, cap)?;
    let (key, amount) = key_and_amount(cap, meter, asked.request);
    let (mut counted, mut room) = (0, true);
    if let Some(window) = window {
        let own = asked.request.caps.iter().find(|taken| taken.is(dependency, place, window.id));
        let own = own.filter(|taken| taken.key == key && taken.counted).map_or(0, |taken| taken.amount);
        counted = window.count(place, &key).unwrap_or(0).saturating_sub(own).max(0);
        room = window.has_room(place, &key, capacity(meter));
    }
    let most = match cap.bound {
        Bound::Requests(most) | Bound::Amount(most) | Bound::Time(most) => most,
    };
    Ok(room && plus(counted, amount) <= most)
}

/// The meter of a cap.
fn meter_of<'a>(asked: Asked<'a>, cap: &Cap) -> Result<Option<&'a Meter>, String> {
    cap.meter.as_ref().map(|name| asked.engine.document.meter(name)).transpose()
}

/// LAD-51: at most so many keys.
pub(super) fn capacity(meter: Option<&Meter>) -> i64 {
    meter.map_or(KEYS, |meter| meter.capacity)
}

/// LAD-51: the key of its meter, else the tenant; with `total` all requests are one key.
pub(super) fn key_of(cap: &Cap, meter: Option<&Meter>, tenant: &str, session: &str) -> Vec<String> {
    match meter {
        _ if cap.total => Vec::new(),
        Some(meter) => meter::key(meter, tenant, session),
        None => vec![tenant.to_owned()],
    }
}

/// LAD-51: the key, and how much the request is: one of `requests`, or its amount for the meter.
fn key_and_amount(cap: &Cap, meter: Option<&Meter>, request: &Request) -> (Vec<String>, i64) {
    let key = key_of(cap, meter, &request.tenant, &request.session);
    let amount = match (cap.bound, meter) {
        (Bound::Amount(_), Some(meter)) => request.amount(&meter.name),
        _ => 1,
    };
    (key, amount)
}

impl CapTaken {
    /// Whether it was taken from this rung in this window.
    fn is(&self, dependency: &str, place: usize, window: u64) -> bool {
        self.dependency == dependency && self.place == place && self.window == window
    }
}

impl Window {
    /// What a rung's cap has counted of a key.
    fn count(&self, place: usize, key: &[String]) -> Option<i64> {
        let found = self.counts.iter().find(|(rung, counted, _)| *rung == place && counted == key);
        found.map(|(_, _, count)| *count)
    }

    /// LAD-51: past so many keys a cap has nothing left for a newcomer.
    fn has_room(&self, place: usize, key: &[String], capacity: i64) -> bool {
        let keys = self.counts.iter().filter(|(rung, _, _)| *rung == place).count();
        self.count(place, key).is_some() || i64::try_from(keys).unwrap_or(i64::MAX) < capacity
    }

    /// Counts more, or less, of a key; not below 0. A key stays until the window closes (LAD-53).
    pub(super) fn add(&mut self, place: usize, key: &[String], amount: i64, capacity: i64) -> bool {
        if amount == 0 || !self.has_room(place, key, capacity) {
            return false;
        }
        if self.count(place, key).is_none() {
            self.counts.push((place, key.to_vec(), 0));
        }
        for (rung, counted, count) in &mut self.counts {
            if *rung == place && counted == key {
                *count = plus(*count, amount).max(0);
            }
        }
        true
    }
}

impl Windows {
    /// LAD-53: a commit that has used the window, and was answered by a rung with a cap, takes from it once.
    pub(crate) fn take(
        &mut self,
        dependency: &str,
        place: usize,
        cap: &Cap,
        meter: Option<&Meter>,
        request: &mut Request,
    ) {
        let Some(window) = self.open.iter_mut().find(|window| window.dependency == dependency) else {
            return;
        };
        if matches!(cap.bound, Bound::Time(_)) {
            return;
        }
        let (key, amount) = key_and_amount(cap, meter, request);
        // LAD-53: one that asks for more than before takes the difference.
        if let Some(taken) = request.caps.iter_mut().find(|taken| taken.is(dependency, place, window.id)) {
            let more = amount.saturating_sub(taken.amount);
            if taken.counted && more > 0 {
                window.add(place, &taken.key, more, capacity(meter));
                taken.amount = amount;
            }
            return;
        }
        let full = !window.has_room(place, &key, capacity(meter));
        window.add(place, &key, amount, capacity(meter));
        let of_meter = matches!(cap.bound, Bound::Amount(_)).then(|| cap.meter.clone()).flatten();
        request.caps.push(CapTaken {
            dependency: dependency.to_owned(),
            place,
            window: window.id,
            key,
            amount,
            meter: of_meter,
            counted: !full,
        });
    }

    /// LAD-53: a `finish` that tells another figure corrects what was taken of the window that is still open.
    pub(crate) fn correct(&mut self, request: &Request, meter: &Meter, actual: i64) {
        for taken in &request.caps {
            if taken.meter.as_ref() != Some(&meter.name) || !taken.counted {
                continue;
            }
            let difference = actual.saturating_sub(taken.amount);
            for window in &mut self.open {
                if taken.is(&window.dependency, taken.place, window.id) {
                    window.add(taken.place, &taken.key, difference, capacity(Some(meter)));
                }
            }
        }
    }
}
