//! The contract of events: `spec/schema/events.schema.json` against what was published of it, and against every event
//! that the engine prints.

mod breakages;
mod fits;
mod printed;

use failsoft_tests::contract::{Contract, schema};
use failsoft_tests::{read, spec};

fn present() -> Contract {
    Contract::from_schema(&schema().expect("a schema")).expect("a schema that the flat form can say")
}

#[test]
fn events_have_changed_in_no_way_but_by_adding() {
    let text = read(&spec().join("schema/events.v1.json")).expect("what was published");
    let published = Contract::from_json(&text).expect("of its form");
    let present = present();
    let changes = present.changes_since(&published);
    assert!(
        changes.broken.is_empty(),
        "readers of events of v {} would stumble; take it back, or make it a new version:\n  {}",
        published.v,
        changes.broken.join("\n  ")
    );
    assert!(
        changes.added.is_empty(),
        "spec/schema/events.v1.json does not have it yet; run `cargo xtask generate --publish`:\n  {}",
        changes.added.join("\n  ")
    );
    // Else a file that reads well and says less would hold nobody to anything.
    assert_eq!(present.to_json(), text, "run `cargo xtask generate --publish`");
}

#[test]
fn the_schema_has_the_kinds_that_the_engine_has() {
    let engine: Vec<&str> = failsoft::EventKind::ALL.iter().map(|kind| kind.as_str()).collect();
    let present = present();
    let schema: Vec<&str> = present.events.iter().map(|(kind, _)| kind.as_str()).collect();
    assert_eq!(schema, engine, "run `cargo xtask generate`");
}

#[test]
fn the_flat_form_reads_what_it_writes() {
    let present = present();
    assert_eq!(Contract::from_json(&present.to_json()), Ok(present));
}
