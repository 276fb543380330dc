//! The machine: what an outcome does, when a circuit opens and closes, what trials decide.
//!
//! Which state follows which is written in `transitions.rs`, and when time alone does something in `due.rs`.

use super::leases::{Lease, Leases, Slot};
use super::rules::{Rules, WindowShape};
use super::transitions::{CircuitState, Trigger, find};
use super::vital::{Band, Crossed, Episode, Opener, Outage, Phase, Trials, Vital};
use super::window::{Call, Tally, Window};
use crate::{Cause, Fault, HalfOpenPolicy, Health, Millis, RetryAfterPolicy, Time};

/// One dependency's health, to be moved.
pub(crate) struct Machine<'a> {
    pub(crate) rules: &'a Rules,
    pub(crate) seed: u64,
    pub(crate) vital: &'a mut Vital,
    pub(crate) window: View<'a>,
    pub(crate) leases: &'a Leases,
}

/// A call window: held by the state, or looked at by a question, which copies it before it changes anything.
pub(crate) enum View<'a> {
    Held(&'a mut Window),
    Seen(&'a Window),
    Copied(Window),
}

impl View<'_> {
    pub(crate) fn get(&self) -> &Window {
        match self {
            Self::Held(window) => window,
            Self::Seen(window) => window,
            Self::Copied(window) => window,
        }
    }

    #[inline]
    fn change(&mut self) -> Option<&mut Window> {
        if let Self::Seen(window) = self {
            *self = Self::Copied(Window::clone(window));
        }
        match self {
            Self::Held(window) => Some(window),
            Self::Copied(window) => Some(window),
            Self::Seen(_) => None,
        }
    }
}

/// An outcome that counts.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Counted {
    pub(crate) call: Call,
    pub(crate) fault: Option<Fault>,
    /// The Retry-After that is believed; nothing where there is none.
    pub(crate) retry_after: Millis,
    /// Its call has counted as hung.
    pub(crate) hung: bool,
}

/// What an opening is about.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Opening {
    /// Not before this moment, because the dependency asked for it.
    pub(crate) told_until: Option<Time>,
    /// For exactly so long, because an operator said so.
    pub(crate) exactly: Option<Millis>,
}

/// How it was before something happened.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Before {
    health: Health,
    opened: u64,
    figures: Tally,
}

