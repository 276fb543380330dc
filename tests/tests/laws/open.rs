//! LAW-3, LAW-8 and LAW-10.

use std::collections::{BTreeMap, BTreeSet};

use failsoft::draft::RungDraft;
use failsoft::{Effect, Role};
use serde_json::Value;

use crate::world::{
    Step, World, entries, failures, goes_on, holds, items, openness, past_return, stops, text,
};

/// What a request's earlier commits let past.
#[derive(Clone, Copy, Default)]
struct Past {
    skipped: bool,
    replaced: bool,
}

/// The windows that stand open, as events say, and who went through each unchecked.
#[derive(Default)]
struct Windows(BTreeMap<String, BTreeSet<String>>);

impl Windows {
    /// The closing of a window says how much went through: no less than was seen to.
    fn hear(&mut self, step: &Step) -> Result<(), String> {
        if let Some(snapshot) = step.line.pointer("/restart/snapshot") {
            let open =
                entries(snapshot, "dependencies").filter(|(_, state)| state.get("window_open").is_some());
            self.0 = open.map(|(name, _)| (name.clone(), BTreeSet::new())).collect();
        }
        for event in step.events() {
            let dependency = text(event, "dependency");
            match text(event, "kind") {
                "window.opened" => drop(self.0.insert(dependency.to_owned(), BTreeSet::new())),
                "window.closed" => {
                    let through = self.0.remove(dependency).unwrap_or_default().len();
                    let told = event.pointer("/total/requests").and_then(Value::as_u64).unwrap_or(0);
                    if u64::try_from(through).is_ok_and(|through| told < through) {
                        return Err(format!("{through} went through: {} {event}", step.line));
                    }
                }
                _ => {}
            }
        }
        Ok(())
    }
}

#[test]
fn law_03_open_is_said() {
    holds(4_000, 1_200, |world| {
        let mut looked = 0;
        let mut past: BTreeMap<String, Past> = BTreeMap::new();
        let mut windows = Windows::default();
        for (number, step) in world.play().into_iter().enumerate() {
            windows.hear(&step)?;
            if let Some(finished) = step.line.pointer("/finish/request").and_then(Value::as_str) {
                past.remove(finished);
                // Its name afterwards is a new request.
                for through in windows.0.values_mut().filter(|through| through.contains(finished)) {
                    through.remove(finished);
                    through.insert(format!("{finished} until {number}"));
                }
            }
            let Some(decision) = step.decision().filter(|decision| goes_on(decision)) else { continue };
            // Too many unchecked, too late to stop: nothing of what was skipped is shown.
            if items(decision, "reasons").any(|reason| reason["kind"] == "max_unchecked") {
                continue;
            }
            let mut all = step.request().and_then(|name| past.get(name)).copied().unwrap_or_default();
            let name = step.request().map_or(format!("nameless {number}"), str::to_owned);
            for reason in failures(decision).filter(|reason| world.is_guard(text(reason, "dependency"))) {
                let kind = text(reason, "kind");
                if stops(kind) || kind == "withhold" {
                    continue;
                }
                let guard = text(reason, "dependency");
                if !step.is_preview() {
                    // From the first request on: its own commit opens the window.
                    let Some(through) = windows.0.get_mut(guard) else {
                        return Err(format!(
                            "{guard} is passed, and no window is open: {} {decision}",
                            step.line
                        ));
                    };
                    through.insert(name.clone());
                }
                if world.rung(reason).is_some_and(|rung| world.is_soft(rung)) {
                    all.replaced = true;
                    continue;
                }
                all.skipped = true;
                let said = items(decision, "obligations")
                    .any(|duty| duty["kind"] == "mark_unchecked" && duty["dependency"] == guard);
                if !said {
                    return Err(format!("{guard} is skipped, and nothing marks it: {decision}"));
                }
            }
            open_is_said(&step, decision, all)?;
            looked += usize::from(all.skipped || all.replaced);
            failed_guard_is_said(world, &step, decision)?;
            if let Some(request) = step.request().filter(|_| !step.is_preview()) {
                past.insert(request.to_owned(), all);
            }
        }
        Ok(looked)
    });
}

