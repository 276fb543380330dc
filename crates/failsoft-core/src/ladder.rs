//! Reading a ladder: the first rung that its `when`, the laws and its availability leave standing (spec 3).

use alloc::sync::Arc;
use alloc::vec;
use alloc::vec::Vec;

use crate::answer::{
    Detail, Emit, NeedAnswer, Obligation, ObligationName, REFUSAL, Reason, ReasonKind, Refusal,
};
use crate::draft::LastKnownOf;
use crate::matrix::{Action, DependencyId, Rung, Situation};
use crate::needs::{Asking, Condition, Failure, Source, Subject, caller_haste, tightens};
use crate::report::{Pass, Report};
use crate::request::Met;
use crate::{
    Effect, Fault, Health, Millis, ObligationKind, Posture, Role, RuleKind, RungKind, Time, Verdict,
};

/// A rung that stands: what it makes, and the wait that it asks for.
pub(crate) struct Standing {
    pub(crate) obligation: Option<(ObligationName, Detail)>,
    wait: Option<Millis>,
}

impl Standing {
    fn plain() -> Self {
        Self { obligation: None, wait: None }
    }

    fn with(kind: ObligationKind, detail: Detail) -> Self {
        Self { obligation: Some((ObligationName::Known(kind), detail)), wait: None }
    }
}

fn mark_unchecked(guard: DependencyId) -> Obligation {
    Obligation {
        kind: ObligationName::Known(ObligationKind::MarkUnchecked),
        dependency: Some(guard),
        detail: Detail::None,
    }
}

/// What is ruled out in the rest of a ladder.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Bar {
    Nothing,
    /// Rungs with nothing in the place of what failed.
    FailOpen,
    /// Every rung that lets the request go on.
    GoingOn,
}

impl Bar {
    pub(crate) fn rules_out(self, rung: &Rung) -> bool {
        match self {
            Self::Nothing => false,
            Self::FailOpen => rung.posture == Posture::FailOpen,
            Self::GoingOn => rung.verdict().goes_on(),
        }
    }
}

impl<'a> Asking<'a> {
    /// What the need answers; nothing where it is fine.
    pub(crate) fn answer(&self, subject: &Subject<'a>) -> Option<NeedAnswer> {
        if let Some(over) = self.over_limit(subject) {
            return Some(over);
        }
        if let Some(since) = self.skipped_since(subject) {
            return Some(self.skipped(subject, since));
        }
        match self.condition(subject) {
            Condition::Fine => None,
            Condition::Refused => Some(self.refused(subject)),
            Condition::Failed(failure) => Some(self.failed(subject, failure)),
        }
    }

    /// Whether it has failed for this request, or an operator skips it.
    pub(crate) fn has_failed(&self, subject: &Subject<'a>) -> bool {
        self.skipped_since(subject).is_some() || matches!(self.condition(subject), Condition::Failed(_))
    }

    pub(crate) fn skipped_since(&self, subject: &Subject<'a>) -> Option<Time> {
        subject.vital.glass_broken_since().filter(|_| self.may_be_skipped(subject))
    }

    /// Break-glass takes the place of a guard's silence or failure, never of its own word or the caller's doing.
    fn may_be_skipped(&self, subject: &Subject<'a>) -> bool {
        !self.is_irreversible()
            && match subject.met.report {
                Some((Report::Ok | Report::Refused, _)) => false,
                Some((Report::Failed(fault), _)) => !caller_haste(subject, fault).caller(),
                None => true,
            }
    }

    pub(crate) fn skipped(&self, subject: &Subject<'a>, since: Time) -> NeedAnswer {
        let mut answer = self.ran_out(subject, Verdict::Allow, 200, None);
        answer.posture = Posture::FailOpen;
        answer.pass = Some(Pass::Skipped);
        answer.reason.kind = ReasonKind::Rule(RuleKind::BreakGlass);
        answer.reason.fault = subject.met.report.map(|(report, _)| report);
        answer.reason.since = since;
        answer.obligations.push(mark_unchecked(subject.id));
        answer
    }

