//! Windows: the time in which requests go on in spite of a failure, and what caps count in it (spec 3.7, 7).

use alloc::collections::BTreeMap;
use alloc::string::String;
use alloc::vec::Vec;

use crate::health::snapshot::plain_data;
use crate::matrix::{Cap, CapOf, Dependency, DependencyId, Matrix, MeterId, Rung};
use crate::meter::saved::{digits, key_of};
use crate::meter::{self, Key};
use crate::needs::{Asking, Failure, Subject};
use crate::request::Request;
use crate::state::{DependencyState, State};
use crate::{Health, INTEGER_MAX, Millis, Time};

/// So many tenants are counted by a cap that names no meter.
const TENANTS: usize = 10_000;

/// The key of all requests, where a cap counts them together.
const ALL: Key = (0, 0);

/// A window that is open.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct OpenWindow {
    /// Which it is, so that a request's part in it is known to be in this one.
    pub(crate) number: u64,
    pub(crate) opened: Time,
    /// When a commit last used it.
    pub(crate) last: Time,
    /// What the caps of its rungs have counted: by the rung's place and the key.
    pub(crate) counted: BTreeMap<u16, BTreeMap<Key, u64>>,
}

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

plain_data! {
    /// The time in which requests go on in spite of a failure.
    pub struct WindowOpenSnapshot {
        /// Since when.
        pub age_ms: Millis,
        /// Since when it was not used.
        pub last_age_ms: Millis,
        /// Its number; a new one where it is missing.
        pub number: u64,
        /// What caps have counted in it.
        pub caps: Vec<CapSnapshot>,
    }

    /// What a cap has counted of a key.
    pub struct CapSnapshot {
        /// The rung's place in the ladder.
        pub rung: u64,
        /// The key's hash, in hexadecimal digits; under the same hash key when it is restored.
        pub key: String,
        /// How much.
        pub amount: u64,
    }
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

    pub(crate) fn save(&self, now: Time) -> WindowOpenSnapshot {
        let caps = self.counted.iter().flat_map(|(place, counted)| {
            counted.iter().map(|(key, amount)| CapSnapshot {
                rung: u64::from(*place),
                key: digits(*key),
                amount: *amount,
            })
        });
        WindowOpenSnapshot {
            age_ms: now.since(self.opened),
            last_age_ms: now.since(self.last),
            number: self.number,
            caps: caps.collect(),
        }
    }

    /// `then` is the moment of saving; `next` the number of a window that has none.
    pub(crate) fn restored(from: &WindowOpenSnapshot, next: u64, then: Time) -> Self {
        let mut counted: BTreeMap<u16, BTreeMap<Key, u64>> = BTreeMap::new();
        for cap in &from.caps {
            if let (Ok(place), Some(key)) = (u16::try_from(cap.rung), key_of(&cap.key)) {
                counted.entry(place).or_default().insert(key, cap.amount);
            }
        }
        Self {
            number: if from.number == 0 { next } else { from.number },
            opened: then.minus(from.age_ms),
            last: then.minus(from.last_age_ms),
            counted,
        }
    }
}

