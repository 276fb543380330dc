//! Invariants, dead rungs, ladders that run out: the smallest situation of each.

use serde_json::{Value, json};

use super::super::guard;
use super::{failed, met, of, whole};
use crate::proof::{Answer, Brute, brute, sets};

/// All situations of operation `o` at a stage.
fn all(toml: &str, stage: &str) -> Brute {
    let whole = whole(toml);
    let pool = whole.facts("o").expect("facts");
    let found = brute(&whole, "o", "default", stage, &pool).expect("situations");
    assert_eq!(found.situations, sets(&pool));
    found
}

/// The sizes at which an invariant's `when` is so and at which it is broken.
fn sizes(ladder: &str, invariant: &str, stage: &str) -> (Option<usize>, Option<usize>) {
    let found = all(&format!("{}[[invariant]]\noperation = \"o\"\n{invariant}\n", guard(ladder)), stage);
    let [held] = found.invariants.as_slice() else { panic!("one invariant") };
    let size = |found: &Option<crate::proof::Smallest>| found.as_ref().map(|smallest| smallest.size);
    (size(&held.when), size(&held.broken))
}

#[test]
fn an_invariant_holds_or_is_broken_by_so_many_facts() {
    let denies = "when = { g = \"failed\" }\nverdict = \"deny\"";
    assert_eq!(sizes("[]", denies, "admit"), (Some(1), None));
    // Where nothing is known it is fine, and goes on.
    assert_eq!(sizes("[]", "never = \"allow\"", "admit"), (Some(0), Some(0)));
    assert_eq!(sizes("[{ allow = true }]", denies, "admit"), (Some(1), Some(1)));
    // It takes a failure and a cached yes.
    assert_eq!(sizes("[{ last_known = \"1h\" }]", denies, "admit"), (Some(1), Some(2)));
    let when = |condition: &str| format!("when = {{ g = \"{condition}\" }}\nverdict = \"deny\"");
    // A failure without a class is of no class; the caller's own fault takes no such rung.
    let ladder = "[{ withhold = { when = { health = [\"degraded\"] } } }, { allow = { when = { fault = [\"auth\"] } } }]";
    assert_eq!(sizes(ladder, &when("failed"), "admit"), (Some(1), Some(1)));
    assert_eq!(sizes(ladder, &when("auth"), "admit"), (Some(1), Some(1)));
    // Its health may be degraded beside the report.
    assert_eq!(sizes(ladder, &when("timeout"), "admit"), (Some(1), Some(2)));
    assert_eq!(sizes(ladder, &when("cancelled"), "admit"), (Some(1), None));
    assert_eq!(sizes(ladder, &when("refused"), "admit"), (Some(1), None));
    assert_eq!(sizes(ladder, &when("fine"), "admit"), (Some(0), Some(0)));
}

#[test]
fn a_when_that_is_never_so() {
    // Nobody tells anything of `h`, which is fine then.
    let other = "[dependency.h]\nrole = \"guard\"\ndeadline = \"1s\"\n";
    let toml = |condition: &str| {
        format!(
            "{}{other}[[invariant]]\noperation = \"o\"\nverdict = \"deny\"\nwhen = {{ h = \"{condition}\" }}\n",
            guard("[]")
        )
    };
    let held = |condition: &str| all(&toml(condition), "admit").invariants[0].clone();
    assert_eq!(held("refused").when, None);
    assert_eq!(held("fine").when.map(|smallest| smallest.size), Some(0));
}

#[test]
fn promises_of_posture_and_obligation() {
    let closed = "when = { g = \"failed\" }\nposture = \"fail_soft\"";
    assert_eq!(sizes("[{ last_known = \"1h\" }]", closed, "admit"), (Some(1), None));
    assert_eq!(sizes("[{ metadata_only = true }]", closed, "admit"), (Some(1), Some(1)));
    // What stops keeps any promise of what goes on.
    let marked = "when = { g = \"failed\" }\nobligation = \"mark_unchecked\"";
    assert_eq!(sizes("[]", marked, "admit"), (Some(1), None));
    assert_eq!(sizes("[{ allow = true }]", marked, "admit"), (Some(1), None));
    assert_eq!(sizes("[{ last_known = \"1h\" }]", marked, "admit"), (Some(1), Some(2)));
}

