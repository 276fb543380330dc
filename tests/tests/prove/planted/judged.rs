//! What a situation comes to, and whether that is what a finding says: judged here once more, in a few lines of its own.

use std::collections::BTreeMap;

use failsoft_tests::implementation::{Engine, Implementation, Model};
use serde_json::Value;

/// From the strictest.
const VERDICTS: [&str; 4] = ["deny", "defer", "withhold", "allow"];
/// From the least open.
const POSTURES: [&str; 4] = ["normal", "fail_closed", "fail_soft", "fail_open"];

/// What is decided in a situation, by the engine and by the model alike.
pub(super) fn decided(document: &Value, trace: &[Value]) -> Result<Value, String> {
    let none = BTreeMap::new();
    let [engine, model] = [
        Engine.replay(document, &none, trace).map_err(|why| format!("engine: {why}"))?,
        Model.replay(document, &none, trace).map_err(|why| format!("model: {why}"))?,
    ];
    if engine != model {
        return Err(format!("engine {engine:#?}\nmodel {model:#?}"));
    }
    let last = engine.last().ok_or("nothing is decided")?;
    let mut last: Value = serde_json::from_str(last).map_err(|error| error.to_string())?;
    Ok(last["decision"].take())
}

/// Whether a decision breaks a promise (PRF-11, PRF-12).
pub(super) fn breaks(promise: &Value, decision: &Value) -> bool {
    let kinds: Vec<&Value> =
        decision["obligations"].as_array().into_iter().flatten().map(|one| &one["kind"]).collect();
    let cut = kinds.iter().any(|kind| *kind == "cut_stream" || *kind == "reconcile");
    let verdict = if cut { "deny" } else { decision["verdict"].as_str().expect("a verdict") };
    let goes_on = verdict == "allow" || verdict == "withhold";
    let rank = |names: &[&str], name: &Value| names.iter().position(|known| name == known);
    let looser = rank(&VERDICTS, &verdict.into()) > rank(&VERDICTS, &promise["verdict"]);
    let opener = rank(&POSTURES, &decision["posture"]) > rank(&POSTURES, &promise["posture"]);
    promise["verdict"].is_string() && looser
        || promise["never"] == verdict
        || promise["posture"].is_string() && goes_on && opener
        || promise["obligation"].is_string() && goes_on && !kinds.contains(&&promise["obligation"])
}

/// Whether each need is as an invariant's `when` says, as far as the decision's reasons tell (PRF-10, PRF-25).
pub(super) fn as_promised(document: &Value, promise: &Value, decision: &Value) -> bool {
    let operation = promise["operation"].as_str().expect("an operation");
    let needs = document["operation"][operation]["needs"].as_array().expect("needs");
    let reasons: Vec<&Value> = decision["reasons"].as_array().into_iter().flatten().collect();
    let ruled = reasons.iter().any(|reason| reason["kind"] == "refuse");
    promise["when"].as_object().into_iter().flatten().all(|(name, wanted)| {
        let reason = reasons.iter().find(|reason| reason["dependency"] == name.as_str());
        let not_told = ruled || !needs.iter().any(|need| need == name.as_str());
        not_told
            || match (wanted.as_str(), reason) {
                (Some("fine"), None) => true,
                // The store is fine by section 2, and its meter is over the limit (MET-32).
                (Some("fine"), Some(reason)) => {
                    reason["kind"] == "over_limit" && reason["fault"] == "refused"
                }
                (Some("failed"), Some(reason)) => reason["fault"] != "refused",
                (_, Some(reason)) => reason["fault"] == *wanted,
                (_, None) => false,
            }
    })
}

/// Whether a decision is one of those that a finding about a ladder or a rung is told of.
pub(super) fn answers(at: &str, decision: &Value) -> bool {
    let Some((name, rung)) = at.strip_prefix("dependency.").and_then(|rest| rest.split_once(".on_failure"))
    else {
        return false;
    };
    let rung = rung.trim_matches(['[', ']']).parse::<u64>().ok();
    decision["reasons"].as_array().into_iter().flatten().any(|reason| {
        reason["dependency"] == name
            && reason["rung"].as_u64() == rung
            && reason["fault"] != "refused"
            && reason["kind"] != "over_limit"
    })
}
