//! The one way in: a signal changes state, and events tell what changed.

use alloc::sync::Arc;
use alloc::vec::Vec;

use crate::answer::{Decision, Detail, NeedAnswer};
use crate::decide::{Deliberation, deliberate};
use crate::health::Counted;
use crate::matrix::{Dependency, DependencyId, Matrix, MeterId};
use crate::meter::Taken;
use crate::needs::haste;
use crate::report::{Pass, Report};
use crate::request::Request;
use crate::signal::{Answer, Event, Outcome, Signal};
use crate::state::{DependencyState, MOST_SOURCES, State};
use crate::{Enforcement, Health, INTEGER_MAX, Millis, Override, Time, Verdict};

/// Takes a signal in at `now`, appends what it changed to `events`, and answers it.
///
/// The only function that changes what is known ([`State::observe`] moves the clock alone). Ids belong to the matrix that gave them: those of another mean nothing
/// here, and an id out of range changes nothing. A moment before the last one counts as the last one, and is told.
///
/// Events stand in this order: overrides expired, health changed (dependencies as written), then the signal's own.
pub fn apply(
    matrix: &Matrix,
    state: &mut State,
    signal: Signal<'_>,
    now: Time,
    events: &mut Vec<Event>,
) -> Answer {
    let now = state.observe(now);
    let steps = core::mem::take(&mut state.steps);
    let mut own: Vec<Event> =
        steps.into_iter().map(|(told, kept)| Event::ClockSteppedBack { told, kept }).collect();
    let touched = signal.dependency();
    let timely = state.due.is_some_and(|due| due <= now);
    if timely {
        advance_all(matrix, state, now, events);
    }
    let answer = Applying { matrix, state, now, own: &mut own }.signal(signal);
    if let Some(id) = touched
        && let (Some(dependency), Some(known)) =
            (matrix.dependencies.get(id.index()), state.dependencies.get_mut(id.index()))
    {
        // A wait or an override may be of no length at all.
        advance(id, dependency, known, now, events);
        state.note_due(dependency, id);
    }
    tell_health(state, touched, timely, events);
    events.append(&mut own);
    answer
}

/// Does everywhere what time alone was due to do.
fn advance_all(matrix: &Matrix, state: &mut State, now: Time, events: &mut Vec<Event>) {
    let mut due: Option<Time> = None;
    for ((index, dependency), known) in (0u16..).zip(&matrix.dependencies).zip(&mut state.dependencies) {
        advance(DependencyId(index), dependency, known, now, events);
        due = match (due, known.vital.due(&dependency.health)) {
            (Some(held), Some(next)) => Some(held.min(next)),
            (held, next) => held.or(next),
        };
    }
    state.due = due;
}

fn advance(
    id: DependencyId,
    dependency: &Dependency,
    known: &mut DependencyState,
    now: Time,
    events: &mut Vec<Event>,
) {
    let before = known.vital.standing_kind();
    known.vital.advance(&dependency.health, now);
    if let Some(was) = before
        && known.vital.standing_kind().is_none()
    {
        events.push(Event::OverrideExpired { dependency: id, was });
    }
}

/// One event per dependency, from what was last told to what it is now.
fn tell_health(state: &mut State, touched: Option<DependencyId>, all: bool, events: &mut Vec<Event>) {
    let tell = |(id, known): (DependencyId, &mut DependencyState)| {
        let to = known.vital.health();
        let from = core::mem::replace(&mut known.told, to);
        (from != to).then_some(Event::HealthChanged { dependency: id, from, to, why: known.vital.cause })
    };
    if all {
        let known = (0u16..).map(DependencyId).zip(&mut state.dependencies);
        events.extend(known.filter_map(tell));
    } else if let Some(id) = touched
        && let Some(known) = state.dependencies.get_mut(id.index())
    {
        events.extend(tell((id, known)));
    }
}

struct Applying<'a> {
    matrix: &'a Matrix,
    state: &'a mut State,
    now: Time,
    own: &'a mut Vec<Event>,
}

impl<'a> Applying<'a> {
    fn known(&mut self, id: DependencyId) -> Option<(&'a Dependency, &mut DependencyState)> {
        Some((self.matrix.dependencies.get(id.index())?, self.state.dependencies.get_mut(id.index())?))
    }

