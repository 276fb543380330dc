//! Windows (spec 7) and what their caps count (spec 3.7).

use serde_json::{Map, Value};

use crate::document::{Bound, Cap, Meter, Rung};
use crate::engine::Asked;
use crate::health::{allowed, whole};
use crate::json::table;
use crate::numbers::{aged, plus};
use crate::request::Request;
use crate::rung;

/// LAD-51: so many keys are counted where no meter says how many.
const KEYS: i64 = 10_000;

/// An open window (WIN-1).
#[derive(Clone, Debug)]
struct Window {
    dependency: String,
    /// Which window this is, so that a request takes once in each (LAD-53).
    id: u64,
    opened: i64,
    /// The last commit that used it.
    last: i64,
    /// This line used it: it stands after the line.
    used_now: bool,
    /// What each rung's cap has counted, by key: the rung's place, the key, and the count.
    counts: Vec<(usize, Vec<String>, i64)>,
}

/// What a request took from a cap (LAD-53).
#[derive(Clone, Debug)]
pub(crate) struct CapTaken {
    dependency: String,
    place: usize,
    window: u64,
    key: Vec<String>,
    amount: i64,
    /// Where it is an `amount`: of which meter, so that `finish` corrects it.
    meter: Option<String>,
    /// It was counted; a full table counts nothing more.
    counted: bool,
}

/// All windows that are open.
#[derive(Clone, Debug, Default)]
pub(crate) struct Windows {
    open: Vec<Window>,
    ids: u64,
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
    let window = window.filter(|window| out || asked.now < plus(window.last, idle));
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
fn capacity(meter: Option<&Meter>) -> i64 {
    meter.map_or(KEYS, |meter| meter.capacity)
}

/// LAD-51: the key, and how much the request is: one of `requests`, or its amount for the meter.
fn key_and_amount(cap: &Cap, meter: Option<&Meter>, request: &Request) -> (Vec<String>, i64) {
    let key = match meter {
        _ if cap.total => Vec::new(),
        Some(meter) => request.key(meter),
        None => vec![request.tenant.clone()],
    };
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
    fn add(&mut self, place: usize, key: &[String], amount: i64, capacity: i64) -> bool {
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
    /// The open window of a dependency.
    fn of(&self, dependency: &str) -> Option<&Window> {
        self.open.iter().find(|window| window.dependency == dependency)
    }

    /// WIN-1 and WIN-3: a commit uses the window of a dependency. `out` is whether that is `down` or `probing`: where it
    /// is not, and the window has been idle, that closes first.
    pub(crate) fn use_window(&mut self, dependency: &str, out: bool, idle: i64, now: i64) {
        self.open.retain(|window| window.dependency != dependency || out || now < plus(window.last, idle));
        if self.of(dependency).is_none() {
            self.open(dependency, now);
        }
        for window in &mut self.open {
            if window.dependency == dependency {
                window.last = now;
                window.used_now = true;
            }
        }
    }

    /// A window opens.
    fn open(&mut self, dependency: &str, opened: i64) {
        self.ids = self.ids.saturating_add(1);
        let dependency = dependency.to_owned();
        let id = self.ids;
        self.open.push(Window { dependency, id, opened, last: opened, used_now: false, counts: Vec::new() });
    }

    /// WIN-3: at the end of a line that is no question.
    pub(crate) fn close_idle(&mut self, is_out: impl Fn(&str) -> bool, idle: i64, now: i64) {
        self.open
            .retain(|window| window.used_now || is_out(&window.dependency) || now < plus(window.last, idle));
        for window in &mut self.open {
            window.used_now = false;
        }
    }

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

    /// WIN-7: a window survives a restart, its times aged.
    pub(crate) fn age(&mut self, away: i64) {
        for window in &mut self.open {
            window.opened = aged(window.opened, away);
            window.last = aged(window.last, away);
        }
    }

    /// RST-9: a snapshot is restored in place of what was.
    pub(crate) fn close_all(&mut self) {
        self.open.clear();
    }

    /// 10.2, `window_open`. What its caps have counted is in the engine's own form, which is not read here.
    pub(crate) fn restore(
        &mut self,
        dependency: &str,
        saved: &Map<String, Value>,
        away: Option<i64>,
        now: i64,
    ) -> Result<(), String> {
        let Some(saved) = saved.get("window_open") else { return Ok(()) };
        let saved = table(saved, "window_open")?;
        allowed(saved, &["age_ms", "last_age_ms"])?;
        let moment = |key: &str| {
            let age = whole(saved, key)?.unwrap_or(0);
            Ok::<i64, String>(aged(aged(now, age), away.unwrap_or(0)))
        };
        let (opened, last) = (moment("age_ms")?, moment("last_age_ms")?);
        self.open(dependency, opened);
        if let Some(window) = self.open.last_mut() {
            window.last = last;
        }
        Ok(())
    }
}
