//! The generator: every case is answered, and all that this version can say is said many times.

use std::collections::BTreeMap;

use serde_json::Value;

use crate::generate;
use crate::numbers::plus;

/// How often something was seen.
type Counts = BTreeMap<String, usize>;

/// Counts one more.
fn seen(counts: &mut Counts, group: &str, value: &Value) {
    let name = value.as_str().map_or_else(|| value.to_string(), str::to_owned);
    *counts.entry(format!("{group} {name}")).or_default() += 1;
}

#[test]
fn three_thousand_cases_are_answered() {
    let mut counts = Counts::new();
    for seed in 0..3_000 {
        let case = generate::case(seed);
        let answer = crate::replay(&case.document, &case.parameters, &case.lines);
        let printed = answer.unwrap_or_else(|error| panic!("seed {seed}: {error}"));
        // A cap matters where the answers without it are others.
        let uncapped = crate::replay(&without_caps(&case.document), &case.parameters, &case.lines);
        let told = |printed: &[Value]| {
            let decisions = printed.iter().filter_map(|line| line.get("decision"));
            decisions.map(|decision| decision["reasons"].to_string()).collect::<Vec<String>>()
        };
        // A finish corrects an account where the windows without its figures are others.
        let unfinished = crate::replay(&case.document, &case.parameters, &without_figures(&case.lines));
        let accounts = |printed: &[Value]| {
            let closed = printed.iter().filter(|line| line["event"]["kind"] == "window.closed");
            closed.map(|line| line["event"]["total"].clone()).collect::<Vec<Value>>()
        };
        let corrected = accounts(&printed) != accounts(&unfinished.expect("valid"));
        seen(&mut counts, "corrected", &Value::Bool(corrected));
        // A later commit decides what is unreported where settlements without it are others (MET-40).
        let once = crate::replay(&case.document, &case.parameters, &committed_once(&case.lines, &printed));
        let judged = settlements(&printed) != settlements(&once.expect("valid"));
        seen(&mut counts, "judged again", &Value::Bool(judged));
        // Several periods of one key are owed at once.
        let of =
            |line: &&Value| line["event"]["kind"] == "meter.settlement" && line["event"]["ended_ms"].is_i64();
        let owed: Vec<Value> = printed.iter().filter(of).map(whose).collect();
        let several = owed.iter().enumerate().any(|(place, one)| owed[..place].contains(one));
        seen(&mut counts, "several ended", &Value::Bool(several));
        seen(&mut counts, "capped", &Value::Bool(told(&printed) != told(&uncapped.expect("valid"))));
        for line in &printed {
            if let Some(decision) = line.get("decision") {
                for key in ["verdict", "posture", "cacheable", "enforced", "status", "code"] {
                    seen(&mut counts, key, &decision[key]);
                }
                let known = decision["retry_after_ms"].is_i64();
                seen(&mut counts, "retry_after", &Value::Bool(known));
                for reason in decision["reasons"].as_array().into_iter().flatten() {
                    if reason["kind"] == "over_limit" {
                        seen(&mut counts, "over_limit", &decision["posture"]);
                        seen(&mut counts, "over_limit", &decision["verdict"]);
                        let cut = decision.to_string().contains("cut_stream");
                        seen(&mut counts, "over_limit", &Value::from(if cut { "stream" } else { "other" }));
                    }
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
                if event["kind"] == "limit.reached" {
                    seen(&mut counts, "mode", &event["mode"]);
                }
                if event["kind"] == "meter.settlement" {
                    seen(&mut counts, "ended", &Value::Bool(event["ended_ms"].is_i64()));
                }
                if event["kind"] == "override.refused" {
                    seen(&mut counts, "refused", &event["why"]);
                }
                if event["kind"] == "health.changed" {
                    seen(&mut counts, "why", &event["why"]);
                    if let Some(crossed) = event["crossed"].get("setting") {
                        seen(&mut counts, "crossed", crossed);
                    }
                    seen(&mut counts, "outage", &Value::Bool(event["outage"].is_object()));
                }
            }
            if line["event"]["kind"] == "window.closed" {
                account(&mut counts, "closed", &line["event"]);
                seen(&mut counts, "ended by", &line["event"]["why"]);
            }
            for window in line["windows"].as_array().into_iter().flatten() {
                account(&mut counts, "open", window);
            }
            if let Some(windows) = line.get("windows").and_then(Value::as_array) {
                seen(&mut counts, "windows", &Value::from(windows.len().min(2)));
            }
            if let Some(permit) = line.get("permit") {
                seen(&mut counts, "permit", permit);
            }
            if let Some(circuit) = line.get("circuit") {
                let metrics = line["metrics"].as_object().into_iter().flatten();
                for (key, value) in metrics.chain(line["detail"].as_object().into_iter().flatten()) {
                    let quiet = matches!(value.as_i64(), Some(0 | -1)) || value.is_null();
                    seen(&mut counts, if quiet { "quiet" } else { "says" }, &Value::from(key.as_str()));
                }
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
        ("kind", "unknown_name"),
        ("kind", "over_limit break_glass drop_telemetry skip_tool read_only substitute refuse max_unchecked"),
        ("obligation", "outbox fallback last_known local_meter metadata_only withhold_output drop_telemetry"),
        (
            "obligation",
            "skip_tool retry cut_stream reconcile mark_unchecked read_only canned_answer notify_owner",
        ),
        ("health", "unknown healthy degraded down probing null"),
        ("fault", "timeout unreachable unavailable throttled auth payment rejected indeterminate cancelled"),
        ("fault", "exhausted refused null"),
        ("event", "health.changed override.set override.expired clock.stepped_back table.full alert"),
        ("event", "limit.reached limit.set meter.settlement"),
        ("event", "window.opened window.changed window.closed d.let.past"),
        ("windows", "0 1 2"),
        ("closed others", "true false"),
        ("open others", "true false"),
        ("closed amounts", "true false"),
        ("closed lasted", "true false"),
        ("closed rungs", "1 2 3"),
        ("closed tenants", "0 1 2 3"),
        ("closed by", "allow break_glass over_limit shadow withhold local_meter fallback last_known"),
        ("over_limit", "fail_closed normal withhold deny defer stream other"),
        ("mode", "alert degrade"),
        ("capped", "true"),
        ("corrected", "true"),
        ("judged again", "true"),
        ("ended", "true false"),
        ("several ended", "true"),
        ("event", "a.degraded b.failed c.flagged.v1"),
        ("why", "first_outcome consecutive_failures wait_over trial_ok trial_failed permit_expired probe_up"),
        ("why", "probe_down probe_degraded operator override_expired advice advice_lapsed"),
        ("why", "failure_rate failure_count slow_call_rate hung_calls retry_after rates_fell"),
        ("why", "max_wait_in_half_open signal_too_old restart reload"),
        ("crossed", "consecutive_failure_threshold failure_rate_threshold failure_count_threshold"),
        ("crossed", "slow_call_rate_threshold max_retry_after half_open_failure_rate_threshold probe_rise"),
        ("crossed", "half_open_success_threshold max_wait_duration_in_half_open_state probe_fall"),
        ("crossed", "degraded_failure_rate_threshold degraded_slow_call_rate_threshold"),
        ("event", "matrix.reloaded"),
        ("ended by", "recovered reloaded"),
        ("event", "override.refused clock.skewed refusals.spiked never.answered"),
        ("refused", "undeclared unsigned strict_transitions"),
        ("outage", "true false"),
        ("says", "failure_rate_bp slow_call_rate_bp buffered_calls failed_calls slow_calls ignored_calls"),
        ("says", "not_permitted_calls consecutive_failures open_attempts why crossed held_ms fault enforced"),
        ("says", "minimum_calls permits_left calls_out hung_calls lagging_calls late_outcomes lost_calls"),
        ("says", "wait_ms probe_due_ms override"),
        ("circuit", "closed open half_open forced_open disabled metrics_only"),
        ("line", "unknown healthy degraded down probing"),
        ("code", "CALLER_ERROR CALLER_GONE REFUSED DEPENDENCY_UNAVAILABLE TOO_MANY_UNCHECKED CODE_A BOUND"),
    ];
    for (group, names) in expected {
        for name in names.split(' ') {
            let count = counts.get(&format!("{group} {name}")).copied().unwrap_or(0);
            let least = match group {
                "judged again" | "ended" => 150,
                "several ended" => 100,
                _ => 10,
            };
            assert!(count >= least, "{group} {name} occurs {count} times only");
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

#[test]
fn asking_late_gives_the_same_as_asking_often() {
    // Spec 9, first paragraph: questions in between change nothing of what is printed besides.
    for seed in 0..1_500 {
        let case = generate::case_of_one_matrix(seed);
        let often = with_questions(&case.document, &case.lines);
        let late = crate::replay(&case.document, &case.parameters, &case.lines).expect("valid");
        let asked = crate::replay(&case.document, &case.parameters, &often).expect("valid");
        // The questions put in stand strictly between the lines of the case.
        let first = case.lines.first().and_then(|line| line["at_ms"].as_i64()).unwrap_or(0);
        let mut times = vec![first];
        for line in &case.lines {
            let now = times.last().copied().unwrap_or(first);
            times.push(line["at_ms"].as_i64().unwrap_or(now).max(now));
        }
        let own = |printed: Vec<Value>| {
            let kept = printed.into_iter().filter(|line| {
                line.get("detail").is_none() && line["at_ms"].as_i64().is_some_and(|at| times.contains(&at))
            });
            kept.collect::<Vec<Value>>()
        };
        let (late, asked) = (own(late), own(asked));
        for (late, asked) in late.iter().zip(&asked) {
            assert_eq!(late.to_string(), asked.to_string(), "seed {seed}");
        }
        assert_eq!(late.len(), asked.len(), "seed {seed}");
    }
}

/// What an account says, and that its rows and its rungs add up to its total (WIN-11).
fn account(counts: &mut Counts, group: &str, told: &Value) {
    let (mut requests, mut amounts) = (0, BTreeMap::<&String, i64>::new());
    let rows = told["tenants"].as_array().expect("a list");
    for row in rows.iter().chain([&told["others"]]) {
        requests += row["requests"].as_i64().expect("a number");
        for (meter, amount) in row["amounts"].as_object().expect("a table") {
            let sum = amounts.entry(meter).or_default();
            *sum = plus(*sum, amount.as_i64().expect("a number"));
        }
    }
    assert_eq!(told["total"], serde_json::json!({ "requests": requests, "amounts": amounts }));
    let decisions = told["decisions"].as_array().expect("a list");
    let by_rung: i64 = decisions.iter().filter_map(|row| row["requests"].as_i64()).sum();
    assert_eq!(by_rung, requests);
    let names: Vec<&[u8]> =
        rows.iter().map(|row| row["tenant"].as_str().expect("a name").as_bytes()).collect();
    assert!(names.is_sorted());
    for row in decisions {
        seen(counts, &format!("{group} by"), &row["rung_kind"]);
    }
    seen(counts, &format!("{group} rungs"), &Value::from(decisions.len()));
    seen(counts, &format!("{group} tenants"), &Value::from(rows.len()));
    seen(counts, &format!("{group} others"), &Value::Bool(told["others"]["requests"] != 0));
    seen(counts, &format!("{group} amounts"), &Value::Bool(!amounts.is_empty()));
    seen(counts, &format!("{group} lasted"), &Value::Bool(told["duration_ms"] != 0));
}

#[test]
fn windows_open_and_close_in_turn() {
    for seed in 0..1_500 {
        let case = generate::case(seed);
        // A snapshot opens and ends windows without a word.
        if case.lines.iter().any(|line| line["restart"].get("snapshot").is_some()) {
            continue;
        }
        let printed = crate::replay(&case.document, &case.parameters, &case.lines).expect("valid");
        let mut open: BTreeMap<String, Vec<String>> = BTreeMap::new();
        for event in printed.iter().filter_map(|line| line.get("event")) {
            let dependency = event["dependency"].to_string();
            let rung = format!("{} {}", event["rung"], event["rung_kind"]);
            match event["kind"].as_str() {
                Some("window.opened") => {
                    assert!(open.insert(dependency, vec![rung]).is_none(), "seed {seed}: opened twice");
                }
                Some("window.changed") => {
                    let rungs = open.get_mut(&dependency).expect("an open window");
                    assert!(!rungs.contains(&rung), "seed {seed}: {rung} twice");
                    rungs.push(rung);
                }
                Some("window.closed") => {
                    assert!(open.remove(&dependency).is_some(), "seed {seed}: closed and not open");
                }
                // Rungs have other numbers from here on.
                Some("matrix.reloaded") => open.values_mut().for_each(Vec::clear),
                _ => {}
            }
        }
    }
}

/// The document with no rung capped.
fn without_caps(document: &Value) -> Value {
    match document {
        Value::Object(map) => {
            let kept = map.iter().filter(|(key, _)| key.as_str() != "cap");
            Value::Object(kept.map(|(key, part)| (key.clone(), without_caps(part))).collect())
        }
        Value::Array(items) => Value::Array(items.iter().map(without_caps).collect()),
        other => other.clone(),
    }
}

/// The lines, with no figures in any `finish`.
fn without_figures(lines: &[Value]) -> Vec<Value> {
    let mut lines = lines.to_vec();
    for finish in lines.iter_mut().filter_map(|line| line.get_mut("finish")?.as_object_mut()) {
        finish.remove("amounts");
    }
    lines
}

/// The lines, with only the first commit of each request that goes on; what follows is asked alone.
fn committed_once(lines: &[Value], printed: &[Value]) -> Vec<Value> {
    let mut lines = lines.to_vec();
    let mut answers = printed.iter().filter_map(|line| line.get("decision"));
    let mut gone_on: Vec<Value> = Vec::new();
    for line in &mut lines {
        gone_on.retain(|name| *name != line["finish"]["request"]);
        let Some(part) = line.get_mut("decide").and_then(Value::as_object_mut) else { continue };
        let answer = answers.next().expect("a decision");
        let name = part.get("request").cloned().unwrap_or_default();
        if name.is_null() || part.get("preview") == Some(&Value::Bool(true)) {
            continue;
        }
        if gone_on.contains(&name) {
            part.insert("preview".to_owned(), Value::Bool(true));
        } else if matches!(answer["verdict"].as_str(), Some("allow" | "withhold"))
            || answer["enforced"] == false
        {
            gone_on.push(name);
        }
    }
    lines
}

/// Whose a line's settlement is, and when it was told.
fn whose(line: &Value) -> Value {
    let event = &line["event"];
    serde_json::json!([line["at_ms"], event["meter"], event["tenant"], event["session"]])
}

/// What was settled in all, by meter and names.
fn settlements(printed: &[Value]) -> BTreeMap<String, i64> {
    let mut sums = BTreeMap::new();
    for event in printed.iter().filter_map(|line| line.get("event")) {
        if event["kind"] == "meter.settlement" {
            let key = format!("{} {} {}", event["meter"], event["tenant"], event["session"]);
            let sum = sums.entry(key).or_default();
            *sum = plus(*sum, event["amount"].as_i64().expect("a number"));
        }
    }
    sums
}

/// The lines, with health lines of every dependency, what windows are open, and previews of every operation, between two
/// that are apart.
fn with_questions(document: &Value, lines: &[Value]) -> Vec<Value> {
    let names: Vec<&String> = document["dependency"].as_object().expect("a table").keys().collect();
    let operations = document.get("operation").and_then(Value::as_object);
    let operations: Vec<&String> = operations.into_iter().flat_map(|map| map.keys()).collect();
    let mut often = Vec::new();
    // TRC-5: time begins at 0, or at the first line's.
    let mut now = lines.first().and_then(|line| line["at_ms"].as_i64()).unwrap_or(0).min(0);
    for line in lines {
        let at = line["at_ms"].as_i64().unwrap_or(now).max(now);
        for part in [4, 3, 2] {
            let between = now + (at - now) / part;
            if between > now && between < at {
                let ask = |name| serde_json::json!({ "at_ms": between, "health": { "dependency": name } });
                often.extend(names.iter().map(ask));
                often.push(serde_json::json!({ "at_ms": between, "windows": {} }));
                let preview = |name| {
                    let part = serde_json::json!({ "operation": name, "tenant": "t1", "preview": true });
                    serde_json::json!({ "at_ms": between, "decide": part })
                };
                often.extend(operations.iter().map(preview));
            }
        }
        now = at;
        often.push(line.clone());
    }
    often
}
