//! The health machine (spec 9), each answer worked out by hand from the text.

use serde_json::{Value, json};

use super::{ask, decisions, events, parts, run};

/// A guard `g` with a deadline of 100 ms and these settings, needed by `o`; every wait is as long unless they say so.
pub(super) fn machine(settings: &str) -> String {
    format!(
        "spec = 1\nname = \"m\"\n[dependency.g]\nrole = \"guard\"\ndeadline = \"100ms\"\n\
         break_glass = {{ max_duration = \"1s\" }}\n[dependency.g.health]\n{settings}\n[operation.o]\nneeds = [\"g\"]\n"
    )
}

/// An outcome of `g`.
pub(super) fn outcome(at: i64, mut rest: Value) -> Value {
    rest["dependency"] = json!("g");
    json!({ "at_ms": at, "outcome": rest })
}

/// Outcomes of `g` that tell nothing but their result.
fn plain(at: i64, result: &str) -> Value {
    outcome(at, json!({ "result": result }))
}

/// A line of a kind about `g`.
pub(super) fn about(at: i64, kind: &str, mut rest: Value) -> Value {
    rest["dependency"] = json!("g");
    json!({ "at_ms": at, kind: rest })
}

/// The question.
pub(super) fn health(at: i64) -> Value {
    about(at, "health", json!({}))
}

/// The changes of health, each with its time and these keys.
pub(super) fn changes(printed: &[Value], keys: &[&str]) -> Vec<Value> {
    let changed = printed.iter().filter(|line| line["event"]["kind"] == "health.changed");
    changed
        .map(|line| {
            let mut told = vec![line["at_ms"].clone()];
            told.extend(keys.iter().map(|key| line["event"][*key].clone()));
            Value::Array(told)
        })
        .collect()
}

/// The last health line.
fn last_line(printed: &[Value]) -> &Value {
    printed.iter().rfind(|line| line.get("detail").is_some()).expect("a health line")
}

const WHY: [&str; 3] = ["to", "why", "crossed"];

#[test]
fn a_rate_opens_at_a_success_and_buckets_leave() {
    let document = machine(
        "consecutive_failure_threshold = \"off\"\nsliding_window_duration = \"400ms\"\nsliding_window_buckets = 4\n\
         minimum_number_of_calls = 4\nfailure_rate_threshold = 50\ndegraded_failure_rate_threshold = \"off\"",
    );
    let first = [plain(0, "ok"), plain(100, "unavailable"), plain(200, "unavailable")];
    // The bucket of 0 to 99 is in the window until 400: 2 of 4 failed.
    let mut lines = first.to_vec();
    lines.push(plain(399, "ok"));
    let printed = run(&document, json!(lines));
    let crossed = json!({ "setting": "failure_rate_threshold", "value": 5_000, "limit": 5_000 });
    assert_eq!(changes(&printed, &WHY)[1], json!([399, "down", "failure_rate", crossed]));
    let window = json!({ "calls": 4, "failed_calls": 2, "slow_calls": 0 });
    let figures = ["window", "held_ms", "wait_ms", "outage"];
    assert_eq!(changes(&printed, &figures)[1], json!([399, window, 399, 5_000, null]));
    // At 400 it is not: 2 of 3, and no rate is judged.
    let mut lines = first.to_vec();
    lines.extend([plain(400, "ok"), health(400)]);
    let printed = run(&document, json!(lines));
    let metrics = &last_line(&printed)["metrics"];
    assert_eq!(parts(metrics, &["failure_rate_bp", "buffered_calls", "failed_calls"]), json!([-1, 3, 2]));
}

#[test]
fn waits_grow_up_to_the_longest_and_are_spread() {
    let settings = "consecutive_failure_threshold = 1\nwait_duration_in_open_state = \"100ms\"\n\
                    max_wait_duration_in_open_state = \"300ms\"\npermitted_number_of_calls_in_half_open_state = 1";
    let fails =
        json!([plain(0, "timeout"), plain(100, "timeout"), plain(300, "timeout"), plain(600, "timeout")]);
    let printed = run(&machine(settings), fails.clone());
    let waits: Vec<Value> =
        changes(&printed, &["to", "wait_ms"]).into_iter().filter(|line| line[1] == "down").collect();
    // 100, then 200, then 400 but at most 300.
    assert_eq!(json!(waits), json!([[0, "down", 100]]));
    let printed = run(&machine(settings), json!([fails[0], fails[1], fails[2], fails[3], health(600)]));
    assert_eq!(last_line(&printed)["detail"]["wait_ms"], json!(300));
    assert_eq!(last_line(&printed)["metrics"]["open_attempts"], json!(4));
    // Jitter of 100 %: u is 13,441,393,281,417,592,694 at the first opening of "g", modulo 101 5.
    let spread = format!("{settings}\nwait_jitter_ratio = 100");
    let printed = run(&machine(&spread), json!([fails[0], health(0)]));
    assert_eq!(last_line(&printed)["detail"]["wait_ms"], json!(105));
}

