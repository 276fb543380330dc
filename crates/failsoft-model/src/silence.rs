//! Silences (DOC-34). They change no decision and are no part of the canonical form, so they are read and not kept.

use serde_json::{Map, Value};

use crate::health::allowed;
use crate::json::{required_string, table};

/// The codes of PRF-15 that are no error's.
const CODES: [&str; 16] = [
    "vacuous-invariant",
    "worse-is-looser",
    "dead-rung",
    "dead-setting",
    "dead-class",
    "dead-parameter",
    "unused",
    "runs-out",
    "fallback-cycle",
    "late",
    "not-enforced",
    "unbounded-open",
    "shared-cap",
    "business-status",
    "promise",
    "stale-silence",
];

/// DOC-34: each has `code`, `at` and `reason`, and no other key.
pub(crate) fn read(document: &Map<String, Value>) -> Result<(), String> {
    let Some(list) = document.get("silence") else { return Ok(()) };
    for silence in list.as_array().ok_or("silence must be a list")? {
        let silence = table(silence, "silence")?;
        allowed(silence, &["code", "at", "reason"])?;
        let code = required_string(silence, "code")?;
        if !CODES.contains(&code.as_str()) {
            return Err(format!("unknown code {code}"));
        }
        required_string(silence, "at")?;
        if required_string(silence, "reason")?.is_empty() {
            return Err("a silence has a reason".to_owned());
        }
    }
    Ok(())
}
