//! Every way in which a circuit changes, in one table.
//!
//! Rules of this file:
//! - no other place moves a circuit: the machine finds the row for the state it is in and what has happened, and
//!   where there is none nothing happens;
//! - a row says where from, what for, where to, and the `why` that the event tells; how long an open circuit waits
//!   and what entering a state empties is said once, for the state (`machine.rs`);
//! - the diagram and the table in `docs/health-states.md` are generated from here, and a test compares them;
//! - an operator's standing override is no state of the circuit: it lies over it, and the circuit goes on beneath.

use crate::Cause;

/// A state of a circuit. `WaitOver` is told as `open`: its wait has ended, and the first trial will make it half open.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum CircuitState {
    /// Calls are made.
    Closed,
    /// Calls are not made.
    Open,
    /// Open, and its wait is over: a trial call may be made.
    WaitOver,
    /// Trial calls decide.
    HalfOpen,
}

impl CircuitState {
    /// Its name in the diagram.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Closed => "closed",
            Self::Open => "open",
            Self::WaitOver => "wait_over",
            Self::HalfOpen => "half_open",
        }
    }
}

/// What can move a circuit.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Trigger {
    /// The run of failures reached its threshold.
    ConsecutiveFailures,
    /// The failure rate reached its threshold.
    FailureRate,
    /// The number of failures in the window reached its threshold.
    FailureCount,
    /// The rate of slow calls reached its threshold.
    SlowCallRate,
    /// A failure told Retry-After, and the policy is `open`.
    RetryAfter,
    /// `probe_fall` probes said down.
    ProbesDown,
    /// `probe_rise` probes said up.
    ProbesUp,
    /// The same, with `probe_can_close`.
    ProbesUpAndClose,
    /// The wait has ended.
    WaitEnded,
    /// The same, with the automatic transition.
    WaitEndedAtOnce,
    /// A trial's permit was taken, or an outcome counted that names no permit.
    Trial,
    /// The trials spoke for it.
    TrialsPassed,
    /// The trials spoke against it.
    TrialsFailed,
    /// The last trial's permit ended, and so the trials spoke against it.
    TrialsExpired,
    /// The longest stay in half open ran out.
    LongestStay,
    /// The same, where it leads to `closed`.
    LongestStayAndClose,
    /// An operator said `open`.
    OperatorOpen,
    /// An operator said `half_open`.
    OperatorHalfOpen,
    /// An operator said `closed` or `reset`.
    OperatorClosed,
}

/// A row of the table.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Transition {
    /// The states in which it holds.
    pub from: &'static [CircuitState],
    /// What has happened.
    pub on: Trigger,
    /// The state that follows.
    pub to: CircuitState,
    /// Why the health changes, where it does.
    pub why: Cause,
    /// What happens, in a few words, for the diagram.
    pub label: &'static str,
}

const fn row(
    from: &'static [CircuitState],
    on: Trigger,
    to: CircuitState,
    why: Cause,
    label: &'static str,
) -> Transition {
    Transition { from, on, to, why, label }
}

use CircuitState::{Closed, HalfOpen, Open, WaitOver};

const CLOSED: &[CircuitState] = &[Closed];
const HALF_OPEN: &[CircuitState] = &[HalfOpen];
const NOT_CLOSED: &[CircuitState] = &[Open, WaitOver, HalfOpen];
const ANY: &[CircuitState] = &[Closed, Open, WaitOver, HalfOpen];

/// The table.
#[rustfmt::skip]
pub const TRANSITIONS: &[Transition] = &[
    row(CLOSED, Trigger::ConsecutiveFailures, Open, Cause::ConsecutiveFailures, "consecutive_failure_threshold"),
    row(CLOSED, Trigger::FailureRate, Open, Cause::FailureRate, "failure_rate_threshold"),
    row(CLOSED, Trigger::FailureCount, Open, Cause::FailureCount, "failure_count_threshold"),
    row(CLOSED, Trigger::SlowCallRate, Open, Cause::SlowCallRate, "slow_call_rate_threshold"),
    row(CLOSED, Trigger::RetryAfter, Open, Cause::RetryAfter, "Retry-After, policy open"),
    row(CLOSED, Trigger::ProbesDown, Open, Cause::ProbeDown, "probe_fall probes down"),
    row(&[Open], Trigger::WaitEnded, WaitOver, Cause::WaitOver, "the wait ends"),
    row(&[Open], Trigger::WaitEndedAtOnce, HalfOpen, Cause::WaitOver, "the wait ends, automatic transition"),
    row(&[Open, WaitOver], Trigger::ProbesUp, HalfOpen, Cause::ProbeUp, "probe_rise probes up"),
    row(NOT_CLOSED, Trigger::ProbesUpAndClose, Closed, Cause::ProbeUp, "probe_rise probes up, probe_can_close"),
    row(&[WaitOver], Trigger::Trial, HalfOpen, Cause::WaitOver, "the first trial"),
    row(HALF_OPEN, Trigger::TrialsPassed, Closed, Cause::TrialOk, "the trials pass"),
    row(HALF_OPEN, Trigger::TrialsFailed, Open, Cause::TrialFailed, "the trials fail"),
    row(HALF_OPEN, Trigger::TrialsExpired, Open, Cause::PermitExpired, "a trial's permit ends, and they fail"),
    row(HALF_OPEN, Trigger::LongestStay, Open, Cause::MaxWaitInHalfOpen, "max_wait_duration_in_half_open_state"),
    row(HALF_OPEN, Trigger::LongestStayAndClose, Closed, Cause::MaxWaitInHalfOpen, "the same, leading to closed"),
    row(ANY, Trigger::OperatorOpen, Open, Cause::Operator, "an operator says open"),
    row(&[Closed, Open, WaitOver], Trigger::OperatorHalfOpen, HalfOpen, Cause::Operator, "an operator says half_open"),
    row(ANY, Trigger::OperatorClosed, Closed, Cause::Operator, "an operator says closed or reset"),
];

/// The row for a trigger in a state, if there is one.
pub(super) fn find(from: CircuitState, on: Trigger) -> Option<&'static Transition> {
    TRANSITIONS.iter().find(|row| row.on == on && row.from.contains(&from))
}
