//! Putting needs together (spec 4), with what stands before and after them.

use alloc::vec;
use alloc::vec::Vec;

use crate::answer::{
    Decision, Detail, Emit, NeedAnswer, Obligation, ObligationName, REFUSAL, Reason, ReasonKind,
};
use crate::matrix::{DependencyId, Matrix, RefuseRule};
use crate::needs::Asking;
use crate::report::Pass;
use crate::request::Request;
use crate::state::State;
use crate::{Enforcement, ObligationKind, Posture, Role, RuleKind, Stage, Time, Verdict};

/// What the request may do at `now`. It changes nothing; [`Signal::Decided`](crate::Signal::Decided) commits it.
///
/// Total: every request has exactly one answer, and an unknown name in it is a denial that says so.
#[must_use]
pub fn decide(matrix: &Matrix, state: &State, request: &Request, now: Time) -> Decision {
    deliberate(matrix, state, request, state.clamp(now)).decision
}

/// A decision, and what a commit needs to know of how it came about.
pub(crate) struct Deliberation {
    pub(crate) decision: Decision,
    /// What each need that was looked at answered, before the point of no return changed it; nothing where it was fine.
    pub(crate) looked_at: Vec<(DependencyId, Option<NeedAnswer>)>,
    /// Answers whose obligations and events stand in the decision, with a refuse rule's place as its rung.
    pub(crate) standing: Vec<NeedAnswer>,
    /// The stores of its meters that have failed for it.
    pub(crate) failed: Vec<DependencyId>,
}

pub(crate) fn deliberate(matrix: &Matrix, state: &State, request: &Request, now: Time) -> Deliberation {
    let known = request.operation.and_then(|id| Some((id, matrix.operations.get(id.index())?)));
    match (known, request.class) {
        (Some((operation_id, operation)), Some(class)) if !request.has_unknown_name => {
            let asking = Asking { matrix, state, request, operation_id, operation, class, now };
            let failed = asking.failed_stores();
            Deliberation { failed, ..asking.deliberate() }
        }
        _ => unknown_name(request, now),
    }
}

fn rule_reason(kind: RuleKind, now: Time) -> Reason {
    Reason {
        dependency: None,
        health: None,
        fault: None,
        rung: None,
        kind: ReasonKind::Rule(kind),
        since: now,
    }
}

/// A name that the matrix does not have is the strictest answer there is, never a guess.
fn unknown_name(request: &Request, now: Time) -> Deliberation {
    let decision = Decision {
        operation: request.operation_name.clone(),
        verdict: Verdict::Deny,
        posture: Posture::FailClosed,
        enforced: true,
        cacheable: false,
        status: 503,
        code: Some("UNKNOWN_NAME".into()),
        retry_after: None,
        obligations: Vec::new(),
        emits: Vec::new(),
        reasons: vec![rule_reason(RuleKind::UnknownName, now)],
    };
    Deliberation { decision, looked_at: Vec::new(), standing: Vec::new(), failed: Vec::new() }
}

