//! What a request goes on with when another matrix takes over (RST-14, RST-15).

use serde_json::json;

use super::Request;
use crate::document::{Document, Operation};
use crate::reload::{Going, same_refuse_rules};
use crate::window::Windows;

impl Request {
    /// RST-14 and RST-15. `windows` are those that stay open, by their old numbers of rungs.
    pub(crate) fn reload(&mut self, old: &Document, new: &Document, going: &Going, windows: &Windows) {
        self.keep_what_was_told(old, new, going);
        let holds = |meter: Option<&String>| meter.is_none_or(|meter| going.meter(meter));
        self.answered.retain(|name, answer| {
            going.answer(name) && holds(answer.as_ref().and_then(|answer| answer.held_by.as_ref()))
        });
        for (name, answer) in &mut self.answered {
            let Some(answer) = answer else { continue };
            if let Some(key) = going.emit(&answer.rung_key) {
                answer.rung_key.clone_from(key);
            }
            if let Some(place) = answer.place {
                answer.place = going.rung(name, place);
                answer.reason["rung"] = json!(answer.place);
            }
        }
        // For posture and `cacheable` it counts on; a guard without a name is none that is unchecked.
        for (guard, _) in &mut self.skipped {
            if !going.dependency(guard) {
                guard.clear();
            }
        }
        self.sequences.retain(|name, _| going.dependency(name));
        self.taken.retain(|name, _| going.meter(name));
        self.counted.retain(|counted| windows.counts(counted));
        self.caps.retain_mut(|taken| windows.renumber_taken(taken, going));
        self.told = self.told_of(old, new, going);
    }

    /// RST-14.
    fn keep_what_was_told(&mut self, old: &Document, new: &Document, going: &Going) {
        if !self.class_told {
            // REQ-7: of the first class, whichever that is.
            self.class = new.classes.first().cloned().unwrap_or_default();
        }
        self.class_unknown = !new.classes.contains(&self.class);
        self.reports.retain(|name, _| going.dependency(name));
        self.had.retain(|name, _| going.dependency(name));
        self.cached.retain(|name, _| going.dependency(name));
        self.attempts.retain(|name, _| going.dependency(name));
        self.retry_after.retain(|name, _| going.dependency(name));
        self.amounts.retain(|name, _| going.meter(name));
        let operation = old.operation(&self.operation).ok();
        self.attributes.retain(|name, _| operation.is_some_and(|operation| looks_at(operation, name)));
    }

    /// The emits that stay told.
    fn told_of(&self, old: &Document, new: &Document, going: &Going) -> Vec<String> {
        let same_rules = match (old.operation(&self.operation), new.operation(&self.operation)) {
            (Ok(before), Ok(after)) => same_refuse_rules(before, after),
            _ => false,
        };
        let mut told = Vec::new();
        for key in &self.told {
            let of_rule = old.operation(&self.operation).is_ok_and(|operation| {
                (0..operation.refuse.len()).any(|place| *key == format!("refuse {place}"))
            });
            if of_rule && same_rules {
                told.push(key.clone());
            }
            told.extend(going.emit(key).cloned());
        }
        told
    }
}

/// Whether a refuse rule of an operation names an attribute.
fn looks_at(operation: &Operation, attribute: &str) -> bool {
    operation.refuse.iter().any(|rule| {
        let present = rule.present.as_deref() == Some(attribute);
        let equals =
            rule.equals.as_ref().is_some_and(|pairs| pairs.iter().any(|(name, _)| name == attribute));
        let same = rule.same.as_ref().is_some_and(|(one, other)| one == attribute || other == attribute);
        present || equals || same
    })
}
