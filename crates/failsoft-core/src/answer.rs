//! What comes out: decisions, and the parts that they are put together from.

use alloc::sync::Arc;
use alloc::vec::Vec;

use crate::matrix::{DependencyId, MeterId};
use crate::report::{Pass, Report};
use crate::{Health, Millis, ObligationKind, Posture, RuleKind, RungKind, Time, Verdict};

/// What a request may do, and why.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Decision {
    /// The operation asked for.
    pub operation: Arc<str>,
    /// What the request may do.
    pub verdict: Verdict,
    /// How the verdict came about.
    pub posture: Posture,
    /// Whether the host has to obey; false for an operation in shadow.
    pub enforced: bool,
    /// False where the answer rests on a failure, or on a guard that was skipped or replaced. True does not make it an
    /// approval: a guard that was not called yet has not said yes.
    pub cacheable: bool,
    /// The HTTP status for the caller.
    pub status: u16,
    /// The code for the caller.
    pub code: Option<Arc<str>>,
    /// How long to wait before asking again, where that is known.
    pub retry_after: Option<Millis>,
    /// What the host must do if it goes on; of a request that stops, what it must do all the same.
    pub obligations: Vec<Obligation>,
    /// The events that the rungs taken emit.
    pub emits: Vec<Emit>,
    /// What decided, then all else that was not fine, in pipeline order; empty when all is fine.
    pub reasons: Vec<Reason>,
}

/// What the host must do.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Obligation {
    /// What.
    pub kind: ObligationName,
    /// For which dependency; none where the operation itself asks for it.
    pub dependency: Option<DependencyId>,
    /// What goes with it.
    pub detail: Detail,
}

/// The name of an obligation: one of failsoft's, or one of the host's own.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ObligationName {
    /// One that failsoft knows.
    Known(ObligationKind),
    /// One that the matrix alone knows.
    Own(Arc<str>),
}

impl ObligationName {
    /// As documents and decisions write it.
    #[must_use]
    pub fn as_str(&self) -> &str {
        match self {
            Self::Known(kind) => kind.as_str(),
            Self::Own(name) => name,
        }
    }

    pub(crate) fn of(name: &Arc<str>) -> Self {
        ObligationKind::from_name(name).map_or_else(|| Self::Own(name.clone()), Self::Known)
    }
}

/// What goes with an obligation.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Detail {
    /// Nothing.
    None,
    /// `fallback`: call this one instead.
    To(DependencyId),
    /// `local_meter`: count here.
    Meter(MeterId),
    /// `outbox`: publish under this number; none in a preview.
    Sequence(Option<u64>),
    /// `retry`: call it again.
    Retry {
        /// After so long at least.
        after: Millis,
        /// And at most so long, where the wait is a range.
        most: Option<Millis>,
        /// The number of the call to be made.
        attempt: u32,
        /// So many calls in all.
        max_attempts: u32,
    },
}

/// An event that a rung emits.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Emit {
    /// The event's name.
    pub event: Arc<str>,
    /// The dependency whose rung it is; none for a refuse rule.
    pub dependency: Option<DependencyId>,
    /// Why.
    pub reason: Option<Arc<str>>,
    /// Who is to be called.
    pub alert: Option<Arc<str>>,
}

/// Why a decision is what it is: one thing that was not fine, and what the matrix said of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Reason {
    /// Which dependency; none for a rule of the operation.
    pub dependency: Option<DependencyId>,
    /// Its health as it stood.
    pub health: Option<Health>,
    /// How it failed; [`Report::Refused`] where it said no; none where it is only degraded.
    pub fault: Option<Report>,
    /// The rung's place in the ladder; none where the ladder ran out.
    pub rung: Option<u16>,
    /// What answered.
    pub kind: ReasonKind,
    /// Since when.
    pub since: Time,
}

/// What answered: a rung of a ladder, or a rule of the operation.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ReasonKind {
    /// A rung of this kind, or what stands at the end of every ladder.
    Rung(RungKind),
    /// A rule of the operation, or of failsoft itself.
    Rule(RuleKind),
}

impl ReasonKind {
    /// As decisions write it.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Rung(kind) => kind.as_str(),
            Self::Rule(kind) => kind.as_str(),
        }
    }
}

/// What one need (or one rule of the operation) answers, before needs are put together.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct NeedAnswer {
    pub(crate) reason: Reason,
    pub(crate) verdict: Verdict,
    pub(crate) posture: Posture,
    pub(crate) status: Option<u16>,
    pub(crate) code: Option<Arc<str>>,
    pub(crate) obligations: Vec<Obligation>,
    pub(crate) emit: Option<Emit>,
    /// How its guard was passed, where it was not by the guard's own yes.
    pub(crate) pass: Option<Pass>,
    pub(crate) observer: bool,
    /// The wait that its failure is known to take; refusals and the caller's own faults have none.
    pub(crate) wait: Option<Millis>,
    /// What the rung itself asks to wait.
    pub(crate) rung_wait: Option<Millis>,
    /// Which rung tells the event: its place in the ladder or among the rules, or [`REFUSAL`].
    pub(crate) place: u16,
    /// Its deny or defer has become a cut: it stopped the request too late.
    pub(crate) cut: bool,
    /// It was answered in an earlier commit and left behind, and stands again or anew.
    pub(crate) again: bool,
    /// Of a refusal, and of a meter that is over its limit: how it was answered.
    pub(crate) refusal: Option<Refusal>,
}

/// How a no was answered, to be answered so again.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Refusal {
    /// By the rung that is written; else by the default.
    pub(crate) written: bool,
    /// The meter that holds the request, while its store has failed.
    pub(crate) held_by: Option<MeterId>,
}

/// The place of `on_refusal`, after every rung that a ladder can hold.
pub(crate) const REFUSAL: u16 = u16::MAX;

impl NeedAnswer {
    pub(crate) const fn is_refusal(&self) -> bool {
        matches!(self.reason.fault, Some(Report::Refused))
            || matches!(self.reason.kind, ReasonKind::Rule(RuleKind::Refuse))
    }
}
