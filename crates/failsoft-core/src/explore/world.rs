//! An engine and a request in which anything can be made the case.

use alloc::collections::BTreeMap;
use alloc::rc::Rc;
use alloc::vec;
use alloc::vec::Vec;

use super::conditions::{Condition, Supposed};
use super::values::Values;
use super::work::{ASKED, Work};
use super::{Domains, Fact, Given, Variable};
use crate::draft::LastKnownOf;
use crate::ladder::Bar;
use crate::matrix::{Action, CapOf, Matrix, Operation, Rung};
use crate::meter::{KeyNames, Reading};
use crate::metering::store_is_up;
use crate::needs::{Asking, Condition as Found};
use crate::request::Request;
use crate::state::{DependencyState, State};
use crate::{
    ClassId, Decision, DependencyId, Health, MeterId, MeterMode, Millis, OperationId, Role, Stage, Time,
    decide,
};

pub(super) struct World<'m> {
    pub(super) matrix: &'m Matrix,
    pub(super) domains: &'m Domains,
    operation_id: OperationId,
    operation: &'m Operation,
    class: ClassId,
    now: Time,
    plain: State,
    state: State,
    plain_request: Request,
    /// Dependencies in which something else is the case, in order.
    prepared: BTreeMap<DependencyId, Vec<(Supposed, DependencyState)>>,
    /// What rungs tell apart of a target.
    seen: BTreeMap<(DependencyId, Role, bool), Rc<[Values]>>,
    pub(super) work: Work,
}

/// What a rung sees of a target.
#[derive(PartialEq, Eq)]
enum Seen {
    Fallback { fine: bool, bar: Bar },
    Qualifies(Option<Millis>),
}

impl<'m> World<'m> {
    pub(super) fn new(
        work: Work,
        matrix: &'m Matrix,
        domains: &'m Domains,
        (operation_id, class, stage): (OperationId, ClassId, Stage),
    ) -> Option<Self> {
        work.spend(matrix.dependencies.len().saturating_mul(ASKED.saturating_mul(4)));
        let operation = matrix.operations.get(operation_id.index())?;
        let now = Time::default();
        let mut plain = State::new(matrix, now);
        plain.due = None;
        for (id, _) in matrix.dependencies() {
            let begun = Supposed::NOTHING.state(matrix, id, now);
            if let Some((held, begun)) = plain.dependencies.get_mut(id.index()).zip(begun) {
                *held = begun;
            }
        }
        let mut request = Request::new(matrix, &operation.name);
        request.class = Some(class);
        request.set_stage(stage);
        let state = plain.clone();
        Some(Self {
            matrix,
            domains,
            operation_id,
            operation,
            class,
            now,
            plain,
            state,
            plain_request: request,
            prepared: BTreeMap::new(),
            seen: BTreeMap::new(),
            work,
        })
    }

