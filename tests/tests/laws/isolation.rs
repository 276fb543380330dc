//! LAW-16: no tenant changes the answer of another, nor another's row in an account.

use std::cell::Cell;
use std::collections::BTreeMap;

use failsoft_model::generate::Case;
use fastrand::Rng;
use serde_json::{Map, Value, json};

use crate::world::{Step, World, entries, holds_where, items, names, text};

/// Tables with room for all, so that nobody is a newcomer to a full one; and no caps, which count for as long as a
/// window is open that all share.
pub(crate) fn roomy(case: &mut Case, _: &mut Rng) {
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

/// Half of them also with a row for everyone in every account.
fn roomy_or_few_rows(case: &mut Case, rng: &mut Rng) {
    roomy(case, rng);
    if rng.bool() {
        case.document["tenants"] = json!(1_000);
    }
}

/// Lines of strangers among a world's own, and which of all are the own. After each of these is asked what is open, and
/// a line that does nothing tells what time has changed, so that it is no stranger's that does.
fn among_strangers(world: &World) -> (Vec<Value>, Vec<usize>) {
    let mut rng = Rng::with_seed(world.seed);
    let operations = names(&world.document, "operation");
    let meters = names(&world.document, "meter");
    let (mut lines, mut places) = (Vec::new(), Vec::new());
    for line in &world.lines {
        let nothing = json!({ "finish": { "request": "nobody's" } });
        for own in [line, &json!({ "windows": {} }), &nothing] {
            places.push(lines.len());
            lines.push(own.clone());
        }
        for _ in 0..rng.u8(0..3) {
            let Some(operation) = rng.choice(&operations) else { continue };
            let amounts: Map<String, Value> =
                meters.iter().map(|meter| (meter.clone(), json!(rng.u32(0..50)))).collect();
            let who = rng.u8(0..4);
            lines.push(json!({ "decide": {
                "operation": operation, "tenant": format!("stranger-{who}"), "amounts": amounts,
                "request": format!("theirs-{who}-{operation}"), "session": "s1",
            } }));
            if rng.u8(0..4) == 0 {
                let finish = json!({ "request": format!("theirs-{who}-{operation}"), "amounts": amounts });
                lines.push(json!({ "finish": finish }));
            }
        }
    }
    (lines, places)
}

#[test]
fn law_16_isolated_no_tenant_changes_the_answer_of_another() {
    let (free, taken) = (Cell::new(0), Cell::new(0));
    holds_where(3_000, 30_000, roomy_or_few_rows, |world| {
        let (lines, places) = among_strangers(world);
        let own: Vec<Value> = places.iter().map(|place| lines[*place].clone()).collect();
        let (alone, all) = (world.play_lines(&own), world.play_lines(&lines));
        let (mut opened_alone, mut opened) = (Opened::default(), Opened::default());
        let mut looked = 0;
        let mut next = 0;
        for (place, among) in all.iter().enumerate() {
            let Ok(number) = places.binary_search(&place) else {
                opened.hear(among, None);
                continue;
            };
            let step = &alone[number];
            opened.hear(among, Some(number));
            opened_alone.hear(step, Some(number));
            next += 1;
            looked += 1;
            let wrong = |what: String| Err(format!("{}: {what}\n{}", step.line, world.told(&lines)));
            let (one, other) = (answers(step), answers(among));
            if one != other {
                return wrong(format!("{one:?} becomes {other:?}"));
            }
            if step.health != among.health {
                return wrong(format!("{:?} becomes {:?}", step.health, among.health));
            }
            for (one, other) in accounts_of(step, among) {
                let name = text(one, "dependency");
                let Some(other) = other else {
                    return wrong(format!("{one} is gone"));
                };
                // A stranger may have opened it before, or kept it open: then it is not the same window.
                let since = [&opened_alone, &opened].map(|opened| opened.since.get(name).copied().flatten());
                if since[0].is_none() || since[0] != since[1] {
                    continue;
                }
                match another_account(world, one, other) {
                    Ok(Rows::Free) => free.set(free.get() + 1),
                    Ok(Rows::Taken) => taken.set(taken.get() + 1),
                    Err(what) => return wrong(format!("{what}: {one} becomes {other}")),
                }
            }
        }
        assert_eq!(next, alone.len(), "every line is compared");
        Ok(looked)
    });
    let (free, taken) = (free.get(), taken.get());
    assert!(free > 5_000 && taken > 2_000, "only {free} and {taken} accounts were compared");
}

/// The windows that stand open, as events say.
#[derive(Default)]
struct Opened {
    /// At which of the own lines each has opened; none where a stranger opened it.
    since: BTreeMap<String, Option<usize>>,
}

impl Opened {
    fn hear(&mut self, step: &Step, own: Option<usize>) {
        if let Some(snapshot) = step.line.pointer("/restart/snapshot") {
            let open =
                entries(snapshot, "dependencies").filter(|(_, state)| state.get("window_open").is_some());
            self.since = open.map(|(name, _)| (name.clone(), own)).collect();
        }
        for event in step.events() {
            let name = text(event, "dependency").to_owned();
            match text(event, "kind") {
                "window.closed" => drop(self.since.remove(&name)),
                "window.opened" => drop(self.since.insert(name, own)),
                _ => {}
            }
        }
    }
}

/// The accounts that a line prints, each with that of the same dependency among strangers.
fn accounts_of<'s>(step: &'s Step, among: &'s Step) -> impl Iterator<Item = (&'s Value, Option<&'s Value>)> {
    let printed = |step: &'s Step| step.printed.iter().flat_map(|printed| items(printed, "windows"));
    printed(step).map(move |one| (one, printed(among).find(|other| other["dependency"] == one["dependency"])))
}

