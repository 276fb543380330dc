//! Two matrices side by side: in which situations a decision differs, and how (spec 11.4).

use alloc::collections::{BTreeMap, BTreeSet};
use alloc::format;
use alloc::rc::Rc;
use alloc::string::String;
use alloc::sync::Arc;
use alloc::vec::Vec;

use super::combine::{Outcomes, Way, combine};
use super::invariants::facts;
use super::prover::{Need, Prover, View};
use super::rules::Stops;
use crate::answer::{Detail, Emit, Obligation};
use crate::explore::{Answered, Case, Fact, Given, Names, TooMany};
use crate::matrix::{Matrix, Operation};
use crate::{ClassId, Decision, DependencyId, Enforcement, OperationId, Posture, Role, Stage, Verdict};

/// How a decision changes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Direction {
    /// More goes on, or with less in the place of what failed.
    Looser,
    /// Less does.
    Stricter,
    /// Neither: another status, code, obligation or event.
    Other,
}

impl Direction {
    /// All there are.
    pub const ALL: [Self; 3] = [Self::Looser, Self::Stricter, Self::Other];

    /// Its name.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Looser => "looser",
            Self::Stricter => "stricter",
            Self::Other => "other",
        }
    }
}

/// Numbers for what is the same in a decision: statuses and codes, obligations and events.
#[derive(Default)]
pub(super) struct Contents(BTreeMap<String, u32>);

impl Contents {
    fn number(&mut self, text: String) -> u32 {
        let next = u32::try_from(self.0.len()).unwrap_or(u32::MAX);
        *self.0.entry(text).or_insert(next)
    }

    fn head(&mut self, status: u16, code: Option<&Arc<str>>) -> u32 {
        self.number(format!("{status} {code:?}"))
    }
}

/// What matters of a need's answer on one side.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Sign {
    pub(super) verdict: Verdict,
    refusal: bool,
    pub(super) posture: Posture,
    unchecked: bool,
    head: u32,
    owes: u32,
}

/// The same on both; nothing where a need is fine, or is none of that side.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Both {
    pub(super) old: Option<Sign>,
    pub(super) new: Option<Sign>,
    /// The need's number among those of both.
    number: usize,
    /// Its place in each pipeline.
    places: (usize, usize),
    observers: (bool, bool),
}

/// The need that decides on one side, and what it owes on both: a decision that stops owes what it asks for, and what
/// observers do.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
struct Decider {
    need: usize,
    owes: (u32, u32),
    observers: (bool, bool),
}

impl Decider {
    /// As an observer it owes something on one side that it does not on the other.
    fn differs(&self) -> bool {
        self.owed(None) != self.owed_by_new(None)
    }

    /// What it owes in the old one, where the need that decides there is known.
    fn owed(&self, decider: Option<Decider>) -> u32 {
        let owes = self.observers.0 || decider.is_some_and(|decider| decider.need == self.need);
        if owes { self.owes.0 } else { 0 }
    }

    /// The same in the new one.
    fn owed_by_new(&self, decider: Option<Decider>) -> u32 {
        let owes = self.observers.1 || decider.is_some_and(|decider| decider.need == self.need);
        if owes { self.owes.1 } else { 0 }
    }
}

/// What one side comes to.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
struct Side {
    rank: Option<(Verdict, bool, usize)>,
    decider: Option<Decider>,
    head: u32,
    /// What a refuse rule asks for.
    owes: u32,
    posture: Posture,
    all: Posture,
    unchecked: u64,
    /// A refuse rule has stopped it.
    by_rule: bool,
}

/// What both come to.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Together {
    old: Side,
    new: Side,
    /// A need owes something else.
    owe_other: bool,
    /// An observer does, of those that decide on neither side.
    observers_owe_other: bool,
}

/// Both matrices, and what makes one thing of two.
pub(super) struct Pair<'a, 'm, 'n> {
    pub(super) old: &'a mut Prover<'m>,
    pub(super) new: &'a mut Prover<'n>,
    names: &'a Names,
    contents: Contents,
    over: Over,
    /// Status and code where all is fine.
    fine: u32,
    known: BTreeMap<PairKey, (Rc<Vec<Joint>>, bool)>,
}