    fn signal(&mut self, signal: Signal<'_>) -> Answer {
        let now = self.now;
        match signal {
            Signal::Outcome(outcome) => self.outcome(&outcome),
            Signal::Probe { dependency, result } => {
                if let Some((settings, known)) = self.known(dependency) {
                    known.vital.probed(&settings.health, now, result);
                }
            }
            Signal::Override { dependency, to, length, by, reason } => {
                self.overridden(dependency, to, length, by, reason);
            }
            Signal::Advice { source, dependency, health } => self.advised(source, dependency, health),
            Signal::Instances { count } => self.state.instances = Some((count, now)),
            Signal::Outbox { dependency, depth } => {
                if let Some((_, known)) = self.known(dependency) {
                    known.outbox_depth = depth;
                }
            }
            Signal::Permit { dependency, permit } => return Answer::Permit(self.permit(dependency, permit)),
            Signal::Release { dependency, permit } => self.release(dependency, permit),
            Signal::Call { dependency, outcome } => {
                let permitted = self.permit(dependency, None);
                if let Some(outcome) = outcome.filter(|_| permitted) {
                    self.outcome(&Outcome { dependency, permit: None, ..outcome });
                }
                return Answer::Permit(permitted);
            }
            Signal::Decided(request) => return Answer::Decision(self.commit(request)),
            Signal::Finished { request, amounts } => self.finish(request, amounts),
        }
        Answer::Done
    }

    fn outcome(&mut self, outcome: &Outcome<'_>) {
        let now = self.now;
        let Some((settings, known)) = self.known(outcome.dependency) else {
            return;
        };
        let mut of_trial = outcome.permit.is_none() && !known.trial_is_named;
        if let Some(name) = outcome.permit {
            let Some(lease) = known.permits.find(name, known.vital.generation, now) else {
                known.permits.take_back(name);
                return; // Late: the circuit has moved on, or the permit was never given.
            };
            known.permits.take_back(name);
            of_trial = lease.trial;
        }
        match outcome.result {
            Report::Ok => known.last_ok = Some(now),
            Report::Refused => known.last_ok = None,
            Report::Failed(_) => {}
        }
        let counted = match outcome.result {
            Report::Ok | Report::Refused => Some(Counted::Success),
            Report::Failed(fault) => Some(haste(settings, fault, outcome.had))
                .filter(|fault| fault.counts_as_failure())
                .map(Counted::Failure),
        };
        let inert = known.vital.is_inert();
        let Some(counted) = counted.filter(|_| !inert) else {
            if !inert {
                known.ignored_calls = more(known.ignored_calls);
            }
            // It speaks neither for nor against it, and gives its permit back.
            if of_trial {
                known.vital.give_back_trial();
            }
            return;
        };
        known.vital.counted(&settings.health, now, counted, outcome.retry_after);
    }

    fn overridden(
        &mut self,
        dependency: DependencyId,
        to: Option<Override>,
        length: Option<Millis>,
        by: Option<&str>,
        reason: Option<&str>,
    ) {
        let now = self.now;
        let Some((settings, known)) = self.known(dependency) else {
            return;
        };
        if to == Some(Override::BreakGlass) {
            return; // No dependency can declare it in this version, and undeclared it changes nothing.
        }
        known.vital.overridden(&settings.health, now, to, length);
        if to == Some(Override::Reset) {
            known.advice.clear();
            known.ignored_calls = 0;
            known.not_permitted_calls = 0;
        }
        let (by, reason) = (by.map(Arc::from), reason.map(Arc::from));
        self.own.push(Event::OverrideSet { dependency, to, length, by, reason });
    }

    fn advised(&mut self, source: &str, dependency: DependencyId, health: Health) {
        let now = self.now;
        let until = now.plus(self.matrix.signal_ttl);
        let Some((_, known)) = self.known(dependency) else {
            return;
        };
        known.advice.retain(|(held, until)| held.as_ref() != source && *until > now);
        if !matches!(health, Health::Healthy | Health::Unknown) {
            if known.advice.len() >= MOST_SOURCES {
                known.advice.remove(0);
            }
            known.advice.push((source.into(), until));
        }
        let until = known.advice.iter().map(|(_, until)| *until).max();
        known.vital.advised(now, until);
    }

    fn permit(&mut self, dependency: DependencyId, name: Option<&str>) -> bool {
        let now = self.now;
        let Some((settings, known)) = self.known(dependency) else {
            return false;
        };
        let ttl = settings.health.permit_ttl;
        // A trial that asks again under its own name keeps its permit.
        if let Some(name) = name
            && !known.vital.is_forced_open()
            && known.permits.find(name, known.vital.generation, now).is_some_and(|lease| lease.trial)
        {
            known.vital.renew_trial(now);
            known.permits.give(name, known.vital.generation, now, ttl, true);
            return true;
        }
        let Some(trial) = known.vital.permit(now) else {
            known.not_permitted_calls = more(known.not_permitted_calls);
            return false;
        };
        if trial {
            known.trial_is_named = name.is_some();
        }
        if let Some(name) = name {
            known.permits.give(name, known.vital.generation, now, ttl, trial);
        }
        true
    }

