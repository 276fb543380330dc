//! Counting, settling, room, and what the store has not heard (8.1 to 8.4, 8.7, 8.8), each worked out by hand.

use serde_json::{Value, json};

use super::{ask, decisions, events, parts, run};

/// A guard `g` that is the store of the meter `m` with these settings, and an operation `o` that may take 100 ms.
pub(super) fn metered(ladder: &str, settings: &str) -> String {
    format!(
        "spec = 1\nname = \"m\"\n[dependency.g]\nrole = \"guard\"\ndeadline = \"50ms\"\non_failure = {ladder}\n\
         health = {{ consecutive_failure_threshold = 1, wait_duration_in_open_state = \"1s\" }}\n\
         [meter.m]\nstore = \"g\"\nmax_instances = 1\n{settings}\n[operation.o]\nneeds = [\"g\"]\ndeadline = \"100ms\"\n"
    )
}

/// A request of tenant `t` whose store fails for it.
pub(super) fn failing(at: i64, mut rest: Value) -> Value {
    rest["faults"] = json!({ "g": "timeout" });
    if rest.get("tenant").is_none() {
        rest["tenant"] = json!("t");
    }
    ask(at, rest)
}

/// A line of the meter `m`.
pub(super) fn of_meter(at: i64, kind: &str, mut rest: Value) -> Value {
    rest["meter"] = json!("m");
    json!({ "at_ms": at, kind: rest })
}

/// The verdicts of a trace.
pub(super) fn verdicts(printed: &[Value]) -> Vec<String> {
    let all = decisions(printed).into_iter();
    all.map(|decision| decision["verdict"].as_str().unwrap_or("").to_owned()).collect()
}

/// The events of a kind: the time of each, and these keys.
pub(super) fn told(printed: &[Value], kind: &str, keys: &[&str]) -> Vec<Value> {
    let lines = printed.iter().filter(|line| line["event"]["kind"] == kind);
    lines
        .map(|line| {
            let mut all = vec![line["at_ms"].clone()];
            all.extend(keys.iter().map(|key| line["event"][*key].clone()));
            Value::Array(all)
        })
        .collect()
}

const LOCAL: &str = "[{ local_meter = \"m\" }]";

/// A question: how much more than what is counted still fits under a limit of 10.
fn left(at: i64) -> Vec<Value> {
    (1..=10)
        .map(|amount| failing(at, json!({ "amounts": { "m": amount }, "preview": true, "stage": "output" })))
        .collect()
}

/// The own count that the last ten previews show: ten less those that were allowed.
fn own_counts(printed: &[Value]) -> Vec<usize> {
    let decisions = decisions(printed);
    let asked: Vec<bool> = decisions.iter().map(|decision| decision["verdict"] == "allow").collect();
    asked.chunks(10).map(|ten| 10 - ten.iter().filter(|allowed| **allowed).count()).collect()
}

