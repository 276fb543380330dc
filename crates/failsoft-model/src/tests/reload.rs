//! Reload (10.3), each answer worked out by hand from the text.

mod requests;

use serde_json::{Value, json};

use super::machine::{about, changes, health, machine, outcome};
use super::meters::{failing, metered, of_meter, told, verdicts};
use super::{decisions, events, guard, run};

/// A document as a line has it.
fn document(toml: &str) -> Value {
    toml::from_str(toml).expect("TOML")
}

/// Another matrix takes over.
fn reload(at: i64, toml: &str) -> Value {
    json!({ "at_ms": at, "reload": { "document": document(toml) } })
}

/// The kinds of the events of a moment, what meters settle aside.
fn kinds(printed: &[Value], at: i64) -> Vec<&Value> {
    let lines = printed.iter().filter(|line| line["at_ms"] == at && line["event"]["kind"].is_string());
    lines.map(|line| &line["event"]["kind"]).filter(|kind| **kind != "meter.settlement").collect()
}

/// A store with a ladder, and a `window_idle`.
fn windowed(ladder: &str, idle: &str) -> String {
    metered(ladder, "limit = 5")
        .replace("name = \"m\"\n", &format!("name = \"m\"\nwindow_idle = \"{idle}\"\n"))
}

const LADDER: &str =
    "[{ local_meter = { meter = \"m\", emit = \"soft\" } }, { allow = { emit = \"open\" } }]";

/// One request of a name and an amount.
fn request(at: i64, name: &str, amount: i64) -> Value {
    failing(at, json!({ "request": name, "amounts": { "m": amount } }))
}

#[test]
fn a_window_stays_open_with_its_rungs_renumbered() {
    let turned = "[{ deny = { when = { fault = [\"auth\"] } } }, { allow = { emit = \"open\" } }, \
                  { local_meter = { meter = \"m\", emit = \"soft\" } }]";
    let printed = run(
        &windowed(LADDER, "50ms"),
        json!([
            request(0, "a", 3),
            request(10, "b", 9),
            reload(20, &windowed(turned, "50ms")),
            { "at_ms": 20, "windows": {} },
            // By the rung that is now 1, as commits were before: nothing is told. Its amount takes it past 5.
            request(30, "c", 9),
            { "at_ms": 30, "finish": { "request": "a", "amounts": { "m": 1 } } },
            { "at_ms": 30, "windows": {} },
        ]),
    );
    assert_eq!(kinds(&printed, 20), ["matrix.reloaded"]);
    assert!(kinds(&printed, 30).is_empty());
    let open: Vec<&Value> = printed.iter().filter_map(|line| line.get("windows")).collect();
    let decisions = json!([
        { "rung": 1, "rung_kind": "allow", "requests": 1 },
        { "rung": 2, "rung_kind": "local_meter", "requests": 1 },
    ]);
    assert_eq!(open[0][0]["decisions"], decisions);
    assert_eq!(open[0][0]["duration_ms"], 10);
    // 1 + 9 + 9.
    assert_eq!(open[1][0]["total"], json!({ "requests": 3, "amounts": { "m": 19 } }));
}

#[test]
fn a_window_whose_rung_is_gone_closes_under_the_old_identity() {
    let (old, new) = (windowed(LADDER, "50ms"), windowed(&LADDER.replace("open", "other"), "50ms"));
    let printed =
        run(&old, json!([request(0, "a", 3), request(10, "b", 9), reload(20, &new), request(30, "b", 9)]));
    assert_eq!(kinds(&printed, 20), ["window.closed", "matrix.reloaded"]);
    let all = events(&printed);
    let place = all.iter().position(|event| event["kind"] == "matrix.reloaded").expect("told");
    let (closed, reloaded) = (all[place - 1], all[place]);
    assert_eq!(closed["why"], "reloaded");
    assert_eq!(closed["idle_ms"], 10);
    assert_eq!(closed["matrix"], reloaded["from"]);
    let identity = crate::identity(&document(&new), &Default::default()).expect("valid");
    assert_eq!(reloaded["matrix"], json!(identity));
    let keys: Vec<&String> = reloaded.as_object().expect("an object").keys().collect();
    assert_eq!(keys, ["kind", "from", "v", "matrix", "instance", "sequence"]);
    let numbers: Vec<i64> = all.iter().filter_map(|event| event["sequence"].as_i64()).collect();
    assert!(numbers.iter().enumerate().all(|(place, number)| *number == place as i64 + 1));
    // It opens anew by a rung that is new, and counts the request again: the last decision is of the new matrix.
    assert_eq!(kinds(&printed, 30), ["window.opened", "other"]);
    assert_eq!(decisions(&printed)[2]["matrix"], json!(identity));
}