/// One operation of both, in a class and at a stage.
pub(super) struct Sides {
    pub(super) old: View,
    pub(super) new: View,
    /// Each need of either.
    pub(super) needs: Vec<Paired>,
}

impl Sides {
    /// Where this is the same, so is everything that both come to.
    pub(super) fn key(&self) -> impl Ord + use<> {
        let number = |need: &Option<Rc<Need>>| need.as_ref().map(|need| need.number);
        let needs: Vec<_> = self.needs.iter().map(|need| (number(&need.old), number(&need.new))).collect();
        (needs, self.old.past_no_return, self.new.past_no_return)
    }
}

/// A need of either side, with its answers on both.
pub(super) struct Paired {
    pub(super) id: DependencyId,
    pub(super) old: Option<Rc<Need>>,
    pub(super) new: Option<Rc<Need>>,
    pub(super) ways: Rc<Vec<Joint>>,
    /// Whether one of its answers differs.
    pub(super) differs: bool,
}

/// Where two cases of a need meet: their places, and what they come to.
pub(super) type Joint = (Way<Both>, (Option<usize>, Option<usize>));

/// Two needs by their numbers, and their places in the pipelines.
type PairKey = (Option<usize>, Option<usize>, (usize, usize));

impl<'a, 'm, 'n> Pair<'a, 'm, 'n> {
    pub(super) fn new(old: &'a mut Prover<'m>, new: &'a mut Prover<'n>, names: &'a Names) -> Self {
        let mut contents = Contents::default();
        let nothing = contents.number(String::new());
        let code = Some(Arc::<str>::from("TOO_MANY_UNCHECKED"));
        let over = Over {
            early: (contents.head(503, code.as_ref()), nothing),
            late: (contents.head(200, code.as_ref()), contents.number(String::from("cut"))),
        };
        let fine = contents.head(200, None);
        Self { old, new, names, contents, over, fine, known: BTreeMap::new() }
    }

    pub(super) fn sides(
        &mut self,
        operations: (OperationId, OperationId),
        classes: (ClassId, ClassId),
        stage: Stage,
    ) -> Result<Sides, TooMany> {
        let old = self.old.view(operations.0, classes.0, stage)?;
        let new = self.new.view(operations.1, classes.1, stage)?;
        let theirs: Vec<DependencyId> = new.needs.iter().map(|need| self.names.dependency(need.id)).collect();
        let mut pairs = Vec::new();
        for (place, need) in old.needs.iter().enumerate() {
            let other = theirs.iter().position(|id| *id == need.id);
            let other = other.and_then(|place| Some((place, new.needs.get(place)?)));
            pairs.push((need.id, Some((place, need)), other));
        }
        for (place, (need, id)) in new.needs.iter().zip(&theirs).enumerate() {
            if old.needs.iter().all(|known| known.id != *id) {
                pairs.push((*id, None, Some((place, need))));
            }
        }
        let mut needs = Vec::new();
        for (id, ours, theirs) in pairs {
            let place = |need: Option<(usize, &Rc<Need>)>| need.map_or(0, |(place, _)| place);
            let number = |need: Option<(usize, &Rc<Need>)>| need.map(|(_, need)| need.number);
            let key = (number(ours), number(theirs), (place(ours), place(theirs)));
            if !self.known.contains_key(&key) {
                let ways = self.ways(ours, theirs, (&old, &new), id.index())?;
                let differs = ways.iter().any(|(way, _)| way.sign.old != way.sign.new);
                self.known.insert(key, (Rc::new(ways), differs));
            }
            let Some((ways, differs)) = self.known.get(&key).cloned() else { continue };
            let held = |need: Option<(usize, &Rc<Need>)>| need.map(|(_, need)| need.clone());
            needs.push(Paired { id, old: held(ours), new: held(theirs), ways, differs });
        }
        Ok(Sides { old, new, needs })
    }

