//! The life of windows (7.1) and their events (7.3). What caps count stands in `cap` (3.7), what a window says of
//! itself in `account` (7.2), how it comes out of a snapshot in `snapshot` (10.2).

mod account;
mod cap;
mod reload;
mod snapshot;

use std::collections::BTreeMap;

use serde_json::{Map, Value, json};

use crate::document::Meter;
use crate::numbers::{aged, between, plus};
use crate::request::Request;
use crate::rung::Answer;

use account::Account;
pub(crate) use account::Counted;
pub(crate) use cap::{CapTaken, cap_stands};

/// An open window (WIN-1).
#[derive(Clone, Debug)]
struct Window {
    dependency: String,
    /// Which window this is, so that a request is counted and takes once in each (WIN-5, LAD-53).
    id: u64,
    opened: i64,
    /// The last commit that used it.
    last: i64,
    /// This line used it: it stands after the line.
    used_now: bool,
    /// The rungs that commits have used it by (WIN-2).
    rungs: Vec<Taken>,
    /// What each rung's cap has counted, by key: the rung's place, the key, and the count.
    counts: Vec<(usize, Vec<String>, i64)>,
    account: Account,
}

/// WIN-2: a rung, as a reason tells it (DEC-26). Without a place it is `break_glass`, a ladder that ran out, or
/// `over_limit`.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Taken {
    place: Option<i64>,
    kind: String,
}

/// A commit's use of a window.
pub(crate) struct Use<'a> {
    pub(crate) dependency: &'a str,
    pub(crate) operation: &'a str,
    /// It is of a `shadow` operation (WIN-5).
    pub(crate) shadow: bool,
    /// The need's own answer, before any conversion.
    pub(crate) answer: &'a Answer,
    /// What was taken from each meter whose store is in the operation's `needs` (WIN-5).
    pub(crate) amounts: BTreeMap<String, i64>,
    /// The dependency is `down` or `probing`.
    pub(crate) out: bool,
    /// The document's `window_idle` (WIN-3).
    pub(crate) idle: i64,
    /// The document's `tenants` (WIN-4).
    pub(crate) tenants: i64,
}

/// All windows that are open.
#[derive(Clone, Debug, Default)]
pub(crate) struct Windows {
    open: Vec<Window>,
    /// Those that this line has closed, and that are not told yet, each with its `why`.
    closed: Vec<(Window, &'static str)>,
    ids: u64,
}

impl Taken {
    /// The rung of an answer.
    fn of(answer: &Answer) -> Taken {
        let place = answer.reason.get("rung").and_then(Value::as_i64);
        let kind = answer.reason.get("kind").and_then(Value::as_str).unwrap_or("");
        Taken { place, kind: kind.to_owned() }
    }
}

impl Window {
    /// WIN-3: it may close. `out` is whether the dependency is `down` or `probing`.
    fn may_close(&self, out: bool, idle: i64, now: i64) -> bool {
        !out && now >= plus(self.last, idle)
    }

    /// WIN-11: the account, with the two spans before it.
    fn told(&self, meters: &[Meter], now: i64) -> Map<String, Value> {
        let mut told = Map::new();
        told.insert("duration_ms".to_owned(), json!(between(self.opened, self.last).max(0)));
        told.insert("idle_ms".to_owned(), json!(between(self.last, now)));
        told.extend(self.account.told(meters));
        told
    }
}

impl Windows {
    /// The open window of a dependency.
    fn of(&self, dependency: &str) -> Option<&Window> {
        self.open.iter().find(|window| window.dependency == dependency)
    }

