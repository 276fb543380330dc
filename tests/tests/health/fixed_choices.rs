//! The choices that no setting changes, each under its name: thresholds are met at equality, every call is judged, what
//! is ignored is nothing, and the window is kept, emptied, cleared and aligned as spec 9.5 says.

use failsoft::{Cause, Circuit};
use fastrand::Rng;
use serde_json::json;

use crate::desk::{Desk, FAILURES, FOR_EVER, IGNORED, matrix, pick};
use crate::naive::{Naive, Plan, Sight, walk};

/// Each of the seeds below `seeds`, with a generator of its own.
fn seeds(seeds: u64) -> impl Iterator<Item = Rng> {
    (0..seeds).map(|seed| Rng::with_seed(seed ^ 0xf1ed))
}

#[test]
fn a_rate_at_its_threshold_opens() {
    let (mut failing, mut slow) = (0, 0);
    for mut rng in seeds(5_000) {
        let plan = Plan { run: None, ..Plan::random(&mut rng) };
        let calls = plan.calls(&mut rng, 0);
        let Some(opened) = walk(&plan, &calls, |_, _| {}) else { continue };
        let window = opened.window;
        // Exactly at it: with > instead of >= these would not have opened.
        match opened.why {
            Cause::FailureRate => {
                let threshold = plan.rate.expect("it was crossed");
                failing += usize::from(window.failed * 100 == threshold * window.calls);
            }
            _ => slow += usize::from(window.slow * 100 == plan.slow_rate * window.calls),
        }
    }
    assert!(failing >= 400 && slow >= 100, "only {failing} and {slow} opened at equality");
}

#[test]
fn a_success_can_open() {
    let mut looked = 0;
    for mut rng in seeds(4_000) {
        // A window that asks for more calls than the first failures are: then a success may be the one that is judged.
        let plan = Plan { run: None, minimum: rng.u64(3..=9), ..Plan::random(&mut rng) };
        let calls = plan.calls(&mut rng, 0);
        let opened = walk(&plan, &calls, |_, _| {});
        looked += opened.map_or(0, |opened| {
            usize::from(opened.why == Cause::FailureRate && matches!(opened.by.result, "ok" | "refused"))
        });
    }
    assert!(looked >= 300, "only {looked} were opened by a success");
}

#[test]
fn an_ignored_outcome_is_nothing() {
    let mut looked = 0;
    for mut rng in seeds(2_000) {
        let plan = Plan::random(&mut rng);
        let mut calls = plan.calls(&mut rng, 0);
        for told in &mut calls {
            if rng.u8(0..3) == 0 {
                told.result = pick(&mut rng, &IGNORED);
            }
        }
        // The walk compares run, figures, rates and circuit after each: the naive window never sees what is ignored.
        walk(&plan, &calls, |_, told| looked += usize::from(IGNORED.contains(&told.result)));
        // Nor does it end `unknown`, in any number.
        let matrix = matrix(&plan.health());
        let mut desk = Desk::new(&matrix);
        for (told, count) in calls.iter().filter(|told| IGNORED.contains(&told.result)).zip(1..) {
            desk.slow(told.at, told.result, told.latency);
            let report = desk.report();
            assert_eq!(report.health, failsoft::Health::Unknown, "{}", desk.told());
            assert_eq!(report.metrics.ignored_calls, count, "{}", desk.told());
        }
    }
    assert!(looked >= 10_000, "only {looked} were ignored");
}

/// The window is emptied by half open and by closing, and by nothing else: an open circuit goes on counting, and one
/// that was half open holds what its trials brought.
#[test]
fn metrics_are_kept_while_open_and_reset_on_close() {
    let (mut kept, mut reset) = (0, 0);
    for mut rng in seeds(1_500) {
        // Nothing but the operator moves the circuit: no threshold, and more trials than there are calls.
        let plan = Plan { minimum: 1_000, rate: None, slow_over: None, run: None, ..Plan::random(&mut rng) };
        let mut health = plan.health();
        health["permitted_number_of_calls_in_half_open_state"] = json!(1_000);
        let (matrix, mut circuit) = (matrix(&health), Circuit::Closed);
        let (mut desk, mut naive) = (Desk::new(&matrix), Naive::new(&plan));
        for told in plan.calls(&mut rng, 0) {
            match rng.u8(0..12) {
                0 => {
                    desk.set(told.at, "open", Some(1 << 40));
                    circuit = Circuit::Open;
                }
                // On a half-open circuit this does nothing.
                1 if circuit != Circuit::HalfOpen => {
                    desk.set(told.at, "half_open", None);
                    circuit = Circuit::HalfOpen;
                    naive.empty();
                }
                2 => {
                    desk.set(told.at, "closed", None);
                    circuit = Circuit::Closed;
                    naive.close();
                }
                _ => {}
            }
            desk.slow(told.at, told.result, told.latency);
            naive.told(told);
            assert_eq!(desk.circuit(), circuit, "{}", desk.told());
            // Half open tells the figures of its trials, so the window is seen when it has ended.
            if circuit != Circuit::HalfOpen {
                let same = naive.expects(told.at, &desk.report());
                same.unwrap_or_else(|why| panic!("{why} in {circuit:?}\n{plan:?}\n{}", desk.told()));
                kept += usize::from(circuit == Circuit::Open && naive.figures(told.at).calls > 1);
                reset += usize::from(circuit == Circuit::Closed);
            }
        }
    }
    assert!(kept >= 3_000 && reset >= 3_000, "only {kept} looks while open, {reset} while closed");
}

