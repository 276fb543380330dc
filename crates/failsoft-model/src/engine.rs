//! The state of the whole engine, and a request's view of it.

use std::collections::BTreeMap;
use std::sync::Arc;

use serde_json::{Map, Value};

use crate::document::{Dependency, Document, Operation};
use crate::health::{self, Health};
use crate::json::table;
use crate::meter::{Instances, Table};
use crate::numbers::aged;
use crate::reload::Going;
use crate::request::Request;
use crate::window::Windows;

/// All state: what `apply` changes and `decide` reads (spec 6.1, "Two functions").
#[derive(Clone, Debug)]
pub(crate) struct Engine {
    /// Shared, so that a proof clones an engine cheaply.
    pub(crate) document: Arc<Document>,
    pub(crate) identity: String,
    /// The health of each dependency, in the order of the document.
    pub(crate) healths: Vec<(String, Health)>,
    /// The table of each meter, in the order of the document.
    pub(crate) meters: Vec<(String, Table)>,
    /// The windows that are open (spec 7).
    pub(crate) windows: Windows,
    pub(crate) instances: Instances,
    /// The outbox depth last told for each dependency; not told is 0 (LAD-25).
    pub(crate) depths: BTreeMap<String, i64>,
    /// The last outbox sequence number given for each dependency.
    pub(crate) sequences: BTreeMap<String, i64>,
}

/// A question: the engine, the request that asks, its operation, and the moment.
#[derive(Clone, Copy)]
pub(crate) struct Asked<'a> {
    pub(crate) engine: &'a Engine,
    pub(crate) operation: &'a Operation,
    pub(crate) request: &'a Request,
    pub(crate) now: i64,
}

impl Engine {
    /// The engine before the first line (TRC-5: it begins at `beginning`).
    pub(crate) fn new(document: Arc<Document>, beginning: i64) -> Engine {
        let identity = crate::canonical::identity(&document);
        let mut healths = Vec::new();
        for dependency in &document.dependencies {
            healths.push((dependency.name.clone(), Health::new(dependency, beginning)));
        }
        let mut meters = Vec::new();
        for meter in &document.meters {
            meters.push((meter.name.clone(), Table::default()));
        }
        Engine {
            document,
            identity,
            healths,
            meters,
            windows: Windows::default(),
            instances: None,
            depths: BTreeMap::new(),
            sequences: BTreeMap::new(),
        }
    }

    /// The health of a dependency.
    pub(crate) fn health(&self, name: &str) -> Result<&Health, String> {
        let found = self.healths.iter().find(|(dependency, _)| dependency == name);
        found.map(|(_, health)| health).ok_or_else(|| format!("unknown dependency {name}"))
    }

    /// The health of a dependency, to change it.
    pub(crate) fn health_mut(&mut self, name: &str) -> Result<&mut Health, String> {
        let found = self.healths.iter_mut().find(|(dependency, _)| dependency == name);
        found.map(|(_, health)| health).ok_or_else(|| format!("unknown dependency {name}"))
    }

    /// The table of a meter.
    pub(crate) fn table(&self, name: &str) -> Result<&Table, String> {
        let found = self.meters.iter().find(|(meter, _)| meter == name);
        found.map(|(_, table)| table).ok_or_else(|| format!("unknown meter {name}"))
    }

    /// The table of a meter, to change it.
    pub(crate) fn table_mut(&mut self, name: &str) -> Result<&mut Table, String> {
        let found = self.meters.iter_mut().find(|(meter, _)| meter == name);
        found.map(|(_, table)| table).ok_or_else(|| format!("unknown meter {name}"))
    }

    /// Whether a dependency is `down` or `probing` (MET-40, WIN-3).
    pub(crate) fn is_out(&self, name: &str) -> Result<bool, String> {
        Ok(matches!(self.health(name)?.shown(), "down" | "probing"))
    }

    /// RST-9: saves and restores in place; the engine's clock does not move.
    pub(crate) fn restart(&mut self, away: Option<i64>, now: i64) {
        for (_, health) in &mut self.healths {
            health.restart(away, now);
        }
        for (_, table) in &mut self.meters {
            table.age(away.unwrap_or(0));
        }
        self.windows.age(away.unwrap_or(0));
        self.instances = self.instances.map(|(count, told)| (count, aged(told, away.unwrap_or(0))));
    }

