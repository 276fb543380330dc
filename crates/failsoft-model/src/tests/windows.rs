//! Windows as they are told, and their accounts (spec 7), each worked out by hand from the text.

use serde_json::{Value, json};

use super::meters::{failing, metered, told};
use super::{ask, events, parts, run};

/// The largest number (DOC-3).
const LARGEST: i64 = (1 << 53) - 1;

/// What the meter lets past, then everything; each with its event.
const LADDER: &str =
    "[{ local_meter = { meter = \"m\", emit = \"soft\" } }, { allow = { emit = \"open\" } }]";

/// The guard `g` with a ladder, `window_idle` of 50 ms, and so many tenants.
fn windowed(ladder: &str, tenants: i64) -> String {
    let top = format!("name = \"m\"\nwindow_idle = \"50ms\"\ntenants = {tenants}\n");
    metered(ladder, "limit = 5").replace("name = \"m\"\n", &top)
}

/// A line that changes nothing here and is no question.
fn tick(at: i64) -> Value {
    json!({ "at_ms": at, "instances": { "count": 1 } })
}

/// The question `windows`.
fn asks(at: i64) -> Value {
    json!({ "at_ms": at, "windows": {} })
}

/// A request of a name, with an amount, whose store fails for it.
fn request(at: i64, name: &str, tenant: &str, amount: i64) -> Value {
    failing(at, json!({ "request": name, "tenant": tenant, "amounts": { "m": amount } }))
}

/// The end of a request, with what it cost.
fn finish(at: i64, name: &str, amount: i64) -> Value {
    json!({ "at_ms": at, "finish": { "request": name, "amounts": { "m": amount } } })
}

/// What an account says, without its decisions.
fn account(told: &Value) -> Value {
    parts(told, &["duration_ms", "idle_ms", "total", "tenants", "others"])
}

/// The events' kinds with their lines' times; what meters settle is no matter here.
fn kinds(printed: &[Value]) -> Vec<Value> {
    let told = printed.iter().filter(|line| line.get("event").is_some());
    let told = told.filter(|line| line["event"]["kind"] != "meter.settlement");
    told.map(|line| json!([line["at_ms"], line["event"]["kind"]])).collect()
}

/// The accounts of the windows that closed.
fn closed(printed: &[Value]) -> Vec<Value> {
    let all = events(printed).into_iter();
    all.filter(|event| event["kind"] == "window.closed").map(account).collect()
}

/// The answers to `windows`.
fn answers(printed: &[Value]) -> Vec<&Value> {
    printed.iter().filter_map(|line| line.get("windows")).collect()
}

#[test]
fn a_window_opens_changes_and_closes_with_its_account() {
    let printed = run(
        &windowed(LADDER, 1),
        json!([
            request(0, "a", "t", 3),
            request(10, "a", "t", 3),
            request(20, "b", "u", 4),
            // 3 + 9 is more than 5: the second rung. Then nothing new, so neither window nor emit is told.
            request(30, "c", "t", 9),
            request(30, "d", "t", 9),
            finish(40, "a", 1),
            asks(79),
            tick(79),
            asks(80),
            tick(80),
            // The window is closed, and changes no more.
            finish(80, "c", 100),
            tick(200),
        ]),
    );
    let expected = json!([
        [0, "window.opened"],
        [0, "soft"],
        [30, "window.changed"],
        [30, "open"],
        [80, "window.closed"]
    ]);
    assert_eq!(Value::Array(kinds(&printed)), expected);
    let all = events(&printed);
    let of = |kind: &str| all.iter().find(|event| event["kind"] == kind).expect("told");
    let opened = ["dependency", "operation", "posture", "rung", "rung_kind", "health", "fault"];
    assert_eq!(
        parts(of("window.opened"), &opened),
        json!(["g", "o", "fail_soft", 0, "local_meter", "unknown", "timeout"])
    );
    assert_eq!(
        parts(of("window.changed"), &opened),
        json!(["g", "o", "fail_open", 1, "allow", "unknown", "timeout"])
    );
    let keys: Vec<&String> = of("window.opened").as_object().expect("a table").keys().collect();
    let fixed = [
        "kind",
        "dependency",
        "operation",
        "posture",
        "rung",
        "rung_kind",
        "health",
        "fault",
        "v",
        "matrix",
        "instance",
        "sequence",
    ];
    assert_eq!(keys, fixed);
    let event = of("window.closed");
    let account = json!({
        "duration_ms": 30, "idle_ms": 50, "total": { "requests": 4, "amounts": { "m": 23 } },
        "decisions": [
            { "rung": 0, "rung_kind": "local_meter", "requests": 2 },
            { "rung": 1, "rung_kind": "allow", "requests": 2 },
        ],
        "tenants": [{ "tenant": "t", "requests": 3, "amounts": { "m": 19 } }],
        "others": { "requests": 1, "amounts": { "m": 4 } },
    });
    let text = account.to_string();
    let middle = text.trim_start_matches('{').trim_end_matches('}');
    let expected =
        format!("{{\"kind\":\"window.closed\",\"dependency\":\"g\",\"why\":\"recovered\",{middle}");
    assert!(event.to_string().starts_with(&expected), "{event}");
    // The question says the same but for the time since the last use; then the window is closed, though not told yet.
    let mut open = json!({ "dependency": "g" });
    for (key, value) in account.as_object().expect("a table") {
        open[key] = value.clone();
    }
    open["idle_ms"] = json!(49);
    assert_eq!(answers(&printed), [&json!([open]), &json!([])]);
}

