//! Windows as they are told: opened, by another rung, closed with an account.

use serde_json::Value;

use super::Picture;
use super::account::{Account, Mark, Window};
use super::lane::Lane;
use super::span::{Body, Kind, Span};
use crate::words::name;

impl Picture {
    fn window_lane(&mut self, event: &Value) -> Option<&mut Lane> {
        let dependency = event.get("dependency").and_then(Value::as_str)?;
        let id = self.matrix.dependency(dependency)?;
        let lane = || Lane::new(Kind::Window, name(dependency));
        Some(self.windows.entry(self.health.place(id.index())?).or_insert_with(lane))
    }

    /// The window of that lane that is still open.
    fn open_window(&mut self, event: &Value) -> Option<(&mut Window, &mut u8)> {
        let span = self.window_lane(event)?.last_mut()?;
        match &mut span.body {
            Body::Window(window) if window.closed.is_none() => Some((window, &mut span.state)),
            _ => None,
        }
    }

    pub(super) fn open(&mut self, at: i64, event: &Value) {
        let mark = Mark::read(at, event);
        let state = mark.posture;
        let window = Window { marks: vec![mark], ..Window::default() };
        if let Some(lane) = self.window_lane(event) {
            let bytes = lane.push(Span::new(at, state, Body::Window(Box::new(window))));
            self.held += bytes;
        }
    }

    pub(super) fn change_rung(&mut self, at: i64, event: &Value) {
        let mark = Mark::read(at, event);
        if let Some((window, state)) = self.open_window(event) {
            *state = (*state).max(mark.posture);
            window.marks.push(mark);
        }
    }

    pub(super) fn close(&mut self, at: i64, event: &Value) {
        let account = Account::read(event);
        let idle = event.get("idle_ms").and_then(Value::as_i64).unwrap_or_default();
        if let Some((window, _)) = self.open_window(event) {
            window.closed = Some(at);
            window.reloaded = event.get("why").and_then(Value::as_str) == Some("reloaded");
            window.last_use = Some(at.saturating_sub(idle));
            window.account = account;
        }
        if let Some(span) = self.window_lane(event).and_then(Lane::last_mut) {
            span.to = at;
        }
    }

    /// The account so far of a window that is open.
    pub(super) fn still_open(&mut self, told: &Value) {
        let last = self.last;
        if let Some((window, _)) = self.open_window(told) {
            window.account = Account::read(told);
            let idle = told.get("idle_ms").and_then(Value::as_i64).unwrap_or_default();
            window.last_use = Some(last.saturating_sub(idle));
        }
    }
}
