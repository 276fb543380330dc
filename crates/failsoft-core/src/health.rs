//! The health of one dependency: a first simple machine.
//!
//! Rules of this file (spec 9):
//! - everything that moves a circuit lives here, and nothing here knows roles, ladders or requests;
//! - what time alone changes happens in [`Vital::advance`], at the very moment it was due, so that asking
//!   late gives the same answer as asking often;
//! - after `advance(now)` every reading is a plain look at the fields.
//!
//! | from | what happens | to |
//! |---|---|---|
//! | closed | `consecutive_failure_threshold` counted failures in a row | open |
//! | closed | `probe_fall` probes say down in a row | open |
//! | open | the wait is over, or `probe_rise` probes say up in a row | open, wait over (`probing`) |
//! | open, wait over | a permit is taken | half open |
//! | open with the wait over, half open | a counted success | closed |
//! | open with the wait over, half open | a counted failure | open |
//! | half open | the trial's permit expires | open |
//! | any | an operator says so | closed, open, half open |

use crate::draft::{HealthSettings, InitialState};
use crate::{Cause, Circuit, Fault, Health, Millis, Override, ProbeResult, Time};

/// A `retry_after_ms` longer than this is not believed.
const MAX_RETRY_AFTER: Millis = Millis::new(600_000);

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Phase {
    Closed,
    Open { until: Time, over: bool },
    HalfOpen { trial: Option<Time> },
}

/// An operator's override that stands until it is lifted or its time is over.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Standing {
    pub(crate) kind: Override,
    pub(crate) until: Option<Time>,
    /// Nobody set it: the matrix begins so.
    initial: bool,
}

/// What a counted outcome was.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Counted {
    Success,
    Failure(Fault),
}

/// All that health is read from. It is small and `Copy`, so that `decide` can advance a copy.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Vital {
    phase: Phase,
    standing: Option<Standing>,
    /// Bumped by every transition of the circuit: a permit of another generation comes late.
    pub(crate) generation: u64,
    pub(crate) consecutive_failures: u32,
    pub(crate) open_attempts: u64,
    class: Option<Fault>,
    /// The circuit is not closed, and only because an operator said so.
    by_operator: bool,
    degraded: bool,
    rise: u32,
    fall: u32,
    advised_until: Option<Time>,
    known: bool,
    /// Since when it is neither healthy nor unknown.
    pub(crate) ailing_since: Option<Time>,
    /// What changed its health last.
    pub(crate) cause: Cause,
}

enum Due {
    OverrideExpires,
    TrialExpires,
    WaitOver,
    AdviceLapses,
}

impl Vital {
    pub(crate) fn new(settings: &HealthSettings, start: Time) -> Self {
        let forced = settings.initial_state == InitialState::ForcedOpen;
        Self {
            phase: Phase::Closed,
            standing: forced.then_some(Standing { kind: Override::ForcedOpen, until: None, initial: true }),
            generation: 0,
            consecutive_failures: 0,
            open_attempts: 0,
            class: None,
            by_operator: false,
            degraded: false,
            rise: 0,
            fall: 0,
            advised_until: None,
            known: false,
            ailing_since: forced.then_some(start),
            cause: Cause::Operator,
        }
    }

    // Readings, true for the moment that it was advanced to.

    pub(crate) fn health(&self) -> Health {
        match (self.standing_kind(), self.phase) {
            (Some(Override::ForcedOpen), _) => Health::Down,
            (Some(Override::Disabled), _) => Health::Healthy,
            (_, Phase::Open { over: false, .. }) => Health::Down,
            (_, Phase::Open { over: true, .. } | Phase::HalfOpen { .. }) => Health::Probing,
            (_, Phase::Closed) if self.degraded || self.is_advised() => Health::Degraded,
            (_, Phase::Closed) if self.known => Health::Healthy,
            (_, Phase::Closed) => Health::Unknown,
        }
    }

