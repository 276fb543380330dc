//! Needs, ladders and their putting together (spec 2 to 6).

use serde_json::json;

use super::{ask, decision, decisions, events, guard, parts, run};

const HEAD: [&str; 6] = ["verdict", "posture", "cacheable", "status", "code", "retry_after_ms"];

#[test]
fn a_ladder_that_runs_out_denies() {
    let answer = decision(&guard("[]"), json!([ask(7, json!({ "faults": { "g": "unreachable" } }))]));
    assert_eq!(
        parts(&answer, &HEAD),
        json!(["deny", "fail_closed", false, 503, "DEPENDENCY_UNAVAILABLE", null])
    );
    let reason = json!({ "dependency": "g", "health": "unknown", "fault": "unreachable", "rung": null,
                         "kind": "deny", "since_ms": 7 });
    assert_eq!(answer["reasons"], json!([reason]));
    let keys: Vec<&String> = answer.as_object().expect("a table").keys().collect();
    let fixed = [
        "matrix",
        "operation",
        "verdict",
        "posture",
        "enforced",
        "cacheable",
        "status",
        "code",
        "retry_after_ms",
        "obligations",
        "emits",
        "reasons",
    ];
    assert_eq!(keys, fixed);
}

#[test]
fn a_refusal_is_not_a_failure() {
    let answer =
        decision(&guard("[{ allow = true }]"), json!([ask(0, json!({ "faults": { "g": "refused" } }))]));
    assert_eq!(parts(&answer, &HEAD), json!(["deny", "normal", true, 403, "REFUSED", null]));
    // The canonical form writes the default refusal out, so it is a rung like one that was written (DEC-26).
    assert_eq!(answer["reasons"][0]["rung"], json!(0));
    assert_eq!(answer["reasons"][0]["fault"], json!("refused"));
}

#[test]
fn a_skipped_guard_is_said() {
    let answer = decision(
        &guard("[{ allow = { alert = \"page\" } }]"),
        json!([ask(0, json!({ "faults": { "g": "timeout" } }))]),
    );
    assert_eq!(parts(&answer, &HEAD), json!(["allow", "fail_open", false, 200, null, null]));
    assert_eq!(answer["obligations"], json!([{ "kind": "mark_unchecked", "dependency": "g" }]));
    let emit = json!({ "event": "alert", "dependency": "g", "reason": null, "alert": "page" });
    assert_eq!(answer["emits"], json!([emit]));
}

#[test]
fn haste_is_the_callers_own() {
    let hasty = json!([ask(0, json!({ "faults": { "g": "timeout" }, "had_ms": { "g": 99 } }))]);
    let answer = decision(&guard("[{ allow = true }]"), hasty);
    assert_eq!(parts(&answer, &HEAD), json!(["deny", "normal", false, 499, "CALLER_GONE", null]));
    let in_time = json!([ask(0, json!({ "faults": { "g": "timeout" }, "had_ms": { "g": 100 } }))]);
    assert_eq!(decision(&guard("[{ allow = true }]"), in_time)["posture"], json!("fail_open"));
}

#[test]
fn auth_opens_a_guard_only_by_name() {
    let told = json!([ask(0, json!({ "faults": { "g": "auth" } }))]);
    assert_eq!(decision(&guard("[{ allow = true }]"), told.clone())["verdict"], json!("deny"));
    let named = guard("[{ allow = { when = { fault = [\"auth\"] } } }]");
    assert_eq!(decision(&named, told)["verdict"], json!("allow"));
}

#[test]
fn silence_is_not_consent() {
    let document = guard("[{ allow = true }]") + "effect = \"irreversible\"\n";
    let silent = decision(&document, json!([ask(3, json!({}))]));
    assert_eq!(parts(&silent, &HEAD[..4]), json!(["deny", "fail_closed", false, 503]));
    assert_eq!(
        parts(&silent["reasons"][0], &["health", "fault", "since_ms"]),
        json!(["unknown", "indeterminate", 3])
    );
    let said = decision(&document, json!([ask(3, json!({ "faults": { "g": "ok" } }))]));
    assert_eq!(parts(&said, &HEAD[..4]), json!(["allow", "normal", true, 200]));
}

#[test]
fn past_the_point_of_no_return_a_deny_cuts() {
    let document =
        guard("[{ fallback = \"h\" }, { deny = { code = \"GONE\", also = [\"log_it\"], emit = \"e\" } }]")
            + "[dependency.h]\nrole = \"guard\"\ndeadline = \"1ms\"\n";
    let printed = run(&document, json!([ask(0, json!({ "faults": { "g": "timeout" }, "stage": "stream" }))]));
    let answer = decisions(&printed)[0];
    assert_eq!(parts(answer, &HEAD), json!(["withhold", "fail_closed", false, 200, "GONE", null]));
    let obligations =
        json!([{ "kind": "log_it", "dependency": "g" }, { "kind": "cut_stream", "dependency": "g" }]);
    assert_eq!(answer["obligations"], obligations);
    // It stops, though too late, and a cut opens no window: its emit is told now (REQ-14).
    assert_eq!(events(&printed).len(), 1);
}

