//! Random valid documents (spec 1).

use std::collections::BTreeMap;

use fastrand::Rng;
use serde_json::{Map, Value, json};

use super::{
    DURATIONS, Flavour, Named, Plan, PlannedMeter, PlannedOperation, PlannedParameter, STAGES, chance,
    duration, maybe, pick,
};
use super::{healths, meters, rungs, windows};

/// Settles the names: so many dependencies and operations, or 1 to 6 dependencies and 0 to 4 operations (nearly always
/// some); meters on guards.
pub(super) fn plan(rng: &mut Rng, size: Option<(usize, usize)>) -> Plan {
    let flavour = match rng.u32(0..100) {
        0..=2 => Flavour::Crowded,
        3..=27 => Flavour::Metered,
        28..=40 => Flavour::Focused,
        41..=54 => Flavour::Windowed,
        _ => Flavour::Plain,
    };
    let metered = flavour != Flavour::Plain;
    let most = match flavour {
        Flavour::Plain => 6,
        Flavour::Focused => 2,
        _ => 3,
    };
    let mut dependencies = Vec::new();
    for number in 0..size.map_or_else(|| rng.usize(1..=most), |(dependencies, _)| dependencies) {
        let role = pick(rng, &["guard", "guard", "guard", "serve", "serve", "observe"]);
        let role = if metered && number == 0 { "guard" } else { role };
        let glass = role == "guard" && chance(rng, 50);
        dependencies.push(Named { name: format!("{role}-{number}"), role, glass });
    }
    let mut operations = Vec::new();
    let count = match size {
        Some((_, operations)) => operations,
        None if chance(rng, 4) => 0,
        None => rng.usize(1..=4),
    };
    for number in 0..count {
        let mut needs: Vec<String> = dependencies.iter().map(|named| named.name.clone()).collect();
        rng.shuffle(&mut needs);
        let least = usize::from(!chance(rng, 5));
        needs.truncate(rng.usize(least..=needs.len()));
        let store = dependencies.first().map(|named: &Named| named.name.clone()).unwrap_or_default();
        if metered && !needs.contains(&store) && chance(rng, 85) {
            needs.push(store);
        }
        operations.push(PlannedOperation { name: format!("op-{number}"), needs });
    }
    let mut meters = Vec::new();
    for named in &dependencies {
        while named.role == "guard" && meters.len() < 3 && (chance(rng, 50) || (metered && meters.is_empty()))
        {
            meters.push(PlannedMeter {
                name: format!("meter-{}", meters.len()),
                store: named.name.clone(),
                has_max_instances: chance(rng, 80),
                by_session: chance(rng, 30),
                limit: chance(rng, 85).then(|| rng.i64(1..=if metered { 12 } else { 6 })),
                window: meters::window(rng, flavour),
                capacity: meters::capacity(rng, flavour),
            });
        }
    }
    let classes = match rng.u32(0..3) {
        0 => Vec::new(),
        1 => vec!["standard".to_owned(), "regulated".to_owned()],
        _ => vec!["free".to_owned(), "paid".to_owned(), "regulated".to_owned()],
    };
    Plan { flavour, dependencies, operations, meters, classes, parameters: parameters(rng) }
}

/// Parameters of all three types.
fn parameters(rng: &mut Rng) -> Vec<PlannedParameter> {
    let all = [
        ("p_tier", json!("gold"), vec!["gold", "silver"]),
        ("p_flag", json!(false), vec!["true", "false"]),
        ("p_number", json!(2), vec!["1", "2", "3"]),
        ("p_wait", json!("100ms"), vec!["50ms", "100ms", "200ms"]),
        ("p_code", json!("BY_PARAMETER"), vec!["BOUND", "OTHER"]),
    ];
    let mut parameters = Vec::new();
    for (name, default, values) in all {
        if chance(rng, 50) {
            parameters.push(PlannedParameter { name, default, values });
        }
    }
    parameters
}

/// What the caller binds: some of the parameters.
pub(super) fn bindings(rng: &mut Rng, plan: &Plan) -> BTreeMap<String, String> {
    let mut bindings = BTreeMap::new();
    for parameter in &plan.parameters {
        if chance(rng, 50) {
            bindings.insert(parameter.name.to_owned(), pick(rng, &parameter.values).to_owned());
        }
    }
    bindings
}

/// Writes the document of a plan.
pub(super) fn document(rng: &mut Rng, plan: &Plan) -> Value {
    let mut map = Map::new();
    map.insert("spec".to_owned(), json!(1));
    map.insert("name".to_owned(), json!(pick(rng, &["gateway", "matrix.a", "m_1"])));
    maybe(rng, &mut map, 30, "revision", json!(2));
    if !plan.classes.is_empty() {
        map.insert("classes".to_owned(), json!(plan.classes));
    }
    if chance(rng, 70) {
        map.insert("signal_ttl".to_owned(), duration(rng, plan));
    }
    windows::settings(rng, plan, &mut map);
    let mut section = Map::new();
    for parameter in &plan.parameters {
        section.insert(parameter.name.to_owned(), json!({ "default": parameter.default }));
    }
    put_section(&mut map, "parameter", section);
    let mut section = Map::new();
    for named in &plan.dependencies {
        section.insert(named.name.clone(), dependency(rng, plan, named));
    }
    put_section(&mut map, "dependency", section);
    let mut section = Map::new();
    for meter in &plan.meters {
        section.insert(meter.name.clone(), meters::meter(rng, plan, meter));
    }
    put_section(&mut map, "meter", section);
    let mut section = Map::new();
    for operation in &plan.operations {
        section.insert(operation.name.clone(), self::operation(rng, plan, operation));
    }
    put_section(&mut map, "operation", section);
    if chance(rng, 20)
        && let Some(invariant) = invariant(rng, plan)
    {
        map.insert("invariant".to_owned(), json!([invariant]));
    }
    Value::Object(map)
}