#[test]
fn what_is_unsettled_is_settled_by_time_and_corrected_late() {
    let document = metered(LOCAL, "limit = 10");
    // Taken at a commit whose store is fine: 4, settled at 100 as it is.
    let take = |name: &str| ask(0, json!({ "request": name, "tenant": "t", "amounts": { "m": 4 } }));
    let finish = |at: i64, figure: i64| json!({ "at_ms": at, "finish": { "request": "r", "amounts": { "m": figure } } });
    let counted = |lines: Vec<Value>| {
        let mut all = vec![take("r")];
        all.extend(lines);
        let printed = run(&document, json!(all));
        // The first decision is that of the commit.
        let asked: Vec<Value> =
            printed.into_iter().filter(|line| line.get("decision").is_some()).skip(1).collect();
        own_counts(&asked)
    };
    assert_eq!(counted(left(99)), [4]);
    let with = |mut before: Vec<Value>, at: i64| {
        before.extend(left(at));
        before
    };
    // Finished in time: the actual figure. Too late: the difference, up and down.
    assert_eq!(counted(with(vec![finish(50, 7)], 50)), [7]);
    assert_eq!(counted(with(vec![finish(50, 0)], 50)), [0]);
    assert_eq!(counted(with(vec![finish(100, 7)], 100)), [7]);
    assert_eq!(counted(with(vec![finish(100, 1)], 100)), [1]);
    // With a reading (of 0 used, at time 0) since, nothing is taken off; what is more is added.
    let reading =
        |at: i64, age: i64| of_meter(at, "reading", json!({ "tenant": "t", "used": 0, "age_ms": age }));
    assert_eq!(counted(with(vec![reading(60, 60), finish(100, 1)], 100)), [4]);
    assert_eq!(counted(with(vec![reading(60, 60), finish(100, 6)], 100)), [6]);
    // The reading does not touch what is unsettled; once settled, one of now takes it all, one of before nothing.
    assert_eq!(counted(with(vec![reading(60, 0)], 99)), [4]);
    assert_eq!(counted(with(vec![reading(100, 0)], 100)), [0]);
    assert_eq!(counted(with(vec![reading(60, 0), reading(130, 71)], 130)), [4]);
    // At or after the mark (60) what was newer becomes older, and goes with the next.
    assert_eq!(counted(with(vec![reading(60, 0), reading(130, 10)], 130)), [4]);
    assert_eq!(counted(with(vec![reading(60, 0), reading(130, 10), reading(140, 10)], 140)), [0]);
    assert_eq!(counted(with(vec![reading(60, 0), reading(130, 10), reading(140, 11)], 140)), [4]);
}

#[test]
fn a_request_is_not_counted_against_itself() {
    let document = metered(LOCAL, "limit = 4");
    let again = |at: i64| failing(at, json!({ "request": "r" }));
    let first = failing(0, json!({ "request": "r", "amounts": { "m": 4 } }));
    let reading = of_meter(60, "reading", json!({ "tenant": "t", "used": 0, "age_ms": 60 }));
    // Unsettled at 99, settled by time at 100: its own either way. With a reading since, it no longer knows.
    let printed = run(&document, json!([first, again(99), again(100), failing(100, json!({}))]));
    assert_eq!(verdicts(&printed), ["allow", "allow", "allow", "deny"]);
    let printed = run(&document, json!([first, reading, again(99), again(100)]));
    assert_eq!(verdicts(&printed), ["allow", "allow", "deny"]);
}

#[test]
fn the_unsettled_rest_begins_the_next_period_at_the_end() {
    let document = metered(LOCAL, "limit = 5\nwindow = \"60ms\"");
    let take = |at: i64, amount: i64| {
        failing(at, json!({ "request": format!("r{at}"), "amounts": { "m": amount } }))
    };
    // 3 at 0, settled at 100; 2 at 10, settled at 110. The period 0 to 60 ends with both unsettled: they begin that of
    // 60 to 120, in which they are settled, and go at 120.
    let printed = run(&document, json!([take(0, 3), take(10, 2), take(119, 1), take(120, 5)]));
    assert_eq!(verdicts(&printed), ["allow", "allow", "deny", "allow"]);
    // 2 at 10 are settled at 110, in the period 70 to 130: that of the commit is over, and the finish corrects nothing.
    let finish = json!({ "at_ms": 115, "finish": { "request": "r10", "amounts": { "m": 5 } } });
    let printed = run(&document, json!([take(10, 2), finish, take(116, 4), take(117, 3)]));
    assert_eq!(verdicts(&printed), ["allow", "deny", "allow"]);
    // Settled at the very end of a period: settled first, and gone.
    let document = metered(LOCAL, "limit = 5\nwindow = \"50ms\"");
    let printed = run(&document, json!([take(0, 5), take(99, 1), take(100, 5)]));
    assert_eq!(verdicts(&printed), ["allow", "deny", "allow"]);
}

#[test]
fn a_share_is_of_what_is_left() {
    let document = metered("[{ local_meter = { meter = \"m\", share = 50 } }]", "limit = 9");
    let reading = of_meter(0, "reading", json!({ "tenant": "t", "used": 4, "limit": 11 }));
    // Half of 11 - 4, rounded down.
    let printed = run(
        &document,
        json!([
            reading,
            failing(0, json!({ "amounts": { "m": 3 } })),
            failing(0, json!({ "amounts": { "m": 1 } }))
        ]),
    );
    assert_eq!(verdicts(&printed), ["allow", "deny"]);
    // A limit that the next reading does not tell is the document's again: half of 9 - 4.
    let again = of_meter(1, "reading", json!({ "tenant": "t", "used": 4 }));
    let printed = run(&document, json!([reading, again, failing(1, json!({ "amounts": { "m": 3 } }))]));
    assert_eq!(verdicts(&printed), ["deny"]);
}

