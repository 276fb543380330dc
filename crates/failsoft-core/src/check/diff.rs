//! What changes from one matrix to another (spec 11.4).

use alloc::collections::BTreeMap;
use alloc::string::String;
use alloc::vec::Vec;

use super::invariants::facts;
use super::pairs::{Direction, Joint, Pair, Sides};
use super::prover::{Prover, Scope, smallest};
use super::rules::{Stops, joint};
use crate::answer::Obligation;
use crate::explore::{Domains, Fact, Given, Names, Situation, TooMany, Variable, Work};
use crate::matrix::Matrix;
use crate::{ClassId, Decision, DependencyId, Emit, OperationId, Stage};

/// What a situation comes to under one of the two.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Shown {
    /// As this matrix calls things; what it does not know is left out.
    pub situation: Situation,
    /// What it decides.
    pub decision: Decision,
}

/// Decisions that change alike.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Change {
    /// The operation.
    pub operation: String,
    /// How.
    pub direction: Direction,
    /// The need whose answer changes, where it is one.
    pub need: Option<String>,
    /// In which classes and at which stages.
    pub of: Vec<(String, Stage)>,
    /// The smallest situation, before.
    pub old: Shown,
    /// And after.
    pub new: Shown,
    /// How many facts that situation has.
    pub size: usize,
}

/// Everything that changes.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Diff {
    /// Of each operation those of the smallest situations first; looser before stricter before other.
    pub changes: Vec<Change>,
    /// Operations that only the old one has.
    pub removed: Vec<String>,
    /// Operations that only the new one has.
    pub added: Vec<String>,
    /// Classes that only the old one has.
    pub removed_classes: Vec<String>,
    /// Classes that only the new one has.
    pub added_classes: Vec<String>,
    /// Operations that are too large to go through: nothing is said of them.
    pub too_large: Vec<String>,
    /// How many operations were gone through.
    pub operations: usize,
}

impl Diff {
    /// Whether it is proven that nothing changes.
    #[must_use]
    pub fn is_nothing(&self) -> bool {
        let names = [&self.removed, &self.added, &self.too_large, &self.removed_classes, &self.added_classes];
        self.changes.is_empty() && names.iter().all(|names| names.is_empty())
    }

    /// Whether a decision becomes looser.
    #[must_use]
    pub fn is_looser(&self) -> bool {
        self.changes.iter().any(|change| change.direction == Direction::Looser)
    }
}

/// What changes from `old` to `new`. `progress` is told how many operations of how many are done.
///
/// ```
/// use failsoft_core::check::{Direction, diff};
/// use failsoft_core::draft::{ActionDraft, DependencyDraft, MatrixDraft, OperationDraft, RungDraft};
/// use failsoft_core::{Millis, Role};
///
/// let matrix = |action: ActionDraft| {
///     let mut draft = MatrixDraft::new("example");
///     let mut policy = DependencyDraft::new("policy", Role::Guard, Some(Millis::new(50)));
///     policy.on_failure = vec![RungDraft::new(action)];
///     draft.dependencies = vec![policy];
///     draft.operations = vec![OperationDraft::new("assist", &["policy"])];
///     draft.compile("example@1").unwrap()
/// };
/// let (old, new) = (matrix(ActionDraft::Deny), matrix(ActionDraft::Allow));
/// let changes = diff(&old, &new, &mut |_, _| ()).changes;
/// assert_eq!(changes[0].direction, Direction::Looser);
/// assert_eq!(changes[0].size, 1);
/// ```
#[must_use]
pub fn diff(old: &Matrix, new: &Matrix, progress: &mut dyn FnMut(usize, usize)) -> Diff {
    diff_in(old, new, Scope::default(), progress)
}

/// The same for some situations alone; classes and facts are those of the old one.
#[must_use]
pub fn diff_in(old: &Matrix, new: &Matrix, scope: Scope<'_>, progress: &mut dyn FnMut(usize, usize)) -> Diff {
    let names = Names::of(old, new);
    let (ours, theirs) = Domains::joined(old, new, &names);
    let allows = |fact: &Fact| scope.allows(&names.fact(fact.clone()));
    let class = scope.class.map(|class| of_other(old, new, class));
    let facts = scope.facts.is_some().then_some::<&dyn Fn(&Fact) -> bool>(&allows);
    let other = Scope { class, stage: scope.stage, facts };
    let work = Work::default();
    let mut left = Prover::new(work.clone(), old, &ours, scope);
    let mut right = Prover::new(work, new, &theirs, other);
    let mut diff = Diff {
        removed: missing(old.operations(), |name| new.operation(name).is_some()),
        added: missing(new.operations(), |name| old.operation(name).is_some()),
        removed_classes: missing(old.classes(), |name| new.class(name).is_some()),
        added_classes: missing(new.classes(), |name| old.class(name).is_some()),
        ..Diff::default()
    };
    let both = both(old, new);
    let classes = classes(old, new, scope.class);
    for (place, (one, other, name)) in both.iter().enumerate() {
        progress(place, both.len());
        let mut pair = Pair::new(&mut left, &mut right, &names);
        let stages: Vec<Stage> =
            Stage::ALL.iter().copied().filter(|stage| scope.stage.is_none_or(|at| at == *stage)).collect();
        match operation(&mut pair, &names, (*one, *other), name, &classes, &stages, scope) {
            Ok(changes) => {
                diff.operations = diff.operations.saturating_add(1);
                diff.changes.extend(changes);
            }
            Err(TooMany) => diff.too_large.push(name.clone()),
        }
    }
    progress(both.len(), both.len());
    diff
}

