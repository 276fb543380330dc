//! The state of the whole engine, and a request's view of it.

use std::collections::BTreeMap;

use crate::document::{Document, Operation};
use crate::health::Health;
use crate::meter::{Counts, Instances};
use crate::request::Request;

/// All state: what `apply` changes and `decide` reads (spec 6.1, "Two functions").
#[derive(Clone, Debug)]
pub(crate) struct Engine {
    pub(crate) document: Document,
    pub(crate) identity: String,
    /// The health of each dependency, in the order of the document.
    pub(crate) healths: Vec<(String, Health)>,
    /// The counts of each meter, in the order of the document.
    pub(crate) counts: Vec<(String, Counts)>,
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
    pub(crate) fn new(document: Document, beginning: i64) -> Engine {
        let identity = crate::canonical::identity(&document);
        let mut healths = Vec::new();
        for dependency in &document.dependencies {
            healths.push((dependency.name.clone(), Health::new(&dependency.health, beginning)));
        }
        let mut counts = Vec::new();
        for meter in &document.meters {
            counts.push((meter.name.clone(), Counts::default()));
        }
        Engine {
            document,
            identity,
            healths,
            counts,
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

    /// The counts of a meter.
    pub(crate) fn counts(&self, name: &str) -> Result<&Counts, String> {
        let found = self.counts.iter().find(|(meter, _)| meter == name);
        found.map(|(_, counts)| counts).ok_or_else(|| format!("unknown meter {name}"))
    }

    /// The counts of a meter, to change them.
    pub(crate) fn counts_mut(&mut self, name: &str) -> Result<&mut Counts, String> {
        let found = self.counts.iter_mut().find(|(meter, _)| meter == name);
        found.map(|(_, counts)| counts).ok_or_else(|| format!("unknown meter {name}"))
    }

    /// Lets time pass for every dependency (HLT-2).
    pub(crate) fn advance(&mut self, now: i64) {
        for (_, health) in &mut self.healths {
            health.advance(now);
        }
    }
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
