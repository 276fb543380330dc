//! LAW-2 and LAW-9.

use std::collections::BTreeMap;

use failsoft::{
    Circuit, DependencyId, Fault, HalfOpenPolicy, Health, Request, Time, UnlistedError, decide, suppose,
};
use failsoft_model::generate::Case;
use serde_json::{Value, json};

use crate::glass::no_break_glass;
use crate::world::{Step, World, failures, holds_where, items, names, preview, strictness, text};

/// The longest time that a document and a trace may tell.
const LONGEST: i64 = (1 << 53) - 1;

/// Ladders that only ever deny, in the ways in which one can be written.
fn deny_only(rng: &mut fastrand::Rng) -> Value {
    let faults = json!(["timeout", "unreachable", "auth"]);
    let ladders = [
        json!([{ "deny": true }]),
        json!([]),
        json!([{ "deny": { "when": { "fault": faults } } }]),
        json!([{ "deny": { "when": { "health": ["degraded"] }, "code": "SLOW" } }, { "deny": { "status": 429 } }]),
        json!([{ "deny": { "when": { "stage": ["output"] } } }, { "deny": { "when": { "effect": ["read"] } } }]),
    ];
    rng.choice(ladders).expect("a few")
}

/// Under every override but the one that is made for it, and through every restart. Reload is not built; malformed
/// input is LAW-15's.
#[test]
fn law_02_closed_means_closed() {
    let close = |case: &mut Case, rng: &mut fastrand::Rng| {
        let guards: Vec<String> = names(&case.document, "dependency")
            .into_iter()
            .filter(|name| name.starts_with("guard"))
            .collect();
        let Some(shut) = rng.choice(guards) else { return };
        no_break_glass(case);
        case.document["dependency"][&shut]["on_failure"] = deny_only(rng);
        case.document["name"] = json!(format!("shut.{shut}"));
        // Between the lines, what a request that tells nothing would be answered.
        let operations = names(&case.document, "operation");
        let asked = case.lines.drain(..).flat_map(|line| {
            let previews = operations.iter().map(|operation| preview(operation));
            std::iter::once(line).chain(previews).collect::<Vec<_>>()
        });
        case.lines = asked.collect();
    };
    holds_where(3_000, 8_000, close, |world| {
        let Some(shut) = text(&world.document, "name").strip_prefix("shut.") else { return Ok(0) };
        let mut looked = 0;
        for step in world.play() {
            let Some(decision) = step.decision() else { continue };
            if !world.guards(text(decision, "operation")).any(|guard| guard == shut) {
                continue;
            }
            let reported = step.told.faults.get(shut).map(String::as_str);
            let (health, circuit) = step.health[shut];
            let called = matches!(circuit, Circuit::Disabled | Circuit::MetricsOnly);
            let failed = match reported {
                Some(report) => report != "ok" && report != "refused",
                // Behind a request's stage its earlier answer stands; a request that tells no stage has none.
                None => health == Health::Down && !called && step.request().is_none(),
            };
            let stands = failures(decision).any(|reason| reason["dependency"] == shut);
            let by_rule = items(decision, "reasons").any(|reason| reason["kind"] == "refuse");
            if failed && !stands && !by_rule {
                return Err(format!("{shut} has failed, and that is no reason in {}: {decision}", step.line));
            }
            if (failed || stands) && text(decision, "verdict") == "allow" {
                return Err(format!("{shut} is shut, and {} is allowed: {decision}", step.line));
            }
            looked += usize::from(failed);
        }
        Ok(looked)
    });
}

/// Every ladder denies, and none names `degraded`, so no ladder says that worse health may loosen an answer. A wait of
/// no time makes a failed trial no worse: the next one is free at once.
fn all_deny(case: &mut Case, rng: &mut fastrand::Rng) {
    for name in names(&case.document, "dependency") {
        let dependency = &mut case.document["dependency"][&name];
        let ladder = deny_only(rng);
        let shut = !name.starts_with("observe") && !ladder.to_string().contains("degraded");
        dependency["on_failure"] = if shut { ladder } else { json!([]) };
        dependency["health"]["wait_duration_in_open_state"] = json!("100ms");
        let health = dependency["health"].as_object_mut().expect("a table");
        health.shift_remove("max_wait_duration_in_open_state");
        if health.get("slow_call_duration_threshold") == Some(&json!(format!("{LONGEST}ms"))) {
            health.insert("slow_call_duration_threshold".into(), json!("100ms")); // a call can be slower than that
        }
    }
}

/// `check` is not built; that a ladder may say otherwise is left out by giving none that does.
#[test]
fn law_09_worse_health_never_a_looser_answer() {
    const WORSE: [Health; 4] = [Health::Healthy, Health::Degraded, Health::Probing, Health::Down];
    holds_where(2_000, 50_000, all_deny, |world| {
        let matrix = &world.loaded.matrix;
        let now = Time::from_millis(1_000);
        let mut looked = 0;
        for (operation, name) in matrix.operations() {
            let needs: Vec<DependencyId> = matrix.needs(operation).take(3).collect();
            let verdict = |levels: &[usize]| {
                let supposed: Vec<_> =
                    needs.iter().zip(levels).map(|(id, level)| (*id, WORSE[*level])).collect();
                let state = suppose::state(matrix, now, &supposed);
                decide(matrix, &state, &Request::new(matrix, name), now).verdict
            };
            let count = WORSE.len().pow(needs.len().try_into().expect("a few"));
            for combination in 0..count {
                let levels: Vec<usize> = (0..needs.len())
                    .map(|place| {
                        combination / WORSE.len().pow(place.try_into().expect("a few")) % WORSE.len()
                    })
                    .collect();
                let better = strictness(verdict(&levels).as_str());
                for place in 0..levels.len() {
                    let mut worse = levels.clone();
                    worse[place] += 1;
                    if worse[place] == WORSE.len() {
                        continue;
                    }
                    looked += 1;
                    if strictness(verdict(&worse).as_str()) < better {
                        return Err(format!("{name}: {levels:?} is answered more strictly than {worse:?}"));
                    }
                }
            }
        }
        Ok(looked)
    });
}

