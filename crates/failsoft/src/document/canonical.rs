//! The canonical form of a document, and the identity that is taken of it.

use std::fmt::Write as _;

use failsoft_core::draft::{Limit, Value};
use failsoft_core::{Millis, Role};
use sha2::{Digest, Sha256};

use super::bind::Bound;
use super::checked::{Checked, Fields};
use super::fill_health;
use super::keys::{Form, Kind};

/// The document as one line of JSON: keys sorted, every default written out, durations in milliseconds.
pub(crate) fn text(root: &Fields, bound: &Bound) -> String {
    let mut keys = keys_of(root);
    // What is not told of a matrix changes nothing that it decides.
    keys.retain(|(name, _)| name != "silence");
    for (name, json) in &mut keys {
        match name.as_str() {
            "dependency" => {
                *json = object(
                    root.map("dependency")
                        .iter()
                        .map(|(name, part)| (name.clone(), dependency(part)))
                        .collect(),
                )
            }
            "parameter" => {
                *json = object(
                    root.map("parameter")
                        .iter()
                        .map(|(name, part)| (name.clone(), parameter(name, part, bound)))
                        .collect(),
                )
            }
            _ => {}
        }
    }
    object(keys)
}

/// `name@revision:sha256-` and 64 hex digits.
pub(crate) fn identity(root: &Fields, canonical: &str) -> String {
    let mut identity = format!(
        "{}@{}:sha256-",
        root.text("name").unwrap_or_default(),
        root.integer("revision").unwrap_or(1)
    );
    for byte in Sha256::digest(canonical.as_bytes()) {
        // Writing to a string can't fail.
        let _ = write!(identity, "{byte:02x}");
    }
    identity
}

/// The written and defaulted keys of a table, with their values as JSON.
fn keys_of(fields: &Fields) -> Vec<(String, String)> {
    fields
        .entries
        .iter()
        .map(|(key, value)| {
            let suffix = if key.kind.is_duration() { "_ms" } else { "" };
            let json = match (&key.kind, value) {
                (Kind::List { form: Form::Set, .. }, Checked::List(items)) => set(items),
                (_, Checked::Table(cap)) if key.name == "cap" => object(cap_keys(cap)),
                _ => json(value),
            };
            (format!("{}{suffix}", key.name), json)
        })
        .collect()
}

/// Of what is counted it is always said whether all are counted together.
fn cap_keys(cap: &Fields) -> Vec<(String, String)> {
    let mut keys = keys_of(cap);
    if cap.get("time").is_none() && cap.get("total").is_none() {
        keys.push(("total".to_owned(), "false".to_owned()));
    }
    keys
}

fn json(value: &Checked) -> String {
    match value {
        Checked::Bool(value) => value.to_string(),
        Checked::Integer(number) | Checked::Millis(number) => number.to_string(),
        Checked::Text(text) => quoted(text),
        Checked::List(items) => list(items.iter().map(json)),
        Checked::Table(fields) => object(keys_of(fields)),
        Checked::Map(entries) => {
            object(entries.iter().map(|(name, value)| (name.clone(), json(value))).collect())
        }
        Checked::Rung(kind, fields) => object(vec![(kind.as_str().to_owned(), object(keys_of(fields)))]),
        // No canonical form is taken of a document with mistakes.
        Checked::Spoilt => "null".to_owned(),
    }
}

/// A dependency has two defaults that rest on its role.
fn dependency(part: &Checked) -> String {
    let Some(fields) = part.table() else { return json(part) };
    let mut keys = keys_of(fields);
    let role = fields.choice("role", Role::from_name);
    if let (None, Some(role)) = (fields.get("stage"), role) {
        keys.push(("stage".to_owned(), quoted(role.stage().as_str())));
    }
    if let Some(written) = fields.table("health")
        && let Some((_, json)) = keys.iter_mut().find(|(name, _)| name == "health")
    {
        *json = health(written, fields.millis("deadline"));
    }
    if fields.get("on_refusal").is_none() && role != Some(Role::Observe) {
        let refusal = r#"{"deny":{"also":[],"code":"REFUSED","status":403}}"#;
        keys.push(("on_refusal".to_owned(), refusal.to_owned()));
    }
    object(keys)
}

