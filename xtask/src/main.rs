//! The workspace's own commands: `cargo xtask`.

mod bench;
mod events;
mod generate;
mod outages;
mod picture;
mod process;
mod ready;
mod states;
mod test;
mod tidy;
mod vocabulary;

use std::process::ExitCode;

use clap::{Parser, Subcommand, ValueEnum};

/// The front door of the workspace.
#[derive(Parser)]
#[command(name = "cargo xtask", bin_name = "cargo xtask")]
struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Plays an outage through the AI gateway's matrix: Redis lost, then the KMS, then both providers, then recovery
    Demo,
    /// Sets up what it needs, and runs every test in every language
    Test {
        /// One part alone
        #[arg(long, value_enum)]
        only: Option<Part>,
    },
    /// Runs every conformance vector on the engine and on the model
    Vectors {
        /// Instead: deletes, loosens and silences each rung of each preset, and says which change nobody noticed
        #[arg(long)]
        mutate: bool,
    },
    /// Writes the generated files: the vocabularies, the JSON Schemas, the crate's copies of the presets
    Generate {
        /// Writes nothing, and fails where a file is not what would be written
        #[arg(long)]
        check: bool,
        /// Then adds what is new of the events to spec/schema/events.v1.json; refuses any other change of them
        #[arg(long, conflicts_with = "check")]
        publish: bool,
    },
    /// Measures what is fast, each beside a floor measured in the same run
    Bench {
        /// Prints JSON
        #[arg(long)]
        json: bool,
        /// Prints how many bytes a tenant takes, and nothing else
        #[arg(long, hide = true)]
        weigh: Option<bench::Fill>,
    },
    /// The long form before a release: `test`, licences and advisories, and the longest traces
    Ready,
}

/// A part of the tests.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Part {
    Rust,
    Python,
    Node,
    C,
    Wasm,
    Real,
}

fn main() -> ExitCode {
    let outcome = match Arguments::parse().command {
        Command::Demo => demo(),
        Command::Test { only } => test::run(only),
        Command::Vectors { mutate } => vectors(mutate),
        Command::Generate { publish: true, .. } => generate::publish(),
        Command::Generate { check, .. } => generate::run(check),
        Command::Bench { json, weigh } => bench::run(json, weigh),
        Command::Ready => ready::run(),
    };
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(why) => {
            eprintln!("{why}");
            ExitCode::FAILURE
        }
    }
}

fn demo() -> Result<(), String> {
    println!(
        "An AI gateway loses Redis, then its KMS, then both providers; an operator helps, and all comes back."
    );
    println!("The matrix: spec/presets/ai-gateway.toml   The trace: spec/traces/ai-gateway-outage.jsonl\n");
    let replay = || {
        let mut replay = process::cargo(&["run", "--quiet", "--package", "failsoft-cli", "--", "replay"]);
        replay.arg("preset:ai-gateway");
        replay
    };
    process::run(replay().arg(process::root().join("spec/traces/ai-gateway-outage.jsonl")))?;
    let (incident, page) =
        ("spec/incidents/google-cloud-2025-06-12.jsonl", "target/google-cloud-2025-06-12.html");
    println!("\nThe same gateway on 12 June 2025, as Google Cloud's policy check fails ({incident}):\n");
    let incident = process::root().join(incident);
    process::run(replay().arg(incident).arg("--html").arg(process::root().join(page)))?;
    println!("\nIts picture: {page}");
    Ok(())
}

fn vectors(mutate: bool) -> Result<(), String> {
    let mut run =
        process::cargo(&["run", "--quiet", "--package", "failsoft-tests", "--bin", "vectors", "--"]);
    process::run(run.args(mutate.then_some("--mutate")))
}
