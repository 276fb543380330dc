//! What the engine has been told: health, outboxes, meters, the number of instances, and the clock.

use alloc::sync::Arc;
use alloc::vec::Vec;

use crate::health::{Leases, Machine, Rules, View, Vital, Window};
use crate::matrix::{DependencyId, Matrix, MeterId};
use crate::meter::{self, Table};
use crate::request::Request;
use crate::window::OpenWindow;
use crate::{Health, Time};

/// So many steps of the clock are remembered between two signals.
const MOST_STEPS: usize = 16;

/// So many sources of advice are remembered per dependency; past it the oldest is forgotten.
pub(crate) const MOST_SOURCES: usize = 16;

/// What is known of one dependency.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct DependencyState {
    pub(crate) vital: Vital,
    pub(crate) window: Window,
    pub(crate) leases: Leases,
    /// The health that was last told as an event, and since when it stood.
    pub(crate) told: Health,
    pub(crate) told_since: Time,
    /// Who set the override that stands, and why.
    pub(crate) signed: Signed,
    /// Who advises, and until when; the oldest first.
    pub(crate) advice: Vec<(Arc<str>, Time)>,
    pub(crate) ignored_calls: u64,
    /// Outcomes in a row that counted as nothing.
    pub(crate) ignored_streak: u64,
    pub(crate) late_outcomes: u64,
    /// Too many refusals have been told, and there have not been fewer since.
    pub(crate) refusals_spiked: bool,
    /// When it last answered `ok`; a refusal ends it.
    pub(crate) last_ok: Option<Time>,
    /// The time in which requests go on in spite of its failure.
    pub(crate) window_open: Option<OpenWindow>,
    pub(crate) outbox_depth: u64,
    pub(crate) outbox_sequence: u64,
}

/// Who did something, and why.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Signed {
    pub(crate) by: Option<Arc<str>>,
    pub(crate) reason: Option<Arc<str>>,
}

impl DependencyState {
    pub(crate) fn new(rules: &Rules, start: Time, seed: u64) -> Self {
        let vital = Vital::new(rules, start, seed);
        Self {
            told: vital.health(),
            told_since: start,
            vital,
            window: Window::new(rules.window, start),
            leases: Leases::default(),
            signed: Signed::default(),
            advice: Vec::new(),
            ignored_calls: 0,
            ignored_streak: 0,
            late_outcomes: 0,
            refusals_spiked: false,
            last_ok: None,
            window_open: None,
            outbox_depth: 0,
            outbox_sequence: 0,
        }
    }

    /// Its permits have numbers above `given`.
    pub(crate) fn begin_permits_after(&mut self, given: u64) {
        self.leases = Leases::after(given);
        self.vital.out.floor = self.leases.next_serial();
    }

    /// Its health, to be moved.
    pub(crate) fn machine<'a>(&'a mut self, rules: &'a Rules, seed: u64) -> Machine<'a> {
        Machine {
            rules,
            seed,
            vital: &mut self.vital,
            window: View::Held(&mut self.window),
            leases: &self.leases,
        }
    }

    /// Its health as a question sees it: `vital` is the question's own copy.
    fn seen<'a>(&'a self, rules: &'a Rules, seed: u64, vital: &'a mut Vital) -> Machine<'a> {
        Machine { rules, seed, vital, window: View::Seen(&self.window), leases: &self.leases }
    }

    /// Does what time was due to do by `now`.
    pub(crate) fn advance(&mut self, rules: &Rules, seed: u64, now: Time) {
        self.machine(rules, seed).advance(now);
        // The leases that have ended are at the front.
        while !self.leases.oldest().is_none() && self.leases.oldest() != self.vital.out.head {
            self.leases.remove(self.leases.oldest());
        }
        if self.vital.standing.is_none() {
            self.signed = Signed::default();
        }
    }
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
    /// How many windows have opened, and how many stand open.
    pub(crate) windows: u64,
    pub(crate) windows_open: usize,
    /// No dependency that a reload brings gives a permit of a number up to this one.
    pub(crate) permits: u64,
    /// Time alone changes nothing before this moment.
    pub(crate) due: Option<Time>,
    pub(crate) seed: Seed,
}

