//! A matrix that has been checked: names are dense ids, and every `when` is a set of bits.

use alloc::boxed::Box;
use alloc::sync::Arc;
use alloc::vec::Vec;

use crate::draft::{HealthSettings, InvariantCondition, LastKnownOf, MeterKey, Share};
use crate::health::Rules;
use crate::{Effect, Enforcement, Fault, Health, MeterMode, Millis, Posture, Role, RungKind, Stage, Verdict};

macro_rules! ids {
    ($($(#[$doc:meta])* $name:ident;)*) => {$(
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub struct $name(pub(crate) u16);

        impl $name {
            /// Its place among its kind, as the matrix writes them.
            #[must_use]
            pub fn index(self) -> usize {
                usize::from(self.0)
            }
        }
    )*};
}

ids! {
    /// A dependency of one matrix.
    DependencyId;
    /// An operation of one matrix.
    OperationId;
    /// A class of traffic of one matrix.
    ClassId;
    /// A meter of one matrix.
    MeterId;
}

/// A set of entries of one small vocabulary; empty means "any".
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Set(u16);

impl Set {
    pub(crate) fn of(members: impl IntoIterator<Item = u8>) -> Self {
        Self(members.into_iter().fold(0, |set, member| set | bit(member)))
    }

    pub(crate) const fn is_any(self) -> bool {
        self.0 == 0
    }

    pub(crate) fn names(self, member: u8) -> bool {
        self.0 & bit(member) != 0
    }

    pub(crate) fn matches(self, member: u8) -> bool {
        self.is_any() || self.names(member)
    }
}

fn bit(member: u8) -> u16 {
    1u16.checked_shl(u32::from(member)).unwrap_or(0)
}

/// What a rung is narrowed to.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct When {
    pub(crate) fault: Set,
    pub(crate) health: Set,
    pub(crate) effect: Set,
    pub(crate) stage: Set,
    pub(crate) class: Set,
    pub(crate) operation: Vec<OperationId>,
    /// Parameters are bound at load, so a rung that they rule out is ruled out for good.
    pub(crate) parameter: bool,
}

/// What a `when` is held against.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Situation {
    pub(crate) operation: OperationId,
    pub(crate) effect: Effect,
    pub(crate) class: ClassId,
    pub(crate) stage: Stage,
    pub(crate) health: Health,
    /// A failure without a class matches no `when.fault`.
    pub(crate) fault: Option<Fault>,
}

impl When {
    /// Whether everything matches but for the failure itself and the health.
    pub(crate) fn may_match(
        &self,
        (id, operation): (OperationId, &Operation),
        class: ClassId,
        stage: Stage,
    ) -> bool {
        let class = u8::try_from(class.0).unwrap_or(u8::MAX);
        self.parameter
            && self.effect.matches(operation.effect.number())
            && self.stage.matches(stage.number())
            && self.class.matches(class)
            && (self.operation.is_empty() || self.operation.contains(&id))
    }

    pub(crate) fn matches(&self, situation: &Situation) -> bool {
        let fault = match situation.fault {
            Some(fault) => self.fault.matches(fault.number()),
            None => self.fault.is_any(),
        };
        let class = u8::try_from(situation.class.0).unwrap_or(u8::MAX);
        self.parameter
            && fault
            && self.health.matches(situation.health.number())
            && self.effect.matches(situation.effect.number())
            && self.stage.matches(situation.stage.number())
            && self.class.matches(class)
            && (self.operation.is_empty() || self.operation.contains(&situation.operation))
    }
}

/// What a rung does, with ids for names.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Action {
    Allow,
    Deny,
    Defer,
    Withhold,
    Retry { max_attempts: u32, base: Millis, multiplier: u64, jitter: u64 },
    Fallback { to: DependencyId },
    LastKnown { max_age: Millis, of: LastKnownOf },
    LocalMeter { meter: MeterId, share: Share },
    Outbox { capacity: u64 },
    LeastBad { of: Vec<DependencyId> },
    Named { name: Arc<str> },
}

/// An event that a rung emits.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct RungEmit {
    pub(crate) event: Arc<str>,
    pub(crate) reason: Option<Arc<str>>,
    pub(crate) alert: Option<Arc<str>>,
}

/// One step of a ladder.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Rung {
    pub(crate) kind: RungKind,
    pub(crate) action: Action,
    pub(crate) when: When,
    pub(crate) also: Vec<Arc<str>>,
    pub(crate) emit: Option<RungEmit>,
    pub(crate) status: Option<u16>,
    pub(crate) code: Option<Arc<str>>,
    /// Its posture on the dependency that it belongs to.
    pub(crate) posture: Posture,
    pub(crate) cap: Option<Cap>,
}

