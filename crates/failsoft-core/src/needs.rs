//! Whether a need is fine, refused or failed (spec 2).

use crate::health::Vital;
use crate::matrix::{Dependency, DependencyId, Matrix, Operation, Situation};
use crate::report::Report;
use crate::request::{Met, Request};
use crate::state::State;
use crate::{ClassId, Effect, Fault, Health, OperationId, Role, RungKind, Stage, Time};

/// One question: everything that an answer is read from, at one moment.
#[derive(Clone, Copy)]
pub(crate) struct Asking<'a> {
    pub(crate) matrix: &'a Matrix,
    pub(crate) state: &'a State,
    pub(crate) request: &'a Request,
    pub(crate) operation_id: OperationId,
    pub(crate) operation: &'a Operation,
    pub(crate) class: ClassId,
    pub(crate) now: Time,
}

/// One dependency, as this question sees it.
#[derive(Clone, Copy)]
pub(crate) struct Subject<'a> {
    pub(crate) id: DependencyId,
    pub(crate) dependency: &'a Dependency,
    pub(crate) vital: Vital,
    pub(crate) met: Met,
}

/// The condition of a need.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Condition {
    Fine,
    Refused,
    Failed(Failure),
}

/// How a need has failed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Failure {
    pub(crate) fault: Option<Fault>,
    pub(crate) source: Source,
}

/// Who says that it has failed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Source {
    /// The request itself.
    Request,
    /// The dependency's health.
    Health,
    /// Advice alone: it may only make an answer stricter.
    Advice,
    /// Nobody: a guard of an irreversible operation has not said yes.
    Silence,
}

impl<'a> Asking<'a> {
    pub(crate) fn subject(&self, id: DependencyId) -> Option<Subject<'a>> {
        Some(Subject {
            id,
            dependency: self.matrix.dependencies.get(id.index())?,
            vital: self.state.vital(self.matrix, id, self.now)?,
            met: self.request.met(id),
        })
    }

    pub(crate) fn is_irreversible(&self) -> bool {
        self.operation.effect == Effect::Irreversible
    }

    /// Bytes have gone out, or the irreversible act is done: only cutting, withholding or letting be are left.
    pub(crate) fn is_past_no_return(&self) -> bool {
        match self.request.stage {
            Stage::Stream => true,
            Stage::Persist => self.is_irreversible(),
            Stage::Admit | Stage::Dispatch | Stage::Output => false,
        }
    }

    pub(crate) fn situation(&self, subject: &Subject<'_>, fault: Option<Fault>) -> Situation {
        Situation {
            operation: self.operation_id,
            effect: self.operation.effect,
            class: self.class,
            stage: self.request.stage,
            health: subject.vital.health(),
            fault,
        }
    }

    /// What the request reports decides; else the dependency's health does.
    pub(crate) fn condition(&self, subject: &Subject<'_>) -> Condition {
        match subject.met.report {
            Some((Report::Ok, _)) => Condition::Fine,
            Some((Report::Refused, _)) if subject.dependency.role != Role::Observe => Condition::Refused,
            Some((Report::Refused, _)) => failed(Some(Fault::Indeterminate), Source::Request),
            Some((Report::Failed(fault), _)) => failed(Some(caller_haste(subject, fault)), Source::Request),
            None => self.condition_by_health(subject),
        }
    }

    fn condition_by_health(&self, subject: &Subject<'_>) -> Condition {
        let vital = &subject.vital;
        if vital.is_let_through() {
            return self.fine_by_health(subject);
        }
        match vital.health() {
            Health::Unknown | Health::Healthy => self.fine_by_health(subject),
            Health::Down => failed(vital.class(), Source::Health),
            Health::Probing if self.is_irreversible() || !vital.is_permit_free() => {
                failed(vital.class(), Source::Health)
            }
            Health::Probing => self.fine_by_health(subject),
            Health::Degraded => self.condition_when_degraded(subject),
        }
    }

    /// Degraded is failed where the ladder speaks of it, and for what can't be taken back.
    fn condition_when_degraded(&self, subject: &Subject<'_>) -> Condition {
        let advice_alone = subject.vital.is_degraded_by_advice_alone();
        let source = if advice_alone { Source::Advice } else { Source::Health };
        if self.is_irreversible() {
            return failed(None, source);
        }
        let situation = self.situation(subject, None);
        let speaks_of_it = subject.dependency.ladder.iter().any(|rung| {
            rung.when.health.names(Health::Degraded.number())
                && rung.when.matches(&seen_by(subject, situation, rung.kind))
                && (!advice_alone || tightens(rung.kind))
        });
        if speaks_of_it { failed(None, source) } else { self.fine_by_health(subject) }
    }

    /// Silence is not consent: what can't be taken back needs a guard's own yes.
    fn fine_by_health(&self, subject: &Subject<'_>) -> Condition {
        if self.is_irreversible() && subject.dependency.role == Role::Guard {
            return failed(Some(Fault::Indeterminate), Source::Silence);
        }
        Condition::Fine
    }
}

/// The rungs that advice alone may take.
pub(crate) const fn tightens(kind: RungKind) -> bool {
    matches!(kind, RungKind::Deny | RungKind::Defer | RungKind::Withhold)
}

/// What a rung's `when` is held against. A health that is degraded by advice alone is seen so only by rungs
/// that tighten: to all others it is what this host saw itself, so that advice never opens anything.
pub(crate) fn seen_by(subject: &Subject<'_>, situation: Situation, kind: RungKind) -> Situation {
    if subject.vital.is_degraded_by_advice_alone() && !tightens(kind) {
        return Situation { health: subject.vital.without_advice().health(), ..situation };
    }
    situation
}

const fn failed(fault: Option<Fault>, source: Source) -> Condition {
    Condition::Failed(Failure { fault, source })
}

/// A guard that was given less time than its deadline has not failed: the caller was in a hurry.
fn caller_haste(subject: &Subject<'_>, fault: Fault) -> Fault {
    haste(subject.dependency, fault, subject.met.had)
}

/// The class that counts for a fault told with the time that the request had left.
pub(crate) fn haste(dependency: &Dependency, fault: Fault, had: Option<crate::Millis>) -> Fault {
    let hasty = match (had, dependency.deadline) {
        (Some(had), Some(deadline)) => had < deadline,
        _ => false,
    };
    if fault == Fault::Timeout && dependency.role == Role::Guard && hasty { Fault::Cancelled } else { fault }
}
