//! A second counter of windows, from spec 7 alone: it sees what a host sees, keeps everything, and hides nothing.

use std::collections::{BTreeMap, BTreeSet};

use failsoft::{Health, Report};
use serde_json::{Map, Value, json};

use crate::play::{Case, Step, entries, text};
use crate::reading::{Failed, Seen, Told, Unclear};

/// The largest count (WIN-4).
const MOST: u64 = (1 << 53) - 1;

/// The longest name that has a row, in bytes.
const LONGEST: usize = 4_096;

#[derive(Clone, Default)]
struct Row {
    requests: u64,
    amounts: BTreeMap<String, u64>,
}

/// A request's part in a window: whose row, and what stands there of it.
#[derive(Clone)]
struct Part {
    tenant: Option<String>,
    amounts: BTreeMap<String, u64>,
}

struct Window {
    opened: i64,
    last: i64,
    /// The rungs that commits used it by.
    used_by: BTreeSet<(Option<u16>, String)>,
    decisions: BTreeMap<(usize, Option<u16>, String), u64>,
    rows: BTreeMap<String, Row>,
    others: Row,
    parts: BTreeMap<String, Part>,
}

/// All that a host sees of windows.
pub(crate) struct Naive<'c> {
    case: &'c Case,
    requests: BTreeMap<String, Told>,
    open: BTreeMap<String, Window>,
    nameless: usize,
    /// Every account that was compared, and every request that was counted.
    pub(crate) compared: usize,
    pub(crate) counted: usize,
}

/// Why a case ends.
pub(crate) enum Trouble {
    Unclear,
    Wrong(String),
}

impl From<Unclear> for Trouble {
    fn from(_: Unclear) -> Self {
        Self::Unclear
    }
}

impl Row {
    fn correct(&mut self, meter: &str, less: u64, more: u64) {
        let sum = self.amounts.entry(meter.to_owned()).or_insert(0);
        // Of a sum that was cut short nobody knows how much to take off.
        let less = if *sum == MOST { 0 } else { less };
        *sum = (*sum - less).saturating_add(more).min(MOST);
    }
}

impl Window {
    fn new(opened: i64, last: i64) -> Self {
        Self {
            opened,
            last,
            used_by: BTreeSet::new(),
            decisions: BTreeMap::new(),
            rows: BTreeMap::new(),
            others: Row::default(),
            parts: BTreeMap::new(),
        }
    }

    fn row(&mut self, tenant: Option<&String>) -> &mut Row {
        match tenant {
            Some(tenant) => self.rows.entry(tenant.clone()).or_default(),
            None => &mut self.others,
        }
    }

    /// Counts a request, once.
    fn count(&mut self, name: &str, told: &Told, way: (Option<u16>, String), tenants: u64) -> bool {
        if self.parts.contains_key(name) {
            return false;
        }
        let after = ["allow", "break_glass", "over_limit", "shadow"];
        let place = match way.0 {
            Some(_) => 0,
            None => 1 + after.iter().position(|kind| *kind == way.1).expect("one that goes on"),
        };
        *self.decisions.entry((place, way.0, way.1)).or_insert(0) += 1;
        let known = self.rows.contains_key(&told.tenant);
        let room = u64::try_from(self.rows.len()).expect("a few") < tenants;
        let tenant = (told.tenant.len() <= LONGEST && (known || room)).then(|| told.tenant.clone());
        let amounts = told.taken.clone().unwrap_or_default();
        let row = self.row(tenant.as_ref());
        row.requests += 1;
        amounts.iter().for_each(|(meter, amount)| row.correct(meter, 0, *amount));
        self.parts.insert(name.to_owned(), Part { tenant, amounts });
        true
    }

    /// What a request really cost. Its name afterwards is a new request.
    fn finish(&mut self, name: &str, costs: &BTreeMap<String, u64>) {
        let Some(mut part) = self.parts.remove(name) else { return };
        for (meter, cost) in costs {
            let before = part.amounts.insert(meter.clone(), *cost).unwrap_or(0);
            self.row(part.tenant.as_ref()).correct(meter, before, *cost);
        }
    }

