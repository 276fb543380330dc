//! Random valid traces (trace.md): small time steps that meet waits, lifetimes and deadlines, and few that leap.

use std::collections::BTreeMap;

use fastrand::Rng;
use serde_json::{Map, Value, json};

use super::{FAULTS, Flavour, Plan, chance, lives, maybe, meters, pick, scenes, snapshots, unheard, windows};

/// The permits that lines name.
const PERMITS: [&str; 4] = ["p1", "p2", "p3", "p4"];

/// The largest integer (DOC-3).
const LARGEST: i64 = (1 << 53) - 1;

/// What the trace remembers of itself.
#[derive(Default)]
struct Open {
    /// The operation of each named request that is not finished.
    requests: BTreeMap<String, String>,
    /// The permits that were asked for by name, so that outcomes name them.
    permits: Vec<(String, &'static str)>,
    /// The time of the last line.
    at: i64,
}

/// 5 to 40 lines; most plain traces are about health, and half of those about the first dependency alone. More where
/// meters are to fill.
pub(super) fn lines(rng: &mut Rng, plan: &Plan) -> Vec<Value> {
    let mut open = Open { at: pick(rng, &[0, 0, 0, 50, -100]), ..Open::default() };
    let healthy = plan.flavour == Flavour::Plain && chance(rng, 75);
    let alone = healthy && chance(rng, 50);
    let still = chance(rng, 10);
    let mut lines = Vec::new();
    let count = match plan.flavour {
        Flavour::Plain if healthy => rng.usize(12..=40),
        Flavour::Plain => rng.usize(5..=40),
        Flavour::Metered | Flavour::Focused => rng.usize(15..=60),
        Flavour::Windowed => rng.usize(30..=80),
        Flavour::Crowded => rng.usize(60..=150),
    };
    let mut scene = Vec::new();
    if plan.flavour == Flavour::Focused && chance(rng, 60) {
        scene = scenes::scene(rng, plan);
    }
    act(&mut open, &mut lines, scene);
    let again = rng.usize(0..=count / 2);
    let life = rng.usize(0..=count / 2);
    for place in 0..count {
        if place == again && chance(rng, unheard::often(plan)) {
            let scene = unheard::scene(rng, plan);
            act(&mut open, &mut lines, scene);
        }
        if place == life && chance(rng, lives::often(plan)) {
            let scene = lives::scene(rng, plan);
            act(&mut open, &mut lines, scene);
        }
        let mut line = Map::new();
        let moves = match plan.flavour {
            Flavour::Crowded => 30,
            Flavour::Windowed => 60,
            _ => 100,
        };
        if chance(rng, moves) {
            open.at = later(rng, open.at, still);
        }
        if chance(rng, 5) {
            // The clock steps back for this line; the next goes on from where time was.
            let back = pick(rng, &[1, 50, 1_000]);
            line.insert("at_ms".to_owned(), json!(open.at.saturating_sub(back)));
        } else if chance(rng, 95) {
            line.insert("at_ms".to_owned(), json!(open.at));
        }
        let (kind, part) = part(rng, plan, &mut open, healthy, alone);
        line.insert(kind.to_owned(), Value::Object(part));
        lines.push(Value::Object(line));
    }
    lines
}

/// The lines of a scene.
fn act(open: &mut Open, lines: &mut Vec<Value>, scene: Vec<scenes::Line>) {
    for (step, kind, part) in scene {
        open.at = open.at.saturating_add(step);
        lines.push(json!({ "at_ms": open.at, kind: part }));
    }
}

/// The time of the next line: a small step; now and then a leap, rarely to the end of time.
fn later(rng: &mut Rng, at: i64, still: bool) -> i64 {
    if still && chance(rng, 80) {
        return at;
    }
    let step = match rng.u32(0..200) {
        0..=3 => pick(rng, &[1_000, 10_000, 600_000]),
        // Not to the very end: there a moment to come can't be told from the present one.
        4 => pick(rng, &[LARGEST / 8, LARGEST / 4, LARGEST / 2]),
        _ => pick(rng, &[0, 0, 0, 1, 49, 50, 50, 50, 51, 100, 100, 101, 150, 200, 400]),
    };
    at.saturating_add(step).min(LARGEST - 1_000_000)
}

/// One line's kind and content.
fn part(
    rng: &mut Rng,
    plan: &Plan,
    open: &mut Open,
    healthy: bool,
    alone: bool,
) -> (&'static str, Map<String, Value>) {
    if plan.flavour != Flavour::Plain
        && let Some(answer) = of_meters(rng, plan)
    {
        return answer;
    }
    let mut kinds = vec!["outcome"; 9];
    kinds.extend(["call", "call", "call", "permit", "permit", "permit", "permit", "release"]);
    kinds.extend(["probe", "probe", "probe", "override", "override", "override", "advice", "restart"]);
    kinds.extend(["health", "health", "health", "health", "windows"]);
    if !alone {
        kinds.extend(["instances", "outbox", "finish", "advice", "windows"]);
    }
    if plan.flavour != Flavour::Plain {
        kinds.extend(["finish"; 10]);
    }
    if plan.flavour == Flavour::Focused {
        kinds = vec!["outcome", "override", "health", "probe", "restart", "windows"];
        kinds.extend(["finish"; 8]);
        kinds.extend(vec!["decide"; if plan.operations.is_empty() { 0 } else { 24 }]);
    } else if plan.flavour == Flavour::Windowed {
        kinds = windows::kinds(!plan.operations.is_empty());
    } else if !plan.operations.is_empty() {
        kinds.extend(vec!["decide"; if healthy { 10 } else { 30 }]);
    }
    let kind = pick(rng, &kinds);
    let mut map = Map::new();
    if !matches!(kind, "instances" | "decide" | "finish" | "advice" | "restart" | "windows") {
        map.insert("dependency".to_owned(), json!(dependency(rng, plan, alone)));
    }
    match kind {
        "outcome" => outcome(rng, open, &mut map),
        "call" => {
            let result = result(rng);
            maybe(rng, &mut map, 80, "result", json!(result));
            told_of_a_call(rng, &mut map);
        }
        "permit" | "release" => {
            let name = pick(rng, &PERMITS);
            if chance(rng, 70) {
                map.insert("permit".to_owned(), json!(name));
                if kind == "permit" {
                    open.permits.push((dependency_of(&map), name));
                }
            }
        }
        "probe" => {
            let result = pick(rng, &["up", "up", "up", "degraded", "down", "down"]);
            map.insert("result".to_owned(), json!(result));
        }
        "override" => set_override(rng, plan, &mut map),
        "advice" => {
            map.insert("source".to_owned(), json!(pick(rng, &["status-page", "peer"])));
            map.insert("dependency".to_owned(), json!(dependency(rng, plan, alone)));
            let says = pick(rng, &["degraded", "degraded", "down", "healthy", "unknown"]);
            map.insert("health".to_owned(), json!(says));
        }
        "instances" => {
            map.insert("count".to_owned(), json!(rng.u32(0..=4)));
        }
        "outbox" => {
            map.insert("depth".to_owned(), json!(rng.u32(0..=3)));
        }
        "restart" => restart(rng, plan, open, &mut map),
        "windows" => {
            let own = dependency(rng, plan, alone);
            maybe(rng, &mut map, 40, "dependency", json!(own));
        }
        "decide" => decide(rng, plan, open, &mut map),
        "finish" => {
            let name = request_name(rng, plan);
            map.insert("request".to_owned(), json!(name));
            amounts(rng, plan, &mut map, 60);
            open.requests.remove(name);
        }
        _ => {}
    }
    (kind, map)
}

/// Two lines of three in a metered trace are of meters, or ask; of a crowded one, more.
fn of_meters(rng: &mut Rng, plan: &Plan) -> Option<(&'static str, Map<String, Value>)> {
    let percent = match plan.flavour {
        Flavour::Crowded => 75,
        Flavour::Windowed => 8,
        _ => 35,
    };
    if !chance(rng, percent) {
        return None;
    }
    let mut map = Map::new();
    let kind =
        pick(rng, &["reading", "reading", "reading", "reading", "usage", "usage", "usage", "override"]);
    match kind {
        "reading" => meters::reading(rng, plan, &mut map),
        "usage" => meters::usage(rng, plan, &mut map),
        _ => meters::override_meter(rng, plan, &mut map),
    }
    Some((kind, map))
}

/// The name of a dependency; the first is met most, so that its thresholds are reached.
fn dependency(rng: &mut Rng, plan: &Plan, alone: bool) -> String {
    let names: Vec<String> = plan.dependencies.iter().map(|named| named.name.clone()).collect();
    let first = alone || chance(rng, 60);
    let place = if first { 0 } else { rng.usize(0..names.len().max(1)) };
    names.get(place).cloned().unwrap_or_default()
}

/// The dependency that a line names.
fn dependency_of(map: &Map<String, Value>) -> String {
    map.get("dependency").and_then(Value::as_str).unwrap_or("").to_owned()
}

/// The name of a request.
fn request_name(rng: &mut Rng, plan: &Plan) -> &'static str {
    let names = ["r1", "r2", "r3", "r4", "r5"];
    let count = match plan.flavour {
        Flavour::Focused => 2,
        Flavour::Plain => 3,
        _ => 5,
    };
    names.get(rng.usize(0..count)).copied().unwrap_or("r1")
}

