//! Mutants of presets: every rung deleted, loosened or silenced must be noticed by a vector of its row.

use serde_json::{Map, Value, json};

/// A change to one rung of a matrix.
#[derive(Debug)]
pub struct Mutant {
    /// Which rung, as the manifest names it.
    pub rung: String,
    /// What was done to it.
    pub what: String,
    /// The matrix with the change.
    pub matrix: Value,
}

/// Every rung of a matrix, as the manifest names it.
#[must_use]
pub fn rungs(matrix: &Value) -> Vec<String> {
    let mut rungs = Vec::new();
    for (name, dependency) in entries(matrix.get("dependency")) {
        for index in 0..dependency.get("on_failure").and_then(Value::as_array).map_or(0, Vec::len) {
            rungs.push(format!("dependency.{name}.on_failure.{index}"));
        }
        if dependency.get("on_refusal").is_some() {
            rungs.push(format!("dependency.{name}.on_refusal"));
        }
    }
    for (name, operation) in entries(matrix.get("operation")) {
        for index in 0..operation.get("refuse").and_then(Value::as_array).map_or(0, Vec::len) {
            rungs.push(format!("operation.{name}.refuse.{index}"));
        }
    }
    rungs
}

fn entries(value: Option<&Value>) -> impl Iterator<Item = (&String, &Value)> {
    value.and_then(Value::as_object).into_iter().flatten()
}

/// Every mutant of one rung.
#[must_use]
pub fn mutants(matrix: &Value, rung: &str) -> Vec<Mutant> {
    let pointer = format!("/{}", rung.replace('.', "/"));
    let Some(place) = matrix.pointer(&pointer) else { return Vec::new() };
    let mut mutants = Vec::new();
    let mut add = |what: String, change: Option<Value>| {
        let mut matrix = matrix.clone();
        match change {
            Some(value) => {
                if let Some(place) = matrix.pointer_mut(&pointer) {
                    *place = value;
                }
            }
            None => delete(&mut matrix, &pointer),
        }
        mutants.push(Mutant { rung: rung.to_string(), what, matrix });
    };
    add("deleted".into(), None);
    if rung.contains(".refuse.") {
        refuse_mutants(place, &mut add);
    } else {
        rung_mutants(place, rung.ends_with("on_refusal"), &mut add);
    }
    mutants
}

fn delete(matrix: &mut Value, pointer: &str) {
    let Some((parent, last)) = pointer.rsplit_once('/') else { return };
    match matrix.pointer_mut(parent) {
        Some(Value::Array(items)) => {
            if let Ok(index) = last.parse::<usize>() {
                items.remove(index);
            }
        }
        Some(Value::Object(table)) => {
            table.shift_remove(last);
        }
        _ => {}
    }
}

fn refuse_mutants(rule: &Value, add: &mut impl FnMut(String, Option<Value>)) {
    let Some(rule) = rule.as_object() else { return };
    if let Some(deny) = rule.get("deny").and_then(Value::as_object) {
        for key in deny.keys() {
            let mut changed = deny.clone();
            changed.shift_remove(key);
            let mut rule = rule.clone();
            rule.insert("deny".into(), Value::Object(changed));
            add(format!("without `{key}`"), Some(Value::Object(rule)));
        }
    }
    for (key, value) in entries(rule.get("when")) {
        let other = match value {
            Value::Array(names) => names.iter().rev().map(|_| json!("another")).collect(),
            Value::Object(pairs) => {
                pairs.keys().map(|name| (name.clone(), json!("another"))).collect::<Map<_, _>>().into()
            }
            _ => json!("another"),
        };
        // `same` on one name twice always holds or never: name two attributes that nobody tells differently.
        let other = if key == "same" { json!(["another", "a-third"]) } else { other };
        let mut rule = rule.clone();
        if let Some(when) = rule.get_mut("when").and_then(Value::as_object_mut) {
            when.insert(key.clone(), other);
        }
        add(format!("with another `{key}`"), Some(Value::Object(rule)));
    }
}

