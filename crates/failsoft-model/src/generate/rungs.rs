//! Random valid rungs of every kind, in short and long forms (spec 1.4).

use fastrand::Rng;
use serde_json::{Map, Value, json};

use super::{
    FAULTS, Flavour, Named, Plan, STAGES, chance, duration, maybe, meters, or_parameter, pick, small, some_of,
};

/// One rung of a ladder.
pub(super) fn rung(rng: &mut Rng, plan: &Plan, named: &Named) -> Value {
    let (kind, mut settings, required) = kind(rng, plan, named);
    common(rng, plan, &mut settings);
    if chance(rng, if plan.flavour == Flavour::Plain { 15 } else { 35 }) {
        settings.insert("cap".to_owned(), meters::cap(rng, plan, kind));
    }
    if chance(rng, 45) {
        let when = when(rng, plan, Some((named, kind, &settings)));
        if !when.is_empty() {
            settings.insert("when".to_owned(), Value::Object(when));
        }
    }
    shortened(rng, kind, settings, required)
}

/// A guard's or server's `on_refusal`: no `when.fault`, and only kinds that may stand there.
pub(super) fn on_refusal(rng: &mut Rng, plan: &Plan, named: &Named) -> Value {
    let kinds: &[&str] = if named.role == "serve" {
        &["deny", "withhold", "defer", "skip_tool", "substitute"]
    } else {
        &["deny", "withhold", "defer"]
    };
    let kind = pick(rng, kinds);
    let mut settings = Map::new();
    let mut required = None;
    if kind == "substitute" {
        settings.insert("name".to_owned(), json!("canned_answer"));
        required = Some("name");
    }
    common(rng, plan, &mut settings);
    if chance(rng, 40) {
        let mut when = when(rng, plan, None);
        when.remove("fault");
        if !when.is_empty() {
            settings.insert("when".to_owned(), Value::Object(when));
        }
    }
    shortened(rng, kind, settings, required)
}

/// The short form, where there is nothing but the one required setting, now and then.
fn shortened(rng: &mut Rng, kind: &str, settings: Map<String, Value>, required: Option<&str>) -> Value {
    let short = match required {
        None if settings.is_empty() => Some(json!(true)),
        Some(key) if settings.len() == 1 => settings.get(key).cloned(),
        _ => None,
    };
    match short {
        Some(value) if chance(rng, 60) => json!({ kind: value }),
        _ => json!({ kind: settings }),
    }
}

/// A kind that may stand on this dependency, with its own settings and the name of the required one.
fn kind(
    rng: &mut Rng,
    plan: &Plan,
    named: &Named,
) -> (&'static str, Map<String, Value>, Option<&'static str>) {
    let others: Vec<String> = plan
        .dependencies
        .iter()
        .filter(|other| other.name != named.name)
        .map(|other| other.name.clone())
        .collect();
    let mut kinds = vec![
        "allow",
        "allow",
        "deny",
        "defer",
        "withhold",
        "retry",
        "retry",
        "last_known",
        "last_known",
        "last_known",
        "outbox",
        "metadata_only",
        "drop_telemetry",
        "skip_tool",
        "read_only",
        "substitute",
    ];
    if !others.is_empty() {
        kinds.extend(["fallback", "fallback"]);
    }
    if !others.is_empty() && named.role == "serve" {
        kinds.extend(["least_bad", "least_bad"]);
    }
    let own_meters: Vec<usize> =
        (0..plan.meters.len()).filter(|place| store_of(plan, *place) == named.name).collect();
    if !own_meters.is_empty() {
        kinds.extend(["local_meter"; 8]);
    }
    let kind = pick(rng, &kinds);
    let mut map = Map::new();
    let required = match kind {
        "retry" => {
            map.insert("max_attempts".to_owned(), json!(rng.u32(1..=4)));
            let base = duration(rng, plan);
            maybe(rng, &mut map, 60, "base", base);
            let multiplier = pick(rng, &[100, 150, 333]);
            maybe(rng, &mut map, 50, "multiplier", json!(multiplier));
            let jitter = pick(rng, &[0, 33, 100]);
            maybe(rng, &mut map, 50, "jitter", json!(jitter));
            Some("max_attempts")
        }
        "last_known" => {
            map.insert("max_age".to_owned(), duration(rng, plan));
            let of = pick(rng, &["request", "dependency", "dependency"]);
            maybe(rng, &mut map, 70, "of", json!(of));
            Some("max_age")
        }
        "outbox" => {
            map.insert("capacity".to_owned(), small(rng, plan));
            Some("capacity")
        }
        "substitute" => {
            map.insert("name".to_owned(), json!(pick(rng, &["canned_answer", "stub"])));
            Some("name")
        }
        "fallback" => {
            map.insert("to".to_owned(), json!(pick(rng, &others)));
            Some("to")
        }
        "least_bad" => {
            let names: Vec<&str> = others.iter().map(String::as_str).collect();
            map.insert("of".to_owned(), json!(some_of(rng, &names, 3)));
            Some("of")
        }
        "local_meter" => {
            let place = pick(rng, &own_meters);
            if let Some(meter) = plan.meters.get(place) {
                map.insert("meter".to_owned(), json!(meter.name));
                let percent = pick(rng, &[1, 33, 50, 100]);
                if !meter.has_max_instances || chance(rng, 30) {
                    map.insert("share".to_owned(), json!(percent));
                } else {
                    maybe(rng, &mut map, 30, "share", json!("per_instance"));
                }
            }
            Some("meter")
        }
        _ => None,
    };
    (kind, map, required)
}

/// The store of a meter.
fn store_of(plan: &Plan, place: usize) -> &str {
    plan.meters.get(place).map_or("", |meter| meter.store.as_str())
}

