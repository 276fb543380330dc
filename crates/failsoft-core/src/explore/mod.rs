//! Every way in which a need can be answered (spec 11): with the engine's own rules, over everything that can be the case.
//!
//! A ladder is walked rung by rung. What can be the case is grouped by what the rules make of it, so that a walk has as
//! many ways as there are answers and not as many as there are situations; each way says which values lead there.
//!
//! - this file: the walk.
//! - `variables.rs`, `values.rs`: what can be the case, and sets of it.
//! - `domains.rs`: the values that there are in a matrix, or in two.
//! - `conditions.rs`: what can be the case with one dependency, as a snapshot tells it.
//! - `world.rs`: an engine in which it is the case.
//! - `fact.rs`: a situation, told as facts.

mod conditions;
mod domains;
mod fact;
mod values;
mod variables;
mod world;

use alloc::collections::BTreeMap;
use alloc::sync::Arc;
use alloc::vec::Vec;

pub use conditions::{Ailment, Condition, Supposed};
pub use domains::{Domains, Names};
pub use fact::{Fact, Situation};
pub use values::Values;
pub use variables::{Given, Variable};

use crate::answer::{Detail, Emit, NeedAnswer, Obligation, ObligationName, ReasonKind};
use crate::ladder::Bar;
use crate::matrix::{Action, Matrix, Rung};
use crate::needs::{Asking, Condition as Found, Source};
use crate::report::Pass;
use crate::{ClassId, Decision, DependencyId, Fault, Health, MeterId, OperationId, Posture, Stage, Verdict};

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
    known: BTreeMap<(DependencyId, u16), Vec<Way>>,
}

/// There are more ways than can be gone through.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TooMany;

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

/// What becomes of a rung, and where.
#[derive(Clone, PartialEq, Eq)]
struct Way {
    given: Given,
    outcome: Outcome,
}

#[derive(Clone, PartialEq, Eq)]
enum Outcome {
    /// The rung stands, and obliges to this.
    Stands(Option<(ObligationName, Detail)>),
    /// It is passed over, and rules this out below it.
    Passed(Bar),
}

