//! A state that is supposed rather than met: "what if this were down?", asked before anything has happened.

use failsoft_core::{
    Circuit, DependencyId, Fault, Health, Matrix, Millis, Outcome, ProbeResult, Report, Signal, State, Time,
    apply, health,
};

/// The state at `now` of an engine whose dependencies have come to these healths by themselves.
///
/// It is reached by ordinary signals, so it is a state that a host can meet: `healthy` by a call that went well,
/// `degraded` by a probe, `down` by calls that failed as `unavailable`, `probing` by the same and then the wait.
/// An operator has no part in it, so that no rung is shut that an outage would take; a dependency that waits for an
/// operator (`initial_state`) is let go first.
///
/// What can't be is not made: a dependency whose open circuit waits for no time at all is never seen `down`.
///
/// ```
/// use failsoft::draft::{ActionDraft, DependencyDraft, MatrixDraft, OperationDraft, RungDraft};
/// use failsoft::{Health, Millis, Posture, Request, Role, Time, decide, suppose};
///
/// let mut draft = MatrixDraft::new("example");
/// let mut quota = DependencyDraft::new("quota", Role::Guard, Some(Millis::new(50)));
/// quota.on_failure = vec![RungDraft::new(ActionDraft::Allow)];
/// draft.dependencies = vec![quota];
/// draft.operations = vec![OperationDraft::new("assist", &["quota"])];
/// let matrix = draft.compile("example@1").unwrap();
///
/// let quota = matrix.dependency("quota").unwrap();
/// let state = suppose::state(&matrix, Time::default(), &[(quota, Health::Down)]);
/// let decision = decide(&matrix, &state, &Request::new(&matrix, "assist"), Time::default());
/// assert_eq!(decision.posture, Posture::FailOpen);
/// ```
#[must_use]
pub fn state(matrix: &Matrix, now: Time, supposed: &[(DependencyId, Health)]) -> State {
    let mut state = State::new(matrix, now);
    // What is probing has failed so long ago that its wait ends now; the longest wait began first.
    let mut probing: Vec<(Time, DependencyId)> = supposed
        .iter()
        .filter(|(_, health)| *health == Health::Probing)
        .map(|(id, _)| (before(now, wait_of(matrix, *id)), *id))
        .collect();
    probing.sort();
    if let Some((first, _)) = probing.first() {
        state = State::new(matrix, *first);
    }
    for (began, id) in probing {
        fail(matrix, &mut state, id, began);
    }
    for (id, health) in supposed {
        match health {
            Health::Probing => {}
            Health::Unknown => lift(matrix, &mut state, *id, now),
            Health::Healthy => {
                lift(matrix, &mut state, *id, now);
                call(matrix, &mut state, *id, Report::Ok, now);
            }
            Health::Degraded => {
                lift(matrix, &mut state, *id, now);
                let probe = Signal::Probe { dependency: *id, result: ProbeResult::Degraded };
                apply(matrix, &mut state, probe, now, &mut Vec::new());
            }
            Health::Down => fail(matrix, &mut state, *id, now),
        }
    }
    state
}

/// How long its circuit stays open when it has just failed.
fn wait_of(matrix: &Matrix, id: DependencyId) -> Millis {
    let now = Time::default();
    let mut scratch = State::new(matrix, now);
    fail(matrix, &mut scratch, id, now);
    health(matrix, &scratch, id, now).and_then(|report| report.wait).unwrap_or(Millis::ZERO)
}

fn before(now: Time, wait: Millis) -> Time {
    Time::from_millis(now.as_millis().saturating_sub_unsigned(wait.get()))
}

/// Fails until its circuit opens: the threshold is bounded by the document.
fn fail(matrix: &Matrix, state: &mut State, id: DependencyId, now: Time) {
    lift(matrix, state, id, now);
    while health(matrix, state, id, now).is_some_and(|report| report.circuit == Circuit::Closed) {
        call(matrix, state, id, Report::Failed(Fault::Unavailable), now);
    }
}

fn call(matrix: &Matrix, state: &mut State, id: DependencyId, result: Report, now: Time) {
    let outcome = Outcome { dependency: id, result, permit: None, retry_after: None, had: None };
    apply(matrix, state, Signal::Outcome(outcome), now, &mut Vec::new());
}

/// Ends an `initial_state` that holds it open.
fn lift(matrix: &Matrix, state: &mut State, id: DependencyId, now: Time) {
    let held = health(matrix, state, id, now).is_some_and(|report| report.circuit == Circuit::ForcedOpen);
    if held {
        let lift = Signal::Override { dependency: id, to: None, length: None, by: None, reason: None };
        apply(matrix, state, lift, now, &mut Vec::new());
    }
}

#[cfg(test)]
mod tests {
    use failsoft_core::draft::{DependencyDraft, InitialState, MatrixDraft};
    use failsoft_core::{Fault, Health, Millis, Role, Time, health};

    use super::state;

    #[test]
    fn each_health_is_reached_and_all_at_one_moment() {
        let mut draft = MatrixDraft::new("m");
        for (name, wait) in [("a", 5_000), ("b", 9_000), ("c", 1)] {
            let mut dependency = DependencyDraft::new(name, Role::Serve, Some(Millis::new(50)));
            dependency.health.wait_duration_in_open_state = Millis::new(wait);
            dependency.health.initial_state = InitialState::ForcedOpen;
            draft.dependencies.push(dependency);
        }
        let matrix = draft.compile("m").expect("a matrix without mistakes");
        let ids: Vec<_> = matrix.dependencies().map(|(id, _)| id).collect();
        let now = Time::from_millis(7);
        for first in Health::ALL {
            for second in Health::ALL {
                for third in Health::ALL {
                    let supposed = [(ids[0], *first), (ids[1], *second), (ids[2], *third)];
                    let state = state(&matrix, now, &supposed);
                    for (id, expected) in supposed {
                        let report = health(&matrix, &state, id, now).expect("it is there");
                        assert_eq!(report.health, expected, "{supposed:?}");
                        let failed = matches!(expected, Health::Down | Health::Probing);
                        assert_eq!(report.fault, failed.then_some(Fault::Unavailable), "{supposed:?}");
                    }
                }
            }
        }
    }

    #[test]
    fn what_is_not_supposed_is_as_at_the_beginning() {
        let mut draft = MatrixDraft::new("m");
        let mut waits = DependencyDraft::new("waits", Role::Serve, Some(Millis::new(50)));
        waits.health.initial_state = InitialState::ForcedOpen;
        draft.dependencies = vec![waits];
        let matrix = draft.compile("m").expect("a matrix without mistakes");
        let id = matrix.dependency("waits").expect("it is there");
        let now = Time::default();
        let report = health(&matrix, &state(&matrix, now, &[]), id, now).expect("it is there");
        assert_eq!(report.health, Health::Down);
    }
}