#[test]
fn a_commit_closes_a_window_that_may_close_and_opens_another() {
    let again = json!({ "at_ms": 50, "finish": { "request": "a", "amounts": { "m": 2 } } });
    let printed = run(
        &windowed(LADDER, 9),
        json!([request(0, "a", "t", 1), request(50, "a", "u", 1), again, tick(100)]),
    );
    let expected = json!([
        [0, "window.opened"],
        [0, "soft"],
        [50, "window.closed"],
        [50, "window.opened"],
        [50, "soft"],
        [100, "window.closed"],
    ]);
    assert_eq!(Value::Array(kinds(&printed)), expected);
    // The request is counted in both, each time under the tenant that it had; the finish reaches the second alone.
    let row = |tenant: &str, amount: i64| {
        let amounts = json!({ "m": amount });
        json!([0, 50, { "requests": 1, "amounts": amounts },
               [{ "tenant": tenant, "requests": 1, "amounts": amounts }], { "requests": 0, "amounts": {} }])
    };
    assert_eq!(closed(&printed), [row("t", 1), row("u", 2)]);
}

#[test]
fn a_window_stands_while_the_dependency_is_out() {
    let fails = json!({ "at_ms": 0, "outcome": { "dependency": "g", "result": "timeout" } });
    let well = json!({ "at_ms": 300, "override": { "dependency": "g", "to": "closed" } });
    let silent = ask(10, json!({ "tenant": "t" }));
    let printed = run(&windowed(LADDER, 9), json!([fails, silent, tick(200), well]));
    let expected = json!([
        [0, "health.changed"],
        [10, "window.opened"],
        [10, "soft"],
        [300, "health.changed"],
        [300, "window.closed"],
        [300, "override.set"],
    ]);
    assert_eq!(Value::Array(kinds(&printed)), expected);
    assert_eq!(told(&printed, "window.opened", &["health", "fault"]), [json!([10, "down", "timeout"])]);
}

#[test]
fn a_meter_told_to_be_nothing_is_corrected_too() {
    let printed = run(
        &windowed(LADDER, 9),
        json!([request(0, "a", "t", 0), asks(0), finish(1, "a", 7), asks(1), request(1, "b", "t", 2), {
            "at_ms": 2, "finish": { "request": "b" } }, asks(2)]),
    );
    let amounts: Vec<Value> =
        answers(&printed).iter().map(|windows| windows[0]["total"]["amounts"].clone()).collect();
    assert_eq!(amounts, [json!({}), json!({ "m": 7 }), json!({ "m": 9 })]);
}

#[test]
fn rows_go_to_the_first_tenants() {
    let of = |tenant: &str| failing(0, json!({ "tenant": tenant }));
    let long = "x".repeat(4_097);
    let lines = json!([
        of(&long),
        of("t2"),
        of("t10"),
        of("v"),
        of("t2"),
        of(""),
        asks(0),
        json!({ "at_ms": 0, "windows": { "dependency": "h" } })
    ]);
    let document = windowed("[{ allow = true }]", 2) + "[dependency.h]\nrole = \"observe\"\n";
    let printed = run(&document, lines.clone());
    let row = |requests: i64| json!({ "requests": requests, "amounts": { "m": requests } });
    let named = |tenant: &str, requests: i64| json!({ "tenant": tenant, "requests": requests, "amounts": { "m": requests } });
    // Sorted by bytes. A name that is too long takes no row away.
    assert_eq!(
        account(&answers(&printed)[0][0]),
        json!([0, 0, row(6), [named("t10", 1), named("t2", 2)], row(3)])
    );
    assert_eq!(answers(&printed)[1], &json!([]));
    let printed = run(&document.replace("tenants = 2", "tenants = 0"), lines);
    assert_eq!(account(&answers(&printed)[0][0]), json!([0, 0, row(6), [], row(6)]));
}

