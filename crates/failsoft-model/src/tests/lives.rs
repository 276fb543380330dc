//! Periods, and the lives of readings beside them (MET-2, MET-41 and what rests on them), each worked out by hand.

use serde_json::{Value, json};

use super::meters::{failing, metered, of_meter, told, verdicts};
use super::{ask, decisions, run};

const LOCAL: &str = "[{ local_meter = \"m\" }]";

/// A meter with a limit of 5 and a window of 60 ms; requests may take 100 ms.
fn windowed(settings: &str) -> String {
    metered(LOCAL, &format!("limit = 5\nwindow = \"60ms\"\n{settings}"))
}

/// The store's count for tenant `t`.
fn read(at: i64, mut rest: Value) -> Value {
    if rest.get("tenant").is_none() {
        rest["tenant"] = json!("t");
    }
    of_meter(at, "reading", rest)
}

/// What tenant `t` used outside a request.
fn usage(at: i64, amount: i64) -> Value {
    of_meter(at, "usage", json!({ "tenant": "t", "amount": amount }))
}

/// A question of tenant `t`, whose store fails for it.
fn asks(at: i64, amount: i64) -> Value {
    failing(at, json!({ "amounts": { "m": amount }, "preview": true }))
}

/// A commit of the request `r` of tenant `t`, whose store fails for it.
fn takes(at: i64, amount: i64) -> Value {
    failing(at, json!({ "request": "r", "amounts": { "m": amount } }))
}

fn forced(at: i64) -> Value {
    json!({ "at_ms": at, "override": { "dependency": "g", "to": "forced_open" } })
}

/// It fails, and is `down`: what only an operator says lets nothing past.
fn fails(at: i64) -> Value {
    json!({ "at_ms": at, "outcome": { "dependency": "g", "result": "timeout" } })
}

fn back(at: i64) -> Value {
    json!({ "at_ms": at, "override": { "dependency": "g", "to": "closed" } })
}

fn verdicts_of(document: &str, lines: Vec<Value>) -> Vec<String> {
    verdicts(&run(document, Value::Array(lines)))
}

/// The settlements: when, whose, how much, and since when its period is over.
fn settled(document: &str, lines: Vec<Value>) -> Value {
    let printed = run(document, Value::Array(lines));
    Value::Array(told(&printed, "meter.settlement", &["tenant", "amount", "ended_ms"]))
}

#[test]
fn a_period_begins_with_the_first_amount_and_no_reading_moves_it() {
    let document = windowed("");
    // Read at 0, counted from 30 on: the reading goes at 60, what is counted at 90.
    let first = vec![read(0, json!({ "used": 0 })), usage(30, 5), asks(60, 1), asks(89, 1), asks(90, 5)];
    assert_eq!(verdicts_of(&document, first), ["deny", "deny", "allow"]);
    // A reading of before the first amount is accepted, and its limit of 9 stands until 40 + 60.
    let before = vec![
        usage(50, 5),
        read(60, json!({ "used": 0, "limit": 9, "age_ms": 20 })),
        asks(60, 4),
        asks(99, 4),
        asks(99, 5),
        asks(100, 1),
        asks(109, 1),
        asks(110, 5),
    ];
    assert_eq!(verdicts_of(&document, before), ["allow", "allow", "deny", "deny", "deny", "allow"]);
    // Beyond a window it is nothing.
    let late = vec![usage(50, 5), read(60, json!({ "used": 0, "limit": 9, "age_ms": 60 })), asks(60, 4)];
    assert_eq!(verdicts_of(&document, late), ["deny"]);
    // With nothing unsettled no period runs from 60 on; the next begins with the next amount.
    let anew = vec![usage(0, 5), usage(70, 5), asks(119, 1), asks(129, 1), asks(130, 5)];
    assert_eq!(verdicts_of(&document, anew), ["deny", "deny", "allow"]);
}

