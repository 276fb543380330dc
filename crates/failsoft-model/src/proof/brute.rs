//! Every set of facts drawn from a pool, with at most one of each slot, and what is found in them.

use std::collections::BTreeMap;

use serde_json::Value;

use super::fact::Fact;
use super::play::Player;
use super::tell::Question;
use super::{Whole, slot};
use crate::decide::first_rule;

/// The smallest situation in which something is so (PRF-3); of one size the first that was gone through.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Smallest {
    /// The number of its facts.
    pub size: usize,
    /// Its facts.
    pub facts: Vec<Value>,
}

/// How an invariant was held.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Held {
    /// Its place in the document's list.
    pub place: usize,
    /// Where its `when` is so.
    pub when: Option<Smallest>,
    /// Where it is broken.
    pub broken: Option<Smallest>,
}

/// An answer, as a decision's reasons tell it (PRF-25).
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Answer {
    /// None of a refuse rule and of `max_unchecked`.
    pub dependency: Option<String>,
    /// None of a ladder that ran out.
    pub rung: Option<i64>,
    /// The kind.
    pub kind: String,
    /// `refused`, the class, or none.
    pub fault: Option<String>,
    /// Nothing speaks against the dependency but advice.
    pub by_advice_alone: bool,
}

/// What was found.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Brute {
    /// How many situations were played.
    pub situations: u64,
    /// The invariants of the operation, as written.
    pub invariants: Vec<Held>,
    /// Every answer that stands in the reasons of some decision.
    pub answers: BTreeMap<Answer, Smallest>,
    /// For each refuse rule of the operation, where it decides.
    pub rules: Vec<Option<Smallest>>,
}

/// What is kept of one situation.
struct Seen {
    decision: Value,
    /// Of each invariant, whether its `when` is so.
    when: Vec<bool>,
    rule: Option<usize>,
}

/// Plays every situation of a question whose facts are drawn from a pool.
///
/// # Errors
/// Where a fact cannot be read, or a situation cannot be played.
pub fn brute(
    whole: &Whole,
    operation: &str,
    class: &str,
    stage: &str,
    pool: &[Value],
) -> Result<Brute, String> {
    let pool = whole.read(operation, pool)?;
    let own: Vec<_> = whole.invariants.iter().filter(|invariant| invariant.operation == operation).collect();
    let mut found = Brute::default();
    for invariant in &own {
        found.invariants.push(Held { place: invariant.place, when: None, broken: None });
    }
    found.rules = vec![None; whole.document.operation(operation)?.refuse.len()];
    let mut player = Player::new(whole, Question { operation, class, stage });
    each_set(&pool, &mut |facts| {
        let seen = player.play(facts, |asked, decision| {
            let mut when = Vec::new();
            for invariant in &own {
                when.push(invariant.when_is_so(asked)?);
            }
            let rule = first_rule(asked).map(|(place, _)| place);
            Ok(Seen { decision: decision.json, when, rule })
        })?;
        found.situations = found.situations.saturating_add(1);
        for ((held, invariant), when) in found.invariants.iter_mut().zip(&own).zip(&seen.when) {
            if *when {
                keep(&mut held.when, facts);
                if invariant.is_broken_by(&seen.decision) {
                    keep(&mut held.broken, facts);
                }
            }
        }
        if let Some(rule) = seen.rule.and_then(|place| found.rules.get_mut(place)) {
            keep(rule, facts);
        }
        for reason in seen.decision.get("reasons").and_then(Value::as_array).into_iter().flatten() {
            let answer = answer(reason, facts);
            match found.answers.get_mut(&answer) {
                Some(smallest) if smallest.size <= facts.len() => {}
                Some(smallest) => *smallest = situation(facts),
                None => {
                    found.answers.insert(answer, situation(facts));
                }
            }
        }
        Ok(())
    })?;
    Ok(found)
}

/// An answer as its reason tells it.
fn answer(reason: &Value, facts: &[&Fact]) -> Answer {
    let text = |key: &str| reason.get(key).and_then(Value::as_str).map(str::to_owned);
    let dependency = text("dependency");
    let said = |kind: &str| {
        facts.iter().map(|fact| fact.json()).any(|fact| {
            let told = |key: &str| fact.get(key).and_then(Value::as_str);
            told("fact") == Some(kind) && told("dependency") == dependency.as_deref()
        })
    };
    Answer {
        by_advice_alone: said("advised") && !said("met"),
        dependency,
        rung: reason.get("rung").and_then(Value::as_i64),
        kind: text("kind").unwrap_or_default(),
        fault: text("fault"),
    }
}

/// Keeps a situation where it is the first, or smaller.
pub(super) fn keep(smallest: &mut Option<Smallest>, facts: &[&Fact]) {
    if smallest.as_ref().is_none_or(|smallest| facts.len() < smallest.size) {
        *smallest = Some(situation(facts));
    }
}

/// A situation as it is told.
fn situation(facts: &[&Fact]) -> Smallest {
    Smallest { size: facts.len(), facts: facts.iter().map(|fact| fact.json()).collect() }
}

/// How many sets there are in a pool; at most `u64::MAX`.
#[must_use]
pub fn sets(pool: &[Value]) -> u64 {
    let mut sizes: BTreeMap<String, u64> = BTreeMap::new();
    for fact in pool {
        let size = sizes.entry(slot(fact)).or_insert(1);
        *size = size.saturating_add(1);
    }
    sizes.values().fold(1, |all, size| all.saturating_mul(*size))
}

/// Visits every set. What is told to the engine varies slowest, and then what the request met, so that most lines of
/// one situation are those of the one before.
pub(super) fn each_set(
    pool: &[Fact],
    visit: &mut dyn FnMut(&[&Fact]) -> Result<(), String>,
) -> Result<(), String> {
    let mut slots: Vec<(u8, String, Vec<&Fact>)> = Vec::new();
    for fact in pool {
        let name = fact.slot();
        match slots.iter_mut().find(|(_, slot, _)| *slot == name) {
            Some((_, _, facts)) => facts.push(fact),
            None => {
                let order = match fact {
                    Fact::Met { .. } => 1,
                    fact => {
                        if fact.of_engine() {
                            0
                        } else {
                            2
                        }
                    }
                };
                slots.push((order, name, vec![fact]));
            }
        }
    }
    slots.sort_by_key(|(order, _, _)| *order);
    let slots: Vec<Vec<&Fact>> = slots.into_iter().map(|(_, _, facts)| facts).collect();
    choose(&slots, &mut Vec::new(), visit)
}

/// Of the first slot nothing, then each of its facts; and with each all sets of the slots that follow.
fn choose<'a>(
    slots: &[Vec<&'a Fact>],
    chosen: &mut Vec<&'a Fact>,
    visit: &mut dyn FnMut(&[&Fact]) -> Result<(), String>,
) -> Result<(), String> {
    let Some((first, rest)) = slots.split_first() else { return visit(chosen) };
    choose(rest, chosen, visit)?;
    for fact in first {
        chosen.push(fact);
        choose(rest, chosen, visit)?;
        chosen.pop();
    }
    Ok(())
}