#[test]
fn a_window_that_may_close_has_recovered() {
    let closes = |idle: &str, new_idle: &str| {
        let lines = json!([request(0, "a", 3), reload(20, &windowed(LADDER, new_idle))]);
        run(&windowed(LADDER, idle), lines)
    };
    // By the old `window_idle` in the old matrix's part, by the new one in the new one's.
    let (old, new) = (closes("20ms", "1s"), closes("1s", "20ms"));
    assert_eq!(kinds(&old, 20), ["window.closed", "matrix.reloaded"]);
    assert_eq!(kinds(&new, 20), ["matrix.reloaded", "window.closed"]);
    assert_eq!(told(&old, "window.closed", &["why"]), [json!([20, "recovered"])]);
    assert_eq!(told(&new, "window.closed", &["why"]), [json!([20, "recovered"])]);
}

#[test]
fn a_meter_that_the_account_holds_must_go_on() {
    let by_session = "limit = 5\nkey = [\"tenant\", \"session\"]";
    let ladder = "[{ allow = true }]";
    let closes = |amount: i64| {
        let lines = json!([request(0, "a", amount), reload(10, &metered(ladder, by_session))]);
        told(&run(&metered(ladder, "limit = 5"), lines), "window.closed", &["why"])
    };
    assert_eq!(closes(2), [json!([10, "reloaded"])]);
    assert!(closes(0).is_empty());
}

/// The last health line: these keys of its metrics or detail.
fn last(printed: &[Value], keys: &[&str]) -> Value {
    let line = printed.iter().rfind(|line| line.get("detail").is_some()).expect("a health line");
    let part = |key: &&str| line["metrics"].get(*key).unwrap_or(&line["detail"][*key]).clone();
    Value::Array(keys.iter().map(part).collect())
}

#[test]
fn permits_stay_with_the_same_settings_and_are_lost_with_others() {
    let of = |settings: &str, matrix: &dyn Fn(String) -> String| {
        let lines = json!([
            outcome(0, json!({ "result": "ok" })),
            about(0, "permit", json!({ "permit": "p" })),
            reload(10, &matrix(machine(settings))),
            outcome(20, json!({ "result": "ok", "permit": "p" })),
            health(20),
        ]);
        last(&run(&machine("probe_rise = 2"), lines), &["late_outcomes", "buffered_calls"])
    };
    let plain = |matrix: String| matrix;
    // 2 is the default.
    assert_eq!(of("", &plain), json!([0, 2]));
    assert_eq!(of("probe_rise = 3", &plain), json!([1, 1]));
    // That of the matrix is no setting of a dependency's health.
    let ttl = |matrix: String| format!("signal_ttl = \"61s\"\n{matrix}");
    assert_eq!(of("", &ttl), json!([0, 2]));
    let role = |matrix: String| {
        let served = matrix.replace("\"guard\"", "\"serve\"");
        served.replace("break_glass = { max_duration = \"1s\" }\n", "")
    };
    // Another role: nothing of it goes on.
    assert_eq!(of("", &role), json!([1, 0]));
}

