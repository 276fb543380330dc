//! LAW-7.

use std::collections::{BTreeMap, BTreeSet};

use failsoft::Role;
use failsoft_model::generate::Case;
use serde_json::{Map, Value, json};

use crate::glass::each_snapshot;
use crate::isolation::roomy;
use crate::world::{
    Step, World, entries, failures, goes_on, holds_where, items, names, openness, strictness, text,
};

/// More advice than a trace has of itself, and no names of requests: what was let past once would carry one answer into
/// the next. So would what is counted: each is asked with its amounts in a preview, and commits none.
fn much_advice(case: &mut Case, rng: &mut fastrand::Rng) {
    // What advice stops takes nothing of a cap, so that others find more left there.
    roomy(case, rng);
    let mut dependencies = names(&case.document, "dependency");
    // What is fallen back to is spoken of most, and its own ladder hears it: advice takes rungs of others away.
    for target in targets(&case.document) {
        dependencies.extend(vec![target.clone(); 4]);
        let ladder = &mut case.document["dependency"][&target]["on_failure"];
        let mut rungs = ladder.as_array().cloned().unwrap_or_default();
        rungs.insert(0, json!({ "deny": { "when": { "health": ["degraded"] } } }));
        *ladder = rungs.into();
    }
    let meters = names(&case.document, "meter");
    let mut lines = Vec::new();
    for mut line in case.lines.drain(..).filter(|line| line.get("finish").is_none()) {
        if let Some(decide) = line.get_mut("decide").and_then(Value::as_object_mut) {
            decide.shift_remove("request");
            let mut asked = decide.clone();
            asked.shift_remove("amounts");
            asked.insert("preview".into(), json!(true));
            let none: Map<String, Value> = meters.iter().map(|meter| (meter.clone(), json!(0))).collect();
            decide.insert("amounts".into(), none.into());
            lines.push(json!({ "at_ms": line.get("at_ms"), "decide": asked }));
        }
        lines.push(line);
        if rng.u8(0..3) == 0 {
            let dependency = rng.choice(&dependencies).expect("at least one");
            let health = rng.choice(["degraded", "down", "probing", "healthy"]).expect("a few");
            lines.push(json!({ "advice": { "source": "peer", "dependency": dependency, "health": health } }));
        }
    }
    case.lines = lines;
    for operation in names(&case.document, "operation") {
        let table = case.document["operation"][&operation].as_object_mut().expect("a table");
        // It counts the guards that are skipped; where advice has one stop or withhold instead, there is one less.
        table.shift_remove("max_unchecked");
    }
}

/// The dependencies to which some ladder falls back.
fn targets(document: &Value) -> BTreeSet<String> {
    let rungs = entries(document, "dependency").flat_map(|(_, dependency)| items(dependency, "on_failure"));
    let target = |rung: &Value| match rung.get("fallback")? {
        Value::Object(settings) => settings.get("to")?.as_str().map(str::to_owned),
        plain => plain.as_str().map(str::to_owned),
    };
    rungs.filter_map(target).collect()
}

/// A guard that met a time-out or a no, answered once without advice and once with it.
#[test]
fn law_07_advice_chooses_no_looser_rung() {
    let degraded = json!({ "health": ["degraded"] });
    let cases = [
        (
            "timeout",
            json!({ "on_failure": [
            { "deny": { "when": { "health": ["healthy", "unknown"] } } }, { "allow": true },
        ] }),
        ),
        ("timeout", json!({ "on_failure": [{ "withhold": { "when": degraded } }, { "deny": true }] })),
        ("refused", json!({ "on_refusal": { "withhold": { "when": degraded } } })),
    ];
    let mut broken = Vec::new();
    for (report, mut policy) in cases {
        policy["role"] = json!("guard");
        policy["deadline"] = json!("50ms");
        let document = json!({
            "spec": 1, "name": "m",
            "dependency": { "policy": policy },
            "operation": { "ask": { "needs": ["policy"] } },
        });
        let asked = json!({ "decide": { "operation": "ask", "faults": { "policy": report } } });
        let advice = json!({ "advice": { "source": "peer", "dependency": "policy", "health": "degraded" } });
        let case = Case { document, parameters: BTreeMap::new(), lines: Vec::new() };
        let world = World::new(0, case);
        let played = [vec![advice, asked.clone()], vec![asked]].map(|lines| world.play_lines(&lines));
        let [with, without] =
            [0, 1].map(|index| played[index].last().and_then(Step::decision).expect("a decision"));
        broken.extend(no_looser(&world, with, without).err());
    }
    assert!(broken.is_empty(), "{}", broken.join("\n"));
}

/// What an operator may skip is in `glass` and `operators`.
#[test]
fn law_07_advice_only_tightens() {
    holds_where(6_000, 20_000, much_advice, |world| {
        let mut silent: Vec<Value> = world
            .lines
            .iter()
            .map(|line| match line.get("advice") {
                // Time passes all the same, and a question would not tell it.
                Some(_) => {
                    let mut nothing = line.clone();
                    nothing.as_object_mut().expect("a line").shift_remove("advice");
                    nothing["finish"] = json!({ "request": "nobody's" });
                    nothing
                }
                None => line.clone(),
            })
            .collect();
        // Nor does a snapshot know of any.
        each_snapshot(&mut silent, |state| {
            state.shift_remove("advice");
        });
        let mut looked = 0;
        for (with, without) in world.play().iter().zip(world.play_lines(&silent)) {
            if let Some((one, other)) = with.decision().zip(without.decision()) {
                looked += 1;
                no_looser(world, one, other)?;
            }
            same_permits(with, &without)?;
        }
        Ok(looked)
    });
}

/// A restart of which nobody says how long it took: what is known of a health that advice has spoken of is no better
/// known for it ([RST-5]).
#[test]
fn law_07_advice_tells_a_restart_nothing_good() {
    let document = json!({
        "spec": 1, "name": "m",
        "dependency": { "policy": {
            "role": "guard", "deadline": "50ms",
            "on_failure": [{ "allow": { "when": { "health": ["healthy"] } } }],
        } },
        "operation": { "ask": { "needs": ["policy"] } },
    });
    let world = World::new(0, Case { document, parameters: BTreeMap::new(), lines: Vec::new() });
    let well = json!({ "outcome": { "dependency": "policy", "result": "ok" } });
    let advice = json!({ "advice": { "source": "peer", "dependency": "policy", "health": "degraded" } });
    let restart = json!({ "restart": {} });
    let asked = json!({ "decide": { "operation": "ask", "faults": { "policy": "timeout" } } });
    let told = [vec![well.clone(), advice, restart.clone(), asked.clone()], vec![well, restart, asked]];
    let [with, without] = told.map(|lines| world.play_lines(&lines).pop().expect("a line"));
    let (with, without) = with.decision().zip(without.decision()).expect("decisions");
    no_looser(&world, with, without).unwrap_or_else(|broken| panic!("{broken}"));
}

fn no_looser(world: &World, with: &Value, without: &Value) -> Result<(), String> {
    let verdicts = [with, without].map(|decision| strictness(text(decision, "verdict")));
    // One more need that is shut opens nothing: `normal` and `fail_closed` are as one here.
    let postures =
        [with, without].map(|decision| openness(text(decision, "posture")).max(openness("fail_closed")));
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