/// A call's result: as many failures as successes.
fn result(rng: &mut Rng) -> &'static str {
    match rng.u32(0..10) {
        0..=3 => "ok",
        4 => "refused",
        5 | 6 => "timeout",
        _ => pick(rng, &FAULTS),
    }
}

/// An outcome with all its optional parts. It names a permit that was asked for, or any.
fn outcome(rng: &mut Rng, open: &mut Open, map: &mut Map<String, Value>) {
    map.insert("result".to_owned(), json!(result(rng)));
    let own = dependency_of(map);
    let asked: Vec<&'static str> =
        open.permits.iter().filter(|(name, _)| *name == own).map(|(_, permit)| *permit).collect();
    if !asked.is_empty() && chance(rng, 45) {
        map.insert("permit".to_owned(), json!(pick(rng, &asked)));
    } else {
        let permit = pick(rng, &PERMITS);
        maybe(rng, map, 8, "permit", json!(permit));
    }
    told_of_a_call(rng, map);
}

/// What may be told of a call besides its result.
fn told_of_a_call(rng: &mut Rng, map: &mut Map<String, Value>) {
    let latency = pick(rng, &[0, 3, 4, 5, 50, 51, 101, 101, -5, LARGEST, -LARGEST]);
    maybe(rng, map, 45, "latency_ms", json!(latency));
    let told = pick(rng, &[0, 1, 50, 60, 200, 500, 600_000, 700_000, LARGEST]);
    maybe(rng, map, 20, "retry_after_ms", json!(told));
    let had = pick(rng, &[0, 49, 50, 99, 100, 1_000]);
    maybe(rng, map, 12, "had_ms", json!(had));
}

