//! LAW-7: an operator skips a guard only by a declared, signed and timed `break_glass` ([OPR-20]).

use std::collections::BTreeMap;

use failsoft::Effect;
use failsoft_model::generate::Case;
use serde_json::{Map, Value, json};

use crate::world::{Found, Step, World, entries, goes_on, holds_where, items, names, preview, stops, text};

/// No line and no snapshot skips a guard ([OPR-20]); the properties below speak of that.
pub(crate) fn no_break_glass(case: &mut Case) {
    case.lines.retain(|line| line.pointer("/override/to") != Some(&json!("break_glass")));
    each_snapshot(&mut case.lines, |state| {
        if state.get("override").is_some_and(|standing| standing["to"] == "break_glass") {
            state.shift_remove("override");
        }
    });
}

/// Changes every state of a dependency that some restart's snapshot holds.
pub(crate) fn each_snapshot(lines: &mut [Value], change: impl Fn(&mut Map<String, Value>)) {
    for line in lines {
        let states = line.pointer_mut("/restart/snapshot/dependencies").and_then(Value::as_object_mut);
        states.into_iter().flatten().filter_map(|(_, state)| state.as_object_mut()).for_each(&change);
    }
}

/// Since when and until when each guard is skipped, read from the trace alone.
#[derive(Default)]
struct Glass(BTreeMap<String, (i64, i64)>);

impl Glass {
    fn hear(&mut self, world: &World, step: &Step) -> Result<(), String> {
        let at = step.at;
        self.0.retain(|_, (_, until)| *until > at);
        if let Some(act) = step.line.get("override").filter(|act| act.get("meter").is_none()) {
            let name = text(act, "dependency");
            let length = allowed(world, act);
            let told = step.events().find(|event| {
                text(event, "kind").starts_with("override.")
                    && event["dependency"] == name
                    && event.get("was").is_none()
            });
            let told = told.ok_or_else(|| format!("nothing tells of {}", step.line))?;
            let done = told["kind"] == "override.set";
            if act["to"] == "break_glass"
                && (done != length.is_some() || done && told["for_ms"].as_i64() != length)
            {
                return Err(format!("{} is told as {told}", step.line));
            }
            if done {
                self.0.remove(name);
                self.0.extend(length.map(|length| (name.to_owned(), (at, at.saturating_add(length)))));
            }
        }
        if let Some(restart) = step.line.get("restart") {
            if let Some(snapshot) = restart.get("snapshot") {
                let spans = entries(snapshot, "dependencies").filter_map(|(name, state)| {
                    let standing = state.get("override")?;
                    let left = allowed_of(world, name, standing, "left_ms")?;
                    let age = standing.get("age_ms").and_then(Value::as_i64).unwrap_or(0);
                    Some((name.clone(), (at - age, at.saturating_add(left))))
                });
                self.0 = spans.collect();
            }
            let away = restart.get("away_ms").and_then(Value::as_i64).unwrap_or(0);
            for (since, until) in self.0.values_mut() {
                (*since, *until) = (*since - away, *until - away);
            }
        }
        self.0.retain(|_, (_, until)| *until > at);
        Ok(())
    }
}

/// For how long an act of this kind may skip its guard; none where it may not.
fn allowed(world: &World, act: &Value) -> Option<i64> {
    // A meter's limit is no act on a guard.
    allowed_of(world, act.get("dependency")?.as_str()?, act, "for_ms")
}

/// The same of an act or of what a snapshot says stands, which skips no longer and no other guard (spec 10); `span` is
/// how long it would.
fn allowed_of(world: &World, name: &str, act: &Value, span: &str) -> Option<i64> {
    let known = world.loaded.draft.dependencies.iter().find(|dependency| dependency.name == name);
    let longest = i64::try_from(known?.break_glass?.get()).expect("a short time");
    let signed = !text(act, "by").trim().is_empty() && !text(act, "reason").trim().is_empty();
    let length = act.get(span).and_then(Value::as_i64).unwrap_or(longest).min(longest);
    (act["to"] == "break_glass" && signed).then_some(length)
}

