//! What values there are: of ages, counts and times only those that some rule tells apart (spec 11.1).

use alloc::collections::{BTreeMap, BTreeSet};
use alloc::vec::Vec;

use super::conditions::{self, Ailment, Condition};
use super::{Fact, Given, Values, Variable};
use crate::draft::LastKnownOf;
use crate::ladder::backed_off;
use crate::matrix::{Action, CapOf, Dependency, Matrix};
use crate::{DependencyId, MeterId, Millis, Time, meter};

/// The values that each variable of a matrix can have.
#[derive(Clone, Debug, Default)]
pub struct Domains {
    own: BTreeMap<DependencyId, Own>,
    counts: BTreeMap<MeterId, Vec<u64>>,
    readings: BTreeMap<MeterId, Vec<u64>>,
    lengths: Vec<Millis>,
}

/// What the second of two matrices calls a thing, by the ids of the first; what only the second has comes after.
#[derive(Clone, Debug, Default)]
pub struct Names {
    dependencies: Vec<DependencyId>,
    meters: Vec<MeterId>,
}

impl Names {
    /// By name.
    #[must_use]
    pub fn of(old: &Matrix, new: &Matrix) -> Self {
        fn ids<Id: Copy>(
            count: usize,
            old: impl Iterator<Item = Option<Id>>,
            id: impl Fn(u16) -> Id,
        ) -> Vec<Id> {
            let mut next = u16::try_from(count).unwrap_or(u16::MAX);
            let mut fresh = || {
                let fresh = id(next);
                next = next.saturating_add(1);
                fresh
            };
            old.map(|known| known.unwrap_or_else(&mut fresh)).collect()
        }
        let dependencies = new.dependencies().map(|(_, name)| old.dependency(name));
        let meters = new.meters().map(|(_, name)| old.meter(name));
        Self {
            dependencies: ids(old.dependencies.len(), dependencies, DependencyId),
            meters: ids(old.meters.len(), meters, MeterId),
        }
    }

    /// A dependency of the second.
    #[must_use]
    pub fn dependency(&self, id: DependencyId) -> DependencyId {
        self.dependencies.get(id.index()).copied().unwrap_or(id)
    }

    /// A meter of the second.
    #[must_use]
    pub fn meter(&self, id: MeterId) -> MeterId {
        self.meters.get(id.index()).copied().unwrap_or(id)
    }

    /// The dependency of the second that has this id.
    #[must_use]
    pub fn dependency_of(&self, joint: DependencyId) -> Option<DependencyId> {
        let place = self.dependencies.iter().position(|id| *id == joint)?;
        u16::try_from(place).ok().map(DependencyId)
    }

    /// The meter of the second that has this id.
    #[must_use]
    pub fn meter_of(&self, joint: MeterId) -> Option<MeterId> {
        let place = self.meters.iter().position(|id| *id == joint)?;
        u16::try_from(place).ok().map(MeterId)
    }

    /// A variable of the second.
    #[must_use]
    pub fn variable(&self, variable: Variable) -> Variable {
        match variable {
            Variable::Condition(id) => Variable::Condition(self.dependency(id)),
            Variable::Cached(id) => Variable::Cached(self.dependency(id)),
            Variable::LastOk(id) => Variable::LastOk(self.dependency(id)),
            Variable::Outbox(id) => Variable::Outbox(self.dependency(id)),
            Variable::Used(id) => Variable::Used(self.meter(id)),
            Variable::Reading(id) => Variable::Reading(self.meter(id)),
            Variable::FailedFor(id) => Variable::FailedFor(self.dependency(id)),
            Variable::Cap(id, rung) => Variable::Cap(self.dependency(id), rung),
            Variable::Attempts(id) => Variable::Attempts(self.dependency(id)),
            Variable::Remaining => Variable::Remaining,
        }
    }

