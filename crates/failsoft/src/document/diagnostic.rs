//! What is told about a document: mistakes with their place, for people and for tools.

use std::fmt;
use std::ops::Range;

use annotate_snippets::{AnnotationKind, Level, Renderer, Snippet};
use serde_json::{Value, json};

use super::codes;
use super::collect::{Collector, Found, shown};
use crate::visible::is_hidden;

/// How bad it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum Severity {
    /// The document can't be used.
    Error,
    /// The document can be used, and may not do what its author means.
    Warning,
    /// A fact that a reader should know.
    Note,
}

impl Severity {
    /// `error`, `warning` or `note`.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Error => "error",
            Self::Warning => "warning",
            Self::Note => "note",
        }
    }
}

/// One thing that is told about a document.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Diagnostic {
    /// A stable name, one of [`codes::all`].
    pub code: &'static str,
    /// How bad it is.
    pub severity: Severity,
    /// The place in the matrix, such as `dependency.quota.on_failure[0].local_meter.meter`; empty for the whole.
    pub path: String,
    /// The place in the text, in bytes.
    pub span: Range<usize>,
    /// The line, from 1.
    pub line: usize,
    /// The column in characters, from 1.
    pub column: usize,
    /// What is wrong, in one sentence without a final period.
    pub what: String,
    /// What to write instead.
    pub help: Option<String>,
}

/// All that is told about one document, in the order of its text.
///
/// ```
/// use std::collections::BTreeMap;
/// use failsoft::document::{Format, Options, load};
///
/// let text = "spec = 1\nname = \"demo\"\n[dependency.quota]\nrole = \"gaurd\"\ndeadline = \"50ms\"\n";
/// let told = load("demo.toml", text.as_bytes(), Format::Toml, &Options::default()).unwrap_err();
/// let mistake = &told.items()[0];
/// assert_eq!((mistake.code, mistake.line, mistake.column), ("unknown-value", 4, 8));
/// assert_eq!(mistake.help.as_deref(), Some("did you mean `guard`?"));
/// assert!(told.to_string().starts_with("error[unknown-value]: `role` can't be `gaurd`\n --> demo.toml:4:8\n"));
/// ```
#[derive(Clone, Debug)]
pub struct Diagnostics {
    source: String,
    text: String,
    items: Vec<Diagnostic>,
}

impl Diagnostics {
    /// Findings of a check, in their order.
    pub(crate) fn of_check(source: &str, text: String, found: Vec<(Severity, Found)>) -> Self {
        let lines = beginnings(&text);
        let items = found
            .into_iter()
            .map(|(severity, found)| {
                let (span, line, column) = place(&text, &lines, &found.span);
                let (code, path) = (found.code, found.path.to_string());
                Diagnostic { code, severity, path, span, line, column, what: found.what, help: found.help }
            })
            .collect();
        Self { source: source.to_owned(), text, items }
    }

    pub(crate) fn new(source: &str, text: String, collector: Collector) -> Self {
        let lines = beginnings(&text);
        let mut items: Vec<Diagnostic> = collector
            .found
            .into_iter()
            .map(|found| {
                let (span, line, column) = place(&text, &lines, &found.span);
                Diagnostic {
                    code: found.code,
                    severity: Severity::Error,
                    path: found.path.to_string(),
                    span,
                    line,
                    column,
                    what: found.what,
                    help: found.help,
                }
            })
            .collect();
        items.sort_by(|left, right| {
            (left.span.start, left.code, &left.path).cmp(&(right.span.start, right.code, &right.path))
        });
        if collector.more > 0 {
            let last = items.last().map_or((0..0, 1, 1), |last| (last.span.clone(), last.line, last.column));
            items.push(Diagnostic {
                code: codes::MORE_MISTAKES,
                severity: Severity::Error,
                path: String::new(),
                span: last.0,
                line: last.1,
                column: last.2,
                what: format!("and {} more", collector.more),
                help: Some("mend these first".into()),
            });
        }
        Self { source: source.to_owned(), text, items }
    }

    /// What the document is called, as it was given to [`load`](super::load).
    #[must_use]
    pub fn source(&self) -> &str {
        &self.source
    }

    /// The text that the places refer to; what is not UTF-8 in it is replaced.
    #[must_use]
    pub fn text(&self) -> &str {
        &self.text
    }