    pub(crate) fn refused(&self, subject: &Subject<'a>) -> NeedAnswer {
        self.refused_as(subject, self.refusal_written(subject, Source::Request))
    }

    /// Whether the rung that is written answers a no; `source` is who speaks against the dependency.
    pub(crate) fn refusal_written(&self, subject: &Subject<'a>, source: Source) -> bool {
        let situation = self.situation(subject, Failure { fault: None, source });
        subject.dependency.refusal.as_ref().is_some_and(|rung| {
            // What can't be taken back does not go on after a no, unless a server's rung names it.
            let irreversible = self.is_irreversible() && rung.verdict().goes_on();
            let named = rung.when.effect.names(Effect::Irreversible.number());
            let lawful = !irreversible || (named && subject.dependency.role == Role::Serve);
            lawful && rung.when.matches(&situation)
        })
    }

    /// A no, answered by the rung that is written or by the default.
    pub(crate) fn refused_as(&self, subject: &Subject<'a>, written: bool) -> NeedAnswer {
        let mut answer = match subject.dependency.refusal.as_ref().filter(|_| written) {
            Some(rung) => {
                // A refusal's rung is always available; a name of the host's own is all that it can make.
                let standing = match &rung.action {
                    Action::Named { name } => {
                        Standing { obligation: Some((ObligationName::of(name), Detail::None)), wait: None }
                    }
                    Action::Withhold => Standing::with(ObligationKind::WithholdOutput, Detail::None),
                    _ => Standing::plain(),
                };
                self.taken(subject, rung, 0, standing)
            }
            None => {
                let mut answer = self.ran_out(subject, Verdict::Deny, 403, Some("REFUSED"));
                answer.reason.kind = ReasonKind::Rung(RungKind::Deny);
                answer
            }
        };
        answer.posture = Posture::Normal;
        answer.pass = None;
        answer.place = REFUSAL;
        answer.refusal = Some(Refusal { written, held_by: None });
        answer.reason.fault = Some(Report::Refused);
        answer.reason.since = self.since(subject, None);
        answer
    }

    fn failed(&self, subject: &Subject<'a>, failure: Failure) -> NeedAnswer {
        let situation = self.situation(subject, failure);
        let mut bar = Bar::Nothing;
        let standing = (0u16..).zip(&subject.dependency.ladder).find_map(|(index, rung)| {
            if bar.rules_out(rung) || !self.may_answer(subject, failure, &situation, rung) {
                return None;
            }
            match self.stands(subject, failure, &situation, index, rung) {
                Ok(standing) => Some((index, rung, standing)),
                Err(passed_over) => {
                    bar = bar.max(passed_over);
                    None
                }
            }
        });
        self.answered(subject, failure, standing)
    }

    /// Whether a rung is one for this failure: its `when` matches, and no law bars it.
    pub(crate) fn may_answer(
        &self,
        subject: &Subject<'a>,
        failure: Failure,
        situation: &Situation,
        rung: &Rung,
    ) -> bool {
        rung.when.matches(situation) && self.is_lawful(subject, failure, rung)
    }

    /// Whether a rung that may answer stands; else what passing it over rules out below it.
    pub(crate) fn stands(
        &self,
        subject: &Subject<'a>,
        failure: Failure,
        situation: &Situation,
        index: u16,
        rung: &Rung,
    ) -> Result<Standing, Bar> {
        let within_cap = self.is_within_cap(subject, failure, index, rung);
        let available = self.available(subject, failure, situation, rung).filter(|_| within_cap);
        available.ok_or_else(|| self.bar_of(subject, failure, situation.health, rung, within_cap))
    }