#[test]
fn a_reading_outlives_a_period_that_was_a_guess() {
    let document = windowed("");
    // The period is 0 to 60, the reading's life 40 to 100.
    let over = read(40, json!({ "used": 5 }));
    let lines = vec![usage(0, 1), over.clone(), asks(60, 1), asks(99, 1), asks(100, 1)];
    let printed = run(&document, json!(lines));
    assert_eq!(verdicts(&printed), ["deny", "deny", "allow"]);
    let all = decisions(&printed);
    assert_eq!(all[1]["reasons"][0]["kind"], json!("over_limit"));
    // The wait is what is left of the reading's life, whatever the period does.
    let waits: Vec<&Value> = all.iter().map(|decision| &decision["retry_after_ms"]).collect();
    assert_eq!(waits, [&json!(40), &json!(1), &json!(null)]);
    // What is counted beside it in the next period is over before it, or after.
    let beside = |more: Value| vec![usage(0, 5), read(40, json!({ "used": 2 })), usage(60, 1), more];
    assert_eq!(verdicts_of(&document, beside(asks(99, 2))), ["allow"]);
    assert_eq!(verdicts_of(&document, beside(asks(99, 3))), ["deny"]);
    assert_eq!(verdicts_of(&document, beside(asks(100, 4))), ["allow"]);
    assert_eq!(verdicts_of(&document, beside(asks(100, 5))), ["deny"]);
    assert_eq!(verdicts_of(&document, beside(asks(120, 5))), ["allow"]);
    // Without a window and a reset both are for good, and there is no wait.
    let endless = metered(LOCAL, "limit = 5");
    let printed = run(&endless, json!([usage(0, 1), over, asks(1_000_000, 1)]));
    assert_eq!(decisions(&printed)[0]["retry_after_ms"], json!(null));
    assert_eq!(verdicts(&printed), ["deny"]);
}

#[test]
fn a_told_reset_ends_both_at_once() {
    let document = windowed("");
    let reset = |left: i64| read(10, json!({ "used": 1, "resets_in_ms": left }));
    // At 40, though the window would end at 60; the amount at 10 was read with the reading of that very moment.
    let early = vec![usage(0, 3), reset(30), usage(20, 4), asks(39, 1), asks(40, 5)];
    assert_eq!(verdicts_of(&document, early), ["deny", "allow"]);
    // At 110, though the window would end at 60 (and, of the amount at 20, at 80).
    let late = vec![usage(0, 3), reset(100), usage(20, 4), asks(80, 1), asks(109, 1), asks(110, 5)];
    assert_eq!(verdicts_of(&document, late), ["deny", "deny", "allow"]);
    // 3 unsettled and 2 unreported: at 60 both the period and the reading of 0 end by the window. The 2 are owed, the 3
    // begin the period of 60 to 120, are settled at 100, and owed from 120 on.
    let at_once = |rest: Value| {
        let mut reading = json!({ "used": 1 });
        if !rest.is_null() {
            reading["resets_in_ms"] = rest;
        }
        vec![forced(0), takes(0, 3), usage(0, 2), read(0, reading)]
    };
    let then = |rest: Value, more: Vec<Value>| [at_once(rest), more].concat();
    let ends = vec![asks(119, 2), asks(119, 3), asks(120, 5), back(130)];
    assert_eq!(verdicts_of(&document, then(json!(null), ends.clone()))[1..], ["allow", "deny", "allow"]);
    assert_eq!(
        settled(&document, then(json!(null), ends.clone())),
        json!([[130, "t", 2, 70], [130, "t", 3, 10]])
    );
    // By a told reset at 60 the 2 are gone from the store as well.
    assert_eq!(verdicts_of(&document, then(json!(60), ends.clone()))[1..], ["allow", "deny", "allow"]);
    assert_eq!(settled(&document, then(json!(60), ends)), json!([[130, "t", 3, 10]]));
    // Settled at the very moment of both: settled first, and gone.
    let whole = metered(LOCAL, "limit = 5\nwindow = \"100ms\"");
    assert_eq!(verdicts_of(&whole, then(json!(null), vec![asks(100, 5)]))[1..], ["allow"]);
    assert_eq!(settled(&whole, then(json!(null), vec![back(100)])), json!([[100, "t", 5, 0]]));
    assert_eq!(settled(&whole, then(json!(100), vec![back(100)])), json!([]));
}