    /// The variable of the second that this one is, if it has it.
    #[must_use]
    pub fn variable_of(&self, joint: Variable) -> Option<Variable> {
        Some(match joint {
            Variable::Condition(id) => Variable::Condition(self.dependency_of(id)?),
            Variable::Cached(id) => Variable::Cached(self.dependency_of(id)?),
            Variable::LastOk(id) => Variable::LastOk(self.dependency_of(id)?),
            Variable::Outbox(id) => Variable::Outbox(self.dependency_of(id)?),
            Variable::Used(id) => Variable::Used(self.meter_of(id)?),
            Variable::Reading(id) => Variable::Reading(self.meter_of(id)?),
            Variable::FailedFor(id) => Variable::FailedFor(self.dependency_of(id)?),
            Variable::Cap(id, rung) => Variable::Cap(self.dependency_of(id)?, rung),
            Variable::Attempts(id) => Variable::Attempts(self.dependency_of(id)?),
            Variable::Remaining => Variable::Remaining,
        })
    }

    /// A fact that is told of the second, as the first has it.
    #[must_use]
    pub fn fact(&self, fact: Fact) -> Fact {
        fact.renamed(|id| Some(self.dependency(id)), |id| Some(self.meter(id)))
            .unwrap_or(Fact::Rule(None, Vec::new()))
    }

    /// A fact as the second has it, if it knows what it speaks of.
    #[must_use]
    pub fn fact_of(&self, joint: Fact) -> Option<Fact> {
        joint.renamed(|id| self.dependency_of(id), |id| self.meter_of(id))
    }

    /// What is given of the second.
    #[must_use]
    pub fn given(&self, given: &Given) -> Given {
        let parts = given.iter().map(|(variable, values)| (self.variable(variable), values));
        parts.fold(Given::default(), |given, (variable, values)| {
            given.and(variable, values).unwrap_or_default()
        })
    }
}

/// Those of one dependency.
#[derive(Clone, Debug, Default)]
struct Own {
    ailments: Vec<Ailment>,
    conditions: Vec<Condition>,
    /// Their places, by how many facts tell them.
    by_size: [Values; 3],
    ages: Vec<Millis>,
    remembers: bool,
    times: Vec<Millis>,
    depths: Vec<u64>,
    attempts: Vec<u32>,
    caps: BTreeMap<u16, Vec<u64>>,
}

impl Domains {
    /// Those of one matrix.
    #[must_use]
    pub fn of(matrix: &Matrix) -> Self {
        let mut domains = Self::default();
        for (id, _) in matrix.dependencies() {
            if let Some(dependency) = matrix.dependencies.get(id.index()) {
                domains.own.insert(id, Own::of(dependency));
            }
        }
        for (id, _) in matrix.meters() {
            let Some(settings) = matrix.meters.get(id.index()) else { continue };
            // Its store may tell a limit that the document does not.
            domains.readings.insert(id, Vec::from([settings.limit.unwrap_or(1)]));
            domains.counts.insert(id, counts(matrix, id));
        }
        domains.lengths = lengths(matrix, &domains);
        domains
    }

    /// Those of two matrices, each with what either has. The first also has what only the second has, under the ids of
    /// `names`.
    #[must_use]
    pub fn joined(old: &Matrix, new: &Matrix, names: &Names) -> (Self, Self) {
        let (mut left, mut right) = (Self::of(old), Self::of(new));
        for (id, _) in new.dependencies() {
            let joint = names.dependency(id);
            let Some(theirs) = right.own.get_mut(&id) else { continue };
            let ours = left.own.entry(joint).or_default();
            ours.join(theirs);
            *theirs = ours.clone();
        }
        for (id, _) in new.meters() {
            let joint = names.meter(id);
            join_of((&mut left.counts, joint), (&mut right.counts, id));
            join_of((&mut left.readings, joint), (&mut right.readings, id));
        }
        join(&mut left.lengths, &right.lengths);
        left.lengths.reverse();
        right.lengths.clone_from(&left.lengths);
        (left, right)
    }

    /// What can be the case with a dependency: the values of its [`Variable::Condition`], in order.
    #[must_use]
    pub fn conditions(&self, id: DependencyId) -> &[Condition] {
        self.own.get(&id).map_or(&[], |own| own.conditions.as_slice())
    }

    /// The bounds that the cap of a rung is told to have used up.
    pub(super) fn caps(&self, id: DependencyId, rung: u16) -> &[u64] {
        self.own.get(&id).and_then(|own| own.caps.get(&rung)).map_or(&[], Vec::as_slice)
    }