    /// One for each mistake.
    #[must_use]
    pub fn items(&self) -> &[Diagnostic] {
        &self.items
    }

    /// For people: each with the place underlined and the hint below, in colour for a terminal.
    #[must_use]
    pub fn render(&self, color: bool) -> String {
        let items: Vec<String> = self.items.iter().map(|item| self.render_one(item, color)).collect();
        items.join("\n\n")
    }

    /// The same of one of them.
    #[must_use]
    pub fn render_one(&self, item: &Diagnostic, color: bool) -> String {
        let renderer = if color { Renderer::styled() } else { Renderer::plain() };
        let name = shown(&self.source);
        let name = name.trim_matches('`');
        let mut out = String::new();
        {
            let (level, help) = match item.severity {
                Severity::Error => (Level::ERROR, Level::HELP),
                Severity::Warning => (Level::WARNING, Level::HELP),
                Severity::Note => (Level::NOTE, Level::HELP),
            };
            let group = level.primary_title(item.what.as_str()).id(item.code);
            if item.code != codes::MORE_MISTAKES {
                let start = self.text.get(..item.span.start).and_then(|before| before.rfind('\n'));
                let start = start.map_or(0, |at| at.saturating_add(1));
                let line =
                    self.text.get(start..).and_then(|rest| rest.split('\n').next()).unwrap_or_default();
                // What ends a line is not shown, and a place may reach into it.
                let line = line.trim_end_matches('\r');
                let within = |place: usize| place.saturating_sub(start).min(line.len());
                let span = within(item.span.start)..within(item.span.end);
                let line = visible(line);
                let snippet = Snippet::source(line.as_str()).line_start(item.line).path(name);
                let group = group.element(snippet.annotation(AnnotationKind::Primary.span(span)));
                let group = group.elements(item.help.as_deref().map(|text| help.message(text)));
                out.push_str(&renderer.render(&[group]));
            } else {
                out.push_str(&renderer.render(&[annotate_snippets::Group::with_title(group)]));
            }
        }
        out.truncate(out.trim_end().len());
        out
    }

    /// For tools: a list with an object for each, which names the document too.
    #[must_use]
    pub fn to_json(&self) -> Value {
        Value::Array(self.items.iter().map(|item| item.to_json(&self.source)).collect())
    }
}

/// A line that a terminal shows and does not obey: what controls it, or turns the direction of text, is replaced by a
/// character of as many bytes, so that places stay where they are.
fn visible(line: &str) -> String {
    let replaced = |character: char| match character.len_utf8() {
        _ if character == '\t' || !is_hidden(character) => character,
        1 => '?',
        2 => '\u{bf}',
        _ => '\u{fffd}',
    };
    line.chars().map(replaced).collect()
}

impl Diagnostic {
    /// For tools: one object. `start` and `end` count bytes, `line` and `column` count from 1, in characters.
    #[must_use]
    pub fn to_json(&self, source: &str) -> Value {
        json!({
            "source": source,
            "severity": self.severity.as_str(),
            "code": self.code,
            "path": self.path,
            "line": self.line,
            "column": self.column,
            "start": self.span.start,
            "end": self.span.end,
            "what": self.what,
            "help": self.help,
        })
    }
}

impl fmt::Display for Diagnostics {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.render(false))
    }
}

impl std::error::Error for Diagnostics {}

/// Where each line of a text begins.
fn beginnings(text: &str) -> Vec<usize> {
    std::iter::once(0).chain(text.match_indices('\n').map(|(at, _)| at.saturating_add(1))).collect()
}

/// A span inside one line and on whole characters, with its line and column from 1.
fn place(text: &str, lines: &[usize], span: &Range<usize>) -> (Range<usize>, usize, usize) {
    let whole = |mut at: usize| {
        at = at.min(text.len());
        while !text.is_char_boundary(at) {
            at = at.saturating_sub(1);
        }
        at
    };
    let start = whole(span.start);
    let line = lines.partition_point(|first| *first <= start);
    let first = line.checked_sub(1).and_then(|index| lines.get(index)).copied().unwrap_or(0);
    let line_end = lines.get(line).map_or(text.len(), |next| next.saturating_sub(1));
    let end = whole(span.end).clamp(start, line_end.max(start));
    let column = text.get(first..start).map_or(0, |before| before.chars().count()).saturating_add(1);
    (start..end, line, column)
}
