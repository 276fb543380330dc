//! A request: a value that the host holds, which gathers what the request met and commits once.

use alloc::collections::BTreeMap;
use alloc::sync::Arc;
use alloc::vec::Vec;

use crate::answer::{Reason, Refusal};
use crate::matrix::{ClassId, DependencyId, Matrix, MeterId, OperationId};
use crate::meter::Taken;
use crate::report::{Pass, Report};
use crate::small_map::SmallMap;
use crate::window::{CapTaken, Counted};
use crate::{Fault, Millis, Stage, Time};

/// A length of time as it was told, and when: it goes on growing or shrinking from there.
type Told = (Millis, Time);

/// What a request met of one dependency.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Met {
    /// With the moment at which this very report was first made.
    pub(crate) report: Option<(Report, Time)>,
    pub(crate) had: Option<Millis>,
    cached: Option<Told>,
    attempts: Option<u32>,
    retry_after: Option<Told>,
}

impl Met {
    pub(crate) fn cached_age(&self, now: Time) -> Option<Millis> {
        self.cached.map(|(age, at)| age.plus(now.since(at)))
    }

    pub(crate) fn attempts(&self) -> u32 {
        self.attempts.unwrap_or(1)
    }

    /// What is left of the wait that was told with the fault; none where nothing is.
    pub(crate) fn retry_after(&self, now: Time) -> Option<Millis> {
        self.retry_after.map(|(wait, at)| wait.less(now.since(at))).filter(|wait| *wait > Millis::ZERO)
    }
}

/// What it took of a meter, and in whose name: it may be told another one later.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct TakenFor {
    pub(crate) taken: Taken,
    pub(crate) tenant: Arc<str>,
    pub(crate) session: Arc<str>,
}

/// What a request remembers of its committed decisions.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Memory {
    /// Needs that were answered for: with the reason where the answer was not `allow`, from which it is made again.
    pub(crate) answered: SmallMap<DependencyId, Option<(Reason, Option<Refusal>)>>,
    pub(crate) passes: SmallMap<DependencyId, Pass>,
    /// The worst of those whose dependency a new matrix does not have.
    pub(crate) passed_once: Option<Pass>,
    pub(crate) taken: SmallMap<MeterId, TakenFor>,
    pub(crate) cap_taken: Vec<CapTaken>,
    /// Its part in the accounts of windows.
    pub(crate) counted: Vec<Counted>,
    pub(crate) sequences: SmallMap<DependencyId, u64>,
    /// Rungs whose event was told: the dependency, and the rung's place (a refusal's is `u16::MAX`).
    pub(crate) told: Vec<(Option<DependencyId>, u16)>,
}

impl Memory {
    /// How guards were passed at worst.
    pub(crate) fn worst_pass(&self) -> Option<Pass> {
        self.passes.values().copied().max().max(self.passed_once)
    }

    /// What it has taken of the cap of a rung, in this window.
    pub(crate) fn capped(&self, dependency: DependencyId, place: u16, window: u64) -> Option<&CapTaken> {
        let mut taken = self.cap_taken.iter();
        taken.find(|taken| (taken.dependency, taken.place, taken.window) == (dependency, place, window))
    }
}

/// A request: the operation that the host wants to do, and what it met so far.
///
/// A preview ([`decide`](crate::decide)) changes nothing in it; a commit
/// ([`Signal::Decided`](crate::Signal::Decided)) notes what was answered, so that committing again counts nothing twice.
/// What is told again replaces what was told before. Ages and waits go on from the moment at which they were told.
#[derive(Clone, Debug, PartialEq)]
pub struct Request {
    pub(crate) operation: Option<OperationId>,
    pub(crate) operation_name: Arc<str>,
    pub(crate) class: Option<ClassId>,
    /// The class that was told; none where it is of the first.
    pub(crate) class_name: Option<Arc<str>>,
    pub(crate) has_unknown_name: bool,
    pub(crate) tenant: Arc<str>,
    pub(crate) session: Arc<str>,
    pub(crate) stage: Stage,
    remaining: Option<Told>,
    pub(crate) met: SmallMap<DependencyId, Met>,
    pub(crate) looked_at: Arc<[Arc<str>]>,
    pub(crate) attributes: BTreeMap<Arc<str>, Arc<str>>,
    pub(crate) amounts: SmallMap<MeterId, u64>,
    pub(crate) finishes: bool,
    /// It has ended, and has not asked since.
    pub(crate) has_finished: bool,
    pub(crate) memory: Memory,
}

impl Request {
    /// A request for an operation, of the matrix's first class, at stage `admit`, that has met nothing yet.
    ///
    /// An operation that the matrix does not have makes a request that is denied, with the reason `unknown_name`.
    #[must_use]
    pub fn new(matrix: &Matrix, operation: &str) -> Self {
        let id = matrix.operation(operation);
        let known = id.and_then(|id| matrix.operations.get(id.index()));
        Self {
            operation: id,
            operation_name: known.map_or_else(|| operation.into(), |known| known.name.clone()),
            class: matrix.first_class(),
            class_name: None,
            has_unknown_name: id.is_none(),
            tenant: Arc::from(""),
            session: Arc::from(""),
            stage: Stage::Admit,
            remaining: None,
            met: SmallMap::default(),
            looked_at: known.map_or_else(|| Arc::from([]), |known| known.attributes.clone()),
            attributes: BTreeMap::new(),
            amounts: SmallMap::default(),
            finishes: true,
            has_finished: false,
            memory: Memory::default(),
        }
    }

