//! Invariants: held against every situation of their operation (spec 11.2).

use alloc::format;
use alloc::string::String;
use alloc::vec::Vec;

use super::combine::{Way, combine};
use super::finding::{Code, Found};
use super::prover::{Prover, View, smallest};
use super::rules::Rules;
use crate::answer::{ObligationName, ReasonKind};
use crate::draft::InvariantCondition;
use crate::explore::{
    Answered, Case, Domains, Fact, Finding, Given, MOST_CASES, Situation, TooMany, Values, Variable,
};
use crate::matrix::Invariant;
use crate::{ClassId, DependencyId, Path, Posture, RuleKind, Stage, Verdict};

/// One thing that an invariant promises.
#[derive(Clone)]
enum Promise {
    /// No looser.
    Verdict(Verdict),
    Never(Verdict),
    /// No more open.
    Posture(Posture),
    Obligation(ObligationName),
}

fn promises(invariant: &Invariant) -> Vec<Promise> {
    let verdict = invariant.verdict.map(Promise::Verdict);
    let never = invariant.never.map(Promise::Never);
    let posture = invariant.posture.map(Promise::Posture);
    let obligation = invariant.obligation.as_ref().map(|kind| Promise::Obligation(ObligationName::of(kind)));
    [verdict, never, posture, obligation].into_iter().flatten().collect()
}

/// What matters of a need's answer for a promise.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
struct Sign {
    /// It is what a decision must have to break the promise.
    shows: bool,
    stops: bool,
    unchecked: bool,
}

/// What needs come to together.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
struct Together {
    shown: bool,
    stops: bool,
    unchecked: u64,
}

impl Promise {
    /// Nothing where no decision with this answer breaks the promise by what needs answer. A stop that comes too late
    /// counts as the stop that it was.
    fn sign(&self, answer: Option<&Answered>, past_no_return: bool, counts: bool) -> Option<Sign> {
        let verdict = answer.map_or(Verdict::Allow, |answer| answer.verdict);
        let verdict = if past_no_return && !verdict.goes_on() { Verdict::Deny } else { verdict };
        let posture = answer.map_or(Posture::Normal, |answer| answer.posture);
        let shows = match self {
            Self::Verdict(strictest) if verdict >= *strictest => return None,
            Self::Verdict(_) => true,
            // The rest of what denies is a guard too many.
            Self::Never(Verdict::Deny) if !verdict.goes_on() => return None,
            Self::Never(Verdict::Deny) => true,
            Self::Never(never) if verdict > *never => return None,
            Self::Never(never) => verdict == *never,
            Self::Posture(_) | Self::Obligation(_) if !verdict.goes_on() => return None,
            Self::Posture(most) => posture > *most,
            Self::Obligation(kind) => {
                let obliges =
                    answer.is_some_and(|answer| answer.obligations.iter().any(|of| of.kind == *kind));
                if obliges {
                    return None;
                }
                true
            }
        };
        let unchecked = counts && answer.is_some_and(|answer| answer.unchecked);
        Some(Sign { shows, stops: !verdict.goes_on(), unchecked })
    }

    fn is_broken(&self, together: &Together, most: Option<u64>) -> bool {
        let over = !together.stops && most.is_some_and(|most| together.unchecked > most);
        match self {
            Self::Never(Verdict::Deny) => over,
            // All fine is an `allow`, whatever no need shows.
            Self::Never(Verdict::Allow) | Self::Verdict(_) | Self::Obligation(_) => !over,
            Self::Never(_) | Self::Posture(_) => together.shown && !over,
        }
    }
}

/// What a `when` allows, in a class and at a stage.
type Supposition = ((ClassId, Stage), Given);

/// A promise that does not hold, and the smallest situation that shows it.
struct Broken {
    size: usize,
    situation: Situation,
    /// Which of them; none where a refuse rule breaks it.
    promise: Option<Promise>,
}

