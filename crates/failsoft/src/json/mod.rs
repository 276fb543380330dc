//! Decisions, events and health in their fixed JSON form, keys in the fixed order.

/// Writes a map whose keys stand in the order given.
macro_rules! map {
    ($serializer:expr, $($key:literal: $value:expr),* $(,)?) => {{
        let mut map = $serializer.serialize_map(None)?;
        $(map.serialize_entry($key, &$value)?;)*
        map
    }};
}

mod windows;

use failsoft_core::{
    Crossed, Decision, Detail, Emit, Episode, Event, HealthReport, KeyNames, Matrix, Obligation, Reason,
    StandingReport, WindowFigures,
};
use serde::ser::{Serialize, SerializeMap, Serializer};

pub(crate) use windows::WindowsJson;
use windows::account_entries;

/// A decision as JSON: see `spec/04-decision.md`.
///
/// ```
/// # use failsoft_core::draft::{MatrixDraft, OperationDraft};
/// # use failsoft_core::{decide, Request, State, Time};
/// # let mut draft = MatrixDraft::new("m");
/// # draft.operations = vec![OperationDraft::new("assist", &[])];
/// # let matrix = draft.compile("m@1:sha256-0").unwrap();
/// # let state = State::new(&matrix, Time::default());
/// let decision = decide(&matrix, &state, &Request::new(&matrix, "assist"), Time::default());
/// let json = serde_json::to_string(&failsoft::json::DecisionJson::new(&matrix, &decision)).unwrap();
/// assert!(json.starts_with(r#"{"matrix":"m@1:sha256-0","operation":"assist","verdict":"allow","#));
/// ```
#[derive(Clone, Copy, Debug)]
pub struct DecisionJson<'a> {
    matrix: &'a Matrix,
    decision: &'a Decision,
}

impl<'a> DecisionJson<'a> {
    /// `decision`, with the names of `matrix`.
    #[must_use]
    pub const fn new(matrix: &'a Matrix, decision: &'a Decision) -> Self {
        Self { matrix, decision }
    }
}

impl Serialize for DecisionJson<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let Self { matrix, decision } = self;
        let obligations: Vec<_> =
            decision.obligations.iter().map(|item| ObligationJson(matrix, item)).collect();
        let emits: Vec<_> = decision.emits.iter().map(|item| EmitJson(matrix, item)).collect();
        let reasons: Vec<_> = decision.reasons.iter().map(|item| ReasonJson(matrix, item)).collect();
        map!(serializer,
            "matrix": matrix.identity(),
            "operation": decision.operation.as_ref(),
            "verdict": decision.verdict.as_str(),
            "posture": decision.posture.as_str(),
            "enforced": decision.enforced,
            "cacheable": decision.cacheable,
            "status": decision.status,
            "code": decision.code.as_deref(),
            "retry_after_ms": decision.retry_after.map(|wait| wait.get()),
            "obligations": obligations,
            "emits": emits,
            "reasons": reasons,
        )
        .end()
    }
}

struct ObligationJson<'a>(&'a Matrix, &'a Obligation);

impl Serialize for ObligationJson<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let Self(matrix, obligation) = self;
        let mut map = map!(serializer,
            "kind": obligation.kind.as_str(),
            "dependency": obligation.dependency.map(|id| matrix.dependency_name(id)),
        );
        match &obligation.detail {
            Detail::None => {}
            Detail::To(target) => map.serialize_entry("to", matrix.dependency_name(*target))?,
            Detail::Meter(meter) => map.serialize_entry("meter", matrix.meter_name(*meter))?,
            Detail::Sequence(sequence) => map.serialize_entry("sequence", sequence)?,
            Detail::Retry { after, most, attempt, max_attempts } => {
                match most {
                    None => map.serialize_entry("after_ms", &after.get())?,
                    Some(most) => {
                        map.serialize_entry("min_ms", &after.get())?;
                        map.serialize_entry("max_ms", &most.get())?;
                    }
                }
                map.serialize_entry("attempt", attempt)?;
                map.serialize_entry("max_attempts", max_attempts)?;
            }
        }
        map.end()
    }
}

struct EmitJson<'a>(&'a Matrix, &'a Emit);

impl Serialize for EmitJson<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let Self(matrix, emit) = self;
        map!(serializer,
            "event": emit.event.as_ref(),
            "dependency": emit.dependency.map(|id| matrix.dependency_name(id)),
            "reason": emit.reason.as_deref(),
            "alert": emit.alert.as_deref(),
        )
        .end()
    }
}

