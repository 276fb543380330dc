//! What of one matrix goes on in the next: state follows names (spec 10.3).

use alloc::vec::Vec;

use crate::matrix::{
    Action, Cap, ClassId, Dependency, DependencyId, Matrix, MeterId, OperationId, RefuseRule, Rung, Set, When,
};

/// What of one matrix goes on in the next, and as what.
#[derive(Clone, Debug)]
pub struct Succession {
    names: Names,
    /// Where each rung of each dependency's ladder goes on.
    rungs: Vec<Vec<Option<u16>>>,
    /// Of each dependency, whether its `on_refusal` is written alike.
    refusals: Vec<bool>,
    /// Of each dependency, whether what it was answered with stands.
    answers: Vec<bool>,
    /// Of each operation, whether its refuse rules are written alike.
    refuse: Vec<bool>,
}

/// The ids of the next matrix, by those of the one before.
#[derive(Clone, Debug)]
struct Names {
    dependencies: Vec<Option<DependencyId>>,
    operations: Vec<Option<OperationId>>,
    classes: Vec<Option<ClassId>>,
    meters: Vec<Option<MeterId>>,
}

impl Succession {
    /// Compares two matrices.
    #[must_use]
    pub fn new(from: &Matrix, to: &Matrix) -> Self {
        let names = Names::new(from, to);
        let pairs: Vec<Option<(&Dependency, &Dependency)>> = from
            .dependencies
            .iter()
            .zip(&names.dependencies)
            .map(|(old, id)| Some((old, to.dependencies.get((*id)?.index())?)))
            .collect();
        let rungs: Vec<Vec<Option<u16>>> = from
            .dependencies
            .iter()
            .zip(&pairs)
            .map(|(old, pair)| match pair {
                Some((_, new)) => names.ladder(&old.ladder, &new.ladder),
                None => Vec::new(),
            })
            .collect();
        let refusals: Vec<bool> =
            pairs.iter().map(|pair| pair.is_some_and(|(old, new)| names.same_refusal(old, new))).collect();
        let answers = pairs
            .iter()
            .zip(&rungs)
            .zip(&refusals)
            .map(|((pair, rungs), refusal)| {
                pair.is_some_and(|(old, new)| {
                    *refusal && old.stage == new.stage && is_in_place(&old.ladder, &new.ladder, rungs)
                })
            })
            .collect();
        let refuse = from
            .operations
            .iter()
            .zip(&names.operations)
            .map(|(old, id)| {
                let new = id.and_then(|id| to.operations.get(id.index()));
                new.is_some_and(|new| names.same_rules(&old.refuse, &new.refuse))
            })
            .collect();
        Self { names, rungs, refusals, answers, refuse }
    }

    /// What a dependency goes on as.
    #[must_use]
    pub fn dependency(&self, id: DependencyId) -> Option<DependencyId> {
        follow(&self.names.dependencies, id.index())
    }

    /// What a meter goes on as.
    #[must_use]
    pub fn meter(&self, id: MeterId) -> Option<MeterId> {
        follow(&self.names.meters, id.index())
    }

    /// Where a rung of a dependency's ladder goes on.
    pub(crate) fn rung(&self, id: DependencyId, place: u16) -> Option<u16> {
        *self.rungs.get(id.index())?.get(usize::from(place))?
    }

    pub(crate) fn keeps_refusal(&self, id: DependencyId) -> bool {
        self.refusals.get(id.index()) == Some(&true)
    }

    pub(crate) fn keeps_answer(&self, id: DependencyId) -> bool {
        self.answers.get(id.index()) == Some(&true)
    }

    pub(crate) fn keeps_refuse_rules(&self, id: OperationId) -> bool {
        self.refuse.get(id.index()) == Some(&true)
    }
}

fn follow<Id: Copy>(ids: &[Option<Id>], index: usize) -> Option<Id> {
    *ids.get(index)?
}

