//! LAW-2 and LAW-9.

use failsoft::{Circuit, DependencyId, Health, Request, Time, decide, suppose};
use serde_json::{Value, json};

use crate::world::{failures, holds_where, items, names, preview, strictness, text};

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

/// Restart, cold start and reload are not built; malformed input is LAW-15's.
#[test]
fn law_02_closed_means_closed() {
    let close = |case: &mut failsoft_model::generate::Case, rng: &mut fastrand::Rng| {
        let guards: Vec<String> = names(&case.document, "dependency")
            .into_iter()
            .filter(|name| name.starts_with("guard"))
            .collect();
        let Some(shut) = rng.choice(guards) else { return };
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
fn all_deny(case: &mut failsoft_model::generate::Case, rng: &mut fastrand::Rng) {
    for name in names(&case.document, "dependency") {
        let dependency = &mut case.document["dependency"][&name];
        let ladder = deny_only(rng);
        let shut = !name.starts_with("observe") && !ladder.to_string().contains("degraded");
        dependency["on_failure"] = if shut { ladder } else { json!([]) };
        dependency["health"]["wait_duration_in_open_state"] = json!("100ms");
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
            let result = rng.choice(["timeout", "unavailable", "auth", "indeterminate"]).expect("a few");
            let failure = json!({ "outcome": { "dependency": failing, "result": result } });
            let verdicts = |more: &[Value]| -> Vec<usize> {
                let lines = [&world.lines[..end], more, &questions].concat();
                let steps = world.play_lines(&lines);
                let answers =
                    steps[steps.len() - questions.len()..].iter().filter_map(|step| step.decision());
                answers.map(|decision| strictness(text(decision, "verdict"))).collect()
            };
            let (before, after) = (verdicts(&[]), verdicts(&[failure]));
            looked += before.len();
            if before.iter().zip(&after).any(|(before, after)| after < before) {
                return Err(format!(
                    "after {end} lines {failing} fails once more: {before:?} becomes {after:?}"
                ));
            }
        }
        Ok(looked)
    });
}