/// The operations of both.
fn both(old: &Matrix, new: &Matrix) -> Vec<(OperationId, OperationId, String)> {
    let both = |(id, name)| Some((id, new.operation(name)?, String::from(name)));
    old.operations().filter_map(both).collect()
}

fn missing<'n, Id>(
    names: impl Iterator<Item = (Id, &'n str)>,
    is_there: impl Fn(&str) -> bool,
) -> Vec<String> {
    names.map(|(_, name)| name).filter(|name| !is_there(name)).map(String::from).collect()
}

/// The class of that name; the first where there is none.
fn of_other(old: &Matrix, new: &Matrix, class: ClassId) -> ClassId {
    let name = old.classes().find(|(id, _)| *id == class).map(|(_, name)| name);
    name.and_then(|name| new.class(name)).or(new.first_class()).unwrap_or(ClassId(0))
}

/// Every class of either, with what the other takes it for.
fn classes(old: &Matrix, new: &Matrix, only: Option<ClassId>) -> Vec<(ClassId, ClassId, String)> {
    let first = old.first_class().unwrap_or(ClassId(0));
    let ours = old.classes().map(|(id, name)| (id, of_other(old, new, id), String::from(name)));
    let theirs = new.classes().filter(|(_, name)| old.class(name).is_none());
    let theirs = theirs.map(|(id, name)| (first, id, String::from(name))).filter(|_| only.is_none());
    // Another class may be the first, which a request is of that tells none.
    let told = old.first_class().zip(new.first_class());
    let untold = told.filter(|(one, other)| only.is_none() && of_other(old, new, *one) != *other);
    let untold = untold.map(|(one, other)| (one, other, String::from(UNTOLD)));
    ours.filter(|(id, _, _)| only.is_none_or(|only| only == *id)).chain(theirs).chain(untold).collect()
}

/// What stands for a class where a request tells none. No class has such a name.
const UNTOLD: &str = "(none told)";

/// A group of changes while it is looked for.
struct Group {
    need: DependencyId,
    of: Vec<(String, Stage)>,
    /// Where it may be seen: of each view the smallest situation.
    seen: Vec<Candidate>,
    /// A decision that changes by it.
    change: Option<(Direction, usize, Shown, Shown)>,
}

struct Candidate {
    size: usize,
    places: Vec<(Variable, usize)>,
    given: Given,
    classes: (ClassId, ClassId),
    stage: Stage,
}

/// A situation: how many facts, which, and what else may be.
type Smallest = (usize, Vec<(Variable, usize)>, Given);

/// What a need's answer is, for a person: what it was before any conversion.
type Answers = (DependencyId, String, String);

