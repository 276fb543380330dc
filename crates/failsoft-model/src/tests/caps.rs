//! Windows and the caps of rungs (spec 7, 3.7), each worked out by hand from the text.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use super::meters::{failing, metered, of_meter, verdicts};
use super::{ask, decisions, run};

/// A capped `allow`, then the ladder runs out; the window closes 50 ms after its last use.
fn capped(cap: &str, settings: &str) -> String {
    let ladder = format!("[{{ allow = {{ cap = {{ {cap} }} }} }}]");
    metered(&ladder, settings).replace("name = \"m\"\n", "name = \"m\"\nwindow_idle = \"50ms\"\n")
}

#[test]
fn requests_are_let_through_per_key() {
    let document = capped("requests = 2", "");
    let of = |at: i64, tenant: &str| failing(at, json!({ "tenant": tenant }));
    let printed =
        run(&document, json!([of(0, "t"), of(1, "t"), of(2, "t"), of(2, "u"), of(51, "t"), of(52, "t")]));
    // The use by u at 2 keeps the window open until 52; for the commit at 52 it is closed.
    assert_eq!(verdicts(&printed), ["allow", "allow", "deny", "allow", "deny", "allow"]);
    let printed = run(&document, json!([of(0, "t"), of(1, "t"), of(51, "t"), of(51, "t")]));
    assert_eq!(verdicts(&printed), ["allow", "allow", "allow", "allow"]);
    // A preview takes nothing.
    let preview = |at: i64| failing(at, json!({ "preview": true }));
    let printed =
        run(&document, json!([preview(0), preview(0), of(0, "t"), of(0, "t"), preview(90), of(90, "t")]));
    assert_eq!(verdicts(&printed), ["allow", "allow", "allow", "allow", "allow", "allow"]);
    let printed = run(&capped("requests = 2, total = true", ""), json!([of(0, "t"), of(0, "u"), of(0, "v")]));
    assert_eq!(verdicts(&printed), ["allow", "allow", "deny"]);
}

#[test]
fn a_window_stays_open_while_the_dependency_is_down() {
    let document = capped("requests = 1", "");
    let fails = json!({ "at_ms": 0, "outcome": { "dependency": "g", "result": "timeout" } });
    let well = json!({ "at_ms": 901, "override": { "dependency": "g", "to": "closed" } });
    let of = |at: i64| ask(at, json!({ "tenant": "t" }));
    let printed = run(&document, json!([fails, of(0), of(900), well, failing(902, json!({}))]));
    assert_eq!(verdicts(&printed), ["allow", "deny", "allow"]);
    // Over a restart too, its times aged.
    let restart = json!({ "at_ms": 10, "restart": { "away_ms": 39 } });
    let longer = json!({ "at_ms": 10, "restart": { "away_ms": 40 } });
    let request = |at: i64| failing(at, json!({}));
    assert_eq!(verdicts(&run(&document, json!([request(0), restart, request(10)]))), ["allow", "deny"]);
    assert_eq!(verdicts(&run(&document, json!([request(0), longer, request(10)]))), ["allow", "allow"]);
}

#[test]
fn an_amount_is_taken_once_and_corrected() {
    let document = capped("amount = 5, meter = \"m\"", "");
    let of = |name: &str, amount: i64| failing(0, json!({ "request": name, "amounts": { "m": amount } }));
    let finish =
        |figure: i64| json!({ "at_ms": 1, "finish": { "request": "r", "amounts": { "m": figure } } });
    let asks = |amount: i64| failing(1, json!({ "amounts": { "m": amount }, "preview": true }));
    // 3 once, though it commits twice and is not counted against itself.
    let printed = run(&document, json!([of("r", 3), of("r", 3), asks(2), asks(3), of("q", 3)]));
    assert_eq!(verdicts(&printed), ["allow", "allow", "allow", "deny", "deny"]);
    let printed = run(&document, json!([of("r", 3), finish(1), asks(4), asks(5)]));
    assert_eq!(verdicts(&printed), ["allow", "allow", "deny"]);
    let printed = run(&document, json!([of("r", 3), finish(9), asks(0), asks(1)]));
    assert_eq!(verdicts(&printed), ["allow", "deny", "deny"]);
    // A table of one key has nothing left for another.
    let document = capped("amount = 5, meter = \"m\"", "capacity = 1");
    let other = failing(1, json!({ "tenant": "u", "preview": true }));
    let printed = run(&document, json!([of("r", 3), other]));
    assert_eq!(verdicts(&printed), ["allow", "deny"]);
}