    pub(super) fn ages(&self, id: DependencyId) -> &[Millis] {
        self.own.get(&id).map_or(&[], |own| own.ages.as_slice())
    }

    /// The ages of a last `ok`; none where no rung asks for it.
    pub(super) fn last_oks(&self, id: DependencyId) -> &[Millis] {
        self.own.get(&id).filter(|own| own.remembers).map_or(&[], |own| own.ages.as_slice())
    }

    pub(super) fn times(&self, id: DependencyId) -> &[Millis] {
        self.own.get(&id).map_or(&[], |own| own.times.as_slice())
    }

    pub(super) fn depths(&self, id: DependencyId) -> &[u64] {
        self.own.get(&id).map_or(&[], |own| own.depths.as_slice())
    }

    pub(super) fn attempts(&self, id: DependencyId) -> &[u32] {
        self.own.get(&id).map_or(&[], |own| own.attempts.as_slice())
    }

    pub(super) fn counts(&self, id: MeterId) -> &[u64] {
        self.counts.get(&id).map_or(&[], Vec::as_slice)
    }

    pub(super) fn readings(&self, id: MeterId) -> &[u64] {
        self.readings.get(&id).map_or(&[], Vec::as_slice)
    }

    pub(super) fn lengths(&self) -> &[Millis] {
        &self.lengths
    }

    /// How many values a variable can have; the first is always that nothing is said.
    #[must_use]
    pub fn size(&self, variable: Variable) -> usize {
        let more = match variable {
            Variable::Condition(id) => return self.conditions(id).len(),
            Variable::Cached(id) => self.ages(id).len(),
            Variable::LastOk(id) => self.last_oks(id).len(),
            Variable::Attempts(id) => self.attempts(id).len(),
            Variable::Remaining => self.lengths.len(),
            Variable::Outbox(id) => self.depths(id).len(),
            Variable::Used(id) => self.counts(id).len(),
            Variable::FailedFor(id) => self.times(id).len(),
            Variable::Reading(id) => self.readings(id).len(),
            Variable::Cap(id, rung) => self.caps(id, rung).len(),
        };
        more.saturating_add(1)
    }

    /// The facts that tell a value of a variable.
    #[must_use]
    pub fn told(&self, variable: Variable, place: usize) -> Vec<Fact> {
        Fact::of(self, variable, place)
    }

    /// The place of a value that the fewest facts tell, of those that a variable may have, and how many they are.
    pub(crate) fn cheapest(&self, variable: Variable, values: &Values) -> (usize, usize) {
        let Variable::Condition(id) = variable else {
            let place = values.first().unwrap_or(0);
            return (place, self.facts(variable, place));
        };
        let sizes = self.own.get(&id).map_or(&[][..], |own| &own.by_size);
        let mut places = (0..).zip(sizes).filter_map(|(size, of)| Some((values.first_of(of)?, size)));
        places.next().unwrap_or((0, 0))
    }

    /// How many facts tell a value of a variable.
    #[must_use]
    pub fn facts(&self, variable: Variable, place: usize) -> usize {
        match variable {
            Variable::Condition(id) => self.conditions(id).get(place).map_or(0, Condition::size),
            _ => usize::from(place > 0),
        }
    }
}

impl Own {
    fn of(dependency: &Dependency) -> Self {
        let mut own = Self { ailments: conditions::ailments(dependency), ..Self::default() };
        own.conditions();
        for (index, rung) in (0u16..).zip(&dependency.ladder) {
            match rung.action {
                Action::LastKnown { max_age, of } => {
                    own.ages.push(max_age);
                    own.remembers |= of == LastKnownOf::Dependency;
                }
                Action::Outbox { capacity } => own.depths.push(capacity),
                Action::Retry { max_attempts, .. } if max_attempts > 1 => own.attempts.push(max_attempts),
                _ => {}
            }
            match rung.cap.map(|cap| cap.of) {
                Some(CapOf::Time(most)) => own.times.push(most),
                Some(CapOf::Requests(most) | CapOf::Amount(most)) => {
                    own.caps.insert(index, Vec::from([most]));
                }
                None => {}
            }
        }
        // A depth or a time of nothing is as if nothing was said.
        own.depths.retain(|depth| *depth > 0);
        let Self { ages, times, depths, attempts, .. } = &mut own;
        tidy(ages);
        tidy(times);
        tidy(depths);
        tidy(attempts);
        own
    }

