//! A situation as a trace (PRF-1).

use serde_json::{Map, Value, json};

use super::fact::Fact;
use super::{REQUEST, snapshot};
use crate::document::Document;
use crate::json::LARGEST;

/// What is asked in a situation, its facts aside.
#[derive(Clone, Copy)]
pub(super) struct Question<'a> {
    pub(super) operation: &'a str,
    pub(super) class: &'a str,
    pub(super) stage: &'a str,
}

/// The whole trace.
pub(super) fn lines(
    document: &Document,
    question: &Question<'_>,
    facts: &[&Fact],
) -> Result<Vec<Value>, String> {
    document.operation(question.operation)?;
    let (mut lines, now) = before(document, question, facts);
    lines.push(json!({ "at_ms": now, "decide": last(document, question, facts) }));
    Ok(lines)
}

/// All lines but the last, and the moment of those that tell a situation. A report of a dependency that has failed for
/// a time is as old as that: it was told in a preview so long before. (Of several, each is so long before the end.)
pub(super) fn before(document: &Document, question: &Question<'_>, facts: &[&Fact]) -> (Vec<Value>, i64) {
    let mut early = Vec::new();
    for fact in facts {
        if let Fact::FailedFor { dependency, time } = fact
            && let Some(result) = met(facts, dependency)
            && document.dependency(dependency).is_ok()
        {
            early.push((*time, dependency, result));
        }
    }
    early.sort_by_key(|(time, _, _)| LARGEST.saturating_sub(*time));
    let now = early.first().map_or(0, |(time, _, _)| *time);
    let mut lines = Vec::new();
    for (time, dependency, result) in early {
        let mut faults = Map::new();
        faults.insert(dependency.clone(), json!(result));
        let part =
            json!({ "operation": question.operation, "request": REQUEST, "faults": faults, "preview": true });
        lines.push(json!({ "at_ms": now.saturating_sub(time), "decide": part }));
    }
    let mut line = |kind: &str, part: Value| {
        let mut line = Map::new();
        line.insert("at_ms".to_owned(), json!(now));
        line.insert(kind.to_owned(), part);
        lines.push(Value::Object(line));
    };
    if let Some(snapshot) = snapshot::of(document, facts) {
        line("restart", json!({ "away_ms": 0, "snapshot": snapshot }));
    }
    for fact in facts {
        if let Fact::Health { dependency, health, .. } = fact
            && health == "spent"
            && let Ok(found) = document.dependency(dependency)
        {
            for _ in 0..found.health.permitted_calls {
                line("permit", json!({ "dependency": dependency }));
            }
        }
    }
    for fact in facts {
        if let Fact::Used { meter, amount } = fact
            && document.meter(meter).is_ok()
        {
            line("usage", json!({ "meter": meter, "amount": amount }));
        }
    }
    for fact in facts {
        if let Fact::Reading { meter, used } = fact
            && document.meter(meter).is_ok()
        {
            let told = json!({ "meter": meter, "used": used, "limit": used, "mode": "block" });
            line("reading", told);
        }
    }
    (lines, now)
}

/// The parts of the last line, which asks.
pub(super) fn last(document: &Document, question: &Question<'_>, facts: &[&Fact]) -> Value {
    let mut parts = Map::new();
    let mut put = |key: &str, value: Value| {
        parts.insert(key.to_owned(), value);
    };
    put("operation", json!(question.operation));
    put("request", json!(REQUEST));
    put("class", json!(question.class));
    put("stage", json!(question.stage));
    let mut of_dependency = |key: &str, told: Map<String, Value>| {
        if !told.is_empty() {
            put(key, Value::Object(told));
        }
    };
    let pairs = |told: &dyn Fn(&Fact) -> Option<(String, Value)>| -> Map<String, Value> {
        let told = facts.iter().filter_map(|fact| told(fact));
        told.filter(|(dependency, _)| document.dependency(dependency).is_ok()).collect()
    };
    let faults = pairs(&|fact| match fact {
        Fact::Met { dependency, result } => Some((dependency.clone(), json!(result))),
        _ => None,
    });
    of_dependency("faults", faults);
    let cached = pairs(&|fact| match fact {
        Fact::Cached { dependency, age } => Some((dependency.clone(), json!(age))),
        _ => None,
    });
    of_dependency("cached_ms", cached);
    let attempts = pairs(&|fact| match fact {
        Fact::Attempts { dependency, attempts } => Some((dependency.clone(), json!(attempts))),
        _ => None,
    });
    of_dependency("attempts", attempts);
    for fact in facts {
        match fact {
            Fact::Remaining { time } => put("remaining_ms", json!(time)),
            Fact::Rule { attributes: Some(attributes), .. } => put("attributes", json!(attributes)),
            _ => {}
        }
    }
    put("preview", json!(true));
    Value::Object(parts)
}

/// What the request met at a dependency.
fn met<'a>(facts: &[&'a Fact], of: &str) -> Option<&'a String> {
    facts.iter().find_map(|fact| match fact {
        Fact::Met { dependency, result } if dependency == of => Some(result),
        _ => None,
    })
}

/// Whether a fact is told before the last line, so that it makes the state in which that asks.
pub(super) fn is_told_before(fact: &Fact, facts: &[&Fact]) -> bool {
    let failed = |of: &String| {
        facts.iter().any(|fact| matches!(fact, Fact::FailedFor { dependency, .. } if dependency == of))
    };
    match fact {
        Fact::Met { dependency, .. } => failed(dependency),
        fact => fact.of_engine(),
    }
}
