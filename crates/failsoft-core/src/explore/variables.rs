//! What can be the case in a situation beside its operation, class and stage.

use alloc::vec;
use alloc::vec::Vec;
use core::cmp::Ordering;

use super::values::Values;
use crate::{DependencyId, MeterId};

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
    /// What the store last said of it.
    Reading(MeterId),
    /// How long it has failed, and its window been open.
    FailedFor(DependencyId),
    /// What the cap of a rung has counted.
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

    /// Whether both can be the case.
    #[must_use]
    pub fn meets(&self, other: &Self) -> bool {
        self.meets_but(other, None)
    }

    /// Whether both can be the case, whatever one variable is.
    #[must_use]
    pub fn meets_but(&self, other: &Self, aside: Option<Variable>) -> bool {
        let (mut mine, mut theirs) = (self.0.iter().peekable(), other.0.iter().peekable());
        while let (Some((one, values)), Some((two, others))) = (mine.peek(), theirs.peek()) {
            match one.cmp(two) {
                Ordering::Less => _ = mine.next(),
                Ordering::Greater => _ = theirs.next(),
                Ordering::Equal if aside != Some(*one) && !values.meets(others) => return false,
                Ordering::Equal => _ = (mine.next(), theirs.next()),
            }
        }
        true
    }

    /// Both in one, where they differ in one variable at most.
    #[must_use]
    pub fn joined(&self, other: &Self) -> Option<Self> {
        let same = |(one, other): (&(Variable, Values), &(Variable, Values))| one.0 == other.0;
        if self.0.len() != other.0.len() || !self.0.iter().zip(&other.0).all(same) {
            return None;
        }
        let mut differ = (0..).zip(self.0.iter().zip(&other.0)).filter(|(_, (one, other))| one.1 != other.1);
        let Some((place, _)) = differ.next() else { return Some(self.clone()) };
        if differ.next().is_some() {
            return None;
        }
        let mut joined = self.clone();
        let theirs: &(Variable, Values) = other.0.get::<usize>(place)?;
        joined.0.get_mut(place)?.1.or(&theirs.1);
        Some(joined)
    }

    /// What is left where nothing is said of a variable.
    #[must_use]
    pub fn without(mut self, variable: Variable) -> Self {
        self.0.retain(|(held, _)| *held != variable);
        self
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
