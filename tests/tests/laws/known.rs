//! LAW-6.

use std::collections::BTreeMap;

use failsoft::draft::{ActionDraft, LastKnownOf};
use serde_json::Value;

use crate::world::{Step, entries, failures, holds, text};

/// When each dependency last said `ok`, at the latest that a trace allows: an outcome under a permit may be late.
#[derive(Default)]
struct LastOk(BTreeMap<String, i64>);

impl LastOk {
    /// Nothing gets younger, and what a snapshot holds is known instead ([RST-4], [RST-9]).
    fn restart(&mut self, restart: &Value, at: i64) {
        if let Some(snapshot) = restart.get("snapshot") {
            let states = entries(snapshot, "dependencies");
            let ages =
                states.filter_map(|(name, state)| Some((name, state.get("last_ok_age_ms")?.as_i64()?)));
            self.0 = ages.map(|(name, age)| (name.clone(), at - age)).collect();
        }
        let away = restart.get("away_ms").and_then(Value::as_i64).unwrap_or(0);
        self.0.values_mut().for_each(|last| *last -= away);
    }

    fn hear(&mut self, step: &Step) {
        if let Some(restart) = step.line.get("restart") {
            self.restart(restart, step.at);
        }
        let (part, heard) = match (step.line.get("outcome"), step.line.get("call")) {
            (Some(outcome), _) => (outcome, true),
            (_, Some(call)) => (call, step.printed.first().is_some_and(|printed| printed["permit"] == true)),
            _ => return,
        };
        let dependency = text(part, "dependency");
        match text(part, "result") {
            "ok" if heard => {
                self.0.insert(dependency.to_owned(), step.at);
            }
            "refused" if heard && part.get("permit").is_none() => {
                self.0.remove(dependency);
            }
            _ => {}
        }
    }
}

/// Neither a decision nor a preview that uses a value, nor a refusal, gives it a longer life. That a meter last known
/// over its limit keeps blocking is a property of meters (`tests/meters/tables.rs`).
#[test]
fn law_06_dont_forget_what_you_know_and_never_extend_it() {
    holds(10_000, 400, |world| {
        let mut looked = 0;
        let mut last_ok = LastOk::default();
        for step in world.play() {
            last_ok.hear(&step);
            let Some(decision) = step.decision() else { continue };
            for reason in failures(decision) {
                let Some(rung) = world.rung(reason) else { continue };
                let ActionDraft::LastKnown { max_age, of } = rung.action else { continue };
                let dependency = text(reason, "dependency");
                let known = match of {
                    LastKnownOf::Request => step.told.fetched.get(dependency),
                    // What the request holds says more of it than when the dependency last spoke.
                    LastKnownOf::Dependency => {
                        step.told.fetched.get(dependency).or_else(|| last_ok.0.get(dependency))
                    }
                };
                let age = known.map(|known| step.at - known);
                let most = i64::try_from(max_age.get()).expect("a short age");
                looked += 1;
                if age.is_none_or(|age| age > most) {
                    return Err(format!(
                        "{dependency} is {age:?} ms old, of {most}: {} {decision}",
                        step.line
                    ));
                }
            }
        }
        Ok(looked)
    });
}
