//! Lines that were made for one matrix, fitted to another: names that it does not have are left out, or others stand in
//! their place.

use std::collections::BTreeMap;

use fastrand::Rng;
use serde_json::{Map, Value, json};

use super::{classes, names};
use crate::generate::{chance, maybe, pick};

/// What must be known of the lines so far.
#[derive(Default)]
pub(super) struct Fitting {
    /// The operation of each named request that has not finished.
    requests: BTreeMap<String, String>,
}

impl Fitting {
    /// A request that was open before goes on, and tells nothing new but perhaps its stage; none where there is none.
    pub(super) fn goes_on(&self, rng: &mut Rng, document: &Value) -> Option<Value> {
        let known = names(document.as_object()?, "operation");
        let open: Vec<(String, String)> = self.requests.clone().into_iter().collect();
        let (request, operation) = pick(rng, &open);
        if !known.contains(&operation) {
            return None;
        }
        let mut part = Map::new();
        part.insert("operation".to_owned(), json!(operation));
        part.insert("request".to_owned(), json!(request));
        maybe(rng, &mut part, 40, "stage", json!("output"));
        maybe(rng, &mut part, 40, "preview", json!(true));
        Some(json!({ "decide": part }))
    }

    /// A line as the matrix allows it; none where nothing is left of it.
    pub(super) fn fitted(&mut self, rng: &mut Rng, document: &Value, line: Value) -> Option<Value> {
        let document = document.as_object()?;
        let mut line = line.as_object()?.clone();
        let kind = line.keys().find(|key| *key != "at_ms")?.clone();
        let part = line.get_mut(&kind)?.as_object_mut()?;
        instead(rng, &names(document, "dependency"), part, "dependency")?;
        if part.contains_key("meter") {
            instead(rng, &names(document, "meter"), part, "meter")?;
            whole_key(document, &kind, part);
        }
        for key in ["faults", "cached_ms", "attempts", "retry_after_ms", "had_ms"] {
            known(&names(document, "dependency"), part, key);
        }
        if kind == "decide" || kind == "finish" {
            known(&names(document, "meter"), part, "amounts");
        }
        // What a request told before, it mostly does not tell again.
        let gone = |class: &str| !classes(document).iter().any(|known| known == class);
        if part.get("class").and_then(Value::as_str).is_some_and(gone) && chance(rng, 75) {
            part.remove("class");
        }
        instead(rng, &classes(document), part, "class")?;
        let request = part.get("request").and_then(Value::as_str).map(str::to_owned);
        match (kind.as_str(), request) {
            ("decide", None) => instead(rng, &names(document, "operation"), part, "operation")?,
            ("decide", Some(name)) => {
                // A request goes on with its operation, as long as there is one.
                if let Some(own) = self.requests.get(&name)
                    && names(document, "operation").contains(own)
                {
                    part.insert("operation".to_owned(), json!(own));
                }
                instead(rng, &names(document, "operation"), part, "operation")?;
                let operation = part.get("operation").and_then(Value::as_str).unwrap_or("").to_owned();
                let other = self.requests.get(&name).is_some_and(|own| *own != operation);
                let name = if other { format!("{name}.{operation}") } else { name };
                part.insert("request".to_owned(), json!(name));
                self.requests.insert(name, operation);
            }
            ("finish", Some(name)) => {
                self.requests.remove(&name);
            }
            _ => {}
        }
        Some(Value::Object(line))
    }
}

/// Where a name is told that there is not, one that there is; none where there is none at all.
fn instead(rng: &mut Rng, known: &[String], part: &mut Map<String, Value>, key: &str) -> Option<()> {
    let Some(name) = part.get(key).and_then(Value::as_str) else { return Some(()) };
    if known.iter().any(|other| other == name) {
        return Some(());
    }
    if known.is_empty() {
        return None;
    }
    part.insert(key.to_owned(), json!(pick(rng, known)));
    Some(())
}

/// Of a table that is keyed by names, those that there are.
fn known(known: &[String], part: &mut Map<String, Value>, key: &str) {
    if let Some(table) = part.get_mut(key).and_then(Value::as_object_mut) {
        table.retain(|name, _| known.contains(name));
    }
}

/// MET-38: an operator's limit has all names of a key, or none.
fn whole_key(document: &Map<String, Value>, kind: &str, part: &mut Map<String, Value>) {
    let meter = part.get("meter").and_then(Value::as_str).unwrap_or("");
    let key = document.get("meter").and_then(|meters| meters.get(meter)).and_then(|meter| meter.get("key"));
    let by_session = key.and_then(Value::as_array).is_some_and(|names| names.len() == 2);
    if kind == "override" && by_session && part.contains_key("tenant") && !part.contains_key("session") {
        part.insert("session".to_owned(), json!("s1"));
    }
}
