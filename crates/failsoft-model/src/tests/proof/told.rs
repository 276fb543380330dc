//! Each kind of fact: its trace has the effect that its name says.

use serde_json::{Value, json};

use super::super::guard;
use super::super::meters::metered;
use super::{asked, failed, met, of, told, whole};
use crate::proof::slot;

/// The facts of a kind that there are for operation `o`, without their first key.
fn there_are(toml: &str, kind: &str) -> Vec<Value> {
    let facts = whole(toml).facts("o").expect("facts");
    let own = facts.into_iter().filter(|fact| fact["fact"] == kind);
    own.map(|mut fact| {
        fact.as_object_mut().expect("a table").shift_remove("fact");
        fact
    })
    .collect()
}

#[test]
fn health() {
    let ladder = "[{ defer = { when = { health = [\"degraded\"] } } }, { deny = true }]";
    let matrix = whole(
        &guard(ladder).replace("[operation.o]", "break_glass = { max_duration = \"1h\" }\n[operation.o]"),
    );
    let first = |facts: Value| told(&asked(&matrix, facts));
    let fine = json!(["allow", null, null, null, null]);
    assert_eq!(first(json!([])), fine);
    assert_eq!(first(json!([of("well", "g")])), fine);
    assert_eq!(
        first(json!([of("well", "g"), met("g", "timeout")])),
        json!(["deny", 1, "deny", "healthy", "timeout"])
    );
    assert_eq!(first(json!([of("degraded", "g")])), json!(["defer", 0, "defer", "degraded", null]));
    assert_eq!(first(json!([of("advised", "g")])), json!(["defer", 0, "defer", "degraded", null]));
    // A permit is free, and so it is fine; with all of them out it has failed.
    assert_eq!(first(json!([failed("probing", "auth")])), fine);
    assert_eq!(first(json!([failed("spent", "auth")])), json!(["deny", 1, "deny", "probing", "auth"]));
    assert_eq!(first(json!([failed("down", "payment")])), json!(["deny", 1, "deny", "down", "payment"]));
    assert_eq!(first(json!([of("held", "g")])), json!(["deny", 1, "deny", "down", "unavailable"]));
    assert_eq!(first(json!([of("skipped", "g")])), json!(["allow", null, "break_glass", "unknown", null]));
    let down = asked(&matrix, json!([failed("down", "timeout")]));
    assert_eq!(down.decision["retry_after_ms"], json!(100));
}

#[test]
fn which_healths_there_are() {
    let kinds = |toml: &str, kind: &str| -> Vec<Value> {
        there_are(toml, kind).iter().map(|fact| fact["class"].clone()).collect()
    };
    let default = guard("[]");
    // All but the caller's two, and `exhausted`, which is ignored.
    let seven =
        json!(["timeout", "unreachable", "unavailable", "throttled", "auth", "payment", "indeterminate"]);
    for kind in ["probing", "spent", "down"] {
        assert_eq!(json!(kinds(&default, kind)), seven);
    }
    assert!(there_are(&default, "skipped").is_empty());
    for kind in ["well", "degraded", "advised", "held"] {
        assert_eq!(there_are(&default, kind), [json!({ "dependency": "g" })]);
    }
    let nothing = default.replace("consecutive_failure_threshold = 2", "unlisted_error = \"nothing\"");
    assert_eq!(json!(kinds(&nothing, "probing")), json!(["unavailable"]));
    // Nothing keeps it down: no wait, and nobody's word for one.
    let no_wait = nothing.replace("state = \"100ms\"", "state = \"0ms\"");
    assert_eq!(json!(kinds(&no_wait, "down")), json!(["unavailable"]));
    let no_word = no_wait.replace("unlisted_error", "retry_after_policy = \"off\", unlisted_error");
    assert!(there_are(&no_word, "down").is_empty());
    let asked = asked(&whole(&no_wait), json!([failed("down", "unavailable")]));
    assert_eq!(asked.decision["retry_after_ms"], json!(1));
}

