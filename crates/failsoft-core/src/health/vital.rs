//! What the health of one dependency is read from.
//!
//! [`Vital`] is small and `Copy`, so that `decide` can carry a copy ahead in time. The call window and the leases
//! that are out lie beside it; a copy reads them and never changes them.

use super::leases::{Lease, Slot};
use super::rules::Rules;
use super::transitions::CircuitState;
use super::window::Tally;
use crate::{Cause, Circuit, Fault, Health, InitialState, Millis, Override, Time};

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Phase {
    Closed,
    Open { until: Time, over: bool },
    HalfOpen,
}

/// Who opened the circuit.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Opener {
    /// The dependency's own failures, or probes.
    Own,
    Operator,
    /// Nobody yet: the matrix begins so.
    Initial,
}

/// An operator's override that stands until it is lifted or its time is over.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Standing {
    pub(crate) kind: Override,
    pub(crate) until: Option<Time>,
    pub(crate) since: Time,
    /// Nobody set it: the matrix begins so.
    pub(crate) initial: bool,
}

/// Degraded by rates.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Band {
    pub(crate) since: Time,
    /// When its end was last looked for.
    pub(crate) looked: Time,
}

/// What the trials of this half-open stay have brought.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Trials {
    pub(crate) tally: Tally,
    /// Those that speak for it under `m_of_n`.
    pub(crate) passed: u64,
    /// Until when their failures asked to be left alone.
    pub(crate) told_until: Option<Time>,
    /// Since when permits are out without one that succeeds.
    pub(crate) stay: Option<Time>,
    /// How many permits are out.
    pub(crate) out: u64,
    /// How many of them no outcome will name.
    pub(crate) unnamed_out: u64,
}

/// A setting, and the value that crossed it: milliseconds, hundredths of a percent, or a plain number.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Crossed {
    /// The setting's key.
    pub setting: &'static str,
    /// The value.
    pub value: u64,
    /// What it was held against.
    pub limit: u64,
}

/// An outage that lasts: since when it is down or probing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Outage {
    pub(crate) since: Time,
    pub(crate) not_permitted: u64,
    pub(crate) opened: u64,
}

/// An outage that is over.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Episode {
    /// How long it was down or probing.
    pub duration: Millis,
    /// Permits that were refused meanwhile.
    pub not_permitted_calls: u64,
    /// How often the circuit opened meanwhile.
    pub open_attempts: u64,
}

/// Where the leases that are out stand, seen from here. A lease's place is its serial number; each slot is the first
/// lease that something has not happened to yet.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Out {
    /// The first that has not ended.
    pub(crate) head: Slot,
    /// Leases with a smaller number are of an older generation.
    pub(crate) floor: u64,
    /// The first of this generation.
    pub(crate) current: Slot,
    /// The first that is not lagging, and how many are.
    pub(crate) lag: Slot,
    pub(crate) lagging: u64,
    /// The first that is not hung, and how many are.
    pub(crate) hang: Slot,
    pub(crate) hung: u64,
    /// How many of this generation are out.
    pub(crate) calls: u64,
    pub(crate) lost: u64,
}

/// All that health is read from, but for the window and the leases.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Vital {
    pub(crate) phase: Phase,
    pub(crate) opener: Opener,
    pub(crate) standing: Option<Standing>,
    /// Counted failures since the last counted success.
    pub(crate) run: u64,
    pub(crate) attempts: u64,
    /// Since when the next attempt is being forgotten.
    pub(crate) forgetting: Option<Time>,
    pub(crate) last_failure: Option<Fault>,
    pub(crate) sticky: Option<Fault>,
    /// Until when probes do not end the wait, because the dependency itself asked for it.
    pub(crate) told_until: Option<Time>,
    pub(crate) degraded_by_probe: bool,
    pub(crate) band: Option<Band>,
    pub(crate) rise: u64,
    pub(crate) fall: u64,
    pub(crate) probed: Option<Time>,
    /// The last counted outcome or probe; none where nothing is known.
    pub(crate) signal: Option<Time>,
    pub(crate) advised_until: Option<Time>,
    pub(crate) trials: Trials,
    pub(crate) out: Out,
    pub(crate) not_permitted: u64,
    /// Since when the present health stands.
    pub(crate) since: Time,
    /// Since when it is neither healthy nor unknown.
    pub(crate) ailing_since: Option<Time>,
    /// What changed its health last.
    pub(crate) cause: Option<Cause>,
    pub(crate) crossed: Option<Crossed>,
    pub(crate) figures: Tally,
    pub(crate) outage: Option<Outage>,
    pub(crate) episode: Option<Episode>,
    /// How often it has opened in all.
    pub(crate) opened: u64,
}

