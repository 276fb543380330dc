//! Saving and restoring (spec 10), each answer worked out by hand from the text.

use serde_json::{Value, json};

use super::machine::{about, changes, health, machine, outcome};
use super::{decisions, run};

const SETTINGS: &str =
    "consecutive_failure_threshold = 1\nwait_duration_in_open_state = \"100ms\"\npermit_ttl = \"500ms\"";

/// The health lines of a trace: health, and some keys of metrics or detail.
fn lines(printed: &[Value], keys: &[&str]) -> Vec<Value> {
    let told = printed.iter().filter(|line| line.get("detail").is_some());
    told.map(|line| {
        let mut parts = vec![line["health"].clone()];
        for key in keys {
            let of_metrics = line["metrics"].get(key);
            parts.push(of_metrics.unwrap_or(&line["detail"][*key]).clone());
        }
        Value::Array(parts)
    })
    .collect()
}

#[test]
fn time_away_ages_the_wait_and_what_fell_due_has_its_own_moment() {
    let fails = outcome(0, json!({ "result": "timeout" }));
    let printed = run(
        &machine(SETTINGS),
        json!([
            fails,
            { "at_ms": 10, "restart": { "away_ms": 89 } },
            health(10),
            { "at_ms": 10, "restart": { "away_ms": 41 } },
            health(10),
        ]),
    );
    // 90 left, then 1; then it was over 40 before now.
    let expected =
        [json!(["down", 1, 99, "consecutive_failures"]), json!(["probing", null, 40, "wait_over"])];
    assert_eq!(lines(&printed, &["wait_ms", "held_ms", "why"]), expected);
    // The failure is 10 + 89 + 41 before now; the wait was over 100 after it.
    assert_eq!(changes(&printed, &["to", "why", "held_ms"])[1], json!([10, "probing", "wait_over", 100]));
}

#[test]
fn time_away_that_is_not_known_makes_healthy_unknown() {
    let ok = outcome(0, json!({ "result": "ok" }));
    let printed = run(&machine(""), json!([ok, { "at_ms": 5, "restart": {} }, health(5)]));
    assert_eq!(changes(&printed, &["from", "to", "why"])[1], json!([5, "healthy", "unknown", "restart"]));
    assert_eq!(lines(&printed, &["buffered_calls"]), [json!(["unknown", 1])]);
    let known = run(&machine(""), json!([ok, { "at_ms": 5, "restart": { "away_ms": 0 } }, health(5)]));
    assert_eq!(lines(&known, &["buffered_calls"]), [json!(["healthy", 1])]);
}

#[test]
fn half_open_comes_back_open_until_the_trial_has_ended() {
    let printed = run(
        &machine(SETTINGS),
        json!([
            outcome(0, json!({ "result": "auth" })),
            about(100, "permit", json!({ "permit": "p" })),
            { "at_ms": 200, "restart": { "away_ms": 50 } },
            health(200),
            outcome(210, json!({ "result": "ok", "permit": "p" })),
            health(550),
        ]),
    );
    // The permit ends at 600; the time away makes that 550. An outcome under it is late.
    let expected =
        [json!(["down", 350, "auth", 1, "restart"]), json!(["probing", null, "auth", 1, "wait_over"])];
    assert_eq!(lines(&printed, &["wait_ms", "fault", "open_attempts", "why"]), expected);
}

#[test]
fn buckets_keep_their_place_in_time() {
    let settings = "sliding_window_duration = \"300ms\"\nsliding_window_buckets = 3";
    let printed = run(
        &machine(settings),
        json!([
            outcome(20, json!({ "result": "ok" })),
            { "at_ms": 50, "restart": { "away_ms": 130 } },
            // The bucket began at 0, which is now 130 before: it leaves at -130 + 300.
            health(169),
            health(170),
        ]),
    );
    assert_eq!(lines(&printed, &["buffered_calls"]), [json!(["healthy", 1]), json!(["healthy", 0])]);
}

