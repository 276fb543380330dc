//! The one way in: a signal changes state, and events tell what changed.

use alloc::sync::Arc;
use alloc::vec::Vec;

use crate::answer::{Decision, Detail, NeedAnswer, REFUSAL};
use crate::decide::{Deliberation, deliberate};
use crate::health::Permit;
use crate::matrix::{Dependency, DependencyId, Matrix, MeterId};
use crate::meter::{self, KeyNames, Reading, Table};
use crate::metering::{self, StoreFor, Told, Whose};
use crate::quick;
use crate::reload::Succession;
use crate::report::Pass;
use crate::request::{Memory, Request};
use crate::signal::{Answer, Event, Outcome, Signal, WindowFigures};
use crate::state::{DependencyState, MOST_SOURCES, Signed, State, earlier};
use crate::window::{self, WindowUse};
use crate::{Cause, Enforcement, Health, INTEGER_MAX, Millis, Override, RefusedOverride, Time, Verdict};

/// Takes a signal in at `now`, appends what it changed to `events`, and answers it.
///
/// The only function that changes what is known ([`State::observe`] moves the clock alone). Ids belong to the matrix that gave them: those of another mean nothing
/// here, and an id out of range changes nothing. A moment before the last one counts as the last one, and is told.
///
/// Events stand in this order: overrides expired, health changed, windows closed (dependencies as written), the signal's own, then
/// what is to be settled with the meters' stores.
pub fn apply(
    matrix: &Matrix,
    state: &mut State,
    signal: Signal<'_>,
    now: Time,
    events: &mut Vec<Event>,
) -> Answer {
    let now = state.observe(now);
    if let Signal::Outcome(outcome) = &signal
        && nothing_else_moves(state, now)
        && quick::outcome(matrix, state, outcome, now)
    {
        return Answer::Done;
    }
    if let Signal::Usage { meter, tenant, session, amount } = signal
        && nothing_else_moves(state, now)
    {
        // Nothing else is in play: only the meter and what it has to tell.
        let mut told = Told::default();
        metering::usage(matrix, state, &mut told, meter, Whose { tenant, session }, amount, now);
        if !told.is_empty() {
            events.extend(told.into_events());
        }
        metering::settle(matrix, state, None, now, events);
        return Answer::Done;
    }
    step(matrix, state, Some(signal), None, now, events)
}

/// What a signal, or time alone, does at `now`, and what is told of it. Where the matrix ends with it, `next` says what goes on.
pub(crate) fn step(
    matrix: &Matrix,
    state: &mut State,
    signal: Option<Signal<'_>>,
    next: Option<&Succession>,
    now: Time,
    events: &mut Vec<Event>,
) -> Answer {
    let steps = core::mem::take(&mut state.steps);
    let mut own: Vec<Event> =
        steps.into_iter().map(|(told, kept)| Event::ClockSteppedBack { told, kept }).collect();
    let touched = signal.as_ref().and_then(Signal::dependency);
    let first = events.len();
    let timely = state.due.is_some_and(|due| due <= now);
    if timely {
        advance_all(matrix, state, now, events);
    }
    let shape = touched.and_then(|id| state.shape(id));
    let restored = matches!(signal, Some(Signal::Restored { .. }));
    let mut applying = Applying {
        matrix,
        state,
        now,
        own: &mut own,
        told: Told::default(),
        used: Vec::new(),
        closed: Vec::new(),
    };
    let answer = signal.map_or(Answer::Done, |signal| applying.signal(signal));
    let Applying { told, used, mut closed, .. } = applying;
    own.extend(told.into_events());
    if restored {
        // What fell due while away happens now, each thing at its own moment.
        advance_all(matrix, state, now, events);
    }
    if let Some(id) = touched
        && (shape.is_none() || state.shape(id) != shape || state.due.is_some_and(|due| due <= now))
    {
        settle(matrix, state, id, now, events);
    }
    if let Some(expired) = events.get_mut(first..).filter(|expired| expired.len() > 1) {
        // Dependencies as written, whether time ended them before the signal or after.
        expired.sort_by_key(|event| match event {
            Event::OverrideExpired { dependency, .. } => dependency.0,
            _ => u16::MAX,
        });
    }
    tell_health(state, touched, timely || restored, now, events);
    window::close(matrix, state, &used, next, now, &mut closed);
    closed.sort_by_key(|event| match event {
        Event::WindowClosed { dependency, .. } => dependency.0,
        _ => u16::MAX,
    });
    events.append(&mut closed);
    events.append(&mut own);
    metering::settle(matrix, state, next, now, events);
    answer
}

