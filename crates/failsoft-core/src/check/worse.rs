//! Where worse health gives a looser answer (law 9), and no rung says so.

use alloc::collections::{BTreeMap, BTreeSet};
use alloc::format;
use alloc::string::String;
use alloc::vec::Vec;

use super::finding::{Code, Found};
use super::invariants::facts;
use super::ladders::rung_path;
use super::prover::{Need, Prover, View, smallest};
use super::rules::Rules;
use crate::answer::ReasonKind;
use crate::explore::{Answered, Case, Condition, Given, Situation, Values, Variable};
use crate::matrix::Rung;
use crate::{DependencyId, Path, RungKind, Verdict};

/// Rungs that answer more loosely than in a better health.
#[derive(Default)]
pub(super) struct Looser {
    /// The smallest situation that shows it, and what it shows.
    found: BTreeMap<(DependencyId, u16), (usize, Situation, String)>,
    /// Needs that were gone through: again only where nothing has to be told to let them be looked at.
    known: BTreeMap<usize, bool>,
    /// Needs of which nothing is said.
    too_many: BTreeSet<DependencyId>,
}

/// Every rung of a need that is looser where things are worse.
pub(super) fn looser(prover: &Prover<'_>, view: &View, need: &Need, rules: &Rules, looser: &mut Looser) {
    let Ok(passed) = rules.passed() else { return };
    if looser.known.get(&need.number).is_some_and(|told| !told || passed.is_some()) {
        return;
    }
    looser.known.insert(need.number, passed.is_some());
    let Some(dependency) = prover.matrix.dependencies.get(need.id.index()) else { return };
    for (rung, verdict) in by_rung(&need.cases) {
        let Some(written) = dependency.ladder.get(usize::from(rung)) else { continue };
        let mine = need.cases.iter().filter(|case| is_by(case, rung, verdict));
        let mine = alike(prover, mine);
        let strict = need.cases.iter().filter(|case| is_stricter(case, verdict));
        let strict = alike(prover, strict);
        if prover.work.take(mine.len().saturating_mul(strict.len()).saturating_mul(4)).is_err() {
            looser.too_many.insert(need.id);
            return;
        }
        // The same groups of conditions meet in many pairs.
        let mut known: BTreeMap<Compared<'_>, Option<Values>> = BTreeMap::new();
        for (given, better) in mine.iter().flat_map(|given| strict.iter().map(move |better| (given, better)))
        {
            for (variable, values) in given.iter() {
                let Variable::Condition(id) = variable else { continue };
                if !given.meets_but(better, Some(variable)) {
                    continue;
                }
                let conditions = prover.domains.conditions(id);
                let theirs = better.get(variable);
                let worse = known.entry((id, values, theirs)).or_insert_with(|| {
                    worse(conditions, values, theirs, |condition| is_named(condition, written))
                });
                let Some(worse) = worse else { continue };
                let both = given.clone().without(variable).with(&better.clone().without(variable));
                let Some(given) = both.and_then(|given| given.and(variable, worse)) else { continue };
                let size = smallest(prover.domains, &given).1.saturating_add(usize::from(passed.is_some()));
                if looser.found.get(&(need.id, rung)).is_none_or(|(held, _, _)| size < *held) {
                    let (class, stage) = view.first();
                    let facts = facts(prover.domains, &given, passed.clone());
                    let situation = Situation { operation: view.operation, class, stage, facts };
                    let places = smallest(prover.domains, &given).0;
                    let there = better_of(conditions, theirs, (variable, &places));
                    let stricter = need.cases.iter().find(|case| {
                        is_stricter(case, verdict)
                            && there.as_ref().is_some_and(|there| case.given.meets(there))
                    });
                    let stricter = stricter.and_then(|case| case.answer.as_ref());
                    let what = told(prover, need.id, id, verdict, stricter);
                    looser.found.insert((need.id, rung), (size, situation, what));
                }
            }
        }
    }
}

/// A dependency, and its conditions in two boxes.
type Compared<'c> = (DependencyId, &'c Values, Option<&'c Values>);

/// Rungs, and the verdicts with which they answer.
fn by_rung(cases: &[Case]) -> BTreeSet<(u16, Verdict)> {
    let of = |case: &Case| case.answer.as_ref().and_then(|answer| Some((rung_of(answer)?, answer.verdict)));
    cases.iter().filter_map(of).collect()
}