/// What the rules make of a condition; `cut` and `held` by which of the two refusals.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord)]
enum Kind {
    Fine { cut: Option<bool> },
    Refused { written: bool },
    Skipped { held: Option<bool> },
    Failed { eligible: Vec<bool>, fault: Option<Fault>, own: bool, down: bool, held: bool, refusal: bool },
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
        let world = World::new(matrix, domains, operation, class, stage)?;
        Some(Self { world, known: BTreeMap::new() })
    }

    /// How much work it was so far.
    #[must_use]
    pub const fn asked(&self) -> u64 {
        self.world.asked
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

    /// Every way in which the need is answered. Together they are all there is, and no two overlap.
    ///
    /// # Errors
    /// There are more than [`MOST_CASES`].
    pub fn cases(&mut self, need: DependencyId) -> Result<Vec<Case>, TooMany> {
        // Whether a cap in time runs out depends on what it is counted from.
        let capped = (0u16..).zip(self.world.ladder(need)).filter(|(_, rung)| rung.cap.is_some());
        let capped: Vec<(u16, Variable)> = capped
            .map(|(index, rung)| (index, self.world.variables(need, index, rung)))
            .filter_map(|(index, variables)| Some((index, *variables.last()?)))
            .collect();
        let counts = !self.world.meters(need).is_empty();
        let mut groups: BTreeMap<(Kind, Vec<bool>), Values> = BTreeMap::new();
        for place in 0..self.world.conditions(need).len() {
            let given = Given::one(Variable::Condition(need), place);
            let Some(kind) = self.world.at(&given, |asking| kind(asking, need)) else { continue };
            let mut within = Vec::new();
            for (index, variable) in &capped {
                // Each value by itself: which of them use up a cap depends on what is failing, and since when.
                for value in 0..self.world.domains.size(*variable) {
                    let used = given.and(*variable, &Values::one(value));
                    let used =
                        used.and_then(|used| self.world.at(&used, |asking| within_cap(asking, need, *index)));
                    within.push(used != Some(false));
                }
            }
            if counts {
                within.push(self.world.is_up(need, &given));
            }
            groups.entry((kind, within)).or_insert_with(Values::none).insert(place);
        }
        let mut cases = Vec::new();
        for ((kind, _), values) in groups {
            let given = Given::of(Variable::Condition(need), values);
            self.of_kind(need, &kind, given, &mut cases)?;
        }
        Ok(cases)
    }

    fn of_kind(
        &mut self,
        need: DependencyId,
        kind: &Kind,
        given: Given,
        cases: &mut Vec<Case>,
    ) -> Result<(), TooMany> {
        let (limited, eligible) = match kind {
            Kind::Fine { cut } => (cut.is_some(), None),
            Kind::Refused { .. } => (false, None),
            Kind::Skipped { held } => (held.is_some(), None),
            Kind::Failed { eligible, held, .. } => (*held, Some(eligible)),
        };
        let mut rest = Vec::from([given]);
        if limited {
            // Of several meters the first that is over its limit answers.
            for meter in self.world.meters(need) {
                let mut below = Vec::new();
                for given in rest {
                    for (given, is_over) in self.over(need, meter, &given) {
                        if is_over {
                            cases.push(self.case(need, given));
                        } else {
                            below.push(given);
                        }
                    }
                }
                rest = below;
            }
        }
        for given in rest {
            match eligible {
                Some(eligible) => self.walk(need, eligible, 0, Bar::Nothing, given, cases)?,
                None => cases.push(self.case(need, given)),
            }
        }
        Ok(())
    }

    /// Where a meter is over its limit, and where it is not: by what was read, and counted here besides.
    fn over(&mut self, need: DependencyId, meter: MeterId, given: &Given) -> Vec<(Given, bool)> {
        let (used, reading) = (Variable::Used(meter), Variable::Reading(meter));
        let mut groups: Vec<([Values; 2], Values)> = Vec::new();
        for count in 0..self.world.domains.size(used) {
            let mut found = [Values::none(), Values::none()];
            for place in 0..self.world.domains.size(reading) {
                let here = given.and(used, &Values::one(count));
                let here = here.and_then(|here| here.and(reading, &Values::one(place)));
                let answers = here.and_then(|here| {
                    self.world.at(&here, |asking| asking.over_limit(&asking.subject(need)?).map(|_| ()))
                });
                let [over, rest] = &mut found;
                if answers.is_some() { over.insert(place) } else { rest.insert(place) }
            }
            match groups.iter_mut().find(|(held, _)| *held == found) {
                Some((_, counts)) => counts.insert(count),
                None => groups.push((found, Values::one(count))),
            }
        }
        // What makes no difference is not named.
        let alone = groups.len() == 1;
        let mut ways = Vec::new();
        for ([over, rest], counts) in groups {
            let given = if alone { Some(given.clone()) } else { given.and(used, &counts) };
            for (readings, is_over) in [(over, true), (rest, false)] {
                ways.extend(given.as_ref().and_then(|given| Some((given.and(reading, &readings)?, is_over))));
            }
        }
        ways
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
        variables.extend(self.world.meters(need).into_iter().map(Variable::Reading));
        variables.sort_unstable();
        variables.dedup();
        variables.into_iter().map(|variable| (variable, self.world.domains.size(variable))).collect()
    }

    fn walk(
        &mut self,
        need: DependencyId,
        eligible: &[bool],
        from: usize,
        bar: Bar,
        given: Given,
        cases: &mut Vec<Case>,
    ) -> Result<(), TooMany> {
        if cases.len() > MOST_CASES {
            return Err(TooMany);
        }
        let ladder = self.world.ladder(need);
        let next = (from..ladder.len()).find(|place| {
            eligible.get(*place) == Some(&true) && ladder.get(*place).is_some_and(|rung| !bar.rules_out(rung))
        });
        let Some((place, index, rung)) =
            next.and_then(|place| Some((place, u16::try_from(place).ok()?, ladder.get(place)?)))
        else {
            cases.push(self.case(need, given));
            return Ok(());
        };
        for way in self.ways(need, index, rung, &given)? {
            let Some(given) = given.with(&way.given) else { continue };
            match way.outcome {
                Outcome::Stands(_) => cases.push(self.case(need, given)),
                Outcome::Passed(passed) => {
                    let below = place.saturating_add(1);
                    self.walk(need, eligible, below, bar.max(passed), given, cases)?;
                }
            }
        }
        Ok(())
    }

    /// What becomes of a rung that may answer, by what else is the case.
    fn ways(
        &mut self,
        need: DependencyId,
        index: u16,
        rung: &Rung,
        given: &Given,
    ) -> Result<Vec<Way>, TooMany> {
        // What a retry, a cap in time and a count do depends on the failure itself.
        let own =
            matches!(rung.action, Action::Retry { .. } | Action::LocalMeter { .. }) || rung.cap.is_some();
        if !own && let Some(known) = self.known.get(&(need, index)) {
            return Ok(known.clone());
        }
        let variables = self.world.variables(need, index, rung);
        let start = Given::of_failure(given, need);
        let ways = self.split((need, index, rung), &variables, start)?;
        if !own {
            self.known.insert((need, index), ways.clone());
        }
        Ok(ways)
    }

    /// Goes through the variables that a rung looks at; values that make no difference to it stay together.
    fn split(
        &mut self,
        (need, index, rung): (DependencyId, u16, &Rung),
        variables: &[Variable],
        given: Given,
    ) -> Result<Vec<Way>, TooMany> {
        let Some((variable, rest)) = variables.split_first() else {
            let outcome = self.world.at(&given, |asking| outcome(asking, need, index));
            let outcome = outcome.unwrap_or(Outcome::Passed(Bar::Nothing));
            return Ok(Vec::from([Way { given: Given::default(), outcome }]));
        };
        let mut found: Vec<(Vec<Way>, Values)> = Vec::new();
        for values in self.world.groups(need, rung, *variable, &given) {
            let Some(given) = given.and(*variable, &values) else { continue };
            let ways = self.split((need, index, rung), rest, given)?;
            if ways.len() > MOST_CASES {
                return Err(TooMany);
            }
            match found.iter_mut().find(|(held, _)| *held == ways) {
                Some((_, held)) => held.or(&values),
                None => found.push((ways, values)),
            }
        }
        if found.len() == 1 {
            return Ok(found.pop().map_or_else(Vec::new, |(ways, _)| ways));
        }
        let all = found.into_iter().flat_map(|(ways, values)| {
            ways.into_iter().filter_map(move |way| {
                Some(Way { given: way.given.and(*variable, &values)?, outcome: way.outcome })
            })
        });
        Ok(all.collect())
    }
}