    fn release(&mut self, dependency: DependencyId, name: Option<&str>) {
        let now = self.now;
        let Some((_, known)) = self.known(dependency) else {
            return;
        };
        let of_trial = match name {
            Some(name) => {
                let lease = known.permits.find(name, known.vital.generation, now);
                known.permits.take_back(name);
                lease.is_some_and(|lease| lease.trial)
            }
            None => !known.trial_is_named,
        };
        if of_trial {
            known.vital.give_back_trial();
        }
    }

    fn commit(&mut self, request: &mut Request) -> Decision {
        let Deliberation { mut decision, looked_at, standing } =
            deliberate(self.matrix, self.state, request, self.now);
        self.number(&mut decision, request);
        self.tell_emits(&standing, request);
        let operation = request.operation.and_then(|id| self.matrix.operations.get(id.index()));
        // In shadow the host goes on whatever is decided.
        let shadow = operation.is_some_and(|operation| operation.enforcement == Enforcement::Shadow);
        let went_on = decision.verdict.goes_on() || shadow;
        if let Some(operation) = operation.filter(|_| went_on) {
            for meter in &operation.meters {
                self.take(*meter, request);
            }
        }
        remember(went_on, looked_at, request);
        decision
    }

    /// Gives each outbox obligation its number: one per dependency and request, without gaps.
    fn number(&mut self, decision: &mut Decision, request: &mut Request) {
        for obligation in &mut decision.obligations {
            let (Detail::Sequence(_), Some(id)) = (obligation.detail, obligation.dependency) else {
                continue;
            };
            let Some((_, known)) = self.known(id) else {
                continue;
            };
            let sequence = *request.memory.sequences.entry(id, || {
                known.outbox_sequence = more(known.outbox_sequence);
                known.outbox_sequence
            });
            obligation.detail = Detail::Sequence(Some(sequence));
        }
    }

    fn take(&mut self, meter: MeterId, request: &mut Request) {
        if request.memory.taken.contains_key(meter) {
            return;
        }
        let amount = request.amount(meter);
        let key = self.state.meter_key(self.matrix, meter, request);
        let settings = self.matrix.meters.get(meter.index());
        let (Some(key), Some(settings), Some(table)) =
            (key, settings, self.state.tables.get_mut(meter.index()))
        else {
            return;
        };
        let period = table.add(settings, key, amount, self.now);
        if period.is_none() && !table.full_told {
            table.full_told = true;
            self.own.push(Event::TableFull { meter });
        }
        request.memory.taken.insert(meter, Taken { key, amount, period });
    }

    fn finish(&mut self, request: &Request, amounts: &[(MeterId, u64)]) {
        let operation = request.operation.and_then(|id| self.matrix.operations.get(id.index()));
        for (meter, actual) in amounts {
            let settings = self.matrix.meters.get(meter.index());
            let key = self.state.meter_key(self.matrix, *meter, request);
            let (Some(settings), Some(table), Some(key)) =
                (settings, self.state.tables.get_mut(meter.index()), key)
            else {
                continue;
            };
            match request.memory.taken.get(*meter) {
                Some(taken) if taken.amount > 0 => table.settle(settings, *taken, *actual, self.now),
                // Nothing was taken, as of a request that was denied; what it cost all the same is counted now.
                _ if operation.is_some_and(|operation| operation.meters.contains(meter)) => {
                    table.add(settings, key, *actual, self.now);
                }
                _ => {}
            }
        }
    }

    /// A refusal, and a rung that stops, tell their event once per request.
    fn tell_emits(&mut self, standing: &[NeedAnswer], request: &mut Request) {
        for answer in standing {
            let stops = answer.cut || !answer.verdict.goes_on();
            let told = (answer.reason.dependency, answer.place);
            let Some(emit) = &answer.emit else { continue };
            if (stops || answer.is_refusal()) && !request.memory.told.contains(&told) {
                request.memory.told.push(told);
                self.own.push(Event::Emitted(emit.clone()));
            }
        }
    }
}

/// What the request must not forget of a committed decision.
fn remember(went_on: bool, looked_at: Vec<(DependencyId, Option<NeedAnswer>)>, request: &mut Request) {
    for (id, answer) in looked_at {
        let pass = answer.as_ref().and_then(|answer| answer.pass);
        if let Some(pass) = pass.filter(|_| went_on) {
            let held = request.memory.passes.entry(id, || Pass::Replaced);
            *held = pass.max(*held);
        }
        match answer {
            // What stopped the request, or withheld its output, goes on doing so.
            Some(answer) if answer.verdict != Verdict::Allow => {
                request.memory.answered.insert(id, Some(answer.reason));
            }
            // What a rung would have let past in a request that stopped was not let past: it is asked again.
            Some(_) if !went_on => request.memory.answered.remove(id),
            _ => request.memory.answered.insert(id, None),
        }
    }
}

fn more(count: u64) -> u64 {
    count.saturating_add(1).min(INTEGER_MAX)
}
