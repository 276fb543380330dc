//! Central rules, each with an answer worked out by hand from the text; and the generator's spread.

mod caps;
mod decisions;
mod lives;
mod machine;
mod meters;
mod proof;
mod readings;
mod reload;
mod restart;
mod spread;
mod state;
mod unheard;
mod windows;

use std::collections::BTreeMap;

use serde_json::{Value, json};

/// Runs a trace over a document in TOML, without bound parameters.
fn run(toml: &str, lines: Value) -> Vec<Value> {
    let document: Value = toml::from_str(toml).expect("TOML");
    let lines = lines.as_array().expect("a list of lines");
    crate::replay(&document, &BTreeMap::new(), lines).expect("a valid trace")
}

/// The decisions of an output, in order.
fn decisions(printed: &[Value]) -> Vec<&Value> {
    printed.iter().filter_map(|line| line.get("decision")).collect()
}

/// The events of an output, in order.
fn events(printed: &[Value]) -> Vec<&Value> {
    printed.iter().filter_map(|line| line.get("event")).collect()
}

/// The only decision of a trace that has one.
fn decision(toml: &str, lines: Value) -> Value {
    let printed = run(toml, lines);
    let all = decisions(&printed);
    assert_eq!(all.len(), 1);
    all[0].clone()
}

/// Some keys of a value, as a list.
fn parts(value: &Value, keys: &[&str]) -> Value {
    Value::Array(keys.iter().map(|key| value[*key].clone()).collect())
}

/// A guard with the ladder given, and one operation that needs it. One trial decides, and every wait is as long.
fn guard(ladder: &str) -> String {
    format!(
        "spec = 1\nname = \"m\"\n[dependency.g]\nrole = \"guard\"\ndeadline = \"100ms\"\non_failure = {ladder}\n\
         health = {{ consecutive_failure_threshold = 2, wait_duration_in_open_state = \"100ms\", \
         wait_interval_multiplier = 100, permitted_number_of_calls_in_half_open_state = 1 }}\n\
         [operation.o]\nneeds = [\"g\"]\n"
    )
}

/// A decide line of operation `o`.
fn ask(at: i64, mut rest: Value) -> Value {
    rest["operation"] = json!("o");
    json!({ "at_ms": at, "decide": rest })
}