impl Prover<'_> {
    /// One invariant: whether it holds, with what is found of it.
    pub(super) fn invariant(
        &mut self,
        place: usize,
        invariant: &Invariant,
        views: &[View],
        rules: &Rules,
    ) -> Result<Option<Found>, TooMany> {
        let mut broken: Option<Broken> = None;
        let mut seen = false;
        for view in views {
            for (of, fixed) in self.supposed(invariant, view)? {
                seen = true;
                self.work.enough()?;
                let limit = broken.as_ref().map_or(usize::MAX, |held| held.size);
                let found = self.broken_in(invariant, (view, of), rules, &fixed, limit)?;
                if let Some(found) = found
                    && broken.as_ref().is_none_or(|held| found.size < held.size)
                {
                    broken = Some(found);
                }
            }
        }
        let path = Path::root().key("invariant").index(place);
        let operation = self.matrix.operation_name(invariant.operation);
        Ok(match broken {
            Some(broken) => Some(Found {
                code: Code::BrokenInvariant,
                path,
                what: format!(
                    "{operation} can come to {}, and this promises {}",
                    self.come_to(&broken),
                    promised(invariant)
                ),
                help: None,
                situation: Some(broken.situation),
            }),
            None if !seen => Some(Found {
                code: Code::VacuousInvariant,
                path,
                what: String::from("no situation is as its `when` says, so it promises nothing"),
                help: Some(format!("name only what {operation} reaches, in a condition that it can have")),
                situation: None,
            }),
            None => None,
        })
    }

    /// What `when` allows, for the classes and stages of a view; findings of targets may differ between them.
    fn supposed(&mut self, invariant: &Invariant, view: &View) -> Result<Vec<Supposition>, TooMany> {
        let mut different: Vec<Supposition> = Vec::new();
        for (class, stage) in &view.alike {
            let mut all = Vec::from([Given::default()]);
            for (id, condition) in &invariant.when {
                let boxes = self.as_supposed(view, (*class, *stage), *id, *condition);
                let both = |given: &Given| boxes.iter().filter_map(|one| given.with(one)).collect::<Vec<_>>();
                all = all.iter().flat_map(both).collect();
                self.work.take(boxes.len().saturating_add(all.len()).saturating_mul(10))?;
                if all.len() > MOST_CASES {
                    return Err(TooMany);
                }
            }
            for given in all {
                if let Some(given) = self.within(given)
                    && different.iter().all(|(_, held)| *held != given)
                {
                    different.push(((*class, *stage), given));
                }
            }
        }
        Ok(different)
    }

    /// Where a dependency is as an invariant supposes. One that a meter holds or cuts has last said no.
    fn as_supposed(
        &mut self,
        view: &View,
        (class, stage): (ClassId, Stage),
        id: DependencyId,
        condition: InvariantCondition,
    ) -> Vec<Given> {
        let found = self.findings(id, (view.operation, class, stage));
        // No fact is told of what the operation doesn't reach.
        let most = if self.reaches(view.operation, id) { found.len() } else { 1 };
        let need = view.needs.iter().find(|need| need.id == id);
        let cases = need.map_or(&[][..], |need| need.cases.as_slice());
        let is_held = |case: &&Case| {
            let kind = case.answer.as_ref().map(|answer| answer.kind);
            kind == Some(ReasonKind::Rule(RuleKind::OverLimit))
        };
        let mut held = Values::none();
        for case in cases.iter().filter(is_held) {
            match case.given.get(Variable::Condition(id)) {
                Some(values) => held.or(values),
                None => (0..found.len()).for_each(|place| held.insert(place)),
            }
        }
        let (mut free, mut limited) = (Values::none(), Values::none());
        for (place, finding) in found.iter().take(most).enumerate() {
            if finding.is_some_and(|finding| is(finding, condition)) {
                let of = if held.contains(place) { &mut limited } else { &mut free };
                of.insert(place);
            }
        }
        let meters =
            self.matrix.dependencies.get(id.index()).map_or(&[][..], |store| store.meters.as_slice());
        let condition_is = |values: Values| {
            Some(values)
                .filter(|values| values.first().is_some())
                .map(|values| Given::of(Variable::Condition(id), values))
        };
        let within = condition_is(limited).and_then(|given| {
            meters
                .iter()
                .try_fold(given, |given, meter| given.and(Variable::Reading(*meter), &Values::one(0)))
        });
        let mut boxes: Vec<Given> = condition_is(free).into_iter().chain(within).collect();
        if condition == InvariantCondition::Refused {
            for case in cases.iter().filter(is_held) {
                boxes.push(case.given.clone());
            }
        }
        boxes
    }

    fn broken_in(
        &self,
        invariant: &Invariant,
        (view, of): (&View, (ClassId, Stage)),
        rules: &Rules,
        fixed: &Given,
        limit: usize,
    ) -> Result<Option<Broken>, TooMany> {
        let situation = |facts| Situation { operation: view.operation, class: of.0, stage: of.1, facts };
        let mut best: Option<Broken> = self
            .broken_by_rule(invariant, rules, fixed)
            .map(|(size, facts)| Broken { size, situation: situation(facts), promise: None })
            .filter(|broken| broken.size < limit);
        let Ok(passed) = rules.passed() else { return Ok(best) };
        let base = usize::from(passed.is_some());
        for promise in promises(invariant) {
            let limit = best.as_ref().map_or(limit, |best| best.size).saturating_sub(base);
            if let Some((size, given)) = self.smallest_break(&promise, view, fixed, limit)? {
                let facts = facts(self.domains, &given, passed.clone());
                let size = size.saturating_add(base);
                best = Some(Broken { size, situation: situation(facts), promise: Some(promise) });
            }
        }
        Ok(best)
    }

    /// Fewer facts first: most of what breaks a promise takes one or two.
    fn smallest_break(
        &self,
        promise: &Promise,
        view: &View,
        fixed: &Given,
        limit: usize,
    ) -> Result<Option<(usize, Given)>, TooMany> {
        if let Some(found) = self.one_need_breaks(promise, view, fixed, limit) {
            return Ok(Some(found));
        }
        for within in [3, 5, usize::MAX] {
            let found = self.needs_break(promise, view, fixed, within.min(limit))?;
            if found.is_some() || within >= limit {
                return Ok(found);
            }
        }
        Ok(None)
    }

    /// Whether more guards than `max_unchecked` are passed in some situation.
    pub(super) fn is_ever_over(&self, view: &View) -> Result<bool, TooMany> {
        let over = self.needs_break(&Promise::Never(Verdict::Deny), view, &Given::default(), usize::MAX)?;
        Ok(over.is_some())
    }

    /// One need is enough to deny, whatever the others answer.
    fn one_need_breaks(
        &self,
        promise: &Promise,
        view: &View,
        fixed: &Given,
        limit: usize,
    ) -> Option<(usize, Given)> {
        let Promise::Never(Verdict::Deny) = promise else { return None };
        let cases = view.needs.iter().flat_map(|need| &need.cases);
        let denied = cases.filter(|case| {
            let verdict = case.answer.as_ref().map_or(Verdict::Allow, |answer| answer.verdict);
            verdict == Verdict::Deny || (view.past_no_return && !verdict.goes_on())
        });
        let sized = denied.filter_map(|case| {
            let given = fixed.with(&case.given)?;
            Some((smallest(self.domains, &given).1, given))
        });
        sized.filter(|(size, _)| *size < limit).min_by_key(|(size, _)| *size)
    }

    /// All needs together: the smallest situation in which the promise is broken by what each of them answers.
    fn needs_break(
        &self,
        promise: &Promise,
        view: &View,
        fixed: &Given,
        limit: usize,
    ) -> Result<Option<(usize, Given)>, TooMany> {
        let most = self.operation(view.operation).and_then(|operation| operation.max_unchecked);
        let needs: Vec<Vec<Way<Sign>>> = view
            .needs
            .iter()
            .map(|need| {
                let ways = need.cases.iter().filter_map(|case| {
                    let sign = promise.sign(case.answer.as_ref(), view.past_no_return, most.is_some())?;
                    Some(Way { given: case.given.clone(), sign })
                });
                ways.collect()
            })
            .collect();
        let needs: Vec<&[Way<Sign>]> = needs.iter().map(Vec::as_slice).collect();
        let start = Together { shown: false, stops: false, unchecked: 0 };
        let bound = most.map_or(0, |most| most.saturating_add(1));
        let outcomes = combine(self.domains, &needs, fixed, limit, start, &self.work, |held, sign| {
            let unchecked = held.unchecked.saturating_add(u64::from(sign.unchecked)).min(bound);
            Some(Together { shown: held.shown || sign.shows, stops: held.stops || sign.stops, unchecked })
        })?;
        let best = outcomes
            .iter()
            .filter(|(together, _)| promise.is_broken(together, most))
            .min_by_key(|(together, size)| (*size, **together));
        let Some((together, size)) = best else { return Ok(None) };
        // What was put together must be so; else nothing is said of it.
        let given = outcomes.given(together).ok_or(TooMany)?;
        Ok(Some((size, given)))
    }

    /// What breaks a promise, in words.
    fn come_to(&self, broken: &Broken) -> String {
        let Situation { operation, class, stage, ref facts } = broken.situation;
        let decided =
            self.explorer((operation, class, stage)).and_then(|mut explorer| explorer.decided(facts));
        let Some(decided) = decided else { return String::new() };
        let without = match &broken.promise {
            Some(Promise::Obligation(kind)) => format!(" without `{}`", kind.as_str()),
            _ => String::new(),
        };
        if decided.verdict.goes_on() {
            return format!("`{}` with the posture `{}`{without}", decided.verdict, decided.posture);
        }
        format!("`{}`", decided.verdict)
    }

    /// A refuse rule denies, whatever else is the case.
    fn broken_by_rule(
        &self,
        invariant: &Invariant,
        rules: &Rules,
        fixed: &Given,
    ) -> Option<(usize, Vec<Fact>)> {
        if invariant.never != Some(Verdict::Deny) {
            return None;
        }
        let places = 0..u16::try_from(rules.first.len()).unwrap_or(u16::MAX);
        let stops = places.filter_map(|place| rules.stopped_by(place).ok());
        let rule = stops.min_by_key(Option::is_some)?;
        let size = smallest(self.domains, fixed).1.saturating_add(usize::from(rule.is_some()));
        Some((size, facts(self.domains, fixed, rule)))
    }
}