    /// Every condition of its ailments.
    fn conditions(&mut self) {
        self.conditions = conditions::all(&self.ailments);
        self.by_size = Default::default();
        for (place, condition) in self.conditions.iter().enumerate() {
            if let Some(of) = self.by_size.get_mut(condition.size()) {
                of.insert(place);
            }
        }
    }

    fn join(&mut self, other: &Self) {
        self.ailments.extend(&other.ailments);
        tidy(&mut self.ailments);
        self.conditions();
        join(&mut self.ages, &other.ages);
        self.remembers |= other.remembers;
        join(&mut self.times, &other.times);
        join(&mut self.depths, &other.depths);
        join(&mut self.attempts, &other.attempts);
        for (rung, most) in &other.caps {
            join(self.caps.entry(*rung).or_default(), most);
        }
    }
}

/// The counts that `local_meter` rungs tell apart.
fn counts(matrix: &Matrix, id: MeterId) -> Vec<u64> {
    let Some(settings) = matrix.meters.get(id.index()) else { return Vec::new() };
    let divisor = meter::divisor(None, matrix.signal_ttl, settings.max_instances, Time::default());
    let rungs = matrix.dependencies.iter().flat_map(|dependency| &dependency.ladder);
    let mut counts: Vec<u64> = rungs
        .filter_map(|rung| match rung.action {
            Action::LocalMeter { meter: of, share } if of == id => {
                settings.limit.map(|limit| meter::portion(limit, share, divisor))
            }
            _ => None,
        })
        .filter(|count| *count > 0)
        .collect();
    tidy(&mut counts);
    counts
}

/// The lengths of time that a request's remaining time is held against, the longest first.
fn lengths(matrix: &Matrix, domains: &Domains) -> Vec<Millis> {
    let needed: BTreeSet<DependencyId> =
        matrix.operations.iter().flat_map(|operation| operation.needs.iter().copied()).collect();
    let deadline = |id: &DependencyId| {
        matrix.dependencies.get(id.index()).and_then(|known| known.deadline).unwrap_or(Millis::ZERO)
    };
    let mut lengths = BTreeSet::new();
    for need in needed {
        for rung in matrix.dependencies.get(need.index()).map_or(&[][..], |known| known.ladder.as_slice()) {
            match &rung.action {
                Action::Fallback { to } => {
                    lengths.insert(deadline(to));
                }
                Action::LeastBad { of } => lengths.extend(of.iter().map(deadline)),
                Action::Retry { base, multiplier, jitter, .. } => {
                    let (mut wait, mut before) = (*base, 1);
                    for attempts in core::iter::once(&1).chain(domains.attempts(need)) {
                        // From where the fewer attempts left it.
                        let more = attempts.saturating_sub(before).saturating_add(1);
                        (wait, before) = (backed_off(wait, *multiplier, more), *attempts);
                        let longest =
                            if *jitter > 0 { wait.percent(jitter.saturating_add(100)) } else { wait };
                        lengths.insert(longest.plus(deadline(&need)));
                    }
                }
                _ => {}
            }
        }
    }
    lengths.into_iter().rev().filter(|length| *length > Millis::ZERO).collect()
}

fn tidy<T: Ord>(values: &mut Vec<T>) {
    values.sort_unstable();
    values.dedup();
}

fn join<T: Ord + Clone>(values: &mut Vec<T>, others: &[T]) {
    values.extend_from_slice(others);
    tidy(values);
}

/// Both lists become what either has.
fn join_of(
    (left, id): (&mut BTreeMap<MeterId, Vec<u64>>, MeterId),
    (right, other): (&mut BTreeMap<MeterId, Vec<u64>>, MeterId),
) {
    let one = left.entry(id).or_default();
    let two = right.entry(other).or_default();
    join(one, two);
    two.clone_from(one);
}