fn is_by(case: &Case, rung: u16, verdict: Verdict) -> bool {
    case.answer.as_ref().is_some_and(|answer| rung_of(answer) == Some(rung) && answer.verdict == verdict)
}

fn is_stricter(case: &Case, verdict: Verdict) -> bool {
    case.answer
        .as_ref()
        .is_some_and(|other| other.verdict > verdict && other.kind != ReasonKind::Rung(RungKind::Retry))
}

/// Where these cases are, in as few boxes as may be.
fn alike<'c>(prover: &Prover<'_>, cases: impl Iterator<Item = &'c Case>) -> Vec<Given> {
    Given::fewer(cases.map(|case| case.given.clone()).collect(), prover.domains, &prover.work)
}

/// Whether the rung says that it is meant for this health or class.
fn is_named(worse: &Condition, written: &Rung) -> bool {
    let health = worse.ailment.health().is_some_and(|health| written.when.health.names(health.number()));
    let class = worse.ailment.rank().and_then(|(_, class)| class);
    health || class.is_some_and(|class| written.when.fault.names(class.number()))
}

fn rung_of(answer: &Answered) -> Option<u16> {
    answer.rung.filter(|_| !answer.refusal && matches!(answer.kind, ReasonKind::Rung(_)))
}

/// The same situation where that dependency is better.
fn better_of(
    conditions: &[Condition],
    theirs: Option<&Values>,
    (variable, places): (Variable, &[(Variable, usize)]),
) -> Option<Given> {
    let worse =
        places.iter().find(|(held, _)| *held == variable).and_then(|(_, place)| conditions.get(*place))?;
    let better = (0..).zip(conditions).find(|(place, condition)| {
        theirs.is_none_or(|theirs| theirs.contains(*place)) && is_worse(worse, condition)
    });
    let (better, _) = better?;
    places.iter().try_fold(Given::default(), |given, (held, place)| {
        given.and(*held, &Values::one(if *held == variable { better } else { *place }))
    })
}

/// Of these conditions those that are worse than one of the others, and not named.
fn worse(
    conditions: &[Condition],
    values: &Values,
    others: Option<&Values>,
    said: impl Fn(&Condition) -> bool,
) -> Option<Values> {
    let better: Vec<&Condition> = match others {
        Some(others) => others.iter().filter_map(|place| conditions.get(place)).collect(),
        None => conditions.iter().collect(),
    };
    let mut worse = Values::none();
    for place in values.iter() {
        let Some(condition) = conditions.get(place) else { continue };
        if !said(condition) && better.iter().any(|better| is_worse(condition, better)) {
            worse.insert(place);
        }
    }
    Some(worse).filter(|worse| worse.first().is_some())
}

fn is_worse(worse: &Condition, better: &Condition) -> bool {
    let same_class = |one: Option<crate::Fault>, other: Option<crate::Fault>| {
        one.is_none() || other.is_none() || one == other
    };
    worse.report == better.report
        && match (worse.ailment.rank(), better.ailment.rank()) {
            (Some((worse, one)), Some((better, other))) => worse > better && same_class(one, other),
            _ => false,
        }
}

fn told(
    prover: &Prover<'_>,
    need: DependencyId,
    ill: DependencyId,
    verdict: Verdict,
    better: Option<&Answered>,
) -> String {
    let (need, ill) = (prover.matrix.dependency_name(need), prover.matrix.dependency_name(ill));
    let better = better.map_or("stricter", |better| better.verdict.as_str());
    format!("the worse {ill} is, the looser {need} answers: `{verdict}` here, `{better}` where it is better")
}

pub(super) fn told_of(prover: &Prover<'_>, looser: Looser, found: &mut Vec<Found>) {
    for id in &looser.too_many {
        let path = Path::root().key("dependency").key(prover.matrix.dependency_name(*id)).key("on_failure");
        found.push(super::too_large(path, "whether it is looser where things are worse"));
    }
    for ((id, rung), (_, situation, what)) in looser.found {
        found.push(Found {
            code: Code::WorseIsLooser,
            path: rung_path(prover, id, rung),
            what,
            help: Some(String::from(
                "name the health in this rung's `when` if it is meant, or move the stricter rung",
            )),
            situation: Some(situation),
        });
    }
}