    fn account(&self, case: &Case, now: i64) -> Map<String, Value> {
        let meters: Vec<&str> = case.loaded.draft.meters.iter().map(|meter| meter.name.as_str()).collect();
        let amounts = |row: &Row| {
            let held = meters.iter().filter_map(|meter| Some((*meter, *row.amounts.get(*meter)?)));
            held.filter(|(_, sum)| *sum > 0).map(|(meter, sum)| (meter.to_owned(), json!(sum))).collect()
        };
        let written = |tenant: Option<&String>, row: &Row| {
            let amounts: Map<String, Value> = amounts(row);
            match tenant {
                Some(tenant) => json!({ "tenant": tenant, "requests": row.requests, "amounts": amounts }),
                None => json!({ "requests": row.requests, "amounts": amounts }),
            }
        };
        let mut total = Row::default();
        for row in self.rows.values().chain([&self.others]) {
            total.requests += row.requests;
            row.amounts.iter().for_each(|(meter, sum)| total.correct(meter, 0, *sum));
        }
        let decisions = self.decisions.iter().map(
            |((_, rung, kind), requests)| json!({ "rung": rung, "rung_kind": kind, "requests": requests }),
        );
        let account = json!({
            // A snapshot by hand may say that it was used before it opened.
            "duration_ms": (self.last - self.opened).max(0),
            "idle_ms": now - self.last,
            "total": written(None, &total),
            "decisions": decisions.collect::<Vec<_>>(),
            "tenants": self.rows.iter().map(|(tenant, row)| written(Some(tenant), row)).collect::<Vec<_>>(),
            "others": written(None, &self.others),
        });
        account.as_object().expect("an object").clone()
    }
}

fn used(at: i64, operation: &str, failed: &Failed<'_>, opens: bool) -> Value {
    let kind = if opens { "window.opened" } else { "window.changed" };
    json!({ "at_ms": at, "event": {
        "kind": kind, "dependency": failed.need, "operation": operation, "posture": failed.posture.as_str(),
        "rung": failed.reason.rung, "rung_kind": failed.reason.kind.as_str(),
        "health": failed.reason.health.map(Health::as_str), "fault": failed.reason.fault.map(Report::as_str),
    } })
}

impl<'c> Naive<'c> {
    pub(crate) fn new(case: &'c Case) -> Self {
        Self { case, requests: BTreeMap::new(), open: BTreeMap::new(), nameless: 0, compared: 0, counted: 0 }
    }

    fn may_close(&self, need: &str, step: &Step) -> bool {
        let ill = matches!(step.health[need], Health::Down | Health::Probing);
        let idle = i64::try_from(self.case.loaded.draft.window_idle.get()).expect("short");
        self.open.get(need).is_some_and(|window| !ill && step.at >= window.last.saturating_add(idle))
    }