impl Cap {
    fn key(&self, matrix: &Matrix, state: &State, request: &Request) -> Key {
        let secret = state.seed.hash_key;
        match self.meter.and_then(|meter| matrix.meters.get(meter.index())) {
            _ if self.total => ALL,
            Some(meter) => meter::key(secret, meter.key, &request.tenant, &request.session),
            None => meter::key(secret, crate::draft::MeterKey::Tenant, &request.tenant, ""),
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

impl DependencyState {
    /// Whether its window may close, by its health and by the time since it was last used.
    fn may_close(&self, health: Health, idle: Millis, now: Time) -> bool {
        let recovered = !matches!(health, Health::Down | Health::Probing);
        recovered && self.window_open.as_ref().is_some_and(|window| now >= window.last.exactly_after(idle))
    }
}

/// Closes what may be closed, but for what this very commit used.
pub(crate) fn close(matrix: &Matrix, state: &mut State, used: &[(DependencyId, u16)], now: Time) {
    if state.windows_open == 0 {
        return;
    }
    for (id, known) in (0u16..).map(DependencyId).zip(&mut state.dependencies) {
        if known.may_close(known.vital.health(), matrix.window_idle, now)
            && !used.iter().any(|(held, _)| *held == id)
        {
            known.window_open = None;
        }
    }
    note_open(state);
}

/// How many stand open.
pub(crate) fn note_open(state: &mut State) {
    state.windows_open = state.dependencies.iter().filter(|known| known.window_open.is_some()).count();
}

/// A commit has gone on in spite of this dependency's failure, by the rung at this place.
pub(crate) fn use_it(
    matrix: &Matrix,
    state: &mut State,
    id: DependencyId,
    place: u16,
    request: &mut Request,
    now: Time,
) {
    let rung = matrix
        .dependencies
        .get(id.index())
        .and_then(|known: &Dependency| known.ladder.get(usize::from(place)));
    let cap = rung.and_then(|rung| rung.cap.as_ref()).filter(|cap| !matches!(cap.of, CapOf::Time(_)));
    let counted =
        cap.map(|cap| (cap.key(matrix, state, request), cap.amount(request), cap.capacity(matrix), cap));
    let next = state.windows.saturating_add(1);
    let Some(known) = state.dependencies.get_mut(id.index()) else { return };
    if known.may_close(known.vital.health(), matrix.window_idle, now) {
        known.window_open = None;
    }
    if known.window_open.is_none() {
        state.windows = next;
    }
    let window = known.window_open.get_or_insert_with(|| OpenWindow {
        number: next,
        opened: now,
        last: now,
        counted: BTreeMap::new(),
    });
    window.last = now;
    if let Some((key, amount, capacity, cap)) = counted {
        let number = window.number;
        let held = request.memory.cap_taken.iter_mut();
        let mut held =
            held.filter(|taken| (taken.dependency, taken.place, taken.window) == (id, place, number));
        match held.next() {
            // It asks for more than before.
            Some(taken) if taken.counted && amount > taken.amount => {
                window.count(place, taken.key, capacity, amount, taken.amount);
                taken.amount = amount;
            }
            Some(_) => {}
            None => {
                let counted = window.has_room(place, key, capacity);
                window.count(place, key, capacity, amount, 0);
                let meter = cap.meter.filter(|_| matches!(cap.of, CapOf::Amount(_)));
                let taken = CapTaken { dependency: id, place, window: number, key, amount, meter, counted };
                request.memory.cap_taken.push(taken);
            }
        }
    }
    note_open(state);
}

/// What a request really cost, where it was taken of a cap whose window is still open.
pub(crate) fn correct(matrix: &Matrix, state: &mut State, taken: &[CapTaken], meter: MeterId, actual: u64) {
    let capacity = matrix.meters.get(meter.index()).map_or(0, |meter| meter.capacity);
    for taken in taken.iter().filter(|taken| taken.counted && taken.meter == Some(meter)) {
        let known = state.dependencies.get_mut(taken.dependency.index());
        let window = known.and_then(|known| known.window_open.as_mut());
        if let Some(window) = window.filter(|window| window.number == taken.window) {
            window.count(taken.place, taken.key, capacity, actual, taken.amount);
        }
    }
}

/// The rungs by which a commit went on in spite of a failure.
pub(crate) fn used(
    looked_at: &[(DependencyId, Option<crate::answer::NeedAnswer>)],
    goes_on: bool,
    shadow: bool,
) -> Vec<(DependencyId, u16)> {
    let failed = looked_at.iter().filter_map(|(id, answer)| Some((*id, answer.as_ref()?)));
    failed
        .filter(|(_, answer)| !answer.again && !answer.is_refusal())
        .filter(|(_, answer)| shadow || (goes_on && answer.verdict.goes_on()))
        .map(|(id, answer)| (id, answer.place))
        .collect()
}