    pub(crate) fn circuit(&self) -> Circuit {
        match (self.standing_kind(), self.phase) {
            (Some(Override::ForcedOpen), _) => Circuit::ForcedOpen,
            (Some(Override::Disabled), _) => Circuit::Disabled,
            (Some(Override::MetricsOnly), _) => Circuit::MetricsOnly,
            (_, Phase::Closed) => Circuit::Closed,
            (_, Phase::Open { .. }) => Circuit::Open,
            (_, Phase::HalfOpen { .. }) => Circuit::HalfOpen,
        }
    }

    pub(crate) fn standing_kind(&self) -> Option<Override> {
        self.standing.map(|standing| standing.kind)
    }

    pub(crate) fn is_forced_open(&self) -> bool {
        self.standing_kind() == Some(Override::ForcedOpen)
    }

    /// Outcomes are not counted while an operator holds it open, or lets all through unmeasured.
    pub(crate) fn is_inert(&self) -> bool {
        matches!(self.standing_kind(), Some(Override::ForcedOpen | Override::Disabled))
    }

    /// An operator lets every call through: fine to `decide`, whatever is computed underneath.
    pub(crate) fn is_let_through(&self) -> bool {
        matches!(self.standing_kind(), Some(Override::Disabled | Override::MetricsOnly))
    }

    /// All that this host knows itself, as if nobody had advised.
    pub(crate) fn without_advice(&self) -> Self {
        Self { advised_until: None, ..*self }
    }

    fn is_advised(&self) -> bool {
        self.advised_until.is_some()
    }

    /// Whether a trial call may be made now.
    pub(crate) fn is_permit_free(&self) -> bool {
        !matches!(self.phase, Phase::HalfOpen { trial: Some(_) })
    }

    /// The fault class that a failed health carries.
    pub(crate) fn class(&self) -> Option<Fault> {
        match self.class {
            Some(class) if self.is_forced_open() && class.sticky() == 0 => Some(Fault::Unavailable),
            None if self.is_forced_open() => Some(Fault::Unavailable),
            class => class,
        }
    }

    /// Nothing that this host saw speaks against it: it is failed by an operator, or by its initial state.
    pub(crate) fn is_failed_by_operator_alone(&self) -> bool {
        let fine_underneath = self.phase == Phase::Closed || self.by_operator;
        fine_underneath && (self.is_forced_open() || self.by_operator)
    }

    /// The same, and an operator did it: what has not been in use yet is merely not there.
    pub(crate) fn is_held_by_operator_alone(&self) -> bool {
        self.is_failed_by_operator_alone() && !self.standing.is_some_and(|standing| standing.initial)
    }

    /// How long until it may be called again, where that is known.
    pub(crate) fn wait(&self, now: Time) -> Option<Millis> {
        let until = match (self.standing, self.phase) {
            (Some(Standing { kind: Override::ForcedOpen, until, .. }), _) => until,
            (None, Phase::Open { until, over: false }) => Some(until),
            _ => None,
        };
        until.map(|until| until.since(now))
    }

    /// The next moment at which time alone changes something.
    pub(crate) fn due(&self, settings: &HealthSettings) -> Option<Time> {
        self.next_due(settings).map(|(moment, _)| moment)
    }

    fn next_due(&self, settings: &HealthSettings) -> Option<(Time, Due)> {
        let circuit = match self.phase {
            Phase::Open { until, over: false } => Some((until, Due::WaitOver)),
            Phase::HalfOpen { trial: Some(taken) } => {
                Some((taken.plus(settings.permit_ttl), Due::TrialExpires))
            }
            _ => None,
        };
        let standing = self.standing.and_then(|standing| standing.until);
        let dues = [
            circuit,
            standing.map(|until| (until, Due::OverrideExpires)),
            self.advised_until.map(|until| (until, Due::AdviceLapses)),
        ];
        // Of equal moments the first stands: the circuit, the override, advice.
        dues.into_iter().flatten().min_by_key(|(moment, _)| *moment)
    }

