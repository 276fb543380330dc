//! Traps that other breakers fell into (`shared/health.md` 4), each as a property under its number: the circuit.

use failsoft::{Circuit, Health};
use fastrand::Rng;
use serde_json::json;

use crate::desk::{Desk, FAILURES, FOR_EVER, IGNORED, matrix, pick};
use crate::ledger::Terms;
use crate::permits::{same_but_late, terms};

/// Each of the seeds below `seeds`, with a generator of its own.
pub(crate) fn seeds(seeds: u64) -> impl Iterator<Item = Rng> {
    (0..seeds).map(|seed| Rng::with_seed(seed ^ 0x7a9))
}

/// Takes so many trials' permits at one moment, with names (`t0`, `t1`, ...) or without.
fn take(rng: &mut Rng, desk: &mut Desk, at: i64, count: u64) {
    for number in 0..count {
        let name = format!("t{number}");
        assert!(desk.permit(at, rng.bool().then_some(name.as_str())), "{}", desk.told());
    }
}

/// resilience4j and others: a trial that never reports holds the circuit half open for ever. Here the moment at which
/// the next call may be made is known to the millisecond, whatever the settings, and however often it happens again.
#[test]
fn trap_01_a_trial_that_never_reports_wedges_nothing() {
    let mut looked = 0;
    for mut rng in seeds(1_500) {
        let terms = terms(&mut rng);
        let mut health = terms.health();
        health["wait_duration_in_open_state"] = json!("100ms");
        health["max_wait_duration_in_open_state"] = json!("1s");
        let matrix = matrix(&health);
        let mut desk = Desk::new(&matrix);
        let mut at = rng.i64(0..1_000);
        desk.set(at, "open", Some(0));
        let mut wait = 100;
        for _ in 0..6 {
            take(&mut rng, &mut desk, at, terms.n);
            let end = at + terms.stay.unwrap_or(i64::MAX - at).min(terms.ttl);
            assert!(!desk.permit(end - 1, None), "{terms:?}\n{}", desk.told());
            // The longest stay leads where it is told to; permits that end are failed trials, and those reopen.
            if terms.stay.is_some_and(|stay| stay <= terms.ttl) && terms.stay_closes {
                assert!(desk.permit(end, None), "{terms:?}\n{}", desk.told());
                assert_eq!(desk.circuit(), Circuit::Closed, "{terms:?}\n{}", desk.told());
                desk.set(end, "open", Some(0));
                (at, wait) = (end, 100);
            } else {
                wait = (wait * 2).min(1_000);
                assert!(!desk.permit(end, None), "{terms:?}\n{}", desk.told());
                assert!(!desk.permit(end + wait - 1, None), "{terms:?}\n{}", desk.told());
                at = end + wait;
            }
            looked += 1;
        }
    }
    assert!(looked >= 9_000, "only {looked} silent rounds");
}

/// resilience4j, opossum, Polly and cockatiel: a call of before the opening closes or reopens. Here it is late, and late
/// changes nothing, while open, while trials run, and after.
#[test]
fn trap_02_an_old_outcome_decides_nothing() {
    let (mut open, mut half_open, mut closed) = (0, 0, 0);
    for mut rng in seeds(1_500) {
        let matrix = matrix(&terms(&mut rng).health());
        let mut desk = Desk::new(&matrix);
        let mut old: Vec<String> = (0..9).map(|number| format!("old{number}")).collect();
        for name in &old {
            assert!(desk.permit(0, Some(name)));
        }
        desk.set(1, "open", Some(9));
        let mut at = 1;
        while let Some(name) = old.pop() {
            at += rng.i64(0..4);
            match rng.u8(0..6) {
                0 => desk.set(at, "closed", None),
                1..=3 => {
                    desk.permit(at, Some("trial"));
                }
                _ => {}
            }
            let before = desk.at(at);
            let result = pick(&mut rng, &["ok", "ok", "refused", "timeout", "auth", "rejected"]);
            desk.named(at, result, &name);
            let after = desk.report();
            assert!(same_but_late(&before, &after), "{before:?}\n{after:?}\n{}", desk.told());
            match before.circuit {
                Circuit::Open => open += 1,
                Circuit::HalfOpen => half_open += 1,
                _ => closed += 1,
            }
        }
    }
    assert!(open >= 1_000 && half_open >= 1_000 && closed >= 1_000, "only {open}, {half_open}, {closed}");
}

