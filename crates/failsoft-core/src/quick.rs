//! The way that nearly every outcome takes: a closed circuit that it does not move.
//!
//! It changes exactly what the long way (`outcome.rs`, `health/machine.rs`) would, and leaves everything else to that: an
//! outcome for which anything at all might have to be told, opened or looked for is not for here. That both ways
//! agree is tested by the model, which knows only one.

use crate::health::{Rules, Tally};
use crate::matrix::Matrix;
use crate::outcome::Said;
use crate::signal::Outcome;
use crate::state::{DependencyState, State};
use crate::{INTEGER_MAX, Time};

/// Counts an outcome that moves nothing. False where it might: then nothing has been done.
#[inline]
pub(crate) fn outcome(matrix: &Matrix, state: &mut State, outcome: &Outcome, now: Time) -> bool {
    let index = outcome.dependency.index();
    let (Some(dependency), Some(known)) = (matrix.dependencies.get(index), state.dependencies.get_mut(index))
    else {
        return false;
    };
    let rules = &dependency.rules;
    let plain = known.vital.is_closed()
        && known.vital.band.is_none()
        && known.vital.signal.is_some()
        && known.vital.standing.is_none()
        && known.vital.advised_until.is_none()
        && !known.refusals_spiked;
    if !plain || outcome.latency.is_some_and(|latency| latency < 0) {
        return false;
    }
    let Said { fault, neutral, call } = Said::of(dependency, outcome);
    if neutral {
        return false;
    }
    let lease = match outcome.permit {
        None => None,
        Some(permit) => match known.leases.find(permit) {
            Some((slot, lease)) if known.vital.is_current(&lease) => Some((slot, lease)),
            _ => return false,
        },
    };
    // A call that hung is in the rates until it is taken back: counting it twice here only errs to the long way.
    let run = if call.failed { known.vital.run.saturating_add(1).min(INTEGER_MAX) } else { 0 };
    let told = call.failed && outcome.retry_after.is_some();
    if rules.might_move(run, told, known, known.window.with(now, call)) {
        return false;
    }
    if let Some((slot, lease)) = lease {
        let hung = known.machine(rules, 0).lease_is_over(slot, &lease, now);
        known.leases.remove(slot);
        known.vital.run = if hung && call.failed { known.vital.run } else { run };
    } else {
        known.vital.run = run;
    }
    known.window.record(now, call);
    known.vital.signal = Some(now);
    known.ignored_streak = 0;
    known.note_answer(outcome.result, now);
    match fault {
        Some(fault) => known.vital.note_class(fault),
        None => known.vital.sticky = None,
    }
    true
}

impl Rules {
    /// Whether any threshold might be crossed; true also where it would take longer to know.
    #[inline]
    fn might_move(&self, run: u64, told_retry_after: bool, known: &DependencyState, tally: Tally) -> bool {
        /// Beyond this nothing is multiplied here: only a restored window holds as much.
        const MUCH: u64 = INTEGER_MAX >> 10;
        let out = &known.vital.out;
        let Tally { calls, failed, slow, refused } = tally;
        let (calls_hung, failed) = (calls.saturating_add(out.hung), failed.saturating_add(out.hung));
        let (calls_lagging, slow) = (calls.saturating_add(out.lagging), slow.saturating_add(out.lagging));
        if calls_hung.max(calls_lagging) > MUCH || (told_retry_after && self.opens_on_retry_after()) {
            return true;
        }
        let reaches = |part: u64, whole: u64, percent: u64| {
            whole >= self.minimum && part.wrapping_mul(100) >= whole.wrapping_mul(percent)
        };
        run >= self.consecutive.unwrap_or(u64::MAX)
            || failed >= self.failure_count.unwrap_or(u64::MAX)
            || reaches(failed, calls_hung, self.lowest_failure_rate)
            || reaches(slow, calls_lagging, self.lowest_slow_rate)
            || reaches(refused, calls, self.refusal_rate.unwrap_or(101))
    }
}
