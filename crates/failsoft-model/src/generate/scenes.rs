//! Short sequences that chance alone seldom hits: an amount is taken, read over, settled late, and asked for.

use fastrand::Rng;
use serde_json::{Value, json};

use super::{Plan, chance, pick};

/// A line of a scene: the step of time before it, its kind and its content.
pub(super) type Line = (i64, &'static str, Value);

/// A scene of the first meter and one key; each of its lines may be missing. Nothing without meters and operations.
pub(super) fn scene(rng: &mut Rng, plan: &Plan) -> Vec<Line> {
    let (Some(meter), Some(operation)) = (plan.meters.first(), plan.operations.first()) else {
        return Vec::new();
    };
    let (name, store) = (meter.name.as_str(), meter.store.as_str());
    let mut lines: Vec<Line> = Vec::new();
    for _ in 0..rng.usize(1..=2) {
        lines.push((step(rng), "usage", usage(rng, name)));
        lines.push((step(rng), "reading", reading(rng, name)));
    }
    let amount = rng.u32(1..=6);
    let mut ask = json!({ "operation": operation.name, "request": "scene", "tenant": "t1", "amounts": { name: amount } });
    if chance(rng, 40) {
        ask["faults"] = json!({ store: "timeout" });
    }
    lines.push((step(rng), "decide", ask.clone()));
    if chance(rng, 40) {
        lines.push((step(rng), "reading", reading(rng, name)));
    }
    if chance(rng, 30) {
        lines.push((step(rng), "usage", usage(rng, name)));
    }
    let long = pick(rng, &[50, 100, 150, 200, 500, 1_000]);
    if chance(rng, 50) {
        ask["stage"] = json!("stream");
        lines.push((long, "decide", ask));
    }
    let actual = rng.u32(0..=6);
    let late = pick(rng, &[0, 50, 100, 100, 500]);
    lines.push((late, "finish", json!({ "request": "scene", "amounts": { name: actual } })));
    for _ in 0..rng.usize(1..=3) {
        if chance(rng, 60) {
            lines.push((step(rng), "reading", reading(rng, name)));
        }
        let probe = json!({ "operation": operation.name, "tenant": "t1", "faults": { store: "timeout" },
                            "amounts": { name: rng.u32(0..=8) }, "preview": true });
        lines.push((0, "decide", probe));
    }
    lines.retain(|_| chance(rng, 92));
    lines
}

/// A step of time that the ages of readings meet.
fn step(rng: &mut Rng) -> i64 {
    pick(rng, &[0, 0, 50, 50, 50, 100, 1])
}

/// A small amount.
pub(super) fn usage(rng: &mut Rng, meter: &str) -> Value {
    json!({ "meter": meter, "tenant": "t1", "amount": rng.u32(1..=4) })
}

/// A reading that leaves room, so that what is counted beside it shows.
pub(super) fn reading(rng: &mut Rng, meter: &str) -> Value {
    let age = pick(rng, &[0, 50, 50, 50, 100, 100, 49, 51, 150]);
    json!({ "meter": meter, "tenant": "t1", "used": rng.u32(0..=2), "age_ms": age })
}
