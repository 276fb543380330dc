//! `failsoft check`: every mistake in a matrix, and a proof of what it promises.

use std::io::Write;
use std::path::Path;

use failsoft::document::{Diagnostic, Diagnostics, Proven, Severity};
use failsoft::explore::Situation;
use failsoft::{Matrix, Promise, promises, situation};
use serde_json::{Value, json};

use crate::args::CheckArgs;
use crate::matrix::{self, Source};
use crate::out::Out;
use crate::situation as words;
use crate::trouble::{Outcome, Trouble, plain};
use crate::words::counted;

pub(crate) fn run(args: &CheckArgs, out: &mut Out) -> Result<Outcome, Trouble> {
    let source = matrix::read(&args.matrix.matrix)?;
    let checked = match matrix::prove(&source, &args.matrix.parameter)? {
        // No text at all: there is nothing to check.
        Err(told) if told.items().iter().any(|item| item.code == "not-utf8") => {
            return Err(Trouble::Document { told: Box::new(told), lead: None });
        }
        checked => checked,
    };
    if let (Ok(proven), Some(folder)) = (&checked, &args.traces) {
        traces(proven, folder)?;
    }
    if args.json {
        json(&source, &checked, out)?;
    } else {
        text(&source, &checked, args.traces.as_deref(), out)?;
    }
    let holds = checked.is_ok_and(|proven| {
        proven.count(Severity::Error) == 0 && !(args.strict && proven.count(Severity::Warning) > 0)
    });
    Ok(if holds { Outcome::Done } else { Outcome::DoesNotHold })
}

/// What is told, with the situation that shows it.
fn findings(proven: &Proven) -> impl Iterator<Item = (&Diagnostic, Option<&Situation>)> {
    proven.told.items().iter().zip(proven.situations.iter().map(Option::as_ref))
}

/// What a finding's trace is called: `broken-invariant.invariant.0.jsonl`.
fn file_name(item: &Diagnostic) -> String {
    let path: String = item
        .path
        .chars()
        .map(|letter| if letter.is_ascii_alphanumeric() || "_-".contains(letter) { letter } else { '.' })
        .collect();
    format!("{}.{}.jsonl", item.code, path.replace("..", ".").trim_matches('.'))
}

fn traces(proven: &Proven, folder: &Path) -> Result<(), Trouble> {
    let name = |path: &Path| matrix::shown(&path.to_string_lossy());
    std::fs::create_dir_all(folder).map_err(|error| Trouble::at(name(folder), plain(&error)))?;
    for (item, shown) in findings(proven) {
        let Some(shown) = shown else { continue };
        let path = folder.join(file_name(item));
        let lines: Vec<String> =
            situation::lines(&proven.loaded.matrix, shown).iter().map(Value::to_string).collect();
        let text = lines.join("\n") + "\n";
        std::fs::write(&path, text).map_err(|error| Trouble::at(name(&path), plain(&error)))?;
    }
    Ok(())
}

fn text(
    source: &Source,
    checked: &Result<Proven, Diagnostics>,
    folder: Option<&Path>,
    out: &mut Out,
) -> Result<(), Trouble> {
    let name = matrix::shown(&source.name);
    let proven = match checked {
        Ok(proven) => proven,
        Err(told) => {
            let count = counted(mistakes(told), "mistake", "mistakes");
            writeln!(out, "{}\n", told.render(out.paint.is_on()))?;
            writeln!(out, "{name}: {}", out.paint.bold(count))?;
            return Ok(());
        }
    };
    let matrix = &proven.loaded.matrix;
    for (item, shown) in findings(proven) {
        writeln!(out, "{}", proven.told.render_one(item, out.paint.is_on()))?;
        if let Some(shown) = shown {
            let decision = words::decided(matrix, shown, out.paint);
            writeln!(
                out,
                "  {} {}: {}",
                out.paint.dim("where"),
                words::asked(matrix, shown),
                words::facts(matrix, shown)
            )?;
            writeln!(out, "  {}  {decision}", out.paint.dim("then"))?;
            if item.severity == Severity::Error {
                writeln!(out, "  {}", out.paint.dim("as a trace for `failsoft replay`:"))?;
                for line in situation::lines(matrix, shown) {
                    writeln!(out, "    {line}")?;
                }
            }
        }
        writeln!(out)?;
    }
    summary(&name, proven, folder, out)
}