    /// What a need answers on both sides, wherever that can be at once.
    fn ways(
        &mut self,
        old: Option<(usize, &Rc<Need>)>,
        new: Option<(usize, &Rc<Need>)>,
        views: (&View, &View),
        number: usize,
    ) -> Result<Vec<Joint>, TooMany> {
        let role =
            |need: Option<(usize, &Rc<Need>)>| need.is_some_and(|(_, need)| need.role == Role::Observe);
        let places = (old.map_or(0, |(place, _)| place), new.map_or(0, |(place, _)| place));
        let observers = (role(old), role(new));
        let matrices = (self.old.matrix, self.new.matrix);
        let way = |given, old, new, cases| {
            (Way { given, sign: Both { old, new, number, places, observers } }, cases)
        };
        let signs = |contents: &mut Contents, matrix: &Matrix, view: &View, cases: &[Case]| {
            let irreversible = matrix.effect(view.operation) == crate::Effect::Irreversible;
            let late = view.past_no_return.then_some(irreversible);
            // Many cases come to few answers.
            let mut known: Vec<(&Answered, Sign)> = Vec::new();
            let mut sign = |answer| {
                if let Some((_, sign)) = known.iter().find(|(held, _)| *held == answer) {
                    return *sign;
                }
                let sign = sign(contents, matrix, answer, late);
                known.push((answer, sign));
                sign
            };
            cases.iter().map(|case| case.answer.as_ref().map(&mut sign)).collect::<Vec<Option<Sign>>>()
        };
        let ours: Vec<(&Given, Option<Sign>)> = match old {
            Some((_, need)) => {
                let signs = signs(&mut self.contents, matrices.0, views.0, &need.cases);
                need.cases.iter().map(|case| &case.given).zip(signs).collect()
            }
            None => Vec::new(),
        };
        let theirs: Vec<(Given, Option<Sign>)> = match new {
            Some((_, need)) => {
                let signs = signs(&mut self.contents, matrices.1, views.1, &need.cases);
                need.cases.iter().map(|case| self.names.given(&case.given)).zip(signs).collect()
            }
            None => Vec::new(),
        };
        if new.is_none() {
            let ways = ours.into_iter().enumerate();
            return Ok(ways
                .map(|(place, (given, sign))| way(given.clone(), sign, None, (Some(place), None)))
                .collect());
        }
        if old.is_none() {
            let ways = theirs.into_iter().enumerate();
            return Ok(ways
                .map(|(place, (given, sign))| way(given, None, sign, (None, Some(place))))
                .collect());
        }
        let mut ways = Vec::new();
        let alike =
            ours.len() == theirs.len() && ours.iter().zip(&theirs).all(|(one, other)| *one.0 == other.0);
        if alike {
            for (place, ((given, one), (_, other))) in ours.iter().zip(&theirs).enumerate() {
                ways.push(way((*given).clone(), *one, *other, (Some(place), Some(place))));
            }
            return Ok(ways);
        }
        self.old.work.take(ours.len().saturating_mul(theirs.len()))?;
        for (place, (given, one)) in ours.iter().enumerate() {
            for (other_place, (other_given, other)) in theirs.iter().enumerate() {
                if given.meets(other_given)
                    && let Some(both) = given.with(other_given)
                {
                    ways.push(way(both, *one, *other, (Some(place), Some(other_place))));
                }
            }
            if ways.len() > crate::explore::MOST_CASES.saturating_mul(10) {
                return Err(TooMany);
            }
        }
        Ok(ways)
    }

    /// Whether anything at all is otherwise: an answer, or what the operation itself says.
    pub(super) fn may_differ(&self, sides: &Sides) -> bool {
        let (old, new) = (self.old.operation(sides.old.operation), self.new.operation(sides.new.operation));
        let operations = old.zip(new).is_some_and(|(old, new)| {
            (old.max_unchecked, old.enforcement, old.effect, &old.refuse)
                == (new.max_unchecked, new.enforcement, new.effect, &new.refuse)
        });
        let pipeline = |view: &View, name: &dyn Fn(DependencyId) -> DependencyId| {
            view.needs.iter().map(|need| (name(need.id), need.role)).collect::<Vec<_>>()
        };
        let same_order =
            pipeline(&sides.old, &|id| id) == pipeline(&sides.new, &|id| self.names.dependency(id));
        !operations
            || !same_order
            || sides.needs.iter().any(|need| need.differs)
            || sides.old.past_no_return != sides.new.past_no_return
    }