/// resilience4j: an old outcome that is ignored gives back a permit that it never took, so that more than n trials run.
#[test]
fn trap_03_an_ignored_old_outcome_frees_no_permit() {
    let mut looked = 0;
    for mut rng in seeds(1_500) {
        let terms = Terms { ttl: 1_000, stay: None, ..terms(&mut rng) };
        let matrix = matrix(&terms.health());
        let mut desk = Desk::new(&matrix);
        let named = rng.bool();
        assert!(desk.permit(0, Some("old")) && desk.permit(0, None));
        desk.set(0, "half_open", None);
        for number in 0..terms.n {
            let name = format!("t{number}");
            assert!(desk.permit(1, named.then_some(name.as_str())));
        }
        for _ in 0..rng.usize(1..=4) {
            desk.named(2, pick(&mut rng, &IGNORED), pick(&mut rng, &["old", "foreign"]));
            if named {
                // One without a name gives back a trial's permit without a name, and never one that has one.
                desk.outcome(2, pick(&mut rng, &IGNORED));
            }
            assert!(!desk.permit(2, None), "{terms:?}\n{}", desk.told());
            assert_eq!(desk.report().calls_out, terms.n, "{terms:?}\n{}", desk.told());
            looked += 1;
        }
    }
    assert!(looked >= 3_000, "only {looked} were ignored");
}

/// opossum, pybreaker, cockatiel, Polly: ignored is a success, and one caller's 400 closes a broken dependency. Hystrix:
/// it is a failure, and reopens. Here any number of them leaves the trials as they were.
#[test]
fn trap_04_ignored_is_neither_a_success_nor_a_failure() {
    let (mut passed, mut failed) = (0, 0);
    for mut rng in seeds(1_500) {
        let terms = Terms { ttl: 100_000, stay: None, ..terms(&mut rng) };
        let matrix = matrix(&terms.health());
        let mut desk = Desk::new(&matrix);
        desk.set(0, "half_open", None);
        for at in 1..=rng.i64(1..=12) {
            let name = rng.bool().then_some("t");
            assert!(desk.permit(at, name), "{terms:?}\n{}", desk.told());
            match name {
                Some(name) => desk.named(at, pick(&mut rng, &IGNORED), name),
                None => desk.outcome(at, pick(&mut rng, &IGNORED)),
            }
            let report = desk.report();
            let stands = (report.circuit, report.permits_left, report.metrics.buffered_calls);
            assert_eq!(stands, (Circuit::HalfOpen, Some(terms.n), 0), "{terms:?}\n{}", desk.told());
        }
        // What counts then decides as if there had been nothing else.
        let ok = rng.bool();
        (0..terms.n).for_each(|_| desk.outcome(20, if ok { "ok" } else { "timeout" }));
        let end = if ok { Circuit::Closed } else { Circuit::Open };
        assert_eq!(desk.circuit(), end, "{terms:?}\n{}", desk.told());
        (passed, failed) = (passed + usize::from(ok), failed + usize::from(!ok));
    }
    assert!(passed >= 500 && failed >= 500, "only {passed} passed, {failed} failed");
}

