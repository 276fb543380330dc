//! Putting needs together (spec 4 and 5).

mod unknown;

use std::collections::BTreeMap;

use serde_json::{Value, json};

use crate::document::{Dependency, Kind, RefuseRule};
use crate::engine::Asked;
use crate::ladder::{self, Stance};
use crate::limit;
use crate::rung::{self, Answer};
pub(crate) use unknown::unknown_name;

/// A decision before it is committed.
pub(crate) struct Decision {
    /// The line's `decision`, keys in the order of DEC-32; outbox numbers still null.
    pub(crate) json: Value,
    pub(crate) goes_on: bool,
    /// The needs that were looked at, with their answers before the point of no return changed them.
    pub(crate) looked_at: Vec<(String, Option<Answer>)>,
    /// The needs that have failed, looked at or not, by spec 2 or skipped by `break_glass` (MET-40).
    pub(crate) failed: Vec<String>,
    /// Those of `looked_at` that are left behind, of which a meter alone was looked at (STG-3).
    pub(crate) behind: Vec<String>,
    /// Guards skipped or replaced now, with their posture (REQ-11).
    pub(crate) skipped: Vec<(String, String)>,
    /// The emits that stand in the decision, in order, as far as a commit may tell them as event lines.
    pub(crate) emitted: Vec<Emitted>,
}

/// An emit that stands in the decision.
pub(crate) struct Emitted {
    /// Which rung's it is: REQ-14 tells it once per request and rung.
    pub(crate) rung_key: String,
    /// The need; none for a refuse rule.
    pub(crate) dependency: Option<String>,
    /// It is of a refusal, or of a rung that stops, and told by REQ-14. Any other is told by REQ-15: where the window
    /// opens or changes rung.
    pub(crate) stops: bool,
    pub(crate) emit: Value,
}

/// What the needs say together.
struct Needs {
    /// Each need's answer that is not fine, in pipeline order, before conversion.
    answers: Vec<Answer>,
    looked_at: Vec<(String, Option<Answer>)>,
    behind: Vec<String>,
}

/// DEC-1: the decision for this request at this moment. It changes nothing.
pub(crate) fn decide(asked: Asked<'_>) -> Result<Decision, String> {
    if let Some((place, rule)) = first_rule(asked) {
        // DEC-12: guards and servers are not looked at.
        let needs = look_at(asked, true)?;
        return put_together(asked, Some(rule_answer(asked, place, rule)), needs);
    }
    let needs = look_at(asked, false)?;
    let unchecked = unchecked(asked, &needs);
    let stops = needs.answers.iter().any(|answer| !converted(asked, answer).goes_on());
    if let Some(most) = asked.operation.max_unchecked
        && unchecked > most
        && !stops
    {
        return put_together(asked, Some(too_many_unchecked(asked)), needs);
    }
    put_together(asked, None, needs)
}

/// Looks at the needs in pipeline order, the observers alone where a refuse rule has decided.
fn look_at(asked: Asked<'_>, observers_only: bool) -> Result<Needs, String> {
    let mut needs = Needs { answers: Vec::new(), looked_at: Vec::new(), behind: Vec::new() };
    for name in &asked.operation.needs {
        let dependency = asked.engine.document.dependency(name)?;
        if observers_only && !dependency.is_observer() {
            continue;
        }
        if let Some(remembered) = left_behind(asked, dependency) {
            // MET-32: on a stream a meter cuts all the same, and that is then the store's answer.
            if asked.request.stage == "stream"
                && let Some(answer) = limit::answer(asked, dependency)?
            {
                needs.answers.push(answer.clone());
                needs.looked_at.push((name.clone(), Some(answer)));
                needs.behind.push(name.clone());
                continue;
            }
            // What let the request go on adds nothing; what stopped it or withheld its output stands again.
            if let Some(answer) = remembered
                && answer.verdict != "allow"
            {
                needs.answers.push(answer.clone());
            }
            continue;
        }
        let answer = ladder::need(asked, dependency)?;
        needs.answers.extend(answer.clone());
        needs.looked_at.push((name.clone(), answer));
    }
    Ok(needs)
}

