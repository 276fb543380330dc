//! Looks up the names that a line uses, and says where one stands that is not there.

use failsoft_core::{
    DependencyId, Health, Matrix, MeterId, Millis, Outcome, Override, Permit, ProbeResult, Report, Request,
    Signal, Stage, Time,
};

use failsoft_core::snapshot::Snapshot;

use crate::document::{Format, Options, load};
use crate::snapshot;

use super::line::{
    AdviceLine, CallLine, DecideLine, Entries, FinishLine, Line, Object, OutcomeLine, OverrideLine,
    PermitLine, ReloadLine, RestartLine, Whole,
};
use super::meters::MeterSignal;
use super::names::{LineMistake, Source, shortened};
use super::requests::Requests;

/// The longest name, in bytes, of a request, a permit, a source, a tenant, a session or an attribute's value.
const NAME_BYTES: usize = 4_096;

/// A line whose names have been looked up.
pub(super) enum Step {
    Health {
        dependency: DependencyId,
    },
    /// Of one dependency, or of all.
    Windows {
        dependency: Option<DependencyId>,
    },
    /// Boxed: it is far larger than the others.
    Decide(Box<(DecideLine, Told)>),
    Finish {
        name: String,
        amounts: Vec<(MeterId, u64)>,
    },
    Signal(OwnedSignal),
    /// Boxed: it is far larger than the others.
    Reload {
        matrix: Box<Matrix>,
    },
    Restart {
        away: Option<Millis>,
        snapshot: Option<Box<Snapshot>>,
    },
}

/// A signal that holds its own names.
pub(super) enum OwnedSignal {
    Outcome(OwnedOutcome),
    Probe { dependency: DependencyId, result: ProbeResult },
    Override { dependency: DependencyId, to: Option<Override>, line: OverrideLine },
    Advice { source: String, dependency: DependencyId, health: Health },
    Instances { count: u64 },
    Outbox { dependency: DependencyId, depth: u64 },
    Permit { dependency: DependencyId, name: Option<String> },
    Release { dependency: DependencyId, name: Option<String> },
    Call { dependency: DependencyId, outcome: Option<OwnedOutcome> },
    Meter(MeterSignal),
}

pub(super) struct OwnedOutcome {
    dependency: DependencyId,
    result: Report,
    name: Option<String>,
    latency: Option<i64>,
    retry_after: Option<Millis>,
    had: Option<Millis>,
}

impl OwnedOutcome {
    fn as_outcome(&self, permit: Option<Permit>) -> Outcome {
        Outcome {
            dependency: self.dependency,
            result: self.result,
            permit,
            latency: self.latency,
            retry_after: self.retry_after,
            had: self.had,
        }
    }
}

impl OwnedSignal {
    /// The dependency and the name of the permit that it speaks of.
    pub(super) fn permit_name(&self) -> Option<(DependencyId, &str)> {
        match self {
            Self::Outcome(outcome) => Some((outcome.dependency, outcome.name.as_deref()?)),
            Self::Permit { dependency, name } | Self::Release { dependency, name } => {
                Some((*dependency, name.as_deref()?))
            }
            _ => None,
        }
    }

    /// The signal, with the permit of its name.
    pub(super) fn as_signal(&self, permit: Option<Permit>) -> Signal<'_> {
        match self {
            Self::Outcome(outcome) => Signal::Outcome(outcome.as_outcome(permit)),
            Self::Probe { dependency, result } => Signal::Probe { dependency: *dependency, result: *result },
            Self::Override { dependency, to, line } => Signal::Override {
                dependency: *dependency,
                to: *to,
                length: line.for_ms.map(millis),
                by: line.by.as_deref(),
                reason: line.reason.as_deref(),
            },
            Self::Advice { source, dependency, health } => {
                Signal::Advice { source, dependency: *dependency, health: *health }
            }
            Self::Meter(signal) => signal.as_signal(),
            Self::Instances { count } => Signal::Instances { count: *count },
            Self::Outbox { dependency, depth } => Signal::Outbox { dependency: *dependency, depth: *depth },
            Self::Permit { dependency, name } => {
                Signal::Permit { dependency: *dependency, named: name.is_some(), instead_of: permit }
            }
            Self::Release { dependency, .. } => Signal::Release { dependency: *dependency, permit },
            Self::Call { dependency, outcome } => Signal::Call {
                dependency: *dependency,
                outcome: outcome.as_ref().map(|outcome| outcome.as_outcome(None)),
            },
        }
    }
}