#[test]
fn a_reading_of_before_a_period_that_went_on_is_ignored() {
    let document = windowed("");
    let before = read(70, json!({ "used": 5, "age_ms": 20 }));
    // Nothing went on at 60: no period runs, and the reading of 50 lives until 110.
    let lines = vec![usage(0, 1), before.clone(), asks(109, 1), asks(110, 1)];
    assert_eq!(verdicts_of(&document, lines), ["deny", "allow"]);
    // Nor does an amount at 65 change that: its period has not begun where one ended.
    let lines = vec![usage(0, 1), usage(65, 1), before.clone(), asks(109, 1), asks(110, 4), asks(110, 5)];
    assert_eq!(verdicts_of(&document, lines), ["deny", "allow", "deny"]);
    // An unsettled amount began the next period at 60.
    let lines = vec![takes(0, 1), before, asks(70, 1)];
    assert_eq!(verdicts_of(&document, lines), ["allow", "allow"]);
    // Of 60 itself it is accepted.
    let on_time = read(70, json!({ "used": 5, "age_ms": 10 }));
    assert_eq!(verdicts_of(&document, vec![takes(0, 1), on_time, asks(70, 1)]), ["allow", "deny"]);
}

#[test]
fn marks_are_of_the_period() {
    // Without a window: amounts stay until a reading takes them.
    let document = metered(LOCAL, "limit = 5");
    let left = |lines: Vec<Value>, at: i64, amount: i64| {
        let asked = [lines, vec![asks(at, amount), asks(at, amount + 1)]].concat();
        assert_eq!(verdicts_of(&document, asked), ["allow", "deny"]);
    };
    let at = |at: i64, age: i64| read(at, json!({ "used": 0, "age_ms": age }));
    // A reading before the first amount leaves no mark: the period's beginning, 20, is one.
    left(vec![at(10, 0), usage(20, 4), at(30, 11)], 30, 1);
    left(vec![at(10, 0), usage(20, 4), at(30, 11), at(31, 11)], 31, 1);
    left(vec![at(10, 0), usage(20, 4), at(30, 10), at(31, 1)], 31, 5);
    // At 30 the 4 become older and the mark is 30; a reading of before it takes nothing.
    left(vec![usage(20, 4), at(30, 10), at(31, 2)], 31, 1);
    left(vec![usage(20, 4), at(30, 10), at(30, 0)], 30, 5);
}

#[test]
fn a_key_with_neither_is_not_held() {
    let document = windowed("capacity = 1");
    let other = |at: i64| failing(at, json!({ "tenant": "u", "preview": true }));
    // Read at its limit, it keeps its place until the reading goes.
    let lines = vec![read(0, json!({ "used": 5 })), other(59), other(60)];
    assert_eq!(verdicts_of(&document, lines), ["deny", "allow"]);
    // Counted at 30 as well, until the period ends.
    let lines = vec![read(0, json!({ "used": 5 })), usage(30, 1), other(60), other(89), other(90)];
    assert_eq!(verdicts_of(&document, lines), ["deny", "deny", "allow"]);
    // Its reading gone and its use 0 it is not held: what it took was settled at 0 at 50, and its period is forgotten.
    let finish = json!({ "at_ms": 50, "finish": { "request": "r", "amounts": { "m": 0 } } });
    let gone =
        vec![read(10, json!({ "used": 0 })), takes(20, 2), finish, usage(75, 5), asks(134, 1), asks(135, 5)];
    assert_eq!(verdicts_of(&document, gone), ["allow", "deny", "allow"]);
}

