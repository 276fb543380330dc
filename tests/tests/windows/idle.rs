//! Single faults do not flap a window (WIN-3).

use failsoft::{Event, Fault, Millis, Report};
use fastrand::Rng;

use crate::desk::{Desk, guard, matrix, open_rung};
use crate::play::pick;

/// A run of requests of which single ones meet a fault of one guard that never goes down: when each was asked, and
/// whether it failed. Never three faults in a row, so that the circuit stays closed.
fn run(rng: &mut Rng, idle: i64) -> Vec<(i64, bool)> {
    let percent = rng.u32(1..=60);
    let gap = pick(rng, &[1, (idle / 7).max(1), idle, 2 * idle]);
    let (mut at, mut row) = (rng.i64(0..50), 0);
    let mut asked = Vec::new();
    for _ in 0..rng.usize(20..=120) {
        let fails = row < 2 && rng.u32(0..100) < percent;
        row = if fails { row + 1 } else { 0 };
        asked.push((at, fails));
        at += match rng.u8(0..8) {
            0 => pick(rng, &[idle - 1, idle, idle + 1]),
            _ => rng.i64(0..=gap),
        };
    }
    asked
}

#[test]
fn single_faults_open_no_more_than_one_window_per_idle() {
    let (mut windows, mut faults) = (0, 0);
    for seed in 0..4_000 {
        let mut rng = Rng::with_seed(seed);
        let idle = rng.i64(1..=400);
        let matrix = matrix(idle, vec![guard("g", vec![open_rung()])], |draft| {
            // In every third run a rate may make it degraded, which is not down.
            if seed % 3 == 0 {
                draft.dependencies[0].health.degraded_failure_rate_threshold = Some(5);
                draft.dependencies[0].health.degraded_exit_failure_rate_threshold = Some(1);
            }
        });
        let mut desk = Desk::new(&matrix);
        let asked = run(&mut rng, idle);
        let (mut opened, mut closed): (Vec<i64>, Vec<i64>) = (Vec::new(), Vec::new());
        let (mut last, mut expected): (Option<i64>, usize) = (None, 0);
        for (at, fails) in &asked {
            let result = if *fails { Report::Failed(Fault::Timeout) } else { Report::Ok };
            desk.outcome("g", result, *at);
            let mut request = desk.request("t");
            request.report(desk.id("g"), result, failsoft::Time::from_millis(*at));
            request.set_unfinished();
            desk.commit(&mut request, *at);
            if *fails {
                // One more only where nothing was let past for `window_idle`.
                expected += usize::from(last.is_none_or(|last| at - last >= idle));
                last = Some(*at);
                faults += 1;
            }
            for event in desk.events.drain(..) {
                match event {
                    Event::WindowOpened(_) => opened.push(*at),
                    Event::WindowClosed { .. } => closed.push(*at),
                    Event::HealthChanged { to, .. } => assert!(to != failsoft::Health::Down, "seed {seed}"),
                    _ => {}
                }
            }
        }
        let length = asked.last().map_or(0, |last| last.0) - asked[0].0;
        let most = usize::try_from(length / idle).expect("short") + 1;
        assert!(opened.len() <= most && closed.len() <= most, "seed {seed}: {opened:?} {closed:?} of {most}");
        assert_eq!(opened.len(), expected, "seed {seed}: {opened:?}");
        for times in [&opened, &closed] {
            let apart = times.windows(2).all(|two| two[1] - two[0] >= idle);
            assert!(apart, "seed {seed}: within {idle} of each other: {times:?}");
        }
        assert!(opened.len() - closed.len() <= 1, "seed {seed}: {opened:?} {closed:?}");
        windows += opened.len();
    }
    assert!(windows > 12_000 && faults > 40_000, "{windows} windows of {faults} faults");
}

/// A fault every k ms, k below `window_idle`: one window, however long it goes on; it closes once, after the last.
#[test]
fn faults_nearer_than_idle_are_one_window() {
    for seed in 0..600 {
        let mut rng = Rng::with_seed(seed);
        let idle = rng.i64(2..=400);
        let every = rng.i64(1..idle);
        let matrix = matrix(idle, vec![guard("g", vec![open_rung()])], |_| {});
        let mut desk = Desk::new(&matrix);
        let times = rng.i64(2..=200);
        for time in 0..times {
            let at = time * every;
            desk.outcome("g", Report::Failed(Fault::Timeout), at);
            let mut request = desk.request("t");
            desk.failed(&mut request, "g", Fault::Timeout, at);
            desk.commit(&mut request, at);
            // Its next call goes well: it was a single fault.
            desk.outcome("g", Report::Ok, at);
        }
        let end = (times - 1) * every;
        desk.pass(end + idle - 1);
        assert_eq!((desk.opened(), desk.closed().len()), (1, 0), "seed {seed}: every {every} of {idle}");
        desk.pass(end + idle);
        assert_eq!((desk.opened(), desk.closed().len()), (1, 1), "seed {seed}: every {every} of {idle}");
        let account = desk.closed()[0].clone();
        let length = |length: i64| Millis::new(length.unsigned_abs());
        assert_eq!((account.duration, account.idle), (length(end), length(idle)), "seed {seed}");
        assert_eq!(account.total.requests, times.unsigned_abs(), "seed {seed}");
        desk.pass(end + 9 * idle);
        assert_eq!(desk.closed().len(), 1, "told once");
    }
}

/// While it is down or probing a window stays open, however long nothing uses it; and closes as soon as it is neither.
#[test]
fn a_window_outlives_the_outage_however_quiet() {
    for seed in 0..600 {
        let mut rng = Rng::with_seed(seed);
        let idle = rng.i64(1..=400);
        let matrix = matrix(idle, vec![guard("g", vec![open_rung()])], |_| {});
        let mut desk = Desk::new(&matrix);
        (0..3).for_each(|_| desk.outcome("g", Report::Failed(Fault::Timeout), 0));
        let mut request = desk.request("t");
        desk.commit(&mut request, 1);
        let mut at = 1;
        for _ in 0..rng.u8(1..20) {
            at += rng.i64(0..=2 * idle);
            desk.pass(at);
            assert!(desk.window("g", at).is_some() && desk.closed().is_empty(), "seed {seed} at {at}");
        }
        // The wait is over, and its trial goes well.
        let well = at.max(200);
        desk.outcome("g", Report::Ok, well);
        let closes = well > idle; // It was used at 1.
        assert_eq!(desk.closed().len(), usize::from(closes), "seed {seed} at {well}");
        assert_eq!(desk.window("g", well).is_none(), closes, "seed {seed} at {well}");
    }
}
