// Generated from spec/vocabulary.toml by `cargo xtask generate`. Change it there.
//! The closed vocabularies: the names that documents, traces and decisions use.

/// What the host needs a dependency for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[repr(u8)]
pub enum Role {
    /// `guard`: its yes is needed: policy, moderation, consent, quota, budget.
    Guard = 0,
    /// `serve`: its result is needed: provider, database, KMS, tool.
    Serve = 1,
    /// `observe`: it only watches: audit, telemetry, event bus.
    Observe = 2,
}

impl Role {
    /// All of them, in order.
    pub const ALL: &'static [Self] = &[Self::Guard, Self::Serve, Self::Observe];

    /// The name.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Guard => "guard",
            Self::Serve => "serve",
            Self::Observe => "observe",
        }
    }

    /// Its number, which never changes.
    #[must_use]
    #[expect(clippy::as_conversions, reason = "the way to a variant's number")]
    pub const fn number(self) -> u8 {
        self as u8
    }

    /// The one of that name.
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        match name {
            "guard" => Some(Self::Guard),
            "serve" => Some(Self::Serve),
            "observe" => Some(Self::Observe),
            _ => None,
        }
    }

    /// The stage of such a dependency where its matrix says none.
    #[must_use]
    pub const fn stage(self) -> Stage {
        match self {
            Self::Guard => Stage::Admit,
            Self::Serve => Stage::Dispatch,
            Self::Observe => Stage::Persist,
        }
    }
}

impl core::fmt::Display for Role {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.pad(self.as_str())
    }
}

/// A stage of the pipeline; an earlier one is less.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[repr(u8)]
pub enum Stage {
    /// `admit`: before anything is done: may this request start?
    Admit = 0,
    /// `dispatch`: the work itself is about to be done or is being done.
    Dispatch = 1,
    /// `stream`: bytes of the answer have gone out.
    Stream = 2,
    /// `output`: the answer is complete and has not gone out.
    Output = 3,
    /// `persist`: the answer is being stored, audited, published.
    Persist = 4,
}

impl Stage {
    /// All of them, in order.
    pub const ALL: &'static [Self] =
        &[Self::Admit, Self::Dispatch, Self::Stream, Self::Output, Self::Persist];

    /// The name.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Admit => "admit",
            Self::Dispatch => "dispatch",
            Self::Stream => "stream",
            Self::Output => "output",
            Self::Persist => "persist",
        }
    }

    /// Its number, which never changes.
    #[must_use]
    #[expect(clippy::as_conversions, reason = "the way to a variant's number")]
    pub const fn number(self) -> u8 {
        self as u8
    }

    /// The one of that name.
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        match name {
            "admit" => Some(Self::Admit),
            "dispatch" => Some(Self::Dispatch),
            "stream" => Some(Self::Stream),
            "output" => Some(Self::Output),
            "persist" => Some(Self::Persist),
            _ => None,
        }
    }
}

impl core::fmt::Display for Stage {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.pad(self.as_str())
    }
}

/// What an operation does to the world.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[repr(u8)]
pub enum Effect {
    /// `read`: changes nothing.
    Read = 0,
    /// `write`: changes something that can be changed back. The default.
    Write = 1,
    /// `irreversible`: can't be taken back: a payment, a message sent, a tool that acts.
    Irreversible = 2,
}

impl Effect {
    /// All of them, in order.
    pub const ALL: &'static [Self] = &[Self::Read, Self::Write, Self::Irreversible];

    /// The name.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Read => "read",
            Self::Write => "write",
            Self::Irreversible => "irreversible",
        }
    }

    /// Its number, which never changes.
    #[must_use]
    #[expect(clippy::as_conversions, reason = "the way to a variant's number")]
    pub const fn number(self) -> u8 {
        self as u8
    }

    /// The one of that name.
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        match name {
            "read" => Some(Self::Read),
            "write" => Some(Self::Write),
            "irreversible" => Some(Self::Irreversible),
            _ => None,
        }
    }
}

impl core::fmt::Display for Effect {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.pad(self.as_str())
    }
}

/// How a call failed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[repr(u8)]
pub enum Fault {
    /// `timeout`: the deadline passed without an answer.
    Timeout = 0,
    /// `unreachable`: no connection: refused, reset, name not resolved, TLS failed.
    Unreachable = 1,
    /// `unavailable`: it answered that it can't: a 5xx.
    Unavailable = 2,
    /// `throttled`: it answered that we ask too often: a 429.
    Throttled = 3,
    /// `auth`: a 401 or 403 against our own credentials, and any other misconfiguration of ours.
    Auth = 4,
    /// `payment`: a 402: our credit there is used up.
    Payment = 5,
    /// `rejected`: a 4xx that the caller's input caused, oversize included.
    Rejected = 6,
    /// `indeterminate`: an answer that can't be read as yes or no.
    Indeterminate = 7,
    /// `cancelled`: the caller went away, or left less time than the guard's deadline.
    Cancelled = 8,
    /// `exhausted`: our own pool or queue was full: the call was never made.
    Exhausted = 9,
}

