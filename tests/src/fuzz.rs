//! What the fuzz targets hold, away from the fuzzer: a regression input is also run by an ordinary test.
//!
//! Each function takes bytes that nobody vouches for, and panics where a promise is broken.

use std::collections::BTreeMap;

use failsoft::Matrix;
use failsoft::document::{Format, Options, load};
use failsoft::trace::{LINE_BYTES, Output, Player};
use serde_json::Value;

use crate::implementation::{Engine, Implementation, Model, toml_to_json};

/// A function that is given bytes.
pub type Target = fn(&[u8]);

/// Every target, by the name of its folder under `fuzz/regressions`.
pub const TARGETS: [(&str, Target); 3] =
    [("document", document), ("trace", trace), ("differential", differential)];

/// Bytes as a document of either form: read or refused, never worse. What is read is the same matrix in the other
/// form and in the model.
pub fn document(bytes: &[u8]) {
    for format in [Format::Toml, Format::Json] {
        let options = Options::default();
        let loaded = match load("fuzz", bytes, format, &options) {
            Ok(loaded) => loaded,
            Err(told) => {
                assert!(!told.items().is_empty(), "it is refused without a mistake");
                for item in told.items() {
                    assert!(item.line >= 1 && item.column >= 1, "{item:?}");
                    assert!(told.text().get(item.span.clone()).is_some(), "{item:?}");
                }
                assert!(!told.render(false).is_empty());
                continue;
            }
        };
        let text = std::str::from_utf8(bytes).expect("what is read is UTF-8");
        let value = match format {
            Format::Toml => toml_to_json(text).expect("what is read is TOML"),
            Format::Json => serde_json::from_str(text).expect("what is read is JSON"),
        };
        let again = load("again", value.to_string().as_bytes(), Format::Json, &options);
        assert_eq!(again.expect("the same data is read as JSON").identity, loaded.identity);
        let model = failsoft_model::identity(&value, &BTreeMap::new());
        assert_eq!(model.as_ref(), Ok(&loaded.identity), "{}", loaded.canonical);
        // A matrix that was read can be asked at once.
        let mut player = Player::new(&loaded.matrix);
        let mut out = Vec::new();
        for (_, operation) in loaded.matrix.operations() {
            let line = serde_json::json!({ "decide": { "operation": operation } });
            player.line(&line.to_string(), &mut out).expect("an operation of the matrix");
        }
        assert!(out.iter().all(|output| !player.json(output).is_empty()));
    }
}

/// A preset, and lines that are played on it: a line that is refused has a place, and leaves nothing behind.
pub fn trace(bytes: &[u8]) {
    let Some((number, lines)) = bytes.split_first() else { return };
    let (_, matrix) = preset(*number);
    let lines: Vec<&str> = lines
        .split(|byte| *byte == b'\n')
        .filter(|line| line.len() <= LINE_BYTES)
        .filter_map(|line| std::str::from_utf8(line).ok())
        .collect();
    refused_lines_leave_nothing(&matrix, &lines);
}

/// Every line that is refused has a place in it, and the others print the same without it.
pub fn refused_lines_leave_nothing(matrix: &Matrix, lines: &[&str]) {
    let (with, refused) = play(matrix, lines);
    let accepted: Vec<&str> =
        lines.iter().zip(&refused).filter(|(_, refused)| !**refused).map(|(line, _)| *line).collect();
    let (without, again) = play(matrix, &accepted);
    assert!(!again.contains(&true), "a line is refused for want of one that was refused");
    assert_eq!(with, without);
}

fn preset(number: u8) -> (&'static str, Matrix) {
    let presets: Vec<_> = failsoft::presets::all().collect();
    let preset = presets[usize::from(number) % presets.len()];
    let loaded = load(preset.name, preset.text.as_bytes(), Format::Toml, &Options::default());
    (preset.text, loaded.expect("a preset").matrix)
}