#[test]
fn trials_are_counted_together() {
    let settings = "consecutive_failure_threshold = 1\nwait_duration_in_open_state = \"100ms\"\n\
                    wait_interval_multiplier = 100";
    // The default decides at min(10, 3) trials; 1 of 3 failed is 33.33 %, below 50.
    let ask_permit = |at: i64, name: &str| about(at, "permit", json!({ "permit": name }));
    let lines = json!([
        plain(0, "auth"),
        ask_permit(100, "a"),
        ask_permit(100, "b"),
        ask_permit(100, "c"),
        ask_permit(100, "d"),
        outcome(110, json!({ "result": "timeout", "permit": "a" })),
        outcome(111, json!({ "result": "ok", "permit": "b" })),
        health(112),
        outcome(113, json!({ "result": "ok", "permit": "c" })),
        outcome(114, json!({ "result": "timeout", "permit": "a" })),
        health(114),
    ]);
    let printed = run(&machine(settings), lines);
    let permits: Vec<&Value> = printed.iter().filter_map(|line| line.get("permit")).collect();
    assert_eq!(permits, [&json!(true), &json!(true), &json!(true), &json!(false)]);
    let half_open = printed.iter().find(|line| line.get("detail").is_some()).expect("a line");
    let metrics = ["failure_rate_bp", "buffered_calls", "failed_calls", "not_permitted_calls"];
    assert_eq!(parts(&half_open["metrics"], &metrics), json!([-1, 2, 1, 1]));
    let detail = ["fault", "minimum_calls", "permits_left", "calls_out"];
    assert_eq!(parts(&half_open["detail"], &detail), json!(["auth", 3, 0, 1]));
    let crossed = json!({ "setting": "half_open_failure_rate_threshold", "value": 3_333, "limit": 5_000 });
    let window = json!({ "calls": 3, "failed_calls": 1, "slow_calls": 0 });
    // One permit was refused, and it opened once, in the 113 ms since it was last neither.
    let outage = json!({ "duration_ms": 113, "not_permitted_calls": 1, "open_attempts": 1 });
    let keys = ["to", "why", "crossed", "window", "outage"];
    assert_eq!(changes(&printed, &keys)[2], json!([113, "healthy", "trial_ok", crossed, window, outage]));
    assert_eq!(last_line(&printed)["detail"]["late_outcomes"], json!(1));
}

#[test]
fn m_of_n_fails_once_m_is_out_of_reach() {
    let settings = "consecutive_failure_threshold = 1\nwait_duration_in_open_state = \"100ms\"\n\
                    half_open_policy = \"m_of_n\"\nhalf_open_success_threshold = 2\n\
                    slow_call_duration_threshold = \"50ms\"";
    // Three trials, two must succeed: a slow success is a failed trial, so is a failure.
    let slow = outcome(100, json!({ "result": "ok", "latency_ms": 51 }));
    let printed =
        run(&machine(settings), json!([plain(0, "unavailable"), slow, plain(101, "ok"), slow, health(101)]));
    let crossed = json!({ "setting": "half_open_success_threshold", "value": 1, "limit": 2 });
    assert_eq!(changes(&printed, &WHY).last(), Some(&json!([101, "down", "trial_failed", crossed])));
    // By slow trials alone the class is `timeout`.
    assert_eq!(last_line(&printed)["detail"]["fault"], json!("timeout"));
}

