//! Health, permits, operators, meters, outboxes, the clock, and the canonical form.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use super::{ask, decisions, events, guard, parts, run};

/// An outcome line of dependency `g`.
fn outcome(at: i64, result: &str) -> Value {
    json!({ "at_ms": at, "outcome": { "dependency": "g", "result": result } })
}

/// The health changes of a trace: moment, from, to, why.
fn changes(printed: &[Value]) -> Vec<Value> {
    let changed = printed.iter().filter(|line| line["event"]["kind"] == "health.changed");
    changed
        .map(|line| {
            let event = &line["event"];
            json!([line["at_ms"], event["from"], event["to"], event["why"]])
        })
        .collect()
}

#[test]
fn a_circuit_opens_waits_and_is_tried() {
    let printed = run(
        &guard("[]"),
        json!([
            outcome(0, "timeout"),
            outcome(10, "timeout"),
            { "at_ms": 109, "permit": { "dependency": "g", "permit": "p" } },
            { "at_ms": 110, "permit": { "dependency": "g", "permit": "p" } },
            { "at_ms": 110, "permit": { "dependency": "g", "permit": "q" } },
            { "at_ms": 120, "outcome": { "dependency": "g", "result": "ok", "permit": "p" } },
            { "at_ms": 120, "health": { "dependency": "g" } },
        ]),
    );
    let expected = json!([
        [0, "unknown", "healthy", "first_outcome"],
        [10, "healthy", "down", "consecutive_failures"],
        [110, "down", "probing", "wait_over"],
        [120, "probing", "healthy", "trial_ok"],
    ]);
    assert_eq!(Value::Array(changes(&printed)), expected);
    let permits: Vec<&Value> = printed.iter().filter_map(|line| line.get("permit")).collect();
    assert_eq!(permits, [&json!(false), &json!(true), &json!(false)]);
    let line = printed.last().expect("a line");
    assert_eq!(parts(line, &["health", "circuit"]), json!(["healthy", "closed"]));
    assert_eq!(
        parts(&line["metrics"], &["not_permitted_calls", "consecutive_failures", "open_attempts"]),
        json!([2, 0, 0])
    );
}

#[test]
fn a_permit_that_runs_out_is_a_timeout() {
    let document = guard("[]").replace("state = 1 }", "state = 1, permit_ttl = \"50ms\" }");
    let printed = run(
        &document,
        json!([
            outcome(0, "timeout"),
            outcome(0, "timeout"),
            { "at_ms": 100, "call": { "dependency": "g" } },
            ask(149, json!({ "preview": true })),
            ask(150, json!({})),
            // The circuit opened at 150, and its wait is over at 250.
            ask(250, json!({})),
        ]),
    );
    let all = decisions(&printed);
    let reason = |place: usize| parts(&all[place]["reasons"][0], &["health", "fault", "since_ms"]);
    assert_eq!(reason(0), json!(["probing", "timeout", 0]));
    assert_eq!(reason(1), json!(["down", "timeout", 0]));
    assert_eq!(all[1]["retry_after_ms"], json!(100));
    assert_eq!(all[2]["verdict"], json!("allow"));
    assert_eq!(
        changes(&printed)[2..],
        [
            json!([100, "down", "probing", "wait_over"]),
            json!([150, "probing", "down", "permit_expired"]),
            json!([250, "down", "probing", "wait_over"]),
        ]
    );
}

#[test]
fn an_expired_credential_is_not_laundered() {
    let printed = run(
        &guard("[{ allow = true }]"),
        json!([outcome(0, "auth"), outcome(1, "timeout"), ask(2, json!({}))]),
    );
    let answer = decisions(&printed)[0];
    assert_eq!(parts(&answer["reasons"][0], &["fault", "since_ms"]), json!(["auth", 1]));
    assert_eq!(answer["verdict"], json!("deny"));
}

