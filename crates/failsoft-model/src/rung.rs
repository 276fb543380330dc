//! One rung: whether its `when` matches, what verdict and posture it means, and the answer that it gives
//! (spec 1.4, 3 and 4).

use serde_json::{Value, json};

use crate::document::{Dependency, Document, Kind, Rung};
use crate::engine::Asked;
use crate::numbers::percent;

/// What one need answers, when it is not fine. Before the point of no return changes anything (STG-7).
#[derive(Clone, Debug)]
pub(crate) struct Answer {
    /// `None` for a refuse rule and for `max_unchecked` (DEC-26).
    pub(crate) dependency: Option<String>,
    pub(crate) role: String,
    pub(crate) verdict: String,
    pub(crate) posture: String,
    pub(crate) status: i64,
    pub(crate) code: Option<String>,
    pub(crate) refusal: bool,
    /// The caller's own fault (LAD-6).
    pub(crate) callers: bool,
    pub(crate) obligations: Vec<Value>,
    pub(crate) emits: Vec<Value>,
    pub(crate) reason: Value,
    /// Which rung this is, for "once per request and rung" (REQ-14).
    pub(crate) rung_key: String,
    /// The wait of a `retry`, at its most (DEC-29).
    pub(crate) retry_wait: Option<i64>,
    /// The rung of `on_failure` that answers, for its cap (LAD-53).
    pub(crate) place: Option<usize>,
    /// The meter that holds the request (MET-33).
    pub(crate) held_by: Option<String>,
}

impl Answer {
    /// Whether the request may go on by this answer.
    pub(crate) fn goes_on(&self) -> bool {
        goes_on(&self.verdict)
    }
}

/// spec/README.md, "Words": `allow` and `withhold` go on.
pub(crate) fn goes_on(verdict: &str) -> bool {
    verdict == "allow" || verdict == "withhold"
}

/// DEC-4: the status of a verdict where no rung says one.
pub(crate) fn default_status(verdict: &str) -> i64 {
    match verdict {
        "deny" => 503,
        "defer" => 202,
        _ => 200,
    }
}

/// LAD-2: every key given must match. A failure without a class matches no `when.fault`.
pub(crate) fn matches(asked: Asked<'_>, rung: &Rung, fault: Option<&str>, health: &str) -> bool {
    let Some(when) = &rung.when else { return true };
    let allows = |list: &Option<Vec<String>>, value: Option<&str>| match list {
        None => true,
        Some(list) => list.iter().any(|item| Some(item.as_str()) == value),
    };
    let parameters = match &when.parameter {
        None => true,
        Some(pairs) => pairs.iter().all(|(name, value)| {
            let bound = asked.engine.document.parameters.iter().find(|parameter| parameter.name == *name);
            bound.is_some_and(|parameter| parameter.value == *value)
        }),
    };
    allows(&when.fault, fault)
        && allows(&when.health, Some(health))
        && allows(&when.effect, Some(&asked.operation.effect))
        && allows(&when.stage, Some(&asked.request.stage))
        && allows(&when.operation, Some(&asked.operation.name))
        && allows(&when.class, Some(&asked.request.class))
        && parameters
}

/// Whether the rung lists this name under `when.fault`.
pub(crate) fn names_fault(rung: &Rung, fault: &str) -> bool {
    let list = rung.when.as_ref().and_then(|when| when.fault.as_ref());
    list.is_some_and(|list| list.iter().any(|item| item == fault))
}

/// Whether the rung lists this name under `when.health`.
pub(crate) fn names_health(rung: &Rung, health: &str) -> bool {
    let list = rung.when.as_ref().and_then(|when| when.health.as_ref());
    list.is_some_and(|list| list.iter().any(|item| item == health))
}

/// Whether the rung lists this name under `when.effect`.
pub(crate) fn names_effect(rung: &Rung, effect: &str) -> bool {
    let list = rung.when.as_ref().and_then(|when| when.effect.as_ref());
    list.is_some_and(|list| list.iter().any(|item| item == effect))
}

/// LAD-3: what a rung answers; every substitute answers `allow`, and `retry` answers `defer`.
pub(crate) fn verdict(kind: &Kind) -> &'static str {
    match kind {
        Kind::Deny => "deny",
        Kind::Defer | Kind::Retry { .. } => "defer",
        Kind::Withhold => "withhold",
        _ => "allow",
    }
}