#[test]
fn time_counts_from_the_opening_or_from_the_failure() {
    let document = capped("time = \"30ms\"", "");
    let of = |at: i64| failing(at, json!({}));
    let printed = run(&document, json!([of(5), of(34), of(35), of(84), of(84)]));
    // Used last at 34: it is closed from 84 on.
    assert_eq!(verdicts(&printed), ["allow", "allow", "deny", "allow", "allow"]);
    let ladder = "[{ defer = { cap = { time = \"30ms\" } } }, { allow = true }]";
    let request = |at: i64| failing(at, json!({ "request": "r" }));
    let printed = run(&metered(ladder, ""), json!([request(5), request(34), request(35)]));
    // The request has reported it since 5.
    assert_eq!(verdicts(&printed), ["defer", "defer", "allow"]);
}

#[test]
fn a_cut_opens_no_window() {
    let ladder =
        "[{ deny = { when = { stage = [\"stream\"] } } }, { allow = { cap = { time = \"30ms\" } } }]";
    let document = metered(ladder, "");
    let cut = failing(0, json!({ "stage": "stream" }));
    let printed =
        run(&document, json!([cut, failing(29, json!({})), failing(58, json!({})), failing(59, json!({}))]));
    // The first that lets through opens it, at 29.
    assert_eq!(verdicts(&printed), ["withhold", "allow", "allow", "deny"]);
}

#[test]
fn a_snapshot_says_which_window_is_open() {
    let document = capped("time = \"30ms\"", "");
    let saved = |age: i64, last: i64| json!({ "v": 1, "dependencies": { "g": { "window_open": { "age_ms": age, "last_age_ms": last } } } });
    let restore = |age: i64, last: i64| json!([{ "at_ms": 0, "restart": { "away_ms": 9, "snapshot": saved(age, last) } }, failing(0, json!({}))]);
    assert_eq!(verdicts(&run(&document, restore(20, 20))), ["allow"]);
    assert_eq!(verdicts(&run(&document, restore(21, 20))), ["deny"]);
    // Used last 50 ago it closes at the end of the line.
    assert_eq!(verdicts(&run(&document, restore(60, 41))), ["allow"]);
}

#[test]
fn the_canonical_form_writes_caps() {
    let text = "spec = 1\nname = \"m\"\nwindow_idle = \"2s\"\n[dependency.g]\nrole = \"guard\"\ndeadline = \"1s\"\non_failure = [\n\
                { allow = { cap = { requests = 3 } } },\n{ allow = { cap = { amount = 4, meter = \"m\", total = true } } },\n\
                { deny = { cap = { time = \"1m\" } } },\n]\n[meter.m]\nstore = \"g\"\nmax_unreported = 7\n";
    let document: Value = toml::from_str(text).expect("TOML");
    let form = crate::canonical(&document, &BTreeMap::new()).expect("a form");
    let form: Value = serde_json::from_str(&form).expect("JSON");
    assert_eq!(form["window_idle_ms"], json!(2_000));
    assert_eq!(form["meter"]["m"]["max_unreported"], json!(7));
    let ladder = &form["dependency"]["g"]["on_failure"];
    assert_eq!(ladder[0]["allow"]["cap"], json!({ "requests": 3, "total": false }));
    assert_eq!(ladder[1]["allow"]["cap"], json!({ "amount": 4, "meter": "m", "total": true }));
    assert_eq!(ladder[2]["deny"]["cap"], json!({ "time_ms": 60_000 }));
}

#[test]
fn a_cap_of_a_meter_counts_by_its_key() {
    let document = capped("requests = 1, meter = \"m\"", "key = [\"tenant\", \"session\"]");
    let of = |session: &str| failing(0, json!({ "session": session }));
    let usage = of_meter(0, "usage", json!({ "amount": 1 }));
    let printed = run(&document, json!([usage, of("a"), of("b"), of("a")]));
    assert_eq!(verdicts(&printed), ["allow", "allow", "deny"]);
    assert_eq!(decisions(&printed)[2]["code"], json!("DEPENDENCY_UNAVAILABLE"));
}

/// A line that restores a window just opened, with what its caps have counted.
fn counted(caps: Value) -> Value {
    let window = json!({ "age_ms": 0, "last_age_ms": 0, "caps": caps });
    let saved = json!({ "v": 1, "dependencies": { "g": { "window_open": window } } });
    json!({ "at_ms": 0, "restart": { "away_ms": 0, "snapshot": saved } })
}

