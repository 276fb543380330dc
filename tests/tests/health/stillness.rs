//! Time that stands still, steps back, or is looked at often: none of it changes what is answered.

use std::collections::BTreeMap;

use failsoft::document::{Format, Loaded, Options, load};
use failsoft::trace::Player;
use fastrand::Rng;
use serde_json::{Value, json};

/// A random matrix and trace of the model's generator.
pub(crate) struct Case {
    pub(crate) loaded: Loaded,
    pub(crate) lines: Vec<Value>,
    document: Value,
    parameters: BTreeMap<String, String>,
}

impl Case {
    pub(crate) fn new(seed: u64) -> Self {
        Self::changed(seed, |_| {})
    }

    /// With a document that is changed first.
    pub(crate) fn changed(seed: u64, change: impl Fn(&mut Value)) -> Self {
        let mut case = failsoft_model::generate::case_of_one_matrix(seed);
        change(&mut case.document);
        let (document, parameters, lines) = (case.document, case.parameters, case.lines);
        let options = Options { parameters: parameters.clone() };
        let loaded = load("matrix", document.to_string().as_bytes(), Format::Json, &options);
        let loaded = loaded.unwrap_or_else(|told| panic!("seed {seed}: {told}\n{document}"));
        Self { loaded, lines, document, parameters }
    }

    /// The lines, each at the moment at which it is played.
    pub(crate) fn clamped(&self) -> Vec<Value> {
        clamped(&self.lines)
    }

    pub(crate) fn dependencies(&self) -> Vec<&str> {
        self.loaded.matrix.dependencies().map(|(_, name)| name).collect()
    }

    pub(crate) fn operations(&self) -> Vec<&str> {
        self.loaded.matrix.operations().map(|(_, name)| name).collect()
    }

    /// For a person who wants to see for themselves.
    pub(crate) fn told(&self, lines: &[Value]) -> String {
        let lines: Vec<String> = lines.iter().map(Value::to_string).collect();
        format!("matrix {}\nparameters {:?}\ntrace\n{}", self.document, self.parameters, lines.join("\n"))
    }
}

/// Every line at its own time, or at that of the line before it where that is later (TRC-3, TRC-4).
pub(crate) fn clamped(lines: &[Value]) -> Vec<Value> {
    let mut last: Option<i64> = None;
    let at = |line: &Value| line.get("at_ms").and_then(Value::as_i64);
    let clamped = lines.iter().map(|line| {
        let now = at(line).map_or(last.unwrap_or(0), |at| last.map_or(at, |last| at.max(last)));
        last = Some(now);
        let mut line = line.clone();
        line["at_ms"] = json!(now);
        line
    });
    clamped.collect()
}

/// All that is printed.
pub(crate) fn play(case: &Case, lines: &[Value]) -> Vec<Value> {
    play_each(case, lines).into_iter().flatten().collect()
}

/// What each line prints.
fn play_each(case: &Case, lines: &[Value]) -> Vec<Vec<Value>> {
    let mut player = Player::new(&case.loaded.matrix);
    let mut out = Vec::new();
    let printed = lines.iter().map(|line| {
        let played = player.line(&line.to_string(), &mut out);
        played.unwrap_or_else(|mistake| panic!("{mistake}: {line}\n{}", case.told(lines)));
        let parse =
            |text: String| serde_json::from_str(&text).unwrap_or_else(|error| panic!("{error}: {text}"));
        out.drain(..).map(|output| parse(player.json(&output))).collect()
    });
    printed.collect()
}

/// All but the steps back, and without the numbers that these take up.
fn without_steps(mut printed: Vec<Value>) -> Vec<Value> {
    printed.retain(|line| line["event"]["kind"] != "clock.stepped_back");
    for line in &mut printed {
        if let Some(event) = line.get_mut("event").and_then(Value::as_object_mut) {
            event.shift_remove("sequence");
        }
    }
    printed
}

#[test]
fn a_step_back_is_as_if_time_stood_still() {
    let (mut looked, mut back) = (0, 0);
    for seed in 0..1_200 {
        let case = Case::new(seed);
        let mut rng = Rng::with_seed(seed ^ 0xbac4);
        // Now and then a moment that was long ago; what follows goes on from where time was.
        let mut lines = case.clamped();
        for line in lines.iter_mut().skip(1) {
            if rng.u8(0..4) == 0 {
                line["at_ms"] = json!(line["at_ms"].as_i64().expect("a time") - rng.i64(1..1_000_000));
            }
        }
        let clamped = clamped(&lines);
        back += lines.iter().zip(&clamped).filter(|(told, kept)| told["at_ms"] != kept["at_ms"]).count();
        let (stepped, still) = (play(&case, &lines), play(&case, &clamped));
        let told = || format!("seed {seed}\n{}", case.told(&lines));
        assert!(still.iter().all(|line| line["event"]["kind"] != "clock.stepped_back"), "{}", told());
        let (stepped, still) = (without_steps(stepped), without_steps(still));
        looked += stepped.len();
        assert_eq!(stepped, still, "{}", told());
    }
    assert!(looked >= 20_000 && back >= 4_000, "only {looked} lines, {back} steps back");
}

