//! What a commit changes (REQ-1), and what `finish` settles (REQ-9).

use serde_json::{Map, Value, json};

use super::{Event, Own, Replay, event};
use crate::decide::Decision;
use crate::document::Operation;
use crate::json::{integer, required_string, table};
use crate::meter::Finish;
use crate::numbers::plus;
use crate::request::Request;

impl Replay {
    /// REQ-1: commits a decision: what was answered, outbox numbers, emits told, amounts taken.
    pub(super) fn commit(
        &mut self,
        operation: &Operation,
        request: &mut Request,
        named: bool,
        decision: &Decision,
        json: &mut Value,
    ) -> Result<Own, String> {
        // In shadow the host goes on whatever the verdict (DEC-16).
        let went_on = decision.goes_on || operation.enforcement == "shadow";
        // REQ-10 and STG-10: the memory of a need is that of the latest commit that looked at it.
        // What a rung would have let past in a request that stopped was not let past, so it was not answered for.
        for (name, answer) in &decision.looked_at {
            let let_past = answer.as_ref().is_some_and(|answer| answer.verdict == "allow");
            if let_past && !went_on {
                request.answered.remove(name);
            } else {
                request.answered.insert(name.clone(), answer.clone());
            }
        }
        // REQ-11: only commits that went on are remembered.
        if went_on {
            for guard in &decision.skipped {
                if !request.skipped.contains(guard) {
                    request.skipped.push(guard.clone());
                }
            }
        }
        self.number_outboxes(request, json);
        let mut own = Own::default();
        // MET-5 and MET-40: taken at the first commit that goes on, in shadow whatever the verdict; judged again at each.
        if went_on {
            self.take_amounts(operation, request, named, decision, &mut own)?;
        }
        // TRC-22: windows in pipeline order, then emits.
        let windows = self.use_windows(operation, request, decision)?;
        own.first =
            windows.iter().cloned().map(event).chain(told_emits(request, decision, &windows)).collect();
        Ok(own)
    }

    /// DEC-23: from 1 for each dependency, once per request.
    fn number_outboxes(&mut self, request: &mut Request, json: &mut Value) {
        let Some(obligations) = json.get_mut("obligations").and_then(Value::as_array_mut) else {
            return;
        };
        for obligation in obligations {
            let Some(map) = obligation.as_object_mut() else {
                continue;
            };
            if map.get("kind").and_then(Value::as_str) != Some("outbox") {
                continue;
            }
            let dependency = map.get("dependency").and_then(Value::as_str).unwrap_or("").to_owned();
            let number = match request.sequences.get(&dependency) {
                Some(number) => *number,
                None => {
                    let last = self.engine.sequences.get(&dependency).copied().unwrap_or(0);
                    let number = crate::numbers::plus(last, 1);
                    self.engine.sequences.insert(dependency.clone(), number);
                    request.sequences.insert(dependency, number);
                    number
                }
            };
            map.insert("sequence".to_owned(), json!(number));
        }
    }

    /// MET-5: each meter whose store the operation needs; the first figure stands. MET-31: it is settled at latest when
    /// the operation's deadline has passed; at once where no name can finish it.
    fn take_amounts(
        &mut self,
        operation: &Operation,
        request: &mut Request,
        named: bool,
        decision: &Decision,
        own: &mut Own,
    ) -> Result<(), String> {
        let due = plus(self.now, self.time_to_finish(operation)?);
        for meter in self.engine.document.meters.clone() {
            if !operation.needs.contains(&meter.store) {
                continue;
            }
            let failed = decision.failed.contains(&meter.store);
            let mut key = request.key(&meter);
            if let Some(taken) = request.taken.get_mut(&meter.name) {
                // MET-12: what found no room is taken anew, as it was.
                if !taken.found_no_room() {
                    // MET-40: by what the request itself has told; health alone changes nothing.
                    let told = request.reports.get(&meter.store).map(|report| report.class.as_str());
                    let unreported = match told {
                        Some("ok") => Some(false),
                        None | Some("refused") => None,
                        Some(_) => failed.then_some(true),
                    };
                    if let Some(unreported) = unreported {
                        self.engine.table_mut(&meter.name)?.commit_again(taken, unreported);
                    }
                    continue;
                }
                key.clone_from(&taken.names);
            }
            let amount = request.amount(&meter.name);
            let (now, due) = (self.now, named.then_some(due));
            let table = self.engine.table_mut(&meter.name)?;
            let (taken, told) = table.take(&meter, key, amount, due, failed, now);
            own.told(&meter.name, told);
            request.taken.insert(meter.name.clone(), taken);
        }
        Ok(())
    }

