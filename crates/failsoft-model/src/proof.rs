//! What is proven (spec 11), by brute force: every situation is a trace, and is played as one.
//!
//! `facts` lists what may be told, `lines` tells it, `decide` plays it. `brute` and `brute_diff` go through every set of
//! facts drawn from a pool, and keep of everything that they find the smallest situation. Nothing is ever skipped
//! because it looks as if it could change nothing.

mod brute;
mod diff;
mod fact;
mod invariant;
mod list;
mod play;
mod rules;
mod snapshot;
mod tell;

use std::collections::BTreeMap;
use std::sync::Arc;

use serde_json::Value;

use crate::document::{Dependency, Document, Kind, Operation};
use crate::engine::Engine;
use crate::generate;
use crate::reading;

pub use brute::{Answer, Brute, Held, Smallest, brute, sets};
pub use diff::{Diff, brute_diff};
use fact::Fact;
use invariant::Invariant;
use play::Player;
use rules::Attributes;

/// The stages in pipeline order (spec 5).
pub const STAGES: [&str; 5] = generate::STAGES;

/// The request of every situation has a name (PRF-1); any will do.
const REQUEST: &str = "r";

/// A document, read once.
pub struct Whole {
    document: Arc<Document>,
    /// As it begins; every situation is played on a copy.
    engine: Engine,
    invariants: Vec<Invariant>,
    /// Of each operation, the attributes with which each refuse rule, or none, is the first that holds.
    attributes: BTreeMap<String, Result<Attributes, String>>,
}

/// The decision of a situation, and what its dependencies are in it.
#[derive(Clone, Debug, PartialEq)]
pub struct Asked {
    /// DEC-32.
    pub decision: Value,
    /// Of each dependency that the operation reaches: `fine`, `refused`, `failed` (without a class), a fault class, or
    /// `skipped` by an operator (PRF-10).
    pub conditions: BTreeMap<String, String>,
}

impl Whole {
    /// Reads a document and binds its parameters.
    ///
    /// # Errors
    /// A short text, where the document holds what cannot be read.
    pub fn new(document: &Value, parameters: &BTreeMap<String, String>) -> Result<Whole, String> {
        let document = Arc::new(reading::document(document, parameters)?);
        let mut invariants = Vec::new();
        for (place, written) in document.invariants.iter().enumerate() {
            invariants.push(Invariant::read(place, written)?);
        }
        let mut attributes = BTreeMap::new();
        for operation in &document.operations {
            attributes.insert(operation.name.clone(), rules::search(operation));
        }
        let engine = Engine::new(Arc::clone(&document), 0);
        Ok(Whole { document, engine, invariants, attributes })
    }

    /// The names of the operations, as written.
    #[must_use]
    pub fn operations(&self) -> Vec<String> {
        self.document.operations.iter().map(|operation| operation.name.clone()).collect()
    }

    /// The classes, as written.
    #[must_use]
    pub fn classes(&self) -> Vec<String> {
        self.document.classes.clone()
    }

    /// The places, in the document's list, of the invariants of an operation.
    #[must_use]
    pub fn invariants(&self, operation: &str) -> Vec<usize> {
        let own = self.invariants.iter().filter(|invariant| invariant.operation == operation);
        own.map(|invariant| invariant.place).collect()
    }

    /// PRF-2: every fact there is for an operation, first those of health. A `rule` fact carries the `attributes` that
    /// were found for it.
    ///
    /// # Errors
    /// Where there is no such operation, or its refuse rules have too many attributes to search through.
    pub fn facts(&self, operation: &str) -> Result<Vec<Value>, String> {
        Ok(list::facts(self, self.document.operation(operation)?)?.iter().map(Fact::json).collect())
    }

    /// PRF-1: the trace of a situation. What is told of a dependency or meter that the matrix does not have is left out
    /// (PRF-30).
    ///
    /// # Errors
    /// Where a fact cannot be read, or there is no such operation.
    pub fn lines(
        &self,
        operation: &str,
        class: &str,
        stage: &str,
        facts: &[Value],
    ) -> Result<Vec<Value>, String> {
        let facts = self.read(operation, facts)?;
        let facts: Vec<&Fact> = facts.iter().collect();
        tell::lines(&self.document, &tell::Question { operation, class, stage }, &facts)
    }

    /// Plays a situation.
    ///
    /// # Errors
    /// As of `lines`, and where the trace cannot be played.
    pub fn decide(
        &self,
        operation: &str,
        class: &str,
        stage: &str,
        facts: &[Value],
    ) -> Result<Asked, String> {
        let facts = self.read(operation, facts)?;
        let facts: Vec<&Fact> = facts.iter().collect();
        let reached = reached(&self.document, self.document.operation(operation)?)?;
        let mut player = Player::new(self, tell::Question { operation, class, stage });
        player.play(&facts, |asked, decision| {
            let mut conditions = BTreeMap::new();
            for dependency in &reached {
                let condition = invariant::condition(asked, &dependency.name)?;
                conditions.insert(dependency.name.clone(), condition);
            }
            Ok(Asked { decision: decision.json, conditions })
        })
    }

    /// A trace, played line by line.
    #[cfg(test)]
    pub(crate) fn replay(&self, lines: &[Value]) -> Result<Vec<Value>, String> {
        crate::trace::replay((*self.document).clone(), lines)
    }

    /// Facts as they are written; a `rule` without attributes gets those that were found for it.
    fn read(&self, operation: &str, facts: &[Value]) -> Result<Vec<Fact>, String> {
        let mut read = Vec::new();
        for written in facts {
            let mut fact = Fact::read(written)?;
            if let Fact::Rule { rule, attributes: attributes @ None } = &mut fact {
                let found = self.attributes.get(operation).ok_or("unknown operation")?.clone()?;
                let found = found.into_iter().find(|(place, _)| place == rule);
                let (_, found) =
                    found.ok_or_else(|| format!("no attributes make rule {rule:?} the first"))?;
                *attributes = Some(found);
            }
            read.push(fact);
        }
        Ok(read)
    }
}

/// PRF-2: two facts of one slot cannot be in one situation. What is no fact has the slot of its text.
#[must_use]
pub fn slot(fact: &Value) -> String {
    Fact::read(fact).map_or_else(|_| fact.to_string(), |fact| fact.slot())
}

/// PRF-2: the needs of an operation, then the targets that their ladders name, each once.
fn reached<'a>(document: &'a Document, operation: &Operation) -> Result<Vec<&'a Dependency>, String> {
    let mut names: Vec<&String> = operation.needs.iter().collect();
    for need in &operation.needs {
        for target in targets(document.dependency(need)?) {
            if !names.contains(&target) {
                names.push(target);
            }
        }
    }
    names.into_iter().map(|name| document.dependency(name)).collect()
}

/// The targets that a ladder names.
fn targets(dependency: &Dependency) -> impl Iterator<Item = &String> {
    dependency.on_failure.iter().flat_map(|rung| match &rung.kind {
        Kind::Fallback { to } => std::slice::from_ref(to).iter(),
        Kind::LeastBad { of } => of.iter(),
        _ => [].iter(),
    })
}
