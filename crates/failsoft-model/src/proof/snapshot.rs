//! What the facts of a situation put in its snapshot (PRF-2, "told by"; the form is that of 10.2).

use serde_json::{Map, Value, json};

use super::fact::Fact;
use super::list::first_wait;
use crate::document::{Dependency, Document};
use crate::health::Health;

/// The snapshot with what the facts put there; none where no fact puts anything there.
pub(super) fn of(document: &Document, facts: &[&Fact]) -> Option<Value> {
    let mut dependencies = Map::new();
    for dependency in &document.dependencies {
        let told = of_dependency(document, dependency, facts);
        dependencies.extend(told.map(|told| (dependency.name.clone(), Value::Object(told))));
    }
    (!dependencies.is_empty()).then(|| json!({ "v": 1, "dependencies": dependencies }))
}

/// What is told of one dependency.
fn of_dependency(
    document: &Document,
    dependency: &Dependency,
    facts: &[&Fact],
) -> Option<Map<String, Value>> {
    let mut state = Map::new();
    // A row of its own makes older what other rows tell.
    let mut failed_for = 0;
    for fact in facts {
        if let Fact::FailedFor { dependency: of, time } = fact
            && *of == dependency.name
        {
            failed_for = *time;
        }
    }
    let (mut window, mut caps) = (false, Vec::new());
    let mut told = None;
    let mut anything = false;
    for fact in facts {
        match fact {
            Fact::Health { dependency: of, health, class } if *of == dependency.name => {
                let class = class.as_deref();
                told = Some(of_health(document, dependency, health, class, failed_for, &mut state));
            }
            Fact::LastOk { dependency: of, age } if *of == dependency.name => {
                state.insert("last_ok_age_ms".to_owned(), json!(age));
            }
            Fact::Outbox { dependency: of, depth } if *of == dependency.name => {
                state.insert("outbox_depth".to_owned(), json!(depth));
            }
            Fact::FailedFor { dependency: of, .. } if *of == dependency.name => window = true,
            Fact::Cap { dependency: of, rung, amount } if *of == dependency.name => {
                window = true;
                caps.push(json!({ "rung": rung, "amount": amount }));
            }
            _ => continue,
        }
        anything = true;
    }
    if window {
        let mut open = Map::new();
        open.insert("age_ms".to_owned(), json!(failed_for));
        open.insert("last_age_ms".to_owned(), json!(0));
        if !caps.is_empty() {
            open.insert("caps".to_owned(), Value::Array(caps));
        }
        state.insert("window_open".to_owned(), Value::Object(open));
    }
    if !anything {
        return None;
    }
    let told = told.unwrap_or_else(|| at_the_beginning(dependency, failed_for, &mut state));
    state.insert("told".to_owned(), json!(told));
    Some(state)
}

/// The rows of health. The health that comes of it.
fn of_health(
    document: &Document,
    dependency: &Dependency,
    health: &str,
    class: Option<&str>,
    failed_for: i64,
    state: &mut Map<String, Value>,
) -> &'static str {
    let mut put = |key: &str, value: Value| {
        state.insert(key.to_owned(), value);
    };
    let told = match health {
        "well" => {
            put("signal_age_ms", json!(0));
            return "healthy";
        }
        "degraded" => {
            put("degraded_by_probe", json!(true));
            put("signal_age_ms", json!(0));
            put("probe_age_ms", json!(0));
            "degraded"
        }
        "advised" => {
            put("advice", json!([{ "source": "advice", "left_ms": document.signal_ttl }]));
            // Advice that has nothing left lapses at once.
            if document.signal_ttl > 0 { "degraded" } else { "unknown" }
        }
        "held" => {
            put("override", json!({ "to": "forced_open", "age_ms": failed_for }));
            "down"
        }
        "skipped" => {
            let mut glass =
                json!({ "to": "break_glass", "age_ms": failed_for, "by": "check", "reason": "check" });
            if let Some(longest) = dependency.break_glass {
                glass["left_ms"] = json!(longest);
            }
            put("override", glass);
            return "unknown";
        }
        _ => {
            let wait = if health == "down" { first_wait(dependency).max(1) } else { 0 };
            put("circuit", json!("open"));
            put("wait_left_ms", json!(wait));
            put("open_attempts", json!(1));
            put("consecutive_failures", json!(1));
            put("last_failure", json!(class));
            if class.is_some_and(|class| ["auth", "payment", "indeterminate"].contains(&class)) {
                put("sticky", json!(class));
            }
            put("signal_age_ms", json!(0));
            if health == "down" { "down" } else { "probing" }
        }
    };
    put("ailing_age_ms", json!(failed_for));
    told
}

/// What a new engine would save of a dependency that nothing is told of: its `initial_state` (HLT-1). The health of that.
fn at_the_beginning(
    dependency: &Dependency,
    failed_for: i64,
    state: &mut Map<String, Value>,
) -> &'static str {
    let mut begins = Health::new(dependency, 0);
    // A wait of no length is over at once (HLT-2).
    begins.advance(0);
    let mut put = |key: &str, value: Value| {
        state.insert(key.to_owned(), value);
    };
    match dependency.health.initial_state.as_str() {
        "open" => {
            put("circuit", json!("open"));
            put("wait_left_ms", json!(begins.wait_left(0).unwrap_or(0)));
            put("opened_by", json!("initial_state"));
            put("open_attempts", json!(1));
            put("last_failure", json!("unavailable"));
            put("ailing_age_ms", json!(failed_for));
        }
        stands @ ("forced_open" | "disabled" | "metrics_only") => {
            put("override", json!({ "to": stands, "age_ms": failed_for, "initial": true }));
            if stands == "forced_open" {
                put("ailing_age_ms", json!(failed_for));
            }
        }
        _ => {}
    }
    begins.shown()
}
