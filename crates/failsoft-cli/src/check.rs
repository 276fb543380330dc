//! `failsoft check`: every mistake in a matrix.

use std::io::Write;

use failsoft::document::{Diagnostics, Loaded, Severity};
use failsoft::draft::Share;
use failsoft::{Matrix, Promise, promises};
use serde_json::{Value, json};

use crate::args::CheckArgs;
use crate::matrix::{self, Source};
use crate::out::Out;
use crate::trouble::{Outcome, Trouble};
use crate::words::{counted, thousands};

/// What is said of a matrix without mistakes: not more than is known.
const NOT_PROVEN: &str = "not proven: that the laws and invariants hold in every combination of failures (a later version does that)";

pub(crate) fn run(args: &CheckArgs, out: &mut Out) -> Result<Outcome, Trouble> {
    let source = matrix::read(&args.matrix.matrix)?;
    let checked = matrix::parse(&source, &args.matrix.parameter)?;
    let checked = match checked {
        // No text at all: there is nothing to check.
        Err(told) if told.items().iter().any(|item| item.code == "not-utf8") => {
            return Err(Trouble::Document { told: Box::new(told), lead: None });
        }
        checked => checked,
    };
    if args.json {
        json(&source, &checked, out)?;
    } else {
        text(&source, &checked, out)?;
    }
    Ok(if checked.is_ok() { Outcome::Done } else { Outcome::DoesNotHold })
}

fn text(source: &Source, checked: &Result<Loaded, Diagnostics>, out: &mut Out) -> Result<(), Trouble> {
    match checked {
        Ok(loaded) => {
            let draft = &loaded.draft;
            writeln!(
                out,
                "{}: no mistakes ({}, {}, {})",
                matrix::shown(&source.name),
                counted(draft.dependencies.len(), "dependency", "dependencies"),
                counted(draft.operations.len(), "operation", "operations"),
                counted(draft.invariants.len(), "invariant", "invariants"),
            )?;
            writeln!(out, "{}", out.paint.dim(&loaded.identity))?;
            for promise in promises(&loaded.matrix) {
                writeln!(out, "{}", sentence(&loaded.matrix, &promise))?;
            }
            for meter in draft.meters.iter().filter(|meter| meter.window.is_none()) {
                writeln!(
                    out,
                    "meter {}: without a window its {} keys leave only at a reset that a reading tells; then newcomers find no room",
                    meter.name,
                    thousands(usize::try_from(meter.capacity).unwrap_or(usize::MAX)),
                )?;
            }
            writeln!(out, "{NOT_PROVEN}")?;
        }
        Err(told) => {
            let count = counted(mistakes(told), "mistake", "mistakes");
            writeln!(out, "{}\n", told.render(out.paint.is_on()))?;
            writeln!(out, "{}: {}", matrix::shown(&source.name), out.paint.bold(count))?;
        }
    }
    Ok(())
}

/// What a meter promises while its store is lost.
fn sentence(matrix: &Matrix, promise: &Promise) -> String {
    let meter = matrix.meter_name(promise.meter);
    let (limit, alone) = (promise.limit, promise.alone());
    let lost = format!(
        "meter {meter}: while its store is lost, local_meter lets {alone} of {limit} through on one instance"
    );
    match (promise.instances, promise.most()) {
        (Some(instances), Some(most)) => {
            let told = match promise.share {
                Share::PerInstance => format!(" (and none told that there are fewer than {instances})"),
                Share::Percent(_) => String::new(),
            };
            format!(
                "{lost}; in all at most {most} in a period on {instances}, however often it is lost{told}"
            )
        }
        _ => format!("{lost}; how much in all is not known without max_instances"),
    }
}

/// The same as data.
fn promised(matrix: &Matrix) -> Vec<Value> {
    let promise = |promise: &Promise| {
        json!({
            "meter": matrix.meter_name(promise.meter),
            "limit": promise.limit,
            "instances": promise.instances,
            "alone": promise.alone(),
            "most": promise.most(),
        })
    };
    promises(matrix).iter().map(promise).collect()
}

/// One object: `matrix` is null where there are errors; a later version proves invariants, and counts them.
fn json(source: &Source, checked: &Result<Loaded, Diagnostics>, out: &mut Out) -> Result<(), Trouble> {
    let value = match checked {
        Ok(loaded) => json!({
            "source": source.name,
            "matrix": loaded.identity,
            "errors": 0,
            "diagnostics": [],
            "invariants": {"written": loaded.draft.invariants.len(), "proven": 0},
            "promises": promised(&loaded.matrix),
        }),
        Err(told) => json!({
            "source": source.name,
            "matrix": null,
            "errors": mistakes(told),
            "diagnostics": told.to_json(),
            "invariants": null,
            "promises": null,
        }),
    };
    writeln!(out, "{value}")?;
    Ok(())
}

fn mistakes(told: &Diagnostics) -> usize {
    told.items().iter().filter(|item| item.severity == Severity::Error).count()
}
