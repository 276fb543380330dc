//! The generated files. Each comes from one source, is committed, and is compared in every test run.

use std::fs;
use std::io::Write as _;
use std::process::{Command, Stdio};

use crate::process::{cargo, root, run as run_process};
use crate::{events, outages, states, vocabulary};

/// Writes every generated file; or, with `check`, says which are not what would be written.
pub(crate) fn run(check: bool) -> Result<(), String> {
    let mut stale = Vec::new();
    for (path, text) in files()? {
        let place = root().join(&path);
        if fs::read_to_string(&place).is_ok_and(|held| held == text) {
            continue;
        }
        if check {
            stale.push(path);
            continue;
        }
        if let Some(folder) = place.parent() {
            fs::create_dir_all(folder).map_err(|error| format!("{path}: {error}"))?;
        }
        fs::write(&place, text).map_err(|error| format!("{path}: {error}"))?;
        println!("wrote {path}");
    }
    if stale.is_empty() {
        return Ok(());
    }
    Err(format!("not what would be generated: {}\nrun `cargo xtask generate`", stale.join(", ")))
}

/// Adds to `spec/schema/events.v1.json`, the record of what was published, what the events have got since.
pub(crate) fn publish() -> Result<(), String> {
    run(false)?;
    run_process(&mut cargo(&["run", "--quiet", "--package", "failsoft-tests", "--bin", "publish"]))
}

fn files() -> Result<Vec<(String, String)>, String> {
    let read = |path: &str| fs::read_to_string(root().join(path)).map_err(|error| format!("{path}: {error}"));
    let schema = serde_json::to_string_pretty(&failsoft::document::json_schema())
        .map_err(|error| error.to_string())?;
    let words = read("spec/vocabulary.toml")?;
    let mut files = vec![
        ("crates/failsoft-core/src/vocabulary.rs".to_string(), formatted(&vocabulary::generate(&words)?)?),
        ("spec/schema/matrix.schema.json".to_string(), schema + "\n"),
        ("spec/schema/events.schema.json".to_string(), events::schema(&words)?),
        ("docs/health-states.md".to_string(), states::page()),
    ];
    files.extend(outages::files()?);
    // A crate can hold only what lies in its own folder, so it carries copies of the presets.
    for preset in failsoft::presets::all() {
        let file = format!("presets/{}.toml", preset.name);
        files.push((format!("crates/failsoft/{file}"), read(&format!("spec/{file}"))?));
    }
    Ok(files)
}

/// As `cargo fmt` would write it.
fn formatted(source: &str) -> Result<String, String> {
    let mut rustfmt = Command::new("rustfmt")
        .args(["--edition", "2024", "--config-path"])
        .arg(root().join("rustfmt.toml"))
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .map_err(|error| format!("rustfmt can't be run: {error}"))?;
    if let Some(mut input) = rustfmt.stdin.take() {
        input.write_all(source.as_bytes()).map_err(|error| error.to_string())?;
    }
    let output = rustfmt.wait_with_output().map_err(|error| error.to_string())?;
    if !output.status.success() {
        return Err("rustfmt refuses the generated vocabulary".to_string());
    }
    String::from_utf8(output.stdout).map_err(|error| error.to_string())
}
