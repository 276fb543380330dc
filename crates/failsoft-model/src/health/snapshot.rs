//! The form of a snapshot (10.2), and a dependency restored from it.

use serde_json::{Map, Value};

use super::window::{Sums, Window, bucket_length};
use super::{Advice, Band, Circuit, Health, Opener, Standing};
use crate::document::Dependency;
use crate::json::{LARGEST, optional_string, required_string, table};
use crate::numbers::between;

/// The keys of a dependency.
const KEYS: [&str; 38] = [
    "circuit",
    "wait_left_ms",
    "retry_after_left_ms",
    "opened_by",
    "open_attempts",
    "attempts_age_ms",
    "consecutive_failures",
    "ignored_calls",
    "ignored_streak",
    "not_permitted_calls",
    "late_outcomes",
    "lost_calls",
    "window",
    "last_failure",
    "sticky",
    "degraded_by_probe",
    "degraded_age_ms",
    "rise",
    "fall",
    "probe_age_ms",
    "signal_age_ms",
    "last_ok_age_ms",
    "advice",
    "override",
    "refusals_spiked",
    "outbox_depth",
    "outbox_sequence",
    "window_open",
    "ailing_age_ms",
    "outage",
    "told",
    "told_age_ms",
    "health",
    "health_age_ms",
    "ended_outage",
    "why",
    "crossed",
    "figures",
];

/// The outbox of a dependency: how deep it is, and the last number given.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Outbox {
    pub(crate) depth: Option<i64>,
    pub(crate) sequence: Option<i64>,
}

/// An integer of a snapshot, from 0 to 2^53 - 1.
pub(crate) fn whole(map: &Map<String, Value>, key: &str) -> Result<Option<i64>, String> {
    match map.get(key) {
        None => Ok(None),
        Some(value) => {
            let number = value.as_i64().filter(|number| (0..=LARGEST).contains(number));
            Ok(Some(number.ok_or_else(|| format!("{key} must be an integer from 0"))?))
        }
    }
}

/// An unknown key is a mistake.
pub(crate) fn allowed(map: &Map<String, Value>, keys: &[&str]) -> Result<(), String> {
    match map.keys().find(|key| !keys.contains(&key.as_str())) {
        Some(key) => Err(format!("unknown key {key}")),
        None => Ok(()),
    }
}

/// A table under a key, if the key stands.
fn part<'a>(map: &'a Map<String, Value>, key: &str) -> Result<Option<&'a Map<String, Value>>, String> {
    map.get(key).map(|value| table(value, key)).transpose()
}

