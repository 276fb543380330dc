//! Caps (spec 3.7): a gate flips to the next rung exactly at its edge, and back when the window has closed.

use std::collections::BTreeMap;

use failsoft::draft::{ActionDraft, CapDraft, MeterDraft, MeterKey, RungDraft};
use failsoft::{Fault, Matrix, Millis, Request, Way};
use fastrand::Rng;

use crate::desk::{Desk, guard, matrix};
use crate::play::pick;

/// What one run is about.
#[derive(Clone, Debug)]
struct Terms {
    cap: CapDraft,
    idle: i64,
    /// Whether the rung below lets the request go on, too.
    below_goes_on: bool,
    by_session: bool,
    capacity: u64,
}

impl Terms {
    fn random(rng: &mut Rng) -> Self {
        let of_amount = rng.bool();
        let most = Some(rng.u64(1..=9));
        let cap = CapDraft {
            requests: most.filter(|_| !of_amount),
            amount: most.filter(|_| of_amount),
            time: None,
            meter: (of_amount || rng.bool()).then(|| "m".to_owned()),
            total: rng.u8(0..3) == 0,
        };
        // A small table only where nothing is corrected to 0 in it.
        let capacity = if of_amount || cap.meter.is_none() { 10_000 } else { pick(rng, &[1, 2, 3, 10_000]) };
        let (idle, by_session) = (rng.i64(1..=60), rng.bool());
        Self { cap, idle, below_goes_on: rng.bool(), by_session, capacity }
    }

    fn matrix(&self) -> Matrix {
        let mut capped = RungDraft::new(ActionDraft::Allow);
        capped.cap = Some(self.cap.clone());
        let below = if self.below_goes_on { ActionDraft::ReadOnly } else { ActionDraft::Deny };
        matrix(self.idle, vec![guard("g", vec![capped, RungDraft::new(below)])], |draft| {
            let mut meter = MeterDraft::new("m", "g");
            meter.key = if self.by_session { MeterKey::TenantSession } else { MeterKey::Tenant };
            meter.capacity = self.capacity;
            draft.meters = vec![meter];
        })
    }

    fn key(&self, tenant: &str, session: &str) -> String {
        match &self.cap.meter {
            _ if self.cap.total => "all".into(),
            Some(_) if self.by_session => format!("{tenant} {session}"),
            _ => tenant.into(),
        }
    }
}

/// A request that is out: its key and its amount.
struct Out {
    request: Request,
    name: u64,
    key: String,
    amount: u64,
}

/// A window as anybody would keep it: what the cap counted, by key and request, and who went through by which rung.
#[derive(Default)]
struct Kept {
    opened: i64,
    last: i64,
    counted: BTreeMap<String, BTreeMap<u64, u64>>,
    passed: BTreeMap<u64, u16>,
}

#[test]
fn caps_flip_the_gate_exactly_at_their_edge() {
    let (mut through, mut held, mut reopened, mut full) = (0, 0, 0, 0);
    for seed in 0..4_000 {
        let mut rng = Rng::with_seed(seed);
        let terms = Terms::random(&mut rng);
        let most = terms.cap.requests.or(terms.cap.amount).expect("one of them");
        let matrix = terms.matrix();
        let meter = matrix.meter("m").expect("it is there");
        let mut desk = Desk::new(&matrix);
        let mut window: Option<Kept> = None;
        let mut out: Vec<Out> = Vec::new();
        let (mut at, mut name) = (0, 0);
        for _ in 0..60 {
            at += pick(&mut rng, &[0, 0, 0, 1, 2, terms.idle - 1, terms.idle]);
            if rng.u8(0..5) == 0 && !out.is_empty() {
                let mut ended = out.swap_remove(rng.usize(0..out.len()));
                let actual = rng.u64(0..=12);
                desk.finish(&mut ended.request, &[(meter, actual)], at);
                // What it really cost stands in a window that has counted it, where amounts are what is capped.
                let keys = window.iter_mut().flat_map(|window| window.counted.get_mut(&ended.key));
                for taken in keys.filter_map(|taken| taken.get_mut(&ended.name)) {
                    *taken = if terms.cap.amount.is_some() { actual } else { *taken };
                }
                // A line that is no question closes what may close.
                if window.as_ref().is_some_and(|window| at >= window.last + terms.idle) {
                    window = None;
                }
                continue;
            }
            if out.is_empty() || rng.u8(0..3) > 0 {
                let (tenant, session) = (pick(&mut rng, &["a", "b", "c"]), pick(&mut rng, &["s", "t"]));
                let amount = rng.u64(0..=4);
                let mut request = desk.request(tenant);
                request.set_session(session);
                request.set_amount(meter, amount);
                desk.failed(&mut request, "g", Fault::Timeout, at);
                let amount = if terms.cap.requests.is_some() { 1 } else { amount };
                name += 1;
                out.push(Out { request, name, key: terms.key(tenant, session), amount });
            }
            let asks = rng.usize(0..out.len());
            let asks = &mut out[asks];
            let had = window.as_ref().map_or(0, |window| window.counted.len());
            if window.as_ref().is_some_and(|window| at >= window.last + terms.idle) {
                window = None;
                reopened += usize::from(had > 0);
            }
            let counted = window.as_ref().map(|window| &window.counted);
            let of_key = counted.and_then(|counted| counted.get(&asks.key));
            let others = of_key.into_iter().flatten().filter(|(name, _)| **name != asks.name);
            let others: u64 = others.map(|(_, taken)| taken).sum();
            let capacity = usize::try_from(terms.capacity).expect("it fits");
            let has_room = of_key.is_some() || counted.is_none_or(|counted| counted.len() < capacity);
            let stands = has_room && others + asks.amount <= most;
            let decision = desk.commit(&mut asks.request, at);
            let rung = decision.reasons.first().and_then(|reason| reason.rung);
            let told = || format!("seed {seed} at {at}: {others} + {} of {most}: {terms:?}", asks.amount);
            assert_eq!(rung, Some(u16::from(!stands)), "{}", told());
            (through, held) = (through + usize::from(stands), held + usize::from(!stands));
            full += usize::from(!has_room);
            if stands || terms.below_goes_on {
                let window = window.get_or_insert_with(|| Kept { opened: at, ..Kept::default() });
                window.last = at;
                window.passed.entry(asks.name).or_insert(u16::from(!stands));
                if stands {
                    // Of an amount of 0 there is nothing to hold against anybody, until it has cost something.
                    let counted = window.counted.entry(asks.key.clone()).or_default();
                    counted.entry(asks.name).or_insert(asks.amount);
                }
            }
            // The account counts all that went on, by whichever rung.
            let account = desk.window("g", at);
            let counted = window.as_ref().map(|window| &window.passed);
            assert_eq!(
                account.as_ref().map(|account| account.total.requests),
                counted.map(|counted| u64::try_from(counted.len()).expect("a few")),
                "{}",
                told()
            );
            for (way, requests) in account.iter().flat_map(|account| &account.decisions) {
                let Way::Rung(rung, _) = way else { panic!("{way:?}: {}", told()) };
                let by_it = counted.into_iter().flatten().filter(|(_, by)| *by == rung).count();
                assert_eq!(u64::try_from(by_it), Ok(*requests), "{}", told());
            }
        }
    }
    assert!(through > 50_000 && held > 25_000, "{through} within their cap, {held} beyond");
    assert!(
        reopened > 8_000 && full > 500,
        "{reopened} windows closed with something counted, {full} full tables"
    );
}

