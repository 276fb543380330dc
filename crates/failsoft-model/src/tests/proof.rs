//! Situations (spec 11), each answer worked out by hand from the text.

mod brute;
mod diff;
mod told;

use std::collections::BTreeMap;

use serde_json::{Value, json};

use crate::proof::{Asked, Whole};

/// A document in TOML, read once.
fn whole(toml: &str) -> Whole {
    let document: Value = toml::from_str(toml).expect("TOML");
    Whole::new(&document, &BTreeMap::new()).expect("a document")
}

/// A fact of a dependency.
fn of(fact: &str, dependency: &str) -> Value {
    json!({ "fact": fact, "dependency": dependency })
}

/// A failed health of `g`, by a class.
fn failed(fact: &str, class: &str) -> Value {
    json!({ "fact": fact, "dependency": "g", "class": class })
}

/// What the request met at a dependency.
fn met(dependency: &str, result: &str) -> Value {
    json!({ "fact": "met", "dependency": dependency, "result": result })
}

/// The situation of operation `o` at `admit`, played.
fn asked(whole: &Whole, facts: Value) -> Asked {
    let facts = facts.as_array().expect("a list of facts");
    let asked = whole.decide("o", "default", "admit", facts).expect("a situation");
    // The trace that is told, played line by line, prints the same.
    let lines = whole.lines("o", "default", "admit", facts).expect("lines");
    let last = whole.replay(&lines).expect("a trace").pop().expect("a decision");
    assert_eq!(last["decision"], asked.decision);
    asked
}

/// The verdict, and of the first reason the rung, the kind, the health and the fault.
fn told(asked: &Asked) -> Value {
    let reason = &asked.decision["reasons"][0];
    json!([asked.decision["verdict"], reason["rung"], reason["kind"], reason["health"], reason["fault"]])
}