fn is(finding: Finding, condition: InvariantCondition) -> bool {
    match condition {
        InvariantCondition::Fine => finding == Finding::Fine,
        InvariantCondition::Refused => finding == Finding::Refused,
        InvariantCondition::Failed => matches!(finding, Finding::Failed(_)),
        InvariantCondition::Fault(fault) => finding == Finding::Failed(Some(fault)),
    }
}

/// What an invariant promises, in words.
fn promised(invariant: &Invariant) -> String {
    let verdict = invariant.verdict.map(|verdict| match verdict {
        Verdict::Deny => String::from("`deny`"),
        verdict => format!("`{verdict}` or stricter"),
    });
    let never = invariant.never.map(|never| format!("never `{never}`"));
    let posture = invariant.posture.map(|posture| format!("a posture of `{posture}` at most"));
    let obligation = invariant.obligation.as_ref().map(|kind| format!("the obligation `{kind}`"));
    let all: Vec<String> = [verdict, never, posture, obligation].into_iter().flatten().collect();
    all.join(" and ")
}

/// The facts of the smallest situation in which this is given.
pub(super) fn facts(domains: &Domains, given: &Given, rule: Option<Fact>) -> Vec<Fact> {
    let (places, _) = smallest(domains, given);
    let facts = places.iter().flat_map(|(variable, place)| domains.told(*variable, *place));
    let mut facts: Vec<Fact> = facts.chain(rule).collect();
    facts.sort_unstable();
    facts
}
