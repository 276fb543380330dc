//! Permits as a dependency's state keeps them: given, taken back, and what calls under them say of refusals.

use crate::Time;
use crate::apply::more;
use crate::health::{Admission, Call, Permit, Rules};
use crate::matrix::DependencyId;
use crate::signal::{Answer, Event};
use crate::state::DependencyState;

impl DependencyState {
    /// May it be called now? A trial's permit is always remembered, a call's where it has a name.
    pub(crate) fn admit(&mut self, rules: &Rules, seed: u64, now: Time, named: bool) -> Answer {
        let admission = self.machine(rules, seed).admit(now);
        if admission == Admission::No {
            self.vital.not_permitted = more(self.vital.not_permitted);
            if let Some(outage) = &mut self.vital.outage {
                outage.not_permitted = more(outage.not_permitted);
            }
            return Answer::NotPermitted;
        }
        let trial = admission == Admission::Trial;
        if !named && !trial {
            return Answer::Permitted { permit: None };
        }
        if self.leases.is_full() {
            self.take_back_slot(rules, seed, now, self.leases.oldest());
        }
        let (slot, permit) = self.leases.push(now, trial, !named);
        self.machine(rules, seed).is_out(slot, trial, !named, now);
        Answer::Permitted { permit: named.then_some(permit) }
    }

    /// Takes a permit back, and says whether its call had counted as hung; nothing where it comes late.
    pub(crate) fn take_back(&mut self, rules: &Rules, seed: u64, now: Time, permit: Permit) -> Option<bool> {
        let (slot, _) = self.leases.find(permit)?;
        self.take_back_slot(rules, seed, now, slot)
    }

    /// The oldest trial's permit that no outcome will name, if there is one.
    pub(crate) fn take_back_unnamed(&mut self, rules: &Rules, seed: u64, now: Time) {
        let mut slot = self.vital.out.current;
        while self.vital.trials.unnamed_out > 0
            && let Some(lease) = self.leases.get(slot)
        {
            if lease.trial && lease.unnamed {
                self.take_back_slot(rules, seed, now, slot);
                return;
            }
            slot = lease.next;
        }
    }

    fn take_back_slot(
        &mut self,
        rules: &Rules,
        seed: u64,
        now: Time,
        slot: crate::health::Slot,
    ) -> Option<bool> {
        let lease = *self.leases.get(slot)?;
        let current = self.vital.is_current(&lease);
        let hung = if current { self.machine(rules, seed).lease_is_over(slot, &lease, now) } else { false };
        if self.vital.out.head == slot {
            self.vital.out.head = lease.next;
        }
        self.leases.remove(slot);
        current.then_some(hung)
    }

    /// The event of a rate of refusals that has reached its threshold with this call.
    pub(crate) fn refusals(
        &mut self,
        rules: &Rules,
        dependency: DependencyId,
        call: Call,
        now: Time,
    ) -> Option<Event> {
        let limit = rules.refusal_rate?;
        let tally = self.window.with(now, call);
        let rate = crate::health::Rate { part: tally.refused, whole: tally.calls };
        let spiked = !self.window.is_none() && rate.reaches(limit, rules.minimum);
        let told = core::mem::replace(&mut self.refusals_spiked, spiked);
        (spiked && !told).then(|| Event::RefusalsSpiked {
            dependency,
            refusal_rate_bp: rate.basis_points(),
            limit_bp: limit.saturating_mul(100),
            calls: tally.calls,
        })
    }
}
