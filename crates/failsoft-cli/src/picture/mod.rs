//! `failsoft replay --html`: the picture of a replay, one page by itself.
//!
//! It is drawn while the trace is played and holds no more than fits on the page: a lane is a list of spans, and where
//! all lanes together outgrow the budget the fullest merge their neighbours, within one millisecond at first, then two,
//! then four. A lane in which little happened so keeps every change, and what was merged says so.

mod account;
mod answers;
mod data;
mod file;
mod interned;
mod lane;
mod lanes;
mod page;
mod relief;
mod span;
mod strip;
mod succeeded;
mod sums;
mod tables;
#[cfg(test)]
mod tests;
mod windows;

use std::collections::BTreeMap;
use std::sync::Arc;

use failsoft::trace::{Output, Player, Said};
use failsoft::{DependencyId, Event, Health, Matrix};
use serde_json::Value;

use self::answers::{Answer, Answers};
pub(crate) use self::file::Target;
use self::interned::Interned;
use self::lane::Lane;
use self::lanes::Lanes;
use self::span::{Body, Kind, Span};
use crate::out::Paint;
use crate::words::{self, name};

/// A page has at most 2,000,000 bytes: 50,000 for what is the same on each, 480,000 for the strips that are drawn in advance,
/// 320,000 for the tables, and these for the data and the rows of the lanes.
const BUDGET: usize = 1_080_000;
/// So many of them the row of a lane takes.
const LANE: usize = 300;

/// What else is told, by kind: the states of the last lane.
const TOLD: [&str; 4] = ["asked", "meter", "operator", "notice"];

/// The picture of a replay.
pub(crate) struct Picture {
    matrix: Arc<Matrix>,
    health: Lanes,
    operations: Lanes,
    /// By the place of the dependency's lane.
    windows: BTreeMap<usize, Lane>,
    told: Lane,
    answers: Answers,
    words: Interned<Box<str>>,
    /// So many bytes there are for lanes and their rows.
    room: usize,
    /// Bytes of all lanes.
    held: usize,
    /// Beyond so many bytes it is looked at what can be merged.
    limit: usize,
    first: Option<i64>,
    last: i64,
    /// How many lines were printed.
    lines: u64,
    /// How many snapshots the trace has brought.
    restored: u64,
}

impl Picture {
    pub(crate) fn new(matrix: &Arc<Matrix>) -> Self {
        Self::within(matrix, BUDGET)
    }

    fn within(matrix: &Arc<Matrix>, room: usize) -> Self {
        let health = Lanes::new(Kind::Health, matrix.dependencies().map(|(_, name)| name));
        let operations = Lanes::new(Kind::Operation, matrix.operations().map(|(_, name)| name));
        Self {
            matrix: matrix.clone(),
            health,
            operations,
            windows: BTreeMap::new(),
            told: Lane::new(Kind::Told, "events".into()),
            answers: Answers::new(),
            words: Interned::new(),
            room,
            held: 0,
            limit: 0,
            first: None,
            last: 0,
            lines: 0,
            restored: 0,
        }
    }

    /// Takes one printed line; `said` is the sentence that the text form has for an event.
    pub(crate) fn take(&mut self, player: &Player, output: &Output, said: Option<&str>) {
        let at = output.at.as_millis();
        self.begin(at);
        self.lines += 1;
        if std::mem::replace(&mut self.restored, player.restored()) != player.restored() {
            self.lose_all();
        }
        if !Arc::ptr_eq(&self.matrix, &output.matrix) {
            self.follow(player, output, at);
        }
        match &output.said {
            Said::Decision { decision, preview, request, tenant } => {
                let Some(id) = self.matrix.operation(&decision.operation) else { return };
                let Some(place) = self.operations.place(id.index()) else { return };
                let Some(lane) = self.operations.get_mut(id.index()) else { return };
                let same = self.answers.is_same(place, decision, *preview);
                match lane.last_mut().filter(|_| same) {
                    Some(span) => {
                        span.count += 1;
                        span.to = at;
                    }
                    None => {
                        let answer = Answer::of(&self.matrix, decision, *preview, &mut self.words);
                        let who = answers::who(request.as_deref(), tenant.as_deref());
                        let body = Body::Answer {
                            answer: Some(self.answers.all.number(answer)),
                            who: who.map(|who| self.words.number(who.into())),
                            retry: decision.retry_after.map(|wait| wait.get()),
                        };
                        self.held +=
                            lane.push(Span::new(at, span::answer(decision.verdict, decision.posture), body));
                        self.answers.last(place, decision, *preview);
                    }
                }
            }
            Said::Permit { dependency, given } => self.permit(*dependency, *given, at),
            Said::Health { dependency, report } => {
                let dependency = self.matrix.dependency_name(*dependency);
                let said = format!("{} is {}", name(dependency), words::health(report, Paint::PLAIN));
                self.tell(at, 0, &said);
            }
            // It stands in the decision that it belongs to.
            Said::Event { event: Event::Emitted(_), .. } => {}
            Said::Event { event: Event::HealthChanged { dependency, from, to, .. }, .. } => {
                self.change(*dependency, (*from, *to), at, said);
            }
            _ => {
                let line: Value = serde_json::from_str(&player.json(output)).unwrap_or_default();
                self.line(at, &line, said);
            }
        }
        self.relieve();
    }

