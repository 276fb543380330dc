//! A trace, line by line (trace.md): answers, and the events in the order of TRC-22.

use std::collections::BTreeMap;

use serde_json::{Map, Value, json};

use crate::decide::{Decision, decide};
use crate::document::Document;
use crate::engine::{Asked, Engine};
use crate::health::{Acted, Heard, Outcome};
use crate::json::{integer, optional_integer, optional_string, required_string, table};
use crate::meter::{self, Counts};
use crate::request::Request;

/// TRC-7: so many unfinished requests with a name are held.
const REQUESTS: usize = 16_384;

/// A trace while it is being run.
struct Replay {
    engine: Engine,
    requests: BTreeMap<String, Request>,
    /// The last line's `at_ms`, after clamping.
    now: i64,
    /// The place of this line in the trace.
    line: usize,
    /// The last event's number (TRC-20: from 1, one counter).
    sequence: i64,
    /// Clock steps not told yet: told and kept (TRC-25: told with the next line that is no question).
    steps: Vec<(i64, i64)>,
    printed: Vec<Value>,
}

/// An event without the keys that all events have: kind, dependency where it has one, its own.
type Event = Map<String, Value>;

/// So many clock steps of questions are kept until they can be told (spec 1, limits).
const STEPS: usize = 16;

/// Runs a trace.
pub(crate) fn replay(document: Document, lines: &[Value]) -> Result<Vec<Value>, String> {
    // TRC-5: state begins at 0, or at the first line's `at_ms` if that is lower.
    let first = lines.first().and_then(|line| line.get("at_ms")).and_then(Value::as_i64).unwrap_or(0);
    let mut replay = Replay {
        engine: Engine::new(document, first.min(0)),
        requests: BTreeMap::new(),
        now: first.min(0),
        line: 0,
        sequence: 0,
        steps: Vec::new(),
        printed: Vec::new(),
    };
    for (place, line) in lines.iter().enumerate() {
        replay.line = place;
        replay.run(line).map_err(|error| format!("line {}: {error}", place.saturating_add(1)))?;
    }
    Ok(replay.printed)
}

impl Replay {
    /// TRC-1: one line is `at_ms` and exactly one other key.
    fn run(&mut self, line: &Value) -> Result<(), String> {
        let map = table(line, "a line")?;
        let told = optional_integer(map, "at_ms")?.unwrap_or(self.now);
        let mut others = map.iter().filter(|(key, _)| key.as_str() != "at_ms");
        let (Some((kind, part)), None) = (others.next(), others.next()) else {
            return Err("a line is at_ms and one other key".to_owned());
        };
        let part = table(part, kind)?;
        // TRC-4: time that goes back is clamped.
        if told < self.now && self.steps.len() < STEPS {
            self.steps.push((told, self.now));
        }
        self.now = self.now.max(told);
        self.engine.advance(self.now);
        let (own, question) = self.apply(kind, part)?;
        // A wait, a permit or an override of no length at all is over in its own line.
        self.engine.advance(self.now);
        if !question {
            self.tell(own);
        }
        Ok(())
    }

    /// What one line does; the events of its own, and whether it was only a question.
    fn apply(&mut self, kind: &str, part: &Map<String, Value>) -> Result<(Vec<Event>, bool), String> {
        let now = self.now;
        let mut own = Vec::new();
        match kind {
            "outcome" => own = self.outcome(part)?,
            "probe" => {
                let result = required_string(part, "result")?;
                self.engine.health_mut(&required_string(part, "dependency")?)?.probe(&result, now)?;
            }
            "override" => own.push(self.set_override(part)?),
            "restart" => {
                let away = optional_integer(part, "away_ms")?;
                match part.get("snapshot") {
                    None | Some(Value::Null) => self.engine.restart(away, now),
                    Some(snapshot) => self.engine.restore(table(snapshot, "snapshot")?, away, now)?,
                }
            }
            "advice" => {
                let signal_ttl = self.engine.document.signal_ttl;
                let source = required_string(part, "source")?;
                let says = required_string(part, "health")?;
                let health = self.engine.health_mut(&required_string(part, "dependency")?)?;
                health.advise(&source, &says, signal_ttl, now);
            }
            "instances" => {
                self.engine.instances =
                    Some((integer(part.get("count").unwrap_or(&Value::Null), "count")?, now));
            }
            "outbox" => {
                let dependency = required_string(part, "dependency")?;
                self.engine.document.dependency(&dependency)?;
                let depth = integer(part.get("depth").unwrap_or(&Value::Null), "depth")?;
                self.engine.depths.insert(dependency, depth);
            }
            "permit" => {
                let name = optional_string(part, "permit")?;
                let health = self.engine.health_mut(&required_string(part, "dependency")?)?;
                let permitted = health.permit(name.as_deref(), now);
                self.printed.push(json!({ "at_ms": now, "permit": permitted }));
            }
            "release" => {
                let name = optional_string(part, "permit")?;
                self.engine.health_mut(&required_string(part, "dependency")?)?.release(name.as_deref());
            }
            // HLT-29, `call`: an unnamed permit; where it is given, the outcome follows at once.
            "call" => {
                let health = self.engine.health_mut(&required_string(part, "dependency")?)?;
                let permitted = health.permit(None, now);
                self.printed.push(json!({ "at_ms": now, "permit": permitted }));
                if permitted && optional_string(part, "result")?.is_some() {
                    own = self.outcome(part)?;
                }
            }
            "health" => {
                let health = self.engine.health(&required_string(part, "dependency")?)?;
                self.printed.push(health.line(now));
                return Ok((own, true));
            }
            "decide" => return self.decide(part),
            "finish" => self.finish(part)?,
            other => return Err(format!("{other}: not built in this version")),
        }
        Ok((own, false))
    }

