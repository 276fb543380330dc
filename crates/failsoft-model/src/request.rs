//! A request as the host holds it (spec 6): what it told, line by line,
//! and what its committed decisions answered.

mod reload;

use std::collections::BTreeMap;

use serde_json::{Map, Value};

use crate::document::{Document, Meter};
use crate::json::{integer, optional_integer, optional_string, string, table};
use crate::meter::{self, Taken};
use crate::rung::Answer;
use crate::window::{CapTaken, Counted};

/// What the request says of one dependency, and since which of its lines it has said this class.
#[derive(Clone, Debug)]
pub(crate) struct Report {
    pub(crate) class: String,
    pub(crate) since: i64,
}

/// A number of milliseconds with the moment at which it was told.
type Aging = (i64, i64);

/// One request.
#[derive(Clone, Debug, Default)]
pub(crate) struct Request {
    pub(crate) operation: String,
    pub(crate) tenant: String,
    pub(crate) session: String,
    pub(crate) class: String,
    /// A line has told its class; else it is of the first (REQ-7).
    class_told: bool,
    /// The class that was told is of a matrix before, and not of this one (RST-14).
    pub(crate) class_unknown: bool,
    pub(crate) stage: String,
    pub(crate) attributes: BTreeMap<String, String>,
    pub(crate) reports: BTreeMap<String, Report>,
    pub(crate) had: BTreeMap<String, i64>,
    cached: BTreeMap<String, Aging>,
    attempts: BTreeMap<String, i64>,
    retry_after: BTreeMap<String, Aging>,
    remaining: Option<Aging>,
    amounts: BTreeMap<String, i64>,
    /// What was taken from each meter, at the first commit that went on.
    pub(crate) taken: BTreeMap<String, Taken>,
    /// What was taken from caps (REQ-12).
    pub(crate) caps: Vec<CapTaken>,
    /// The windows that have counted it (WIN-5).
    pub(crate) counted: Vec<Counted>,
    /// How the latest commit that looked at a need answered it; `None` where it was fine (REQ-10).
    pub(crate) answered: BTreeMap<String, Option<Answer>>,
    /// Guards skipped or replaced in commits that went on, with their posture then (REQ-11).
    pub(crate) skipped: Vec<(String, String)>,
    /// The rungs whose emits were told as event lines (REQ-14: once per request and rung).
    pub(crate) told: Vec<String>,
    /// Outbox sequence numbers, one per dependency (DEC-23).
    pub(crate) sequences: BTreeMap<String, i64>,
    /// The place of its last line in the trace, to know which request is the oldest (TRC-7).
    pub(crate) last_line: usize,
}

impl Request {
    /// A request that has told nothing yet.
    pub(crate) fn new(document: &Document, operation: &str) -> Request {
        Request {
            operation: operation.to_owned(),
            class: document.classes.first().cloned().unwrap_or_default(),
            stage: "admit".to_owned(),
            ..Request::default()
        }
    }