    /// The answer to a failure: of the rung that stands, or of a ladder that ran out.
    pub(crate) fn answered(
        &self,
        subject: &Subject<'a>,
        failure: Failure,
        standing: Option<(u16, &Rung, Standing)>,
    ) -> NeedAnswer {
        let callers = failure.fault.is_some_and(Fault::caller);
        let mut answer = match standing {
            Some((index, rung, standing)) => self.taken(subject, rung, index, standing),
            None if subject.dependency.role == Role::Observe => {
                let mut answer = self.ran_out(subject, Verdict::Allow, 200, None);
                answer.posture = Posture::FailOpen;
                answer
            }
            None => {
                let fault = failure.fault.unwrap_or(Fault::Unavailable);
                self.ran_out(subject, Verdict::Deny, fault.status(), Some(fault.code()))
            }
        };
        if callers && !answer.verdict.goes_on() {
            answer.posture = Posture::Normal;
        }
        if subject.dependency.role == Role::Guard && answer.verdict.goes_on() {
            answer.pass = match answer.posture {
                Posture::FailOpen => Some(Pass::Skipped),
                Posture::FailSoft => Some(Pass::Replaced),
                Posture::FailClosed | Posture::Normal => None,
            };
        }
        if answer.pass == Some(Pass::Skipped) {
            answer.obligations.push(mark_unchecked(subject.id));
        }
        answer.reason.fault = failure.fault.map(Report::Failed);
        answer.reason.since = self.since(subject, Some(failure));
        answer.wait = if callers { None } else { self.known_wait(subject, answer.rung_wait) };
        answer
    }

    /// An answer that stopped or withheld in an earlier commit, by health alone, stands again.
    pub(crate) fn again(
        &self,
        subject: &Subject<'a>,
        reason: &Reason,
        refusal: Option<Refusal>,
    ) -> NeedAnswer {
        let fault = match reason.fault {
            Some(Report::Failed(fault)) => Some(fault),
            _ => None,
        };
        if let Some(refusal) = refusal {
            return self.refused_again(subject, reason, refusal);
        }
        let rung =
            reason.rung.and_then(|index| Some((index, subject.dependency.ladder.get(usize::from(index))?)));
        let mut answer = match rung {
            Some((index, rung)) => {
                let standing = match rung.action {
                    Action::Withhold => Standing::with(ObligationKind::WithholdOutput, Detail::None),
                    _ => Standing::plain(),
                };
                self.taken(subject, rung, index, standing)
            }
            None => {
                let fault = fault.unwrap_or(Fault::Unavailable);
                self.ran_out(subject, Verdict::Deny, fault.status(), Some(fault.code()))
            }
        };
        answer.reason = *reason;
        answer.wait = self.known_wait(subject, None);
        answer.again = true;
        answer
    }

    /// The answer that `rung` makes, before it is known how the need has failed.
    fn taken(&self, subject: &Subject<'a>, rung: &Rung, index: u16, standing: Standing) -> NeedAnswer {
        let own = standing.obligation;
        let also = rung.also.iter().map(|name| (ObligationName::of(name), Detail::None));
        let obligations = own.into_iter().chain(also).map(|(kind, detail)| Obligation {
            kind,
            dependency: Some(subject.id),
            detail,
        });
        NeedAnswer {
            reason: self.reason(subject, Some(index), rung.kind),
            verdict: rung.verdict(),
            posture: rung.posture,
            status: rung.status,
            code: rung.code.clone(),
            obligations: obligations.collect(),
            emit: rung.emit.as_ref().map(|emit| Emit {
                event: emit.event.clone(),
                dependency: Some(subject.id),
                reason: emit.reason.clone(),
                alert: emit.alert.clone(),
            }),
            pass: None,
            observer: subject.dependency.role == Role::Observe,
            wait: None,
            rung_wait: standing.wait,
            place: index,
            cut: false,
            again: false,
            refusal: None,
        }
    }

