//! The tree that both formats become: values, each with its place in the text.

use std::ops::Range;
use std::rc::Rc;

use failsoft_core::{INTEGER_MAX, Path, Segment};

use super::codes;
use super::collect::{At, Collector, shown};

/// A string may be so many bytes long.
pub(crate) const STRING_MOST: usize = 4_096;

/// A value of the document.
#[derive(Clone, Debug)]
pub(crate) struct Node {
    /// Where the value stands.
    pub(crate) span: Range<usize>,
    /// Where its key stands, if it has one.
    pub(crate) key_span: Option<Range<usize>>,
    pub(crate) value: Value,
    /// The parameter that gave the value, where one did.
    pub(crate) parameter: Option<Rc<str>>,
}

/// What a value may be. Numbers that no document may hold are told at once and become [`Value::Bad`].
#[derive(Clone, Debug)]
pub(crate) enum Value {
    Bool(bool),
    Integer(u64),
    Text(String),
    List(Vec<Node>),
    Table(Vec<(String, Node)>),
    /// Not a value; the mistake has been told.
    Bad,
}

impl Node {
    pub(crate) fn new(span: Range<usize>, value: Value) -> Self {
        Self { span, key_span: None, value, parameter: None }
    }

    /// What a mistake about this value underlines: a scalar itself, a list or table by its key.
    pub(crate) fn place(&self) -> Range<usize> {
        match (&self.value, &self.key_span) {
            (Value::List(_) | Value::Table(_), Some(key)) => key.clone(),
            (Value::List(_) | Value::Table(_), None) => {
                self.span.start..self.span.end.min(self.span.start.saturating_add(1))
            }
            _ => self.span.clone(),
        }
    }

    /// What a mistake about this key underlines.
    pub(crate) fn key_place(&self) -> Range<usize> {
        self.key_span.clone().unwrap_or_else(|| self.place())
    }

    pub(crate) fn get(&self, key: &str) -> Option<&Node> {
        match &self.value {
            Value::Table(entries) => entries.iter().find(|(name, _)| name == key).map(|(_, node)| node),
            _ => None,
        }
    }

    /// The node at `path`, or the nearest that stands around it: a short form has no steps of its own.
    pub(crate) fn nearest(&self, path: &Path) -> &Node {
        let mut node = self;
        for segment in path.segments() {
            let next = match (segment, &node.value) {
                (Segment::Key(key), _) => node.get(key),
                (Segment::Index(index), Value::List(items)) => items.get(*index),
                (Segment::Index(_), _) => None,
            };
            match next {
                Some(next) => node = next,
                None => break,
            }
        }
        node
    }

    /// What the value is, as a message calls it.
    pub(crate) fn type_name(&self) -> &'static str {
        match &self.value {
            Value::Bool(_) => "a boolean",
            Value::Integer(_) => "a whole number",
            Value::Text(_) => "a string",
            Value::List(_) => "a list",
            Value::Table(_) => "a table",
            Value::Bad => "no value",
        }
    }
}

/// A string of the document, or the mistake that it is too long.
pub(crate) fn text(text: String, span: &Range<usize>, at: &At<'_>, collector: &mut Collector) -> Value {
    if text.len() <= STRING_MOST {
        return Value::Text(text);
    }
    let what = format!("a string of {} bytes is too long", text.len());
    collector.report(codes::TOO_LONG, at.path(), span.clone(), what, Some("write at most 4096 bytes".into()));
    Value::Bad
}

/// A number of the document, from its digits and sign, or the mistake that no document may hold it.
pub(crate) fn integer(
    digits: &str,
    radix: u32,
    span: &Range<usize>,
    at: &At<'_>,
    collector: &mut Collector,
) -> Value {
    if let Some(positive) = digits.strip_prefix('-') {
        let what = format!("{} is below zero, and no key takes that", shown(digits));
        let help = Some(format!("write a whole number from 0 up, such as `{}`", shortened(positive)));
        collector.report(codes::NEGATIVE_NUMBER, at.path(), span.clone(), what, help);
        return Value::Bad;
    }
    match u64::from_str_radix(digits.strip_prefix('+').unwrap_or(digits), radix) {
        Ok(number) if number <= INTEGER_MAX => Value::Integer(number),
        _ => {
            let what = "this number is above 2^53 - 1, which not every language can hold".to_owned();
            let help = Some(format!("write at most {INTEGER_MAX}"));
            collector.report(codes::NUMBER_TOO_BIG, at.path(), span.clone(), what, help);
            Value::Bad
        }
    }
}

fn shortened(digits: &str) -> &str {
    if digits.len() > 20 || digits.trim_start_matches('0').is_empty() { "0" } else { digits }
}

/// A value that documents have no room for.
pub(crate) fn refused(
    code: &'static str,
    span: &Range<usize>,
    at: &At<'_>,
    collector: &mut Collector,
) -> Value {
    let (what, help) = match code {
        codes::FLOAT => (
            "a document holds no fractions and no exponents",
            "write a whole number, a percentage (`250` for 2.5), or a duration (`\"1500ms\"` for 1.5 s)",
        ),
        codes::DATE => (
            "no key takes a date or a time of day",
            "write a duration such as `\"24h\"`, or put the text in quotes",
        ),
        _ => ("no key takes `null`", "leave the key out to get its default"),
    };
    collector.report(code, at.path(), span.clone(), what.into(), Some(help.into()));
    Value::Bad
}