    /// REQ-6: what a line tells replaces, key by key, what was told before.
    pub(crate) fn gather(
        &mut self,
        document: &Document,
        line: &Map<String, Value>,
        now: i64,
    ) -> Result<(), String> {
        if let Some(tenant) = optional_string(line, "tenant")? {
            self.tenant = tenant;
        }
        if let Some(session) = optional_string(line, "session")? {
            self.session = session;
        }
        if let Some(class) = optional_string(line, "class")? {
            if !document.classes.contains(&class) {
                return Err(format!("unknown class {class}"));
            }
            self.class = class;
            self.class_told = true;
            self.class_unknown = false;
        }
        if let Some(stage) = optional_string(line, "stage")? {
            // STG-2: one that has asked as `stream` stays there.
            if self.stage != "stream" {
                self.stage = stage;
            }
        }
        for (name, value) in pairs(line, "attributes")? {
            self.attributes.insert(name, string(&value, "attributes")?);
        }
        for (name, value) in dependencies(document, line, "cached_ms")? {
            self.cached.insert(name, (integer(&value, "cached_ms")?, now));
        }
        for (name, value) in dependencies(document, line, "had_ms")? {
            self.had.insert(name, integer(&value, "had_ms")?);
        }
        for (name, value) in dependencies(document, line, "attempts")? {
            self.attempts.insert(name, integer(&value, "attempts")?);
        }
        for (name, value) in dependencies(document, line, "retry_after_ms")? {
            self.retry_after.insert(name, (integer(&value, "retry_after_ms")?, now));
        }
        for (name, value) in dependencies(document, line, "faults")? {
            self.report(&name, &string(&value, "faults")?, now);
        }
        for (name, value) in pairs(line, "amounts")? {
            document.meter(&name)?;
            self.amounts.insert(name, integer(&value, "amounts")?);
        }
        if let Some(remaining) = optional_integer(line, "remaining_ms")? {
            self.remaining = Some((remaining, now));
        }
        Ok(())
    }

    /// DEC-27: a class counts from the first line that told it; LAD-27: `refused` ends the cached answer.
    fn report(&mut self, dependency: &str, class: &str, now: i64) {
        let same = self.reports.get(dependency).is_some_and(|report| report.class == class);
        if !same {
            self.reports.insert(dependency.to_owned(), Report { class: class.to_owned(), since: now });
        }
        if class == "refused" {
            self.cached.remove(dependency);
        }
    }

    /// LAD-27: the age of the cached answer, which grows with time.
    pub(crate) fn cached_age(&self, dependency: &str, now: i64) -> Option<i64> {
        self.cached.get(dependency).map(|(age, told)| age.saturating_add(now.saturating_sub(*told)))
    }

    /// LAD-42: 1 when not said.
    pub(crate) fn attempts(&self, dependency: &str) -> i64 {
        self.attempts.get(dependency).copied().unwrap_or(1)
    }

    /// REQ-6: the Retry-After told, which shrinks with time; 0 is none (DEC-29).
    pub(crate) fn retry_after(&self, dependency: &str, now: i64) -> Option<i64> {
        let (told, at) = self.retry_after.get(dependency)?;
        let left = told.saturating_sub(now.saturating_sub(*at));
        (left > 0).then_some(left)
    }

    /// Spec 3.4: whether so much time fits in what is left; not told, everything fits; equality fits.
    pub(crate) fn fits(&self, needed: i64, now: i64) -> bool {
        match self.remaining {
            None => true,
            Some((told, at)) => needed <= told.saturating_sub(now.saturating_sub(at)).max(0),
        }
    }

    /// MET-1: the request's key for a meter.
    pub(crate) fn key(&self, of: &Meter) -> Vec<String> {
        meter::key(of, &self.tenant, &self.session)
    }

    /// MET-4 and MET-5: the amount told for a meter, else 1; the first figure taken stands.
    pub(crate) fn amount(&self, meter: &str) -> i64 {
        match self.taken.get(meter) {
            Some(taken) => taken.amount,
            None => self.amounts.get(meter).copied().unwrap_or(1),
        }
    }
}

/// The pairs of a table under a key, or none.
fn pairs(line: &Map<String, Value>, key: &str) -> Result<Vec<(String, Value)>, String> {
    match line.get(key) {
        None | Some(Value::Null) => Ok(Vec::new()),
        Some(value) => {
            Ok(table(value, key)?.iter().map(|(name, part)| (name.clone(), part.clone())).collect())
        }
    }
}

/// The pairs of a table that is keyed by dependency; an unknown one is an error (TRC-2, TRC-8).
fn dependencies(
    document: &Document,
    line: &Map<String, Value>,
    key: &str,
) -> Result<Vec<(String, Value)>, String> {
    let pairs = pairs(line, key)?;
    for (name, _) in &pairs {
        document.dependency(name)?;
    }
    Ok(pairs)
}
