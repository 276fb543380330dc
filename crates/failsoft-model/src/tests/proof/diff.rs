//! What changes between two matrices, and in which direction.

use serde_json::{Value, json};

use super::super::guard;
use super::{failed, met, whole};
use crate::proof::{Diff, Smallest, brute_diff};

/// What changes from one matrix to another, over all facts of either.
fn diff(old: &str, new: &str) -> Diff {
    let (old, new) = (whole(old), whole(new));
    let mut pool = old.facts("o").expect("facts");
    for fact in new.facts("o").expect("facts") {
        if !pool.contains(&fact) {
            pool.push(fact);
        }
    }
    brute_diff(&old, &new, "o", "default", "admit", &pool).expect("situations")
}

/// The sizes of the changes: looser, stricter, other.
fn sizes(old: &str, new: &str) -> Value {
    let diff = diff(old, new);
    let size = |found: &Option<Smallest>| found.as_ref().map(|smallest| smallest.size);
    json!([size(&diff.looser), size(&diff.stricter), size(&diff.other)])
}

#[test]
fn a_change_has_a_direction() {
    let (denies, allows) = (guard("[]"), guard("[{ allow = true }]"));
    assert_eq!(sizes(&denies, &denies), json!([null, null, null]));
    assert_eq!(sizes(&denies, &allows), json!([1, null, null]));
    assert_eq!(sizes(&allows, &denies), json!([null, 1, null]));
    // Another status, and nothing else; what is written out is no change at all.
    assert_eq!(sizes(&denies, &guard("[{ deny = { status = 504 } }]")), json!([null, null, 1]));
    assert_eq!(sizes(&denies, &guard("[{ deny = true }]")), json!([null, null, null]));
    // Both go on: by the posture. And what bars a fail-open rung (`auth`, an operator) does not bar the other.
    assert_eq!(sizes(&allows, &guard("[{ last_known = \"1h\" }, { allow = true }]")), json!([2, 2, null]));
    let named = |kind: &str| guard(&format!("[{{ {kind} = {{ when = {{ fault = [\"timeout\"] }} }} }}]"));
    assert_eq!(sizes(&named("withhold"), &named("allow")), json!([1, null, null]));
    let shadow = format!("{denies}enforcement = \"shadow\"\n");
    assert_eq!(sizes(&denies, &shadow), json!([0, null, null]));
    assert_eq!(sizes(&shadow, &allows), json!([null, 0, null]));
}

#[test]
fn facts_are_told_to_the_matrix_that_has_their_thing() {
    let old = guard("[]");
    let new = old.replace("needs = [\"g\"]", "needs = [\"g\", \"h\"]")
        + "[dependency.h]\nrole = \"guard\"\ndeadline = \"1s\"\n";
    let changes = diff(&old, &new);
    // A refusal of h before a failure of g is another answer of the same verdict.
    assert_eq!(changes.stricter.as_ref().map(|smallest| smallest.size), Some(1));
    assert_eq!(changes.looser, None);
    // An age that the old ladder does not mention is too old for it, or young enough.
    let older = guard("[{ last_known = \"1h\" }]");
    assert_eq!(sizes(&older, &guard("[{ last_known = \"2h\" }]")), json!([2, null, null]));
    // A cap that the other does not have is dropped there.
    let capped = guard("[{ allow = { cap = { requests = 2 } } }]");
    assert_eq!(sizes(&guard("[{ allow = true }]"), &capped), json!([null, 2, null]));
}

#[test]
fn refuse_rules_and_classes() {
    let rule = |when: &str| format!("[[operation.o.refuse]]\nwhen = {{ {when} }}\n");
    let old = guard("[]") + &rule("present = \"a\"");
    // Where `g` has failed too, one denial stands in the place of another.
    assert_eq!(sizes(&guard("[]"), &old), json!([null, 1, 2]));
    assert_eq!(sizes(&old, &(guard("[]") + &rule("equals = { a = \"x\" }"))), json!([1, null, 2]));
    // A class that only the new one has is held against the first of the old.
    let classes = guard("[{ deny = { when = { class = [\"new\"] } } }, { allow = true }]")
        .replace("name = \"m\"\n", "name = \"m\"\nclasses = [\"default\", \"new\"]\n");
    let (old, new) = (whole(&guard("[{ allow = true }]")), whole(&classes));
    let pool = [met("g", "timeout"), failed("down", "timeout")];
    let changes = |class: &str| brute_diff(&old, &new, "o", class, "admit", &pool).expect("situations");
    assert_eq!(changes("default").stricter, None);
    assert_eq!(changes("new").stricter.map(|smallest| smallest.size), Some(1));
}
