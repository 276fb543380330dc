//! With which attributes each refuse rule of an operation is the first that holds (PRF-2, `rule`). A search of its own,
//! through every combination of values that could make a difference.

use std::collections::BTreeMap;

use crate::decide::rule_holds;
use crate::document::{Operation, RefuseRule};

/// For a rule's place, or for none, attributes with which it is the first that holds.
pub(super) type Attributes = Vec<(Option<usize>, BTreeMap<String, String>)>;

/// So many combinations are tried; an operation with more is told as an error, never searched in part.
const MOST: usize = 500_000;

/// The rules, and null, that are the first with some attributes and not without any.
pub(super) fn search(operation: &Operation) -> Result<Attributes, String> {
    let rules = &operation.refuse;
    let without = first(rules, &BTreeMap::new());
    let mut found: BTreeMap<Option<usize>, BTreeMap<String, String>> = BTreeMap::new();
    let choices = choices(rules);
    let all = choices.iter().try_fold(1_usize, |all, (_, values)| {
        all.checked_mul(values.len().saturating_add(1)).filter(|all| *all <= MOST)
    });
    let all = all.ok_or_else(|| format!("{}: too many attributes to search through", operation.name))?;
    for number in 0..all {
        let mut rest = number;
        let mut attributes = BTreeMap::new();
        for (name, values) in &choices {
            let each = values.len().saturating_add(1);
            // The first choice is not to tell it.
            let choice = rest.checked_rem(each).unwrap_or(0);
            rest = rest.checked_div(each).unwrap_or(0);
            if let Some(value) = choice.checked_sub(1).and_then(|place| values.get(place)) {
                attributes.insert(name.clone(), value.clone());
            }
        }
        let rule = first(rules, &attributes);
        let fewer = found.get(&rule).is_none_or(|best| attributes.len() < best.len());
        if rule != without && fewer {
            found.insert(rule, attributes);
        }
    }
    // The places in order, null last.
    let mut found: Attributes = found.into_iter().collect();
    found.sort_by_key(|(rule, _)| rule.unwrap_or(usize::MAX));
    Ok(found)
}

/// DEC-11.
fn first(rules: &[RefuseRule], attributes: &BTreeMap<String, String>) -> Option<usize> {
    rules.iter().position(|rule| rule_holds(attributes, rule))
}

/// The attributes that the rules name, each with the values that may make a difference: those that the rules mention for
/// it or for one that it is compared with, be it through others; and as many fresh values as there are of these, so
/// that all of them can differ and any of them can be alike.
fn choices(rules: &[RefuseRule]) -> Vec<(String, Vec<String>)> {
    let mut names: Vec<String> = Vec::new();
    for rule in rules {
        let same = rule.same.iter().flat_map(|(first, second)| [first, second]);
        let equal = rule.equals.iter().flatten().map(|(name, _)| name);
        names.extend(rule.present.iter().chain(same).chain(equal).cloned());
    }
    names.sort();
    names.dedup();
    let mentioned: Vec<(String, String)> =
        rules.iter().flat_map(|rule| rule.equals.iter().flatten().cloned()).collect();
    let mut choices = Vec::new();
    for name in &names {
        let group = compared(rules, name);
        let mut values: Vec<String> = Vec::new();
        for (of, value) in &mentioned {
            if group.contains(of) && !values.contains(value) {
                values.push(value.clone());
            }
        }
        let fresh = (0_usize..).map(|number| format!("fresh{number}"));
        let unused = fresh.filter(|value| mentioned.iter().all(|(_, other)| other != value));
        values.extend(unused.take(group.len()));
        choices.push((name.clone(), values));
    }
    choices
}

/// An attribute and all that it is compared with, directly or through others.
fn compared(rules: &[RefuseRule], name: &str) -> Vec<String> {
    let mut group = vec![name.to_owned()];
    let mut place = 0;
    while let Some(member) = group.get(place).cloned() {
        for (first, second) in rules.iter().filter_map(|rule| rule.same.as_ref()) {
            for (from, to) in [(first, second), (second, first)] {
                if *from == member && !group.contains(to) {
                    group.push(to.clone());
                }
            }
        }
        place += 1;
    }
    group
}