pub(super) fn millis(whole: Whole) -> Millis {
    Millis::new(whole.0)
}

/// Looks names up, and says where one stands that is not there.
pub(super) struct Reader<'a> {
    pub(super) matrix: &'a Matrix,
    pub(super) source: Source<'a>,
}

impl Reader<'_> {
    fn dependency(&self, name: &str) -> Result<DependencyId, LineMistake> {
        let known = || self.matrix.dependencies().map(|(_, name)| name).collect::<Vec<_>>();
        self.matrix.dependency(name).ok_or_else(|| self.source.unknown("dependency", name, known()))
    }

    pub(super) fn meter(&self, name: &str) -> Result<MeterId, LineMistake> {
        let known = || self.matrix.meters().map(|(_, name)| name).collect::<Vec<_>>();
        self.matrix.meter(name).ok_or_else(|| self.source.unknown("meter", name, known()))
    }

    pub(super) fn word<T>(
        &self,
        what: &str,
        name: &str,
        from_name: impl Fn(&str) -> Option<T>,
        known: impl Iterator<Item = &'static str> + Clone,
    ) -> Result<T, LineMistake> {
        from_name(name).ok_or_else(|| self.source.unknown(what, name, known))
    }

    /// A name that the engine holds on to: short, so that what is held stays bounded.
    pub(super) fn held(&self, what: &str, name: Option<&str>) -> Result<(), LineMistake> {
        let too_long = name.filter(|name| name.len() > NAME_BYTES);
        let Some(name) = too_long else { return Ok(()) };
        let what = format!("this {what} is {} bytes long, and {NAME_BYTES} are the most", name.len());
        Err(self.source.mistake(name, what, Some("give it a shorter one, such as a hash of it".into())))
    }

    fn report(&self, name: &str) -> Result<Report, LineMistake> {
        self.word("result", name, Report::from_name, Report::names())
    }

    fn amounts(&self, entries: &Entries<Whole>) -> Result<Vec<(MeterId, u64)>, LineMistake> {
        entries.0.iter().map(|(name, amount)| Ok((self.meter(name)?, amount.0))).collect()
    }

    fn by_dependency<V: Copy, T>(
        &self,
        entries: &Entries<V>,
        value: impl Fn(V) -> T,
    ) -> Result<Vec<(DependencyId, T)>, LineMistake> {
        entries.0.iter().map(|(name, told)| Ok((self.dependency(name)?, value(*told)))).collect()
    }

    /// The call that failed was one.
    fn attempts(&self, entries: &Entries<Whole>) -> Result<Vec<(DependencyId, u32)>, LineMistake> {
        if let Some((name, _)) = entries.0.iter().find(|(_, count)| count.0 == 0) {
            let what = format!("`{}` was called at least once", shortened(name));
            return Err(self.source.mistake(name, what, Some("write 1 or more, or leave it out".into())));
        }
        self.by_dependency(entries, |count| u32::try_from(count.0).unwrap_or(u32::MAX))
    }

    fn outcome(&self, line: OutcomeLine) -> Result<OwnedOutcome, LineMistake> {
        self.held("permit", line.permit.as_deref())?;
        Ok(OwnedOutcome {
            dependency: self.dependency(&line.dependency)?,
            result: self.report(&line.result)?,
            name: line.permit,
            latency: line.latency_ms.map(|latency| latency.0),
            retry_after: line.retry_after_ms.map(millis),
            had: line.had_ms.map(millis),
        })
    }

    fn advice(&self, line: AdviceLine) -> Result<OwnedSignal, LineMistake> {
        self.held("source", Some(&line.source))?;
        let known = Health::ALL.iter().map(|health| health.as_str());
        Ok(OwnedSignal::Advice {
            dependency: self.dependency(&line.dependency)?,
            health: self.word("health", &line.health, Health::from_name, known)?,
            source: line.source,
        })
    }

    fn permit(&self, line: PermitLine) -> Result<(DependencyId, Option<String>), LineMistake> {
        self.held("permit", line.permit.as_deref())?;
        Ok((self.dependency(&line.dependency)?, line.permit))
    }

    fn call(&self, line: CallLine) -> Result<OwnedSignal, LineMistake> {
        let dependency = self.dependency(&line.dependency)?;
        let outcome = match line.result {
            Some(result) => Some(OwnedOutcome {
                dependency,
                result: self.report(&result)?,
                name: None,
                latency: line.latency_ms.map(|latency| latency.0),
                retry_after: line.retry_after_ms.map(millis),
                had: line.had_ms.map(millis),
            }),
            None => None,
        };
        Ok(OwnedSignal::Call { dependency, outcome })
    }

    fn overriding(&self, line: OverrideLine) -> Result<OwnedSignal, LineMistake> {
        if let Some(meter) = line.meter.clone() {
            return self.limit(&meter, line);
        }
        let foreign = [
            ("tenant", line.tenant.is_some()),
            ("session", line.session.is_some()),
            ("limit", line.limit.is_some()),
        ];
        if let Some((key, _)) = foreign.iter().find(|(_, there)| *there) {
            let what = format!("`{key}` is a meter's, and this override names none");
            return Err(self.source.mistake(key, what, Some("write `\"meter\":\"NAME\"`".into())));
        }
        let Some(name) = &line.dependency else {
            let help = Some("write `\"dependency\":\"NAME\"`".into());
            return Err(self.source.mistake("override", "this override names no dependency".into(), help));
        };
        let dependency = self.dependency(name)?;
        let known = Override::ALL.iter().map(|kind| kind.as_str());
        let to = match &line.to {
            None => {
                let help = Some(
                    "write `\"to\":\"forced_open\"`, or `\"to\":null` to lift the one that stands".into(),
                );
                return Err(self.source.mistake(
                    "override",
                    "this override does not say to what".into(),
                    help,
                ));
            }
            Some(None) => None,
            Some(Some(to)) => Some(self.word("override", to, Override::from_name, known)?),
        };
        Ok(OwnedSignal::Override { dependency, to, line })
    }

    fn decide(&self, line: DecideLine, requests: &Requests) -> Result<Step, LineMistake> {
        self.held("request's name", line.request.as_deref())?;
        self.held("tenant", line.tenant.as_deref())?;
        self.held("session", line.session.as_deref())?;
        line.attributes.0.iter().try_for_each(|(_, value)| self.held("attribute's value", Some(value)))?;
        if self.matrix.operation(&line.operation).is_none() {
            let known: Vec<&str> = self.matrix.operations().map(|(_, name)| name).collect();
            return Err(self.source.unknown("operation", &line.operation, known));
        }
        if let Some(class) = line.class.as_deref().filter(|class| self.matrix.class(class).is_none()) {
            let known: Vec<&str> = self.matrix.classes().map(|(_, name)| name).collect();
            return Err(self.source.unknown("class", class, known));
        }
        if let Some(before) = line.request.as_deref().and_then(|name| requests.operation_of(name))
            && before != line.operation
        {
            let name = shortened(line.request.as_deref().unwrap_or_default());
            let what = format!("request `{name}` is one of `{before}`, not of `{}`", line.operation);
            let help = Some("finish it first, or give the request another name".into());
            return Err(self.source.mistake(&line.operation, what, help));
        }
        let stages = Stage::ALL.iter().map(|stage| stage.as_str());
        let told = Told {
            stage: match &line.stage {
                Some(stage) => Some(self.word("stage", stage, Stage::from_name, stages)?),
                None => None,
            },
            faults: line
                .faults
                .0
                .iter()
                .map(|(name, report)| Ok((self.dependency(name)?, self.report(report)?)))
                .collect::<Result<_, LineMistake>>()?,
            cached: self.by_dependency(&line.cached_ms, millis)?,
            attempts: self.attempts(&line.attempts)?,
            retry_after: self.by_dependency(&line.retry_after_ms, millis)?,
            had: self.by_dependency(&line.had_ms, millis)?,
            amounts: self.amounts(&line.amounts)?,
        };
        Ok(Step::Decide(Box::new((line, told))))
    }

    fn restart(&self, line: RestartLine) -> Result<Step, LineMistake> {
        let snapshot = match line.snapshot {
            None => None,
            Some(text) => Some(snapshot::from_json(text.get()).map(Box::new).map_err(|error| {
                let help = Some("see section 10 of the specification for the form of a snapshot".into());
                self.source.mistake("snapshot", format!("this is no snapshot: {error}"), help)
            })?),
        };
        Ok(Step::Restart { away: line.away_ms.map(millis), snapshot })
    }

    fn reload(&self, line: &ReloadLine) -> Result<Step, LineMistake> {
        let text = line.document.get();
        let parameters = line.parameters.0.iter().cloned().collect();
        let diagnostics = match load("document", text.as_bytes(), Format::Json, &Options { parameters }) {
            Ok(loaded) => return Ok(Step::Reload { matrix: Box::new(loaded.matrix) }),
            Err(diagnostics) => diagnostics,
        };
        // The document stands in the line as it is, and a line has no line breaks.
        let line = self.source.0;
        let after_key = line.find("\"document\"").unwrap_or(0);
        let place =
            line.get(after_key..).and_then(|rest| rest.find(text)).map_or(0, |place| after_key + place);
        let before = line.get(..place).map_or(0, |before| before.chars().count());
        let Some((first, rest)) = diagnostics.items().split_first() else {
            return Err(self.source.mistake("document", "the new document has a mistake".into(), None));
        };
        let more = if rest.is_empty() { String::new() } else { format!(" (and {} more)", rest.len()) };
        let what = format!("in the new document: {}{more}", first.what);
        Err(LineMistake { column: before + first.column, what, help: first.help.clone() })
    }

    fn finish(&self, line: FinishLine) -> Result<Step, LineMistake> {
        Ok(Step::Finish { amounts: self.amounts(&line.amounts)?, name: line.request })
    }
}

