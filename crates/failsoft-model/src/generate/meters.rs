//! Random meters and caps (1.6, DOC-33), and the lines that are of meters: used and limits that meet, ages and resets
//! that meet other moments to the millisecond.

use fastrand::Rng;
use serde_json::{Map, Value, json};

use super::{Flavour, Plan, PlannedMeter, chance, duration, maybe, or_parameter, pick, small, windows};

/// How full a table of a metered case can be: often at or above the front of the row (MET-11).
const CAPACITIES: [u32; 14] = [1, 1, 2, 2, 2, 3, 4, 6, 8, 15, 16, 17, 18, 20];

/// The modes of a meter.
const MODES: [&str; 5] = ["block", "block", "block", "alert", "degrade"];

/// One meter: small limits and tables.
pub(super) fn meter(rng: &mut Rng, plan: &Plan, planned: &PlannedMeter) -> Value {
    let mut map = Map::new();
    map.insert("store".to_owned(), json!(planned.store));
    if planned.by_session {
        map.insert("key".to_owned(), json!(["tenant", "session"]));
    } else {
        maybe(rng, &mut map, 30, "key", json!(["tenant"]));
    }
    let mode = pick(rng, &MODES);
    maybe(rng, &mut map, 60, "mode", json!(mode));
    if let Some(capacity) = planned.capacity {
        map.insert("capacity".to_owned(), json!(capacity));
    }
    if let Some(limit) = planned.limit {
        map.insert("limit".to_owned(), or_parameter(rng, plan, "p_number", json!(limit)));
    }
    if let Some(window) = planned.window {
        let told = json!(format!("{window}ms"));
        let told = if chance(rng, 20) { or_parameter(rng, plan, "p_wait", told) } else { told };
        map.insert("window".to_owned(), told);
    }
    if planned.has_max_instances {
        map.insert("max_instances".to_owned(), small(rng, plan));
    }
    let unreported = small(rng, plan);
    maybe(rng, &mut map, 25, "max_unreported", unreported);
    Value::Object(map)
}

/// The milliseconds of a meter's window, where it has one: mostly far shorter than a trace.
pub(super) fn window(rng: &mut Rng, flavour: Flavour) -> Option<i64> {
    let (often, windows): (u32, &[i64]) = match flavour {
        Flavour::Crowded => (60, &[200, 1_000]),
        Flavour::Focused => (45, &[50, 100, 100, 200, 500]),
        _ => (65, &[50, 100, 100, 100, 200, 200, 500, 1_000]),
    };
    let window = pick(rng, windows);
    chance(rng, often).then_some(window)
}

/// How many keys a meter's table holds.
pub(super) fn capacity(rng: &mut Rng, flavour: Flavour) -> Option<u32> {
    let (often, capacity) = match flavour {
        Flavour::Plain => (50, rng.u32(1..=2)),
        Flavour::Crowded => (100, rng.u32(14..=20)),
        Flavour::Metered | Flavour::Focused | Flavour::Windowed => (80, pick(rng, &CAPACITIES)),
    };
    chance(rng, often).then_some(capacity)
}

/// DOC-33: a cap for a rung of this kind; one that stops takes `time` only.
pub(super) fn cap(rng: &mut Rng, plan: &Plan, kind: &str) -> Value {
    let mut map = Map::new();
    let stops = matches!(kind, "deny" | "defer" | "retry");
    let bound = if stops { 0 } else { rng.u32(0..6) };
    let names: Vec<String> = plan.meters.iter().map(|meter| meter.name.clone()).collect();
    let of_meter = pick(rng, &names);
    match bound {
        0 => {
            map.insert("time".to_owned(), duration(rng, plan));
            return Value::Object(map);
        }
        3.. if !names.is_empty() => {
            map.insert("amount".to_owned(), json!(rng.u32(1..=7)));
            map.insert("meter".to_owned(), json!(of_meter));
        }
        _ => {
            map.insert("requests".to_owned(), small(rng, plan));
            if !names.is_empty() {
                maybe(rng, &mut map, 50, "meter", json!(of_meter));
            }
        }
    }
    let total = chance(rng, 60);
    maybe(rng, &mut map, 45, "total", json!(total));
    Value::Object(map)
}

/// A guard's `local_meter` that nothing narrows, and that shows every amount: a whole limit, or a share.
pub(super) fn plain_rung(rng: &mut Rng, meter: &PlannedMeter) -> Value {
    if meter.has_max_instances && chance(rng, 25) {
        return json!({ "local_meter": meter.name });
    }
    json!({ "local_meter": { "meter": meter.name, "share": pick(rng, &[50, 75, 100, 100, 100]) } })
}

