//! Random valid traces (trace.md): small time steps that meet waits, lifetimes and deadlines.

use std::collections::BTreeMap;

use fastrand::Rng;
use serde_json::{Map, Value, json};

use super::{FAULTS, Plan, chance, maybe, pick};

/// The permits that lines name.
const PERMITS: [&str; 3] = ["p1", "p2", "p3"];

/// What the trace remembers of itself: the operation of each named request that is not finished.
type Open = BTreeMap<String, String>;

/// 5 to 40 lines.
pub(super) fn lines(rng: &mut Rng, plan: &Plan) -> Vec<Value> {
    let mut open = Open::new();
    let mut at: i64 = pick(rng, &[0, 0, 0, 50, -100]);
    let mut lines = Vec::new();
    for _ in 0..rng.usize(5..=40) {
        let mut line = Map::new();
        at = at.saturating_add(pick(rng, &[0, 0, 1, 49, 50, 50, 50, 100, 100, 150, 200, 400]));
        if chance(rng, 5) {
            // The clock steps back for this line; the next goes on from where time was.
            let back = pick(rng, &[1, 50, 1_000]);
            line.insert("at_ms".to_owned(), json!(at.saturating_sub(back)));
        } else if chance(rng, 95) {
            line.insert("at_ms".to_owned(), json!(at));
        }
        let (kind, part) = part(rng, plan, &mut open);
        line.insert(kind.to_owned(), Value::Object(part));
        lines.push(Value::Object(line));
    }
    lines
}

/// One line's kind and content.
fn part(rng: &mut Rng, plan: &Plan, open: &mut Open) -> (&'static str, Map<String, Value>) {
    let mut kinds = vec![
        "outcome",
        "outcome",
        "outcome",
        "outcome",
        "outcome",
        "call",
        "call",
        "permit",
        "permit",
        "release",
        "probe",
        "probe",
        "override",
        "override",
        "advice",
        "advice",
        "instances",
        "outbox",
        "health",
        "health",
        "finish",
    ];
    if !plan.operations.is_empty() {
        kinds.extend(["decide"; 18]);
    }
    let kind = pick(rng, &kinds);
    let mut map = Map::new();
    if !matches!(kind, "instances" | "decide" | "finish" | "advice") {
        map.insert("dependency".to_owned(), json!(dependency(rng, plan)));
    }
    match kind {
        "outcome" => outcome(rng, &mut map),
        "call" => {
            let result = result(rng);
            maybe(rng, &mut map, 75, "result", json!(result));
            maybe(rng, &mut map, 30, "latency_ms", json!(5));
        }
        "permit" | "release" => {
            let name = pick(rng, &PERMITS);
            maybe(rng, &mut map, 70, "permit", json!(name));
        }
        "probe" => {
            map.insert("result".to_owned(), json!(pick(rng, &["up", "up", "degraded", "down", "down"])));
        }
        "override" => set_override(rng, &mut map),
        "advice" => {
            map.insert("source".to_owned(), json!(pick(rng, &["status-page", "peer"])));
            map.insert("dependency".to_owned(), json!(dependency(rng, plan)));
            let says = pick(rng, &["degraded", "degraded", "down", "healthy", "unknown"]);
            map.insert("health".to_owned(), json!(says));
        }
        "instances" => {
            map.insert("count".to_owned(), json!(rng.u32(0..=4)));
        }
        "outbox" => {
            map.insert("depth".to_owned(), json!(rng.u32(0..=3)));
        }
        "decide" => decide(rng, plan, open, &mut map),
        "finish" => {
            let name = request_name(rng);
            map.insert("request".to_owned(), json!(name));
            amounts(rng, plan, &mut map, 60);
            open.remove(name);
        }
        _ => {}
    }
    (kind, map)
}

/// The name of a dependency; the first is met most, so that its thresholds are reached.
fn dependency(rng: &mut Rng, plan: &Plan) -> String {
    let names: Vec<String> = plan.dependencies.iter().map(|named| named.name.clone()).collect();
    let place = if chance(rng, 50) { 0 } else { rng.usize(0..names.len().max(1)) };
    names.get(place).cloned().unwrap_or_default()
}

/// The name of a request.
fn request_name(rng: &mut Rng) -> &'static str {
    pick(rng, &["r1", "r2", "r3"])
}

/// A call's result: as many failures as successes.
fn result(rng: &mut Rng) -> &'static str {
    match rng.u32(0..10) {
        0..=2 => "ok",
        3 => "refused",
        4 | 5 => "timeout",
        _ => pick(rng, &FAULTS),
    }
}