/// What a decide line tells, with its names looked up.
pub(super) struct Told {
    stage: Option<Stage>,
    faults: Vec<(DependencyId, Report)>,
    cached: Vec<(DependencyId, Millis)>,
    attempts: Vec<(DependencyId, u32)>,
    retry_after: Vec<(DependencyId, Millis)>,
    had: Vec<(DependencyId, Millis)>,
    amounts: Vec<(MeterId, u64)>,
}

impl Told {
    /// The request gathers from every line; what is told again replaces.
    pub(super) fn note(&self, matrix: &Matrix, line: &DecideLine, request: &mut Request, at: Time) {
        if let Some(class) = &line.class {
            request.set_class(matrix, class);
        }
        if let Some(tenant) = &line.tenant {
            request.set_tenant(tenant);
        }
        if let Some(session) = &line.session {
            request.set_session(session);
        }
        if let Some(stage) = self.stage {
            request.set_stage(stage);
        }
        if let Some(remaining) = line.remaining_ms {
            request.set_remaining(millis(remaining), at);
        }
        line.attributes.0.iter().for_each(|(name, value)| request.set_attribute(name, value));
        self.cached.iter().for_each(|(id, age)| request.set_cached(*id, *age, at));
        self.attempts.iter().for_each(|(id, count)| request.set_attempts(*id, *count));
        self.retry_after.iter().for_each(|(id, wait)| request.set_retry_after(*id, *wait, at));
        self.had.iter().for_each(|(id, had)| request.set_had(*id, *had));
        self.faults.iter().for_each(|(id, report)| request.report(*id, *report, at));
        self.amounts.iter().for_each(|(id, amount)| request.set_amount(*id, *amount));
    }
}

