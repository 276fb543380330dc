//! Each way in which a reader of events could be broken is found, and each way of adding is let through.
//!
//! Every change is made in the schema itself, so that nothing is lost between it and the flat form.

use failsoft_tests::contract::{Changes, Contract, schema};
use serde_json::{Map, Value, json};

/// What a change of the schema is found to be.
fn changes(change: impl FnOnce(&mut Value)) -> Changes {
    let before = schema().expect("a schema");
    let mut after = before.clone();
    change(&mut after);
    assert_ne!(before.to_string(), after.to_string(), "the change was not made");
    let flat = |schema: &Value| Contract::from_schema(schema).expect("a schema that the flat form can say");
    flat(&after).changes_since(&flat(&before))
}

#[track_caller]
fn breaks(told: &str, change: impl FnOnce(&mut Value)) {
    let changes = changes(change);
    assert!(changes.broken.iter().any(|what| what.contains(told)), "{changes:?} does not tell {told:?}");
}

#[track_caller]
fn adds(told: &str, change: impl FnOnce(&mut Value)) {
    let changes = changes(change);
    assert!(changes.broken.is_empty(), "{changes:?}");
    assert!(changes.added.iter().any(|what| what.contains(told)), "{changes:?} does not tell {told:?}");
}

/// The branch of a kind.
fn branch<'a>(schema: &'a mut Value, kind: &str) -> &'a mut Value {
    let branches = schema["oneOf"].as_array_mut().expect("branches");
    let found = branches.iter_mut().find(|branch| branch["properties"]["kind"]["const"] == kind);
    found.expect("a branch of that kind")
}

fn properties(schema: &mut Value) -> &mut Map<String, Value> {
    schema["properties"].as_object_mut().expect("properties")
}

fn remove(schema: &mut Value, key: &str) {
    properties(schema).shift_remove(key).expect("a property");
    schema["required"].as_array_mut().expect("a list").retain(|required| required != key);
}

fn put(schema: &mut Value, index: usize, key: &str, kind: Value) {
    properties(schema).shift_insert(index, key.to_string(), kind);
    schema["required"].as_array_mut().expect("a list").push(key.into());
}

fn append(schema: &mut Value, key: &str, kind: Value) {
    let index = properties(schema).len();
    put(schema, index, key, kind);
}

fn text() -> Value {
    json!({ "type": "string" })
}

#[test]
fn a_kind_that_is_gone() {
    let gone = |schema: &mut Value| {
        schema["oneOf"].as_array_mut().expect("branches").retain(|branch| branch["title"] != "table.full");
    };
    breaks("table.full: the kind is gone", gone);
}

#[test]
fn a_kind_that_is_renamed() {
    breaks("table.full: the kind is gone", |schema| {
        branch(schema, "table.full")["properties"]["kind"]["const"] = json!("meter.full");
    });
}

#[test]
fn a_key_that_is_gone() {
    breaks("override.set: the key `by` is gone", |schema| remove(branch(schema, "override.set"), "by"));
    breaks("every event: the key `sequence` is gone", |schema| remove(schema, "sequence"));
    breaks("outage: the key `open_attempts` is gone", |schema| {
        remove(&mut schema["$defs"]["outage"], "open_attempts");
    });
    breaks("matrix's own: the key `alert` is gone", |schema| {
        let own = schema["oneOf"].as_array_mut().expect("branches").last_mut();
        remove(own.expect("that of the matrix's own events"), "alert");
    });
}

#[test]
fn a_key_that_is_renamed() {
    breaks("clock.skewed: the key `latency_ms` is gone", |schema| {
        let event = branch(schema, "clock.skewed");
        let kind = event["properties"]["latency_ms"].clone();
        remove(event, "latency_ms");
        append(event, "told_latency_ms", kind);
    });
}

#[test]
fn keys_in_another_order() {
    breaks("clock.stepped_back: the keys", |schema| {
        let event = branch(schema, "clock.stepped_back");
        let kind = event["properties"]["told_ms"].clone();
        remove(event, "told_ms");
        append(event, "told_ms", kind);
    });
    breaks("every event: the keys", |schema| {
        let kind = schema["properties"]["instance"].clone();
        remove(schema, "instance");
        append(schema, "instance", kind);
    });
}

#[test]
fn a_new_key_before_an_old_one() {
    breaks("table.full: the keys", |schema| put(branch(schema, "table.full"), 1, "tenant", text()));
    breaks("crossed: the keys", |schema| put(&mut schema["$defs"]["crossed"], 0, "unit", text()));
}