    /// Takes note of a line, and compares what was printed of windows with what should be.
    pub(crate) fn line<'s>(&mut self, step: &'s Step) -> Result<Option<Seen<'s>>, Trouble> {
        let draft = &self.case.loaded.draft;
        let names: Vec<&String> = draft.dependencies.iter().map(|dependency| &dependency.name).collect();
        let mut told: Vec<Value> = Vec::new();
        let (mut closed, mut by_this_line) = (BTreeSet::new(), BTreeSet::new());
        let mut closing = BTreeMap::new();
        if let Some(finish) = step.part("finish") {
            self.finish(finish);
        }
        if let Some(restart) = step.part("restart") {
            self.restart(restart, step.at);
        }
        if let Some(asked) = step.part("windows") {
            let asked = asked.get("dependency").and_then(Value::as_str);
            let open = names.iter().filter(|name| asked.is_none_or(|asked| asked == name.as_str()));
            let open = open.filter(|name| !self.may_close(name, step));
            let open = open.filter_map(|name| Some((name, self.open.get(*name)?)));
            let accounts: Vec<Value> = open
                .map(|(name, window)| {
                    let mut entry = Map::from_iter([("dependency".to_owned(), json!(name))]);
                    entry.extend(window.account(self.case, step.at));
                    Value::Object(entry)
                })
                .collect();
            self.compared += accounts.len();
            told.push(json!({ "at_ms": step.at, "windows": accounts }));
        }
        let mut seen = None;
        if let Some((decide, decision)) = step.part("decide").zip(step.decision()) {
            // One without a name is a request of its own.
            self.nameless += 1;
            let name = decide.get("request").and_then(Value::as_str).map(str::to_owned);
            let name = name.unwrap_or(format!("without a name {}", self.nameless));
            let mut request = self.requests.remove(&name).unwrap_or_default();
            request.hear(decide);
            if !step.is_question() {
                let this = request.commit(self.case, decision)?;
                let goes_on = decision.verdict.goes_on();
                let uses = this.failed.iter().filter(|failed| this.shadow || (goes_on && failed.goes_on));
                for failed in uses {
                    if self.may_close(&failed.need, step) {
                        let window = self.open.remove(&failed.need).expect("it is open");
                        closing.insert(failed.need.clone(), window.account(self.case, step.at));
                        closed.insert(failed.need.clone());
                    }
                    let opens = !self.open.contains_key(&failed.need);
                    let window = self.open.entry(failed.need.clone());
                    let window = window.or_insert_with(|| Window::new(step.at, step.at));
                    window.last = step.at;
                    let way = (failed.reason.rung, failed.reason.kind.as_str().to_owned());
                    if window.used_by.insert(way.clone()) {
                        told.push(used(step.at, &request.operation, failed, opens));
                    }
                    let way = if this.shadow { (None, "shadow".to_owned()) } else { way };
                    self.counted += usize::from(window.count(&name, &request, way, draft.tenants));
                    by_this_line.insert(failed.need.clone());
                }
                seen = Some(this);
            }
            self.requests.insert(name, request);
        }
        for name in names.iter().filter(|name| !step.is_question() && !by_this_line.contains(**name)) {
            if self.may_close(name, step) {
                let window = self.open.remove(*name).expect("it is open");
                closing.insert((*name).clone(), window.account(self.case, step.at));
            }
        }
        let closings = names.iter().filter_map(|name| {
            let mut event = Map::from_iter([("kind".to_owned(), json!("window.closed"))]);
            event.insert("dependency".to_owned(), json!(name));
            event.insert("why".to_owned(), json!("recovered"));
            event.extend(closing.remove(*name)?);
            Some(json!({ "at_ms": step.at, "event": event }))
        });
        let closings: Vec<Value> = closings.collect();
        self.compared += closings.len();
        told.splice(0..0, closings);
        self.compare(step, &told)?;
        Ok(seen)
    }

    /// What every event carries besides is no window's.
    fn compare(&self, step: &Step, expected: &[Value]) -> Result<(), Trouble> {
        let expected: Vec<String> = expected.iter().map(Value::to_string).collect();
        let printed = step.of_windows().map(|text| match text.find(r#","v":1,"matrix":""#) {
            Some(end) => format!("{}}}}}", &text[..end]),
            None => text.clone(),
        });
        let printed: Vec<String> = printed.collect();
        let why =
            || format!("{}\nprints\n{}\ninstead of\n{}", step.line, printed.join("\n"), expected.join("\n"));
        if printed == expected { Ok(()) } else { Err(Trouble::Wrong(why())) }
    }

    fn finish(&mut self, finish: &Value) {
        let name = text(finish, "request");
        let Some(request) = self.requests.remove(name) else { return };
        let costs = entries(finish, "amounts");
        let needed: Vec<&str> = self.case.meters(&request.operation).collect();
        let costs = costs.filter(|(meter, _)| needed.contains(&meter.as_str()));
        let costs = costs.map(|(meter, cost)| (meter.clone(), cost.as_u64().expect("a number"))).collect();
        self.open.values_mut().for_each(|window| window.finish(name, &costs));
    }

    /// Times age; a snapshot that is told is in the place of what was saved.
    fn restart(&mut self, restart: &Value, at: i64) {
        let away = restart.get("away_ms").and_then(Value::as_i64).unwrap_or(0);
        if let Some(snapshot) = restart.get("snapshot") {
            self.open.clear();
            for (name, state) in entries(snapshot, "dependencies") {
                let known = self.case.loaded.matrix.dependency(name).is_some();
                let Some(window) = state.get("window_open").filter(|_| known) else { continue };
                let age = |key: &str| window.get(key).and_then(Value::as_i64).unwrap_or(0);
                let window = Window::new(at - age("age_ms"), at - age("last_age_ms"));
                self.open.insert(name.clone(), window);
            }
        }
        for window in self.open.values_mut() {
            (window.opened, window.last) = (window.opened - away, window.last - away);
        }
    }
}