impl Health {
    /// 10.2: a dependency as its snapshot says. A key that is left out says that there is nothing of it: no override
    /// stands, also where the matrix has an `initial_state` (it had been lifted), and the circuit is closed.
    pub(crate) fn restored(
        dependency: &Dependency,
        map: &Map<String, Value>,
        away: Option<i64>,
        now: i64,
    ) -> Result<(Health, Outbox), String> {
        allowed(map, &KEYS)?;
        let number = |key: &str| Ok::<i64, String>(whole(map, key)?.unwrap_or(0));
        let ago = |key: &str| Ok::<Option<i64>, String>(whole(map, key)?.map(|age| now.saturating_sub(age)));
        let mut health = Health::bare(dependency, now);
        health.told.told = Health::new(dependency, now).told.told;
        health.run = number("consecutive_failures")?;
        health.ignored = number("ignored_calls")?;
        health.ignored_streak = number("ignored_streak")?;
        health.not_permitted = number("not_permitted_calls")?;
        health.late = number("late_outcomes")?;
        health.lost = number("lost_calls")?;
        health.attempts = number("open_attempts")?;
        health.calm_since = ago("attempts_age_ms")?;
        health.class = optional_string(map, "last_failure")?;
        health.sticky = optional_string(map, "sticky")?;
        health.rise = number("rise")?;
        health.fall = number("fall")?;
        health.degraded_by_probe = flag(map, "degraded_by_probe")?;
        health.spiked = flag(map, "refusals_spiked")?;
        health.last_probe = ago("probe_age_ms")?;
        health.last_ok = ago("last_ok_age_ms")?;
        health.last_signal = ago("signal_age_ms")?;
        // HLT-4, as it stood when it was saved.
        let ttl = health.settings.signal_ttl.unwrap_or(LARGEST);
        health.known = health.last_signal.is_some_and(|signal| between(signal, now) <= ttl);
        health.circuit_from(map, now)?;
        if let Some(set) = ago("degraded_age_ms")? {
            let dwelt = Health::after(set, health.settings.min_dwell) <= now;
            health.band = Some(Band { set, dwelt, looked: now });
        }
        let kept_in_place = match part(map, "window")? {
            Some(window) => health.window_from(window, now)?,
            None => false,
        };
        for advice in map.get("advice").and_then(Value::as_array).into_iter().flatten() {
            let advice = table(advice, "advice")?;
            let until = now.saturating_add(whole(advice, "left_ms")?.unwrap_or(0));
            health.advice.push(Advice { source: required_string(advice, "source")?, until });
        }
        if let Some(standing) = part(map, "override")? {
            health.standing = Some(Standing {
                to: required_string(standing, "to")?,
                set: now.saturating_sub(whole(standing, "age_ms")?.unwrap_or(0)),
                until: whole(standing, "left_ms")?.map(|left| now.saturating_add(left)),
                by: optional_string(standing, "by")?,
                reason: optional_string(standing, "reason")?,
                initial: flag(standing, "initial")?,
            });
        }
        health.keep_glass_lawful(now);
        // HLT-59: attempts are forgotten only while it is closed and well.
        if health.circuit != Circuit::Closed || health.degraded_by_probe || health.band.is_some() {
            health.calm_since = None;
        }
        health.told_from(map, now)?;
        health.age(away.unwrap_or(0));
        if !kept_in_place {
            // Buckets that nobody saved begin as at the beginning.
            health.window.begin_at_clock();
        }
        health.settle(away, now, "restart");
        let outbox = Outbox { depth: whole(map, "outbox_depth")?, sequence: whole(map, "outbox_sequence")? };
        Ok((health, outbox))
    }

    /// 10.2: a snapshot breaks no glass that OPR-20 would refuse, nor for longer than the matrix says.
    pub(super) fn keep_glass_lawful(&mut self, now: i64) {
        let (Some(longest), Some(standing)) = (self.glass, &mut self.standing) else {
            if self.standing_name() == Some("break_glass") {
                self.standing = None;
            }
            return;
        };
        if standing.to != "break_glass" {
            return;
        }
        let empty = |word: &Option<String>| word.as_deref().unwrap_or("").trim().is_empty();
        if empty(&standing.by) || empty(&standing.reason) {
            self.standing = None;
            return;
        }
        let last = Health::after(now, longest);
        standing.until = Some(standing.until.map_or(last, |until| until.min(last)));
    }

    /// Circuit, wait, Retry-After, opener.
    fn circuit_from(&mut self, map: &Map<String, Value>, now: i64) -> Result<(), String> {
        match optional_string(map, "circuit")?.as_deref() {
            None | Some("closed") => return Ok(()),
            Some("open") => {}
            Some(other) => return Err(format!("unknown circuit {other}")),
        }
        let left = whole(map, "wait_left_ms")?.filter(|left| *left > 0);
        self.circuit = self.restored_open(left.map(|left| now.saturating_add(left)), now);
        self.hold = whole(map, "retry_after_left_ms")?.map(|left| now.saturating_add(left));
        self.opener = match optional_string(map, "opened_by")?.as_deref() {
            None => Opener::Own,
            Some("operator") => Opener::Operator,
            Some("initial_state") => Opener::Initial,
            Some(other) => return Err(format!("unknown opener {other}")),
        };
        Ok(())
    }

