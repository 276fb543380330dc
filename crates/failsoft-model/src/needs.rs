//! A need is fine, refused or failed (spec 2), and since when (DEC-27).

use crate::document::{Dependency, Kind};
use crate::engine::Asked;
use crate::health::with_haste;
use crate::ladder;
use crate::rung;

/// What a need is for this request.
pub(crate) enum Condition {
    Fine,
    Refused,
    Failed(Failure),
}

/// How a need has failed.
#[derive(Clone, Debug, Default)]
pub(crate) struct Failure {
    /// The class; a degraded dependency has none.
    pub(crate) fault: Option<String>,
    /// The request reported it itself.
    pub(crate) reported: bool,
    /// `rejected` or `cancelled`: the caller's own (LAD-6).
    pub(crate) callers: bool,
    /// Degraded by advice and nothing else (NEED-8).
    pub(crate) advice_alone: bool,
    /// A guard of an irreversible operation that has not said yes (NEED-11).
    pub(crate) silent: bool,
}

/// NEED-1: what the request reports decides, else the health; and silence is not consent (NEED-11).
pub(crate) fn condition(asked: Asked<'_>, dependency: &Dependency) -> Result<Condition, String> {
    if let Some(report) = asked.request.reports.get(&dependency.name) {
        return Ok(reported(asked, dependency, &report.class));
    }
    let own = by_health(asked, dependency)?;
    if !matches!(own, Condition::Fine) {
        return Ok(own);
    }
    if asked.irreversible() && dependency.is_guard() {
        return Ok(Condition::Failed(Failure {
            fault: Some("indeterminate".to_owned()),
            silent: true,
            ..Failure::default()
        }));
    }
    // Law 7: advice is heard only where all else is fine.
    let failure = Failure { advice_alone: true, ..Failure::default() };
    let health = asked.engine.health(&dependency.name)?;
    // An operator who lets every call through is not overruled by a bystander.
    let advised = health.shown() == "degraded"
        && health.degraded_by_advice_alone()
        && health.standing_name() != Some("metrics_only");
    if advised && (asked.irreversible() || ladder::first_for_advice(asked, dependency, &failure)?.is_some()) {
        return Ok(Condition::Failed(failure));
    }
    Ok(Condition::Fine)
}

/// NEED-2: what the request itself met. An observer's refusal is a fault (NEED-4).
fn reported(asked: Asked<'_>, dependency: &Dependency, class: &str) -> Condition {
    let had = asked.request.had.get(&dependency.name).copied();
    let fault = match with_haste(dependency, class, had).as_str() {
        "ok" => return Condition::Fine,
        "refused" if dependency.is_observer() => "indeterminate".to_owned(),
        "refused" => return Condition::Refused,
        other => other.to_owned(),
    };
    let callers = fault == "rejected" || fault == "cancelled";
    Condition::Failed(Failure { fault: Some(fault), reported: true, callers, ..Failure::default() })
}

/// NEED-6: what the own health says, advice aside, where the request has told nothing.
pub(crate) fn by_health(asked: Asked<'_>, dependency: &Dependency) -> Result<Condition, String> {
    let health = asked.engine.health(&dependency.name)?;
    // NEED-6 and OPR-1: `decide` takes both as fine.
    if matches!(health.standing_name(), Some("disabled" | "metrics_only")) {
        return Ok(Condition::Fine);
    }
    let with_class = Condition::Failed(Failure { fault: health.carried(), ..Failure::default() });
    Ok(match health.shown_to(false) {
        "down" => with_class,
        "probing" if asked.irreversible() || !health.permit_is_free() => with_class,
        "degraded" if asked.irreversible() || named_degraded(asked, dependency) => {
            Condition::Failed(Failure::default())
        }
        _ => Condition::Fine,
    })
}

/// NEED-6 and NEED-7: a rung that names `degraded` in `when.health` matches the request, caps and availability aside.
fn named_degraded(asked: Asked<'_>, dependency: &Dependency) -> bool {
    let names = |written| rung::names_health(written, "degraded");
    dependency
        .on_failure
        .iter()
        .any(|written| names(written) && rung::matches(asked, written, None, "degraded"))
}

/// Whether a dependency is fine for this request: the test of a fallback's target (LAD-30).
pub(crate) fn is_fine(asked: Asked<'_>, dependency: &Dependency) -> Result<bool, String> {
    Ok(matches!(condition(asked, dependency)?, Condition::Fine))
}

/// What it would be for this request if nobody advised (law 7).
pub(crate) fn condition_without_advice(
    asked: Asked<'_>,
    dependency: &Dependency,
) -> Result<Condition, String> {
    if asked.request.reports.contains_key(&dependency.name) {
        return condition(asked, dependency);
    }
    let own = by_health(asked, dependency)?;
    if matches!(own, Condition::Fine) && asked.irreversible() && dependency.is_guard() {
        return condition(asked, dependency);
    }
    Ok(own)
}

/// DEC-27: since when a failed need has failed.
pub(crate) fn since(asked: Asked<'_>, dependency: &Dependency, failure: &Failure) -> Result<i64, String> {
    if failure.silent {
        return Ok(asked.now);
    }
    let health = asked.engine.health(&dependency.name)?;
    let report_since = report_since(asked, dependency);
    if failure.callers {
        return Ok(report_since);
    }
    if failure.reported {
        let shown = health.shown();
        let degraded_but_fine =
            shown == "degraded" && matches!(by_health(asked, dependency)?, Condition::Fine);
        if shown == "healthy" || shown == "unknown" || degraded_but_fine {
            return Ok(report_since);
        }
    }
    Ok(health.since.unwrap_or(asked.now))
}

/// DEC-27: the request's first line that reported this class.
pub(crate) fn report_since(asked: Asked<'_>, dependency: &Dependency) -> i64 {
    asked.request.reports.get(&dependency.name).map_or(asked.now, |report| report.since)
}

/// NEED-8: the rungs that advice alone may take: `deny`, `defer` and `withhold`, never `retry`.
pub(crate) fn advice_may_take(kind: &Kind) -> bool {
    matches!(kind, Kind::Deny | Kind::Defer | Kind::Withhold)
}
