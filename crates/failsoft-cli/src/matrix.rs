//! From the argument MATRIX to a matrix.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::Read;
use std::path::Path;

use failsoft::document::{self, Diagnostics, Format, Loaded, Options, Proven, load};
use failsoft::{presets, suggestion};

use crate::args::{MatrixArgs, Pair};
use crate::progress::Progress;
use crate::trouble::{Trouble, plain};

/// A document is no longer than this, and one byte more says that it is.
const MOST: u64 = 1 << 20;

/// A document's bytes, and what it is called.
pub(crate) struct Source {
    pub(crate) name: String,
    pub(crate) bytes: Vec<u8>,
    format: Format,
}

/// The document, without mistakes.
pub(crate) fn loaded(args: &MatrixArgs) -> Result<Loaded, Trouble> {
    let source = read(&args.matrix)?;
    parse(&source, &args.parameter)?.map_err(|told| Trouble::Document { told: Box::new(told), lead: None })
}

/// Reads the document that the argument names.
pub(crate) fn read(argument: &str) -> Result<Source, Trouble> {
    if let Some(name) = argument.strip_prefix("preset:") {
        let known = presets::all().map(|preset| preset.name);
        let text = presets::preset(name).ok_or_else(|| {
            Trouble::at(argument, format!("there is no preset `{}`", name.escape_debug()))
                .maybe_help(suggestion(name, known.collect::<Vec<_>>()))
        })?;
        return Ok(Source { name: argument.into(), bytes: text.into(), format: Format::Toml });
    }
    let mut bytes = Vec::new();
    let path = Path::new(argument);
    let file = File::open(path).and_then(|file| {
        if file.metadata()?.is_dir() {
            return Err(std::io::ErrorKind::IsADirectory.into());
        }
        file.take(MOST + 1).read_to_end(&mut bytes)
    });
    if let Err(error) = file {
        let trouble = Trouble::at(shown(argument), plain(&error));
        return Err(match error.kind() {
            std::io::ErrorKind::NotFound if presets::preset(argument).is_some() => {
                trouble.help(format!("for the preset, write `preset:{argument}`"))
            }
            std::io::ErrorKind::NotFound => trouble.help(
                "give the path of a .toml or .json document, or `preset:NAME`; `failsoft presets` lists them",
            ),
            std::io::ErrorKind::IsADirectory => trouble.help("give the document inside it"),
            _ => trouble,
        });
    }
    if bytes.len() as u64 > MOST {
        let what = format!("it is longer than {MOST} bytes (1 MiB), the most that a document may have");
        return Err(Trouble::at(shown(argument), what));
    }
    let Some(format) = Format::of_file(path) else {
        let what =
            "whether this is TOML or JSON is told by the name, which ends in neither `.toml` nor `.json`";
        return Err(Trouble::at(shown(argument), what).help("name the document so"));
    };
    Ok(Source { name: argument.into(), bytes, format })
}

/// Reads the text. What the parameters on the command line got wrong is no mistake of the document, and is trouble.
pub(crate) fn parse(source: &Source, parameters: &[Pair]) -> Result<Result<Loaded, Diagnostics>, Trouble> {
    parse_by(source, parameters, |options| load(&source.name, &source.bytes, source.format, options))
}

/// The same, and goes through every situation.
pub(crate) fn prove(source: &Source, parameters: &[Pair]) -> Result<Result<Proven, Diagnostics>, Trouble> {
    let progress = Progress::new("proving");
    parse_by(source, parameters, |options| {
        document::prove(&source.name, &source.bytes, source.format, options, &mut |done, all| {
            progress.at(done, all);
        })
    })
}

fn parse_by<T>(
    source: &Source,
    parameters: &[Pair],
    by: impl FnOnce(&Options) -> Result<T, Diagnostics>,
) -> Result<Result<T, Diagnostics>, Trouble> {
    let mut options = Options::default();
    for Pair { key, value } in parameters {
        if options.parameters.insert(key.clone(), value.clone()).is_some() {
            let what = format!("the parameter `{}` is given twice", key.escape_debug());
            return Err(Trouble::at("--parameter", what).help("give it once"));
        }
    }
    match by(&options) {
        Err(told) if !options.parameters.is_empty() && is_sound(source) => {
            let lead = Some("the document is sound, and a `--parameter` is not".into());
            Err(Trouble::Document { told: Box::new(told), lead })
        }
        loaded => Ok(loaded),
    }
}

fn is_sound(source: &Source) -> bool {
    let defaults = Options { parameters: BTreeMap::new() };
    load(&source.name, &source.bytes, source.format, &defaults).is_ok()
}

/// A name from the command line, fit for a terminal.
pub(crate) fn shown(name: &str) -> String {
    name.chars()
        .flat_map(|letter| match letter {
            '\\' | '"' | '\'' => vec![letter],
            letter => letter.escape_debug().collect(),
        })
        .collect()
}
