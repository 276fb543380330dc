//! What probes, operators, advisers and those who ask for permits do.

use super::machine::{Machine, Opening};
use super::transitions::{CircuitState, Trigger};
use super::vital::{Crossed, Opener, Phase, Standing};
use crate::{Cause, Fault, Millis, Override, ProbeResult, RefusedOverride, Time};

/// Whether a call may be made, and as what.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Admission {
    No,
    Call,
    Trial,
}

impl Machine<'_> {
    /// A permit is asked for. Where it is a trial's the circuit is half open when this returns.
    pub(crate) fn admit(&mut self, now: Time) -> Admission {
        if self.vital.is_forced_open() {
            return Admission::No;
        }
        if self.vital.is_let_through() {
            return Admission::Call;
        }
        match self.vital.state() {
            CircuitState::Closed => Admission::Call,
            CircuitState::Open => Admission::No,
            CircuitState::WaitOver | CircuitState::HalfOpen => {
                self.first_trial(now);
                if self.vital.permits_left(self.rules) > Some(0) { Admission::Trial } else { Admission::No }
            }
        }
    }

    /// A circuit whose wait is over becomes half open.
    pub(crate) fn first_trial(&mut self, now: Time) {
        if self.vital.state() != CircuitState::WaitOver {
            return;
        }
        let before = self.before(now);
        if let Some(cause) = self.fire(Trigger::Trial, now, Opening::default()) {
            self.note_change(before, now, cause, None);
        }
    }

    pub(crate) fn probed(&mut self, now: Time, result: ProbeResult) {
        let before = self.before(now);
        let was_degraded = self.vital.degraded_by_probe;
        let vital = &mut *self.vital;
        vital.signal = Some(now);
        vital.probed = Some(now);
        let count = |held: u64| held.saturating_add(1).min(crate::INTEGER_MAX);
        let mut crossed = None;
        let cause = match result {
            ProbeResult::Up => {
                vital.fall = 0;
                vital.rise = count(vital.rise);
                if vital.rise >= self.rules.rise {
                    crossed =
                        Some(Crossed { setting: "probe_rise", value: vital.rise, limit: self.rules.rise });
                    self.rises(now);
                }
                Cause::ProbeUp
            }
            ProbeResult::Degraded => {
                vital.degraded_by_probe = true;
                vital.rise = 0;
                vital.fall = 0;
                Cause::ProbeDegraded
            }
            ProbeResult::Down => {
                vital.rise = 0;
                vital.fall = count(vital.fall);
                if vital.fall >= self.rules.fall {
                    crossed =
                        Some(Crossed { setting: "probe_fall", value: vital.fall, limit: self.rules.fall });
                    if vital.is_closed() {
                        vital.note_class(Fault::Unavailable);
                    }
                    self.fire(Trigger::ProbesDown, now, Opening::default());
                }
                Cause::ProbeDown
            }
        };
        match (was_degraded, self.vital.degraded_by_probe) {
            (false, true) => self.settle_attempts(now),
            (true, false) => self.begin_forgetting(now),
            _ => {}
        }
        self.note_change(before, now, cause, crossed);
    }

    fn rises(&mut self, now: Time) {
        self.vital.degraded_by_probe = false;
        // Whoever asked to be left alone is left alone.
        if self.vital.told_until.is_some_and(|told| now < told) {
            return;
        }
        let opener = self.vital.opener;
        let trigger = if self.rules.probe_can_close { Trigger::ProbesUpAndClose } else { Trigger::ProbesUp };
        self.fire(trigger, now, Opening::default());
        if !self.vital.is_closed() {
            self.vital.opener = opener;
        }
    }

    /// An operator sets an override, or lifts the one that stands.
    pub(crate) fn overridden(
        &mut self,
        now: Time,
        to: Option<Override>,
        length: Option<Millis>,
    ) -> Result<(), RefusedOverride> {
        if self.rules.strict {
            let forbidden = match to {
                Some(Override::HalfOpen) => self.vital.is_closed(),
                Some(Override::Open) => self.vital.standing_kind() == Some(Override::MetricsOnly),
                _ => false,
            };
            if forbidden {
                return Err(RefusedOverride::StrictTransitions);
            }
        }
        let before = self.before(now);
        self.vital.standing = None;
        // What its own failures have opened stays theirs.
        let opener = if self.vital.is_closed() || self.vital.opener != Opener::Own {
            Opener::Operator
        } else {
            Opener::Own
        };
        match to {
            None => {}
            Some(
                kind @ (Override::ForcedOpen
                | Override::Disabled
                | Override::MetricsOnly
                | Override::BreakGlass),
            ) => {
                let until = length.map(|length| now.plus(length));
                self.vital.standing = Some(Standing { kind, until, since: now, initial: false });
            }
            Some(Override::Open) => {
                self.vital.note_class(Fault::Unavailable);
                // Without a time of its own the wait is as long as the trials were told.
                let told_until = self.vital.trials.told_until.filter(|_| length.is_none());
                self.fire(Trigger::OperatorOpen, now, Opening { told_until, exactly: length });
                self.vital.opener = opener;
            }
            Some(Override::HalfOpen) if self.vital.phase == Phase::HalfOpen => {}
            Some(Override::HalfOpen) => {
                self.fire(Trigger::OperatorHalfOpen, now, Opening::default());
                self.vital.opener = opener;
            }
            Some(Override::Closed) => self.closed_by_operator(now),
            Some(Override::Reset) => {
                self.closed_by_operator(now);
                let vital = &mut *self.vital;
                vital.degraded_by_probe = false;
                vital.rise = 0;
                vital.fall = 0;
                vital.advised_until = None;
                vital.signal = None;
                vital.out.lost = 0;
                vital.not_permitted = 0;
            }
        }
        self.note_change(before, now, Cause::Operator, None);
        Ok(())
    }

    fn closed_by_operator(&mut self, now: Time) {
        self.vital.attempts = 0;
        self.vital.forgetting = None;
        self.fire(Trigger::OperatorClosed, now, Opening::default());
    }

    /// Advice stands until this moment; none where `None`.
    pub(crate) fn advised(&mut self, now: Time, until: Option<Time>) {
        let before = self.before(now);
        self.vital.advised_until = until;
        self.note_change(before, now, Cause::Advice, None);
    }

    /// A trial's permit, or a call's, was given: it is out.
    pub(crate) fn is_out(&mut self, slot: super::leases::Slot, trial: bool, unnamed: bool, now: Time) {
        let closed = self.vital.is_closed();
        let out = &mut self.vital.out;
        out.calls = out.calls.saturating_add(1);
        let first = |held: &mut super::leases::Slot| {
            if held.is_none() {
                *held = slot;
            }
        };
        first(&mut out.head);
        first(&mut out.current);
        if closed && self.rules.lagging_over.is_some() {
            first(&mut out.lag);
        }
        if closed && self.rules.hung_over.is_some() {
            first(&mut out.hang);
        }
        if trial {
            let trials = &mut self.vital.trials;
            if trials.out == 0 {
                trials.stay = Some(now);
            }
            trials.out = trials.out.saturating_add(1);
            trials.unnamed_out = trials.unnamed_out.saturating_add(unnamed.into());
        }
    }
}