    /// WIN-1: a commit uses the window of a dependency. The event that it tells, where it opens the window or takes
    /// another rung.
    pub(crate) fn use_window(&mut self, used: &Use<'_>, request: &mut Request, now: i64) -> Option<Value> {
        // WIN-3 and TRC-27: one that may close is closed already, and this commit opens a new one.
        let stands = |window: &Window| {
            window.dependency != used.dependency || !window.may_close(used.out, used.idle, now)
        };
        self.close_unless("recovered", stands);
        let opens = self.of(used.dependency).is_none();
        if opens {
            self.open(used.dependency, now);
        }
        let window = self.open.iter_mut().find(|window| window.dependency == used.dependency)?;
        window.last = now;
        window.used_now = true;
        let rung = Taken::of(used.answer);
        let changes = !window.rungs.contains(&rung);
        // WIN-5: once per window, at the first commit that uses it.
        if !request.counted.iter().any(|counted| counted.window == window.id) {
            let under =
                if used.shadow { Taken { place: None, kind: "shadow".to_owned() } } else { rung.clone() };
            let row = window.account.count(under, &request.tenant, &used.amounts, used.tenants);
            request.counted.push(Counted { window: window.id, row, amounts: used.amounts.clone() });
        }
        if !changes {
            return None;
        }
        window.rungs.push(rung);
        Some(opened_or_changed(if opens { "window.opened" } else { "window.changed" }, used))
    }

    /// A window opens.
    fn open(&mut self, dependency: &str, opened: i64) {
        self.ids = self.ids.saturating_add(1);
        self.open.push(Window {
            dependency: dependency.to_owned(),
            id: self.ids,
            opened,
            last: opened,
            used_now: false,
            rungs: Vec::new(),
            counts: Vec::new(),
            account: Account::default(),
        });
    }

    /// Closes those that do not stand; they are told at the end of the line.
    fn close_unless(&mut self, why: &'static str, stands: impl Fn(&Window) -> bool) {
        for window in std::mem::take(&mut self.open) {
            if stands(&window) {
                self.open.push(window);
            } else {
                self.closed.push((window, why));
            }
        }
    }

    /// WIN-3: at the end of a line that is no question. One that this very line used stands after it.
    pub(crate) fn close_idle(&mut self, is_out: impl Fn(&str) -> bool, idle: i64, now: i64) {
        self.close_unless("recovered", |window| {
            window.used_now || !window.may_close(is_out(&window.dependency), idle, now)
        });
        for window in &mut self.open {
            window.used_now = false;
        }
    }

    /// The `window.closed` of a dependency, where this line closed its window.
    pub(crate) fn tell_closed(&mut self, dependency: &str, meters: &[Meter], now: i64) -> Option<Value> {
        let place = self.closed.iter().position(|(window, _)| window.dependency == dependency)?;
        let (window, why) = self.closed.remove(place);
        let mut told = Map::new();
        told.insert("kind".to_owned(), json!("window.closed"));
        told.insert("dependency".to_owned(), json!(dependency));
        told.insert("why".to_owned(), json!(why));
        told.extend(window.told(meters, now));
        Some(Value::Object(told))
    }

    /// TRC-28: the open window of a dependency with its account. For a question one that may close is closed.
    pub(crate) fn line(
        &self,
        dependency: &str,
        out: bool,
        idle: i64,
        meters: &[Meter],
        now: i64,
    ) -> Option<Value> {
        let window = self.of(dependency).filter(|window| !window.may_close(out, idle, now))?;
        let mut told = Map::new();
        told.insert("dependency".to_owned(), json!(dependency));
        told.extend(window.told(meters, now));
        Some(Value::Object(told))
    }

    /// WIN-7: a window survives a restart, its times aged.
    pub(crate) fn age(&mut self, away: i64) {
        for window in &mut self.open {
            window.opened = aged(window.opened, away);
            window.last = aged(window.last, away);
        }
    }

    /// RST-9: a snapshot is restored in place of what was. What was open then has not recovered: nothing is told of it.
    pub(crate) fn forget_all(&mut self) {
        self.open.clear();
    }
}

/// WIN-13: of the need's own answer, before any conversion; `rung_kind`, `health` and `fault` as in its reason.
fn opened_or_changed(kind: &str, used: &Use<'_>) -> Value {
    let reason = |key: &str| used.answer.reason.get(key).cloned().unwrap_or(Value::Null);
    json!({
        "kind": kind,
        "dependency": used.dependency,
        "operation": used.operation,
        "posture": used.answer.posture,
        "rung": reason("rung"),
        "rung_kind": reason("kind"),
        "health": reason("health"),
        "fault": reason("fault"),
    })
}
