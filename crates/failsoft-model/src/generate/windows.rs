//! What random cases hold of windows (spec 7): short idle times, few tenants with a row each, and rungs that go on.

use fastrand::Rng;
use serde_json::{Map, Value, json};

use super::{Flavour, Plan, maybe, pick};

/// `window_idle` and `tenants` of a document.
pub(super) fn settings(rng: &mut Rng, plan: &Plan, map: &mut Map<String, Value>) {
    let windowed = plan.flavour == Flavour::Windowed;
    let short = ["20ms", "50ms", "50ms", "70ms", "100ms", "200ms"];
    let idle = match rng.u32(0..100) {
        0 | 1 => "0ms",
        2..=50 if windowed => pick(rng, &["200ms", "200ms", "500ms"]),
        _ => pick(rng, &short),
    };
    maybe(rng, map, if windowed { 95 } else { 75 }, "window_idle", json!(idle));
    let tenants = pick(rng, &[0, 1, 1, 2, 2, 2, 3]);
    maybe(rng, map, if windowed { 75 } else { 40 }, "tenants", json!(tenants));
}

/// A rung at the end of a ladder that nothing narrows and that goes on; mostly with an event.
pub(super) fn open_rung(rng: &mut Rng) -> Value {
    let mut settings = Map::new();
    maybe(rng, &mut settings, 65, "emit", json!("d.let.past"));
    let kind = pick(rng, &["allow", "allow", "withhold", "read_only"]);
    json!({ kind: settings })
}

/// A tenant: more than have a row, and names whose bytes sort otherwise than people would.
pub(super) fn tenant(rng: &mut Rng) -> String {
    let names = ["t1", "t1", "t1", "t2", "t2", "t10", "T", "\u{e9}", "", "\u{ff5e}", "\u{1f600}"];
    pick(rng, &names).to_owned()
}

/// The kinds of a windowed trace's lines: mostly requests, which are asked about and finished.
pub(super) fn kinds(operations: bool) -> Vec<&'static str> {
    let mut kinds = vec!["outcome", "outcome", "outcome", "override", "override", "override", "override"];
    kinds.extend([
        "probe",
        "advice",
        "instances",
        "outbox",
        "permit",
        "call",
        "health",
        "restart",
        "restart",
    ]);
    kinds.extend(["windows"; 8]);
    kinds.extend(["finish"; 8]);
    kinds.extend(vec!["decide"; if operations { 34 } else { 0 }]);
    kinds
}
