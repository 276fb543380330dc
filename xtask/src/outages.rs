//! Outages on which the health machine is measured: the traces under `spec/traces/health/`, and the table of how soon
//! each is noticed and how soon it is over, in `docs/health.md`. Both are generated, so that neither can drift.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use failsoft::document::{Format, Loaded, Options, load};
use failsoft::trace::{Player, Said};
use failsoft::{Event, Health};
use serde_json::{Value, json};

/// The matrix of every outage: one provider, every setting at its default.
const MATRIX: &str =
    "spec = 1\nname = \"outages\"\n\n[dependency.provider]\nrole = \"serve\"\ndeadline = \"1s\"\n";

/// A call begins so often, in milliseconds.
const PACE: i64 = 200;
/// The trouble begins and ends here.
const BEGIN: i64 = 10_000;
const END: i64 = 40_000;
const LAST: i64 = 80_000;

struct Outage {
    name: &'static str,
    what: &'static str,
    /// What a call that begins at this moment meets; nothing where it never ends.
    meets: fn(i64, &mut fastrand::Rng) -> Option<Met>,
}

struct Met {
    result: &'static str,
    latency: i64,
    retry_after: Option<i64>,
}

fn met(result: &'static str, latency: i64) -> Option<Met> {
    Some(Met { result, latency, retry_after: None })
}

fn ok() -> Option<Met> {
    met("ok", 40)
}

fn error_in_percent(percent: i64, rng: &mut fastrand::Rng) -> Option<Met> {
    if rng.i64(0..100) < percent { met("unavailable", 15) } else { ok() }
}

const OUTAGES: &[Outage] = &[
    Outage {
        name: "dead",
        what: "every connection is refused for 30 s",
        meets: |_, _| met("unreachable", 1),
    },
    Outage { name: "hung", what: "no call ends for 30 s, and nobody cuts them off", meets: |_, _| None },
    Outage {
        name: "flapping",
        what: "2 s of refused connections, 2 s of answers, for 30 s",
        meets: |at, _| if at / 2_000 % 2 == 1 { met("unreachable", 1) } else { ok() },
    },
    Outage {
        name: "five-percent",
        what: "5 % of the calls fail for 30 s",
        meets: |_, rng| error_in_percent(5, rng),
    },
    Outage {
        name: "throttled",
        what: "429 with Retry-After 10 s, for 30 s",
        meets: |_, _| Some(Met { result: "throttled", latency: 8, retry_after: Some(10_000) }),
    },
    Outage {
        name: "recovering",
        what: "all calls fail at first, ever fewer over 30 s",
        meets: |at, rng| error_in_percent(100 - (at - BEGIN) * 100 / (END - BEGIN), rng),
    },
];

/// The generated files: the traces, and the page.
pub(crate) fn files() -> Result<Vec<(String, String)>, String> {
    let options = Options::default();
    let loaded =
        load("outages.toml", MATRIX.as_bytes(), Format::Toml, &options).map_err(|told| told.to_string())?;
    let mut files = vec![("spec/traces/health/matrix.toml".to_string(), MATRIX.to_string())];
    let mut rows = String::new();
    for outage in OUTAGES {
        let trace = trace(outage);
        let row = measured(&loaded, &trace).map_err(|told| format!("{}: {told}", outage.name))?;
        let name = outage.name;
        let _ =
            writeln!(rows, "| [`{name}`](../spec/traces/health/{name}.jsonl) | {} | {row} |", outage.what);
        files.push((format!("spec/traces/health/{name}.jsonl"), trace));
    }
    files.push(("docs/health-outages.md".to_string(), page(&rows)));
    Ok(files)
}

/// Each call asks for a permit and tells its outcome under it, as a host does.
fn trace(outage: &Outage) -> String {
    let mut rng = fastrand::Rng::with_seed(1);
    let mut lines: BTreeMap<(i64, i64), Value> = BTreeMap::new();
    for number in 0..LAST / PACE {
        let at = number * PACE;
        let permit = format!("c{number}");
        lines.insert(
            (at, 2 * number + 1),
            json!({"at_ms": at, "permit": {"dependency": "provider", "permit": permit}}),
        );
        let met = if (BEGIN..END).contains(&at) { (outage.meets)(at, &mut rng) } else { ok() };
        if let Some(met) = met {
            let end = at + met.latency;
            let mut outcome = json!({"dependency": "provider", "result": met.result, "permit": permit, "latency_ms": met.latency});
            if let Some(wait) = met.retry_after {
                outcome["retry_after_ms"] = json!(wait);
            }
            lines.insert((end, 2 * number), json!({"at_ms": end, "outcome": outcome}));
        }
    }
    lines.values().fold(String::new(), |text, line| text + &line.to_string() + "\n")
}

