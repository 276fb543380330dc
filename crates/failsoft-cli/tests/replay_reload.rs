//! `failsoft replay` of a trace in which another matrix takes over.

mod common;

use common::{Folder, failsoft};

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

#[test]
fn the_picture_has_a_lane_for_whoever_came() {
    let folder = Folder::new("reload-picture");
    let (matrix, trace) = (folder.file("m.json", MATRIX), folder.file("t.jsonl", TRACE));
    let page = folder.at("page.html");
    failsoft(&["replay", &matrix, &trace, "--html", &page]).done();
    let page = std::fs::read_to_string(page).expect("a page");
    let (_, data) = page.split_once("<script type=\"application/json\" id=\"data\">").expect("data");
    let (data, _) = data.split_once("</script>").expect("an end");
    let data: serde_json::Value = serde_json::from_str(data).expect("JSON");
    let lanes = data["lanes"].as_array().expect("lanes");
    let lane = |name: &str, place: usize| {
        let lane = lanes.iter().filter(|lane| lane["name"] == name).nth(place).expect("a lane");
        lane["spans"].as_array().expect("spans").clone()
    };
    // From, to and state: unknown 0, healthy 1.
    let of = |spans: &[serde_json::Value]| -> Vec<(i64, i64, i64)> {
        let number = |span: &serde_json::Value, place: usize| span[place].as_i64().expect("a number");
        spans.iter().map(|span| (number(span, 0), number(span, 1), number(span, 2))).collect()
    };
    assert_eq!(of(&lane("h", 0)), [(40, 50, 0), (50, 60, 1)], "it begins with its matrix");
    assert_eq!(of(&lane("g", 0)), [(0, 60, 0)]);
    let window = &lane("g", 1)[0];
    assert_eq!(
        (&window[0], &window[1]),
        (&serde_json::json!(0), &serde_json::json!(40)),
        "closed by the reload"
    );
    for said in ["takes over from", "last used 0:00.030, closed by the reload 0:00.040"] {
        assert!(page.contains(said), "{said}");
    }
}