struct ReasonJson<'a>(&'a Matrix, &'a Reason);

impl Serialize for ReasonJson<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let Self(matrix, reason) = self;
        map!(serializer,
            "dependency": reason.dependency.map(|id| matrix.dependency_name(id)),
            "health": reason.health.map(|health| health.as_str()),
            "fault": reason.fault.map(|fault| fault.as_str()),
            "rung": reason.rung,
            "kind": reason.kind.as_str(),
            "since_ms": reason.since.as_millis(),
        )
        .end()
    }
}

/// An event as JSON, with what every event carries: see `spec/trace.md`.
#[derive(Clone, Copy, Debug)]
pub struct EventJson<'a> {
    /// Whose names it speaks.
    pub matrix: &'a Matrix,
    /// The event.
    pub event: &'a Event,
    /// Which engine tells it.
    pub instance: &'a str,
    /// Its number among all that this engine tells, from 1, without gaps.
    pub sequence: u64,
}

impl Serialize for EventJson<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let name = |id| self.matrix.dependency_name(id);
        let mut map = match self.event {
            Event::OverrideExpired { dependency, was } => map!(serializer,
                "kind": "override.expired", "dependency": name(*dependency), "was": was.as_str(),
            ),
            Event::HealthChanged { dependency, from, to, why, crossed, window, held, wait, outage } => {
                map!(serializer,
                    "kind": "health.changed", "dependency": name(*dependency),
                    "from": from.as_str(), "to": to.as_str(), "why": why.as_str(),
                    "crossed": crossed.map(CrossedJson), "window": WindowJson(*window),
                    "held_ms": held.get(), "wait_ms": wait.map(|wait| wait.get()),
                    "outage": outage.map(OutageJson),
                )
            }
            Event::OverrideRefused { dependency, to, why } => map!(serializer,
                "kind": "override.refused", "dependency": name(*dependency),
                "to": to.map(|kind| kind.as_str()), "why": why.as_str(),
            ),
            Event::ClockSkewed { dependency, latency } => map!(serializer,
                "kind": "clock.skewed", "dependency": name(*dependency), "latency_ms": latency,
            ),
            Event::RefusalsSpiked { dependency, refusal_rate_bp, limit_bp, calls } => map!(serializer,
                "kind": "refusals.spiked", "dependency": name(*dependency),
                "refusal_rate_bp": refusal_rate_bp, "limit_bp": limit_bp, "calls": calls,
            ),
            Event::NeverAnswered { dependency, ignored_calls } => map!(serializer,
                "kind": "never.answered", "dependency": name(*dependency), "ignored_calls": ignored_calls,
            ),
            Event::ClockSteppedBack { told, kept } => map!(serializer,
                "kind": "clock.stepped_back", "told_ms": told.as_millis(), "kept_ms": kept.as_millis(),
            ),
            Event::OverrideSet { dependency, to, length, by, reason } => map!(serializer,
                "kind": "override.set", "dependency": name(*dependency),
                "to": to.map(|kind| kind.as_str()), "for_ms": length.map(|length| length.get()),
                "by": by.as_deref(), "reason": reason.as_deref(),
            ),
            Event::Emitted(emit) => map!(serializer,
                "kind": emit.event.as_ref(), "dependency": emit.dependency.map(name),
                "reason": emit.reason.as_deref(), "alert": emit.alert.as_deref(),
            ),
            Event::LimitReached { meter, names, mode, used, own, limit } => map!(serializer,
                "kind": "limit.reached", "meter": self.matrix.meter_name(*meter),
                "tenant": names.tenant.as_deref(), "session": names.session.as_deref(),
                "mode": mode.as_str(), "used": used, "own": own, "limit": limit,
            ),
            Event::LimitSet { meter, names, limit, by, reason } => map!(serializer,
                "kind": "limit.set", "meter": self.matrix.meter_name(*meter),
                "tenant": tenant(names), "session": session(names), "limit": limit,
                "by": by.as_deref(), "reason": reason.as_deref(),
            ),
            Event::LimitRefused { meter, names, limit, why } => map!(serializer,
                "kind": "limit.refused", "meter": self.matrix.meter_name(*meter),
                "tenant": tenant(names), "session": session(names), "limit": limit, "why": why.as_str(),
            ),
            Event::MeterSettlement { meter, names, amount, ended } => map!(serializer,
                "kind": "meter.settlement", "meter": self.matrix.meter_name(*meter),
                "tenant": names.tenant.as_deref(), "session": names.session.as_deref(), "amount": amount,
                "ended_ms": ended.map(|ended| ended.get()),
            ),
            Event::WindowOpened(used) => windows::used(serializer, "window.opened", self.matrix, used)?,
            Event::WindowChanged(used) => windows::used(serializer, "window.changed", self.matrix, used)?,
            Event::WindowClosed { dependency, why, account } => {
                let mut map = map!(serializer,
                    "kind": "window.closed", "dependency": name(*dependency), "why": why.as_str(),
                );
                account_entries(&mut map, self.matrix, account)?;
                map
            }
            Event::TableFull { meter } => map!(serializer,
                "kind": "table.full", "meter": self.matrix.meter_name(*meter),
            ),
            Event::MatrixReloaded { from } => map!(serializer,
                "kind": "matrix.reloaded", "from": from.as_ref(),
            ),
        };
        map.serialize_entry("v", &1)?;
        map.serialize_entry("matrix", self.matrix.identity())?;
        map.serialize_entry("instance", self.instance)?;
        map.serialize_entry("sequence", &self.sequence)?;
        map.end()
    }
}