impl Vital {
    pub(crate) fn new(rules: &Rules, start: Time, seed: u64) -> Self {
        let kind = match rules.initial {
            InitialState::Closed | InitialState::Open => None,
            InitialState::ForcedOpen => Some(Override::ForcedOpen),
            InitialState::Disabled => Some(Override::Disabled),
            InitialState::MetricsOnly => Some(Override::MetricsOnly),
        };
        let open = rules.initial == InitialState::Open;
        let mut vital = Self {
            phase: Phase::Closed,
            opener: Opener::Own,
            standing: kind.map(|kind| Standing { kind, until: None, since: start, initial: true }),
            run: 0,
            attempts: 0,
            forgetting: None,
            last_failure: None,
            sticky: None,
            told_until: None,
            degraded_by_probe: false,
            band: None,
            rise: 0,
            fall: 0,
            probed: None,
            signal: None,
            advised_until: None,
            trials: Trials::default(),
            out: Out {
                head: Slot::NONE,
                floor: 0,
                current: Slot::NONE,
                lag: Slot::NONE,
                lagging: 0,
                hang: Slot::NONE,
                hung: 0,
                calls: 0,
                lost: 0,
            },
            not_permitted: 0,
            since: start,
            ailing_since: None,
            cause: None,
            crossed: None,
            figures: Tally::default(),
            outage: None,
            episode: None,
            opened: u64::from(open),
        };
        if open {
            vital.phase = Phase::Open { until: start.plus(rules.wait_of(1, seed)), over: false };
            vital.opener = Opener::Initial;
            vital.attempts = 1;
            vital.last_failure = Some(Fault::Unavailable);
        }
        if vital.health() == Health::Down {
            vital.ailing_since = Some(start);
            vital.outage = Some(Outage { since: start, not_permitted: 0, opened: u64::from(open) });
        }
        vital
    }

    // Readings, true for the moment that it was advanced to.

    pub(crate) fn health(&self) -> Health {
        match (self.standing_kind(), self.phase) {
            (Some(Override::ForcedOpen), _) => Health::Down,
            (Some(Override::Disabled), _) => Health::Healthy,
            (_, Phase::Open { over: false, .. }) => Health::Down,
            (_, Phase::Open { over: true, .. } | Phase::HalfOpen) => Health::Probing,
            (_, Phase::Closed) if self.degraded_by_probe || self.advised_until.is_some() => Health::Degraded,
            (_, Phase::Closed) if self.signal.is_none() => Health::Unknown,
            (_, Phase::Closed) if self.band.is_some() => Health::Degraded,
            (_, Phase::Closed) => Health::Healthy,
        }
    }

    pub(crate) fn circuit(&self) -> Circuit {
        match (self.standing_kind(), self.phase) {
            (Some(Override::ForcedOpen), _) => Circuit::ForcedOpen,
            (Some(Override::Disabled), _) => Circuit::Disabled,
            (Some(Override::MetricsOnly), _) => Circuit::MetricsOnly,
            (_, Phase::Closed) => Circuit::Closed,
            (_, Phase::Open { .. }) => Circuit::Open,
            (_, Phase::HalfOpen) => Circuit::HalfOpen,
        }
    }

    pub(super) fn state(&self) -> CircuitState {
        match self.phase {
            Phase::Closed => CircuitState::Closed,
            Phase::Open { over: false, .. } => CircuitState::Open,
            Phase::Open { over: true, .. } => CircuitState::WaitOver,
            Phase::HalfOpen => CircuitState::HalfOpen,
        }
    }

    pub(crate) fn is_closed(&self) -> bool {
        self.phase == Phase::Closed
    }

    pub(crate) fn standing_kind(&self) -> Option<Override> {
        self.standing.map(|standing| standing.kind)
    }