/// A rung that goes on stands from the opening until its time is over, however often it is used, and anew in the next window.
#[test]
fn a_cap_of_time_ends_to_the_millisecond() {
    let (mut before, mut after) = (0, 0);
    for seed in 0..1_500 {
        let mut rng = Rng::with_seed(seed);
        let (idle, length) = (rng.i64(1..=50), rng.i64(1..=120));
        let mut capped = RungDraft::new(ActionDraft::Allow);
        capped.cap = Some(CapDraft { time: Some(Millis::new(length.unsigned_abs())), ..CapDraft::default() });
        let below = RungDraft::new(ActionDraft::ReadOnly);
        let matrix = matrix(idle, vec![guard("g", vec![capped, below])], |_| {});
        let mut desk = Desk::new(&matrix);
        let mut window: Option<Kept> = None;
        let mut at = 0;
        for _ in 0..40 {
            at += pick(&mut rng, &[0, 1, idle - 1, idle - 1, idle, length - 1, length]).min(idle);
            // To the edge, where it is near.
            if let Some(window) = &window {
                let edge = window.opened + length - i64::from(rng.bool());
                at = if edge >= at && edge < window.last + idle { edge } else { at };
            }
            window = window.filter(|window| at < window.last + idle);
            let stands = window.as_ref().is_none_or(|window| at < window.opened + length);
            let mut request = desk.request("t");
            desk.failed(&mut request, "g", Fault::Timeout, at);
            let decision = desk.commit(&mut request, at);
            let rung = decision.reasons.first().and_then(|reason| reason.rung);
            assert_eq!(rung, Some(u16::from(!stands)), "seed {seed} at {at}: idle {idle}, {length} long");
            window.get_or_insert_with(|| Kept { opened: at, ..Kept::default() }).last = at;
            (before, after) = (before + usize::from(stands), after + usize::from(!stands));
        }
    }
    assert!(before > 20_000 && after > 8_000, "{before} before, {after} after");
}

/// A rung that stops, with a `time`, gives way so long after the failure began: then the ladder goes on below it.
#[test]
fn a_stop_gives_way_to_the_millisecond() {
    for seed in 0..400 {
        let mut rng = Rng::with_seed(seed);
        let (begins, length) = (rng.i64(0..100), rng.i64(1..=120));
        let stop = pick(&mut rng, &[0, 1]);
        let mut capped = RungDraft::new(if stop == 0 { ActionDraft::Deny } else { ActionDraft::Defer });
        capped.cap = Some(CapDraft { time: Some(Millis::new(length.unsigned_abs())), ..CapDraft::default() });
        let below = RungDraft::new(ActionDraft::Allow);
        let matrix = matrix(1_000, vec![guard("g", vec![capped, below])], |_| {});
        let mut desk = Desk::new(&matrix);
        let mut request = desk.request("t");
        desk.failed(&mut request, "g", Fault::Timeout, begins);
        let mut goes_on = |at: i64| desk.commit(&mut request, at).verdict.goes_on();
        assert!(!goes_on(begins) && !goes_on(begins + length - 1), "seed {seed}: too early");
        assert!(goes_on(begins + length), "seed {seed}: too late");
    }
}