/// STG-3: a need of an earlier stage, of which the request reports nothing, that an earlier
/// committed decision of it answered, and that is not a guard of an irreversible operation.
fn left_behind<'a>(asked: Asked<'a>, dependency: &Dependency) -> Option<&'a Option<Answer>> {
    let need_stage = crate::document::stage_place(&dependency.stage);
    let earlier = need_stage < crate::document::stage_place(&asked.request.stage);
    let reported = asked.request.reports.contains_key(&dependency.name);
    let kept = asked.irreversible() && dependency.is_guard();
    if !earlier || reported || kept {
        return None;
    }
    asked.request.answered.get(&dependency.name)
}

/// DEC-11: the first refuse rule that holds, with its place.
pub(crate) fn first_rule(asked: Asked<'_>) -> Option<(usize, &RefuseRule)> {
    let mut rules = asked.operation.refuse.iter().enumerate();
    rules.find(|(_, rule)| rule_holds(&asked.request.attributes, rule))
}

/// DEC-11: all conditions of one `when` must hold; `same` also holds when either is missing.
pub(crate) fn rule_holds(attributes: &BTreeMap<String, String>, rule: &RefuseRule) -> bool {
    let present = rule.present.as_ref().is_none_or(|name| attributes.contains_key(name));
    let equals = rule.equals.as_ref().is_none_or(|pairs| {
        pairs.iter().all(|(name, value)| attributes.get(name).is_some_and(|told| told == value))
    });
    let same = rule.same.as_ref().is_none_or(|(first, second)| {
        match (attributes.get(first), attributes.get(second)) {
            (Some(first), Some(second)) => first == second,
            _ => true,
        }
    });
    present && equals && same
}

/// DEC-12: a refuse rule's answer: its own status and code, posture normal, no dependency.
fn rule_answer(asked: Asked<'_>, place: usize, rule: &RefuseRule) -> Answer {
    let deny = &rule.deny;
    let also = deny.also.iter().map(|name| json!({ "kind": name, "dependency": null }));
    Answer {
        dependency: None,
        role: String::new(),
        verdict: "deny".to_owned(),
        posture: "normal".to_owned(),
        status: deny.status.unwrap_or(403),
        code: Some(deny.code.clone().unwrap_or_else(|| "REFUSED".to_owned())),
        refusal: true,
        callers: false,
        obligations: also.collect(),
        emits: rung::emits(None, deny),
        reason: reason_without_dependency("refuse", asked.now),
        rung_key: format!("refuse {place}"),
        retry_wait: None,
        place: None,
        held_by: None,
    }
}

/// DEC-13: 503 `TOO_MANY_UNCHECKED`, `fail_closed`.
fn too_many_unchecked(asked: Asked<'_>) -> Answer {
    Answer {
        dependency: None,
        role: String::new(),
        verdict: "deny".to_owned(),
        posture: "fail_closed".to_owned(),
        status: 503,
        code: Some("TOO_MANY_UNCHECKED".to_owned()),
        refusal: false,
        callers: false,
        obligations: Vec::new(),
        emits: Vec::new(),
        reason: reason_without_dependency("max_unchecked", asked.now),
        rung_key: "max_unchecked".to_owned(),
        retry_wait: None,
        place: None,
        held_by: None,
    }
}

/// DEC-26: the reason of what is no need.
fn reason_without_dependency(kind: &str, now: i64) -> Value {
    json!({ "dependency": null, "health": null, "fault": null, "rung": null, "kind": kind, "since_ms": now })
}

/// How many guards would be passed unchecked: those looked at now by their present answer, the others as the
/// request remembers them (DEC-13, REQ-11).
fn unchecked(asked: Asked<'_>, needs: &Needs) -> i64 {
    let mut unchecked: Vec<&String> = Vec::new();
    for (name, answer) in &needs.looked_at {
        if answer.as_ref().is_some_and(|answer| answer.role == "guard" && answer.posture == "fail_open") {
            unchecked.push(name);
        }
    }
    for (guard, how) in &asked.request.skipped {
        let looked_at = needs.looked_at.iter().any(|(looked, _)| looked == guard);
        // One whose dependency did not go on has no name (RST-15).
        if how == "fail_open" && !looked_at && !guard.is_empty() && !unchecked.contains(&guard) {
            unchecked.push(guard);
        }
    }
    i64::try_from(unchecked.len()).unwrap_or(i64::MAX)
}