    /// What stands at the end of every ladder.
    fn ran_out(
        &self,
        subject: &Subject<'a>,
        verdict: Verdict,
        status: u16,
        code: Option<&str>,
    ) -> NeedAnswer {
        let kind = if verdict == Verdict::Deny { RungKind::Deny } else { RungKind::Allow };
        NeedAnswer {
            reason: self.reason(subject, None, kind),
            verdict,
            posture: Posture::FailClosed,
            status: Some(status),
            code: code.map(Arc::from),
            obligations: Vec::new(),
            emit: None,
            pass: None,
            observer: subject.dependency.role == Role::Observe,
            wait: None,
            rung_wait: None,
            place: REFUSAL,
            cut: false,
            again: false,
            refusal: None,
        }
    }

    fn reason(&self, subject: &Subject<'a>, rung: Option<u16>, kind: RungKind) -> Reason {
        Reason {
            dependency: Some(subject.id),
            health: Some(subject.vital.health()),
            fault: None,
            rung,
            kind: ReasonKind::Rung(kind),
            since: self.now,
        }
    }

    /// Since when it is as it is: a refusal, the caller's own fault and what only the request saw since the
    /// request first said so; all else since the dependency was last healthy.
    pub(crate) fn since(&self, subject: &Subject<'a>, failure: Option<Failure>) -> Time {
        let reported = subject.met.report.map(|(_, since)| since);
        let callers = failure.and_then(|failure| failure.fault).is_some_and(Fault::caller);
        let ailing = subject.vital.ailing_since;
        match failure.map(|failure| failure.source) {
            None => reported.unwrap_or(self.now),
            Some(Source::Silence) => self.now,
            Some(Source::Request) if callers || self.is_fine_by_health_alone(subject) => {
                reported.unwrap_or(self.now)
            }
            Some(_) => ailing.or(reported).unwrap_or(self.now),
        }
    }

    /// Whether only the request speaks against it: advice is not heard there. A circuit that is probing has not
    /// recovered yet.
    fn is_fine_by_health_alone(&self, subject: &Subject<'a>) -> bool {
        let own = Subject { met: Met::default(), vital: subject.vital.without_advice(), ..*subject };
        match own.vital.health() {
            Health::Unknown | Health::Healthy => true,
            Health::Degraded => {
                !matches!(self.condition(&own), Condition::Failed(Failure { source: Source::Health, .. }))
            }
            Health::Down | Health::Probing => false,
        }
    }

    /// Whether the laws let this failure take this rung.
    fn is_lawful(&self, subject: &Subject<'a>, failure: Failure, rung: &Rung) -> bool {
        let goes_on = rung.verdict().goes_on();
        let guard = subject.dependency.role == Role::Guard;
        let names_fault = failure.fault.is_some_and(|fault| rung.when.fault.names(fault.number()));
        if failure.fault.is_some_and(Fault::caller) {
            let lawful = match subject.dependency.role {
                Role::Observe => goes_on,
                Role::Guard => names_fault && !goes_on,
                Role::Serve => names_fault,
            };
            if !lawful {
                return false;
            }
        }
        if guard && rung.posture == Posture::FailOpen {
            let must_be_named = failure.fault.is_some_and(Fault::named_only);
            let by_operator = failure.source == Source::Health && subject.vital.is_failed_by_operator_alone();
            if (must_be_named && !names_fault) || by_operator {
                return false;
            }
        }
        if failure.source == Source::Advice {
            // For what can't be taken back degraded is failed whoever says so, and the rung need not name it.
            let names = self.is_irreversible() || rung.when.health.names(Health::Degraded.number());
            if !(names && tightens(rung.kind)) {
                return false;
            }
        }
        if self.is_irreversible()
            && subject.dependency.role != Role::Observe
            && (goes_on || rung.kind == RungKind::Retry)
        {
            let named = rung.when.effect.names(Effect::Irreversible.number());
            if !named || (guard && rung.posture != Posture::FailSoft) {
                return false;
            }
        }
        rung.kind.past_no_return() || !self.is_past_no_return()
    }

