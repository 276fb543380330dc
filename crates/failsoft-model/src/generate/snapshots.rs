//! Random snapshots (10.2). What one says of its past agrees with its state, as in one that an engine has saved: what
//! was told, since when, and why.

use fastrand::Rng;
use serde_json::{Map, Value, json};

use super::{FAULTS, Named, Plan, chance, maybe, pick};

/// The largest integer, and one below it.
const NEARLY: [i64; 2] = [(1 << 53) - 2, (1 << 53) - 1];

/// A counter: small, and now and then as large as it can be.
fn counter(rng: &mut Rng) -> i64 {
    if chance(rng, 6) { pick(rng, &NEARLY) } else { rng.i64(0..=4) }
}

/// A span of a saved state.
fn span(rng: &mut Rng) -> i64 {
    pick(rng, &[0, 1, 49, 50, 100, 150, 400])
}

/// Sets a key.
fn put(map: &mut Map<String, Value>, key: &str, value: impl Into<Value>) {
    map.insert(key.to_owned(), value.into());
}

/// A whole snapshot: most dependencies of the matrix, and perhaps one that it does not have.
pub(super) fn snapshot(rng: &mut Rng, plan: &Plan) -> Value {
    let mut map = Map::new();
    put(&mut map, "v", 1);
    let mut dependencies = Map::new();
    for named in &plan.dependencies {
        if chance(rng, 80) {
            dependencies.insert(named.name.clone(), dependency(rng, named));
        }
    }
    if chance(rng, 30) {
        dependencies.insert("nobody".to_owned(), json!({ "circuit": "open", "wait_left_ms": 100 }));
    }
    if chance(rng, 95) {
        put(&mut map, "dependencies", Value::Object(dependencies));
    }
    if chance(rng, 40) {
        let (count, age) = (rng.i64(0..=4), span(rng));
        put(&mut map, "instances", json!({ "count": count, "age_ms": age }));
    }
    Value::Object(map)
}

/// One dependency in a state of its own.
fn dependency(rng: &mut Rng, named: &Named) -> Value {
    let mut map = Map::new();
    counters(rng, &mut map);
    let states =
        ["unknown", "healthy", "down", "down", "probing", "probing", "rates", "probe", "advice", "held"];
    match pick(rng, &states) {
        "unknown" => told(rng, &mut map, "unknown", "signal_too_old"),
        "healthy" => {
            known(rng, &mut map);
            told(rng, &mut map, "healthy", "first_outcome");
        }
        "down" => open(rng, &mut map, false),
        "probing" => open(rng, &mut map, true),
        "rates" => {
            known(rng, &mut map);
            put(&mut map, "degraded_age_ms", span(rng));
            told(rng, &mut map, "degraded", "failure_rate");
        }
        "probe" => {
            known(rng, &mut map);
            put(&mut map, "degraded_by_probe", true);
            told(rng, &mut map, "degraded", "probe_degraded");
        }
        "advice" => {
            let left = 1 + span(rng);
            put(&mut map, "advice", json!([{ "source": "peer", "left_ms": left }]));
            told(rng, &mut map, "degraded", "advice");
        }
        _ => held(rng, &mut map, named),
    }
    Value::Object(map)
}

/// What may stand whatever the state.
fn counters(rng: &mut Rng, map: &mut Map<String, Value>) {
    let keys = [
        "ignored_calls",
        "ignored_streak",
        "not_permitted_calls",
        "late_outcomes",
        "lost_calls",
        "outbox_depth",
        "outbox_sequence",
    ];
    for key in keys {
        let value = counter(rng);
        maybe(rng, map, 30, key, json!(value));
    }
    let age = span(rng);
    maybe(rng, map, 30, "last_ok_age_ms", json!(age));
    let (rise, fall) = (rng.i64(0..=2), rng.i64(0..=2));
    maybe(rng, map, 20, "rise", json!(rise));
    maybe(rng, map, 20, "fall", json!(fall));
    let spiked = chance(rng, 50);
    maybe(rng, map, 20, "refusals_spiked", json!(spiked));
    if chance(rng, 60) {
        let window = window(rng);
        put(map, "window", window);
    }
    let (last, before) = (span(rng), span(rng));
    // By hand it may even have been used before it opened.
    let age = if chance(rng, 15) { before } else { last + before };
    maybe(rng, map, 30, "window_open", json!({ "age_ms": age, "last_age_ms": last }));
}

