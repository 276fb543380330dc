//! What signals do to meters (spec 8), and what of it is told.

use alloc::vec::Vec;

use crate::draft::MeterKey;
use crate::matrix::{Matrix, Meter, MeterId};
use crate::meter::{self, Key, KeyNames, Reading, Table, Taken};
use crate::reload::Succession;
use crate::report::Report;
use crate::request::{Request, TakenFor};
use crate::signal::Event;
use crate::state::State;
use crate::window;
use crate::{Health, Millis, Time};

/// Whose key a line speaks of.
#[derive(Clone, Copy)]
pub(crate) struct Whose<'a> {
    pub(crate) tenant: &'a str,
    pub(crate) session: &'a str,
}

impl Whose<'_> {
    fn key(&self, state: &State, of: MeterKey) -> Key {
        meter::key(state.seed.hash_key, of, self.tenant, self.session)
    }

    fn names(&self, of: MeterKey) -> KeyNames {
        KeyNames::of(of, self.tenant, self.session)
    }
}

impl<'a> From<&'a Request> for Whose<'a> {
    fn from(request: &'a Request) -> Self {
        Self { tenant: &request.tenant, session: &request.session }
    }
}

/// One meter of a state, to be changed.
struct Metering<'a> {
    id: MeterId,
    meter: &'a Meter,
    table: &'a mut Table,
    told: &'a mut Told,
    now: Time,
    /// The hash key of names.
    secret: (u64, u64),
}

/// What is to be told at the end of a line: limits reached, then full tables.
#[derive(Default)]
pub(crate) struct Told {
    reached: Vec<Event>,
    full: Vec<Event>,
}

impl Told {
    pub(crate) fn is_empty(&self) -> bool {
        self.reached.is_empty() && self.full.is_empty()
    }

    pub(crate) fn into_events(mut self) -> impl Iterator<Item = Event> {
        let order = |event: &Event| match event {
            Event::LimitReached { meter, .. } | Event::TableFull { meter } => meter.0,
            _ => u16::MAX,
        };
        self.reached.sort_by_key(order);
        self.full.sort_by_key(order);
        self.reached.into_iter().chain(self.full)
    }
}

impl Metering<'_> {
    fn full(&mut self) {
        if self.table.tell_full() {
            self.told.full.push(Event::TableFull { meter: self.id });
        }
    }

    fn reached(&mut self, key: Key, whose: Whose<'_>) {
        if let Some(reached) = self.table.reached(self.meter, key, self.now) {
            let names = whose.names(self.meter.key);
            let (mode, used, own, limit) = (reached.mode, reached.used, reached.own, reached.limit);
            self.told.reached.push(Event::LimitReached { meter: self.id, names, mode, used, own, limit });
        }
    }
}

fn metering<'a>(
    matrix: &'a Matrix,
    state: &'a mut State,
    told: &'a mut Told,
    id: MeterId,
    now: Time,
) -> Option<Metering<'a>> {
    let (meter, table) = (matrix.meters.get(id.index())?, state.tables.get_mut(id.index())?);
    Some(Metering { id, meter, table, told, now, secret: state.seed.hash_key })
}

/// Whether the store of a meter is neither down nor probing.
pub(crate) fn store_is_up(matrix: &Matrix, state: &State, meter: &Meter, now: Time) -> bool {
    let health = state.health_of(matrix, meter.store, now);
    health.is_some_and(|health| !matches!(health, Health::Down | Health::Probing))
}

/// What a commit knows of a meter's store.
#[derive(Clone, Copy)]
pub(crate) struct StoreFor {
    /// It has failed for the request.
    pub(crate) failed: bool,
    /// What the request itself has told of it.
    pub(crate) report: Option<Report>,
}

/// A commit takes an amount. One that was taken before, and waits, is unreported or not by what the request has told.
pub(crate) fn take(
    matrix: &Matrix,
    state: &mut State,
    told: &mut Told,
    id: MeterId,
    request: &mut Request,
    store: StoreFor,
    now: Time,
) {
    let operation = request.operation.and_then(|id| matrix.operations.get(id.index()));
    let within = operation.map(|operation| operation.unsettled_for).filter(|_| request.finishes);
    // What is due at once happens at once.
    let within = within.filter(|within| *within > Millis::ZERO);
    let amount = request.amount(id);
    let Some(of) = matrix.meters.get(id.index()).map(|meter| meter.key) else { return };
    let Some(mut metering) = metering(matrix, state, told, id, now) else { return };
    let secret = metering.secret;
    let held = request.memory.taken.entry(id, || {
        let (tenant, session) = (request.tenant.clone(), request.session.clone());
        let key = meter::key(secret, of, &tenant, &session);
        TakenFor { taken: Taken { key, amount, place: None }, tenant, session }
    });
    let whose = Whose { tenant: &held.tenant, session: &held.session };
    match (held.taken.place, store.report) {
        // Nothing, or nothing that there was room for.
        (None, _) if amount > 0 => {
            let unreported = store.failed.then(|| whose.names(of));
            held.taken = metering.table.take(metering.meter, held.taken.key, amount, within, unreported, now);
            if held.taken.place.is_none() {
                metering.full();
            }
            metering.reached(held.taken.key, whose);
        }
        (Some(_), Some(Report::Failed(_))) if store.failed => {
            metering.table.ask_again(&mut held.taken, Some(whose.names(of)));
        }
        (Some(_), Some(Report::Ok)) => metering.table.ask_again(&mut held.taken, None),
        _ => {}
    }
}

