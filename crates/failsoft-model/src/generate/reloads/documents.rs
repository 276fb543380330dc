//! A matrix with something changed, and still valid.

use fastrand::Rng;
use serde_json::{Map, Value, json};

use super::repair::repaired;
use super::{classes, ladders, names, table_mut};
use crate::generate::{DURATIONS, Flavour, Plan, STAGES, chance, healths, maybe, pick};

/// The document with some changes: none but the revision, mostly one, at times several.
pub(super) fn changed(rng: &mut Rng, plan: &Plan, document: &Value) -> Value {
    let mut map = document.as_object().cloned().unwrap_or_default();
    if chance(rng, 70) {
        let revision = map.get("revision").and_then(Value::as_i64).unwrap_or(1);
        map.insert("revision".to_owned(), json!(revision + 1));
    }
    for _ in 0..pick(rng, &[0, 1, 1, 1, 1, 2, 2, 3, 4]) {
        match rng.u32(0..22) {
            0..=9 => dependency(rng, plan, &mut map),
            10..=12 => meter(rng, &mut map),
            13..=15 => operation(rng, &mut map),
            16 => some_go(rng, &mut map),
            17 => new_dependency(rng, &mut map),
            18..=20 => classes_change(rng, &mut map),
            _ => top(rng, &mut map),
        }
        repaired(&mut map);
    }
    Value::Object(map)
}

/// The table of one name of a section.
fn one_of<'a>(
    rng: &mut Rng,
    map: &'a mut Map<String, Value>,
    section: &str,
) -> Option<&'a mut Map<String, Value>> {
    let all = names(map, section);
    // The first is met most.
    let first = all.first().filter(|_| chance(rng, 45));
    let name = first.cloned().unwrap_or_else(|| pick(rng, &all));
    map.get_mut(section)?.get_mut(&name)?.as_object_mut()
}

/// The top level; the order in which things are written, too.
fn top(rng: &mut Rng, map: &mut Map<String, Value>) {
    match rng.u32(0..4) {
        0 => {
            let idle = pick(rng, &["0ms", "20ms", "50ms", "200ms", "5s"]);
            map.insert("window_idle".to_owned(), json!(idle));
        }
        1 => {
            map.insert("tenants".to_owned(), json!(rng.u32(0..=3)));
        }
        2 => {
            map.insert("signal_ttl".to_owned(), json!(pick(rng, &DURATIONS)));
        }
        _ => {
            let section = pick(rng, &["dependency", "meter"]);
            if let Some(Value::Object(table)) = map.get_mut(section) {
                let mut entries: Vec<(String, Value)> = std::mem::take(table).into_iter().collect();
                entries.reverse();
                table.extend(entries);
            }
        }
    }
}

/// Classes come, go and change places; the first is that of requests that tell none.
fn classes_change(rng: &mut Rng, map: &mut Map<String, Value>) {
    let lists: [&[&str]; 6] = [
        &["default"],
        &["standard", "regulated"],
        &["regulated", "standard"],
        &["free", "paid", "regulated"],
        &["paid", "regulated"],
        &["standard"],
    ];
    let mut list: Vec<String> = pick(rng, &lists).iter().map(|name| (*name).to_owned()).collect();
    if chance(rng, 50) {
        list = classes(map);
        list.push("new".to_owned());
        list.dedup();
        list.truncate(8);
        list.sort_by_key(|_| rng.u32(0..9));
    }
    if !repeats(&list) {
        map.insert("classes".to_owned(), json!(list));
    }
}

/// Whether a name stands twice.
fn repeats(list: &[String]) -> bool {
    list.iter().enumerate().any(|(place, name)| list.iter().take(place).any(|other| other == name))
}

