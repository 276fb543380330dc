//! Random cases, played line by line, with what each line printed and what its request had told by then.

use std::collections::BTreeMap;

use failsoft::document::{Format, Loaded, Options, load};
use failsoft::draft::{ActionDraft, DependencyDraft, HealthSettings, OperationDraft, RungDraft};
use failsoft::trace::Player;
use failsoft::{Circuit, Health, Role};
use failsoft_model::generate;
use serde_json::{Map, Value, json};

/// What a property has to say: how often it looked, or how its law was broken.
pub(crate) type Found = Result<usize, String>;

/// A matrix, and a trace for it.
pub(crate) struct World {
    pub(crate) seed: u64,
    pub(crate) document: Value,
    pub(crate) parameters: BTreeMap<String, String>,
    pub(crate) lines: Vec<Value>,
    pub(crate) loaded: Loaded,
}

/// One line of a trace that was played.
pub(crate) struct Step {
    pub(crate) line: Value,
    /// The line's time, clamped.
    pub(crate) at: i64,
    pub(crate) printed: Vec<Value>,
    /// Every dependency's health after the line.
    pub(crate) health: BTreeMap<String, (Health, Circuit)>,
    /// What the request of a decide line has told by now; nothing of other lines.
    pub(crate) told: Told,
}

/// What a request has told.
#[derive(Clone, Default)]
pub(crate) struct Told {
    pub(crate) faults: BTreeMap<String, String>,
    pub(crate) had: BTreeMap<String, i64>,
    /// The moment at which what is cached was fetched.
    pub(crate) fetched: BTreeMap<String, i64>,
    pub(crate) stage: String,
}

/// Runs a property on the cases of the seeds below `seeds`, and panics with the first case that breaks the law, or
/// where fewer than `least` things were looked at in all.
#[track_caller]
pub(crate) fn holds(seeds: u64, least: usize, property: impl Fn(&World) -> Found) {
    holds_where(seeds, least, |_, _| {}, property);
}

/// As [`holds`], on cases that are changed first.
#[track_caller]
pub(crate) fn holds_where(
    seeds: u64,
    least: usize,
    change: impl Fn(&mut generate::Case, &mut fastrand::Rng),
    property: impl Fn(&World) -> Found,
) {
    let mut looked = 0;
    for seed in 0..seeds {
        let mut case = generate::case_of_one_matrix(seed);
        change(&mut case, &mut fastrand::Rng::with_seed(seed ^ 0x1a35));
        let world = World::new(seed, case);
        match property(&world) {
            Ok(found) => looked += found,
            Err(why) => panic!("{why}\n{}", world.told(&world.lines)),
        }
    }
    assert!(looked >= least, "only {looked} were looked at");
}

impl World {
    pub(crate) fn new(seed: u64, case: generate::Case) -> Self {
        let generate::Case { document, parameters, lines } = case;
        let options = Options { parameters: parameters.clone() };
        let loaded = load("matrix", document.to_string().as_bytes(), Format::Json, &options);
        let loaded = loaded.unwrap_or_else(|told| panic!("seed {seed}: {told}\n{document}"));
        Self { seed, document, parameters, lines, loaded }
    }

    /// The case as a person needs it to see for themselves.
    pub(crate) fn told(&self, lines: &[Value]) -> String {
        let lines: Vec<String> = lines.iter().map(Value::to_string).collect();
        format!(
            "seed {}\nmatrix {}\nparameters {:?}\ntrace\n{}",
            self.seed,
            self.document,
            self.parameters,
            lines.join("\n")
        )
    }

    pub(crate) fn settings(&self, name: &str) -> &HealthSettings {
        &self.dependency(name).health
    }

    pub(crate) fn play(&self) -> Vec<Step> {
        self.play_lines(&self.lines)
    }

    pub(crate) fn play_lines(&self, lines: &[Value]) -> Vec<Step> {
        let matrix = &self.loaded.matrix;
        let mut player = Player::new(matrix);
        let mut requests: BTreeMap<String, Told> = BTreeMap::new();
        let mut last: Option<i64> = None;
        let mut steps = Vec::new();
        for line in lines {
            let mut out = Vec::new();
            let played = player.line(&line.to_string(), &mut out);
            played.unwrap_or_else(|mistake| panic!("{mistake}: {line}\n{}", self.told(lines)));
            let told = line.get("at_ms").and_then(Value::as_i64);
            let at = told.map_or(last.unwrap_or(0), |told| last.map_or(told, |last| told.max(last)));
            last = Some(at);
            let printed = out.iter().map(|output| {
                let text = player.json(output);
                serde_json::from_str(&text).unwrap_or_else(|error| panic!("{error}: {text}"))
            });
            let health = matrix.dependencies().filter_map(|(id, name)| {
                let (_, report) = player.health(id)?;
                Some((name.to_owned(), (report.health, report.circuit)))
            });
            let told = tell(&mut requests, line, at);
            steps.push(Step {
                line: line.clone(),
                at,
                printed: printed.collect(),
                health: health.collect(),
                told,
            });
        }
        steps
    }

    pub(crate) fn dependency(&self, name: &str) -> &DependencyDraft {
        self.loaded.draft.dependencies.iter().find(|dependency| dependency.name == name).expect("it is there")
    }

    pub(crate) fn role(&self, name: &str) -> Role {
        self.dependency(name).role
    }

    pub(crate) fn is_guard(&self, name: &str) -> bool {
        self.role(name) == Role::Guard
    }

    pub(crate) fn operation(&self, name: &str) -> &OperationDraft {
        self.loaded.draft.operations.iter().find(|operation| operation.name == name).expect("it is there")
    }