/// An amount that nothing was taken for is settled at once.
pub(crate) fn usage(
    matrix: &Matrix,
    state: &mut State,
    told: &mut Told,
    id: MeterId,
    whose: Whose<'_>,
    amount: u64,
    now: Time,
) {
    let Some(meter) = matrix.meters.get(id.index()).filter(|_| amount > 0) else { return };
    let failed = !store_is_up(matrix, state, meter, now);
    let key = whose.key(state, meter.key);
    let Some(mut metering) = metering(matrix, state, told, id, now) else { return };
    let unreported = failed.then(|| whose.names(meter.key));
    if !metering.table.use_at_once(metering.meter, key, amount, unreported, now) {
        metering.full();
    }
    metering.reached(key, whose);
}

/// A request has ended: each meter that it took of, or that is told, is settled.
pub(crate) fn finish(
    matrix: &Matrix,
    state: &mut State,
    told: &mut Told,
    request: &mut Request,
    amounts: &[(MeterId, u64)],
    now: Time,
) {
    let operation = request.operation.and_then(|id| matrix.operations.get(id.index()));
    let needed = |id: MeterId| operation.is_some_and(|operation| operation.meters.contains(&id));
    for (id, meter) in (0u16..).map(MeterId).zip(&matrix.meters) {
        let actual = amounts.iter().rfind(|(told, _)| *told == id).map(|(_, actual)| *actual);
        if let Some(actual) = actual {
            let took = request.memory.taken.get(id).is_some_and(|held| held.taken.amount > 0);
            window::correct(matrix, state, request, (id, actual), took || needed(id));
        }
        let whose = Whose::from(&*request);
        match request.memory.taken.get(id) {
            Some(TakenFor { taken, tenant, session }) if taken.amount > 0 => {
                let whose = Whose { tenant, session };
                let Some(mut metering) = metering(matrix, state, told, id, now) else { continue };
                if metering.table.finish(meter, *taken, actual, || whose.names(meter.key), now) {
                    metering.reached(taken.key, whose);
                }
            }
            _ if needed(id) => usage(matrix, state, told, id, whose, actual.unwrap_or(0), now),
            _ => {}
        }
    }
}

/// The store says how a key is.
pub(crate) fn read(
    matrix: &Matrix,
    state: &mut State,
    told: &mut Told,
    id: MeterId,
    whose: Whose<'_>,
    reading: Reading,
    now: Time,
) {
    let Some(of) = matrix.meters.get(id.index()).map(|meter| meter.key) else { return };
    let key = whose.key(state, of);
    let Some(mut metering) = metering(matrix, state, told, id, now) else { return };
    match metering.table.read(metering.meter, key, reading, now) {
        Some(true) => metering.reached(key, whose),
        Some(false) => metering.full(),
        None => {}
    }
}

/// Settles what has waited long enough.
pub(crate) fn advance(matrix: &Matrix, state: &mut State, now: Time) {
    for (meter, table) in matrix.meters.iter().zip(&mut state.tables) {
        table.advance(meter, now);
    }
}

/// Tells what the store has not heard, of every meter whose store is up; or that does not go on, where all that waits is settled
/// first.
pub(crate) fn settle(
    matrix: &Matrix,
    state: &mut State,
    next: Option<&Succession>,
    now: Time,
    events: &mut Vec<Event>,
) {
    for (id, meter) in (0u16..).map(MeterId).zip(&matrix.meters) {
        let ends = next.is_some_and(|next| next.meter(id).is_none());
        if let Some(table) = state.tables.get_mut(id.index()).filter(|_| ends) {
            table.settle_all(meter, now);
        }
        let waits = state.tables.get(id.index()).is_some_and(Table::has_unreported);
        if !waits || !(ends || store_is_up(matrix, state, meter, now)) {
            continue;
        }
        let told = state.tables.get_mut(id.index()).map(|table| table.report(meter, now));
        events.extend(told.into_iter().flatten().map(|told| Event::MeterSettlement {
            meter: id,
            names: told.names,
            amount: told.amount,
            ended: told.ended.map(|ended| now.since(ended)),
        }));
    }
}