impl Fault {
    /// All of them, in order.
    pub const ALL: &'static [Self] = &[
        Self::Timeout,
        Self::Unreachable,
        Self::Unavailable,
        Self::Throttled,
        Self::Auth,
        Self::Payment,
        Self::Rejected,
        Self::Indeterminate,
        Self::Cancelled,
        Self::Exhausted,
    ];

    /// The name.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Timeout => "timeout",
            Self::Unreachable => "unreachable",
            Self::Unavailable => "unavailable",
            Self::Throttled => "throttled",
            Self::Auth => "auth",
            Self::Payment => "payment",
            Self::Rejected => "rejected",
            Self::Indeterminate => "indeterminate",
            Self::Cancelled => "cancelled",
            Self::Exhausted => "exhausted",
        }
    }

    /// Its number, which never changes.
    #[must_use]
    #[expect(clippy::as_conversions, reason = "the way to a variant's number")]
    pub const fn number(self) -> u8 {
        self as u8
    }

    /// The one of that name.
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        match name {
            "timeout" => Some(Self::Timeout),
            "unreachable" => Some(Self::Unreachable),
            "unavailable" => Some(Self::Unavailable),
            "throttled" => Some(Self::Throttled),
            "auth" => Some(Self::Auth),
            "payment" => Some(Self::Payment),
            "rejected" => Some(Self::Rejected),
            "indeterminate" => Some(Self::Indeterminate),
            "cancelled" => Some(Self::Cancelled),
            "exhausted" => Some(Self::Exhausted),
            _ => None,
        }
    }

    /// Whether the caller's input, hang-up or haste causes it.
    #[must_use]
    pub const fn caller(self) -> bool {
        match self {
            Self::Timeout
            | Self::Unreachable
            | Self::Unavailable
            | Self::Throttled
            | Self::Auth
            | Self::Payment
            | Self::Indeterminate
            | Self::Exhausted => false,
            Self::Rejected | Self::Cancelled => true,
        }
    }

    /// Whether it takes a guard's fail-open rung only where `when.fault` names it.
    #[must_use]
    pub const fn named_only(self) -> bool {
        match self {
            Self::Timeout
            | Self::Unreachable
            | Self::Unavailable
            | Self::Throttled
            | Self::Rejected
            | Self::Indeterminate
            | Self::Cancelled => false,
            Self::Auth | Self::Payment | Self::Exhausted => true,
        }
    }

    /// 0, or its precedence among the classes that stay until the circuit closes.
    #[must_use]
    pub const fn sticky(self) -> u16 {
        match self {
            Self::Timeout
            | Self::Unreachable
            | Self::Unavailable
            | Self::Throttled
            | Self::Rejected
            | Self::Cancelled
            | Self::Exhausted => 0,
            Self::Auth => 3,
            Self::Payment => 2,
            Self::Indeterminate => 1,
        }
    }

    /// The status of a ladder that ran out on it.
    #[must_use]
    pub const fn status(self) -> u16 {
        match self {
            Self::Timeout
            | Self::Unreachable
            | Self::Unavailable
            | Self::Throttled
            | Self::Auth
            | Self::Payment
            | Self::Indeterminate
            | Self::Exhausted => 503,
            Self::Rejected => 400,
            Self::Cancelled => 499,
        }
    }

    /// The code of a ladder that ran out on it.
    #[must_use]
    pub const fn code(self) -> &'static str {
        match self {
            Self::Timeout
            | Self::Unreachable
            | Self::Unavailable
            | Self::Throttled
            | Self::Auth
            | Self::Payment
            | Self::Indeterminate
            | Self::Exhausted => "DEPENDENCY_UNAVAILABLE",
            Self::Rejected => "CALLER_ERROR",
            Self::Cancelled => "CALLER_GONE",
        }
    }

    /// Whether it counts against health.
    #[must_use]
    pub const fn counts_as_failure(self) -> bool {
        match self {
            Self::Timeout
            | Self::Unreachable
            | Self::Unavailable
            | Self::Throttled
            | Self::Auth
            | Self::Payment
            | Self::Indeterminate => true,
            Self::Rejected | Self::Cancelled | Self::Exhausted => false,
        }
    }
}

impl core::fmt::Display for Fault {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.pad(self.as_str())
    }
}

/// The health of a dependency.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[repr(u8)]
pub enum Health {
    /// `unknown`: nothing has been counted or probed yet, or too long ago. Taken as fine.
    Unknown = 0,
    /// `healthy`: the circuit is closed and nothing says degraded.
    Healthy = 1,
    /// `degraded`: its rates, a probe or advice say that it is not as it should be.
    Degraded = 2,
    /// `down`: the circuit is open and its wait is not over, or it is forced open.
    Down = 3,
    /// `probing`: trial calls may be made: the circuit is half open, or open with the wait over.
    Probing = 4,
}

impl Health {
    /// All of them, in order.
    pub const ALL: &'static [Self] =
        &[Self::Unknown, Self::Healthy, Self::Degraded, Self::Down, Self::Probing];

    /// The name.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Unknown => "unknown",
            Self::Healthy => "healthy",
            Self::Degraded => "degraded",
            Self::Down => "down",
            Self::Probing => "probing",
        }
    }

    /// Its number, which never changes.
    #[must_use]
    #[expect(clippy::as_conversions, reason = "the way to a variant's number")]
    pub const fn number(self) -> u8 {
        self as u8
    }

    /// The one of that name.
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        match name {
            "unknown" => Some(Self::Unknown),
            "healthy" => Some(Self::Healthy),
            "degraded" => Some(Self::Degraded),
            "down" => Some(Self::Down),
            "probing" => Some(Self::Probing),
            _ => None,
        }
    }
}

impl core::fmt::Display for Health {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.pad(self.as_str())
    }
}

/// The state of a circuit, as a health line tells it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[repr(u8)]
pub enum Circuit {
    /// `closed`: calls are made.
    Closed = 0,
    /// `open`: calls are not made until the wait is over.
    Open = 1,
    /// `half_open`: a few trial calls decide.
    HalfOpen = 2,
    /// `forced_open`: held open by an operator or by initial_state.
    ForcedOpen = 3,
    /// `disabled`: an operator lets every call through and nothing is counted.
    Disabled = 4,
    /// `metrics_only`: an operator lets every call through; all is counted.
    MetricsOnly = 5,
}

impl Circuit {
    /// All of them, in order.
    pub const ALL: &'static [Self] =
        &[Self::Closed, Self::Open, Self::HalfOpen, Self::ForcedOpen, Self::Disabled, Self::MetricsOnly];

    /// The name.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Closed => "closed",
            Self::Open => "open",
            Self::HalfOpen => "half_open",
            Self::ForcedOpen => "forced_open",
            Self::Disabled => "disabled",
            Self::MetricsOnly => "metrics_only",
        }
    }

    /// Its number, which never changes.
    #[must_use]
    #[expect(clippy::as_conversions, reason = "the way to a variant's number")]
    pub const fn number(self) -> u8 {
        self as u8
    }

    /// The one of that name.
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        match name {
            "closed" => Some(Self::Closed),
            "open" => Some(Self::Open),
            "half_open" => Some(Self::HalfOpen),
            "forced_open" => Some(Self::ForcedOpen),
            "disabled" => Some(Self::Disabled),
            "metrics_only" => Some(Self::MetricsOnly),
            _ => None,
        }
    }
}

impl core::fmt::Display for Circuit {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.pad(self.as_str())
    }
}

/// What a request may do, the loosest first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[repr(u8)]
pub enum Verdict {
    /// `allow`: go on: nothing known stands in the way.
    Allow = 0,
    /// `withhold`: go on, and suppress the output: 200 with a null draft.
    Withhold = 1,
    /// `defer`: not now.
    Defer = 2,
    /// `deny`: no.
    Deny = 3,
}

impl Verdict {
    /// All of them, in order.
    pub const ALL: &'static [Self] = &[Self::Allow, Self::Withhold, Self::Defer, Self::Deny];