    /// RST-9 and 10.2: restores a snapshot in place of what was saved. What is not in it is as at the beginning of an
    /// engine; overrides that had ended and were not told yet have ended all the same.
    pub(crate) fn restore(
        &mut self,
        snapshot: &Map<String, Value>,
        away: Option<i64>,
        now: i64,
    ) -> Result<(), String> {
        health::allowed(snapshot, &["v", "dependencies", "meters", "instances", "windows"])?;
        if health::whole(snapshot, "v")? != Some(1) {
            return Err("a snapshot has v 1".to_owned());
        }
        let empty = Map::new();
        // So that requests' parts in windows are told apart: here the numbers of windows never come twice.
        health::whole(snapshot, "windows")?;
        let saved = match snapshot.get("dependencies") {
            None => &empty,
            Some(value) => table(value, "dependencies")?,
        };
        if snapshot.get("meters").and_then(Value::as_object).is_some_and(|meters| !meters.is_empty()) {
            return Err("the form of a snapshot's meters is the engine's own".to_owned());
        }
        let (mut depths, mut sequences, mut healths) = (BTreeMap::new(), BTreeMap::new(), Vec::new());
        self.windows.forget_all();
        for (name, old) in &self.healths {
            let dependency = self.document.dependency(name)?;
            let mut restored = match saved.get(name) {
                None => Health::new(dependency, now),
                Some(map) => {
                    let map = table(map, name)?;
                    self.windows.restore(&self.document, dependency, map, away, now)?;
                    let (restored, outbox) = Health::restored(dependency, map, away, now)?;
                    depths.extend(outbox.depth.map(|depth| (name.clone(), depth)));
                    sequences.extend(outbox.sequence.map(|sequence| (name.clone(), sequence)));
                    restored
                }
            };
            let mut expired = old.expired.clone();
            expired.append(&mut restored.expired);
            restored.expired = expired;
            healths.push((name.clone(), restored));
        }
        let instances = match snapshot.get("instances") {
            None => None,
            Some(value) => {
                let map = table(value, "instances")?;
                let told = now.saturating_sub(health::whole(map, "age_ms")?.unwrap_or(0));
                health::whole(map, "count")?.map(|count| (count, aged(told, away.unwrap_or(0))))
            }
        };
        for (_, table) in &mut self.meters {
            table.begin_anew();
        }
        (self.healths, self.depths, self.sequences, self.instances) = (healths, depths, sequences, instances);
        Ok(())
    }

    /// RST-12: another matrix takes over at this moment. What goes on keeps its state, what does not is forgotten.
    pub(crate) fn reload(&mut self, document: Arc<Document>, going: &Going, now: i64) {
        // RST-10: what has ended up to now has ended by the old matrix.
        for (meter, (_, table)) in self.document.meters.iter().zip(&mut self.meters) {
            table.end_by_time(meter, now);
        }
        let mut healths = Vec::new();
        for dependency in &document.dependencies {
            let name = &dependency.name;
            let kept = self.healths.iter().find(|(old, _)| old == name && going.dependency(name));
            let health = match (kept, self.document.dependency(name)) {
                (Some((_, health)), Ok(old)) if same_settings(old, dependency) => health.clone(),
                (Some((_, health)), _) => health.reloaded(dependency, now),
                (None, _) => Health::new(dependency, now),
            };
            healths.push((name.clone(), health));
        }
        let mut meters = Vec::new();
        for meter in &document.meters {
            let kept = self.meters.iter().find(|(old, _)| *old == meter.name && going.meter(old));
            let mut table = kept.map(|(_, table)| table.clone()).unwrap_or_default();
            if let (Some(_), Ok(old)) = (kept, self.document.meter(&meter.name)) {
                table.refit(old, meter);
            }
            meters.push((meter.name.clone(), table));
        }
        self.depths.retain(|name, _| going.dependency(name));
        self.sequences.retain(|name, _| going.dependency(name));
        self.windows.renumber(going);
        self.identity = crate::canonical::identity(&document);
        (self.document, self.healths, self.meters) = (document, healths, meters);
    }

    /// WIN-3: closes the windows that may close, by what stands after the line.
    pub(crate) fn close_idle_windows(&mut self, now: i64) {
        let healths = &self.healths;
        let is_out = |name: &str| {
            let health = healths.iter().find(|(dependency, _)| dependency == name);
            health.is_some_and(|(_, health)| matches!(health.shown(), "down" | "probing"))
        };
        self.windows.close_idle(is_out, self.document.window_idle, now);
    }

    /// Lets time pass for every dependency (HLT-2) and meter (MET-31).
    pub(crate) fn advance(&mut self, now: i64) {
        for (_, health) in &mut self.healths {
            health.advance(now);
        }
        for (meter, (_, table)) in self.document.meters.iter().zip(&mut self.meters) {
            table.advance(meter, now);
        }
    }
}

/// RST-12: the same `deadline`, `break_glass` and health settings, defaults written out.
fn same_settings(old: &Dependency, new: &Dependency) -> bool {
    old.deadline == new.deadline
        && old.break_glass == new.break_glass
        && old.health.canonical() == new.health.canonical()
}

impl Asked<'_> {
    /// Whether the operation is irreversible.
    pub(crate) fn irreversible(&self) -> bool {
        self.operation.effect == "irreversible"
    }

    /// STG-6: at `stream`, and at `persist` of an irreversible operation, there is no way back.
    pub(crate) fn past_return(&self) -> bool {
        self.request.stage == "stream" || (self.request.stage == "persist" && self.irreversible())
    }
}