    pub(crate) fn is_forced_open(&self) -> bool {
        self.standing_kind() == Some(Override::ForcedOpen)
    }

    /// Since when an operator has this guard skipped.
    pub(crate) fn glass_broken_since(&self) -> Option<Time> {
        self.standing.filter(|standing| standing.kind == Override::BreakGlass).map(|standing| standing.since)
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

    /// How many trials may still begin, while it is probing.
    pub(crate) fn permits_left(&self, rules: &Rules) -> Option<u64> {
        match self.phase {
            Phase::HalfOpen => {
                Some(rules.trials.saturating_sub(self.trials.out.saturating_add(self.trials.tally.calls)))
            }
            Phase::Open { over: true, .. } => Some(rules.trials),
            _ => None,
        }
    }

    /// The fault class that a failed health carries.
    pub(crate) fn class(&self) -> Option<Fault> {
        match self.sticky {
            None if self.is_forced_open() => Some(Fault::Unavailable),
            sticky => sticky.or(self.last_failure),
        }
    }

    /// Nothing that this host saw speaks against it: it is failed by an operator, or by its initial state.
    pub(crate) fn is_failed_by_operator_alone(&self) -> bool {
        let not_own = self.opener != Opener::Own;
        (self.is_closed() || not_own) && (self.is_forced_open() || (!self.is_closed() && not_own))
    }

    /// The same, and an operator did it: what has not been in use yet is merely not there.
    pub(crate) fn is_held_by_operator_alone(&self) -> bool {
        let initial = match self.standing.filter(|standing| standing.kind == Override::ForcedOpen) {
            Some(standing) => standing.initial,
            None => self.opener == Opener::Initial,
        };
        self.is_failed_by_operator_alone() && !initial
    }

    /// How long until it may be called again, where that is known.
    pub(crate) fn wait(&self, now: Time) -> Option<Millis> {
        let until = match (self.standing, self.phase) {
            (Some(Standing { kind: Override::ForcedOpen, until, .. }), _) => until,
            (Some(Standing { kind: Override::Disabled | Override::MetricsOnly, .. }), _) => None,
            (_, Phase::Open { until, over: false }) => Some(until),
            _ => None,
        };
        until.map(|until| until.since(now))
    }

    /// How long until a trial may be made, where it is down and that is known: both a `forced_open` and the wait
    /// beneath it stand before one.
    pub(crate) fn told_wait(&self, now: Time) -> Option<Millis> {
        let open = match self.phase {
            Phase::Open { until, over: false } => Some(until.since(now)),
            _ => None,
        };
        match self.standing {
            Some(Standing { kind: Override::ForcedOpen, until, .. }) => {
                until.map(|until| until.since(now).max(open.unwrap_or(Millis::ZERO)))
            }
            Some(Standing { kind: Override::Disabled, .. }) => None,
            _ => open,
        }
    }

    /// The attempts that are not forgotten by now.
    pub(crate) fn attempts_at(&self, rules: &Rules, now: Time) -> u64 {
        let forgotten = match (self.forgetting, rules.decay) {
            (Some(since), Some(decay)) => now.since(since).get().checked_div(decay.get()).unwrap_or(0),
            _ => 0,
        };
        self.attempts.saturating_sub(forgotten)
    }

    /// Since when the next of them is being forgotten.
    pub(crate) fn since_forgotten(&self, rules: &Rules, now: Time) -> Option<Millis> {
        let since = now.since(self.forgetting?);
        let part = rules.decay.and_then(|decay| since.get().checked_rem(decay.get()));
        Some(part.map_or(since, Millis::new))
    }

    /// Of this generation: an older lease is late.
    pub(crate) fn is_current(&self, lease: &Lease) -> bool {
        lease.serial >= self.out.floor
    }

    /// Whether enough trials have counted to be judged.
    pub(crate) fn trials_are_judged(&self, rules: &Rules) -> bool {
        self.trials.tally.calls >= rules.deciding_trials()
    }

    /// The class of the last failure; but a sticky one gives way only to one that goes before it.
    pub(crate) fn note_class(&mut self, fault: Fault) {
        self.last_failure = Some(fault);
        if fault.sticky() > 0 && fault.sticky() >= self.sticky.map_or(0, Fault::sticky) {
            self.sticky = Some(fault);
        }
    }
}
