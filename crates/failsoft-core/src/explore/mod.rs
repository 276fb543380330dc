//! Every way in which a need can be answered (spec 11): with the engine's own rules, over everything that can be the case.
//!
//! A ladder is walked rung by rung. What can be the case is grouped by what the rules make of it, so that a walk has as
//! many ways as there are answers and not as many as there are situations; each way says which values lead there.
//!
//! - this file: the walk.
//! - `conditions.rs`: what can be the case with one dependency, and an engine in which it is.
//! - `variables.rs`: what else can be the case, and how it is set.
//! - `values.rs`: sets of values.

mod conditions;
mod values;
mod variables;

use alloc::collections::BTreeMap;
use alloc::sync::Arc;
use alloc::vec::Vec;

pub use conditions::{Ailment, Condition};
pub use values::Values;
pub use variables::{Given, Variable};

use crate::answer::{Emit, NeedAnswer, Obligation, ReasonKind};
use crate::ladder::Bar;
use crate::matrix::{Action, Matrix, Rung};
use crate::needs::{Asking, Condition as Found, Source};
use crate::report::Pass;
use crate::{ClassId, DependencyId, Fault, Health, OperationId, Posture, Stage, Verdict};

use variables::World;

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
    known: BTreeMap<(DependencyId, u16), Vec<Way>>,
}

/// What becomes of a rung, and where.
#[derive(Clone)]
struct Way {
    given: Given,
    /// The rung stands; else what it rules out below it.
    passed: Option<Bar>,
}

/// What the rules make of a condition.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord)]
enum Kind {
    Fine { cut: bool },
    Refused { written: bool },
    Skipped { held: bool },
    Failed { eligible: Vec<bool>, fault: Option<Fault>, own: bool, down: bool, held: bool, refusal: bool },
}

impl<'m> Explorer<'m> {
    /// What is explored.
    #[must_use]
    pub fn new(matrix: &'m Matrix, operation: OperationId, class: ClassId, stage: Stage) -> Option<Self> {
        Some(Self { world: World::new(matrix, operation, class, stage)?, known: BTreeMap::new() })
    }

    /// What can be the case with a dependency: the values of its [`Variable::Condition`], in order.
    #[must_use]
    pub fn conditions(&self, id: DependencyId) -> &[Condition] {
        self.world.conditions(id)
    }

    /// Every way in which the need is answered. Together they are all there is, and no two overlap.
    pub fn cases(&mut self, need: DependencyId) -> Vec<Case> {
        // Whether a cap in time runs out depends on what it is counted from.
        let capped = (0u16..).zip(self.world.ladder(need)).filter(|(_, rung)| rung.cap.is_some());
        let capped: Vec<u16> = capped.map(|(index, _)| index).collect();
        let longest = self.world.size(Variable::Elapsed(need)).saturating_sub(1);
        let mut groups: BTreeMap<(Kind, Vec<bool>), Values> = BTreeMap::new();
        for place in 0..self.world.conditions(need).len() {
            let given = Given::one(Variable::Condition(need), place);
            let Some(kind) = self.world.at(&given, |asking| kind(asking, need)) else { continue };
            let within = capped.iter().map(|index| {
                let used = given.and(Variable::Elapsed(need), &Values::one(longest))?;
                let used = used.and(Variable::Cap(need, *index), &Values::one(1))?;
                self.world.at(&used, |asking| within(asking, need, *index))
            });
            let within: Vec<bool> = within.map(|within| within != Some(false)).collect();
            groups.entry((kind, within)).or_insert_with(Values::none).insert(place);
        }
        let mut cases = Vec::new();
        for ((kind, _), values) in groups {
            let given = Given::of(Variable::Condition(need), values);
            self.of_kind(need, &kind, given, &mut cases);
        }
        cases
    }

    fn of_kind(&mut self, need: DependencyId, kind: &Kind, mut given: Given, cases: &mut Vec<Case>) {
        let (limited, eligible) = match kind {
            Kind::Fine { cut } => (*cut, None),
            Kind::Refused { .. } => (false, None),
            Kind::Skipped { held } => (*held, None),
            Kind::Failed { eligible, held, .. } => (*held, Some(eligible)),
        };
        if limited {
            // Of several meters the first that is over its limit answers.
            for meter in self.world.meters(need) {
                let over = Variable::OverLimit(meter);
                if let Some(given) = given.and(over, &Values::one(1)) {
                    cases.push(self.case(need, given));
                }
                let Some(rest) = given.and(over, &Values::one(0)) else { return };
                given = rest;
            }
        }
        match eligible {
            Some(eligible) => self.walk(need, eligible, 0, Bar::Nothing, given, cases),
            None => cases.push(self.case(need, given)),
        }
    }

