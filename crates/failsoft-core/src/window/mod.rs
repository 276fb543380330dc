//! Windows: the time in which requests go on in spite of a failure (spec 7).
//!
//! - this file: how one opens, changes and closes, and what is told of it.
//! - `account.rs`: what went through, for whom.
//! - `cap.rs`: how much a rung lets through in one.
//! - `saved.rs`: over a restart.
//! - `succeeded.rs`: under the next matrix.

mod account;
mod cap;
pub(crate) mod saved;
mod succeeded;

use alloc::boxed::Box;
use alloc::collections::BTreeMap;
use alloc::vec::Vec;

use crate::answer::NeedAnswer;
use crate::matrix::{DependencyId, Matrix, MeterId, OperationId};
use crate::meter::Key;
use crate::reload::Succession;
use crate::report::Report;
use crate::request::Request;
use crate::signal::Event;
use crate::state::{DependencyState, State};
use crate::{Health, Millis, Posture, Time, WindowEnd};

pub(crate) use account::Counted;
pub use account::{AccountRow, Way, WindowAccount};
pub(crate) use cap::CapTaken;

/// A window that is open.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct OpenWindow {
    /// Which it is, so that a request's part in it is known to be in this one.
    pub(crate) number: u64,
    opened: Time,
    /// When a commit last used it.
    last: Time,
    /// What the caps of its rungs have counted: by the rung's place and the key.
    counted: BTreeMap<u16, BTreeMap<Key, u64>>,
    ledger: account::Ledger,
}

/// A commit went on in spite of a failure: what is told where that opens a window, or takes another rung in it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct WindowUse {
    /// What has failed.
    pub dependency: DependencyId,
    /// What the request wanted to do.
    pub operation: OperationId,
    /// How the need's own answer came about.
    pub posture: Posture,
    /// By which rung, or what stood in its place.
    pub way: Way,
    /// The health as it stood.
    pub health: Option<Health>,
    /// How it failed; none where it is only known to be ill.
    pub fault: Option<Report>,
    /// The rung's place, by which its cap and its event are known.
    pub(crate) place: u16,
}

impl OpenWindow {
    fn account(&self, now: Time) -> WindowAccount {
        self.ledger.told(self.last.since(self.opened), now.since(self.last))
    }
}

impl DependencyState {
    /// Whether its window may close, by its health and by the time since it was last used.
    fn may_close(&self, health: Health, idle: Millis, now: Time) -> bool {
        let recovered = !matches!(health, Health::Down | Health::Probing);
        recovered && self.window_open.as_ref().is_some_and(|window| now >= window.last.exactly_after(idle))
    }

    fn close(&mut self, dependency: DependencyId, why: WindowEnd, now: Time) -> Option<Event> {
        let account = Box::new(self.window_open.take()?.account(now));
        Some(Event::WindowClosed { dependency, why, account })
    }
}

/// The windows that are open at `now`, each with its account. It changes nothing: one that may close is closed already.
#[must_use]
pub fn windows(matrix: &Matrix, state: &State, now: Time) -> Vec<(DependencyId, WindowAccount)> {
    let now = state.clamp(now);
    let known = (0u16..).map(DependencyId).zip(&state.dependencies);
    known
        .filter_map(|(id, known)| {
            let window = known.window_open.as_ref()?;
            let health = state.health_of(matrix, id, now)?;
            (!known.may_close(health, matrix.window_idle, now)).then(|| (id, window.account(now)))
        })
        .collect()
}

/// Closes what may be closed, but for what this very commit used; and what ends with its matrix, where `next` says what goes on.
pub(crate) fn close(
    matrix: &Matrix,
    state: &mut State,
    used: &[WindowUse],
    next: Option<&Succession>,
    now: Time,
    events: &mut Vec<Event>,
) {
    if state.windows_open == 0 {
        return;
    }
    for (id, known) in (0u16..).map(DependencyId).zip(&mut state.dependencies) {
        if known.may_close(known.vital.health(), matrix.window_idle, now)
            && !used.iter().any(|used| used.dependency == id)
        {
            events.extend(known.close(id, WindowEnd::Recovered, now));
        } else if next
            .is_some_and(|next| known.window_open.as_ref().is_some_and(|window| !window.goes_on(id, next)))
        {
            events.extend(known.close(id, WindowEnd::Reloaded, now));
        }
    }
    note_open(state);
}

