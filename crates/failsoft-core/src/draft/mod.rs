//! A matrix as it is written, before it is checked: plain data with names.
//!
//! The document layer fills one from TOML or JSON; a program may fill one by hand.
//! [`MatrixDraft::compile`] checks it and turns names into dense ids.

mod health;

use alloc::string::String;
use alloc::vec::Vec;

pub use health::{HealthSettings, Limit};

use crate::{Effect, Enforcement, Fault, Health, MeterMode, Millis, Posture, Role, Stage, Verdict};

/// The whole matrix: `[dependency.*]`, `[operation.*]`, `[meter.*]`, `[parameter.*]` and `[[invariant]]`.
#[derive(Clone, Debug, PartialEq)]
pub struct MatrixDraft {
    /// What the matrix is called; part of its identity.
    pub name: String,
    /// The author's own count of its changes.
    pub revision: u64,
    /// Classes of traffic, at most eight; a request without one is of the first.
    pub classes: Vec<String>,
    /// How long advice and the told number of instances stand.
    pub signal_ttl: Millis,
    /// How long after its last pass a window may close.
    pub window_idle: Millis,
    /// How many tenants a window's account counts each: 0 to 65,536. All others share a row.
    pub tenants: u64,
    /// Parameters, each with the value bound at load.
    pub parameters: Vec<ParameterDraft>,
    /// Dependencies, in the order written: events of one moment follow it.
    pub dependencies: Vec<DependencyDraft>,
    /// Operations.
    pub operations: Vec<OperationDraft>,
    /// Meters.
    pub meters: Vec<MeterDraft>,
    /// Promises to be proven by `failsoft check`.
    pub invariants: Vec<InvariantDraft>,
    /// Findings of `failsoft check` that are not told.
    pub silences: Vec<SilenceDraft>,
}

impl MatrixDraft {
    /// An empty matrix of that name, with every default in place.
    #[must_use]
    pub fn new(name: &str) -> Self {
        Self {
            name: name.into(),
            revision: 1,
            classes: Vec::from([String::from("default")]),
            signal_ttl: Millis::new(60_000),
            window_idle: Millis::new(5_000),
            tenants: 1_024,
            parameters: Vec::new(),
            dependencies: Vec::new(),
            operations: Vec::new(),
            meters: Vec::new(),
            invariants: Vec::new(),
            silences: Vec::new(),
        }
    }
}

/// The value of a parameter: a yes or no, a whole number, or a text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Value {
    /// `true` or `false`.
    Bool(bool),
    /// A whole number up to 2^53 − 1.
    Integer(u64),
    /// A text.
    Text(String),
}

/// `[parameter.NAME]`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ParameterDraft {
    /// Its name.
    pub name: String,
    /// What the document says.
    pub default: Value,
    /// What it is bound to, of the default's type.
    pub value: Value,
}

/// `[dependency.NAME]`: what the host calls.
#[derive(Clone, Debug, PartialEq)]
pub struct DependencyDraft {
    /// Its name.
    pub name: String,
    /// Whether its yes, its result, or nothing of it is needed.
    pub role: Role,
    /// Where in the pipeline it stands; by role where not said.
    pub stage: Option<Stage>,
    /// How long a call may take; required of guards and servers, at most ten minutes.
    pub deadline: Option<Millis>,
    /// How its health is judged.
    pub health: HealthSettings,
    /// The ladder, read from the top when it fails.
    pub on_failure: Vec<RungDraft>,
    /// What happens when it says no.
    pub on_refusal: Option<RungDraft>,
    /// The longest that an operator may skip this guard for; none where it may not be skipped.
    pub break_glass: Option<Millis>,
}

impl DependencyDraft {
    /// A dependency of that name, role and deadline, with no ladder and every default in place.
    #[must_use]
    pub fn new(name: &str, role: Role, deadline: Option<Millis>) -> Self {
        Self {
            name: name.into(),
            role,
            stage: None,
            deadline,
            health: HealthSettings::default(),
            on_failure: Vec::new(),
            on_refusal: None,
            break_glass: None,
        }
    }
}

