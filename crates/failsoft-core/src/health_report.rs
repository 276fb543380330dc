//! What a dependency's health is, and all that is behind it, as data.

use alloc::sync::Arc;

use crate::health::{Machine, Phase, Tally, View, Vital};
use crate::matrix::{DependencyId, Matrix};
use crate::state::State;
use crate::{Cause, Circuit, Crossed, Fault, Health, Millis, Override, Time};

/// What a dependency's health is, and the figures behind it (spec 9.12).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HealthReport {
    /// The health.
    pub health: Health,
    /// The circuit.
    pub circuit: Circuit,
    /// The figures.
    pub metrics: Metrics,
    /// What changed the health last; none at the beginning.
    pub why: Option<Cause>,
    /// The setting and the value behind that change.
    pub crossed: Option<Crossed>,
    /// How long the health has held.
    pub held: Millis,
    /// The fault class that it carries while it is down or probing.
    pub fault: Option<Fault>,
    /// False where an operator lets every call through.
    pub enforced: bool,
    /// How many calls must have counted before rates are judged; in half open, before the trials decide.
    pub minimum_calls: u64,
    /// How many trials may still begin, while it is probing.
    pub permits_left: Option<u64>,
    /// How many permits are out, those of an earlier state of the circuit aside.
    pub calls_out: u64,
    /// How many of them are out for longer than the deadline.
    pub hung_calls: u64,
    /// How many of them are slow already.
    pub lagging_calls: u64,
    /// Outcomes that came after their permit had ended, or after the circuit had moved on.
    pub late_outcomes: u64,
    /// Permits that ended without an outcome.
    pub lost_calls: u64,
    /// How long until it may be called again, where that is known.
    pub wait: Option<Millis>,
    /// How long until the next probe is due; none where the matrix does not say how often.
    pub probe_due: Option<Millis>,
    /// The operator's override that stands.
    pub standing: Option<StandingReport>,
}

/// An operator's override that stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StandingReport {
    /// What it is.
    pub to: Override,
    /// How long it still stands; none where until it is lifted.
    pub left: Option<Millis>,
    /// Who set it.
    pub by: Option<Arc<str>>,
    /// Why.
    pub reason: Option<Arc<str>>,
}

/// The figures behind a health: of the call window; in half open, of the trials.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Metrics {
    /// Hundredths of a percent; −1 where too few calls have been counted.
    pub failure_rate_bp: i64,
    /// Hundredths of a percent; −1 where it is off or too few calls have been counted.
    pub slow_call_rate_bp: i64,
    /// Calls that counted.
    pub buffered_calls: u64,
    /// Failed ones.
    pub failed_calls: u64,
    /// Slow ones.
    pub slow_calls: u64,
    /// Outcomes that speak neither for nor against it.
    pub ignored_calls: u64,
    /// Permits that were refused.
    pub not_permitted_calls: u64,
    /// Counted failures since the last success.
    pub consecutive_failures: u64,
    /// How often the circuit has opened since it was last closed, but for what has been forgotten.
    pub open_attempts: u64,
}