/// One dependency: mostly its ladder.
fn dependency(rng: &mut Rng, plan: &Plan, map: &mut Map<String, Value>) {
    let Some(own) = one_of(rng, map, "dependency") else { return };
    // Where a case is about health mostly that changes, else what requests meet.
    let change = if plan.flavour == Flavour::Plain { rng.u32(4..20) } else { rng.u32(0..20) };
    match change {
        0..=6 => {
            let empty = || json!([]);
            let ladder = own.entry("on_failure").or_insert_with(empty);
            if let Some(ladder) = ladder.as_array_mut() {
                for _ in 0..pick(rng, &[1, 1, 2]) {
                    ladders::change(rng, plan, ladder);
                }
            }
        }
        7..=9 => {
            let health = healths::health(rng, plan, own.get("deadline"));
            own.insert("health".to_owned(), health);
        }
        10..=13 => settings(rng, own),
        14 => {
            // Shorter than any permit, also than one that an earlier change has set.
            let role = own.get("role").and_then(Value::as_str).unwrap_or("");
            if role != "observe" {
                own.insert("deadline".to_owned(), json!(pick(rng, &["10ms", "20ms", "49ms"])));
                if let Some(health) = own.get_mut("health").and_then(Value::as_object_mut) {
                    health.insert("permit_ttl".to_owned(), json!("300ms"));
                }
            }
        }
        15 => {
            own.insert("stage".to_owned(), json!(pick(rng, &STAGES)));
        }
        16 | 17 => {
            let written = [
                json!({ "deny": true }),
                json!({ "deny": { "status": 403, "code": "REFUSED" } }),
                json!({ "deny": { "status": 451, "emit": "g.refused" } }),
                json!({ "withhold": { "emit": "g.refused" } }),
                json!({ "defer": {} }),
            ];
            own.insert("on_refusal".to_owned(), pick(rng, &written));
        }
        18 => {
            let longest = pick(rng, &["50ms", "100ms", "1m"]);
            if own.remove("break_glass").is_none() || chance(rng, 60) {
                own.insert("break_glass".to_owned(), json!({ "max_duration": longest }));
            }
        }
        _ => {
            let roles = ["guard", "serve", "observe"];
            own.insert("role".to_owned(), json!(pick(rng, &roles)));
        }
    }
}

/// One health setting, of those that stand on no other.
fn settings(rng: &mut Rng, own: &mut Map<String, Value>) {
    let Some(health) = table_mut(own, "health") else { return };
    let (key, value) = match rng.u32(0..11) {
        0 => ("consecutive_failure_threshold", json!(rng.u32(1..=4))),
        1 => ("minimum_number_of_calls", json!(rng.u32(1..=4))),
        2 => ("sliding_window_size", json!(rng.u32(1..=8))),
        3 => ("sliding_window_type", json!(pick(rng, &["time_based", "count_based", "none"]))),
        4 => ("signal_ttl", json!(pick(rng, &["50ms", "100ms", "500ms", "off"]))),
        5 => ("min_dwell", json!(pick(rng, &["0ms", "50ms", "200ms"]))),
        6 => ("open_attempts_decay", json!(pick(rng, &["1ms", "50ms", "200ms", "off"]))),
        7 => ("initial_state", json!(pick(rng, &["closed", "open", "forced_open", "disabled"]))),
        8 => ("probe_rise", json!(rng.u32(1..=3))),
        9 => ("automatic_transition_from_open_to_half_open_enabled", json!(chance(rng, 50))),
        _ => {
            let (buckets, length) = (rng.i64(1..=6), pick(rng, &[1, 50, 100]));
            health.insert("sliding_window_duration".to_owned(), json!(format!("{}ms", buckets * length)));
            ("sliding_window_buckets", json!(buckets))
        }
    };
    health.insert(key.to_owned(), value);
}

/// One meter; or a new one, on any guard.
fn meter(rng: &mut Rng, map: &mut Map<String, Value>) {
    let store = pick(rng, &names(map, "dependency"));
    if names(map, "meter").is_empty() || chance(rng, 12) {
        if let Some(section) = table_mut(map, "meter") {
            let name = format!("meter-{}", rng.u32(0..5));
            section.insert(name, json!({ "store": store, "limit": 3, "max_instances": 2 }));
        }
        return;
    }
    let Some(own) = one_of(rng, map, "meter") else { return };
    match rng.u32(0..10) {
        0 | 1 => {
            own.insert("limit".to_owned(), json!(rng.u32(0..=8)));
        }
        2..=4 => {
            let window = pick(rng, &["50ms", "100ms", "200ms", "1s"]);
            if own.remove("window").is_none() || chance(rng, 75) {
                own.insert("window".to_owned(), json!(window));
            }
        }
        5 | 6 => {
            own.insert("capacity".to_owned(), json!(rng.u32(1..=18)));
        }
        7 => {
            let by_session = own.get("key").and_then(Value::as_array).is_some_and(|key| key.len() == 2);
            let key = if by_session { json!(["tenant"]) } else { json!(["tenant", "session"]) };
            own.insert("key".to_owned(), key);
        }
        8 => {
            own.insert("store".to_owned(), json!(store));
        }
        _ => {
            own.insert("mode".to_owned(), json!(pick(rng, &["block", "alert", "degrade"])));
            maybe(rng, own, 50, "max_instances", json!(3));
        }
    }
}