/// What a trace shows, as the cells of its row.
fn measured(loaded: &Loaded, trace: &str) -> Result<String, String> {
    let mut player = Player::new(&loaded.matrix);
    let mut out = Vec::new();
    let (mut made, mut held) = (0, 0);
    let mut noticed: Option<(i64, u32)> = None;
    let (mut opened, mut held_after) = (0, 0);
    let mut back: Option<(i64, u32)> = None;
    let mut made_after = 0;
    let mut well_at_the_end = true;
    for line in trace.lines() {
        player.line(line, &mut out).map_err(|mistake| mistake.to_string())?;
        for output in out.drain(..) {
            let at = output.at.as_millis();
            match output.said {
                Said::Permit { given, .. } if at >= END => {
                    made_after += u32::from(given);
                    held_after += u32::from(!given);
                }
                Said::Permit { given, .. } if at >= BEGIN => {
                    made += u32::from(given);
                    held += u32::from(!given);
                }
                Said::Event { event: Event::HealthChanged { to, from, .. }, .. } => {
                    if to == Health::Down {
                        opened += 1;
                        noticed = noticed.or(Some((at - BEGIN, made)));
                        back = None;
                    }
                    let out = matches!(from, Health::Down | Health::Probing);
                    if at < END {
                        well_at_the_end = !matches!(to, Health::Down | Health::Probing);
                    }
                    if out && to == Health::Healthy && at >= END {
                        back = Some((at - END, made_after));
                    }
                }
                _ => {}
            }
        }
    }
    let told = |moment: Option<(i64, u32)>| match moment {
        Some((millis, calls)) => format!("{} after {calls} calls", seconds(millis)),
        None => "never".to_string(),
    };
    let back = match noticed {
        None => "was never out".to_string(),
        Some(_) if well_at_the_end && back.is_none() => "before the end".to_string(),
        Some(_) => told(back),
    };
    Ok(format!("{} | {made} of {} | {opened} | {back} | {held_after}", told(noticed), made + held))
}

fn seconds(millis: i64) -> String {
    format!("{}.{:03} s", millis / 1_000, millis % 1_000)
}

fn page(rows: &str) -> String {
    format!(
        "# How soon an outage is noticed, and how soon it is over\n\n\
        <!-- Generated by `cargo xtask generate` from xtask/src/outages.rs. -->\n\n\
        One dependency with every health setting at its default and a `deadline` of 1 s. A call begins every {PACE} ms; each asks for a\n\
        permit first, as a host does, and is not made where it gets none. The trouble begins at {} and ends at {}. Times are those of\n\
        the trace; the traces stand in `spec/traces/health/` and play with `failsoft replay spec/traces/health/matrix.toml TRACE`.\n\n\
        - *noticed*: from the beginning of the trouble to the moment at which health is `down`, and the calls made until then;\n\
        - *made*: calls made during the trouble, of those that asked;\n\
        - *opened*: how often the circuit opened;\n\
        - *healthy again*: from the end of the trouble, and the calls made until then;\n\
        - *held back after*: calls refused although the trouble was over.\n\n\
        | trace | what happens | noticed | made | opened | healthy again | held back after |\n\
        | --- | --- | --- | --- | --- | --- | --- |\n{rows}\n\
        A hung dependency is noticed by the age of its calls: the first is one deadline old when it counts, whether or not it ever ends. Five\n\
        failures in a row see an outage at low traffic; the rates see one that answers now and then. After a failed trial the\n\
        wait doubles, so a long outage costs few calls and is left a little later: a probe (`probe_rise`) or a lower `wait_interval_multiplier` ends it sooner.\n",
        seconds(BEGIN),
        seconds(END),
    )
}
