//! Random cases of the model's generator, played line by line on the engine alone.

use std::collections::BTreeMap;

use failsoft::document::{Format, Loaded, Options, load};
use failsoft::trace::{Output, Player, Said};
use failsoft::{Decision, Health};
use fastrand::Rng;
use serde_json::{Value, json};

/// A matrix and a trace for it.
pub(crate) struct Case {
    pub(crate) seed: u64,
    pub(crate) loaded: Loaded,
    pub(crate) document: Value,
    parameters: BTreeMap<String, String>,
    pub(crate) lines: Vec<Value>,
}

/// One line that was played.
pub(crate) struct Step {
    pub(crate) line: Value,
    /// The line's time, clamped.
    pub(crate) at: i64,
    pub(crate) out: Vec<Output>,
    /// What it printed.
    pub(crate) printed: Vec<String>,
    /// Every dependency's health after the line.
    pub(crate) health: BTreeMap<String, Health>,
}

impl Case {
    pub(crate) fn new(seed: u64) -> Self {
        Self::changed(seed, |_, _| {})
    }

    /// With a document that is changed first.
    pub(crate) fn changed(seed: u64, change: impl Fn(&mut Value, &mut Rng)) -> Self {
        let mut case = failsoft_model::generate::case_of_one_matrix(seed);
        change(&mut case.document, &mut Rng::with_seed(seed ^ 0x3d07));
        let options = Options { parameters: case.parameters.clone() };
        let loaded = load("matrix", case.document.to_string().as_bytes(), Format::Json, &options);
        let loaded = loaded.unwrap_or_else(|told| panic!("seed {seed}: {told}\n{}", case.document));
        Self { seed, loaded, document: case.document, parameters: case.parameters, lines: case.lines }
    }

    pub(crate) fn play(&self) -> Vec<Step> {
        self.play_lines(&self.lines)
    }

    /// A line that the engine refuses is as if it was not there: nothing of it was done.
    pub(crate) fn play_lines(&self, lines: &[Value]) -> Vec<Step> {
        let matrix = &self.loaded.matrix;
        let mut player = Player::new(matrix);
        let mut steps = Vec::new();
        for line in lines {
            let mut out = Vec::new();
            if player.line(&line.to_string(), &mut out).is_err() {
                continue;
            }
            let reports = matrix.dependencies().filter_map(|(id, name)| Some((name, player.health(id)?)));
            let mut at = 0;
            let health = reports.map(|(name, (now, report))| {
                at = now.as_millis();
                (name.to_owned(), report.health)
            });
            let health = health.collect();
            let printed = out.iter().map(|output| player.json(output)).collect();
            steps.push(Step { line: line.clone(), at, out, printed, health });
        }
        steps
    }

    /// As a person needs it who wants to see for themselves.
    pub(crate) fn told(&self, lines: &[Value]) -> String {
        let lines: Vec<String> = lines.iter().map(Value::to_string).collect();
        let (seed, document, parameters) = (self.seed, &self.document, &self.parameters);
        format!("seed {seed}\nmatrix {document}\nparameters {parameters:?}\ntrace\n{}", lines.join("\n"))
    }

    /// The lines, with questions for all windows among them, and one at the end.
    pub(crate) fn asked_often(&self, rng: &mut Rng) -> Vec<Value> {
        let mut lines = Vec::new();
        for line in &self.lines {
            lines.push(line.clone());
            if rng.u8(0..3) == 0 {
                lines.push(json!({ "windows": {} }));
            }
        }
        lines.push(json!({ "windows": {} }));
        lines
    }
}

impl Step {
    pub(crate) fn part(&self, kind: &str) -> Option<&Value> {
        self.line.get(kind)
    }

    pub(crate) fn is_question(&self) -> bool {
        let preview = self.line.pointer("/decide/preview") == Some(&Value::Bool(true));
        preview || self.part("health").is_some() || self.part("windows").is_some()
    }

    pub(crate) fn decision(&self) -> Option<&Decision> {
        match &self.out.first()?.said {
            Said::Decision { decision, .. } => Some(decision),
            _ => None,
        }
    }

    /// What was printed of windows: their events, and answers of questions.
    pub(crate) fn of_windows(&self) -> impl Iterator<Item = &String> {
        let of_windows =
            |text: &&String| text.contains(r#""event":{"kind":"window."#) || text.contains(r#","windows":["#);
        self.printed.iter().filter(of_windows)
    }

    /// The accounts that it told: of windows that closed, and of all that stand open.
    pub(crate) fn accounts(&self) -> Vec<&failsoft::WindowAccount> {
        let mut accounts = Vec::new();
        for output in &self.out {
            match &output.said {
                Said::Windows { open } => accounts.extend(open.iter().map(|(_, account)| account)),
                Said::Event { event: failsoft::Event::WindowClosed { account, .. }, .. } => {
                    accounts.push(account);
                }
                _ => {}
            }
        }
        accounts
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

/// One item of a list.
pub(crate) fn pick<T: Copy>(rng: &mut Rng, items: &[T]) -> T {
    items[rng.usize(0..items.len())]
}