/// Whether a signal that touches one thing alone can go straight to it: nothing waits to be told, to end or to be timed.
fn nothing_else_moves(state: &State, now: Time) -> bool {
    state.steps.is_empty() && state.windows_open == 0 && state.due.is_none_or(|due| now < due)
}

/// Does everywhere what time alone was due to do.
pub(crate) fn advance_all(matrix: &Matrix, state: &mut State, now: Time, events: &mut Vec<Event>) {
    metering::advance(matrix, state, now);
    for ((index, dependency), known) in (0u16..).zip(&matrix.dependencies).zip(&mut state.dependencies) {
        advance(DependencyId(index), dependency, known, state.seed.jitter, now, events);
    }
    state.note_all_due(matrix);
}

/// A wait or an override may be of no length at all.
fn settle(matrix: &Matrix, state: &mut State, id: DependencyId, now: Time, events: &mut Vec<Event>) {
    let Some(dependency) = matrix.dependencies.get(id.index()) else { return };
    state.note_due(&dependency.rules, id);
    if state.due.is_some_and(|due| due <= now)
        && let Some(known) = state.dependencies.get_mut(id.index())
    {
        advance(id, dependency, known, state.seed.jitter, now, events);
        state.note_due(&dependency.rules, id);
    }
}

fn advance(
    id: DependencyId,
    dependency: &Dependency,
    known: &mut DependencyState,
    seed: u64,
    now: Time,
    events: &mut Vec<Event>,
) {
    let before = known.vital.standing_kind();
    known.advance(&dependency.rules, seed, now);
    if let Some(was) = before
        && known.vital.standing_kind().is_none()
    {
        events.push(Event::OverrideExpired { dependency: id, was });
    }
}

/// One event per dependency, from what was last told to what it is now.
fn tell_health(
    state: &mut State,
    touched: Option<DependencyId>,
    all: bool,
    now: Time,
    events: &mut Vec<Event>,
) {
    if all {
        let known = (0u16..).map(DependencyId).zip(&mut state.dependencies);
        events.extend(known.filter_map(|(id, known)| changed(id, known, now)));
    } else if let Some(id) = touched
        && let Some(known) = state.dependencies.get_mut(id.index())
    {
        events.extend(changed(id, known, now));
    }
}

fn changed(id: DependencyId, known: &mut DependencyState, now: Time) -> Option<Event> {
    let vital = &known.vital;
    let to = vital.health();
    if to == known.told {
        return None;
    }
    let from = core::mem::replace(&mut known.told, to);
    let since = core::mem::replace(&mut known.told_since, vital.since);
    let out = |health: Health| matches!(health, Health::Down | Health::Probing);
    Some(Event::HealthChanged {
        dependency: id,
        from,
        to,
        why: vital.cause.unwrap_or(Cause::Operator),
        crossed: vital.crossed,
        window: WindowFigures {
            calls: vital.figures.calls.min(INTEGER_MAX),
            failed_calls: vital.figures.failed.min(INTEGER_MAX),
            slow_calls: vital.figures.slow.min(INTEGER_MAX),
        },
        held: vital.since.since(since),
        wait: vital.told_wait(now),
        outage: vital.episode.filter(|_| out(from) && !out(to)),
    })
}