    /// The answer where the first values of what is given are the case.
    fn case(&mut self, need: DependencyId, given: Given) -> Case {
        let answer = self.answer(need, &given);
        Case { given, answer }
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
        variables.extend(self.world.meters(need).into_iter().map(Variable::OverLimit));
        variables.sort_unstable();
        variables.dedup();
        variables.into_iter().map(|variable| (variable, self.world.size(variable))).collect()
    }

    fn walk(
        &mut self,
        need: DependencyId,
        eligible: &[bool],
        from: usize,
        bar: Bar,
        given: Given,
        cases: &mut Vec<Case>,
    ) {
        let ladder = self.world.ladder(need);
        let next = (from..ladder.len()).find(|place| {
            eligible.get(*place) == Some(&true) && ladder.get(*place).is_some_and(|rung| !bar.rules_out(rung))
        });
        let Some((place, index, rung)) =
            next.and_then(|place| Some((place, u16::try_from(place).ok()?, ladder.get(place)?)))
        else {
            cases.push(self.case(need, given));
            return;
        };
        for way in self.ways(need, index, rung, &given) {
            let Some(given) = given.with(&way.given) else { continue };
            match way.passed {
                None => cases.push(self.case(need, given)),
                Some(passed) => {
                    let below = place.saturating_add(1);
                    self.walk(need, eligible, below, bar.max(passed), given, cases);
                }
            }
        }
    }

    /// What becomes of a rung that may answer, by what else is the case.
    fn ways(&mut self, need: DependencyId, index: u16, rung: &Rung, given: &Given) -> Vec<Way> {
        // What a retry and a cap in time do depends on the failure itself.
        let own = matches!(rung.action, Action::Retry { .. }) || rung.cap.is_some();
        if !own && let Some(known) = self.known.get(&(need, index)) {
            return known.clone();
        }
        let variables = self.world.variables(need, index, rung);
        let start = if own { given.clone() } else { Given::of_failure(given, need) };
        let mut ways = Vec::new();
        self.split((need, index, rung), &variables, start, Given::default(), &mut ways);
        if !own {
            self.known.insert((need, index), ways.clone());
        }
        ways
    }

    /// Goes through the variables that a rung looks at, their values in groups.
    fn split(
        &mut self,
        (need, index, rung): (DependencyId, u16, &Rung),
        variables: &[Variable],
        given: Given,
        way: Given,
        ways: &mut Vec<Way>,
    ) {
        let Some((variable, rest)) = variables.split_first() else {
            let passed = self.world.at(&given, |asking| passed(asking, need, index));
            ways.push(Way { given: way, passed: passed.flatten() });
            return;
        };
        for values in self.world.groups(need, rung, *variable, &given) {
            let (Some(given), Some(way)) = (given.and(*variable, &values), way.and(*variable, &values))
            else {
                continue;
            };
            self.split((need, index, rung), rest, given, way, ways);
        }
    }
}

/// What the rules make of a condition of the need's own, before its ladder is read.
fn kind(asking: &Asking<'_>, need: DependencyId) -> Option<Kind> {
    let subject = asking.subject(need)?;
    let limited = asking.may_be_limited(&subject);
    if asking.skipped_since(&subject).is_some() {
        return Some(Kind::Skipped { held: limited });
    }
    Some(match asking.condition(&subject) {
        Found::Fine => Kind::Fine { cut: limited },
        Found::Refused => Kind::Refused { written: asking.refusal_written(&subject, Source::Request) },
        Found::Failed(failure) => {
            let situation = asking.situation(&subject, failure);
            let rungs = subject.dependency.ladder.iter();
            let eligible: Vec<bool> =
                rungs.map(|rung| asking.may_answer(&subject, failure, &situation, rung)).collect();
            Kind::Failed {
                // A ladder that runs out answers by the class.
                fault: failure.fault,
                eligible,
                own: failure.source == Source::Request,
                down: situation.health == Health::Down,
                held: limited,
                refusal: asking.refusal_written(&subject, failure.source),
            }
        }
    })
}

/// Whether a rung is within its cap.
fn within(asking: &Asking<'_>, need: DependencyId, index: u16) -> Option<bool> {
    let subject = asking.subject(need)?;
    let Found::Failed(failure) = asking.condition(&subject) else { return None };
    let rung = subject.dependency.ladder.get(usize::from(index))?;
    Some(asking.is_within_cap(&subject, failure, index, rung))
}

/// What a rung that is passed over rules out; nothing where it stands.
fn passed(asking: &Asking<'_>, need: DependencyId, index: u16) -> Option<Option<Bar>> {
    let subject = asking.subject(need)?;
    let Found::Failed(failure) = asking.condition(&subject) else { return Some(None) };
    let situation = asking.situation(&subject, failure);
    let rung = subject.dependency.ladder.get(usize::from(index))?;
    Some(asking.stands(&subject, failure, &situation, index, rung).err())
}
