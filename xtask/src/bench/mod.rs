//! `cargo xtask bench`: what things cost, beside a floor that is measured in the same run.
//!
//! A long replay stands beside reading the same lines as JSON and nothing more; recording an outcome beside one
//! atomic add; taking from a meter beside a look-up and an add in a hash table; a proof beside reading the document.

mod check;
mod meter;
mod record;

use std::fs::{self, File};
use std::io::{BufRead, BufReader, BufWriter, Write};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use serde_json::{Value, json};

use crate::process::{cargo, root, run as run_process};

/// One measurement.
struct Row {
    name: String,
    lines: u64,
    seconds: f64,
    floor_seconds: f64,
    peak_kib: u64,
}

pub(crate) use meter::Fill;

pub(crate) fn run(as_json: bool, weigh: Option<Fill>) -> Result<(), String> {
    if let Some(fill) = weigh {
        println!("{}", meter::weigh(fill));
        return Ok(());
    }
    if cfg!(debug_assertions) {
        // The floor must be as fast as what stands on it.
        let mut release = cargo(&["run", "--quiet", "--release", "--package", "xtask", "--", "bench"]);
        return run_process(release.args(as_json.then_some("--json")));
    }
    let taking = meter::measure();
    let proving = check::measure()?;
    let recordings = record::measure();
    if as_json {
        recordings.iter().for_each(|recording| println!("{}", recording.json()));
        println!("{}", taking.json());
        println!("{}", proving.json());
    } else {
        println!("{:<44} {:>8} {:>9} {:>7}", "what", "ns", "floor ns", "ratio");
        recordings.iter().for_each(|recording| println!("{}", recording.text()));
        println!("floor: one atomic add on a line that a second thread adds to\n");
        println!("{}\n", taking.text());
        println!("{}\n", proving.text());
    }
    run_process(&mut cargo(&["build", "--quiet", "--release", "--package", "failsoft-cli"]))?;
    let program = root().join("target/release/failsoft");
    let mut rows = Vec::new();
    for lines in [1_000_000, 4_000_000] {
        let trace = trace(lines)?;
        let floor_seconds = floor(&trace)?;
        for form in ["text", "json"] {
            let mut replay = Command::new(&program);
            replay.args(["replay", "preset:ai-gateway"]).arg(&trace);
            replay.args((form == "json").then_some("--json"));
            let (took, peak_kib) = measured(&mut replay)?;
            let seconds = took.as_secs_f64();
            rows.push(Row { name: format!("replay, {form}"), lines, seconds, floor_seconds, peak_kib });
        }
    }
    if as_json {
        for row in &rows {
            println!("{}", row.json());
        }
    } else {
        println!(
            "{:<14} {:>10} {:>9} {:>9} {:>7} {:>10}",
            "what", "lines", "seconds", "floor s", "ratio", "peak MiB"
        );
        rows.iter().for_each(|row| println!("{}", row.text()));
        println!("floor: each line read and parsed as JSON, nothing else");
    }
    Ok(())
}

impl Row {
    fn ratio(&self) -> f64 {
        self.seconds / self.floor_seconds
    }

    fn text(&self) -> String {
        let mib = self.peak_kib / 1024;
        format!(
            "{:<14} {:>10} {:>9.2} {:>9.2} {:>7.2} {:>10}",
            self.name,
            self.lines,
            self.seconds,
            self.floor_seconds,
            self.ratio(),
            mib
        )
    }

    fn json(&self) -> Value {
        json!({
            "what": self.name, "lines": self.lines, "seconds": self.seconds,
            "floor_seconds": self.floor_seconds, "ratio": self.ratio(), "peak_kib": self.peak_kib,
        })
    }
}

/// A day at a gateway: requests of many tenants, named and not, with the outcomes of their calls; the same each time.
fn trace(lines: u64) -> Result<PathBuf, String> {
    let path = root().join(format!("target/bench-{lines}.jsonl"));
    if path.exists() {
        return Ok(path);
    }
    let told = |error: std::io::Error| format!("{}: {error}", path.display());
    let mut random = fastrand::Rng::with_seed(lines);
    let mut out = BufWriter::new(File::create(&path).map_err(told)?);
    let dependencies = ["quota", "kms", "provider-primary", "moderation", "audit-service", "database"];
    for number in 0..lines {
        let at = number * 3;
        let dependency = dependencies[random.usize(..dependencies.len())];
        let result = if random.u8(..100) < 12 { "timeout" } else { "ok" };
        let (tenant, request) = (random.u16(..5_000), number / 4);
        let line = match number % 4 {
            0 => {
                json!({"at_ms": at, "decide": {"operation": "assist", "request": format!("r{request}"), "tenant": format!("t{tenant}")}})
            }
            1 => {
                json!({"at_ms": at, "outcome": {"dependency": dependency, "result": result, "latency_ms": 12}})
            }
            2 => {
                json!({"at_ms": at, "decide": {"operation": "assist", "request": format!("r{request}"), "faults": {dependency: result}}})
            }
            _ if number % 8 == 3 => json!({"at_ms": at, "finish": {"request": format!("r{request}")}}),
            _ => json!({"at_ms": at, "call": {"dependency": dependency, "result": result}}),
        };
        writeln!(out, "{line}").map_err(told)?;
    }
    out.flush().map_err(told)?;
    Ok(path)
}

fn floor(trace: &Path) -> Result<f64, String> {
    let start = Instant::now();
    let file = File::open(trace).map_err(|error| error.to_string())?;
    let mut objects = 0_u64;
    for line in BufReader::new(file).lines() {
        let line = line.map_err(|error| error.to_string())?;
        let value: Value = serde_json::from_str(&line).map_err(|error| error.to_string())?;
        objects += u64::from(value.is_object());
    }
    if objects == 0 {
        return Err("the floor read nothing".to_string());
    }
    Ok(start.elapsed().as_secs_f64())
}

/// How long it ran, and the most memory that it held (where the system tells).
fn measured(command: &mut Command) -> Result<(Duration, u64), String> {
    let start = Instant::now();
    let mut child = command.stdout(Stdio::null()).spawn().map_err(|error| error.to_string())?;
    let status = format!("/proc/{}/status", child.id());
    let mut peak = 0;
    loop {
        // The high-water mark never falls, so the last look before the end is the answer.
        peak = fs::read_to_string(&status)
            .ok()
            .and_then(|text| high_water_mark(&text))
            .unwrap_or(peak)
            .max(peak);
        match child.try_wait().map_err(|error| error.to_string())? {
            Some(exit) if exit.success() => return Ok((start.elapsed(), peak)),
            Some(exit) => return Err(format!("the replay failed ({exit})")),
            None => std::thread::sleep(Duration::from_millis(2)),
        }
    }
}

fn high_water_mark(status: &str) -> Option<u64> {
    let line = status.lines().find(|line| line.starts_with("VmHWM:"))?;
    line.split_whitespace().nth(1)?.parse().ok()
}