/// No timer is needed, and no look moves anything: questions at any moment between the lines leave every answer, every
/// event and every number as they were.
#[test]
fn asking_often_changes_nothing() {
    let (mut looked, mut asked) = (0, 0);
    for seed in 0..1_200 {
        let case = Case::new(seed);
        let mut rng = Rng::with_seed(seed ^ 0xa54);
        let (dependencies, operations) = (case.dependencies(), case.operations());
        let lines = case.clamped();
        let (mut among, mut places) = (Vec::new(), Vec::new());
        let mut last = None;
        for line in &lines {
            let at = line["at_ms"].as_i64().expect("a time");
            // At moments in order, up to and with that of the line. None before the first: there time begins.
            let mut from = last.unwrap_or(at);
            for _ in 0..if last.is_some() { rng.u8(0..6) } else { 0 } {
                from += if rng.bool() { at - from } else { rng.i64(0..=at - from) };
                let question = match rng.choice(&operations).filter(|_| rng.bool()) {
                    Some(operation) => json!({ "decide": { "operation": operation, "preview": true } }),
                    None => json!({ "health": { "dependency": rng.choice(&dependencies) } }),
                };
                let mut timed = json!({ "at_ms": from });
                question
                    .as_object()
                    .into_iter()
                    .flatten()
                    .for_each(|(kind, part)| timed[kind] = part.clone());
                among.push(timed);
                asked += 1;
            }
            places.push(among.len());
            among.push(line.clone());
            last = Some(at);
        }
        let alone = play_each(&case, &lines);
        let mut all = play_each(&case, &among);
        for (alone, place) in alone.iter().zip(places) {
            let answered = std::mem::take(&mut all[place]);
            assert_eq!(*alone, answered, "seed {seed}: {}\n{}", among[place], case.told(&among));
            looked += alone.len();
        }
        // And a question is answered with its answer and with nothing else.
        assert!(all.iter().all(|printed| printed.len() <= 1), "seed {seed}\n{}", case.told(&among));
    }
    assert!(looked >= 20_000 && asked >= 50_000, "only {looked} lines, {asked} questions");
}

/// What takes time does not happen while there is none: no wait is over, nothing lapses or ends by its age.
#[test]
fn while_time_stands_still_nothing_falls_due() {
    const DUE: [&str; 7] = [
        "wait_over",
        "permit_expired",
        "max_wait_in_half_open",
        "rates_fell",
        "signal_too_old",
        "advice_lapsed",
        "hung_calls",
    ];
    let (mut looked, mut moving) = (0, 0);
    for seed in 0..1_200 {
        // What has no length at all is over as it begins, and that is not time's doing.
        let case = Case::changed(seed, |document| {
            let dependencies = document["dependency"].as_object_mut().into_iter().flatten();
            let healths = dependencies.filter_map(|(_, known)| known.get_mut("health")?.as_object_mut());
            for (_, health) in healths.flatten() {
                if *health == "0ms" {
                    *health = json!("1ms");
                }
            }
        });
        let due = |line: &Value| {
            let why = line["event"]["why"].as_str().unwrap_or_default();
            DUE.contains(&why) || line["event"]["kind"] == "override.expired"
        };
        let mut lines = case.clamped();
        // A restore takes time away without the clock, and a span of an operator's may be none.
        lines.retain(|line| {
            line.get("restart").is_none() && line.pointer("/override/for_ms") != Some(&json!(0))
        });
        moving += play(&case, &lines).iter().filter(|line| due(line)).count();
        lines.iter_mut().for_each(|line| line["at_ms"] = json!(0));
        let printed = play(&case, &lines);
        looked += printed.iter().filter(|line| line["event"]["kind"] == "health.changed").count();
        let happened = printed.iter().find(|line| due(line));
        assert!(happened.is_none(), "seed {seed}: {happened:?}\n{}", case.told(&lines));
    }
    assert!(looked >= 2_500 && moving >= 1_000, "only {looked} changes, {moving} fall due where time moves");
}