#[test]
fn a_retry_waits_longer_each_time_and_must_fit() {
    let server = "spec = 1\nname = \"m\"\n[operation.o]\nneeds = [\"s\"]\n[dependency.s]\nrole = \"serve\"\n\
                  deadline = \"1s\"\non_failure = [{ retry = { max_attempts = 4, jitter = 33 } }]\n";
    // 1 s x 2 x 2 = 4 s before the fourth call, at most 4 s x 1.33 = 5.32 s; with the deadline 6.32 s.
    let told = |remaining: i64| {
        json!([ask(
            0,
            json!({ "faults": { "s": "timeout" }, "attempts": { "s": 3 }, "remaining_ms": remaining })
        )])
    };
    let fits = decision(server, told(6_320));
    assert_eq!(parts(&fits, &HEAD), json!(["defer", "fail_closed", false, 202, null, 5_320]));
    let retry = json!({ "kind": "retry", "dependency": "s", "min_ms": 4_000, "max_ms": 5_320, "attempt": 4,
                        "max_attempts": 4 });
    assert_eq!(fits["obligations"], json!([retry]));
    assert_eq!(decision(server, told(6_319))["verdict"], json!("deny"));
}

#[test]
fn retry_after_is_the_shortest_among_a_ladder_with_targets() {
    let document = guard("[{ fallback = \"h\" }]")
        + "[dependency.h]\nrole = \"guard\"\ndeadline = \"1ms\"\n\
           health = { consecutive_failure_threshold = 1, wait_duration_in_open_state = \"60ms\" }\n";
    let answer = decision(
        &document,
        json!([
            { "at_ms": 0, "outcome": { "dependency": "h", "result": "timeout" } },
            ask(20, json!({ "faults": { "g": "throttled" }, "retry_after_ms": { "g": 90 } })),
        ]),
    );
    // 90 ms are told for g itself; h is open for 40 ms more.
    assert_eq!(
        parts(&answer, &HEAD),
        json!(["deny", "fail_closed", false, 503, "DEPENDENCY_UNAVAILABLE", 40])
    );
}

#[test]
fn a_stage_leaves_behind_only_what_was_answered() {
    let document = guard("[{ deny = { emit = \"e\" } }]");
    let down = json!({ "at_ms": 0, "override": { "dependency": "g", "to": "forced_open" } });
    let lift = json!({ "at_ms": 1, "override": { "dependency": "g", "to": null } });
    let later = ask(2, json!({ "request": "r", "stage": "dispatch" }));
    let printed = run(&document, json!([down, ask(0, json!({ "request": "r" })), lift, later]));
    let both = decisions(&printed);
    // What stopped it stands again, with the reason as it was.
    assert_eq!(both[0]["reasons"], both[1]["reasons"]);
    assert_eq!(both[1]["verdict"], json!("deny"));
    let told: Vec<_> = events(&printed).into_iter().filter(|event| event["kind"] == "e").collect();
    assert_eq!(told.len(), 1);

    // What was not asked before is looked at, whatever its stage.
    let printed = run(&document, json!([down, ask(0, json!({ "request": "r", "stage": "dispatch" }))]));
    assert_eq!(decisions(&printed)[0]["verdict"], json!("deny"));
    // What was fine then is left behind.
    let fine_then = json!([
        ask(0, json!({ "request": "r" })),
        down,
        ask(0, json!({ "request": "r", "stage": "dispatch" }))
    ]);
    assert_eq!(decisions(&run(&document, fine_then))[1]["verdict"], json!("allow"));
}

#[test]
fn too_many_unchecked_is_denied() {
    let document = guard("[{ allow = true }]") + "max_unchecked = 0\n";
    let answer = decision(&document, json!([ask(5, json!({ "faults": { "g": "timeout" } }))]));
    assert_eq!(parts(&answer, &HEAD), json!(["deny", "fail_closed", false, 503, "TOO_MANY_UNCHECKED", null]));
    assert_eq!(answer["obligations"], json!([]));
    let first = json!({ "dependency": null, "health": null, "fault": null, "rung": null,
                        "kind": "max_unchecked", "since_ms": 5 });
    assert_eq!(answer["reasons"][0], first);
    assert_eq!(answer["reasons"][1]["kind"], json!("allow"));
}

#[test]
fn a_refuse_rule_comes_before_all_needs() {
    let document = guard("[{ deny = { status = 500 } }]")
        + "[[operation.o.refuse]]\nwhen = { same = [\"author\", \"approver\"] }\ndeny = { status = 409, emit = \"same\" }\n";
    let same = json!({ "author": "ann", "approver": "ann" });
    let printed =
        run(&document, json!([ask(0, json!({ "attributes": same, "faults": { "g": "timeout" } }))]));
    let answer = decisions(&printed)[0];
    assert_eq!(parts(answer, &HEAD), json!(["deny", "normal", true, 409, "REFUSED", null]));
    assert_eq!(answer["reasons"].as_array().map(Vec::len), Some(1));
    assert_eq!(parts(events(&printed)[0], &["kind", "dependency", "sequence"]), json!(["same", null, 1]));
    // `same` also holds when either is missing.
    let missing = json!([ask(0, json!({ "attributes": { "author": "ann" } }))]);
    assert_eq!(decision(&document, missing)["status"], json!(409));
    let two = json!([ask(0, json!({ "attributes": { "author": "ann", "approver": "ben" } }))]);
    assert_eq!(decision(&document, two)["verdict"], json!("allow"));
}