#[test]
fn half_open_comes_back_open_because_of_a_reload() {
    let settings =
        "consecutive_failure_threshold = 1\nwait_duration_in_open_state = \"100ms\"\npermit_ttl = \"500ms\"";
    let other = format!("{settings}\nprobe_rise = 1");
    let printed = run(
        &machine(settings),
        json!([
            outcome(0, json!({ "result": "auth" })),
            about(100, "permit", json!({ "permit": "p" })),
            reload(150, &machine(&other)),
            health(150),
        ]),
    );
    assert_eq!(kinds(&printed, 150), ["matrix.reloaded", "health.changed"]);
    // The permit ends at 600.
    let change = &changes(&printed, &["from", "to", "why", "crossed", "held_ms", "wait_ms"])[2];
    assert_eq!(*change, json!([150, "probing", "down", "reload", null, 50, 450]));
    assert_eq!(last(&printed, &["fault", "why", "open_attempts"]), json!(["auth", "reload", 1]));
}

#[test]
fn a_window_of_calls_goes_on_where_it_fits() {
    let of = |settings: &str| {
        let lines = json!([
            outcome(20, json!({ "result": "ok" })),
            outcome(130, json!({ "result": "ok" })),
            reload(150, &machine(settings)),
            health(150),
            health(250),
        ]);
        let printed = run(&machine("sliding_window_duration = \"200ms\"\nsliding_window_buckets = 2"), lines);
        let lines = printed.iter().filter(|line| line.get("detail").is_some());
        lines.map(|line| line["metrics"]["buffered_calls"].clone()).collect::<Vec<Value>>()
    };
    // Buckets of 100: the calls are in 0 to 100 and 100 to 200. The newest ends at 200, whatever one lasts.
    assert_eq!(of("sliding_window_duration = \"300ms\"\nsliding_window_buckets = 3"), [json!(2), json!(2)]);
    // Buckets of 150: 50 to 200 is the newest, and at 250 the only one before 200 to 350.
    assert_eq!(of("sliding_window_duration = \"300ms\"\nsliding_window_buckets = 2"), [json!(2), json!(1)]);
    // Fewer buckets than are saved; and buckets of 40, of which the newest has 50 left.
    assert_eq!(of("sliding_window_duration = \"200ms\"\nsliding_window_buckets = 1"), [json!(0), json!(0)]);
    assert_eq!(of("sliding_window_duration = \"80ms\"\nsliding_window_buckets = 2"), [json!(0), json!(0)]);
    assert_eq!(of("sliding_window_type = \"count_based\""), [json!(0), json!(0)]);
}

#[test]
fn a_signal_too_old_by_the_new_settings_is_the_reloads_doing() {
    let printed = run(
        &machine(""),
        json!([outcome(0, json!({ "result": "ok" })), reload(100, &machine("signal_ttl = \"50ms\"")),]),
    );
    assert_eq!(changes(&printed, &["to", "why", "held_ms"])[1], json!([100, "unknown", "reload", 100]));
}

#[test]
fn a_meter_goes_on_where_its_key_is_the_same() {
    let matrix = |settings: &str| metered("[{ local_meter = \"m\" }]", &format!("limit = 5\n{settings}"));
    let next = |settings: &str| {
        let lines = json!([
            of_meter(0, "usage", json!({ "tenant": "t", "amount": 3 })),
            reload(10, &matrix(settings)),
            failing(10, json!({ "amounts": { "m": 3 }, "preview": true })),
        ]);
        verdicts(&run(&matrix("key = [\"tenant\"]"), lines))
    };
    assert_eq!(next("capacity = 7"), ["deny"]);
    assert_eq!(next("window = \"1m\""), ["deny"]);
    assert_eq!(next("key = [\"tenant\", \"session\"]"), ["allow"]);
}

#[test]
fn a_period_ends_by_the_matrix_of_its_time() {
    let matrix = |window: &str| metered("[{ deny = true }]", &format!("window = \"{window}\""));
    let settled = |old: &str, new: &str| {
        let lines = json!([
            about(0, "override", json!({ "to": "forced_open" })),
            of_meter(0, "usage", json!({ "tenant": "t", "amount": 3 })),
            reload(250, &matrix(new)),
            about(260, "override", json!({ "to": null })),
        ]);
        told(&run(&matrix(old), lines), "meter.settlement", &["amount", "ended_ms"])
    };
    // It began at 0. By the old matrix it ended at 100; or by the new one, as of a restart.
    assert_eq!(settled("100ms", "10s"), [json!([260, 3, 160])]);
    assert_eq!(settled("10s", "100ms"), [json!([260, 3, 160])]);
    assert_eq!(settled("10s", "20s"), [json!([260, 3, null])]);
}