/// More of it than a trace has of itself: declared for most guards, signed mostly, for some time or for all.
fn much_glass(case: &mut Case, rng: &mut fastrand::Rng) {
    let (guards, operations) = (guards(&case.document), names(&case.document, "operation"));
    for name in &guards {
        if rng.u8(0..4) > 0 {
            let longest = rng.choice(["50ms", "200ms", "1m"]).expect("a few");
            case.document["dependency"][name]["break_glass"] = json!({ "max_duration": longest });
        }
    }
    for guard in &guards {
        // Also what a snapshot says is held, though it may say too much.
        let mut lines: Vec<&mut Value> = case.lines.iter_mut().collect();
        lines.retain(|line| line.pointer("/restart/snapshot/dependencies").is_some());
        for line in lines {
            let states = &mut line["restart"]["snapshot"]["dependencies"];
            if rng.u8(0..3) == 0 && states[guard].get("override").is_none() {
                let [by, reason] = [(); 2].map(|()| rng.choice(["ann", "ann", "ann", " "]));
                let (left, age) = (rng.choice([50, 200, 100_000]), rng.i64(0..100));
                let held = json!({ "to": "break_glass", "left_ms": left, "age_ms": age, "by": by, "reason": reason });
                states[guard]["override"] = held;
            }
        }
    }
    let mut lines = Vec::new();
    for line in case.lines.drain(..) {
        let restarts = line.pointer("/restart/snapshot").is_some();
        let glass = line.get("decide").and(rng.choice(&guards)).filter(|_| rng.u8(0..4) == 0);
        if let Some(name) = glass {
            let mut act =
                Map::from_iter([("dependency".into(), json!(name)), ("to".into(), json!("break_glass"))]);
            act.extend(
                rng.choice([None, Some(50), Some(200), Some(100_000)])
                    .flatten()
                    .map(|length| ("for_ms".into(), json!(length))),
            );
            for key in ["by", "reason"] {
                if rng.u8(0..10) > 0 {
                    act.insert(key.into(), json!(rng.choice(["ann", "ann", "ann", "ann", ""])));
                }
            }
            lines.push(json!({ "override": act }));
            lines.extend(operations.iter().map(|operation| preview(operation)));
        }
        let at = line.get("at_ms").and_then(Value::as_i64).unwrap_or(0);
        lines.push(line);
        for later in [0, 50, 201].iter().filter(|_| restarts) {
            lines.extend(operations.iter().map(|operation| {
                let mut line = preview(operation);
                line["at_ms"] = json!(at + later);
                line
            }));
        }
    }
    case.lines = lines;
}

pub(crate) fn guards(document: &Value) -> Vec<String> {
    let all = entries(document, "dependency").filter(|(_, dependency)| dependency["role"] == "guard");
    all.map(|(name, _)| name.clone()).collect()
}

#[test]
fn law_07_an_operator_skips_a_guard_only_by_break_glass() {
    holds_where(4_500, 5_000, much_glass, |world| {
        let mut glass = Glass::default();
        let mut looked = 0;
        for step in world.play() {
            glass.hear(world, &step)?;
            let Some(decision) = step.decision() else { continue };
            if let Some(reason) = items(decision, "reasons")
                .find(|reason| reason["kind"] == "break_glass" && !world.is_guard(text(reason, "dependency")))
            {
                return Err(format!("no guard is skipped: {reason}"));
            }
            for guard in world.guards(text(decision, "operation")) {
                looked += skipped_or_not(
                    world,
                    &step,
                    decision,
                    guard,
                    glass.0.get(guard).map(|(since, _)| *since),
                )?;
            }
        }
        Ok(looked)
    });
}

