//! Windows as they are told: opened, by another rung, closed with an account.

use failsoft::Posture;
use serde_json::Value;

use super::Picture;
use super::account::{Account, Mark, Window};
use super::lane::Lane;
use super::span::{self, Body, Kind, Span};
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
            Body::Window(window) if window.closed.is_none() && !window.lost => {
                Some((window, &mut span.state))
            }
            _ => None,
        }
    }

    pub(super) fn open(&mut self, at: i64, event: &Value) {
        let mark = Mark::read(at, event);
        let state = mark.posture;
        self.window_lane(event).into_iter().for_each(lose_last);
        let window = Window { marks: vec![mark], ..Window::default() };
        self.begin_window(at, state, window, event);
    }

    fn begin_window(&mut self, at: i64, state: u8, window: Window, event: &Value) {
        if let Some(lane) = self.window_lane(event) {
            let bytes = lane.push(Span::new(at, state, Body::Window(Box::new(window))));
            self.held += bytes;
        }
    }

    /// Windows are the snapshot's now.
    pub(super) fn lose_all(&mut self) {
        self.windows.values_mut().for_each(lose_last);
    }

    pub(super) fn change_rung(&mut self, at: i64, event: &Value) {
        self.restored(at, event);
        let mark = Mark::read(at, event);
        if let Some((window, state)) = self.open_window(event) {
            *state = (*state).max(mark.posture);
            window.marks.push(mark);
        }
    }

    pub(super) fn close(&mut self, at: i64, event: &Value) {
        self.restored(at, event);
        let account = Account::read(event);
        let reloaded = event.get("why").and_then(Value::as_str) == Some("reloaded");
        let from = self.begun(event);
        if let Some((window, _)) = self.open_window(event) {
            window.closed = Some(at);
            window.reloaded = reloaded;
            window.used(at, idle(event), from);
            window.account = account;
        }
        if let Some(span) = self.window_lane(event).and_then(Lane::last_mut) {
            span.to = at;
        }
    }

    /// A window of which nothing was heard came with a snapshot.
    fn restored(&mut self, at: i64, event: &Value) {
        if self.open_window(event).is_some() {
            return;
        }
        let length = event.get("duration_ms").and_then(Value::as_i64).unwrap_or_default();
        let began = at.saturating_sub(idle(event)).saturating_sub(length);
        let from = began.max(self.first.unwrap_or(at)).min(at);
        let state = self.posture_of(event);
        self.begin_window(from, state, Window::default(), event);
    }

    /// Since when the last window of that lane is drawn.
    fn begun(&mut self, event: &Value) -> i64 {
        self.window_lane(event).and_then(Lane::last_mut).map_or(i64::MIN, |span| span.from)
    }

    /// The most open posture of the rungs of an account.
    fn posture_of(&self, event: &Value) -> u8 {
        let dependency = event.get("dependency").and_then(Value::as_str);
        let id = dependency.and_then(|name| self.matrix.dependency(name));
        let ladder: Vec<_> = id.map(|id| self.matrix.ladder_postures(id).collect()).unwrap_or_default();
        let ways = event.get("decisions").and_then(Value::as_array).into_iter().flatten();
        let postures = ways.map(|way| {
            let rung = way.get("rung").and_then(Value::as_u64).and_then(|rung| usize::try_from(rung).ok());
            rung.and_then(|rung| ladder.get(rung).copied()).unwrap_or(Posture::FailOpen)
        });
        postures.max().map(span::posture).unwrap_or_default()
    }

    /// The accounts so far of all windows that are open; of any other that was open nothing more will be heard.
    pub(super) fn still_open(&mut self, told: &[Value]) {
        let last = self.last;
        for open in told {
            self.restored(last, open);
            let from = self.begun(open);
            if let Some((window, _)) = self.open_window(open) {
                window.account = Account::read(open);
                window.used(last, idle(open), from);
            }
        }
        let open: Vec<String> =
            told.iter().filter_map(|open| open.get("dependency").and_then(Value::as_str)).map(name).collect();
        self.windows.values_mut().filter(|lane| !open.contains(&lane.name)).for_each(lose_last);
    }
}

/// A window that was open is not any more, and nothing was told of it: a snapshot was restored without it.
fn lose_last(lane: &mut Lane) {
    if let Some(Body::Window(window)) = lane.last_mut().map(|span| &mut span.body)
        && window.closed.is_none()
    {
        window.lost = true;
    }
}

fn idle(event: &Value) -> i64 {
    event.get("idle_ms").and_then(Value::as_i64).unwrap_or_default()
}
