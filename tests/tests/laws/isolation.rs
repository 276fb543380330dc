//! LAW-16.

use serde_json::{Value, json};

use crate::world::{Step, holds_where, names};

/// What nobody but the host may see.
const SECRET: &str = "\u{1f511} s3cr\"et\\";

/// Tenants, sessions, attributes, permits, requests and sources of names that can't stand in a line by chance.
fn secretive(case: &mut failsoft_model::generate::Case, _: &mut fastrand::Rng) {
    for line in &mut case.lines {
        if let Some(decide) = line.get_mut("decide").and_then(Value::as_object_mut) {
            for key in ["tenant", "session", "request"] {
                let name = decide.get(key).and_then(Value::as_str).unwrap_or("none").to_owned();
                decide.insert(key.to_owned(), json!(format!("{SECRET} {key} {name}")));
            }
            // One attribute that the matrix knows, and one of which nobody has heard.
            decide.insert("attributes".into(), json!({ "a": SECRET, SECRET: SECRET, "b": "x" }));
        }
        for (kind, key) in [
            ("finish", "request"),
            ("permit", "permit"),
            ("release", "permit"),
            ("outcome", "permit"),
            ("advice", "source"),
        ] {
            if let Some(part) = line.get_mut(kind) {
                let name = part.get(key).and_then(Value::as_str).map(|name| format!("{SECRET} {key} {name}"));
                if let Some(name) = name {
                    part[key] = json!(name);
                }
            }
        }
    }
    // A request keeps its operation; without names all of them would be one.
    let operations = names(&case.document, "operation");
    for line in &mut case.lines {
        if let Some(decide) = line.get_mut("decide") {
            let operation = decide["operation"].as_str().unwrap_or_default();
            let place = operations.iter().position(|name| name == operation).unwrap_or_default();
            decide["request"] = json!(format!("{} {place}", decide["request"].as_str().unwrap_or_default()));
        }
    }
}

/// Windows, their accounts and what a tool prints of a request on demand are not part of what is printed here.
#[test]
fn law_16_discreet() {
    holds_where(3_000, 30_000, secretive, |world| {
        let mut looked = 0;
        for step in world.play() {
            // Whose key a meter's event speaks of is what the host asks of it.
            let of_a_key = |printed: &&Value| printed.pointer("/event/tenant").is_some();
            for printed in step.printed.iter().filter(|printed| !of_a_key(printed)) {
                looked += 1;
                let text = printed.to_string();
                if text.contains('\u{1f511}') || text.contains("s3cr") {
                    return Err(format!("{} prints {printed}", step.line));
                }
            }
        }
        Ok(looked)
    });
}

/// Tables with room for all, so that nobody is a newcomer to a full one; and no caps, which count for as long as a
/// window is open that all share.
pub(crate) fn roomy(case: &mut failsoft_model::generate::Case, _: &mut fastrand::Rng) {
    for meter in names(&case.document, "meter") {
        case.document["meter"][&meter]["capacity"] = json!(1_000);
    }
    for dependency in names(&case.document, "dependency") {
        let ladder = case.document["dependency"][&dependency].get_mut("on_failure");
        for rung in ladder.and_then(Value::as_array_mut).into_iter().flatten() {
            for settings in rung.as_object_mut().into_iter().flat_map(|rung| rung.values_mut()) {
                if let Some(settings) = settings.as_object_mut() {
                    settings.shift_remove("cap");
                }
            }
        }
    }
}

#[test]
fn law_16_isolated_no_tenant_changes_the_answer_of_another() {
    holds_where(3_000, 30_000, roomy, |world| {
        let mut rng = fastrand::Rng::with_seed(world.seed);
        let operations = names(&world.document, "operation");
        let meters = names(&world.document, "meter");
        let mut lines = Vec::new();
        let mut places = Vec::new();
        for line in &world.lines {
            places.push(lines.len());
            lines.push(line.clone());
            for _ in 0..rng.u8(0..3) {
                let Some(operation) = rng.choice(&operations) else { continue };
                let amounts: serde_json::Map<String, Value> =
                    meters.iter().map(|meter| (meter.clone(), json!(rng.u32(0..50)))).collect();
                let who = rng.u8(0..4);
                lines.push(json!({ "decide": {
                    "operation": operation, "tenant": format!("stranger-{who}"), "amounts": amounts,
                    "request": format!("theirs-{who}-{operation}"), "session": "s1",
                } }));
                if rng.u8(0..4) == 0 {
                    lines.push(json!({ "finish": { "request": format!("theirs-{who}-{operation}"), "amounts": amounts } }));
                }
            }
        }
        let (alone, among) = (world.play(), world.play_lines(&lines));
        let mut looked = 0;
        for (step, place) in alone.iter().zip(places) {
            looked += 1;
            let (alone, among) = (answers(step), answers(&among[place]));
            if alone != among {
                return Err(format!("{}: {alone:?} becomes {among:?}\n{}", step.line, world.told(&lines)));
            }
        }
        Ok(looked)
    });
}

/// Without the numbers of an outbox, which all share.
fn answers(step: &Step) -> Vec<Value> {
    let mut answers: Vec<Value> = step.answers().cloned().collect();
    for answer in &mut answers {
        let duties = answer.pointer_mut("/decision/obligations").and_then(Value::as_array_mut);
        for duty in duties.into_iter().flatten() {
            if let Some(sequence) = duty.get_mut("sequence") {
                *sequence = Value::Null;
            }
        }
    }
    answers
}
