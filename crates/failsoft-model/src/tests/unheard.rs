//! What the store has not heard (MET-40), each worked out by hand from the text.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use super::meters::{metered, of_meter, told};
use super::{ask, run};

/// Everything is let past; the operation may take 100 ms.
const OPEN: &str = "[{ allow = true }]";

/// A commit of the request `r`, which takes 3, with this report on its store; none where it is empty.
fn commit(at: i64, report: &str) -> Value {
    let mut rest = json!({ "request": "r", "tenant": "t", "amounts": { "m": 3 } });
    if !report.is_empty() {
        rest["faults"] = json!({ "g": report });
    }
    ask(at, rest)
}

/// The end of the request.
fn finish(at: i64, figure: i64) -> Value {
    json!({ "at_ms": at, "finish": { "request": "r", "amounts": { "m": figure } } })
}

/// The store fails: it is `down`.
fn fails(at: i64) -> Value {
    json!({ "at_ms": at, "outcome": { "dependency": "g", "result": "timeout" } })
}

/// It is back.
fn back(at: i64) -> Value {
    json!({ "at_ms": at, "override": { "dependency": "g", "to": "closed" } })
}

/// A line that changes nothing here and is no question.
fn tick(at: i64) -> Value {
    json!({ "at_ms": at, "instances": { "count": 1 } })
}

/// The settlements of a trace: when, and how much.
fn settled(document: &str, lines: Vec<Value>) -> Value {
    Value::Array(told(&run(document, Value::Array(lines)), "meter.settlement", &["amount"]))
}

#[test]
fn the_latest_commit_decides_what_the_store_has_not_heard() {
    let document = metered(OPEN, "limit = 50");
    let of = |lines: Vec<Value>| settled(&document, lines);
    // Settled by time at 100.
    assert_eq!(of(vec![commit(0, "ok"), commit(50, "timeout"), tick(100)]), json!([[100, 3]]));
    assert_eq!(of(vec![commit(0, "timeout"), commit(50, "ok"), tick(100)]), json!([]));
    let often = |last: &str| {
        of(vec![commit(0, "ok"), commit(1, "timeout"), commit(2, "ok"), commit(99, last), tick(100)])
    };
    assert_eq!(often("timeout"), json!([[100, 3]]));
    assert_eq!(often("ok"), json!([]));
    // In silence what was told before stands, and a preview is no commit.
    assert_eq!(of(vec![commit(0, "timeout"), commit(50, ""), tick(100)]), json!([[100, 3]]));
    let mut preview = commit(50, "ok");
    preview["decide"]["preview"] = json!(true);
    assert_eq!(of(vec![commit(0, "timeout"), preview, tick(100)]), json!([[100, 3]]));
}

#[test]
fn what_is_settled_is_not_moved() {
    let document = metered(OPEN, "limit = 50");
    let of = |lines: Vec<Value>| settled(&document, lines);
    // At 100 it is settled before the line is heard. What the request cost beyond it is of the same kind.
    let late = |first: &str, second: &str| of(vec![commit(0, first), commit(100, second), finish(110, 7)]);
    assert_eq!(late("timeout", "ok"), json!([[100, 3], [110, 4]]));
    assert_eq!(late("ok", "timeout"), json!([]));
    // Without a name each commit is settled at once.
    let mut nameless = commit(0, "ok");
    nameless["decide"].as_object_mut().expect("a table").remove("request");
    assert_eq!(of(vec![nameless.clone(), commit(0, "timeout"), nameless, tick(100)]), json!([[100, 3]]));
}

#[test]
fn a_finish_follows_the_last_commit() {
    let document = metered(OPEN, "limit = 50");
    let of = |lines: Vec<Value>| settled(&document, lines);
    // Unsettled still: the actual figure is settled.
    assert_eq!(of(vec![commit(0, "ok"), commit(10, "timeout"), finish(20, 5)]), json!([[20, 5]]));
    assert_eq!(of(vec![commit(0, "timeout"), commit(10, "ok"), finish(20, 5)]), json!([]));
    // Settled at 101 while the store is down: 2 less are taken off *unreported*, and off *newer* alone, where 2 of a
    // `usage` are unreported beside it.
    let usage = of_meter(20, "usage", json!({ "tenant": "t", "amount": 2 }));
    let down = |first: &str, second: &str| {
        let (first, second) = (commit(1, first), commit(10, second));
        of(vec![fails(0), first, second, usage.clone(), finish(150, 1), back(200)])
    };
    assert_eq!(down("ok", "timeout"), json!([[200, 3]]));
    assert_eq!(down("timeout", "ok"), json!([[200, 2]]));
    // In silence what the health says changes nothing: it stays as it was taken.
    let healthy_first = vec![commit(0, ""), fails(10), commit(20, ""), tick(150), back(200)];
    assert_eq!(of(healthy_first), json!([]));
    let down_first = vec![fails(0), commit(1, ""), back(10), commit(20, ""), fails(30), tick(150), back(200)];
    assert_eq!(of(down_first), json!([[200, 3]]));
}

