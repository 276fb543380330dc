//! What the engine has been told: health, outboxes, meters, the number of instances, and the clock.

use alloc::sync::Arc;
use alloc::vec::Vec;

use crate::health::Vital;
use crate::matrix::{Dependency, DependencyId, Matrix, MeterId};
use crate::meter::{self, Table};
use crate::permits::Permits;
use crate::request::Request;
use crate::{Circuit, Fault, Health, Millis, Time};

/// So many steps of the clock are remembered between two signals.
const MOST_STEPS: usize = 16;

/// So many sources of advice are remembered per dependency; past it the oldest is forgotten.
pub(crate) const MOST_SOURCES: usize = 16;

/// What is known of one dependency.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct DependencyState {
    pub(crate) vital: Vital,
    /// The health that was last told as an event.
    pub(crate) told: Health,
    pub(crate) permits: Permits,
    /// Whether the trial's permit, where one is out, was asked for under a name.
    pub(crate) trial_is_named: bool,
    /// Who advises, and until when; the oldest first.
    pub(crate) advice: Vec<(Arc<str>, Time)>,
    pub(crate) ignored_calls: u64,
    pub(crate) not_permitted_calls: u64,
    /// When it last answered `ok`; a refusal ends it.
    pub(crate) last_ok: Option<Time>,
    pub(crate) outbox_depth: u64,
    pub(crate) outbox_sequence: u64,
}

/// All that changes. It is bounded by the matrix and its declared capacities, whatever is sent in.
///
/// [`apply`](crate::apply) alone changes what is known; [`observe`](Self::observe) moves the clock.
#[derive(Clone, Debug, PartialEq)]
pub struct State {
    pub(crate) clock: Time,
    /// Steps back that no event has told yet: the moment told, and the one kept.
    pub(crate) steps: Vec<(Time, Time)>,
    pub(crate) dependencies: Vec<DependencyState>,
    pub(crate) tables: Vec<Table>,
    pub(crate) instances: Option<(u64, Time)>,
    /// Time alone changes nothing before this moment.
    pub(crate) due: Option<Time>,
    secret: (u64, u64),
}

impl State {
    /// Nothing is known yet at `start`. Tenants' names are hashed without a secret: see [`with_hash_key`](Self::with_hash_key).
    #[must_use]
    pub fn new(matrix: &Matrix, start: Time) -> Self {
        Self::with_hash_key(matrix, start, (0, 0))
    }

    /// Nothing is known yet at `start`; tenants' and sessions' names are hashed under `secret`, which should be
    /// random wherever they come from strangers.
    #[must_use]
    pub fn with_hash_key(matrix: &Matrix, start: Time, secret: (u64, u64)) -> Self {
        let dependencies = matrix.dependencies.iter().map(|dependency| {
            let vital = Vital::new(&dependency.health, start);
            DependencyState {
                told: vital.health(),
                vital,
                permits: Permits::default(),
                trial_is_named: false,
                advice: Vec::new(),
                ignored_calls: 0,
                not_permitted_calls: 0,
                last_ok: None,
                outbox_depth: 0,
                outbox_sequence: 0,
            }
        });
        Self {
            clock: start,
            steps: Vec::new(),
            dependencies: dependencies.collect(),
            tables: matrix.meters.iter().map(|_| Table::default()).collect(),
            instances: None,
            due: None,
            secret,
        }
    }

    /// The moment that counts when the host says it is `now`: time never goes back.
    #[must_use]
    pub fn clamp(&self, now: Time) -> Time {
        now.max(self.clock)
    }

    /// Notes that it is `now`, and says the moment that counts. A step back will be told with the next signal.
    ///
    /// [`apply`](crate::apply) does this itself; a host that only asks may do it too, so that a step of its
    /// clock between two questions is not lost.
    pub fn observe(&mut self, now: Time) -> Time {
        if now < self.clock && self.steps.len() < MOST_STEPS {
            self.steps.push((now, self.clock));
        }
        self.clock = self.clock.max(now);
        self.clock
    }

    pub(crate) fn dependency(&self, id: DependencyId) -> Option<&DependencyState> {
        self.dependencies.get(id.index())
    }

    /// A copy of what health is read from, as it stands at `now`.
    pub(crate) fn vital(&self, matrix: &Matrix, id: DependencyId, now: Time) -> Option<Vital> {
        let mut vital = self.dependency(id)?.vital;
        vital.advance(&matrix.dependencies.get(id.index())?.health, now);
        Some(vital)
    }

    pub(crate) fn meter_key(&self, matrix: &Matrix, meter: MeterId, request: &Request) -> Option<meter::Key> {
        let of = matrix.meters.get(meter.index())?.key;
        Some(meter::key(self.secret, of, &request.tenant, &request.session))
    }

    /// Moves the moment before which time alone changes nothing.
    pub(crate) fn note_due(&mut self, dependency: &Dependency, id: DependencyId) {
        let due = self.dependency(id).and_then(|state| state.vital.due(&dependency.health));
        self.due = match (self.due, due) {
            (Some(held), Some(due)) => Some(held.min(due)),
            (held, due) => held.or(due),
        };
    }
}

/// What a dependency's health is, and the figures behind it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct HealthReport {
    /// The health.
    pub health: Health,
    /// The circuit.
    pub circuit: Circuit,
    /// The figures.
    pub metrics: Metrics,
    /// How long until it may be called again, where that is known.
    pub wait: Option<Millis>,
    /// The fault class that it carries while it is down or probing.
    pub fault: Option<Fault>,
}

/// The figures behind a health. The simple machine has no window, so rates and buffers say that there is none.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Metrics {
    /// Hundredths of a percent; −1 where too few calls have been counted.
    pub failure_rate_bp: i64,
    /// Hundredths of a percent; −1 where it is off or too few calls have been counted.
    pub slow_call_rate_bp: i64,
    /// Calls in the window.
    pub buffered_calls: u64,
    /// Failed calls in the window.
    pub failed_calls: u64,
    /// Slow calls in the window.
    pub slow_calls: u64,
    /// Outcomes that speak neither for nor against it.
    pub ignored_calls: u64,
    /// Permits that were refused.
    pub not_permitted_calls: u64,
    /// Counted failures since the last success.
    pub consecutive_failures: u64,
    /// How often the circuit has opened since it was last closed.
    pub open_attempts: u64,
}

/// The health of a dependency at `now`; none where the id is another matrix's. A question: it changes nothing.
#[must_use]
pub fn health(matrix: &Matrix, state: &State, dependency: DependencyId, now: Time) -> Option<HealthReport> {
    let now = state.clamp(now);
    let vital = state.vital(matrix, dependency, now)?;
    let known = state.dependency(dependency)?;
    Some(HealthReport {
        health: vital.health(),
        circuit: vital.circuit(),
        metrics: Metrics {
            failure_rate_bp: -1,
            slow_call_rate_bp: -1,
            buffered_calls: 0,
            failed_calls: 0,
            slow_calls: 0,
            ignored_calls: known.ignored_calls,
            not_permitted_calls: known.not_permitted_calls,
            consecutive_failures: u64::from(vital.consecutive_failures),
            open_attempts: vital.open_attempts,
        },
        wait: vital.wait(now),
        fault: vital.class().filter(|_| matches!(vital.health(), Health::Down | Health::Probing)),
    })
}