/// How many stand open.
pub(crate) fn note_open(state: &mut State) {
    state.windows_open = state.dependencies.iter().filter(|known| known.window_open.is_some()).count();
}

/// What a commit tells of a window that it has used.
pub(crate) struct Used {
    /// The one before, which could have closed already.
    pub(crate) closed: Option<Event>,
    /// It has opened, or changed its rung.
    pub(crate) told: Option<Event>,
}

/// A commit has gone on in spite of a failure.
pub(crate) fn use_it(
    matrix: &Matrix,
    state: &mut State,
    of: WindowUse,
    shadow: bool,
    request: &mut Request,
    now: Time,
) -> Used {
    let cap = cap::Taking::of(matrix, state, of, request);
    let next = state.windows.saturating_add(1);
    let Some(known) = state.dependencies.get_mut(of.dependency.index()) else {
        return Used { closed: None, told: None };
    };
    let may_close = known.may_close(known.vital.health(), matrix.window_idle, now);
    let closed = if may_close { known.close(of.dependency, WindowEnd::Recovered, now) } else { None };
    let opens = known.window_open.is_none();
    if opens {
        state.windows = next;
    }
    let window = known.window_open.get_or_insert_with(|| OpenWindow {
        number: next,
        opened: now,
        last: now,
        counted: BTreeMap::new(),
        ledger: account::Ledger::default(),
    });
    window.last = now;
    let changes = window.ledger.take(of.way);
    let this = (of.dependency, window.number);
    if !request.memory.counted.iter().any(|counted| (counted.dependency, counted.window) == this) {
        let way = if shadow { Way::Shadow } else { of.way };
        let counted =
            window.ledger.count(way, &request.tenant, request.taken_amounts(matrix), matrix.tenants, this);
        // A window that has closed is corrected no more.
        request.memory.counted.retain(|counted| counted.dependency != of.dependency);
        request.memory.counted.push(counted);
    }
    if let Some(cap) = cap {
        cap.take(window, of, request);
    }
    note_open(state);
    let told = match (opens, changes) {
        (true, _) => Some(Event::WindowOpened(of)),
        (false, true) => Some(Event::WindowChanged(of)),
        (false, false) => None,
    };
    Used { closed, told }
}

/// What a request really cost of a meter: in every window that is still open its caps know it, and where the meter is
/// one that the operation takes from the account too.
pub(crate) fn correct(
    matrix: &Matrix,
    state: &mut State,
    request: &mut Request,
    (meter, actual): (MeterId, u64),
    is_taken_from: bool,
) {
    cap::correct(matrix, state, &request.memory.cap_taken, meter, actual);
    for counted in request.memory.counted.iter_mut().filter(|_| is_taken_from) {
        let known = state.dependencies.get_mut(counted.dependency.index());
        let window = known.and_then(|known| known.window_open.as_mut());
        if let Some(window) = window.filter(|window| window.number == counted.window) {
            window.ledger.correct(counted, meter, actual);
        }
    }
}

/// The failures in spite of which a commit went on, in pipeline order.
pub(crate) fn used(
    operation: OperationId,
    looked_at: &[(DependencyId, Option<NeedAnswer>)],
    goes_on: bool,
    shadow: bool,
) -> Vec<WindowUse> {
    let failed = looked_at.iter().filter_map(|(id, answer)| Some((*id, answer.as_ref()?)));
    failed
        .filter(|(_, answer)| !answer.again && !answer.is_refusal())
        .filter(|(_, answer)| shadow || (goes_on && answer.verdict.goes_on()))
        .map(|(dependency, answer)| WindowUse {
            dependency,
            operation,
            posture: answer.posture,
            way: Way::of(&answer.reason),
            health: answer.reason.health,
            fault: answer.reason.fault,
            place: answer.place,
        })
        .collect()
}
