//! Reloads put into a case (10.3): now and then another matrix takes over, which is the one before with something
//! changed. The lines behind it name what the new matrix has, and mostly go on with what was open.

mod documents;
mod fit;
mod ladders;
mod repair;

use std::collections::BTreeMap;

use fastrand::Rng;
use serde_json::{Map, Value, json};

use super::{Case, Plan, chance, pick};
use fit::Fitting;

/// Puts one to three reloads into the trace of a case.
pub(super) fn put(rng: &mut Rng, plan: &Plan, case: &mut Case) {
    let mut places: Vec<usize> = Vec::new();
    let met: Vec<usize> = (0..case.lines.len()).filter(|place| leaves_open(case.lines.get(*place))).collect();
    for _ in 0..pick(rng, &[1, 1, 2, 2, 3, 4]) {
        // Mostly right behind a line that may have left something open.
        let anywhere = met.is_empty() || chance(rng, 25);
        places.push(if anywhere { rng.usize(0..=case.lines.len()) } else { pick(rng, &met) + 1 });
    }
    let first = (case.document.clone(), case.parameters.clone());
    let (mut document, mut parameters) = first.clone();
    let mut fitting = Fitting::default();
    let mut lines = Vec::new();
    for (place, line) in std::mem::take(&mut case.lines).into_iter().enumerate() {
        for _ in places.iter().filter(|own| **own == place) {
            (document, parameters) = if document != first.0 && chance(rng, 40) {
                first.clone()
            } else {
                (documents::changed(rng, plan, &document), bindings(rng, plan, &parameters))
            };
            lines.push(reload(rng, &document, &parameters, &line));
            if chance(rng, 40) {
                lines.push(json!({ "windows": {} }));
            }
            if chance(rng, 60) {
                lines.extend(fitting.goes_on(rng, &document));
            }
        }
        lines.extend(fitting.fitted(rng, &document, line));
    }
    case.lines = lines;
}

/// Whether a line is of a kind by which requests, windows, permits and circuits are open.
fn leaves_open(line: Option<&Value>) -> bool {
    let kinds = ["decide", "permit", "call", "outcome", "usage"];
    line.is_some_and(|line| kinds.iter().any(|kind| line.get(kind).is_some()))
}

/// The line: at the moment of the one before, or of the one behind it; now and then with the clock stepped back.
fn reload(rng: &mut Rng, document: &Value, parameters: &BTreeMap<String, String>, next: &Value) -> Value {
    let mut line = Map::new();
    if let Some(at) = next.get("at_ms").and_then(Value::as_i64) {
        let back = chance(rng, 3).then(|| at.saturating_sub(50));
        let at = back.or_else(|| chance(rng, 55).then_some(at));
        line.extend(at.map(|at| ("at_ms".to_owned(), json!(at))));
    }
    let mut part = Map::new();
    part.insert("document".to_owned(), document.clone());
    if !parameters.is_empty() || chance(rng, 20) {
        part.insert("parameters".to_owned(), json!(parameters));
    }
    line.insert("reload".to_owned(), Value::Object(part));
    Value::Object(line)
}

/// Mostly the same; else some of the parameters are bound anew. None is dropped from the document.
fn bindings(rng: &mut Rng, plan: &Plan, before: &BTreeMap<String, String>) -> BTreeMap<String, String> {
    if chance(rng, 75) { before.clone() } else { super::documents::bindings(rng, plan) }
}

/// The table under a key of a table; an empty one is put there where there is none.
fn table_mut<'a>(map: &'a mut Map<String, Value>, key: &str) -> Option<&'a mut Map<String, Value>> {
    map.entry(key).or_insert_with(|| json!({})).as_object_mut()
}

/// The names under a section.
fn names(document: &Map<String, Value>, section: &str) -> Vec<String> {
    let section = document.get(section).and_then(Value::as_object);
    section.map(|section| section.keys().cloned().collect()).unwrap_or_default()
}

/// The classes of a document.
fn classes(document: &Map<String, Value>) -> Vec<String> {
    let list = document.get("classes").and_then(Value::as_array);
    let named = |list: &Vec<Value>| list.iter().filter_map(Value::as_str).map(str::to_owned).collect();
    list.map_or_else(|| vec!["default".to_owned()], named)
}