impl Machine<'_> {
    pub(crate) fn before(&self, at: Time) -> Before {
        Before { figures: self.figures(at), ..self.before_a_call() }
    }

    /// The same, where the figures are those with the call.
    fn before_a_call(&self) -> Before {
        Before { health: self.vital.health(), opened: self.vital.opened, figures: Tally::default() }
    }

    /// What a person would be shown: the trials in half open, else the window.
    pub(crate) fn figures(&self, at: Time) -> Tally {
        if self.vital.phase == Phase::HalfOpen { self.vital.trials.tally } else { self.window.get().at(at) }
    }

    /// Notes what has become of the health, if anything has.
    pub(crate) fn note_change(&mut self, before: Before, at: Time, cause: Cause, crossed: Option<Crossed>) {
        let vital = &mut *self.vital;
        let after = vital.health();
        if after == before.health {
            return;
        }
        vital.cause = Some(cause);
        vital.crossed = crossed;
        vital.figures = before.figures;
        vital.since = at;
        match after {
            Health::Unknown | Health::Healthy => vital.ailing_since = None,
            Health::Degraded | Health::Down | Health::Probing => {
                vital.ailing_since = vital.ailing_since.or(Some(at));
            }
        }
        match (vital.outage, matches!(after, Health::Down | Health::Probing)) {
            (None, true) => {
                let opened = vital.opened.saturating_sub(before.opened);
                vital.outage = Some(Outage { since: at, not_permitted: 0, opened });
            }
            (Some(outage), false) => {
                vital.episode = Some(Episode {
                    duration: at.since(outage.since),
                    not_permitted_calls: outage.not_permitted,
                    open_attempts: outage.opened,
                });
                vital.outage = None;
            }
            _ => {}
        }
    }

    /// Moves the circuit by its table, and says why it moved; nothing where the table has no such row.
    pub(crate) fn fire(&mut self, on: Trigger, at: Time, opening: Opening) -> Option<Cause> {
        let row = find(self.vital.state(), on)?;
        match row.to {
            CircuitState::Open => self.open(at, opening),
            CircuitState::WaitOver => {
                if let Phase::Open { over, .. } = &mut self.vital.phase {
                    *over = true;
                }
            }
            CircuitState::HalfOpen => self.half_open(at),
            CircuitState::Closed => self.close(at),
        }
        Some(row.why)
    }

    fn open(&mut self, at: Time, opening: Opening) {
        self.settle_attempts(at);
        let vital = &mut *self.vital;
        vital.attempts = vital.attempts.saturating_add(1).min(crate::INTEGER_MAX);
        vital.opened = vital.opened.saturating_add(1);
        if let Some(outage) = &mut vital.outage {
            outage.opened = outage.opened.saturating_add(1).min(crate::INTEGER_MAX);
        }
        let wait = opening.exactly.unwrap_or_else(|| self.rules.wait_of(vital.attempts, self.seed));
        let until = at.plus(wait);
        vital.told_until = opening.told_until.filter(|told| *told > at);
        vital.phase =
            Phase::Open { until: opening.told_until.map_or(until, |told| told.max(until)), over: false };
        vital.opener = Opener::Own;
        self.leave();
    }

    fn half_open(&mut self, at: Time) {
        self.settle_attempts(at);
        self.vital.phase = Phase::HalfOpen;
        self.vital.told_until = None;
        self.empty_window();
        self.leave();
    }

    fn close(&mut self, at: Time) {
        let vital = &mut *self.vital;
        let moves = !vital.is_closed();
        vital.phase = Phase::Closed;
        vital.opener = Opener::Own;
        vital.told_until = None;
        vital.run = 0;
        vital.last_failure = None;
        vital.sticky = None;
        vital.band = None;
        if self.rules.decay.is_none() {
            vital.attempts = 0;
        }
        self.empty_window();
        // What is closed already does not close: calls that are out come in time.
        if moves {
            self.leave();
        }
        self.begin_forgetting(at);
    }

    /// A new generation: every permit that is out comes late from now on.
    fn leave(&mut self) {
        self.vital.trials = Trials::default();
        self.vital.band = self.vital.band.filter(|_| self.vital.is_closed());
        let out = &mut self.vital.out;
        out.floor = self.leases.next_serial();
        out.current = Slot::NONE;
        out.lag = Slot::NONE;
        out.hang = Slot::NONE;
        out.lagging = 0;
        out.hung = 0;
        out.calls = 0;
    }

    fn empty_window(&mut self) {
        if let Some(window) = self.window.change() {
            window.clear();
        }
    }

    /// It has closed, or is degraded no more by what this host saw: from now on attempts are forgotten.
    pub(crate) fn begin_forgetting(&mut self, at: Time) {
        let vital = &mut *self.vital;
        let well = vital.is_closed() && !vital.degraded_by_probe && vital.band.is_none();
        if well && vital.forgetting.is_none() && vital.attempts > 0 && self.rules.decay.is_some() {
            vital.forgetting = Some(at);
        }
    }

    /// It is no longer well: what has been forgotten is, and a part of the time is lost.
    pub(crate) fn settle_attempts(&mut self, at: Time) {
        self.vital.attempts = self.vital.attempts_at(self.rules, at);
        self.vital.forgetting = None;
    }

    /// A call has ended, and counts.
    pub(crate) fn counted(&mut self, at: Time, counted: Counted) {
        let before = self.before_a_call();
        self.vital.signal = Some(at);
        if let Some(window) = self.window.change() {
            window.record(at, counted.call);
        }
        match counted.fault {
            Some(fault) => {
                if !counted.hung {
                    self.vital.run = self.vital.run.saturating_add(1).min(crate::INTEGER_MAX);
                }
                self.vital.note_class(fault);
            }
            None => {
                self.vital.run = 0;
                if self.vital.is_closed() {
                    self.vital.sticky = None;
                }
            }
        }
        match &mut self.vital.phase {
            Phase::Closed => self.judge(before, at, Cause::FirstOutcome, counted.retry_after),
            Phase::Open { until, over: false } => {
                if counted.fault.is_some() && counted.retry_after > Millis::ZERO {
                    let told = at.plus(counted.retry_after);
                    *until = told.max(*until);
                    self.vital.told_until = self.vital.told_until.max(Some(told));
                }
            }
            Phase::Open { over: true, .. } => {}
            Phase::HalfOpen => self.trial(before, at, counted, Trigger::TrialsFailed),
        }
    }

    /// Whether a closed circuit opens, or is degraded by its rates, now. `why` is what else could have changed the health.
    pub(crate) fn judge(&mut self, mut before: Before, at: Time, why: Cause, retry_after: Millis) {
        before.figures = self.window.get().at(at);
        let rates = self.rates_of(before.figures);
        let hung = why == Cause::HungCalls;
        if let Some((trigger, crossed)) = self.opens(&rates, retry_after) {
            if trigger == Trigger::SlowCallRate {
                self.vital.note_class(Fault::Timeout);
            }
            let told_until = (retry_after > Millis::ZERO).then(|| at.plus(retry_after));
            if let Some(cause) = self.fire(trigger, at, Opening { told_until, exactly: None }) {
                self.note_change(before, at, if hung { why } else { cause }, Some(crossed));
            }
            return;
        }
        match self.vital.band {
            None => {
                if let Some((cause, crossed)) = self.degrades(&rates) {
                    self.vital.band = Some(Band { since: at, looked: at });
                    self.settle_attempts(at);
                    self.note_change(before, at, if hung { why } else { cause }, Some(crossed));
                    return;
                }
            }
            // Calls that are out too long never speak for it.
            Some(_) => {
                if why == Cause::FirstOutcome && self.look_for_recovery(at, &rates) {
                    self.note_change(before, at, Cause::RatesFell, None);
                    return;
                }
            }
        }
        self.note_change(before, at, why, None);
    }

    pub(crate) fn rates(&self, at: Time) -> Rates {
        self.rates_of(self.window.get().at(at))
    }

    #[inline]
    fn rates_of(&self, Tally { calls, failed, slow, .. }: Tally) -> Rates {
        let out = &self.vital.out;
        let judged = self.rules.window != WindowShape::None;
        let lagging = if self.rules.slow_over.is_some() { out.lagging } else { 0 };
        Rates {
            failure: Rate { part: failed.saturating_add(out.hung), whole: calls.saturating_add(out.hung) },
            slow: Rate { part: slow.saturating_add(lagging), whole: calls.saturating_add(lagging) },
            judged,
        }
    }

    fn opens(&self, rates: &Rates, retry_after: Millis) -> Option<(Trigger, Crossed)> {
        let rules = self.rules;
        if let Some(limit) = rules.consecutive.filter(|limit| self.vital.run >= *limit) {
            let setting = "consecutive_failure_threshold";
            return Some((Trigger::ConsecutiveFailures, Crossed { setting, value: self.vital.run, limit }));
        }
        if rates.judged {
            if let Some(limit) = rules.failure_rate
                && rates.failure.reaches(limit, rules.minimum)
            {
                return Some((Trigger::FailureRate, rates.failure.crossed("failure_rate_threshold", limit)));
            }
            if let Some(limit) = rules.failure_count.filter(|limit| rates.failure.part >= *limit) {
                let setting = "failure_count_threshold";
                return Some((Trigger::FailureCount, Crossed { setting, value: rates.failure.part, limit }));
            }
            if rules.slow_over.is_some() && rates.slow.reaches(rules.slow_rate, rules.minimum) {
                let crossed = rates.slow.crossed("slow_call_rate_threshold", rules.slow_rate);
                return Some((Trigger::SlowCallRate, crossed));
            }
        }
        if rules.retry_after == RetryAfterPolicy::Open && retry_after > Millis::ZERO {
            return Some((Trigger::RetryAfter, self.told(retry_after)));
        }
        None
    }

    fn told(&self, retry_after: Millis) -> Crossed {
        Crossed {
            setting: "max_retry_after",
            value: retry_after.get(),
            limit: self.rules.max_retry_after.get(),
        }
    }

    fn degrades(&self, rates: &Rates) -> Option<(Cause, Crossed)> {
        let rules = self.rules;
        if !rates.judged {
            return None;
        }
        if let Some(limit) = rules.degraded_failure_rate
            && rates.failure.reaches(limit, rules.minimum)
        {
            let crossed = rates.failure.crossed("degraded_failure_rate_threshold", limit);
            return Some((Cause::FailureRate, crossed));
        }
        if let Some(limit) = rules.degraded_slow_rate
            && rules.slow_over.is_some()
            && rates.slow.reaches(limit, rules.minimum)
        {
            let crossed = rates.slow.crossed("degraded_slow_call_rate_threshold", limit);
            return Some((Cause::SlowCallRate, crossed));
        }
        None
    }

    /// Whether it is no longer degraded by its rates.
    pub(crate) fn look_for_recovery(&mut self, at: Time, rates: &Rates) -> bool {
        let Some(band) = &mut self.vital.band else { return false };
        band.looked = at;
        let dwelt = at >= band.since.plus(self.rules.dwell);
        let slow_is_off = self.rules.slow_over.is_none();
        let low = rates.failure.is_below(self.rules.exit_failure_rate)
            && (slow_is_off || rates.slow.is_below(self.rules.exit_slow_rate));
        let recovered = dwelt && (low || !rates.judged);
        if recovered {
            self.vital.band = None;
            self.begin_forgetting(at);
        }
        recovered
    }

    /// A trial's outcome. `before` is from before it was told.
    fn trial(&mut self, mut before: Before, at: Time, counted: Counted, failing: Trigger) {
        let rules = self.rules;
        let trials = &mut self.vital.trials;
        trials.tally = trials.tally.plus(counted.call.tally());
        let slow = rules.trials_count_slow && counted.call.slow;
        if counted.fault.is_none() && !slow {
            trials.passed = trials.passed.saturating_add(1);
        }
        if counted.fault.is_none() && trials.out > 0 {
            trials.stay = Some(at);
        }
        let told = (counted.retry_after > Millis::ZERO).then(|| at.plus(counted.retry_after));
        trials.told_until = trials.told_until.max(told);
        before.figures = trials.tally;
        let opening = Opening { told_until: trials.told_until, exactly: None };
        let at_once = rules.retry_after == RetryAfterPolicy::Open && told.is_some();
        let (verdict, crossed, by_slow) = self.trials_decide();
        let (trigger, crossed) = match verdict {
            Some(false) => (failing, Some(crossed)),
            _ if at_once => (failing, Some(self.told(counted.retry_after))),
            Some(true) => (Trigger::TrialsPassed, Some(crossed)),
            None => return,
        };
        if trigger == failing && by_slow && verdict == Some(false) {
            self.vital.note_class(Fault::Timeout);
        }
        if let Some(cause) = self.fire(trigger, at, opening) {
            let expired = failing == Trigger::TrialsExpired;
            self.note_change(before, at, if expired { Cause::PermitExpired } else { cause }, crossed);
        }
    }

    /// Whether the trials pass or fail, if they decide already; what crossed; and whether slowness alone fails them.
    fn trials_decide(&self) -> (Option<bool>, Crossed, bool) {
        let rules = self.rules;
        let trials = &self.vital.trials;
        let Tally { calls, failed, slow, .. } = trials.tally;
        match rules.policy {
            HalfOpenPolicy::MOfN => {
                let limit = rules.passes;
                let crossed = Crossed { setting: "half_open_success_threshold", value: trials.passed, limit };
                let not_passed = calls.saturating_sub(trials.passed);
                if trials.passed >= limit {
                    (Some(true), crossed, false)
                } else if not_passed > rules.trials.saturating_sub(limit) {
                    (Some(false), crossed, failed == 0)
                } else {
                    (None, crossed, false)
                }
            }
            HalfOpenPolicy::Rate => {
                let failure = Rate { part: failed, whole: calls };
                let slowness = Rate { part: slow, whole: calls };
                let least = rules.deciding_trials();
                let crossed = failure.crossed("half_open_failure_rate_threshold", rules.trial_failure_rate);
                if calls < least {
                    (None, crossed, false)
                } else if failure.reaches(rules.trial_failure_rate, least) {
                    (Some(false), crossed, false)
                } else if rules.trials_count_slow
                    && rules.slow_over.is_some()
                    && slowness.reaches(rules.slow_rate, least)
                {
                    (Some(false), slowness.crossed("slow_call_rate_threshold", rules.slow_rate), true)
                } else {
                    (Some(true), crossed, false)
                }
            }
        }
    }

    /// A lease has ended without an outcome.
    pub(crate) fn lease_ended(&mut self, slot: Slot, lease: &Lease, at: Time) {
        if !self.vital.is_current(lease) {
            return;
        }
        // A look for the end of the band at this very moment is still to come.
        self.lease_is_over(slot, lease, at.minus(Millis::new(1)));
        if !(lease.trial && self.vital.phase == Phase::HalfOpen) {
            self.vital.out.lost = self.vital.out.lost.saturating_add(1).min(crate::INTEGER_MAX);
            return;
        }
        let before = self.before(at);
        let call = Call { failed: true, slow: self.rules.slow_over.is_some(), refused: false };
        let fault = Fault::Timeout;
        self.vital.signal = Some(at);
        self.vital.run = self.vital.run.saturating_add(1).min(crate::INTEGER_MAX);
        self.vital.note_class(fault);
        if let Some(window) = self.window.change() {
            window.record(at, call);
        }
        let counted = Counted { call, fault: Some(fault), retry_after: Millis::ZERO, hung: false };
        self.trial(before, at, counted, Trigger::TrialsExpired);
    }

    /// Counts a lease of this generation as no longer out; whether it had counted as hung. Until `moot` it kept the
    /// band from ending, so no look up to then is made good.
    pub(crate) fn lease_is_over(&mut self, slot: Slot, lease: &Lease, moot: Time) -> bool {
        if let Some(band) = &mut self.vital.band {
            band.looked = band.looked.max(moot);
        }
        let passed = |first: Slot, count: u64| {
            count > 0 && self.leases.get(first).is_none_or(|first| lease.serial < first.serial)
        };
        let out = &self.vital.out;
        let (lagging, hung) = (passed(out.lag, out.lagging), passed(out.hang, out.hung));
        let out = &mut self.vital.out;
        out.calls = out.calls.saturating_sub(1);
        out.lagging = out.lagging.saturating_sub(lagging.into());
        out.hung = out.hung.saturating_sub(hung.into());
        for first in [&mut out.head, &mut out.current, &mut out.lag, &mut out.hang] {
            if *first == slot {
                *first = lease.next;
            }
        }
        if lease.trial {
            let trials = &mut self.vital.trials;
            trials.out = trials.out.saturating_sub(1);
            trials.unnamed_out = trials.unnamed_out.saturating_sub(lease.unnamed.into());
            if trials.out == 0 {
                trials.stay = None;
            }
        }
        hung
    }
}

