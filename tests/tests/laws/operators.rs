//! LAW-7: no other act of an operator skips a guard, and nothing that is restored.

use std::collections::BTreeMap;

use failsoft_model::generate::Case;
use serde_json::{Value, json};

use crate::glass::{guards, no_break_glass};
use crate::world::{World, failures, holds_where, names, preview, stops, text};

/// Nothing ever fails but by operators, who do all that they may but break the glass.
fn operators_alone(case: &mut Case, rng: &mut fastrand::Rng) {
    no_break_glass(case);
    case.lines.retain(|line| {
        let others = ["probe", "advice", "permit", "release"];
        !others.iter().any(|kind| line.get(kind).is_some()) && line.pointer("/restart/snapshot").is_none()
    });
    for name in names(&case.document, "dependency") {
        case.document["dependency"][&name]["health"]["slow_call_duration_threshold"] = json!("off");
    }
    let (guards, operations) = (guards(&case.document), names(&case.document, "operation"));
    let mut lines = Vec::new();
    for mut line in case.lines.drain(..) {
        for kind in ["outcome", "call"] {
            if let Some(part) = line.get_mut(kind) {
                part["result"] = json!("ok");
            }
        }
        line.get_mut("decide").and_then(Value::as_object_mut).map(|decide| decide.shift_remove("faults"));
        lines.push(line);
        if let Some(guard) = rng.choice(&guards).filter(|_| rng.bool()) {
            let to = rng.choice([
                "open",
                "half_open",
                "forced_open",
                "closed",
                "reset",
                "metrics_only",
                "disabled",
            ]);
            lines.push(
                json!({ "override": { "dependency": guard, "to": to, "by": "ann", "reason": "drill" } }),
            );
        }
        lines.extend(operations.iter().map(|operation| preview(operation)));
    }
    case.lines = lines;
}

#[test]
fn law_07_no_other_act_of_an_operator_skips_a_guard() {
    holds_where(2_000, 20_000, operators_alone, |world| {
        let mut looked = 0;
        for step in world.play() {
            let Some(decision) = step.decision() else { continue };
            for reason in failures(decision).filter(|reason| world.is_guard(text(reason, "dependency"))) {
                let kind = text(reason, "kind");
                let soft = world.rung(reason).is_some_and(|rung| world.is_soft(rung));
                if !stops(kind) && kind != "withhold" && !soft {
                    return Err(format!("an operator has a guard skipped: {} {decision}", step.line));
                }
                looked += 1;
            }
        }
        Ok(looked)
    });
}

/// Nor does what is restored skip what no operator may: undeclared, unsigned, for ever or for longer than declared.
#[test]
fn law_07_no_snapshot_skips_a_guard_that_no_operator_may() {
    let glass = json!({ "max_duration": "1s" });
    let signed = json!({ "to": "break_glass", "left_ms": 500, "age_ms": 0, "by": "ann", "reason": "drill" });
    let without = |key: &str| {
        let mut standing = signed.clone();
        standing.as_object_mut().expect("an object").shift_remove(key);
        standing
    };
    let with = |key: &str, value: Value| {
        let mut standing = signed.clone();
        standing[key] = value;
        standing
    };
    let mut broken = Vec::new();
    for (what, role, glass, standing, later, skipped) in [
        ("lawful", "guard", Some(&glass), signed.clone(), 0, true),
        ("lawful, and over", "guard", Some(&glass), signed.clone(), 500, false),
        ("undeclared", "guard", None, signed.clone(), 0, false),
        ("a server", "serve", None, signed.clone(), 0, false),
        ("by nobody", "guard", Some(&glass), without("by"), 0, false),
        ("for no reason", "guard", Some(&glass), with("reason", json!("")), 0, false),
        ("without an end", "guard", Some(&glass), without("left_ms"), 1_000, false),
        ("longer than declared", "guard", Some(&glass), with("left_ms", json!(5_000)), 1_000, false),
    ] {
        let mut policy = json!({ "role": role, "deadline": "50ms" });
        if let Some(glass) = glass {
            policy["break_glass"] = glass.clone();
        }
        let document = json!({
            "spec": 1, "name": "m",
            "dependency": { "policy": policy },
            "operation": { "ask": { "needs": ["policy"] } },
        });
        let world = World::new(0, Case { document, parameters: BTreeMap::new(), lines: Vec::new() });
        let snapshot = json!({ "v": 1, "dependencies": { "policy": { "override": standing } } });
        let ask = json!({ "operation": "ask", "faults": { "policy": "unavailable" } });
        let played = world.play_lines(&[
            json!({ "at_ms": 0, "restart": { "away_ms": 0, "snapshot": snapshot } }),
            json!({ "at_ms": later, "decide": ask }),
        ]);
        let decision = played[1].decision().expect("a decision");
        if skipped != (text(decision, "verdict") == "allow") {
            broken.push(format!("{what}: {decision}"));
        }
    }
    assert!(broken.is_empty(), "{}", broken.join("\n"));
}
