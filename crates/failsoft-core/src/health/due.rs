//! What time alone does, each thing at its own moment, so that asking late gives the same answer as asking often.

use super::leases::Slot;
use super::machine::Machine;
use super::transitions::Trigger;
use super::vital::{Out, Phase, Vital};
use crate::{Cause, Fault, HalfOpenExit, Millis, Time};

/// In the order in which they happen at one moment.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Due {
    LongestStay,
    LeaseEnds,
    WaitEnds,
    CallTooLong,
    BandEnds,
    SignalTooOld,
    OverrideExpires,
    AdviceLapses,
}

impl Machine<'_> {
    /// The next moment at which time alone may change something.
    pub(crate) fn due(&self) -> Option<Time> {
        self.next_due().map(|(moment, _)| moment)
    }

    fn next_due(&self) -> Option<(Time, Due)> {
        let vital: &Vital = self.vital;
        let given = |slot: Slot| self.leases.get(slot).map(|lease| lease.given);
        let mut next: Option<(Time, Due)> = None;
        let mut consider = |moment: Option<Time>, due: Due| {
            if let Some(moment) = moment
                && next.is_none_or(|held| (moment, due) < held)
            {
                next = Some((moment, due));
            }
        };
        let ends = given(vital.out.head).map(|given| given.plus(self.rules.permit_ttl));
        consider(ends, Due::LeaseEnds);
        match vital.phase {
            Phase::Closed => {
                let passes = |slot: Slot, over: Option<Millis>| Some(given(slot)?.past(over?));
                consider(passes(vital.out.hang, self.rules.hung_over), Due::CallTooLong);
                consider(passes(vital.out.lag, self.rules.lagging_over), Due::CallTooLong);
                consider(self.band_looked_at(ends), Due::BandEnds);
            }
            Phase::Open { until, over: false } => consider(Some(until), Due::WaitEnds),
            Phase::Open { over: true, .. } => {}
            Phase::HalfOpen => {
                let stay = vital.trials.stay.zip(self.rules.longest_stay);
                consider(stay.map(|(since, longest)| since.plus(longest)), Due::LongestStay);
            }
        }
        let old = vital.signal.zip(self.rules.signal_ttl);
        consider(old.map(|(signal, ttl)| signal.past(ttl)), Due::SignalTooOld);
        consider(vital.standing.and_then(|standing| standing.until), Due::OverrideExpires);
        consider(vital.advised_until, Due::AdviceLapses);
        next
    }

    /// When the end of the band is looked for next: at the end of its dwell, then at each end of a bucket. Once the
    /// window is empty nothing but the end of a lease can make a difference, so that looking never takes for ever.
    fn band_looked_at(&self, lease_ends: Option<Time>) -> Option<Time> {
        let band = self.vital.band?;
        let dwelt = band.since.plus(self.rules.dwell);
        if band.looked < dwelt {
            return Some(dwelt);
        }
        let window = self.window.get();
        let next = window.bucket_end(band.looked.past(Millis::ZERO))?;
        let waits =
            window.at(band.looked).calls == 0 && (self.vital.out.hung > 0 || self.vital.out.lagging > 0);
        if waits { lease_ends.and_then(|ends| window.bucket_end(ends.max(next))) } else { Some(next) }
    }

    /// Does all that was due by `now`, each at its own moment.
    pub(crate) fn advance(&mut self, now: Time) {
        while let Some((moment, due)) = self.next_due()
            && moment <= now
        {
            self.happen(moment, due);
        }
    }

    fn happen(&mut self, at: Time, due: Due) {
        if due == Due::LeaseEnds {
            // Thousands may end in one question: nothing is looked at that an end does not touch.
            let slot = self.vital.out.head;
            if let Some(lease) = self.leases.get(slot).copied() {
                self.lease_ended(slot, &lease, at);
                self.vital.out.head = lease.next;
            }
            return;
        }
        let before = self.before(at);
        let done = match due {
            Due::LeaseEnds => None,
            Due::LongestStay => return self.stay_ends(at),
            Due::WaitEnds => {
                let at_once = self.rules.half_open_at_once;
                let trigger = if at_once { Trigger::WaitEndedAtOnce } else { Trigger::WaitEnded };
                self.fire(trigger, at, Default::default())
            }
            Due::CallTooLong => return self.calls_are_too_long(at),
            Due::BandEnds => {
                let rates = self.rates(at);
                self.look_for_recovery(at, &rates).then_some(Cause::RatesFell)
            }
            Due::SignalTooOld => {
                self.vital.signal = None;
                Some(Cause::SignalTooOld)
            }
            Due::OverrideExpires => {
                self.vital.standing = None;
                Some(Cause::OverrideExpired)
            }
            Due::AdviceLapses => {
                self.vital.advised_until = None;
                Some(Cause::AdviceLapsed)
            }
        };
        if let Some(cause) = done {
            self.note_change(before, at, cause, None);
        }
    }

    /// Calls are out for longer than the dependency has to answer, each one more failure in a row before it is told;
    /// or for longer than a call may take without being slow. The rates see all of them at once.
    fn calls_are_too_long(&mut self, at: Time) {
        let lagging = self.pass(at, self.rules.lagging_over, |out| &mut out.lag);
        let hung = self.pass(at, self.rules.hung_over, |out| &mut out.hang);
        self.vital.out.lagging = self.vital.out.lagging.saturating_add(lagging);
        self.vital.out.hung = self.vital.out.hung.saturating_add(hung);
        if self.vital.is_inert() {
            return;
        }
        let mut left = hung;
        while left > 0 && self.vital.is_closed() {
            let before = self.before(at);
            self.vital.run = self.vital.run.saturating_add(1).min(crate::INTEGER_MAX);
            self.vital.note_class(Fault::Timeout);
            self.judge(before, at, Cause::HungCalls, Millis::ZERO);
            left = left.saturating_sub(1);
        }
        if lagging > 0 && self.vital.is_closed() {
            let before = self.before(at);
            self.judge(before, at, Cause::SlowCallRate, Millis::ZERO);
        }
    }

    /// Passes the leases that are older than `over` by now, and says how many they are.
    fn pass(&mut self, at: Time, over: Option<Millis>, first: impl Fn(&mut Out) -> &mut Slot) -> u64 {
        let Some(over) = over else { return 0 };
        let mut passed = 0u64;
        let slot = first(&mut self.vital.out);
        while let Some(lease) = self.leases.get(*slot)
            && lease.given.past(over) <= at
        {
            *slot = lease.next;
            passed = passed.saturating_add(1);
        }
        passed
    }

    fn stay_ends(&mut self, at: Time) {
        let before = self.before(at);
        let opening = super::machine::Opening { told_until: self.vital.trials.told_until, exactly: None };
        let trigger = match self.rules.stay_leads_to {
            HalfOpenExit::Open => Trigger::LongestStay,
            HalfOpenExit::Closed => Trigger::LongestStayAndClose,
        };
        if trigger == Trigger::LongestStay {
            self.vital.note_class(Fault::Timeout);
        }
        let longest = self.rules.longest_stay.unwrap_or_default().get();
        let setting = "max_wait_duration_in_half_open_state";
        let crossed = super::vital::Crossed { setting, value: longest, limit: longest };
        if let Some(cause) = self.fire(trigger, at, opening) {
            self.note_change(before, at, cause, Some(crossed));
        }
    }
}
