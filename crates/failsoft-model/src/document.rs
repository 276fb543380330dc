//! The document as data (spec 1): every default filled in, every duration in milliseconds, every
//! parameter bound.

use std::sync::Arc;

use serde_json::Value;

use crate::settings::HealthSettings;

/// A whole matrix.
#[derive(Clone, Debug)]
pub(crate) struct Document {
    pub(crate) name: String,
    pub(crate) revision: i64,
    pub(crate) classes: Vec<String>,
    pub(crate) signal_ttl: i64,
    /// WIN-3.
    pub(crate) window_idle: i64,
    /// WIN-4: so many tenants have a row of their own in a window's account.
    pub(crate) tenants: i64,
    pub(crate) dependencies: Vec<Dependency>,
    pub(crate) operations: Vec<Operation>,
    pub(crate) meters: Vec<Meter>,
    pub(crate) parameters: Vec<Parameter>,
    /// Invariants are kept, not proven (DOC-27).
    pub(crate) invariants: Vec<Value>,
}

/// One dependency.
#[derive(Clone, Debug)]
pub(crate) struct Dependency {
    pub(crate) name: String,
    pub(crate) role: String,
    pub(crate) stage: String,
    pub(crate) deadline: Option<i64>,
    /// Shared with the health that goes by them, which is cloned often.
    pub(crate) health: Arc<HealthSettings>,
    /// The longest `break_glass`, where it is declared (OPR-20).
    pub(crate) break_glass: Option<i64>,
    pub(crate) on_failure: Vec<Rung>,
    /// As written; the default refusal is not filled in here, because in the place of a written one that was passed
    /// over its reason shows no rung (LAD-5).
    pub(crate) on_refusal: Option<Rung>,
}

/// One rung of a ladder, or an `on_refusal`, or the `deny` of a refuse rule.
#[derive(Clone, Debug)]
pub(crate) struct Rung {
    pub(crate) kind: Kind,
    pub(crate) when: Option<When>,
    pub(crate) also: Vec<String>,
    pub(crate) emit: Option<String>,
    pub(crate) reason: Option<String>,
    pub(crate) alert: Option<String>,
    pub(crate) status: Option<i64>,
    pub(crate) code: Option<String>,
    pub(crate) cap: Option<Cap>,
}

/// What bounds a rung (spec 3.7).
#[derive(Clone, Debug)]
pub(crate) struct Cap {
    pub(crate) bound: Bound,
    pub(crate) meter: Option<String>,
    /// All requests are one key (LAD-51).
    pub(crate) total: bool,
}

/// The one thing that a cap bounds (DOC-33).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Bound {
    Requests(i64),
    Amount(i64),
    Time(i64),
}

/// The kind of a rung with its own settings.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    Allow,
    Deny,
    Defer,
    Withhold,
    Retry {
        max_attempts: i64,
        base: i64,
        multiplier: i64,
        jitter: i64,
    },
    Fallback {
        to: String,
    },
    LastKnown {
        max_age: i64,
        of: String,
    },
    LocalMeter {
        meter: String,
        share: Share,
    },
    Outbox {
        capacity: i64,
    },
    LeastBad {
        of: Vec<String>,
    },
    /// `metadata_only`, `drop_telemetry`, `skip_tool` or `read_only`.
    Plain(String),
    Substitute {
        name: String,
    },
}

/// The share of a limit that `local_meter` may give away.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Share {
    PerInstance,
    Percent(i64),
}

/// What a rung is narrowed to; a key that is not given is `None` and matches all.
#[derive(Clone, Debug, Default)]
pub(crate) struct When {
    pub(crate) fault: Option<Vec<String>>,
    pub(crate) health: Option<Vec<String>>,
    pub(crate) effect: Option<Vec<String>>,
    pub(crate) stage: Option<Vec<String>>,
    pub(crate) operation: Option<Vec<String>>,
    pub(crate) class: Option<Vec<String>>,
    pub(crate) parameter: Option<Vec<(String, Value)>>,
}

/// One operation.
#[derive(Clone, Debug)]
pub(crate) struct Operation {
    pub(crate) name: String,
    pub(crate) needs: Vec<String>,
    pub(crate) effect: String,
    pub(crate) deadline: Option<i64>,
    pub(crate) max_unchecked: Option<i64>,
    pub(crate) enforcement: String,
    pub(crate) refuse: Vec<RefuseRule>,
}

/// One refuse rule: all its conditions must hold (DEC-11).
#[derive(Clone, Debug)]
pub(crate) struct RefuseRule {
    pub(crate) present: Option<String>,
    pub(crate) equals: Option<Vec<(String, String)>>,
    pub(crate) same: Option<(String, String)>,
    pub(crate) deny: Rung,
}

/// One meter (spec 1.6).
#[derive(Clone, Debug)]
pub(crate) struct Meter {
    pub(crate) name: String,
    pub(crate) store: String,
    pub(crate) key: Vec<String>,
    pub(crate) mode: String,
    pub(crate) capacity: i64,
    pub(crate) limit: Option<i64>,
    pub(crate) window: Option<i64>,
    pub(crate) max_instances: Option<i64>,
    /// A promise of the host's, on which MET-35 counts; nothing here rests on it.
    pub(crate) max_unreported: Option<i64>,
}

/// One parameter: its default and the value it was bound to.
#[derive(Clone, Debug)]
pub(crate) struct Parameter {
    pub(crate) name: String,
    pub(crate) default: Value,
    pub(crate) value: Value,
}

impl Document {
    /// The dependency of that name.
    pub(crate) fn dependency(&self, name: &str) -> Result<&Dependency, String> {
        let found = self.dependencies.iter().find(|dependency| dependency.name == name);
        found.ok_or_else(|| format!("unknown dependency {name}"))
    }

    /// The operation of that name.
    pub(crate) fn operation(&self, name: &str) -> Result<&Operation, String> {
        let found = self.operations.iter().find(|operation| operation.name == name);
        found.ok_or_else(|| format!("unknown operation {name}"))
    }

    /// The meter of that name.
    pub(crate) fn meter(&self, name: &str) -> Result<&Meter, String> {
        self.meters.iter().find(|meter| meter.name == name).ok_or_else(|| format!("unknown meter {name}"))
    }
}

impl Dependency {
    /// Whether this is a guard: its yes is needed.
    pub(crate) fn is_guard(&self) -> bool {
        self.role == "guard"
    }

    /// Whether this is an observer: it only watches.
    pub(crate) fn is_observer(&self) -> bool {
        self.role == "observe"
    }
}

impl Kind {
    /// The name of a kind, as a document writes it and `reasons` show it (DEC-26).
    pub(crate) fn name(&self) -> &str {
        match self {
            Kind::Allow => "allow",
            Kind::Deny => "deny",
            Kind::Defer => "defer",
            Kind::Withhold => "withhold",
            Kind::Retry { .. } => "retry",
            Kind::Fallback { .. } => "fallback",
            Kind::LastKnown { .. } => "last_known",
            Kind::LocalMeter { .. } => "local_meter",
            Kind::Outbox { .. } => "outbox",
            Kind::LeastBad { .. } => "least_bad",
            Kind::Plain(name) => name,
            Kind::Substitute { .. } => "substitute",
        }
    }
}

/// The place of a stage in the pipeline (spec 1); an unknown name stands last and never occurs in a valid document.
pub(crate) fn stage_place(stage: &str) -> usize {
    let stages = ["admit", "dispatch", "stream", "output", "persist"];
    stages.iter().position(|name| *name == stage).unwrap_or(stages.len())
}
