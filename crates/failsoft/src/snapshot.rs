//! What an engine knows, written down and read again: the JSON form of a [`Snapshot`] (spec 10.2).

use std::collections::BTreeSet;
use std::fmt;

pub use failsoft_core::snapshot::*;
use failsoft_core::{Circuit, Fault, INTEGER_MAX, Override, nearest};
use serde::de::{Deserialize, Deserializer, Error, MapAccess, SeqAccess, Visitor};
use serde_json::Value;

/// The JSON form.
///
/// ```
/// # use failsoft::draft::MatrixDraft;
/// # use failsoft::{State, Time, snapshot};
/// let matrix = MatrixDraft::new("m").compile("m@1").unwrap();
/// let state = State::new(&matrix, Time::default());
/// assert_eq!(snapshot::to_json(&state.save(&matrix, Time::default())).to_string(), r#"{"v":1}"#);
/// ```
#[must_use]
pub fn to_json(snapshot: &Snapshot) -> Value {
    // Nothing in a snapshot can't be written.
    serde_json::to_value(snapshot).unwrap_or_default()
}

/// Reads the JSON form.
///
/// ```
/// # use failsoft::snapshot;
/// let told = snapshot::from_json(r#"{"v":1,"dependencies":{"redis":{"open_attempts":-1}}}"#).unwrap_err();
/// assert_eq!(told.to_string(), "`dependencies.redis.open_attempts`: -1 is not a whole number from 0 to 2^53 - 1");
/// ```
///
/// # Errors
/// What is wrong with it and where: an unknown key or one that stands twice, a value of the wrong type, a number out
/// of range, parts that can't be true together, another version.
pub fn from_json(text: &str) -> Result<Snapshot, SnapshotMistake> {
    let mut text = serde_json::Deserializer::from_str(text);
    let Strict(value) = read(&mut text)?;
    text.end().map_err(|error| SnapshotMistake::new("", error.to_string()))?;
    if !value.is_object() {
        return Err(SnapshotMistake::new("", "it is not an object"));
    }
    in_range(&value, "")?;
    let snapshot: Snapshot = read(&value)?;
    match snapshot.v {
        1 => {}
        0 => return Err(SnapshotMistake::new("v", "it says no version: `\"v\":1` is missing")),
        version => {
            let what = format!("it is of version {version}, and this reads version 1");
            return Err(SnapshotMistake::new("v", what));
        }
    }
    same_shape(&value, &to_json(&snapshot), "")?;
    for (name, known) in &snapshot.dependencies {
        sound(known)
            .map_err(|(key, what)| SnapshotMistake::new(format!("dependencies.{name}.{key}"), what))?;
    }
    for (name, meter) in &snapshot.meters {
        counted(meter).map_err(|(key, what)| SnapshotMistake::new(format!("meters.{name}.{key}"), what))?;
    }
    Ok(snapshot)
}

/// What the types alone don't say of a meter's part, which is the engine's own and written by no hand.
fn counted(meter: &MeterSnapshot) -> Result<(), (&'static str, &'static str)> {
    let is_key =
        |key: &str| key.len() == 32 && key.bytes().all(|digit| matches!(digit, b'0'..=b'9' | b'a'..=b'f'));
    let keys: BTreeSet<&str> = meter.keys.iter().map(|key| key.key.as_str()).collect();
    if keys.len() != meter.keys.len() || !keys.iter().all(|key| is_key(key)) {
        return Err(("keys", "a key is 32 hexadecimal digits, and stands once"));
    }
    let serials: BTreeSet<u64> = meter.unsettled.iter().map(|amount| amount.serial).collect();
    if serials.len() != meter.unsettled.len() || serials.contains(&0) {
        return Err(("unsettled", "an amount has a number of its own, from 1"));
    }
    if !meter.unsettled.iter().all(|amount| keys.contains(amount.key.as_str())) {
        return Err(("unsettled", "an amount is one of a key that stands in `keys`"));
    }
    let limits: BTreeSet<&str> = meter.limits.iter().map(|limit| limit.key.as_str()).collect();
    if limits.len() != meter.limits.len() || !limits.iter().all(|key| is_key(key)) {
        return Err(("limits", "a key is 32 hexadecimal digits, and stands once"));
    }
    Ok(())
}

/// What is wrong with a snapshot, and where in it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SnapshotMistake {
    /// The keys that lead there, such as `dependencies.redis.window.buckets[0]`; empty for the whole.
    pub path: String,
    /// What is wrong there.
    pub what: String,
}

impl SnapshotMistake {
    fn new(path: impl Into<String>, what: impl Into<String>) -> Self {
        Self { path: path.into(), what: what.into() }
    }
}

impl fmt::Display for SnapshotMistake {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.path.as_str() {
            "" => f.write_str(&self.what),
            path => write!(f, "`{path}`: {}", self.what),
        }
    }
}

impl std::error::Error for SnapshotMistake {}