#[test]
fn a_call_that_hangs_opens_before_it_ends() {
    let document = machine("consecutive_failure_threshold = 1\nwait_duration_in_open_state = \"1s\"");
    let lines = json!([
        about(0, "permit", json!({ "permit": "p" })),
        health(100),
        health(101),
        outcome(150, json!({ "result": "timeout", "permit": "p" })),
        health(150),
    ]);
    let printed = run(&document, lines);
    assert_eq!(printed[1]["health"], json!("unknown"));
    // The age must be above the deadline.
    assert_eq!(printed[2]["health"], json!("down"));
    let crossed = json!({ "setting": "consecutive_failure_threshold", "value": 1, "limit": 1 });
    assert_eq!(changes(&printed, &WHY), [json!([150, "down", "hung_calls", crossed])]);
    let line = last_line(&printed);
    assert_eq!(parts(&line["detail"], &["fault", "late_outcomes", "calls_out"]), json!(["timeout", 1, 0]));
    assert_eq!(line["metrics"]["consecutive_failures"], json!(1));
}

#[test]
fn a_hung_call_counts_in_the_rate_while_it_is_out() {
    let document = machine(
        "consecutive_failure_threshold = \"off\"\nminimum_number_of_calls = 2\nfailure_rate_threshold = 60\n\
         sliding_window_type = \"count_based\"\nsliding_window_size = 2\ndegraded_failure_rate_threshold = \"off\"",
    );
    let lines = json!([
        plain(0, "ok"),
        about(0, "permit", json!({ "permit": "p" })),
        health(101),
        outcome(102, json!({ "result": "ok", "permit": "p" })),
        health(102),
    ]);
    let printed = run(&document, lines);
    let line = printed.iter().find(|line| line.get("detail").is_some()).expect("a line");
    assert_eq!(parts(&line["metrics"], &["failure_rate_bp", "buffered_calls"]), json!([5_000, 1]));
    assert_eq!(parts(&line["detail"], &["hung_calls", "calls_out", "minimum_calls"]), json!([1, 1, 2]));
    let metrics = ["failure_rate_bp", "buffered_calls", "consecutive_failures"];
    assert_eq!(parts(&last_line(&printed)["metrics"], &metrics), json!([0, 2, 0]));
}

#[test]
fn retry_after_holds_the_wait_against_probes() {
    let document = machine(
        "consecutive_failure_threshold = \"off\"\nfailure_rate_threshold = \"off\"\nretry_after_policy = \"open\"\n\
         wait_duration_in_open_state = \"50ms\"\nprobe_rise = 1\nmax_retry_after = \"200ms\"",
    );
    let up = |at: i64| about(at, "probe", json!({ "result": "up" }));
    let throttled = outcome(0, json!({ "result": "throttled", "retry_after_ms": 900 }));
    let printed = run(&document, json!([throttled, up(199), health(199), up(200), health(200)]));
    let crossed = json!({ "setting": "max_retry_after", "value": 200, "limit": 200 });
    let expected = [
        json!([0, "down", "retry_after", crossed]),
        // The wait is over at 200, and the probe makes it half open.
        json!([200, "probing", "wait_over", null]),
    ];
    assert_eq!(changes(&printed, &WHY), expected);
    let circuits: Vec<&Value> = printed.iter().filter_map(|line| line.get("circuit")).collect();
    assert_eq!(circuits, [&json!("open"), &json!("half_open")]);
}

#[test]
fn degraded_ends_in_silence_at_the_end_of_a_bucket() {
    let document = machine(
        "consecutive_failure_threshold = \"off\"\nfailure_rate_threshold = 100\nminimum_number_of_calls = 2\n\
         sliding_window_duration = \"300ms\"\nsliding_window_buckets = 3\nmin_dwell = \"120ms\"",
    );
    // 1 of 2 at 10: degraded. The failure's bucket leaves at 300; the dwell ends at 130.
    let lines = json!([
        plain(0, "timeout"),
        plain(10, "ok"),
        plain(220, "ok"),
        ask(299, json!({})),
        ask(301, json!({}))
    ]);
    let printed = run(&document, lines);
    let crossed = json!({ "setting": "degraded_failure_rate_threshold", "value": 5_000, "limit": 2_500 });
    let expected = [
        json!([0, "healthy", "first_outcome", null]),
        json!([10, "degraded", "failure_rate", crossed]),
        json!([301, "healthy", "rates_fell", null]),
    ];
    assert_eq!(changes(&printed, &WHY), expected);
    let window = json!({ "calls": 1, "failed_calls": 0, "slow_calls": 0 });
    assert_eq!(changes(&printed, &["window", "held_ms"])[2], json!([301, window, 290]));
    assert_eq!(decisions(&printed)[0]["verdict"], json!("allow"));
}