    /// The window, where it is of this type and shape; another is dropped.
    fn window_from(&mut self, map: &Map<String, Value>, now: i64) -> Result<bool, String> {
        let mut kept_in_place = false;
        allowed(map, &["bucket_left_ms", "buckets", "calls"])?;
        if let Some(digits) = optional_string(map, "calls")? {
            let mut saved = Vec::new();
            for digit in digits.chars() {
                let bits = digit.to_digit(8).ok_or("a call is a digit from 0 to 7")?;
                let bit = |value: u32| i64::from(bits & value != 0);
                saved.push(Sums { calls: 1, failed: bit(1), slow: bit(2), refused: bit(4) });
            }
            if let Window::Calls { size, calls } = &mut self.window
                && saved.len() <= *size
            {
                *calls = saved;
            }
        }
        if let Some(list) = map.get("buckets") {
            let left = whole(map, "bucket_left_ms")?;
            let mut saved = Vec::new();
            for bucket in list.as_array().ok_or("buckets must be a list")? {
                saved.push(bucket_from(bucket)?);
            }
            let length = bucket_length(&self.settings);
            let fits = i64::try_from(saved.len()).unwrap_or(i64::MAX) <= self.settings.sliding_window_buckets;
            // A bucket that has longer left than it lasts is of another shape.
            // Buckets of which nobody knows where they end are dropped.
            if let Some(left) = left.filter(|left| fits && *left <= length) {
                self.window.with_buckets(now.saturating_add(left), &saved);
                kept_in_place = true;
            }
        }
        Ok(kept_in_place)
    }

    /// What was last told, what stood when it was saved, and since when.
    fn told_from(&mut self, map: &Map<String, Value>, now: i64) -> Result<(), String> {
        let ago = |key: &str| Ok::<Option<i64>, String>(whole(map, key)?.map(|age| now.saturating_sub(age)));
        if let Some(told) = optional_string(map, "told")? {
            self.told.told = told;
        }
        self.told.told_since = ago("told_age_ms")?.unwrap_or(now);
        self.told.current_since = ago("health_age_ms")?.unwrap_or(now);
        self.told.why = optional_string(map, "why")?;
        self.told.crossed = map.get("crossed").cloned().unwrap_or(Value::Null);
        if let Some(figures) = part(map, "figures")? {
            let number = |key: &str| Ok::<i64, String>(whole(figures, key)?.unwrap_or(0));
            self.told.figures = Sums {
                calls: number("calls")?,
                failed: number("failed_calls")?,
                slow: number("slow_calls")?,
                refused: 0,
            };
        }
        self.since = ago("ailing_age_ms")?;
        if let Some(outage) = part(map, "outage")? {
            self.outage.start = Some(now.saturating_sub(whole(outage, "age_ms")?.unwrap_or(0)));
            self.outage.not_permitted = whole(outage, "not_permitted_calls")?.unwrap_or(0);
            self.outage.opened = whole(outage, "open_attempts")?.unwrap_or(0);
        }
        if let Some(ended) = part(map, "ended_outage")? {
            let number = |key: &str| Ok::<i64, String>(whole(ended, key)?.unwrap_or(0));
            self.outage.ended =
                Some((number("duration_ms")?, number("not_permitted_calls")?, number("open_attempts")?));
        }
        let stood = optional_string(map, "health")?.unwrap_or_else(|| self.told.told.clone());
        self.told.current = stood;
        Ok(())
    }
}

/// A flag, false if it is left out.
fn flag(map: &Map<String, Value>, key: &str) -> Result<bool, String> {
    map.get(key)
        .map_or(Ok(false), |value| value.as_bool().ok_or_else(|| format!("{key} must be true or false")))
}

/// `[calls, failed, slow, refused]`.
fn bucket_from(value: &Value) -> Result<Sums, String> {
    let list = value.as_array().ok_or("a bucket is a list")?;
    let numbers: Vec<i64> =
        list.iter().filter_map(Value::as_i64).filter(|n| (0..=LARGEST).contains(n)).collect();
    match numbers.as_slice() {
        [calls, failed, slow, refused] if list.len() == 4 => {
            Ok(Sums { calls: *calls, failed: *failed, slow: *slow, refused: *refused })
        }
        _ => Err("a bucket has four integers".to_owned()),
    }
}
