//! Every way in which a need can be answered (spec 11): with the engine's own rules, over everything that can be the case.
//!
//! A ladder is walked rung by rung. What can be the case is grouped by what the rules make of it, so that a walk has as
//! many ways as there are answers and not as many as there are situations; each way says which values lead there.
//!
//! - `cases.rs`: the walk.
//! - `variables.rs`, `values.rs`: what can be the case, and sets of it.
//! - `domains.rs`: the values that there are in a matrix, or in two.
//! - `conditions.rs`: what can be the case with one dependency, as a snapshot tells it.
//! - `world.rs`: an engine in which it is the case.
//! - `work.rs`: how much of it may be gone through.
//! - `fact.rs`: a situation, told as facts.

mod cases;
mod conditions;
mod domains;
mod fact;
mod values;
mod variables;
mod work;
mod world;

use alloc::collections::BTreeMap;
use alloc::rc::Rc;
use alloc::sync::Arc;
use alloc::vec::Vec;

pub use conditions::{Ailment, Condition, Supposed};
pub use domains::{Domains, Names};
pub use fact::{Fact, Situation};
pub use values::Values;
pub use variables::{Given, Variable};
pub use work::{TooMany, Work};

use crate::answer::{Emit, NeedAnswer, Obligation, ReasonKind};
use crate::matrix::Matrix;
use crate::needs::Condition as Found;
use crate::report::Pass;
use crate::{ClassId, Decision, DependencyId, Fault, OperationId, Posture, Stage, Verdict};

use cases::Way;
use world::World;

/// A way in which a need is answered.
#[derive(Clone, Debug)]
pub struct Case {
    /// Where every variable has one of these values, whatever the others have.
    pub given: Given,
    /// The answer; nothing where the need is fine.
    pub answer: Option<Answered>,
}

/// What a need answers by itself, before needs are put together.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Answered {
    /// What the request may do.
    pub verdict: Verdict,
    /// How that came about.
    pub posture: Posture,
    /// The status.
    pub status: u16,
    /// The code.
    pub code: Option<Arc<str>>,
    /// The rung's place; none where none stands.
    pub rung: Option<u16>,
    /// What answered.
    pub kind: ReasonKind,
    /// It is a no, of the dependency or of the caller.
    pub refusal: bool,
    /// A guard was passed with nothing in its place.
    pub unchecked: bool,
    /// What the host has to do.
    pub obligations: Vec<Obligation>,
    /// The event.
    pub emit: Option<Emit>,
}

impl Answered {
    fn of(answer: NeedAnswer) -> Self {
        Self {
            verdict: answer.verdict,
            posture: answer.posture,
            status: answer.status.unwrap_or_else(|| answer.verdict.status()),
            rung: answer.reason.rung,
            kind: answer.reason.kind,
            refusal: answer.is_refusal(),
            unchecked: answer.pass == Some(Pass::Skipped),
            code: answer.code,
            obligations: answer.obligations,
            emit: answer.emit,
        }
    }
}

/// One need of an operation, in a class and at a stage.
pub struct Explorer<'m> {
    world: World<'m>,
    /// Ways past a rung that are the same whatever the failure is.
    known: BTreeMap<(DependencyId, u16), Rc<[Way]>>,
}

/// At most so many ways in which one need is answered.
pub const MOST_CASES: usize = 20_000;

/// What the rules find of a dependency for a request (spec 2).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Finding {
    /// It is fine.
    Fine,
    /// It has refused.
    Refused,
    /// It has failed, as a class or without one.
    Failed(Option<Fault>),
    /// An operator has it skipped.
    Skipped,
}

impl<'m> Explorer<'m> {
    /// What is explored.
    #[must_use]
    pub fn new(
        matrix: &'m Matrix,
        domains: &'m Domains,
        operation: OperationId,
        class: ClassId,
        stage: Stage,
    ) -> Option<Self> {
        Self::within(Work::default(), matrix, domains, (operation, class, stage))
    }

    pub(crate) fn within(
        work: Work,
        matrix: &'m Matrix,
        domains: &'m Domains,
        of: (OperationId, ClassId, Stage),
    ) -> Option<Self> {
        let world = World::new(work, matrix, domains, of)?;
        Some(Self { world, known: BTreeMap::new() })
    }

    /// What the rules find of a dependency in each of its conditions, in their order.
    pub fn findings(&mut self, id: DependencyId) -> Vec<Option<Finding>> {
        let variable = Variable::Condition(id);
        let places = 0..self.world.domains.size(variable);
        let found = |place| {
            self.world.at(&Given::one(variable, place), |asking| {
                let subject = asking.subject(id)?;
                // A target is judged as if no operator skipped it.
                let needed = asking.operation.needs.contains(&id);
                if needed && asking.skipped_since(&subject).is_some() {
                    return Some(Finding::Skipped);
                }
                Some(match asking.condition(&subject) {
                    Found::Fine => Finding::Fine,
                    Found::Refused => Finding::Refused,
                    Found::Failed(failure) => Finding::Failed(failure.fault),
                })
            })
        };
        places.map(found).collect()
    }

    /// The decision of a situation, told as facts.
    pub fn decided(&mut self, facts: &[Fact]) -> Option<Decision> {
        self.world.decided(facts)
    }

    /// What a need answers where the first values of what is given are the case, and nothing else; nothing where it is fine.
    pub fn answer(&mut self, need: DependencyId, given: &Given) -> Option<Answered> {
        self.world.at(given, |asking| {
            let subject = asking.subject(need)?;
            asking.answer(&subject).map(Answered::of)
        })
    }

    /// Everything that the answer of a need can depend on, and how many values each has.
    #[must_use]
    pub fn variables(&self, need: DependencyId) -> Vec<(Variable, usize)> {
        let rungs = (0u16..).zip(self.world.ladder(need));
        let mut variables: Vec<Variable> =
            rungs.flat_map(|(index, rung)| self.world.variables(need, index, rung)).collect();
        variables.push(Variable::Condition(need));
        variables.extend(self.world.meters(need).into_iter().map(Variable::Reading));
        variables.sort_unstable();
        variables.dedup();
        variables.into_iter().map(|variable| (variable, self.world.domains.size(variable))).collect()
    }
}