/// What a cap bounds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum CapOf {
    Requests(u64),
    Amount(u64),
    Time(Millis),
}

/// A bound on a rung.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Cap {
    pub(crate) of: CapOf,
    pub(crate) meter: Option<MeterId>,
    pub(crate) total: bool,
}

impl Rung {
    pub(crate) const fn verdict(&self) -> Verdict {
        self.kind.verdict()
    }
}

/// What the host calls.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Dependency {
    pub(crate) name: Arc<str>,
    pub(crate) role: Role,
    pub(crate) stage: Stage,
    pub(crate) deadline: Option<Millis>,
    /// Its health settings as they are written, defaults too; `rules` is what they come to.
    pub(crate) settings: HealthSettings,
    pub(crate) rules: Rules,
    /// The longest that an operator may skip it for.
    pub(crate) break_glass: Option<Millis>,
    pub(crate) ladder: Vec<Rung>,
    /// None on an observer, whose refusal is a fault.
    pub(crate) refusal: Option<Rung>,
    /// The meters whose shared count it keeps.
    pub(crate) meters: Vec<MeterId>,
}

/// Conditions on attributes, all of which must hold.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct RefuseRule {
    pub(crate) present: Option<Box<str>>,
    pub(crate) equals: Vec<(Box<str>, Box<str>)>,
    pub(crate) same: Option<(Box<str>, Box<str>)>,
    pub(crate) deny: Rung,
}

/// What the host wants to do.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Operation {
    pub(crate) name: Arc<str>,
    pub(crate) needs: Vec<DependencyId>,
    pub(crate) effect: Effect,
    pub(crate) deadline: Option<Millis>,
    pub(crate) max_unchecked: Option<u64>,
    pub(crate) enforcement: Enforcement,
    pub(crate) refuse: Vec<RefuseRule>,
    /// The attributes that its refuse rules look at; a request need hold no others.
    pub(crate) attributes: Arc<[Arc<str>]>,
    /// The meters whose stores are among the needs.
    pub(crate) meters: Vec<MeterId>,
    /// How long what a request takes of a meter may wait for its `finish`.
    pub(crate) unsettled_for: Millis,
}

/// A quota or a budget.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Meter {
    pub(crate) name: Arc<str>,
    pub(crate) store: DependencyId,
    pub(crate) key: MeterKey,
    pub(crate) mode: MeterMode,
    pub(crate) capacity: usize,
    pub(crate) limit: Option<u64>,
    pub(crate) window: Option<Millis>,
    pub(crate) max_instances: Option<u64>,
    pub(crate) max_unreported: Option<u64>,
}

/// A promise about an operation, to be proven.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Invariant {
    pub(crate) operation: OperationId,
    pub(crate) when: Vec<(DependencyId, InvariantCondition)>,
    pub(crate) verdict: Option<Verdict>,
    pub(crate) posture: Option<Posture>,
    pub(crate) obligation: Option<Arc<str>>,
    pub(crate) never: Option<Verdict>,
}

/// A checked matrix. It never changes; state lives in [`State`](crate::State).
#[derive(Clone, Debug, PartialEq)]
pub struct Matrix {
    pub(crate) identity: Arc<str>,
    pub(crate) name: Arc<str>,
    pub(crate) signal_ttl: Millis,
    pub(crate) window_idle: Millis,
    /// How many tenants an account counts each.
    pub(crate) tenants: usize,
    pub(crate) classes: Vec<Arc<str>>,
    pub(crate) dependencies: Vec<Dependency>,
    pub(crate) operations: Vec<Operation>,
    pub(crate) meters: Vec<Meter>,
    pub(crate) invariants: Vec<Invariant>,
    /// Ids by name, sorted, so that a look-up is a binary search.
    pub(crate) dependency_names: Vec<(Arc<str>, DependencyId)>,
    pub(crate) operation_names: Vec<(Arc<str>, OperationId)>,
    pub(crate) class_names: Vec<(Arc<str>, ClassId)>,
    pub(crate) meter_names: Vec<(Arc<str>, MeterId)>,
}

fn by_name<Id: Copy>(names: &[(Arc<str>, Id)], name: &str) -> Option<Id> {
    let index = names.binary_search_by(|(known, _)| known.as_ref().cmp(name)).ok()?;
    names.get(index).map(|(_, id)| *id)
}