#[test]
fn room_is_made_among_the_sixteen_at_the_front() {
    let document = metered(LOCAL, "limit = 5\ncapacity = 17");
    let usage = |tenant: usize| of_meter(0, "usage", json!({ "tenant": format!("t{tenant}"), "amount": 1 }));
    let read = |tenant: usize, used: i64| {
        of_meter(0, "reading", json!({ "tenant": format!("t{tenant}"), "used": used }))
    };
    let full = |tenant: &str| failing(0, json!({ "tenant": tenant, "preview": true }));
    let mut lines: Vec<Value> = (1..=16).map(usage).collect();
    // t17 is read with nothing used: its use is 0, but it is not among the sixteen at the front.
    lines.push(read(17, 0));
    let with = |more: Vec<Value>| {
        let mut lines = lines.clone();
        lines.extend(more);
        run(&document, json!(lines))
    };
    assert_eq!(verdicts(&with(vec![full("new")])), ["deny"]);
    // A newcomer finds none, but the sixteen go to the end: now t17 is at the front, and leaves for the next.
    let printed = with(vec![usage(18), full("new"), usage(19), full("new"), full("t19")]);
    assert_eq!(verdicts(&printed), ["allow", "deny", "allow"]);
    assert_eq!(told(&printed, "table.full", &["meter"]), [json!([0, "m"])]);
    // A reading at its limit makes room all the same: t1, the least used and the first, leaves. Now t17 is at the
    // front, and a question finds room by it.
    let printed = with(vec![read(18, 5), full("t1"), full("t18"), full("t2")]);
    assert_eq!(verdicts(&printed), ["allow", "deny", "allow"]);
    assert_eq!(decisions(&printed)[1]["reasons"][0]["kind"], json!("over_limit"));
}

#[test]
fn a_key_whose_period_has_ended_leaves_when_it_is_looked_at() {
    let document = metered(LOCAL, "limit = 5\ncapacity = 1\nwindow = \"60ms\"");
    let use_of = |at: i64, tenant: &str| of_meter(at, "usage", json!({ "tenant": tenant, "amount": 5 }));
    let asks = |at: i64, tenant: &str| failing(at, json!({ "tenant": tenant, "preview": true }));
    let printed = run(
        &document,
        json!([use_of(0, "a"), asks(59, "b"), asks(60, "b"), asks(60, "a"), use_of(60, "b"), asks(60, "a")]),
    );
    assert_eq!(verdicts(&printed), ["deny", "allow", "allow", "deny"]);
    assert!(told(&printed, "table.full", &[]).is_empty());
}

#[test]
fn a_soft_limit_is_told_until_the_period_ends_or_the_reading_goes() {
    let document = metered("[]", "limit = 3\nmode = \"alert\"\nwindow = \"1s\"");
    let usage = |at: i64, amount: i64| of_meter(at, "usage", json!({ "tenant": "t", "amount": amount }));
    let reading = of_meter(0, "reading", json!({ "tenant": "t", "used": 1, "mode": "degrade" }));
    let lines = [usage(1, 1), usage(2, 1), usage(3, 9), usage(1_000, 3), usage(1_000, 3), usage(1_001, 3)];
    let printed = run(&document, json!([vec![reading], lines.to_vec()].concat()));
    let keys = ["tenant", "session", "mode", "used", "own", "limit"];
    assert_eq!(
        told(&printed, "limit.reached", &keys),
        [
            json!([2, "t", null, "degrade", 1, 2, 3]),
            // The reading goes at 1,000, and what is counted since 1 goes on; at 1,001 it goes too.
            json!([1_000, "t", null, "alert", 0, 14, 3]),
            json!([1_001, "t", null, "alert", 0, 3, 3])
        ]
    );
    // A `block` meter tells none.
    let document = metered("[]", "limit = 3");
    assert!(told(&run(&document, json!([usage(0, 5)])), "limit.reached", &[]).is_empty());
}

