//! What ends a command early, and how it is told.

use std::io::{self, Write};

use anstyle::{AnsiColor, Style};
use failsoft::document::Diagnostics;

/// How a command ended that could do its work.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Outcome {
    /// Exit status 0.
    Done,
    /// What was asked for does not hold: exit status 1.
    DoesNotHold,
}

/// What kept a command from its work: exit status 2, but for a pipe that nobody reads any more.
#[derive(Debug)]
pub(crate) enum Trouble {
    /// Something in one place, or in none.
    Told {
        /// Where: `FILE:LINE:COLUMN`, or a file, or an argument.
        place: Option<String>,
        /// What is wrong, in one sentence without a final period.
        what: String,
        /// What to do.
        help: Option<String>,
    },
    /// A document with mistakes.
    Document {
        /// The mistakes.
        told: Box<Diagnostics>,
        /// What they are about, where it is not the document itself.
        lead: Option<String>,
    },
    /// Who read our output has gone. Nobody is there to be told.
    ClosedPipe,
}

impl Trouble {
    /// Something that is wrong at `place`.
    pub(crate) fn at(place: impl Into<String>, what: impl Into<String>) -> Self {
        Self::Told { place: Some(place.into()), what: what.into(), help: None }
    }

    /// The same, with what to do.
    pub(crate) fn help(mut self, text: impl Into<String>) -> Self {
        if let Self::Told { help, .. } = &mut self {
            *help = Some(text.into());
        }
        self
    }

    /// The same, with what to do where that is known.
    pub(crate) fn maybe_help(self, text: Option<String>) -> Self {
        match text {
            Some(text) => self.help(text),
            None => self,
        }
    }

    /// Tells it on standard error.
    pub(crate) fn tell(&self) {
        let error = Style::new().bold().fg_color(Some(AnsiColor::Red.into()));
        let hint = Style::new().bold().fg_color(Some(AnsiColor::Cyan.into()));
        let bold = Style::new().bold();
        let mut stderr = anstream::stderr().lock();
        // Where standard error is gone as well, the exit status still says it.
        let _ = match self {
            Self::ClosedPipe => Ok(()),
            Self::Told { place, what, help } => {
                let told = match place {
                    Some(place) => writeln!(stderr, "{bold}{place}:{bold:#} {what}"),
                    None => writeln!(stderr, "{error}error:{error:#} {what}"),
                };
                told.and_then(|()| match help {
                    Some(help) => writeln!(stderr, "  {hint}help:{hint:#} {help}"),
                    None => Ok(()),
                })
            }
            Self::Document { told, lead } => {
                let color = anstream::AutoStream::choice(&io::stderr()) != anstream::ColorChoice::Never;
                let lead = match lead {
                    Some(lead) => writeln!(stderr, "{error}error:{error:#} {lead}\n"),
                    None => Ok(()),
                };
                lead.and_then(|()| writeln!(stderr, "{}", told.render(color)))
            }
        };
    }
}

/// Only writing fails as itself; what is read is told with its name.
impl From<io::Error> for Trouble {
    fn from(error: io::Error) -> Self {
        if error.kind() == io::ErrorKind::BrokenPipe {
            return Self::ClosedPipe;
        }
        Self::at("standard output", format!("it can't be written: {}", plain(&error)))
    }
}

/// What the system says, without its number.
pub(crate) fn plain(error: &io::Error) -> String {
    match error.kind() {
        io::ErrorKind::NotFound => "there is no such file".into(),
        io::ErrorKind::PermissionDenied => "permission denied".into(),
        io::ErrorKind::IsADirectory => "it is a directory".into(),
        _ => {
            let text = error.to_string();
            text.split(" (os error").next().unwrap_or(&text).to_owned()
        }
    }
}