/// STG-7: past the point of no return a `deny` or `defer` becomes a cut.
fn converted(asked: Asked<'_>, answer: &Answer) -> Answer {
    let mut answer = answer.clone();
    if asked.past_return() && !answer.goes_on() {
        answer.verdict = "withhold".to_owned();
        answer.status = 200;
        let kind = if asked.irreversible() { "reconcile" } else { "cut_stream" };
        answer.obligations.push(json!({ "kind": kind, "dependency": answer.dependency }));
    }
    answer
}

/// How strict a verdict is (DEC-2).
fn strictness(verdict: &str) -> u8 {
    match verdict {
        "deny" => 3,
        "defer" => 2,
        "withhold" => 1,
        _ => 0,
    }
}

/// DEC-2 and DEC-3: the strictest verdict; among equals a refusal before a failure, then pipeline order.
fn deciding(answers: &[Answer]) -> Option<usize> {
    let mut best: Option<(usize, &Answer)> = None;
    for (place, answer) in answers.iter().enumerate() {
        let better = match best {
            None => true,
            Some((_, other)) => {
                let (mine, theirs) = (strictness(&answer.verdict), strictness(&other.verdict));
                mine > theirs || (mine == theirs && answer.refusal && !other.refusal)
            }
        };
        if better {
            best = Some((place, answer));
        }
    }
    best.map(|(place, _)| place)
}

/// The most open of the postures of a decision that goes on (DEC-7).
fn most_open<'a>(postures: impl Iterator<Item = &'a str>) -> &'a str {
    let order = ["normal", "fail_closed", "fail_soft", "fail_open"];
    let place = |posture: &str| order.iter().position(|name| *name == posture);
    postures.max_by_key(|posture| place(posture)).unwrap_or("normal")
}

/// Spec 4: one decision of all answers; `ruling` is a refuse rule or `max_unchecked`, which decides itself.
fn put_together(asked: Asked<'_>, ruling: Option<Answer>, needs: Needs) -> Result<Decision, String> {
    let by_ruling = ruling.is_some();
    let unconverted: Vec<Answer> = ruling.into_iter().chain(needs.answers).collect();
    let answers: Vec<Answer> = unconverted.iter().map(|answer| converted(asked, answer)).collect();
    let decider = if by_ruling { Some(0) } else { deciding(&answers) };
    let deciding_answer = decider.and_then(|place| answers.get(place));

    let verdict = deciding_answer.map_or("allow", |answer| answer.verdict.as_str());
    let goes_on = rung::goes_on(verdict);
    let too_many = deciding_answer.is_some_and(|answer| answer.rung_key == "max_unchecked");
    let skipped_now: Vec<(String, String)> = needs.looked_at.iter().filter_map(skipped_guard).collect();

    // DEC-8: the memory joins only where the request goes on.
    let remembered = asked.request.skipped.iter().map(|(_, posture)| posture.as_str());
    let now = answers.iter().map(|answer| answer.posture.as_str());
    let posture = if goes_on {
        most_open(now.chain(remembered))
    } else {
        deciding_answer.map_or("normal", |answer| answer.posture.as_str())
    };

    // DEC-10.
    let failed = deciding_answer.is_some_and(|answer| !answer.refusal);
    let guard_missing = !skipped_now.is_empty() || !asked.request.skipped.is_empty();
    let cacheable = !((verdict != "allow" && failed) || too_many || (goes_on && guard_missing));

    // DEC-20: a request that goes on has all obligations; else those of the need that decided and of
    // observers. After `max_unchecked` and a refuse rule: their own and the observers' (DEC-12, DEC-14).
    let mut obligations: Vec<Value> = Vec::new();
    let mut emits: Vec<Value> = Vec::new();
    let mut emitted: Vec<Emitted> = Vec::new();
    for (place, answer) in answers.iter().enumerate() {
        let all_stand = goes_on && !by_ruling;
        if !(all_stand || Some(place) == decider || answer.role == "observe") {
            continue;
        }
        for obligation in &answer.obligations {
            if !obligations.contains(obligation) {
                obligations.push(obligation.clone());
            }
        }
        for emit in &answer.emits {
            if !emits.contains(emit) {
                emits.push(emit.clone());
            }
            // REQ-14: of a refusal, or of a rung that stops.
            // One that stops too late, and so cuts, stops all the same.
            let of_refusal = answer.refusal || answer.held_by.is_some();
            emitted.push(Emitted {
                rung_key: answer.rung_key.clone(),
                dependency: answer.dependency.clone(),
                stops: of_refusal || unconverted.get(place).is_some_and(|before| !before.goes_on()),
                emit: emit.clone(),
            });
        }
    }

    // DEC-25: the need that decided first, the others in pipeline order.
    let mut reasons: Vec<Value> = deciding_answer.map(|answer| answer.reason.clone()).into_iter().collect();
    for (place, answer) in answers.iter().enumerate() {
        if Some(place) != decider {
            reasons.push(answer.reason.clone());
        }
    }

    let json = json!({
        "matrix": asked.engine.identity,
        "operation": asked.operation.name,
        "verdict": verdict,
        "posture": posture,
        "enforced": asked.operation.enforcement != "shadow",
        "cacheable": cacheable,
        "status": deciding_answer.map_or(200, |answer| answer.status),
        "code": deciding_answer.and_then(|answer| answer.code.clone()),
        "retry_after_ms": if by_ruling { None } else { retry_after(asked, goes_on, &answers) },
        "obligations": obligations,
        "emits": emits,
        "reasons": reasons,
    });
    let (looked_at, behind) = (needs.looked_at, needs.behind);
    Ok(Decision {
        json,
        goes_on,
        looked_at,
        failed: failed_needs(asked)?,
        behind,
        skipped: skipped_now,
        emitted,
    })
}

