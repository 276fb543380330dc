//! What is written alike (RST-11): rungs in their canonical form, with every `when.parameter` worked out.

use serde_json::{Value, json};

use crate::canonical;
use crate::document::{Dependency, Document, Operation, Rung, When};

/// The rungs of a ladder that nothing rules out, each with its place and its text.
pub(super) fn ladder(document: &Document, dependency: &Dependency) -> Vec<(usize, String)> {
    let mut rungs = Vec::new();
    for (place, rung) in dependency.on_failure.iter().enumerate() {
        if let Some(text) = text(document, rung, false) {
            rungs.push((place, text));
        }
    }
    rungs
}

/// The place of the new rung as which an old one goes on: of several alike the first as the first, and so on.
pub(super) fn counterpart(old: &[(usize, String)], new: &[(usize, String)], place: usize) -> Option<usize> {
    let (_, text) = old.iter().find(|(own, _)| *own == place)?;
    let alike_before = old.iter().filter(|(own, other)| *own < place && other == text).count();
    let (place, _) = new.iter().filter(|(_, other)| other == text).nth(alike_before)?;
    Some(*place)
}

/// An `on_refusal` as it is compared: the default is like one that is written (CAN-6). None where a parameter rules it
/// out.
pub(super) fn refusal(document: &Document, dependency: &Dependency) -> Option<String> {
    match &dependency.on_refusal {
        Some(written) => text(document, written, true),
        None => text(document, &canonical::plain_deny(), true),
    }
}

/// Whether two operations have lists `refuse` that are written alike.
pub(crate) fn same_refuse_rules(old: &Operation, new: &Operation) -> bool {
    let written = |operation: &Operation| {
        let rules: Vec<Value> = operation.refuse.iter().map(canonical::refuse_rule).collect();
        canonical::sorted(&json!(rules))
    };
    written(old) == written(new)
}

/// The text of a rung: a `when.parameter` that holds counts as not written; none where one rules the rung out.
fn text(document: &Document, rung: &Rung, refusal: bool) -> Option<String> {
    let mut rung = rung.clone();
    if let Some(when) = &mut rung.when {
        for (name, value) in when.parameter.take().unwrap_or_default() {
            let bound = document.parameters.iter().find(|parameter| parameter.name == name);
            if bound.is_none_or(|parameter| parameter.value != value) {
                return None;
            }
        }
        if narrows_nothing(when) {
            rung.when = None;
        }
    }
    Some(canonical::sorted(&canonical::rung(&rung, refusal)).to_string())
}

/// A `when` without keys is as none.
fn narrows_nothing(when: &When) -> bool {
    when.fault.is_none()
        && when.health.is_none()
        && when.effect.is_none()
        && when.stage.is_none()
        && when.operation.is_none()
        && when.class.is_none()
        && when.parameter.is_none()
}