#[test]
fn a_signal_grows_old() {
    let printed = run(&machine("signal_ttl = \"100ms\""), json!([plain(0, "ok"), health(100), health(101)]));
    assert_eq!(printed[1]["event"], Value::Null);
    let healths: Vec<&Value> = printed.iter().filter_map(|line| line.get("health")).collect();
    assert_eq!(healths, [&json!("healthy"), &json!("unknown")]);
}

#[test]
fn the_longest_stay_runs_while_a_trial_is_out() {
    let document = machine(
        "consecutive_failure_threshold = 1\nwait_duration_in_open_state = \"100ms\"\nwait_interval_multiplier = 100\n\
         max_wait_duration_in_half_open_state = \"150ms\"\npermit_ttl = \"10s\"",
    );
    let permit = |at: i64, name: &str| about(at, "permit", json!({ "permit": name }));
    let lines = json!([
        plain(0, "unavailable"),
        permit(100, "a"),
        permit(110, "b"),
        // Anew from here, because `b` is out.
        outcome(200, json!({ "result": "ok", "permit": "a" })),
        health(349),
        health(350),
        health(9_000),
        plain(9_000, "ok"),
    ]);
    let printed = run(&document, lines);
    let shown: Vec<&Value> = printed.iter().filter_map(|line| line.get("health")).collect();
    assert_eq!(shown, [&json!("probing"), &json!("down"), &json!("probing")]);
    let stayed = printed.iter().filter(|line| line.get("detail").is_some()).nth(1).expect("a line");
    let setting = "max_wait_duration_in_half_open_state";
    let crossed = json!({ "setting": setting, "value": 150, "limit": 150 });
    let keys = ["why", "crossed", "fault", "wait_ms"];
    assert_eq!(parts(&stayed["detail"], &keys), json!(["max_wait_in_half_open", crossed, "timeout", 100]));
    // It failed for class alone: the run is that of the first failure, reset by the trial's success.
    assert_eq!(stayed["metrics"]["consecutive_failures"], json!(0));
}

#[test]
fn healthy_time_takes_attempts_off() {
    let document = machine(
        "consecutive_failure_threshold = 1\nwait_duration_in_open_state = \"10ms\"\nopen_attempts_decay = \"100ms\"\n\
         permitted_number_of_calls_in_half_open_state = 1\nwait_interval_multiplier = 100",
    );
    let lines = json!([
        plain(0, "timeout"),
        plain(10, "timeout"),
        plain(20, "ok"),
        health(119),
        health(120),
        // A part of one is lost when it opens.
        plain(219, "timeout"),
        health(219),
    ]);
    let printed = run(&document, lines);
    let attempts: Vec<&Value> =
        printed.iter().filter_map(|line| line["metrics"].get("open_attempts")).collect();
    assert_eq!(attempts, [&json!(2), &json!(1), &json!(2)]);
}

#[test]
fn what_counts_as_nothing_is_told_when_nothing_answers() {
    let document = machine(
        "ignored_streak_threshold = 2\nrecord_error_classes = [\"exhausted\"]\nunlisted_error = \"nothing\"\n\
         refusal_rate_threshold = 50\nminimum_number_of_calls = 2",
    );
    let lines = json!([
        outcome(0, json!({ "result": "timeout", "latency_ms": -7 })),
        plain(1, "rejected"),
        plain(2, "unavailable"),
        plain(3, "exhausted"),
        plain(4, "refused"),
        plain(5, "refused"),
        health(5),
    ]);
    let printed = run(&document, lines);
    let own: Vec<Value> = events(&printed)
        .into_iter()
        .filter(|event| event["kind"] != "health.changed")
        .map(|event| {
            json!([event["kind"], event["latency_ms"], event["ignored_calls"], event["refusal_rate_bp"]])
        })
        .collect();
    let expected = [
        json!(["clock.skewed", -7, null, null]),
        json!(["never.answered", null, 2, null]),
        // 1 of 2 at 4; at 5 it is still high, and was told.
        json!(["refusals.spiked", null, null, 5_000]),
    ];
    assert_eq!(own, expected);
    assert_eq!(parts(&last_line(&printed)["metrics"], &["ignored_calls", "buffered_calls"]), json!([3, 3]));
}