/// A section, where it holds anything.
fn put_section(map: &mut Map<String, Value>, key: &str, section: Map<String, Value>) {
    if !section.is_empty() {
        map.insert(key.to_owned(), Value::Object(section));
    }
}

/// One dependency: ladders of 0 to 4 rungs.
fn dependency(rng: &mut Rng, plan: &Plan, named: &Named) -> Value {
    let mut map = Map::new();
    map.insert("role".to_owned(), json!(named.role));
    let stage = pick(rng, &STAGES);
    maybe(rng, &mut map, 30, "stage", json!(stage));
    let deadline = (named.role != "observe" || chance(rng, 30)).then(|| duration(rng, plan));
    if chance(rng, 95) {
        map.insert("health".to_owned(), healths::health(rng, plan, deadline.as_ref()));
    }
    if let Some(deadline) = deadline {
        map.insert("deadline".to_owned(), deadline);
    }
    if named.glass {
        let longest = if chance(rng, 40) { duration(rng, plan) } else { json!("1m") };
        map.insert("break_glass".to_owned(), json!({ "max_duration": longest }));
    }
    let mut ladder = Vec::new();
    if let Some(meter) = plan.meters.iter().find(|meter| meter.store == named.name)
        && plan.flavour != Flavour::Plain
        && chance(rng, if plan.flavour == Flavour::Focused { 85 } else { 50 })
    {
        // A rung that shows what is counted.
        ladder.push(meters::plain_rung(rng, meter));
    }
    for _ in 0..rng.usize(0..=4) {
        ladder.push(rungs::rung(rng, plan, named));
    }
    if plan.flavour == Flavour::Windowed && chance(rng, 75) {
        ladder.push(windows::open_rung(rng));
    }
    if !ladder.is_empty() || chance(rng, 30) {
        map.insert("on_failure".to_owned(), Value::Array(ladder));
    }
    if named.role != "observe" && chance(rng, 50) {
        map.insert("on_refusal".to_owned(), rungs::on_refusal(rng, plan, named));
    }
    Value::Object(map)
}

/// One operation, with refuse rules over two attributes.
fn operation(rng: &mut Rng, plan: &Plan, planned: &PlannedOperation) -> Value {
    let mut map = Map::new();
    map.insert("needs".to_owned(), json!(planned.needs));
    let metered = plan.flavour != Flavour::Plain;
    let effect =
        if metered && chance(rng, 75) { "read" } else { pick(rng, &["read", "write", "irreversible"]) };
    maybe(rng, &mut map, 60, "effect", json!(effect));
    let deadline = if chance(rng, 3) { "0ms" } else { pick(rng, &DURATIONS) };
    maybe(rng, &mut map, 45, "deadline", json!(deadline));
    let most = rng.u32(0..=2);
    maybe(rng, &mut map, 25, "max_unchecked", json!(most));
    let enforcement = pick(rng, &["enforce", "shadow"]);
    let shadows = if plan.flavour == Flavour::Windowed { 45 } else { 30 };
    maybe(rng, &mut map, shadows, "enforcement", json!(enforcement));
    if chance(rng, if metered { 7 } else { 25 }) {
        let rules: Vec<Value> = (0..rng.usize(0..=2)).map(|_| refuse_rule(rng, plan)).collect();
        map.insert("refuse".to_owned(), Value::Array(rules));
    }
    Value::Object(map)
}

/// One refuse rule with one condition, or two that must both hold.
fn refuse_rule(rng: &mut Rng, plan: &Plan) -> Value {
    let mut when = Map::new();
    let attribute = pick(rng, &["a", "b"]);
    match rng.u32(0..6) {
        0 | 1 => {
            when.insert("present".to_owned(), json!(attribute));
        }
        2 => {
            when.insert("equals".to_owned(), json!({ attribute: pick(rng, &["x", "y", ""]) }));
        }
        3 => {
            when.insert("equals".to_owned(), json!({ "a": "x", "b": pick(rng, &["x", "y"]) }));
        }
        4 => {
            when.insert("same".to_owned(), json!(["a", "b"]));
        }
        _ => {
            when.insert("present".to_owned(), json!("a"));
            when.insert("equals".to_owned(), json!({ "b": pick(rng, &["x", "y"]) }));
        }
    }
    let mut deny = Map::new();
    rungs::common(rng, plan, &mut deny);
    json!({ "when": when, "deny": deny })
}

/// One invariant over known names.
fn invariant(rng: &mut Rng, plan: &Plan) -> Option<Value> {
    let operation = plan.operations.first()?;
    let need = operation.needs.first()?;
    let state = pick(rng, &["fine", "refused", "failed", "timeout"]);
    let mut map = Map::new();
    map.insert("operation".to_owned(), json!(operation.name));
    map.insert("when".to_owned(), json!({ need: state }));
    let (key, value) = pick(
        rng,
        &[("verdict", "deny"), ("posture", "fail_closed"), ("obligation", "outbox"), ("never", "allow")],
    );
    map.insert(key.to_owned(), json!(value));
    Some(Value::Object(map))
}
