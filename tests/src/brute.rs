//! What the checker says of a random matrix, held against brute force over the model (spec 11).

use std::collections::{BTreeMap, BTreeSet};

use failsoft::check::{Code, Diff, Direction, Found, Report, Scope, check_in, diff_in};
use failsoft::document::{Format, Loaded, Options, load};
use failsoft::explore::{Fact, Situation};
use failsoft::{Stage, situation};
use failsoft_model::generate::{case, case_of_one_matrix};
use failsoft_model::proof::{Brute, Whole, brute, brute_diff, sets};
use fastrand::Rng;
use serde_json::{Value, json};

use crate::implementation::{Engine, Implementation};

/// So many sets of facts are gone through one by one.
const MOST_SETS: u64 = 3_000;

/// A matrix, and how its parameters are bound.
#[derive(Debug)]
pub struct Whose {
    /// The document.
    pub document: Value,
    /// Values of parameters.
    pub parameters: BTreeMap<String, String>,
    /// As the engine has read it.
    pub loaded: Loaded,
}

/// A random matrix of at most four dependencies, with invariants; nothing where the seed makes a larger one.
///
/// # Panics
/// Where the generator makes a document with mistakes.
#[must_use]
pub fn matrix(seed: u64) -> Option<Whose> {
    let case = case_of_one_matrix(seed);
    let mut document = case.document;
    let names: Vec<String> = document["dependency"].as_object()?.keys().cloned().collect();
    if names.len() > 4 {
        return None;
    }
    let operations: Vec<String> = document["operation"].as_object()?.keys().cloned().collect();
    let mut rng = Rng::with_seed(seed ^ 0x0bad_cafe);
    let invariants: Vec<Value> = (0..4).filter_map(|_| invariant(&mut rng, &operations, &names)).collect();
    document["invariant"] = invariants.into();
    let options = Options { parameters: case.parameters.clone() };
    let loaded = load("case", document.to_string().as_bytes(), Format::Json, &options);
    let loaded = loaded.unwrap_or_else(|told| panic!("seed {seed}: {told}"));
    Some(Whose { document, parameters: case.parameters, loaded })
}

fn invariant(rng: &mut Rng, operations: &[String], names: &[String]) -> Option<Value> {
    let mut invariant = json!({"operation": rng.choice(operations)?, "when": {}});
    for name in names {
        if rng.u8(0..3) == 0 {
            let conditions =
                ["fine", "refused", "failed", "failed", "timeout", "unavailable", "auth", "rejected"];
            invariant["when"][name] = (*rng.choice(&conditions)?).into();
        }
    }
    let verdicts = ["withhold", "defer", "deny"];
    match rng.u8(0..5) {
        0 | 1 => invariant["verdict"] = (*rng.choice(&verdicts)?).into(),
        2 => invariant["never"] = (*rng.choice(&["allow", "withhold", "defer", "deny"])?).into(),
        3 => invariant["posture"] = (*rng.choice(&["normal", "fail_closed", "fail_soft"])?).into(),
        _ => {
            let kinds = ["fallback", "outbox", "mark_unchecked", "withhold_output", "last_known"];
            invariant["obligation"] = (*rng.choice(&kinds)?).into();
        }
    }
    Some(invariant)
}

/// Some of all facts, so few that every set of them can be gone through.
pub fn pool(rng: &mut Rng, all: &[Value]) -> Vec<Value> {
    let mut all = all.to_vec();
    rng.shuffle(&mut all);
    let mut pool: Vec<Value> = Vec::new();
    for fact in all {
        pool.push(fact);
        if sets(&pool) > MOST_SETS {
            pool.pop();
        }
    }
    pool
}

/// A fact as the pool has it: without the attributes, which each side finds itself.
fn key(fact: &Value) -> String {
    let mut fact = fact.clone();
    if let Some(map) = fact.as_object_mut() {
        map.remove("attributes");
    }
    let mut parts: Vec<String> =
        fact.as_object().into_iter().flatten().map(|(key, value)| format!("{key}={value}")).collect();
    parts.sort_unstable();
    parts.join(" ")
}

/// What was seen, to be sure that something was.
#[derive(Clone, Copy, Debug, Default)]
pub struct Seen {
    /// Situations that were played.
    pub situations: u64,
    /// Invariants that hold.
    pub held: u64,
    /// Invariants that are broken.
    pub broken: u64,
    /// Ladders that run out.
    pub ran_out: u64,
    /// Rungs that answer nowhere.
    pub dead: u64,
}