/// A health table has defaults that rest on other settings, and on the deadline: the core knows them.
fn health(written: &Fields, deadline: Option<Millis>) -> String {
    let mut keys = keys_of(written);
    let settings = fill_health::health(written).written_out(deadline);
    let number = |value: Option<u32>| value.map(|value| value.to_string());
    let millis = |value: Option<Millis>| value.map(|value| value.get().to_string());
    let classes = settings.ignore_error_classes.as_ref().map(|classes| {
        set(&classes.iter().map(|class| Checked::Text(class.as_str().to_owned())).collect::<Vec<_>>())
    });
    let stay = settings.max_wait_duration_in_half_open_state.map(|stay| match stay {
        Limit::Off => quoted("off"),
        Limit::At(stay) => stay.get().to_string(),
    });
    let defaults = [
        ("max_wait_duration_in_open_state_ms", millis(settings.max_wait_duration_in_open_state)),
        ("half_open_success_threshold", number(settings.half_open_success_threshold)),
        ("half_open_failure_rate_threshold", number(settings.half_open_failure_rate_threshold)),
        ("max_wait_duration_in_half_open_state_ms", stay),
        ("permit_ttl_ms", millis(settings.permit_ttl)),
        ("ignore_error_classes", classes),
        ("degraded_exit_failure_rate_threshold", number(settings.degraded_exit_failure_rate_threshold)),
        ("degraded_exit_slow_call_rate_threshold", number(settings.degraded_exit_slow_call_rate_threshold)),
    ];
    for (name, json) in defaults {
        if let Some(json) = json.filter(|_| keys.iter().all(|(written, _)| written != name)) {
            keys.push((name.to_owned(), json));
        }
    }
    object(keys)
}

fn parameter(name: &str, part: &Checked, bound: &Bound) -> String {
    let mut keys = part.table().map(keys_of).unwrap_or_default();
    let value = match bound.get(name).and_then(Option::as_ref) {
        Some(Value::Bool(value)) => value.to_string(),
        Some(Value::Integer(number)) => number.to_string(),
        Some(Value::Text(text)) => quoted(text),
        None => "null".to_owned(),
    };
    keys.push(("value".to_owned(), value));
    object(keys)
}

fn object(mut keys: Vec<(String, String)>) -> String {
    keys.sort_by(|(left, _), (right, _)| left.as_bytes().cmp(right.as_bytes()));
    let entries: Vec<String> =
        keys.into_iter().map(|(key, json)| format!("{}:{json}", quoted(&key))).collect();
    format!("{{{}}}", entries.join(","))
}

fn list(items: impl Iterator<Item = String>) -> String {
    format!("[{}]", items.collect::<Vec<_>>().join(","))
}

fn set(items: &[Checked]) -> String {
    let mut texts: Vec<&str> = items.iter().filter_map(Checked::text).collect();
    texts.sort_unstable();
    texts.dedup();
    list(texts.into_iter().map(quoted))
}

/// A JSON string with the fewest escapes.
fn quoted(text: &str) -> String {
    let mut out = String::with_capacity(text.len().saturating_add(2));
    out.push('"');
    for character in text.chars() {
        match character {
            '"' => out.push_str("\\\""),
            '\\' => out.push_str("\\\\"),
            '\u{8}' => out.push_str("\\b"),
            '\t' => out.push_str("\\t"),
            '\n' => out.push_str("\\n"),
            '\u{c}' => out.push_str("\\f"),
            '\r' => out.push_str("\\r"),
            '\0'..='\u{1f}' => {
                let _ = write!(out, "\\u{:04x}", u32::from(character));
            }
            _ => out.push(character),
        }
    }
    out.push('"');
    out
}

#[cfg(test)]
mod tests {
    use super::quoted;

    #[test]
    fn strings_are_escaped_as_little_as_json_permits() {
        assert_eq!(quoted("a\"b\\c/d"), r#""a\"b\\c/d""#);
        assert_eq!(quoted("\u{8}\t\n\u{c}\r\0\u{1f}\u{7f}ä"), "\"\\b\\t\\n\\f\\r\\u0000\\u001f\u{7f}ä\"");
    }
}
