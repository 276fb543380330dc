//! The engine against the model, on random matrices and requests.

use failsoft_tests::implementation::{Engine, Implementation, Model};

/// So many random matrices, each with a random trace.
const CASES: u64 = 100_000;

#[test]
fn the_engine_equals_the_model_on_random_matrices_and_requests() {
    // Two threads, as many as there are cores where this runs: each takes every other seed.
    let halves = [0, 1].map(|first| {
        std::thread::spawn(move || (first..CASES).step_by(2).find_map(|seed| difference(seed).err()))
    });
    for half in halves {
        if let Some(difference) = half.join().expect("neither implementation panics") {
            panic!("{difference}");
        }
    }
}

fn difference(seed: u64) -> Result<(), String> {
    let case = failsoft_model::generate::case(seed);
    let play = |implementation: &dyn Implementation| {
        implementation
            .replay(&case.document, &case.parameters, &case.lines)
            .map_err(|error| format!("seed {seed}: {} refuses it: {error}", implementation.name()))
    };
    let (engine, model) = (play(&Engine)?, play(&Model)?);
    if engine == model {
        return Ok(());
    }
    let index = (0..).find(|index| engine.get(*index) != model.get(*index)).unwrap_or_default();
    let lines: Vec<String> = case.lines.iter().map(ToString::to_string).collect();
    Err(format!(
        "seed {seed}, printed line {}:\nengine {}\nmodel  {}\nparameters {:?}\nmatrix {}\ntrace\n{}",
        index + 1,
        engine.get(index).map_or("nothing", String::as_str),
        model.get(index).map_or("nothing", String::as_str),
        case.parameters,
        case.document,
        lines.join("\n"),
    ))
}
