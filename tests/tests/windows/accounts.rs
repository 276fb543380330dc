//! What an account says is what went through: WIN-1 to WIN-5, WIN-10, WIN-11.

use std::collections::BTreeSet;

use failsoft::{Fault, INTEGER_MAX, WindowAccount};
use fastrand::Rng;
use serde_json::{Value, json};

use crate::desk::{Desk, guard, matrix, open_rung};
use crate::naive::{Naive, Trouble};
use crate::play::{Case, pick};

/// Every account that is told, and every event, is what a second counter makes of what a host sees.
#[test]
fn an_account_equals_what_a_naive_counter_saw() {
    let (mut compared, mut counted, mut unclear) = (0, 0, 0);
    for seed in 0..9_000 {
        let case = Case::new(seed);
        let lines = case.asked_often(&mut Rng::with_seed(seed));
        let mut naive = Naive::new(&case);
        for step in &case.play_lines(&lines) {
            match naive.line(step) {
                Ok(_) => {}
                Err(Trouble::Wrong(why)) => panic!("{why}\n{}", case.told(&lines)),
                Err(Trouble::Unclear) => {
                    unclear += 1;
                    break;
                }
            }
        }
        compared += naive.compared;
        counted += naive.counted;
    }
    assert!(compared > 22_000 && counted > 11_000, "{compared} accounts of {counted} requests");
    assert!(unclear < 90, "{unclear} ended early");
}

/// Rows and `others` add up to the total, and so do the requests under each rung.
fn adds_up(account: &WindowAccount, tenants: u64) {
    let rows = || account.tenants.iter().map(|(_, row)| row).chain([&account.others]);
    let requests: u64 = rows().map(|row| row.requests).sum();
    let decisions: u64 = account.decisions.iter().map(|(_, requests)| requests).sum();
    let total = &account.total;
    assert_eq!((requests, decisions), (total.requests, total.requests), "{account:?}");
    let meters: BTreeSet<_> =
        rows().chain([total]).flat_map(|row| row.amounts.iter().map(|(meter, _)| *meter)).collect();
    for meter in meters {
        let of = |row: &failsoft::AccountRow| {
            row.amounts.iter().find(|(id, _)| *id == meter).map_or(0, |(_, sum)| *sum)
        };
        let told: Vec<u64> = rows().map(of).collect();
        if !told.contains(&INTEGER_MAX) && of(total) < INTEGER_MAX {
            assert_eq!(told.iter().sum::<u64>(), of(total), "{account:?}");
        }
    }
    assert!(rows().chain([total]).all(|row| row.amounts.iter().all(|(_, sum)| *sum > 0)), "{account:?}");
    assert!(account.decisions.iter().all(|(_, requests)| *requests > 0), "{account:?}");
    assert!(account.tenants.is_sorted_by(|one, next| one.0 < next.0), "{account:?}");
    assert!(account.tenants.len() <= usize::try_from(tenants).expect("few"), "{account:?}");
}

#[test]
fn rows_and_decisions_add_up() {
    let mut looked = 0;
    for seed in 100_000..104_000 {
        let case = Case::new(seed);
        let lines = case.asked_often(&mut Rng::with_seed(seed));
        for step in &case.play_lines(&lines) {
            for account in step.accounts() {
                adds_up(account, case.loaded.draft.tenants);
                looked += usize::from(account.total.requests > 1);
            }
        }
    }
    assert!(looked > 3_500, "only {looked}");
}

/// A host that asks for each answer two or three times changes no account: random cases.
#[test]
fn a_request_that_asks_again_is_counted_once() {
    let mut looked = 0;
    for seed in 200_000..203_500 {
        let case = Case::changed(seed, |document, _| {
            // Where a window may close as soon as it was used the second commit opens another.
            if document.get("window_idle").is_some_and(|idle| idle == "0ms") {
                document["window_idle"] = json!("1ms");
            }
            // Where a table is full the first commit may take room that the second then lacks.
            let meters = document.get_mut("meter").and_then(Value::as_object_mut).into_iter();
            for meter in meters.flat_map(|meters| meters.values_mut()) {
                meter["capacity"] = json!(1_000);
            }
        });
        let mut rng = Rng::with_seed(seed);
        let (mut once, mut often) = (Vec::new(), Vec::new());
        for line in case.asked_often(&mut rng) {
            let commits = line.pointer("/decide/request").is_some()
                && line.pointer("/decide/preview") != Some(&Value::Bool(true));
            once.push(line.clone());
            often.push(line.clone());
            for _ in 0..rng.u8(0..3) {
                if commits {
                    // At the same moment; what was told stands.
                    let decide = &line["decide"];
                    often.push(json!({ "decide": {
                        "operation": decide["operation"], "request": decide["request"],
                    } }));
                }
            }
        }
        let printed = |lines: &[Value]| -> Vec<String> {
            let steps = case.play_lines(lines);
            let printed = steps.iter().flat_map(|step| step.of_windows());
            // The number of an event counts others, too.
            printed.map(|text| text.split(r#","sequence":"#).next().expect("a part").to_owned()).collect()
        };
        let (one, other) = (printed(&once), printed(&often));
        assert_eq!(one, other, "{}", case.told(&often));
        looked += one.iter().filter(|text| text.contains(r#""requests":"#)).count();
    }
    assert!(looked > 4_500, "only {looked}");
}

/// Several requests that ask again and again, over several windows of several guards: a set of names says how many.
#[test]
fn in_each_window_a_request_is_counted_once() {
    let mut looked = 0;
    for seed in 0..1_500 {
        let mut rng = Rng::with_seed(seed);
        let names = ["a", "b", "c"];
        let idle = pick(&mut rng, &[1, 10, 50]);
        let matrix = matrix(idle, names.map(|name| guard(name, vec![open_rung()])).into(), |_| {});
        let mut desk = Desk::new(&matrix);
        let mut requests: Vec<_> = (0..4).map(|_| desk.request("t")).collect();
        // Of each guard: who was counted in its window, and when it was last used.
        let mut seen: [(BTreeSet<usize>, i64); 3] = Default::default();
        let mut at = 0;
        for _ in 0..60 {
            at += pick(&mut rng, &[0, 0, 1, idle - 1, idle, idle + 1]);
            let who = rng.usize(0..requests.len());
            for (place, name) in names.iter().enumerate() {
                if rng.bool() {
                    desk.failed(&mut requests[who], name, Fault::Timeout, at);
                } else {
                    desk.ok(&mut requests[who], name, at);
                    continue;
                }
                let (counted, last) = &mut seen[place];
                if at - *last >= idle {
                    counted.clear();
                }
                counted.insert(who);
                *last = at;
            }
            desk.commit(&mut requests[who], at);
            for (place, name) in names.iter().enumerate() {
                let (counted, last) = &seen[place];
                let open = desk.window(name, at);
                let expected = if at - last >= idle { 0 } else { counted.len() };
                let found = open.as_ref().map_or(0, |account| account.total.requests);
                assert_eq!(usize::try_from(found), Ok(expected), "seed {seed} at {at}: {name}");
                looked += expected;
            }
        }
    }
    assert!(looked > 150_000, "only {looked}");
}
