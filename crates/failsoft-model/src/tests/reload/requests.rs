//! What a request goes on with (RST-14, RST-15), each answer worked out by hand from the text.

use serde_json::{Value, json};

use super::{reload, request};
use crate::tests::machine::about;
use crate::tests::meters::{metered, told, verdicts};
use crate::tests::{ask, decisions, guard, parts, run};

#[test]
fn what_was_told_goes_on_by_names() {
    let matrix = guard("[{ deny = true }]");
    let said = |other: &str| {
        let lines = json!([
            ask(0, json!({ "request": "r", "faults": { "g": "timeout" } })),
            reload(10, other),
            ask(20, json!({ "request": "r" })),
        ]);
        verdicts(&run(&matrix, lines))
    };
    assert_eq!(
        said(&matrix.replace("\"deny\"", "\"defer\"").replace("name = \"m\"", "name = \"n\"")),
        ["deny", "deny"]
    );
    assert_eq!(said(&matrix.replace("\"guard\"", "\"serve\"")), ["deny", "allow"]);
}

#[test]
fn a_class_is_unknown_as_long_as_the_matrix_has_it_not() {
    let with = |classes: &str| {
        let ladder = "[{ allow = { when = { class = [\"a\"] } } }]";
        guard(ladder).replace("name = \"m\"\n", &format!("name = \"m\"\nclasses = {classes}\n"))
    };
    let printed = run(
        &with("[\"b\", \"a\"]"),
        json!([
            ask(0, json!({ "request": "r", "class": "b" })),
            ask(0, json!({ "request": "q", "faults": { "g": "timeout" } })),
            reload(10, &with("[\"a\"]")),
            ask(10, json!({ "request": "r" })),
            // It told no class, and is of the first, which is another now.
            ask(10, json!({ "request": "q" })),
            reload(20, &with("[\"b\", \"a\"]")),
            ask(20, json!({ "request": "r" })),
            ask(20, json!({ "request": "r", "class": "b" })),
        ]),
    );
    assert_eq!(verdicts(&printed), ["allow", "deny", "deny", "allow", "allow", "allow"]);
    let all = decisions(&printed);
    let unknown = all[2];
    let keys =
        ["posture", "enforced", "cacheable", "status", "code", "retry_after_ms", "obligations", "emits"];
    let expected = json!(["fail_closed", true, false, 503, "UNKNOWN_NAME", null, [], []]);
    assert_eq!(parts(unknown, &keys), expected);
    assert_eq!(unknown["reasons"][0]["kind"], "unknown_name");
}

#[test]
fn a_request_whose_operation_is_gone_still_finishes() {
    let matrix = metered("[{ allow = true }]", "limit = 5");
    let printed = run(
        &matrix,
        json!([
            request(0, "a", 3),
            reload(10, &matrix.replace("[operation.o]", "[operation.p]")),
            { "at_ms": 20, "finish": { "request": "a", "amounts": { "m": 4 } } },
            { "at_ms": 20, "windows": {} },
        ]),
    );
    // Taken while the store had failed for it: so the store is told of it, with what it cost.
    assert_eq!(told(&printed, "meter.settlement", &["amount"]), [json!([20, 4])]);
    let open = printed.iter().find_map(|line| line.get("windows")).expect("an answer");
    assert_eq!(open[0]["total"]["amounts"], json!({ "m": 4 }));
}

#[test]
fn an_outbox_goes_on_counting() {
    let matrix = guard("[{ outbox = 10 }]");
    let asks = |at: i64, name: &str| ask(at, json!({ "request": name, "faults": { "g": "timeout" } }));
    let numbers = |other: &str| {
        let lines = json!([asks(0, "a"), reload(10, other), asks(20, "a"), asks(30, "b")]);
        let printed = run(&matrix, lines);
        let all = decisions(&printed).into_iter();
        all.map(|decision| decision["obligations"][0]["sequence"].clone()).collect::<Vec<Value>>()
    };
    assert_eq!(numbers(&matrix.replace("= 10", "= 11")), [json!(1), json!(1), json!(2)]);
    let served = matrix.replace("\"guard\"", "\"serve\"");
    assert_eq!(numbers(&served), [json!(1), json!(1), json!(2)]);
    // A third that had a number before the other role: what was counted is forgotten.
    let lines = json!([asks(0, "a"), asks(0, "b"), reload(10, &served), asks(20, "b")]);
    let printed = run(&matrix, lines);
    assert_eq!(decisions(&printed)[2]["obligations"][0]["sequence"], json!(1));
}