#[test]
fn a_key_of_another_type() {
    breaks("`held_ms` is of type `signed`, and was `integer`", |schema| {
        branch(schema, "health.changed")["properties"]["held_ms"]["minimum"] =
            json!(-9_007_199_254_740_991_i64);
    });
    breaks("`meter` is of type `integer`, and was `string`", |schema| {
        branch(schema, "table.full")["properties"]["meter"] =
            json!({ "type": "integer", "minimum": 0, "maximum": 9_007_199_254_740_991_i64 });
    });
    breaks("`to` is of type `circuit`, and was `health`", |schema| {
        schema["$defs"]["circuit"] = json!({ "type": "string", "enum": ["open"] });
        branch(schema, "health.changed")["properties"]["to"]["$ref"] = json!("#/$defs/circuit");
    });
    breaks("`tenants` is of type `tenant`, and was `[tenant]`", |schema| {
        branch(schema, "window.closed")["properties"]["tenants"] = json!({ "$ref": "#/$defs/tenant" });
    });
    breaks("`amounts` is of type `{string}`, and was `{integer}`", |schema| {
        schema["$defs"]["sum"]["properties"]["amounts"]["additionalProperties"] = text();
    });
    breaks("why: words and keys have changed places", |schema| {
        schema["$defs"]["why"] = schema["$defs"]["crossed"].clone();
    });
}

#[test]
fn a_key_that_may_be_null_now() {
    breaks("clock.skewed: `dependency` may be null now", |schema| {
        branch(schema, "clock.skewed")["properties"]["dependency"] =
            json!({ "anyOf": [text(), { "type": "null" }] });
    });
}

#[test]
fn a_key_that_is_never_null_now() {
    breaks("override.set: `by` is never null now", |schema| {
        branch(schema, "override.set")["properties"]["by"] = text();
    });
}

#[test]
fn a_word_that_is_gone() {
    breaks("health: the word `probing` is gone", |schema| {
        let words = schema["$defs"]["health"]["enum"].as_array_mut().expect("words");
        words.retain(|word| word != "probing");
    });
}

#[test]
fn a_type_that_is_gone() {
    breaks("why: the type is gone", |schema| {
        schema["$defs"].as_object_mut().expect("types").shift_remove("why");
    });
}

#[test]
fn another_version_is_not_the_same_contract() {
    breaks("v is 2, and was 1", |schema| schema["properties"]["v"]["const"] = json!(2));
}

#[test]
fn what_the_flat_form_can_not_say_is_refused() {
    let refused = |change: &dyn Fn(&mut Value)| {
        let mut schema = schema().expect("a schema");
        change(&mut schema);
        Contract::from_schema(&schema).expect_err("it is refused")
    };
    // A key that may be left out, a range, a pattern: each narrows or widens what a reader meets.
    let optional = |schema: &mut Value| schema["required"] = json!(["kind", "v"]);
    assert!(refused(&optional).contains("may be left out"));
    let ranged = |schema: &mut Value| {
        branch(schema, "health.changed")["properties"]["held_ms"]["maximum"] = json!(5);
    };
    assert!(refused(&ranged).contains("no word for"));
    let patterned = |schema: &mut Value| schema["properties"]["matrix"]["pattern"] = json!("^a");
    assert!(refused(&patterned).contains("no word for"));
}

#[test]
fn a_new_kind_is_an_addition() {
    adds("kind `reload.refused`", |schema| {
        let new = json!({
            "properties": { "kind": { "const": "reload.refused" }, "why": text() },
            "required": ["why"],
        });
        schema["oneOf"].as_array_mut().expect("branches").insert(3, new);
    });
}

#[test]
fn a_new_key_behind_the_old_ones_is_an_addition() {
    adds("table.full: key `tenants`", |schema| append(branch(schema, "table.full"), "tenants", text()));
    adds("every event: key `at`", |schema| append(schema, "at", text()));
    adds("crossed: key `unit`", |schema| append(&mut schema["$defs"]["crossed"], "unit", text()));
}

#[test]
fn a_new_word_is_an_addition() {
    adds("fault: word `overloaded`", |schema| {
        schema["$defs"]["fault"]["enum"].as_array_mut().expect("words").push(json!("overloaded"));
    });
}

#[test]
fn a_new_type_is_an_addition() {
    adds("type `circuit`", |schema| {
        schema["$defs"]["circuit"] = json!({ "type": "string", "enum": ["open"] });
    });
}

#[test]
fn another_description_is_no_change() {
    let found = changes(|schema| branch(schema, "table.full")["description"] = json!("Said otherwise."));
    assert!(found.broken.is_empty() && found.added.is_empty(), "{found:?}");
}
