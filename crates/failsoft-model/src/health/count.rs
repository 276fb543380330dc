//! Outcomes: what they count as, and what they change (9.4, 9.9).

use super::change::Cause;
use super::judge::Occasion;
use super::window::Sums;
use super::{Circuit, Health, Lease};
use crate::document::Dependency;
use crate::numbers::{Rate, one_more};
use crate::settings::CountsAs;

/// An outcome as the host tells it.
pub(crate) struct Outcome<'a> {
    pub(crate) result: &'a str,
    pub(crate) permit: Option<&'a str>,
    pub(crate) latency: Option<i64>,
    pub(crate) retry_after: Option<i64>,
    pub(crate) had: Option<i64>,
}

/// What an outcome gives to tell besides health (HLT-8, HLT-43).
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Heard {
    /// A negative latency, as told.
    pub(crate) skewed: Option<i64>,
    /// The refusal rate and its limit, in hundredths of a percent, and the calls.
    pub(crate) spiked: Option<(i64, i64, i64)>,
    /// The streak of ignored outcomes that reached its threshold.
    pub(crate) never_answered: Option<i64>,
}

/// NEED-3: a guard's `timeout`, told with less time than the guard's deadline as the call began, is `cancelled`.
pub(crate) fn with_haste(dependency: &Dependency, class: &str, had: Option<i64>) -> String {
    let hasty = match (had, dependency.deadline) {
        (Some(had), Some(deadline)) => had < deadline,
        _ => false,
    };
    if dependency.is_guard() && class == "timeout" && hasty {
        "cancelled".to_owned()
    } else {
        class.to_owned()
    }
}

impl Health {
    /// 9.4: one outcome.
    pub(crate) fn outcome(&mut self, dependency: &Dependency, told: &Outcome<'_>, now: i64) -> Heard {
        let mut heard = Heard::default();
        let result = with_haste(dependency, told.result, told.had);
        // HLT-26: late. A lease of that name, of an older generation, is forgotten.
        if let Some(name) = told.permit
            && !self.is_out(name, now)
        {
            self.leases.retain(|lease| lease.name.as_deref() != Some(name));
            one_more(&mut self.late);
            return heard;
        }
        heard.skewed = told.latency.filter(|latency| *latency < 0);
        self.remember_answer(&result, now);
        let counts_as = self.settings.counts_as(&result);
        if self.inert() {
            self.give_back(told.permit);
            return heard;
        }
        if counts_as == CountsAs::Nothing {
            self.give_back(told.permit);
            one_more(&mut self.ignored);
            one_more(&mut self.ignored_streak);
            let reached = self.settings.ignored_streak_threshold == Some(self.ignored_streak);
            heard.never_answered = reached.then_some(self.ignored_streak);
            return heard;
        }

        self.ignored_streak = 0;
        // HLT-9: with the wait over it is the first trial.
        if told.permit.is_none() && matches!(self.circuit, Circuit::Open { wait_over: true, .. }) {
            self.half_open(now);
        }
        let lease = self.give_back(told.permit);
        let failed = counts_as == CountsAs::Failure;
        // HLT-8: a timeout is slow whatever its latency; below zero is 0.
        let slow = self.settings.slow_call_duration_threshold.is_some_and(|threshold| {
            result == "timeout" || told.latency.is_some_and(|latency| latency.max(0) > threshold)
        });
        let call = Call {
            failed,
            slow,
            refused: result == "refused",
            class: failed.then_some(result.as_str()),
            hung_counted: lease.is_some_and(|lease| lease.hung_counted),
        };
        self.add(&call, now);
        heard.spiked = self.refusals_spiked(now);
        let retry_after = if failed { self.believed(told.retry_after) } else { 0 };
        match self.circuit {
            Circuit::Closed => self.judge(now, Occasion::Outcome { retry_after }),
            Circuit::Open { until, wait_over } => {
                // HLT-54: while it waits, a failure may make the wait longer.
                if !wait_over && retry_after > 0 {
                    let told = Health::after(now, retry_after);
                    self.circuit = Circuit::Open { until: until.max(told), wait_over };
                    self.hold = self.hold.max(Some(told));
                }
            }
            Circuit::HalfOpen => self.trial(&call, retry_after, now, false),
        }
        heard
    }

    /// HLT-53: what every call that counts does, whatever the circuit: window, run, class, and the end of `unknown`.
    pub(super) fn add(&mut self, call: &Call<'_>, now: i64) {
        let one = |yes: bool| i64::from(yes);
        let sums =
            Sums { calls: 1, failed: one(call.failed), slow: one(call.slow), refused: one(call.refused) };
        self.window.add(sums, now);
        match call.class {
            Some(class) => {
                if !call.hung_counted {
                    one_more(&mut self.run);
                }
                self.note_class(class);
            }
            None => {
                self.run = 0;
                // NEED-14.
                if self.circuit == Circuit::Closed {
                    self.sticky = None;
                }
            }
        }
        self.known = true;
        self.last_signal = Some(now);
        let figures = self.figures(now);
        self.note(now, &Cause::plain("first_outcome"), figures);
    }

    /// HLT-54: r.
    fn believed(&self, told: Option<i64>) -> i64 {
        if self.settings.retry_after_policy == "off" {
            return 0;
        }
        told.unwrap_or(0).min(self.settings.max_retry_after)
    }

    /// LAD-28: an `ok` is the last answer known; a `refused` ends it.
    fn remember_answer(&mut self, result: &str, now: i64) {
        match result {
            "ok" => self.last_ok = Some(now),
            "refused" => self.last_ok = None,
            _ => {}
        }
    }

    /// HLT-43: told once, and again only after an outcome at which it was not. The smallest number of calls is that
    /// of HLT-56, so that a small count-based window can tell at all.
    fn refusals_spiked(&mut self, now: i64) -> Option<(i64, i64, i64)> {
        let limit = self.settings.refusal_rate_threshold?;
        let sums = self.window.sums(now);
        let rate = Rate { part: sums.refused, whole: sums.calls };
        let high = sums.calls >= self.settings.minimum_calls() && rate.reaches(limit);
        let tells = high && !self.spiked;
        self.spiked = high;
        tells.then(|| (rate.basis_points(), limit * 100, sums.calls))
    }

    /// HLT-27 and HLT-10: gives back the permit that an outcome names, or the oldest unnamed trial's.
    pub(super) fn give_back(&mut self, name: Option<&str>) -> Option<Lease> {
        let place = match name {
            Some(name) => self.leases.iter().position(|lease| lease.name.as_deref() == Some(name)),
            None => self.leases.iter().position(|lease| lease.name.is_none()),
        };
        place.map(|place| self.forget(place))
    }
}

/// One call that counts.
pub(super) struct Call<'a> {
    pub(super) failed: bool,
    pub(super) slow: bool,
    pub(super) refused: bool,
    /// The class of a failure.
    pub(super) class: Option<&'a str>,
    /// It added to the run as it became hung (HLT-71).
    pub(super) hung_counted: bool,
}