#[test]
fn last_ok_and_cached() {
    let toml = guard("[{ last_known = { max_age = \"1h\", of = \"dependency\" } }, { last_known = \"2h\" }]");
    let matrix = whole(&toml);
    let ages = [
        json!({ "dependency": "g", "age_ms": 3_600_000 }),
        json!({ "dependency": "g", "age_ms": 7_200_000 }),
    ];
    assert_eq!(there_are(&toml, "last_ok"), ages);
    assert_eq!(there_are(&toml, "cached"), ages);
    assert!(there_are(&guard("[{ last_known = \"2h\" }]"), "last_ok").is_empty());
    let aged = |fact: &str, age: i64| json!({ "fact": fact, "dependency": "g", "age_ms": age });
    let rung = |facts: Value| told(&asked(&matrix, facts))[1].clone();
    let down = failed("down", "timeout");
    assert_eq!(rung(json!([down])), json!(null));
    assert_eq!(rung(json!([down, aged("last_ok", 3_600_000)])), json!(0));
    assert_eq!(rung(json!([down, aged("last_ok", 7_200_000)])), json!(null));
    assert_eq!(rung(json!([down, aged("cached", 3_600_000)])), json!(0));
    assert_eq!(rung(json!([down, aged("cached", 7_200_000)])), json!(1));
}

#[test]
fn an_outbox_is_full() {
    let toml = guard("[{ outbox = 5 }]");
    assert_eq!(there_are(&toml, "outbox"), [json!({ "dependency": "g", "depth": 5 })]);
    let full = json!({ "fact": "outbox", "dependency": "g", "depth": 5 });
    let matrix = whole(&toml);
    assert_eq!(told(&asked(&matrix, json!([failed("down", "timeout")])))[2], json!("outbox"));
    assert_eq!(told(&asked(&matrix, json!([full, failed("down", "timeout")])))[2], json!("deny"));
}

#[test]
fn it_has_failed_for_a_time() {
    let toml = guard("[{ defer = { cap = { time = \"1m\" } } }, { allow = { cap = { time = \"2m\" } } }]");
    let times =
        [json!({ "dependency": "g", "for_ms": 60_000 }), json!({ "dependency": "g", "for_ms": 120_000 })];
    assert_eq!(there_are(&toml, "failed_for"), times);
    let matrix = whole(&toml);
    let since = |time: i64| json!({ "fact": "failed_for", "dependency": "g", "for_ms": time });
    // Of a failed health, of an operator's act, and of what the request reports, each is as old.
    for failure in [failed("down", "timeout"), met("g", "timeout")] {
        let rung = |time: i64| told(&asked(&matrix, json!([failure, since(time)])))[1].clone();
        assert_eq!(told(&asked(&matrix, json!([failure])))[1], json!(0));
        assert_eq!(rung(60_000), json!(1));
        assert_eq!(rung(120_000), json!(null));
    }
    // Nothing fail-open for what only an operator holds.
    assert_eq!(told(&asked(&matrix, json!([of("held", "g"), since(60_000)])))[1], json!(null));
    let moments = |facts: Value| {
        let lines = matrix.lines("o", "default", "admit", facts.as_array().expect("facts")).expect("lines");
        let kind = |line: &Value| line.as_object().expect("a table").keys().nth(1).cloned();
        lines.iter().map(|line| json!([line["at_ms"], kind(line)])).collect::<Vec<Value>>()
    };
    assert_eq!(moments(json!([since(60_000)])), [json!([0, "restart"]), json!([0, "decide"])]);
    assert_eq!(
        moments(json!([met("g", "timeout"), since(60_000)])),
        [json!([0, "decide"]), json!([60_000, "restart"]), json!([60_000, "decide"])]
    );
}

