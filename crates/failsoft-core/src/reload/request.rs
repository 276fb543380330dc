//! A request that has not finished goes on under the next matrix (spec 10.3).

use crate::answer::{REFUSAL, Reason, Refusal};
use crate::matrix::Matrix;
use crate::reload::Succession;
use crate::request::{Memory, Request};
use crate::window::{CapTaken, Counted};

impl Request {
    /// Another matrix has taken over: what this request was told and remembers goes on by names.
    ///
    /// Each request that has not finished is told so once for each [`reload`](crate::reload), before it asks again.
    pub fn follow(&mut self, to: &Matrix, by: &Succession) {
        let before = self.operation;
        self.operation = to.operation(&self.operation_name);
        self.class = match &self.class_name {
            Some(name) => to.class(name),
            None => to.first_class(),
        };
        self.has_unknown_name = self.operation.is_none() || self.class.is_none();
        let known = self.operation.and_then(|id| to.operations.get(id.index()));
        self.looked_at = known.map_or_else(|| [].into(), |known| known.attributes.clone());
        let looked_at = &self.looked_at;
        self.attributes.retain(|name, _| looked_at.contains(name));
        self.met.rename(|id| by.dependency(id));
        self.amounts.rename(|id| by.meter(id));
        let keeps_rules = before.is_some_and(|id| by.keeps_refuse_rules(id));
        self.memory.follow(by, keeps_rules);
    }
}

impl Memory {
    fn follow(&mut self, by: &Succession, keeps_rules: bool) {
        let gone = self.passes.iter().filter(|(id, _)| by.dependency(*id).is_none());
        self.passed_once = gone.map(|(_, pass)| *pass).max().max(self.passed_once);
        self.passes.rename(|id| by.dependency(id));
        self.sequences.rename(|id| by.dependency(id));
        self.taken.rename(|id| by.meter(id));
        self.answered.rename(|id| by.dependency(id).filter(|_| by.keeps_answer(id)));
        self.answered.retain_values(|answer| {
            let Some((reason, refusal)) = answer else { return true };
            let next = answered(*reason, *refusal, by);
            let goes_on = next.is_some();
            *answer = next;
            goes_on
        });
        self.told.retain_mut(|(dependency, place)| match dependency {
            None => keeps_rules,
            Some(id) => {
                let goes_on = if *place == REFUSAL {
                    Some(REFUSAL).filter(|_| by.keeps_refusal(*id))
                } else {
                    by.rung(*id, *place)
                };
                let next = by.dependency(*id).zip(goes_on);
                (*dependency, *place) = next.map_or((None, *place), |(id, place)| (Some(id), place));
                next.is_some()
            }
        });
        self.counted.retain_mut(|counted| counted.follow(by).is_some());
        self.cap_taken.retain_mut(|taken| taken.follow(by).is_some());
    }
}

fn answered(reason: Reason, refusal: Option<Refusal>, by: &Succession) -> Option<(Reason, Option<Refusal>)> {
    let dependency = match reason.dependency {
        Some(id) => Some(by.dependency(id)?),
        None => None,
    };
    let held_by = match refusal.and_then(|refusal| refusal.held_by) {
        Some(meter) => Some(by.meter(meter)?),
        None => None,
    };
    let rung = match (reason.dependency, reason.rung) {
        (Some(id), Some(place)) => Some(by.rung(id, place)?),
        _ => reason.rung,
    };
    Some((Reason { dependency, rung, ..reason }, refusal.map(|refusal| Refusal { held_by, ..refusal })))
}

impl Counted {
    fn follow(&mut self, by: &Succession) -> Option<()> {
        self.dependency = by.dependency(self.dependency)?;
        self.amounts.retain_mut(|(meter, _)| match by.meter(*meter) {
            Some(next) => {
                *meter = next;
                true
            }
            None => false,
        });
        Some(())
    }
}

impl CapTaken {
    fn follow(&mut self, by: &Succession) -> Option<()> {
        self.place = by.rung(self.dependency, self.place)?;
        self.dependency = by.dependency(self.dependency)?;
        if let Some(meter) = self.meter {
            self.meter = Some(by.meter(meter)?);
        }
        Some(())
    }
}