#[test]
fn an_operator_never_opens_a_guard() {
    let forced = json!({ "at_ms": 0, "override": { "dependency": "g", "to": "forced_open", "for_ms": 50, "by": "ann" } });
    let printed = run(&guard("[{ allow = true }]"), json!([forced, ask(49, json!({})), ask(50, json!({}))]));
    let both = decisions(&printed);
    assert_eq!(parts(both[0], &["verdict", "retry_after_ms"]), json!(["deny", 1]));
    assert_eq!(both[0]["reasons"][0]["fault"], json!("unavailable"));
    assert_eq!(both[1]["verdict"], json!("allow"));
    let kinds: Vec<&Value> = events(&printed).iter().map(|event| &event["kind"]).collect();
    assert_eq!(kinds, ["health.changed", "override.set", "override.expired", "health.changed"]);
    let set = events(&printed)[1].as_object().expect("a table");
    let keys: Vec<&String> = set.keys().collect();
    let fixed = ["kind", "dependency", "to", "for_ms", "by", "reason", "v", "matrix", "instance", "sequence"];
    assert_eq!(keys, fixed);
}

#[test]
fn advice_only_tightens() {
    let advice = json!({ "at_ms": 0, "advice": { "source": "peer", "dependency": "g", "health": "down" } });
    let opened = guard("[{ allow = { when = { health = [\"degraded\"] } } }]");
    let printed = run(&opened, json!([advice, ask(0, json!({}))]));
    assert_eq!(parts(decisions(&printed)[0], &["verdict", "posture"]), json!(["allow", "normal"]));
    let closed = guard(
        "[{ allow = { when = { health = [\"degraded\"] } } }, { defer = { when = { health = [\"degraded\"] } } }]",
    );
    let printed = run(&closed, json!([advice, ask(59_999, json!({})), ask(60_000, json!({}))]));
    let both = decisions(&printed);
    assert_eq!(parts(both[0], &["verdict", "status"]), json!(["defer", 202]));
    assert_eq!(parts(&both[0]["reasons"][0], &["fault", "rung"]), json!([null, 1]));
    assert_eq!(both[1]["verdict"], json!("allow"));
}

#[test]
fn a_local_meter_gives_its_share_away() {
    let document = guard("[{ local_meter = \"m\" }]")
        + "[meter.m]\nstore = \"g\"\nlimit = 7\nmax_instances = 2\nwindow = \"1s\"\n";
    let failed = |at: i64, amount: i64| {
        ask(at, json!({ "tenant": "t", "faults": { "g": "timeout" }, "amounts": { "m": amount } }))
    };
    // floor(7 / 2) = 3: 2 + 1 fit, one more does not; when the period ends at 1,000 it is all forgotten.
    let lines = json!([failed(0, 2), failed(1, 1), failed(2, 1), failed(999, 1), failed(1_000, 3)]);
    let printed = run(&document, lines);
    let verdicts: Vec<&Value> = decisions(&printed).iter().map(|answer| &answer["verdict"]).collect();
    assert_eq!(verdicts, ["allow", "allow", "deny", "deny", "allow"]);
    assert_eq!(
        decisions(&printed)[0]["obligations"],
        json!([{ "kind": "local_meter", "dependency": "g", "meter": "m" }])
    );
    // A count told 60 s ago still stands; after that the larger of it and `max_instances`.
    let told = json!({ "at_ms": 0, "instances": { "count": 1 } });
    let printed = run(&document, json!([told, failed(60_000, 7), failed(61_000, 4)]));
    let verdicts: Vec<&Value> = decisions(&printed).iter().map(|answer| &answer["verdict"]).collect();
    assert_eq!(verdicts, ["allow", "deny"]);
}