#[test]
fn a_cap_is_used_up() {
    let toml = guard(
        "[{ allow = { cap = { requests = 3 } } }, { withhold = { cap = { requests = 1, total = true } } }, { allow = { cap = { time = \"1m\" } } }]",
    );
    let rungs = [
        json!({ "dependency": "g", "rung": 0, "amount": 3 }),
        json!({ "dependency": "g", "rung": 1, "amount": 1 }),
    ];
    assert_eq!(there_are(&toml, "cap"), rungs);
    let matrix = whole(&toml);
    let used =
        |rung: i64, amount: i64| json!({ "fact": "cap", "dependency": "g", "rung": rung, "amount": amount });
    let rung = |facts: Value| told(&asked(&matrix, facts))[1].clone();
    let down = failed("down", "timeout");
    assert_eq!(rung(json!([down])), json!(0));
    assert_eq!(rung(json!([down, used(0, 3)])), json!(1));
    assert_eq!(rung(json!([down, used(1, 1), used(0, 3)])), json!(2));
    // Two rows tell of one window.
    let since = json!({ "fact": "failed_for", "dependency": "g", "for_ms": 60_000 });
    assert_eq!(rung(json!([used(0, 3), used(1, 1), since, down])), json!(null));
    let by_meter = whole(&metered("[{ allow = { cap = { amount = 7, meter = \"m\" } } }]", ""));
    assert_eq!(told(&asked(&by_meter, json!([met("g", "timeout")])))[1], json!(0));
    assert_eq!(told(&asked(&by_meter, json!([met("g", "timeout"), used(0, 7)])))[1], json!(null));
}

#[test]
fn a_meter_is_used_or_over_its_limit() {
    let toml =
        metered("[{ local_meter = \"m\" }, { local_meter = { meter = \"m\", share = 80 } }]", "limit = 11")
            .replace("max_instances = 1", "max_instances = 2");
    // floor(11 / 2), and floor(11 * 80 / 100).
    let shares = [json!({ "meter": "m", "amount": 5 }), json!({ "meter": "m", "amount": 8 })];
    assert_eq!(there_are(&toml, "used"), shares);
    assert_eq!(there_are(&toml, "reading"), [json!({ "meter": "m", "used": 11 })]);
    // Its store may tell a limit, and that it blocks, where the document does not.
    let alert = toml.replace("limit = 11", "limit = 11\nmode = \"alert\"");
    assert_eq!(there_are(&alert, "reading"), [json!({ "meter": "m", "used": 11 })]);
    assert_eq!(there_are(&toml.replace("limit = 11", ""), "reading"), [json!({ "meter": "m", "used": 1 })]);
    assert!(there_are(&toml.replace("limit = 11", ""), "used").is_empty());
    let matrix = whole(&toml);
    let used = |amount: i64| json!({ "fact": "used", "meter": "m", "amount": amount });
    let rung = |facts: Value| told(&asked(&matrix, facts))[1].clone();
    assert_eq!(rung(json!([met("g", "timeout")])), json!(0));
    assert_eq!(rung(json!([met("g", "timeout"), used(5)])), json!(1));
    assert_eq!(rung(json!([met("g", "timeout"), used(8)])), json!(null));
    let over = json!({ "fact": "reading", "meter": "m", "used": 11 });
    assert_eq!(
        told(&asked(&matrix, json!([met("g", "timeout"), over]))),
        json!(["deny", null, "over_limit", "unknown", "timeout"])
    );
    assert_eq!(told(&asked(&matrix, json!([over])))[0], json!("allow"));
}

