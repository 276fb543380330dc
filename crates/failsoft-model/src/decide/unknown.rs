//! A name that the matrix does not have (4.7).

use serde_json::json;

use super::{Decision, reason_without_dependency};
use crate::engine::Asked;

/// DEC-18: the answer to a name that the matrix does not have.
pub(crate) fn unknown_name(asked: Asked<'_>) -> Decision {
    let json = json!({
        "matrix": asked.engine.identity,
        "operation": asked.operation.name,
        "verdict": "deny",
        "posture": "fail_closed",
        "enforced": true,
        "cacheable": false,
        "status": 503,
        "code": "UNKNOWN_NAME",
        "retry_after_ms": null,
        "obligations": [],
        "emits": [],
        "reasons": [reason_without_dependency("unknown_name", asked.now)],
    });
    Decision {
        json,
        goes_on: false,
        looked_at: Vec::new(),
        failed: Vec::new(),
        behind: Vec::new(),
        skipped: Vec::new(),
        emitted: Vec::new(),
    }
}