    // Changes.

    /// Does all that was due by `now`, each at its own moment.
    pub(crate) fn advance(&mut self, settings: &HealthSettings, now: Time) {
        while let Some((moment, due)) = self.next_due(settings)
            && moment <= now
        {
            let before = self.health();
            let cause = match due {
                Due::OverrideExpires => {
                    self.standing = None;
                    Cause::OverrideExpired
                }
                Due::TrialExpires => {
                    self.known = true;
                    self.open(moment, settings.wait_duration_in_open_state, Fault::Timeout);
                    Cause::PermitExpired
                }
                Due::WaitOver => {
                    self.phase = Phase::Open { until: moment, over: true };
                    Cause::WaitOver
                }
                Due::AdviceLapses => {
                    self.advised_until = None;
                    Cause::AdviceLapsed
                }
            };
            self.note_change(before, moment, cause);
        }
    }

    fn note_change(&mut self, before: Health, at: Time, cause: Cause) {
        let after = self.health();
        if after == before {
            return;
        }
        self.cause = cause;
        match after {
            Health::Unknown | Health::Healthy => self.ailing_since = None,
            Health::Degraded | Health::Down | Health::Probing => {
                self.ailing_since = self.ailing_since.or(Some(at));
            }
        }
    }

    /// A call has ended. The caller has seen to late permits.
    pub(crate) fn counted(
        &mut self,
        settings: &HealthSettings,
        now: Time,
        counted: Counted,
        retry_after: Option<Millis>,
    ) {
        let before = self.health();
        self.known = true;
        let told = retry_after.unwrap_or(Millis::ZERO).min(MAX_RETRY_AFTER);
        let wait = settings.wait_duration_in_open_state.max(told);
        let cause = match (self.phase, counted) {
            (Phase::Closed, Counted::Success) => {
                self.consecutive_failures = 0;
                self.class = None;
                Cause::FirstOutcome
            }
            (Phase::Closed, Counted::Failure(fault)) => {
                self.consecutive_failures = self.consecutive_failures.saturating_add(1);
                self.note_class(fault);
                if self.consecutive_failures >= settings.consecutive_failure_threshold {
                    self.open(now, wait, fault);
                    Cause::ConsecutiveFailures
                } else {
                    Cause::FirstOutcome
                }
            }
            (Phase::Open { over: false, .. }, Counted::Success) => return,
            (Phase::Open { until, over: false }, Counted::Failure(fault)) => {
                self.note_class(fault);
                self.phase = Phase::Open { until: until.max(now.plus(told)), over: false };
                return;
            }
            (Phase::Open { over: true, .. } | Phase::HalfOpen { .. }, Counted::Success) => {
                self.close();
                Cause::TrialOk
            }
            (Phase::Open { over: true, .. } | Phase::HalfOpen { .. }, Counted::Failure(fault)) => {
                self.open(now, wait, fault);
                Cause::TrialFailed
            }
        };
        self.note_change(before, now, cause);
    }

    /// The trial's permit came back without an outcome that counts.
    pub(crate) fn give_back_trial(&mut self) {
        if let Phase::HalfOpen { trial } = &mut self.phase {
            *trial = None;
        }
    }

    /// A permit is asked for; true with "it is the trial's" where it may be had.
    pub(crate) fn permit(&mut self, now: Time) -> Option<bool> {
        let before = self.health();
        match self.phase {
            _ if self.is_forced_open() => return None,
            _ if self.is_let_through() => return Some(false),
            Phase::Closed => return Some(false),
            Phase::Open { over: false, .. } | Phase::HalfOpen { trial: Some(_) } => return None,
            Phase::Open { over: true, .. } => self.generation = self.generation.saturating_add(1),
            Phase::HalfOpen { trial: None } => {}
        }
        self.phase = Phase::HalfOpen { trial: Some(now) };
        self.note_change(before, now, Cause::WaitOver);
        Some(true)
    }