impl Names {
    fn new(from: &Matrix, to: &Matrix) -> Self {
        let dependency = |old: &Dependency| {
            let id = to.dependency(&old.name)?;
            (to.role(id) == old.role).then_some(id)
        };
        Self {
            dependencies: from.dependencies.iter().map(dependency).collect(),
            operations: from.operations.iter().map(|old| to.operation(&old.name)).collect(),
            classes: from.classes.iter().map(|name| to.class(name)).collect(),
            meters: from
                .meters
                .iter()
                .map(|old| to.meter(&old.name).filter(|id| to.meter_key(*id) == Some(old.key)))
                .collect(),
        }
    }

    /// Where each rung goes on: of several that are alike the first as the first, the second as the second.
    fn ladder(&self, old: &[Rung], new: &[Rung]) -> Vec<Option<u16>> {
        let mut free: Vec<(u16, &Rung)> = (0u16..).zip(new).filter(|(_, rung)| rung.when.parameter).collect();
        old.iter()
            .map(|rung| {
                let rung = self.rung(rung)?;
                let place = free.iter().position(|(_, candidate)| **candidate == rung)?;
                Some(free.remove(place).0)
            })
            .collect()
    }

    fn same_refusal(&self, old: &Dependency, new: &Dependency) -> bool {
        let in_force = |rung: &&Rung| rung.when.parameter;
        let new = new.refusal.as_ref().filter(in_force);
        match old.refusal.as_ref().filter(in_force) {
            Some(old) => self.rung(old).as_ref() == new && new.is_some(),
            None => new.is_none(),
        }
    }

    fn same_rules(&self, old: &[RefuseRule], new: &[RefuseRule]) -> bool {
        old.len() == new.len()
            && old.iter().zip(new).all(|(old, new)| {
                (&old.present, &old.equals, &old.same) == (&new.present, &new.equals, &new.same)
                    && self.rung(&old.deny).as_ref() == Some(&new.deny)
            })
    }

    /// The rung as the next matrix writes it; nothing where it names what does not go on, or is ruled out for good.
    fn rung(&self, rung: &Rung) -> Option<Rung> {
        let in_force = rung.when.parameter;
        let rung = Rung {
            action: self.action(&rung.action)?,
            when: self.when(&rung.when)?,
            cap: match &rung.cap {
                Some(cap) => Some(self.cap(*cap)?),
                None => None,
            },
            ..rung.clone()
        };
        in_force.then_some(rung)
    }

    fn action(&self, action: &Action) -> Option<Action> {
        Some(match action {
            Action::Fallback { to } => Action::Fallback { to: follow(&self.dependencies, to.index())? },
            Action::LocalMeter { meter, share } => {
                Action::LocalMeter { meter: follow(&self.meters, meter.index())?, share: *share }
            }
            Action::LeastBad { of } => Action::LeastBad {
                of: of.iter().map(|id| follow(&self.dependencies, id.index())).collect::<Option<_>>()?,
            },
            other => other.clone(),
        })
    }

    fn when(&self, when: &When) -> Option<When> {
        let classes = (0u8..16).filter(|class| when.class.names(*class));
        let classes: Option<Vec<u8>> =
            classes.map(|class| u8::try_from(follow(&self.classes, usize::from(class))?.0).ok()).collect();
        let operations = when.operation.iter().map(|id| follow(&self.operations, id.index()));
        let mut operation: Vec<OperationId> = operations.collect::<Option<_>>()?;
        operation.sort_unstable();
        Some(When { class: Set::of(classes?), operation, ..when.clone() })
    }

    fn cap(&self, cap: Cap) -> Option<Cap> {
        let meter = match cap.meter {
            Some(meter) => Some(follow(&self.meters, meter.index())?),
            None => None,
        };
        Some(Cap { meter, ..cap })
    }
}

/// Whether every rung goes on, in the same order, and none is new.
fn is_in_place(old: &[Rung], new: &[Rung], rungs: &[Option<u16>]) -> bool {
    let old = old.iter().zip(rungs).filter(|(rung, _)| rung.when.parameter).map(|(_, goes_on)| *goes_on);
    let new = (0u16..).zip(new).filter(|(_, rung)| rung.when.parameter).map(|(place, _)| Some(place));
    old.eq(new)
}
