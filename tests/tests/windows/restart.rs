//! A restart neither loses an account nor keeps a window (WIN-7, RST-4, RST-5).

use failsoft::draft::{ActionDraft, CapDraft, MeterDraft, RungDraft};
use failsoft::{
    DependencyId, Event, Fault, Matrix, Posture, Report, Request, Time, Way, WindowAccount, WindowUse,
};
use fastrand::Rng;

use crate::desk::{Desk, guard, matrix, open_rung};
use crate::play::pick;

const NAMES: [&str; 2] = ["a", "b"];

/// Two guards: one lets a few requests past, and then others read only; the other lets past whatever comes.
fn two(idle: i64, tenants: u64) -> Matrix {
    let mut capped = open_rung();
    capped.cap = Some(CapDraft { requests: Some(2), ..CapDraft::default() });
    let ladder = vec![capped, RungDraft::new(ActionDraft::ReadOnly)];
    matrix(idle, vec![guard("a", ladder), guard("b", vec![open_rung()])], |draft| {
        draft.tenants = tenants;
        draft.meters = vec![MeterDraft::new("m", "a")];
    })
}

/// An engine, its requests, and what its clock says.
struct Host<'m> {
    desk: Desk<'m>,
    now: i64,
    out: Vec<Request>,
}

impl<'m> Host<'m> {
    fn new(matrix: &'m Matrix) -> Self {
        Self { desk: Desk::new(matrix), now: 0, out: Vec::new() }
    }

    fn act(&mut self, act: Act) {
        let meter = self.desk.matrix.meter("m").expect("it is there");
        match act {
            Act::Wait(length) => self.now += length,
            Act::Outcome(guard, result) => self.desk.outcome(NAMES[guard], result, self.now),
            Act::Ask(tenant, faults, amount) => {
                let mut request = self.desk.request(tenant);
                request.set_amount(meter, amount);
                for (name, fails) in NAMES.iter().zip(faults) {
                    let report = if fails { Report::Failed(Fault::Timeout) } else { Report::Ok };
                    request.report(self.desk.id(name), report, Time::from_millis(self.now));
                }
                self.desk.commit(&mut request, self.now);
                self.out.push(request);
            }
            Act::AskAgain(which) => {
                if let Some(request) = self.out.get_mut(which) {
                    self.desk.commit(request, self.now);
                }
            }
            Act::Finish(which, actual) if which < self.out.len() => {
                let mut request = self.out.remove(which);
                self.desk.finish(&mut request, &[(meter, actual)], self.now);
            }
            Act::Finish(..) => {}
            Act::Pass => self.desk.pass(self.now),
        }
    }
}

