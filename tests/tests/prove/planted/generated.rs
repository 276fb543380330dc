//! Faults in documents that are too long to write, and what a document silences.

use std::fmt::Write;

use failsoft_tests::implementation::toml_to_json;
use serde_json::{Value, json};

use super::judged::{breaks, decided};
use super::{check, document, find};

/// Sixteen servers in eight operations. Each of the first eight has four of the others to fall back to, no two of them the same
/// four, and then stops; but for one, which goes on where all five are gone.
fn sixteen(open: Option<usize>) -> String {
    let mut text = String::from("spec = 1\nname = \"sixteen\"\n");
    for one in 0..16 {
        let _ = write!(text, "[dependency.s{one}]\nrole = \"serve\"\ndeadline = \"1s\"\n");
        if one < 8 {
            text.push_str("on_failure = [");
            for other in substitutes(one) {
                let _ = write!(text, "{{ fallback = {{ to = \"s{other}\" }} }}, ");
            }
            if open == Some(one) {
                text.push_str("{ allow = { when = { stage = [\"dispatch\"] } } }, ");
            }
            text.push_str("{ deny = true }]\n");
        }
    }
    for one in 0..8 {
        let _ = write!(text, "[operation.o{one}]\nneeds = [\"s{one}\", \"s{}\"]\n", 8 + (one + 2) % 8);
        let _ = write!(text, "[[invariant]]\noperation = \"o{one}\"\nposture = \"fail_soft\"\n");
    }
    text
}

fn substitutes(one: usize) -> [usize; 4] {
    [0, 1, 3, 6].map(|step| 8 + (one + step) % 8)
}

#[test]
fn five_given_dependencies_of_sixteen() {
    let open = 5;
    let sound = check(&document(&sixteen(None), &[], &Value::Null).expect("TOML")).expect("a document");
    let whole = document(&sixteen(Some(open)), &[], &Value::Null).expect("TOML");
    let proven = check(&whole).expect("a document");
    let mut five: Vec<String> = substitutes(open).iter().map(|one| format!("s{one}")).collect();
    five.push(format!("s{open}"));
    five.sort_unstable();
    for operation in 0..8 {
        let at = format!("invariant[{operation}]");
        assert!(find(&sound, "broken-invariant", &at).is_none(), "{at}");
        let found = find(&proven, "broken-invariant", &at);
        assert_eq!(found.is_some(), operation == open, "{at}");
        let Some(told) = found.flatten() else { continue };
        let mut named: Vec<&str> =
            told.facts.iter().map(|fact| fact["dependency"].as_str().expect("of a dependency")).collect();
        named.sort_unstable();
        assert_eq!(named, five, "{:?}", told.facts);
        let decision = decided(&whole, &told.trace).expect("decided");
        assert!(breaks(&whole["invariant"][operation], &decision), "{decision}");
    }
}

/// Twenty servers, each of which falls back to all the others: every need depends on all that there is.
#[test]
fn an_operation_that_is_too_large_says_so() {
    let mut text = String::from("spec = 1\nname = \"large\"\n");
    let names: Vec<String> = (0..20).map(|one| format!("s{one}")).collect();
    for name in &names {
        let _ = write!(text, "[dependency.{name}]\nrole = \"serve\"\ndeadline = \"1s\"\non_failure = [");
        for (place, other) in names.iter().enumerate().filter(|(_, other)| *other != name) {
            let _ = write!(
                text,
                "{{ fallback = {{ to = \"{other}\", emit = \"{name}.{place}\", when = {{ health = [\"degraded\", \"down\"] }} }} }}, "
            );
            let _ = write!(text, "{{ last_known = {{ max_age = \"{place}m\", emit = \"old.{place}\" }} }}, ");
        }
        text.push_str("]\n");
    }
    let _ = write!(text, "[operation.all]\nneeds = {}\n", json!(names));
    text.push_str("[[invariant]]\noperation = \"all\"\nobligation = \"audit\"\nwhen = { s0 = \"failed\" }\n");
    let proven = check(&toml_to_json(&text).expect("TOML")).expect("a document");
    let found = find(&proven, "too-large-to-prove", "operation.all");
    assert!(found.is_some_and(|situation| situation.is_none()), "{}", proven.told);
    assert!(find(&proven, "broken-invariant", "invariant[0]").is_none(), "nothing is said of it");
}

/// A guard that is skipped, which is told twice: as unbounded, and by a promise that is broken.
const OPEN: &str = r#"
    spec = 1
    name = "silenced"
    [dependency.policy]
    role = "guard"
    deadline = "50ms"
    on_failure = [{ allow = { when = { fault = ["timeout"] } } }, { deny = true }]
    [operation.assist]
    needs = ["policy"]
    [[invariant]]
    operation = "assist"
    when = { policy = "failed" }
    verdict = "deny"
"#;

fn silenced(code: &str, at: &str) -> Value {
    let mut document = toml_to_json(OPEN).expect("TOML");
    document["silence"] = json!([{ "code": code, "at": at, "reason": "agreed with the auditor" }]);
    document
}

#[test]
fn what_is_silenced_is_counted_and_not_told() {
    let (code, at) = ("unbounded-open", "dependency.policy.on_failure[0]");
    let told = check(&toml_to_json(OPEN).expect("TOML")).expect("a document");
    assert!(find(&told, code, at).is_some());
    assert_eq!(told.silenced, 0);
    let silent = check(&silenced(code, at)).expect("a document");
    assert!(find(&silent, code, at).is_none());
    assert_eq!(silent.silenced, 1);
    // It takes that one away, and nothing else.
    assert_eq!(silent.told.items().len() + 1, told.told.items().len());
    assert!(find(&silent, "broken-invariant", "invariant[0]").is_some());
    assert!(find(&silent, "stale-silence", "silence[0]").is_none());
}

#[test]
fn of_another_place_nothing_is_silenced() {
    let proven = check(&silenced("unbounded-open", "dependency.policy.on_failure[1]")).expect("a document");
    assert!(find(&proven, "unbounded-open", "dependency.policy.on_failure[0]").is_some());
    assert!(find(&proven, "stale-silence", "silence[0]").is_some());
    assert_eq!(proven.silenced, 0);
}

#[test]
fn an_error_can_not_be_silenced() {
    for code in ["broken-invariant", "broken-law", "too-large-to-prove"] {
        let mistakes = check(&silenced(code, "invariant[0]")).expect_err("refused");
        assert!(mistakes.contains("silence"), "{mistakes}");
    }
}