    /// Whether a decision differs in a situation that is the smallest in which some need is answered otherwise.
    pub(super) fn shows_at_once(&self, sides: &Sides, stage: Stage, passed: Option<&Fact>) -> bool {
        let (ours, theirs) = (sides.old.first().0, sides.new.first().0);
        let old = self.old.explorer((sides.old.operation, ours, stage));
        let new = self.new.explorer((sides.new.operation, theirs, stage));
        let Some((mut old, mut new)) = old.zip(new) else { return false };
        let differing = sides.needs.iter().filter(|need| need.differs).flat_map(|need| need.ways.iter());
        { differing }.any(|(way, _)| {
            way.sign.old != way.sign.new && {
                let told = facts(self.old.domains, &way.given, passed.cloned());
                let decisions = (old.decided(&told), new.decided(&told));
                matches!(decisions, (Some(one), Some(other)) if shown(&one) != shown(&other))
            }
        })
    }

    /// Everything that both sides can come to, where refuse rules leave them so.
    pub(super) fn outcomes<'s>(
        &mut self,
        needs: &'s [&'s [Joint]],
        sides: &Sides,
        stopped: (Option<u16>, Option<u16>),
        limit: usize,
    ) -> Result<Outcomes<'s, Joint, Together>, TooMany>
    where
        'm: 's,
    {
        let most = (bound(self.old, &sides.old), bound(self.new, &sides.new));
        let old = self.begin(true, &sides.old, stopped.0);
        let new = self.begin(false, &sides.new, stopped.1);
        let start = Together { old, new, owe_other: false, observers_owe_other: false };
        let work = self.old.work.clone();
        combine(self.old.domains, needs, &Given::default(), limit, start, &work, |held, both| {
            let old = both.old.filter(|_| !held.old.by_rule || both.observers.0);
            let new = both.new.filter(|_| !held.new.by_rule || both.observers.1);
            let owes = |sign: Option<Sign>| sign.map_or(0, |sign| sign.owes);
            let need = Decider { need: both.number, owes: (owes(old), owes(new)), observers: both.observers };
            let next = Together {
                old: held.old.join(old, (both.places.0, need), most.0),
                new: held.new.join(new, (both.places.1, need), most.1),
                owe_other: held.owe_other || need.owes.0 != need.owes.1,
                observers_owe_other: held.observers_owe_other,
            };
            // Who decides no more, or never did, owes what an observer owes.
            let decides = |of: &Decider| {
                [next.old.decider, next.new.decider]
                    .into_iter()
                    .flatten()
                    .any(|decider| decider.need == of.need)
            };
            let others = [held.old.decider, held.new.decider, Some(need)].into_iter().flatten();
            let differ = { others }.any(|of| !decides(&of) && of.differs());
            Some(Together { observers_owe_other: next.observers_owe_other || differ, ..next })
        })
    }

    /// Whether some decision of an operation differs, at any stage, where the rules stop as `stops` says.
    pub(super) fn differs(
        &mut self,
        operations: (OperationId, OperationId),
        classes: (ClassId, ClassId),
        stops: &[Stops],
    ) -> Result<bool, TooMany> {
        let mut known = BTreeSet::new();
        for stage in Stage::ALL {
            let sides = self.sides(operations, classes, *stage)?;
            if !self.may_differ(&sides) || !known.insert(sides.key()) {
                continue;
            }
            // Where one need is answered otherwise the decision often is, too; else all of them must be put together.
            let passed = stops.iter().find(|(stopped, _)| *stopped == (None, None));
            if passed.is_some_and(|(_, fact)| self.shows_at_once(&sides, *stage, fact.as_ref())) {
                return Ok(true);
            }
            let needs: Vec<&[Joint]> = sides.needs.iter().map(|need| need.ways.as_slice()).collect();
            for (stopped, _) in stops {
                let outcomes = self.outcomes(&needs, &sides, *stopped, usize::MAX)?;
                if outcomes.iter().any(|(together, _)| self.direction(together, &sides).is_some()) {
                    return Ok(true);
                }
            }
        }
        Ok(false)
    }

    /// What a side is before any need is looked at.
    fn begin(&mut self, is_old: bool, view: &View, stopped: Option<u16>) -> Side {
        let matrix = if is_old { self.old.matrix } else { self.new.matrix };
        let mut side = Side {
            rank: None,
            decider: None,
            head: self.fine,
            owes: 0,
            posture: Posture::Normal,
            all: Posture::Normal,
            unchecked: 0,
            by_rule: false,
        };
        let rule = stopped
            .and_then(|place| matrix.operations.get(view.operation.index())?.refuse.get(usize::from(place)));
        if let Some(rule) = rule {
            let late = view.past_no_return;
            side.by_rule = true;
            side.rank = Some((if late { Verdict::Withhold } else { Verdict::Deny }, true, 0));
            let status = if late { 200 } else { rule.deny.status.unwrap_or(Verdict::Deny.status()) };
            side.head = self.contents.head(status, rule.deny.code.as_ref());
            let cut = late.then(|| matrix.effect(view.operation));
            side.owes = self.contents.number(format!("{:?} {:?} {cut:?}", rule.deny.also, rule.deny.emit));
        }
        side
    }

    /// How a decision differs where both sides come to this.
    pub(super) fn direction(&self, together: &Together, sides: &Sides) -> Option<Direction> {
        let operation = (self.old.operation(sides.old.operation)?, self.new.operation(sides.new.operation)?);
        let over = self.over;
        let old = together.old.decided(operation.0, sides.old.past_no_return, &over);
        let new = together.new.decided(operation.1, sides.new.past_no_return, &over);
        let enforced = |operation: &Operation| operation.enforcement == Enforcement::Enforce;
        let stricter = |is: bool| Some(if is { Direction::Stricter } else { Direction::Looser });
        if enforced(operation.0) != enforced(operation.1) {
            return stricter(enforced(operation.1));
        }
        if old.verdict != new.verdict {
            return stricter(new.verdict > old.verdict);
        }
        if old.verdict.goes_on() && old.posture != new.posture {
            return stricter(new.posture < old.posture);
        }
        let owe_other = match (old.alone, new.alone) {
            (None, None) => together.owe_other,
            (Some(mine), Some(theirs)) => {
                let deciders = (
                    together.old.decider.filter(|_| old.by_need),
                    together.new.decider.filter(|_| new.by_need),
                );
                let known = [together.old.decider, together.new.decider];
                mine != theirs || together.observers_owe_other || { known.into_iter().flatten() }
                    .any(|need| need.owed(deciders.0) != need.owed_by_new(deciders.1))
            }
            _ => true,
        };
        let other = old.posture != new.posture || old.head != new.head || owe_other;
        other.then_some(Direction::Other)
    }
}

