//! What changed, since when and why, and how it is told (9.12).

use serde_json::{Value, json};

use super::window::Sums;
use super::{Circuit, Health, out_of_order};
use crate::numbers::between;

/// The cause of a change: `why`, and the setting that was crossed, or null (HLT-35).
#[derive(Clone, Debug)]
pub(super) struct Cause {
    pub(super) why: &'static str,
    pub(super) crossed: Value,
}

impl Cause {
    /// A cause behind which no setting stands.
    pub(super) fn plain(why: &'static str) -> Cause {
        Cause { why, crossed: Value::Null }
    }

    /// A cause with the setting, the value that crossed it, and its limit.
    pub(super) fn crossing(why: &'static str, setting: &str, value: i64, limit: i64) -> Cause {
        Cause { why, crossed: crossed(setting, value, limit) }
    }
}

/// HLT-35, `crossed`.
pub(super) fn crossed(setting: &str, value: i64, limit: i64) -> Value {
    json!({ "setting": setting, "value": value, "limit": limit })
}

/// HLT-36: figures as an event tells them.
pub(super) fn figures_json(sums: Sums) -> Value {
    json!({ "calls": sums.calls, "failed_calls": sums.failed, "slow_calls": sums.slow })
}

impl Health {
    /// HLT-36: the figures as they stand: in half open the trials', else the window's. A change that ends half open
    /// or empties the window takes them before it does.
    pub(super) fn figures(&self, now: i64) -> Sums {
        if self.circuit == Circuit::HalfOpen {
            return Sums {
                calls: self.trials.counted,
                failed: self.trials.failed,
                slow: self.trials.slow,
                refused: 0,
            };
        }
        self.window.sums(now)
    }

    /// Looks, after anything that may have changed the health, whether it did. The cause of the last change is the
    /// one told (HLT-35); `since` runs from when it was last healthy or unknown (DEC-27).
    pub(super) fn note(&mut self, moment: i64, cause: &Cause, figures: Sums) {
        let shown = self.shown();
        self.note_outage(shown, moment);
        let moved = shown != self.told.seen;
        shown.clone_into(&mut self.told.seen);
        if moved && shown != self.told.current {
            self.begin(shown, moment, cause, figures);
        }
    }

    /// A health begins.
    pub(super) fn begin(&mut self, shown: &str, moment: i64, cause: &Cause, figures: Sums) {
        shown.clone_into(&mut self.told.current);
        self.told.current_since = moment;
        self.told.why = Some(cause.why.to_owned());
        self.told.crossed = cause.crossed.clone();
        self.told.figures = figures;
        if shown == "healthy" || shown == "unknown" {
            self.since = None;
        } else if self.since.is_none() {
            self.since = Some(moment);
        }
    }

    /// HLT-36, `outage`: from the moment at which it last was neither `down` nor `probing`. An opening in the step
    /// that begins it is one of its own.
    pub(super) fn note_outage(&mut self, shown: &str, moment: i64) {
        if out_of_order(shown) {
            if self.outage.start.is_none() {
                self.outage.start = Some(moment);
            }
            return;
        }
        if let Some(start) = self.outage.start.take() {
            self.outage.ended = Some((between(start, moment), self.outage.not_permitted, self.outage.opened));
        }
        self.outage.not_permitted = 0;
        self.outage.opened = 0;
    }

    /// TRC-21: the own keys of `health.changed`, where the health is not what was last told. It is told then.
    pub(crate) fn tell_change(&mut self, now: i64) -> Option<Value> {
        let to = self.told.current.clone();
        let from = self.told.told.clone();
        if to == from {
            return None;
        }
        let ended = out_of_order(&from) && !out_of_order(&to);
        let outage = match self.outage.ended {
            Some((duration, refused, opened)) if ended => {
                json!({ "duration_ms": duration, "not_permitted_calls": refused, "open_attempts": opened })
            }
            _ => Value::Null,
        };
        let change = json!({
            "kind": "health.changed",
            "dependency": self.name,
            "from": from,
            "to": to,
            "why": self.told.why,
            "crossed": self.told.crossed,
            "window": figures_json(self.told.figures),
            "held_ms": between(self.told.told_since, self.told.current_since),
            "wait_ms": self.wait_told(now),
            "outage": outage,
        });
        self.told.told = to;
        self.told.told_since = self.told.current_since;
        Some(change)
    }

    /// HLT-36, `wait_ms`: in `down`, the time until a trial may be made, where it is known. Under a `forced_open`
    /// both it and the circuit's wait underneath stand before one.
    pub(super) fn wait_told(&self, now: i64) -> Option<i64> {
        if self.shown() != "down" {
            return None;
        }
        if self.standing_name() != Some("forced_open") {
            return self.open_wait_left(now);
        }
        let until = self.standing.as_ref().and_then(|standing| standing.until)?;
        Some(until.saturating_sub(now).max(self.open_wait_left(now).unwrap_or(0)))
    }
}