/// One step of a ladder: what it does, when, and what is told.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RungDraft {
    /// What it does.
    pub action: ActionDraft,
    /// What it is narrowed to; nothing where empty.
    pub when: WhenDraft,
    /// Further obligations, by name.
    pub also: Vec<String>,
    /// The event it emits.
    pub emit: Option<String>,
    /// Why, in that event.
    pub reason: Option<String>,
    /// Who is to be called, in that event.
    pub alert: Option<String>,
    /// The HTTP status of a decision it decides.
    pub status: Option<u16>,
    /// The code of a decision it decides.
    pub code: Option<String>,
    /// A bound on what it lets through, or for how long it stands.
    pub cap: Option<CapDraft>,
}

/// A bound on a rung: exactly one of the first three.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct CapDraft {
    /// So many requests of a key, in one window.
    pub requests: Option<u64>,
    /// So much of a meter, of a key, in one window.
    pub amount: Option<u64>,
    /// For so long.
    pub time: Option<Millis>,
    /// The meter whose amounts, or whose keys, are counted.
    pub meter: Option<String>,
    /// Whether all requests are counted together.
    pub total: bool,
}

impl RungDraft {
    /// A rung that does `action` and nothing else.
    #[must_use]
    pub fn new(action: ActionDraft) -> Self {
        Self {
            action,
            when: WhenDraft::default(),
            also: Vec::new(),
            emit: None,
            reason: None,
            alert: None,
            status: None,
            code: None,
            cap: None,
        }
    }
}

/// What a rung does, with its own settings.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ActionDraft {
    /// Go on.
    Allow,
    /// Stop.
    Deny,
    /// Not now.
    Defer,
    /// Go on, and suppress the output.
    Withhold,
    /// Do this one call again after a wait.
    Retry {
        /// So many calls in all.
        max_attempts: u32,
        /// The first wait.
        base: Millis,
        /// Each further wait, as a percentage of the one before.
        multiplier: u64,
        /// By how many percent a wait may be stretched.
        jitter: u64,
    },
    /// Use another dependency.
    Fallback {
        /// Which.
        to: String,
    },
    /// Use what it said last.
    LastKnown {
        /// No older than this.
        max_age: Millis,
        /// Whose age counts.
        of: LastKnownOf,
    },
    /// Count on this instance alone.
    LocalMeter {
        /// Which meter.
        meter: String,
        /// How much of the limit is this instance's.
        share: Share,
    },
    /// Publish later.
    Outbox {
        /// While fewer than so many wait.
        capacity: u64,
    },
    /// Try the one that may be back first.
    LeastBad {
        /// Of these.
        of: Vec<String>,
    },
    /// Store metadata alone.
    MetadataOnly,
    /// Lose the telemetry.
    DropTelemetry,
    /// Go on without the tool, and say so.
    SkipTool,
    /// Read, and write nothing.
    ReadOnly,
    /// A substitute of the host's own.
    Substitute {
        /// Its name, which is the obligation's.
        name: String,
    },
}

/// Whose age a `last_known` rung looks at.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum LastKnownOf {
    /// That of the answer which this request could use, told by the host.
    #[default]
    Request,
    /// That of the dependency's last `ok`, whoever asked.
    Dependency,
}

/// How much of a limit one instance may give out alone.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Share {
    /// The limit divided by the number of instances.
    #[default]
    PerInstance,
    /// A whole percentage of the limit, 1 to 100.
    Percent(u64),
}

/// What a rung is narrowed to. Every list that holds something must match.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct WhenDraft {
    /// Fault classes.
    pub fault: Vec<Fault>,
    /// States of the dependency's health.
    pub health: Vec<Health>,
    /// Effects of the operation.
    pub effect: Vec<Effect>,
    /// Stages at which the request asks.
    pub stage: Vec<Stage>,
    /// Operations.
    pub operation: Vec<String>,
    /// Classes of traffic.
    pub class: Vec<String>,
    /// Parameters and the values they must have.
    pub parameter: Vec<(String, Value)>,
}

