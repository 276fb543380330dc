//! What the store has not heard (MET-40): a request commits while its store is fine, and again when that has failed, or
//! the other way round; it is settled by time or by its `finish`, and the outage ends.

use fastrand::Rng;
use serde_json::{Map, Value, json};

use super::scenes::{Line, reading, usage};
use super::{Flavour, Plan, PlannedMeter, PlannedOperation, chance, maybe, pick};

/// In so many traces of a hundred such a scene stands.
pub(super) fn often(plan: &Plan) -> u32 {
    match plan.flavour {
        Flavour::Plain => 0,
        Flavour::Crowded => 40,
        Flavour::Metered => 60,
        Flavour::Focused => 70,
        Flavour::Windowed => 40,
    }
}

/// A scene of one meter, one key and one request; each of its lines may be missing. Nothing where no operation needs the
/// store.
pub(super) fn scene(rng: &mut Rng, plan: &Plan) -> Vec<Line> {
    let Some(meter) = plan.meters.first() else { return Vec::new() };
    let mut metered: Vec<&PlannedOperation> =
        plan.operations.iter().filter(|operation| operation.needs.contains(&meter.store)).collect();
    rng.shuffle(&mut metered);
    let Some(operation) = metered.first() else { return Vec::new() };
    let mut lines: Vec<Line> = Vec::new();
    if chance(rng, 60) {
        lines.push((0, "override", operator(meter, "closed", None)));
    }
    let mut fails = chance(rng, 50);
    let mut out = false;
    for commit in 0..pick(rng, &[2, 2, 2, 3, 4]) {
        if commit > 0 && !out && chance(rng, 30) {
            out = true;
            lines.push((within(rng), "override", begins(rng, meter)));
        }
        lines.push((within(rng), "decide", commits(rng, meter, operation, fails)));
        if chance(rng, 12) {
            lines.push((within(rng), "reading", reading(rng, &meter.name)));
        }
        if chance(rng, 6) {
            let away = pick(rng, &[0, 1, 20, 50]);
            lines.push((0, "restart", json!({ "away_ms": away })));
        }
        // Mostly the other way round, now and then as before.
        fails = fails != chance(rng, 85);
    }
    if !out && chance(rng, 55) {
        lines.push((within(rng), "override", begins(rng, meter)));
    }
    if chance(rng, 30) {
        lines.push((within(rng), "usage", usage(rng, &meter.name)));
    }
    if chance(rng, 55) {
        let mut finish = json!({ "request": "again" });
        if chance(rng, 85) {
            finish["amounts"] = json!({ meter.name.as_str(): rng.u32(0..=6) });
        }
        lines.push((pick(rng, &[0, 1, 50, 100, 200, 500, 1_000]), "finish", finish));
    }
    if chance(rng, 30) {
        lines.push((within(rng), "reading", reading(rng, &meter.name)));
    }
    let ends = pick(rng, &["closed", "closed", "reset", "disabled"]);
    lines.push((pick(rng, &[0, 1, 50, 100, 200, 500, 1_000]), "override", operator(meter, ends, None)));
    lines.push((pick(rng, &[0, 0, 100, 1_000]), "usage", usage(rng, &meter.name)));
    if chance(rng, 40) {
        lines.push((0, "reading", reading(rng, &meter.name)));
    }
    let probe = json!({ "operation": operation.name, "tenant": "t1", "faults": { meter.store.as_str(): "timeout" },
                        "amounts": { meter.name.as_str(): rng.u32(0..=8) }, "preview": true });
    lines.push((0, "decide", probe));
    lines.retain(|_| chance(rng, 95));
    lines
}

/// A step that mostly stays within the time in which a request is to finish.
fn within(rng: &mut Rng) -> i64 {
    pick(rng, &[0, 0, 1, 1, 10, 20, 49, 50])
}

/// An operator's act on the store.
fn operator(meter: &PlannedMeter, to: &str, for_ms: Option<i64>) -> Value {
    json!({ "dependency": meter.store, "to": to, "for_ms": for_ms })
}

/// An outage begins; it may end by itself.
fn begins(rng: &mut Rng, meter: &PlannedMeter) -> Value {
    let long = pick(rng, &[None, None, Some(50), Some(100), Some(500)]);
    operator(meter, pick(rng, &["open", "open", "forced_open"]), long)
}

/// The request commits, with its store fine or not: by its own report, or in silence by the store's health. Its other
/// needs are mostly fine, so that it goes on.
fn commits(rng: &mut Rng, meter: &PlannedMeter, operation: &PlannedOperation, fails: bool) -> Value {
    let mut faults = Map::new();
    for need in &operation.needs {
        if *need == meter.store {
            let failed = ["timeout", "timeout", "timeout", "unreachable", "unavailable", "cancelled"];
            let told = if fails {
                pick(rng, &failed)
            } else {
                pick(rng, &["ok", "ok", "ok", "ok", "ok", "ok", "refused"])
            };
            maybe(rng, &mut faults, if fails { 92 } else { 80 }, need, json!(told));
        } else {
            maybe(rng, &mut faults, 75, need, json!("ok"));
        }
    }
    let mut map = Map::new();
    map.insert("operation".to_owned(), json!(operation.name));
    map.insert("request".to_owned(), json!("again"));
    map.insert("tenant".to_owned(), json!("t1"));
    map.insert("faults".to_owned(), Value::Object(faults));
    let amount = pick(rng, &[0, 1, 1, 1, 2, 2, 3, 4]);
    maybe(rng, &mut map, 85, "amounts", json!({ meter.name.as_str(): amount }));
    let stage = pick(rng, &["stream", "dispatch"]);
    maybe(rng, &mut map, 8, "stage", json!(stage));
    Value::Object(map)
}