fn summary(name: &str, proven: &Proven, folder: Option<&Path>, out: &mut Out) -> Result<(), Trouble> {
    let (draft, report) = (&proven.loaded.draft, &proven.report);
    let (operations, through) = report.operations;
    let (invariants, hold) = report.invariants;
    let size = format!(
        "{}, {}",
        counted(draft.dependencies.len(), "dependency", "dependencies"),
        counted(operations, "operation", "operations"),
    );
    if through == operations {
        writeln!(
            out,
            "{name}: every situation of {size} was gone through ({} in which a need is answered)",
            counted(usize::try_from(report.ways).unwrap_or(usize::MAX), "way", "ways"),
        )?;
    } else {
        writeln!(out, "{name}: {size}, of which {through} could be gone through")?;
    }
    writeln!(out, "{}", out.paint.dim(&proven.loaded.identity))?;
    if invariants == 0 {
        writeln!(out, "no invariant is written, so none is proven")?;
    } else {
        writeln!(out, "invariants: {hold} of {invariants} proven")?;
    }
    let told = [
        (proven.count(Severity::Error), "error", "errors"),
        (proven.count(Severity::Warning), "warning", "warnings"),
        (proven.count(Severity::Note), "note", "notes"),
        (proven.silenced, "silenced", "silenced"),
    ];
    let told: Vec<String> = told
        .into_iter()
        .filter(|(count, _, _)| *count > 0)
        .map(|(count, one, many)| counted(count, one, many))
        .collect();
    let told = if told.is_empty() { "nothing to tell".to_owned() } else { told.join(", ") };
    writeln!(out, "{}", out.paint.bold(told))?;
    if let Some(folder) = folder {
        writeln!(out, "traces are in {}", matrix::shown(&folder.to_string_lossy()))?;
    }
    Ok(())
}

/// What a meter promises, as data.
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

/// One object: `matrix` is null where the document has mistakes.
fn json(source: &Source, checked: &Result<Proven, Diagnostics>, out: &mut Out) -> Result<(), Trouble> {
    let value = match checked {
        Ok(proven) => {
            let matrix = &proven.loaded.matrix;
            let told = findings(proven).map(|(item, shown)| {
                let mut value = item.to_json(&source.name);
                value["situation"] = shown.map_or(Value::Null, |shown| words::data(matrix, shown));
                value
            });
            let (operations, through) = proven.report.operations;
            json!({
                "source": source.name,
                "matrix": proven.loaded.identity,
                "errors": proven.count(Severity::Error),
                "warnings": proven.count(Severity::Warning),
                "notes": proven.count(Severity::Note),
                "silenced": proven.silenced,
                "diagnostics": told.collect::<Vec<Value>>(),
                "invariants": {"written": proven.report.invariants.0, "proven": proven.report.invariants.1},
                "operations": {"written": operations, "proven": through},
                "promises": promised(matrix),
            })
        }
        Err(told) => json!({
            "source": source.name,
            "matrix": null,
            "errors": mistakes(told),
            "warnings": 0,
            "notes": 0,
            "silenced": 0,
            "diagnostics": told.to_json(),
            "invariants": null,
            "operations": null,
            "promises": null,
        }),
    };
    writeln!(out, "{value}")?;
    Ok(())
}

fn mistakes(told: &Diagnostics) -> usize {
    told.items().iter().filter(|item| item.severity == Severity::Error).count()
}