    /// trace.md, `outcome`, and the events that come of it (TRC-22).
    fn outcome(&mut self, part: &Map<String, Value>) -> Result<Vec<Event>, String> {
        let name = required_string(part, "dependency")?;
        let dependency = self.engine.document.dependency(&name)?.clone();
        let result = required_string(part, "result")?;
        let permit = optional_string(part, "permit")?;
        let told = Outcome {
            result: &result,
            permit: permit.as_deref(),
            latency: optional_integer(part, "latency_ms")?,
            retry_after: optional_integer(part, "retry_after_ms")?,
            had: optional_integer(part, "had_ms")?,
        };
        let heard = self.engine.health_mut(&name)?.outcome(&dependency, &told, self.now);
        Ok(of_outcome(&name, heard))
    }

    /// trace.md, `override` of a dependency, and its event (TRC-23).
    fn set_override(&mut self, part: &Map<String, Value>) -> Result<Event, String> {
        let name = required_string(part, "dependency")?;
        let to = optional_string(part, "to")?;
        let for_ms = optional_integer(part, "for_ms")?;
        let (by, reason) = (optional_string(part, "by")?, optional_string(part, "reason")?);
        let act = Acted { to: to.as_deref(), for_ms, by: by.as_deref(), reason: reason.as_deref() };
        if let Some(why) = self.engine.health_mut(&name)?.set_override(act, self.now)? {
            let told = json!({ "kind": "override.refused", "dependency": name, "to": to, "why": why });
            return Ok(event(told));
        }
        // OPR-20: of `break_glass` the event tells what stands.
        let for_ms = match to.as_deref() {
            Some("break_glass") => self.engine.health_mut(&name)?.glass_stands_for(for_ms),
            _ => for_ms,
        };
        Ok(event(json!({ "kind": "override.set", "dependency": name, "to": to, "for_ms": for_ms,
                         "by": by, "reason": reason })))
    }

    /// REQ-4: a preview changes the request, never the engine; else the line commits.
    fn decide(&mut self, part: &Map<String, Value>) -> Result<(Vec<Event>, bool), String> {
        let operation_name = required_string(part, "operation")?;
        let operation = self.engine.document.operation(&operation_name)?.clone();
        let name = optional_string(part, "request")?;
        let preview = part.get("preview").and_then(Value::as_bool).unwrap_or(false);
        let held = name.as_ref().and_then(|name| self.requests.remove(name));
        let mut request = held.unwrap_or_else(|| Request::new(&self.engine.document, &operation_name));
        if request.operation != operation_name {
            return Err("the request named another operation before".to_owned());
        }
        request.gather(&self.engine.document, part, self.now)?;
        request.last_line = self.line;

        let asked = Asked { engine: &self.engine, operation: &operation, request: &request, now: self.now };
        let decision = decide(asked)?;
        let mut json = decision.json.clone();
        let mut own = Vec::new();
        if !preview {
            own = self.commit(&operation, &mut request, &decision, &mut json)?;
        }
        self.printed.push(json!({ "at_ms": self.now, "decision": json }));
        if let Some(name) = name {
            self.make_room();
            self.requests.insert(name, request);
        }
        Ok((own, preview))
    }

