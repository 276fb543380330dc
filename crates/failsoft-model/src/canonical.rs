//! The canonical form and the identity of a matrix (spec 1.11).

use serde_json::{Map, Value, json};
use sha2::{Digest, Sha256};

use crate::document::{
    Bound, Cap, Dependency, Document, Kind, Meter, Operation, RefuseRule, Rung, Share, When,
};

/// CAN-1 to CAN-3: every default written out, keys sorted, JSON without spaces.
pub(crate) fn text(document: &Document) -> String {
    sorted(&whole(document)).to_string()
}

/// CAN-10: `name@revision:sha256-` and the hash of the canonical form in 64 hex digits.
pub(crate) fn identity(document: &Document) -> String {
    let mut hex = String::new();
    for byte in Sha256::digest(text(document).as_bytes()) {
        hex.push_str(&format!("{byte:02x}"));
    }
    format!("{}@{}:sha256-{hex}", document.name, document.revision)
}

/// Keys sorted bytewise, at every depth.
pub(crate) fn sorted(value: &Value) -> Value {
    match value {
        Value::Object(map) => {
            let mut keys: Vec<&String> = map.keys().collect();
            keys.sort_by(|left, right| left.as_bytes().cmp(right.as_bytes()));
            let mut ordered = Map::new();
            for key in keys {
                ordered.insert(key.clone(), map.get(key).map_or(Value::Null, sorted));
            }
            Value::Object(ordered)
        }
        Value::Array(items) => Value::Array(items.iter().map(sorted).collect()),
        other => other.clone(),
    }
}

/// CAN-4: the top level; every section always stands.
fn whole(document: &Document) -> Value {
    let mut dependencies = Map::new();
    for part in &document.dependencies {
        dependencies.insert(part.name.clone(), dependency(part));
    }
    let mut operations = Map::new();
    for part in &document.operations {
        operations.insert(part.name.clone(), operation(part));
    }
    let mut meters = Map::new();
    for part in &document.meters {
        meters.insert(part.name.clone(), meter(part));
    }
    let mut parameters = Map::new();
    for part in &document.parameters {
        parameters.insert(part.name.clone(), json!({ "default": part.default, "value": part.value }));
    }
    json!({
        "spec": 1,
        "name": document.name,
        "revision": document.revision,
        "classes": document.classes,
        "signal_ttl_ms": document.signal_ttl,
        "window_idle_ms": document.window_idle,
        "tenants": document.tenants,
        "dependency": dependencies,
        "operation": operations,
        "meter": meters,
        "parameter": parameters,
        "invariant": document.invariants.iter().map(invariant).collect::<Vec<Value>>(),
    })
}

/// Writes a key only where it has a value.
fn put<T: Into<Value> + Clone>(map: &mut Map<String, Value>, key: &str, value: &Option<T>) {
    if let Some(value) = value {
        map.insert(key.to_owned(), value.clone().into());
    }
}

/// One dependency: `stage`, all health keys, the ladder, and what a refusal does.
fn dependency(dependency: &Dependency) -> Value {
    let mut map = Map::new();
    map.insert("role".to_owned(), json!(dependency.role));
    map.insert("stage".to_owned(), json!(dependency.stage));
    put(&mut map, "deadline_ms", &dependency.deadline);
    map.insert("health".to_owned(), dependency.health.canonical());
    if let Some(longest) = dependency.break_glass {
        map.insert("break_glass".to_owned(), json!({ "max_duration_ms": longest }));
    }
    let ladder: Vec<Value> = dependency.on_failure.iter().map(|written| rung(written, false)).collect();
    map.insert("on_failure".to_owned(), Value::Array(ladder));
    if let Some(written) = &dependency.on_refusal {
        map.insert("on_refusal".to_owned(), rung(written, true));
    } else if !dependency.is_observer() {
        map.insert("on_refusal".to_owned(), rung(&plain_deny(), true));
    }
    Value::Object(map)
}

/// The `deny` that stands where a guard or server has no `on_refusal`.
pub(crate) fn plain_deny() -> Rung {
    Rung {
        kind: Kind::Deny,
        when: None,
        also: Vec::new(),
        emit: None,
        reason: None,
        alert: None,
        status: None,
        code: None,
        cap: None,
    }
}

/// One rung, expanded to a table, with the defaults of its kind.
pub(crate) fn rung(rung: &Rung, refusal: bool) -> Value {
    let mut map = settings(&rung.kind);
    let (status, code) = match (&rung.kind, refusal) {
        (Kind::Deny, false) => (Some(503), Some("DEPENDENCY_UNAVAILABLE")),
        (Kind::Deny, true) => (Some(403), Some("REFUSED")),
        (Kind::Defer, _) => (Some(202), None),
        (Kind::Withhold, _) => (Some(200), None),
        _ => (None, None),
    };
    map.insert("also".to_owned(), json!(rung.also));
    put(&mut map, "status", &rung.status.or(status));
    put(&mut map, "code", &rung.code.clone().or(code.map(str::to_owned)));
    put(&mut map, "emit", &rung.emit);
    put(&mut map, "reason", &rung.reason);
    put(&mut map, "alert", &rung.alert);
    if let Some(written) = &rung.when {
        map.insert("when".to_owned(), when(written));
    }
    if let Some(written) = &rung.cap {
        map.insert("cap".to_owned(), cap(written));
    }
    let mut outer = Map::new();
    outer.insert(rung.kind.name().to_owned(), Value::Object(map));
    Value::Object(outer)
}