/// A part of a whole, compared without rounding.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Rate {
    pub(crate) part: u64,
    pub(crate) whole: u64,
}

impl Rate {
    /// Judged, and at or over so many percent.
    pub(crate) fn reaches(self, percent: u64, minimum: u64) -> bool {
        self.whole >= minimum && !self.is_below(percent)
    }

    /// Under so many percent; nothing of nothing is.
    pub(crate) fn is_below(self, percent: u64) -> bool {
        match (self.part.checked_mul(100), self.whole.checked_mul(percent)) {
            (Some(part), Some(whole)) => part < whole || whole == 0,
            // Only a restored window holds so much.
            _ => {
                u128::from(self.part).saturating_mul(100)
                    < u128::from(self.whole).saturating_mul(percent.into())
            }
        }
    }

    /// In hundredths of a percent, rounded down.
    pub(crate) fn basis_points(self) -> u64 {
        let scaled = u128::from(self.part).saturating_mul(10_000);
        u64::try_from(scaled.checked_div(u128::from(self.whole)).unwrap_or(0)).unwrap_or(u64::MAX)
    }

    pub(crate) fn crossed(self, setting: &'static str, percent: u64) -> Crossed {
        Crossed { setting, value: self.basis_points(), limit: percent.saturating_mul(100) }
    }
}

/// The two rates of a closed circuit: of the window, and of what is out too long.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Rates {
    pub(crate) failure: Rate,
    pub(crate) slow: Rate,
    /// There is a window to judge.
    pub(crate) judged: bool,
}