/// What is printed, and which lines are refused.
fn play(matrix: &Matrix, lines: &[&str]) -> (Vec<String>, Vec<bool>) {
    let mut player = Player::new(matrix);
    let mut out: Vec<Output> = Vec::new();
    let mut refused = Vec::new();
    for line in lines {
        let told = out.len();
        let result = player.line(line, &mut out);
        if let Err(mistake) = &result {
            assert!(mistake.column >= 1, "{mistake}");
            // What is missing at the end is told just behind it, where the last character is a wide one.
            assert!(mistake.column <= line.chars().count().max(1), "{mistake} in {line:?}");
            assert!(!mistake.what.chars().any(char::is_control), "{mistake:?}");
            assert_eq!(told, out.len(), "a refused line is answered");
        }
        refused.push(result.is_err());
    }
    (out.iter().map(|output| player.json(output)).collect(), refused)
}

/// Engine and model print the same: on a random case whose lines the bytes change, or on a preset and lines of the
/// bytes themselves.
pub fn differential(bytes: &[u8]) {
    let Some((way, bytes)) = bytes.split_first() else { return };
    if way % 2 == 0 {
        let (seed, changes) = bytes.split_at(bytes.len().min(4));
        let seed = seed.iter().fold(0_u64, |seed, byte| seed * 256 + u64::from(*byte));
        let mut case = failsoft_model::generate::case(seed);
        for change in changes.chunks_exact(3).take(64) {
            changed(&mut case.lines, change[0], usize::from(change[1]), usize::from(change[2]));
        }
        equal(&case.document, &case.parameters, case.lines);
    } else {
        let Some((number, lines)) = bytes.split_first() else { return };
        let text = String::from_utf8_lossy(lines);
        let (document, matrix) = preset(*number);
        // What JSON means where a key stands twice is not the question here: only lines that the engine takes as
        // text are compared.
        let lines: Vec<&str> = text.lines().take(64).collect();
        let (_, refused) = play(&matrix, &lines);
        let taken =
            lines.iter().zip(&refused).filter(|(line, refused)| !**refused && !line.trim().is_empty());
        let values =
            taken.map(|(line, _)| serde_json::from_str(line).expect("a line that was taken is JSON"));
        equal(&toml_to_json(document).expect("a preset"), &BTreeMap::new(), values.collect());
    }
}

/// One line dropped, doubled, moved, or put at another time.
fn changed(lines: &mut Vec<Value>, what: u8, one: usize, other: usize) {
    if lines.is_empty() || lines.len() > 200 {
        return;
    }
    let (one, other) = (one % lines.len(), other % lines.len());
    match what % 5 {
        0 => {
            lines.remove(one);
        }
        1 => lines.insert(other, lines[one].clone()),
        2 => lines.swap(one, other),
        3 => {
            let by = i64::try_from(other).unwrap_or(0) * 7 - 60;
            let shifted = |at: &Value| Value::from(at.as_i64().unwrap_or(0) + by);
            let at = lines[one].get("at_ms").map(shifted);
            if let (Some(line), Some(at)) = (lines[one].as_object_mut(), at) {
                line.insert("at_ms".into(), at);
            }
        }
        _ => {
            if let Some(line) = lines[one].as_object_mut() {
                line.shift_remove("at_ms");
            }
        }
    }
}

/// The lines that the engine takes, in both.
fn equal(document: &Value, parameters: &BTreeMap<String, String>, lines: Vec<Value>) {
    let options = Options { parameters: parameters.clone() };
    let loaded =
        load("fuzz", document.to_string().as_bytes(), Format::Json, &options).expect("a valid document");
    let texts: Vec<String> = lines.iter().map(Value::to_string).collect();
    let (_, refused) = play(&loaded.matrix, &texts.iter().map(String::as_str).collect::<Vec<_>>());
    let lines: Vec<Value> =
        lines.into_iter().zip(refused).filter(|(_, refused)| !refused).map(|(line, _)| line).collect();
    let engine = Engine.replay(document, parameters, &lines).expect("lines that it took");
    let model = Model.replay(document, parameters, &lines);
    let told = || lines.iter().map(Value::to_string).collect::<Vec<_>>().join("\n");
    assert_eq!(
        model.as_ref(),
        Ok(&engine),
        "\nmatrix {document}\nparameters {parameters:?}\ntrace\n{}",
        told()
    );
}
