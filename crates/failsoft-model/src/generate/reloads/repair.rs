//! What must go with something that was changed, so that a document stays valid (spec 1).

use serde_json::{Map, Value, json};

use super::{classes, names};

/// Drops, or mends, what the document may no longer hold.
pub(super) fn repaired(document: &mut Map<String, Value>) {
    let dependencies = names(document, "dependency");
    let roles: Vec<(String, String)> =
        dependencies.iter().map(|name| (name.clone(), role(document, name))).collect();
    let is_guard = |name: &str| roles.iter().any(|(own, role)| own == name && role == "guard");
    if let Some(meters) = document.get_mut("meter").and_then(Value::as_object_mut) {
        meters.retain(|_, meter| meter.get("store").and_then(Value::as_str).is_some_and(is_guard));
    }
    if let Some(operations) = document.get_mut("operation").and_then(Value::as_object_mut) {
        for (_, operation) in operations {
            if let Some(needs) = operation.get_mut("needs").and_then(Value::as_array_mut) {
                needs.retain(|need| {
                    need.as_str().is_some_and(|need| dependencies.iter().any(|name| name == need))
                });
            }
        }
    }
    let whole = document.clone();
    if let Some(section) = document.get_mut("dependency").and_then(Value::as_object_mut) {
        for (name, dependency) in section {
            if let Some(dependency) = dependency.as_object_mut() {
                mend(&whole, name, dependency);
            }
        }
    }
    if document.get("invariant").is_some_and(|list| !promises_stand(&whole, list)) {
        document.remove("invariant");
    }
}

/// The role of a dependency.
fn role(document: &Map<String, Value>, name: &str) -> String {
    let dependency = document.get("dependency").and_then(|section| section.get(name));
    dependency.and_then(|map| map.get("role")).and_then(Value::as_str).unwrap_or("").to_owned()
}

/// Whether every invariant names what there is.
fn promises_stand(document: &Map<String, Value>, list: &Value) -> bool {
    list.as_array().into_iter().flatten().all(|invariant| {
        let operation = invariant.get("operation").and_then(Value::as_str).unwrap_or("");
        let operation = document.get("operation").and_then(|section| section.get(operation));
        let needs = operation.and_then(|operation| operation.get("needs")).and_then(Value::as_array);
        let when = invariant.get("when").and_then(Value::as_object);
        when.into_iter().flatten().all(|(name, _)| needs.is_some_and(|needs| needs.contains(&json!(name))))
            && operation.is_some()
    })
}

/// One dependency.
fn mend(document: &Map<String, Value>, name: &str, dependency: &mut Map<String, Value>) {
    let role = role(document, name);
    if role != "guard" {
        dependency.remove("break_glass");
    }
    if role != "observe" && !dependency.contains_key("deadline") {
        // Shorter than any permit that these documents write, but for one that has no length.
        dependency.insert("deadline".to_owned(), json!("20ms"));
        if let Some(health) = dependency.get_mut("health").and_then(Value::as_object_mut) {
            health.insert("permit_ttl".to_owned(), json!("300ms"));
        }
    }
    if let Some(ladder) = dependency.get_mut("on_failure").and_then(Value::as_array_mut) {
        ladder.retain(|rung| may_stand(document, name, &role, rung));
    }
    let refusal_may = match dependency.get("on_refusal") {
        None => true,
        Some(rung) => {
            let kind = kind_of(rung);
            let of_role = match role.as_str() {
                "guard" => matches!(kind, "deny" | "withhold" | "defer"),
                role => role == "serve",
            };
            of_role && names_what_there_is(document, rung)
        }
    };
    if !refusal_may {
        dependency.remove("on_refusal");
    }
}

/// The kind of a rung.
fn kind_of(rung: &Value) -> &str {
    rung.as_object().and_then(|map| map.keys().next()).map_or("", String::as_str)
}

/// A setting of a rung, be it the required one of a short form.
fn setting<'a>(rung: &'a Value, key: &str) -> Option<&'a Value> {
    let value = rung.get(kind_of(rung))?;
    if value.is_object() { value.get(key) } else { Some(value) }
}

/// A key of a rung's `when` or `cap`.
fn inside<'a>(rung: &'a Value, part: &str, key: &str) -> Option<&'a Value> {
    rung.get(kind_of(rung))?.get(part)?.get(key)
}

/// Whether a list holds a name.
fn lists(list: Option<&Value>, name: &str) -> bool {
    list.and_then(Value::as_array).is_some_and(|list| list.contains(&json!(name)))
}

/// Whether the classes, operations and meters that a rung names are there.
fn names_what_there_is(document: &Map<String, Value>, rung: &Value) -> bool {
    let all_in = |list: Option<&Value>, known: Vec<String>| {
        let list = list.and_then(Value::as_array);
        list.into_iter()
            .flatten()
            .all(|name| name.as_str().is_some_and(|name| known.contains(&name.to_owned())))
    };
    let of_cap = inside(rung, "cap", "meter").and_then(Value::as_str);
    all_in(inside(rung, "when", "class"), classes(document))
        && all_in(inside(rung, "when", "operation"), names(document, "operation"))
        && of_cap.is_none_or(|meter| names(document, "meter").contains(&meter.to_owned()))
}

/// Whether a rung may stand in the ladder of this dependency.
fn may_stand(document: &Map<String, Value>, name: &str, role_here: &str, rung: &Value) -> bool {
    let kind = kind_of(rung);
    let text = |key: &str| setting(rung, key).and_then(Value::as_str).unwrap_or("");
    let is_other = |target: &str| target != name && !role(document, target).is_empty();
    let of_kind = match kind {
        "fallback" => is_other(text("to")),
        "least_bad" => {
            let targets = setting(rung, "of").and_then(Value::as_array);
            role_here == "serve"
                && targets.is_some_and(|list| list.iter().all(|name| name.as_str().is_some_and(is_other)))
        }
        "local_meter" => meter_stands(document, name, rung, text("meter")),
        _ => true,
    };
    if !of_kind || !names_what_there_is(document, rung) {
        return false;
    }
    if role_here != "guard" {
        return true;
    }
    // DOC-19 and DOC-20.
    let to_guard = kind == "fallback" && role(document, text("to")) == "guard";
    let stops = matches!(kind, "deny" | "defer");
    let irreversible = lists(inside(rung, "when", "effect"), "irreversible");
    let faults = inside(rung, "when", "fault");
    let callers = lists(faults, "rejected") || lists(faults, "cancelled");
    let replaces = to_guard || matches!(kind, "last_known" | "local_meter");
    (!irreversible || stops || replaces) && (!callers || stops || kind == "retry")
}

/// DOC-21: on the store of its meter, which says how many instances there are where the share is by instance.
fn meter_stands(document: &Map<String, Value>, name: &str, rung: &Value, meter: &str) -> bool {
    let Some(meter) = document.get("meter").and_then(|section| section.get(meter)) else { return false };
    let share = rung.get(kind_of(rung)).and_then(|value| value.get("share"));
    let by_instance = share.is_none_or(|share| share == "per_instance");
    meter.get("store") == Some(&json!(name)) && (!by_instance || meter.get("max_instances").is_some())
}