    /// The name.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Allow => "allow",
            Self::Withhold => "withhold",
            Self::Defer => "defer",
            Self::Deny => "deny",
        }
    }

    /// Its number, which never changes.
    #[must_use]
    #[expect(clippy::as_conversions, reason = "the way to a variant's number")]
    pub const fn number(self) -> u8 {
        self as u8
    }

    /// The one of that name.
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        match name {
            "allow" => Some(Self::Allow),
            "withhold" => Some(Self::Withhold),
            "defer" => Some(Self::Defer),
            "deny" => Some(Self::Deny),
            _ => None,
        }
    }

    /// Whether the request goes on.
    #[must_use]
    pub const fn goes_on(self) -> bool {
        match self {
            Self::Allow | Self::Withhold => true,
            Self::Defer | Self::Deny => false,
        }
    }

    /// The status where nothing else is said.
    #[must_use]
    pub const fn status(self) -> u16 {
        match self {
            Self::Allow | Self::Withhold => 200,
            Self::Defer => 202,
            Self::Deny => 503,
        }
    }
}

impl core::fmt::Display for Verdict {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.pad(self.as_str())
    }
}

/// How a verdict came about, the least open first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[repr(u8)]
pub enum Posture {
    /// `normal`: no failure shaped the answer: all fine, a refusal, or the caller's own error.
    Normal = 0,
    /// `fail_closed`: stopped or withheld by a failure, not by a refusal.
    FailClosed = 1,
    /// `fail_soft`: each failed check was replaced.
    FailSoft = 2,
    /// `fail_open`: a check was skipped with nothing in its place.
    FailOpen = 3,
}

impl Posture {
    /// All of them, in order.
    pub const ALL: &'static [Self] = &[Self::Normal, Self::FailClosed, Self::FailSoft, Self::FailOpen];

    /// The name.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Normal => "normal",
            Self::FailClosed => "fail_closed",
            Self::FailSoft => "fail_soft",
            Self::FailOpen => "fail_open",
        }
    }

    /// Its number, which never changes.
    #[must_use]
    #[expect(clippy::as_conversions, reason = "the way to a variant's number")]
    pub const fn number(self) -> u8 {
        self as u8
    }

    /// The one of that name.
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        match name {
            "normal" => Some(Self::Normal),
            "fail_closed" => Some(Self::FailClosed),
            "fail_soft" => Some(Self::FailSoft),
            "fail_open" => Some(Self::FailOpen),
            _ => None,
        }
    }
}

impl core::fmt::Display for Posture {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.pad(self.as_str())
    }
}

/// The kind of a rung.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[repr(u8)]
pub enum RungKind {
    /// `allow`: go on with nothing in its place.
    Allow = 0,
    /// `deny`: stop: no.
    Deny = 1,
    /// `defer`: stop: not now.
    Defer = 2,
    /// `withhold`: go on and suppress the output.
    Withhold = 3,
    /// `retry`: stop for now: do this one call again after the wait.
    Retry = 4,
    /// `fallback`: use another dependency that is fine.
    Fallback = 5,
    /// `last_known`: use the last good answer, if it is young enough.
    LastKnown = 6,
    /// `local_meter`: count here, against this instance's share of the limit.
    LocalMeter = 7,
    /// `outbox`: store what was to be sent, numbered, and send it later.
    Outbox = 8,
    /// `least_bad`: try the one of what is down whose wait ends first (panic mode).
    LeastBad = 9,
    /// `metadata_only`: store metadata, not the content.
    MetadataOnly = 10,
    /// `drop_telemetry`: drop the telemetry of this request.
    DropTelemetry = 11,
    /// `skip_tool`: skip the tool and say so.
    SkipTool = 12,
    /// `read_only`: go on, reading only.
    ReadOnly = 13,
    /// `substitute`: a substitute of the host's own; the obligation has its name.
    Substitute = 14,
}

impl RungKind {
    /// All of them, in order.
    pub const ALL: &'static [Self] = &[
        Self::Allow,
        Self::Deny,
        Self::Defer,
        Self::Withhold,
        Self::Retry,
        Self::Fallback,
        Self::LastKnown,
        Self::LocalMeter,
        Self::Outbox,
        Self::LeastBad,
        Self::MetadataOnly,
        Self::DropTelemetry,
        Self::SkipTool,
        Self::ReadOnly,
        Self::Substitute,
    ];

    /// The name.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Allow => "allow",
            Self::Deny => "deny",
            Self::Defer => "defer",
            Self::Withhold => "withhold",
            Self::Retry => "retry",
            Self::Fallback => "fallback",
            Self::LastKnown => "last_known",
            Self::LocalMeter => "local_meter",
            Self::Outbox => "outbox",
            Self::LeastBad => "least_bad",
            Self::MetadataOnly => "metadata_only",
            Self::DropTelemetry => "drop_telemetry",
            Self::SkipTool => "skip_tool",
            Self::ReadOnly => "read_only",
            Self::Substitute => "substitute",
        }
    }

    /// Its number, which never changes.
    #[must_use]
    #[expect(clippy::as_conversions, reason = "the way to a variant's number")]
    pub const fn number(self) -> u8 {
        self as u8
    }

    /// The one of that name.
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        match name {
            "allow" => Some(Self::Allow),
            "deny" => Some(Self::Deny),
            "defer" => Some(Self::Defer),
            "withhold" => Some(Self::Withhold),
            "retry" => Some(Self::Retry),
            "fallback" => Some(Self::Fallback),
            "last_known" => Some(Self::LastKnown),
            "local_meter" => Some(Self::LocalMeter),
            "outbox" => Some(Self::Outbox),
            "least_bad" => Some(Self::LeastBad),
            "metadata_only" => Some(Self::MetadataOnly),
            "drop_telemetry" => Some(Self::DropTelemetry),
            "skip_tool" => Some(Self::SkipTool),
            "read_only" => Some(Self::ReadOnly),
            "substitute" => Some(Self::Substitute),
            _ => None,
        }
    }

    /// What it answers.
    #[must_use]
    pub const fn verdict(self) -> Verdict {
        match self {
            Self::Allow
            | Self::Fallback
            | Self::LastKnown
            | Self::LocalMeter
            | Self::Outbox
            | Self::LeastBad
            | Self::MetadataOnly
            | Self::DropTelemetry
            | Self::SkipTool
            | Self::ReadOnly
            | Self::Substitute => Verdict::Allow,
            Self::Deny => Verdict::Deny,
            Self::Defer | Self::Retry => Verdict::Defer,
            Self::Withhold => Verdict::Withhold,
        }
    }

    /// The posture of the answer, on a server or an observer.
    #[must_use]
    pub const fn posture(self) -> Posture {
        match self {
            Self::Allow => Posture::FailOpen,
            Self::Deny | Self::Defer | Self::Withhold | Self::Retry => Posture::FailClosed,
            Self::Fallback
            | Self::LastKnown
            | Self::LocalMeter
            | Self::Outbox
            | Self::LeastBad
            | Self::MetadataOnly
            | Self::DropTelemetry
            | Self::SkipTool
            | Self::ReadOnly
            | Self::Substitute => Posture::FailSoft,
        }
    }

    /// Whether it replaces a guard's check, so that it is soft there too.
    #[must_use]
    pub const fn soft_on_guard(self) -> bool {
        match self {
            Self::Allow
            | Self::Deny
            | Self::Defer
            | Self::Withhold
            | Self::Retry
            | Self::Outbox
            | Self::LeastBad
            | Self::MetadataOnly
            | Self::DropTelemetry
            | Self::SkipTool
            | Self::ReadOnly
            | Self::Substitute => false,
            Self::Fallback | Self::LastKnown | Self::LocalMeter => true,
        }
    }

    /// Whether it may be taken past the point of no return.
    #[must_use]
    pub const fn past_no_return(self) -> bool {
        match self {
            Self::Allow
            | Self::Deny
            | Self::Defer
            | Self::Withhold
            | Self::LastKnown
            | Self::LocalMeter
            | Self::Outbox
            | Self::MetadataOnly
            | Self::DropTelemetry
            | Self::SkipTool
            | Self::ReadOnly
            | Self::Substitute => true,
            Self::Retry | Self::Fallback | Self::LeastBad => false,
        }
    }

    /// Whether it has no setting of its own, so that `true` is enough.
    #[must_use]
    pub const fn plain(self) -> bool {
        match self {
            Self::Allow
            | Self::Deny
            | Self::Defer
            | Self::Withhold
            | Self::MetadataOnly
            | Self::DropTelemetry
            | Self::SkipTool
            | Self::ReadOnly => true,
            Self::Retry
            | Self::Fallback
            | Self::LastKnown
            | Self::LocalMeter
            | Self::Outbox
            | Self::LeastBad
            | Self::Substitute => false,
        }
    }

    /// Its one required setting, for which a plain value is short; or nothing.
    #[must_use]
    pub const fn required(self) -> &'static str {
        match self {
            Self::Allow
            | Self::Deny
            | Self::Defer
            | Self::Withhold
            | Self::MetadataOnly
            | Self::DropTelemetry
            | Self::SkipTool
            | Self::ReadOnly => "",
            Self::Retry => "max_attempts",
            Self::Fallback => "to",
            Self::LastKnown => "max_age",
            Self::LocalMeter => "meter",
            Self::Outbox => "capacity",
            Self::LeastBad => "of",
            Self::Substitute => "name",
        }
    }
}

