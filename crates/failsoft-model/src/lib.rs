//! The reference model of failsoft: slow, obvious, and written from `spec/` alone.
//!
//! It reads a matrix as JSON data and the lines of a trace, and answers with the lines that
//! `failsoft replay --json` must print. It scans lists from the front, names everything by its string, and
//! computes nothing before it is asked for, so that each function can be held beside the sentence it obeys.

mod canonical;
mod decide;
mod document;
mod engine;
pub mod generate;
mod health;
mod json;
mod ladder;
mod limit;
mod meter;
mod needs;
mod numbers;
pub mod proof;
mod reading;
mod reload;
mod request;
mod rung;
mod settings;
mod silence;
#[cfg(test)]
mod tests;
mod trace;
mod window;

use std::collections::BTreeMap;

use serde_json::Value;

/// Runs the lines of a trace through the engine of a document: answers and events in order, one JSON object a
/// line (trace.md).
///
/// # Errors
/// A short text, where the document or a line holds what cannot be read.
pub fn replay(
    document: &Value,
    parameters: &BTreeMap<String, String>,
    lines: &[Value],
) -> Result<Vec<Value>, String> {
    trace::replay(reading::document(document, parameters)?, lines)
}

/// The canonical form of a document after binding (CAN-1).
///
/// # Errors
/// A short text, where the document holds what cannot be read.
pub fn canonical(document: &Value, parameters: &BTreeMap<String, String>) -> Result<String, String> {
    Ok(canonical::text(&reading::document(document, parameters)?))
}

/// The identity of a document after binding: `name@revision:sha256-` and 64 hex digits (CAN-10).
///
/// # Errors
/// A short text, where the document holds what cannot be read.
pub fn identity(document: &Value, parameters: &BTreeMap<String, String>) -> Result<String, String> {
    Ok(canonical::identity(&reading::document(document, parameters)?))
}
