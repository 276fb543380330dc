//! Traps that other breakers fell into (`shared/health.md` 4), each as a property under its number: the window.

use failsoft::{Cause, Circuit};
use serde_json::{Value, json};

use crate::desk::{Desk, FAILURES, FOR_EVER, matrix, pick};
use crate::naive::{Naive, Plan, Sight, walk};
use crate::traps::seeds;

/// resilience4j: one of its windows reads the system's clock whatever clock it is given. Here the same calls at another
/// time, whole buckets away, print the same there.
#[test]
fn trap_06_the_window_follows_the_told_clock() {
    let mut looked = 0;
    for mut rng in seeds(1_000) {
        let (length, buckets) = (pick(&mut rng, &[1, 50, 1_000]), rng.i64(1..=6));
        let plan = Plan { sight: Sight::Time { length, buckets }, ..Plan::random(&mut rng) };
        // An engine's time begins at its first line where that is below 0.
        let calls = plan.calls(&mut rng, -1_000_000);
        let by = length * rng.i64(1..=1_000_000_000);
        let matrix = matrix(&plan.health());
        let play = |by: i64| {
            let mut desk = Desk::new(&matrix);
            let mut printed = Vec::new();
            for told in &calls {
                desk.slow(told.at - by, told.result, told.latency);
                printed.extend(desk.printed());
                desk.at(told.at - by);
                printed.extend(desk.printed());
            }
            printed
        };
        let here = play(0);
        for (here, there) in here.iter().zip(&play(by)) {
            let parse = |text: &str| serde_json::from_str::<Value>(text).expect("it is JSON");
            let (here, mut there) = (parse(here), parse(there));
            there["at_ms"] = json!(there["at_ms"].as_i64().expect("a time") + by);
            assert_eq!(here, there, "{by} earlier\n{plan:?}");
            looked += usize::from(here["metrics"]["buffered_calls"].as_u64() > Some(0));
        }
    }
    assert!(looked >= 10_000, "only {looked} looks at calls");
}

/// resilience4j: after a step back of the clock one bucket is evicted with every call. Here time that steps back stands
/// still: the naive window has the same calls at the latest time told.
#[test]
fn trap_07_a_step_back_evicts_nothing() {
    let mut looked = 0;
    for mut rng in seeds(1_500) {
        let (length, buckets) = (pick(&mut rng, &[1, 10, 50]), rng.i64(1..=6));
        let sight = Sight::Time { length, buckets };
        let plan = Plan { sight, minimum: 1_000, run: None, ..Plan::random(&mut rng) };
        let matrix = matrix(&plan.health());
        let (mut desk, mut naive) = (Desk::new(&matrix), Naive::new(&plan));
        let mut latest = i64::MIN;
        for mut told in plan.calls(&mut rng, 0) {
            let back = if rng.bool() { rng.i64(1..=100 * length) } else { 0 };
            desk.slow(told.at - back, told.result, told.latency);
            // Until the clock is where it was the time is that of the latest line.
            latest = latest.max(told.at - back);
            told.at = latest;
            naive.told(told);
            let same = naive.expects(told.at, &desk.report());
            same.unwrap_or_else(|why| panic!("{why}\n{plan:?}\n{}", desk.told()));
            looked += usize::from(back > 0 && naive.figures(told.at).calls > 1);
        }
    }
    assert!(looked >= 10_000, "only {looked} steps back");
}

