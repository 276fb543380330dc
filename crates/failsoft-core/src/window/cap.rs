//! Caps: how much a rung lets through in one window, or for how long it stands (spec 3.7).

use crate::INTEGER_MAX;
use crate::draft::MeterKey;
use crate::matrix::{Cap, CapOf, DependencyId, Matrix, MeterId, Rung};
use crate::meter::{self, Key};
use crate::needs::{Asking, Failure, Subject};
use crate::request::Request;
use crate::state::State;

use super::{OpenWindow, WindowUse};

/// So many tenants are counted by a cap that names no meter.
const TENANTS: usize = 10_000;

/// The key of all requests, where a cap counts them together.
const ALL: Key = (0, 0);

/// What a request has taken of a cap.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct CapTaken {
    pub(crate) dependency: DependencyId,
    pub(crate) place: u16,
    /// The window's number.
    pub(crate) window: u64,
    pub(crate) key: Key,
    /// The amount, and of which meter; 1 of none where requests are counted.
    pub(crate) amount: u64,
    pub(crate) meter: Option<MeterId>,
    /// The cap's table had room for it.
    pub(crate) counted: bool,
}

impl OpenWindow {
    fn has_room(&self, place: u16, key: Key, capacity: usize) -> bool {
        let counted = self.counted.get(&place);
        counted.map_or(capacity > 0, |counted| counted.contains_key(&key) || counted.len() < capacity)
    }

    /// So much more and so much less of a key, as far as there is room; what is no change makes no key.
    fn count(&mut self, place: u16, key: Key, capacity: usize, more: u64, less: u64) {
        if more != less && self.has_room(place, key, capacity) {
            let count = self.counted.entry(place).or_default().entry(key).or_insert(0);
            *count = count.saturating_add(more).saturating_sub(less).min(INTEGER_MAX);
        }
    }
}

/// What a commit is about to take of a cap.
pub(super) struct Taking {
    key: Key,
    amount: u64,
    capacity: usize,
    meter: Option<MeterId>,
}

impl Taking {
    /// Nothing where the rung has no cap that counts.
    pub(super) fn of(matrix: &Matrix, state: &State, of: WindowUse, request: &Request) -> Option<Self> {
        let dependency = matrix.dependencies.get(of.dependency.index())?;
        let cap = dependency.ladder.get(usize::from(of.place))?.cap.as_ref()?;
        let meter = match cap.of {
            CapOf::Time(_) => return None,
            CapOf::Requests(_) => None,
            CapOf::Amount(_) => cap.meter,
        };
        let (key, amount) = (cap.key(matrix, state, request), cap.amount(request));
        Some(Self { key, amount, capacity: cap.capacity(matrix), meter })
    }

    pub(super) fn take(self, window: &mut OpenWindow, of: WindowUse, request: &mut Request) {
        let Self { key, amount, capacity, meter } = self;
        let this = (of.dependency, of.place, window.number);
        let mut held = request.memory.cap_taken.iter_mut();
        match held.find(|taken| (taken.dependency, taken.place, taken.window) == this) {
            // It asks for more than before.
            Some(taken) if taken.counted && amount > taken.amount => {
                window.count(of.place, taken.key, capacity, amount, taken.amount);
                taken.amount = amount;
            }
            Some(_) => {}
            None => {
                let counted = window.has_room(of.place, key, capacity);
                window.count(of.place, key, capacity, amount, 0);
                let (dependency, place, window) = this;
                let taken = CapTaken { dependency, place, window, key, amount, meter, counted };
                let gone = |of: &CapTaken| of.dependency == dependency && of.window != window;
                request.memory.cap_taken.retain(|taken| !gone(taken));
                request.memory.cap_taken.push(taken);
            }
        }
    }
}

impl Cap {
    fn key(&self, matrix: &Matrix, state: &State, request: &Request) -> Key {
        self.key_of(matrix, state.seed.hash_key, &request.tenant, &request.session)
    }

    pub(super) fn key_of(&self, matrix: &Matrix, secret: (u64, u64), tenant: &str, session: &str) -> Key {
        match self.meter.and_then(|meter| matrix.meters.get(meter.index())) {
            _ if self.total => ALL,
            Some(meter) => meter::key(secret, meter.key, tenant, session),
            None => meter::key(secret, MeterKey::Tenant, tenant, ""),
        }
    }

    fn capacity(&self, matrix: &Matrix) -> usize {
        let meter = self.meter.and_then(|meter| matrix.meters.get(meter.index()));
        meter.map_or(TENANTS, |meter| meter.capacity)
    }

    fn amount(&self, request: &Request) -> u64 {
        match (self.of, self.meter) {
            (CapOf::Amount(_), Some(meter)) => request.amount(meter),
            _ => 1,
        }
    }
}

impl Asking<'_> {
    /// Whether a rung is within its cap.
    pub(crate) fn is_within_cap(
        &self,
        subject: &Subject<'_>,
        failure: Failure,
        place: u16,
        rung: &Rung,
    ) -> bool {
        let Some(cap) = &rung.cap else { return true };
        // One that may close is as good as closed.
        let known = self.state.dependency(subject.id);
        let window = known
            .filter(|known| !known.may_close(subject.vital.health(), self.matrix.window_idle, self.now))
            .and_then(|known| known.window_open.as_ref());
        let most = match cap.of {
            CapOf::Time(most) => {
                let since = match window {
                    _ if !rung.verdict().goes_on() => Some(self.since(subject, Some(failure))),
                    Some(window) => Some(window.opened),
                    None => None,
                };
                return since.is_none_or(|since| self.now < since.exactly_after(most));
            }
            CapOf::Requests(most) | CapOf::Amount(most) => most,
        };
        let key = cap.key(self.matrix, self.state, self.request);
        let counted = window.and_then(|window| window.counted.get(&place));
        let held = counted.and_then(|counted| counted.get(&key)).copied();
        let capacity = cap.capacity(self.matrix);
        let has_room = window.is_none_or(|window| window.has_room(place, key, capacity));
        let mine = window.and_then(|window| self.request.memory.capped(subject.id, place, window.number));
        let others = held.unwrap_or(0).saturating_sub(
            mine.filter(|mine| mine.counted && mine.key == key).map_or(0, |mine| mine.amount),
        );
        has_room && others.saturating_add(cap.amount(self.request)) <= most
    }
}

/// What a request really cost, where it was taken of a cap whose window is still open.
pub(super) fn correct(matrix: &Matrix, state: &mut State, taken: &[CapTaken], meter: MeterId, actual: u64) {
    let capacity = matrix.meters.get(meter.index()).map_or(0, |meter| meter.capacity);
    for taken in taken.iter().filter(|taken| taken.counted && taken.meter == Some(meter)) {
        let known = state.dependencies.get_mut(taken.dependency.index());
        let window = known.and_then(|known| known.window_open.as_mut());
        if let Some(window) = window.filter(|window| window.number == taken.window) {
            window.count(taken.place, taken.key, capacity, actual, taken.amount);
        }
    }
}
