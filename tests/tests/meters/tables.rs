//! What a table holds, for how long, and for whom.

use failsoft::draft::{
    ActionDraft, DependencyDraft, MatrixDraft, MeterDraft, OperationDraft, RungDraft, Share,
};
use failsoft::{
    Answer, Decision, Event, Fault, Matrix, Millis, Request, Role, Signal, State, Time, Verdict, apply,
    decide, windows,
};
use fastrand::Rng;

/// A guard `g` that fails open, but for what its meter `m` holds; where it may count alone, half of the limit.
fn matrix(change: impl FnOnce(&mut MeterDraft)) -> Matrix {
    let mut guard = DependencyDraft::new("g", Role::Guard, Some(Millis::new(50)));
    let local = ActionDraft::LocalMeter { meter: "m".into(), share: Share::Percent(50) };
    guard.on_failure = vec![RungDraft::new(local)];
    let mut meter = MeterDraft::new("m", "g");
    change(&mut meter);
    let mut draft = MatrixDraft::new("t");
    draft.dependencies = vec![guard];
    draft.meters = vec![meter];
    draft.operations = vec![OperationDraft::new("call", &["g"])];
    draft.compile("t@1").expect("a matrix without mistakes")
}

/// A request of a tenant's whose guard timed out.
fn request(matrix: &Matrix, tenant: &str, amount: u64, at: i64) -> Request {
    let mut request = Request::new(matrix, "call");
    request.set_tenant(tenant);
    request.set_amount(matrix.meter("m").expect("it is there"), amount);
    request.failed(matrix.dependency("g").expect("it is there"), Fault::Timeout, Time::from_millis(at));
    request.set_unfinished();
    request
}

struct Table<'m> {
    matrix: &'m Matrix,
    state: State,
    events: Vec<Event>,
}

impl<'m> Table<'m> {
    fn new(matrix: &'m Matrix) -> Self {
        Self { matrix, state: State::new(matrix, Time::default()), events: Vec::new() }
    }

    fn tell(&mut self, signal: Signal<'_>, at: i64) -> Answer {
        apply(self.matrix, &mut self.state, signal, Time::from_millis(at), &mut self.events)
    }

    fn read(&mut self, tenant: &str, used: u64, resets_in: Option<u64>, at: i64) {
        let meter = self.matrix.meter("m").expect("it is there");
        let resets_in = resets_in.map(Millis::new);
        let (limit, mode, age) = (None, None, Millis::ZERO);
        self.tell(Signal::Reading { meter, tenant, session: "", used, limit, mode, resets_in, age }, at);
    }

    fn ask(&self, tenant: &str, amount: u64, at: i64) -> Decision {
        decide(self.matrix, &self.state, &request(self.matrix, tenant, amount, at), Time::from_millis(at))
    }

    fn commit(&mut self, tenant: &str, amount: u64, at: i64) -> Decision {
        let mut request = request(self.matrix, tenant, amount, at);
        match self.tell(Signal::Decided(&mut request), at) {
            Answer::Decision(decision) => decision,
            other => panic!("{other:?}"),
        }
    }

    fn full(&self) -> usize {
        self.events.iter().filter(|event| matches!(event, Event::TableFull { .. })).count()
    }
}

/// The store said that a tenant is over: it is held until the reset that was told, to the millisecond, whatever is asked
/// meanwhile and however often.
#[test]
fn over_the_limit_is_never_forgotten_and_never_extended() {
    for seed in 0..3_000 {
        let mut rng = Rng::with_seed(seed);
        let matrix = matrix(|meter| {
            meter.limit = Some(100);
            meter.window = Some(Millis::new(10_000));
            meter.capacity = rng.u64(1..=3);
        });
        let mut table = Table::new(&matrix);
        let mut at = rng.i64(0..50);
        let told = rng.bool().then(|| rng.u64(1..=5_000));
        table.read("over", rng.u64(100..=200), told, at);
        let reset = at + told.map_or(10_000, |told| i64::try_from(told).expect("short"));
        while at < reset - 1 {
            match rng.u8(0..4) {
                0 => drop(table.commit("over", rng.u64(1..=5), at)),
                // Others come and fill the table.
                1 => drop(table.commit(&rng.u64(0..9).to_string(), 1, at)),
                2 => table.read(&rng.u64(0..9).to_string(), rng.u64(0..=99), None, at),
                _ => {}
            }
            assert_eq!(table.ask("over", 1, at).code.as_deref(), Some("REFUSED"), "seed {seed} at {at}");
            assert_eq!(table.ask("over", 0, at).verdict, Verdict::Allow, "seed {seed}: nothing is asked for");
            at = (at + rng.i64(0..=700)).min(reset - 1);
        }
        assert_eq!(table.ask("over", 1, reset - 1).code.as_deref(), Some("REFUSED"), "seed {seed}");
        assert_ne!(table.ask("over", 1, reset).code.as_deref(), Some("REFUSED"), "seed {seed}: at {reset}");
    }
}

