//! Another matrix takes over (spec 10.3): what holds whatever was before. That the engine equals the model over
//! reloads is shown in `differential.rs`.

use failsoft_model::generate::{Case, case, case_of_one_matrix};
use failsoft_tests::implementation::{Engine, Implementation};
use serde_json::{Value, json};

const CASES: u64 = 4_000;

/// The lines printed, read.
fn played(case: &Case, lines: &[Value]) -> Vec<Value> {
    let printed = Engine.replay(&case.document, &case.parameters, lines);
    let printed = printed.unwrap_or_else(|error| panic!("{error}: {lines:?}"));
    printed.iter().map(|line| serde_json::from_str(line).expect("a printed line is JSON")).collect()
}

/// A case of one matrix, and a place in its trace.
fn cut(seed: u64) -> Option<(Case, usize)> {
    let case = case_of_one_matrix(seed);
    let place = usize::try_from(seed).expect("small").wrapping_mul(7) % case.lines.len().max(1);
    (!case.lines.is_empty()).then_some((case, place))
}

/// The trace with a line more.
fn with(lines: &[Value], place: usize, line: Value) -> Vec<Value> {
    let mut lines = lines.to_vec();
    lines.insert(place, line);
    lines
}

/// The matrix of the case, as a reload line has it; of another revision.
fn same(case: &Case) -> Value {
    let parameters: serde_json::Map<String, Value> =
        case.parameters.iter().map(|(name, value)| (name.clone(), json!(value))).collect();
    let mut document = case.document.clone();
    document["revision"] = json!(4_711);
    json!({"reload": {"document": document, "parameters": parameters}})
}

fn is_the_reload(line: &Value) -> bool {
    line.pointer("/event/kind").and_then(Value::as_str) == Some("matrix.reloaded")
}

/// Without the identity, and numbers that a further event moves.
fn unnumbered(mut line: Value) -> Value {
    if let Some(decision) = line.get_mut("decision").and_then(Value::as_object_mut) {
        decision.remove("matrix");
    }
    if let Some(event) = line.get_mut("event").and_then(Value::as_object_mut) {
        event.remove("sequence");
        event.remove("matrix");
    }
    line
}

#[test]
fn a_reload_to_the_same_matrix_changes_nothing() {
    let mut reloads = 0;
    for (case, place) in (0..CASES).filter_map(cut) {
        // A line that does nothing, but is no question either.
        let nothing = with(&case.lines, place, json!({"finish": {"request": "of-nobody"}}));
        let reload = with(&case.lines, place, same(&case));
        let (expected, got) = (played(&case, &nothing), played(&case, &reload));
        let (told, rest): (Vec<Value>, Vec<Value>) = got.into_iter().partition(is_the_reload);
        assert_eq!(told.len(), 1, "{:?}", case.document);
        reloads += told.len();
        let expected: Vec<Value> = expected.into_iter().map(unnumbered).collect();
        let rest: Vec<Value> = rest.into_iter().map(unnumbered).collect();
        let most = expected.len().max(rest.len());
        let first = (0..most).find(|line| expected.get(*line) != rest.get(*line));
        if let Some(line) = first {
            let lines: Vec<String> = reload.iter().map(ToString::to_string).collect();
            panic!(
                "with a reload at line {}, printed line {}:\nexpected {:?}\ngot      {:?}\nmatrix {}\ntrace\n{}",
                place + 1,
                line + 1,
                expected.get(line).map(Value::to_string),
                rest.get(line).map(Value::to_string),
                case.document,
                lines.join("\n"),
            );
        }
    }
    assert!(reloads > 1_000, "{reloads}");
}

#[test]
fn everything_is_told_under_the_matrix_that_said_it() {
    let mut seen = 0;
    for seed in 0..CASES {
        let case = case(seed);
        let mut now: Option<Value> = None;
        for line in played(&case, &case.lines) {
            let Some(identity) = line.pointer("/decision/matrix").or(line.pointer("/event/matrix")).cloned()
            else {
                continue;
            };
            if is_the_reload(&line) {
                seen += 1;
                let from = line.pointer("/event/from");
                assert!(now.is_none() || now.as_ref() == from, "seed {seed}: {line} after {now:?}");
                now = Some(identity);
                continue;
            }
            let before = now.get_or_insert_with(|| identity.clone());
            assert_eq!(*before, identity, "seed {seed}: {line}");
        }
    }
    assert!(seen > 100, "{seen}");
}

#[test]
fn a_permit_is_none_of_a_dependency_that_came_after_it() {
    use failsoft::document::{Format, Options, load};
    use failsoft::{Answer, Matrix, Outcome, Report, Signal, State, Succession, Time, apply, health, reload};

    let matrix = |names: &[&str]| -> Matrix {
        let dependency = |name: &&str| ((*name).to_owned(), json!({"role": "guard", "deadline": "1s"}));
        let dependencies: serde_json::Map<String, Value> = names.iter().map(dependency).collect();
        let document = json!({"spec": 1, "name": "t", "dependency": dependencies}).to_string();
        load("t", document.as_bytes(), Format::Json, &Options::default()).expect("no mistakes").matrix
    };
    let (with, without) = (matrix(&["g"]), matrix(&[]));
    let g = with.dependency("g").expect("it is there");
    let now = Time::default();
    let mut state = State::new(&with, now);
    let ask = |state: &mut State| {
        let signal = Signal::Permit { dependency: g, named: true, instead_of: None };
        match apply(&with, state, signal, now, &mut Vec::new()) {
            Answer::Permitted { permit: Some(permit) } => permit,
            other => panic!("{other:?}"),
        }
    };
    let old = ask(&mut state);
    for (from, to) in [(&with, &without), (&without, &with)] {
        reload((from, to), &Succession::new(from, to), &mut state, now, &mut Vec::new(), &mut Vec::new());
    }
    let new = ask(&mut state);
    assert_ne!(old, new);
    let outcome = |permit| Outcome {
        dependency: g,
        result: Report::Ok,
        permit: Some(permit),
        latency: None,
        retry_after: None,
        had: None,
    };
    let late = |state: &State| health(&with, state, g, now).expect("it is there").late_outcomes;
    apply(&with, &mut state, Signal::Outcome(outcome(old)), now, &mut Vec::new());
    assert_eq!(late(&state), 1, "the old one is late");
    apply(&with, &mut state, Signal::Outcome(outcome(new)), now, &mut Vec::new());
    assert_eq!(late(&state), 1, "the new one is not");
}
