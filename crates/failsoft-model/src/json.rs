//! Small readers of JSON data (spec 1.1: integers, durations, lists of names), each with an error in words.

use serde_json::{Map, Value};

/// The largest integer that a document or trace may hold (DOC-3).
pub(crate) const LARGEST: i64 = (1 << 53) - 1;

/// A value that must be a table.
pub(crate) fn table<'a>(value: &'a Value, what: &str) -> Result<&'a Map<String, Value>, String> {
    value.as_object().ok_or_else(|| format!("{what} must be a table"))
}

/// A value that must be a string.
pub(crate) fn string(value: &Value, what: &str) -> Result<String, String> {
    value.as_str().map(str::to_owned).ok_or_else(|| format!("{what} must be a string"))
}

/// A value that must be an integer.
pub(crate) fn integer(value: &Value, what: &str) -> Result<i64, String> {
    value.as_i64().ok_or_else(|| format!("{what} must be an integer"))
}

/// A value that must be a list of strings.
pub(crate) fn strings(value: &Value, what: &str) -> Result<Vec<String>, String> {
    let list = value.as_array().ok_or_else(|| format!("{what} must be a list"))?;
    list.iter().map(|item| string(item, what)).collect()
}

/// A duration, `"<integer><unit>"`, in milliseconds (DOC-4).
pub(crate) fn duration(value: &Value, what: &str) -> Result<i64, String> {
    let text = string(value, what)?;
    let digits: String = text.chars().take_while(char::is_ascii_digit).collect();
    let unit: String = text.chars().skip_while(char::is_ascii_digit).collect();
    let number: i64 = digits.parse().map_err(|_| format!("{what} must be a duration"))?;
    let milliseconds: i64 = match unit.as_str() {
        "ms" => 1,
        "s" => 1_000,
        "m" => 60_000,
        "h" => 3_600_000,
        "d" => 86_400_000,
        _ => return Err(format!("{what} has no known unit")),
    };
    Ok(number.saturating_mul(milliseconds).min(LARGEST))
}

/// The string under a key, if the key stands and is not null.
pub(crate) fn optional_string(map: &Map<String, Value>, key: &str) -> Result<Option<String>, String> {
    match map.get(key) {
        None | Some(Value::Null) => Ok(None),
        Some(value) => Ok(Some(string(value, key)?)),
    }
}

/// The string under a key, or its default.
pub(crate) fn string_or(map: &Map<String, Value>, key: &str, default: &str) -> Result<String, String> {
    Ok(optional_string(map, key)?.unwrap_or_else(|| default.to_owned()))
}

/// The integer under a key, if the key stands and is not null.
pub(crate) fn optional_integer(map: &Map<String, Value>, key: &str) -> Result<Option<i64>, String> {
    match map.get(key) {
        None | Some(Value::Null) => Ok(None),
        Some(value) => Ok(Some(integer(value, key)?)),
    }
}

/// The duration under a key, if the key stands.
pub(crate) fn optional_duration(map: &Map<String, Value>, key: &str) -> Result<Option<i64>, String> {
    match map.get(key) {
        None => Ok(None),
        Some(value) => Ok(Some(duration(value, key)?)),
    }
}

/// The list of strings under a key, or nothing.
pub(crate) fn strings_or_none(map: &Map<String, Value>, key: &str) -> Result<Option<Vec<String>>, String> {
    match map.get(key) {
        None => Ok(None),
        Some(value) => Ok(Some(strings(value, key)?)),
    }
}

/// The string that must stand under a key.
pub(crate) fn required_string(map: &Map<String, Value>, key: &str) -> Result<String, String> {
    string(map.get(key).ok_or_else(|| format!("{key} is missing"))?, key)
}

/// Named tables, as written.
pub(crate) type Section<'a> = Vec<(String, &'a Map<String, Value>)>;

/// The sections of named tables: the names as written, each with its table.
pub(crate) fn section<'a>(map: &'a Map<String, Value>, key: &str) -> Result<Section<'a>, String> {
    let Some(value) = map.get(key) else {
        return Ok(Vec::new());
    };
    let mut named = Vec::new();
    for (name, part) in table(value, key)? {
        named.push((name.clone(), table(part, name)?));
    }
    Ok(named)
}