struct Applying<'a> {
    matrix: &'a Matrix,
    state: &'a mut State,
    now: Time,
    own: &'a mut Vec<Event>,
    /// What meters have to tell, after all else.
    told: Told,
    /// The windows that a commit has used, and those that it closed first.
    used: Vec<WindowUse>,
    closed: Vec<Event>,
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
                let seed = self.state.seed.jitter;
                if let Some((dependency, known)) = self.known(dependency) {
                    known.machine(&dependency.rules, seed).probed(now, result);
                }
            }
            Signal::Override { dependency, to, length, by, reason } => {
                return self.overridden(dependency, to, length, by, reason);
            }
            Signal::Advice { source, dependency, health } => self.advised(source, dependency, health),
            Signal::Instances { count } => self.state.instances = Some((count, now)),
            Signal::Outbox { dependency, depth } => {
                if let Some((_, known)) = self.known(dependency) {
                    known.outbox_depth = depth;
                }
            }
            Signal::Permit { dependency, named, instead_of } => {
                if instead_of.is_some() {
                    self.release(dependency, instead_of);
                }
                return self.permit(dependency, named);
            }
            Signal::Release { dependency, permit } => self.release(dependency, permit),
            Signal::Call { dependency, outcome } => {
                let answer = self.permit(dependency, false);
                if let Some(outcome) = outcome.filter(|_| answer != Answer::NotPermitted) {
                    self.outcome(&Outcome { dependency, permit: None, ..outcome });
                }
                return answer;
            }
            Signal::Restored { snapshot, away } => self.state.restore(self.matrix, snapshot, now, away),
            Signal::Decided(request) => return Answer::Decision(self.commit(request)),
            Signal::Finished { request, amounts } => {
                let (matrix, told) = (self.matrix, &mut self.told);
                if !core::mem::replace(&mut request.has_finished, true) {
                    metering::finish(matrix, self.state, told, request, amounts, now);
                }
                request.memory = Memory::default();
            }
            Signal::Reading { meter, tenant, session, used, limit, mode, resets_in, age } => {
                let at = now.minus(age);
                let reset = resets_in.map(|left| at.exactly_after(left));
                let reading = Reading { used, limit, mode, at, reset };
                let whose = Whose { tenant, session };
                metering::read(self.matrix, self.state, &mut self.told, meter, whose, reading, now);
            }
            Signal::Usage { meter, tenant, session, amount } => {
                let whose = Whose { tenant, session };
                metering::usage(self.matrix, self.state, &mut self.told, meter, whose, amount, now);
            }
            Signal::Limit { meter, key, limit, by, reason } => {
                return self.limited(meter, key, limit, by, reason);
            }
        }
        Answer::Done
    }

    fn outcome(&mut self, outcome: &Outcome) {
        let (now, seed) = (self.now, self.state.seed.jitter);
        if let Some((dependency, known)) = self.known(outcome.dependency) {
            let told = known.outcome(dependency, seed, now, outcome);
            self.own.extend(told.into_iter().flatten());
        }
    }

    fn overridden(
        &mut self,
        id: DependencyId,
        to: Option<Override>,
        mut length: Option<Millis>,
        by: Option<&str>,
        reason: Option<&str>,
    ) -> Answer {
        let (now, seed) = (self.now, self.state.seed.jitter);
        let Some((dependency, known)) = self.known(id) else {
            return Answer::Done;
        };
        let signed = is_said(by) && is_said(reason);
        let refused = match (to, dependency.break_glass) {
            (Some(Override::BreakGlass), None) => Err(RefusedOverride::Undeclared),
            (Some(Override::BreakGlass), Some(_)) if !signed => Err(RefusedOverride::Unsigned),
            (Some(Override::BreakGlass), Some(longest)) => {
                length = Some(length.unwrap_or(longest).min(longest));
                Ok(())
            }
            _ => Ok(()),
        };
        let refused =
            refused.and_then(|()| known.machine(&dependency.rules, seed).overridden(now, to, length));
        if let Err(why) = refused {
            self.own.push(Event::OverrideRefused { dependency: id, to, why });
            return Answer::Refused(why);
        }
        if to == Some(Override::Reset) {
            known.advice.clear();
            known.ignored_calls = 0;
            known.ignored_streak = 0;
            known.late_outcomes = 0;
        }
        let (by, reason): (Option<Arc<str>>, Option<Arc<str>>) = (by.map(Arc::from), reason.map(Arc::from));
        known.signed = match known.vital.standing_kind() {
            Some(_) => Signed { by: by.clone(), reason: reason.clone() },
            None => Signed::default(),
        };
        self.own.push(Event::OverrideSet { dependency: id, to, length, by, reason });
        Answer::Done
    }

    fn advised(&mut self, source: &str, dependency: DependencyId, health: Health) {
        let (now, seed) = (self.now, self.state.seed.jitter);
        let until = now.plus(self.matrix.signal_ttl);
        let Some((dependency, known)) = self.known(dependency) else {
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
        known.machine(&dependency.rules, seed).advised(now, until);
    }

    fn permit(&mut self, dependency: DependencyId, named: bool) -> Answer {
        let (now, seed) = (self.now, self.state.seed.jitter);
        let Some((dependency, known)) = self.known(dependency) else {
            return Answer::NotPermitted;
        };
        let answer = known.admit(&dependency.rules, seed, now, named);
        if let Answer::Permitted { permit: Some(_) } = answer {
            self.state.due = earlier(self.state.due, Some(now.plus(dependency.rules.call_due)));
        }
        answer
    }

    fn release(&mut self, dependency: DependencyId, permit: Option<Permit>) {
        let (now, seed) = (self.now, self.state.seed.jitter);
        let Some((dependency, known)) = self.known(dependency) else {
            return;
        };
        match permit {
            Some(permit) => {
                known.take_back(&dependency.rules, seed, now, permit);
            }
            None => known.take_back_unnamed(&dependency.rules, seed, now),
        }
    }

    fn commit(&mut self, request: &mut Request) -> Decision {
        let Deliberation { mut decision, looked_at, standing, failed } =
            deliberate(self.matrix, self.state, request, self.now);
        request.has_finished = false;
        self.number(&mut decision, request);
        let matrix = self.matrix;
        // A name that the matrix does not have is denied, also where its operation only watches.
        let operation = request.operation.filter(|_| !request.has_unknown_name);
        let operation = operation.and_then(|id| Some((id, matrix.operations.get(id.index())?)));
        // In shadow the host goes on whatever is decided.
        let shadow = operation.is_some_and(|(_, operation)| operation.enforcement == Enforcement::Shadow);
        let went_on = decision.verdict.goes_on() || shadow;
        // The rungs by which a window has opened or changed.
        let mut fresh: Vec<(DependencyId, u16)> = Vec::new();
        if let Some((operation_id, operation)) = operation.filter(|_| went_on) {
            for meter in &operation.meters {
                let told = &mut self.told;
                let store = matrix.meters.get(meter.index()).map(|meter| meter.store);
                let store = StoreFor {
                    failed: store.is_some_and(|store| failed.contains(&store)),
                    report: store.and_then(|store| request.met(store).report).map(|(report, _)| report),
                };
                metering::take(matrix, self.state, told, *meter, request, store, self.now);
            }
            for of in window::used(operation_id, &looked_at, decision.verdict.goes_on(), shadow) {
                let used = window::use_it(matrix, self.state, of, shadow, request, self.now);
                self.closed.extend(used.closed);
                if let Some(event) = used.told {
                    self.own.push(event);
                    fresh.push((of.dependency, of.place));
                }
                self.used.push(of);
            }
            let waits = self.state.tables.iter().map(Table::due).fold(None, earlier);
            self.state.due = earlier(self.state.due, waits);
        }
        self.tell_emits(&standing, &fresh, request);
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

    fn limited(
        &mut self,
        meter: MeterId,
        key: Option<(&str, &str)>,
        limit: Option<u64>,
        by: Option<&str>,
        reason: Option<&str>,
    ) -> Answer {
        let secret = self.state.seed.hash_key;
        let (Some(settings), Some(table)) =
            (self.matrix.meters.get(meter.index()), self.state.tables.get_mut(meter.index()))
        else {
            return Answer::Done;
        };
        let hash = key.map(|(tenant, session)| meter::key(secret, settings.key, tenant, session));
        let names = key.map(|(tenant, session)| KeyNames::of(settings.key, tenant, session));
        if table.set_limit(hash, limit) {
            let (by, reason) = (by.map(Arc::from), reason.map(Arc::from));
            self.own.push(Event::LimitSet { meter, names, limit, by, reason });
            return Answer::Done;
        }
        let why = RefusedOverride::TooMany;
        self.own.push(Event::LimitRefused { meter, names, limit, why });
        Answer::Refused(why)
    }

    /// A refusal, and a rung that stops, tell their event once per request; a rung that goes on tells it where a window
    /// has opened by it or changed to it.
    fn tell_emits(&mut self, standing: &[NeedAnswer], fresh: &[(DependencyId, u16)], request: &mut Request) {
        for answer in standing {
            let Some(emit) = &answer.emit else { continue };
            let stops = answer.cut || !answer.verdict.goes_on();
            let rung = (answer.reason.dependency, answer.place);
            let is_told = if stops || answer.place == REFUSAL || answer.is_refusal() {
                let is_first = !request.memory.told.contains(&rung);
                if is_first {
                    request.memory.told.push(rung);
                }
                is_first
            } else {
                fresh.iter().any(|(dependency, place)| rung == (Some(*dependency), *place))
            };
            if is_told {
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
                request.memory.answered.insert(id, Some((answer.reason, answer.refusal)));
            }
            // What a rung would have let past in a request that stopped was not let past: it is asked again.
            Some(_) if !went_on => request.memory.answered.remove(id),
            _ => request.memory.answered.insert(id, None),
        }
    }
}

/// A word of an operator's that is not blank.
pub(crate) fn is_said(word: Option<&str>) -> bool {
    word.is_some_and(|word| !word.trim().is_empty())
}

pub(crate) fn more(count: u64) -> u64 {
    count.saturating_add(1).min(INTEGER_MAX)
}
