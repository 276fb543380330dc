//! The generator: every case is answered, and all that this version can say is said many times.

use std::collections::BTreeMap;

use serde_json::Value;

use crate::generate;

/// How often something was seen.
type Counts = BTreeMap<String, usize>;

/// Counts one more.
fn seen(counts: &mut Counts, group: &str, value: &Value) {
    let name = value.as_str().map_or_else(|| value.to_string(), str::to_owned);
    *counts.entry(format!("{group} {name}")).or_default() += 1;
}

#[test]
fn two_thousand_cases_are_answered() {
    let mut counts = Counts::new();
    for seed in 0..2_000 {
        let case = generate::case(seed);
        let answer = crate::replay(&case.document, &case.parameters, &case.lines);
        let printed = answer.unwrap_or_else(|error| panic!("seed {seed}: {error}"));
        for line in &printed {
            if let Some(decision) = line.get("decision") {
                for key in ["verdict", "posture", "cacheable", "enforced", "status", "code"] {
                    seen(&mut counts, key, &decision[key]);
                }
                let known = decision["retry_after_ms"].is_i64();
                seen(&mut counts, "retry_after", &Value::Bool(known));
                for reason in decision["reasons"].as_array().into_iter().flatten() {
                    seen(&mut counts, "kind", &reason["kind"]);
                    seen(&mut counts, "health", &reason["health"]);
                    seen(&mut counts, "fault", &reason["fault"]);
                }
                for obligation in decision["obligations"].as_array().into_iter().flatten() {
                    seen(&mut counts, "obligation", &obligation["kind"]);
                }
            }
            if let Some(event) = line.get("event") {
                seen(&mut counts, "event", &event["kind"]);
                if event["kind"] == "health.changed" {
                    seen(&mut counts, "why", &event["why"]);
                }
            }
            if let Some(permit) = line.get("permit") {
                seen(&mut counts, "permit", permit);
            }
            if let Some(circuit) = line.get("circuit") {
                seen(&mut counts, "circuit", circuit);
                seen(&mut counts, "line", &line["health"]);
            }
        }
    }
    for (name, count) in &counts {
        println!("{count:8} {name}");
    }
    let expected = [
        ("verdict", "allow withhold defer deny"),
        ("posture", "normal fail_soft fail_open fail_closed"),
        ("cacheable", "true false"),
        ("enforced", "true false"),
        ("retry_after", "true false"),
        ("permit", "true false"),
        (
            "kind",
            "allow deny defer withhold retry fallback last_known local_meter outbox least_bad metadata_only",
        ),
        ("kind", "drop_telemetry skip_tool read_only substitute refuse max_unchecked"),
        ("obligation", "outbox fallback last_known local_meter metadata_only withhold_output drop_telemetry"),
        (
            "obligation",
            "skip_tool retry cut_stream reconcile mark_unchecked read_only canned_answer notify_owner",
        ),
        ("health", "unknown healthy degraded down probing null"),
        ("fault", "timeout unreachable unavailable throttled auth payment rejected indeterminate cancelled"),
        ("fault", "exhausted refused null"),
        ("event", "health.changed override.set override.expired clock.stepped_back table.full alert"),
        ("event", "a.degraded b.failed c.flagged.v1"),
        ("why", "first_outcome consecutive_failures wait_over trial_ok trial_failed permit_expired probe_up"),
        ("why", "probe_down probe_degraded operator override_expired advice advice_lapsed"),
        ("circuit", "closed open half_open forced_open disabled metrics_only"),
        ("line", "unknown healthy degraded down probing"),
        ("code", "CALLER_ERROR CALLER_GONE REFUSED DEPENDENCY_UNAVAILABLE TOO_MANY_UNCHECKED CODE_A BOUND"),
    ];
    for (group, names) in expected {
        for name in names.split(' ') {
            let count = counts.get(&format!("{group} {name}")).copied().unwrap_or(0);
            assert!(count >= 20, "{group} {name} occurs {count} times only");
        }
    }
}

#[test]
fn a_seed_gives_its_case_again() {
    let (first, second) = (generate::case(42), generate::case(42));
    assert_eq!(
        (first.document, first.parameters, first.lines),
        (second.document, second.parameters, second.lines)
    );
}
