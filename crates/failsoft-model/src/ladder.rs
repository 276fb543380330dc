//! Reading a ladder, and what a refusal takes (spec 3, and MET-20 for `local_meter`).

use crate::document::{Dependency, Kind, Rung};
use crate::engine::Asked;
use crate::meter;
use crate::needs::{self, Condition, Failure};
use crate::rung::{self, Answer, Found};
use crate::window;

/// How a need stands for this request.
pub(crate) enum Stance {
    Fine,
    Refused,
    Failed(Failure),
    /// Skipped by `break_glass` (OPR-20), with what was reported, and since when that stands.
    BreakGlass {
        fault: Option<String>,
        since: i64,
    },
}

/// The answer of a need that is not fine; `None` where it is.
pub(crate) fn need(asked: Asked<'_>, dependency: &Dependency) -> Result<Option<Answer>, String> {
    // MET-33: before fault, `break_glass` or ladder is looked at.
    if let Some(answer) = crate::limit::answer(asked, dependency)? {
        return Ok(Some(answer));
    }
    match stance(asked, dependency)? {
        Stance::Fine => Ok(None),
        Stance::Refused => Ok(Some(refused(asked, dependency)?)),
        Stance::Failed(failure) => Ok(Some(failed(asked, dependency, &failure)?)),
        Stance::BreakGlass { fault, since } => {
            let fault = fault.as_deref();
            let found = Found { dependency, refusal: false, callers: false, fault, since, target: None };
            Ok(Some(rung::skipped(asked, &found)))
        }
    }
}

/// Spec 2, and `break_glass`.
pub(crate) fn stance(asked: Asked<'_>, dependency: &Dependency) -> Result<Stance, String> {
    if let Some(skipped) = skipped_by_break_glass(asked, dependency)? {
        return Ok(skipped);
    }
    Ok(match needs::condition(asked, dependency)? {
        Condition::Fine => Stance::Fine,
        Condition::Refused => Stance::Refused,
        Condition::Failed(failure) => Stance::Failed(failure),
    })
}

/// OPR-20: while `break_glass` stands a need of this guard is skipped whatever the health; but not where the request
/// reports `ok`, `refused` or the caller's own fault, and never in an irreversible operation. (Targets of a fallback
/// are judged in `needs`, as if it did not stand.)
fn skipped_by_break_glass(asked: Asked<'_>, dependency: &Dependency) -> Result<Option<Stance>, String> {
    let health = asked.engine.health(&dependency.name)?;
    let Some(standing) = health.standing.as_ref().filter(|standing| standing.to == "break_glass") else {
        return Ok(None);
    };
    if asked.irreversible() {
        return Ok(None);
    }
    let fault = match asked.request.reports.get(&dependency.name) {
        None => None,
        Some(report) => {
            let had = asked.request.had.get(&dependency.name).copied();
            let class = crate::health::with_haste(dependency, &report.class, had);
            if matches!(class.as_str(), "ok" | "refused" | "rejected" | "cancelled") {
                return Ok(None);
            }
            Some(class)
        }
    };
    Ok(Some(Stance::BreakGlass { fault, since: standing.set }))
}

/// LAD-5: a refusal that the request reports.
fn refused(asked: Asked<'_>, dependency: &Dependency) -> Result<Answer, String> {
    let found = Found {
        dependency,
        refusal: true,
        callers: false,
        fault: Some("refused"),
        since: needs::report_since(asked, dependency),
        target: None,
    };
    Ok(refusal(asked, &found, asked.engine.health(&dependency.name)?.shown_to(false)))
}

/// LAD-5: `on_refusal`, or the default refusal where there is none, or where it does not match.
pub(crate) fn refusal(asked: Asked<'_>, found: &Found<'_>, health: &str) -> Answer {
    let dependency = found.dependency;
    if let Some(written) = &dependency.on_refusal {
        let matches = rung::matches(asked, written, None, health);
        if matches && !irreversible_rules_out(asked, dependency, written) {
            return rung::answer(asked, found, 0, written);
        }
    }
    let mut answer = rung::ran_out(asked, found);
    if dependency.on_refusal.is_none() {
        // CAN-6: the canonical form writes the default refusal out, so it is a rung like one that was written.
        answer.reason["rung"] = serde_json::json!(0);
    }
    answer
}

