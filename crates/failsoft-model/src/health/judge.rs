//! Rates, what opens a closed circuit, and the band *degraded* (HLT-56, HLT-57, HLT-72), and the calls that are out
//! too long (HLT-70).

use super::change::Cause;
use super::window::Window;
use super::{Band, Circuit, Health, Lease, Opener};
use crate::numbers::{Rate, plus};
use crate::settings::CountsAs;

/// What a closed circuit is judged at (HLT-57).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Occasion {
    /// An outcome that counts; r of HLT-54, 0 where it is no failure or told none.
    Outcome {
        retry_after: i64,
    },
    Hung,
    Lagging,
}

impl Health {
    /// HLT-70: a call that was given while closed, in this generation, and is out under a name. (Outcomes that name
    /// none are never out.)
    fn may_hang(&self, lease: &Lease) -> bool {
        lease.name.is_some() && lease.given_closed && lease.generation == self.generation
    }

    /// HLT-70: the age above which a call is hung: the deadline, where a `timeout` counts as a failure here.
    pub(super) fn hung_above(&self) -> Option<i64> {
        let counts = self.settings.counts_as("timeout") == CountsAs::Failure;
        if counts { self.deadline } else { None }
    }

    /// HLT-70: the age above which a call is lagging.
    pub(super) fn lagging_above(&self) -> Option<i64> {
        let slow = self.settings.slow_call_duration_threshold?;
        Some(self.deadline.map_or(slow, |deadline| deadline.min(slow)))
    }

    /// The moments at which a lease becomes hung and lagging, where it may. An age is compared exactly, so a moment
    /// past 2^53 - 1 never comes.
    pub(super) fn too_long_moments(&self, lease: &Lease) -> (Option<i64>, Option<i64>) {
        if !self.may_hang(lease) {
            return (None, None);
        }
        let above = |age: i64| lease.given.saturating_add(age).saturating_add(1);
        (self.hung_above().map(above), self.lagging_above().map(above))
    }

    /// h and l: how many calls are hung and lagging now.
    pub(super) fn out_too_long(&self, now: i64) -> (i64, i64) {
        let (mut hung, mut lagging) = (0, 0);
        for lease in &self.leases {
            let (hung_at, lagging_at) = self.too_long_moments(lease);
            hung += i64::from(hung_at.is_some_and(|at| at <= now));
            lagging += i64::from(lagging_at.is_some_and(|at| at <= now));
        }
        (hung, lagging)
    }

    /// HLT-56: (f + h) / (n + h); none without a window.
    pub(super) fn failure_rate(&self, now: i64) -> Option<Rate> {
        if !self.settings.has_window() {
            return None;
        }
        let (sums, hung) = (self.window.sums(now), self.out_too_long(now).0);
        Some(Rate { part: plus(sums.failed, hung), whole: plus(sums.calls, hung) })
    }

    /// HLT-56: (s + l) / (n + l); off while `slow_call_duration_threshold` is, and without a window.
    pub(super) fn slow_rate(&self, now: i64) -> Option<Rate> {
        if self.settings.slow_call_duration_threshold.is_none() || !self.settings.has_window() {
            return None;
        }
        let (sums, lagging) = (self.window.sums(now), self.out_too_long(now).1);
        Some(Rate { part: plus(sums.slow, lagging), whole: plus(sums.calls, lagging) })
    }

    /// HLT-56: a rate, where it is judged.
    pub(super) fn judged(&self, rate: Option<Rate>) -> Option<Rate> {
        rate.filter(|rate| rate.whole >= self.settings.minimum_calls())
    }

    /// HLT-57 and HLT-72: the first row that crosses opens; where none does, the band may begin or end.
    pub(super) fn judge(&mut self, moment: i64, occasion: Occasion) {
        if self.circuit != Circuit::Closed {
            return;
        }
        let figures = self.figures(moment);
        if let Some(cause) = self.what_opens(moment, occasion) {
            // NEED-16: opened by slow calls alone.
            if cause.crossed["setting"] == "slow_call_rate_threshold" {
                self.class = Some("timeout".to_owned());
            }
            let retry_until = match occasion {
                Occasion::Outcome { retry_after } if retry_after > 0 => {
                    Some(Health::after(moment, retry_after))
                }
                _ => None,
            };
            self.opener = Opener::Own;
            self.open(moment, retry_until, None);
            self.note(moment, &cause, figures);
            return;
        }
        if self.band.is_none() {
            if let Some(cause) = self.what_degrades(moment, occasion) {
                self.stop_forgetting(moment);
                self.band = Some(Band { set: moment, dwelt: false, looked: moment });
                self.note(moment, &cause, figures);
            }
        } else if matches!(occasion, Occasion::Outcome { .. }) {
            self.end_band_if_fallen(moment);
        }
    }

