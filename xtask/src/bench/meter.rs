//! Taking from one meter among a million tenants, beside a look-up and an add in a plain hash table of that size; and what
//! a tenant costs in memory.

use std::collections::HashMap;
use std::hint::black_box;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Instant;

use clap::ValueEnum;
use failsoft::draft::{DependencyDraft, MatrixDraft, MeterDraft, OperationDraft};
use failsoft::{Matrix, MeterId, MeterMode, Millis, Override, Role, Signal, State, Time, apply};
use serde_json::{Value, json};

const TENANTS: usize = 1_000_000;
/// When amounts are taken: after every reading.
const LATER: Time = Time::from_millis(5);
/// Rounds, of which the medians are told.
const ROUNDS: usize = 9;

/// What was measured: nanoseconds to take once, and bytes a tenant.
pub(super) struct Taking {
    nanoseconds: f64,
    floor: f64,
    bytes: f64,
    bytes_read: f64,
    bytes_lost: f64,
}

/// A key and what is counted of it: 16 bytes and 48.
const KEY_AND_VALUE: f64 = 64.0;

impl Taking {
    pub(super) fn text(&self) -> String {
        format!(
            "{:<44} {:>8.1} {:>9.1} {:>7.2}\nfloor: a look-up by name and an atomic add in a standard hash table of that size\n\
             bytes a tenant: {:.1} ({:.2} of key and value); with a reading of each {:.1}; while the store is lost {:.1}",
            "taking from one meter of a million tenants",
            self.nanoseconds,
            self.floor,
            self.nanoseconds / self.floor,
            self.bytes,
            self.bytes / KEY_AND_VALUE,
            self.bytes_read,
            self.bytes_lost,
        )
    }

    pub(super) fn json(&self) -> Value {
        json!({
            "what": "taking from one meter of a million tenants", "nanoseconds": self.nanoseconds,
            "floor_nanoseconds": self.floor, "ratio": self.nanoseconds / self.floor,
            "bytes_a_tenant": self.bytes, "bytes_a_tenant_with_a_reading": self.bytes_read,
            "bytes_a_tenant_while_the_store_is_lost": self.bytes_lost,
        })
    }
}

pub(super) fn measure() -> Taking {
    let matrix = matrix();
    let meter = matrix.meter("tokens").expect("it is there");
    let names: Vec<String> = (0..TENANTS).map(|tenant| format!("tenant-{tenant:07}")).collect();
    let mut order: Vec<usize> = (0..TENANTS).collect();
    fastrand::Rng::with_seed(1).shuffle(&mut order);

    let mut state = State::new(&matrix, Time::default());
    names.iter().for_each(|name| take(&matrix, &mut state, meter, name, LATER));
    let table: HashMap<&str, AtomicU64> =
        names.iter().map(|name| (name.as_str(), AtomicU64::new(1))).collect();

    let mut rounds: Vec<[f64; 2]> = Vec::new();
    for _ in 0..ROUNDS {
        let start = Instant::now();
        order.iter().for_each(|place| take(&matrix, &mut state, meter, &names[*place], LATER));
        let taking = start.elapsed();
        let start = Instant::now();
        for place in &order {
            if let Some(count) = table.get(black_box(names[*place].as_str())) {
                count.fetch_add(1, Ordering::Relaxed);
            }
        }
        rounds.push([per_tenant(taking.as_nanos()), per_tenant(start.elapsed().as_nanos())]);
    }
    let median = |which: usize| {
        let mut times: Vec<f64> = rounds.iter().map(|round| round[which]).collect();
        times.sort_by(f64::total_cmp);
        times[ROUNDS / 2]
    };
    let (nanoseconds, floor) = (median(0), median(1));
    let [bytes, bytes_read, bytes_lost] = [Fill::Taken, Fill::Read, Fill::Lost].map(in_a_process_of_its_own);
    Taking { nanoseconds, floor, bytes, bytes_read, bytes_lost }
}

/// What a table is filled with to be weighed.
#[derive(Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub(crate) enum Fill {
    /// An amount of each tenant.
    Taken,
    /// A reading of each tenant, and an amount.
    Read,
    /// An amount of each tenant, while the store is lost: its name is held until the store can be told.
    Lost,
}

/// Weighed where nothing was allocated and freed before: what an allocator keeps back is nobody's.
fn in_a_process_of_its_own(fill: Fill) -> f64 {
    let name = fill.to_possible_value().expect("none is skipped").get_name().to_owned();
    let own = std::env::current_exe().expect("this program is somewhere");
    let weighed = std::process::Command::new(own).args(["bench", "--weigh", &name]).output();
    let output = weighed.expect("this program runs").stdout;
    String::from_utf8_lossy(&output).trim().parse().expect("it tells a number")
}

/// Bytes a tenant.
pub(crate) fn weigh(fill: Fill) -> f64 {
    let matrix = matrix();
    let meter = matrix.meter("tokens").expect("it is there");
    let names: Vec<String> = (0..TENANTS).map(|tenant| format!("tenant-{tenant:07}")).collect();
    let before = resident();
    let mut state = State::new(&matrix, Time::default());
    match fill {
        Fill::Taken => {}
        Fill::Read => read_all(&matrix, &mut state, meter, &names),
        Fill::Lost => lose(&matrix, &mut state),
    }
    names.iter().for_each(|name| take(&matrix, &mut state, meter, name, LATER));
    per_tenant(black_box(resident().saturating_sub(before)))
}

fn lose(matrix: &Matrix, state: &mut State) {
    let dependency = matrix.dependency("redis").expect("it is there");
    let (to, length, by, reason) = (Some(Override::ForcedOpen), None, None, None);
    let lost = Signal::Override { dependency, to, length, by, reason };
    apply(matrix, state, lost, Time::default(), &mut Vec::new());
}

fn read_all(matrix: &Matrix, state: &mut State, meter: MeterId, names: &[String]) {
    for tenant in names {
        let (session, used, mode) = ("", 1, Some(MeterMode::Block));
        let limit = Some(1_000_000_000);
        let (resets_in, age) = (Some(Millis::new(60_000)), Millis::ZERO);
        let reading = Signal::Reading { meter, tenant, session, used, limit, mode, resets_in, age };
        apply(matrix, state, reading, Time::default(), &mut Vec::new());
    }
}

fn take(matrix: &Matrix, state: &mut State, meter: MeterId, tenant: &str, now: Time) {
    let usage = Signal::Usage { meter, tenant, session: "", amount: 1 };
    black_box(apply(matrix, state, usage, now, &mut Vec::new()));
}

fn matrix() -> Matrix {
    let mut draft = MatrixDraft::new("bench");
    draft.dependencies = vec![DependencyDraft::new("redis", Role::Guard, Some(Millis::new(50)))];
    let mut meter = MeterDraft::new("tokens", "redis");
    (meter.limit, meter.capacity) = (Some(1_000_000_000), 1_000_000);
    draft.meters = vec![meter];
    draft.operations = vec![OperationDraft::new("call", &["redis"])];
    draft.compile("bench@1").expect("the bench's matrix has no mistakes")
}

/// Resident bytes of this process.
fn resident() -> u128 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
    let kib = line.and_then(|line| line.split_whitespace().next()).and_then(|kib| kib.parse::<u128>().ok());
    kib.unwrap_or(0) * 1_024
}

#[expect(
    clippy::as_conversions,
    clippy::cast_precision_loss,
    reason = "nanoseconds and bytes of a few seconds"
)]
fn per_tenant(all: u128) -> f64 {
    all as f64 / TENANTS as f64
}