#[test]
fn an_outbox_numbers_without_gaps() {
    let document = "spec = 1\nname = \"m\"\n[dependency.a]\nrole = \"observe\"\non_failure = [{ outbox = 3 }]\n\
                    [operation.o]\nneeds = [\"a\"]\n";
    let told = |name: &str, preview: bool| {
        ask(0, json!({ "request": name, "faults": { "a": "timeout" }, "preview": preview }))
    };
    let full = json!({ "at_ms": 0, "outbox": { "dependency": "a", "depth": 3 } });
    let printed = run(
        document,
        json!([
            told("r", false),
            told("q", true),
            told("q", false),
            told("r", false),
            full,
            told("q", false)
        ]),
    );
    let all = decisions(&printed);
    let numbers: Vec<&Value> = all.iter().map(|answer| &answer["obligations"][0]["sequence"]).collect();
    assert_eq!(numbers, [&json!(1), &Value::Null, &json!(2), &json!(1), &Value::Null]);
    assert_eq!(parts(all[4], &["verdict", "posture", "cacheable"]), json!(["allow", "fail_open", true]));
}

#[test]
fn a_clock_that_steps_back_is_clamped_and_told() {
    let printed = run(
        &guard("[]"),
        json!([
            outcome(100, "ok"),
            { "at_ms": 40, "health": { "dependency": "g" } },
            { "outbox": { "dependency": "g", "depth": 1 } },
        ]),
    );
    assert_eq!(printed[1]["at_ms"], json!(100));
    assert_eq!(printed[2]["at_ms"], json!(100));
    let keys = ["kind", "told_ms", "kept_ms", "v", "instance", "sequence"];
    assert_eq!(parts(&printed[2]["event"], &keys), json!(["clock.stepped_back", 40, 100, 1, "replay", 2]));
}

#[test]
fn defaults_rest_on_each_other() {
    let document: Value = toml::from_str(
        "name = \"m\"\nspec = 1\n[dependency.g]\nrole = \"guard\"\ndeadline = \"20s\"\nbreak_glass = { max_duration = \"1h\" }\n\
         [dependency.g.health]\nwait_duration_in_open_state = \"10m\"\nfailure_rate_threshold = \"off\"\n\
         permitted_number_of_calls_in_half_open_state = 7\ndegraded_failure_rate_threshold = 4\n\
         degraded_slow_call_rate_threshold = \"off\"\nslow_call_duration_threshold = \"off\"\n\
         record_error_classes = [\"timeout\", \"exhausted\", \"timeout\"]\n",
    )
    .expect("TOML");
    let text = crate::canonical(&document, &BTreeMap::new()).expect("a form");
    let form: Value = serde_json::from_str(&text).expect("JSON");
    assert_eq!(form["dependency"]["g"]["break_glass"], json!({ "max_duration_ms": 3_600_000 }));
    let expected = [
        ("max_wait_duration_in_open_state_ms", json!(600_000)),
        ("permit_ttl_ms", json!(40_000)),
        ("max_wait_duration_in_half_open_state_ms", json!(40_000)),
        ("failure_rate_threshold", json!("off")),
        ("half_open_failure_rate_threshold", json!(50)),
        ("half_open_success_threshold", json!(7)),
        ("degraded_exit_failure_rate_threshold", json!(4)),
        ("degraded_exit_slow_call_rate_threshold", json!(25)),
        ("slow_call_duration_threshold_ms", json!("off")),
        ("record_error_classes", json!(["exhausted", "timeout"])),
        ("ignore_error_classes", json!([])),
    ];
    for (key, value) in expected {
        assert_eq!(form["dependency"]["g"]["health"][key], value, "{key}");
    }
    assert_eq!(form["dependency"]["g"]["health"].as_object().map(serde_json::Map::len), Some(43));
}

