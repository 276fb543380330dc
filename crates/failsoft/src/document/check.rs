//! From the tree to checked values, driven by the tables of keys: every mistake that one place shows by itself.

use failsoft_core::{RungKind, suggestion};

use super::checked::{Checked, Fields};
use super::codes;
use super::collect::{At, Collector, shown};
use super::keys::{Default, Form, Key, Kind, Place, Table, rung_kinds};
use super::node::{Node, Value};
use super::rungs;

/// Walks the tree.
pub(crate) struct Checker<'c> {
    pub(crate) collector: &'c mut Collector,
}

impl Checker<'_> {
    pub(crate) fn report(
        &mut self,
        code: &'static str,
        node: &Node,
        at: &At<'_>,
        what: String,
        help: Option<String>,
    ) -> Checked {
        self.collector.report(code, at.path(), node.place(), given_by(what, node), help);
        Checked::Spoilt
    }

    /// A table with the keys of `table`; its mistakes are told, and what can be read of it is there.
    pub(crate) fn table(&mut self, node: &Node, table: &'static Table, at: &At<'_>) -> Checked {
        match &node.value {
            Value::Table(entries) => Checked::Table(self.fields(node, entries, table, at)),
            _ => self.wrong_type(node, &Kind::Table(table), at),
        }
    }

    fn fields(
        &mut self,
        node: &Node,
        entries: &[(String, Node)],
        table: &'static Table,
        at: &At<'_>,
    ) -> Fields {
        let mut fields = Fields { entries: Vec::new() };
        let mut meant: Vec<&str> = Vec::new();
        for (name, value) in entries {
            let here = at.key(name);
            match table.key(name) {
                Some(key) => fields.entries.push((key, self.value(value, &key.kind, &here))),
                None if self.collector.only_counts() => {}
                None => {
                    let known = table.keys().map(|key| key.name);
                    if let Some(key) = failsoft_core::nearest(name, known.clone()) {
                        // What it was meant to say is not known either.
                        self.collector.unread.push(at.key(key).path());
                        meant.push(key);
                    }
                    let what = format!("{} has no key {}", table.title, shown(name));
                    let help = suggestion(name, known);
                    self.collector.report(codes::UNKNOWN_KEY, here.path(), value.key_place(), what, help);
                }
            }
        }
        for key in table.keys() {
            if fields.get(key.name).is_some() {
                continue;
            }
            // A slip in a key is told once, as the unknown key that it is.
            if key.required && meant.contains(&key.name) {
                fields.entries.push((key, Checked::Spoilt));
            } else if key.required {
                let what = format!("{} needs `{}`", table.title, key.name);
                let help = Some(format!("add for example `{} = {}`", key.name, example(&key.kind)));
                self.collector.report(codes::MISSING_KEY, at.key(key.name).path(), node.place(), what, help);
                fields.entries.push((key, Checked::Spoilt));
            } else if let Some(value) = default_of(key) {
                fields.entries.push((key, value));
            }
        }
        fields
    }

    pub(crate) fn value(&mut self, node: &Node, kind: &Kind, at: &At<'_>) -> Checked {
        match (kind, &node.value) {
            (_, Value::Bad) => Checked::Spoilt,
            (Kind::Table(table), _) => self.table(node, table, at),
            (Kind::List { of, min, max, .. }, Value::List(items)) => {
                if !self.holds(node, items.len(), *min, *max, at) {
                    return Checked::Spoilt;
                }
                let items = items.iter().enumerate();
                Checked::List(items.map(|(index, item)| self.value(item, of, &at.index(index))).collect())
            }
            (Kind::Map { of, keys, min, max }, Value::Table(entries)) => {
                if !self.holds(node, entries.len(), *min, *max, at) {
                    return Checked::Spoilt;
                }
                let mut checked = Vec::with_capacity(entries.len());
                for (name, value) in entries {
                    let at = at.key(name);
                    let key = Node::new(value.key_place(), Value::Text(name.clone()));
                    self.scalar(&key, keys, &at);
                    checked.push((name.clone(), self.value(value, of, &at)));
                }
                Checked::Map(checked)
            }
            (Kind::Rung(place), _) => self.rung(node, *place, at),
            (Kind::Deny, Value::Bool(true)) => Checked::Table(all_defaults(&rungs::REFUSE_DENY)),
            (Kind::Deny, Value::Table(_)) => self.table(node, &rungs::REFUSE_DENY, at),
            _ => self.scalar(node, kind, at),
        }
    }

    /// Whether a list or table has as many entries as it may; none of them is read where it has not.
    fn holds(&mut self, node: &Node, count: usize, min: usize, max: usize, at: &At<'_>) -> bool {
        let subject = at.subject();
        if count < min {
            let what = match count {
                0 => format!("{subject} is empty"),
                _ => format!("{subject} has too few entries: {count}"),
            };
            let help = match min {
                1 => "name at least one, or leave it out".to_owned(),
                _ => format!("write {min} entries"),
            };
            self.report(codes::EMPTY_LIST, node, at, what, Some(help));
        } else if count > max {
            let what = format!("{subject} has too many entries: {count}");
            self.report(codes::TOO_MANY, node, at, what, Some(format!("write at most {max}")));
            self.collector.incomplete = true;
        }
        (min..=max).contains(&count)
    }

    fn rung(&mut self, node: &Node, place: Place, at: &At<'_>) -> Checked {
        let entries = match &node.value {
            Value::Table(entries) => entries,
            Value::Text(name) if RungKind::from_name(name).is_some() => {
                let what = format!("a rung is a table, and {} is a string", shown(name));
                let kind = RungKind::from_name(name).map_or("true", |kind| rung_example(kind));
                return self.report(
                    codes::RUNG_SHAPE,
                    node,
                    at,
                    what,
                    Some(format!("write `{{ {name} = {kind} }}`")),
                );
            }
            _ => return self.wrong_type(node, &Kind::Rung(place), at),
        };
        let [(name, value)] = entries.as_slice() else {
            let what = match entries.len() {
                0 => "a rung has one key, its kind, and this one has none".to_owned(),
                count => format!("a rung has one key, its kind, and this one has {count}"),
            };
            let kind = entries
                .iter()
                .map(|(name, _)| name.as_str())
                .find(|name| RungKind::from_name(name).is_some());
            let help = match kind {
                Some(kind) => {
                    format!("put what belongs to the rung into its table: `{{ {kind} = {{ ... }} }}`")
                }
                None => "write for example `{ deny = true }`".to_owned(),
            };
            return self.report(codes::RUNG_SHAPE, node, at, what, Some(help));
        };
        let Some(kind) = RungKind::from_name(name) else {
            let what = format!("there is no rung of the kind {}", shown(name));
            let kinds = rung_kinds();
            let help = failsoft_core::nearest(name, kinds.iter().copied()).map_or_else(
                || format!("one of `{}`", kinds.join("`, `")),
                |kind| format!("did you mean `{kind}`?"),
            );
            self.collector.report(codes::UNKNOWN_RUNG, at.path(), value.key_place(), what, Some(help));
            return Checked::Spoilt;
        };
        let table = rungs::table(kind, place);
        let at = at.key(name);
        match (&value.value, table.key(kind.required())) {
            (Value::Bad, _) => Checked::Spoilt,
            (Value::Table(entries), _) => Checked::Rung(kind, self.fields(value, entries, table, &at)),
            (Value::Bool(true), None) => Checked::Rung(kind, all_defaults(table)),
            (Value::Bool(true), Some(key)) if !matches!(key.kind, Kind::Scalar) => {
                let what = format!("{} needs `{}`", table.title, key.name);
                let help = Some(format!("write for example `{{ {kind} = {} }}`", example(&key.kind)));
                let path = at.key(key.name);
                self.report(codes::MISSING_KEY, value, &path, what, help)
            }
            (_, Some(key)) => {
                let short = self.value(value, &key.kind, &at.key(key.name));
                let mut fields = all_defaults(table);
                fields.entries.push((key, short));
                Checked::Rung(kind, fields)
            }
            (_, None) => {
                let what = format!(
                    "`{kind}` takes a table of settings or `true`, and this is {}",
                    value.type_name()
                );
                let help = Some(format!("write `{{ {kind} = true }}`"));
                self.report(codes::WRONG_TYPE, value, &at, what, help)
            }
        }
    }
}