/// Reads a value, and says where it went wrong.
fn read<'de, T: Deserialize<'de>>(from: impl Deserializer<'de>) -> Result<T, SnapshotMistake> {
    serde_path_to_error::deserialize(from).map_err(|error| {
        let path = Some(error.path().to_string()).filter(|path| path != ".").unwrap_or_default();
        let what = error.into_inner().to_string();
        // All keys that there are, forty of them, help nobody.
        let (what, known) = what.split_once(", expected one of ").unwrap_or((&what, ""));
        let wrong = what.split('`').nth(1).unwrap_or_default();
        let near = nearest(wrong, known.split('`').skip(1).step_by(2));
        let near = near.map(|near| format!("; did you mean `{near}`?")).unwrap_or_default();
        SnapshotMistake::new(path, format!("{}{near}", what.replace("unknown field", "unknown key")))
    })
}

/// A JSON value in which no key stands twice.
struct Strict(Value);

impl<'de> Deserialize<'de> for Strict {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(StrictVisitor).map(Self)
    }
}

struct StrictVisitor;

impl<'de> Visitor<'de> for StrictVisitor {
    type Value = Value;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("JSON")
    }

    fn visit_unit<E>(self) -> Result<Value, E> {
        Ok(Value::Null)
    }

    fn visit_bool<E>(self, value: bool) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_u64<E>(self, value: u64) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_i64<E>(self, value: i64) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_f64<E>(self, value: f64) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_str<E>(self, value: &str) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<Value, A::Error> {
        let mut items = Vec::new();
        while let Some(Strict(item)) = list.next_element()? {
            items.push(item);
        }
        Ok(items.into())
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Value, A::Error> {
        let mut entries = serde_json::Map::new();
        while let Some((key, Strict(value))) = map.next_entry::<String, Strict>()? {
            if entries.contains_key(&key) {
                return Err(A::Error::custom(format!("the key `{key}` stands twice")));
            }
            entries.insert(key, value);
        }
        Ok(entries.into())
    }
}

/// Every number is one that every language can carry.
fn in_range(value: &Value, path: &str) -> Result<(), SnapshotMistake> {
    match value {
        Value::Number(number) if number.as_u64().is_none_or(|number| number > INTEGER_MAX) => {
            let what = format!("{number} is not a whole number from 0 to 2^53 - 1");
            Err(SnapshotMistake::new(path, what))
        }
        _ => parts(value, path).into_iter().try_for_each(|(_, path, part)| in_range(part, &path)),
    }
}

/// What is an object when it is written was not read from a list.
fn same_shape(read: &Value, written: &Value, path: &str) -> Result<(), SnapshotMistake> {
    if read.is_array() && written.is_object() {
        return Err(SnapshotMistake::new(path, "this is a list, and an object is wanted"));
    }
    let twin = |index: usize, key: &str| match written {
        Value::Array(items) => items.get(index),
        written => written.get(key),
    };
    parts(read, path).into_iter().enumerate().try_for_each(|(index, (key, path, part))| {
        twin(index, key).map_or(Ok(()), |twin| same_shape(part, twin, &path))
    })
}

/// What a value holds: each part's key, where it is, and the part.
fn parts<'a>(value: &'a Value, path: &str) -> Vec<(&'a str, String, &'a Value)> {
    let dot = if path.is_empty() { "" } else { "." };
    match value {
        Value::Array(items) => {
            items.iter().enumerate().map(|(index, item)| ("", format!("{path}[{index}]"), item)).collect()
        }
        Value::Object(entries) => {
            entries.iter().map(|(key, value)| (key.as_str(), format!("{path}{dot}{key}"), value)).collect()
        }
        _ => Vec::new(),
    }
}