/// Compares one matrix: each operation, in a class and at a stage, and some of the facts. False where the seed makes none.
///
/// # Errors
/// What differs.
pub fn compare(seed: u64, seen: &mut Seen) -> Result<bool, String> {
    let Some(whose) = matrix(seed) else { return Ok(false) };
    let whole = Whole::new(&whose.document, &whose.parameters)?;
    let mut rng = Rng::with_seed(seed);
    let matrix = &whose.loaded.matrix;
    for operation in whole.operations() {
        let Ok(all) = whole.facts(&operation) else { continue };
        let pool = pool(&mut rng, &all);
        let keys: BTreeSet<String> = pool.iter().map(key).collect();
        let classes = whole.classes();
        let class = rng.choice(&classes).ok_or("no class")?;
        let stage = *rng.choice(Stage::ALL).ok_or("no stage")?;
        let found = brute(&whole, &operation, class, stage.as_str(), &pool)?;
        let allowed = |fact: &Fact| keys.contains(&key(&situation::fact(matrix, fact)));
        let scope = Scope { class: matrix.class(class), stage: Some(stage), facts: Some(&allowed) };
        let report = check_in(matrix, scope, &mut |_, _| ());
        let context = format!("seed {seed} {operation} {class} {stage}");
        seen.situations += found.situations;
        invariants(&whose, &found, &report, seen)
            .map_err(|what| format!("{context}: {what}\npool {pool:?}"))?;
        ladders(&whose, &operation, &found, &report, seen)
            .map_err(|what| format!("{context}: {what}\npool {pool:?}"))?;
    }
    Ok(true)
}

fn at<'r>(report: &'r Report, code: Code, path: &str) -> Option<&'r Found> {
    report.found.iter().find(|found| found.code == code && found.path.to_string() == path)
}

fn invariants(whose: &Whose, found: &Brute, report: &Report, seen: &mut Seen) -> Result<(), String> {
    for held in &found.invariants {
        let path = format!("invariant[{}]", held.place);
        let broken = at(report, Code::BrokenInvariant, &path);
        let vacuous = at(report, Code::VacuousInvariant, &path);
        if held.when.is_none() != vacuous.is_some() {
            return Err(format!("{path}: when {:?}, told {vacuous:?}", held.when));
        }
        match (&held.broken, broken) {
            (None, None) => seen.held += 1,
            (Some(smallest), Some(broken)) => {
                seen.broken += 1;
                let shown = broken.situation.as_ref().ok_or("without a situation")?;
                if shown.facts.len() != smallest.size {
                    return Err(format!("{path}: smallest {smallest:?}, told {shown:?}"));
                }
                replays(whose, shown)?;
            }
            (brute, told) => return Err(format!("{path}: brute force {brute:?}, told {told:?}")),
        }
    }
    Ok(())
}

/// The engine's answer to the trace is the model's.
fn replays(whose: &Whose, shown: &Situation) -> Result<(), String> {
    let matrix = &whose.loaded.matrix;
    let lines = situation::lines(matrix, shown);
    let engine = Engine.replay(&whose.document, &whose.parameters, &lines)?;
    let model = crate::implementation::Model.replay(&whose.document, &whose.parameters, &lines)?;
    if engine != model {
        return Err(format!(
            "the trace {lines:?} is answered by the engine {engine:?}, by the model {model:?}"
        ));
    }
    Ok(())
}

fn ladders(
    whose: &Whose,
    operation: &str,
    found: &Brute,
    report: &Report,
    seen: &mut Seen,
) -> Result<(), String> {
    let needs: Vec<&str> = whose.document["operation"][operation]["needs"]
        .as_array()
        .into_iter()
        .flatten()
        .filter_map(Value::as_str)
        .collect();
    let only = whose.document["operation"].as_object().is_some_and(|all| all.len() == 1);
    for name in needs {
        let observes = whose.document["dependency"][name]["role"] == "observe";
        let ran_out = found.answers.iter().filter(|(answer, _)| {
            answer.dependency.as_deref() == Some(name)
                && answer.rung.is_none()
                && matches!(answer.kind.as_str(), "deny" | "allow")
                && !matches!(answer.fault.as_deref(), Some("refused" | "rejected" | "cancelled"))
                && !(observes && answer.by_advice_alone)
        });
        let ran_out: Vec<_> = ran_out.collect();
        let smallest = ran_out.iter().map(|(_, smallest)| smallest.size).min();
        let path = format!("dependency.{name}.on_failure");
        let told = at(report, Code::RunsOut, &path).and_then(|found| found.situation.as_ref());
        let size = told.map(|shown| shown.facts.len());
        if only && smallest != size {
            return Err(format!("{path}: runs out at {smallest:?} by {ran_out:?}, told {told:?}"));
        }
        seen.ran_out += u64::from(only && smallest.is_some());
        let ladder = whose.document["dependency"][name]["on_failure"].as_array().map_or(0, Vec::len);
        for rung in 0..ladder {
            let answers = found.answers.keys().any(|answer| {
                answer.dependency.as_deref() == Some(name)
                    && answer.rung == i64::try_from(rung).ok()
                    && answer.fault.as_deref() != Some("refused")
            });
            let path = format!("dependency.{name}.on_failure[{rung}]");
            let dead = at(report, Code::DeadRung, &path).is_some();
            if dead && answers {
                return Err(format!("{path}: it answers, and is told to be dead"));
            }
            seen.dead += u64::from(dead);
        }
    }
    Ok(())
}

