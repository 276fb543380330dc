//! LAW-4, LAW-5 and LAW-11.

use failsoft::draft::ActionDraft;
use failsoft::{Circuit, Fault, Health, Role};
use serde_json::{Map, Value, json};

use crate::glass::each_snapshot;
use crate::world::{Step, failures, holds, holds_where, items, names, past_return, stops, text};

#[test]
fn law_04_the_caller_cant_open_the_gate() {
    holds(8_000, 1_000, |world| {
        let mut looked = 0;
        for step in world.play() {
            let Some(decision) = step.decision() else { continue };
            for reason in failures(decision).filter(|reason| world.is_guard(text(reason, "dependency"))) {
                let (guard, fault) = (text(reason, "dependency"), text(reason, "fault"));
                let rung = world.rung(reason);
                let hasty = step.told.faults.get(guard).is_some_and(|fault| fault == "timeout")
                    && world.dependency(guard).deadline.is_some_and(|deadline| {
                        let deadline = i64::try_from(deadline.get()).expect("a deadline is short");
                        step.told.had.get(guard).is_some_and(|had| *had < deadline)
                    });
                if hasty && fault != "cancelled" {
                    return Err(format!("haste of the caller is called {fault}: {} {decision}", step.line));
                }
                if matches!(fault, "rejected" | "cancelled") {
                    looked += 1;
                    let stopped = stops(text(decision, "verdict")) || past_return(world, &step);
                    if !stops(text(reason, "kind")) || !stopped {
                        return Err(format!("{guard} is passed on {fault}: {} {decision}", step.line));
                    }
                }
                let named_only = matches!(fault, "auth" | "payment" | "exhausted");
                let passed = !stops(text(reason, "kind")) && text(reason, "kind") != "withhold";
                if let Some(rung) = rung.filter(|rung| named_only && passed && !world.is_soft(rung)) {
                    looked += 1;
                    if !rung.when.fault.iter().any(|named| named.as_str() == fault) {
                        return Err(format!(
                            "{guard} is skipped on {fault}, which no rung names: {decision}"
                        ));
                    }
                }
            }
        }
        Ok(looked)
    });
}

/// Outcomes that the caller causes, told wherever a circuit is closed, change no answer, event or account.
#[test]
fn law_04_the_caller_moves_no_health() {
    // A window that may close the moment it was used closes at whatever line comes next, also at one of these.
    let not_at_once = |case: &mut failsoft_model::generate::Case, _: &mut fastrand::Rng| {
        if case.document.get("window_idle") == Some(&json!("0ms")) {
            case.document["window_idle"] = json!("1ms");
        }
    };
    holds_where(2_000, 20_000, not_at_once, |world| {
        let plain = world.play();
        let mut lines = Vec::new();
        let mut original = Vec::new();
        let mut added = 0;
        for step in &plain {
            original.push(lines.len());
            lines.push(step.line.clone());
            if step.is_question() {
                continue; // a line that is none would tell at once what the next one tells
            }
            for (name, _) in step.health.iter().filter(|(_, (_, circuit))| *circuit == Circuit::Closed) {
                let mut results = vec!["rejected", "cancelled"];
                let mut outcome = json!({ "dependency": name });
                // Ours, and nothing of health's only where the matrix doesn't say otherwise.
                if !world.settings(name).record_error_classes.contains(&Fault::Exhausted)
                    && world.settings(name).ignore_error_classes.is_none()
                {
                    results.push("exhausted");
                }
                if world.is_guard(name) {
                    results.push("timeout");
                    outcome["had_ms"] = json!(0);
                }
                outcome["result"] = json!(results[added % results.len()]);
                lines.push(json!({ "outcome": outcome }));
                added += 1;
            }
        }
        let meddled = world.play_lines(&lines);
        for (step, place) in plain.iter().zip(original) {
            let [here, there] = [step, &meddled[place]].map(without_ignored);
            if here != there || step.health != meddled[place].health {
                return Err(format!("{}: {here:?} becomes {there:?}\n{}", step.line, world.told(&lines)));
            }
        }
        Ok(added)
    });
}

/// What is printed, without what counts or tells of the ignored, and the numbers of events.
fn without_ignored(step: &Step) -> Vec<Value> {
    let mut printed = step.printed.clone();
    printed.retain(|line| line.pointer("/event/kind") != Some(&json!("never.answered")));
    for line in &mut printed {
        if let Some(ignored) = line.pointer_mut("/metrics/ignored_calls") {
            *ignored = Value::Null;
        }
        if let Some(sequence) = line.pointer_mut("/event/sequence") {
            *sequence = Value::Null;
        }
    }
    printed
}

