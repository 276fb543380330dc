//! Invariants (11.2): when one is held against a situation, and what breaks it.

use serde_json::Value;

use crate::engine::Asked;
use crate::json::{optional_string, required_string, string, table};
use crate::ladder::{self, Stance};
use crate::limit;
use crate::needs::{self, Condition};

/// DOC-26.
pub(super) struct Invariant {
    /// Its place in the document's list.
    pub(super) place: usize,
    pub(super) operation: String,
    /// Dependencies, each with what it is to be.
    pub(super) when: Vec<(String, String)>,
    verdict: Option<String>,
    posture: Option<String>,
    obligation: Option<String>,
    never: Option<String>,
}

impl Invariant {
    /// An invariant as it is written.
    pub(super) fn read(place: usize, written: &Value) -> Result<Invariant, String> {
        let map = table(written, "invariant")?;
        let mut when = Vec::new();
        if let Some(written) = map.get("when") {
            for (dependency, condition) in table(written, "when")? {
                when.push((dependency.clone(), string(condition, "when")?));
            }
        }
        Ok(Invariant {
            place,
            operation: required_string(map, "operation")?,
            when,
            verdict: optional_string(map, "verdict")?,
            posture: optional_string(map, "posture")?,
            obligation: optional_string(map, "obligation")?,
            never: optional_string(map, "never")?,
        })
    }

    /// PRF-10: its `when` is so.
    pub(super) fn when_is_so(&self, asked: Asked<'_>) -> Result<bool, String> {
        for (dependency, wanted) in &self.when {
            let is = condition(asked, dependency)?;
            let has_failed = !matches!(is.as_str(), "fine" | "refused" | "skipped");
            if is != *wanted && !(wanted == "failed" && has_failed) {
                return Ok(false);
            }
        }
        Ok(true)
    }

    /// PRF-11: any of its promises is broken by a decision.
    pub(super) fn is_broken_by(&self, decision: &Value) -> bool {
        let text = |key: &str| decision.get(key).and_then(Value::as_str).unwrap_or("");
        // PRF-12: a cut came too late, and counts as a stop.
        let cut = has(decision, "cut_stream") || has(decision, "reconcile");
        let verdict = if cut { "deny" } else { text("verdict") };
        let goes_on = verdict == "allow" || verdict == "withhold";
        let looser = |loosest: &String| verdict_place(verdict) < verdict_place(loosest);
        let more_open = |most: &String| posture_place(text("posture")) < posture_place(most);
        self.verdict.as_ref().is_some_and(looser)
            || self.never.as_ref().is_some_and(|never| never == verdict)
            || self.posture.as_ref().is_some_and(|most| goes_on && more_open(most))
            || self.obligation.as_ref().is_some_and(|kind| goes_on && !has(decision, kind))
    }
}

/// Whether a decision has an obligation of a kind.
fn has(decision: &Value, kind: &str) -> bool {
    let obligations = decision.get("obligations").and_then(Value::as_array);
    obligations
        .into_iter()
        .flatten()
        .any(|obligation| obligation.get("kind").and_then(Value::as_str) == Some(kind))
}

/// DEC-2, loosest first.
pub(super) fn verdict_place(verdict: &str) -> Option<usize> {
    ["allow", "withhold", "defer", "deny"].iter().position(|name| *name == verdict)
}

/// DEC-7, most open first.
pub(super) fn posture_place(posture: &str) -> Option<usize> {
    ["fail_open", "fail_soft", "fail_closed", "normal"].iter().position(|name| *name == posture)
}

/// PRF-10: what a dependency is by section 2: `fine`, `refused`, `failed` without a class, or the class; `skipped`
/// where an operator skips the need, `refused` where a meter holds or cuts it. One that is no need is never skipped (OPR-20): it is judged as a target is.
pub(super) fn condition(asked: Asked<'_>, name: &str) -> Result<String, String> {
    let dependency = asked.engine.document.dependency(name)?;
    let needed = asked.operation.needs.iter().any(|need| need == name);
    if needed && limit::answer(asked, dependency)?.is_some() {
        return Ok("refused".to_owned());
    }
    if asked.operation.needs.iter().any(|need| need == name)
        && matches!(ladder::stance(asked, dependency)?, Stance::BreakGlass { .. })
    {
        return Ok("skipped".to_owned());
    }
    Ok(match needs::condition(asked, dependency)? {
        Condition::Fine => "fine".to_owned(),
        Condition::Refused => "refused".to_owned(),
        Condition::Failed(failure) => failure.fault.unwrap_or_else(|| "failed".to_owned()),
    })
}