/// A failure that counts ([HLT-5]), and is no faster than what is slow: a fast one would thin out the slow calls.
fn failure(world: &World, rng: &mut fastrand::Rng, name: &str) -> Option<Value> {
    let settings = world.settings(name);
    let counts = |class: &&str| {
        let fault = Fault::from_name(class).expect("a class");
        let ignored = settings.ignore_error_classes.as_ref().is_some_and(|list| list.contains(&fault));
        let recorded = settings.record_error_classes.contains(&fault);
        !ignored && (recorded || settings.unlisted_error == UnlistedError::Failure)
    };
    let classes = ["timeout", "unavailable", "auth", "indeterminate", "throttled", "payment"];
    let result = rng.choice(classes.into_iter().filter(counts).collect::<Vec<_>>())?;
    Some(json!({ "outcome": { "dependency": name, "result": result, "latency_ms": LONGEST } }))
}

/// A rate of the trials may be met with a failure among them; then the last trial closes the circuit, though it failed.
fn last_of_the_trials(world: &World, name: &str, before: &Step, after: &Step) -> bool {
    let settings = world.settings(name);
    let threshold =
        settings.half_open_failure_rate_threshold.or(settings.failure_rate_threshold).unwrap_or(50);
    let lenient = settings.half_open_policy == HalfOpenPolicy::Rate
        && threshold * settings.permitted_number_of_calls_in_half_open_state > 100;
    let closed = before.health[name].0 == Health::Probing && after.health[name].1 == Circuit::Closed;
    lenient && closed
}

/// One more failure at any moment of a trace, and the question asked again at that moment.
#[test]
fn law_09_one_failure_more_never_a_looser_answer() {
    holds_where(1_500, 20_000, all_deny, |world| {
        let mut rng = fastrand::Rng::with_seed(world.seed);
        let mut looked = 0;
        let dependencies = names(&world.document, "dependency");
        let operations = names(&world.document, "operation");
        let questions: Vec<Value> = operations.iter().map(|operation| preview(operation)).collect();
        for end in (1..=world.lines.len()).step_by(4) {
            let failing = rng.choice(&dependencies).expect("at least one");
            let Some(failure) = failure(world, &mut rng, failing) else { continue };
            let asked = |more: &[Value]| {
                let mut steps = world.play_lines(&[&world.lines[..end], more, &questions].concat());
                let answers = steps.split_off(end + more.len());
                let verdicts: Vec<usize> = answers
                    .iter()
                    .filter_map(|step| Some(strictness(text(step.decision()?, "verdict"))))
                    .collect();
                (steps.pop().expect("a line"), verdicts)
            };
            let ((last, before), (failed, after)) = (asked(&[]), asked(&[failure]));
            // Advice under `metrics_only` is in `law_09_a_failure_does_not_give_back_what_advice_took_away`.
            let advised = last.health[failing] == (Health::Degraded, Circuit::MetricsOnly);
            if advised || last_of_the_trials(world, failing, &last, &failed) {
                continue;
            }
            looked += before.len();
            if before.iter().zip(&after).any(|(before, after)| after < before) {
                return Err(format!(
                    "after {end} lines {failing} fails once more: {before:?} becomes {after:?}: {}",
                    failed.line
                ));
            }
        }
        Ok(looked)
    });
}

/// Under `metrics_only`, as without it: what advice took away does not come back because the dependency fails as well.
#[test]
fn law_09_a_failure_does_not_give_back_what_advice_took_away() {
    let mut broken = Vec::new();
    for to in [Value::Null, json!("disabled"), json!("metrics_only")] {
        let document = json!({
            "spec": 1, "name": "m",
            "dependency": { "pay": {
                "role": "serve", "deadline": "50ms", "health": { "consecutive_failure_threshold": 1 },
            } },
            "operation": { "send": { "needs": ["pay"], "effect": "irreversible" } },
        });
        let world = World::new(0, Case { document, parameters: BTreeMap::new(), lines: Vec::new() });
        let played = world.play_lines(&[
            json!({ "override": { "dependency": "pay", "to": to } }),
            json!({ "advice": { "source": "peer", "dependency": "pay", "health": "down" } }),
            preview("send"),
            json!({ "outcome": { "dependency": "pay", "result": "unavailable" } }),
            preview("send"),
        ]);
        let [before, after] = [2, 4].map(|line| played[line].decision().expect("a decision"));
        if strictness(text(after, "verdict")) < strictness(text(before, "verdict")) {
            broken.push(format!("under {to}\n{before}\nbecomes\n{after}"));
        }
    }
    assert!(broken.is_empty(), "{}", broken.join("\n"));
}