impl core::fmt::Display for RungKind {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.pad(self.as_str())
    }
}

/// The reserved kinds of obligations.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[repr(u8)]
pub enum ObligationKind {
    /// `outbox`: publish to the outbox under this sequence number.
    Outbox = 0,
    /// `fallback`: call the dependency named in `to` instead.
    Fallback = 1,
    /// `last_known`: use the last good answer.
    LastKnown = 2,
    /// `local_meter`: count on this instance.
    LocalMeter = 3,
    /// `metadata_only`: store metadata, not the content.
    MetadataOnly = 4,
    /// `withhold_output`: suppress the output.
    WithholdOutput = 5,
    /// `drop_telemetry`: drop the telemetry of this request.
    DropTelemetry = 6,
    /// `skip_tool`: skip the tool and say so.
    SkipTool = 7,
    /// `retry`: do this one call again after the wait.
    Retry = 8,
    /// `cut_stream`: cut the answer: bytes have gone out.
    CutStream = 9,
    /// `reconcile`: the irreversible act has been done: settle it by hand or by another process.
    Reconcile = 10,
    /// `mark_unchecked`: mark the result: a guard was skipped.
    MarkUnchecked = 11,
    /// `read_only`: go on, reading only.
    ReadOnly = 12,
}

impl ObligationKind {
    /// All of them, in order.
    pub const ALL: &'static [Self] = &[
        Self::Outbox,
        Self::Fallback,
        Self::LastKnown,
        Self::LocalMeter,
        Self::MetadataOnly,
        Self::WithholdOutput,
        Self::DropTelemetry,
        Self::SkipTool,
        Self::Retry,
        Self::CutStream,
        Self::Reconcile,
        Self::MarkUnchecked,
        Self::ReadOnly,
    ];

    /// The name.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Outbox => "outbox",
            Self::Fallback => "fallback",
            Self::LastKnown => "last_known",
            Self::LocalMeter => "local_meter",
            Self::MetadataOnly => "metadata_only",
            Self::WithholdOutput => "withhold_output",
            Self::DropTelemetry => "drop_telemetry",
            Self::SkipTool => "skip_tool",
            Self::Retry => "retry",
            Self::CutStream => "cut_stream",
            Self::Reconcile => "reconcile",
            Self::MarkUnchecked => "mark_unchecked",
            Self::ReadOnly => "read_only",
        }
    }

    /// Its number, which never changes.
    #[must_use]
    #[expect(clippy::as_conversions, reason = "the way to a variant's number")]
    pub const fn number(self) -> u8 {
        self as u8
    }

    /// The one of that name.
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        match name {
            "outbox" => Some(Self::Outbox),
            "fallback" => Some(Self::Fallback),
            "last_known" => Some(Self::LastKnown),
            "local_meter" => Some(Self::LocalMeter),
            "metadata_only" => Some(Self::MetadataOnly),
            "withhold_output" => Some(Self::WithholdOutput),
            "drop_telemetry" => Some(Self::DropTelemetry),
            "skip_tool" => Some(Self::SkipTool),
            "retry" => Some(Self::Retry),
            "cut_stream" => Some(Self::CutStream),
            "reconcile" => Some(Self::Reconcile),
            "mark_unchecked" => Some(Self::MarkUnchecked),
            "read_only" => Some(Self::ReadOnly),
            _ => None,
        }
    }

    /// Whether a rung's `also` may name it.
    #[must_use]
    pub const fn also(self) -> bool {
        match self {
            Self::Outbox
            | Self::Fallback
            | Self::LastKnown
            | Self::LocalMeter
            | Self::WithholdOutput
            | Self::Retry
            | Self::CutStream
            | Self::Reconcile
            | Self::MarkUnchecked => false,
            Self::MetadataOnly | Self::DropTelemetry | Self::SkipTool | Self::ReadOnly => true,
        }
    }
}

impl core::fmt::Display for ObligationKind {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.pad(self.as_str())
    }
}

