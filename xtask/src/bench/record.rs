//! Recording an outcome, with every health setting on, beside one atomic add on a line that two threads share.

use std::hint::black_box;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::thread;
use std::time::Instant;

use failsoft::draft::{DependencyDraft, HealthSettings, MatrixDraft, OperationDraft};
use failsoft::{
    Answer, Fault, Matrix, Millis, Outcome, Report, RetryAfterPolicy, Role, Signal, State, Time, apply,
};
use serde_json::{Value, json};

/// Outcomes of one round.
const OUTCOMES: u64 = 1_000_000;
/// Rounds, of which the medians are told: the machine has other work.
const ROUNDS: usize = 15;

/// What was measured, in nanoseconds an outcome.
pub(super) struct Recording {
    what: &'static str,
    nanoseconds: f64,
    floor: f64,
}

impl Recording {
    pub(super) fn text(&self) -> String {
        format!(
            "{:<44} {:>8.1} {:>9.1} {:>7.2}",
            self.what,
            self.nanoseconds,
            self.floor,
            self.nanoseconds / self.floor
        )
    }

    pub(super) fn json(&self) -> Value {
        json!({
            "what": self.what, "nanoseconds": self.nanoseconds, "floor_nanoseconds": self.floor,
            "ratio": self.nanoseconds / self.floor,
        })
    }
}

pub(super) fn measure() -> Vec<Recording> {
    let matrix = everything_on();
    let rounds: Vec<[f64; 4]> =
        (0..ROUNDS).map(|_| [alone(), shared(), recorded(&matrix, false), recorded(&matrix, true)]).collect();
    let median = |place: usize| {
        let mut times: Vec<f64> = rounds.iter().map(|round| round[place]).collect();
        times.sort_by(f64::total_cmp);
        times[ROUNDS / 2]
    };
    let floor = median(1);
    let row = |what, place| Recording { what, nanoseconds: median(place), floor };
    vec![
        row("one atomic add, nobody else on its line", 0),
        row("one outcome, every setting on", 2),
        row("one permit and its outcome, every setting on", 3),
    ]
}

/// A server whose every threshold is on and never crossed.
fn everything_on() -> Matrix {
    let mut draft = MatrixDraft::new("bench");
    let mut server = DependencyDraft::new("provider", Role::Serve, Some(Millis::new(30_000)));
    server.health = HealthSettings {
        failure_count_threshold: Some(1_000_000),
        slow_call_duration_threshold: Some(Millis::new(200)),
        consecutive_failure_threshold: Some(1_000),
        open_attempts_decay: Some(Millis::new(60_000)),
        wait_jitter_ratio: 20,
        signal_ttl: Some(Millis::new(600_000)),
        probe_interval: Some(Millis::new(10_000)),
        refusal_rate_threshold: Some(90),
        retry_after_policy: RetryAfterPolicy::Extend,
        ..HealthSettings::default()
    };
    draft.dependencies = vec![server];
    draft.operations = vec![OperationDraft::new("call", &["provider"])];
    draft.compile("bench@1").expect("the bench's matrix has no mistakes")
}

/// Nanoseconds an outcome: one in twenty fails, one in ten is slow, a millisecond passes every fifty.
fn recorded(matrix: &Matrix, with_permit: bool) -> f64 {
    let dependency = matrix.dependency("provider").expect("it is there");
    let mut state = State::new(matrix, Time::default());
    let mut events = Vec::new();
    let start = Instant::now();
    for number in 0..OUTCOMES {
        let now = Time::from_millis(i64::try_from(number / 50).unwrap_or(0));
        let failed = number % 20 == 7;
        let permit = if with_permit {
            let asked = Signal::Permit { dependency, named: true, instead_of: None };
            match apply(matrix, &mut state, asked, now, &mut events) {
                Answer::Permitted { permit } => permit,
                _ => None,
            }
        } else {
            None
        };
        let outcome = Outcome {
            dependency,
            result: if failed { Report::Failed(Fault::Unavailable) } else { Report::Ok },
            permit,
            latency: Some(if number % 10 == 3 { 300 } else { 20 }),
            retry_after: failed.then_some(Millis::new(1)),
            had: None,
        };
        black_box(apply(matrix, &mut state, Signal::Outcome(outcome), now, &mut events));
    }
    let took = start.elapsed();
    assert!(events.len() <= 1, "a threshold was crossed: {events:?}");
    per_outcome(took.as_nanos())
}

fn alone() -> f64 {
    let counter = AtomicU64::new(0);
    let start = Instant::now();
    for _ in 0..OUTCOMES {
        black_box(&counter).fetch_add(1, Ordering::Relaxed);
    }
    per_outcome(start.elapsed().as_nanos())
}

/// The same while a second thread adds to the same line.
fn shared() -> f64 {
    let counter = Arc::new(AtomicU64::new(0));
    let (running, done) = (Arc::new(AtomicBool::new(false)), Arc::new(AtomicBool::new(false)));
    let other = {
        let (counter, running, done) = (counter.clone(), running.clone(), done.clone());
        thread::spawn(move || {
            while !done.load(Ordering::Relaxed) {
                counter.fetch_add(1, Ordering::Relaxed);
                running.store(true, Ordering::Relaxed);
            }
        })
    };
    while !running.load(Ordering::Relaxed) {
        std::hint::spin_loop();
    }
    let start = Instant::now();
    for _ in 0..OUTCOMES {
        counter.fetch_add(1, Ordering::Relaxed);
    }
    let took = start.elapsed();
    done.store(true, Ordering::Relaxed);
    // It only adds: it can't have panicked.
    let _ = other.join();
    per_outcome(took.as_nanos())
}

#[expect(clippy::as_conversions, clippy::cast_precision_loss, reason = "nanoseconds of a second or two")]
fn per_outcome(nanoseconds: u128) -> f64 {
    nanoseconds as f64 / OUTCOMES as f64
}