fn rung_mutants(rung: &Value, refusal: bool, add: &mut impl FnMut(String, Option<Value>)) {
    let Some((kind, value)) = rung.as_object().and_then(|rung| rung.iter().next()) else { return };
    let settings = long_form(kind, value);
    let rebuilt = |kind: &str, settings: &Map<String, Value>| Some(json!({ kind: settings }));

    // Looser kinds that keep what all rungs share.
    let common: Map<String, Value> = settings
        .iter()
        .filter(|(key, _)| {
            ["when", "also", "emit", "reason", "alert", "status", "code"].contains(&key.as_str())
        })
        .map(|(key, value)| (key.clone(), value.clone()))
        .collect();
    let looser: &[&str] = match (kind.as_str(), refusal) {
        ("deny", true) => &["defer", "withhold"],
        ("defer", true) => &["withhold"],
        (_, true) => &[],
        ("deny", false) => &["defer", "withhold", "allow"],
        ("defer" | "retry", false) => &["withhold", "allow"],
        ("allow", false) => &[],
        (_, false) => &["allow"],
    };
    for kind in looser {
        add(format!("`{kind}` in its place"), rebuilt(kind, &common));
    }

    for (key, value) in &settings {
        match (key.as_str(), value) {
            ("when", Value::Object(when)) => {
                for narrowed in when.keys() {
                    let mut changed = settings.clone();
                    if let Some(when) = changed.get_mut("when").and_then(Value::as_object_mut) {
                        when.shift_remove(narrowed);
                    }
                    add(format!("not narrowed by `{narrowed}`"), rebuilt(kind, &changed));
                }
                widened(kind, &settings, when, add);
            }
            ("emit" | "reason" | "alert" | "also" | "status" | "code", _) => {
                let mut changed = settings.clone();
                changed.shift_remove(key);
                // A reason without an event is a mistake of its own.
                if key == "emit" && !changed.contains_key("alert") {
                    changed.shift_remove("reason");
                }
                if key == "alert" && !changed.contains_key("emit") {
                    changed.shift_remove("reason");
                }
                add(format!("without `{key}`"), rebuilt(kind, &changed));
            }
            (_, Value::Number(_) | Value::String(_)) => {
                if let Some(looser) = looser_value(key, value) {
                    let mut changed = settings.clone();
                    changed.insert(key.clone(), looser.clone());
                    add(format!("`{key}` = {looser}"), rebuilt(kind, &changed));
                }
            }
            ("of", Value::Array(targets)) => {
                for index in 0..targets.len() {
                    let mut fewer = targets.clone();
                    fewer.remove(index);
                    if !fewer.is_empty() {
                        let mut changed = settings.clone();
                        changed.insert(key.clone(), fewer.into());
                        add(format!("without target {index}"), rebuilt(kind, &changed));
                    }
                }
            }
            _ => {}
        }
    }
}

/// Each entry of each list left out: what only that entry let through, or kept out, must be noticed.
fn widened(
    kind: &str,
    settings: &Map<String, Value>,
    when: &Map<String, Value>,
    add: &mut impl FnMut(String, Option<Value>),
) {
    for (key, list) in when.iter().filter_map(|(key, value)| Some((key, value.as_array()?))) {
        for (index, entry) in list.iter().enumerate().filter(|_| list.len() > 1) {
            let mut fewer = list.clone();
            fewer.remove(index);
            let mut changed = settings.clone();
            if let Some(when) = changed.get_mut("when").and_then(Value::as_object_mut) {
                when.insert(key.clone(), fewer.into());
            }
            add(format!("`{key}` without {entry}"), Some(json!({ kind: changed })));
        }
    }
}

fn long_form(kind: &str, value: &Value) -> Map<String, Value> {
    let required = match kind {
        "last_known" => "max_age",
        "fallback" => "to",
        "retry" => "max_attempts",
        "outbox" => "capacity",
        "local_meter" => "meter",
        "least_bad" => "of",
        "substitute" => "name",
        _ => "",
    };
    match value {
        Value::Object(settings) => settings.clone(),
        Value::Bool(true) => Map::new(),
        plain => Map::from_iter([(required.to_string(), plain.clone())]),
    }
}

/// One more than what was written: the smallest change that lets more through.
fn looser_value(key: &str, value: &Value) -> Option<Value> {
    match (key, value) {
        ("base" | "multiplier" | "jitter", Value::Number(number)) => {
            Some(json!(number.as_u64()?.saturating_add(1)).clone())
        }
        ("base", Value::String(text)) => Some(json!(shifted(text, -1)?)),
        ("max_age", Value::String(text)) => Some(json!(shifted(text, 1)?)),
        ("max_attempts" | "capacity" | "share", Value::Number(number)) => {
            Some(json!(number.as_u64()?.saturating_add(1)))
        }
        _ => None,
    }
}

/// A duration, some milliseconds longer.
fn shifted(text: &str, by: i64) -> Option<String> {
    let digits = text.trim_end_matches(|character: char| character.is_ascii_alphabetic());
    let unit = match text.get(digits.len()..)? {
        "ms" => 1,
        "s" => 1_000,
        "m" => 60_000,
        "h" => 3_600_000,
        "d" => 86_400_000,
        _ => return None,
    };
    Some(format!("{}ms", digits.parse::<i64>().ok()?.checked_mul(unit)?.checked_add(by)?))
}