#[test]
fn attempts_and_remaining() {
    let toml =
        guard("[{ retry = { max_attempts = 3, base = \"10ms\", jitter = 50 } }, { fallback = \"h\" }]")
            + "[dependency.h]\nrole = \"guard\"\ndeadline = \"40ms\"\n";
    assert_eq!(there_are(&toml, "attempts"), [json!({ "dependency": "g", "attempts": 3 })]);
    // The target's 40; 15 and 100; twice doubled 60 and 100: one less of each.
    let lengths =
        [json!({ "remaining_ms": 39 }), json!({ "remaining_ms": 114 }), json!({ "remaining_ms": 159 })];
    assert_eq!(there_are(&toml, "remaining"), lengths);
    let matrix = whole(&toml);
    let rung = |facts: Value| told(&asked(&matrix, facts))[1].clone();
    let attempts = json!({ "fact": "attempts", "dependency": "g", "attempts": 3 });
    let left = |time: i64| json!({ "fact": "remaining", "remaining_ms": time });
    assert_eq!(rung(json!([met("g", "timeout")])), json!(0));
    assert_eq!(rung(json!([met("g", "timeout"), attempts])), json!(1));
    assert_eq!(rung(json!([met("g", "timeout"), left(159)])), json!(0));
    assert_eq!(rung(json!([met("g", "timeout"), left(114)])), json!(1));
    assert_eq!(rung(json!([met("g", "timeout"), left(39)])), json!(null));
    let reported = asked(&matrix, json!([met("g", "timeout"), attempts, met("h", "throttled")]));
    assert_eq!(told(&reported)[1], json!(null));
    assert_eq!(json!(reported.conditions), json!({ "g": "timeout", "h": "throttled" }));
    // An operator who skips a guard does not skip it as a target.
    let skips = whole(&(toml + "break_glass = { max_duration = \"1h\" }\n"));
    let skipped = asked(&skips, json!([met("g", "timeout"), attempts, of("skipped", "h")]));
    assert_eq!(told(&skipped)[2], json!("fallback"));
    assert_eq!(json!(skipped.conditions), json!({ "g": "timeout", "h": "fine" }));
}

#[test]
fn where_nothing_is_told_of_its_health_it_is_as_it_begins() {
    let ladder = "[{ outbox = 5 }, { deny = { cap = { time = \"1m\" } } }, { defer = true }]";
    let begins = |state: &str| {
        let settings = format!("initial_state = \"{state}\", wait_jitter_ratio = 50, consecutive_failure");
        whole(&guard(ladder).replace("consecutive_failure", &settings))
    };
    let full = json!({ "fact": "outbox", "dependency": "g", "depth": 5 });
    let since = json!({ "fact": "failed_for", "dependency": "g", "for_ms": 60_000 });
    for state in ["open", "forced_open"] {
        let matrix = begins(state);
        let read = |facts: Value| asked(&matrix, facts).decision;
        let (new, told) = (read(json!([])), read(json!([full])));
        assert_eq!(new["reasons"][0]["health"], json!("down"));
        // An outbox is a guard's fail-open rung, which an operator's act does not open.
        assert_eq!(new["reasons"][0]["kind"], json!("deny"));
        assert_eq!(told["reasons"], new["reasons"]);
        assert_eq!(told["retry_after_ms"], new["retry_after_ms"]);
        assert_eq!(told["retry_after_ms"].is_null(), state == "forced_open");
        assert_eq!(read(json!([since]))["reasons"][0]["kind"], json!("defer"));
        // Any fact of its health stands in the place of that.
        assert_eq!(read(json!([of("well", "g")]))["reasons"], json!([]));
    }
    for state in ["disabled", "metrics_only"] {
        let matrix = begins(state);
        assert_eq!(asked(&matrix, json!([full])).decision["verdict"], json!("allow"));
    }
}