/// What an operator says of a dependency.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[repr(u8)]
pub enum Override {
    /// `open`: open the circuit now, for for_ms or the wait.
    Open = 0,
    /// `half_open`: make the circuit half open now.
    HalfOpen = 1,
    /// `closed`: close the circuit now.
    Closed = 2,
    /// `forced_open`: hold the circuit open.
    ForcedOpen = 3,
    /// `disabled`: let every call through and count nothing.
    Disabled = 4,
    /// `metrics_only`: let every call through and count all.
    MetricsOnly = 5,
    /// `reset`: forget all that is known of the dependency's health.
    Reset = 6,
    /// `break_glass`: skip a guard for a declared time, signed and with a reason.
    BreakGlass = 7,
}

impl Override {
    /// All of them, in order.
    pub const ALL: &'static [Self] = &[
        Self::Open,
        Self::HalfOpen,
        Self::Closed,
        Self::ForcedOpen,
        Self::Disabled,
        Self::MetricsOnly,
        Self::Reset,
        Self::BreakGlass,
    ];

    /// The name.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Open => "open",
            Self::HalfOpen => "half_open",
            Self::Closed => "closed",
            Self::ForcedOpen => "forced_open",
            Self::Disabled => "disabled",
            Self::MetricsOnly => "metrics_only",
            Self::Reset => "reset",
            Self::BreakGlass => "break_glass",
        }
    }

    /// Its number, which never changes.
    #[must_use]
    #[expect(clippy::as_conversions, reason = "the way to a variant's number")]
    pub const fn number(self) -> u8 {
        self as u8
    }

    /// The one of that name.
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        match name {
            "open" => Some(Self::Open),
            "half_open" => Some(Self::HalfOpen),
            "closed" => Some(Self::Closed),
            "forced_open" => Some(Self::ForcedOpen),
            "disabled" => Some(Self::Disabled),
            "metrics_only" => Some(Self::MetricsOnly),
            "reset" => Some(Self::Reset),
            "break_glass" => Some(Self::BreakGlass),
            _ => None,
        }
    }

    /// Whether it stands until lifted or expired; else it acts once.
    #[must_use]
    pub const fn stands(self) -> bool {
        match self {
            Self::Open | Self::HalfOpen | Self::Closed | Self::Reset => false,
            Self::ForcedOpen | Self::Disabled | Self::MetricsOnly | Self::BreakGlass => true,
        }
    }
}

impl core::fmt::Display for Override {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.pad(self.as_str())
    }
}

/// What an active probe met.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[repr(u8)]
pub enum ProbeResult {
    /// `up`: the probe passed.
    Up = 0,
    /// `degraded`: the probe passed, and says that it is not as it should be.
    Degraded = 1,
    /// `down`: the probe failed.
    Down = 2,
}

impl ProbeResult {
    /// All of them, in order.
    pub const ALL: &'static [Self] = &[Self::Up, Self::Degraded, Self::Down];

    /// The name.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Up => "up",
            Self::Degraded => "degraded",
            Self::Down => "down",
        }
    }

    /// Its number, which never changes.
    #[must_use]
    #[expect(clippy::as_conversions, reason = "the way to a variant's number")]
    pub const fn number(self) -> u8 {
        self as u8
    }

    /// The one of that name.
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        match name {
            "up" => Some(Self::Up),
            "degraded" => Some(Self::Degraded),
            "down" => Some(Self::Down),
            _ => None,
        }
    }
}

impl core::fmt::Display for ProbeResult {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.pad(self.as_str())
    }
}

/// Why a health changed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[repr(u8)]
pub enum Cause {
    /// `first_outcome`: the first counted outcome ended unknown.
    FirstOutcome = 0,
    /// `consecutive_failures`: the failures in a row reached the threshold.
    ConsecutiveFailures = 1,
    /// `wait_over`: the open circuit's wait is over.
    WaitOver = 2,
    /// `trial_ok`: the trial call succeeded.
    TrialOk = 3,
    /// `trial_failed`: the trial call failed.
    TrialFailed = 4,
    /// `permit_expired`: the trial's permit ran past permit_ttl without an outcome.
    PermitExpired = 5,
    /// `probe_up`: a probe said up.
    ProbeUp = 6,
    /// `probe_down`: a probe said down.
    ProbeDown = 7,
    /// `probe_degraded`: a probe said degraded.
    ProbeDegraded = 8,
    /// `operator`: an operator set or lifted an override.
    Operator = 9,
    /// `override_expired`: an override's time was over.
    OverrideExpired = 10,
    /// `advice`: advice was given or withdrawn.
    Advice = 11,
    /// `advice_lapsed`: advice grew older than signal_ttl.
    AdviceLapsed = 12,
    /// `failure_rate`: the failure rate crossed a threshold.
    FailureRate = 13,
    /// `failure_count`: the failures in the window reached the threshold.
    FailureCount = 14,
    /// `slow_call_rate`: the rate of slow calls crossed a threshold.
    SlowCallRate = 15,
    /// `hung_calls`: calls that are out past the deadline made a threshold cross.
    HungCalls = 16,
    /// `retry_after`: a failure told Retry-After, and the policy is to open at once.
    RetryAfter = 17,
    /// `rates_fell`: the rates fell below their exits for long enough.
    RatesFell = 18,
    /// `max_wait_in_half_open`: the longest stay in half open ran out.
    MaxWaitInHalfOpen = 19,
    /// `signal_too_old`: the last signal is older than signal_ttl.
    SignalTooOld = 20,
    /// `restart`: state was restored.
    Restart = 21,
    /// `reload`: a new matrix has other settings for it.
    Reload = 22,
}

