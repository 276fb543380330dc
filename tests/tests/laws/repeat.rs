//! LAW-12.

use failsoft::document::{Format, Options, load};
use failsoft_tests::implementation::{Engine, Implementation};
use serde_json::Value;

use crate::world::holds;

/// As TOML, each section on a line of inline tables: no hand would write it so.
fn toml(document: &Value) -> String {
    let sections = document.as_object().into_iter().flatten();
    sections.map(|(key, value)| format!("{key} = {}\n", inline(value))).collect()
}

fn inline(value: &Value) -> String {
    match value {
        Value::Object(table) => {
            let entries: Vec<String> = table
                .iter()
                .map(|(key, value)| format!("{} = {}", Value::from(key.as_str()), inline(value)))
                .collect();
            format!("{{ {} }}", entries.join(", "))
        }
        Value::Array(list) => format!("[{}]", list.iter().map(inline).collect::<Vec<_>>().join(", ")),
        // JSON's strings, integers and booleans are TOML's.
        plain => plain.to_string(),
    }
}

/// The same with every table's keys in the other order.
fn reversed(value: &Value) -> Value {
    match value {
        Value::Object(table) => table
            .iter()
            .rev()
            .map(|(key, value)| (key.clone(), reversed(value)))
            .collect::<serde_json::Map<_, _>>()
            .into(),
        Value::Array(list) => list.iter().map(reversed).collect(),
        plain => plain.clone(),
    }
}

#[test]
fn law_12_deterministic() {
    holds(2_000, 20_000, |world| {
        let play = || Engine.replay(&world.document, &world.parameters, &world.lines);
        let first = play()?;
        // Another engine that plays meanwhile, on another thread, shares nothing with it.
        let second = std::thread::scope(|scope| scope.spawn(play).join().expect("no panic"))?;
        if first != second {
            return Err("two replays print different bytes".into());
        }
        if first.iter().any(|line| line.contains('.') && has_float(line)) {
            return Err("a float is printed".into());
        }
        Ok(first.len())
    });
}

fn has_float(line: &str) -> bool {
    fn any(value: &Value) -> bool {
        match value {
            Value::Number(number) => number.is_f64(),
            Value::Array(list) => list.iter().any(any),
            Value::Object(table) => table.values().any(any),
            _ => false,
        }
    }
    any(&serde_json::from_str(line).expect("a printed line is JSON"))
}

#[test]
fn law_12_deterministic_however_the_matrix_is_written() {
    holds(3_000, 3_000, |world| {
        let options = Options { parameters: world.parameters.clone() };
        let toml = toml(&world.document);
        let turned = reversed(&world.document).to_string();
        for (text, format) in [(toml, Format::Toml), (turned, Format::Json)] {
            let again =
                load("again", text.as_bytes(), format, &options).map_err(|told| format!("{told}\n{text}"))?;
            if (&again.identity, &again.canonical) != (&world.loaded.identity, &world.loaded.canonical) {
                return Err(format!("another matrix:\n{}\n{}", world.loaded.canonical, again.canonical));
            }
        }
        // And a change of any number is another matrix.
        let mut other = world.document.clone();
        other["revision"] = Value::from(other["revision"].as_u64().unwrap_or(1) + 1);
        let other = load("other", other.to_string().as_bytes(), Format::Json, &options)
            .map_err(|told| told.to_string())?;
        if other.identity == world.loaded.identity {
            return Err("two matrices of one identity".into());
        }
        Ok(1)
    });
}
