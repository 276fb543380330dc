//! The command line.

use std::ffi::OsString;
use std::path::PathBuf;

use anstream::ColorChoice;
use anstyle::{AnsiColor, Style};
use clap::builder::{PossibleValuesParser, Styles};
use clap::{Args, Parser, Subcommand, ValueEnum, ValueHint};
use failsoft::{Stage, presets};

const STYLES: Styles = Styles::styled()
    .header(AnsiColor::Green.on_default().bold())
    .usage(AnsiColor::Green.on_default().bold())
    .literal(AnsiColor::Cyan.on_default().bold())
    .placeholder(Style::new().italic())
    .error(AnsiColor::Red.on_default().bold())
    .valid(AnsiColor::Green.on_default())
    .invalid(AnsiColor::Yellow.on_default());

/// Something I depend on has failed; what may this request still do?
///
/// failsoft answers from a written table, the matrix, and from the health that it has been told of.
/// MATRIX is the path of a .toml or .json document, or `preset:NAME`.
#[derive(Debug, Parser)]
#[command(
    name = "failsoft",
    version,
    styles = STYLES,
    arg_required_else_help = true,
    after_help = "\
Examples:
  failsoft presets                                     what there is to start from
  failsoft init --preset ai-gateway --output gate.toml
  failsoft check gate.toml
  failsoft table gate.toml                             the whole failure posture on one page
  failsoft decide gate.toml --operation assist --fault quota=timeout
  failsoft replay gate.toml incident.jsonl

Exit status: 0 done; 1 what was asked for does not hold; 2 bad usage or unreadable input."
)]
pub(crate) struct Cli {
    /// When to use colours.
    #[arg(long, global = true, value_enum, value_name = "WHEN", default_value_t = Color::Auto)]
    pub(crate) color: Color,
    #[command(subcommand)]
    pub(crate) command: Command,
}

/// When to use colours.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Color {
    /// On a terminal, unless NO_COLOR is set.
    Auto,
    /// Always, in a pipe too.
    Always,
    /// Never.
    Never,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// One decision, with its reasons.
    Decide(DecideArgs),
    /// A trace through the engine: decisions and events in order.
    Replay(ReplayArgs),
    /// Every mistake in a matrix, and a proof of what it promises.
    Check(CheckArgs),
    /// Every decision that changes between two matrices.
    Diff(DiffArgs),
    /// The matrix as a table that people read.
    Table(TableArgs),
    /// A matrix to start from.
    Init(InitArgs),
    /// The presets, and for whom each is.
    Presets(PresetsArgs),
    /// The JSON Schema of a matrix, for editors.
    Schema,
}

/// A matrix, with its parameters.
#[derive(Args, Debug)]
pub(crate) struct MatrixArgs {
    /// The path of a .toml or .json document, or `preset:NAME`.
    #[arg(value_name = "MATRIX", value_hint = ValueHint::FilePath)]
    pub(crate) matrix: String,
    /// Gives a parameter of the matrix a value.
    #[arg(long, value_name = "NAME=VALUE", value_parser = pair)]
    pub(crate) parameter: Vec<Pair>,
}

#[derive(Args, Debug)]
#[command(after_help = "\
It is a preview: nothing has happened before, and nothing is committed.
A fault is what the request met itself, and goes before health.

Examples:
  failsoft decide preset:ai-gateway --operation assist
  failsoft decide preset:ai-gateway --operation assist --fault quota=timeout --json
  failsoft decide preset:ai-gateway --operation assist --health provider-primary=down --fault moderation=refused
  failsoft decide preset:sdk-direct --operation call --health control-plane=down --parameter enforcement_fail_open=false")]
