//! What a decision makes of meters: held and cut by what the store last said, and counted here (spec 8.4, 8.6).

use crate::answer::{NeedAnswer, Reason, ReasonKind, Refusal};
use crate::draft::Share;
use crate::matrix::MeterId;
use crate::meter::{self, View};
use crate::needs::{Asking, Condition, Failure, Source, Subject};
use crate::report::Report;
use crate::{Fault, MeterMode, Millis, Posture, RuleKind, Stage};

impl<'a> Asking<'a> {
    /// Whether a reading at its limit would answer here.
    pub(crate) fn may_be_limited(&self, subject: &Subject<'a>) -> bool {
        let streams = self.request.stage == Stage::Stream;
        let failed = self.has_failed(subject);
        !subject.dependency.meters.is_empty()
            && !self.failure_of(subject).and_then(|failure| failure.fault).is_some_and(Fault::caller)
            && (failed || (streams && self.condition(subject) != Condition::Refused))
    }

    /// What the store is last known to have said of a limit: it holds while the store has failed, and cuts what
    /// streams while it is fine. Nothing where no meter of it is over.
    pub(crate) fn over_limit(&self, subject: &Subject<'a>) -> Option<NeedAnswer> {
        if !self.may_be_limited(subject) {
            return None;
        }
        let failed = self.has_failed(subject);
        let mut meters = subject.dependency.meters.iter().filter(|meter| self.request.amount(**meter) > 0);
        let (meter, reading, left) = meters.find_map(|meter| {
            let view = self.view(*meter)?;
            let reading = if failed { view.blocks() } else { view.is_spent() };
            let left = reading?.end(self.window_of(*meter)).map(|end| end.since(self.now));
            Some((*meter, reading?, left))
        })?;
        let failure = self.failure_of(subject);
        let source = failure.map_or(Source::Request, |failure| failure.source);
        let written = self.refusal_written(subject, source);
        let mut answer = self.refused_as(subject, written);
        answer.reason.kind = ReasonKind::Rule(RuleKind::OverLimit);
        answer.reason.rung = None;
        answer.reason.since = reading.at;
        if failed {
            answer.posture = Posture::FailClosed;
            answer.refusal = Some(Refusal { written, held_by: Some(meter) });
            answer.reason.fault = failure.and_then(|failure| failure.fault).map(Report::Failed);
            answer.wait = left;
        }
        Some(answer)
    }

    fn failure_of(&self, subject: &Subject<'a>) -> Option<Failure> {
        match self.condition(subject) {
            Condition::Failed(failure) => Some(failure),
            Condition::Fine | Condition::Refused => None,
        }
    }

    fn window_of(&self, meter: MeterId) -> Option<Millis> {
        self.matrix.meters.get(meter.index())?.window
    }

    /// A meter, as this request sees its key.
    pub(crate) fn view(&self, meter: MeterId) -> Option<View> {
        let settings = self.matrix.meters.get(meter.index())?;
        let table = self.state.tables.get(meter.index())?;
        let key = self.state.meter_key(self.matrix, meter, self.request)?;
        let taken = self.request.memory.taken.get(meter).map(|held| held.taken);
        Some(table.view(settings, key, taken, self.now))
    }

    /// A no of an earlier commit, as it was answered; its wait is found anew.
    pub(crate) fn refused_again(
        &self,
        subject: &Subject<'a>,
        reason: &Reason,
        refusal: Refusal,
    ) -> NeedAnswer {
        let mut answer = self.refused_as(subject, refusal.written);
        answer.reason = *reason;
        answer.refusal = Some(refusal);
        answer.again = true;
        if let Some(meter) = refusal.held_by {
            answer.posture = Posture::FailClosed;
            let reading = self.view(meter).and_then(|view| view.reading);
            let end = reading.and_then(|reading| reading.end(self.window_of(meter)));
            answer.wait = end.map(|end| end.since(self.now));
        }
        answer
    }

    pub(crate) fn has_left(&self, meter: MeterId, share: Share) -> bool {
        let (Some(settings), Some(view)) = (self.matrix.meters.get(meter.index()), self.view(meter)) else {
            return false;
        };
        let divisor =
            meter::divisor(self.state.instances, self.matrix.signal_ttl, settings.max_instances, self.now);
        let share = view.left().map(|left| meter::portion(left, share, divisor));
        let claimed = meter::sum(view.own, self.request.amount(meter));
        view.mode != MeterMode::Block || (view.has_room && share.is_some_and(|share| claimed <= share))
    }
}