impl Step {
    pub(super) fn read(
        matrix: &Matrix,
        source: Source<'_>,
        line: Line,
        requests: &Requests,
    ) -> Result<Self, LineMistake> {
        let reader = Reader { matrix, source };
        let mut steps: Vec<Result<Self, LineMistake>> = Vec::new();
        let signal = |signal: Result<OwnedSignal, LineMistake>| signal.map(Self::Signal);
        if let Some(Object(line)) = line.reading {
            steps.push(signal(reader.reading(line)));
        }
        if let Some(Object(line)) = line.usage {
            steps.push(signal(reader.usage(line)));
        }
        if let Some(Object(line)) = line.outcome {
            steps.push(signal(reader.outcome(line).map(OwnedSignal::Outcome)));
        }
        if let Some(Object(line)) = line.probe {
            let known = ProbeResult::ALL.iter().map(|result| result.as_str());
            steps.push(signal(reader.dependency(&line.dependency).and_then(|dependency| {
                let result = reader.word("probe result", &line.result, ProbeResult::from_name, known)?;
                Ok(OwnedSignal::Probe { dependency, result })
            })));
        }
        if let Some(Object(line)) = line.overriding {
            steps.push(signal(reader.overriding(line)));
        }
        if let Some(Object(line)) = line.advice {
            steps.push(signal(reader.advice(line)));
        }
        if let Some(Object(line)) = line.instances {
            steps.push(signal(Ok(OwnedSignal::Instances { count: line.count.0 })));
        }
        if let Some(Object(line)) = line.outbox {
            let dependency = reader.dependency(&line.dependency);
            steps.push(signal(
                dependency.map(|dependency| OwnedSignal::Outbox { dependency, depth: line.depth.0 }),
            ));
        }
        if let Some(Object(line)) = line.decide {
            steps.push(reader.decide(line, requests));
        }
        if let Some(Object(line)) = line.finish {
            steps.push(reader.finish(line));
        }
        if let Some(Object(line)) = line.permit {
            let permit = reader.permit(line);
            steps.push(signal(permit.map(|(dependency, name)| OwnedSignal::Permit { dependency, name })));
        }
        if let Some(Object(line)) = line.release {
            let permit = reader.permit(line);
            steps.push(signal(permit.map(|(dependency, name)| OwnedSignal::Release { dependency, name })));
        }
        if let Some(Object(line)) = line.call {
            steps.push(signal(reader.call(line)));
        }
        if let Some(Object(line)) = line.health {
            steps.push(reader.dependency(&line.dependency).map(|dependency| Self::Health { dependency }));
        }
        if let Some(Object(line)) = line.windows {
            let dependency = line.dependency.map(|name| reader.dependency(&name)).transpose();
            steps.push(dependency.map(|dependency| Self::Windows { dependency }));
        }
        if let Some(Object(line)) = line.restart {
            steps.push(reader.restart(line));
        }
        if let Some(Object(line)) = line.reload {
            steps.push(reader.reload(&line));
        }
        let many = steps.len() > 1;
        match steps.pop() {
            Some(step) if !many => step,
            _ => Err(LineMistake {
                column: 1,
                what: format!("a line says {}", if many { "more than one thing" } else { "nothing" }),
                help: Some("write `at_ms` and exactly one other key, such as `outcome` or `decide`".into()),
            }),
        }
    }
}