    /// MET-31: the operation's `deadline`, without one the sum of those of its needs.
    fn time_to_finish(&self, operation: &Operation) -> Result<i64, String> {
        if let Some(deadline) = operation.deadline {
            return Ok(deadline);
        }
        let mut sum = 0;
        for name in &operation.needs {
            sum = plus(sum, self.engine.document.dependency(name)?.deadline.unwrap_or(0));
        }
        Ok(sum)
    }

    /// REQ-9 and MET-7: `finish` ends a request and settles what it cost; of an unknown one it is ignored.
    pub(super) fn finish(&mut self, part: &Map<String, Value>) -> Result<Own, String> {
        let name = required_string(part, "request")?;
        let empty = Map::new();
        let amounts = match part.get("amounts") {
            None | Some(Value::Null) => &empty,
            Some(value) => table(value, "amounts")?,
        };
        for meter in amounts.keys() {
            self.engine.document.meter(meter)?;
        }
        let mut own = Own::default();
        let Some(request) = self.requests.remove(&name) else {
            return Ok(own);
        };
        // An operation that is gone with the matrix before needs nothing (RST-14).
        let operation = self.engine.document.operation(&request.operation);
        let needs = operation.map_or_else(|_| Vec::new(), |operation| operation.needs.clone());
        for meter in self.engine.document.meters.clone() {
            let told = amounts.get(&meter.name);
            let actual = told.map(|figure| integer(figure, "amounts")).transpose()?;
            let finish = Finish {
                names: &request.key(&meter),
                taken: request.taken.get(&meter.name),
                actual,
                needed: needs.contains(&meter.store),
                store_out: self.engine.is_out(&meter.store)?,
            };
            let now = self.now;
            let told = self.engine.table_mut(&meter.name)?.finish(&meter, &finish, now);
            own.told(&meter.name, told);
            if let Some(actual) = actual {
                self.engine.windows.correct(&request, &meter, actual);
                // WIN-10: also of a meter that no commit took from, where MET-7 settles it: its store is in `needs`.
                let taken = finish.taken.is_some_and(|taken| taken.amount > 0);
                if taken || finish.needed {
                    self.engine.windows.correct_account(&request, &meter.name, actual);
                }
            }
        }
        Ok(own)
    }
}

/// The emits that this commit tells as event lines, in the order in which they stand in the decision: those of refusals
/// and stops once per request and rung (REQ-14); any other where its window has just opened or changed rung (REQ-15).
fn told_emits(request: &mut Request, decision: &Decision, windows: &[Value]) -> Vec<Event> {
    let mut told = Vec::new();
    for emitted in &decision.emitted {
        if emitted.stops {
            if request.told.contains(&emitted.rung_key) {
                continue;
            }
            request.told.push(emitted.rung_key.clone());
        } else {
            let dependency = json!(emitted.dependency);
            if !windows.iter().any(|window| window.get("dependency") == Some(&dependency)) {
                continue;
            }
        }
        let part = |key: &str| emitted.emit.get(key).cloned().unwrap_or(Value::Null);
        told.push(event(json!({ "kind": part("event"), "dependency": part("dependency"),
                                "reason": part("reason"), "alert": part("alert") })));
    }
    told
}