impl Matrix {
    /// `name@revision:sha256-…`, as every decision and event carries it.
    #[must_use]
    pub fn identity(&self) -> &str {
        &self.identity
    }

    /// What the matrix is called.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The dependency of that name.
    #[must_use]
    pub fn dependency(&self, name: &str) -> Option<DependencyId> {
        by_name(&self.dependency_names, name)
    }

    /// The operation of that name.
    #[must_use]
    pub fn operation(&self, name: &str) -> Option<OperationId> {
        by_name(&self.operation_names, name)
    }

    /// The class of that name.
    #[must_use]
    pub fn class(&self, name: &str) -> Option<ClassId> {
        by_name(&self.class_names, name)
    }

    pub(crate) fn first_class(&self) -> Option<ClassId> {
        self.classes().next().map(|(class, _)| class)
    }

    /// The meter of that name.
    #[must_use]
    pub fn meter(&self, name: &str) -> Option<MeterId> {
        by_name(&self.meter_names, name)
    }

    /// The names of all dependencies, as written.
    pub fn dependencies(&self) -> impl Iterator<Item = (DependencyId, &str)> {
        numbered(&self.dependencies).map(|(id, dependency)| (DependencyId(id), dependency.name.as_ref()))
    }

    /// The names of all operations, as written.
    pub fn operations(&self) -> impl Iterator<Item = (OperationId, &str)> {
        numbered(&self.operations).map(|(id, operation)| (OperationId(id), operation.name.as_ref()))
    }

    /// The names of all classes, as written; a request without one is of the first.
    pub fn classes(&self) -> impl Iterator<Item = (ClassId, &str)> {
        numbered(&self.classes).map(|(id, class)| (ClassId(id), class.as_ref()))
    }

    /// The names of all meters, as written.
    pub fn meters(&self) -> impl Iterator<Item = (MeterId, &str)> {
        numbered(&self.meters).map(|(id, meter)| (MeterId(id), meter.name.as_ref()))
    }

    /// What a meter's keys are.
    #[must_use]
    pub fn meter_key(&self, meter: MeterId) -> Option<MeterKey> {
        self.meters.get(meter.index()).map(|meter| meter.key)
    }

    /// What an operation needs, in pipeline order.
    pub fn needs(&self, operation: OperationId) -> impl Iterator<Item = DependencyId> {
        self.operations
            .get(operation.index())
            .into_iter()
            .flat_map(|operation| operation.needs.iter().copied())
    }

    /// The name of a dependency of this matrix; nothing where the id is another matrix's.
    #[must_use]
    pub fn dependency_name(&self, id: DependencyId) -> &str {
        self.dependencies.get(id.index()).map_or("", |dependency| dependency.name.as_ref())
    }

    /// How long a dependency's circuit waits when it first opens, jitter aside.
    #[must_use]
    pub fn first_wait(&self, id: DependencyId) -> Millis {
        self.dependencies.get(id.index()).map_or(Millis::ZERO, |dependency| dependency.rules.wait)
    }

    /// The name of an operation of this matrix; nothing where the id is another matrix's.
    #[must_use]
    pub fn operation_name(&self, id: OperationId) -> &str {
        self.operations.get(id.index()).map_or("", |operation| operation.name.as_ref())
    }

    /// The name of a meter of this matrix; nothing where the id is another matrix's.
    #[must_use]
    pub fn meter_name(&self, id: MeterId) -> &str {
        self.meters.get(id.index()).map_or("", |meter| meter.name.as_ref())
    }

    /// Whether a request of this operation can't be taken back.
    #[must_use]
    pub fn effect(&self, operation: OperationId) -> Effect {
        self.operations.get(operation.index()).map_or(Effect::Irreversible, |operation| operation.effect)
    }

    /// The posture of each rung of a dependency's ladder, were it taken for a failure.
    ///
    /// A substitute that is soft for a server or an observer may leave a guard unchecked.
    pub fn ladder_postures(&self, id: DependencyId) -> impl Iterator<Item = Posture> {
        self.dependencies
            .get(id.index())
            .into_iter()
            .flat_map(|dependency| dependency.ladder.iter().map(|rung| rung.posture))
    }

    /// The role of a dependency of this matrix.
    #[must_use]
    pub fn role(&self, id: DependencyId) -> Role {
        self.dependencies.get(id.index()).map_or(Role::Guard, |dependency| dependency.role)
    }
}

fn numbered<T>(items: &[T]) -> impl Iterator<Item = (u16, &T)> {
    (0u16..).zip(items)
}