/// One operation.
fn operation(rng: &mut Rng, map: &mut Map<String, Value>) {
    let dependencies = names(map, "dependency");
    let Some(own) = one_of(rng, map, "operation") else { return };
    match rng.u32(0..10) {
        0..=2 => {
            let mut needs: Vec<Value> =
                own.get("needs").and_then(Value::as_array).cloned().unwrap_or_default();
            let need = json!(pick(rng, &dependencies));
            if needs.contains(&need) && (needs.len() == 1 || chance(rng, 50)) {
                rng.shuffle(&mut needs);
            } else if needs.contains(&need) {
                needs.retain(|other| *other != need);
            } else {
                needs.push(need);
            }
            own.insert("needs".to_owned(), json!(needs));
        }
        3 => {
            own.insert("effect".to_owned(), json!(pick(rng, &["read", "write", "irreversible"])));
        }
        4 => {
            own.insert("enforcement".to_owned(), json!(pick(rng, &["enforce", "shadow"])));
        }
        5 => {
            own.insert("max_unchecked".to_owned(), json!(rng.u32(0..=2)));
        }
        6 => {
            own.insert("deadline".to_owned(), json!(pick(rng, &DURATIONS)));
        }
        _ => refuse(rng, own),
    }
}

/// The refuse rules of an operation: gone, turned round, or with another.
fn refuse(rng: &mut Rng, own: &mut Map<String, Value>) {
    let mut rules = own.get("refuse").and_then(Value::as_array).cloned().unwrap_or_default();
    match rng.u32(0..5) {
        0 => rules.clear(),
        1 => rules.reverse(),
        _ => {
            let rule = [
                json!({ "when": { "present": "a" }, "deny": { "emit": "h.ruled" } }),
                json!({ "when": { "equals": { "b": "y" } }, "deny": true }),
                json!({ "when": { "same": ["a", "b"] } }),
            ];
            rules.push(pick(rng, &rule));
            rules.truncate(3);
        }
    }
    own.insert("refuse".to_owned(), json!(rules));
}

/// Something goes, or has another name, with what rests on it. One dependency always stays, and one operation.
fn some_go(rng: &mut Rng, map: &mut Map<String, Value>) {
    let section = pick(rng, &["dependency", "meter", "operation", "operation"]);
    let name = pick(rng, &names(map, section));
    let Some(table) = map.get_mut(section).and_then(Value::as_object_mut) else { return };
    if table.len() == 1 && section != "meter" && chance(rng, 70) {
        return;
    }
    let gone = table.shift_remove(&name);
    if table.is_empty() || chance(rng, 40) {
        table.extend(gone.map(|part| (format!("{name}.new"), part)));
    }
}

/// A dependency that was not there, and that an operation needs.
fn new_dependency(rng: &mut Rng, map: &mut Map<String, Value>) {
    let name = format!("new-{}", rng.u32(0..3));
    let role = pick(rng, &["guard", "guard", "serve", "observe"]);
    let state = pick(rng, &["closed", "closed", "open", "forced_open"]);
    let written = json!({
        "role": role,
        "deadline": "50ms",
        "health": { "consecutive_failure_threshold": 1, "wait_duration_in_open_state": "100ms", "initial_state": state },
        "on_failure": [{ "allow": { "emit": "d.let.past" } }],
    });
    if let Some(section) = table_mut(map, "dependency") {
        section.entry(&name).or_insert(written);
    }
    if let Some(operation) = one_of(rng, map, "operation")
        && let Some(needs) = operation.get_mut("needs").and_then(Value::as_array_mut)
        && !needs.contains(&json!(name))
    {
        needs.push(json!(name));
    }
}