/// cockatiel: its window moves on by one bucket at most with each call, so that after a pause what is long over still
/// counts. Here the call after a pause finds what a fresh look would.
#[test]
fn trap_08_a_pause_ages_the_whole_ring() {
    let (mut gone, mut stayed) = (0, 0);
    for mut rng in seeds(2_000) {
        let (length, buckets) = (pick(&mut rng, &[1, 10, 50]), rng.i64(2..=10));
        let minimum = rng.u64(2..=10);
        let sight = Sight::Time { length, buckets };
        let plan = Plan { sight, minimum, rate: Some(50), run: None, slow_over: None, slow_rate: 100 };
        // One failure less than is judged, anywhere in the ring; then the pause, and one failure more.
        let failure = |at: i64| crate::naive::Told { at, result: "unavailable", latency: 0 };
        let mut times: Vec<i64> = (1..minimum).map(|_| rng.i64(0..length * buckets)).collect();
        times.sort_unstable();
        let last = times.last().copied().unwrap_or(0) + rng.i64(0..=2 * length * buckets);
        let calls: Vec<_> = times.into_iter().chain([last]).map(failure).collect();
        match walk(&plan, &calls, |_, _| {}) {
            Some(opened) => stayed += usize::from(opened.why == Cause::FailureRate),
            None => gone += 1,
        }
    }
    assert!(gone >= 500 && stayed >= 200, "only {gone} were forgotten, {stayed} counted");
}

/// opossum and cockatiel compare with >, so that a threshold of 100 percent never trips. Here it does where every call
/// of a full minimum failed (or was slow), and one better call is enough that it does not.
#[test]
fn trap_10_a_threshold_of_100_percent_trips() {
    let mut looked = 0;
    for mut rng in seeds(1_000) {
        let minimum = rng.u64(1..=20);
        let by_time = rng.bool();
        let slow = rng.bool();
        let mut health = json!({
            "minimum_number_of_calls": minimum, "consecutive_failure_threshold": "off",
            "failure_rate_threshold": if slow { json!("off") } else { json!(100) },
            "slow_call_duration_threshold": "10ms", "slow_call_rate_threshold": 100,
            "wait_duration_in_open_state": FOR_EVER,
        });
        if !by_time {
            health["sliding_window_type"] = json!("count_based");
        }
        let matrix = matrix(&health);
        let good = rng.u64(0..=minimum);
        let mut desk = Desk::new(&matrix);
        for call in 1..=minimum {
            assert_eq!(desk.circuit(), Circuit::Closed, "{}", desk.told());
            // `unavailable` is not slow by itself, as `timeout` is.
            match (call == good, slow) {
                (true, _) => desk.slow(0, "ok", 10),
                (false, true) => desk.slow(0, "ok", 11),
                (false, false) => desk.slow(0, "unavailable", 0),
            }
        }
        let expected = if good == 0 { Circuit::Open } else { Circuit::Closed };
        assert_eq!(desk.circuit(), expected, "{health}\n{}", desk.told());
        looked += usize::from(good == 0);
    }
    assert!(looked >= 50, "only {looked} had all calls fail");
}

/// tower-resilience: its window by count never slides, so that the longer a dependency was well the later it trips.
/// Here a window full of successes is a window full of successes, however many came before it.
#[test]
fn trap_17_a_count_window_slides() {
    let mut looked = 0;
    for mut rng in seeds(400) {
        let (size, threshold) = (rng.u64(1..=30), pick(&mut rng, &[1, 10, 33, 50, 67, 99, 100]));
        let minimum = rng.u64(1..=40);
        let matrix = matrix(&json!({
            "sliding_window_type": "count_based", "sliding_window_size": size,
            "minimum_number_of_calls": minimum, "failure_rate_threshold": threshold,
            "consecutive_failure_threshold": "off", "wait_duration_in_open_state": FOR_EVER,
        }));
        // As many failures as make the rate of a full window.
        let expected = (1..=size).find(|failed| failed * 100 >= threshold * size);
        for before in [size, size + 1, size + rng.u64(0..=10 * size), 10 * size] {
            let mut desk = Desk::new(&matrix);
            (0..before).for_each(|_| desk.outcome(0, "ok"));
            let mut failing = 0;
            while desk.circuit() == Circuit::Closed && failing <= size {
                desk.outcome(0, pick(&mut rng, &FAILURES));
                failing += 1;
            }
            let told = format!("size {size}, threshold {threshold}, minimum {minimum}, {before} successes");
            assert_eq!(Some(failing), expected, "{told}");
            looked += 1;
        }
    }
    assert!(looked >= 1_600, "only {looked}");
}
