//! A need's ladder, walked with everything that can be the case.
//!
//! What can be the case with the need itself falls into kinds that the rules make the same of. Kinds for which the same
//! rungs may answer go down the ladder as one; what is answered on each rung is then asked of each kind.

use alloc::collections::BTreeMap;
use alloc::rc::Rc;
use alloc::vec::Vec;

use super::{Answered, Case, Explorer, Given, MOST_CASES, TooMany, Values, Variable};
use crate::answer::{Detail, ObligationName};
use crate::ladder::Bar;
use crate::matrix::{Action, Rung};
use crate::needs::{Asking, Condition as Found, Source};
use crate::{DependencyId, Fault, Health, MeterId};

/// What a rung would answer somewhere, but for its cap.
#[derive(Clone, PartialEq, Eq)]
pub(super) struct Way {
    given: Given,
    outcome: Outcome,
}

/// What it obliges to, where it is there to answer; and what passing it over rules out below it, within its cap and beyond.
#[derive(Clone, PartialEq, Eq)]
struct Outcome {
    available: Option<Obliges>,
    within_cap: Bar,
    over_cap: Bar,
}

type Obliges = Option<(ObligationName, Detail)>;

/// What it obliges to; or what it rules out below it.
type Becomes = Result<Obliges, Bar>;

/// What the rules make of a condition; `cut` and `held` by which of the two refusals.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord)]
enum Kind {
    Fine { cut: Option<bool> },
    Refused { written: bool },
    Skipped { held: Option<bool> },
    Failed { eligible: Vec<bool>, fault: Option<Fault>, own: bool, down: bool, held: bool, refusal: bool },
}

/// Where a ladder ends: the rung that stands and what it obliges to, or none.
type End = Option<(u16, Obliges)>;

/// Where a ladder ends, by everything but what is the case with the need itself.
type Ends = Rc<Vec<(End, Vec<Given>)>>;

/// Which rungs may answer, what is the case where they look at the failure itself, and what is within caps where they are
/// capped.
type WalkKey = (Vec<bool>, Option<Kind>, Option<Vec<bool>>);

/// Kinds that end alike and are answered alike: their walk, what each end answers, and their conditions.
type Alike = Vec<(Ends, Vec<Option<Answered>>, Values)>;