/// A window of either type, which fits the matrix or not.
fn window(rng: &mut Rng) -> Value {
    if chance(rng, 40) {
        let count = rng.usize(0..=9);
        let digits: String = (0..count).map(|_| pick(rng, &["0", "0", "1", "2", "3", "4", "6"])).collect();
        return json!({ "calls": digits });
    }
    let mut buckets = Vec::new();
    for _ in 0..rng.usize(0..=7) {
        let calls = counter(rng);
        let part = |rng: &mut Rng, of: i64| if chance(rng, 10) { of } else { rng.i64(0..=of.min(4)) };
        let (failed, slow) = (part(rng, calls), part(rng, calls));
        let refused = part(rng, (calls - failed).min(4));
        buckets.push(json!([calls, failed, slow, refused]));
    }
    let left = pick(rng, &[1, 1, 17, 50, 50, 100, 10_000_000]);
    json!({ "bucket_left_ms": left, "buckets": buckets })
}

/// Something is known, and not too old for any `signal_ttl` of these documents.
fn known(rng: &mut Rng, map: &mut Map<String, Value>) {
    let age = pick(rng, &[0, 1, 49, 50]);
    put(map, "signal_age_ms", age);
    maybe(rng, map, 40, "probe_age_ms", json!(age));
    let run = counter(rng);
    maybe(rng, map, 40, "consecutive_failures", json!(run));
    failure(rng, map);
    if chance(rng, 40) {
        let (attempts, age) = (counter(rng), span(rng));
        put(map, "open_attempts", attempts);
        maybe(rng, map, 60, "attempts_age_ms", json!(age));
    }
}

/// The class of the last failure, and one that stays.
fn failure(rng: &mut Rng, map: &mut Map<String, Value>) {
    let class = pick(rng, &FAULTS);
    if !matches!(class, "rejected" | "cancelled") {
        maybe(rng, map, 70, "last_failure", json!(class));
    }
    let sticky = pick(rng, &["auth", "payment", "indeterminate"]);
    maybe(rng, map, 20, "sticky", json!(sticky));
}

/// An open circuit, with its wait over or not.
fn open(rng: &mut Rng, map: &mut Map<String, Value>, wait_over: bool) {
    known(rng, map);
    map.remove("attempts_age_ms");
    put(map, "circuit", "open");
    let attempts = counter(rng).max(1);
    put(map, "open_attempts", attempts);
    let by = pick(rng, &["operator", "initial_state"]);
    maybe(rng, map, 25, "opened_by", json!(by));
    if wait_over {
        maybe(rng, map, 50, "wait_left_ms", json!(0));
        told(rng, map, "probing", "wait_over");
    } else {
        let left = 1 + span(rng);
        put(map, "wait_left_ms", left);
        let held = rng.i64(1..=left);
        maybe(rng, map, 30, "retry_after_left_ms", json!(held));
        told(rng, map, "down", "consecutive_failures");
    }
}

/// A standing override, set by an operator or at the beginning.
fn held(rng: &mut Rng, map: &mut Map<String, Value>, named: &Named) {
    known(rng, map);
    let mut kinds = vec!["forced_open", "disabled", "metrics_only"];
    if named.glass {
        kinds.extend(["break_glass"; 2]);
    }
    let kind = pick(rng, &kinds);
    let mut standing = Map::new();
    put(&mut standing, "to", kind);
    put(&mut standing, "age_ms", span(rng));
    if chance(rng, 70) || kind == "break_glass" {
        let left = 1 + span(rng);
        put(&mut standing, "left_ms", left);
        put(&mut standing, "by", "ann");
        put(&mut standing, "reason", "drill");
    } else {
        put(&mut standing, "initial", true);
    }
    put(map, "override", Value::Object(standing));
    told(rng, map, if kind == "forced_open" { "down" } else { "healthy" }, "operator");
}

/// What stands, since when and why; and what was last told: the same, or, now and then, what stood before.
fn told(rng: &mut Rng, map: &mut Map<String, Value>, health: &str, why: &str) {
    let age = span(rng);
    let before = match health {
        "probing" => "down",
        "down" => "probing",
        "unknown" => "healthy",
        _ => "unknown",
    };
    let (told, told_age) = if chance(rng, 15) { (before, age + span(rng)) } else { (health, age) };
    put(map, "told", told);
    put(map, "told_age_ms", told_age);
    put(map, "health_age_ms", age);
    put(map, "why", why);
    if why == "consecutive_failures" {
        let crossed = json!({ "setting": "consecutive_failure_threshold", "value": 3, "limit": 3 });
        maybe(rng, map, 80, "crossed", crossed);
    }
    let calls = counter(rng);
    let figures = json!({ "calls": calls, "failed_calls": rng.i64(0..=calls.min(2)), "slow_calls": 0 });
    maybe(rng, map, 70, "figures", figures);
    if health != "healthy" && health != "unknown" {
        let ailing = told_age.max(age) + span(rng);
        put(map, "ailing_age_ms", ailing);
    }
    if health == "down" || health == "probing" {
        let (refused, opened) = (counter(rng), counter(rng));
        let outage = json!({ "age_ms": told_age, "not_permitted_calls": refused, "open_attempts": opened });
        put(map, "outage", outage);
    }
}
