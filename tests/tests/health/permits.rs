//! No path leaks a permit, and none is given twice: spec 9.6 and 9.7 against a ledger.

use std::collections::BTreeMap;

use failsoft::{Circuit, Health, HealthReport};
use fastrand::Rng;

use crate::desk::{Desk, FAILURES, IGNORED, matrix, pick};
use crate::ledger::{End, Ledger, Policy, Terms};

/// The names that permits have; the last two are never given one in half open.
const NAMES: [&str; 6] = ["a", "b", "c", "d", "old", "foreign"];

/// How often each way to end a permit was met, and how often the engine was asked how many are left.
type Met = BTreeMap<&'static str, usize>;

pub(crate) fn terms(rng: &mut Rng) -> Terms {
    let n = rng.u64(1..=6);
    let policy = if rng.bool() {
        Policy::Rate { minimum: rng.u64(1..=8), threshold: pick(rng, &[1, 25, 50, 75, 100]) }
    } else {
        Policy::MOfN { m: rng.u64(1..=n) }
    };
    // Of both the shorter matters; now and then they end at one moment.
    let (ttl, stay) = (pick(rng, &[20, 50, 200]), pick(rng, &[None, Some(20), Some(60), Some(300)]));
    Terms { n, policy, ttl, stay, stay_closes: rng.bool() }
}

/// All but what a late outcome may change, field by field: whoever adds one to the report has to say so here.
pub(crate) fn same_but_late(before: &HealthReport, after: &HealthReport) -> bool {
    let HealthReport {
        health,
        circuit,
        metrics,
        why,
        crossed,
        held,
        fault,
        enforced,
        minimum_calls,
        permits_left,
        calls_out,
        hung_calls,
        lagging_calls,
        late_outcomes,
        lost_calls,
        wait,
        probe_due,
        standing,
    } = before;
    (health, circuit, metrics, why, crossed, held)
        == (&after.health, &after.circuit, &after.metrics, &after.why, &after.crossed, &after.held)
        && (fault, enforced, minimum_calls, permits_left, calls_out)
            == (&after.fault, &after.enforced, &after.minimum_calls, &after.permits_left, &after.calls_out)
        && (hung_calls, lagging_calls, lost_calls, wait, probe_due, standing)
            == (
                &after.hung_calls,
                &after.lagging_calls,
                &after.lost_calls,
                &after.wait,
                &after.probe_due,
                &after.standing,
            )
        && late_outcomes + 1 == after.late_outcomes
}

/// One stay in half open, from the first trial or an operator's act to its end. Where it ended, and the time then.
fn stay(rng: &mut Rng, terms: Terms, desk: &mut Desk, mut at: i64, met: &mut Met) -> (Ledger, i64) {
    let mut ledger = Ledger::new(terms);
    let mut lines = 0;
    // A permit of before the stay: whatever comes of it is late.
    desk.set(at, "closed", None);
    assert!(desk.permit(at, Some("old")), "a closed circuit is called");
    let by_trial = rng.bool();
    desk.set(at, if by_trial { "open" } else { "half_open" }, by_trial.then_some(0));
    if by_trial {
        let name = pick(rng, &[None, Some("a")]);
        assert!(desk.permit(at, name) && ledger.permit(at, name), "the wait is over");
    }
    while ledger.ended.is_none() && lines < 60 {
        lines += 1;
        at += pick(rng, &[0, 0, 1, 5, 10, 19, 20, 50]);
        ledger.passes(at);
        let stands = desk.at(at);
        check(&ledger, &stands, desk);
        if ledger.ended.is_some() {
            break;
        }
        let name = pick(rng, &NAMES);
        let named = rng.u8(0..3) > 0;
        match rng.u8(0..10) {
            0..=4 => {
                let name = named.then_some(pick(rng, &NAMES[..4]));
                let doubled =
                    ledger.out.iter().any(|lease| lease.name.is_some() && lease.name.as_deref() == name);
                *met.entry("doubled").or_default() += usize::from(doubled);
                let (given, expected) = (desk.permit(at, name), ledger.permit(at, name));
                assert_eq!(given, expected, "{terms:?}\n{ledger:?}\n{}", desk.told());
                *met.entry(if given { "given" } else { "refused" }).or_default() += 1;
            }
            5..=7 => {
                let result = match rng.u8(0..4) {
                    0 => pick(rng, &FAILURES),
                    1 => pick(rng, &IGNORED),
                    _ => "ok",
                };
                outcome(&mut ledger, desk, at, named.then_some(name), result, met);
            }
            8 => {
                let name = named.then_some(name);
                desk.release(at, name);
                *met.entry("released").or_default() += usize::from(ledger.take(name));
            }
            _ => {
                // Until there is none: so many are given, and then no more.
                let left = ledger.left();
                let given = (0..=left).filter(|_| desk.permit(at, None)).count();
                assert_eq!(u64::try_from(given), Ok(left), "{terms:?}\n{ledger:?}\n{}", desk.told());
                (0..left).for_each(|_| assert!(ledger.permit(at, None)));
                *met.entry("drained").or_default() += 1;
            }
        }
        check(&ledger, &desk.report(), desk);
    }
    *met.entry("expired").or_default() += usize::try_from(ledger.expired).expect("small");
    (ledger, at)
}

