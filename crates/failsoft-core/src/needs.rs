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

    /// What a rung's `when` is held against. A need that has failed by itself sees its own health and no advice:
    /// else advice could choose a milder rung.
    pub(crate) fn situation(&self, subject: &Subject<'_>, failure: Failure) -> Situation {
        let advised = failure.source == Source::Advice;
        let vital = if advised { subject.vital } else { subject.vital.without_advice() };
        Situation {
            operation: self.operation_id,
            effect: self.operation.effect,
            class: self.class,
            stage: self.request.stage,
            health: vital.health(),
            fault: failure.fault,
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

    /// Advice is heard only where all else is fine, so that it can take something away and never give it.
    fn condition_by_health(&self, subject: &Subject<'_>) -> Condition {
        let own = Subject { vital: subject.vital.without_advice(), ..*subject };
        let condition = self.condition_by_own_health(&own);
        // An operator who lets every call through is not overruled by a bystander.
        let advised = subject.vital.health() == Health::Degraded
            && own.vital.health() != Health::Degraded
            && !subject.vital.is_let_through();
        if condition != Condition::Fine || !advised {
            return condition;
        }
        if self.is_irreversible() || self.names_degraded(subject, Source::Advice) {
            return failed(None, Source::Advice);
        }
        Condition::Fine
    }

    fn condition_by_own_health(&self, subject: &Subject<'_>) -> Condition {
        let (vital, rules) = (&subject.vital, &subject.dependency.rules);
        if vital.is_let_through() {
            return self.fine_by_health(subject);
        }
        match vital.health() {
            Health::Unknown | Health::Healthy => self.fine_by_health(subject),
            Health::Down => failed(vital.class(), Source::Health),
            Health::Probing if self.is_irreversible() || vital.permits_left(rules) == Some(0) => {
                failed(vital.class(), Source::Health)
            }
            Health::Probing => self.fine_by_health(subject),
            Health::Degraded if self.is_irreversible() || self.names_degraded(subject, Source::Health) => {
                failed(None, Source::Health)
            }
            Health::Degraded => self.fine_by_health(subject),
        }
    }

    /// Whether the ladder speaks of `degraded` for this request; of advice only where it tightens.
    fn names_degraded(&self, subject: &Subject<'_>, source: Source) -> bool {
        let situation = self.situation(subject, Failure { fault: None, source });
        subject.dependency.ladder.iter().any(|rung| {
            rung.when.health.names(Health::Degraded.number())
                && rung.when.matches(&situation)
                && (source != Source::Advice || tightens(rung.kind))
        })
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

const fn failed(fault: Option<Fault>, source: Source) -> Condition {
    Condition::Failed(Failure { fault, source })
}

/// A guard that was given less time than its deadline has not failed: the caller was in a hurry.
pub(crate) fn caller_haste(subject: &Subject<'_>, fault: Fault) -> Fault {
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