/// An override of every kind, lifted or timed, signed or not.
fn set_override(rng: &mut Rng, plan: &Plan, map: &mut Map<String, Value>) {
    let mut kinds = vec!["", "", "open", "open", "half_open", "half_open", "closed", "reset"];
    kinds.extend(["forced_open", "disabled", "metrics_only", "metrics_only", "break_glass"]);
    let own = dependency_of(map);
    let declared = plan.dependencies.iter().any(|named| named.glass && named.name == own);
    if declared {
        kinds.extend(["break_glass"; 9]);
    }
    let to = pick(rng, &kinds);
    map.insert("to".to_owned(), if to.is_empty() { Value::Null } else { json!(to) });
    if !to.is_empty() {
        let duration = pick(rng, &[0, 50, 50, 100, 100, 200, 500, LARGEST]);
        maybe(rng, map, 50, "for_ms", json!(duration));
    }
    let signed = if to == "break_glass" { 85 } else { 30 };
    let by = pick(rng, &["ann", "ann", "ann", "ann", "ann", "ann", "ben", ""]);
    maybe(rng, map, signed, "by", json!(by));
    let reason = pick(rng, &["drill", "drill", "drill", "drill", "drill", "drill", "INC-7", ""]);
    maybe(rng, map, signed, "reason", json!(reason));
}