/// LAD-1: from the top; the first rung that stands is the answer.
fn failed(asked: Asked<'_>, dependency: &Dependency, failure: &Failure) -> Result<Answer, String> {
    let fault = failure.fault.as_deref();
    let mut found = Found {
        dependency,
        refusal: false,
        callers: failure.callers,
        fault,
        since: needs::since(asked, dependency, failure)?,
        target: None,
    };
    // LAD-34: what a rung that is passed over bars below it.
    let mut no_fail_open = false;
    let mut nothing_goes_on = false;
    for (place, written) in dependency.on_failure.iter().enumerate() {
        let posture = rung::posture(&asked.engine.document, dependency, &written.kind);
        let goes_on = rung::goes_on(rung::verdict(&written.kind));
        if (no_fail_open && posture == "fail_open") || (nothing_goes_on && goes_on) {
            continue;
        }
        let health = asked.engine.health(&dependency.name)?.shown_to(failure.advice_alone);
        if !rung::matches(asked, written, fault, health)
            || law_rules_out(asked, dependency, written, failure)?
        {
            continue;
        }
        let capped = !window::cap_stands(asked, &dependency.name, place, written, found.since)?;
        if capped || !available(asked, dependency, written, failure)? {
            match bars(asked, dependency, written, failure, capped)? {
                Bars::Nothing => {}
                Bars::FailOpen => no_fail_open = true,
                Bars::GoingOn => nothing_goes_on = true,
            }
            continue;
        }
        let target = match &written.kind {
            Kind::Fallback { to } => Some(to.clone()),
            Kind::LeastBad { of } => least_bad(asked, of)?,
            _ => None,
        };
        found.target = target.as_deref();
        return Ok(rung::answer(asked, &found, place, written));
    }
    Ok(rung::ran_out(asked, &found))
}

/// What a rung that is passed over bars below it (LAD-34).
enum Bars {
    Nothing,
    FailOpen,
    GoingOn,
}

/// LAD-34: a `fallback` that is soft, or a `retry`, that is passed over for what others say or do: advice, an operator,
/// the caller's haste or own fault, the target's no. A `retry` past its cap is not passed over for lack of time alone.
fn bars(
    asked: Asked<'_>,
    dependency: &Dependency,
    written: &Rung,
    failure: &Failure,
    capped: bool,
) -> Result<Bars, String> {
    if dependency.is_observer() {
        return Ok(Bars::Nothing);
    }
    match &written.kind {
        Kind::Retry { max_attempts, .. } => {
            let health = asked.engine.health(&dependency.name)?;
            let attempts = asked.request.attempts(&dependency.name);
            let only_time =
                !capped && failure.reported && health.shown() != "down" && attempts < *max_attempts;
            Ok(if only_time { Bars::FailOpen } else { Bars::Nothing })
        }
        Kind::Fallback { to }
            if rung::posture(&asked.engine.document, dependency, &written.kind) == "fail_soft" =>
        {
            let target = asked.engine.document.dependency(to)?;
            let health = asked.engine.health(to)?;
            Ok(match needs::condition_without_advice(asked, target)? {
                Condition::Refused if dependency.is_guard() && target.is_guard() => Bars::GoingOn,
                Condition::Fine | Condition::Refused => Bars::FailOpen,
                Condition::Failed(target_failure) if target_failure.callers => Bars::FailOpen,
                Condition::Failed(target_failure)
                    if !target_failure.reported && !target_failure.silent && health.held_by_operator() =>
                {
                    Bars::FailOpen
                }
                Condition::Failed(_) => Bars::Nothing,
            })
        }
        _ => Ok(Bars::Nothing),
    }
}

/// NEED-8: the first rung that names `degraded`, matches, and answers `deny`, `defer` or `withhold`.
pub(crate) fn first_for_advice<'a>(
    asked: Asked<'_>,
    dependency: &'a Dependency,
    failure: &Failure,
) -> Result<Option<&'a Rung>, String> {
    for written in &dependency.on_failure {
        if rung::matches(asked, written, None, "degraded")
            && !law_rules_out(asked, dependency, written, failure)?
        {
            return Ok(Some(written));
        }
    }
    Ok(None)
}

/// Whether a law passes this rung over.
fn law_rules_out(
    asked: Asked<'_>,
    dependency: &Dependency,
    written: &Rung,
    failure: &Failure,
) -> Result<bool, String> {
    let goes_on = rung::goes_on(rung::verdict(&written.kind));
    let fail_open = rung::posture(&asked.engine.document, dependency, &written.kind) == "fail_open";
    let fault = failure.fault.as_deref().unwrap_or("");
    let named = rung::names_fault(written, fault);

    // STG-6: past the point of no return.
    let turns_back =
        matches!(written.kind, Kind::Fallback { .. } | Kind::Retry { .. } | Kind::LeastBad { .. });
    if asked.past_return() && turns_back {
        return Ok(true);
    }
    if irreversible_rules_out(asked, dependency, written) {
        return Ok(true);
    }
    // LAD-6: the caller's own fault takes only rungs that name it; a guard never lets it go on by one.
    if failure.callers && !dependency.is_observer() && (!named || (dependency.is_guard() && goes_on)) {
        return Ok(true);
    }
    // LAD-7: an observer's never blocks.
    if failure.callers && dependency.is_observer() && !goes_on {
        return Ok(true);
    }
    // LAD-8: our own misconfiguration, bill or pool takes a guard's fail-open rung only by name.
    let ours = matches!(fault, "auth" | "payment" | "exhausted");
    if dependency.is_guard() && fail_open && ours && !named {
        return Ok(true);
    }
    // LAD-14: a guard that is failed only by an operator takes no fail-open rung.
    let by_health = !failure.reported && !failure.silent;
    let only_by_operator = by_health && asked.engine.health(&dependency.name)?.only_by_operator();
    if dependency.is_guard() && fail_open && only_by_operator {
        return Ok(true);
    }
    // NEED-8: advice takes only rungs that name `degraded` and stop or withhold.
    // For what can't be taken back degraded is failed whoever says so (NEED-10), and then they need not name it.
    let named = asked.irreversible() || rung::names_health(written, "degraded");
    let for_advice = needs::advice_may_take(&written.kind) && named;
    Ok(failure.advice_alone && !for_advice)
}

