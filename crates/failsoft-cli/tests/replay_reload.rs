//! `failsoft replay` of a trace in which another matrix takes over.

mod common;

use common::{Folder, failsoft};
use serde_json::{Value, json};

const MATRIX: &str = r#"{"spec":1,"name":"t","dependency":{"g":{"role":"guard","deadline":"1s","on_failure":[{"allow":{}}]}},"operation":{"a":{"needs":["g"]}}}"#;

/// A rung is put above the one that is open; then that one goes.
const TRACE: &str = r#"{"at_ms":0,"decide":{"operation":"a","request":"r1","tenant":"t1","faults":{"g":"timeout"}}}
{"at_ms":20,"reload":{"document":{"spec":1,"name":"t","revision":2,"dependency":{"g":{"role":"guard","deadline":"1s","on_failure":[{"deny":{"when":{"fault":["auth"]}}},{"allow":{}}]}},"operation":{"a":{"needs":["g"]}}}}}
{"at_ms":30,"decide":{"operation":"a","request":"r1"}}
{"at_ms":40,"reload":{"document":{"spec":1,"name":"t","revision":3,"dependency":{"h":{"role":"observe"},"g":{"role":"guard","deadline":"1s","on_failure":[{"deny":{}}]}},"operation":{"a":{"needs":["g"]}}}}}
{"at_ms":50,"outcome":{"dependency":"h","result":"timeout"}}
{"at_ms":60,"decide":{"operation":"a","request":"r1"}}
"#;

#[test]
fn for_people() {
    let folder = Folder::new("reload-people");
    let (matrix, trace) = (folder.file("m.json", MATRIX), folder.file("t.jsonl", TRACE));
    let text = failsoft(&["replay", &matrix, &trace]).done();
    for said in [
        "window   g opened: a goes on fail_open by rung 0 allow",
        "reload   t@2:sha256-",
        "takes over from t@1:sha256-",
        "allow    fail_open   a r1: 200; g failed (timeout) -> rung 1 allow",
        "window   g closed by the reload: 30ms, 1 request: 1 by rung 1 allow",
        "health   h unknown -> healthy",
        "deny     fail_closed a r1: 503 DEPENDENCY_UNAVAILABLE; g failed (timeout) -> rung 0 deny",
        "6 lines, 0:00 to 0:00.060\nt@3:sha256-",
    ] {
        assert!(text.contains(said), "{said}\n{text}");
    }
}

#[test]
fn a_mistake_in_the_new_document_says_where_and_changes_nothing() {
    let folder = Folder::new("reload-mistake");
    let bad = TRACE.replacen(
        "\"deadline\":\"1s\",\"on_failure\":[{\"deny\":{}}]",
        "\"on_failure\":[{\"deni\":{}}]",
        1,
    );
    let (matrix, trace) = (folder.file("m.json", MATRIX), folder.file("t.jsonl", &bad));
    let run = failsoft(&["replay", &matrix, &trace, "--json"]);
    let printed = run.out.lines().count();
    assert_eq!(printed, 4, "all before it: {}", run.out);
    assert_eq!(run.status, 2);
    let told = run.err;
    let line = bad.lines().nth(3).expect("a fourth line");
    let column = line.find("deni").expect("it is there");
    assert!(
        told.contains(&format!(
            "t.jsonl:4:{column}: in the new document: there is no rung of the kind `deni`"
        )),
        "{told}"
    );
    assert!(told.contains("did you mean `deny`?"), "{told}");
}

/// The page of a replay, and the data that its script reads.
fn drawn(test: &str, matrix: &str, trace: &str) -> (String, Value) {
    let folder = Folder::new(test);
    let (matrix, trace) = (folder.file("m.json", matrix), folder.file("t.jsonl", trace));
    let page = folder.at("page.html");
    failsoft(&["replay", &matrix, &trace, "--html", &page]).done();
    let page = std::fs::read_to_string(page).expect("a page");
    let (_, data) = page.split_once("<script type=\"application/json\" id=\"data\">").expect("data");
    let (data, _) = data.split_once("</script>").expect("an end");
    let data = serde_json::from_str(data).expect("JSON");
    (page, data)
}

/// From, to and state of the spans of the lane of that name: unknown 0, healthy 1, degraded 2, down 3.
fn spans(data: &Value, name: &str, place: usize) -> Vec<(i64, i64, i64)> {
    let lanes = data["lanes"].as_array().expect("lanes");
    let lane = lanes.iter().filter(|lane| lane["name"] == name).nth(place).expect("a lane");
    let number = |span: &Value, place: usize| span[place].as_i64().expect("a number");
    let spans = lane["spans"].as_array().expect("spans").iter();
    spans.map(|span| (number(span, 0), number(span, 1), number(span, 2))).collect()
}

fn reload(at: i64, document: &Value) -> String {
    json!({"at_ms": at, "reload": {"document": document}}).to_string()
}

#[test]
fn the_picture_has_a_lane_for_whoever_came() {
    let (page, data) = drawn("reload-picture", MATRIX, TRACE);
    assert_eq!(spans(&data, "h", 0), [(40, 50, 0), (50, 60, 1)], "it begins with its matrix");
    assert_eq!(spans(&data, "g", 0), [(0, 60, 0)]);
    assert_eq!(spans(&data, "g", 1)[0].1, 40, "closed by the reload");
    for said in ["takes over from", "last used 0:00.030, closed by the reload 0:00.040"] {
        assert!(page.contains(said), "{said}");
    }
}

