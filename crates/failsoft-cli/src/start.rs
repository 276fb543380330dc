//! What there is to start from: presets, and the schema.

use std::fs::File;
use std::io::{ErrorKind, Write};

use failsoft::document::json_schema;
use failsoft::presets as known;
use serde_json::json;

use crate::args::{InitArgs, PresetsArgs};
use crate::matrix::shown;
use crate::out::Out;
use crate::trouble::{Outcome, Trouble, plain};

/// `failsoft init`.
pub(crate) fn init(args: &InitArgs, out: &mut Out) -> Result<Outcome, Trouble> {
    let text = known::preset(&args.preset).unwrap_or_default();
    let Some(path) = &args.output else {
        out.write_all(text.as_bytes())?;
        return Ok(Outcome::Done);
    };
    let name = shown(&path.to_string_lossy());
    let written = File::create_new(path).and_then(|mut file| file.write_all(text.as_bytes()));
    if let Err(error) = written {
        return Err(match error.kind() {
            ErrorKind::AlreadyExists => Trouble::at(name, "it is there already, and is left as it is")
                .help("give another name, or move it away first"),
            ErrorKind::NotFound => Trouble::at(name, "the folder to write it in is not there"),
            _ => Trouble::at(name, format!("it can't be written: {}", plain(&error))),
        });
    }
    // Standard output is for what may be piped on; this is a word to the person.
    let _ = writeln!(anstream::stderr(), "wrote {name}; next: failsoft check {name}");
    Ok(Outcome::Done)
}

/// `failsoft presets`.
pub(crate) fn presets(args: &PresetsArgs, out: &mut Out) -> Result<Outcome, Trouble> {
    if args.json {
        let presets: Vec<_> =
            known::all().map(|preset| json!({"name": preset.name, "about": preset.about})).collect();
        writeln!(out, "{}", json!(presets))?;
        return Ok(Outcome::Done);
    }
    let width = known::all().map(|preset| preset.name.len()).max().unwrap_or(0);
    for preset in known::all() {
        writeln!(out, "{:width$}  {}", out.paint.bold(preset.name), preset.about)?;
    }
    Ok(Outcome::Done)
}

/// `failsoft schema`.
pub(crate) fn schema(out: &mut Out) -> Result<Outcome, Trouble> {
    serde_json::to_writer_pretty(&mut *out, &json_schema()).map_err(std::io::Error::from)?;
    writeln!(out)?;
    Ok(Outcome::Done)
}