#[test]
fn the_canonical_form_writes_every_default() {
    let document: Value = toml::from_str(
        "name = \"m\"\nspec = 1\n[parameter.age]\ndefault = \"1s\"\n[dependency.s]\nrole = \"serve\"\ndeadline = \"2s\"\n\
         on_failure = [{ last_known = \"$age\" }, { deny = { when = { fault = [\"timeout\", \"auth\"] } } }]\n\
         [operation.o]\nneeds = [\"s\"]\n",
    )
    .expect("TOML");
    let bound = BTreeMap::from([("age".to_owned(), "3m".to_owned())]);
    let text = concat!(
        r#"{"classes":["default"],"dependency":{"s":{"deadline_ms":2000,"health":{"#,
        r#""automatic_transition_from_open_to_half_open_enabled":false,"consecutive_failure_threshold":5,"#,
        r#""degraded_exit_failure_rate_threshold":10,"degraded_exit_slow_call_rate_threshold":25,"#,
        r#""degraded_failure_rate_threshold":25,"degraded_slow_call_rate_threshold":50,"#,
        r#""failure_count_threshold":"off","failure_rate_threshold":50,"half_open_counts_slow":true,"#,
        r#""half_open_failure_rate_threshold":50,"half_open_policy":"rate","half_open_success_threshold":3,"#,
        r#""ignore_error_classes":["exhausted"],"ignored_streak_threshold":20,"initial_state":"closed","#,
        r#""max_retry_after_ms":600000,"max_wait_duration_in_half_open_state_ms":30000,"#,
        r#""max_wait_duration_in_open_state_ms":300000,"min_dwell_ms":5000,"minimum_number_of_calls":10,"#,
        r#""open_attempts_decay_ms":"off","permit_ttl_ms":30000,"#,
        r#""permitted_number_of_calls_in_half_open_state":3,"probe_can_close":false,"probe_fall":3,"#,
        r#""probe_interval_ms":"off","probe_rise":2,"record_error_classes":[],"refusal_rate_threshold":"off","#,
        r#""retry_after_policy":"extend","signal_ttl_ms":"off","sliding_window_buckets":10,"#,
        r#""sliding_window_duration_ms":30000,"sliding_window_size":100,"sliding_window_type":"time_based","#,
        r#""slow_call_duration_threshold_ms":"off","slow_call_rate_threshold":100,"strict_transitions":false,"#,
        r#""transition_to_state_after_wait_duration":"open","unlisted_error":"failure","#,
        r#""wait_duration_in_open_state_ms":5000,"wait_interval_multiplier":200,"wait_jitter_ratio":0},"#,
        r#""on_failure":[{"last_known":{"also":[],"max_age_ms":180000,"of":"request"}},"#,
        r#"{"deny":{"also":[],"code":"DEPENDENCY_UNAVAILABLE","status":503,"when":{"fault":["auth","timeout"]}}}],"#,
        r#""on_refusal":{"deny":{"also":[],"code":"REFUSED","status":403}},"role":"serve","stage":"dispatch"}},"#,
        r#""invariant":[],"meter":{},"name":"m","operation":{"o":{"effect":"write","enforcement":"enforce","#,
        r#""needs":["s"],"refuse":[]}},"parameter":{"age":{"default":"1s","value":"3m"}},"revision":1,"#,
        r#""signal_ttl_ms":60000,"spec":1,"tenants":1024,"window_idle_ms":5000}"#,
    );
    assert_eq!(crate::canonical(&document, &bound).as_deref(), Ok(text));
    let identity = crate::identity(&document, &bound).expect("an identity");
    assert_eq!((identity.get(..11), identity.len()), (Some("m@1:sha256-"), 75));
}

#[test]
fn silences_are_read_and_are_no_part_of_the_identity() {
    let document = |rest: &str| -> Value { toml::from_str(&format!("{}{rest}", guard("[]"))).expect("TOML") };
    let identity = |rest: &str| crate::identity(&document(rest), &BTreeMap::new());
    let silence = "[[silence]]\ncode = \"late\"\nat = \"operation.o\"\nreason = \"we know\"\n";
    assert_eq!(identity(silence), identity(""));
    assert_eq!(identity(&format!("{silence}{silence}")), identity(""));
    let wrong = [
        silence.replace("\"late\"", "\"too-large\""),
        silence.replace("\"late\"", "\"later\""),
        silence.replace("\"we know\"", "\"\""),
        silence.replace("at = \"operation.o\"\n", ""),
        format!("{silence}why = \"x\"\n"),
    ];
    for rest in wrong {
        assert!(identity(&rest).is_err(), "{rest}");
    }
}