/// What the types alone don't say of a dependency's part: the key, and what is wrong there.
fn sound(known: &DependencySnapshot) -> Result<(), (&'static str, &'static str)> {
    let told = |key, what| Err((key, what));
    if !matches!(known.circuit, None | Some(Circuit::Closed | Circuit::Open)) {
        return told("circuit", "it is saved as `closed` or `open`");
    }
    if known.standing.as_ref().is_some_and(|standing| !standing.to.is_some_and(Override::stands)) {
        return told("override", "one that is saved is one that stands, such as `forced_open`");
    }
    if known.last_failure.is_some_and(Fault::caller) {
        return told("last_failure", "the caller's faults are never a dependency's");
    }
    if known.sticky.is_some_and(|class| class.sticky() == 0) {
        return told("sticky", "this class of faults does not stay");
    }
    let window = known.window.as_ref();
    let calls = window.and_then(|window| window.calls.as_deref()).unwrap_or_default();
    if calls.bytes().any(|digit| !matches!(digit, b'0'..=b'4' | b'6')) {
        let what =
            "it has a digit for each call: 1 if it failed, plus 2 if slow; 4 if refused, plus 2 if slow";
        return told("window.calls", what);
    }
    let buckets = window.map(|window| window.buckets.as_slice()).unwrap_or_default();
    if buckets.iter().any(|(calls, failed, slow, refused)| failed + refused > *calls || slow > calls) {
        return told("window.buckets", "a bucket has more failed, slow or refused calls than calls");
    }
    if known.figures.as_ref().is_some_and(|told| told.failed_calls.max(told.slow_calls) > told.calls) {
        return told("figures", "there are more failed or slow calls than calls");
    }
    let advice = known.advice.iter().enumerate();
    if { advice }.any(|(index, one)| known.advice[..index].iter().any(|other| other.source == one.source)) {
        return told("advice", "a source stands twice");
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::from_json;

    #[track_caller]
    fn told(dependency: &str, expected: &str) {
        let text = format!(r#"{{"v":1,"dependencies":{{"d":{dependency}}}}}"#);
        assert_eq!(from_json(&text).expect_err("a mistake").to_string(), expected, "{text}");
    }

    #[test]
    fn mistakes_say_where_they_are() {
        told("[\"open\",99]", "`dependencies.d`: this is a list, and an object is wanted");
        told(
            "{\"advice\":[[\"a\",5]]}",
            "`dependencies.d.advice[0]`: this is a list, and an object is wanted",
        );
        told("{\"figures\":[]}", "`dependencies.d.figures`: this is a list, and an object is wanted");
        told("{\"rise\":1,\"rise\":2}", "`dependencies.d`: the key `rise` stands twice at line 1 column 46");
        told("{\"rise\":1.5}", "`dependencies.d.rise`: 1.5 is not a whole number from 0 to 2^53 - 1");
        told("{\"rise\":\"1\"}", "`dependencies.d.rise`: invalid type: string \"1\", expected u64");
        told("{\"rize\":1}", "`dependencies.d.rize`: unknown key `rize`; did you mean `rise`?");
        told("{\"circuit\":\"half_open\"}", "`dependencies.d.circuit`: it is saved as `closed` or `open`");
        told(
            "{\"advice\":[{\"source\":\"a\"},{\"source\":\"a\"}]}",
            "`dependencies.d.advice`: a source stands twice",
        );
        let more =
            "`dependencies.d.window.buckets`: a bucket has more failed, slow or refused calls than calls";
        for bucket in ["[1,2,0,0]", "[1,1,0,1]", "[1,0,2,0]"] {
            told(&format!("{{\"window\":{{\"bucket_left_ms\":1,\"buckets\":[{bucket}]}}}}"), more);
        }
        let digits = "`dependencies.d.window.calls`: it has a digit for each call: 1 if it failed, plus 2 if slow; \
                      4 if refused, plus 2 if slow";
        for digit in ["5", "7", "8", "x"] {
            told(&format!("{{\"window\":{{\"calls\":\"0{digit}\"}}}}"), digits);
        }
        let figures = "`dependencies.d.figures`: there are more failed or slow calls than calls";
        told("{\"figures\":{\"calls\":1,\"slow_calls\":2}}", figures);
    }

    #[test]
    fn a_meters_own_form_is_looked_at_too() {
        let key = "00000000000000010000000000000001";
        let told = |meter: String| {
            let text = format!(r#"{{"v":1,"meters":{{"m":{meter}}}}}"#);
            from_json(&text).map_err(|told| told.path)
        };
        let amount = |serial: u64, key: &str| {
            format!(r#"{{"serial":{serial},"key":"{key}","amount":1,"left_ms":10}}"#)
        };
        let with = |amounts: &[String]| {
            format!(r#"{{"keys":[{{"key":"{key}"}}],"unsettled":[{}]}}"#, amounts.join(","))
        };
        assert!(told(with(&[amount(1, key), amount(2, key)])).is_ok());
        for amounts in [
            [amount(1, key), amount(1, key)],
            [amount(0, key), amount(2, key)],
            [amount(1, "zz"), amount(2, key)],
        ] {
            assert_eq!(told(with(&amounts)).unwrap_err(), "meters.m.unsettled");
        }
        for keys in [r#"{"key":"zz"}"#.to_owned(), format!(r#"{{"key":"{key}"}},{{"key":"{key}"}}"#)] {
            assert_eq!(told(format!(r#"{{"keys":[{keys}]}}"#)).unwrap_err(), "meters.m.keys");
            let limits = keys.replace('}', r#","limit":1}"#);
            assert_eq!(told(format!(r#"{{"limits":[{limits}]}}"#)).unwrap_err(), "meters.m.limits");
        }
    }

    #[test]
    fn what_is_no_snapshot_at_all() {
        for (text, expected) in [
            ("[]", "it is not an object"),
            ("{}", "`v`: it says no version: `\"v\":1` is missing"),
            ("{\"v\":9}", "`v`: it is of version 9, and this reads version 1"),
        ] {
            assert_eq!(from_json(text).expect_err("a mistake").to_string(), expected);
        }
        assert!(from_json("{").is_err());
        assert!(from_json("{\"v\":1} 2").is_err());
        // A name may hold what paths are written with.
        let listed = from_json("{\"v\":1,\"dependencies\":{\"a.b[0]\":[]}}").expect_err("a mistake");
        assert_eq!(listed.path, "dependencies.a.b[0]");
        assert!(from_json(&"[".repeat(100_000)).is_err());
    }
}