#[test]
fn what_found_no_room_is_taken_by_a_later_commit() {
    let document =
        metered("[{ allow = true }]", "limit = 5\nwindow = \"60ms\"\ncapacity = 1\nmode = \"alert\"");
    let other = |at: i64| of_meter(at, "usage", json!({ "tenant": "u", "amount": 1 }));
    let commit = |at: i64, tenant: &str, report: &str, amount: i64| {
        let part = json!({ "request": "r", "tenant": tenant, "faults": { "g": report }, "amounts": { "m": amount } });
        ask(at, part)
    };
    let tick = |at: i64| json!({ "at_ms": at, "instances": { "count": 1 } });
    let first = vec![other(0), commit(10, "t", "timeout", 6), commit(50, "v", "ok", 2)];
    let then = |more: Vec<Value>| [first.clone(), more].concat();
    // At 60 u's period is over: 6 are taken, of t, as at first. The table was full once.
    let printed = run(&document, json!(then(vec![commit(60, "v", "timeout", 2), tick(160)])));
    assert_eq!(told(&printed, "table.full", &[]), [json!([10])]);
    assert_eq!(told(&printed, "limit.reached", &["tenant", "own"]), [json!([60, "t", 6])]);
    // Unreported by the commit that took it; settled 100 after that, in the period that began at 120.
    let lines = then(vec![commit(60, "v", "timeout", 2), tick(159), tick(160)]);
    assert_eq!(settled(&document, lines), json!([[160, "t", 6, null]]));
    // `ok` then, though the first commit failed; a later one changes it while it is unsettled.
    assert_eq!(settled(&document, then(vec![commit(60, "v", "ok", 2), tick(160)])), json!([]));
    let again = then(vec![commit(60, "v", "ok", 2), commit(159, "v", "timeout", 2), tick(160)]);
    assert_eq!(settled(&document, again), json!([[160, "t", 6, null]]));
    // It is taken once.
    let twice = then(vec![commit(60, "v", "ok", 2), commit(61, "v", "ok", 2)]);
    let finish = json!({ "at_ms": 62, "finish": { "request": "r", "amounts": { "m": 4 } } });
    let printed = run(
        &document,
        json!(
            [twice, vec![finish.clone(), of_meter(63, "usage", json!({ "tenant": "t", "amount": 1 }))]]
                .concat()
        ),
    );
    assert_eq!(told(&printed, "limit.reached", &["own"]), [json!([60, 6])]);
    // Without room until the end nothing is settled, whatever it cost; nor does a preview take it.
    let mut preview = commit(60, "t", "ok", 6);
    preview["decide"]["preview"] = json!(true);
    let printed = run(&document, json!(then(vec![preview, finish])));
    assert!(told(&printed, "limit.reached", &[]).is_empty());
}

#[test]
fn a_stopped_commit_does_not_take_anew() {
    let ladder = "[{ allow = { when = { fault = [\"timeout\"] } } }]";
    let document = metered(ladder, "limit = 5\nwindow = \"60ms\"\ncapacity = 1");
    let shadow = document.clone() + "enforcement = \"shadow\"\n";
    let other = of_meter(0, "usage", json!({ "tenant": "u", "amount": 1 }));
    let commit = |at: i64, report: &str| {
        ask(at, json!({ "request": "r", "tenant": "t", "faults": { "g": report }, "amounts": { "m": 3 } }))
    };
    let tick = json!({ "at_ms": 160, "instances": { "count": 1 } });
    let lines = vec![other, commit(10, "timeout"), commit(60, "unreachable"), tick];
    assert_eq!(settled(&document, lines.clone()), json!([]));
    assert_eq!(settled(&shadow, lines), json!([[160, "t", 3, null]]));
}

#[test]
fn health_alone_changes_nothing_of_what_is_unreported() {
    let document = metered("[{ allow = true }]", "limit = 50");
    let commit = |at: i64, stage: &str, report: Value| {
        ask(
            at,
            json!({ "request": "r", "tenant": "t", "stage": stage, "faults": report, "amounts": { "m": 3 } }),
        )
    };
    let silent = |at: i64, stage: &str| commit(at, stage, json!({}));
    // Taken while it was fine; then it is down, and left behind or looked at.
    let of = |lines: Vec<Value>| settled(&document, [lines, vec![back(100)]].concat());
    assert_eq!(of(vec![silent(0, "admit"), fails(10), silent(20, "admit")]), json!([]));
    assert_eq!(of(vec![silent(0, "admit"), fails(10), silent(20, "output")]), json!([]));
    // Taken while it was down; then it is back.
    assert_eq!(
        of(vec![fails(0), silent(0, "admit"), back(10), silent(20, "admit")]),
        json!([[100, "t", 3, null]])
    );
    // Told: a fault makes it so, `ok` not, `refused` leaves it; what was told before stands.
    let fault = json!({ "g": "unavailable" });
    let ok = json!({ "g": "ok" });
    let refused = json!({ "g": "refused" });
    assert_eq!(of(vec![silent(0, "admit"), commit(1, "admit", fault.clone())]), json!([[100, "t", 3, null]]));
    assert_eq!(of(vec![fails(0), silent(0, "admit"), commit(1, "admit", ok.clone())]), json!([]));
    let kept = vec![commit(0, "admit", fault), commit(1, "admit", refused), silent(2, "output")];
    assert_eq!(of(kept), json!([[100, "t", 3, null]]));
    assert_eq!(of(vec![commit(0, "admit", ok), fails(10), silent(20, "output")]), json!([]));
}

