//! Windows in a trace (spec 7): commits that use them, a `finish` that corrects them, the question `windows`.

use std::collections::BTreeMap;

use serde_json::{Map, Value, json};

use super::{Event, Replay, event};
use crate::decide::Decision;
use crate::document::Operation;
use crate::json::optional_string;
use crate::request::Request;
use crate::window::Use;

impl Replay {
    /// WIN-1 and LAD-53: the windows that this commit uses, and what it takes from caps. The events `window.opened` and
    /// `window.changed`, in pipeline order (TRC-22).
    pub(super) fn use_windows(
        &mut self,
        operation: &Operation,
        request: &mut Request,
        decision: &Decision,
    ) -> Result<Vec<Value>, String> {
        let shadow = operation.enforcement == "shadow";
        let mut told = Vec::new();
        for (name, answer) in &decision.looked_at {
            let Some(answer) = answer else { continue };
            // A refusal is no failure; a need that is left behind has not failed.
            if answer.refusal || decision.behind.contains(name) {
                continue;
            }
            if !(shadow || (decision.goes_on && answer.goes_on())) {
                continue;
            }
            let used = Use {
                dependency: name,
                operation: &operation.name,
                shadow,
                answer,
                amounts: self.taken_of(operation, request),
                out: self.engine.is_out(name)?,
                idle: self.engine.document.window_idle,
                tenants: self.engine.document.tenants,
            };
            told.extend(self.engine.windows.use_window(&used, request, self.now));
            let dependency = self.engine.document.dependency(name)?;
            let rung = answer.place.and_then(|place| dependency.on_failure.get(place));
            if let (Some(place), Some(cap)) = (answer.place, rung.and_then(|rung| rung.cap.as_ref())) {
                let meter = cap.meter.as_ref().map(|meter| self.engine.document.meter(meter)).transpose()?;
                self.engine.windows.take(name, place, cap, meter, request);
            }
        }
        Ok(told)
    }

    /// WIN-5: of every meter whose store is in the operation's `needs` what was taken, be it counted there or not.
    fn taken_of(&self, operation: &Operation, request: &Request) -> BTreeMap<String, i64> {
        let mut amounts = BTreeMap::new();
        for meter in &self.engine.document.meters {
            if !operation.needs.contains(&meter.store) {
                continue;
            }
            if let Some(taken) = request.taken.get(&meter.name) {
                amounts.insert(meter.name.clone(), taken.amount);
            }
        }
        amounts
    }

    /// TRC-28: each open window with its account, or that of one dependency, where one is told.
    pub(super) fn windows_line(&self, part: &Map<String, Value>) -> Result<Value, String> {
        let only = optional_string(part, "dependency")?;
        if let Some(name) = &only {
            self.engine.document.dependency(name)?;
        }
        let (document, mut windows) = (&self.engine.document, Vec::new());
        for dependency in &document.dependencies {
            let name = &dependency.name;
            if only.as_ref().is_some_and(|only| only != name) {
                continue;
            }
            let (out, idle) = (self.engine.is_out(name)?, document.window_idle);
            windows.extend(self.engine.windows.line(name, out, idle, &document.meters, self.now));
        }
        Ok(json!({ "at_ms": self.now, "windows": windows }))
    }

    /// WIN-8: the windows that this line has closed, dependencies as written.
    pub(super) fn closed_windows(&mut self) -> Vec<Event> {
        let (document, windows) = (&self.engine.document, &mut self.engine.windows);
        let mut told = Vec::new();
        for dependency in &document.dependencies {
            let closed = windows.tell_closed(&dependency.name, &document.meters, self.now);
            told.extend(closed.map(event));
        }
        told
    }
}