/// DEC-5, "Posture of a rung".
pub(crate) fn posture(document: &Document, dependency: &Dependency, kind: &Kind) -> &'static str {
    match kind {
        Kind::Allow => "fail_open",
        Kind::Deny | Kind::Defer | Kind::Withhold | Kind::Retry { .. } => "fail_closed",
        _ if !dependency.is_guard() => "fail_soft",
        Kind::LastKnown { .. } | Kind::LocalMeter { .. } => "fail_soft",
        Kind::Fallback { to } if document.dependency(to).is_ok_and(Dependency::is_guard) => "fail_soft",
        _ => "fail_open",
    }
}

/// LAD-43 and LAD-44: the least and the greatest wait.
pub(crate) fn retry_waits(asked: Asked<'_>, dependency: &str, kind: &Kind) -> (i64, i64) {
    let Kind::Retry { base, multiplier, jitter, .. } = kind else {
        return (0, 0);
    };
    let attempts = asked.request.attempts(dependency);
    let mut wait = *base;
    let mut step = 1;
    while step < attempts {
        let longer = percent(wait, *multiplier);
        // A wait that does not grow by this step will not grow by the next.
        if longer == wait {
            break;
        }
        wait = longer;
        step += 1;
    }
    let wait = wait.max(asked.request.retry_after(dependency, asked.now).unwrap_or(0));
    (wait, percent(wait, jitter.saturating_add(100)))
}

/// The obligation of the rung's own kind, where it has one (LAD-3, DEC-22).
/// `least_bad` is told which target it took.
fn own_obligation(asked: Asked<'_>, dependency: &str, kind: &Kind, target: Option<&str>) -> Option<Value> {
    let plain = |name: &str| Some(json!({ "kind": name, "dependency": dependency }));
    match kind {
        Kind::Allow | Kind::Deny | Kind::Defer => None,
        Kind::Withhold => plain("withhold_output"),
        Kind::Plain(name) | Kind::Substitute { name } => plain(name),
        Kind::LastKnown { .. } => plain("last_known"),
        Kind::LocalMeter { meter, .. } => {
            Some(json!({ "kind": "local_meter", "dependency": dependency, "meter": meter }))
        }
        // The number is given at commit (DEC-23); until then it is not known.
        Kind::Outbox { .. } => Some(json!({ "kind": "outbox", "dependency": dependency, "sequence": null })),
        Kind::Fallback { .. } | Kind::LeastBad { .. } => {
            Some(json!({ "kind": "fallback", "dependency": dependency, "to": target }))
        }
        Kind::Retry { max_attempts, jitter, .. } => {
            let (least, most) = retry_waits(asked, dependency, kind);
            let attempt = asked.request.attempts(dependency).saturating_add(1);
            Some(if *jitter > 0 {
                json!({ "kind": "retry", "dependency": dependency, "min_ms": least, "max_ms": most,
                        "attempt": attempt, "max_attempts": max_attempts })
            } else {
                json!({ "kind": "retry", "dependency": dependency, "after_ms": least,
                        "attempt": attempt, "max_attempts": max_attempts })
            })
        }
    }
}

/// DEC-19: a need's obligations: its own, `also` as written. (`mark_unchecked` follows in `answer`.)
fn obligations(asked: Asked<'_>, dependency: &str, rung: &Rung, target: Option<&str>) -> Vec<Value> {
    let mut list: Vec<Value> = own_obligation(asked, dependency, &rung.kind, target).into_iter().collect();
    for name in &rung.also {
        list.push(json!({ "kind": name, "dependency": dependency }));
    }
    list
}

/// DEC-24: one entry if the rung has `emit` or `alert`.
pub(crate) fn emits(dependency: Option<&str>, rung: &Rung) -> Vec<Value> {
    if rung.emit.is_none() && rung.alert.is_none() {
        return Vec::new();
    }
    let event = rung.emit.clone().unwrap_or_else(|| "alert".to_owned());
    vec![json!({ "event": event, "dependency": dependency, "reason": rung.reason, "alert": rung.alert })]
}

/// What was found out before the rung is turned into an answer.
pub(crate) struct Found<'a> {
    pub(crate) dependency: &'a Dependency,
    pub(crate) refusal: bool,
    pub(crate) callers: bool,
    pub(crate) fault: Option<&'a str>,
    pub(crate) since: i64,
    /// The target that a `fallback` or `least_bad` goes to.
    pub(crate) target: Option<&'a str>,
}