#[test]
fn what_is_owed_tells_how_long_ago_its_period_ended() {
    let document = windowed("");
    // 0 to 60, 70 to 130, and 150 to 210, which lasts.
    let lost = vec![forced(0), usage(0, 1), usage(70, 2), usage(150, 4)];
    let then = |more: Vec<Value>| [lost.clone(), more].concat();
    assert_eq!(
        settled(&document, then(vec![back(160)])),
        json!([[160, "t", 1, 100], [160, "t", 2, 30], [160, "t", 4, null]])
    );
    assert_eq!(settled(&document, then(vec![back(210)]))[2], json!([210, "t", 4, 0]));
    // Over a restart ages grow by the time away, where that is known.
    let restart = |away: Value| json!({ "at_ms": 155, "restart": { "away_ms": away } });
    assert_eq!(
        settled(&document, then(vec![restart(json!(25)), back(160)])),
        json!([[160, "t", 1, 125], [160, "t", 2, 55], [160, "t", 4, null]])
    );
    assert_eq!(settled(&document, then(vec![restart(json!(60)), back(160)]))[2], json!([160, "t", 4, 10]));
    assert_eq!(
        settled(&document, then(vec![restart(json!(null)), back(160)])),
        json!([[160, "t", 1, 100], [160, "t", 2, 30], [160, "t", 4, null]])
    );
    // A key that had to leave for a reading at its limit.
    let full = windowed("capacity = 1");
    let other = read(10, json!({ "tenant": "u", "used": 5 }));
    assert_eq!(settled(&full, vec![forced(0), usage(0, 2), other, back(80)]), json!([[80, "t", 2, null]]));
}

#[test]
fn a_reading_lives_on_over_a_restart_as_long_as_it_would_have() {
    let document = windowed("");
    let restart = |away: Value| json!({ "at_ms": 10, "restart": { "away_ms": away } });
    let lines = |away: Value, last: i64| {
        vec![read(0, json!({ "used": 5 })), usage(5, 1), restart(away), asks(last - 1, 1), asks(last, 1)]
    };
    assert_eq!(verdicts_of(&document, lines(json!(49), 11)), ["deny", "allow"]);
    assert_eq!(verdicts_of(&document, lines(json!(null), 60)), ["deny", "allow"]);
    // The 1 goes 5 later.
    let rest = |at: i64| vec![read(0, json!({ "used": 5 })), usage(5, 1), restart(json!(49)), asks(at, 5)];
    assert_eq!(verdicts_of(&document, rest(15)), ["deny"]);
    assert_eq!(verdicts_of(&document, rest(16)), ["allow"]);
    // Both over while away.
    assert_eq!(
        verdicts_of(
            &document,
            vec![read(0, json!({ "used": 5 })), usage(5, 1), restart(json!(55)), asks(10, 5)]
        ),
        ["allow"]
    );
}

#[test]
fn a_limit_is_told_anew_once_the_reading_has_gone() {
    let document = metered("[]", "limit = 3\nmode = \"alert\"\nwindow = \"60ms\"");
    let told = |lines: Vec<Value>| told(&run(&document, json!(lines)), "limit.reached", &["used", "own"]);
    let first = vec![read(0, json!({ "used": 3 })), usage(10, 2)];
    // An amount that begins a period tells it no second time; once the reading has gone, what is counted does.
    assert_eq!(told(first.clone()), [json!([0, 3, 0])]);
    assert_eq!(told([first.clone(), vec![usage(59, 1)]].concat()), [json!([0, 3, 0])]);
    assert_eq!(told([first.clone(), vec![usage(60, 1)]].concat()), [json!([0, 3, 0]), json!([60, 0, 3])]);
    // At 70 the period ends; the reading of 20 has not gone, and 80 is its end.
    let more = vec![read(20, json!({ "used": 3 })), usage(69, 1), usage(70, 1), usage(71, 1), usage(80, 1)];
    assert_eq!(told([first, more].concat()), [json!([0, 3, 0]), json!([70, 3, 1]), json!([80, 0, 3])]);
}