fn outcome(
    ledger: &mut Ledger,
    desk: &mut Desk,
    at: i64,
    name: Option<&str>,
    result: &'static str,
    met: &mut Met,
) {
    let before = desk.at(at);
    let was_out = ledger.out.len();
    match name {
        Some(name) => desk.named(at, result, name),
        None => desk.outcome(at, result),
    }
    let after = desk.report();
    if !ledger.outcome(at, name, result) {
        assert!(same_but_late(&before, &after), "{before:?}\n{after:?}\n{}", desk.told());
        *met.entry("late").or_default() += 1;
    } else if was_out > ledger.out.len() {
        let how = match result {
            "cancelled" => "cancelled",
            ignored if IGNORED.contains(&ignored) => "ignored",
            "ok" => "success",
            _ => "failure",
        };
        *met.entry(how).or_default() += 1;
    }
}

/// The engine's account is the ledger's.
fn check(ledger: &Ledger, report: &HealthReport, desk: &Desk) {
    let told = || format!("{ledger:?}\n{report:?}\n{}", desk.told());
    match ledger.ended {
        None => {
            let out = u64::try_from(ledger.out.len()).expect("small");
            assert_eq!((report.health, report.circuit), (Health::Probing, Circuit::HalfOpen), "{}", told());
            assert_eq!((report.permits_left, report.calls_out), (Some(ledger.left()), out), "{}", told());
            assert_eq!(report.metrics.buffered_calls, ledger.counted, "{}", told());
        }
        Some(End::Closed) => assert_eq!(report.circuit, Circuit::Closed, "{}", told()),
        Some(End::Opened) => assert_eq!(report.circuit, Circuit::Open, "{}", told()),
    }
}

#[test]
fn no_path_leaks_a_permit() {
    let mut met = Met::new();
    for seed in 0..2_500 {
        let mut rng = Rng::with_seed(seed);
        let terms = terms(&mut rng);
        let matrix = matrix(&terms.health());
        let mut desk = Desk::new(&matrix);
        let mut at = 0;
        for _ in 0..3 {
            let (mut ledger, ended) = stay(&mut rng, terms, &mut desk, at, &mut met);
            at = ended;
            // Whatever was out when it ended comes late, and changes nothing, in whatever state it finds the circuit.
            if ledger.ended.is_some() {
                for lease in std::mem::take(&mut ledger.out) {
                    let Some(name) = lease.name else { continue };
                    let before = desk.at(at);
                    desk.named(at, pick(&mut rng, &["ok", "timeout", "rejected"]), &name);
                    let after = desk.report();
                    assert!(same_but_late(&before, &after), "{before:?}\n{after:?}\n{}", desk.told());
                    *met.entry("late after the end").or_default() += 1;
                }
            }
            // And a fresh stay has them all.
            desk.set(at, "open", Some(0));
            let given = (0..=terms.n).filter(|_| desk.permit(at, None)).count();
            assert_eq!(u64::try_from(given), Ok(terms.n), "{terms:?}\n{}", desk.told());
        }
    }
    let ways = [
        "success",
        "failure",
        "ignored",
        "cancelled",
        "released",
        "expired",
        "doubled",
        "late",
        "given",
        "refused",
        "drained",
        "late after the end",
    ];
    for way in ways {
        let count = met.get(way).copied().unwrap_or_default();
        assert!(count >= 200, "only {count} {way}: {met:?}");
    }
}
