//! failsoft on the command line.
//!
//! Exit status: 0 done; 1 what was asked for does not hold; 2 bad usage or unreadable input.

mod args;
mod ask;
mod check;
mod decide;
mod diff;
mod matrix;
mod out;
mod picture;
mod progress;
mod replay;
mod situation;
mod start;
mod table;
mod trouble;
mod words;

use std::process::ExitCode;

use clap::Parser;

use crate::args::{Cli, Command};
use crate::out::Out;
use crate::trouble::{Outcome, Trouble};

fn main() -> ExitCode {
    let color = args::color_before_parsing(std::env::args_os());
    color.write_global();
    let cli = match Cli::try_parse() {
        Ok(cli) => cli,
        Err(error) => {
            // Help and version are no mistakes, and go to standard output; a closed pipe ends them quietly.
            let _ = error.print();
            return ExitCode::from(u8::try_from(error.exit_code()).unwrap_or(2));
        }
    };
    let mut out = Out::new();
    let outcome = run(cli.command, &mut out).and_then(|outcome| out.finish().map(|()| outcome));
    match outcome {
        Ok(Outcome::Done) | Err(Trouble::ClosedPipe) => ExitCode::SUCCESS,
        Ok(Outcome::DoesNotHold) => ExitCode::from(1),
        Err(trouble) => {
            // What was printed before stands, whatever went wrong after it.
            let _ = out.finish();
            trouble.tell();
            ExitCode::from(2)
        }
    }
}

fn run(command: Command, out: &mut Out) -> Result<Outcome, Trouble> {
    match command {
        Command::Decide(args) => decide::run(&args, out),
        Command::Replay(args) => replay::run(&args, out),
        Command::Check(args) => check::run(&args, out),
        Command::Diff(args) => diff::run(&args, out),
        Command::Table(args) => table::run(&args, out),
        Command::Init(args) => start::init(&args, out),
        Command::Presets(args) => start::presets(&args, out),
        Command::Schema => start::schema(out),
    }
}