#[test]
fn refuse_rules() {
    let rules = |rules: &str| format!("{}{rules}", guard("[]"));
    let rule = |when: &str| format!("[[operation.o.refuse]]\nwhen = {{ {when} }}\n");
    let places =
        |toml: &str| there_are(toml, "rule").iter().map(|fact| fact["rule"].clone()).collect::<Vec<_>>();
    assert!(places(&rules("")).is_empty());
    // The second never comes to it.
    let shadowed = rules(&(rule("present = \"a\"") + &rule("equals = { a = \"x\" }")));
    assert_eq!(places(&shadowed), [json!(0)]);
    // Without attributes the first holds; the second and none do with two that differ.
    let same = rules(&(rule("same = [\"a\", \"b\"]") + &rule("same = [\"b\", \"c\"], present = \"d\"")));
    assert_eq!(places(&same), [json!(1), json!(null)]);
    for fact in there_are(&same, "rule") {
        let told = &fact["attributes"];
        assert!(told["a"].is_string() && told["b"].is_string() && told["a"] != told["b"]);
    }
    let verdicts = |fact: Value| asked(&whole(&same), json!([fact])).decision["reasons"][0]["kind"].clone();
    assert_eq!(verdicts(json!({ "fact": "rule", "rule": 1 })), json!("refuse"));
    assert_eq!(verdicts(json!({ "fact": "rule", "rule": null })), json!(null));
    // Equal values that a chain of comparisons hands on.
    let chain = rules(
        &(rule("present = \"a\", same = [\"a\", \"b\"], equals = { b = \"x\" }")
            + &rule("same = [\"a\", \"c\"], equals = { a = \"x\", c = \"x\" }")),
    );
    assert_eq!(places(&chain), [json!(0), json!(1)]);
}

#[test]
fn the_trace_of_a_situation() {
    let toml = metered("[{ local_meter = \"m\" }, { allow = { cap = { requests = 2 } } }]", "limit = 4");
    let facts = [
        met("g", "timeout"),
        json!({ "fact": "rule", "rule": 0, "attributes": { "a": "x" } }),
        json!({ "fact": "reading", "meter": "m", "used": 4 }),
        json!({ "fact": "used", "meter": "m", "amount": 4 }),
        json!({ "fact": "cap", "dependency": "g", "rung": 1, "amount": 2 }),
        failed("spent", "auth"),
        json!({ "fact": "reading", "meter": "none", "used": 1 }),
        of("well", "none"),
    ];
    let lines = whole(&toml).lines("o", "default", "stream", &facts).expect("lines");
    let permit = json!({ "at_ms": 0, "permit": { "dependency": "g" } });
    let window = json!({ "age_ms": 0, "last_age_ms": 0, "caps": [{ "rung": 1, "amount": 2 }] });
    let state = json!({
        "circuit": "open", "wait_left_ms": 0, "open_attempts": 1, "consecutive_failures": 1,
        "last_failure": "auth", "sticky": "auth", "signal_age_ms": 0, "ailing_age_ms": 0,
        "window_open": window, "told": "probing",
    });
    let expected = [
        json!({ "at_ms": 0, "restart": { "away_ms": 0, "snapshot": { "v": 1, "dependencies": { "g": state } } } }),
        permit.clone(),
        permit.clone(),
        permit,
        json!({ "at_ms": 0, "usage": { "meter": "m", "amount": 4 } }),
        json!({ "at_ms": 0, "reading": { "meter": "m", "used": 4, "limit": 4, "mode": "block" } }),
        json!({ "at_ms": 0, "decide": {
            "operation": "o", "request": "r", "class": "default", "stage": "stream",
            "faults": { "g": "timeout" }, "attributes": { "a": "x" }, "preview": true,
        } }),
    ];
    assert_eq!(lines, expected);
}

#[test]
fn slots() {
    let healths = [of("well", "g"), failed("down", "auth"), of("held", "g")];
    assert!(healths.iter().all(|fact| slot(fact) == slot(&of("advised", "g"))));
    assert_ne!(slot(&of("well", "g")), slot(&of("well", "h")));
    let cap =
        |rung: i64, amount: i64| json!({ "fact": "cap", "dependency": "g", "rung": rung, "amount": amount });
    assert_ne!(slot(&cap(0, 1)), slot(&cap(1, 1)));
    assert_eq!(slot(&cap(0, 1)), slot(&cap(0, 2)));
    let rule = |place: Value| json!({ "fact": "rule", "rule": place });
    assert_eq!(slot(&rule(json!(0))), slot(&rule(json!(null))));
}