    /// HLT-57, row by row. When a call has become hung, that is why, whichever row crossed (HLT-71).
    fn what_opens(&self, now: i64, occasion: Occasion) -> Option<Cause> {
        let settings = &self.settings;
        let cause = |why, setting: &str, value, limit| {
            let why = if occasion == Occasion::Hung { "hung_calls" } else { why };
            Some(Cause::crossing(why, setting, value, limit))
        };
        if let Some(limit) = settings.consecutive_failure_threshold
            && self.run >= limit
        {
            return cause("consecutive_failures", "consecutive_failure_threshold", self.run, limit);
        }
        if let (Some(limit), Some(rate)) =
            (settings.failure_rate_threshold, self.judged(self.failure_rate(now)))
            && rate.reaches(limit)
        {
            return cause("failure_rate", "failure_rate_threshold", rate.basis_points(), limit * 100);
        }
        if let Some(limit) = settings.failure_count_threshold
            && settings.has_window()
        {
            let failed = plus(self.window.sums(now).failed, self.out_too_long(now).0);
            if failed >= limit {
                return cause("failure_count", "failure_count_threshold", failed, limit);
            }
        }
        let limit = settings.slow_call_rate_threshold;
        if let Some(rate) = self.judged(self.slow_rate(now)).filter(|rate| rate.reaches(limit)) {
            return cause("slow_call_rate", "slow_call_rate_threshold", rate.basis_points(), limit * 100);
        }
        match occasion {
            Occasion::Outcome { retry_after } if retry_after > 0 && settings.retry_after_policy == "open" => {
                cause("retry_after", "max_retry_after", retry_after, settings.max_retry_after)
            }
            _ => None,
        }
    }

    /// HLT-72: what sets the band.
    fn what_degrades(&self, now: i64, occasion: Occasion) -> Option<Cause> {
        let bands = [
            (
                "failure_rate",
                "degraded_failure_rate_threshold",
                self.settings.degraded_failure_rate,
                self.failure_rate(now),
            ),
            (
                "slow_call_rate",
                "degraded_slow_call_rate_threshold",
                self.settings.degraded_slow_call_rate,
                self.slow_rate(now),
            ),
        ];
        for (why, setting, limit, rate) in bands {
            let (Some(limit), Some(rate)) = (limit, self.judged(rate)) else { continue };
            if rate.reaches(limit) {
                let why = if occasion == Occasion::Hung { "hung_calls" } else { why };
                return Some(Cause::crossing(why, setting, rate.basis_points(), limit * 100));
            }
        }
        None
    }

    /// HLT-72: the band ends once `min_dwell` has passed and both rates are below their exits, with no minimum. A
    /// rate without calls, or that is off, is below.
    pub(super) fn end_band_if_fallen(&mut self, moment: i64) {
        let Some(band) = self.band else { return };
        if moment < Health::after(band.set, self.settings.min_dwell) {
            return;
        }
        let high = |rate: Option<Rate>, exit: i64| rate.is_some_and(|rate| rate.reaches(exit));
        let still = high(self.failure_rate(moment), self.settings.degraded_exit_failure_rate)
            || high(self.slow_rate(moment), self.settings.degraded_exit_slow_call_rate);
        if still {
            return;
        }
        let figures = self.figures(moment);
        self.band = None;
        self.begin_forgetting(moment);
        self.note(moment, &Cause::plain("rates_fell"), figures);
    }

    /// HLT-72: when the band is looked at next: at the end of `min_dwell`, then at each end of a bucket. Ends of
    /// buckets at which nothing can have changed are skipped, so that a jump in time costs nothing.
    pub(super) fn next_look(&self, clock: i64) -> Option<i64> {
        let band = self.band?;
        if !band.dwelt {
            // With a count-based window this look stands too: "it ends once min_dwell has passed" (HLT-72).
            return Some(Health::after(band.set, self.settings.min_dwell));
        }
        if !matches!(self.window, Window::Buckets { .. }) {
            return None;
        }
        let mut from = band.looked.saturating_add(1).max(clock);
        if self.window.sums(clock).calls == 0 {
            // Only calls that are out hold it, at a rate of one: until the first of them ends, no rate falls.
            let held = self.leases.iter().filter(|lease| {
                let (hung_at, lagging_at) = self.too_long_moments(lease);
                hung_at.is_some_and(|at| at <= clock) || lagging_at.is_some_and(|at| at <= clock)
            });
            from = from.max(held.map(|lease| lease.end).min().unwrap_or(from));
        }
        self.window.end_of_bucket(from)
    }

    /// The call that is out too long at this moment: its lease, and whether it is hung (else it is lagging alone).
    /// Under `forced_open` and `disabled` nothing is counted (HLT-71).
    pub(super) fn becomes_too_long(&mut self, place: usize, moment: i64) {
        let Some(lease) = self.leases.get(place) else { return };
        let (hung_at, lagging_at) = self.too_long_moments(lease);
        let inert = self.inert();
        let Some(lease) = self.leases.get_mut(place) else { return };
        let hung = !lease.hung_seen && hung_at.is_some_and(|at| at <= moment);
        lease.hung_seen |= hung;
        lease.lag_seen |= lagging_at.is_some_and(|at| at <= moment);
        // HLT-71: also where an override keeps it from counting now.
        lease.hung_counted |= hung;
        if inert {
            return;
        }
        if hung {
            crate::numbers::one_more(&mut self.run);
            self.note_class("timeout");
            self.judge(moment, Occasion::Hung);
        } else {
            self.judge(moment, Occasion::Lagging);
        }
    }
}