/// The answer of a rung that stands, at `place` in its ladder (0 for an `on_refusal`, DEC-26).
pub(crate) fn answer(asked: Asked<'_>, found: &Found<'_>, place: usize, rung: &Rung) -> Answer {
    let dependency = found.dependency;
    let name = dependency.name.as_str();
    let verdict = verdict(&rung.kind);
    let of_kind = posture(&asked.engine.document, dependency, &rung.kind);
    // DEC-6: a refusal, and the caller's own fault where it stops the request, are normal.
    let normal = found.refusal || (found.callers && !goes_on(verdict));
    let posture = if normal { "normal" } else { of_kind };
    let mut obligations = obligations(asked, name, rung, found.target);
    if dependency.is_guard() && posture == "fail_open" {
        obligations.push(json!({ "kind": "mark_unchecked", "dependency": name }));
    }
    let (status, code) = match (verdict, found.refusal) {
        ("deny", true) => (403, Some("REFUSED".to_owned())),
        ("deny", false) => (503, Some("DEPENDENCY_UNAVAILABLE".to_owned())),
        (verdict, _) => (default_status(verdict), None),
    };
    let retry_wait = match rung.kind {
        Kind::Retry { .. } => Some(retry_waits(asked, name, &rung.kind).1),
        _ => None,
    };
    let ladder = if found.refusal { "on_refusal" } else { "on_failure" };
    Answer {
        dependency: Some(name.to_owned()),
        role: dependency.role.clone(),
        verdict: verdict.to_owned(),
        posture: posture.to_owned(),
        status: rung.status.unwrap_or(status),
        code: rung.code.clone().or(code),
        refusal: found.refusal,
        callers: found.callers,
        obligations,
        emits: emits(Some(name), rung),
        reason: reason(asked, found, Some(place), rung.kind.name()),
        rung_key: format!("{name} {ladder} {place}"),
        retry_wait,
        place: (!found.refusal).then_some(place),
        held_by: None,
    }
}

/// The answer where no rung stands: a ladder that ran out (LAD-4), or the default refusal (LAD-5).
pub(crate) fn ran_out(asked: Asked<'_>, found: &Found<'_>) -> Answer {
    let dependency = found.dependency;
    let (verdict, posture, status, code) = if found.refusal {
        ("deny", "normal", 403, Some("REFUSED"))
    } else if dependency.is_observer() {
        ("allow", "fail_open", 200, None)
    } else if found.callers && found.fault == Some("cancelled") {
        ("deny", "normal", 499, Some("CALLER_GONE"))
    } else if found.callers {
        ("deny", "normal", 400, Some("CALLER_ERROR"))
    } else {
        ("deny", "fail_closed", 503, Some("DEPENDENCY_UNAVAILABLE"))
    };
    Answer {
        dependency: Some(dependency.name.clone()),
        role: dependency.role.clone(),
        verdict: verdict.to_owned(),
        posture: posture.to_owned(),
        status,
        code: code.map(str::to_owned),
        refusal: found.refusal,
        callers: found.callers,
        obligations: Vec::new(),
        emits: Vec::new(),
        reason: reason(asked, found, None, verdict),
        rung_key: format!("{} ran out", dependency.name),
        retry_wait: None,
        place: None,
        held_by: None,
    }
}

/// OPR-20: the answer of a guard that an operator skips; its ladder is not read (LAD-52).
pub(crate) fn skipped(asked: Asked<'_>, found: &Found<'_>) -> Answer {
    let name = found.dependency.name.as_str();
    Answer {
        dependency: Some(name.to_owned()),
        role: found.dependency.role.clone(),
        verdict: "allow".to_owned(),
        posture: "fail_open".to_owned(),
        status: 200,
        code: None,
        refusal: false,
        callers: false,
        obligations: vec![json!({ "kind": "mark_unchecked", "dependency": name })],
        emits: Vec::new(),
        reason: reason(asked, found, None, "break_glass"),
        rung_key: format!("{name} break_glass"),
        retry_wait: None,
        place: None,
        held_by: None,
    }
}

/// DEC-26: dependency, health, fault, rung, kind, since_ms.
fn reason(asked: Asked<'_>, found: &Found<'_>, place: Option<usize>, kind: &str) -> Value {
    let name = &found.dependency.name;
    let health = asked.engine.health(name).map_or("unknown", |health| health.shown());
    let fault = if found.refusal { Some("refused") } else { found.fault };
    json!({ "dependency": name, "health": health, "fault": fault, "rung": place, "kind": kind,
            "since_ms": found.since })
}