/// What became of the account of a window among strangers.
enum Rows {
    /// There are rows for all: each of the own is as it was.
    Free,
    /// Strangers may have taken rows first: what has one has it as it was.
    Taken,
}

fn another_account(world: &World, one: &Value, other: &Value) -> Result<Rows, String> {
    let requests = |row: &Value| row["requests"].as_u64().expect("a count");
    let rows = |account| items(account, "tenants");
    let strange = |row: &&Value| text(row, "tenant").starts_with("stranger-");
    if let Some(row) = rows(other).filter(|row| !strange(row)).find(|row| !rows(one).any(|own| own == *row)) {
        return Err(format!("a row is changed to {row}"));
    }
    if requests(&other["total"]) < requests(&one["total"]) {
        return Err("less went through".into());
    }
    if rows(other).count() as u64 >= world.loaded.draft.tenants {
        return Ok(Rows::Taken);
    }
    let strangers: u64 = rows(other).filter(strange).map(requests).sum();
    if rows(other).filter(|row| !strange(row)).ne(rows(one)) || one["others"] != other["others"] {
        return Err("a row is lost".into());
    }
    if requests(&other["total"]) != requests(&one["total"]) + strangers {
        return Err("the total is another".into());
    }
    Ok(Rows::Free)
}

/// What is told of itself to whoever is no stranger: without accounts, without what windows tell, and without the numbers
/// of events and of an outbox, which all share.
fn answers(step: &Step) -> Vec<Value> {
    let own = |printed: &&Value| {
        let Some(event) = printed.get("event") else { return printed.get("windows").is_none() };
        let kind = text(event, "kind");
        let alone = ["health.", "override.", "refusals.", "never.", "clock.", "limit.", "meter."];
        alone.iter().any(|of| kind.starts_with(of)) && !text(event, "tenant").starts_with("stranger-")
    };
    let mut answers: Vec<Value> = step.printed.iter().filter(own).cloned().collect();
    for answer in &mut answers {
        if let Some(event) = answer.get_mut("event") {
            event["sequence"] = Value::Null;
        }
        let duties = answer.pointer_mut("/decision/obligations").and_then(Value::as_array_mut);
        for duty in duties.into_iter().flatten() {
            if let Some(sequence) = duty.get_mut("sequence") {
                *sequence = Value::Null;
            }
        }
    }
    answers
}