/// The settings that every rung takes, `when` aside. A `reason` never stands without `emit` or `alert`.
pub(super) fn common(rng: &mut Rng, plan: &Plan, map: &mut Map<String, Value>) {
    if chance(rng, 45) {
        return;
    }
    let names = ["metadata_only", "drop_telemetry", "skip_tool", "read_only", "notify_owner", "log_it"];
    let also = some_of(rng, &names, 2);
    maybe(rng, map, 35, "also", json!(also));
    let emit = pick(rng, &["a.degraded", "b.failed", "c.flagged.v1"]);
    maybe(rng, map, 50, "emit", json!(emit));
    maybe(rng, map, 25, "alert", json!("page"));
    if map.contains_key("emit") || map.contains_key("alert") {
        let reason = pick(rng, &["WHY_A", "said so"]);
        maybe(rng, map, 30, "reason", json!(reason));
    }
    let status = pick(rng, &[200, 207, 409, 429, 503]);
    maybe(rng, map, 30, "status", json!(status));
    let code = json!(pick(rng, &["CODE_A", "CODE_B"]));
    let code = or_parameter(rng, plan, "p_code", code);
    maybe(rng, map, 30, "code", code);
}

/// What a rung is narrowed to: usually one key, sometimes more. `standing` is the dependency, kind and settings
/// of a rung of a ladder, for which some names would be mistakes (DOC-19, DOC-20).
fn when(
    rng: &mut Rng,
    plan: &Plan,
    standing: Option<(&Named, &str, &Map<String, Value>)>,
) -> Map<String, Value> {
    let mut map = Map::new();
    let mut keys = vec!["fault", "fault", "health", "health", "effect", "effect", "stage", "class"];
    if !plan.operations.is_empty() {
        keys.push("operation");
    }
    if plan.parameters.iter().any(|parameter| parameter.name != "p_code") {
        keys.push("parameter");
    }
    let count = pick(rng, &[1, 1, 1, 2, 3]);
    for _ in 0..count {
        match pick(rng, &keys) {
            "fault" => {
                let faults = some_of(rng, &FAULTS, 4);
                let faults = faults.into_iter().filter(|fault| may_name_fault(standing, fault));
                let faults: Vec<String> = faults.collect();
                if !faults.is_empty() {
                    map.insert("fault".to_owned(), json!(faults));
                }
            }
            "health" => {
                let healths = ["degraded", "degraded", "down", "probing", "healthy", "unknown"];
                let mut healths = some_of(rng, &healths, 3);
                healths.sort();
                healths.dedup();
                map.insert("health".to_owned(), json!(healths));
            }
            "effect" => {
                let effects = some_of(rng, &["irreversible", "irreversible", "read", "write"], 3);
                let mut effects: Vec<String> = effects
                    .into_iter()
                    .filter(|effect| effect != "irreversible" || may_be_irreversible(plan, standing))
                    .collect();
                effects.sort();
                effects.dedup();
                if !effects.is_empty() {
                    map.insert("effect".to_owned(), json!(effects));
                }
            }
            "stage" => {
                map.insert("stage".to_owned(), json!(some_of(rng, &STAGES, 4)));
            }
            "operation" => {
                let names: Vec<&str> =
                    plan.operations.iter().map(|operation| operation.name.as_str()).collect();
                map.insert("operation".to_owned(), json!(some_of(rng, &names, 3)));
            }
            "class" => {
                let mut names: Vec<&str> = plan.classes.iter().map(String::as_str).collect();
                if names.is_empty() {
                    names.push("default");
                }
                map.insert("class".to_owned(), json!(some_of(rng, &names, 2)));
            }
            _ => {
                map.insert("parameter".to_owned(), parameter(rng, plan));
            }
        }
    }
    map
}

/// A table of one parameter and a value of its type, or a reference to itself, which always holds.
fn parameter(rng: &mut Rng, plan: &Plan) -> Value {
    let usable: Vec<usize> = (0..plan.parameters.len())
        .filter(|place| plan.parameters.get(*place).is_some_and(|parameter| parameter.name != "p_code"))
        .collect();
    let Some(parameter) = plan.parameters.get(pick(rng, &usable)) else {
        return json!({});
    };
    if chance(rng, 10) {
        return json!({ parameter.name: format!("${}", parameter.name) });
    }
    let text = pick(rng, &parameter.values);
    let value = match &parameter.default {
        Value::Bool(_) => json!(text == "true"),
        Value::Number(_) => json!(text.parse::<i64>().unwrap_or(0)),
        _ => json!(text),
    };
    json!({ parameter.name: value })
}

/// DOC-20: a guard's rung that names the caller's faults may not let the request go on.
fn may_name_fault(standing: Option<(&Named, &str, &Map<String, Value>)>, fault: &str) -> bool {
    let Some((named, kind, _)) = standing else {
        return true;
    };
    let callers = fault == "rejected" || fault == "cancelled";
    !callers || named.role != "guard" || matches!(kind, "deny" | "defer" | "retry")
}

/// DOC-19: a guard's rung that names `irreversible` may only be one of a few kinds.
fn may_be_irreversible(plan: &Plan, standing: Option<(&Named, &str, &Map<String, Value>)>) -> bool {
    let Some((named, kind, settings)) = standing else {
        return true;
    };
    if named.role != "guard" {
        return true;
    }
    let to_guard = plan.dependencies.iter().any(|other| {
        other.role == "guard" && settings.get("to").and_then(Value::as_str) == Some(other.name.as_str())
    });
    matches!(kind, "last_known" | "local_meter" | "deny" | "defer") || (kind == "fallback" && to_guard)
}