    /// What a rung would answer, whatever its cap says.
    pub(crate) fn available(
        &self,
        subject: &Subject<'a>,
        failure: Failure,
        situation: &Situation,
        rung: &Rung,
    ) -> Option<Standing> {
        match &rung.action {
            Action::Allow | Action::Deny | Action::Defer => Some(Standing::plain()),
            Action::Withhold => Some(Standing::with(ObligationKind::WithholdOutput, Detail::None)),
            Action::Named { name } => {
                Some(Standing { obligation: Some((ObligationName::of(name), Detail::None)), wait: None })
            }
            Action::LastKnown { max_age, of } => {
                let age = self.last_known_age(subject, *of);
                let young = age.is_some_and(|age| age <= *max_age);
                young.then(|| Standing::with(ObligationKind::LastKnown, Detail::None))
            }
            Action::Fallback { to } => {
                let fine = self.subject(*to).is_some_and(|target| {
                    self.condition(&target) == Condition::Fine && self.deadline_fits(&target, Millis::ZERO)
                });
                fine.then(|| Standing::with(ObligationKind::Fallback, Detail::To(*to)))
            }
            Action::LeastBad { of } => {
                let target = self.least_bad(of)?;
                Some(Standing::with(ObligationKind::Fallback, Detail::To(target)))
            }
            Action::Outbox { capacity } => {
                let depth = self.state.dependency(subject.id).map_or(u64::MAX, |known| known.outbox_depth);
                (depth < *capacity).then(|| Standing::with(ObligationKind::Outbox, Detail::Sequence(None)))
            }
            Action::LocalMeter { meter, share } => self
                .has_left(*meter, *share)
                .then(|| Standing::with(ObligationKind::LocalMeter, Detail::Meter(*meter))),
            Action::Retry { .. } => self.retry(subject, failure, situation.health, &rung.action),
        }
    }

    /// What a rung that is passed over rules out below it. What others say or do (advice, an operator, the caller,
    /// a target's no) may take a rung away, but must not open a looser one.
    pub(crate) fn bar_of(
        &self,
        subject: &Subject<'a>,
        failure: Failure,
        health: Health,
        rung: &Rung,
        within_cap: bool,
    ) -> Bar {
        if subject.dependency.role == Role::Observe || rung.posture == Posture::FailOpen {
            return Bar::Nothing;
        }
        match &rung.action {
            Action::Fallback { to } => {
                self.subject(*to).map_or(Bar::Nothing, |target| self.bar_of_target(subject, &target))
            }
            // A retry whose cap is used up is not wanted any more.
            Action::Retry { .. } if !within_cap => Bar::Nothing,
            // All but the time that the caller left speaks for it.
            Action::Retry { .. } if self.retry_wanted(subject, failure, health, &rung.action).is_some() => {
                Bar::FailOpen
            }
            _ => Bar::Nothing,
        }
    }

    pub(crate) fn bar_of_target(&self, subject: &Subject<'a>, target: &Subject<'a>) -> Bar {
        let own = Subject { vital: target.vital.without_advice(), ..*target };
        let guards = [subject, target].iter().all(|one| one.dependency.role == Role::Guard);
        match self.condition(&own) {
            Condition::Refused if guards => Bar::GoingOn,
            // Fine, and passed over: advice speaks against it, or the caller left too little time.
            Condition::Refused | Condition::Fine => Bar::FailOpen,
            Condition::Failed(Failure { fault, source: Source::Request })
                if fault.is_some_and(Fault::caller) =>
            {
                Bar::FailOpen
            }
            Condition::Failed(Failure { source: Source::Health, .. })
                if target.vital.is_held_by_operator_alone() =>
            {
                Bar::FailOpen
            }
            Condition::Failed(_) => Bar::Nothing,
        }
    }

    fn last_known_age(&self, subject: &Subject<'a>, of: LastKnownOf) -> Option<Millis> {
        let told = subject.met.cached_age(self.now);
        let of_dependency = || self.state.dependency(subject.id)?.last_ok.map(|at| self.now.since(at));
        match of {
            LastKnownOf::Request => told,
            LastKnownOf::Dependency => told.or_else(of_dependency),
        }
    }

