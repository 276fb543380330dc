//! From TOML to the tree, with every syntax error there is.

use std::ops::Range;

use toml::de::{DeTable, DeValue, Error};

use super::codes;
use super::collect::{At, Collector, shown};
use super::node::{Node, Value, integer, refused, text};

/// Up to this size all syntax errors of a document are told; of a larger one the first, because a hostile text has
/// more errors than bytes.
const RECOVERED_MOST: usize = 65_536;

/// The tree, or nothing where the text is not TOML: then its errors have been reported.
pub(crate) fn parse(source: &str, collector: &mut Collector) -> Option<Node> {
    let (table, errors) = if source.len() <= RECOVERED_MOST {
        DeTable::parse_recoverable(source)
    } else {
        match DeTable::parse(source) {
            Ok(table) => (table, Vec::new()),
            Err(error) => (toml::Spanned::new(0..0, DeTable::new()), vec![error]),
        }
    };
    let mut broken = false;
    let mut last_line = None;
    let mut errors: Vec<(Range<usize>, Error)> =
        errors.into_iter().map(|error| (error.span().unwrap_or(0..0), error)).collect();
    errors.sort_by_key(|(span, _)| span.start);
    for (span, error) in errors {
        if error.message().starts_with("duplicate key") {
            let key = source.get(span.clone()).unwrap_or_default();
            duplicate(key, span, &At::ROOT, collector);
            continue;
        }
        broken = true;
        // One slip makes several errors of a line; the first is the one that helps.
        let line = source.get(..span.start).map(|before| before.matches('\n').count());
        if last_line != line {
            syntax(source, span, &error, collector);
        }
        last_line = line;
    }
    (!broken).then(|| Node::new(0..0, entries(table.into_inner(), &At::ROOT, collector)))
}

fn syntax(source: &str, span: Range<usize>, error: &Error, collector: &mut Collector) {
    let message = error.message();
    let help = message.starts_with("string values must be quoted").then(|| {
        let word = source.get(span.clone()).unwrap_or_default();
        format!("write {}", shown(&format!("\"{word}\"")))
    });
    let message = message.split(", expected literal string").next().unwrap_or(message);
    collector.report(codes::SYNTAX, At::ROOT.path(), span, format!("this is not TOML: {message}"), help);
}

/// A key that is there already.
pub(crate) fn duplicate(key: &str, span: Range<usize>, at: &At<'_>, collector: &mut Collector) {
    let what = format!("the key {} is there twice", shown(key));
    let help = Some("keep one of them".into());
    collector.report(codes::DUPLICATE_KEY, at.key(key).path(), span, what, help);
}

fn entries(table: DeTable<'_>, at: &At<'_>, collector: &mut Collector) -> Value {
    let mut entries: Vec<(String, Node)> = table
        .into_iter()
        .map(|(key, value)| {
            let key_span = key.span();
            let key = key.into_inner().into_owned();
            let mut node = node(value, &at.key(&key), collector);
            node.key_span = Some(key_span);
            (key, node)
        })
        .collect();
    // As written, whichever way the parser keeps its tables.
    entries.sort_by_key(|(_, node)| node.key_place().start);
    Value::Table(entries)
}

fn node(value: toml::Spanned<DeValue<'_>>, at: &At<'_>, collector: &mut Collector) -> Node {
    let span = value.span();
    let value = match value.into_inner() {
        DeValue::Boolean(value) => Value::Bool(value),
        DeValue::Integer(value) => integer(value.as_str(), value.radix(), &span, at, collector),
        DeValue::String(value) => text(value.into_owned(), &span, at, collector),
        DeValue::Float(_) => refused(codes::FLOAT, &span, at, collector),
        DeValue::Datetime(_) => refused(codes::DATE, &span, at, collector),
        DeValue::Array(items) => {
            let items = items.into_iter().enumerate();
            Value::List(items.map(|(index, item)| node(item, &at.index(index), collector)).collect())
        }
        DeValue::Table(table) => entries(table, at, collector),
    };
    Node::new(span, value)
}