/// What the host draws once, so that instances differ where they should and strangers can't guess.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Seed {
    /// Tenants' and sessions' names are hashed under it: random wherever they come from strangers, and kept over a
    /// restart.
    pub hash_key: (u64, u64),
    /// What the jitter of waits is drawn from: another for each instance.
    pub jitter: u64,
}

impl State {
    /// Nothing is known yet at `start`, and nothing is drawn: see [`seeded`](Self::seeded).
    #[must_use]
    pub fn new(matrix: &Matrix, start: Time) -> Self {
        Self::seeded(matrix, start, Seed::default())
    }

    /// Nothing is known yet at `start`.
    #[must_use]
    pub fn seeded(matrix: &Matrix, start: Time, seed: Seed) -> Self {
        let dependencies =
            matrix.dependencies.iter().map(|known| DependencyState::new(&known.rules, start, seed.jitter));
        let mut state = Self {
            clock: start,
            steps: Vec::new(),
            dependencies: dependencies.collect(),
            tables: matrix.meters.iter().map(|_| Table::default()).collect(),
            instances: None,
            windows: 0,
            windows_open: 0,
            permits: 0,
            due: None,
            seed,
        };
        state.note_all_due(matrix);
        state
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

    /// What health is read from, as it stands at `now`.
    pub(crate) fn vital(&self, matrix: &Matrix, id: DependencyId, now: Time) -> Option<Vital> {
        let known = self.dependency(id)?;
        let mut vital = known.vital;
        if self.due.is_some_and(|due| due <= now) {
            let rules = &matrix.dependencies.get(id.index())?.rules;
            known.seen(rules, self.seed.jitter, &mut vital).advance(now);
        }
        Some(vital)
    }

    /// Its health at `now`.
    pub(crate) fn health_of(&self, matrix: &Matrix, id: DependencyId, now: Time) -> Option<Health> {
        if self.due.is_some_and(|due| due <= now) {
            return Some(self.vital(matrix, id, now)?.health());
        }
        Some(self.dependency(id)?.vital.health())
    }

    /// When time alone changes something of this dependency, as it stands.
    pub(crate) fn next_due(&self, matrix: &Matrix, id: DependencyId, mut vital: Vital) -> Option<Time> {
        let rules = &matrix.dependencies.get(id.index())?.rules;
        self.dependency(id)?.seen(rules, self.seed.jitter, &mut vital).due()
    }

    pub(crate) fn meter_key(&self, matrix: &Matrix, meter: MeterId, request: &Request) -> Option<meter::Key> {
        let of = matrix.meters.get(meter.index())?.key;
        Some(meter::key(self.seed.hash_key, of, &request.tenant, &request.session))
    }

    /// What must stay as it is for nothing to become due earlier. Nothing while anything but a closed circuit is in
    /// play: then it is simply looked for.
    pub(crate) fn shape(&self, id: DependencyId) -> Option<bool> {
        let vital = &self.dependency(id)?.vital;
        let plain = vital.is_closed()
            && vital.standing.is_none()
            && vital.advised_until.is_none()
            && vital.band.is_none();
        plain.then_some(vital.signal.is_some())
    }

    /// Moves the moment before which time alone changes nothing.
    pub(crate) fn note_due(&mut self, rules: &Rules, id: DependencyId) {
        let seed = self.seed.jitter;
        let due = self.dependencies.get_mut(id.index()).and_then(|known| known.machine(rules, seed).due());
        self.due = earlier(self.due, due);
    }

    /// Finds it anew.
    pub(crate) fn note_all_due(&mut self, matrix: &Matrix) {
        let seed = self.seed.jitter;
        let known = self.dependencies.iter_mut().zip(&matrix.dependencies);
        let dues = known.map(|(known, dependency)| known.machine(&dependency.rules, seed).due());
        self.due = dues.chain(self.tables.iter().map(Table::due)).fold(None, earlier);
    }
}

pub(crate) fn earlier(one: Option<Time>, other: Option<Time>) -> Option<Time> {
    match (one, other) {
        (Some(one), Some(other)) => Some(one.min(other)),
        (one, other) => one.or(other),
    }
}
