//! Faults planted in the presets (spec 11): each is found, at its place, in the smallest situation that shows it; and without it
//! nothing is found there. What is expected was worked out from the specification, not copied from what `check` says.
//!
//! Keys of a fault in `planted/*.toml`: `preset`; `needs`, the only ones that are left of its operations, so that this takes
//! seconds (where it is not told all are gone through); `given`, edits that belong to the fault and do no harm alone; `plant`, the edits
//! that do (`find` and `put`, or `add` at the end); `promise`, an invariant, which holds before `plant` (without `plant` it is the
//! fault itself); `code` (`broken-invariant` where not told) and `at` (the promise; `[last]` is the last of its list); `facts`, how
//! many the smallest situation has; `shows`, facts that it has; its `operation`, `class` and `stage`, where there is but one.

mod generated;
mod judged;

use std::collections::{BTreeMap, BTreeSet};

use failsoft::check::Code;
use failsoft::document::{Format, Options, Proven, prove};
use failsoft::situation;
use failsoft_tests::implementation::toml_to_json;
use failsoft_tests::{read, spec};
use serde_json::{Value, json};

use judged::{answers, as_promised, breaks, decided};

/// A situation that `check` has told, as data.
pub(crate) struct Told {
    facts: Vec<Value>,
    class: String,
    stage: &'static str,
    operation: String,
    trace: Vec<Value>,
}

pub(crate) fn check(document: &Value) -> Result<Proven, String> {
    let text = document.to_string();
    prove("planted.json", text.as_bytes(), Format::Json, &Options::default(), &mut |_, _| ())
        .map_err(|mistakes| mistakes.to_string())
}

/// Whether there is such a finding; and what situation it tells.
pub(crate) fn find(proven: &Proven, code: &str, at: &str) -> Option<Option<Told>> {
    let place = proven.told.items().iter().position(|item| item.code == code && item.path == at)?;
    let matrix = &proven.loaded.matrix;
    Some(proven.situations[place].as_ref().map(|found| Told {
        facts: found.facts.iter().map(|fact| situation::fact(matrix, fact)).collect(),
        class: matrix.classes().find(|(id, _)| *id == found.class).expect("its class").1.to_owned(),
        stage: found.stage.as_str(),
        operation: matrix.operation_name(found.operation).to_owned(),
        trace: situation::lines(matrix, found),
    }))
}

/// A text with edits made. What is replaced must be there once: a preset that has changed since says so here.
fn edited(mut text: String, edits: &Value) -> Result<String, String> {
    for edit in edits.as_array().into_iter().flatten() {
        if let (Some(find), Some(put)) = (edit["find"].as_str(), edit["put"].as_str()) {
            let times = text.matches(find).count();
            if times != 1 {
                return Err(format!("{times} times in the preset: {find}"));
            }
            text = text.replacen(find, put, 1);
        } else {
            let add = edit["add"].as_str().ok_or_else(|| format!("no edit: {edit}"))?;
            text = format!("{text}\n{add}\n");
        }
    }
    Ok(text)
}

/// A text as a document, with more invariants, and of all needs with these alone where some are told.
fn document(text: &str, promises: &[&Value], needs: &Value) -> Result<Value, String> {
    let mut document = toml_to_json(text)?;
    if let (Some(kept), Some(operations)) = (needs.as_array(), document["operation"].as_object_mut()) {
        for needs in operations.values_mut().filter_map(|operation| operation["needs"].as_array_mut()) {
            needs.retain(|need| kept.contains(need));
        }
    }
    if document.get("invariant").is_none() {
        document["invariant"] = json!([]);
    }
    if let Some(all) = document["invariant"].as_array_mut() {
        all.extend(promises.iter().copied().cloned());
    }
    Ok(document)
}

/// `operation.assist.refuse[last]`, with the number of the last.
fn place(document: &Value, at: &str) -> Result<String, String> {
    let Some(list) = at.strip_suffix("[last]") else { return Ok(at.to_owned()) };
    let found = list.split('.').fold(document, |value, key| &value[key]);
    let last = found.as_array().and_then(|all| all.len().checked_sub(1));
    Ok(format!("{list}[{}]", last.ok_or_else(|| format!("no {list}"))?))
}