#[test]
fn amounts_stop_at_the_largest_number() {
    let printed = run(
        &windowed("[{ allow = true }]", 9),
        json!([
            request(0, "a", "t", LARGEST - 1),
            request(0, "b", "t", 1),
            finish(0, "b", 0),
            asks(0),
            request(0, "c", "u", 5),
            finish(0, "c", 4),
            asks(0),
        ]),
    );
    let sums = |windows: &Value| {
        let of = |row: &Value| row["amounts"]["m"].clone();
        json!([of(&windows[0]["total"]), of(&windows[0]["tenants"][0]), of(&windows[0]["tenants"][1])])
    };
    // What stands there is not corrected down.
    let all = answers(&printed);
    assert_eq!(sums(all[0]), json!([LARGEST, LARGEST, null]));
    assert_eq!(sums(all[1]), json!([LARGEST, LARGEST, 4]));
}

#[test]
fn what_is_no_rung_of_the_ladder_is_counted_too() {
    let glass = |at: i64| json!({ "at_ms": at, "override": { "dependency": "g", "to": "break_glass", "by": "ann", "reason": "drill" } });
    let reading = |used: i64| json!({ "at_ms": 3, "reading": { "meter": "m", "tenant": "t", "used": used } });
    let document = windowed("[{ allow = true }]", 9)
        .replace("on_failure", "break_glass = { max_duration = \"1s\" }\non_refusal = { withhold = { emit = \"held\" } }\non_failure")
        .replace("needs = [\"g\"]", "needs = [\"g\", \"a\"]")
        + "[operation.s]\nneeds = [\"g\"]\nenforcement = \"shadow\"\n[dependency.a]\nrole = \"observe\"\n";
    let both = json!({ "g": "timeout", "a": "timeout" });
    let shadow =
        json!({ "at_ms": 4, "decide": { "operation": "s", "tenant": "t", "faults": { "g": "timeout" } } });
    let printed = run(
        &document,
        json!([
            ask(0, json!({ "tenant": "t", "faults": both })),
            glass(1),
            ask(2, json!({ "tenant": "t" })),
            reading(9),
            // Its meter holds it, and `on_refusal` withholds: told once each by REQ-14, whatever the window.
            ask(3, json!({ "tenant": "t" })),
            ask(3, json!({ "tenant": "t" })),
            // In shadow, by a rung that is told already.
            reading(0),
            shadow,
            asks(4),
        ]),
    );
    let expected = json!([
        [0, "window.opened"],
        [0, "window.opened"],
        [1, "override.set"],
        [2, "window.changed"],
        [3, "window.changed"],
        [3, "held"],
        [3, "held"],
    ]);
    assert_eq!(Value::Array(kinds(&printed)), expected);
    let keys = ["dependency", "posture", "rung", "rung_kind", "fault"];
    assert_eq!(
        told(&printed, "window.opened", &keys),
        [
            json!([0, "g", "fail_open", 0, "allow", "timeout"]),
            json!([0, "a", "fail_open", null, "allow", "timeout"])
        ]
    );
    assert_eq!(
        told(&printed, "window.changed", &keys),
        [
            json!([2, "g", "fail_open", null, "break_glass", null]),
            json!([3, "g", "fail_closed", null, "over_limit", null])
        ]
    );
    let by = |rung: Value, kind: &str, requests: i64| json!({ "rung": rung, "rung_kind": kind, "requests": requests });
    let windows = answers(&printed)[0];
    assert_eq!(
        windows[0]["decisions"],
        json!([
            by(json!(0), "allow", 1),
            by(Value::Null, "break_glass", 1),
            by(Value::Null, "over_limit", 2),
            by(Value::Null, "shadow", 1),
        ])
    );
    // The observer's ladder ran out; its window counts the amounts of the whole request.
    assert_eq!(windows[1]["decisions"], json!([by(Value::Null, "allow", 1)]));
    assert_eq!(windows[1]["total"], json!({ "requests": 1, "amounts": { "m": 1 } }));
}