/// While the table has room a tenant's answers are those of an engine that never heard of the others.
#[test]
fn nobody_changes_anothers_answer_while_there_is_room() {
    for seed in 0..2_000 {
        let mut rng = Rng::with_seed(seed);
        let matrix = matrix(|meter| {
            meter.limit = Some(20);
            meter.capacity = 8;
            meter.window = rng.bool().then(|| Millis::new(500));
        });
        let (mut shared, mut alone) = (Table::new(&matrix), Table::new(&matrix));
        let mut at = 0;
        for _ in 0..60 {
            at += rng.i64(0..=60);
            let (amount, used) = (rng.u64(0..=4), rng.u64(0..=25));
            match rng.u8(0..5) {
                0 | 1 => assert_eq!(
                    shared.commit("me", amount, at),
                    alone.commit("me", amount, at),
                    "seed {seed} at {at}"
                ),
                2 => {
                    shared.read("me", used, None, at);
                    alone.read("me", used, None, at);
                }
                3 => drop(shared.commit(&format!("t{}", rng.u8(0..7)), amount, at)),
                _ => shared.read(&format!("t{}", rng.u8(0..7)), used, None, at),
            }
        }
        assert_eq!(shared.full(), 0, "eight tenants have room");
    }
}

#[test]
fn a_full_table_says_so_once() {
    for seed in 0..500 {
        let mut rng = Rng::with_seed(seed);
        let capacity = rng.u64(1..=20);
        let matrix = matrix(|meter| {
            meter.limit = Some(100);
            meter.capacity = capacity;
        });
        let mut table = Table::new(&matrix);
        for tenant in 0..capacity {
            assert_eq!(table.commit(&tenant.to_string(), 1, 0).verdict, Verdict::Allow);
        }
        assert_eq!(table.full(), 0, "there was room for {capacity}");
        for _ in 0..rng.usize(1..=9) {
            let newcomer = format!("new {}", rng.u8(..));
            assert_eq!(table.commit(&newcomer, 1, 1).verdict, Verdict::Deny, "it has nothing left");
            table.read(&newcomer, 3, None, 1);
        }
        // It denied, so nothing was taken; what the store said of a newcomer found no room.
        assert_eq!(table.full(), 1);
    }
}

/// A key costs what it costs, whatever it is called.
#[test]
fn a_tenant_named_with_a_mebibyte_is_one_like_any_other() {
    let matrix = matrix(|meter| meter.limit = Some(10));
    let mut table = Table::new(&matrix);
    let (long, other) = ("x".repeat(1 << 20), format!("{}y", "x".repeat((1 << 20) - 1)));
    for _ in 0..5 {
        assert_eq!(table.commit(&long, 1, 0).verdict, Verdict::Allow);
    }
    assert_eq!(table.commit(&long, 1, 0).verdict, Verdict::Deny);
    assert_eq!(table.commit(&other, 1, 0).verdict, Verdict::Allow, "it differs in its last letter");
    // A healthy store is told what was counted, and the window what went through; a name of that length is held nowhere.
    let settled: Vec<_> = table
        .events
        .iter()
        .filter_map(|event| match event {
            Event::MeterSettlement { names, .. } => Some(names.tenant.clone()),
            _ => None,
        })
        .collect();
    assert!(!settled.is_empty() && settled.iter().all(Option::is_none), "{}", settled.len());
    let open = windows(&matrix, &table.state, Time::default());
    assert!(open.iter().all(|(_, account)| account.tenants.is_empty() && account.others.requests == 6));
    assert_eq!(open.len(), 1);
    assert!(table.state.save(&matrix, Time::default()).meters["m"].keys.len() == 2);
}