    /// The operation's name, as it was asked for.
    #[must_use]
    pub fn operation(&self) -> &str {
        &self.operation_name
    }

    /// The class of traffic; one that the matrix does not have makes the request be denied.
    pub fn set_class(&mut self, matrix: &Matrix, class: &str) {
        self.class = matrix.class(class);
        let known = self.class.and_then(|id| matrix.classes.get(id.index()));
        self.class_name = Some(known.map_or_else(|| class.into(), Arc::clone));
        self.has_unknown_name = self.operation.is_none() || self.class.is_none();
    }

    /// Whose request it is.
    pub fn set_tenant(&mut self, tenant: &str) {
        self.tenant = tenant.into();
    }

    /// Which of the tenant's sessions it belongs to.
    pub fn set_session(&mut self, session: &str) {
        self.session = session.into();
    }

    /// The stage at which it asks. One that has asked as `stream` stays there: bytes have gone out.
    pub fn set_stage(&mut self, stage: Stage) {
        if self.stage != Stage::Stream {
            self.stage = stage;
        }
    }

    /// How much time it has left at `now`.
    pub fn set_remaining(&mut self, remaining: Millis, now: Time) {
        self.remaining = Some((remaining, now));
    }

    /// An attribute, for the operation's refuse rules. One that no rule looks at is not held.
    pub fn set_attribute(&mut self, name: &str, value: &str) {
        if let Some(name) = self.looked_at.iter().find(|known| known.as_ref() == name) {
            self.attributes.insert(name.clone(), value.into());
        }
    }

    /// How much it takes of a meter. What was first committed stands.
    pub fn set_amount(&mut self, meter: MeterId, amount: u64) {
        self.amounts.insert(meter, amount);
    }

    /// Nobody will tell how it ended: what it takes of a meter is settled as it commits.
    pub fn set_unfinished(&mut self) {
        self.finishes = false;
    }

    /// A dependency answered.
    pub fn ok(&mut self, dependency: DependencyId, now: Time) {
        self.report(dependency, Report::Ok, now);
    }

    /// A dependency said no.
    pub fn refused(&mut self, dependency: DependencyId, now: Time) {
        self.report(dependency, Report::Refused, now);
    }

    /// A dependency failed.
    pub fn failed(&mut self, dependency: DependencyId, fault: Fault, now: Time) {
        self.report(dependency, Report::Failed(fault), now);
    }

    /// What a call of this request met.
    pub fn report(&mut self, dependency: DependencyId, report: Report, now: Time) {
        let met = self.met.entry(dependency, Met::default);
        match met.report {
            Some((same, _)) if same == report => {}
            _ => met.report = Some((report, now)),
        }
        if report == Report::Refused {
            met.cached = None;
        }
    }

    /// How old, at `now`, a cached yes is that this request could use.
    pub fn set_cached(&mut self, dependency: DependencyId, age: Millis, now: Time) {
        self.met.entry(dependency, Met::default).cached = Some((age, now));
    }

    /// How many calls this request has made of a dependency; 1 where not said.
    pub fn set_attempts(&mut self, dependency: DependencyId, attempts: u32) {
        self.met.entry(dependency, Met::default).attempts = Some(attempts);
    }

    /// How long, from `now`, the dependency asked to be left alone.
    pub fn set_retry_after(&mut self, dependency: DependencyId, wait: Millis, now: Time) {
        self.met.entry(dependency, Met::default).retry_after = Some((wait, now));
    }

    /// How much time the request had left as that call began.
    pub fn set_had(&mut self, dependency: DependencyId, had: Millis) {
        self.met.entry(dependency, Met::default).had = Some(had);
    }

    /// What was met of a dependency was met then.
    pub(crate) fn age_reports(&mut self, dependency: DependencyId, then: Time) {
        let met = self.met.entry(dependency, Met::default);
        met.report = met.report.map(|(report, _)| (report, then));
    }

    pub(crate) fn met(&self, dependency: DependencyId) -> Met {
        self.met.get(dependency).copied().unwrap_or_default()
    }

    /// Whether `length` fits in the time left; everything does where none was told.
    pub(crate) fn fits(&self, length: Millis, now: Time) -> bool {
        self.remaining.is_none_or(|(remaining, at)| length <= remaining.less(now.since(at)))
    }

    /// What it has taken, of each meter from which its operation takes and of which that is not 0.
    pub(crate) fn taken_amounts(&self, matrix: &Matrix) -> Vec<(MeterId, u64)> {
        let operation = self.operation.and_then(|id| matrix.operations.get(id.index()));
        let needed = |id: &MeterId| operation.is_some_and(|operation| operation.meters.contains(id));
        let taken = self.memory.taken.iter().map(|(meter, held)| (meter, held.taken.amount));
        taken.filter(|(meter, amount)| *amount > 0 && needed(meter)).collect()
    }

    /// What it takes of a meter: the figure first committed, else the one told, else 1.
    pub(crate) fn amount(&self, meter: MeterId) -> u64 {
        match self.memory.taken.get(meter) {
            Some(held) => held.taken.amount,
            None => self.amounts.get(meter).copied().unwrap_or(1),
        }
    }
}