fn tenant(names: &Option<KeyNames>) -> Option<&str> {
    names.as_ref()?.tenant.as_deref()
}

fn session(names: &Option<KeyNames>) -> Option<&str> {
    names.as_ref()?.session.as_deref()
}

struct CrossedJson(Crossed);

impl Serialize for CrossedJson {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let Crossed { setting, value, limit } = self.0;
        map!(serializer, "setting": setting, "value": value, "limit": limit).end()
    }
}

struct WindowJson(WindowFigures);

impl Serialize for WindowJson {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let WindowFigures { calls, failed_calls, slow_calls } = self.0;
        map!(serializer, "calls": calls, "failed_calls": failed_calls, "slow_calls": slow_calls).end()
    }
}

struct OutageJson(Episode);

impl Serialize for OutageJson {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let Episode { duration, not_permitted_calls, open_attempts } = self.0;
        map!(serializer,
            "duration_ms": duration.get(), "not_permitted_calls": not_permitted_calls,
            "open_attempts": open_attempts,
        )
        .end()
    }
}

/// A health answer's keys, without the moment: `health`, `circuit`, `metrics`, `detail`.
pub(crate) fn health_entries<M: SerializeMap>(map: &mut M, report: &HealthReport) -> Result<(), M::Error> {
    map.serialize_entry("health", report.health.as_str())?;
    map.serialize_entry("circuit", report.circuit.as_str())?;
    map.serialize_entry("metrics", &MetricsJson(report))?;
    map.serialize_entry("detail", &HealthDetailJson(report))
}

struct HealthDetailJson<'a>(&'a HealthReport);

impl Serialize for HealthDetailJson<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let report = self.0;
        map!(serializer,
            "why": report.why.map(|why| why.as_str()),
            "crossed": report.crossed.map(CrossedJson),
            "held_ms": report.held.get(),
            "fault": report.fault.map(|fault| fault.as_str()),
            "enforced": report.enforced,
            "minimum_calls": report.minimum_calls,
            "permits_left": report.permits_left,
            "calls_out": report.calls_out,
            "hung_calls": report.hung_calls,
            "lagging_calls": report.lagging_calls,
            "late_outcomes": report.late_outcomes,
            "lost_calls": report.lost_calls,
            "wait_ms": report.wait.map(|wait| wait.get()),
            "probe_due_ms": report.probe_due.map(|due| due.get()),
            "override": report.standing.as_ref().map(StandingJson),
        )
        .end()
    }
}

struct StandingJson<'a>(&'a StandingReport);

impl Serialize for StandingJson<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let standing = self.0;
        map!(serializer,
            "to": standing.to.as_str(),
            "left_ms": standing.left.map(|left| left.get()),
            "by": standing.by.as_deref(),
            "reason": standing.reason.as_deref(),
        )
        .end()
    }
}

struct MetricsJson<'a>(&'a HealthReport);

impl Serialize for MetricsJson<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let metrics = &self.0.metrics;
        map!(serializer,
            "failure_rate_bp": metrics.failure_rate_bp,
            "slow_call_rate_bp": metrics.slow_call_rate_bp,
            "buffered_calls": metrics.buffered_calls,
            "failed_calls": metrics.failed_calls,
            "slow_calls": metrics.slow_calls,
            "ignored_calls": metrics.ignored_calls,
            "not_permitted_calls": metrics.not_permitted_calls,
            "consecutive_failures": metrics.consecutive_failures,
            "open_attempts": metrics.open_attempts,
        )
        .end()
    }
}