impl Cause {
    /// All of them, in order.
    pub const ALL: &'static [Self] = &[
        Self::FirstOutcome,
        Self::ConsecutiveFailures,
        Self::WaitOver,
        Self::TrialOk,
        Self::TrialFailed,
        Self::PermitExpired,
        Self::ProbeUp,
        Self::ProbeDown,
        Self::ProbeDegraded,
        Self::Operator,
        Self::OverrideExpired,
        Self::Advice,
        Self::AdviceLapsed,
        Self::FailureRate,
        Self::FailureCount,
        Self::SlowCallRate,
        Self::HungCalls,
        Self::RetryAfter,
        Self::RatesFell,
        Self::MaxWaitInHalfOpen,
        Self::SignalTooOld,
        Self::Restart,
        Self::Reload,
    ];

    /// The name.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::FirstOutcome => "first_outcome",
            Self::ConsecutiveFailures => "consecutive_failures",
            Self::WaitOver => "wait_over",
            Self::TrialOk => "trial_ok",
            Self::TrialFailed => "trial_failed",
            Self::PermitExpired => "permit_expired",
            Self::ProbeUp => "probe_up",
            Self::ProbeDown => "probe_down",
            Self::ProbeDegraded => "probe_degraded",
            Self::Operator => "operator",
            Self::OverrideExpired => "override_expired",
            Self::Advice => "advice",
            Self::AdviceLapsed => "advice_lapsed",
            Self::FailureRate => "failure_rate",
            Self::FailureCount => "failure_count",
            Self::SlowCallRate => "slow_call_rate",
            Self::HungCalls => "hung_calls",
            Self::RetryAfter => "retry_after",
            Self::RatesFell => "rates_fell",
            Self::MaxWaitInHalfOpen => "max_wait_in_half_open",
            Self::SignalTooOld => "signal_too_old",
            Self::Restart => "restart",
            Self::Reload => "reload",
        }
    }

    /// Its number, which never changes.
    #[must_use]
    #[expect(clippy::as_conversions, reason = "the way to a variant's number")]
    pub const fn number(self) -> u8 {
        self as u8
    }

    /// The one of that name.
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        match name {
            "first_outcome" => Some(Self::FirstOutcome),
            "consecutive_failures" => Some(Self::ConsecutiveFailures),
            "wait_over" => Some(Self::WaitOver),
            "trial_ok" => Some(Self::TrialOk),
            "trial_failed" => Some(Self::TrialFailed),
            "permit_expired" => Some(Self::PermitExpired),
            "probe_up" => Some(Self::ProbeUp),
            "probe_down" => Some(Self::ProbeDown),
            "probe_degraded" => Some(Self::ProbeDegraded),
            "operator" => Some(Self::Operator),
            "override_expired" => Some(Self::OverrideExpired),
            "advice" => Some(Self::Advice),
            "advice_lapsed" => Some(Self::AdviceLapsed),
            "failure_rate" => Some(Self::FailureRate),
            "failure_count" => Some(Self::FailureCount),
            "slow_call_rate" => Some(Self::SlowCallRate),
            "hung_calls" => Some(Self::HungCalls),
            "retry_after" => Some(Self::RetryAfter),
            "rates_fell" => Some(Self::RatesFell),
            "max_wait_in_half_open" => Some(Self::MaxWaitInHalfOpen),
            "signal_too_old" => Some(Self::SignalTooOld),
            "restart" => Some(Self::Restart),
            "reload" => Some(Self::Reload),
            _ => None,
        }
    }
}

impl core::fmt::Display for Cause {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.pad(self.as_str())
    }
}

/// What the window of a failure ended with.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[repr(u8)]
pub enum WindowEnd {
    /// `recovered`: the dependency is neither down nor probing, and the window has been idle for long enough.
    Recovered = 0,
    /// `reloaded`: a new matrix no longer has the rung, the dependency or the meter.
    Reloaded = 1,
}

impl WindowEnd {
    /// All of them, in order.
    pub const ALL: &'static [Self] = &[Self::Recovered, Self::Reloaded];

    /// The name.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Recovered => "recovered",
            Self::Reloaded => "reloaded",
        }
    }

    /// Its number, which never changes.
    #[must_use]
    #[expect(clippy::as_conversions, reason = "the way to a variant's number")]
    pub const fn number(self) -> u8 {
        self as u8
    }

    /// The one of that name.
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        match name {
            "recovered" => Some(Self::Recovered),
            "reloaded" => Some(Self::Reloaded),
            _ => None,
        }
    }
}

impl core::fmt::Display for WindowEnd {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.pad(self.as_str())
    }
}

/// The events that the engine itself tells.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[repr(u8)]
pub enum EventKind {
    /// `health.changed`: a dependency's health is not what was last told.
    HealthChanged = 0,
    /// `override.set`: an operator set an override, or lifted it (`to` is null).
    OverrideSet = 1,
    /// `override.expired`: an override's time was over.
    OverrideExpired = 2,
    /// `clock.stepped_back`: a line told a time before the last one; the last one was kept.
    ClockSteppedBack = 3,
    /// `table.full`: a meter's table is full and a newcomer could not be counted. Told once a meter.
    TableFull = 4,
    /// `override.refused`: an operator's override was refused, and changed nothing.
    OverrideRefused = 5,
    /// `clock.skewed`: an outcome told a latency below zero; it counted as none.
    ClockSkewed = 6,
    /// `refusals.spiked`: the rate of refusals in the window reached the threshold.
    RefusalsSpiked = 7,
    /// `never.answered`: so many outcomes in a row spoke neither for nor against the dependency.
    NeverAnswered = 8,
    /// `limit.reached`: a key whose meter alerts or degrades has come to its limit. Told once, until its period ends or its reading goes.
    LimitReached = 9,
    /// `limit.set`: an operator set a meter's limit, or lifted it (`limit` is null).
    LimitSet = 10,
    /// `limit.refused`: an operator's limit was refused, and changed nothing.
    LimitRefused = 11,
    /// `meter.settlement`: what this instance counted while the store had failed, for the host to add to the store's count. Told once.
    MeterSettlement = 12,
    /// `window.opened`: requests go on in spite of a dependency's failure, from this one.
    WindowOpened = 13,
    /// `window.changed`: in an open window a request went on by a rung that none went on by before.
    WindowChanged = 14,
    /// `window.closed`: a window has closed; what went through it, and for whom.
    WindowClosed = 15,
    /// `matrix.reloaded`: another matrix has taken over.
    MatrixReloaded = 16,
}