/// What the rules make of a condition of the need's own, before its ladder is read.
fn kind(asking: &Asking<'_>, need: DependencyId) -> Option<Kind> {
    let subject = asking.subject(need)?;
    let limited = asking.may_be_limited(&subject);
    // What a meter holds or cuts is answered as a refusal is.
    let as_refusal = |source| limited.then(|| asking.refusal_written(&subject, source));
    if asking.skipped_since(&subject).is_some() {
        let source = match asking.condition(&subject) {
            Found::Failed(failure) => failure.source,
            Found::Fine | Found::Refused => Source::Request,
        };
        return Some(Kind::Skipped { held: as_refusal(source) });
    }
    Some(match asking.condition(&subject) {
        Found::Fine => Kind::Fine { cut: as_refusal(Source::Request) },
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
fn within_cap(asking: &Asking<'_>, need: DependencyId, index: u16) -> Option<bool> {
    let subject = asking.subject(need)?;
    let Found::Failed(failure) = asking.condition(&subject) else { return None };
    let rung = subject.dependency.ladder.get(usize::from(index))?;
    Some(asking.is_within_cap(&subject, failure, index, rung))
}

fn outcome(asking: &Asking<'_>, need: DependencyId, index: u16) -> Option<Outcome> {
    let subject = asking.subject(need)?;
    let Found::Failed(failure) = asking.condition(&subject) else { return None };
    let situation = asking.situation(&subject, failure);
    let rung = subject.dependency.ladder.get(usize::from(index))?;
    Some(match asking.stands(&subject, failure, &situation, index, rung) {
        Ok(standing) => Outcome::Stands(standing.obligation),
        Err(bar) => Outcome::Passed(bar),
    })
}