/// resilience4j: with a list of what to record, an error that is not on it is a success. Here it is a failure or
/// nothing.
#[test]
fn trap_05_an_unlisted_error_is_no_success() {
    let mut looked = 0;
    for mut rng in seeds(2_000) {
        let mut classes: Vec<&str> = FAILURES.into_iter().chain(["exhausted"]).collect();
        rng.shuffle(&mut classes);
        let (recorded, rest) = classes.split_at(rng.usize(0..classes.len()));
        let (ignored, unlisted) = rest.split_at(rng.usize(0..=rest.len()));
        let counts = rng.bool();
        let matrix = matrix(&json!({
            "record_error_classes": recorded, "ignore_error_classes": ignored,
            "unlisted_error": if counts { "failure" } else { "nothing" },
            "consecutive_failure_threshold": "off", "failure_rate_threshold": "off",
        }));
        let mut desk = Desk::new(&matrix);
        let (mut calls, mut failed, mut run) = (0, 0, 0);
        for at in 0..20 {
            let result = if rng.u8(0..5) == 0 { "ok" } else { pick(&mut rng, &classes) };
            desk.outcome(at, result);
            let failure = recorded.contains(&result) || (counts && unlisted.contains(&result));
            looked += usize::from(unlisted.contains(&result) && run > 0);
            if failure {
                (calls, failed, run) = (calls + 1, failed + 1, run + 1);
            } else if result == "ok" {
                (calls, run) = (calls + 1, 0);
            }
            let told = desk.report().metrics;
            let engine = (told.buffered_calls, told.failed_calls, told.consecutive_failures);
            assert_eq!(engine, (calls, failed, run), "{recorded:?} {unlisted:?} {counts}\n{}", desk.told());
        }
    }
    assert!(looked >= 3_000, "only {looked} unlisted errors in a run of failures");
}

/// resilience4j: with half open on a timer, no traffic and a limit on its stay, the circuit flaps for ever. Here half
/// open with nobody out is left by nobody: one event, however long and however often one looks.
#[test]
fn trap_16_automatic_half_open_without_traffic_does_not_flap() {
    let mut looked = 0;
    for mut rng in seeds(500) {
        let mut health = terms(&mut rng).health();
        let wait = rng.i64(1..=200);
        health["automatic_transition_from_open_to_half_open_enabled"] = json!(true);
        health["wait_duration_in_open_state"] = json!(format!("{wait}ms"));
        health["consecutive_failure_threshold"] = json!(1);
        let matrix = matrix(&health);
        let mut desk = Desk::new(&matrix);
        desk.outcome(0, "timeout");
        let mut at = 0;
        let mut changed = Vec::new();
        for _ in 0..40 {
            at += pick(&mut rng, &[1, 10, 100, 1_000, 1_000_000]);
            // A line that is no question and says nothing: what time did is told at it.
            desk.tell(&json!({ "at_ms": at, "finish": { "request": "nobody" } }));
            changed.extend(desk.printed());
            let probing = desk.report().health == Health::Probing && desk.circuit() == Circuit::HalfOpen;
            assert_eq!(probing, at >= wait, "{health}\n{}", desk.told());
            looked += usize::from(probing);
        }
        assert_eq!(changed.len(), 1, "{changed:?}\n{}", desk.told());
    }
    assert!(looked >= 10_000, "only {looked} looks at a circuit that is half open");
}

/// opossum: its rate is of all that was asked, the refused included, so it falls while open; and its own full queue is
/// a failure of the dependency. Here a refused permit is in no figure but its own.
#[test]
fn trap_09_refused_permits_are_in_no_rate() {
    let mut looked = 0;
    for mut rng in seeds(500) {
        let minimum = rng.u64(1..=6);
        let matrix = matrix(&json!({
            "minimum_number_of_calls": minimum, "failure_rate_threshold": pick(&mut rng, &[20, 50, 80]),
            "consecutive_failure_threshold": "off", "wait_duration_in_open_state": FOR_EVER,
        }));
        let mut desk = Desk::new(&matrix);
        (0..2).for_each(|_| desk.outcome(0, "ok"));
        while desk.circuit() == Circuit::Closed {
            desk.outcome(0, pick(&mut rng, &FAILURES));
        }
        let before = desk.report();
        for refused in 1..=rng.u64(1..=50) {
            assert!(!desk.permit(1, None), "{}", desk.told());
            desk.outcome(1, "exhausted");
            let after = desk.report();
            let mut expected = before.metrics;
            (expected.not_permitted_calls, expected.ignored_calls) = (refused, refused);
            assert_eq!(after.metrics, expected, "{}", desk.told());
            looked += 1;
        }
    }
    assert!(looked >= 5_000, "only {looked} refused");
}