#[test]
fn operators_set_limits_of_one_key_or_of_all() {
    let document = metered(LOCAL, "limit = 5");
    let set = |rest: Value| of_meter(0, "override", rest);
    let asks = |tenant: &str, amount: i64| {
        failing(0, json!({ "tenant": tenant, "amounts": { "m": amount }, "preview": true }))
    };
    let printed = run(
        &document,
        json!([
            set(json!({ "limit": 2, "by": "ann", "reason": "drill" })),
            asks("t", 3),
            set(json!({ "tenant": "t", "limit": 3 })),
            asks("t", 3),
            asks("u", 3),
            set(json!({ "limit": null })),
            asks("t", 4),
            asks("u", 5),
            { "at_ms": 0, "restart": { "away_ms": 5 } },
            asks("t", 4),
            set(json!({ "tenant": "t", "limit": null })),
            asks("t", 4),
            // An empty name is told: of the key of no tenant alone.
            set(json!({ "tenant": "", "limit": 0 })),
            asks("t", 4),
            asks("", 4),
        ]),
    );
    let expected = ["deny", "allow", "deny", "deny", "allow", "deny", "allow", "allow", "deny"];
    assert_eq!(verdicts(&printed), expected);
    let keys = ["meter", "tenant", "session", "limit", "by", "reason"];
    assert_eq!(told(&printed, "limit.set", &keys)[0], json!([0, "m", null, null, 2, "ann", "drill"]));
    assert_eq!(told(&printed, "limit.set", &keys)[4], json!([0, "m", "", null, 0, null, null]));
    let mut lines: Vec<Value> =
        (0..1_025).map(|key| set(json!({ "tenant": format!("t{key}"), "limit": 1 }))).collect();
    lines.push(set(json!({ "tenant": "t0", "limit": 2 })));
    lines.push(set(json!({ "tenant": "t1", "limit": null })));
    lines.push(set(json!({ "tenant": "t1024", "limit": 1 })));
    let printed = run(&document, json!(lines));
    let refused = told(&printed, "limit.refused", &["meter", "tenant", "session", "limit", "why"]);
    assert_eq!(refused, [json!([0, "m", "t1024", null, 1, "too_many"])]);
    assert_eq!(told(&printed, "limit.set", &[]).len(), 1_027);
}

#[test]
fn what_the_store_has_not_heard_is_told_once_it_is_back() {
    let document = metered("[{ allow = true }]", "limit = 50\nkey = [\"tenant\", \"session\"]");
    let down = json!({ "at_ms": 0, "override": { "dependency": "g", "to": "open", "for_ms": 500 } });
    let usage = |at: i64, tenant: &str| of_meter(at, "usage", json!({ "tenant": tenant, "amount": 2 }));
    let lift = json!({ "at_ms": 200, "override": { "dependency": "g", "to": "closed" } });
    let finish = json!({ "at_ms": 210, "finish": { "request": "r", "amounts": { "m": 7 } } });
    let printed = run(
        &document,
        json!([
            down,
            usage(1, "u"),
            // Failed for this request, though nobody says so of the store: settled at 102.
            failing(2, json!({ "request": "r", "session": "s", "amounts": { "m": 3 } })),
            failing(150, json!({ "request": "q", "tenant": "v", "amounts": { "m": 4 } })),
            lift,
            finish,
            { "at_ms": 260, "health": { "dependency": "g" } },
            usage(260, "w"),
        ]),
    );
    // At 200 u and t; q's 4 is settled at 250, told at the next line that is no question; the 4 more of r at once.
    assert_eq!(
        told(&printed, "meter.settlement", &["tenant", "session", "amount"]),
        [
            json!([200, "u", "", 2]),
            json!([200, "t", "s", 3]),
            json!([210, "t", "s", 4]),
            json!([260, "v", "", 4])
        ]
    );
    // It stands after all else of its line.
    let last = events(&printed).into_iter().rfind(|event| event["kind"] == "override.set").expect("lifted");
    assert_eq!(parts(last, &["to"]), json!(["closed"]));
}