impl Asking<'_> {
    fn deliberate(&self) -> Deliberation {
        let mut rules = (0u16..).zip(&self.operation.refuse);
        if let Some((place, rule)) = rules.find(|(_, rule)| self.holds(rule)) {
            let answers = self.answers(|role| role == Role::Observe);
            return self.stopped_by_rule(self.refused_by(rule, place), answers, RuleStop::Refuse);
        }
        let answers = self.answers(|_| true);
        let goes_on = self.not_fine(&answers).iter().all(|answer| answer.verdict.goes_on());
        if goes_on && self.operation.max_unchecked.is_some_and(|most| self.unchecked(&answers) > most) {
            return self.stopped_by_rule(self.too_many_unchecked(), answers, RuleStop::MaxUnchecked);
        }
        self.put_together(answers)
    }

    /// The stores of its meters that have failed for it, be they looked at or not.
    fn failed_stores(&self) -> Vec<DependencyId> {
        let meters = self.operation.meters.iter().filter_map(|id| self.matrix.meters.get(id.index()));
        let stores = meters.map(|meter| meter.store);
        stores.filter(|id| self.subject(*id).is_some_and(|subject| self.has_failed(&subject))).collect()
    }

    fn holds(&self, rule: &RefuseRule) -> bool {
        let attribute = |name: &str| self.request.attributes.get(name).map(AsRef::as_ref);
        rule.present.as_deref().is_none_or(|name| attribute(name).is_some())
            && rule.equals.iter().all(|(name, value)| attribute(name) == Some(value.as_ref()))
            && rule.same.as_ref().is_none_or(|(left, right)| match (attribute(left), attribute(right)) {
                (Some(left), Some(right)) => left == right,
                // Who does not say who they are may be the same person.
                _ => true,
            })
    }

    /// What each need answers now, those left behind aside.
    fn answers(&self, of: impl Fn(Role) -> bool) -> Vec<(DependencyId, Option<NeedAnswer>)> {
        let mut answers = Vec::with_capacity(self.operation.needs.len());
        for id in self.operation.needs.iter().copied() {
            let Some(subject) = self.subject(id).filter(|subject| of(subject.dependency.role)) else {
                continue;
            };
            let unlooked = subject.dependency.stage < self.request.stage
                && subject.met.report.is_none()
                && !(self.is_irreversible() && subject.dependency.role == Role::Guard);
            let before = self.request.memory.answered.get(id).filter(|_| unlooked);
            let streams = self.request.stage == Stage::Stream;
            let cut = before.filter(|_| streams).and_then(|_| self.over_limit(&subject));
            let answer = match before {
                // What is left behind uses no window.
                Some(_) if cut.is_some() => cut.map(|cut| NeedAnswer { again: true, ..cut }),
                Some(None) => continue,
                Some(Some((reason, refusal))) => Some(self.again(&subject, reason, *refusal)),
                None => self.answer(&subject),
            };
            answers.push((id, answer));
        }
        answers
    }

    /// The answers that are not fine, as they stand at this stage.
    fn not_fine(&self, answers: &[(DependencyId, Option<NeedAnswer>)]) -> Vec<NeedAnswer> {
        answers.iter().filter_map(|(_, answer)| Some(self.past_no_return(answer.clone()?))).collect()
    }

    /// Past the point of no return a stop comes too late: the answer is cut, or the act settled by other means.
    fn past_no_return(&self, mut answer: NeedAnswer) -> NeedAnswer {
        if self.is_past_no_return() && !answer.verdict.goes_on() {
            let kind =
                if self.is_irreversible() { ObligationKind::Reconcile } else { ObligationKind::CutStream };
            answer.verdict = Verdict::Withhold;
            answer.status = Some(200);
            answer.cut = true;
            answer.obligations.push(Obligation {
                kind: ObligationName::Known(kind),
                dependency: answer.reason.dependency,
                detail: Detail::None,
            });
        }
        answer
    }

    fn refused_by(&self, rule: &RefuseRule, place: u16) -> NeedAnswer {
        let also = rule.deny.also.iter().map(|name| Obligation {
            kind: ObligationName::of(name),
            dependency: None,
            detail: Detail::None,
        });
        NeedAnswer {
            reason: rule_reason(RuleKind::Refuse, self.now),
            verdict: Verdict::Deny,
            posture: Posture::Normal,
            status: rule.deny.status,
            code: rule.deny.code.clone(),
            obligations: also.collect(),
            emit: rule.deny.emit.as_ref().map(|emit| Emit {
                event: emit.event.clone(),
                dependency: None,
                reason: emit.reason.clone(),
                alert: emit.alert.clone(),
            }),
            pass: None,
            observer: false,
            wait: None,
            rung_wait: None,
            place,
            cut: false,
            again: false,
            refusal: None,
        }
    }

    fn too_many_unchecked(&self) -> NeedAnswer {
        NeedAnswer {
            reason: rule_reason(RuleKind::MaxUnchecked, self.now),
            verdict: Verdict::Deny,
            posture: Posture::FailClosed,
            status: Some(503),
            code: Some("TOO_MANY_UNCHECKED".into()),
            obligations: Vec::new(),
            emit: None,
            pass: None,
            observer: false,
            wait: None,
            rung_wait: None,
            place: REFUSAL,
            cut: false,
            again: false,
            refusal: None,
        }
    }

    /// How many guards have been passed unchecked: now, or in an earlier commit and not looked at again.
    fn unchecked(&self, answers: &[(DependencyId, Option<NeedAnswer>)]) -> u64 {
        let skipped = |answer: &Option<NeedAnswer>| {
            answer.as_ref().is_some_and(|answer| answer.pass == Some(Pass::Skipped))
        };
        let now = answers.iter().filter(|(_, answer)| skipped(answer)).count();
        let earlier = self.request.memory.passes.iter().filter(|(id, pass)| {
            **pass == Pass::Skipped && !answers.iter().any(|(looked_at, _)| looked_at == id)
        });
        u64::try_from(now.saturating_add(earlier.count())).unwrap_or(u64::MAX)
    }

    /// A rule of the operation has stopped the request: its own answer, and what observers ask for.
    fn stopped_by_rule(
        &self,
        rule: NeedAnswer,
        answers: Vec<(DependencyId, Option<NeedAnswer>)>,
        stop: RuleStop,
    ) -> Deliberation {
        let rule = self.past_no_return(rule);
        let others = self.not_fine(&answers);
        let observers = others.iter().filter(|answer| answer.observer);
        let standing: Vec<NeedAnswer> = core::iter::once(&rule).chain(observers).cloned().collect();
        let mut decision = self.decision(&rule, &standing);
        decision.posture = if rule.verdict.goes_on() {
            let theirs = others.iter().map(|answer| answer.posture).max().unwrap_or(Posture::Normal);
            theirs.max(rule.posture).max(self.remembered_posture())
        } else {
            rule.posture
        };
        decision.cacheable = stop == RuleStop::Refuse
            && (!rule.verdict.goes_on() || self.request.memory.worst_pass().is_none());
        decision.reasons = core::iter::once(&rule).chain(&others).map(|answer| answer.reason).collect();
        // After a refusal no guard or server was looked at, so nothing is answered for them.
        Deliberation { decision, looked_at: answers, standing, failed: Vec::new() }
    }

    fn put_together(&self, answers: Vec<(DependencyId, Option<NeedAnswer>)>) -> Deliberation {
        let not_fine = self.not_fine(&answers);
        let Some((place, decider)) = deciding(&not_fine) else {
            let decision = self.all_fine();
            return Deliberation { decision, looked_at: answers, standing: Vec::new(), failed: Vec::new() };
        };
        let goes_on = decider.verdict.goes_on();
        let standing: Vec<NeedAnswer> = (0..)
            .zip(&not_fine)
            .filter(|(index, answer)| goes_on || answer.observer || *index == place)
            .map(|(_, answer)| answer.clone())
            .collect();
        let mut decision = self.decision(decider, &standing);
        if goes_on {
            let theirs = not_fine.iter().map(|answer| answer.posture).max().unwrap_or(Posture::Normal);
            decision.posture = theirs.max(self.remembered_posture());
        }
        let passed =
            not_fine.iter().any(|answer| answer.pass.is_some()) || self.request.memory.worst_pass().is_some();
        let stopped_by_failure = decider.verdict != Verdict::Allow && !decider.is_refusal();
        decision.cacheable = !(stopped_by_failure || (goes_on && passed));
        if !goes_on {
            let stops = not_fine.iter().filter(|answer| !answer.verdict.goes_on() && !answer.is_refusal());
            decision.retry_after = stops.filter_map(|answer| answer.wait).max();
        }
        let others =
            (0..).zip(&not_fine).filter(|(index, _)| *index != place).map(|(_, answer)| answer.reason);
        decision.reasons = core::iter::once(decider.reason).chain(others).collect();
        Deliberation { decision, standing, looked_at: answers, failed: Vec::new() }
    }

    fn remembered_posture(&self) -> Posture {
        match self.request.memory.worst_pass() {
            Some(Pass::Skipped) => Posture::FailOpen,
            Some(Pass::Replaced) => Posture::FailSoft,
            None => Posture::Normal,
        }
    }

    fn all_fine(&self) -> Decision {
        Decision {
            operation: self.operation.name.clone(),
            verdict: Verdict::Allow,
            posture: self.remembered_posture(),
            enforced: self.operation.enforcement == Enforcement::Enforce,
            cacheable: self.request.memory.worst_pass().is_none(),
            status: 200,
            code: None,
            retry_after: None,
            obligations: Vec::new(),
            emits: Vec::new(),
            reasons: Vec::new(),
        }
    }

    /// What the deciding answer gives, with the obligations and events of all that stand. Each names its dependency,
    /// and a rung's own are told apart when it is compiled, so none stands twice.
    fn decision(&self, decider: &NeedAnswer, standing: &[NeedAnswer]) -> Decision {
        let mut obligations: Vec<Obligation> = Vec::new();
        let mut emits: Vec<Emit> = Vec::new();
        for answer in standing {
            obligations.extend(answer.obligations.iter().cloned());
            emits.extend(answer.emit.clone());
        }
        Decision {
            operation: self.operation.name.clone(),
            verdict: decider.verdict,
            posture: decider.posture,
            enforced: self.operation.enforcement == Enforcement::Enforce,
            cacheable: false,
            status: decider.status.unwrap_or_else(|| decider.verdict.status()),
            code: decider.code.clone(),
            retry_after: None,
            obligations,
            emits,
            reasons: Vec::new(),
        }
    }
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum RuleStop {
    Refuse,
    MaxUnchecked,
}

/// The strictest; among equals a refusal before a failure, then pipeline order.
fn deciding(answers: &[NeedAnswer]) -> Option<(usize, &NeedAnswer)> {
    let mut best: Option<(usize, &NeedAnswer)> = None;
    for (index, answer) in answers.iter().enumerate() {
        let rank = |answer: &NeedAnswer| (answer.verdict, answer.is_refusal());
        if best.is_none_or(|(_, held)| rank(answer) > rank(held)) {
            best = Some((index, answer));
        }
    }
    best
}
