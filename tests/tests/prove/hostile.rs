//! Documents that are made to be too much: the checker stops within its bounds, says so, and says nothing else of them.

use std::fmt::Write;

use failsoft::check::diff;
use failsoft::document::{Format, Options, Proven, load};
use failsoft_model::generate::document_of;
use failsoft_tests::implementation::toml_to_json;
use serde_json::{Value, json};

use super::planted::{check, find};

const DEPENDENCY: &str = "role = \"serve\"\ndeadline = \"1s\"\n";

/// So many servers with ladders, all of them needs of one operation that is to be soft.
fn operation_of(ladders: &[String]) -> Value {
    let mut text = String::from("spec = 1\nname = \"hostile\"\n");
    for (place, ladder) in ladders.iter().enumerate() {
        let _ = write!(text, "[dependency.d{place}]\n{DEPENDENCY}on_failure = [{ladder}]\n");
    }
    let needs: Vec<String> = (0..ladders.len()).map(|place| format!("d{place}")).collect();
    let _ = write!(text, "[operation.o]\nneeds = {}\n", json!(needs));
    text.push_str("[[invariant]]\noperation = \"o\"\nposture = \"fail_soft\"\n");
    toml_to_json(&text).expect("TOML")
}

fn is_too_large(proven: &Proven) {
    assert!(find(proven, "too-large-to-prove", "operation.o").is_some(), "{}", proven.told);
    for code in ["broken-invariant", "vacuous-invariant", "dead-rung", "dead-setting"] {
        let found = proven.told.items().iter().find(|item| item.code == code);
        assert!(found.is_none(), "{found:?} is said of what was not gone through");
    }
}

/// 256 servers, each with three others in its place, no two the same.
fn tangle(code: &str) -> Value {
    let ladder = |place: usize| {
        let others = [1, 14, 27].map(|step| (place * 7 + step) % 256);
        let others = others.map(|other| if other == place { (place + 1) % 256 } else { other });
        let rungs = others.map(|other| format!("{{ fallback = {{ to = \"d{other}\" }} }}, "));
        rungs.concat() + &format!("{{ allow = {{ code = \"{code}{place}\" }} }}")
    };
    operation_of(&(0..256).map(ladder).collect::<Vec<String>>())
}

#[test]
fn what_hangs_together_in_256_needs() {
    is_too_large(&check(&tangle("A")).expect("a document"));
}

#[test]
fn the_least_bad_of_256() {
    let all: Vec<String> = (1..257).map(|place| format!("d{place}")).collect();
    let mut document = operation_of(&[format!("{{ least_bad = {{ of = {} }} }}", json!(all))]);
    for name in all {
        document["dependency"][name] = json!({"role": "serve", "deadline": "1s"});
    }
    is_too_large(&check(&document).expect("a document"));
}

/// Each wait is a length of its own that the time left is held against.
#[test]
fn thousands_of_waits() {
    let retry = |place: usize| {
        let (attempts, base) = (place * 1_000 + 2, place + 1);
        format!("{{ retry = {{ max_attempts = {attempts}, base = \"{base}s\", multiplier = 101 }} }}, ")
    };
    let ladder: String = (0..64).map(retry).collect();
    is_too_large(&check(&operation_of(&vec![ladder; 60])).expect("a document"));
}

/// Of each meter it is one thing or another, and of each the first that is over its limit answers.
#[test]
fn a_store_of_256_meters() {
    let mut document = operation_of(&[String::new()]);
    document["dependency"]["d0"]["role"] = "guard".into();
    let rungs = (0..64).map(|place| json!({"local_meter": {"meter": format!("m{place}")}}));
    document["dependency"]["d0"]["on_failure"] = rungs.collect::<Vec<Value>>().into();
    for place in 0..256 {
        document["meter"][format!("m{place}")] =
            json!({"store": "d0", "limit": 100 + place, "window": "1m", "max_instances": 4});
    }
    is_too_large(&check(&document).expect("a document"));
}

#[test]
fn a_comparison_that_is_too_large_proves_nothing() {
    let read = |document: Value| {
        load("case", document.to_string().as_bytes(), Format::Json, &Options::default()).expect("a document")
    };
    let (old, new) = (read(tangle("A")), read(tangle("B")));
    let changes = diff(&old.matrix, &new.matrix, &mut |_, _| ());
    assert_eq!(changes.too_large, ["o"]);
    assert!(!changes.is_nothing(), "nothing is proven of it");
    assert!(changes.changes.is_empty(), "{:?}", changes.changes);
}

/// The size that is promised, as it comes: all of it is gone through.
#[test]
fn random_matrices_of_16_dependencies_and_8_operations_are_not_too_large() {
    for seed in 0..6 {
        let proven = check(&document_of(seed, 16, 8)).expect("a document");
        assert_eq!(proven.report.operations, (8, 8), "seed {seed}");
        let found = proven.told.items().iter().find(|item| item.code == "too-large-to-prove");
        assert!(found.is_none(), "seed {seed}: {found:?}");
    }
}