impl Explorer<'_> {
    /// Every way in which the need is answered. Together they are all there is, and no two overlap.
    ///
    /// # Errors
    /// There are more than [`MOST_CASES`], or it is too much work.
    pub fn cases(&mut self, need: DependencyId) -> Result<Vec<Case>, TooMany> {
        let mut cases = Vec::new();
        let mut walks: BTreeMap<WalkKey, Ends> = BTreeMap::new();
        let mut alike: Alike = Vec::new();
        for ((kind, within), values) in self.kinds(need)? {
            self.world.work.enough()?;
            let given = Given::of(Variable::Condition(need), values.clone());
            let (limited, eligible) = match &kind {
                Kind::Fine { cut } => (cut.is_some(), None),
                Kind::Refused { .. } => (false, None),
                Kind::Skipped { held } => (held.is_some(), None),
                Kind::Failed { eligible, held, .. } => (*held, Some(eligible)),
            };
            let below = if limited {
                self.below(need, given.clone(), &mut cases)?
            } else {
                Vec::from([given.clone()])
            };
            let Some(eligible) = eligible else {
                cases.extend(below.into_iter().map(|given| self.case(need, given)));
                continue;
            };
            let may = |is: fn(&Rung) -> bool| {
                self.world.ladder(need).iter().zip(eligible).any(|(rung, eligible)| *eligible && is(rung))
            };
            let looks = may(looks_at_failure);
            let key = (
                eligible.clone(),
                looks.then(|| kind.clone()),
                Some(within).filter(|_| looks || may(|rung| rung.cap.is_some())),
            );
            let ends = match walks.get(&key) {
                Some(ends) => ends.clone(),
                None => {
                    let ends: Ends = Rc::new(self.walk(need, eligible, &given)?);
                    walks.insert(key, ends.clone());
                    ends
                }
            };
            if limited {
                for (given, (_, boxes)) in
                    below.iter().flat_map(|given| ends.iter().map(move |end| (given, end)))
                {
                    let given: Vec<Given> = boxes.iter().filter_map(|within| given.with(within)).collect();
                    cases.extend(given.into_iter().map(|given| self.case(need, given)));
                    enough(cases.len())?;
                }
                continue;
            }
            // On one rung, with one obligation, a kind is answered alike wherever that is.
            let answers: Vec<Option<Answered>> = ends
                .iter()
                .map(|(_, boxes)| self.answer(need, &boxes.first().and_then(|within| given.with(within))?))
                .collect();
            match alike.iter_mut().find(|(held, known, _)| Rc::ptr_eq(held, &ends) && *known == answers) {
                Some((_, _, held)) => held.or(&values),
                None => alike.push((ends, answers, values)),
            }
        }
        for (ends, answers, values) in alike {
            let given = Given::of(Variable::Condition(need), values);
            for ((_, boxes), answer) in ends.iter().zip(answers) {
                let boxes = boxes.iter().filter_map(|within| given.with(within));
                cases.extend(boxes.map(|given| Case { given, answer: answer.clone() }));
                enough(cases.len())?;
            }
        }
        Ok(self.fewer(cases))
    }

    /// What can be the case with the need itself, what the rules make the same of together.
    fn kinds(&mut self, need: DependencyId) -> Result<BTreeMap<(Kind, Vec<bool>), Values>, TooMany> {
        // Whether a cap in time runs out depends on what it is counted from.
        let capped: Vec<(u16, Variable)> = (0u16..)
            .zip(self.world.ladder(need))
            .filter_map(|(index, rung)| Some((index, self.world.counted_by_cap(need, index, rung)?)))
            .collect();
        let counts = !self.world.meters(need).is_empty();
        let mut kinds: BTreeMap<(Kind, Vec<bool>), Values> = BTreeMap::new();
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
            kinds.entry((kind, within)).or_default().insert(place);
            self.world.work.enough()?;
        }
        Ok(kinds)
    }

    /// The same in fewer cases.
    fn fewer(&self, cases: Vec<Case>) -> Vec<Case> {
        let mut by_answer: Vec<(Option<Answered>, Vec<Given>)> = Vec::new();
        for Case { given, answer } in cases {
            match by_answer.iter_mut().find(|(held, _)| *held == answer) {
                Some((_, boxes)) => boxes.push(given),
                None => by_answer.push((answer, Vec::from([given]))),
            }
        }
        let cases = by_answer.into_iter().flat_map(|(answer, boxes)| {
            let boxes = Given::fewer(boxes, self.world.domains, &self.world.work);
            boxes.into_iter().map(move |given| Case { given, answer: answer.clone() })
        });
        cases.collect()
    }

    /// Where no meter of the need is over its limit; where one is, the first that is answers.
    fn below(
        &mut self,
        need: DependencyId,
        given: Given,
        cases: &mut Vec<Case>,
    ) -> Result<Vec<Given>, TooMany> {
        let mut rest = Vec::from([given]);
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
            enough(below.len().saturating_add(cases.len()))?;
            self.world.work.enough()?;
            rest = below;
        }
        Ok(rest)
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

    /// Goes down a ladder with everything that comes to each rung, so that what passed it in many ways goes on as one.
    fn walk(
        &mut self,
        need: DependencyId,
        eligible: &[bool],
        own: &Given,
    ) -> Result<Vec<(End, Vec<Given>)>, TooMany> {
        let (domains, work) = (self.world.domains, self.world.work.clone());
        let fewer = |boxes| Given::fewer(boxes, domains, &work);
        let mut ends: Vec<(End, Vec<Given>)> = Vec::new();
        let mut held = BTreeMap::from([(Bar::Nothing, Vec::from([Given::default()]))]);
        let rungs = (0u16..).zip(self.world.ladder(need)).zip(eligible);
        for ((index, rung), _) in rungs.filter(|(_, eligible)| **eligible) {
            if held.keys().all(|bar| bar.rules_out(rung)) {
                continue;
            }
            let ways = self.ways(need, index, rung, own)?;
            let mut next: BTreeMap<Bar, Vec<Given>> = BTreeMap::new();
            let mut stands: Vec<(End, Vec<Given>)> = Vec::new();
            for (bar, boxes) in held {
                if bar.rules_out(rung) {
                    next.entry(bar).or_default().extend(boxes);
                    continue;
                }
                work.take(boxes.len().saturating_mul(ways.len()).saturating_mul(2))?;
                let pairs = boxes.iter().flat_map(|given| ways.iter().map(move |way| (given, way)));
                for (given, (way, outcome)) in pairs {
                    let Some(given) = given.with(way) else { continue };
                    match outcome {
                        Ok(obliges) => {
                            let end = Some((index, obliges.clone()));
                            match stands.iter_mut().find(|(held, _)| *held == end) {
                                Some((_, boxes)) => boxes.push(given),
                                None => stands.push((end, Vec::from([given]))),
                            }
                        }
                        Err(passed) => next.entry(bar.max(*passed)).or_default().push(given),
                    }
                }
            }
            ends.extend(stands.into_iter().map(|(end, boxes)| (end, fewer(boxes))));
            held = next.into_iter().map(|(bar, boxes)| (bar, fewer(boxes))).collect();
            enough(held.values().chain(ends.iter().map(|(_, boxes)| boxes)).map(Vec::len).sum())?;
        }
        let rest: Vec<Given> = held.into_values().flatten().collect();
        if !rest.is_empty() {
            ends.push((None, fewer(rest)));
        }
        Ok(ends)
    }

    /// What becomes of a rung that may answer, by what else is the case: what it obliges to, or what it rules out below.
    fn ways(
        &mut self,
        need: DependencyId,
        index: u16,
        rung: &Rung,
        own: &Given,
    ) -> Result<Vec<(Given, Becomes)>, TooMany> {
        let found = match self.known.get(&(need, index)) {
            Some(known) => known.clone(),
            None => {
                let variables = self.world.looked_at(need, &rung.action);
                let found: Rc<[Way]> = self.split((need, index, rung), &variables, own.clone())?.into();
                if !looks_at_failure(rung) {
                    self.known.insert((need, index), found.clone());
                }
                found
            }
        };
        let within = |way: &Way, given| {
            let Outcome { available, within_cap, .. } = &way.outcome;
            (given, available.clone().ok_or(*within_cap))
        };
        let Some(variable) = self.world.counted_by_cap(need, index, rung) else {
            return Ok(found.iter().map(|way| within(way, way.given.clone())).collect());
        };
        let (mut free, mut used_up) = (Values::none(), Values::none());
        for place in 0..self.world.domains.size(variable) {
            let here = own.and(variable, &Values::one(place));
            let is_within =
                here.and_then(|here| self.world.at(&here, |asking| within_cap(asking, need, index)));
            let of = if is_within == Some(false) { &mut used_up } else { &mut free };
            of.insert(place);
        }
        let ways = found.iter().flat_map(|way| {
            let free = way.given.and(variable, &free).map(|given| within(way, given));
            let used_up = way.given.and(variable, &used_up).map(|given| (given, Err(way.outcome.over_cap)));
            free.into_iter().chain(used_up)
        });
        Ok(ways.collect())
    }

    /// Goes through the variables that a rung looks at; values that make no difference to it stay together.
    fn split(
        &mut self,
        (need, index, rung): (DependencyId, u16, &Rung),
        variables: &[Variable],
        given: Given,
    ) -> Result<Vec<Way>, TooMany> {
        let Some((variable, rest)) = variables.split_first() else {
            self.world.work.take(given.len().saturating_mul(4))?;
            let outcome = self.world.at(&given, |asking| outcome(asking, need, index));
            return Ok(outcome.map(|outcome| Way { given: Given::default(), outcome }).into_iter().collect());
        };
        self.world.work.take(given.len().saturating_mul(8))?;
        if self.world.domains.size(*variable) > MOST_VALUES {
            return Err(TooMany);
        }
        let mut found: Vec<(Vec<Way>, Values)> = Vec::new();
        for values in self.world.groups(need, rung, *variable).iter() {
            let Some(given) = given.and(*variable, values) else { continue };
            let ways = self.split((need, index, rung), rest, given)?;
            if ways.len() > MOST_CASES {
                return Err(TooMany);
            }
            match found.iter_mut().find(|(held, _)| *held == ways) {
                Some((_, held)) => held.or(values),
                None => found.push((ways, values.clone())),
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

/// As a retry and a count do.
fn looks_at_failure(rung: &Rung) -> bool {
    matches!(rung.action, Action::Retry { .. } | Action::LocalMeter { .. })
}

/// At most so many values of one thing are told apart.
const MOST_VALUES: usize = 2_000;

fn enough(cases: usize) -> Result<(), TooMany> {
    if cases > MOST_CASES { Err(TooMany) } else { Ok(()) }
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
    let bar = |within_cap| asking.bar_of(&subject, failure, situation.health, rung, within_cap);
    let available = asking.available(&subject, failure, &situation, rung);
    Some(Outcome {
        available: available.map(|standing| standing.obligation),
        within_cap: bar(true),
        over_cap: bar(false),
    })
}
