//! What an engine knows, written down and read again: the JSON form of a [`Snapshot`] (spec 10.2).

pub use failsoft_core::snapshot::*;
use failsoft_core::{Circuit, Fault, INTEGER_MAX, Override};
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
/// # Errors
/// What is wrong with it, in a few words: an unknown key, a value of the wrong type, a number out of range, another
/// version.
pub fn from_json(value: Value) -> Result<Snapshot, String> {
    if !value.is_object() {
        return Err("it is not an object".to_owned());
    }
    in_range(&value)?;
    let snapshot: Snapshot = serde_json::from_value(value).map_err(|error| error.to_string())?;
    snapshot.dependencies.iter().try_for_each(|(name, known)| sound(name, known))?;
    match snapshot.v {
        1 => Ok(snapshot),
        0 => Err("it says no version: `\"v\":1` is missing".to_owned()),
        version => Err(format!("it is of version {version}, and this reads version 1")),
    }
}

/// What the types alone don't say of a dependency's part.
fn sound(name: &str, known: &DependencySnapshot) -> Result<(), String> {
    let told = |what: &str| Err(format!("`{name}`: {what}"));
    if !matches!(known.circuit, None | Some(Circuit::Closed | Circuit::Open)) {
        return told("a circuit is saved as `closed` or `open`");
    }
    if known.standing.as_ref().is_some_and(|standing| !standing.to.is_some_and(Override::stands)) {
        return told("an override that is saved is one that stands, such as `forced_open`");
    }
    if known.last_failure.is_some_and(Fault::caller) || known.sticky.is_some_and(|class| class.sticky() == 0)
    {
        return told("this class of faults is never kept there");
    }
    let calls = known.window.as_ref().and_then(|window| window.calls.as_deref()).unwrap_or_default();
    if calls.bytes().any(|digit| !(b'0'..=b'7').contains(&digit)) {
        return told("`calls` has a digit from 0 to 7 for each call");
    }
    Ok(())
}

/// Every number is one that every language can carry.
fn in_range(value: &Value) -> Result<(), String> {
    match value {
        Value::Number(number) if number.as_u64().is_none_or(|number| number > INTEGER_MAX) => {
            Err(format!("{number} is not a whole number from 0 to 2^53 - 1"))
        }
        Value::Array(items) => items.iter().try_for_each(in_range),
        Value::Object(entries) => entries.values().try_for_each(in_range),
        _ => Ok(()),
    }
}
