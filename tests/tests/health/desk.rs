//! One dependency behind a desk: it is told lines of a trace, and asked how it stands.

use failsoft::document::{Format, Options, load};
use failsoft::trace::{Output, Player, Said};
use failsoft::{Circuit, DependencyId, HealthReport, Matrix};
use fastrand::Rng;
use serde_json::{Value, json};

/// Classes that count as failures unless a setting says otherwise.
pub(crate) const FAILURES: [&str; 7] =
    ["timeout", "unreachable", "unavailable", "throttled", "auth", "payment", "indeterminate"];

/// Classes that count as nothing unless a setting says otherwise.
pub(crate) const IGNORED: [&str; 3] = ["rejected", "cancelled", "exhausted"];

/// A wait that no trace here lives to see the end of.
pub(crate) const FOR_EVER: &str = "1000000h";

/// One item of a list.
pub(crate) fn pick<T: Copy>(rng: &mut Rng, items: &[T]) -> T {
    items[rng.usize(0..items.len())]
}

/// A matrix with one server `d` of these health settings, and one operation `op` that stops where `d` has failed.
///
/// Its deadline is as long as a permit lasts, less the one millisecond that [HLT-51] asks for: no call hangs.
pub(crate) fn matrix(health: &Value) -> Matrix {
    let ttl = health["permit_ttl"].as_str().and_then(|ttl| ttl.strip_suffix("ms")?.parse::<u64>().ok());
    let deadline = ttl.map_or("10m".to_owned(), |ttl| format!("{}ms", ttl - 1));
    let document = json!({
        "spec": 1, "name": "t",
        "dependency": { "d": {
            "role": "serve", "deadline": deadline, "health": health,
            "on_failure": [{ "deny": true }],
        } },
        "operation": { "op": { "needs": ["d"] } },
    });
    let loaded = load("matrix", document.to_string().as_bytes(), Format::Json, &Options::default());
    loaded.unwrap_or_else(|told| panic!("{told}\n{document}")).matrix
}

/// An engine, and all that it was told.
pub(crate) struct Desk {
    player: Player,
    d: DependencyId,
    lines: Vec<String>,
    out: Vec<Output>,
}

impl Desk {
    pub(crate) fn new(matrix: &Matrix) -> Self {
        let d = matrix.dependency("d").expect("it is there");
        Self { player: Player::new(matrix), d, lines: Vec::new(), out: Vec::new() }
    }

    /// What was told until now, for a person who wants to see for themselves.
    pub(crate) fn told(&self) -> String {
        self.lines.join("\n")
    }

    /// Plays a line; what it prints is in `out`.
    pub(crate) fn tell(&mut self, line: &Value) -> &[Output] {
        self.try_tell(line).unwrap_or_else(|mistake| panic!("{mistake}\n{line}"));
        &self.out
    }

    /// As [`Self::tell`], of a line that may be refused.
    pub(crate) fn try_tell(&mut self, line: &Value) -> Result<(), String> {
        self.out.clear();
        let text = line.to_string();
        let played = self.player.line(&text, &mut self.out).map_err(|mistake| mistake.to_string());
        self.lines.push(text);
        played
    }

    /// What the last line printed, as text.
    pub(crate) fn printed(&self) -> Vec<String> {
        self.out.iter().map(|output| self.player.json(output)).collect()
    }

    pub(crate) fn outcome(&mut self, at: i64, result: &str) {
        self.tell(&json!({ "at_ms": at, "outcome": { "dependency": "d", "result": result } }));
    }

    /// The outcome of a call that took so long.
    pub(crate) fn slow(&mut self, at: i64, result: &str, latency: i64) {
        let outcome = json!({ "dependency": "d", "result": result, "latency_ms": latency });
        self.tell(&json!({ "at_ms": at, "outcome": outcome }));
    }

    /// The outcome of a call under a permit that has a name.
    pub(crate) fn named(&mut self, at: i64, result: &str, permit: &str) {
        let outcome = json!({ "dependency": "d", "result": result, "permit": permit });
        self.tell(&json!({ "at_ms": at, "outcome": outcome }));
    }

    /// Whether it may be called, under a permit with this name or without one.
    pub(crate) fn permit(&mut self, at: i64, name: Option<&str>) -> bool {
        let asked = json!({ "at_ms": at, "permit": { "dependency": "d", "permit": name } });
        let given = self.tell(&asked).iter().find_map(|output| match &output.said {
            Said::Permit { given, .. } => Some(*given),
            _ => None,
        });
        given.expect("a permit line has an answer")
    }

    pub(crate) fn release(&mut self, at: i64, name: Option<&str>) {
        self.tell(&json!({ "at_ms": at, "release": { "dependency": "d", "permit": name } }));
    }

    /// An operator's act.
    pub(crate) fn set(&mut self, at: i64, to: &str, length: Option<i64>) {
        let set = json!({ "dependency": "d", "to": to, "for_ms": length });
        self.tell(&json!({ "at_ms": at, "override": set }));
    }

    /// How it stands at a moment: a question.
    pub(crate) fn at(&mut self, at: i64) -> HealthReport {
        let asked = json!({ "at_ms": at, "health": { "dependency": "d" } });
        let report = self.tell(&asked).iter().find_map(|output| match &output.said {
            Said::Health { report, .. } => Some(report.clone()),
            _ => None,
        });
        report.expect("a health line has an answer")
    }

    /// How it stands after the last line.
    pub(crate) fn report(&self) -> HealthReport {
        self.player.health(self.d).expect("a line was told").1
    }

    /// Before the first line it is closed: nothing here begins otherwise.
    pub(crate) fn circuit(&self) -> Circuit {
        self.player.health(self.d).map_or(Circuit::Closed, |(_, report)| report.circuit)
    }
}