#[test]
fn a_snapshot_is_restored_in_place_of_what_was() {
    let largest = (1_i64 << 53) - 1;
    let saved = json!({
        "v": 1,
        "dependencies": {
            "g": {
                "not_permitted_calls": largest, "ignored_calls": largest - 1, "consecutive_failures": 0,
                "signal_age_ms": 10, "open_attempts": 2,
                "window": { "bucket_left_ms": 30, "buckets": [[2, 1, 0, 0], [1, 0, 0, 1]] },
                "told": "healthy", "told_age_ms": 10, "health_age_ms": 10, "why": "first_outcome",
            },
            "ghost": {},
        },
        "instances": { "count": 4, "age_ms": 5 },
    });
    let printed = run(
        &machine("sliding_window_duration = \"300ms\"\nsliding_window_buckets = 3"),
        json!([
            { "at_ms": 7, "restart": { "away_ms": 0, "snapshot": saved } },
            outcome(8, json!({ "result": "rejected" })),
            outcome(8, json!({ "result": "rejected" })),
            health(8),
            // The older bucket leaves once the newest has ended 100 ago, the newest 100 later.
            health(137),
            health(237),
        ]),
    );
    let keys = ["ignored_calls", "not_permitted_calls", "buffered_calls", "failed_calls", "open_attempts"];
    let expected = [
        json!(["healthy", largest, largest, 3, 1, 2]),
        json!(["healthy", largest, largest, 2, 1, 2]),
        json!(["healthy", largest, largest, 0, 0, 2]),
    ];
    assert_eq!(lines(&printed, &keys), expected);
    assert!(changes(&printed, &["to"]).is_empty());
}

#[test]
fn a_window_that_does_not_fit_is_dropped_and_a_wrong_key_is_a_mistake() {
    let saved = |part: Value| json!([{ "restart": { "snapshot": { "v": 1, "dependencies": { "g": part } } } }, health(0)]);
    let counted = json!({ "signal_age_ms": 0, "told": "healthy", "why": "first_outcome", "window": { "calls": "013" } });
    let printed = run(
        &machine("sliding_window_type = \"count_based\"\nsliding_window_size = 3"),
        saved(counted.clone()),
    );
    // The time away is not known, so nothing is known of it.
    assert_eq!(lines(&printed, &["buffered_calls", "failed_calls"]), [json!(["unknown", 3, 2])]);
    let printed =
        run(&machine("sliding_window_type = \"count_based\"\nsliding_window_size = 2"), saved(counted));
    assert_eq!(lines(&printed, &["buffered_calls"]), [json!(["unknown", 0])]);
    let document: Value = toml::from_str(&machine("")).expect("TOML");
    let wrong = saved(json!({ "circuits": "open" }));
    assert!(
        crate::replay(&document, &std::collections::BTreeMap::new(), wrong.as_array().expect("lines"))
            .is_err()
    );
}

#[test]
fn a_request_survives_and_a_leap_costs_nothing() {
    let end = (1_i64 << 53) - 1;
    let settings = "consecutive_failure_threshold = \"off\"\nminimum_number_of_calls = 1\nmin_dwell = \"0ms\"\n\
                    sliding_window_duration = \"6ms\"\nsliding_window_buckets = 6\nfailure_rate_threshold = 100\n\
                    signal_ttl = \"9007199254740991ms\"\npermit_ttl = \"9007199254740991ms\"\nopen_attempts_decay = \"1ms\"";
    let printed = run(
        &machine(settings),
        json!([
            outcome(0, json!({ "result": "ok" })),
            about(0, "permit", json!({ "permit": "p" })),
            super::ask(0, json!({ "request": "r", "faults": { "g": "refused" } })),
            { "at_ms": end - 1, "restart": { "away_ms": 0 } },
            super::ask(end, json!({ "request": "r" })),
            health(end),
        ]),
    );
    assert_eq!(decisions(&printed)[1]["code"], json!("REFUSED"));
}