/// What is compared of two decisions of matrices with the same names.
pub(super) fn shown(decision: &Decision) -> impl PartialEq + use<'_> {
    let Decision { verdict, posture, enforced, status, code, obligations, emits, .. } = decision;
    (verdict, posture, enforced, status, code, obligations, emits)
}

/// How many guards may be passed unchecked.
fn bound(prover: &Prover<'_>, view: &View) -> Option<u64> {
    prover.operation(view.operation).and_then(|operation| operation.max_unchecked)
}

/// Status and code, and what is owed, where too many guards would be passed unchecked.
#[derive(Clone, Copy)]
pub(super) struct Over {
    early: (u32, u32),
    late: (u32, u32),
}

/// What a decision shows.
struct Decided {
    verdict: Verdict,
    posture: Posture,
    head: u32,
    /// What it owes beside what needs do; nothing where every need's is owed.
    alone: Option<u32>,
    /// A need has decided, and stops.
    by_need: bool,
}

impl Side {
    fn join(self, sign: Option<Sign>, (place, need): (usize, Decider), most: Option<u64>) -> Self {
        let Some(sign) = sign else { return self };
        if self.by_rule {
            return Self { all: self.all.max(sign.posture), ..self };
        }
        let rank =
            |(verdict, refusal, place): (Verdict, bool, usize)| (verdict, refusal, core::cmp::Reverse(place));
        let mine = (sign.verdict, sign.refusal, place);
        let decides = self.rank.is_none_or(|held| rank(mine) > rank(held));
        let bound = most.map_or(0, |most| most.saturating_add(1));
        let held = if decides {
            Self { rank: Some(mine), decider: Some(need), head: sign.head, posture: sign.posture, ..self }
        } else {
            self
        };
        Self {
            all: held.all.max(sign.posture),
            unchecked: held.unchecked.saturating_add(u64::from(sign.unchecked)).min(bound),
            ..held
        }
    }

