//! LAW-4, LAW-5, LAW-7 and LAW-11, where it is not the guard itself that is spoken of but the one that stands in for it.

use std::collections::BTreeMap;

use failsoft_model::generate::Case;
use serde_json::{Value, json};

use crate::world::{Step, World, stops, text};

/// A guard that fails with a fault of its own, falls back to another guard, and then to whatever chance writes.
fn case(rng: &mut fastrand::Rng) -> World {
    let tail = [
        json!({ "allow": true }),
        json!({ "last_known": "1h" }),
        json!({ "metadata_only": true }),
        json!({ "skip_tool": true }),
        json!({ "withhold": true }),
        json!({ "outbox": 5 }),
        json!({ "substitute": "canned" }),
        json!({ "defer": true }),
        json!({ "deny": true }),
    ];
    let mut ladder = vec![json!({ "fallback": "other" })];
    ladder.extend((0..rng.usize(0..4)).filter_map(|_| rng.choice(&tail).cloned()));
    let document = json!({
        "spec": 1, "name": "m",
        "dependency": {
            "policy": { "role": "guard", "deadline": "50ms", "on_failure": ladder },
            "other": { "role": "guard", "deadline": "100ms" },
        },
        "operation": { "ask": { "needs": ["policy"], "effect": rng.choice(["read", "write"]).expect("one") } },
    });
    World::new(0, Case { document, parameters: BTreeMap::new(), lines: Vec::new() })
}

/// What is decided when the guard has failed and `more` is told of the other.
fn decided(world: &World, rng: &mut fastrand::Rng, before: &[Value], more: &Value) -> Value {
    let fault = rng.choice(["timeout", "unreachable", "unavailable", "throttled", "indeterminate"]);
    let mut decide =
        json!({ "operation": "ask", "faults": { "policy": fault }, "cached_ms": { "policy": 5 } });
    for (key, value) in more.as_object().expect("an object") {
        match (decide.get_mut(key).and_then(Value::as_object_mut), value.as_object()) {
            (Some(held), Some(told)) => held.extend(told.clone()),
            _ => decide[key] = value.clone(),
        }
    }
    let mut lines = before.to_vec();
    lines.push(json!({ "decide": decide }));
    let played = world.play_lines(&lines);
    played.last().and_then(Step::decision).cloned().expect("a decision")
}

fn each(property: impl Fn(&World, &mut fastrand::Rng)) {
    for seed in 0..2_000 {
        let mut rng = fastrand::Rng::with_seed(seed);
        let world = case(&mut rng);
        property(&world, &mut rng);
    }
}

#[test]
fn law_05_a_substitutes_no_is_a_no() {
    each(|world, rng| {
        let decision = decided(world, rng, &[], &json!({ "faults": { "other": "refused" } }));
        assert!(stops(text(&decision, "verdict")), "{}\n{decision}", world.document);
    });
}

#[test]
fn law_04_the_caller_cant_take_a_substitute_away() {
    each(|world, rng| {
        let told = [
            json!({ "faults": { "other": "rejected" } }),
            json!({ "faults": { "other": "cancelled" } }),
            json!({ "faults": { "other": "timeout" }, "had_ms": { "other": 99 } }),
            json!({ "remaining_ms": 99 }),
        ];
        let told = rng.choice(&told).expect("one").clone();
        let decision = decided(world, rng, &[], &told);
        assert_ne!(text(&decision, "posture"), "fail_open", "{told} {}\n{decision}", world.document);
    });
}

#[test]
fn law_07_an_operator_opens_no_gate_through_a_substitute() {
    each(|world, rng| {
        let kind = rng.choice(["open", "forced_open"]);
        let held = json!({ "override": { "dependency": "other", "to": kind } });
        let decision = decided(world, rng, &[held], &json!({}));
        assert_ne!(text(&decision, "posture"), "fail_open", "{}\n{decision}", world.document);
    });
}

/// What it met itself is another thing: then the ladder goes on as it is written.
#[test]
fn law_11_a_substitute_that_failed_by_itself_leaves_the_ladder_as_it_is() {
    let mut open = 0;
    for seed in 0..2_000 {
        let mut rng = fastrand::Rng::with_seed(seed);
        let world = case(&mut rng);
        let decision = decided(&world, &mut rng, &[], &json!({ "faults": { "other": "unreachable" } }));
        assert!(
            decision["obligations"]
                .as_array()
                .is_some_and(|list| list.iter().all(|one| one["kind"] != "fallback"))
        );
        open += usize::from(text(&decision, "posture") == "fail_open");
    }
    assert!(open > 500, "only {open} decisions were open, so the laws above say little");
}
