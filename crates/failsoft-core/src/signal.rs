//! What goes in and what comes out: signals, their answers, and events.

use alloc::boxed::Box;
use alloc::sync::Arc;

use crate::answer::{Decision, Emit};
use crate::health::{Crossed, Episode, Permit};
use crate::matrix::{DependencyId, MeterId};
use crate::meter::KeyNames;
use crate::report::Report;
use crate::request::Request;
use crate::snapshot::Snapshot;
use crate::window::{WindowAccount, WindowUse};
use crate::{Cause, Health, MeterMode, Millis, Override, ProbeResult, RefusedOverride, Time, WindowEnd};

/// One observation, or one commit.
#[derive(Debug)]
pub enum Signal<'a> {
    /// A call has ended.
    Outcome(Outcome),
    /// An active probe has ended.
    Probe {
        /// Of which dependency.
        dependency: DependencyId,
        /// What it met.
        result: ProbeResult,
    },
    /// An operator sets an override, or lifts the one that stands.
    Override {
        /// Of which dependency.
        dependency: DependencyId,
        /// To what; nothing lifts it. `break_glass` must be declared, and needs `by` and `reason`.
        to: Option<Override>,
        /// For how long.
        length: Option<Millis>,
        /// Who.
        by: Option<&'a str>,
        /// Why.
        reason: Option<&'a str>,
    },
    /// Somebody else says how a dependency is. It can only make answers stricter.
    Advice {
        /// Who says so.
        source: &'a str,
        /// Of which dependency.
        dependency: DependencyId,
        /// What they say; `healthy` and `unknown` take earlier advice of theirs back.
        health: Health,
    },
    /// So many instances run.
    Instances {
        /// How many.
        count: u64,
    },
    /// So much waits in a dependency's outbox.
    Outbox {
        /// Of which dependency.
        dependency: DependencyId,
        /// How much.
        depth: u64,
    },
    /// May it be called now? Where health is probing this takes a trial's permit.
    Permit {
        /// Which dependency.
        dependency: DependencyId,
        /// Whether the outcome will name the permit. Only one that is named is seen to hang.
        named: bool,
        /// A permit that is given back first, because this one takes its place.
        instead_of: Option<Permit>,
    },
    /// A permit is given back without an outcome.
    Release {
        /// Of which dependency.
        dependency: DependencyId,
        /// The permit; none for one that was not named.
        permit: Option<Permit>,
    },
    /// A permit, and where it was given the outcome. `Outcome::permit` is not read.
    Call {
        /// Of which dependency.
        dependency: DependencyId,
        /// How the call ended; nothing where it goes on.
        outcome: Option<Outcome>,
    },
    /// What was saved is put in the place of all that is known.
    Restored {
        /// What was saved.
        snapshot: &'a Snapshot,
        /// How long ago; nothing gets older where that is not known.
        away: Option<Millis>,
    },
    /// Decide, and commit it.
    Decided(&'a mut Request),
    /// The shared store says how much of a meter's key is used.
    Reading {
        /// Of which meter.
        meter: MeterId,
        /// Whose key.
        tenant: &'a str,
        /// Whose key, where the meter counts by session too.
        session: &'a str,
        /// How much is used.
        used: u64,
        /// The limit, where the store knows it; else the matrix's stands.
        limit: Option<u64>,
        /// What the limit does, likewise.
        mode: Option<MeterMode>,
        /// How long after the reading was taken its store begins anew, where that is known.
        resets_in: Option<Millis>,
        /// How long ago it was taken.
        age: Millis,
    },
    /// So much of a meter was used outside any request.
    Usage {
        /// Of which meter.
        meter: MeterId,
        /// Whose key.
        tenant: &'a str,
        /// Whose key, where the meter counts by session too.
        session: &'a str,
        /// How much.
        amount: u64,
    },
    /// An operator sets the limit of a meter, or lifts it.
    Limit {
        /// Of which meter.
        meter: MeterId,
        /// Of this key: a tenant and its session. None: of every key that has none of its own.
        key: Option<(&'a str, &'a str)>,
        /// The limit; none lifts it.
        limit: Option<u64>,
        /// Who.
        by: Option<&'a str>,
        /// Why.
        reason: Option<&'a str>,
    },
    /// A request has ended; what it really cost, per meter.
    Finished {
        /// The request. It forgets what it took, so that it can't be settled twice.
        request: &'a mut Request,
        /// What it cost; a meter that is not named cost what was taken.
        amounts: &'a [(MeterId, u64)],
    },
}

/// How a call ended.
#[derive(Clone, Copy, Debug)]
pub struct Outcome {
    /// Of which dependency.
    pub dependency: DependencyId,
    /// What it met.
    pub result: Report,
    /// The permit under which it was made; an outcome without one is taken as current.
    pub permit: Option<Permit>,
    /// How long it took, in milliseconds. One below zero counts as none, and is told.
    pub latency: Option<i64>,
    /// How long the dependency asked to be left alone.
    pub retry_after: Option<Millis>,
    /// How much time the request had left as the call began.
    pub had: Option<Millis>,
}

/// What a signal is answered with.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Answer {
    /// There is nothing to say.
    Done,
    /// The call may be made.
    Permitted {
        /// Under this permit; none where it was not to be named.
        permit: Option<Permit>,
    },
    /// The call may not be made.
    NotPermitted,
    /// The override was refused, and has changed nothing.
    Refused(RefusedOverride),
    /// The decision that was committed.
    Decision(Decision),
}

