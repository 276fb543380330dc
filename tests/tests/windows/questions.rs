//! A question changes nothing (TRC-25, REQ-13): neither windows, nor what they told.

use fastrand::Rng;
use serde_json::{Value, json};

use crate::play::{Case, pick};

/// Previews of requests of nobody's, and questions, also between two lines: while time passes.
fn questions(case: &Case, rng: &mut Rng, from: i64, to: i64, lines: &mut Vec<Value>) {
    let draft = &case.loaded.draft;
    let mut times: Vec<i64> = (0..rng.u8(0..4)).map(|_| rng.i64(from..=to.max(from))).collect();
    times.sort_unstable();
    for at in times {
        let dependency = pick(rng, &draft.dependencies.iter().map(|known| &known.name).collect::<Vec<_>>());
        let fault = pick(rng, &["timeout", "unreachable", "ok", "refused"]);
        let operations: Vec<_> = draft.operations.iter().map(|operation| &operation.name).collect();
        let question = match rng.u8(0..4) {
            0 if !operations.is_empty() => json!({ "at_ms": at, "decide": {
                "operation": pick(rng, &operations), "preview": true, "faults": { dependency: fault },
                "tenant": "stranger", "stage": pick(rng, &["admit", "stream", "output"]),
            } }),
            1 => json!({ "at_ms": at, "health": { "dependency": dependency } }),
            2 => json!({ "at_ms": at, "windows": { "dependency": dependency } }),
            _ => json!({ "at_ms": at, "windows": {} }),
        };
        lines.push(question);
    }
}

#[test]
fn previews_and_questions_change_nothing() {
    let (mut looked, mut asked) = (0, 0);
    for seed in 600_000..603_500 {
        let case = Case::new(seed);
        let mut rng = Rng::with_seed(seed);
        let quiet = case.play();
        let (mut lines, mut places) = (Vec::new(), Vec::new());
        for (number, step) in quiet.iter().enumerate() {
            let mut line = step.line.clone();
            let next = quiet.get(number + 1);
            // A step back is told against the line before: it is left as it is, and so is time before it.
            if line.get("at_ms").is_none() {
                line["at_ms"] = json!(step.at);
            }
            places.push(lines.len());
            lines.push(line);
            let steps_back = |at: i64| at < step.at;
            let until =
                next.filter(|next| !next.line.get("at_ms").and_then(Value::as_i64).is_some_and(steps_back));
            let until = until.map_or(step.at, |next| next.at);
            questions(&case, &mut rng, step.at, until, &mut lines);
        }
        asked += lines.len() - quiet.len();
        let noisy = case.play_lines(&lines);
        assert_eq!(noisy.len(), lines.len(), "every question is one that can be asked");
        for (step, place) in quiet.iter().zip(places) {
            assert_eq!(step.printed, noisy[place].printed, "{}\n{}", step.line, case.told(&lines));
            looked += step.of_windows().count();
        }
    }
    assert!(looked > 7_000 && asked > 110_000, "{looked} of windows, {asked} questions");
}
