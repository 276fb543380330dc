//! A state that is supposed rather than met: "what if this were down?", asked before anything has happened.

use failsoft_core::snapshot::DependencySnapshot;
use failsoft_core::{Cause, DependencyId, Fault, Health, Matrix, Millis, Signal, State, Time, apply};

/// The state at `now` of an engine whose dependencies have come to these healths by themselves.
///
/// It is restored like one that was saved, so it is a state that a host can meet: `healthy` by a call that went well,
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
    let mut snapshot = state.save(matrix, now);
    for (id, health) in supposed {
        let wait = matrix.first_wait(*id);
        snapshot.dependencies.insert(matrix.dependency_name(*id).to_owned(), known(*health, wait));
    }
    let restored = Signal::Restored { snapshot: &snapshot, away: Some(Millis::ZERO) };
    apply(matrix, &mut state, restored, now, &mut Vec::new());
    state
}

/// What is known of a dependency whose health has just come to this; one that is probing failed a whole wait ago.
fn known(health: Health, wait: Millis) -> DependencySnapshot {
    let plain = DependencySnapshot { told: Some(health), ..DependencySnapshot::default() };
    let failed = |left: Millis, ago: Millis| DependencySnapshot {
        told: Some(health),
        ..DependencySnapshot::opened(Fault::Unavailable, left, ago)
    };
    match health {
        Health::Unknown => plain,
        Health::Healthy => DependencySnapshot {
            signal_age_ms: Some(Millis::ZERO),
            last_ok_age_ms: Some(Millis::ZERO),
            why: Some(Cause::FirstOutcome),
            ..plain
        },
        Health::Degraded => DependencySnapshot {
            degraded_by_probe: true,
            signal_age_ms: Some(Millis::ZERO),
            probe_age_ms: Some(Millis::ZERO),
            ailing_age_ms: Some(Millis::ZERO),
            why: Some(Cause::ProbeDegraded),
            ..plain
        },
        Health::Down => failed(wait, Millis::ZERO),
        Health::Probing => failed(Millis::ZERO, wait),
    }
}

#[cfg(test)]
mod tests {
    use failsoft_core::draft::{DependencyDraft, MatrixDraft};
    use failsoft_core::{Fault, Health, InitialState, Millis, Role, Time, health};

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