    /// The guards that an operation needs.
    pub(crate) fn guards(&self, operation: &str) -> impl Iterator<Item = &str> {
        self.operation(operation).needs.iter().map(String::as_str).filter(|name| self.is_guard(name))
    }

    /// The rung of a reason of a failure, where it names one.
    pub(crate) fn rung(&self, reason: &Value) -> Option<&RungDraft> {
        let index = usize::try_from(reason.get("rung")?.as_u64()?).ok()?;
        self.dependency(text(reason, "dependency")).on_failure.get(index)
    }

    /// Whether a rung replaces a guard's check rather than skipping it.
    pub(crate) fn is_soft(&self, rung: &RungDraft) -> bool {
        match &rung.action {
            ActionDraft::LastKnown { .. } | ActionDraft::LocalMeter { .. } => true,
            ActionDraft::Fallback { to } => self.is_guard(to),
            _ => false,
        }
    }
}

/// Gathers what a line tells of its request, by the rules of spec 6.2.
fn tell(requests: &mut BTreeMap<String, Told>, line: &Value, at: i64) -> Told {
    if let Some(name) = line.pointer("/finish/request").and_then(Value::as_str) {
        requests.remove(name);
    }
    let Some(decide) = line.get("decide") else { return Told::default() };
    let name = decide.get("request").and_then(Value::as_str);
    let mut told = name.and_then(|name| requests.remove(name)).unwrap_or_default();
    for (dependency, age) in entries(decide, "cached_ms") {
        told.fetched.insert(dependency.clone(), at - age.as_i64().expect("an integer"));
    }
    for (dependency, report) in entries(decide, "faults") {
        let report = report.as_str().expect("a string");
        if report == "refused" {
            told.fetched.remove(dependency);
        }
        told.faults.insert(dependency.clone(), report.to_owned());
    }
    for (dependency, had) in entries(decide, "had_ms") {
        told.had.insert(dependency.clone(), had.as_i64().expect("an integer"));
    }
    if told.stage != "stream" {
        let stage = decide.get("stage").and_then(Value::as_str).map(str::to_owned);
        told.stage = stage.unwrap_or(if told.stage.is_empty() { "admit".into() } else { told.stage });
    }
    if let Some(name) = name {
        requests.insert(name.to_owned(), told.clone());
    }
    told
}

impl Step {
    pub(crate) fn decide(&self) -> Option<&Map<String, Value>> {
        self.line.get("decide").and_then(Value::as_object)
    }

    /// The answer of a decide line.
    pub(crate) fn decision(&self) -> Option<&Value> {
        self.printed.first()?.get("decision")
    }

    pub(crate) fn request(&self) -> Option<&str> {
        self.decide()?.get("request")?.as_str()
    }

    pub(crate) fn is_preview(&self) -> bool {
        self.line.pointer("/decide/preview") == Some(&Value::Bool(true))
    }

    pub(crate) fn is_question(&self) -> bool {
        self.is_preview() || ["health", "windows"].iter().any(|kind| self.line.get(kind).is_some())
    }

    pub(crate) fn events(&self) -> impl Iterator<Item = &Value> {
        self.printed.iter().filter_map(|printed| printed.get("event"))
    }
}

/// A text of an object; empty where there is none.
pub(crate) fn text<'v>(value: &'v Value, key: &str) -> &'v str {
    value.get(key).and_then(Value::as_str).unwrap_or_default()
}

/// The entries of an object's object.
pub(crate) fn entries<'v>(value: &'v Value, key: &str) -> impl Iterator<Item = (&'v String, &'v Value)> {
    value.get(key).and_then(Value::as_object).into_iter().flatten()
}

/// The items of an object's list.
pub(crate) fn items<'v>(value: &'v Value, key: &str) -> impl Iterator<Item = &'v Value> {
    value.get(key).and_then(Value::as_array).into_iter().flatten()
}

pub(crate) fn goes_on(decision: &Value) -> bool {
    matches!(text(decision, "verdict"), "allow" | "withhold")
}

pub(crate) fn stops(kind: &str) -> bool {
    matches!(kind, "deny" | "defer" | "retry" | "over_limit")
}

/// The reasons that a dependency failed.
pub(crate) fn failures(decision: &Value) -> impl Iterator<Item = &Value> {
    items(decision, "reasons")
        .filter(|reason| reason["dependency"].is_string() && reason["fault"] != "refused")
}

/// How strict a verdict is.
pub(crate) fn strictness(verdict: &str) -> usize {
    ["allow", "withhold", "defer", "deny"].iter().position(|known| *known == verdict).expect("a verdict")
}

/// How open a posture is.
pub(crate) fn openness(posture: &str) -> usize {
    ["normal", "fail_closed", "fail_soft", "fail_open"]
        .iter()
        .position(|known| *known == posture)
        .expect("a posture")
}

/// The names under a section of a document.
pub(crate) fn names(document: &Value, section: &str) -> Vec<String> {
    entries(document, section).map(|(name, _)| name.clone()).collect()
}

/// A line that asks and changes nothing.
pub(crate) fn preview(operation: &str) -> Value {
    json!({ "decide": { "operation": operation, "preview": true } })
}

/// Whether a request is where nothing can be taken back.
pub(crate) fn past_return(world: &World, step: &Step) -> bool {
    let operation = step.decide().and_then(|decide| decide["operation"].as_str()).unwrap_or_default();
    let irreversible = world.operation(operation).effect == failsoft::Effect::Irreversible;
    step.told.stage == "stream" || (step.told.stage == "persist" && irreversible)
}