/// The documents without the faults: what is found in them, by code and place.
#[derive(Default)]
struct Sound(BTreeMap<String, BTreeSet<(&'static str, String)>>);

impl Sound {
    fn finds(&mut self, document: &Value, code: &str, at: &str) -> Result<bool, String> {
        let text = document.to_string();
        if !self.0.contains_key(&text) {
            let found =
                check(document)?.told.items().iter().map(|item| (item.code, item.path.clone())).collect();
            self.0.insert(text.clone(), found);
        }
        Ok(self.0[&text].iter().any(|(known, path)| *known == code && path == at))
    }
}

/// That the text is sound without a fault: with the promises of all that are planted in it, so that each is gone through once.
fn without(
    fault: &Value,
    faults: &[Value],
    given: &str,
    (code, at): (&str, &str),
    sound: &mut Sound,
) -> Result<(), String> {
    let alike = |other: &&Value| ["preset", "given", "needs"].iter().all(|key| other[key] == fault[key]);
    let others = faults.iter().filter(alike).filter(|other| other.get("plant").is_some());
    let promises: Vec<&Value> = others.filter_map(|other| other.get("promise")).collect();
    let whole = document(given, &promises, &fault["needs"])?;
    let mut at = at.to_owned();
    if let Some(promise) = fault.get("promise") {
        let place = promises.iter().position(|other| std::ptr::eq(*other, promise));
        // Of a promise that is the fault itself there is nothing to look for.
        let Some(place) = place else { return Ok(()) };
        let all = whole["invariant"].as_array().map_or(0, Vec::len);
        at = format!("invariant[{}]", all - promises.len() + place);
    }
    for code in [code, "vacuous-invariant"] {
        if sound.finds(&whole, code, &at)? {
            return Err(format!("{code} at {at} without the fault too"));
        }
    }
    Ok(())
}

/// One fault of these: found, as it must be, and not there without it.
fn planted(fault: &Value, faults: &[Value], sound: &mut Sound) -> Result<(), String> {
    let text = |key: &str| fault[key].as_str();
    let code = text("code").unwrap_or("broken-invariant");
    let preset = read(&spec().join(format!("presets/{}.toml", text("preset").ok_or("no preset")?)))?;
    let promise = fault.get("promise");
    let given = edited(preset, &fault["given"])?;
    let whole = document(&edited(given.clone(), &fault["plant"])?, promise.as_slice(), &fault["needs"])?;
    let at = place(&whole, text("at").unwrap_or("invariant[last]"))?;

    without(fault, faults, &given, (code, &at), sound)?;
    let proven = check(&whole)?;
    let told = find(&proven, code, &at).ok_or_else(|| format!("no {code} at {at}"))?;
    let (Some(size), Some(told)) = (fault["facts"].as_u64(), &told) else {
        let same = fault.get("facts").is_some() == told.is_some();
        return same
            .then_some(())
            .ok_or_else(|| String::from("a situation, or none, where it should not be"));
    };
    let facts = &told.facts;
    if facts.len() as u64 != size {
        return Err(format!("{} facts for {size}, at {}: {facts:?}", facts.len(), told.stage));
    }
    for shown in fault["shows"].as_array().into_iter().flatten() {
        let is_it = |fact: &&Value| shown.as_object().into_iter().flatten().all(|(key, is)| fact[key] == *is);
        facts.iter().find(is_it).ok_or_else(|| format!("{shown} is not among {facts:?}"))?;
    }
    for (key, is) in [("class", &*told.class), ("stage", told.stage), ("operation", &*told.operation)] {
        if text(key).is_some_and(|wanted| wanted != is) {
            return Err(format!("{key} is {is}: {facts:?}"));
        }
    }
    let decision = decided(&whole, &told.trace)?;
    let shown = match promise {
        Some(promise) => breaks(promise, &decision) && as_promised(&whole, promise, &decision),
        None => answers(&at, &decision),
    };
    shown.then_some(()).ok_or_else(|| format!("{facts:?} shows nothing: {decision}"))
}

fn faults_of(file: &str) -> Vec<Value> {
    let path = spec().join("../tests/tests/prove/planted").join(file);
    let mut file = toml_to_json(&read(&path).expect("a file")).expect("TOML");
    match file["fault"].take() {
        Value::Array(faults) => faults,
        _ => panic!("no faults in {}", path.display()),
    }
}

/// All faults of a file.
fn planted_in(file: &str) {
    let faults = faults_of(file);
    let mut sound = Sound::default();
    let mut missed = Vec::new();
    for fault in &faults {
        if let Err(why) = planted(fault, &faults, &mut sound) {
            missed.push(format!("{}: {why}", fault["name"]));
        }
    }
    assert!(missed.is_empty(), "{}", missed.join("\n\n"));
}

#[test]
fn promises_that_one_need_breaks() {
    planted_in("promises.toml");
}

#[test]
fn promises_that_several_things_break() {
    planted_in("joined.toml");
}

#[test]
fn what_changes_nothing() {
    planted_in("dead.toml");
}

#[test]
fn ladders_and_clocks() {
    planted_in("ladders.toml");
}

/// A law can be broken by no document that loads, and what is too large is too long to be written by hand.
#[test]
fn every_code_is_planted() {
    let files = ["promises.toml", "joined.toml", "dead.toml", "ladders.toml"];
    let faults: Vec<Value> = files.into_iter().flat_map(faults_of).collect();
    assert!(faults.len() >= 80, "{}", faults.len());
    for code in Code::ALL.iter().filter(|code| !matches!(code, Code::BrokenLaw | Code::TooLarge)) {
        let of = |fault: &&Value| fault["code"].as_str().unwrap_or("broken-invariant") == code.as_str();
        assert!(faults.iter().any(|fault| of(&fault)), "{}", code.as_str());
    }
}