#[derive(Clone, Copy, Debug)]
enum Act {
    Wait(i64),
    Outcome(usize, Report),
    Ask(&'static str, [bool; 2], u64),
    AskAgain(usize),
    Finish(usize, u64),
    Pass,
}

fn act(rng: &mut Rng, idle: i64) -> Act {
    match rng.u8(0..12) {
        0 | 1 => Act::Wait(pick(rng, &[1, 1, idle / 2, idle - 1, idle, 100])),
        2 | 3 => Act::Outcome(rng.usize(0..2), pick(rng, &[Report::Ok, Report::Failed(Fault::Timeout)])),
        4..=7 => Act::Ask(pick(rng, &["t1", "t2", "t3"]), [rng.bool(), rng.bool()], rng.u64(0..5)),
        8 => Act::AskAgain(rng.usize(0..3)),
        9 | 10 => Act::Finish(rng.usize(0..3), rng.u64(0..5)),
        _ => Act::Pass,
    }
}

/// What was told of windows since last looked. By a restart of unknown length what was healthy is unknown (RST-5): health
/// is left out.
#[derive(Debug, PartialEq)]
enum Heard {
    Used(&'static str, DependencyId, Posture, Way, Option<Report>),
    Closed(DependencyId, Box<WindowAccount>),
}

fn told(desk: &mut Desk<'_>) -> Vec<Heard> {
    let used = |kind, used: WindowUse| Heard::Used(kind, used.dependency, used.posture, used.way, used.fault);
    let events = desk.events.drain(..);
    let of_windows = events.filter_map(|event| match event {
        Event::WindowOpened(of) => Some(used("opened", of)),
        Event::WindowChanged(of) => Some(used("changed", of)),
        Event::WindowClosed { dependency, account, .. } => Some(Heard::Closed(dependency, account)),
        _ => None,
    });
    of_windows.collect()
}

/// One host restarts now and then, the other lives through the same time. Where the time away is not known it is as if
/// none had passed.
#[test]
fn a_window_survives_a_restart_with_the_same_account() {
    let (mut survived, mut closed, mut unknown, mut compared) = (0, 0, 0, 0);
    for seed in 0..4_000 {
        let mut rng = Rng::with_seed(seed);
        let idle = rng.i64(2..=80);
        let matrix = two(idle, rng.u64(0..4));
        let (mut lives, mut restarts) = (Host::new(&matrix), Host::new(&matrix));
        for step in 0..50 {
            let told_all = || format!("seed {seed}, step {step}");
            if rng.u8(0..8) == 0 {
                let away = rng.bool().then(|| pick(&mut rng, &[0, 1, idle - 1, idle, 99, 100, 5_000]));
                // In place, or in a new process: its clock begins where it likes, and requests in flight are gone.
                let start = rng.bool().then(|| rng.i64(0..9_000));
                if start.is_some() {
                    lives.out.clear();
                    restarts.out.clear();
                }
                let open = |host: &Host<'_>| NAMES.map(|name| host.desk.window(name, host.now).is_some());
                let before = open(&lives);
                restarts.desk.restart(restarts.now, away, start);
                restarts.now = start.unwrap_or(restarts.now);
                lives.now += away.unwrap_or(0);
                lives.desk.pass(lives.now);
                for (before, after) in before.into_iter().zip(open(&lives)) {
                    survived += usize::from(before && after);
                    closed += usize::from(before && !after);
                    unknown += usize::from(before && after && away.is_none());
                }
            } else {
                let act = act(&mut rng, idle);
                lives.act(act);
                restarts.act(act);
            }
            assert_eq!(told(&mut lives.desk), told(&mut restarts.desk), "{}", told_all());
            for name in NAMES {
                let (one, other) =
                    (lives.desk.window(name, lives.now), restarts.desk.window(name, restarts.now));
                assert_eq!(one, other, "{}: {name}", told_all());
                compared += usize::from(one.is_some_and(|account| account.total.requests > 1));
            }
        }
    }
    assert!(survived > 10_000 && closed > 2_000, "{survived} survived, {closed} closed at the restart");
    assert!(unknown > 5_000 && compared > 100_000, "{unknown} by an unknown time, {compared} compared");
}

/// To the millisecond: one that would be open is open, one that would have closed closes with the restart itself.
#[test]
fn a_window_closes_at_the_restart_that_it_may_close_by() {
    for seed in 0..500 {
        let mut rng = Rng::with_seed(seed);
        let idle = rng.i64(1..=500);
        let used = rng.i64(0..idle);
        for (away, closes) in [(idle - used - 1, false), (idle - used, true), (9 * idle, true)] {
            let matrix = two(idle, 1_024);
            let mut host = Host::new(&matrix);
            host.act(Act::Ask("t1", [false, true], 1));
            host.act(Act::Ask("t2", [true, true], 1));
            host.now += used;
            host.desk.events.clear();
            host.desk.restart(host.now, Some(away), Some(7_000));
            let counted: Vec<u64> = host.desk.closed().iter().map(|account| account.total.requests).collect();
            let told = if closes { vec![1, 2] } else { vec![] };
            assert_eq!(counted, told, "seed {seed}: {used} + {away} of {idle}");
            let open = NAMES.map(|name| host.desk.window(name, 7_000).is_some());
            assert_eq!(open, [!closes; 2], "seed {seed}: {used} + {away} of {idle}");
        }
    }
}

/// A host that makes an engine anew and keeps its requests ([RST-3]): what they were counted in before is another window.
#[test]
fn a_request_that_outlives_an_engine_is_counted_by_the_next() {
    let matrix = two(10, 1_024);
    let mut host = Host::new(&matrix);
    host.act(Act::Ask("t1", [false, true], 1));
    host.act(Act::Wait(20));
    host.act(Act::Pass);
    assert_eq!(host.desk.closed().len(), 1, "nothing is open");
    host.desk.restart(20, Some(0), Some(20));
    host.act(Act::AskAgain(0));
    let account = host.desk.window("b", 20).expect("it went on unchecked");
    assert_eq!(account.total.requests, 1, "and a window counts it");
}