/// LAD-11 to LAD-13: for an irreversible operation every rung of a guard or server that lets the request go on, and
/// `retry`, is passed over unless it lists `irreversible`.
fn irreversible_rules_out(asked: Asked<'_>, dependency: &Dependency, written: &Rung) -> bool {
    let goes_on = rung::goes_on(rung::verdict(&written.kind));
    let retries = matches!(written.kind, Kind::Retry { .. });
    // On a guard only what replaces its check can be so named.
    let replaces = rung::posture(&asked.engine.document, dependency, &written.kind) == "fail_soft";
    let named = rung::names_effect(written, "irreversible") && (replaces || !dependency.is_guard());
    asked.irreversible() && !dependency.is_observer() && (goes_on || retries) && !named
}

/// Spec 3.4: whether a rung is available.
fn available(
    asked: Asked<'_>,
    dependency: &Dependency,
    written: &Rung,
    failure: &Failure,
) -> Result<bool, String> {
    let request = asked.request;
    let now = asked.now;
    let name = dependency.name.as_str();
    let health = asked.engine.health(name)?;
    Ok(match &written.kind {
        Kind::LastKnown { max_age, of } => {
            let own = request.cached_age(name, now);
            let last_ok = health.last_ok.map(|at| now.saturating_sub(at));
            let age = if of == "dependency" { own.or(last_ok) } else { own };
            age.is_some_and(|age| age <= *max_age)
        }
        Kind::Fallback { to } => {
            let target = asked.engine.document.dependency(to)?;
            deadline_fits(asked, target) && needs::is_fine(asked, target)?
        }
        Kind::LeastBad { of } => least_bad(asked, of)?.is_some(),
        // LAD-41: only for a fault that the request itself reports, while the health is not `down`.
        Kind::Retry { max_attempts, .. } => {
            let (_, most) = rung::retry_waits(asked, name, &written.kind);
            let needed = most.saturating_add(dependency.deadline.unwrap_or(0));
            failure.reported
                && health.shown() != "down"
                && request.attempts(name) < *max_attempts
                && request.fits(needed, now)
        }
        Kind::Outbox { capacity } => {
            let depth = asked.engine.depths.get(name).copied().unwrap_or(0);
            depth < *capacity
        }
        Kind::LocalMeter { meter: meter_name, share } => {
            let document = &asked.engine.document;
            let meter = document.meter(meter_name)?;
            let divisor = meter::divisor(meter, asked.engine.instances, document.signal_ttl, now);
            let key = request.key(meter);
            asked.engine.table(meter_name)?.local_meter_stands(
                meter,
                &meter::Allowance { share, divisor },
                &key,
                request.amount(meter_name),
                request.taken.get(meter_name),
                now,
            )
        }
        _ => true,
    })
}

/// Whether a call of this dependency fits in the time that is left.
fn deadline_fits(asked: Asked<'_>, dependency: &Dependency) -> bool {
    asked.request.fits(dependency.deadline.unwrap_or(0), asked.now)
}

/// LAD-33: of those listed that are neither refused, forced open nor reported failed, and whose deadline
/// fits, the one whose wait ends first (0 where it is not open), ties as written.
fn least_bad(asked: Asked<'_>, of: &[String]) -> Result<Option<String>, String> {
    let mut best: Option<(i64, String)> = None;
    for name in of {
        let target = asked.engine.document.dependency(name)?;
        let health = asked.engine.health(name)?;
        let report = asked.request.reports.get(name);
        let told_failed = report.is_some_and(|report| report.class != "ok");
        let forced = health.standing_name() == Some("forced_open");
        if told_failed || forced || !deadline_fits(asked, target) {
            continue;
        }
        let wait = health.wait_left(asked.now).unwrap_or(0);
        if best.as_ref().is_none_or(|(least, _)| wait < *least) {
            best = Some((wait, name.clone()));
        }
    }
    Ok(best.map(|(_, name)| name))
}
