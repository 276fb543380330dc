//! What can be the case in a situation beside its operation, class and stage, and how it is set.

use alloc::collections::BTreeMap;
use alloc::vec;
use alloc::vec::Vec;

use super::conditions::{self, Ailment, Condition};
use super::values::Values;
use crate::draft::LastKnownOf;
use crate::ladder::{Bar, backed_off};
use crate::matrix::{Action, CapOf, Matrix, Operation, Rung};
use crate::meter::{self, Reading};
use crate::needs::{Asking, Condition as Found};
use crate::request::Request;
use crate::state::{DependencyState, State};
use crate::{ClassId, DependencyId, MeterId, MeterMode, Millis, OperationId, Stage, Time};

/// Something that can be the case or not.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Variable {
    /// What is the case with a dependency.
    Condition(DependencyId),
    /// The age of the request's cached yes.
    Cached(DependencyId),
    /// The age of the last `ok`.
    LastOk(DependencyId),
    /// How deep its outbox is.
    Outbox(DependencyId),
    /// How much is counted here.
    Used(MeterId),
    /// Whether the store last said that the limit is reached.
    OverLimit(MeterId),
    /// How long it has failed, and its window been open.
    Elapsed(DependencyId),
    /// Whether the cap of a rung is used up.
    Cap(DependencyId, u16),
    /// How often the request has called it.
    Attempts(DependencyId),
    /// How much time the request has left.
    Remaining,
}

/// What is given: the values that some variables may have. One that is not named may have any.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Given(Vec<(Variable, Values)>);

impl Given {
    pub(crate) fn of(variable: Variable, values: Values) -> Self {
        Self(vec![(variable, values)])
    }

    pub(crate) fn one(variable: Variable, place: usize) -> Self {
        Self::of(variable, Values::one(place))
    }

    /// Only what is given of a dependency's condition.
    pub(crate) fn of_failure(given: &Self, need: DependencyId) -> Self {
        let own = given.0.iter().filter(|(variable, _)| *variable == Variable::Condition(need));
        Self(own.cloned().collect())
    }

    /// The values that a variable may have, where that is given.
    #[must_use]
    pub fn get(&self, variable: Variable) -> Option<&Values> {
        let place = self.0.binary_search_by_key(&variable, |(held, _)| *held).ok()?;
        self.0.get(place).map(|(_, values)| values)
    }

    /// What is given where this is the case too; nothing where both can't be.
    #[must_use]
    pub fn and(&self, variable: Variable, values: &Values) -> Option<Self> {
        let mut given = self.clone();
        match given.0.binary_search_by_key(&variable, |(held, _)| *held) {
            Ok(place) => {
                let held = given.0.get_mut(place)?;
                held.1 = held.1.and(values)?;
            }
            Err(place) => given.0.insert(place, (variable, values.clone())),
        }
        Some(given)
    }

    /// Both together; nothing where they contradict each other.
    #[must_use]
    pub fn with(&self, other: &Self) -> Option<Self> {
        other.0.iter().try_fold(self.clone(), |given, (variable, values)| given.and(*variable, values))
    }

    /// Everything that is given, variables in order.
    pub fn iter(&self) -> impl Iterator<Item = (Variable, &Values)> {
        self.0.iter().map(|(variable, values)| (*variable, values))
    }
}

/// So long ago everything began that a cap in time could have run out.
const LONG: Millis = Millis::new(1 << 50);

/// An engine and a request in which anything can be made the case.
pub(super) struct World<'m> {
    matrix: &'m Matrix,
    operation_id: OperationId,
    operation: &'m Operation,
    class: ClassId,
    now: Time,
    plain: State,
    state: State,
    plain_request: Request,
    domains: BTreeMap<DependencyId, Vec<Condition>>,
    prepared: BTreeMap<(DependencyId, Ailment), DependencyState>,
}

impl<'m> World<'m> {
    pub(super) fn new(
        matrix: &'m Matrix,
        operation_id: OperationId,
        class: ClassId,
        stage: Stage,
    ) -> Option<Self> {
        let operation = matrix.operations.get(operation_id.index())?;
        let now = Time::default().plus(LONG);
        let mut plain = State::new(matrix, now);
        plain.due = None;
        let mut request = Request::new(matrix, &operation.name);
        request.class = Some(class);
        request.set_stage(stage);
        let domain = |id: DependencyId| {
            let dependency = matrix.dependencies.get(id.index());
            (id, dependency.map_or_else(Vec::new, conditions::all))
        };
        let domains = conditions::reached(matrix, &operation.needs).into_iter().map(domain).collect();
        let state = plain.clone();
        let plain_request = request;
        let prepared = BTreeMap::new();
        Some(Self {
            matrix,
            operation_id,
            operation,
            class,
            now,
            plain,
            state,
            plain_request,
            domains,
            prepared,
        })
    }