#[test]
fn what_goes_and_comes_back_begins_anew_and_decisions_are_not_stretched() {
    let matrix = |names: &[&str], operation: &str, role: &str| {
        let dependency = |name: &&str| {
            let health = json!({"consecutive_failure_threshold": 1, "wait_duration_in_open_state": "1h"});
            (
                (*name).to_owned(),
                json!({"role": role, "deadline": "1s", "on_failure": [{"allow": {}}], "health": health}),
            )
        };
        let dependencies: serde_json::Map<String, Value> = names.iter().map(dependency).collect();
        json!({"spec": 1, "name": "t", "dependency": dependencies, "operation": {operation: {"needs": [names[0]]}}})
    };
    let trace = [
        json!({"at_ms": 0, "outcome": {"dependency": "q", "result": "timeout"}}).to_string(),
        json!({"at_ms": 10, "decide": {"operation": "a"}}).to_string(),
        reload(20, &matrix(&["p"], "b", "guard")),
        reload(50, &matrix(&["q", "p"], "b", "guard")),
        json!({"at_ms": 60, "outcome": {"dependency": "q", "result": "timeout"}}).to_string(),
        // Another role is another dependency.
        reload(80, &matrix(&["q", "p"], "b", "serve")),
        json!({"at_ms": 90, "decide": {"operation": "b"}}).to_string(),
    ];
    let (_, data) = drawn("reload-anew", &matrix(&["q"], "a", "guard").to_string(), &trace.join("\n"));
    let expected = [(0, 0, 0), (0, 20, 3), (50, 60, 0), (60, 80, 3), (80, 90, 0)];
    assert_eq!(spans(&data, "q", 0), expected, "down, gone, unknown, down, and unknown as a server");
    assert_eq!(
        spans(&data, "p", 0),
        [(20, 80, 0), (80, 90, 0)],
        "nothing is told of it, and it goes and comes too"
    );
    assert_eq!(spans(&data, "a", 0), [(10, 10, 2)], "one decision is one moment");
}

#[test]
fn answers_of_two_matrices_are_not_the_same() {
    let matrix = |names: [&str; 2]| {
        let dependency = json!({"role": "guard", "deadline": "1s", "on_failure": [{"allow": {}}]});
        let dependencies: serde_json::Map<String, Value> =
            names.iter().map(|name| ((*name).to_owned(), dependency.clone())).collect();
        json!({"spec": 1, "name": "t", "dependency": dependencies, "operation": {"a": {"needs": [names[0]]}}})
    };
    let decide = |at: i64, name: &str| {
        json!({"at_ms": at, "decide": {"operation": "a", "faults": {name: "timeout"}}}).to_string()
    };
    let trace = [decide(0, "x"), reload(10, &matrix(["y", "x"])), decide(20, "y")].join("\n");
    let (page, data) = drawn("reload-swap", &matrix(["x", "y"]).to_string(), &trace);
    assert_eq!(spans(&data, "a", 0), [(0, 0, 2), (20, 20, 2)]);
    assert!(page.contains("y failed (timeout)"), "{page}");
}

#[test]
fn windows_that_a_snapshot_brings_or_takes_are_on_the_page() {
    let matrix = json!({
        "spec": 1, "name": "t", "window_idle": "5s", "classes": ["c"],
        "dependency": {"g": {"role": "guard", "deadline": "1s", "on_failure": [{"allow": {}}]}},
        "operation": {"a": {"needs": ["g"]}},
    });
    let decide =
        |at: i64| json!({"at_ms": at, "decide": {"operation": "a", "faults": {"g": "timeout"}}}).to_string();
    let account = json!({
        "decisions": [{"rung": 0, "rung_kind": "allow", "requests": 8}],
        "tenants": [{"tenant": "t1", "requests": 8}],
    });
    let snapshot = json!({"v": 1, "dependencies": {"g": {"window_open": {"age_ms": 400, "last_age_ms": 100, "account": account}}}});
    let trace = [
        decide(0),
        json!({"at_ms": 1000, "restart": {"away_ms": 0, "snapshot": {"v": 1}}}).to_string(),
        json!({"at_ms": 2000, "restart": {"away_ms": 3_600_000, "snapshot": snapshot}}).to_string(),
        decide(3000),
    ];
    let (page, data) = drawn("reload-snapshots", &matrix.to_string(), &trace.join("\n"));
    let windows = spans(&data, "g", 1);
    assert_eq!(windows.len(), 3, "{windows:?}");
    for said in ["told no more of: a snapshot was restored without it", "<b>8 requests</b>", "3 windows"] {
        assert!(page.contains(said), "{said}\n{page}");
    }
    assert!(!page.contains("last used -"), "no moment before the trace");
}

#[test]
fn however_many_names_reloads_bring_the_page_stays_small() {
    let matrix = |batch: usize| {
        let dependency = json!({"role": "observe"});
        let dependencies: serde_json::Map<String, Value> =
            (0..1_024).map(|number| (format!("d{batch}-{number}"), dependency.clone())).collect();
        json!({"spec": 1, "name": "t", "dependency": dependencies, "operation": {format!("o{batch}"): {"needs": []}}})
    };
    let trace: Vec<String> =
        (1..12).map(|batch| reload(i64::try_from(batch).expect("small"), &matrix(batch))).collect();
    let (page, data) = drawn("reload-many", &matrix(0).to_string(), &trace.join("\n"));
    assert!(page.len() <= 2_000_000, "{}", page.len());
    assert!(data["lanes"].as_array().expect("lanes").len() <= 2_100);
    assert!(page.contains("Left out:</strong> 11,264 lanes"), "says so");
}
