//! Plays the lines of a trace through an engine.

use std::sync::Arc;

use failsoft_core::{
    Answer, Decision, DependencyId, Event, HealthReport, Matrix, Permit, Request, Signal, State, Succession,
    Time, WindowAccount, apply, decide, health, reload, windows,
};
use serde::ser::{Serialize, SerializeMap, Serializer};

use super::line::{DecideLine, Line, Object};
use super::names::{LineMistake, Source};
use super::permits::PermitNames;
use super::read::{OwnedSignal, Step, Told};
use super::requests::Requests;
use crate::json::{DecisionJson, EventJson, WindowsJson, health_entries};
use crate::snapshot;

/// The longest line, in bytes, that a reader of traces should take in.
pub const LINE_BYTES: usize = 1 << 20;

/// What `replay` calls itself in events.
const INSTANCE: &str = "replay";

/// One line that a replay prints.
#[derive(Clone, Debug, PartialEq)]
pub struct Output {
    /// The moment, clamped.
    pub at: Time,
    /// What was said.
    pub said: Said,
    /// The matrix under which it was said, to which its ids belong.
    pub matrix: Arc<Matrix>,
}

/// What a replay says.
#[derive(Clone, Debug, PartialEq)]
pub enum Said {
    /// The answer to a decide line.
    Decision {
        /// The decision.
        decision: Decision,
        /// Whether it was only asked for, and nothing was committed.
        preview: bool,
        /// The request's name, where the line gives one.
        request: Option<String>,
        /// Whose request it is.
        tenant: Option<String>,
    },
    /// The answer to a permit or call line.
    Permit {
        /// Which dependency is to be called.
        dependency: DependencyId,
        /// Whether it may be.
        given: bool,
    },
    /// The answer to a health line.
    Health {
        /// Whose health it is.
        dependency: DependencyId,
        /// How it stands.
        report: HealthReport,
    },
    /// The answer to a windows line.
    Windows {
        /// Those that stand open, dependencies as written.
        open: Vec<(DependencyId, WindowAccount)>,
    },
    /// Something changed.
    Event {
        /// What.
        event: Event,
        /// Its number, from 1, without gaps.
        sequence: u64,
    },
}

/// An engine that is fed from a trace.
#[derive(Debug)]
pub struct Player {
    matrix: Arc<Matrix>,
    /// Begins with the first line, so that a trace may begin before 0.
    state: Option<State>,
    requests: Requests,
    permits: PermitNames,
    told: u64,
    restored: u64,
    events: Vec<Event>,
}

impl Player {
    /// An engine to which nothing has happened yet.
    #[must_use]
    pub fn new(matrix: &Matrix) -> Self {
        Self {
            matrix: Arc::new(matrix.clone()),
            state: None,
            requests: Requests::default(),
            permits: PermitNames::default(),
            told: 0,
            restored: 0,
            events: Vec::new(),
        }
    }

    /// Plays one line, and appends what it is answered with. An empty line is nothing.
    ///
    /// # Errors
    /// A line that can't be read, or names what is not there. Nothing of it was done.
    pub fn line(&mut self, text: &str, out: &mut Vec<Output>) -> Result<(), LineMistake> {
        if text.trim_ascii().is_empty() {
            return Ok(());
        }
        let source = Source(text);
        let Object(line): Object<Line> =
            serde_json::from_str(text).map_err(|error| source.unreadable(&error))?;
        let told = line.at_ms.map(|moment| Time::from_millis(moment.0));
        let step = Step::read(&self.matrix, source, line, &self.requests)?;
        let mut state = match self.state.take() {
            Some(state) => state,
            None => State::new(&self.matrix, told.unwrap_or_default().min(Time::default())),
        };
        let now = told.unwrap_or_else(|| state.clamp(Time::from_millis(i64::MIN)));
        self.step(&mut state, step, now, out);
        self.state = Some(state);
        Ok(())
    }

    /// The matrix that answers after the last line.
    #[must_use]
    pub fn matrix(&self) -> &Arc<Matrix> {
        &self.matrix
    }

    /// How often a line brought a snapshot: since the last of them nothing is as it was told before.
    #[must_use]
    pub fn restored(&self) -> u64 {
        self.restored
    }

    /// The moment of the last line.
    #[must_use]
    pub fn now(&self) -> Option<Time> {
        self.state.as_ref().map(|state| state.clamp(Time::from_millis(i64::MIN)))
    }

    /// The health of a dependency as it stands after the last line, and that line's moment. A question.
    #[must_use]
    pub fn health(&self, dependency: DependencyId) -> Option<(Time, HealthReport)> {
        let state = self.state.as_ref()?;
        let now = state.clamp(Time::from_millis(i64::MIN));
        Some((now, health(&self.matrix, state, dependency, now)?))
    }

    /// The windows that are open after the last line, with their accounts. A question.
    #[must_use]
    pub fn windows(&self) -> Vec<(DependencyId, WindowAccount)> {
        let state = self.state.as_ref();
        state.map_or_else(Vec::new, |state| {
            windows(&self.matrix, state, state.clamp(Time::from_millis(i64::MIN)))
        })
    }

    /// Writes one line that a replay prints, as JSON, without a line end.
    ///
    /// # Errors
    /// Those of `writer`.
    pub fn write_json(&self, writer: impl std::io::Write, output: &Output) -> std::io::Result<()> {
        serde_json::to_writer(writer, &OutputJson(output)).map_err(Into::into)
    }

    /// One line that a replay prints, as JSON.
    #[must_use]
    pub fn json(&self, output: &Output) -> String {
        serde_json::to_string(&OutputJson(output)).unwrap_or_default()
    }