/// The calls behind a health as it changed: of the call window; in half open, of the trials.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct WindowFigures {
    /// Calls that counted.
    pub calls: u64,
    /// Failed ones.
    pub failed_calls: u64,
    /// Slow ones.
    pub slow_calls: u64,
}

/// What has changed, for people and machines that watch.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Event {
    /// An override's time was over.
    OverrideExpired {
        /// Of which dependency.
        dependency: DependencyId,
        /// Which override.
        was: Override,
    },
    /// A dependency's health is not what was last told.
    HealthChanged {
        /// Which dependency.
        dependency: DependencyId,
        /// What was last told.
        from: Health,
        /// What it is now.
        to: Health,
        /// What changed it last.
        why: Cause,
        /// The setting and the value behind that.
        crossed: Option<Crossed>,
        /// The figures as they stood then.
        window: WindowFigures,
        /// How long the health last told had stood.
        held: Millis,
        /// How long until it may be called again, where that is known.
        wait: Option<Millis>,
        /// The outage that has ended, where one has.
        outage: Option<Episode>,
    },
    /// An operator's override was refused, and has changed nothing.
    OverrideRefused {
        /// Of which dependency.
        dependency: DependencyId,
        /// To what.
        to: Option<Override>,
        /// Why.
        why: RefusedOverride,
    },
    /// An outcome told a latency below zero.
    ClockSkewed {
        /// Of which dependency.
        dependency: DependencyId,
        /// The latency told, in milliseconds.
        latency: i64,
    },
    /// The rate of refusals has reached its threshold.
    RefusalsSpiked {
        /// Of which dependency.
        dependency: DependencyId,
        /// The rate, in hundredths of a percent.
        refusal_rate_bp: u64,
        /// The threshold, in hundredths of a percent.
        limit_bp: u64,
        /// Over so many calls.
        calls: u64,
    },
    /// So many outcomes in a row spoke neither for nor against it.
    NeverAnswered {
        /// Which dependency.
        dependency: DependencyId,
        /// How many.
        ignored_calls: u64,
    },
    /// The host told a moment before the last one; the last one was kept.
    ClockSteppedBack {
        /// The moment told.
        told: Time,
        /// The moment kept.
        kept: Time,
    },
    /// An operator set an override, or lifted it.
    OverrideSet {
        /// Of which dependency.
        dependency: DependencyId,
        /// To what; nothing where it was lifted.
        to: Option<Override>,
        /// For how long.
        length: Option<Millis>,
        /// Who.
        by: Option<Arc<str>>,
        /// Why.
        reason: Option<Arc<str>>,
    },
    /// A refusal, or a rung that stopped a request, emits an event of the matrix's own.
    Emitted(Emit),
    /// A key whose meter alerts or degrades has come to its limit. Told once, until its period ends or its reading goes.
    LimitReached {
        /// Which meter.
        meter: MeterId,
        /// Whose key.
        names: KeyNames,
        /// What the limit does.
        mode: MeterMode,
        /// What the last reading said was used.
        used: u64,
        /// What this instance has counted besides.
        own: u64,
        /// The limit.
        limit: u64,
    },
    /// An operator set a meter's limit, or lifted it.
    LimitSet {
        /// Of which meter.
        meter: MeterId,
        /// Whose key; none where it is that of every key.
        names: Option<KeyNames>,
        /// The limit; none where it was lifted.
        limit: Option<u64>,
        /// Who.
        by: Option<Arc<str>>,
        /// Why.
        reason: Option<Arc<str>>,
    },
    /// An operator's limit was refused, and has changed nothing.
    LimitRefused {
        /// Of which meter.
        meter: MeterId,
        /// Whose key.
        names: Option<KeyNames>,
        /// The limit.
        limit: Option<u64>,
        /// Why.
        why: RefusedOverride,
    },
    /// What this instance counted of a key while its store had failed, for the host to add to the store's count.
    MeterSettlement {
        /// Which meter.
        meter: MeterId,
        /// Whose key.
        names: KeyNames,
        /// How much.
        amount: u64,
        /// How long ago its period ended, where it has.
        ended: Option<Millis>,
    },
    /// Requests go on in spite of a dependency's failure, from this one.
    WindowOpened(WindowUse),
    /// In an open window a request went on by a rung that none went on by before.
    WindowChanged(WindowUse),
    /// A window has closed.
    WindowClosed {
        /// Of which dependency.
        dependency: DependencyId,
        /// What ended it.
        why: WindowEnd,
        /// What went through it.
        account: Box<WindowAccount>,
    },
    /// A meter's table is full, and a newcomer could not be counted. Told once a meter.
    TableFull {
        /// Which meter.
        meter: MeterId,
    },
    /// Another matrix has taken over.
    MatrixReloaded {
        /// The identity of the one that ran before.
        from: Arc<str>,
    },
}

impl Signal<'_> {
    /// The one dependency whose health it may change.
    pub(crate) fn dependency(&self) -> Option<DependencyId> {
        match self {
            Self::Outcome(outcome) => Some(outcome.dependency),
            Self::Probe { dependency, .. }
            | Self::Override { dependency, .. }
            | Self::Advice { dependency, .. }
            | Self::Permit { dependency, .. }
            | Self::Release { dependency, .. }
            | Self::Call { dependency, .. } => Some(*dependency),
            Self::Instances { .. }
            | Self::Outbox { .. }
            | Self::Restored { .. }
            | Self::Decided(_)
            | Self::Reading { .. }
            | Self::Usage { .. }
            | Self::Limit { .. }
            | Self::Finished { .. } => None,
        }
    }
}
