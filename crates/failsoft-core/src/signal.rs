//! What goes in and what comes out: signals, their answers, and events.

use alloc::sync::Arc;

use crate::answer::{Decision, Emit};
use crate::matrix::{DependencyId, MeterId};
use crate::report::Report;
use crate::request::Request;
use crate::{Cause, Health, Millis, Override, ProbeResult, Time};

/// One observation, or one commit.
#[derive(Debug)]
pub enum Signal<'a> {
    /// A call has ended.
    Outcome(Outcome<'a>),
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
        /// To what; nothing lifts it. `break_glass` is not built in this version, and changes nothing.
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
    /// May it be called now? Where health is probing this takes the one permit.
    Permit {
        /// Which dependency.
        dependency: DependencyId,
        /// The permit's name.
        permit: Option<&'a str>,
    },
    /// A permit is given back without an outcome.
    Release {
        /// Of which dependency.
        dependency: DependencyId,
        /// The permit's name.
        permit: Option<&'a str>,
    },
    /// A permit, and where it was given the outcome. `Outcome::permit` is not read.
    Call {
        /// Of which dependency.
        dependency: DependencyId,
        /// How the call ended; nothing where it goes on.
        outcome: Option<Outcome<'a>>,
    },
    /// Decide, and commit it.
    Decided(&'a mut Request),
    /// A request has ended; what it really cost, per meter.
    Finished {
        /// The request.
        request: &'a Request,
        /// What it cost; a meter that is not named cost what was taken.
        amounts: &'a [(MeterId, u64)],
    },
}

/// How a call ended.
#[derive(Clone, Copy, Debug)]
pub struct Outcome<'a> {
    /// Of which dependency.
    pub dependency: DependencyId,
    /// What it met.
    pub result: Report,
    /// The permit under which it was made, by name.
    pub permit: Option<&'a str>,
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
    /// Whether the call may be made.
    Permit(bool),
    /// The decision that was committed.
    Decision(Decision),
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
    /// A meter's table is full, and a newcomer could not be counted. Told once a meter.
    TableFull {
        /// Which meter.
        meter: MeterId,
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
            Self::Instances { .. } | Self::Outbox { .. } | Self::Decided(_) | Self::Finished { .. } => None,
        }
    }
}