/// The health of a dependency at `now`; none where the id is another matrix's. A question: it changes nothing.
#[must_use]
pub fn health(matrix: &Matrix, state: &State, dependency: DependencyId, now: Time) -> Option<HealthReport> {
    let now = state.clamp(now);
    let known = state.dependency(dependency)?;
    let rules = &matrix.dependencies.get(dependency.index())?.rules;
    let mut vital = known.vital;
    let mut machine = Machine {
        rules,
        seed: state.seed.jitter,
        vital: &mut vital,
        window: View::Seen(&known.window),
        leases: &known.leases,
    };
    machine.advance(now);
    let (failure_rate_bp, slow_call_rate_bp) = rates(&machine, now);
    let tally = machine.figures(now);
    let Tally { calls, failed, slow, .. } = tally;
    let half_open = vital.phase == Phase::HalfOpen;
    let minimum_calls = match half_open {
        true => rules.deciding_trials(),
        false if known.window.is_none() => 0,
        false => rules.minimum,
    };
    let health = vital.health();
    let most = |value: u64| value.min(crate::INTEGER_MAX);
    Some(HealthReport {
        health,
        circuit: vital.circuit(),
        metrics: Metrics {
            failure_rate_bp,
            slow_call_rate_bp,
            buffered_calls: most(calls),
            failed_calls: most(failed),
            slow_calls: most(slow),
            ignored_calls: known.ignored_calls,
            not_permitted_calls: vital.not_permitted,
            consecutive_failures: vital.run,
            open_attempts: vital.attempts_at(rules, now),
        },
        why: vital.cause,
        crossed: vital.crossed,
        held: now.since(vital.since),
        fault: vital.class().filter(|_| matches!(health, Health::Down | Health::Probing)),
        enforced: !vital.is_let_through(),
        minimum_calls,
        permits_left: vital.permits_left(rules),
        calls_out: vital.out.calls,
        hung_calls: vital.out.hung,
        lagging_calls: vital.out.lagging,
        late_outcomes: known.late_outcomes,
        lost_calls: vital.out.lost,
        wait: vital.told_wait(now),
        probe_due: rules
            .probe_interval
            .map(|interval| vital.probed.map_or(Millis::ZERO, |probed| probed.plus(interval).since(now))),
        standing: vital.standing.map(|standing| StandingReport {
            to: standing.kind,
            left: standing.until.map(|until| until.since(now)),
            by: known.signed.by.clone(),
            reason: known.signed.reason.clone(),
        }),
    })
}

/// The dependency whose probe is due first, and when, which may be past; none where the matrix says of none how often.
///
/// A probe is the host's own active check: this says when, and calls nothing.
///
/// ```
/// # use failsoft_core::draft::{DependencyDraft, MatrixDraft};
/// # use failsoft_core::{Millis, ProbeResult, Role, Signal, State, Time, apply, next_probe};
/// let mut policy = DependencyDraft::new("policy", Role::Serve, Some(Millis::new(50)));
/// policy.health.probe_interval = Some(Millis::new(1_000));
/// let mut draft = MatrixDraft::new("m");
/// draft.dependencies = vec![DependencyDraft::new("cache", Role::Serve, Some(Millis::new(50))), policy];
/// let matrix = draft.compile("m@1").unwrap();
/// let mut state = State::new(&matrix, Time::default());
/// let policy = matrix.dependency("policy").unwrap();
/// assert_eq!(next_probe(&matrix, &state), Some((policy, Time::default())), "there was none yet");
///
/// let probe = Signal::Probe { dependency: policy, result: ProbeResult::Up };
/// apply(&matrix, &mut state, probe, Time::from_millis(300), &mut Vec::new());
/// assert_eq!(next_probe(&matrix, &state), Some((policy, Time::from_millis(1_300))));
/// ```
#[must_use]
pub fn next_probe(matrix: &Matrix, state: &State) -> Option<(DependencyId, Time)> {
    let due = |(index, dependency): (u16, &crate::matrix::Dependency)| {
        let id = DependencyId(index);
        let probed = state.dependency(id)?.vital.probed;
        let interval = dependency.rules.probe_interval?;
        Some((id, probed.map_or(state.clock, |probed| probed.plus(interval))))
    };
    (0u16..).zip(&matrix.dependencies).filter_map(due).min_by_key(|(_, moment)| *moment)
}

fn rates(machine: &Machine<'_>, now: Time) -> (i64, i64) {
    let vital: &Vital = machine.vital;
    let slow_is_on = machine.rules.slow_over.is_some();
    let told = |rate: crate::health::Rate, judged: bool| {
        if judged { i64::try_from(rate.basis_points()).unwrap_or(i64::MAX) } else { -1 }
    };
    if vital.phase == Phase::HalfOpen {
        let Tally { calls, failed, slow, .. } = vital.trials.tally;
        let judged = vital.trials_are_judged(machine.rules);
        let rate = |part: u64| crate::health::Rate { part, whole: calls };
        return (told(rate(failed), judged), told(rate(slow), judged && slow_is_on));
    }
    let rates = machine.rates(now);
    let judged =
        |rate: crate::health::Rate| rates.judged && rate.whole >= machine.rules.minimum && rate.whole > 0;
    (told(rates.failure, judged(rates.failure)), told(rates.slow, judged(rates.slow) && slow_is_on))
}
