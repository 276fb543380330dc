//! Where worse health gives a looser answer (law 9), and no rung says so.

use alloc::collections::BTreeMap;
use alloc::format;
use alloc::string::String;
use alloc::vec::Vec;

use super::finding::{Code, Found};
use super::invariants::facts;
use super::ladders::rung_path;
use super::prover::{Need, Prover, View, smallest};
use super::rules::Rules;
use crate::answer::ReasonKind;
use crate::explore::{Answered, Case, Condition, Situation, Values, Variable};
use crate::{DependencyId, RungKind};

/// The smallest situation in which a rung answers more loosely than in a better health.
pub(super) type Looser = BTreeMap<(DependencyId, u16), (usize, Situation, String)>;

/// A rung, and the conditions of one dependency that are compared where it answers.
type Compared<'c> = (u16, DependencyId, &'c Values, Option<&'c Values>);

/// Every rung of a need that is looser where things are worse.
pub(super) fn looser(prover: &Prover<'_>, view: &View, need: &Need, rules: &Rules, found: &mut Looser) {
    let Ok(passed) = rules.passed() else { return };
    let Some(dependency) = prover.matrix.dependencies.get(need.id.index()) else { return };
    // The same groups of conditions meet in many pairs.
    let mut known: BTreeMap<Compared<'_>, Option<Values>> = BTreeMap::new();
    for case in &need.cases {
        let Some((answer, rung)) = case.answer.as_ref().and_then(|answer| Some((answer, by_rung(answer)?)))
        else {
            continue;
        };
        let Some(written) = dependency.ladder.get(usize::from(rung)) else { continue };
        let stricter = |other: &&Case| {
            other.answer.as_ref().is_some_and(|other| {
                other.verdict > answer.verdict && other.kind != ReasonKind::Rung(RungKind::Retry)
            })
        };
        for better in need.cases.iter().filter(stricter) {
            for (variable, values) in case.given.iter() {
                let Variable::Condition(id) = variable else { continue };
                let conditions = prover.domains.conditions(id);
                let said = |worse: &Condition| {
                    let health = worse
                        .ailment
                        .health()
                        .is_some_and(|health| written.when.health.names(health.number()));
                    let class = worse.ailment.rank().and_then(|(_, class)| class);
                    health || class.is_some_and(|class| written.when.fault.names(class.number()))
                };
                let theirs = better.given.get(variable);
                let worse = known
                    .entry((rung, id, values, theirs))
                    .or_insert_with(|| worse(conditions, values, theirs, said));
                let Some(worse) = worse else { continue };
                if !case.given.meets_but(&better.given, Some(variable)) {
                    continue;
                }
                let given = case.given.clone().without(variable);
                let given = given.with(&better.given.clone().without(variable));
                let Some(given) = given.and_then(|given| given.and(variable, worse)) else { continue };
                let size = smallest(prover.domains, &given).1.saturating_add(usize::from(passed.is_some()));
                if found.get(&(need.id, rung)).is_none_or(|(held, _, _)| size < *held) {
                    let (class, stage) = (need.of.1, need.of.2);
                    let facts = facts(prover.domains, &given, passed.clone());
                    let situation = Situation { operation: view.operation, class, stage, facts };
                    let what = told(prover, need.id, id, answer, better.answer.as_ref());
                    found.insert((need.id, rung), (size, situation, what));
                }
            }
        }
    }
}

fn by_rung(answer: &Answered) -> Option<u16> {
    answer.rung.filter(|_| !answer.refusal && matches!(answer.kind, ReasonKind::Rung(_)))
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
    answer: &Answered,
    better: Option<&Answered>,
) -> String {
    let (need, ill) = (prover.matrix.dependency_name(need), prover.matrix.dependency_name(ill));
    let better = better.map_or("stricter", |better| better.verdict.as_str());
    format!(
        "the worse {ill} is, the looser {need} answers: `{}` here, `{better}` where it is better",
        answer.verdict
    )
}

pub(super) fn told_of(prover: &Prover<'_>, looser: Looser, found: &mut Vec<Found>) {
    for ((id, rung), (_, situation, what)) in looser {
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