fn operation(
    pair: &mut Pair<'_, '_, '_>,
    names: &Names,
    operations: (OperationId, OperationId),
    name: &str,
    classes: &[(ClassId, ClassId, String)],
    stages: &[Stage],
    scope: Scope<'_>,
) -> Result<Vec<Change>, TooMany> {
    let of =
        (pair.old.operation(operations.0).ok_or(TooMany)?, pair.new.operation(operations.1).ok_or(TooMany)?);
    let mut stops = joint(of.0, of.1)?;
    stops.retain(|(_, fact)| fact.as_ref().is_none_or(|fact| scope.allows(fact)));
    let mut groups: BTreeMap<Answers, Group> = BTreeMap::new();
    let mut changes: Vec<Change> = Vec::new();
    let mut together: BTreeMap<Direction, (usize, Candidate, Option<Fact>)> = BTreeMap::new();
    for (ours, theirs, class) in classes {
        for stage in stages {
            let sides = pair.sides(operations, (*ours, *theirs), *stage)?;
            if !pair.may_differ(&sides) {
                continue;
            }
            gather(pair, &sides, ((*ours, *theirs), *stage), class, &mut groups);
            for stop in &stops {
                smallest_of(pair, &sides, stop, ((*ours, *theirs), *stage), &mut together)?;
            }
        }
    }
    let passed = stops.iter().find(|(stop, _)| *stop == (None, None)).map(|(_, fact)| fact.clone());
    for group in groups.values_mut() {
        // What is seen before the stream has begun is read more easily.
        let key = |of: &Candidate| (of.size, of.stage == Stage::Stream, of.places.clone());
        group.seen.sort_by_cached_key(key);
        for candidate in &group.seen {
            let Some(passed) = &passed else { break };
            let told = facts(pair.old.domains, &candidate.given, passed.clone());
            group.change = shown(pair, names, operations, candidate, told);
            if group.change.is_some() {
                break;
            }
        }
    }
    for group in groups.into_values() {
        let Some((direction, size, old, new)) = group.change else { continue };
        let need = named(pair, names, group.need);
        changes.push(Change { operation: String::from(name), direction, need, of: group.of, old, new, size });
    }
    for (direction, (size, candidate, rule)) in together {
        let held =
            changes.iter().filter(|change| change.direction == direction).map(|change| change.size).min();
        if held.is_some_and(|held| held <= size) {
            continue;
        }
        let told = facts(pair.old.domains, &candidate.given, rule);
        // What was put together must be so; else nothing is said of it.
        let (direction, size, old, new) = shown(pair, names, operations, &candidate, told).ok_or(TooMany)?;
        let class = classes.iter().find(|(ours, theirs, _)| (*ours, *theirs) == candidate.classes);
        let of = class.map(|(_, _, class)| (class.clone(), candidate.stage)).into_iter().collect();
        changes.push(Change { operation: String::from(name), direction, need: None, of, old, new, size });
    }
    changes.sort_by_key(|change| (change.direction, change.size));
    Ok(changes)
}

fn named(pair: &Pair<'_, '_, '_>, names: &Names, id: DependencyId) -> Option<String> {
    let old =
        pair.old.matrix.dependencies().find(|(known, _)| *known == id).map(|(_, name)| String::from(name));
    old.or_else(|| names.dependency_of(id).map(|id| String::from(pair.new.matrix.dependency_name(id))))
}

/// Every need whose answer changes here.
fn gather(
    pair: &mut Pair<'_, '_, '_>,
    sides: &Sides,
    of: ((ClassId, ClassId), Stage),
    class: &str,
    groups: &mut BTreeMap<Answers, Group>,
) {
    let mut best: BTreeMap<Answers, Smallest> = BTreeMap::new();
    for need in sides.needs.iter().filter(|need| need.differs) {
        for (way, (ours, theirs)) in need.ways.iter() {
            if way.sign.old == way.sign.new {
                continue;
            }
            let before = ours.and_then(|place| need.old.as_ref()?.cases.get(place));
            let after = theirs.and_then(|place| need.new.as_ref()?.cases.get(place));
            let matrices = (pair.old.matrix, pair.new.matrix);
            let key = (need.id, Pair::told(matrices.0, before), Pair::told(matrices.1, after));
            let (places, size) = smallest(pair.old.domains, &way.given);
            if best.get(&key).is_none_or(|(held, known, _)| (size, &places) < (*held, known)) {
                best.insert(key, (size, places, way.given.clone()));
            }
        }
    }
    for (key, (size, places, given)) in best {
        let need = key.0;
        let group = groups.entry(key).or_insert_with(|| Group {
            need,
            of: Vec::new(),
            seen: Vec::new(),
            change: None,
        });
        group.of.push((String::from(class), of.1));
        group.seen.push(Candidate { size, places, given, classes: of.0, stage: of.1 });
    }
}

/// Of each direction the smallest situation in which the decision changes so.
fn smallest_of(
    pair: &mut Pair<'_, '_, '_>,
    sides: &Sides,
    (stopped, rule): &Stops,
    of: ((ClassId, ClassId), Stage),
    together: &mut BTreeMap<Direction, (usize, Candidate, Option<Fact>)>,
) -> Result<(), TooMany> {
    let needs: Vec<&[Joint]> = sides.needs.iter().map(|need| need.ways.as_slice()).collect();
    let outcomes = pair.outcomes(&needs, sides, *stopped, usize::MAX)?;
    let mut best: BTreeMap<Direction, (usize, _)> = BTreeMap::new();
    for (outcome, size) in outcomes.iter() {
        let Some(direction) = pair.direction(outcome, sides) else { continue };
        if best.get(&direction).is_none_or(|(held, _)| size < *held) {
            best.insert(direction, (size, *outcome));
        }
    }
    for (direction, (size, outcome)) in best {
        let size = size.saturating_add(usize::from(rule.is_some()));
        if together.get(&direction).is_some_and(|(held, _, _)| *held <= size) {
            continue;
        }
        let given = outcomes.given(&outcome).ok_or(TooMany)?;
        let (places, _) = smallest(pair.old.domains, &given);
        let candidate = Candidate { size, places, given, classes: of.0, stage: of.1 };
        together.insert(direction, (size, candidate, rule.clone()));
    }
    Ok(())
}

