//! Standard output: buffered, and in colour only where somebody looks at it.

use std::fmt;
use std::io::{self, BufWriter, IsTerminal, StdoutLock, Write};

use anstyle::{AnsiColor, Style};
use failsoft::check::Direction;
use failsoft::{Health, Posture, Verdict};

/// So much is gathered before it is written.
const BUFFER: usize = 64 * 1024;

/// Standard output.
pub(crate) struct Out {
    writer: BufWriter<anstream::AutoStream<StdoutLock<'static>>>,
    /// How to paint on it.
    pub(crate) paint: Paint,
    /// How many columns it has, where it is a terminal.
    pub(crate) columns: Option<usize>,
}

impl Out {
    pub(crate) fn new() -> Self {
        let stdout = io::stdout();
        let color = anstream::AutoStream::choice(&stdout) != anstream::ColorChoice::Never;
        let terminal = terminal_size::terminal_size_of(&stdout).filter(|_| stdout.is_terminal());
        // Where there is no colour none is written, so nothing has to be taken out.
        let writer = anstream::AutoStream::always_ansi(stdout.lock());
        let columns = terminal.map(|(width, _)| usize::from(width.0));
        Self { writer: BufWriter::with_capacity(BUFFER, writer), paint: Paint { color }, columns }
    }

    /// Hands on what is still held.
    pub(crate) fn finish(&mut self) -> Result<(), crate::trouble::Trouble> {
        Ok(self.writer.flush()?)
    }
}

impl Write for Out {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.writer.write(bytes)
    }

    fn write_all(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.writer.write_all(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.writer.flush()
    }
}

/// Colours by meaning, or none at all.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Paint {
    color: bool,
}

impl Paint {
    /// No colour, wherever it goes.
    pub(crate) const PLAIN: Self = Self { color: false };

    /// Whether there is any colour.
    pub(crate) const fn is_on(self) -> bool {
        self.color
    }

    /// `text` in `style`.
    pub(crate) fn style<T>(self, style: Style, text: T) -> Painted<T> {
        Painted { style: if self.color { style } else { Style::new() }, text }
    }

    pub(crate) fn bold<T>(self, text: T) -> Painted<T> {
        self.style(Style::new().bold(), text)
    }

    /// What is there to be skipped by the eye.
    pub(crate) fn dim<T>(self, text: T) -> Painted<T> {
        self.style(Style::new().dimmed(), text)
    }

    pub(crate) fn verdict<T>(self, verdict: Verdict, text: T) -> Painted<T> {
        let style = match verdict {
            Verdict::Allow => color(AnsiColor::Green),
            Verdict::Withhold | Verdict::Defer => color(AnsiColor::Yellow).bold(),
            Verdict::Deny => color(AnsiColor::Red).bold(),
        };
        self.style(style, text)
    }

    pub(crate) fn posture<T>(self, posture: Posture, text: T) -> Painted<T> {
        let style = match posture {
            Posture::Normal => Style::new().dimmed(),
            Posture::FailSoft => color(AnsiColor::Cyan),
            Posture::FailOpen => color(AnsiColor::Magenta).bold(),
            Posture::FailClosed => color(AnsiColor::Red),
        };
        self.style(style, text)
    }

    pub(crate) fn direction<T>(self, direction: Direction, text: T) -> Painted<T> {
        let style = match direction {
            Direction::Looser => color(AnsiColor::Magenta).bold(),
            Direction::Stricter => color(AnsiColor::Cyan).bold(),
            Direction::Other => Style::new().bold(),
        };
        self.style(style, text)
    }

    pub(crate) fn health<T>(self, health: Health, text: T) -> Painted<T> {
        let style = match health {
            Health::Unknown => Style::new().dimmed(),
            Health::Healthy => color(AnsiColor::Green),
            Health::Degraded | Health::Probing => color(AnsiColor::Yellow),
            Health::Down => color(AnsiColor::Red).bold(),
        };
        self.style(style, text)
    }
}

const fn color(color: AnsiColor) -> Style {
    Style::new().fg_color(Some(anstyle::Color::Ansi(color)))
}

/// Text in a style. A width pads the text and not the escapes.
pub(crate) struct Painted<T> {
    style: Style,
    text: T,
}

impl<T: fmt::Display> fmt::Display for Painted<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.style.render())?;
        self.text.fmt(f)?;
        write!(f, "{}", self.style.render_reset())
    }
}