/// A random matrix and one that it was reloaded to, both of at most four dependencies; nothing where the seed has none.
fn two(seed: u64) -> Option<(Whose, Whose)> {
    let case = case(seed);
    let reload = case.lines.iter().find_map(|line| line.get("reload"))?;
    let whose = |document: Value, parameters: BTreeMap<String, String>| {
        let names = document["dependency"].as_object().map_or(0, serde_json::Map::len);
        let options = Options { parameters: parameters.clone() };
        let loaded = load("case", document.to_string().as_bytes(), Format::Json, &options).ok()?;
        (names <= 4).then_some(Whose { document, parameters, loaded })
    };
    let bound = reload["parameters"].as_object().into_iter().flatten();
    let bound = bound.filter_map(|(name, value)| Some((name.clone(), value.as_str()?.to_owned()))).collect();
    Some((whose(case.document.clone(), case.parameters.clone())?, whose(reload["document"].clone(), bound)?))
}

/// How often which direction changes, and how often one does not.
pub type Changed = BTreeMap<&'static str, u64>;

/// Compares what changes between two matrices: of each operation, in a class, at a stage and of some of the facts. False
/// where the seed makes no two.
///
/// # Errors
/// What differs.
pub fn compare_two(seed: u64, seen: &mut Changed) -> Result<bool, String> {
    let Some((old, new)) = two(seed) else { return Ok(false) };
    let (before, after) =
        (Whole::new(&old.document, &old.parameters)?, Whole::new(&new.document, &new.parameters)?);
    let mut rng = Rng::with_seed(seed);
    for operation in before.operations() {
        let refuse = |whose: &Whose| whose.document["operation"][&operation]["refuse"].clone();
        if !after.operations().contains(&operation) || refuse(&old) != refuse(&new) {
            continue; // Attributes that tell two lists of rules apart are found by each side in its own way.
        }
        let (Ok(mut all), Ok(more)) = (before.facts(&operation), after.facts(&operation)) else { continue };
        let keys: BTreeSet<String> = all.iter().map(key).collect();
        all.extend(more.into_iter().filter(|fact| !keys.contains(&key(fact))));
        let pool = pool(&mut rng, &all);
        let keys: BTreeSet<String> = pool.iter().map(key).collect();
        let classes: Vec<String> =
            before.classes().into_iter().filter(|class| after.classes().contains(class)).collect();
        let Some(class) = rng.choice(&classes) else { continue };
        let stage = *rng.choice(Stage::ALL).ok_or("no stage")?;
        let found = brute_diff(&before, &after, &operation, class, stage.as_str(), &pool)?;
        let matrices = (&old.loaded.matrix, &new.loaded.matrix);
        let names = failsoft::explore::Names::of(matrices.0, matrices.1);
        let allowed = |fact: &Fact| {
            let told = if fact.is_of(matrices.0) {
                Some(situation::fact(matrices.0, fact))
            } else {
                names.fact_of(fact.clone()).map(|fact| situation::fact(matrices.1, &fact))
            };
            told.is_some_and(|told| keys.contains(&key(&told)))
        };
        let scope = Scope { class: matrices.0.class(class), stage: Some(stage), facts: Some(&allowed) };
        let diff = diff_in(matrices.0, matrices.1, scope, &mut |_, _| ());
        let told = |direction| smallest(&diff, &operation, direction);
        for (direction, smallest) in [
            (Direction::Looser, &found.looser),
            (Direction::Stricter, &found.stricter),
            (Direction::Other, &found.other),
        ] {
            let size = smallest.as_ref().map(|smallest| smallest.size);
            let (told, context) = (told(direction), format!("seed {seed} {operation} {class} {stage}"));
            if told != size {
                return Err(format!(
                    "{context}: {} {smallest:?}, told {told:?}\n{diff:?}\npool {pool:?}",
                    direction.as_str()
                ));
            }
            *seen.entry(if size.is_some() { direction.as_str() } else { "none" }).or_default() += 1;
        }
    }
    Ok(true)
}

fn smallest(diff: &Diff, operation: &str, direction: Direction) -> Option<usize> {
    let changes = diff.changes.iter().filter(|change| change.operation == operation);
    changes.filter(|change| change.direction == direction).map(|change| change.size).min()
}