/// A guard of a decision, and since when an operator has it skipped: how often it was skipped.
fn skipped_or_not(world: &World, step: &Step, decision: &Value, guard: &str, since: Option<i64>) -> Found {
    let met = step.told.faults.get(guard).map(String::as_str);
    let deadline = world.dependency(guard).deadline.map_or(0, |deadline| deadline.get());
    let had = step.told.had.get(guard).and_then(|had| u64::try_from(*had).ok());
    let haste = met == Some("timeout") && had.is_some_and(|had| had < deadline);
    let own = haste || matches!(met, Some("ok" | "refused" | "rejected" | "cancelled"));
    let lawful = world.operation(text(decision, "operation")).effect != Effect::Irreversible && !own;
    let wrong = |what: &str| Err(format!("{guard} {what}: {since:?} {} {decision}", step.line));

    let reason = items(decision, "reasons").find(|reason| reason["dependency"] == guard);
    let Some(reason) = reason.filter(|reason| reason["kind"] == "break_glass") else {
        let passed = reason.is_some_and(|reason| {
            let kind = text(reason, "kind");
            reason["rung"].is_null() && !stops(kind) && kind != "withhold"
        });
        if passed {
            return wrong("is passed by no rung and no operator");
        }
        // A request may have been past it before, a refuse rule looks at no guard, and what its store said of a limit
        // stands also behind broken glass ([MET-33]).
        let held = reason.is_some_and(|reason| reason["kind"] == "over_limit");
        let unseen = held
            || step.request().is_some()
            || items(decision, "reasons").any(|reason| reason["kind"] == "refuse");
        return if since.is_some() && lawful && !unseen {
            wrong("is to be skipped, and is not")
        } else {
            Ok(0)
        };
    };
    if since.is_none() || !lawful {
        return wrong("may not be skipped");
    }
    let plain = reason["since_ms"].as_i64() == since
        && reason["rung"].is_null()
        && reason["fault"].as_str() == met
        && reason["health"] == step.health[guard].0.as_str();
    let too_many = items(decision, "reasons").any(|reason| reason["kind"] == "max_unchecked");
    let marked = items(decision, "obligations")
        .any(|duty| duty["kind"] == "mark_unchecked" && duty["dependency"] == guard);
    let open = marked && decision["posture"] == "fail_open" && decision["cacheable"] == false;
    if !plain || (goes_on(decision) && !too_many && !open) {
        return wrong("is skipped, and it is not told");
    }
    Ok(1)
}

/// Where it is lifted instead, health and permits are the same, and so is every answer until the first guard is skipped.
#[test]
fn law_07_break_glass_does_nothing_but_skip_a_guard() {
    holds_where(2_000, 40_000, much_glass, |world| {
        let lifted: Vec<Value> = world
            .lines
            .iter()
            .map(|line| {
                let mut line = line.clone();
                if let Some(act) = line.get_mut("override").filter(|act| allowed(world, act).is_some()) {
                    act["to"] = Value::Null;
                    act.as_object_mut().expect("an object").shift_remove("for_ms");
                }
                line
            })
            .collect();
        let mut case = Case { document: world.document.clone(), parameters: BTreeMap::new(), lines: lifted };
        each_snapshot(&mut case.lines, |state| {
            if state.get("override").is_some_and(|standing| standing["to"] == "break_glass") {
                state.shift_remove("override");
            }
        });
        let mut same = true;
        let mut looked = 0;
        for (with, without) in world.play().iter().zip(world.play_lines(&case.lines)) {
            let permits = [with, &without]
                .map(|step| step.printed.first().and_then(|line| line.get("permit").cloned()));
            if with.health != without.health || permits[0] != permits[1] {
                return Err(format!(
                    "{} moves health or a permit: {:?} {:?}",
                    with.line, with.health, without.health
                ));
            }
            looked += 1;
            let Some((one, other)) = with.decision().zip(without.decision()) else { continue };
            // A guard that would have been skipped may be held by what its store said last ([MET-33]).
            same &= items(one, "reasons")
                .all(|reason| reason["kind"] != "break_glass" && reason["kind"] != "over_limit");
            if same && one != other {
                return Err(format!("no guard is skipped, and yet\n{other}\nbecomes\n{one}"));
            }
        }
        Ok(looked)
    });
}
