//! `cargo xtask generate --publish`: adds to `spec/schema/events.v1.json` what the schema of events has got since.

use std::process::ExitCode;

use failsoft_tests::contract::{Contract, schema};
use failsoft_tests::{read, spec};

fn main() -> ExitCode {
    match publish() {
        Ok(()) => ExitCode::SUCCESS,
        Err(why) => {
            eprintln!("{why}");
            ExitCode::FAILURE
        }
    }
}

fn publish() -> Result<(), String> {
    let present = Contract::from_schema(&schema()?)?;
    let path = spec().join("schema/events.v1.json");
    // Nothing was published before the first time.
    if path.exists() {
        let changes = present.changes_since(&Contract::from_json(&read(&path)?)?);
        if !changes.broken.is_empty() {
            return Err(format!(
                "within v 1 events may only be added to:\n  {}\nnothing was written",
                changes.broken.join("\n  ")
            ));
        }
        changes.added.iter().for_each(|what| println!("published: {what}"));
    }
    std::fs::write(&path, present.to_json()).map_err(|error| format!("{}: {error}", path.display()))
}