#[test]
fn law_05_a_refusal_is_not_a_failure_and_what_was_refused_does_not_happen() {
    holds(6_000, 1_200, |world| {
        let mut looked = 0;
        for step in world.play() {
            let Some(decision) = step.decision() else { continue };
            for guard in world.guards(text(decision, "operation")) {
                let report = step.told.faults.get(guard).map(String::as_str);
                let verdict = text(decision, "verdict");
                let (allowed, normal) = (verdict == "allow", text(decision, "posture") == "normal");
                looked += usize::from(matches!(report, Some("refused" | "indeterminate")));
                if report == Some("refused") && allowed {
                    return Err(format!("{guard} refused, and yet: {} {decision}", step.line));
                }
                if report == Some("indeterminate") && allowed && normal {
                    return Err(format!(
                        "{guard} could not be read, which is no yes: {} {decision}",
                        step.line
                    ));
                }
            }
        }
        Ok(looked)
    });
}

/// A trace in which calls end well or are refused, and nobody else says anything of a health.
#[test]
fn law_05_refusals_never_open_a_circuit() {
    let only_refusals = |case: &mut failsoft_model::generate::Case, rng: &mut fastrand::Rng| {
        case.lines
            .retain(|line| !["probe", "override", "advice"].iter().any(|kind| line.get(kind).is_some()));
        each_snapshot(&mut case.lines, |state| *state = Map::new());
        // A call that is out too long fails by itself: here it has no name, or a `timeout` is no failure.
        let nameless = rng.bool();
        for line in &mut case.lines {
            for kind in ["outcome", "permit", "release"] {
                let part = line.get_mut(kind).and_then(Value::as_object_mut).filter(|_| nameless);
                part.map(|part| part.shift_remove("permit"));
            }
            for kind in ["outcome", "call"] {
                if let Some(part) = line.get_mut(kind).filter(|part| part.get("result").is_some()) {
                    part["result"] = json!(if rng.u8(0..4) == 0 { "ok" } else { "refused" });
                }
            }
        }
        for name in names(&case.document, "dependency") {
            let dependency = case.document["dependency"][&name].as_object_mut().expect("a table");
            let health = dependency.entry("health").or_insert_with(|| json!({}));
            let health = health.as_object_mut().expect("a table");
            health.shift_remove("initial_state");
            // A refusal may be slow as any answer, and slowness is another thing.
            health.insert("slow_call_duration_threshold".into(), json!("off"));
            if !nameless {
                health.shift_remove("record_error_classes");
                health.insert("ignore_error_classes".into(), json!(["timeout"]));
            }
        }
    };
    holds_where(3_000, 100_000, only_refusals, |world| {
        let mut looked = 0;
        for step in world.play() {
            for (name, health) in &step.health {
                looked += 1;
                if !matches!(health, (Health::Unknown | Health::Healthy, Circuit::Closed)) {
                    return Err(format!("{name} is {health:?} after {}", step.line));
                }
            }
        }
        Ok(looked)
    });
}

#[test]
fn law_11_a_substitute_passes_the_same_gates() {
    holds(6_000, 600, |world| {
        let mut looked = 0;
        for step in world.play() {
            let Some(decision) = step.decision() else { continue };
            for reason in items(decision, "reasons").filter(|reason| reason["fault"] == "refused") {
                if matches!(text(reason, "kind"), "fallback" | "least_bad") {
                    return Err(format!("a refusal falls back: {} {decision}", step.line));
                }
            }
            for duty in items(decision, "obligations").filter(|duty| duty["kind"] == "fallback") {
                let (need, target) = (text(duty, "dependency"), text(duty, "to"));
                looked += 1;
                let report = step.told.faults.get(target).map(String::as_str);
                if !matches!(report, None | Some("ok")) {
                    return Err(format!("{target} met {report:?}, and is fallen back to: {decision}"));
                }
                if world.role(need) != Role::Observe
                    && step.told.faults.get(need).is_some_and(|met| met == "refused")
                {
                    return Err(format!("{need} refused, and is fallen back from: {decision}"));
                }
                let rung = failures(decision).find(|reason| reason["dependency"] == need);
                let panic = rung
                    .and_then(|reason| world.rung(reason))
                    .is_some_and(|rung| matches!(rung.action, ActionDraft::LeastBad { .. }));
                // That this very request met an `ok` there says more than its health.
                let (health, circuit) = step.health[target];
                // Under `metrics_only` all is counted, and to decisions it is fine all the same.
                let down = health == Health::Down && circuit != Circuit::MetricsOnly;
                let closed = if panic { circuit == Circuit::ForcedOpen } else { down };
                if closed && (panic || report.is_none()) {
                    return Err(format!("{target} is {health:?}, and is fallen back to: {decision}"));
                }
            }
        }
        Ok(looked)
    });
}

/// The classes by which a caller is told apart are those of the vocabulary.
#[test]
fn law_04_the_classes_are_those_of_the_vocabulary() {
    for fault in Fault::ALL {
        assert_eq!(fault.caller(), matches!(fault.as_str(), "rejected" | "cancelled"));
        assert_eq!(fault.named_only(), matches!(fault.as_str(), "auth" | "payment" | "exhausted"));
    }
}
