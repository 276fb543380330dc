//! Permits (spec 9.4): who may call a dependency now, and which outcomes are late.

use crate::health::{Circuit, Health, NamedPermit, Trial};

/// HLT-22: so many permits are remembered by name, the oldest forgotten.
const PERMITS: usize = 16_384;

impl Health {
    /// HLT-23: a named permit is out if it was given in this generation and has not run out.
    pub(crate) fn is_out(&self, name: &str, now: i64) -> bool {
        let found = self.permits.iter().find(|permit| permit.name == name);
        found.is_some_and(|permit| permit.generation == self.generation && now < permit.expires)
    }

    /// HLT-20, `permit`: may the host call it now?
    pub(crate) fn permit(&mut self, name: Option<&str>, now: i64) -> bool {
        let trial_again =
            self.trial.as_ref().is_some_and(|trial| name.is_some() && trial.name.as_deref() == name);
        let permitted = match self.standing_name() {
            Some("forced_open") => false,
            // The trial's permit, asked for again under its name, is renewed whatever stands over the circuit.
            Some(_) if trial_again => self.take_trial(name, now),
            Some(_) => true,
            None => match self.circuit {
                Circuit::Closed => true,
                Circuit::Open { wait_over: false, .. } => false,
                Circuit::Open { wait_over: true, .. } | Circuit::HalfOpen => self.take_trial(name, now),
            },
        };
        if permitted {
            self.remember_permit(name, now);
        } else {
            self.not_permitted = self.not_permitted.saturating_add(1);
        }
        permitted
    }

    /// HLT-20, "probing": one permit at a time; taking it half opens the circuit. The name that is out
    /// already renews its lease (HLT-23).
    fn take_trial(&mut self, name: Option<&str>, now: i64) -> bool {
        let same_again = match (&self.trial, name) {
            (Some(trial), Some(name)) => trial.name.as_deref() == Some(name),
            _ => false,
        };
        if self.trial.is_some() && !same_again {
            return false;
        }
        if self.circuit != Circuit::HalfOpen {
            self.circuit = Circuit::HalfOpen;
            self.generation = self.generation.saturating_add(1);
        }
        let expires = now.saturating_add(self.settings.permit_ttl);
        self.trial = Some(Trial { name: name.map(str::to_owned), expires });
        true
    }

    /// HLT-22, HLT-23: permits by name are remembered in every state; the same name again is the same lease, renewed.
    fn remember_permit(&mut self, name: Option<&str>, now: i64) {
        let Some(name) = name else { return };
        self.permits.retain(|permit| permit.name != name);
        if self.permits.len() >= PERMITS {
            self.permits.remove(0);
        }
        self.permits.push(NamedPermit {
            name: name.to_owned(),
            generation: self.generation,
            expires: now.saturating_add(self.settings.permit_ttl),
        });
    }

    /// HLT-27: an outcome uses its permit up; one without a name is the trial's.
    pub(crate) fn give_back_for_outcome(&mut self, name: Option<&str>) {
        match name {
            Some(name) => self.release(Some(name)),
            None => {
                if let Some(trial) = self.trial.take()
                    && let Some(name) = trial.name
                {
                    self.permits.retain(|permit| permit.name != name);
                }
            }
        }
    }

    /// HLT-28, `release`: a permit is given back without an outcome; without a name, the trial's that has none.
    pub(crate) fn release(&mut self, name: Option<&str>) {
        if self.trial.as_ref().is_some_and(|trial| trial.name.as_deref() == name) {
            self.trial = None;
        }
        if let Some(name) = name {
            self.permits.retain(|permit| permit.name != name);
        }
    }

    /// NEED-6: whether a permit is free while the health is probing.
    pub(crate) fn permit_is_free(&self) -> bool {
        self.trial.is_none()
    }
}