    pub(super) fn conditions(&self, id: DependencyId) -> &'m [Condition] {
        self.domains.conditions(id)
    }

    pub(super) fn ladder(&self, id: DependencyId) -> &'m [Rung] {
        self.matrix.dependencies.get(id.index()).map_or(&[], |dependency| dependency.ladder.as_slice())
    }

    /// The meters of a store that can be told to be over a limit.
    pub(super) fn meters(&self, id: DependencyId) -> Vec<MeterId> {
        let meters =
            self.matrix.dependencies.get(id.index()).map_or(&[][..], |store| store.meters.as_slice());
        meters.iter().copied().filter(|id| !self.domains.readings(*id).is_empty()).collect()
    }

    /// Whether a store is up, where this is given of it; what is counted of its meters depends on it.
    pub(super) fn is_up(&mut self, id: DependencyId, given: &Given) -> bool {
        self.at(given, |asking| Some(asking.state.health_of(asking.matrix, id, asking.now)))
            .flatten()
            .is_some_and(|health| !matches!(health, Health::Down | Health::Probing))
    }

    /// The variables that a rung looks at.
    pub(super) fn variables(&self, need: DependencyId, index: u16, rung: &Rung) -> Vec<Variable> {
        let mut variables = self.looked_at(need, &rung.action);
        variables.extend(self.counted_by_cap(need, index, rung));
        variables
    }

    /// Those that its action looks at, whatever its cap says.
    pub(super) fn looked_at(&self, need: DependencyId, action: &Action) -> Vec<Variable> {
        match action {
            Action::LastKnown { of: LastKnownOf::Request, .. } => vec![Variable::Cached(need)],
            Action::LastKnown { of: LastKnownOf::Dependency, .. } => {
                vec![Variable::Cached(need), Variable::LastOk(need)]
            }
            Action::Outbox { .. } => vec![Variable::Outbox(need)],
            Action::LocalMeter { meter, .. } => vec![Variable::Used(*meter), Variable::Reading(*meter)],
            Action::Fallback { to } => vec![Variable::Condition(*to), Variable::Remaining],
            Action::LeastBad { of } => {
                of.iter().map(|id| Variable::Condition(*id)).chain([Variable::Remaining]).collect()
            }
            Action::Retry { .. } => vec![Variable::Attempts(need), Variable::Remaining],
            Action::Allow | Action::Deny | Action::Defer | Action::Withhold | Action::Named { .. } => vec![],
        }
    }

    /// What its cap counts.
    pub(super) fn counted_by_cap(&self, need: DependencyId, index: u16, rung: &Rung) -> Option<Variable> {
        rung.cap.map(|cap| match cap.of {
            CapOf::Time(_) => Variable::FailedFor(need),
            CapOf::Requests(_) | CapOf::Amount(_) => Variable::Cap(need, index),
        })
    }

    /// The values of a variable, those of a target together that a rung can't tell apart.
    pub(super) fn groups(&mut self, need: DependencyId, rung: &Rung, variable: Variable) -> Rc<[Values]> {
        let all = 0..self.domains.size(variable);
        let Variable::Condition(target) = variable else { return all.map(Values::one).collect() };
        let least_bad = matches!(rung.action, Action::LeastBad { .. });
        // Of the need itself only its role makes a difference to what it sees of a target.
        let key = (target, self.matrix.role(need), least_bad);
        if let Some(known) = self.seen.get(&key) {
            return known.clone();
        }
        let mut groups: Vec<(Option<Seen>, Values)> = Vec::new();
        for place in all {
            let seen = self.at(&Given::one(variable, place), |asking| {
                let (subject, seen) = (asking.subject(need)?, asking.subject(target)?);
                Some(if least_bad {
                    Seen::Qualifies(asking.qualifies(target))
                } else {
                    let fine = asking.condition(&seen) == Found::Fine;
                    Seen::Fallback { fine, bar: asking.bar_of_target(&subject, &seen) }
                })
            });
            match groups.iter_mut().find(|(held, _)| *held == seen) {
                Some((_, values)) => values.insert(place),
                None => groups.push((seen, Values::one(place))),
            }
        }
        let groups: Rc<[Values]> = groups.into_iter().map(|(_, values)| values).collect();
        self.seen.insert(key, groups.clone());
        groups
    }

    /// What is asked where the first value of everything given is the case, and the first of all of everything else.
    pub(super) fn at<T>(&mut self, given: &Given, ask: impl FnOnce(&Asking<'_>) -> Option<T>) -> Option<T> {
        let first = |(variable, values): (Variable, &Values)| Some((variable, values.first()?));
        let places = given.iter().filter_map(first);
        let facts = places.flat_map(|(variable, place)| Fact::of(self.domains, variable, place));
        let facts: Vec<Fact> = facts.collect();
        self.where_(&facts, ask)
    }

    /// The decision of a situation.
    pub(super) fn decided(&mut self, facts: &[Fact]) -> Option<Decision> {
        self.where_(facts, |asking| Some(decide(asking.matrix, asking.state, asking.request, asking.now)))
    }

    fn where_<T>(&mut self, facts: &[Fact], ask: impl FnOnce(&Asking<'_>) -> Option<T>) -> Option<T> {
        let many = facts.len().saturating_mul(facts.len()) >> 3;
        self.work.spend(facts.len().saturating_mul(2).saturating_add(ASKED).saturating_add(many));
        let now = self.now;
        let mut request = self.plain_request.clone();
        let mut supposed: Vec<(DependencyId, Supposed)> = Vec::new();
        let mut counted = false;
        for fact in facts {
            counted |= matches!(fact, Fact::Used(..) | Fact::Reading(..));
            self.suppose(fact, &mut request, &mut supposed);
        }
        for (id, of) in &supposed {
            if let Some(then) = of.failed_for.map(|time| now.minus(time)) {
                request.age_reports(*id, then);
            }
            self.exchange(*id, of);
        }
        // What is counted while its store is lost is remembered otherwise.
        for fact in facts {
            match fact {
                Fact::Used(id, count) => self.count(*id, *count, &request),
                Fact::Reading(id, used) => self.read(*id, *used, &request),
                _ => {}
            }
        }
        let asking = Asking {
            matrix: self.matrix,
            state: &self.state,
            request: &request,
            operation_id: self.operation_id,
            operation: self.operation,
            class: self.class,
            now,
        };
        let answer = ask(&asking);
        for (id, of) in &supposed {
            self.exchange(*id, of);
        }
        if counted {
            self.state.tables.clone_from(&self.plain.tables);
        }
        answer
    }

    fn suppose(&mut self, fact: &Fact, request: &mut Request, supposed: &mut Vec<(DependencyId, Supposed)>) {
        let now = self.now;
        let mut of = |id: DependencyId, set: &dyn Fn(&mut Supposed)| match supposed
            .iter_mut()
            .find(|(held, _)| *held == id)
        {
            Some((_, held)) => set(held),
            None => {
                let mut new = Supposed::NOTHING;
                set(&mut new);
                supposed.push((id, new));
            }
        };
        match fact {
            Fact::Health(id, ailment) => of(*id, &|held| held.ailment = *ailment),
            Fact::LastOk(id, age) => of(*id, &|held| held.last_ok = Some(*age)),
            Fact::Outbox(id, depth) => of(*id, &|held| held.outbox = Some(*depth)),
            Fact::FailedFor(id, time) => of(*id, &|held| held.failed_for = Some(*time)),
            Fact::Cap(id, rung, amount) => of(*id, &|held| held.caps.push((*rung, *amount))),
            Fact::Used(..) | Fact::Reading(..) => {}
            Fact::Met(id, report) => request.report(*id, *report, now),
            Fact::Cached(id, age) => request.set_cached(*id, *age, now),
            Fact::Attempts(id, count) => request.set_attempts(*id, *count),
            Fact::Remaining(left) => request.set_remaining(*left, now),
            Fact::Rule(_, attributes) => {
                for (name, value) in attributes {
                    request.set_attribute(name, value);
                }
            }
        }
    }

    /// What is prepared takes the place of what stands there, and that its own: done twice, all is as it was.
    fn exchange(&mut self, id: DependencyId, supposed: &Supposed) {
        let Some(held) = self.state.dependencies.get_mut(id.index()) else { return };
        let known = self.prepared.entry(id).or_default();
        let prepared = match known.binary_search_by(|(of, _)| of.cmp(supposed)) {
            Ok(place) => known.get_mut(place),
            Err(place) => {
                let Some(state) = supposed.state(self.matrix, id, self.now) else { return };
                known.insert(place, (supposed.clone(), state));
                known.get_mut(place)
            }
        };
        if let Some((_, prepared)) = prepared {
            core::mem::swap(held, prepared);
        }
    }

    /// So much is counted here of the request's key.
    fn count(&mut self, id: MeterId, count: u64, request: &Request) {
        let key = self.plain.meter_key(self.matrix, id, request);
        let settings = self.matrix.meters.get(id.index());
        let is_up = settings.is_none_or(|meter| store_is_up(self.matrix, &self.state, meter, self.now));
        let table = self.state.tables.get_mut(id.index());
        if let (Some(key), Some(settings), Some(table)) = (key, settings, table) {
            let names = KeyNames::of(settings.key, &request.tenant, &request.session);
            let unreported = Some(names).filter(|_| !is_up);
            let _ = table.use_at_once(settings, key, count, unreported, self.now);
        }
    }

    /// The store has said how much is used.
    fn read(&mut self, id: MeterId, used: u64, request: &Request) {
        let key = self.plain.meter_key(self.matrix, id, request);
        let settings = self.matrix.meters.get(id.index());
        let table = self.state.tables.get_mut(id.index());
        if let (Some(key), Some(settings), Some(table)) = (key, settings, table) {
            let (limit, mode) = (Some(used), Some(MeterMode::Block));
            let reading = Reading { used, limit, mode, at: self.now, reset: None };
            let _ = table.read(settings, key, reading, self.now);
        }
    }
}