#[test]
fn a_cut_counts_as_a_stop() {
    let when = "when = { g = \"timeout\" }\n";
    let promise = |promise: &str, stage: &str| sizes("[]", &format!("{when}{promise}"), stage).1;
    assert_eq!(promise("verdict = \"deny\"", "stream"), None);
    assert_eq!(promise("never = \"withhold\"", "stream"), None);
    assert_eq!(promise("obligation = \"withhold_output\"", "stream"), None);
    assert_eq!(promise("never = \"deny\"", "stream"), Some(1));
    // A rung that withholds is no cut.
    assert_eq!(sizes("[{ withhold = true }]", &format!("{when}verdict = \"deny\""), "stream").1, Some(1));
}

#[test]
fn an_operator_who_skips_is_no_condition() {
    let toml = guard("[]").replace("[operation.o]", "break_glass = { max_duration = \"1h\" }\n[operation.o]");
    let invariant = |rest: &str| format!("[[invariant]]\noperation = \"o\"\n{rest}\n");
    let denies =
        |condition: &str| invariant(&format!("when = {{ g = \"{condition}\" }}\nverdict = \"deny\""));
    let found = all(
        &format!("{toml}{}{}{}", denies("failed"), denies("refused"), invariant("posture = \"fail_soft\"")),
        "admit",
    );
    let broken =
        |place: usize| found.invariants[place].broken.as_ref().map(|smallest| smallest.facts.clone());
    assert_eq!(broken(0), None);
    assert_eq!(broken(1), None);
    assert_eq!(broken(2), Some(vec![of("skipped", "g")]));
}

/// The size at which an answer of `g` stands first.
fn answered(found: &Brute, rung: Option<i64>, kind: &str, fault: Option<&str>) -> Option<usize> {
    let answer = Answer {
        by_advice_alone: false,
        dependency: Some("g".to_owned()),
        rung,
        kind: kind.to_owned(),
        fault: fault.map(str::to_owned),
    };
    found.answers.get(&answer).map(|smallest| smallest.size)
}

#[test]
fn a_rung_is_dead_and_a_ladder_runs_out() {
    let found = all(&guard("[{ deny = true }, { allow = true }]"), "admit");
    assert_eq!(answered(&found, Some(0), "deny", Some("timeout")), Some(1));
    assert_eq!(answered(&found, Some(0), "deny", Some("refused")), Some(1));
    assert!(found.answers.keys().all(|answer| answer.rung != Some(1)));
    // It runs out by the caller's own faults alone.
    let out = found.answers.keys().filter(|answer| answer.rung.is_none());
    let faults: Vec<_> = out.map(|answer| answer.fault.clone().unwrap_or_default()).collect();
    assert_eq!(faults, ["cancelled", "rejected"]);

    let found =
        all(&guard("[{ last_known = { max_age = \"1h\", when = { fault = [\"timeout\"] } } }]"), "admit");
    assert_eq!(answered(&found, Some(0), "last_known", Some("timeout")), Some(2));
    assert_eq!(answered(&found, None, "deny", Some("timeout")), Some(1));
    assert_eq!(answered(&found, None, "deny", Some("unreachable")), Some(1));
}

#[test]
fn which_refuse_rules_decide() {
    let rule = |when: &str| format!("[[operation.o.refuse]]\nwhen = {{ {when} }}\n");
    let toml = guard("[]")
        + &rule("present = \"a\"")
        + &rule("equals = { a = \"x\" }")
        + &rule("same = [\"b\", \"c\"]");
    let found = all(&toml, "stream");
    let sizes: Vec<_> = found.rules.iter().map(|rule| rule.as_ref().map(|smallest| smallest.size)).collect();
    assert_eq!(sizes, [Some(1), None, Some(0)]);
}

#[test]
fn a_pool_of_some_facts() {
    let whole = whole(&guard("[{ allow = true }]"));
    let pool = [met("g", "ok"), met("g", "timeout"), failed("down", "timeout")];
    assert_eq!(sets(&pool), 6);
    let found = brute(&whole, "o", "default", "admit", &pool).expect("situations");
    assert_eq!(found.situations, 6);
    assert_eq!(answered(&found, Some(0), "allow", Some("timeout")), Some(1));
    assert!(brute(&whole, "o", "default", "admit", &[json!({ "fact": "nothing" })]).is_err());
    assert!(brute(&whole, "p", "default", "admit", &[] as &[Value]).is_err());
}
