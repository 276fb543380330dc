//! LAW-16: what nobody but the host may see.

use std::cell::Cell;

use serde_json::{Value, json};

use crate::world::{holds_where, names, text};

/// What nobody but the host may see.
const SECRET: &str = "\u{1f511} s3cr\"et\\";

/// Tenants, sessions, attributes, permits, requests and sources of names that can't stand in a line by chance.
fn secretive(case: &mut failsoft_model::generate::Case, _: &mut fastrand::Rng) {
    for line in &mut case.lines {
        if let Some(decide) = line.get_mut("decide").and_then(Value::as_object_mut) {
            for key in ["tenant", "session", "request"] {
                let name = decide.get(key).and_then(Value::as_str).unwrap_or("none").to_owned();
                decide.insert(key.to_owned(), json!(format!("{SECRET} {key} {name}")));
            }
            // One attribute that the matrix knows, and one of which nobody has heard.
            decide.insert("attributes".into(), json!({ "a": SECRET, SECRET: SECRET, "b": "x" }));
        }
        for (kind, key) in [
            ("finish", "request"),
            ("permit", "permit"),
            ("release", "permit"),
            ("outcome", "permit"),
            ("advice", "source"),
            ("override", "tenant"),
            ("override", "session"),
            ("reading", "tenant"),
            ("reading", "session"),
            ("usage", "tenant"),
            ("usage", "session"),
        ] {
            if let Some(part) = line.get_mut(kind) {
                let name = part.get(key).and_then(Value::as_str).map(|name| format!("{SECRET} {key} {name}"));
                if let Some(name) = name {
                    part[key] = json!(name);
                }
            }
        }
    }
    // A request keeps its operation; without names all of them would be one.
    let operations = names(&case.document, "operation");
    for line in &mut case.lines {
        if let Some(decide) = line.get_mut("decide") {
            let operation = decide["operation"].as_str().unwrap_or_default();
            let place = operations.iter().position(|name| name == operation).unwrap_or_default();
            decide["request"] = json!(format!("{} {place}", decide["request"].as_str().unwrap_or_default()));
        }
    }
}

/// Names stand in accounts, settlements and limits, each in its own place, and nowhere else.
#[test]
fn law_16_discreet() {
    let (accounts, keys) = (Cell::new(0), Cell::new(0));
    holds_where(3_000, 30_000, secretive, |world| {
        let mut looked = 0;
        for mut step in world.play() {
            for printed in &mut step.printed {
                looked += 1;
                let whole = printed.to_string();
                for (key, name) in take_names(printed) {
                    // A tenant where tenants stand, and no session, attribute or request.
                    if is_told(&name) && !name.starts_with(&format!("{SECRET} {key} ")) {
                        return Err(format!("{} prints {name:?} as a {key}: {whole}", step.line));
                    }
                    let seen = if whole.contains("\"others\"") { &accounts } else { &keys };
                    seen.set(seen.get() + usize::from(is_told(&name)));
                }
                if is_told(&printed.to_string()) {
                    return Err(format!("{} prints {whole}", step.line));
                }
            }
        }
        Ok(looked)
    });
    assert!(accounts.get() > 2_000 && keys.get() > 2_000, "{accounts:?} and {keys:?} names were seen");
}

/// Whether something of what nobody may see stands there.
fn is_told(text: &str) -> bool {
    text.contains('\u{1f511}') || text.contains("s3cr")
}

/// Takes the names that the host asks for out of what is printed: the tenants of an account, and whose key a meter's
/// event speaks of.
fn take_names(printed: &mut Value) -> Vec<(&'static str, String)> {
    let mut names = Vec::new();
    let mut take = |from: &mut Value, keys: &[&'static str]| {
        let Some(from) = from.as_object_mut() else { return };
        names.extend(
            keys.iter().filter_map(|key| Some((*key, from.get_mut(*key)?.take().as_str()?.to_owned()))),
        );
    };
    let event = printed.get("event").map_or("", |event| text(event, "kind")).to_owned();
    if ["limit.reached", "limit.set", "limit.refused", "meter.settlement"].contains(&event.as_str()) {
        take(&mut printed["event"], &["tenant", "session"]);
    }
    let accounts = match event.as_str() {
        "window.closed" => std::slice::from_mut(&mut printed["event"]),
        _ => printed
            .get_mut("windows")
            .and_then(Value::as_array_mut)
            .map(Vec::as_mut_slice)
            .unwrap_or_default(),
    };
    for account in accounts {
        for row in account["tenants"].as_array_mut().into_iter().flatten() {
            take(row, &["tenant"]);
        }
    }
    names
}