impl EventKind {
    /// All of them, in order.
    pub const ALL: &'static [Self] = &[
        Self::HealthChanged,
        Self::OverrideSet,
        Self::OverrideExpired,
        Self::ClockSteppedBack,
        Self::TableFull,
        Self::OverrideRefused,
        Self::ClockSkewed,
        Self::RefusalsSpiked,
        Self::NeverAnswered,
        Self::LimitReached,
        Self::LimitSet,
        Self::LimitRefused,
        Self::MeterSettlement,
        Self::WindowOpened,
        Self::WindowChanged,
        Self::WindowClosed,
        Self::MatrixReloaded,
    ];

    /// The name.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::HealthChanged => "health.changed",
            Self::OverrideSet => "override.set",
            Self::OverrideExpired => "override.expired",
            Self::ClockSteppedBack => "clock.stepped_back",
            Self::TableFull => "table.full",
            Self::OverrideRefused => "override.refused",
            Self::ClockSkewed => "clock.skewed",
            Self::RefusalsSpiked => "refusals.spiked",
            Self::NeverAnswered => "never.answered",
            Self::LimitReached => "limit.reached",
            Self::LimitSet => "limit.set",
            Self::LimitRefused => "limit.refused",
            Self::MeterSettlement => "meter.settlement",
            Self::WindowOpened => "window.opened",
            Self::WindowChanged => "window.changed",
            Self::WindowClosed => "window.closed",
            Self::MatrixReloaded => "matrix.reloaded",
        }
    }

    /// Its number, which never changes.
    #[must_use]
    #[expect(clippy::as_conversions, reason = "the way to a variant's number")]
    pub const fn number(self) -> u8 {
        self as u8
    }

    /// The one of that name.
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        match name {
            "health.changed" => Some(Self::HealthChanged),
            "override.set" => Some(Self::OverrideSet),
            "override.expired" => Some(Self::OverrideExpired),
            "clock.stepped_back" => Some(Self::ClockSteppedBack),
            "table.full" => Some(Self::TableFull),
            "override.refused" => Some(Self::OverrideRefused),
            "clock.skewed" => Some(Self::ClockSkewed),
            "refusals.spiked" => Some(Self::RefusalsSpiked),
            "never.answered" => Some(Self::NeverAnswered),
            "limit.reached" => Some(Self::LimitReached),
            "limit.set" => Some(Self::LimitSet),
            "limit.refused" => Some(Self::LimitRefused),
            "meter.settlement" => Some(Self::MeterSettlement),
            "window.opened" => Some(Self::WindowOpened),
            "window.changed" => Some(Self::WindowChanged),
            "window.closed" => Some(Self::WindowClosed),
            "matrix.reloaded" => Some(Self::MatrixReloaded),
            _ => None,
        }
    }
}

impl core::fmt::Display for EventKind {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.pad(self.as_str())
    }
}

/// What a meter does at its limit.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[repr(u8)]
pub enum MeterMode {
    /// `block`: over the limit, requests stop. The default.
    Block = 0,
    /// `alert`: over the limit, people are told; nothing stops.
    Alert = 1,
    /// `degrade`: over the limit, the host degrades; nothing stops.
    Degrade = 2,
}

impl MeterMode {
    /// All of them, in order.
    pub const ALL: &'static [Self] = &[Self::Block, Self::Alert, Self::Degrade];

    /// The name.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Block => "block",
            Self::Alert => "alert",
            Self::Degrade => "degrade",
        }
    }

    /// Its number, which never changes.
    #[must_use]
    #[expect(clippy::as_conversions, reason = "the way to a variant's number")]
    pub const fn number(self) -> u8 {
        self as u8
    }

    /// The one of that name.
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        match name {
            "block" => Some(Self::Block),
            "alert" => Some(Self::Alert),
            "degrade" => Some(Self::Degrade),
            _ => None,
        }
    }
}

impl core::fmt::Display for MeterMode {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.pad(self.as_str())
    }
}

/// What decided where no rung did.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[repr(u8)]
pub enum RuleKind {
    /// `refuse`: a refuse rule of the operation held.
    Refuse = 0,
    /// `max_unchecked`: more guards would have been passed unchecked than the operation bears.
    MaxUnchecked = 1,
    /// `unknown_name`: the request named an operation, dependency or class that the matrix does not have.
    UnknownName = 2,
    /// `break_glass`: an operator skips this guard.
    BreakGlass = 3,
    /// `over_limit`: a meter of this store is at or over its limit.
    OverLimit = 4,
}

impl RuleKind {
    /// All of them, in order.
    pub const ALL: &'static [Self] =
        &[Self::Refuse, Self::MaxUnchecked, Self::UnknownName, Self::BreakGlass, Self::OverLimit];

    /// The name.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Refuse => "refuse",
            Self::MaxUnchecked => "max_unchecked",
            Self::UnknownName => "unknown_name",
            Self::BreakGlass => "break_glass",
            Self::OverLimit => "over_limit",
        }
    }

    /// Its number, which never changes.
    #[must_use]
    #[expect(clippy::as_conversions, reason = "the way to a variant's number")]
    pub const fn number(self) -> u8 {
        self as u8
    }

    /// The one of that name.
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        match name {
            "refuse" => Some(Self::Refuse),
            "max_unchecked" => Some(Self::MaxUnchecked),
            "unknown_name" => Some(Self::UnknownName),
            "break_glass" => Some(Self::BreakGlass),
            "over_limit" => Some(Self::OverLimit),
            _ => None,
        }
    }
}

impl core::fmt::Display for RuleKind {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.pad(self.as_str())
    }
}

/// Why an operator's override was refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[repr(u8)]
pub enum RefusedOverride {
    /// `undeclared`: the dependency does not declare break_glass.
    Undeclared = 0,
    /// `unsigned`: break_glass needs `by` and `reason`.
    Unsigned = 1,
    /// `strict_transitions`: the matrix forbids this transition.
    StrictTransitions = 2,
    /// `too_many`: a meter holds no more limits of single keys.
    TooMany = 3,
}

impl RefusedOverride {
    /// All of them, in order.
    pub const ALL: &'static [Self] =
        &[Self::Undeclared, Self::Unsigned, Self::StrictTransitions, Self::TooMany];

    /// The name.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Undeclared => "undeclared",
            Self::Unsigned => "unsigned",
            Self::StrictTransitions => "strict_transitions",
            Self::TooMany => "too_many",
        }
    }

    /// Its number, which never changes.
    #[must_use]
    #[expect(clippy::as_conversions, reason = "the way to a variant's number")]
    pub const fn number(self) -> u8 {
        self as u8
    }

    /// The one of that name.
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        match name {
            "undeclared" => Some(Self::Undeclared),
            "unsigned" => Some(Self::Unsigned),
            "strict_transitions" => Some(Self::StrictTransitions),
            "too_many" => Some(Self::TooMany),
            _ => None,
        }
    }
}

impl core::fmt::Display for RefusedOverride {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.pad(self.as_str())
    }
}

/// How a circuit begins.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[repr(u8)]
pub enum InitialState {
    /// `closed`: called from the start. The default.
    Closed = 0,
    /// `forced_open`: not called until an operator says so.
    ForcedOpen = 1,
    /// `open`: open for a first wait.
    Open = 2,
    /// `disabled`: called, and nothing is counted, until an operator says so.
    Disabled = 3,
    /// `metrics_only`: called, and all is counted, until an operator says so.
    MetricsOnly = 4,
}

impl InitialState {
    /// All of them, in order.
    pub const ALL: &'static [Self] =
        &[Self::Closed, Self::ForcedOpen, Self::Open, Self::Disabled, Self::MetricsOnly];

