//! A question that is asked many times of one state: the situations of a proof (spec 11) are alike up to it.

use serde_json::{Map, Value};

use super::Replay;
use crate::decide::{Decision, decide};
use crate::engine::{Asked, Engine};
use crate::json::required_string;
use crate::request::Request;

/// An engine after some lines, and the requests that they named.
pub(crate) struct Scene(Replay);

impl Scene {
    /// A new engine, whose time begins at 0 (TRC-5), after these lines.
    pub(crate) fn new(engine: Engine, lines: &[Value]) -> Result<Scene, String> {
        let mut replay = Replay::new(engine, 0);
        for line in lines {
            replay.run(line)?;
        }
        // What is due at once has happened before anything is asked (HLT-2).
        replay.engine.advance(replay.now);
        Ok(Scene(replay))
    }

    /// What a preview at this moment would print, as a `decide` line with these parts; and what else is to be known of
    /// the question. Nothing is changed, so it can be asked again.
    pub(crate) fn ask<T>(
        &self,
        part: &Map<String, Value>,
        read: impl Fn(Asked<'_>, Decision) -> Result<T, String>,
    ) -> Result<T, String> {
        let replay = &self.0;
        let document = &replay.engine.document;
        let operation = document.operation(&required_string(part, "operation")?)?;
        let held = replay.requests.get(&required_string(part, "request")?);
        let mut request = held.cloned().unwrap_or_else(|| Request::new(document, &operation.name));
        request.gather(document, part, replay.now)?;
        let asked = Asked { engine: &replay.engine, operation, request: &request, now: replay.now };
        read(asked, decide(asked)?)
    }
}
