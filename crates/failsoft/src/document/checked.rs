//! The document once its keys and values are known to be good, each by itself: defaults filled in, short forms
//! expanded, durations in milliseconds.

use failsoft_core::{Millis, RungKind};

use super::keys::Key;

/// A checked value.
#[derive(Clone, Debug)]
pub(crate) enum Checked {
    Bool(bool),
    Integer(u64),
    Millis(u64),
    Text(String),
    List(Vec<Checked>),
    Table(Fields),
    Map(Vec<(String, Checked)>),
    Rung(RungKind, Fields),
    /// Nothing to rest on: the mistake has been told.
    Spoilt,
}

impl Checked {
    pub(crate) fn text(&self) -> Option<&str> {
        match self {
            Self::Text(text) => Some(text),
            _ => None,
        }
    }

    pub(crate) fn table(&self) -> Option<&Fields> {
        match self {
            Self::Table(fields) | Self::Rung(_, fields) => Some(fields),
            _ => None,
        }
    }

    pub(crate) fn list(&self) -> &[Checked] {
        match self {
            Self::List(items) => items,
            _ => &[],
        }
    }
}

/// The keys of a checked table that are written or have a default.
#[derive(Clone, Debug)]
pub(crate) struct Fields {
    pub(crate) entries: Vec<(&'static Key, Checked)>,
}

impl Fields {
    pub(crate) fn get(&self, name: &str) -> Option<&Checked> {
        self.entries.iter().find(|(key, _)| key.name == name).map(|(_, value)| value)
    }

    pub(crate) fn is_spoilt(&self, name: &str) -> bool {
        matches!(self.get(name), Some(Checked::Spoilt))
    }

    pub(crate) fn text(&self, name: &str) -> Option<String> {
        self.get(name).and_then(Checked::text).map(str::to_owned)
    }

    pub(crate) fn integer(&self, name: &str) -> Option<u64> {
        match self.get(name) {
            Some(Checked::Integer(number)) => Some(*number),
            _ => None,
        }
    }

    /// A number that the draft holds in 32 bits; more than that is no different from the most there is.
    pub(crate) fn count(&self, name: &str) -> Option<u32> {
        self.integer(name).map(|number| u32::try_from(number).unwrap_or(u32::MAX))
    }

    pub(crate) fn boolean(&self, name: &str) -> Option<bool> {
        match self.get(name) {
            Some(Checked::Bool(value)) => Some(*value),
            _ => None,
        }
    }

    /// A value that can be off; `plain` where it is not there.
    pub(crate) fn or_off<T>(
        &self,
        name: &str,
        read: impl Fn(&Self, &str) -> Option<T>,
        plain: Option<T>,
    ) -> Option<T> {
        match self.get(name) {
            None | Some(Checked::Spoilt) => plain,
            Some(_) => read(self, name),
        }
    }

    pub(crate) fn millis(&self, name: &str) -> Option<Millis> {
        match self.get(name) {
            Some(Checked::Millis(number)) => Some(Millis::new(*number)),
            _ => None,
        }
    }

    pub(crate) fn choice<T>(&self, name: &str, from_name: impl Fn(&str) -> Option<T>) -> Option<T> {
        self.get(name).and_then(Checked::text).and_then(from_name)
    }

    pub(crate) fn list(&self, name: &str) -> &[Checked] {
        self.get(name).map_or(&[], Checked::list)
    }

    /// The strings of a list; a spoilt one stands as an empty string, so that the others keep their places.
    pub(crate) fn texts(&self, name: &str) -> Vec<String> {
        self.list(name).iter().map(|item| item.text().unwrap_or_default().to_owned()).collect()
    }

    pub(crate) fn choices<T>(&self, name: &str, from_name: impl Fn(&str) -> Option<T>) -> Vec<T> {
        self.list(name).iter().filter_map(Checked::text).filter_map(from_name).collect()
    }

    pub(crate) fn map(&self, name: &str) -> &[(String, Checked)] {
        match self.get(name) {
            Some(Checked::Map(entries)) => entries,
            _ => &[],
        }
    }

    pub(crate) fn table(&self, name: &str) -> Option<&Fields> {
        self.get(name).and_then(Checked::table)
    }
}