/// `[operation.NAME]`: what the host wants to do.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OperationDraft {
    /// Its name.
    pub name: String,
    /// What it needs, in pipeline order.
    pub needs: Vec<String>,
    /// Whether it reads, writes, or cannot be taken back.
    pub effect: Effect,
    /// How long it may take in all.
    pub deadline: Option<Millis>,
    /// Deny when more than so many guards would be passed unchecked.
    pub max_unchecked: Option<u64>,
    /// Whether its decisions are obeyed, or only told.
    pub enforcement: Enforcement,
    /// What is refused before any need is looked at.
    pub refuse: Vec<RefuseDraft>,
}

impl OperationDraft {
    /// An operation of that name and those needs, with every default in place.
    #[must_use]
    pub fn new(name: &str, needs: &[&str]) -> Self {
        Self {
            name: name.into(),
            needs: needs.iter().map(|need| String::from(*need)).collect(),
            effect: Effect::Write,
            deadline: None,
            max_unchecked: None,
            enforcement: Enforcement::Enforce,
            refuse: Vec::new(),
        }
    }
}

/// `[[operation.NAME.refuse]]`: conditions on attributes, all of which must hold, and the `deny` that follows.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RefuseDraft {
    /// This attribute is there, be it empty.
    pub present: Option<String>,
    /// These attributes have these values.
    pub equals: Vec<(String, String)>,
    /// These two have the same value, or one is missing.
    pub same: Option<(String, String)>,
    /// The answer; its action is [`ActionDraft::Deny`].
    pub deny: RungDraft,
}

/// `[meter.NAME]`: a quota or a budget.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MeterDraft {
    /// Its name.
    pub name: String,
    /// The guard that keeps the shared count.
    pub store: String,
    /// Whose amounts are counted together.
    pub key: MeterKey,
    /// What it does at its limit.
    pub mode: MeterMode,
    /// How many keys this instance holds.
    pub capacity: u64,
    /// The most that may pass in a period.
    pub limit: Option<u64>,
    /// How long a period lasts from its first amount.
    pub window: Option<Millis>,
    /// The most instances there ever are.
    pub max_instances: Option<u64>,
    /// The most of a key that an instance lets through before the store's count has it: the host's promise.
    pub max_unreported: Option<u64>,
}

impl MeterDraft {
    /// A meter of that name, kept by that guard, with every default in place.
    #[must_use]
    pub fn new(name: &str, store: &str) -> Self {
        Self {
            name: name.into(),
            store: store.into(),
            key: MeterKey::Tenant,
            mode: MeterMode::Block,
            capacity: 10_000,
            limit: None,
            window: None,
            max_instances: None,
            max_unreported: None,
        }
    }
}

/// Whose amounts a meter counts together.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum MeterKey {
    /// Those of a tenant.
    #[default]
    Tenant,
    /// Those of a tenant's session.
    TenantSession,
}

/// `[[invariant]]`: a promise about an operation, to be proven by `failsoft check`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct InvariantDraft {
    /// The operation it speaks of.
    pub operation: String,
    /// What is known of dependencies; what is not named takes every value.
    pub when: Vec<(String, InvariantCondition)>,
    /// The loosest verdict permitted.
    pub verdict: Option<Verdict>,
    /// The most open posture permitted of a request that goes on.
    pub posture: Option<Posture>,
    /// An obligation that must stand where the request goes on.
    pub obligation: Option<String>,
    /// A verdict that must never come out.
    pub never: Option<Verdict>,
}

/// `[[silence]]`: a finding of `failsoft check` that is meant so, and not told.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SilenceDraft {
    /// The code of the finding.
    pub code: String,
    /// Its place.
    pub at: String,
    /// Why it is meant so.
    pub reason: String,
}

/// What an invariant supposes of a dependency.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum InvariantCondition {
    /// It is fine.
    Fine,
    /// It says no.
    Refused,
    /// It has failed, of whatever class.
    Failed,
    /// It has failed in this way.
    Fault(Fault),
}