    /// The trial's permit is asked for again under its name.
    pub(crate) fn renew_trial(&mut self, now: Time) {
        if let Phase::HalfOpen { trial } = &mut self.phase {
            *trial = Some(now);
        }
    }

    pub(crate) fn probed(&mut self, settings: &HealthSettings, now: Time, result: ProbeResult) {
        let before = self.health();
        self.known = true;
        let cause = match result {
            ProbeResult::Up => {
                self.fall = 0;
                self.rise = self.rise.saturating_add(1);
                if self.rise >= settings.probe_rise {
                    self.degraded = false;
                    if let Phase::Open { over: false, .. } = self.phase {
                        self.phase = Phase::Open { until: now, over: true };
                    }
                }
                Cause::ProbeUp
            }
            ProbeResult::Degraded => {
                self.degraded = true;
                self.rise = 0;
                self.fall = 0;
                Cause::ProbeDegraded
            }
            ProbeResult::Down => {
                self.rise = 0;
                self.fall = self.fall.saturating_add(1);
                if self.fall >= settings.probe_fall && self.phase == Phase::Closed {
                    self.open(now, settings.wait_duration_in_open_state, Fault::Unavailable);
                }
                Cause::ProbeDown
            }
        };
        self.note_change(before, now, cause);
    }

    /// An operator sets an override, or lifts the one that stands.
    pub(crate) fn overridden(
        &mut self,
        settings: &HealthSettings,
        now: Time,
        to: Option<Override>,
        length: Option<Millis>,
    ) {
        let before = self.health();
        self.standing = None;
        let was_fine = self.phase == Phase::Closed;
        match to {
            None | Some(Override::BreakGlass) => {}
            Some(kind @ (Override::ForcedOpen | Override::Disabled | Override::MetricsOnly)) => {
                self.standing =
                    Some(Standing { kind, until: length.map(|length| now.plus(length)), initial: false });
            }
            Some(Override::Open) => {
                let by_operator = was_fine || self.by_operator;
                self.open(now, length.unwrap_or(settings.wait_duration_in_open_state), Fault::Unavailable);
                self.by_operator = by_operator;
            }
            Some(Override::HalfOpen) => {
                self.by_operator |= was_fine;
                if !matches!(self.phase, Phase::HalfOpen { .. }) {
                    self.phase = Phase::HalfOpen { trial: None };
                    self.generation = self.generation.saturating_add(1);
                }
            }
            Some(Override::Closed) => self.close(),
            Some(Override::Reset) => {
                self.close();
                self.degraded = false;
                self.rise = 0;
                self.fall = 0;
                self.advised_until = None;
                self.known = false;
            }
        }
        self.note_change(before, now, Cause::Operator);
    }

    /// Advice stands until this moment; none where `None`.
    pub(crate) fn advised(&mut self, now: Time, until: Option<Time>) {
        let before = self.health();
        self.advised_until = until.filter(|until| *until > now);
        self.note_change(before, now, Cause::Advice);
    }

    fn open(&mut self, at: Time, wait: Millis, class: Fault) {
        self.note_class(class);
        self.phase = Phase::Open { until: at.plus(wait), over: false };
        self.generation = self.generation.saturating_add(1);
        self.open_attempts = self.open_attempts.saturating_add(1);
        self.by_operator = false;
    }

    fn close(&mut self) {
        // What is closed already does not close: calls that are out come in time.
        if self.phase != Phase::Closed {
            self.phase = Phase::Closed;
            self.generation = self.generation.saturating_add(1);
        }
        self.consecutive_failures = 0;
        self.open_attempts = 0;
        self.class = None;
        self.by_operator = false;
    }

    /// The class of the last failure; but a sticky one gives way only to one that goes before it.
    fn note_class(&mut self, fault: Fault) {
        let held = self.class.map_or(0, Fault::sticky);
        if fault.sticky() >= held {
            self.class = Some(fault);
        }
    }
}