#[test]
fn an_answer_stands_while_its_ladder_is_the_same() {
    let with =
        |ladder: &str, tier: &str| format!("{}[parameter.tier]\ndefault = \"{tier}\"\n", guard(ladder));
    let ruled = "[{ allow = { when = { parameter = { tier = \"gold\" } } } }, { deny = true }]";
    let after = |other: &str| {
        let lines = json!([
            about(0, "override", json!({ "to": "forced_open" })),
            ask(0, json!({ "request": "r" })),
            about(10, "override", json!({ "to": null })),
            reload(20, other),
            ask(20, json!({ "request": "r", "stage": "output" })),
        ]);
        let printed = run(&with("[{ deny = true }]", "silver"), lines);
        let last = decisions(&printed)[1].clone();
        json!([last["verdict"], last["reasons"][0]["rung"]])
    };
    assert_eq!(after(&with("[{ deny = true }]", "silver")), json!(["deny", 0]));
    // A rung that a parameter rules out is none; the other has another number.
    assert_eq!(after(&with(ruled, "silver")), json!(["deny", 1]));
    // One more, another `on_refusal`, or another stage: the need is looked at again.
    assert_eq!(after(&with(ruled, "gold")), json!(["allow", null]));
    let plain = with("[{ deny = true }]", "silver");
    let with_key =
        |key: &str| plain.replace("deadline = \"100ms\"\n", &format!("deadline = \"100ms\"\n{key}\n"));
    assert_eq!(after(&with_key("on_refusal = { withhold = true }")), json!(["allow", null]));
    assert_eq!(after(&with_key("stage = \"dispatch\"")), json!(["allow", null]));
    assert_eq!(after(&with_key("stage = \"admit\"")), json!(["deny", 0]));
}

#[test]
fn emits_stay_told_where_their_rung_goes_on() {
    let matrix = guard("[{ deny = { emit = \"stopped\" } }]");
    let times = |other: &str| {
        let asks = |at: i64| ask(at, json!({ "request": "r", "faults": { "g": "timeout" } }));
        let printed = run(&matrix, json!([asks(0), reload(10, other), asks(20)]));
        told(&printed, "stopped", &[]).len()
    };
    assert_eq!(times(&guard("[{ retry = 1 }, { deny = { emit = \"stopped\" } }]")), 1);
    assert_eq!(times(&guard("[{ deny = { emit = \"stopped\", status = 500 } }]")), 2);
}

#[test]
fn refuse_rules_and_the_attributes_that_they_look_at() {
    let rule = "refuse = [{ when = { present = \"a\" }, deny = { emit = \"ruled\" } }]\n";
    let (none, ruled) = (guard("[]"), format!("{}{rule}", guard("[]")));
    let said = |first: &str, second: &str| {
        let tells = ask(0, json!({ "request": "r", "attributes": { "a": "x" } }));
        let lines = json!([tells, reload(10, second), ask(20, json!({ "request": "r" }))]);
        let printed = run(first, lines);
        (verdicts(&printed), told(&printed, "ruled", &[]).len())
    };
    // No rule of the first looked at it.
    assert_eq!(said(&none, &ruled).0, ["allow", "allow"]);
    assert_eq!(
        said(&ruled, &ruled.replace("100ms", "200ms")),
        (vec!["deny".to_owned(), "deny".to_owned()], 1)
    );
    // Another list: its emits are told again.
    let longer = ruled.replace("refuse = [", "refuse = [{ when = { present = \"b\" } }, ");
    assert_eq!(said(&ruled, &longer), (vec!["deny".to_owned(), "deny".to_owned()], 2));
}

#[test]
fn a_guard_skipped_before_counts_on_for_posture_alone() {
    let matrix = guard("[{ allow = true }]")
        .replace("needs = [\"g\"]", "needs = [\"g\"]\nmax_unchecked = 0\nenforcement = \"shadow\"");
    let after = |other: &str| {
        let lines = json!([
            ask(0, json!({ "request": "r", "faults": { "g": "timeout" } })),
            reload(10, other),
            ask(20, json!({ "request": "r", "stage": "output" })),
        ]);
        let printed = run(&matrix, lines);
        parts(decisions(&printed)[1], &["verdict", "code", "posture", "cacheable"])
    };
    // It is reported as failed still.
    assert_eq!(after(&matrix), json!(["deny", "TOO_MANY_UNCHECKED", "fail_closed", false]));
    // Another role: a server that is fine, and a request that went on without its guard.
    let served = matrix.replace("\"guard\"", "\"serve\"");
    assert_eq!(after(&served), json!(["allow", null, "fail_open", false]));
}
