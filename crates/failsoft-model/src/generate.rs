//! Random cases: small valid documents (spec 1) and traces over them (trace.md), made so that waits, lifetimes
//! and deadlines are often met to the millisecond.

mod documents;
mod healths;
mod lives;
mod meters;
mod reloads;
mod rungs;
mod scenes;
mod snapshots;
mod traces;
mod unheard;
mod windows;

use std::collections::BTreeMap;

use fastrand::Rng;
use serde_json::{Map, Value, json};

/// A document, the parameters bound to it, and a trace for it.
#[derive(Clone, Debug)]
pub struct Case {
    /// The document as JSON data, keys in an order that a person might write.
    pub document: Value,
    /// What the caller binds parameters to; the others keep their defaults.
    pub parameters: BTreeMap<String, String>,
    /// The lines of the trace.
    pub lines: Vec<Value>,
}

/// The case of a seed: the same seed gives the same case. Into one of four another matrix is loaded while it runs.
#[must_use]
pub fn case(seed: u64) -> Case {
    let (plan, mut case) = planned(seed);
    let rng = &mut Rng::with_seed(seed ^ 0x0072_656c_6f61_6400);
    if chance(rng, 25) {
        reloads::put(rng, &plan, &mut case);
    }
    case
}

/// The case of a seed without reloads: all of it is of the one matrix.
#[must_use]
pub fn case_of_one_matrix(seed: u64) -> Case {
    planned(seed).1
}

/// A document of so many dependencies and operations, with its parameters at their defaults.
#[must_use]
pub fn document_of(seed: u64, dependencies: usize, operations: usize) -> Value {
    let rng = &mut Rng::with_seed(seed);
    let plan = documents::plan(rng, Some((dependencies, operations)));
    documents::document(rng, &plan)
}

/// A case of one matrix, with its plan.
fn planned(seed: u64) -> (Plan, Case) {
    let mut rng = Rng::with_seed(seed);
    let rng = &mut rng;
    let plan = documents::plan(rng, None);
    let document = documents::document(rng, &plan);
    let parameters = documents::bindings(rng, &plan);
    let lines = traces::lines(rng, &plan);
    (plan, Case { document, parameters, lines })
}

/// Every duration of a document, so that sums of the time steps meet them.
const DURATIONS: [&str; 6] = ["50ms", "100ms", "100ms", "200ms", "500ms", "1s"];

/// The fault classes (HLT-5).
pub(crate) const FAULTS: [&str; 10] = [
    "timeout",
    "unreachable",
    "unavailable",
    "throttled",
    "auth",
    "payment",
    "rejected",
    "indeterminate",
    "cancelled",
    "exhausted",
];

/// The stages in pipeline order.
pub(crate) const STAGES: [&str; 5] = ["admit", "dispatch", "stream", "output", "persist"];

/// What the document will hold, settled before it is written: names that rungs and traces refer to.
struct Plan {
    flavour: Flavour,
    dependencies: Vec<Named>,
    operations: Vec<PlannedOperation>,
    meters: Vec<PlannedMeter>,
    /// Empty where the document names none.
    classes: Vec<String>,
    parameters: Vec<PlannedParameter>,
}

/// What a case is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Flavour {
    /// Mostly health, and decisions.
    Plain,
    /// Meters and caps: the first dependency is a guard that is a store.
    Metered,
    /// As metered, and nearly all of one key of one meter, so that what was read, taken and finished meets.
    Focused,
    /// As metered, with so many keys that tables are full beyond the front of the row (MET-11).
    Crowded,
    /// As metered, and mostly requests of several tenants that go on in spite of failures: windows open, change and
    /// close, and count (spec 7).
    Windowed,
}

/// A dependency's name and role, and whether it declares `break_glass`.
struct Named {
    name: String,
    role: &'static str,
    glass: bool,
}

/// An operation's name and needs.
struct PlannedOperation {
    name: String,
    needs: Vec<String>,
}

/// A meter with what its `local_meter` rungs must know.
struct PlannedMeter {
    name: String,
    store: String,
    has_max_instances: bool,
    /// It counts by tenant and session.
    by_session: bool,
    limit: Option<i64>,
    /// The milliseconds of its window.
    window: Option<i64>,
    /// How many keys its table holds, where it says so.
    capacity: Option<u32>,
}

/// A parameter, its default, and the values that it may be bound to.
struct PlannedParameter {
    name: &'static str,
    default: Value,
    values: Vec<&'static str>,
}

/// True so many times in a hundred.
fn chance(rng: &mut Rng, percent: u32) -> bool {
    rng.u32(0..100) < percent
}

/// One item of a list; the default where the list is empty.
fn pick<T: Clone + Default>(rng: &mut Rng, items: &[T]) -> T {
    if items.is_empty() {
        return T::default();
    }
    items.get(rng.usize(0..items.len())).cloned().unwrap_or_default()
}

/// A few different items of a list, at least one, in random order.
fn some_of(rng: &mut Rng, items: &[&str], most: usize) -> Vec<String> {
    let mut items: Vec<String> = items.iter().map(|item| (*item).to_owned()).collect();
    rng.shuffle(&mut items);
    items.truncate(rng.usize(1..=most.max(1)));
    items
}

/// A value, or now and then a reference to a parameter that may stand for it.
fn or_parameter(rng: &mut Rng, plan: &Plan, name: &str, value: Value) -> Value {
    let stands = plan.parameters.iter().any(|parameter| parameter.name == name);
    if stands && chance(rng, 30) { json!(format!("${name}")) } else { value }
}

/// A duration.
fn duration(rng: &mut Rng, plan: &Plan) -> Value {
    let value = json!(pick(rng, &DURATIONS));
    or_parameter(rng, plan, "p_wait", value)
}

/// A small number.
fn small(rng: &mut Rng, plan: &Plan) -> Value {
    let value = json!(rng.u32(1..=3));
    or_parameter(rng, plan, "p_number", value)
}

/// Sets a key, so many times in a hundred.
fn maybe(rng: &mut Rng, map: &mut Map<String, Value>, percent: u32, key: &str, value: Value) {
    if chance(rng, percent) {
        map.insert(key.to_owned(), value);
    }
}
