//! A trace, line by line (trace.md): answers, and the events in the order of TRC-22.

mod commit;
mod meters;
mod question;
mod reload;
mod windows;

use std::collections::BTreeMap;
use std::sync::Arc;

use serde_json::{Map, Value, json};

use crate::decide::{decide, unknown_name};
use crate::document::Document;
use crate::engine::{Asked, Engine};
use crate::health::{Acted, Heard, Outcome};
use crate::json::{integer, optional_integer, optional_string, required_string, table};
use crate::meter::Told;
use crate::request::Request;
pub(crate) use question::Scene;

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

/// The events of a line's own, in the order of TRC-22: what stands first, then those of meters, each kind with its
/// meters as written.
#[derive(Default)]
struct Own {
    first: Vec<Event>,
    reached: Vec<Event>,
    full: Vec<Event>,
}

impl Own {
    /// What a touched key of a meter tells.
    fn told(&mut self, meter: &str, told: Told) {
        self.reached.extend(told.reached.map(event));
        if told.full {
            self.full.push(event(json!({ "kind": "table.full", "meter": meter })));
        }
    }

    /// Of a line that is of one meter alone.
    fn of_meter(meter: &str, told: Told) -> Own {
        let mut own = Own::default();
        own.told(meter, told);
        own
    }

    /// Events alone.
    fn of(first: Vec<Event>) -> Own {
        Own { first, ..Own::default() }
    }
}

/// So many clock steps of questions are kept until they can be told (spec 1, limits).
const STEPS: usize = 16;

/// Runs a trace.
pub(crate) fn replay(document: Document, lines: &[Value]) -> Result<Vec<Value>, String> {
    // TRC-5: state begins at 0, or at the first line's `at_ms` if that is lower.
    let first = lines.first().and_then(|line| line.get("at_ms")).and_then(Value::as_i64).unwrap_or(0);
    let mut replay = Replay::new(Engine::new(Arc::new(document), first.min(0)), first.min(0));
    for (place, line) in lines.iter().enumerate() {
        replay.line = place;
        replay.run(line).map_err(|error| format!("line {}: {error}", place.saturating_add(1)))?;
    }
    Ok(replay.printed)
}

impl Replay {
    /// A trace that has not begun.
    fn new(engine: Engine, now: i64) -> Replay {
        Replay {
            engine,
            requests: BTreeMap::new(),
            now,
            line: 0,
            sequence: 0,
            steps: Vec::new(),
            printed: Vec::new(),
        }
    }

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
        if kind == "reload" {
            return self.reload(part);
        }
        let (own, question) = self.apply(kind, part)?;
        // A wait, a permit or an override of no length at all is over in its own line.
        self.engine.advance(self.now);
        if question {
            return Ok(());
        }
        // WIN-3: by what stands after the line.
        self.engine.close_idle_windows(self.now);
        self.tell(own)
    }

    /// What one line does; the events of its own, and whether it was only a question.
    fn apply(&mut self, kind: &str, part: &Map<String, Value>) -> Result<(Own, bool), String> {
        let now = self.now;
        let mut own = Own::default();
        match kind {
            "outcome" => own = Own::of(self.outcome(part)?),
            "probe" => {
                let result = required_string(part, "result")?;
                self.engine.health_mut(&required_string(part, "dependency")?)?.probe(&result, now)?;
            }
            "override" if part.contains_key("meter") => own = self.override_meter(part)?,
            "override" => own = Own::of(vec![self.set_override(part)?]),
            "reading" => own = self.reading(part)?,
            "usage" => own = self.usage(part)?,
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
                    own = Own::of(self.outcome(part)?);
                }
            }
            "health" => {
                let health = self.engine.health(&required_string(part, "dependency")?)?;
                self.printed.push(health.line(now));
                return Ok((own, true));
            }
            "windows" => {
                self.printed.push(self.windows_line(part)?);
                return Ok((own, true));
            }
            "decide" => return self.decide(part),
            "finish" => own = self.finish(part)?,
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
    fn decide(&mut self, part: &Map<String, Value>) -> Result<(Own, bool), String> {
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
        // DEC-18: an answer to an unknown name commits nothing.
        let known = !request.class_unknown;
        let decision = if known { decide(asked)? } else { unknown_name(asked) };
        let mut json = decision.json.clone();
        let mut own = Own::default();
        if !preview && known {
            own = self.commit(&operation, &mut request, name.is_some(), &decision, &mut json)?;
        }
        self.printed.push(json!({ "at_ms": self.now, "decision": json }));
        if let Some(name) = name {
            self.make_room();
            self.requests.insert(name, request);
        }
        Ok((own, preview))
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

    /// TRC-22: overrides expired, health changed, windows closed, clock steps, then the line's own, then settlements
    /// (MET-40).
    fn tell(&mut self, own: Own) -> Result<(), String> {
        self.tell_with(own, |_| false)
    }

    /// The same; settlements also of meters that are `gone`, whatever their store's health (RST-12).
    fn tell_with(&mut self, own: Own, gone: impl Fn(&String) -> bool) -> Result<(), String> {
        let mut events = Vec::new();
        for (name, health) in &mut self.engine.healths {
            for was in std::mem::take(&mut health.expired) {
                events.push(event(json!({ "kind": "override.expired", "dependency": name, "was": was })));
            }
        }
        for (_, health) in &mut self.engine.healths {
            events.extend(health.tell_change(self.now).map(event));
        }
        events.extend(self.closed_windows());
        for (told, kept) in std::mem::take(&mut self.steps) {
            events.push(event(json!({ "kind": "clock.stepped_back", "told_ms": told, "kept_ms": kept })));
        }
        events.extend(own.first.into_iter().chain(own.reached).chain(own.full));
        for meter in self.engine.document.meters.clone() {
            if gone(&meter.name) || !self.engine.is_out(&meter.store)? {
                let now = self.now;
                events.extend(
                    self.engine.table_mut(&meter.name)?.settlements(&meter, now).into_iter().map(event),
                );
            }
        }
        self.print(events);
        Ok(())
    }

    /// TRC-20: prints events, with the keys that all of them have.
    fn print(&mut self, events: Vec<Event>) {
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