#[test]
fn a_shadow_operation_uses_the_window_whatever_the_verdict() {
    let ladder = "[{ deny = { emit = \"no\" } }]";
    let document = windowed(ladder, 9) + "enforcement = \"shadow\"\n";
    let of = |at: i64| failing(at, json!({ "request": "r" }));
    let printed = run(&document, json!([of(0), of(10), of(60), tick(110)]));
    // The emit is of a rung that stops: once per request (REQ-14), and the new window changes nothing of that.
    let expected = json!([
        [0, "window.opened"],
        [0, "no"],
        [60, "window.closed"],
        [60, "window.opened"],
        [110, "window.closed"],
    ]);
    assert_eq!(Value::Array(kinds(&printed)), expected);
    let decisions = told(&printed, "window.closed", &["decisions"]);
    let shadow = json!([{ "rung": null, "rung_kind": "shadow", "requests": 1 }]);
    assert_eq!(decisions, [json!([60, shadow]), json!([110, shadow])]);
    // Enforced, a denial uses none.
    assert_eq!(kinds(&run(&windowed(ladder, 9), json!([of(0), tick(100)]))), [json!([0, "no"])]);
}

#[test]
fn an_account_survives_a_restart() {
    let restart = |away: Value| json!({ "at_ms": 20, "restart": { "away_ms": away } });
    let lines = |away: Value| {
        json!([
            request(0, "a", "t", 3),
            request(20, "b", "t", 1),
            restart(away),
            asks(20),
            finish(20, "a", 1),
            asks(20)
        ])
    };
    let printed = run(&windowed(LADDER, 9), lines(json!(49)));
    let told = |idle: i64, amount: i64| {
        json!([20, idle, { "requests": 2, "amounts": { "m": amount } },
               [{ "tenant": "t", "requests": 2, "amounts": { "m": amount } }], { "requests": 0, "amounts": {} }])
    };
    let seen = |printed: &[Value]| -> Vec<Value> {
        answers(printed).iter().map(|windows| account(&windows[0])).collect()
    };
    assert_eq!(seen(&printed), [told(49, 4), told(49, 2)]);
    // One that may close closes at the line itself.
    let printed = run(&windowed(LADDER, 9), lines(json!(50)));
    assert_eq!(closed(&printed), [told(50, 4)]);
    assert_eq!(answers(&printed), [&json!([]), &json!([])]);
    // With the time away not known nothing ages.
    assert_eq!(seen(&run(&windowed(LADDER, 9), lines(Value::Null))), [told(0, 4), told(0, 2)]);
}

#[test]
fn a_snapshot_brings_a_window_with_an_empty_account() {
    let restore = |last: i64| {
        let window = json!({ "age_ms": 60, "last_age_ms": last });
        let saved = json!({ "v": 1, "dependencies": { "g": { "window_open": window } } });
        json!({ "at_ms": 5, "restart": { "away_ms": 10, "snapshot": saved } })
    };
    let printed = run(
        &windowed(LADDER, 9),
        json!([request(0, "a", "t", 3), restore(39), request(5, "a", "t", 3), asks(5)]),
    );
    // The old window goes without a word; the new one is changed by any rung.
    let expected = json!([[0, "window.opened"], [0, "soft"], [5, "window.changed"], [5, "soft"]]);
    assert_eq!(Value::Array(kinds(&printed)), expected);
    let row = json!({ "requests": 1, "amounts": { "m": 3 } });
    assert_eq!(parts(&answers(&printed)[0][0], &["duration_ms", "idle_ms", "total"]), json!([70, 0, row]));
    let printed = run(&windowed(LADDER, 9), json!([restore(40)]));
    let none = json!({ "requests": 0, "amounts": {} });
    assert_eq!(closed(&printed), [json!([20, 50, none, [], none])]);
    assert_eq!(told(&printed, "window.closed", &["decisions"]), [json!([5, []])]);
    // Written as used before it opened: it lasted for nothing, not for less.
    let printed = run(&windowed(LADDER, 9), json!([restore(65)]));
    assert_eq!(closed(&printed), [json!([0, 75, none, [], none])]);
}