    fn decided(&self, operation: &Operation, past_no_return: bool, over: &Over) -> Decided {
        let verdict = self.rank.map_or(Verdict::Allow, |(verdict, _, _)| verdict);
        let goes_on = verdict.goes_on();
        let too_many =
            !self.by_rule && goes_on && operation.max_unchecked.is_some_and(|most| self.unchecked > most);
        if too_many {
            let posture =
                if past_no_return { self.all.max(Posture::FailClosed) } else { Posture::FailClosed };
            let verdict = if past_no_return { Verdict::Withhold } else { Verdict::Deny };
            let (head, owes) = if past_no_return { over.late } else { over.early };
            return Decided { verdict, posture, head, alone: Some(owes), by_need: false };
        }
        Decided {
            verdict,
            posture: if goes_on { self.all } else { self.posture },
            head: self.head,
            alone: Some(self.owes).filter(|_| self.by_rule || !goes_on),
            by_need: !self.by_rule && !goes_on,
        }
    }
}

/// What matters of an answer. Past the point of no return a stop is converted: `late` says whether the act is irreversible.
fn sign(contents: &mut Contents, matrix: &Matrix, answer: &Answered, late: Option<bool>) -> Sign {
    let cut = late.filter(|_| !answer.verdict.goes_on());
    let status = if cut.is_some() { 200 } else { answer.status };
    let mut owed: Vec<String> =
        answer.obligations.iter().map(|obligation| Pair::owed(matrix, obligation)).collect();
    owed.extend(cut.map(|irreversible| format!("cut {irreversible}")));
    owed.sort_unstable();
    let emit = answer.emit.as_ref().map(|emit| Pair::emitted(matrix, emit));
    let nothing = owed.is_empty() && emit.is_none();
    Sign {
        verdict: if cut.is_some() { Verdict::Withhold } else { answer.verdict },
        refusal: answer.refusal,
        posture: answer.posture,
        unchecked: answer.unchecked,
        head: contents.head(status, answer.code.as_ref()),
        owes: if nothing { 0 } else { contents.number(format!("{owed:?} {emit:?}")) },
    }
}

impl Pair<'_, '_, '_> {
    /// An answer, for a person: what it was before any conversion.
    pub(super) fn told(matrix: &Matrix, case: Option<&Case>) -> String {
        let Some(answer) = case.and_then(|case| case.answer.as_ref()) else { return String::new() };
        let owed: Vec<String> = answer.obligations.iter().map(|of| Self::owed(matrix, of)).collect();
        let emit = answer.emit.as_ref().map(|emit| Self::emitted(matrix, emit));
        let Answered { verdict, posture, status, code, .. } = answer;
        format!("{verdict} {posture} {status} {code:?} {owed:?} {emit:?}")
    }

    /// An obligation, by names.
    pub(super) fn owed(matrix: &Matrix, obligation: &Obligation) -> String {
        let of = obligation.dependency.map_or("", |id| matrix.dependency_name(id));
        let detail = match &obligation.detail {
            Detail::To(id) => format!("to {}", matrix.dependency_name(*id)),
            Detail::Meter(id) => format!("meter {}", matrix.meter_name(*id)),
            other => format!("{other:?}"),
        };
        format!("{of} {:?} {detail}", obligation.kind)
    }

    /// An event, by names.
    pub(super) fn emitted(matrix: &Matrix, emit: &Emit) -> String {
        let of = emit.dependency.map_or("", |id| matrix.dependency_name(id));
        format!("{of} {} {:?} {:?}", emit.event, emit.reason, emit.alert)
    }
}