/// An outcome with all its optional parts.
fn outcome(rng: &mut Rng, map: &mut Map<String, Value>) {
    map.insert("result".to_owned(), json!(result(rng)));
    let permit = pick(rng, &PERMITS);
    maybe(rng, map, 25, "permit", json!(permit));
    maybe(rng, map, 20, "latency_ms", json!(3));
    let told = pick(rng, &[0, 50, 200, 600_000, 700_000]);
    maybe(rng, map, 15, "retry_after_ms", json!(told));
    let had = pick(rng, &[0, 49, 50, 99, 100, 1_000]);
    maybe(rng, map, 20, "had_ms", json!(had));
}

/// An override of every kind, lifted or timed.
fn set_override(rng: &mut Rng, map: &mut Map<String, Value>) {
    let to = pick(
        rng,
        &["", "", "open", "open", "half_open", "closed", "reset", "forced_open", "disabled", "metrics_only"],
    );
    map.insert("to".to_owned(), if to.is_empty() { Value::Null } else { json!(to) });
    if !to.is_empty() {
        let duration = pick(rng, &[50, 100, 100, 200, 500]);
        maybe(rng, map, 50, "for_ms", json!(duration));
    }
    maybe(rng, map, 30, "by", json!("ann"));
    maybe(rng, map, 30, "reason", json!("drill"));
}

/// A decide line. A named request keeps its operation until it is finished.
fn decide(rng: &mut Rng, plan: &Plan, open: &mut Open, map: &mut Map<String, Value>) {
    let names: Vec<String> = plan.operations.iter().map(|operation| operation.name.clone()).collect();
    let mut operation = pick(rng, &names);
    let request = if chance(rng, 60) { Some(request_name(rng)) } else { None };
    if let Some(name) = request {
        operation = open.entry(name.to_owned()).or_insert(operation).clone();
    }
    map.insert("operation".to_owned(), json!(operation));
    if let Some(name) = request {
        map.insert("request".to_owned(), json!(name));
    }
    let tenant = pick(rng, &["t1", "t1", "t2", "t3"]);
    maybe(rng, map, 50, "tenant", json!(tenant));
    let session = pick(rng, &["s1", "s2"]);
    maybe(rng, map, 20, "session", json!(session));
    if !plan.classes.is_empty() {
        let class = pick(rng, &plan.classes);
        maybe(rng, map, 40, "class", json!(class));
    }
    let mut faults = Map::new();
    for named in &plan.dependencies {
        // A request reports on many of its guards, so that irreversible operations come through.
        if chance(rng, 35) {
            let told = if chance(rng, 35) { "ok" } else { result(rng) };
            faults.insert(named.name.clone(), json!(told));
        }
    }
    if !faults.is_empty() {
        map.insert("faults".to_owned(), Value::Object(faults));
    }
    per_dependency(rng, plan, map, "cached_ms", &[0, 50, 100, 200, 500], 45);
    per_dependency(rng, plan, map, "attempts", &[1, 2, 3, 4], 20);
    per_dependency(rng, plan, map, "retry_after_ms", &[0, 50, 100, 1_400], 20);
    per_dependency(rng, plan, map, "had_ms", &[0, 49, 50, 99, 100, 1_000], 25);
    let mut attributes = Map::new();
    for name in ["a", "b"] {
        let value = pick(rng, &["x", "x", "y", ""]);
        maybe(rng, &mut attributes, 30, name, json!(value));
    }
    if !attributes.is_empty() {
        map.insert("attributes".to_owned(), Value::Object(attributes));
    }
    amounts(rng, plan, map, 30);
    let stage = pick(rng, &["admit", "dispatch", "dispatch", "stream", "output", "persist"]);
    maybe(rng, map, 40, "stage", json!(stage));
    let remaining = pick(rng, &[0, 49, 50, 100, 150, 200, 1_000, 5_000]);
    maybe(rng, map, 30, "remaining_ms", json!(remaining));
    let preview = chance(rng, 60);
    maybe(rng, map, 25, "preview", json!(preview));
}

/// A table keyed by dependency, now and then.
fn per_dependency(
    rng: &mut Rng,
    plan: &Plan,
    map: &mut Map<String, Value>,
    key: &str,
    values: &[i64],
    percent: u32,
) {
    if !chance(rng, percent) {
        return;
    }
    let mut table = Map::new();
    for _ in 0..rng.usize(1..=2) {
        table.insert(dependency(rng, plan), json!(pick(rng, values)));
    }
    map.insert(key.to_owned(), Value::Object(table));
}

/// Amounts for some meters.
fn amounts(rng: &mut Rng, plan: &Plan, map: &mut Map<String, Value>, percent: u32) {
    let mut table = Map::new();
    for meter in &plan.meters {
        let amount = rng.u32(0..=4);
        maybe(rng, &mut table, percent, &meter.name, json!(amount));
    }
    if !table.is_empty() {
        map.insert("amounts".to_owned(), Value::Object(table));
    }
}
