//! The document's keys, defaults and codes agree with those of the core and of the specification.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use failsoft::document::{Format, Options, codes, load};
use failsoft::draft::{HealthSettings, LastKnownOf, MatrixDraft, MeterKey, OperationDraft, Share};
use failsoft::{Effect, Enforcement, MeterMode};

/// A file of the workspace; nothing where this crate stands alone.
fn workspace(path: &str) -> Option<PathBuf> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..").join(path);
    path.exists().then_some(path)
}

#[test]
fn defaults_are_those_of_the_core() {
    let text = r#"
        spec = 1
        name = "x"
        [dependency.d]
        role = "guard"
        deadline = "1s"
        on_failure = [{ local_meter = "m" }, { last_known = "1s" }]
        [operation.o]
        needs = []
        [meter.m]
        store = "d"
        max_instances = 1
    "#;
    let draft = load("x", text.as_bytes(), Format::Toml, &Options::default()).expect("no mistakes").draft;
    let plain = MatrixDraft::new("x");
    assert_eq!((draft.revision, draft.signal_ttl), (plain.revision, plain.signal_ttl));
    assert_eq!(draft.classes, plain.classes);
    assert_eq!(draft.dependencies[0].health, HealthSettings::default());
    assert_eq!(draft.operations[0], OperationDraft::new("o", &[]));
    assert_eq!(
        (draft.operations[0].effect, draft.operations[0].enforcement),
        (Effect::Write, Enforcement::Enforce)
    );
    let meter = &draft.meters[0];
    assert_eq!((meter.key, meter.mode, meter.capacity), (MeterKey::Tenant, MeterMode::Block, 10_000));
    let debugged = format!("{:?}", draft.dependencies[0].on_failure);
    assert!(debugged.contains(&format!("{:?}", Share::default())));
    assert!(debugged.contains(&format!("{:?}", LastKnownOf::default())));
}

#[test]
fn codes_of_the_core_are_listed() {
    let files = ["crates/failsoft-core/src/compile.rs", "crates/failsoft-core/src/compile/rungs.rs"];
    let known: BTreeSet<&str> = codes::all().map(|code| code.name).collect();
    for text in files.into_iter().filter_map(workspace).filter_map(|path| std::fs::read_to_string(path).ok())
    {
        for call in text.split("self.mistake(").skip(1) {
            if let Some(code) = call.trim_start().strip_prefix('"').and_then(|rest| rest.split('"').next()) {
                assert!(known.contains(code), "{code} is not in codes.rs");
            }
        }
    }
}

#[test]
fn codes_and_their_meanings_are_those_of_the_specification() {
    let Some(path) = workspace("spec/01-document.md") else { return };
    let text = std::fs::read_to_string(path).expect("readable");
    let section = text.split("## 1.12 Mistakes").nth(1).expect("the section of mistakes");
    let row = |line: &str| {
        let (code, meaning) = line.strip_prefix("| `")?.split_once("` | ")?;
        Some((code.to_owned(), meaning.strip_suffix(" |")?.to_owned()))
    };
    let specified: BTreeSet<_> = section.lines().filter_map(row).collect();
    let listed: BTreeSet<_> =
        codes::all().map(|code| (code.name.to_owned(), code.meaning.to_owned())).collect();
    assert_eq!(listed, specified);
}
