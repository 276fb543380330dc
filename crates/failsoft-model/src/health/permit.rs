//! Permits: who may call a dependency now, and which outcomes are late (9.7).

use super::{Circuit, Health, Lease};
use crate::numbers::one_more;

/// HLT-22: so many permits that are out are remembered, the oldest forgotten.
const LEASES: usize = 16_384;

impl Health {
    /// HLT-26: a named permit is out if it was given in this generation and has not run out.
    pub(super) fn is_out(&self, name: &str, now: i64) -> bool {
        let found = self.leases.iter().find(|lease| lease.name.as_deref() == Some(name));
        found.is_some_and(|lease| lease.generation == self.generation && now < lease.end)
    }

    /// HLT-20: may the host call it now?
    pub(crate) fn permit(&mut self, name: Option<&str>, now: i64) -> bool {
        // HLT-23: a name that is out is first released, whatever the answer will be.
        if name.is_some() {
            self.release(name);
        }
        let (permitted, trial) = match self.standing_name() {
            Some("forced_open") => (false, false),
            Some("disabled" | "metrics_only") => (true, false),
            _ => match self.circuit {
                Circuit::Closed => (true, false),
                Circuit::Open { wait_over: false, .. } => (false, false),
                Circuit::Open { wait_over: true, .. } => {
                    self.half_open(now);
                    (true, true)
                }
                Circuit::HalfOpen => (self.permit_is_free(), true),
            },
        };
        if !permitted {
            one_more(&mut self.not_permitted);
            one_more(&mut self.outage.not_permitted);
            return false;
        }
        // HLT-24: without a name it is remembered only as a trial's.
        if trial || name.is_some() {
            // HLT-62: the stay begins when one is taken while none was out.
            if trial && self.trials_out() == 0 {
                self.trials.stay = Some(now);
            }
            self.remember(name, trial, now);
        }
        true
    }

    /// HLT-22: a name, the generation after the change, and an end.
    fn remember(&mut self, name: Option<&str>, trial: bool, now: i64) {
        if self.leases.len() >= LEASES {
            self.forget(0);
        }
        self.leases.push(Lease {
            name: name.map(str::to_owned),
            generation: self.generation,
            given: now,
            end: Health::after(now, self.settings.permit_ttl),
            trial,
            given_closed: self.circuit == Circuit::Closed,
            hung_seen: false,
            lag_seen: false,
            hung_counted: false,
        });
    }

    /// A permit is out no more; after the last trial's the longest stay does not run (HLT-62).
    pub(super) fn forget(&mut self, place: usize) -> Lease {
        let lease = self.leases.remove(place);
        if self.trials_out() == 0 {
            self.trials.stay = None;
        }
        lease
    }

    /// HLT-28: gives back the permit that it names, or the oldest unnamed trial's; of any other it is ignored.
    pub(crate) fn release(&mut self, name: Option<&str>) {
        self.give_back(name);
    }

    /// HLT-25: a lease that ends: a trial's is a failure; else one of this generation is lost.
    pub(super) fn permit_ends(&mut self, place: usize, moment: i64) {
        let lease = self.forget(place);
        let present = lease.generation == self.generation;
        if present && lease.trial && self.circuit == Circuit::HalfOpen {
            self.trial_ends(moment);
        } else if present {
            one_more(&mut self.lost);
        }
    }

    /// NEED-6 and HLT-20: whether a permit is free while the health is probing.
    pub(crate) fn permit_is_free(&self) -> bool {
        self.trials_left().is_some_and(|left| left > 0)
    }
}