/// A tenant: few, so that keys meet; of a crowd, so that tables fill.
pub(super) fn tenant(rng: &mut Rng, plan: &Plan) -> String {
    match plan.flavour {
        Flavour::Plain => pick(rng, &["t1", "t1", "t2", "t3"]).to_owned(),
        Flavour::Windowed => windows::tenant(rng),
        Flavour::Focused if chance(rng, 94) => "t1".to_owned(),
        Flavour::Metered | Flavour::Focused => {
            pick(rng, &["t1", "t1", "t1", "t1", "t1", "t2", "t2", "t3"]).to_owned()
        }
        Flavour::Crowded if chance(rng, 15) => "t1".to_owned(),
        Flavour::Crowded => format!("t{}", rng.u32(1..=30)),
    }
}

/// Whose key a line means: mostly told.
fn whose(rng: &mut Rng, plan: &Plan, percent: u32, map: &mut Map<String, Value>) {
    let tenant = tenant(rng, plan);
    maybe(rng, map, percent, "tenant", json!(tenant));
    let session = pick(rng, &["s1", "s1", "s2"]);
    let sessions = if plan.flavour == Flavour::Focused { 3 } else { percent / 4 };
    maybe(rng, map, sessions, "session", json!(session));
}

/// A limit as the store or an operator says it.
fn limit(rng: &mut Rng) -> u32 {
    pick(rng, &[0, 1, 2, 3, 4, 5, 6, 8, 12])
}

/// The meter that a line names.
fn named<'a>(rng: &mut Rng, plan: &'a Plan, map: &mut Map<String, Value>) -> Option<&'a PlannedMeter> {
    let first = plan.flavour == Flavour::Focused && chance(rng, 85);
    let meter = plan.meters.get(if first { 0 } else { rng.usize(0..plan.meters.len().max(1)) })?;
    map.insert("meter".to_owned(), json!(meter.name));
    Some(meter)
}

/// A reading: around the limit; with age, reset, limit and mode, and without.
pub(super) fn reading(rng: &mut Rng, plan: &Plan, map: &mut Map<String, Value>) {
    let Some(meter) = named(rng, plan, map) else { return };
    whose(rng, plan, 90, map);
    let limit_told = limit(rng);
    let tells_limit = chance(rng, 25);
    let around = if tells_limit { i64::from(limit_told) } else { meter.limit.unwrap_or(4) };
    let used = match rng.u32(0..8) {
        0 | 1 => around,
        2 => around.saturating_sub(1).max(0),
        3 => around.saturating_add(1),
        4 => 0,
        5 => pick(rng, &[0, 1, 2]),
        _ => rng.i64(0..=around.saturating_add(2)),
    };
    map.insert("used".to_owned(), json!(used));
    if tells_limit {
        map.insert("limit".to_owned(), json!(limit_told));
    }
    let mode = pick(rng, &MODES);
    maybe(rng, map, 12, "mode", json!(mode));
    let resets = pick(rng, &[0, 1, 49, 50, 50, 100, 100, 101, 150, 200, 300, 500]);
    let resetting = if plan.flavour == Flavour::Focused { 15 } else { 40 };
    maybe(rng, map, resetting, "resets_in_ms", json!(resets));
    let mut age = pick(rng, &[0, 0, 1, 49, 50, 50, 51, 100, 100, 150, 200, 400]);
    if let Some(window) = meter.window.filter(|_| chance(rng, 35)) {
        age = pick(rng, &[window - 1, window - 1, window, window + 1, window / 2]);
    }
    maybe(rng, map, 45, "age_ms", json!(age));
}

/// What was used outside any request.
pub(super) fn usage(rng: &mut Rng, plan: &Plan, map: &mut Map<String, Value>) {
    if named(rng, plan, map).is_some() {
        whose(rng, plan, 90, map);
        let amount = pick(rng, &[0, 1, 1, 1, 2, 2, 3, 5]);
        map.insert("amount".to_owned(), json!(amount));
    }
}

/// An operator's limit: of one key or of all, set or lifted.
pub(super) fn override_meter(rng: &mut Rng, plan: &Plan, map: &mut Map<String, Value>) {
    let Some(meter) = named(rng, plan, map) else { return };
    // MET-38: all names of a key, or none. A session that a meter does not count by does no harm; an empty name is told.
    if chance(rng, 55) {
        let tenant = if chance(rng, 12) { String::new() } else { tenant(rng, plan) };
        map.insert("tenant".to_owned(), json!(tenant));
        if meter.by_session || chance(rng, 20) {
            map.insert("session".to_owned(), json!(pick(rng, &["", "", "s1", "s2"])));
        }
    }
    let lifted = chance(rng, 35);
    let told = limit(rng);
    map.insert("limit".to_owned(), if lifted { Value::Null } else { json!(told) });
    maybe(rng, map, 30, "by", json!("ann"));
    maybe(rng, map, 30, "reason", json!("drill"));
}