    fn step(&mut self, state: &mut State, step: Step, now: Time, out: &mut Vec<Output>) {
        let (held, mut events) = (self.matrix.clone(), std::mem::take(&mut self.events));
        let matrix = held.as_ref();
        let at = state.clamp(now);
        let mut say = |said| out.push(Output { at, said, matrix: held.clone() });
        match step {
            Step::Health { dependency } => {
                state.observe(now);
                let report = health(matrix, state, dependency, at);
                if let Some(report) = report {
                    say(Said::Health { dependency, report });
                }
            }
            Step::Windows { dependency } => {
                state.observe(now);
                let mut open = windows(matrix, state, at);
                open.retain(|(id, _)| dependency.is_none_or(|asked_for| asked_for == *id));
                say(Said::Windows { open });
            }
            Step::Decide(step) => say(self.decide(matrix, state, *step, (now, at), &mut events)),
            Step::Reload { matrix: next } => {
                let by = Succession::new(matrix, &next);
                let mut after = Vec::new();
                reload((matrix, &next), &by, state, now, &mut events, &mut after);
                self.tell(&held, at, &mut events, out);
                events = after;
                self.requests.all().for_each(|request| request.follow(&next, &by));
                self.permits.rename(|id| by.dependency(id));
                self.matrix = Arc::from(next);
            }
            Step::Finish { name, amounts } => match self.requests.take(&name) {
                Some(mut request) => {
                    apply(
                        matrix,
                        state,
                        Signal::Finished { request: &mut request, amounts: &amounts },
                        now,
                        &mut events,
                    );
                }
                None => {
                    // Of an unknown request it is ignored; time has passed all the same.
                    let mut nothing = Request::new(matrix, "");
                    apply(
                        matrix,
                        state,
                        Signal::Finished { request: &mut nothing, amounts: &[] },
                        now,
                        &mut events,
                    );
                }
            },
            Step::Signal(signal) => {
                // A name that asks again gives its first permit back; one that was never given is no permit.
                let named = signal.permit_name();
                let held = named.and_then(|(id, name)| self.permits.take(id, name));
                let asks = matches!(signal, OwnedSignal::Permit { .. });
                let permit = held.or(named.filter(|_| !asks).map(|_| Permit::from_number(0)));
                let signal_now = signal.as_signal(permit);
                let asked_for = match &signal_now {
                    Signal::Permit { dependency, .. } | Signal::Call { dependency, .. } => Some(*dependency),
                    _ => None,
                };
                let answer = apply(matrix, state, signal_now, now, &mut events);
                if let (Answer::Permitted { permit: Some(permit) }, Some((id, name))) = (&answer, named) {
                    self.permits.give(id, name, *permit);
                }
                if let Some(dependency) = asked_for {
                    let given = answer != Answer::NotPermitted;
                    say(Said::Permit { dependency, given });
                }
            }
            Step::Restart { away, snapshot } => {
                // What is saved goes the way that a host's would: through its written form.
                let saved = match snapshot {
                    Some(snapshot) => {
                        self.restored += 1;
                        *snapshot
                    }
                    None => snapshot::from_json(&snapshot::to_json(&state.save(matrix, at)).to_string())
                        .unwrap_or_default(),
                };
                let signal = Signal::Restored { snapshot: &saved, away };
                apply(matrix, state, signal, now, &mut events);
            }
        }
        let matrix = self.matrix.clone();
        self.tell(&matrix, at, &mut events, out);
        self.events = events;
    }

    fn tell(&mut self, matrix: &Arc<Matrix>, at: Time, events: &mut Vec<Event>, out: &mut Vec<Output>) {
        for event in events.drain(..) {
            self.told += 1;
            let said = Said::Event { event, sequence: self.told };
            out.push(Output { at, said, matrix: matrix.clone() });
        }
    }

    fn decide(
        &mut self,
        matrix: &Matrix,
        state: &mut State,
        (line, told): (DecideLine, Told),
        (now, at): (Time, Time),
        events: &mut Vec<Event>,
    ) -> Said {
        let held = line.request.as_deref().and_then(|name| self.requests.take(name));
        let mut request = held.unwrap_or_else(|| Box::new(Request::new(matrix, &line.operation)));
        let preview = line.preview.unwrap_or(false);
        told.note(matrix, &line, &mut request, at);
        if line.request.is_none() {
            // No line can finish it.
            request.set_unfinished();
        }
        let decision = if preview {
            state.observe(now);
            decide(matrix, state, &request, at)
        } else {
            match apply(matrix, state, Signal::Decided(&mut request), now, events) {
                Answer::Decision(decision) => decision,
                // A decided signal is answered with a decision and nothing else.
                _ => decide(matrix, state, &request, at),
            }
        };
        if let Some(name) = line.request.clone() {
            self.requests.put(name, request);
        }
        Said::Decision { decision, preview, request: line.request, tenant: line.tenant }
    }
}

struct OutputJson<'a>(&'a Output);

impl Serialize for OutputJson<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(None)?;
        let Output { at, said, matrix } = self.0;
        map.serialize_entry("at_ms", &at.as_millis())?;
        match said {
            Said::Decision { decision, .. } => {
                map.serialize_entry("decision", &DecisionJson::new(matrix, decision))?;
            }
            Said::Permit { given, .. } => map.serialize_entry("permit", given)?,
            Said::Health { report, .. } => health_entries(&mut map, report)?,
            Said::Windows { open } => map.serialize_entry("windows", &WindowsJson(matrix, open))?,
            Said::Event { event, sequence } => {
                let event = EventJson { matrix, event, instance: INSTANCE, sequence: *sequence };
                map.serialize_entry("event", &event)?;
            }
        }
        map.end()
    }
}