/// MET-40: the needs that have failed for this request, whether they are looked at or not.
fn failed_needs(asked: Asked<'_>) -> Result<Vec<String>, String> {
    let mut failed = Vec::new();
    for name in &asked.operation.needs {
        let dependency = asked.engine.document.dependency(name)?;
        if matches!(ladder::stance(asked, dependency)?, Stance::Failed(_) | Stance::BreakGlass { .. }) {
            failed.push(name.clone());
        }
    }
    Ok(failed)
}

/// REQ-11: a guard that failed and that the request passes, or would pass, by a rung.
fn skipped_guard(looked_at: &(String, Option<Answer>)) -> Option<(String, String)> {
    let (name, answer) = looked_at;
    let answer = answer.as_ref()?;
    let open_or_soft = answer.posture == "fail_open" || answer.posture == "fail_soft";
    (answer.role == "guard" && open_or_soft).then(|| (name.clone(), answer.posture.clone()))
}

/// DEC-28: the longest known wait among the needs that failed and deny or defer.
fn retry_after(asked: Asked<'_>, goes_on: bool, answers: &[Answer]) -> Option<i64> {
    if goes_on {
        return None;
    }
    let stopping = answers.iter().filter(|answer| !answer.goes_on() && !answer.refusal && !answer.callers);
    stopping.filter_map(|answer| wait_of(asked, answer)).max()
}

/// DEC-29 and DEC-30: what is known of one dependency's wait; with fallbacks, the least among it and its targets.
fn wait_of(asked: Asked<'_>, answer: &Answer) -> Option<i64> {
    // DEC-31: and nothing else.
    if let Some(meter) = &answer.held_by {
        return limit::wait(asked, meter);
    }
    let name = answer.dependency.as_ref()?;
    let dependency = asked.engine.document.dependency(name).ok()?;
    let mut waits: Vec<i64> = known_wait(asked, name).max(answer.retry_wait).into_iter().collect();
    for written in &dependency.on_failure {
        match &written.kind {
            Kind::Fallback { to } => waits.extend(known_wait(asked, to)),
            Kind::LeastBad { of } => waits.extend(of.iter().filter_map(|target| known_wait(asked, target))),
            _ => {}
        }
    }
    waits.into_iter().min()
}

/// DEC-29: the longer of the Retry-After told and the wait that is left.
fn known_wait(asked: Asked<'_>, name: &str) -> Option<i64> {
    let told = asked.request.retry_after(name, asked.now);
    let left = asked.engine.health(name).ok().and_then(|health| health.wait_left(asked.now));
    told.max(left)
}
