//! Changes of a ladder: rungs come, go, move, and are written otherwise.

use fastrand::Rng;
use serde_json::{Map, Value, json};

use crate::generate::{Plan, chance, pick};

/// One change of a ladder.
pub(super) fn change(rng: &mut Rng, plan: &Plan, ladder: &mut Vec<Value>) {
    let place = rng.usize(0..=ladder.len());
    match rng.u32(0..10) {
        0..=2 => ladder.insert(place, new_rung(rng, ladder)),
        3 | 4 if place < ladder.len() => {
            ladder.remove(place);
        }
        5 | 6 if !ladder.is_empty() => {
            let other = rng.usize(0..ladder.len());
            let last = ladder.len() - 1;
            ladder.swap(place.min(last), other);
        }
        _ => {
            if let Some(rung) = ladder.get_mut(place) {
                *rung = rewritten(rng, plan, rung);
            }
        }
    }
    ladder.truncate(8);
}

/// A rung that may stand anywhere; or one as another of the ladder.
fn new_rung(rng: &mut Rng, ladder: &[Value]) -> Value {
    if chance(rng, 25) && !ladder.is_empty() {
        return pick(rng, ladder);
    }
    let rungs = [
        json!({ "allow": { "emit": "d.let.past" } }),
        json!({ "allow": true }),
        json!({ "deny": { "status": 500, "code": "NEW", "emit": "e.stopped" } }),
        json!({ "deny": { "when": { "fault": ["unreachable"] } } }),
        json!({ "defer": { "emit": "e.stopped" } }),
        json!({ "withhold": { "cap": { "requests": 2 } } }),
        json!({ "read_only": { "when": { "fault": ["timeout"] } } }),
        json!({ "last_known": { "max_age": "100ms", "of": "dependency" } }),
        json!({ "outbox": 2 }),
    ];
    pick(rng, &rungs)
}

/// The setting that a short form stands for (DOC-12).
fn required(kind: &str) -> &'static str {
    match kind {
        "retry" => "max_attempts",
        "fallback" => "to",
        "last_known" => "max_age",
        "local_meter" => "meter",
        "outbox" => "capacity",
        "least_bad" => "of",
        _ => "name",
    }
}

/// A rung with one setting changed; what is written at length may mean the same.
fn rewritten(rng: &mut Rng, plan: &Plan, rung: &Value) -> Value {
    let Some((kind, value)) = rung.as_object().and_then(|map| map.iter().next()) else { return rung.clone() };
    let mut settings = match value {
        Value::Object(map) => map.clone(),
        Value::Bool(_) => Map::new(),
        plain => Map::from_iter([(required(kind).to_owned(), plain.clone())]),
    };
    let written = match rng.u32(0..9) {
        0 => Some(("status", json!(pick(rng, &[418, 500, 503])))),
        1 => Some(("emit", json!(pick(rng, &["f.other", "a.degraded", "d.let.past"])))),
        2 => Some(("cap", json!({ "time": pick(rng, &["50ms", "200ms"]) }))),
        3 if !matches!(kind.as_str(), "deny" | "defer" | "retry") => {
            Some(("cap", json!({ "requests": rng.u32(1..=3), "total": chance(rng, 50) })))
        }
        4 => Some(("when", json!({ "fault": [pick(rng, &["timeout", "unavailable"])] }))),
        5 => Some(("when", json!({ "health": ["down", "probing"] }))),
        6 => by_parameter(rng, plan).map(|parameter| ("when", json!({ "parameter": parameter }))),
        7 => {
            settings.remove(pick(rng, &["when", "cap", "also", "status", "alert"]));
            None
        }
        _ => None,
    };
    settings.extend(written.map(|(key, value)| (key.to_owned(), value)));
    if settings.contains_key("reason") && !settings.contains_key("emit") && !settings.contains_key("alert") {
        settings.remove("reason");
    }
    json!({ kind.as_str(): settings })
}

/// A parameter and a value of its type; one that refers to itself holds.
fn by_parameter(rng: &mut Rng, plan: &Plan) -> Option<Value> {
    let usable: Vec<usize> = (0..plan.parameters.len()).collect();
    let parameter = plan.parameters.get(pick(rng, &usable))?;
    if chance(rng, 40) {
        return Some(json!({ parameter.name: format!("${}", parameter.name) }));
    }
    Some(json!({ parameter.name: parameter.default }))
}