    fn deadline_fits(&self, subject: &Subject<'a>, after: Millis) -> bool {
        let deadline = subject.dependency.deadline.unwrap_or(Millis::ZERO);
        self.request.fits(after.plus(deadline), self.now)
    }

    /// Whether something can be taken for the least bad, and how long its wait is.
    pub(crate) fn qualifies(&self, id: DependencyId) -> Option<Millis> {
        let target = self.subject(id)?;
        let spoken_against = matches!(target.met.report, Some((Report::Refused | Report::Failed(_), _)));
        if spoken_against || target.vital.is_forced_open() || !self.deadline_fits(&target, Millis::ZERO) {
            return None;
        }
        Some(target.vital.wait(self.now).unwrap_or(Millis::ZERO))
    }

    /// Of what is down, the one that may be back first; ties as written.
    fn least_bad(&self, targets: &[DependencyId]) -> Option<DependencyId> {
        let mut best: Option<(Millis, DependencyId)> = None;
        for (wait, id) in targets.iter().filter_map(|id| Some((self.qualifies(*id)?, *id))) {
            if best.is_none_or(|(least, _)| wait < least) {
                best = Some((wait, id));
            }
        }
        best.map(|(_, id)| id)
    }

    fn retry(
        &self,
        subject: &Subject<'a>,
        failure: Failure,
        health: Health,
        action: &Action,
    ) -> Option<Standing> {
        let (detail, longest) = self.retry_wanted(subject, failure, health, action)?;
        let standing = Standing { wait: Some(longest), ..Standing::with(ObligationKind::Retry, detail) };
        self.deadline_fits(subject, longest).then_some(standing)
    }

    /// Whether it would be tried again if there were time. Only what this request met itself is, and only while the
    /// dependency is not known to be down.
    fn retry_wanted(
        &self,
        subject: &Subject<'a>,
        failure: Failure,
        health: Health,
        action: &Action,
    ) -> Option<(Detail, Millis)> {
        let Action::Retry { max_attempts, base, multiplier, jitter } = action else { return None };
        let attempts = subject.met.attempts();
        if failure.source != Source::Request || health == Health::Down || attempts >= *max_attempts {
            return None;
        }
        let told = subject.met.retry_after(self.now).unwrap_or(Millis::ZERO);
        let after = backed_off(*base, *multiplier, attempts).max(told);
        let most = (*jitter > 0).then(|| after.percent(jitter.saturating_add(100)));
        let attempt = attempts.saturating_add(1);
        let detail = Detail::Retry { after, most, attempt, max_attempts: *max_attempts };
        Some((detail, most.unwrap_or(after)))
    }

    /// The wait that is known for a need that stops: told, computed or the rung's own, whichever is longest;
    /// where its ladder has other targets, the shortest among it and theirs.
    fn known_wait(&self, subject: &Subject<'a>, of_rung: Option<Millis>) -> Option<Millis> {
        let own = self.wait_of(subject).max(of_rung);
        let targets = subject.dependency.ladder.iter().flat_map(|rung| match &rung.action {
            Action::Fallback { to } => vec![*to],
            Action::LeastBad { of } => of.clone(),
            _ => Vec::new(),
        });
        let theirs = targets.filter_map(|id| self.wait_of(&self.subject(id)?));
        own.into_iter().chain(theirs).min()
    }

    fn wait_of(&self, subject: &Subject<'a>) -> Option<Millis> {
        subject.vital.wait(self.now).max(subject.met.retry_after(self.now))
    }
}

/// base × (multiplier / 100)^(attempts − 1), rounded down at each step.
pub(crate) fn backed_off(base: Millis, multiplier: u64, attempts: u32) -> Millis {
    let mut wait = base;
    for _ in 1..attempts {
        let next = wait.percent(multiplier);
        if next == wait {
            break; // It has stopped growing: at the most there is, or with a multiplier of 100.
        }
        wait = next;
    }
    wait
}
