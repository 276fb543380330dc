//! What can be the case in a situation beside its operation, class and stage.

use alloc::collections::{BTreeMap, BTreeSet};
use alloc::vec;
use alloc::vec::Vec;
use core::cmp::Ordering;

use super::Domains;
use super::values::Values;
use super::work::Work;
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

    /// How many variables are named.
    pub(crate) fn len(&self) -> usize {
        self.0.len()
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
        values.first()?;
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

    /// The same places in fewer boxes: those that differ in one variable alone are one, and what may have any value is
    /// not named.
    pub(crate) fn fewer(mut boxes: Vec<Self>, domains: &Domains, work: &Work) -> Vec<Self> {
        loop {
            let before = boxes.len();
            if before < 2 || work.enough().is_err() {
                return boxes;
            }
            let variables: BTreeSet<Variable> =
                boxes.iter().flat_map(|given| given.iter().map(|(variable, _)| variable)).collect();
            let count = variables.len().saturating_add(4);
            for variable in variables {
                work.spend(boxes.len().saturating_mul(count));
                let mut unsaid = Vec::new();
                let mut said: BTreeMap<Self, Values> = BTreeMap::new();
                for given in boxes {
                    match given.get(variable).cloned() {
                        Some(values) => said.entry(given.without(variable)).or_default().or(&values),
                        None => unsaid.push(given),
                    }
                }
                unsaid.extend(said.into_iter().filter_map(|(given, values)| {
                    if values.count() == domains.size(variable) {
                        Some(given)
                    } else {
                        given.and(variable, &values)
                    }
                }));
                boxes = unsaid;
            }
            if boxes.len() == before {
                return boxes;
            }
        }
    }

    /// Everything that is given, variables in order.
    pub fn iter(&self) -> impl Iterator<Item = (Variable, &Values)> {
        self.0.iter().map(|(variable, values)| (*variable, values))
    }
}
