//! What a reading does to decisions (8.5, 8.6), each worked out by hand from the text.

use serde_json::{Value, json};

use super::meters::{failing, metered, of_meter, verdicts};
use super::{ask, decisions, parts, run};

const HEAD: [&str; 6] = ["verdict", "posture", "cacheable", "status", "code", "retry_after_ms"];

/// A reading of tenant `t`.
fn read(at: i64, mut rest: Value) -> Value {
    rest["tenant"] = json!("t");
    of_meter(at, "reading", rest)
}

#[test]
fn a_key_over_its_limit_is_held_when_the_store_is_lost() {
    let document = metered("[{ allow = true }]", "limit = 5").replace(
        "on_failure",
        "on_refusal = { deny = { status = 402, code = \"OVER\", emit = \"over\", also = [\"log_it\"] } }\nbreak_glass = { max_duration = \"1h\" }\non_failure",
    );
    let reading = read(10, json!({ "used": 5, "age_ms": 4, "resets_in_ms": 100 }));
    let printed = run(&document, json!([reading, failing(20, json!({}))]));
    let held = decisions(&printed)[0];
    // The period ends at 6 + 100.
    assert_eq!(parts(held, &HEAD), json!(["deny", "fail_closed", false, 402, "OVER", 86]));
    assert_eq!(held["obligations"], json!([{ "kind": "log_it", "dependency": "g" }]));
    let reason = json!({ "dependency": "g", "health": "unknown", "fault": "timeout", "rung": null,
                         "kind": "over_limit", "since_ms": 6 });
    assert_eq!(held["reasons"], json!([reason]));
    assert_eq!(printed.last().expect("a line")["event"]["kind"], json!("over"));
    // An amount of 0, another's key, an end of the period, a mode that never blocks: not held. Nor by the own count.
    let asked = |lines: Vec<Value>| verdicts(&run(&document, json!(lines)));
    assert_eq!(asked(vec![reading.clone(), failing(20, json!({ "amounts": { "m": 0 } }))]), ["allow"]);
    assert_eq!(asked(vec![reading.clone(), failing(20, json!({ "tenant": "u" }))]), ["allow"]);
    let late = vec![reading.clone(), failing(105, json!({})), failing(106, json!({}))];
    assert_eq!(asked(late), ["deny", "allow"]);
    let soft = read(10, json!({ "used": 5, "mode": "degrade" }));
    assert_eq!(asked(vec![soft, failing(20, json!({}))]), ["allow"]);
    let usage = of_meter(10, "usage", json!({ "tenant": "t", "amount": 9 }));
    assert_eq!(asked(vec![usage, failing(20, json!({}))]), ["allow"]);
    // While the store is fine it decides nothing, and `break_glass` does not skip it.
    assert_eq!(asked(vec![reading.clone(), ask(20, json!({ "tenant": "t" }))]), ["allow"]);
    let glass = json!({ "at_ms": 15, "override": { "dependency": "g", "to": "break_glass", "by": "a", "reason": "b" } });
    let printed = run(&document, json!([reading, glass, ask(20, json!({ "tenant": "t" }))]));
    let reason = &decisions(&printed)[0]["reasons"][0];
    assert_eq!(parts(reason, &["fault", "kind"]), json!([null, "over_limit"]));
}

#[test]
fn a_reading_is_ignored_whole_where_it_is_older() {
    let document = metered("[{ allow = true }]", "limit = 5");
    let asked = |mut lines: Vec<Value>| {
        lines.push(failing(100, json!({})));
        verdicts(&run(&document, json!(lines)))[0].clone()
    };
    let over = read(50, json!({ "used": 5 }));
    assert_eq!(asked(vec![over.clone(), read(60, json!({ "used": 0, "age_ms": 11 }))]), "deny");
    assert_eq!(asked(vec![over.clone(), read(60, json!({ "used": 0, "age_ms": 10 }))]), "allow");
    // Its reset is not after now.
    assert_eq!(
        asked(vec![over.clone(), read(60, json!({ "used": 0, "age_ms": 5, "resets_in_ms": 5 }))]),
        "deny"
    );
    // Older than the first amount, at 50: the period began with it.
    let usage = of_meter(50, "usage", json!({ "tenant": "t", "amount": 1 }));
    assert_eq!(asked(vec![usage, read(60, json!({ "used": 5, "age_ms": 11 }))]), "deny");
    // Of a key that is not held, without a reset: a whole window ago.
    let windowed = metered("[{ allow = true }]", "limit = 5\nwindow = \"60ms\"");
    let aged = |age: i64| json!([read(100, json!({ "used": 5, "age_ms": age })), failing(100, json!({}))]);
    assert_eq!(verdicts(&run(&windowed, aged(59))), ["deny"]);
    assert_eq!(verdicts(&run(&windowed, aged(60))), ["allow"]);
    // A reset that is not told stays what it was.
    let reset = read(50, json!({ "used": 5, "resets_in_ms": 50 }));
    assert_eq!(asked(vec![reset, read(60, json!({ "used": 6 }))]), "allow");
}

#[test]
fn a_stream_is_cut_while_the_store_is_fine() {
    let document = metered("[{ allow = true }]", "limit = 5");
    let reading = read(0, json!({ "used": 3 }));
    let at = |at: i64, stage: &str| {
        ask(at, json!({ "request": "r", "tenant": "t", "stage": stage, "amounts": { "m": 4 } }))
    };
    let usage = of_meter(5, "usage", json!({ "tenant": "t", "amount": 2 }));
    // 3 read and 4 of its own: not cut for its own. 2 more of another's: 3 + 2 is the limit.
    let printed = run(
        &document,
        json!([reading, at(1, "admit"), at(2, "stream"), usage, at(6, "output"), at(7, "stream")]),
    );
    assert_eq!(verdicts(&printed), ["allow", "allow", "withhold", "withhold"]);
    let cut = decisions(&printed)[2];
    assert_eq!(parts(cut, &HEAD), json!(["withhold", "normal", true, 200, "REFUSED", null]));
    assert_eq!(cut["obligations"], json!([{ "kind": "cut_stream", "dependency": "g" }]));
    assert_eq!(
        parts(&cut["reasons"][0], &["fault", "rung", "kind", "since_ms"]),
        json!(["refused", null, "over_limit", 0])
    );
    // Left behind and failed now, it is the reading alone that holds.
    let down = json!({ "at_ms": 8, "override": { "dependency": "g", "to": "forced_open" } });
    let printed = run(&document, json!([reading, at(1, "admit"), usage, down, at(9, "stream")]));
    assert_eq!(verdicts(&printed), ["allow", "allow"]);
    let over = read(3, json!({ "used": 5 }));
    let printed = run(&document, json!([reading, at(1, "admit"), over, down, at(9, "stream")]));
    assert_eq!(parts(decisions(&printed)[1], &HEAD[..3]), json!(["withhold", "fail_closed", false]));
    // Without a reading there is no cut.
    let printed = run(&document, json!([usage, usage, usage, at(7, "stream")]));
    assert_eq!(verdicts(&printed), ["allow"]);
}
