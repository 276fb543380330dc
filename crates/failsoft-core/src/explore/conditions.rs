//! What can be the case with one dependency (spec 11.1), and an engine in which it is.

use alloc::vec::Vec;

use crate::health::snapshot::DependencySnapshot;
use crate::matrix::{Dependency, Matrix};
use crate::report::Report;
use crate::state::{DependencyState, Signed};
use crate::{Cause, DependencyId, Fault, Millis, Override, ProbeResult, Time};

/// What its health is, in a situation.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Ailment {
    /// Nothing is known of it.
    None,
    /// Its circuit is open, by failures of this class.
    Down(Fault),
    /// The same, its wait is over, and a permit is free.
    Probing(Fault),
    /// The same, and no permit is free.
    Spent(Fault),
    /// A probe said so.
    Degraded,
    /// Somebody else says so.
    Advised,
    /// An operator holds it open.
    Held,
    /// An operator has this guard skipped.
    Skipped,
}

/// What is the case with a dependency.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Condition {
    /// Its health.
    pub ailment: Ailment,
    /// What the request met of it.
    pub report: Option<Report>,
}

/// Everything that can be the case with it; the first is that nothing is known.
pub(crate) fn all(dependency: &Dependency) -> Vec<Condition> {
    let rules = &dependency.rules;
    // A probe or an operator opens a circuit as `unavailable`.
    let classes =
        || Fault::ALL.iter().copied().filter(|class| rules.counts(*class) || *class == Fault::Unavailable);
    // Without any wait it is never seen down.
    let waits = rules.wait > Millis::ZERO || rules.believed(Some(Millis::new(1))) > Millis::ZERO;
    let ailments = core::iter::once(Ailment::None)
        .chain(classes().filter(|_| waits).map(Ailment::Down))
        .chain(classes().map(Ailment::Probing))
        .chain(classes().map(Ailment::Spent))
        .chain([Ailment::Degraded, Ailment::Advised, Ailment::Held])
        .chain(dependency.break_glass.map(|_| Ailment::Skipped));
    let reports = || {
        let told =
            [Report::Ok, Report::Refused].into_iter().chain(Fault::ALL.iter().copied().map(Report::Failed));
        core::iter::once(None).chain(told.map(Some))
    };
    ailments.flat_map(|ailment| reports().map(move |report| Condition { ailment, report })).collect()
}

/// The dependency as it is then, since `since` where that matters.
pub(crate) fn prepared(
    matrix: &Matrix,
    dependency: &Dependency,
    ailment: Ailment,
    (since, now): (Time, Time),
) -> DependencyState {
    let rules = &dependency.rules;
    let mut known = DependencyState::new(rules, since, 0);
    let mut machine = known.machine(rules, 0);
    match ailment {
        Ailment::None => {}
        Ailment::Degraded => machine.probed(since, ProbeResult::Degraded),
        Ailment::Advised => machine.advised(now, Some(now.plus(matrix.signal_ttl))),
        Ailment::Held => {
            let _ = machine.overridden(since, Some(Override::ForcedOpen), None);
        }
        Ailment::Skipped => {
            let signed = || Some("check".into());
            let _ = machine.overridden(now, Some(Override::BreakGlass), dependency.break_glass);
            known.signed = Signed { by: signed(), reason: signed() };
        }
        Ailment::Down(class) | Ailment::Probing(class) | Ailment::Spent(class) => {
            let wait = if matches!(ailment, Ailment::Down(_)) {
                rules.wait.max(Millis::new(1))
            } else {
                Millis::ZERO
            };
            let saved = DependencySnapshot::opened(class, wait, now.since(since));
            known.come_back(dependency, Some(&saved), 0, (now, true), Cause::Restart, now);
            if matches!(ailment, Ailment::Spent(_)) {
                for _ in 0..rules.trials {
                    known.admit(rules, 0, now, true);
                }
            }
        }
    }
    known
}

/// The dependencies that an operation reaches: its needs, and the targets that their ladders name.
pub(crate) fn reached(matrix: &Matrix, needs: &[DependencyId]) -> Vec<DependencyId> {
    use crate::matrix::Action;
    let mut reached: Vec<DependencyId> = needs.to_vec();
    for need in needs.iter().filter_map(|id| matrix.dependencies.get(id.index())) {
        for rung in &need.ladder {
            match &rung.action {
                Action::Fallback { to } => reached.push(*to),
                Action::LeastBad { of } => reached.extend(of),
                _ => {}
            }
        }
    }
    reached.sort_unstable();
    reached.dedup();
    reached
}
