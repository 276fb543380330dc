//! Traps that other breakers fell into (`shared/health.md` 4), each as a property under its number: what is around the
//! machine. Where a trap is about a thing that cannot be here, the nearest statement that can be tested stands in its
//! place.

use std::collections::{BTreeMap, BTreeSet};

use failsoft::trace::Said;
use failsoft::{Circuit, Verdict};
use failsoft_tests::implementation::{Engine, identity};
use failsoft_tests::vector::{Vector, Vectors};
use failsoft_tests::{read, spec};
use fastrand::Rng;
use serde_json::{Value, json};

use crate::desk::{Desk, matrix, pick};
use crate::naive::{Naive, Plan};
use crate::stillness::{Case, play};
use crate::traps::seeds;

/// pybreaker holds a lock while the call runs. There is no lock here, and no call: calls that are out, however many, keep
/// no other from being asked for, answered and counted, and change no figure.
#[test]
fn trap_11_no_call_waits_for_another() {
    let mut looked = 0;
    for mut rng in seeds(1_000) {
        // A call that is out for too long is a signal of its own ([HLT-70]); none is, where slow is off and the deadline
        // is long.
        let plan = Plan { slow_over: None, ..Plan::random(&mut rng) };
        let matrix = matrix(&plan.health());
        let (mut desk, mut naive) = (Desk::new(&matrix), Naive::new(&plan));
        let mut out = 0;
        for (told, number) in plan.calls(&mut rng, 0).into_iter().zip(0..) {
            for name in 0..rng.u64(0..4) {
                assert!(desk.permit(told.at, Some(&format!("{number}/{name}"))), "{}", desk.told());
                out += 1;
            }
            desk.slow(told.at, told.result, told.latency);
            if naive.told(told) && naive.opens(told.at).is_some() {
                assert_eq!(desk.circuit(), Circuit::Open, "{plan:?}\n{}", desk.told());
                break;
            }
            let report = desk.report();
            naive.expects(told.at, &report).unwrap_or_else(|why| panic!("{why}\n{plan:?}\n{}", desk.told()));
            assert_eq!((report.circuit, report.calls_out), (Circuit::Closed, out), "{}", desk.told());
            looked += usize::from(out > 0);
        }
    }
    assert!(looked >= 3_000, "only {looked} looks with calls out");
}

/// aiobreaker compares a time in UTC with a local one. There are no zones here: a random case prints the same in every
/// zone on earth (whole quarters of an hour, which all buckets of these cases divide).
#[test]
fn trap_12_no_zone_matters() {
    let mut looked = 0;
    for seed in 0..1_000 {
        let case = Case::new(seed);
        let mut rng = Rng::with_seed(seed);
        // So far back that all of them begin below 0, where an engine's time begins with its first line.
        let (here, there) = (1 << 52, (1 << 52) + 900_000 * rng.i64(-56..=56));
        let shifted = |by: i64| {
            let mut lines = vec![json!({ "at_ms": -2_000 - by, "finish": { "request": "nobody" } })];
            lines.extend(case.clamped().into_iter().map(|mut line| {
                line["at_ms"] = json!(line["at_ms"].as_i64().expect("a time") - by);
                line
            }));
            let mut printed = play(&case, &lines);
            printed.iter_mut().for_each(|line| later(line, by));
            printed
        };
        // At the ends of time a moment can't be told from the next.
        if case.clamped().iter().any(|line| line["at_ms"].as_i64() > Some(1 << 40)) {
            continue;
        }
        let (here, there) = (shifted(here), shifted(there));
        assert_eq!(here.len(), there.len(), "seed {seed}");
        for (here, there) in here.iter().zip(&there) {
            assert_eq!(here, there, "seed {seed}");
            looked += 1;
        }
    }
    assert!(looked >= 15_000, "only {looked} lines were compared");
}

/// Moves every moment in what is printed.
fn later(value: &mut Value, by: i64) {
    match value {
        Value::Object(table) => {
            table.iter_mut().for_each(|(key, value)| match (key.as_str(), value.as_i64()) {
                ("at_ms" | "since_ms" | "told_ms" | "kept_ms", Some(at)) => *value = json!(at + by),
                _ => later(value, by),
            })
        }
        Value::Array(list) => list.iter_mut().for_each(|value| later(value, by)),
        _ => {}
    }
}

/// Hystrix decides by a picture of its health that is up to half a second old. Here what is asked in the very next line,
/// at the same moment, is answered by what the line before crossed; and no sooner.
#[test]
fn trap_13_the_next_line_sees_what_was_crossed() {
    let (mut looked, mut crossed) = (0, 0);
    for mut rng in seeds(1_500) {
        let plan = Plan::random(&mut rng);
        let matrix = matrix(&plan.health());
        let (mut desk, mut naive) = (Desk::new(&matrix), Naive::new(&plan));
        let mut open = false;
        for told in plan.calls(&mut rng, 0) {
            desk.slow(told.at, told.result, told.latency);
            let opens = naive.told(told) && !open && naive.opens(told.at).is_some();
            open |= opens;
            crossed += usize::from(opens);
            if rng.bool() {
                let asked = json!({ "decide": { "operation": "op", "preview": rng.bool() } });
                let said = desk.tell(&asked).iter().find_map(|output| match &output.said {
                    Said::Decision { decision, .. } => Some(decision.verdict),
                    _ => None,
                });
                let expected = if open { Verdict::Deny } else { Verdict::Allow };
                assert_eq!(said, Some(expected), "{plan:?}\n{}", desk.told());
            } else {
                assert_eq!(desk.permit(told.at, None), !open, "{plan:?}\n{}", desk.told());
            }
            looked += 1;
        }
    }
    assert!(looked >= 15_000 && crossed >= 500, "only {looked} answers, {crossed} crossings");
}

