//! What an outcome says, and what becomes of it.

use crate::apply::more;
use crate::health::{Call, Counted};
use crate::matrix::Dependency;
use crate::needs::haste;
use crate::report::Report;
use crate::signal::{Event, Outcome};
use crate::state::DependencyState;
use crate::{Fault, Millis, Time};

/// An outcome as this dependency's rules read it.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Said {
    /// The class that counts.
    pub(crate) fault: Option<Fault>,
    /// It speaks neither for the dependency nor against it.
    pub(crate) neutral: bool,
    pub(crate) call: Call,
}

impl Said {
    #[inline]
    pub(crate) fn of(dependency: &Dependency, outcome: &Outcome) -> Self {
        let rules = &dependency.rules;
        let fault = match outcome.result {
            Report::Ok | Report::Refused => None,
            Report::Failed(fault) => Some(haste(dependency, fault, outcome.had)),
        };
        let latency = u64::try_from(outcome.latency.unwrap_or(0)).unwrap_or(0);
        let slow = rules.slow_over.is_some_and(|over| fault == Some(Fault::Timeout) || latency > over.get());
        Self {
            fault,
            neutral: fault.is_some_and(|fault| !rules.counts(fault)),
            call: Call { failed: fault.is_some(), slow, refused: outcome.result == Report::Refused },
        }
    }
}

impl DependencyState {
    /// The long way: `quick.rs` has taken what moves nothing. The events are in the order in which they are told.
    pub(crate) fn outcome(
        &mut self,
        dependency: &Dependency,
        seed: u64,
        now: Time,
        outcome: &Outcome,
    ) -> [Option<Event>; 2] {
        let rules = &dependency.rules;
        let mut hung = false;
        if let Some(permit) = outcome.permit {
            match self.take_back(rules, seed, now, permit) {
                Some(was_hung) => hung = was_hung,
                None => {
                    // The circuit has moved on, the permit has ended, or it was never given.
                    self.late_outcomes = more(self.late_outcomes);
                    return [None, None];
                }
            }
        }
        self.note_answer(outcome.result, now);
        let skewed = outcome.latency.filter(|latency| *latency < 0);
        let skewed = skewed.map(|latency| Event::ClockSkewed { dependency: outcome.dependency, latency });
        let Said { fault, neutral, call } = Said::of(dependency, outcome);
        if outcome.permit.is_none() {
            self.take_back_unnamed(rules, seed, now);
        }
        if neutral || self.vital.is_inert() {
            return [skewed, self.ignored(rules.ignored_streak, outcome)];
        }
        self.ignored_streak = 0;
        if outcome.permit.is_none() {
            self.machine(rules, seed).first_trial(now);
        }
        let retry_after = match fault {
            Some(_) => rules.believed(outcome.retry_after),
            None => Millis::ZERO,
        };
        // The rate of refusals is looked at before an opening or closing can empty the window.
        let spiked = self.refusals(rules, outcome.dependency, call, now);
        self.machine(rules, seed).counted(now, Counted { call, fault, retry_after, hung });
        [skewed, spiked]
    }

    /// Remembers when it last answered well.
    pub(crate) fn note_answer(&mut self, result: Report, now: Time) {
        match result {
            Report::Ok => self.last_ok = Some(now),
            Report::Refused => self.last_ok = None,
            Report::Failed(_) => {}
        }
    }

    /// An outcome that counts as nothing; that nothing else comes any more is told.
    fn ignored(&mut self, longest: Option<u64>, outcome: &Outcome) -> Option<Event> {
        if self.vital.is_inert() {
            return None;
        }
        self.ignored_calls = more(self.ignored_calls);
        self.ignored_streak = more(self.ignored_streak);
        (longest == Some(self.ignored_streak)).then_some(Event::NeverAnswered {
            dependency: outcome.dependency,
            ignored_calls: self.ignored_streak,
        })
    }
}