#[test]
fn a_commit_that_stops_decides_only_in_shadow() {
    let document = metered("[{ allow = { when = { fault = [\"timeout\"] } } }]", "limit = 50");
    let shadow = document.clone() + "enforcement = \"shadow\"\n";
    // `unreachable` is denied, and so is `refused`, which changes nothing in shadow either.
    let failed = vec![commit(0, "ok"), commit(50, "unreachable"), tick(100)];
    let refused = vec![commit(0, "timeout"), commit(50, "refused"), tick(100)];
    assert_eq!(settled(&document, failed.clone()), json!([]));
    assert_eq!(settled(&shadow, failed), json!([[100, 3]]));
    assert_eq!(settled(&document, refused.clone()), json!([[100, 3]]));
    assert_eq!(settled(&shadow, refused), json!([[100, 3]]));
    assert_eq!(settled(&shadow, vec![commit(0, "unreachable"), commit(50, "ok"), tick(100)]), json!([]));
    // A first commit that stops takes nothing: the second one is the first that counts.
    assert_eq!(settled(&document, vec![commit(0, "unreachable"), commit(50, "ok"), tick(150)]), json!([]));
}

#[test]
fn an_amount_that_is_unsettled_over_a_restart_is_judged_again() {
    let document = metered(OPEN, "limit = 50");
    let restart = |away: i64| json!({ "at_ms": 10, "restart": { "away_ms": away } });
    let of = |away: i64| {
        settled(&document, vec![commit(0, "timeout"), restart(away), commit(10, "ok"), tick(100)])
    };
    assert_eq!(of(89), json!([]));
    // Due while away.
    assert_eq!(of(90), json!([[10, 3]]));
}

#[test]
fn past_so_many_what_is_owed_is_owed_together() {
    let document = metered(OPEN, "limit = 50\nwindow = \"1ms\"");
    let forced = json!({ "at_ms": 0, "override": { "dependency": "g", "to": "forced_open" } });
    let with = |usages: i64, at: i64| {
        let mut lines = vec![forced.clone()];
        for at in 1..=usages {
            lines.push(of_meter(at, "usage", json!({ "tenant": "t", "amount": 2 })));
        }
        lines.push(json!({ "at_ms": at, "override": { "dependency": "g", "to": null } }));
        let printed = run(&document, Value::Array(lines));
        let told = told(&printed, "meter.settlement", &["tenant", "amount", "ended_ms"]);
        (told.len(), told[65_534].clone(), told[65_535].clone(), told.get(65_536).cloned())
    };
    // Every millisecond a period ends. While the last one lasts it is not owed, and told as its key's.
    let named = |at: i64, ended: i64| json!([at, "t", 2, ended]);
    let lasts = |at: i64| json!([at, "t", 2, null]);
    // That of millisecond 65,535 ended at 65,536, the next at 65,537.
    assert_eq!(with(65_536, 65_537), (65_536, named(65_537, 1), named(65_537, 0), None));
    assert_eq!(with(65_537, 65_537), (65_537, named(65_537, 1), named(65_537, 0), Some(lasts(65_537))));
    // What is owed together keeps the moment of the first of it.
    assert_eq!(with(65_537, 65_538), (65_536, named(65_538, 2), json!([65_538, null, 4, 1]), None));
    let together = json!([65_539, null, 6, 2]);
    assert_eq!(with(65_538, 65_539), (65_536, named(65_539, 3), together, None));
}

#[test]
fn a_part_of_a_keys_names_is_an_error() {
    let by_tenant = metered(OPEN, "limit = 5");
    let by_both = metered(OPEN, "limit = 5\nkey = [\"tenant\", \"session\"]");
    let names = |document: &str, mut rest: Value| {
        rest["limit"] = json!(2);
        let document: Value = toml::from_str(document).expect("TOML");
        let printed = crate::replay(&document, &BTreeMap::new(), &[of_meter(0, "override", rest)]);
        printed.map(|printed| told(&printed, "limit.set", &["tenant", "session"]))
    };
    for document in [&by_tenant, &by_both] {
        assert!(names(document, json!({ "session": "s" })).is_err());
        assert!(names(document, json!({ "session": "" })).is_err());
        assert_eq!(
            names(document, json!({ "tenant": null, "session": null })),
            Ok(vec![json!([0, null, null])])
        );
    }
    assert!(names(&by_both, json!({ "tenant": "t" })).is_err());
    assert!(names(&by_both, json!({ "tenant": "t", "session": null })).is_err());
    assert_eq!(names(&by_both, json!({ "tenant": "", "session": "" })), Ok(vec![json!([0, "", ""])]));
    assert_eq!(names(&by_tenant, json!({ "tenant": "" })), Ok(vec![json!([0, "", null])]));
    assert_eq!(names(&by_tenant, json!({ "tenant": "t", "session": "s" })), Ok(vec![json!([0, "t", null])]));
}