/// pybreaker's state may lie in a store that can fail itself, and then what? There is no store here, and nothing to
/// fail: what is restored is handed in, and where it is garbage it is refused as a whole, and the engine goes on.
#[test]
fn trap_14_garbage_is_not_restored_and_the_engine_goes_on() {
    let mut looked = 0;
    for seed in 0..3_500 {
        let case = Case::new(seed);
        let mut rng = Rng::with_seed(seed ^ 0x6a7ba6e);
        let snapshots: Vec<usize> = (0..case.lines.len())
            .filter(|place| case.lines[*place].pointer("/restart/snapshot").is_some())
            .collect();
        let Some(place) = rng.choice(&snapshots).copied() else { continue };
        let mut garbage = case.lines[place].clone();
        let what = spoil(&mut garbage["restart"]["snapshot"], &mut rng);
        let matrix = &case.loaded.matrix;
        let (mut player, mut other) =
            (failsoft::trace::Player::new(matrix), failsoft::trace::Player::new(matrix));
        let (mut out, mut without) = (Vec::new(), Vec::new());
        for (line, number) in case.lines.iter().zip(0..) {
            if number == place {
                let refused = player.line(&garbage.to_string(), &mut out);
                assert!(refused.is_err(), "seed {seed}: {what} is taken: {garbage}");
                looked += 1;
            }
            player.line(&line.to_string(), &mut out).expect("a valid line");
            other.line(&line.to_string(), &mut without).expect("a valid line");
        }
        assert_eq!(out, without, "seed {seed}: {what} leaves something behind: {garbage}");
    }
    assert!(looked >= 500, "only {looked} were refused");
}

/// Makes one value of a snapshot another than its form allows.
fn spoil(snapshot: &mut Value, rng: &mut Rng) -> String {
    let mut place = snapshot;
    let mut path = String::new();
    // Names of dependencies are anybody's, so a key that nobody knows is put nowhere among them.
    let mut names = false;
    loop {
        let stop = names || path.is_empty() || rng.u8(0..3) > 0;
        let keys: Vec<String> = match &*place {
            Value::Object(table) if !table.is_empty() && (!stop || rng.bool()) => {
                table.keys().cloned().collect()
            }
            _ => break,
        };
        let key = keys[rng.usize(0..keys.len())].clone();
        path += &format!("/{key}");
        names = key == "dependencies";
        place = &mut place[&key];
    }
    let wrong = match &*place {
        Value::Object(_) if !names && rng.bool() => {
            place["nobody_knows"] = json!(1);
            return format!("an unknown key in {path:?}");
        }
        Value::Object(_) | Value::Bool(_) => json!("true"),
        Value::Array(_) => json!({}),
        Value::String(_) => json!(7),
        _ => pick(rng, &["-1", "9007199254740992", "1.5", "\"1\"", "[]"]).parse().expect("it is JSON"),
    };
    let told = format!("{wrong} for {place} at {path:?}");
    *place = wrong;
    told
}

/// Half of sentinel-rust's tests test another breaker than they say, or nothing. Here each setting of HLT-50 has a
/// vector that would fail without it.
#[test]
fn trap_15_every_setting_has_a_vector_that_needs_it() {
    let page = read(&spec().join("09-health-and-operators.md")).expect("the page is there");
    let table =
        page.split("[HLT-50]").nth(1).and_then(|rest| rest.split("[HLT-51]").next()).expect("the table");
    let cells = table.lines().filter(|row| row.starts_with("| `")).filter_map(|row| row.split('|').nth(1));
    let settings: BTreeSet<&str> = cells.flat_map(|cell| cell.split('`').skip(1).step_by(2)).collect();
    assert!(settings.len() >= 43, "only {settings:?}");
    let mut needed: BTreeMap<&str, usize> = settings.into_iter().map(|setting| (setting, 0)).collect();
    let vectors = Vectors::load().expect("they are there").vectors;
    // One that fails as it stands would fail without anything.
    let holds = |vector: &&Vector| vector.preset().is_none() && vector.check(&Engine, &vector.matrix).is_ok();
    for vector in vectors.iter().filter(holds) {
        for (name, dependency) in vector.matrix["dependency"].as_object().into_iter().flatten() {
            for setting in dependency["health"].as_object().into_iter().flatten().map(|(setting, _)| setting)
            {
                let mut without = vector.matrix.clone();
                let health = without["dependency"][name]["health"].as_object_mut().expect("it is a table");
                health.shift_remove(setting);
                // Without it the document may be no matrix at all; that tells nothing of the vector.
                let dead = identity(&without, &vector.parameters).is_err();
                if !dead && vector.check(&Engine, &without).is_err() {
                    *needed.get_mut(setting.as_str()).expect("a setting of the table") += 1;
                }
            }
        }
    }
    let unneeded: Vec<_> = needed.iter().filter(|(_, vectors)| **vectors == 0).collect();
    assert!(unneeded.is_empty(), "no vector fails without {unneeded:?}");
}
