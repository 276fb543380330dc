//! What a health line tells (TRC-17, HLT-38, HLT-39).

use serde_json::{Value, json};

use super::{Circuit, Health, out_of_order};
use crate::numbers::{Rate, between};

impl Health {
    /// TRC-17: health, circuit, metrics, detail.
    pub(crate) fn line(&self, now: i64) -> Value {
        json!({
            "at_ms": now,
            "health": self.shown(),
            "circuit": self.circuit_shown(),
            "metrics": self.metrics(now),
            "detail": self.detail(now),
        })
    }

    /// HLT-38: the rates, the figures behind them, and the counters.
    fn metrics(&self, now: i64) -> Value {
        let told = |rate: Option<Rate>| rate.map_or(-1, Rate::basis_points);
        let figures = self.figures(now);
        let (failure, slow) = if self.circuit == Circuit::HalfOpen {
            // The trials' own rates are told even where `failure_rate_threshold` is off: they are judged all the same.
            let decided = self.trials.counted >= self.settings.deciding_trials();
            let slow_on = self.settings.slow_call_duration_threshold.is_some();
            let rate = |part: i64| Rate { part, whole: figures.calls };
            (decided.then(|| rate(figures.failed)), (decided && slow_on).then(|| rate(figures.slow)))
        } else {
            (self.judged(self.failure_rate(now)), self.judged(self.slow_rate(now)))
        };
        json!({
            "failure_rate_bp": told(failure),
            "slow_call_rate_bp": told(slow),
            "buffered_calls": figures.calls,
            "failed_calls": figures.failed,
            "slow_calls": figures.slow,
            "ignored_calls": self.ignored,
            "not_permitted_calls": self.not_permitted,
            "consecutive_failures": self.run,
            "open_attempts": self.attempts_now(now),
        })
    }

    /// HLT-39, in its order.
    fn detail(&self, now: i64) -> Value {
        let fault = if out_of_order(self.shown()) { self.carried() } else { None };
        let minimum = match self.circuit {
            Circuit::HalfOpen => self.settings.deciding_trials(),
            _ if !self.settings.has_window() => 0,
            _ => self.settings.minimum_calls(),
        };
        let out = self.leases.iter().filter(|lease| lease.generation == self.generation).count();
        let (hung, lagging) = self.out_too_long(now);
        let standing = self.standing.as_ref().map(|standing| {
            json!({
                "to": standing.to,
                "left_ms": standing.until.map(|until| until.saturating_sub(now)),
                "by": standing.by,
                "reason": standing.reason,
            })
        });
        json!({
            "why": self.told.why,
            "crossed": self.told.crossed,
            "held_ms": between(self.told.current_since, now),
            "fault": fault,
            "enforced": !matches!(self.standing_name(), Some("disabled" | "metrics_only")),
            "minimum_calls": minimum,
            "permits_left": self.trials_left(),
            "calls_out": out,
            "hung_calls": hung,
            "lagging_calls": lagging,
            "late_outcomes": self.late,
            "lost_calls": self.lost,
            "wait_ms": self.wait_told(now),
            "probe_due_ms": self.probe_due(now),
            "override": standing,
        })
    }
}