    pub(super) fn conditions(&self, id: DependencyId) -> &[Condition] {
        self.domains.get(&id).map_or(&[], Vec::as_slice)
    }

    pub(super) fn ladder(&self, id: DependencyId) -> &'m [Rung] {
        self.matrix.dependencies.get(id.index()).map_or(&[], |dependency| dependency.ladder.as_slice())
    }

    /// The meters of a store whose limit, as the matrix has it, can hold or cut a request.
    pub(super) fn meters(&self, id: DependencyId) -> Vec<MeterId> {
        let meters =
            self.matrix.dependencies.get(id.index()).map_or(&[][..], |store| store.meters.as_slice());
        let blocks = |id: &MeterId| {
            let settings = self.matrix.meters.get(id.index());
            settings.is_some_and(|meter| meter.limit.is_some() && meter.mode == MeterMode::Block)
        };
        meters.iter().copied().filter(blocks).collect()
    }

    /// The variables that a rung looks at.
    pub(super) fn variables(&self, need: DependencyId, index: u16, rung: &Rung) -> Vec<Variable> {
        let mut variables = match &rung.action {
            Action::LastKnown { of: LastKnownOf::Request, .. } => vec![Variable::Cached(need)],
            Action::LastKnown { of: LastKnownOf::Dependency, .. } => {
                vec![Variable::Cached(need), Variable::LastOk(need)]
            }
            Action::Outbox { .. } => vec![Variable::Outbox(need)],
            Action::LocalMeter { meter, .. } => vec![Variable::Used(*meter)],
            Action::Fallback { to } => vec![Variable::Condition(*to), Variable::Remaining],
            Action::LeastBad { of } => {
                of.iter().map(|id| Variable::Condition(*id)).chain([Variable::Remaining]).collect()
            }
            Action::Retry { .. } => vec![Variable::Attempts(need), Variable::Remaining],
            Action::Allow | Action::Deny | Action::Defer | Action::Withhold | Action::Named { .. } => vec![],
        };
        variables.extend(rung.cap.map(|cap| match cap.of {
            CapOf::Time(_) => Variable::Elapsed(need),
            CapOf::Requests(_) | CapOf::Amount(_) => Variable::Cap(need, index),
        }));
        variables
    }

    /// The ages that the `last_known` rungs of a dependency tell apart.
    fn ages(&self, id: DependencyId) -> Vec<Millis> {
        let ages = self.ladder(id).iter().filter_map(|rung| match rung.action {
            Action::LastKnown { max_age, .. } => Some(max_age),
            _ => None,
        });
        sorted(ages)
    }

    /// The times that its caps tell apart.
    fn times(&self, id: DependencyId) -> Vec<Millis> {
        sorted(self.ladder(id).iter().filter_map(|rung| match rung.cap?.of {
            CapOf::Time(most) => Some(most),
            _ => None,
        }))
    }

    /// The depths that its `outbox` rungs tell apart.
    fn depths(&self, id: DependencyId) -> Vec<u64> {
        sorted(self.ladder(id).iter().filter_map(|rung| match rung.action {
            Action::Outbox { capacity } => Some(capacity),
            _ => None,
        }))
    }

    /// The counts that `local_meter` rungs tell apart.
    fn counts(&self, id: MeterId) -> Vec<u64> {
        let Some(settings) = self.matrix.meters.get(id.index()) else { return Vec::new() };
        let divisor = meter::divisor(None, self.matrix.signal_ttl, settings.max_instances, self.now);
        let rungs = self.operation.needs.iter().flat_map(|need| self.ladder(*need));
        sorted(rungs.filter_map(|rung| match rung.action {
            Action::LocalMeter { meter: of, share } if of == id => {
                settings.limit.map(|limit| meter::portion(limit, share, divisor))
            }
            _ => None,
        }))
    }

    /// The numbers of calls that its `retry` rungs tell apart, 1 aside.
    fn attempts(&self, id: DependencyId) -> Vec<u32> {
        let most = self.ladder(id).iter().filter_map(|rung| match rung.action {
            Action::Retry { max_attempts, .. } => Some(max_attempts),
            _ => None,
        });
        sorted(most)
    }

    /// The lengths of time that a request's remaining time is held against: those of each rung of every need.
    fn lengths(&self) -> Vec<Millis> {
        let deadline = |id: &DependencyId| {
            self.matrix.dependencies.get(id.index()).and_then(|known| known.deadline).unwrap_or(Millis::ZERO)
        };
        let mut lengths = Vec::new();
        for need in &self.operation.needs {
            for rung in self.ladder(*need) {
                match &rung.action {
                    Action::Fallback { to } => lengths.push(deadline(to)),
                    Action::LeastBad { of } => lengths.extend(of.iter().map(deadline)),
                    Action::Retry { base, multiplier, jitter, .. } => {
                        for attempts in core::iter::once(1).chain(self.attempts(*need)) {
                            let wait = backed_off(*base, *multiplier, attempts);
                            let longest =
                                if *jitter > 0 { wait.percent(jitter.saturating_add(100)) } else { wait };
                            lengths.push(longest.plus(deadline(need)));
                        }
                    }
                    _ => {}
                }
            }
        }
        lengths.retain(|length| *length > Millis::ZERO);
        lengths.sort_unstable();
        lengths.dedup();
        lengths.reverse();
        lengths
    }

    /// How many values a variable can have.
    pub(super) fn size(&self, variable: Variable) -> usize {
        let more = match variable {
            Variable::Condition(id) => return self.conditions(id).len(),
            Variable::Cached(id) | Variable::LastOk(id) => self.ages(id).len(),
            Variable::Attempts(id) => self.attempts(id).len(),
            Variable::Remaining => self.lengths().len(),
            Variable::Outbox(id) => self.depths(id).len(),
            Variable::Used(id) => self.counts(id).len(),
            Variable::Elapsed(id) => self.times(id).len(),
            Variable::OverLimit(_) | Variable::Cap(..) => 1,
        };
        more.saturating_add(1)
    }

    /// The values of a variable, those together that a rung can't tell apart.
    pub(super) fn groups(
        &mut self,
        need: DependencyId,
        rung: &Rung,
        variable: Variable,
        given: &super::Given,
    ) -> Vec<Values> {
        let all = 0..self.size(variable);
        let Variable::Condition(target) = variable else { return all.map(Values::one).collect() };
        let least_bad = matches!(rung.action, Action::LeastBad { .. });
        let mut groups: Vec<(Option<Seen>, Values)> = Vec::new();
        for place in all {
            let Some(here) = given.and(variable, &Values::one(place)) else { continue };
            let key = self.at(&here, |asking| {
                let (subject, seen) = (asking.subject(need)?, asking.subject(target)?);
                Some(if least_bad {
                    Seen::Qualifies(asking.qualifies(target))
                } else {
                    let fine = asking.condition(&seen) == Found::Fine;
                    Seen::Fallback { fine, bar: asking.bar_of_target(&subject, &seen) }
                })
            });
            match groups.iter_mut().find(|(held, _)| *held == key) {
                Some((_, values)) => values.insert(place),
                None => groups.push((key, Values::one(place))),
            }
        }
        groups.into_iter().map(|(_, values)| values).collect()
    }

    /// What is asked where the first value of everything given is the case, and the first of all of everything else.
    pub(super) fn at<T>(
        &mut self,
        given: &super::Given,
        ask: impl FnOnce(&Asking<'_>) -> Option<T>,
    ) -> Option<T> {
        let mut request = self.plain_request.clone();
        let mut touched: Vec<DependencyId> = Vec::new();
        for (variable, values) in given.iter() {
            let place = values.first()?;
            self.set(variable, place, &mut request, &mut touched);
        }
        let asking = Asking {
            matrix: self.matrix,
            state: &self.state,
            request: &request,
            operation_id: self.operation_id,
            operation: self.operation,
            class: self.class,
            now: self.now,
        };
        let answer = ask(&asking);
        for id in touched {
            let plain = self.plain.dependencies.get(id.index()).cloned();
            if let Some((held, plain)) = self.state.dependencies.get_mut(id.index()).zip(plain) {
                *held = plain;
            }
        }
        self.state.tables.clone_from(&self.plain.tables);
        answer
    }

    fn set(
        &mut self,
        variable: Variable,
        place: usize,
        request: &mut Request,
        touched: &mut Vec<DependencyId>,
    ) {
        let now = self.now;
        let nth = |place: usize| place.checked_sub(1);
        match variable {
            Variable::Condition(id) => {
                touched.push(id);
                let Some(condition) = self.conditions(id).get(place).copied() else { return };
                self.become_(id, condition.ailment);
                if let Some(report) = condition.report {
                    request.report(id, report, now);
                }
            }
            Variable::Cached(id) => {
                if let Some(age) = nth(place).and_then(|place| self.ages(id).get(place).copied()) {
                    request.set_cached(id, age, now);
                }
            }
            Variable::LastOk(id) => {
                touched.push(id);
                let age = nth(place).and_then(|place| self.ages(id).get(place).copied());
                if let Some((known, age)) = self.state.dependencies.get_mut(id.index()).zip(age) {
                    known.last_ok = Some(now.minus(age));
                }
            }
            Variable::Outbox(id) => {
                touched.push(id);
                let depth = nth(place).and_then(|place| self.depths(id).get(place).copied());
                if let Some((known, depth)) = self.state.dependencies.get_mut(id.index()).zip(depth) {
                    known.outbox_depth = depth;
                }
            }
            Variable::Used(id) => {
                if let Some(count) = nth(place).and_then(|place| self.counts(id).get(place).copied()) {
                    self.count(id, count, request);
                }
            }
            Variable::OverLimit(id) => {
                if place == 1 {
                    self.tell_limit(id, request);
                }
            }
            Variable::Elapsed(id) => {
                touched.push(id);
                let Some(time) = nth(place).and_then(|place| self.times(id).get(place).copied()) else {
                    return;
                };
                let then = now.minus(time);
                if let Some(known) = self.state.dependencies.get_mut(id.index()) {
                    known.open_window((then, now));
                    known.vital.ailing_since = known.vital.ailing_since.map(|_| then);
                }
                request.age_reports(id, then);
            }
            Variable::Cap(id, index) => {
                touched.push(id);
                let cap = self.ladder(id).get(usize::from(index)).and_then(|rung| rung.cap);
                let (1, Some(cap)) = (place, cap) else { return };
                if let Some(known) = self.state.dependencies.get_mut(id.index()) {
                    known.open_window((now, now)).use_up(index, &cap, (self.matrix, &self.plain), request);
                }
            }
            Variable::Attempts(id) => {
                if let Some(count) = nth(place).and_then(|place| self.attempts(id).get(place).copied()) {
                    request.set_attempts(id, count);
                }
            }
            Variable::Remaining => {
                if let Some(length) = nth(place).and_then(|place| self.lengths().get(place).copied()) {
                    request.set_remaining(length.less(Millis::new(1)), now);
                }
            }
        }
    }

    fn become_(&mut self, id: DependencyId, ailment: Ailment) {
        let Some(dependency) = self.matrix.dependencies.get(id.index()) else { return };
        let prepared = self
            .prepared
            .entry((id, ailment))
            .or_insert_with(|| conditions::prepared(self.matrix, dependency, ailment, (self.now, self.now)));
        if let Some(held) = self.state.dependencies.get_mut(id.index()) {
            held.clone_from(prepared);
        }
    }

    /// So much is counted here of the request's key.
    fn count(&mut self, id: MeterId, count: u64, request: &Request) {
        let key = self.plain.meter_key(self.matrix, id, request);
        let settings = self.matrix.meters.get(id.index());
        let table = self.state.tables.get_mut(id.index());
        if let (Some(key), Some(settings), Some(table)) = (key, settings, table) {
            let _ = table.use_at_once(settings, key, count, None, self.now);
        }
    }

    /// The store has said that the limit is reached.
    fn tell_limit(&mut self, id: MeterId, request: &Request) {
        let key = self.plain.meter_key(self.matrix, id, request);
        let settings = self.matrix.meters.get(id.index());
        let table = self.state.tables.get_mut(id.index());
        if let (Some(key), Some(settings), Some(table)) = (key, settings, table)
            && let Some(used) = settings.limit
        {
            let reading = Reading { used, limit: None, mode: None, at: self.now, reset: None };
            let _ = table.read(settings, key, reading, self.now);
        }
    }
}

/// What a rung sees of a target.
#[derive(PartialEq, Eq)]
enum Seen {
    Fallback { fine: bool, bar: Bar },
    Qualifies(Option<Millis>),
}

fn sorted<T: Ord>(values: impl Iterator<Item = T>) -> Vec<T> {
    let mut values: Vec<T> = values.collect();
    values.sort_unstable();
    values.dedup();
    values
}
