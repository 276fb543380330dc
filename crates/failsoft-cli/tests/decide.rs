//! `failsoft decide`, as the fixed forms have it.

mod common;

use common::{Folder, SMALL, failsoft};
use serde_json::{Value, json};

const ASSIST: [&str; 4] = ["decide", "preset:ai-gateway", "--operation", "assist"];

fn assist(more: &[&str]) -> common::Run {
    failsoft(&[&ASSIST[..], more].concat())
}

/// The decision without what the fixed form leaves open here: the identity and since when.
fn plain(mut decision: Value) -> Value {
    decision.as_object_mut().expect("an object").shift_remove("matrix");
    for reason in decision["reasons"].as_array_mut().expect("a list") {
        reason.as_object_mut().expect("an object").shift_remove("since_ms");
    }
    decision
}

#[test]
fn the_decision_of_the_fixed_forms() {
    let run = assist(&["--fault", "quota=timeout", "--json"]);
    let text = run.done();
    assert!(text.starts_with(r#"{"matrix":"ai-gateway@1:sha256-"#), "{text}");
    assert_eq!(text.matches('\n').count(), 1);
    // The preset calls for a ticket, and a fault in a request changes no health.
    let expected = r#"{"operation":"assist","verdict":"allow","posture":"fail_soft","enforced":true,"cacheable":false,"status":200,"code":null,"retry_after_ms":null,"obligations":[{"kind":"local_meter","dependency":"quota","meter":"requests"}],"emits":[{"event":"quota.degraded","dependency":"quota","reason":null,"alert":"ticket"}],"reasons":[{"dependency":"quota","health":"unknown","fault":"timeout","rung":0,"kind":"local_meter"}]}"#;
    let decision: Value = serde_json::from_str(&text).expect("JSON");
    assert_eq!(plain(decision).to_string(), expected);
}

#[test]
fn a_fault_goes_before_health() {
    let decision = assist(&["--health", "quota=down", "--fault", "quota=timeout", "--json"]).json();
    let reason = &plain(decision)["reasons"][0];
    let expected =
        json!({"dependency":"quota","health":"down","fault":"timeout","rung":0,"kind":"local_meter"});
    assert_eq!(*reason, expected);
    // [NEED-2]: a report of ok is fine, whatever the health.
    let decision =
        assist(&["--health", "access-policy=down", "--fault", "access-policy=ok", "--json"]).json();
    assert_eq!(decision["verdict"], "allow");
    assert_eq!(decision["reasons"], json!([]));
}

#[test]
fn healths() {
    let of = |state: &str| assist(&["--health", &format!("access-policy={state}"), "--json"]).json();
    for fine in ["unknown", "healthy", "degraded", "probing"] {
        assert_eq!(of(fine)["verdict"], "allow", "{fine}");
    }
    let down = of("down");
    assert_eq!((&down["verdict"], &down["code"]), (&json!("deny"), &json!("POLICY_UNAVAILABLE")));
    // [DEC-29]: what is left of its open circuit's wait, "2s".
    assert_eq!(down["retry_after_ms"], 2000);
    assert_eq!(down["reasons"][0]["fault"], "unavailable");
    // [NEED-6]: degraded is failed where the ladder names it for this operation.
    let database = assist(&["--health", "database=degraded", "--json"]).json();
    assert_eq!(database["code"], "DATABASE_SLOW");
}

#[test]
fn an_outage_opens_what_an_operator_would_not() {
    // [LAD-14] bars a guard's fail-open rung where it failed by an operator alone; this failed by itself.
    let arguments =
        ["decide", "preset:sdk-direct", "--operation", "call", "--health", "control-plane=down", "--json"];
    let decision = failsoft(&arguments).json();
    assert_eq!((&decision["verdict"], &decision["posture"]), (&json!("allow"), &json!("fail_open")));
    let closed = [&arguments[..], &["--parameter", "enforcement_fail_open=false"]].concat();
    let decision = failsoft(&closed).json();
    assert_eq!(decision["code"], "CONTROL_PLANE_UNAVAILABLE");
}

#[test]
fn what_the_request_says_of_itself() {
    let refused = assist(&["--attribute", "originator=saga", "--json"]).json();
    assert_eq!((&refused["status"], &refused["code"]), (&json!(409), &json!("CIRCULAR_SAGA")));
    // [STG-6], [STG-7]: past the point of no return a stop is a cut.
    let cut = assist(&["--stage", "stream", "--fault", "moderation=timeout", "--json"]).json();
    assert_eq!((&cut["verdict"], &cut["status"]), (&json!("withhold"), &json!(200)));
    assert_eq!(cut["obligations"], json!([{"kind":"cut_stream","dependency":"moderation"}]));
    let class = assist(&["--class", "regulated", "--tenant", "t1", "--session", "s1", "--json"]).json();
    assert_eq!(class["verdict"], "allow");
}

#[test]
fn for_people() {
    let text = assist(&["--fault", "quota=timeout"]).done();
    let expected = "\
assist: allow fail_soft 200
  because  quota failed (timeout) -> rung 0 local_meter
  do       local_meter of requests
  tell     quota.degraded (alert ticket)
  but      not to be kept as an approval: a guard has not said yes
";
    assert_eq!(text, expected);
    let text = assist(&["--health", "access-policy=down"]).done();
    let expected = "\
assist: deny fail_closed 403 POLICY_UNAVAILABLE, again in 2s
  because  access-policy is down (unavailable) since 0:00 -> rung 1 deny
";
    assert_eq!(text, expected);
    let text = assist(&[]).done();
    assert_eq!(text, "assist: allow normal 200\n  because  nothing known stands in the way\n");
}

#[test]
fn colours() {
    assert!(!assist(&["--fault", "quota=timeout"]).done().contains('\u{1b}'), "none in a pipe");
    assert!(assist(&["--color", "always"]).done().contains("\u{1b}["));
    assert!(assist(&["--color=always"]).done().contains("\u{1b}["));
    assert!(!assist(&["--color", "always", "--json"]).done().contains('\u{1b}'), "none in JSON");
    assert!(!failsoft(&["--color", "never", "--help"]).done().contains('\u{1b}'));
    assert!(failsoft(&["--color", "always", "--help"]).done().contains('\u{1b}'));
}

#[test]
fn names_that_are_not_there() {
    let told = |more: &[&str]| assist(more).refused();
    assert_eq!(
        failsoft(&["decide", "preset:ai-gateway", "--operation", "asist"]).refused(),
        "--operation: there is no operation `asist`\n  help: did you mean `assist`?\n"
    );
    assert_eq!(
        told(&["--fault", "quta=timeout"]),
        "--fault: there is no dependency `quta`\n  help: did you mean `quota`?\n"
    );
    assert_eq!(
        told(&["--fault", "quota=timout"]),
        "--fault: there is no fault class `timout`\n  help: did you mean `timeout`?\n"
    );
    assert_eq!(
        told(&["--health", "quota=dwn"]),
        "--health: there is no health `dwn`\n  help: did you mean `down`?\n"
    );
    assert_eq!(
        told(&["--class", "standrd"]),
        "--class: there is no class `standrd`\n  help: did you mean `standard`?\n"
    );
    assert_eq!(
        told(&["--fault", "quota=ok", "--fault", "quota=timeout"]),
        "--fault: `quota` is given twice\n  help: give it once\n"
    );
    assert!(told(&["--stage", "admi"]).contains("a similar value exists: 'admit'"));
    assert!(told(&["--attribute", "originator"]).contains("there is no `=`; write it as NAME=VALUE"));
    assert!(told(&["--fault", "=timeout"]).contains("there is no name before `=`"));
    assert!(told(&["--operatoin", "x"]).contains("'--operation'"));
    assert!(failsoft(&["decide", "preset:ai-gateway"]).refused().contains("--operation <OP>"));
}

#[test]
fn parameters() {
    let told = assist(&["--parameter", "policy_cach=true"]).refused();
    assert!(told.starts_with("error: the document is sound, and a `--parameter` is not\n"), "{told}");
    assert!(told.contains("help: did you mean `policy_cache`?"), "{told}");
    let told = assist(&["--parameter", "policy_cache=maybe"]).refused();
    assert!(told.contains("takes `true` or `false`, and `maybe` was given"), "{told}");
    let told = assist(&["--parameter", "policy_cache=true", "--parameter", "policy_cache=false"]).refused();
    assert_eq!(told, "--parameter: the parameter `policy_cache` is given twice\n  help: give it once\n");
}

#[test]
fn documents_that_can_not_be_used() {
    let folder = Folder::new("decide");
    let broken = folder.file("broken.toml", SMALL.replace("\"guard\"", "\"gaurd\""));
    let told = failsoft(&["decide", &broken, "--operation", "assist", "--json"]).refused();
    assert!(told.contains("`role` can't be `gaurd`") && told.contains("broken.toml:6:8"), "{told}");
    assert!(told.contains("did you mean `guard`?"));
    let missing = folder.at("missing.toml");
    let told = failsoft(&["decide", &missing, "--operation", "assist"]).refused();
    assert!(told.starts_with(&format!("{missing}: there is no such file\n  help: ")), "{told}");
    let told = failsoft(&["decide", "preset:ai-gatewy", "--operation", "assist"]).refused();
    assert_eq!(
        told,
        "preset:ai-gatewy: there is no preset `ai-gatewy`\n  help: did you mean `ai-gateway`?\n"
    );
    let told = failsoft(&["decide", "ai-gateway", "--operation", "assist"]).refused();
    assert_eq!(
        told,
        "ai-gateway: there is no such file\n  help: for the preset, write `preset:ai-gateway`\n"
    );
}

#[test]
fn a_health_that_can_not_be() {
    let folder = Folder::new("never-down");
    let text = SMALL.replace("wait_duration_in_open_state = \"5s\"", "wait_duration_in_open_state = \"0s\"");
    let matrix = folder.file("matrix.toml", text);
    let told = failsoft(&["decide", &matrix, "--operation", "assist", "--health", "quota=down"]).refused();
    assert!(told.starts_with("--health: `quota` is never down"), "{told}");
}

#[test]
fn json_documents_are_read_too() {
    let folder = Folder::new("json");
    let text =
        r#"{"spec":1,"name":"j","dependency":{"a":{"role":"observe"}},"operation":{"o":{"needs":["a"]}}}"#;
    let matrix = folder.file("matrix.json", text);
    let decision =
        failsoft(&["decide", &matrix, "--operation", "o", "--fault", "a=timeout", "--json"]).json();
    // [LAD-4]: an observer's ladder that ran out allows.
    assert_eq!((&decision["verdict"], &decision["posture"]), (&json!("allow"), &json!("fail_open")));
    assert_eq!(decision["reasons"][0]["rung"], Value::Null);
}