    /// The name.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Closed => "closed",
            Self::ForcedOpen => "forced_open",
            Self::Open => "open",
            Self::Disabled => "disabled",
            Self::MetricsOnly => "metrics_only",
        }
    }

    /// Its number, which never changes.
    #[must_use]
    #[expect(clippy::as_conversions, reason = "the way to a variant's number")]
    pub const fn number(self) -> u8 {
        self as u8
    }

    /// The one of that name.
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        match name {
            "closed" => Some(Self::Closed),
            "forced_open" => Some(Self::ForcedOpen),
            "open" => Some(Self::Open),
            "disabled" => Some(Self::Disabled),
            "metrics_only" => Some(Self::MetricsOnly),
            _ => None,
        }
    }
}

impl core::fmt::Display for InitialState {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.pad(self.as_str())
    }
}

/// The kind of a call window.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[repr(u8)]
pub enum SlidingWindowType {
    /// `time_based`: the calls of the last so many milliseconds.
    TimeBased = 0,
    /// `count_based`: the last so many calls.
    CountBased = 1,
    /// `none`: no window: no rates.
    None = 2,
}

impl SlidingWindowType {
    /// All of them, in order.
    pub const ALL: &'static [Self] = &[Self::TimeBased, Self::CountBased, Self::None];

    /// The name.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::TimeBased => "time_based",
            Self::CountBased => "count_based",
            Self::None => "none",
        }
    }

    /// Its number, which never changes.
    #[must_use]
    #[expect(clippy::as_conversions, reason = "the way to a variant's number")]
    pub const fn number(self) -> u8 {
        self as u8
    }

    /// The one of that name.
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        match name {
            "time_based" => Some(Self::TimeBased),
            "count_based" => Some(Self::CountBased),
            "none" => Some(Self::None),
            _ => None,
        }
    }
}

impl core::fmt::Display for SlidingWindowType {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.pad(self.as_str())
    }
}

/// How trial calls decide.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[repr(u8)]
pub enum HalfOpenPolicy {
    /// `rate`: by the rates among the trials.
    Rate = 0,
    /// `m_of_n`: by a number of successes among the trials.
    MOfN = 1,
}

impl HalfOpenPolicy {
    /// All of them, in order.
    pub const ALL: &'static [Self] = &[Self::Rate, Self::MOfN];

    /// The name.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Rate => "rate",
            Self::MOfN => "m_of_n",
        }
    }

    /// Its number, which never changes.
    #[must_use]
    #[expect(clippy::as_conversions, reason = "the way to a variant's number")]
    pub const fn number(self) -> u8 {
        self as u8
    }

    /// The one of that name.
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        match name {
            "rate" => Some(Self::Rate),
            "m_of_n" => Some(Self::MOfN),
            _ => None,
        }
    }
}

impl core::fmt::Display for HalfOpenPolicy {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.pad(self.as_str())
    }
}

/// What a class in neither list of error classes counts as.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[repr(u8)]
pub enum UnlistedError {
    /// `failure`: it counts as a failure.
    Failure = 0,
    /// `nothing`: it counts as nothing.
    Nothing = 1,
}

impl UnlistedError {
    /// All of them, in order.
    pub const ALL: &'static [Self] = &[Self::Failure, Self::Nothing];

    /// The name.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Failure => "failure",
            Self::Nothing => "nothing",
        }
    }

    /// Its number, which never changes.
    #[must_use]
    #[expect(clippy::as_conversions, reason = "the way to a variant's number")]
    pub const fn number(self) -> u8 {
        self as u8
    }

    /// The one of that name.
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        match name {
            "failure" => Some(Self::Failure),
            "nothing" => Some(Self::Nothing),
            _ => None,
        }
    }
}

impl core::fmt::Display for UnlistedError {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.pad(self.as_str())
    }
}

/// What a told Retry-After does.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[repr(u8)]
pub enum RetryAfterPolicy {
    /// `extend`: the wait is at least as long.
    Extend = 0,
    /// `open`: it opens the circuit at once, too.
    Open = 1,
    /// `off`: nothing.
    Off = 2,
}

impl RetryAfterPolicy {
    /// All of them, in order.
    pub const ALL: &'static [Self] = &[Self::Extend, Self::Open, Self::Off];

    /// The name.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Extend => "extend",
            Self::Open => "open",
            Self::Off => "off",
        }
    }

    /// Its number, which never changes.
    #[must_use]
    #[expect(clippy::as_conversions, reason = "the way to a variant's number")]
    pub const fn number(self) -> u8 {
        self as u8
    }

    /// The one of that name.
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        match name {
            "extend" => Some(Self::Extend),
            "open" => Some(Self::Open),
            "off" => Some(Self::Off),
            _ => None,
        }
    }
}

impl core::fmt::Display for RetryAfterPolicy {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.pad(self.as_str())
    }
}

/// Where the longest stay in half open leads.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[repr(u8)]
pub enum HalfOpenExit {
    /// `open`: the circuit opens again.
    Open = 0,
    /// `closed`: the circuit closes.
    Closed = 1,
}

impl HalfOpenExit {
    /// All of them, in order.
    pub const ALL: &'static [Self] = &[Self::Open, Self::Closed];

    /// The name.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Open => "open",
            Self::Closed => "closed",
        }
    }

    /// Its number, which never changes.
    #[must_use]
    #[expect(clippy::as_conversions, reason = "the way to a variant's number")]
    pub const fn number(self) -> u8 {
        self as u8
    }

    /// The one of that name.
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        match name {
            "open" => Some(Self::Open),
            "closed" => Some(Self::Closed),
            _ => None,
        }
    }
}

impl core::fmt::Display for HalfOpenExit {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.pad(self.as_str())
    }
}

/// Whether an operation's decisions are obeyed, or only told.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[repr(u8)]
pub enum Enforcement {
    /// `enforce`: the host does what the decision says. The default.
    Enforce = 0,
    /// `shadow`: decided, counted and told with enforced false; the host goes on.
    Shadow = 1,
}

impl Enforcement {
    /// All of them, in order.
    pub const ALL: &'static [Self] = &[Self::Enforce, Self::Shadow];

    /// The name.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Enforce => "enforce",
            Self::Shadow => "shadow",
        }
    }

    /// Its number, which never changes.
    #[must_use]
    #[expect(clippy::as_conversions, reason = "the way to a variant's number")]
    pub const fn number(self) -> u8 {
        self as u8
    }

    /// The one of that name.
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        match name {
            "enforce" => Some(Self::Enforce),
            "shadow" => Some(Self::Shadow),
            _ => None,
        }
    }
}

impl core::fmt::Display for Enforcement {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.pad(self.as_str())
    }
}