fn open_is_said(step: &Step, decision: &Value, all: Past) -> Result<(), String> {
    let least = match all {
        Past { skipped: true, .. } => openness("fail_open"),
        Past { replaced: true, .. } => openness("fail_soft"),
        Past { .. } => 0,
    };
    if openness(text(decision, "posture")) < least {
        return Err(format!("a guard was passed, and the posture doesn't say so: {} {decision}", step.line));
    }
    if least > 0 && decision["cacheable"] != false {
        return Err(format!("a guard was passed, and the answer may be cached: {} {decision}", step.line));
    }
    Ok(())
}

/// By what the request itself reports, whatever the reasons say.
fn failed_guard_is_said(world: &World, step: &Step, decision: &Value) -> Result<(), String> {
    for guard in world.guards(text(decision, "operation")) {
        let report = step.told.faults.get(guard).map_or("ok", String::as_str);
        let silent = text(decision, "posture") == "normal" && text(decision, "verdict") == "allow";
        if report != "ok" && silent {
            return Err(format!("{guard} met {report}, and the answer looks like a pass: {decision}"));
        }
    }
    Ok(())
}

fn names_irreversible(rung: &RungDraft) -> bool {
    rung.when.effect.contains(&Effect::Irreversible)
}

#[test]
fn law_08_no_irreversible_act_on_stale_reasoning() {
    holds(6_000, 1_500, |world| {
        let mut looked = 0;
        for step in world.play() {
            let Some(decision) = step.decision().filter(|decision| goes_on(decision)) else { continue };
            let operation = world.operation(text(decision, "operation"));
            if operation.effect != Effect::Irreversible {
                continue;
            }
            let converted = past_return(world, &step);
            for need in &operation.needs {
                let reason = items(decision, "reasons").find(|reason| reason["dependency"] == need.as_str());
                let reported = step.told.faults.get(need).map(String::as_str);
                let stands = match (world.role(need), reason) {
                    (Role::Observe, _) => continue,
                    (Role::Guard, None) => reported == Some("ok") || refused_by_rule(decision),
                    (Role::Serve, None) => true,
                    (_, Some(reason)) if converted && stops(text(reason, "kind")) => true,
                    (role, Some(reason)) if reason["fault"] == "refused" => {
                        let written =
                            world.dependency(need).on_refusal.as_ref().filter(|_| reason["rung"] == 0);
                        let withheld = role == Role::Serve || text(reason, "kind") != "withhold";
                        withheld && written.is_some_and(names_irreversible)
                    }
                    (role, Some(reason)) => world.rung(reason).is_some_and(|rung| {
                        names_irreversible(rung) && (role == Role::Serve || world.is_soft(rung))
                    }),
                };
                if !stands {
                    return Err(format!("{need} ({reported:?}) is no yes in {}: {decision}", step.line));
                }
            }
            looked += 1;
        }
        Ok(looked)
    });
}

/// Past the point of no return a refuse rule withholds, and no guard is looked at.
fn refused_by_rule(decision: &Value) -> bool {
    text(decision, "verdict") == "withhold"
        && items(decision, "reasons").any(|reason| reason["kind"] == "refuse")
}

#[test]
fn law_10_there_is_a_point_of_no_return() {
    holds(6_000, 3_000, |world| {
        let mut looked = 0;
        for step in world.play() {
            let Some(decision) = step.decision().filter(|_| past_return(world, &step)) else { continue };
            looked += 1;
            if !goes_on(decision) {
                return Err(format!("too late to stop: {} {decision}", step.line));
            }
            let late = |duty: &&Value| matches!(text(duty, "kind"), "fallback" | "retry");
            if let Some(duty) = items(decision, "obligations").find(late) {
                return Err(format!("too late for {duty}: {} {decision}", step.line));
            }
        }
        Ok(looked)
    });
}