#[test]
fn a_ring_clears_every_bucket_it_skipped() {
    let mut looked = 0;
    for mut rng in seeds(1_500) {
        let (length, buckets) = (pick(&mut rng, &[1, 10, 50]), rng.i64(2..=8));
        let plan = Plan { sight: Sight::Time { length, buckets }, ..never_opens(&mut rng) };
        let mut calls = plan.calls(&mut rng, 0);
        // Whole buckets without a call, from one to twice round the ring.
        let mut gaps = 0;
        for told in &mut calls {
            if rng.u8(0..4) == 0 {
                gaps += length * rng.i64(1..=2 * buckets + 1);
            }
            told.at += gaps;
        }
        let mut last = 0;
        walk(&plan, &calls, |naive, told| {
            // Two buckets or more were skipped, and there was something in them to be cleared.
            let skipped = told.at.div_euclid(length) - i64::div_euclid(last, length) > 2;
            looked += usize::from(skipped && naive.figures(last).calls > naive.figures(told.at).calls);
            last = told.at;
        });
    }
    assert!(looked >= 2_000, "only {looked} calls came after skipped buckets that had held calls");
}

#[test]
fn the_window_is_aligned_to_the_told_clock() {
    let mut looked = 0;
    for mut rng in seeds(2_000) {
        let (length, buckets) = (pick(&mut rng, &[7, 50, 100]), rng.i64(1..=5));
        let plan = Plan { sight: Sight::Time { length, buckets }, ..never_opens(&mut rng) };
        // Begun anywhere, also before 0, where a bucket is rounded down and not towards 0.
        let from = rng.i64(-10_000..10_000);
        let calls = plan.calls(&mut rng, from);
        walk(&plan, &calls, |naive, told| {
            // A ring whose first bucket began with the engine or the first call would hold other calls.
            let shifted = |by: i64| naive.aligned_at(told.at, by).calls;
            looked += usize::from(shifted(calls[0].at) != shifted(0));
        });
    }
    assert!(looked >= 3_000, "only at {looked} calls did it matter");
}

#[test]
fn slow_is_strictly_greater() {
    let mut looked = 0;
    for mut rng in seeds(1_500) {
        let over = rng.i64(0..=100);
        let plan = Plan { slow_over: Some(over), ..Plan::random(&mut rng) };
        let calls = plan.calls(&mut rng, 0);
        // The walk's `slow_calls` would be one more for each of these.
        walk(&plan, &calls, |_, told| {
            let counts = told.result != "timeout" && !IGNORED.contains(&told.result);
            looked += usize::from(told.latency == over && counts);
        });
    }
    assert!(looked >= 5_000, "only {looked} took exactly as long as is not yet slow");
}

#[test]
fn the_count_minimum_is_clamped_to_the_size() {
    let mut looked = 0;
    for mut rng in seeds(2_000) {
        let size = rng.usize(1..=10);
        let sight = Sight::Count { size };
        let minimum = u64::try_from(size).expect("small") + rng.u64(1..1_000);
        let plan = Plan { sight, minimum, run: None, ..Plan::random(&mut rng) };
        let calls = plan.calls(&mut rng, 0);
        looked += usize::from(walk(&plan, &calls, |_, _| {}).is_some());
    }
    assert!(looked >= 1_000, "only {looked} opened with a minimum above the size");
}

#[test]
fn the_half_open_minimum_is_clamped_to_the_permits() {
    let (mut clamped, mut equal, mut passed) = (0, 0, 0);
    for mut rng in seeds(4_000) {
        let (minimum, permits) = (rng.u64(1..=12), rng.u64(1..=8));
        let threshold = pick(&mut rng, &[1, 20, 25, 33, 34, 50, 50, 60, 75, 100]);
        let health = json!({
            "minimum_number_of_calls": minimum,
            "permitted_number_of_calls_in_half_open_state": permits,
            "half_open_failure_rate_threshold": threshold,
            "consecutive_failure_threshold": "off", "failure_rate_threshold": "off",
            "wait_duration_in_open_state": FOR_EVER,
        });
        let matrix = matrix(&health);
        let mut desk = Desk::new(&matrix);
        // Either way in: by the operator, or by the first outcome after a wait of no length.
        let by_trial = rng.bool();
        desk.set(0, if by_trial { "open" } else { "half_open" }, by_trial.then_some(0));
        let (mut counted, mut failed) = (0, 0);
        let mut expected = Circuit::HalfOpen;
        while expected == Circuit::HalfOpen {
            let result = match rng.u8(0..5) {
                0 => pick(&mut rng, &IGNORED),
                1 | 2 => pick(&mut rng, &FAILURES),
                _ => "ok",
            };
            desk.outcome(1, result);
            if !IGNORED.contains(&result) {
                (counted, failed) = (counted + 1, failed + u64::from(result != "ok"));
            }
            if counted >= minimum.min(permits) {
                let fails = failed * 100 >= threshold * counted;
                expected = if fails { Circuit::Open } else { Circuit::Closed };
                clamped += usize::from(minimum > permits);
                equal += usize::from(failed * 100 == threshold * counted);
                passed += usize::from(!fails);
            }
            let began = !by_trial || counted > 0;
            let shown = if began { expected } else { Circuit::Open };
            assert_eq!(desk.circuit(), shown, "{counted} trials, {failed} failed\n{health}\n{}", desk.told());
        }
    }
    assert!(clamped >= 1_000 && equal >= 200 && passed >= 500, "only {clamped}, {equal}, {passed}");
}

/// No threshold is met, so that the window is looked at for as long as there are calls.
fn never_opens(rng: &mut Rng) -> Plan {
    Plan { rate: None, run: None, slow_rate: 100, minimum: 1_000, slow_over: Some(5), ..Plan::random(rng) }
}