pub(crate) struct DecideArgs {
    #[command(flatten)]
    pub(crate) matrix: MatrixArgs,
    /// What the host wants to do.
    #[arg(long, value_name = "OP")]
    pub(crate) operation: String,
    /// What the request met at a dependency: ok, refused or a fault class such as timeout.
    #[arg(long, value_name = "DEP=CLASS", value_parser = pair)]
    pub(crate) fault: Vec<Pair>,
    /// What is known of a dependency: unknown, healthy, degraded, down or probing.
    #[arg(long, value_name = "DEP=STATE", value_parser = pair)]
    pub(crate) health: Vec<Pair>,
    /// Whose request it is.
    #[arg(long, value_name = "T")]
    pub(crate) tenant: Option<String>,
    /// Which of the tenant's sessions it belongs to.
    #[arg(long, value_name = "S")]
    pub(crate) session: Option<String>,
    /// Its class of traffic.
    #[arg(long, value_name = "C")]
    pub(crate) class: Option<String>,
    /// Where in the pipeline it asks.
    #[arg(long, value_name = "S", value_parser = PossibleValuesParser::new(Stage::ALL.iter().map(|stage| stage.as_str())))]
    pub(crate) stage: Option<String>,
    /// How much the request takes of a meter, as METER=AMOUNT; 1 where it is not told.
    #[arg(long, value_name = "METER=AMOUNT", value_parser = pair)]
    pub(crate) amount: Vec<Pair>,
    /// An attribute, for refuse rules.
    #[arg(long, value_name = "K=V", value_parser = pair)]
    pub(crate) attribute: Vec<Pair>,
    /// Print the decision as JSON.
    #[arg(long)]
    pub(crate) json: bool,
}

#[derive(Args, Debug)]
#[command(after_help = "\
Decisions that are alike and follow one another are folded into one line. Calls that may be made are not shown,
those that may not are. With --json every answer and event is a line of its own. With --html a page is written beside either: each dependency's health,
each operation's posture and each window over time, with the reasons. A long trace is merged there, and the page says so.

Examples:
  failsoft replay gate.toml incident.jsonl
  failsoft replay gate.toml incident.jsonl --html incident.html
  failsoft replay gate.toml incident.jsonl --json | grep '\"verdict\":\"deny\"'
  zstdcat incident.jsonl.zst | failsoft replay gate.toml -")]
pub(crate) struct ReplayArgs {
    #[command(flatten)]
    pub(crate) matrix: MatrixArgs,
    /// The trace, as JSON Lines; `-` is standard input.
    #[arg(value_name = "TRACE", value_hint = ValueHint::FilePath)]
    pub(crate) trace: String,
    /// Print JSON Lines.
    #[arg(long)]
    pub(crate) json: bool,
    /// Write the picture of the replay to FILE too: one HTML page that needs nothing else.
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath)]
    pub(crate) html: Option<PathBuf>,
}

#[derive(Args, Debug)]
#[command(after_help = "\
Every situation of every operation, class and stage is gone through; nothing is sampled. A promise that does not hold is
told with the smallest situation that breaks it, as a trace that `failsoft replay` plays. A finding that is meant so is
silenced in the document: [[silence]] with `code`, `at` and `reason`.

Exit status: 0 no mistakes, and every promise holds; 1 a mistake, a broken promise, or (with --strict) a warning; 2 the
document can't be read, or an argument is wrong.

Examples:
  failsoft check gate.toml
  failsoft check gate.toml --strict --traces broken/
  failsoft check gate.toml --parameter policy_cache=true --json")]
pub(crate) struct CheckArgs {
    #[command(flatten)]
    pub(crate) matrix: MatrixArgs,
    /// Fail on warnings too.
    #[arg(long)]
    pub(crate) strict: bool,
    /// Write the trace of each finding to a file of its own in FOLDER.
    #[arg(long, value_name = "FOLDER", value_hint = ValueHint::DirPath)]
    pub(crate) traces: Option<PathBuf>,
    /// Print JSON.
    #[arg(long)]
    pub(crate) json: bool,
}

/// How a diff is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum DiffFormat {
    /// For a terminal.
    Text,
    /// For a pull request.
    Markdown,
    /// For tools.
    Json,
}

#[derive(Args, Debug)]
#[command(after_help = "\
The decisions of both are compared in every situation; \"nothing changes\" is said only where that is proven.

Exit status: 0 nothing changes (or, with --fail-on looser, nothing becomes looser); 1 something does; 2 a document can't
be read or has mistakes, or an argument is wrong.

Examples:
  failsoft diff main.toml gate.toml
  failsoft diff main.toml gate.toml --format markdown --fail-on looser")]
pub(crate) struct DiffArgs {
    /// The matrix as it was.
    #[arg(value_name = "OLD", value_hint = ValueHint::FilePath)]
    pub(crate) old: String,
    /// The matrix as it is to be.
    #[arg(value_name = "NEW", value_hint = ValueHint::FilePath)]
    pub(crate) new: String,
    /// Bind a parameter of both, where they have it.
    #[arg(long, value_name = "NAME=VALUE", value_parser = pair)]
    pub(crate) parameter: Vec<Pair>,
    /// How to write it.
    #[arg(long, value_enum, default_value_t = DiffFormat::Text)]
    pub(crate) format: DiffFormat,
    /// Which changes make the exit status 1.
    #[arg(long, value_enum, value_name = "CHANGES", default_value_t = FailOn::Any)]
    pub(crate) fail_on: FailOn,
    /// Print JSON.
    #[arg(long)]
    pub(crate) json: bool,
}

