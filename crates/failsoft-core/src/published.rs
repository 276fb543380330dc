//! The answer that is the same for every request of an operation, so that a host can publish it in one word (spec 6.5).

use crate::health::Vital;
use crate::matrix::{Matrix, OperationId};
use crate::state::State;
use crate::{Effect, Health, Time};

/// What can be published of an operation until the next signal.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Published {
    /// Go on, `normal`: nothing is counted and nothing expires. This one word is the whole decision of a request
    /// that has told nothing.
    Plain,
    /// It depends on the request, on a count, or on time: ask [`decide`](crate::decide).
    Ask,
}

/// What can be published of `operation` at `now`, and stays true until the next signal that changes a health.
///
/// Only a `normal` answer is plain; whatever is failing, degraded, probing, counted or about to expire asks.
///
/// ```
/// # use failsoft_core::draft::{DependencyDraft, MatrixDraft, OperationDraft};
/// # use failsoft_core::{published, Millis, ProbeResult, Published, Role, Signal, State, Time, apply};
/// let mut draft = MatrixDraft::new("m");
/// draft.dependencies = vec![DependencyDraft::new("policy", Role::Guard, Some(Millis::new(50)))];
/// draft.operations = vec![OperationDraft::new("assist", &["policy"])];
/// let matrix = draft.compile("m@1").expect("no mistakes");
/// let mut state = State::new(&matrix, Time::default());
/// let assist = matrix.operation("assist").expect("it is there");
/// assert_eq!(published(&matrix, &state, assist, Time::default()), Published::Plain);
///
/// let dependency = matrix.dependency("policy").expect("it is there");
/// let degraded = Signal::Probe { dependency, result: ProbeResult::Degraded };
/// apply(&matrix, &mut state, degraded, Time::default(), &mut Vec::new());
/// assert_eq!(published(&matrix, &state, assist, Time::default()), Published::Ask);
/// ```
#[must_use]
pub fn published(matrix: &Matrix, state: &State, operation: OperationId, now: Time) -> Published {
    let now = state.clamp(now);
    let Some(operation) = matrix.operations.get(operation.index()) else { return Published::Ask };
    let depends_on_request = !operation.refuse.is_empty()
        || !operation.meters.is_empty()
        || operation.effect == Effect::Irreversible;
    let settled = |vital: Vital, due: Option<Time>| {
        matches!(vital.health(), Health::Unknown | Health::Healthy) && due.is_none()
    };
    let all_settled = operation.needs.iter().all(|id| {
        let vital = state.vital(matrix, *id, now);
        vital.is_some_and(|vital| settled(vital, state.next_due(matrix, *id, vital)))
    });
    if !depends_on_request && all_settled { Published::Plain } else { Published::Ask }
}
