//! Half open: trials, what they decide, and the longest stay (HLT-60 to HLT-62).

use serde_json::Value;

use super::change::{Cause, crossed};
use super::count::Call;
use super::{Circuit, Health, Opener};
use crate::numbers::{Rate, one_more};

/// What the trials have decided so far.
enum Verdict {
    Undecided,
    Pass(Value),
    /// With what was crossed, and whether slow trials alone did it.
    Fail(Value, bool),
}

impl Health {
    /// HLT-60: a trial has counted, by an outcome or by its permit's end.
    pub(super) fn trial(&mut self, call: &Call<'_>, retry_after: i64, now: i64, by_end: bool) {
        let slow_fails = call.slow && self.settings.half_open_counts_slow;
        let out = self.trials_out();
        let trials = &mut self.trials;
        one_more(&mut trials.counted);
        trials.failed += i64::from(call.failed);
        trials.slow += i64::from(call.slow);
        trials.succeeded += i64::from(!call.failed && !slow_fails);
        if retry_after > 0 {
            trials.retry_until = trials.retry_until.max(Some(Health::after(now, retry_after)));
        }
        // HLT-62: anew from each trial's success while one is out.
        if !call.failed && out > 0 {
            trials.stay = Some(now);
        }
        let why = |decided: &'static str| if by_end { "permit_expired" } else { decided };
        let figures = self.figures(now);
        // HLT-54: with the policy `open` a failure that tells a wait opens at once; alone where no trials failed by it.
        let at_once = retry_after > 0 && self.settings.retry_after_policy == "open";
        let cause = match self.trials_decide() {
            Verdict::Fail(crossed, slow_alone) => {
                if slow_alone {
                    self.class = Some("timeout".to_owned());
                }
                Cause { why: why("trial_failed"), crossed }
            }
            _ if at_once => {
                Cause::crossing("trial_failed", "max_retry_after", retry_after, self.settings.max_retry_after)
            }
            Verdict::Pass(crossed) => {
                self.close(now);
                self.note(now, &Cause { why: why("trial_ok"), crossed }, figures);
                return;
            }
            Verdict::Undecided => return,
        };
        self.opener = Opener::Own;
        self.open(now, self.trials.retry_until, None);
        self.note(now, &cause, figures);
    }

    /// HLT-61.
    fn trials_decide(&self) -> Verdict {
        let (trials, settings) = (&self.trials, &self.settings);
        if settings.half_open_policy == "m_of_n" {
            let needed = settings.half_open_success_threshold;
            let crossed = crossed("half_open_success_threshold", trials.succeeded, needed);
            if trials.succeeded >= needed {
                return Verdict::Pass(crossed);
            }
            let failed = trials.counted.saturating_sub(trials.succeeded);
            if failed > settings.permitted_calls.saturating_sub(needed) {
                return Verdict::Fail(crossed, trials.failed == 0);
            }
            return Verdict::Undecided;
        }
        if trials.counted < settings.deciding_trials() {
            return Verdict::Undecided;
        }
        let failure = Rate { part: trials.failed, whole: trials.counted };
        let limit = settings.half_open_failure_rate_threshold;
        let by_failures = crossed("half_open_failure_rate_threshold", failure.basis_points(), limit * 100);
        if failure.reaches(limit) {
            return Verdict::Fail(by_failures, false);
        }
        let slow = Rate { part: trials.slow, whole: trials.counted };
        let limit = settings.slow_call_rate_threshold;
        let slow_on = settings.half_open_counts_slow && settings.slow_call_duration_threshold.is_some();
        if slow_on && slow.reaches(limit) {
            let by_slow = crossed("slow_call_rate_threshold", slow.basis_points(), limit * 100);
            return Verdict::Fail(by_slow, true);
        }
        Verdict::Pass(by_failures)
    }

    /// HLT-60: a trial's permit that ends is a failure of class `timeout`, slow where slow is on.
    pub(super) fn trial_ends(&mut self, moment: i64) {
        let slow = self.settings.slow_call_duration_threshold.is_some();
        let call = Call { failed: true, slow, refused: false, class: Some("timeout"), hung_counted: false };
        self.add(&call, moment);
        self.trial(&call, 0, moment, true);
    }

    /// HLT-62: open (a failure for class alone), or closed.
    pub(super) fn longest_stay_ends(&mut self, moment: i64) {
        let figures = self.figures(moment);
        let longest = self.settings.max_wait_in_half_open.unwrap_or(0);
        if self.settings.after_half_open == "closed" {
            self.close(moment);
        } else {
            self.note_class("timeout");
            self.opener = Opener::Own;
            self.open(moment, self.trials.retry_until, None);
        }
        let setting = "max_wait_duration_in_half_open_state";
        let cause = Cause::crossing("max_wait_in_half_open", setting, longest, longest);
        self.note(moment, &cause, figures);
    }

    /// How many trials' permits are out.
    pub(super) fn trials_out(&self) -> i64 {
        if self.circuit != Circuit::HalfOpen {
            return 0;
        }
        let out = self.leases.iter().filter(|lease| lease.trial && lease.generation == self.generation);
        i64::try_from(out.count()).unwrap_or(i64::MAX)
    }

    /// HLT-20: how many trials may still begin: in half open, or with the wait over; else none is asked for.
    pub(super) fn trials_left(&self) -> Option<i64> {
        match self.circuit {
            Circuit::Closed | Circuit::Open { wait_over: false, .. } => None,
            Circuit::Open { wait_over: true, .. } => Some(self.settings.permitted_calls),
            Circuit::HalfOpen => {
                let used = self.trials_out().saturating_add(self.trials.counted);
                Some(self.settings.permitted_calls.saturating_sub(used).max(0))
            }
        }
    }
}