/// Which changes make a diff fail.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum FailOn {
    /// Any change.
    Any,
    /// A decision that becomes looser, or what could not be compared.
    Looser,
}

/// How a table is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Format {
    /// For a terminal.
    Text,
    /// For a README or a wiki.
    Markdown,
    /// A page by itself, for a browser or a printer.
    Html,
    /// For a spreadsheet (RFC 4180).
    Csv,
    /// For a program.
    Json,
}

#[derive(Args, Debug)]
#[command(after_help = "\
Each dependency stands once, under the first operation that needs it, in pipeline order.

Examples:
  failsoft table preset:ai-gateway
  failsoft table gate.toml --format html > gate.html
  failsoft table gate.toml --format json | jq '.dependencies[].name'")]
pub(crate) struct TableArgs {
    #[command(flatten)]
    pub(crate) matrix: MatrixArgs,
    /// How it is written.
    #[arg(long, value_enum, value_name = "FORMAT", default_value_t = Format::Text)]
    pub(crate) format: Format,
}

#[derive(Args, Debug)]
#[command(after_help = "\
Examples:
  failsoft init --preset ai-gateway > gate.toml
  failsoft init --preset sdk-direct --output gate.toml     never writes over a file")]
pub(crate) struct InitArgs {
    /// Which preset.
    #[arg(long, value_name = "NAME", value_parser = PossibleValuesParser::new(presets::all().map(|preset| preset.name)))]
    pub(crate) preset: String,
    /// Write it to FILE, which must not be there yet.
    #[arg(long, short, value_name = "FILE", value_hint = ValueHint::FilePath)]
    pub(crate) output: Option<PathBuf>,
}

#[derive(Args, Debug)]
pub(crate) struct PresetsArgs {
    /// Print JSON.
    #[arg(long)]
    pub(crate) json: bool,
}

/// `KEY=VALUE`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Pair {
    pub(crate) key: String,
    pub(crate) value: String,
}

fn pair(text: &str) -> Result<Pair, String> {
    match text.split_once('=') {
        Some((key, value)) if !key.is_empty() => Ok(Pair { key: key.into(), value: value.into() }),
        Some(_) => Err("there is no name before `=`".into()),
        None => Err("there is no `=`; write it as NAME=VALUE".into()),
    }
}

/// The colours asked for, looked up before anything is parsed so that mistakes in the arguments obey it too.
pub(crate) fn color_before_parsing(arguments: impl Iterator<Item = OsString>) -> ColorChoice {
    let arguments: Vec<OsString> = arguments.take_while(|argument| argument != "--").collect();
    let told = arguments.iter().enumerate().rev().find_map(|(place, argument)| {
        let text = argument.to_str()?;
        match text.strip_prefix("--color=") {
            Some(value) => Some(value.to_owned()),
            None if text == "--color" => Some(arguments.get(place + 1)?.to_str()?.to_owned()),
            None => None,
        }
    });
    match told.as_deref() {
        Some("always") => ColorChoice::Always,
        Some("never") => ColorChoice::Never,
        _ => ColorChoice::Auto,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::CommandFactory;

    #[test]
    fn the_command_line_agrees_with_itself() {
        Cli::command().debug_assert();
    }

    #[test]
    fn colours_are_known_before_parsing() {
        let choice = |words: &[&str]| color_before_parsing(words.iter().map(OsString::from));
        assert_eq!(choice(&["failsoft", "presets"]), ColorChoice::Auto);
        assert_eq!(choice(&["failsoft", "--color", "never", "presets"]), ColorChoice::Never);
        assert_eq!(choice(&["failsoft", "presets", "--color=always"]), ColorChoice::Always);
        assert_eq!(choice(&["failsoft", "--color"]), ColorChoice::Auto);
        assert_eq!(choice(&["failsoft", "--", "--color=always"]), ColorChoice::Auto);
    }

    #[test]
    fn a_value_may_hold_an_equals_sign() {
        assert_eq!(pair("a=b=c"), Ok(Pair { key: "a".into(), value: "b=c".into() }));
        assert_eq!(pair("a="), Ok(Pair { key: "a".into(), value: String::new() }));
        assert!(pair("=b").is_err());
        assert!(pair("ab").is_err());
    }
}