    /// REQ-1: commits a decision: what was answered, outbox numbers, emits told, amounts taken.
    fn commit(
        &mut self,
        operation: &crate::document::Operation,
        request: &mut Request,
        decision: &Decision,
        json: &mut Value,
    ) -> Result<Vec<Event>, String> {
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
        let mut own = Vec::new();
        for (rung_key, emit) in &decision.told {
            if request.told.contains(rung_key) {
                continue;
            }
            request.told.push(rung_key.clone());
            let part = |key: &str| emit.get(key).cloned().unwrap_or(Value::Null);
            own.push(event(json!({ "kind": part("event"), "dependency": part("dependency"),
                                   "reason": part("reason"), "alert": part("alert") })));
        }
        // MET-5: taken at the first commit that goes on, in shadow whatever the verdict.
        if went_on {
            self.take_amounts(operation, request, &mut own)?;
        }
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

    /// MET-5: each meter whose store the operation needs; the first figure stands.
    fn take_amounts(
        &mut self,
        operation: &crate::document::Operation,
        request: &mut Request,
        own: &mut Vec<Event>,
    ) -> Result<(), String> {
        for meter in self.engine.document.meters.clone() {
            if !operation.needs.contains(&meter.store) || request.taken.contains_key(&meter.name) {
                continue;
            }
            let key = meter::key(&meter, &request.tenant, &request.session);
            let amount = request.amount(&meter.name);
            let counts = self.engine.counts_mut(&meter.name)?;
            let taken = counts.take(&meter, key, amount, self.now);
            if amount > 0 && !Counts::was_counted(&taken) && !counts.full_told {
                counts.full_told = true;
                own.push(event(json!({ "kind": "table.full", "meter": meter.name })));
            }
            request.taken.insert(meter.name.clone(), taken);
        }
        Ok(())
    }

    /// TRC-7: the request whose last line is oldest is forgotten to make room.
    fn make_room(&mut self) {
        if self.requests.len() < REQUESTS {
            return;
        }
        let oldest = self.requests.iter().min_by_key(|(_, request)| request.last_line);
        if let Some(name) = oldest.map(|(name, _)| name.clone()) {
            self.requests.remove(&name);
        }
    }

    /// REQ-9 and MET-7: `finish` ends a request and settles what it cost; of an unknown one it is ignored.
    fn finish(&mut self, part: &Map<String, Value>) -> Result<(), String> {
        let name = required_string(part, "request")?;
        let empty = Map::new();
        let amounts = match part.get("amounts") {
            None | Some(Value::Null) => &empty,
            Some(value) => table(value, "amounts")?,
        };
        let Some(request) = self.requests.remove(&name) else {
            return Ok(());
        };
        for (meter_name, actual) in amounts {
            let actual = integer(actual, "amounts")?;
            let meter = self.engine.document.meter(meter_name)?.clone();
            let operation = self.engine.document.operation(&request.operation)?;
            let needed = operation.needs.contains(&meter.store);
            let counts = self.engine.counts_mut(meter_name)?;
            match request.taken.get(meter_name) {
                Some(taken) if taken.amount > 0 => counts.correct(&meter, taken, actual, self.now),
                // Nothing was taken; what it cost all the same is counted now.
                _ if needed => {
                    let key = meter::key(&meter, &request.tenant, &request.session);
                    counts.take(&meter, key, actual, self.now);
                }
                _ => {}
            }
        }
        Ok(())
    }

    /// TRC-22: overrides expired, health changed, clock steps, then the line's own.
    fn tell(&mut self, own: Vec<Event>) {
        let mut events = Vec::new();
        for (name, health) in &mut self.engine.healths {
            for was in std::mem::take(&mut health.expired) {
                events.push(event(json!({ "kind": "override.expired", "dependency": name, "was": was })));
            }
        }
        for (_, health) in &mut self.engine.healths {
            events.extend(health.tell_change(self.now).map(event));
        }
        for (told, kept) in std::mem::take(&mut self.steps) {
            events.push(event(json!({ "kind": "clock.stepped_back", "told_ms": told, "kept_ms": kept })));
        }
        events.extend(own);
        for mut event in events {
            self.sequence = self.sequence.saturating_add(1);
            event.insert("v".to_owned(), json!(1));
            event.insert("matrix".to_owned(), json!(self.engine.identity));
            event.insert("instance".to_owned(), json!("replay"));
            event.insert("sequence".to_owned(), json!(self.sequence));
            self.printed.push(json!({ "at_ms": self.now, "event": event }));
        }
    }
}

/// TRC-22: `clock.skewed`, `refusals.spiked`, `never.answered`.
fn of_outcome(name: &str, heard: Heard) -> Vec<Event> {
    let skewed = heard
        .skewed
        .map(|latency| json!({ "kind": "clock.skewed", "dependency": name, "latency_ms": latency }));
    let spiked = heard.spiked.map(|(rate, limit, calls)| {
        json!({ "kind": "refusals.spiked", "dependency": name, "refusal_rate_bp": rate, "limit_bp": limit,
                "calls": calls })
    });
    let never = heard
        .never_answered
        .map(|streak| json!({ "kind": "never.answered", "dependency": name, "ignored_calls": streak }));
    [skewed, spiked, never].into_iter().flatten().map(event).collect()
}

/// The keys of an event as a map.
fn event(value: Value) -> Event {
    value.as_object().cloned().unwrap_or_default()
}