/// CAN-3: a cap, with its `total` written, but for a `time`.
fn cap(cap: &Cap) -> Value {
    let mut map = Map::new();
    let (key, number) = match cap.bound {
        Bound::Requests(number) => ("requests", number),
        Bound::Amount(number) => ("amount", number),
        Bound::Time(time) => ("time_ms", time),
    };
    map.insert(key.to_owned(), json!(number));
    put(&mut map, "meter", &cap.meter);
    if !matches!(cap.bound, Bound::Time(_)) {
        map.insert("total".to_owned(), json!(cap.total));
    }
    Value::Object(map)
}

/// The settings that belong to a kind alone.
fn settings(kind: &Kind) -> Map<String, Value> {
    let value = match kind {
        Kind::Allow | Kind::Deny | Kind::Defer | Kind::Withhold | Kind::Plain(_) => json!({}),
        Kind::Retry { max_attempts, base, multiplier, jitter } => {
            json!({"max_attempts": max_attempts, "base_ms": base, "multiplier": multiplier, "jitter": jitter})
        }
        Kind::Fallback { to } => json!({ "to": to }),
        Kind::LastKnown { max_age, of } => json!({ "max_age_ms": max_age, "of": of }),
        Kind::LocalMeter { meter, share: Share::PerInstance } => {
            json!({ "meter": meter, "share": "per_instance" })
        }
        Kind::LocalMeter { meter, share: Share::Percent(share) } => json!({ "meter": meter, "share": share }),
        Kind::Outbox { capacity } => json!({ "capacity": capacity }),
        Kind::LeastBad { of } => json!({ "of": of }),
        Kind::Substitute { name } => json!({ "name": name }),
    };
    value.as_object().cloned().unwrap_or_default()
}

/// `when`, as written: its lists sorted and without repeats.
fn when(when: &When) -> Value {
    let mut map = Map::new();
    let lists = [
        ("fault", &when.fault),
        ("health", &when.health),
        ("effect", &when.effect),
        ("stage", &when.stage),
        ("operation", &when.operation),
        ("class", &when.class),
    ];
    for (key, list) in lists {
        if let Some(list) = list {
            let mut list = list.clone();
            list.sort();
            list.dedup();
            map.insert(key.to_owned(), json!(list));
        }
    }
    if let Some(pairs) = &when.parameter {
        map.insert("parameter".to_owned(), Value::Object(pairs.iter().cloned().collect()));
    }
    Value::Object(map)
}

/// One operation; `refuse` is `[]` by default.
fn operation(operation: &Operation) -> Value {
    let mut map = Map::new();
    map.insert("needs".to_owned(), json!(operation.needs));
    map.insert("effect".to_owned(), json!(operation.effect));
    map.insert("enforcement".to_owned(), json!(operation.enforcement));
    put(&mut map, "deadline_ms", &operation.deadline);
    put(&mut map, "max_unchecked", &operation.max_unchecked);
    map.insert("refuse".to_owned(), Value::Array(operation.refuse.iter().map(refuse_rule).collect()));
    Value::Object(map)
}

/// One refuse rule: its conditions as written, its `deny` as in `on_refusal`.
pub(crate) fn refuse_rule(rule: &RefuseRule) -> Value {
    let mut conditions = Map::new();
    put(&mut conditions, "present", &rule.present);
    if let Some(pairs) = &rule.equals {
        let pairs = pairs.iter().map(|(attribute, value)| (attribute.clone(), json!(value)));
        conditions.insert("equals".to_owned(), Value::Object(pairs.collect()));
    }
    if let Some((first, second)) = &rule.same {
        conditions.insert("same".to_owned(), json!([first, second]));
    }
    let mut map = rung(&rule.deny, true).as_object().cloned().unwrap_or_default();
    map.insert("when".to_owned(), Value::Object(conditions));
    Value::Object(map)
}

/// One meter.
fn meter(meter: &Meter) -> Value {
    let mut map = Map::new();
    map.insert("store".to_owned(), json!(meter.store));
    map.insert("key".to_owned(), json!(meter.key));
    map.insert("mode".to_owned(), json!(meter.mode));
    map.insert("capacity".to_owned(), json!(meter.capacity));
    put(&mut map, "limit", &meter.limit);
    put(&mut map, "window_ms", &meter.window);
    put(&mut map, "max_instances", &meter.max_instances);
    put(&mut map, "max_unreported", &meter.max_unreported);
    Value::Object(map)
}

/// One invariant, as written, with its `when` always standing.
fn invariant(written: &Value) -> Value {
    let mut map = written.as_object().cloned().unwrap_or_default();
    map.entry("when").or_insert_with(|| json!({}));
    Value::Object(map)
}