#[test]
fn break_glass_skips_a_guard_and_says_so() {
    let glass = |at: i64, rest: Value| {
        let mut rest = rest;
        rest["to"] = json!("break_glass");
        about(at, "override", rest)
    };
    let signed = json!({ "by": "ann", "reason": "INC-7", "for_ms": 5_000 });
    let asks = |faults: Value| ask(20, json!({ "faults": faults }));
    let lines = json!([
        glass(0, json!({ "by": "ann", "reason": "" })),
        glass(10, signed),
        asks(json!({})),
        asks(json!({ "g": "timeout" })),
        asks(json!({ "g": "ok" })),
        asks(json!({ "g": "refused" })),
        asks(json!({ "g": "rejected" })),
        health(20),
        // Cut to the second that is declared.
        ask(1_010, json!({ "faults": { "g": "timeout" } })),
    ]);
    let printed = run(&machine(""), lines);
    assert_eq!(
        parts(events(&printed)[0], &["kind", "to", "why"]),
        json!(["override.refused", "break_glass", "unsigned"])
    );
    let all = decisions(&printed);
    let head = ["verdict", "posture", "cacheable", "status"];
    for place in [0, 1] {
        assert_eq!(parts(all[place], &head), json!(["allow", "fail_open", false, 200]));
        assert_eq!(all[place]["obligations"], json!([{ "kind": "mark_unchecked", "dependency": "g" }]));
    }
    let reason = json!({ "dependency": "g", "health": "unknown", "fault": "timeout", "rung": null,
                         "kind": "break_glass", "since_ms": 10 });
    assert_eq!(all[1]["reasons"], json!([reason]));
    assert_eq!(all[2]["posture"], json!("normal"));
    let verdicts: Vec<&Value> = all[3..].iter().map(|answer| &answer["code"]).collect();
    assert_eq!(verdicts, [&json!("REFUSED"), &json!("CALLER_ERROR"), &json!("DEPENDENCY_UNAVAILABLE")]);
    let line = last_line(&printed);
    assert_eq!(line["circuit"], json!("closed"));
    let standing = json!({ "to": "break_glass", "left_ms": 990, "by": "ann", "reason": "INC-7" });
    assert_eq!(line["detail"]["override"], standing);
}

#[test]
fn strict_transitions_are_refused() {
    let document = machine("strict_transitions = true\ninitial_state = \"metrics_only\"");
    let lines = json!([
        about(0, "override", json!({ "to": "half_open" })),
        about(0, "override", json!({ "to": "open" })),
        about(0, "override", json!({ "to": null })),
        about(0, "override", json!({ "to": "open" })),
    ]);
    let printed = run(&document, lines);
    let kinds: Vec<&Value> = events(&printed).iter().map(|event| &event["kind"]).collect();
    assert_eq!(
        kinds,
        ["override.refused", "override.refused", "override.set", "health.changed", "override.set"]
    );
}

#[test]
fn an_initial_open_is_no_act_of_anybody() {
    let document = machine("initial_state = \"open\"\nwait_duration_in_open_state = \"100ms\"");
    let printed = run(&document, json!([ask(40, json!({})), ask(100, json!({}))]));
    let both = decisions(&printed);
    assert_eq!(parts(both[0], &["verdict", "retry_after_ms"]), json!(["deny", 60]));
    assert_eq!(parts(&both[0]["reasons"][0], &["fault", "since_ms"]), json!(["unavailable", 0]));
    assert_eq!(both[1]["verdict"], json!("allow"));
    // What was last told is at first `down`.
    assert_eq!(changes(&printed, &["from", "to", "why"]), [json!([100, "down", "probing", "wait_over"])]);
}

#[test]
fn a_health_line_has_its_keys_in_order() {
    let printed = run(&machine("probe_interval = \"30ms\""), json!([health(0)]));
    let text = concat!(
        r#"{"at_ms":0,"health":"unknown","circuit":"closed","metrics":{"failure_rate_bp":-1,"slow_call_rate_bp":-1,"#,
        r#""buffered_calls":0,"failed_calls":0,"slow_calls":0,"ignored_calls":0,"not_permitted_calls":0,"#,
        r#""consecutive_failures":0,"open_attempts":0},"detail":{"why":null,"crossed":null,"held_ms":0,"fault":null,"#,
        r#""enforced":true,"minimum_calls":10,"permits_left":null,"calls_out":0,"hung_calls":0,"lagging_calls":0,"#,
        r#""late_outcomes":0,"lost_calls":0,"wait_ms":null,"probe_due_ms":0,"override":null}}"#,
    );
    assert_eq!(printed[0].to_string(), text);
}