#[test]
fn a_new_dependency_is_as_at_the_beginning() {
    let more = format!(
        "{}[dependency.n]\nrole = \"guard\"\ndeadline = \"50ms\"\n\
         health = {{ initial_state = \"open\", wait_duration_in_open_state = \"100ms\" }}\n",
        guard("[]")
    );
    let printed = run(
        &guard("[]"),
        json!([
            reload(50, &more),
            { "at_ms": 149, "health": { "dependency": "n" } },
            { "at_ms": 150, "health": { "dependency": "n" } },
        ]),
    );
    assert_eq!(kinds(&printed, 50), ["matrix.reloaded"]);
    let shown: Vec<&Value> = printed.iter().filter_map(|line| line.get("health")).collect();
    assert_eq!(shown, ["down", "probing"]);
}

#[test]
fn what_fell_due_is_told_by_the_old_matrix() {
    let matrix = machine("consecutive_failure_threshold = 1\nwait_duration_in_open_state = \"100ms\"");
    let printed = run(
        &matrix,
        json!([
            outcome(0, json!({ "result": "timeout" })),
            { "at_ms": 150, "reload": { "document": document(&matrix.replace("\"m\"", "\"n\"")) } },
            { "at_ms": 140, "reload": { "document": document(&matrix) } },
        ]),
    );
    let expected = ["health.changed", "matrix.reloaded", "clock.stepped_back", "matrix.reloaded"];
    assert_eq!(kinds(&printed, 150), expected);
}

#[test]
fn a_document_with_a_mistake_is_a_mistake_of_the_line() {
    let reads = |part: Value| {
        let lines = [json!({ "reload": part })];
        crate::replay(&document(&guard("[]")), &Default::default(), &lines)
    };
    assert!(reads(json!({ "document": document(&guard("[]")) })).is_ok());
    assert!(reads(json!({ "document": "matrix.toml" })).is_err());
    assert!(reads(json!({ "document": document(&guard("[{ boil = true }]")) })).is_err());
    assert!(reads(json!({ "document": document(&guard("[]")), "parameters": { "p": "1" } })).is_err());
    assert!(reads(json!({})).is_err());
}

/// Whether a line changes nothing in the engine.
fn is_question(line: &Value) -> bool {
    line.get("health").is_some() || line.get("windows").is_some() || line["decide"]["preview"] == true
}

#[test]
fn a_reload_to_the_same_matrix_changes_nothing() {
    // RST-10. Behind a line that is no question, at its moment, there is nothing left to tell.
    for seed in 0..600 {
        let case = crate::generate::case_of_one_matrix(seed);
        // A window that may close in the line that used it closes with the next.
        if case.document["window_idle"] == "0ms" {
            continue;
        }
        let again = json!({ "reload": { "document": case.document, "parameters": case.parameters } });
        let mut lines = Vec::new();
        for line in &case.lines {
            lines.push(line.clone());
            if !is_question(line) {
                lines.push(again.clone());
            }
        }
        let told = |lines: &[Value]| {
            let mut printed = crate::replay(&case.document, &case.parameters, lines).expect("valid");
            printed.retain(|line| line["event"]["kind"] != "matrix.reloaded");
            for event in printed.iter_mut().filter_map(|line| line["event"].as_object_mut()) {
                event.remove("sequence");
            }
            printed
        };
        let (without, with) = (told(&case.lines), told(&lines));
        for (without, with) in without.iter().zip(&with) {
            assert_eq!(without.to_string(), with.to_string(), "seed {seed}");
        }
        assert_eq!(without.len(), with.len(), "seed {seed}");
    }
}
