//! A long run of a dependency that is well but not perfect: it must not open.

use failsoft::{Event, Fault, Health, Matrix, Outcome, Report, Signal, State, Time, apply};
use fastrand::Rng;
use serde_json::{Value, json};

use crate::desk::matrix;

const CALLS: usize = 1_000_000;

/// Exactly one call in 20 fails, in an order that the seed gives.
fn results(seed: u64) -> Vec<bool> {
    let mut failed: Vec<bool> = (0..CALLS).map(|call| call % 20 == 0).collect();
    Rng::with_seed(seed).shuffle(&mut failed);
    failed
}

/// The calls stand 10 ms apart. The place of the call that opens the circuit, if one does.
fn opens(health: &Value, results: &[bool]) -> Option<usize> {
    let matrix: Matrix = matrix(health);
    let dependency = matrix.dependency("d").expect("it is there");
    let mut state = State::new(&matrix, Time::default());
    let (mut events, mut at) = (Vec::new(), 0);
    for (call, fails) in results.iter().enumerate() {
        let result = if *fails { Report::Failed(Fault::Unavailable) } else { Report::Ok };
        let outcome =
            Outcome { dependency, result, permit: None, latency: None, retry_after: None, had: None };
        apply(&matrix, &mut state, Signal::Outcome(outcome), Time::from_millis(at), &mut events);
        let down = |event: Event| matches!(event, Event::HealthChanged { to: Health::Down, .. });
        if events.drain(..).any(down) {
            return Some(call);
        }
        at += 10;
    }
    None
}

/// Where five failures in a row are complete for the first time.
fn first_run(results: &[bool]) -> Option<usize> {
    results.windows(5).position(|run| run.iter().all(|failed| *failed)).map(|place| place + 4)
}

/// With the default settings. Five failures in a row open, and at 5 % such a run begins at a given call with probability
/// 0.95 * 0.05^5 = 3.0e-7: in 1,000,000 calls 0.3 openings are expected, so about three seeds in four have none and one
/// has. The seed decides: of 1 to 20 these have one: 4, 6, 11, 12 and 19. Seed 1 has none. So this shows that nothing but
/// such a run opens (no rate, and no counter that only grows), not that none can happen.
#[test]
fn a_million_calls_with_5_percent_errors_never_open() {
    assert_eq!(opens(&json!({}), &results(1)), None);
    // And where there is one, at its fifth call and nowhere before.
    for seed in [4, 6] {
        let results = results(seed);
        let run = first_run(&results);
        assert!(run.is_some(), "seed {seed} has a run");
        assert_eq!(opens(&json!({}), &results), run, "seed {seed}");
    }
    assert_eq!(first_run(&results(1)), None);
}

/// Without the run of failures there is no seed to be chosen: by rates alone none opens.
#[test]
fn by_rates_alone_no_seed_opens() {
    let health = json!({ "consecutive_failure_threshold": "off" });
    for seed in 1..=5 {
        assert_eq!(opens(&health, &results(seed)), None, "seed {seed}");
    }
}