/// `what`, and which parameter it was that gave the value.
pub(crate) fn given_by(what: String, node: &Node) -> String {
    match &node.parameter {
        Some(name) => format!("{what} (the value of the parameter {})", shown(name)),
        None => what,
    }
}

/// A table in which nothing is written.
fn all_defaults(table: &'static Table) -> Fields {
    let entries = table.keys().filter_map(|key| default_of(key).map(|value| (key, value))).collect();
    Fields { entries }
}

fn default_of(key: &'static Key) -> Option<Checked> {
    Some(match (key.default, &key.kind) {
        (Default::None, _) => return None,
        (Default::Integer(number), _) => Checked::Integer(number),
        (Default::Millis(number, _), _) => Checked::Millis(number),
        (Default::Bool(value), _) => Checked::Bool(value),
        (Default::Word(word), _) => Checked::Text(word.to_owned()),
        (Default::Words(words), _) => {
            Checked::List(words.iter().map(|word| Checked::Text((*word).to_owned())).collect())
        }
        (Default::Empty, Kind::Table(table)) => Checked::Table(all_defaults(table)),
        (Default::Empty, Kind::Deny) => Checked::Table(all_defaults(&rungs::REFUSE_DENY)),
        (Default::Empty, Kind::Map { .. }) => Checked::Map(Vec::new()),
        (Default::Empty, _) => Checked::List(Vec::new()),
    })
}

fn rung_example(kind: RungKind) -> &'static str {
    rungs::table(kind, Place::Ladder).key(kind.required()).map_or("true", |key| example(&key.kind))
}

/// A value of that kind, as a hint shows it.
pub(crate) fn example(kind: &Kind) -> &'static str {
    match kind {
        Kind::Spec => "1",
        Kind::Integer { min: 100, max: 599 } => "503",
        Kind::Integer { .. } => "100",
        Kind::Duration { .. } => "\"250ms\"",
        Kind::Name | Kind::Word | Kind::Line | Kind::Text => "\"a-name\"",
        Kind::Choice(names) => match names().first().copied() {
            Some("guard") => "\"guard\"",
            Some("read") => "\"read\"",
            Some("fine") => "\"failed\"",
            Some("allow") => "\"deny\"",
            _ => "\"a-name\"",
        },
        Kind::Bool | Kind::Scalar => "true",
        Kind::OrOff(kind) => example(kind),
        Kind::Share => "\"per_instance\"",
        Kind::MeterKey => "[\"tenant\"]",
        Kind::List { of: Kind::Rung(_), .. } => "[{ deny = true }]",
        Kind::List { form: Form::Set | Form::AsWritten, .. } => "[\"a-name\"]",
        Kind::Rung(_) => "{ deny = true }",
        Kind::Table(table) if table.title == "a cap" => "{ requests = 100 }",
        Kind::Table(_) | Kind::Map { .. } | Kind::Deny => "{}",
    }
}
