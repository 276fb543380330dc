//! A fact of a situation (spec 11.1).

use alloc::sync::Arc;
use alloc::vec::Vec;

use super::conditions::{Ailment, Supposed};
use super::{Domains, Variable};
use crate::matrix::Matrix;
use crate::report::Report;
use crate::{DependencyId, MeterId, Millis};

/// One thing that is the case.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Fact {
    /// The health of a dependency.
    Health(DependencyId, Ailment),
    /// The age of its last `ok`.
    LastOk(DependencyId, Millis),
    /// How deep its outbox is.
    Outbox(DependencyId, u64),
    /// How long it has failed, and its window been open.
    FailedFor(DependencyId, Millis),
    /// What the cap of a rung has counted.
    Cap(DependencyId, u16, u64),
    /// How much is counted here.
    Used(MeterId, u64),
    /// What the store last said.
    Reading(MeterId, u64),
    /// What the request met.
    Met(DependencyId, Report),
    /// The age of its cached yes.
    Cached(DependencyId, Millis),
    /// How often it has called.
    Attempts(DependencyId, u32),
    /// The time that it has left.
    Remaining(Millis),
    /// What the refuse rules come to: the place of the first that holds, and the attributes with which it does.
    Rule(Option<u16>, Vec<(Arc<str>, Arc<str>)>),
}

/// An operation's request and what is the case: a trace of one decision.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Situation {
    /// Of which operation, by its place in the matrix.
    pub operation: crate::OperationId,
    /// Of which class.
    pub class: crate::ClassId,
    /// At which stage.
    pub stage: crate::Stage,
    /// In order.
    pub facts: Vec<Fact>,
}

impl Fact {
    /// The same of what is called otherwise; nothing where it isn't known there.
    pub(super) fn renamed(
        self,
        dependency: impl Fn(DependencyId) -> Option<DependencyId>,
        meter: impl Fn(MeterId) -> Option<MeterId>,
    ) -> Option<Self> {
        Some(match self {
            Self::Health(id, ailment) => Self::Health(dependency(id)?, ailment),
            Self::LastOk(id, age) => Self::LastOk(dependency(id)?, age),
            Self::Outbox(id, depth) => Self::Outbox(dependency(id)?, depth),
            Self::FailedFor(id, time) => Self::FailedFor(dependency(id)?, time),
            Self::Cap(id, rung, amount) => Self::Cap(dependency(id)?, rung, amount),
            Self::Used(id, count) => Self::Used(meter(id)?, count),
            Self::Reading(id, used) => Self::Reading(meter(id)?, used),
            Self::Met(id, report) => Self::Met(dependency(id)?, report),
            Self::Cached(id, age) => Self::Cached(dependency(id)?, age),
            Self::Attempts(id, count) => Self::Attempts(dependency(id)?, count),
            same @ (Self::Remaining(_) | Self::Rule(..)) => same,
        })
    }

    /// Whether what it speaks of is in the matrix.
    #[must_use]
    pub fn is_of(&self, matrix: &Matrix) -> bool {
        let dependency = |id: DependencyId| Some(id).filter(|id| matrix.dependencies.len() > id.index());
        let meter = |id: MeterId| Some(id).filter(|id| matrix.meters.len() > id.index());
        self.clone().renamed(dependency, meter).is_some()
    }

    /// The facts that a value of a variable is.
    pub(super) fn of(domains: &Domains, variable: Variable, place: usize) -> Vec<Self> {
        let Some(before) = place.checked_sub(1) else { return Vec::new() };
        fn one<T: Copy>(values: &[T], place: usize, fact: impl Fn(T) -> Fact) -> Vec<Fact> {
            values.get(place).map(|value| fact(*value)).into_iter().collect()
        }
        match variable {
            Variable::Condition(id) => {
                let Some(condition) = domains.conditions(id).get(place) else { return Vec::new() };
                let health = Some(condition.ailment)
                    .filter(|ailment| *ailment != Ailment::None)
                    .map(|of| Self::Health(id, of));
                health.into_iter().chain(condition.report.map(|report| Self::Met(id, report))).collect()
            }
            Variable::Cached(id) => one(domains.ages(id), before, |age| Self::Cached(id, age)),
            Variable::LastOk(id) => one(domains.last_oks(id), before, |age| Self::LastOk(id, age)),
            Variable::Outbox(id) => one(domains.depths(id), before, |depth| Self::Outbox(id, depth)),
            Variable::Used(id) => one(domains.counts(id), before, |count| Self::Used(id, count)),
            Variable::Reading(id) => one(domains.readings(id), before, |used| Self::Reading(id, used)),
            Variable::FailedFor(id) => one(domains.times(id), before, |time| Self::FailedFor(id, time)),
            Variable::Cap(id, rung) => one(domains.caps(id, rung), before, |most| Self::Cap(id, rung, most)),
            Variable::Attempts(id) => one(domains.attempts(id), before, |count| Self::Attempts(id, count)),
            Variable::Remaining => {
                one(domains.lengths(), before, |length| Self::Remaining(length.less(Millis::new(1))))
            }
        }
    }
}

impl Situation {
    /// What a snapshot tells of a dependency in it.
    #[must_use]
    pub fn supposed(&self, id: DependencyId) -> Supposed {
        let mut supposed = Supposed::NOTHING;
        for fact in &self.facts {
            match fact {
                Fact::Health(of, ailment) if *of == id => supposed.ailment = *ailment,
                Fact::LastOk(of, age) if *of == id => supposed.last_ok = Some(*age),
                Fact::Outbox(of, depth) if *of == id => supposed.outbox = Some(*depth),
                Fact::FailedFor(of, time) if *of == id => supposed.failed_for = Some(*time),
                Fact::Cap(of, rung, amount) if *of == id => supposed.caps.push((*rung, *amount)),
                _ => {}
            }
        }
        supposed
    }
}