    /// Takes the answer to a question that the trace did not ask.
    pub(crate) fn asked(&mut self, player: &Player, output: &Output) {
        self.take(player, output, None);
        self.lines -= 1;
    }

    /// The rest is known by its printed form.
    fn line(&mut self, at: i64, line: &Value, said: Option<&str>) {
        if let Some(windows) = line.get("windows").and_then(Value::as_array) {
            self.still_open(windows);
            return;
        }
        let event = line.get("event").unwrap_or(&Value::Null);
        let kind = event.get("kind").and_then(Value::as_str).unwrap_or_default();
        match kind {
            "window.opened" => self.open(at, event),
            "window.changed" => self.change_rung(at, event),
            "window.closed" => self.close(at, event),
            _ => {
                let said = said.unwrap_or(kind);
                let (label, said) = said.split_once(' ').unwrap_or(("", said));
                let state = match label {
                    "meter" => 1,
                    "operator" => 2,
                    _ => 3,
                };
                self.tell(at, state, said.trim_start());
            }
        }
    }

    fn begin(&mut self, at: i64) {
        self.first.get_or_insert(at);
        self.last = at;
    }

    fn tell(&mut self, at: i64, state: u8, said: &str) {
        let said = Some(self.words.number(said.into()));
        self.held += self.told.push(Span::new(at, state, Body::Told { said }));
    }

    /// A dependency's lane, with the health in which it began.
    fn standing(&mut self, id: DependencyId, from: Health) -> Option<&mut Lane> {
        let first = self.health.since(id.index()).or(self.first).unwrap_or_default();
        let lane = self.health.get_mut(id.index())?;
        if lane.spans().is_empty() {
            let body = Body::Health { said: None, given: 0, held: 0 };
            lane.push(Span { count: 0, ..Span::new(first, span::health(from), body) });
        }
        Some(lane)
    }

    fn permit(&mut self, id: DependencyId, permit: bool, at: i64) {
        // What is told first of a dependency is told of its beginning: `take` sets that right when it changes.
        let Some(lane) = self.standing(id, Health::Unknown) else { return };
        let Some(span) = lane.last_mut() else { return };
        span.to = at;
        if let Body::Health { given, held, .. } = &mut span.body {
            *(if permit { given } else { held }) += 1;
        }
    }

    fn change(&mut self, id: DependencyId, (from, to): (Health, Health), at: i64, said: Option<&str>) {
        let said = said.map(sentence).map(|said| self.words.number(said.into()));
        let at_first = self.health.since(id.index()).is_none();
        let Some(lane) = self.standing(id, from) else { return };
        let begun = lane.spans().len() == 1 && at_first;
        if let Some(span) = lane.last_mut() {
            span.to = at;
            if begun {
                span.state = span::health(from);
            }
        }
        let bytes = lane.push(Span::new(at, span::health(to), Body::Health { said, given: 0, held: 0 }));
        self.held += bytes;
    }

    /// The page; `played` is how many lines the trace had.
    pub(crate) fn page(mut self, player: &Player, played: u64) -> String {
        let matrix = self.matrix.clone();
        let healths: Vec<_> =
            matrix.dependencies().map_while(|(id, _)| player.health(id).map(|known| (id, known))).collect();
        if let Some((_, (now, _))) = healths.first() {
            self.last = self.last.max(now.as_millis());
        }
        let (_, end) = self.range();
        for (id, (_, report)) in healths {
            // Without a change it is to the end what it was at first.
            let at_first = self.health.since(id.index()).is_none();
            let Some(lane) = self.standing(id, report.health) else { continue };
            let unchanged = lane.spans().len() == 1 && at_first;
            if let Some(span) = lane.last_mut() {
                span.to = end;
                if unchanged {
                    span.state = span::health(report.health);
                }
            }
        }
        for span in self.windows.values_mut().filter_map(Lane::last_mut) {
            if matches!(&span.body, Body::Window(window) if window.closed.is_none() && !window.lost) {
                span.to = end;
            }
        }
        self.limit = 0;
        self.relieve();
        page::page(&self, played)
    }

    /// From when to when it is drawn: a millisecond at least.
    fn range(&self) -> (i64, i64) {
        let first = self.first.unwrap_or_default();
        (first, self.last.max(first.saturating_add(1)))
    }

    fn lanes(&self) -> impl Iterator<Item = &Lane> {
        let told = Some(&self.told).filter(|told| !told.spans().is_empty());
        self.health.iter().chain(self.operations.iter()).chain(self.windows.values()).chain(told)
    }

    fn lanes_mut(&mut self) -> impl Iterator<Item = &mut Lane> {
        let told = Some(&mut self.told);
        self.health.iter_mut().chain(self.operations.iter_mut()).chain(self.windows.values_mut()).chain(told)
    }
}

/// The sentence without the word that says what it is about.
fn sentence(said: &str) -> &str {
    said.split_once(' ').map_or(said, |(_, said)| said.trim_start())
}