#[test]
fn a_snapshot_by_hand_says_what_caps_have_counted() {
    // Without a session in the key one that is told is left out; without a tenant told it is the empty one.
    let of = |tenant: &str| failing(0, json!({ "tenant": tenant }));
    let caps = json!([{ "rung": 0, "tenant": "t", "session": "s", "amount": 2 }, { "rung": 0, "amount": 1 }]);
    let two = capped("requests = 2", "");
    let trace = json!([counted(caps.clone()), of("t"), of("u"), of(""), of("")]);
    assert_eq!(verdicts(&run(&two, trace)), ["deny", "allow", "allow", "deny"]);
    // All requests are one key, whoever is named.
    let total = json!([counted(json!([{ "rung": 0, "tenant": "t", "amount": 2 }])), of("u")]);
    assert_eq!(verdicts(&run(&capped("requests = 2, total = true", ""), total)), ["deny"]);
    // By tenant and session; 4 and 1 are 5, 4 and 2 are more.
    let meter = capped("amount = 5, meter = \"m\"", "key = [\"tenant\", \"session\"]");
    let asks = |session: &str, amount: i64| {
        failing(0, json!({ "tenant": "t", "session": session, "amounts": { "m": amount }, "preview": true }))
    };
    let caps = json!([{ "rung": 0, "tenant": "t", "session": "s", "amount": 4 }]);
    let trace = json!([counted(caps), asks("s", 1), asks("s", 2), asks("", 5)]);
    assert_eq!(verdicts(&run(&meter, trace)), ["allow", "deny", "allow"]);
    // A rung that is not there, or has no such cap, is dropped.
    let gone = json!([{ "rung": 1, "amount": 9 }, { "rung": 9007199254740991_i64, "amount": 9 }]);
    assert_eq!(verdicts(&run(&two, json!([counted(gone), of("")]))), ["allow"]);
    let timed = json!([counted(json!([{ "rung": 0, "amount": 9 }])), of("")]);
    assert_eq!(verdicts(&run(&capped("time = \"30ms\"", ""), timed)), ["allow"]);
    // What is counted goes with the window, 50 after its last use.
    let later = json!([
        counted(json!([{ "rung": 0, "amount": 2 }])),
        failing(49, json!({ "tenant": "" })),
        failing(50, json!({ "tenant": "" }))
    ]);
    assert_eq!(verdicts(&run(&two, later)), ["deny", "allow"]);
}

#[test]
fn a_mistake_in_what_caps_have_counted_restores_nothing() {
    let document: Value = toml::from_str(&capped("requests = 2", "")).expect("TOML");
    let wrong = [
        json!({}),
        json!([7]),
        json!([{ "amount": 1 }]),
        json!([{ "rung": "0" }]),
        json!([{ "rung": -1 }]),
        json!([{ "rung": 0, "amount": 1.5 }]),
        json!([{ "rung": 0, "amount": 9007199254740992_i64 }]),
        json!([{ "rung": 0, "tenant": 3 }]),
        json!([{ "rung": 0, "session": null }]),
        json!([{ "rung": 0, "name": "t" }]),
        json!([{ "rung": 0, "tenant": "t", "amount": 1 }, { "rung": 0, "tenant": "t", "amount": 1 }]),
    ];
    for caps in wrong {
        let lines = [counted(caps.clone())];
        assert!(crate::replay(&document, &BTreeMap::new(), &lines).is_err(), "{caps}");
    }
    for caps in [json!([]), json!([{ "rung": 0 }])] {
        assert!(crate::replay(&document, &BTreeMap::new(), &[counted(caps)]).is_ok());
    }
}

#[test]
fn what_a_snapshot_has_counted_goes_on_over_a_reload_with_its_rung() {
    let document = |ladder: &str| {
        let toml = metered(ladder, "").replace("name = \"m\"\n", "name = \"m\"\nwindow_idle = \"50ms\"\n");
        toml::from_str::<Value>(&toml).expect("TOML")
    };
    let (one, two) = (
        "{ allow = { cap = { requests = 1 } } }",
        "{ withhold = { cap = { requests = 1, meter = \"m\" } } }",
    );
    let before = format!("[{one}, {two}]");
    let after = |ladder: &str| json!({ "at_ms": 0, "reload": { "document": document(ladder) } });
    let caps = json!([{ "rung": 0, "amount": 1 }, { "rung": 1, "amount": 1 }]);
    let asks = failing(0, json!({ "tenant": "", "preview": true }));
    let toml = metered(&before, "").replace("name = \"m\"\n", "name = \"m\"\nwindow_idle = \"50ms\"\n");
    // Both are used up; turned round they still are; of the one that does not go on nothing is counted.
    let turned = format!("[{two}, {one}]");
    let other = "[{ withhold = { cap = { requests = 1, meter = \"m\", total = true } } }, { allow = { cap = { requests = 1 } } }]";
    let trace = json!([counted(caps), asks, after(&turned), asks, after(other), asks]);
    assert_eq!(verdicts(&run(&toml, trace)), ["deny", "deny", "withhold"]);
}
