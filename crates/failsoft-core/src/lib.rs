//! The pure core of failsoft: from a written matrix and what has been observed to a decision.
//!
//! Two functions do everything. [`apply`] takes in a [`Signal`] and is the only thing that changes [`State`];
//! [`decide`] answers a [`Request`] and changes nothing. Time is an argument, and the core knows no clock,
//! thread, file, socket, random number or global.
//!
//! ```
//! use failsoft_core::draft::{ActionDraft, DependencyDraft, MatrixDraft, OperationDraft, RungDraft};
//! use failsoft_core::{decide, Fault, Millis, Posture, Request, Role, State, Time, Verdict};
//!
//! let mut draft = MatrixDraft::new("example");
//! let mut moderation = DependencyDraft::new("moderation", Role::Guard, Some(Millis::new(300)));
//! moderation.on_failure = vec![RungDraft::new(ActionDraft::Deny)];
//! draft.dependencies = vec![moderation];
//! draft.operations = vec![OperationDraft::new("assist", &["moderation"])];
//! let matrix = draft.compile("example@1").expect("a matrix without mistakes");
//!
//! let state = State::new(&matrix, Time::default());
//! let mut request = Request::new(&matrix, "assist");
//! let now = Time::from_millis(1);
//! assert_eq!(decide(&matrix, &state, &request, now).verdict, Verdict::Allow);
//!
//! request.failed(matrix.dependency("moderation").expect("it is there"), Fault::Timeout, now);
//! let decision = decide(&matrix, &state, &request, now);
//! assert_eq!((decision.verdict, decision.posture), (Verdict::Deny, Posture::FailClosed));
//! ```
#![no_std]
#![forbid(unsafe_code)]
#![deny(
    clippy::arithmetic_side_effects,
    clippy::as_conversions,
    clippy::expect_used,
    clippy::float_arithmetic,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::string_slice,
    clippy::unreachable,
    clippy::unwrap_used
)]

extern crate alloc;

mod answer;
mod apply;
pub mod check;
mod compile;
mod decide;
pub mod draft;
pub mod explore;
mod health;
mod health_report;
mod held;
mod ladder;
mod matrix;
mod meter;
mod metering;
mod mistake;
mod needs;
mod outcome;
mod permits;
mod promise;
mod published;
mod quick;
mod reload;
mod report;
mod request;
#[cfg(feature = "serde")]
mod serde_forms;
mod signal;
mod small_map;
mod state;
mod time;
mod vocabulary;
mod window;

pub use answer::{Decision, Detail, Emit, Obligation, ObligationName, Reason, ReasonKind};
pub use apply::apply;
pub use decide::decide;
pub use health::{Crossed, Episode, HttpAnswer, Permit, snapshot, transitions};
pub use health_report::{HealthReport, Metrics, StandingReport, health, next_probe};
pub use meter::KeyNames;
pub use promise::{Promise, promises};
pub use published::{Published, published};
pub use reload::{Succession, reload};
pub use report::Report;
pub use request::Request;
pub use signal::{Answer, Event, Outcome, Signal, WindowFigures};
pub use state::{Seed, State};
pub use window::{AccountRow, Way, WindowAccount, WindowUse, windows};

pub use compile::limits;
pub use matrix::{ClassId, DependencyId, Matrix, MeterId, OperationId};
pub use mistake::{Mistake, Path, Segment, nearest, suggestion};
pub use time::{INTEGER_MAX, Millis, Time};
pub use vocabulary::{
    Cause, Circuit, Effect, Enforcement, EventKind, Fault, HalfOpenExit, HalfOpenPolicy, Health,
    InitialState, MeterMode, ObligationKind, Override, Posture, ProbeResult, RefusedOverride,
    RetryAfterPolicy, Role, RuleKind, RungKind, SlidingWindowType, Stage, UnlistedError, Verdict, WindowEnd,
};
