//! From JSON to the tree.
//!
//! `serde_json` reads one level at a time and lends the text of each key and value: the place of a value is where
//! its text lies in the document. So there is one strict parser, and no recursion that the text could drive.

use std::collections::HashSet;
use std::fmt;
use std::ops::Range;

use serde::de::{Deserialize, Deserializer, MapAccess, Visitor};
use serde_json::value::RawValue;

use super::codes;
use super::collect::{At, Collector};
use super::from_toml::duplicate;
use super::node::{Node, Value, integer, refused, text};

/// The tree, or nothing where the text is not JSON: then its first error has been reported.
pub(crate) fn parse(source: &str, collector: &mut Collector) -> Option<Node> {
    let mut reader = Reader { source, collector };
    match serde_json::from_str::<&RawValue>(source) {
        Ok(whole) => reader.node(whole.get(), &At::ROOT),
        Err(error) => {
            reader.syntax(source, &error);
            None
        }
    }
}

struct Reader<'a, 'c> {
    source: &'a str,
    collector: &'c mut Collector,
}

impl<'a> Reader<'a, '_> {
    /// Where a borrowed part of the document lies.
    fn span(&self, part: &str) -> Range<usize> {
        let start = part.as_ptr().addr().saturating_sub(self.source.as_ptr().addr());
        start..start.saturating_add(part.len())
    }

    fn node(&mut self, raw: &'a str, at: &At<'_>) -> Option<Node> {
        let span = self.span(raw);
        let value = match raw.bytes().next()? {
            b'{' => self.table(raw, at)?,
            b'[' => {
                let items: Vec<&RawValue> = self.read(raw)?;
                let mut nodes = Vec::with_capacity(items.len());
                for (index, item) in items.into_iter().enumerate() {
                    nodes.push(self.node(item.get(), &at.index(index))?);
                }
                Value::List(nodes)
            }
            b'"' => text(self.read(raw)?, &span, at, self.collector),
            b't' => Value::Bool(true),
            b'f' => Value::Bool(false),
            b'n' => refused(codes::NULL, &span, at, self.collector),
            _ if raw.contains(['.', 'e', 'E']) => refused(codes::FLOAT, &span, at, self.collector),
            _ => integer(raw, 10, &span, at, self.collector),
        };
        Some(Node::new(span, value))
    }

    fn table(&mut self, raw: &'a str, at: &At<'_>) -> Option<Value> {
        let Pairs(pairs) = self.read(raw)?;
        let mut entries: Vec<(String, Node)> = Vec::with_capacity(pairs.len());
        let mut known: HashSet<String> = HashSet::with_capacity(pairs.len());
        for (key, value) in pairs {
            let key_span = self.span(key.get());
            let key: String = self.read(key.get())?;
            if !known.insert(key.clone()) {
                duplicate(&key, key_span, at, self.collector);
                continue;
            }
            let mut node = self.node(value.get(), &at.key(&key))?;
            node.key_span = Some(key_span);
            entries.push((key, node));
        }
        Some(Value::Table(entries))
    }

    fn read<T: Deserialize<'a>>(&mut self, raw: &'a str) -> Option<T> {
        match serde_json::from_str(raw) {
            Ok(value) => Some(value),
            Err(error) => {
                self.syntax(raw, &error);
                None
            }
        }
    }

    fn syntax(&mut self, part: &str, error: &serde_json::Error) {
        let base = self.span(part).start;
        let line_start = match error.line().checked_sub(2) {
            None => 0,
            Some(skipped) => {
                part.match_indices('\n').nth(skipped).map_or(part.len(), |(at, _)| at.saturating_add(1))
            }
        };
        // The column is that of the byte at fault, from 1; of one inside a string it is that of the byte before.
        let message = error.to_string();
        let before = usize::from(!message.starts_with("control character"));
        let mut at = line_start.saturating_add(error.column().saturating_sub(before));
        if error.is_eof() {
            at = part.trim_end().len();
        }
        let start = base.saturating_add(at.min(part.len()));
        let here = self.source.get(start..).and_then(|rest| rest.chars().next());
        let end = start.saturating_add(here.map_or(0, char::len_utf8));
        let message = message.split(" at line ").next().unwrap_or_default();
        let (message, help) = match (message, here) {
            _ if error.is_eof() => ("it ends too early", Some("close what is still open")),
            ("key must be a string", Some('}')) | ("trailing comma", _) => {
                ("a comma with nothing after it", Some("leave the comma out"))
            }
            (_, Some('/' | '#')) => {
                ("it has no comments", Some("leave the comment out, or write the matrix in TOML"))
            }
            ("expected ident", _) => ("a word that is no value", Some("put a string in double quotes")),
            (message, _) => (message, None),
        };
        let what = format!("this is not JSON: {message}");
        self.collector.report(codes::SYNTAX, At::ROOT.path(), start..end, what, help.map(Into::into));
    }
}

/// An object as its keys and values, in order, none dropped.
struct Pairs<'a>(Vec<(&'a RawValue, &'a RawValue)>);

impl<'de: 'a, 'a> Deserialize<'de> for Pairs<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Gather;
        impl<'de> Visitor<'de> for Gather {
            type Value = Pairs<'de>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an object")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
                let mut pairs = Vec::new();
                while let Some(pair) = map.next_entry()? {
                    pairs.push(pair);
                }
                Ok(Pairs(pairs))
            }
        }
        deserializer.deserialize_map(Gather)
    }
}