/// A restart; a snapshot is mostly restored with the time away known.
fn restart(rng: &mut Rng, plan: &Plan, open: &Open, map: &mut Map<String, Value>) {
    let mut away = pick(rng, &[0, 0, 1, 50, 50, 100, 150, 200, 500, 1_000, 60_000]);
    // Ages are at most 2^53 - 1: before zero there is no room for one.
    if open.at >= 0 && chance(rng, 3) {
        away = LARGEST / 64;
    }
    maybe(rng, map, 70, "away_ms", json!(away));
    if chance(rng, if plan.flavour == Flavour::Windowed { 20 } else { 35 }) {
        map.insert("snapshot".to_owned(), snapshots::snapshot(rng, plan));
    }
}

/// A decide line. A named request keeps its operation until it is finished.
fn decide(rng: &mut Rng, plan: &Plan, open: &mut Open, map: &mut Map<String, Value>) {
    let names: Vec<String> = plan.operations.iter().map(|operation| operation.name.clone()).collect();
    let focused = plan.flavour == Flavour::Focused;
    let mut operation = pick(rng, &names);
    if focused && chance(rng, 80) {
        operation = names.first().cloned().unwrap_or_default();
    }
    let request = if chance(rng, 60) { Some(request_name(rng, plan)) } else { None };
    if let Some(name) = request {
        operation = open.requests.entry(name.to_owned()).or_insert(operation).clone();
    }
    map.insert("operation".to_owned(), json!(operation));
    if let Some(name) = request {
        map.insert("request".to_owned(), json!(name));
    }
    let metered = plan.flavour != Flavour::Plain;
    let tenant = meters::tenant(rng, plan);
    maybe(rng, map, if metered { 90 } else { 50 }, "tenant", json!(tenant));
    let session = pick(rng, &["s1", "s2"]);
    maybe(rng, map, if focused { 3 } else { 20 }, "session", json!(session));
    if !plan.classes.is_empty() {
        let class = pick(rng, &plan.classes);
        maybe(rng, map, 40, "class", json!(class));
    }
    let mut faults = Map::new();
    for named in &plan.dependencies {
        let often = if focused || plan.flavour == Flavour::Windowed { 80 } else { 50 };
        if metered && faults.is_empty() && chance(rng, often) {
            // The store is the first: what is counted of it shows where it has failed.
            let mut told = vec!["timeout", "timeout", "unreachable", "ok"];
            if plan.flavour == Flavour::Windowed {
                // Several classes, so that several rungs answer in one window.
                told.extend(["timeout", "unavailable", "throttled", "exhausted"]);
            }
            faults.insert(named.name.clone(), json!(pick(rng, &told)));
            continue;
        }
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
    amounts(rng, plan, map, if focused { 80 } else { 30 });
    let mut stages = vec!["admit", "dispatch", "dispatch", "stream", "output", "persist"];
    if plan.flavour != Flavour::Plain {
        stages.extend(["stream", "stream"]);
    }
    let stage = pick(rng, &stages);
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
        table.insert(dependency(rng, plan, false), json!(pick(rng, values)));
    }
    map.insert(key.to_owned(), Value::Object(table));
}

/// Amounts for some meters.
fn amounts(rng: &mut Rng, plan: &Plan, map: &mut Map<String, Value>, percent: u32) {
    let mut table = Map::new();
    for meter in &plan.meters {
        let amount = match plan.flavour {
            // What stops at the largest number is corrected upward only (WIN-4).
            Flavour::Windowed if chance(rng, 1) => pick(rng, &[LARGEST, LARGEST - 1]),
            Flavour::Focused => rng.i64(0..=6),
            _ => rng.i64(0..=4),
        };
        maybe(rng, &mut table, percent, &meter.name, json!(amount));
    }
    if !table.is_empty() {
        map.insert("amounts".to_owned(), Value::Object(table));
    }
}