/// What both decide in a situation, where that is not the same.
fn shown(
    pair: &Pair<'_, '_, '_>,
    names: &Names,
    operations: (OperationId, OperationId),
    candidate: &Candidate,
    told: Vec<Fact>,
) -> Option<(Direction, usize, Shown, Shown)> {
    let (stage, size) = (candidate.stage, told.len());
    let ours: Vec<Fact> = told.iter().filter(|fact| fact.is_of(pair.old.matrix)).cloned().collect();
    let theirs: Vec<Fact> = told.into_iter().filter_map(|fact| names.fact_of(fact)).collect();
    let side = |prover: &Prover<'_>, operation, class, facts: Vec<Fact>| {
        let decision = prover.explorer((operation, class, stage))?.decided(&facts)?;
        Some(Shown { situation: Situation { operation, class, stage, facts }, decision })
    };
    let old = side(pair.old, operations.0, candidate.classes.0, ours)?;
    let new = side(pair.new, operations.1, candidate.classes.1, theirs)?;
    let direction = direction((pair.old.matrix, &old.decision), (pair.new.matrix, &new.decision))?;
    Some((direction, size, old, new))
}

/// How one decision differs from another, if it does.
fn direction(old: (&Matrix, &Decision), new: (&Matrix, &Decision)) -> Option<Direction> {
    let ((ours, one), (theirs, other)) = (old, new);
    let stricter = |is: bool| Some(if is { Direction::Stricter } else { Direction::Looser });
    if one.enforced != other.enforced {
        return stricter(other.enforced);
    }
    if one.verdict != other.verdict {
        return stricter(other.verdict > one.verdict);
    }
    if one.verdict.goes_on() && one.posture != other.posture {
        return stricter(other.posture < one.posture);
    }
    let owed = |matrix: &Matrix, owed: &[Obligation]| {
        let mut owed: Vec<String> = owed.iter().map(|of| Pair::owed(matrix, of)).collect();
        owed.sort_unstable();
        owed
    };
    let emitted = |matrix: &Matrix, emits: &[Emit]| {
        let mut emits: Vec<String> = emits.iter().map(|emit| Pair::emitted(matrix, emit)).collect();
        emits.sort_unstable();
        emits
    };
    let same = one.posture == other.posture
        && one.status == other.status
        && one.code == other.code
        && owed(ours, &one.obligations) == owed(theirs, &other.obligations)
        && emitted(ours, &one.emits) == emitted(theirs, &other.emits);
    (!same).then_some(Direction::Other)
}

/// Whether any decision differs between two matrices, where so much work may be done.
///
/// # Errors
/// They are too large to go through.
pub fn differ(old: &Matrix, new: &Matrix, work: &Work) -> Result<bool, TooMany> {
    let names = Names::of(old, new);
    let both = both(old, new);
    let same = |count: usize, other: usize| both.len() == count && both.len() == other;
    let is_missing = |classes: Vec<String>| !classes.is_empty();
    if !same(old.operations().count(), new.operations().count())
        || is_missing(missing(old.classes(), |name| new.class(name).is_some()))
        || is_missing(missing(new.classes(), |name| old.class(name).is_some()))
    {
        return Ok(true);
    }
    let classes = classes(old, new, None);
    // Each dependency has some hundred conditions.
    work.take(old.dependencies.len().saturating_add(new.dependencies.len()).saturating_mul(600))?;
    let (ours, theirs) = Domains::joined(old, new, &names);
    let prover = |matrix, domains| Prover::new(work.clone(), matrix, domains, Scope::default());
    let (mut left, mut right) = (prover(old, &ours), prover(new, &theirs));
    let mut too_many = false;
    for (one, other, _) in both {
        let mut pair = Pair::new(&mut left, &mut right, &names);
        let of = pair.old.operation(one).zip(pair.new.operation(other));
        let Ok(stops) = of.map_or(Err(TooMany), |(old, new)| joint(old, new)) else {
            too_many = true;
            continue;
        };
        for (ours, theirs, _) in &classes {
            match pair.differs((one, other), (*ours, *theirs), &stops) {
                Ok(true) => return Ok(true),
                Ok(false) => {}
                Err(TooMany) => too_many = true,
            }
        }
    }
    if too_many { Err(TooMany) } else { Ok(false) }
}
