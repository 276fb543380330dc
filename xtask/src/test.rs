//! `cargo xtask test`: every test, a summary line per part.

use std::time::Instant;

use crate::process::{cargo, run as run_process};
use crate::{Part, generate, picture, tidy, vectors};

type Step = (&'static str, fn() -> Result<(), String>);

/// Each step is a part of its own in the summary; the quick ones first, so that a slip shows early.
const RUST: &[Step] = &[
    ("rust: tidy", tidy::run),
    ("rust: generated files", || generate::run(true)),
    ("rust: format", || run_process(&mut cargo(&["fmt", "--all", "--check"]))),
    ("rust: clippy", || {
        run_process(&mut cargo(&[
            "clippy",
            "--quiet",
            "--workspace",
            "--all-targets",
            "--locked",
            "--",
            "-Dwarnings",
        ]))
    }),
    ("rust: tests and examples in the docs", || {
        run_process(&mut cargo(&["test", "--workspace", "--locked", "--no-fail-fast"]))
    }),
    ("rust: docs", || {
        let mut doc = cargo(&["doc", "--quiet", "--workspace", "--no-deps", "--locked"]);
        run_process(doc.env("RUSTDOCFLAGS", "-Dwarnings"))
    }),
    ("vectors: engine and model", || vectors(false)),
    ("vectors: every mutant of every rung", || vectors(true)),
];

const PICTURE: Step = ("picture: in a browser, by axe and by keyboard", picture::run);

/// Runs the parts, or one of them.
pub(crate) fn run(only: Option<Part>) -> Result<(), String> {
    let mut summary = Vec::new();
    let mut failed = 0;
    if only.is_none_or(|part| part == Part::Rust) {
        let browser = picture::browser();
        if browser.is_none() {
            summary.push(
                "none    picture: there is no browser here; install `chromium`, or name one in CHROMIUM"
                    .to_owned(),
            );
        }
        let looked_at = browser.map(|_| PICTURE);
        for (name, step) in RUST.iter().chain(looked_at.as_ref()) {
            println!("\n== {name}");
            let start = Instant::now();
            let outcome = step();
            let took = start.elapsed().as_secs();
            if let Err(why) = &outcome {
                println!("{why}");
                failed += 1;
            }
            summary.push(format!("{}  {name} ({took} s)", if outcome.is_ok() { "ok    " } else { "FAILED" }));
        }
    }
    for (part, name) in [
        (Part::Python, "python"),
        (Part::Node, "node"),
        (Part::C, "c"),
        (Part::Wasm, "wasm"),
        (Part::Real, "real components"),
    ] {
        if only.is_none_or(|only| only == part) {
            summary.push(format!("none    {name}: there is nothing of it in this version"));
        }
    }
    println!("\n{}\n", summary.join("\n"));
    let passed = summary.iter().filter(|line| line.starts_with("ok")).count();
    println!("{passed} passed, {failed} failed");
    if failed == 0 { Ok(()) } else { Err("some parts failed".to_string()) }
}
