//! Gathering mistakes on the way through a document: where one stands, and how many are kept.

use std::collections::HashSet;
use std::ops::Range;

use failsoft_core::{Path, Segment};

use crate::visible::is_hidden;

/// So many mistakes are kept; the rest is counted.
pub(crate) const KEPT: usize = failsoft_core::limits::MISTAKES;

/// A mistake with its place in the text.
#[derive(Clone, Debug)]
pub(crate) struct Found {
    pub(crate) code: &'static str,
    pub(crate) path: Path,
    pub(crate) span: Range<usize>,
    pub(crate) what: String,
    pub(crate) help: Option<String>,
}

/// The mistakes found so far.
#[derive(Debug, Default)]
pub(crate) struct Collector {
    pub(crate) found: Vec<Found>,
    /// Mistakes beyond those kept.
    pub(crate) more: usize,
    /// Places of which nothing is known, because their keys are misspelt.
    pub(crate) unread: Vec<Path>,
    /// Something was left unread, so that names may be missing which the document has.
    pub(crate) incomplete: bool,
}

impl Collector {
    pub(crate) fn report(
        &mut self,
        code: &'static str,
        path: Path,
        span: Range<usize>,
        what: String,
        help: Option<String>,
    ) {
        if self.found.len() < KEPT {
            self.found.push(Found { code, path, span, what, help });
        } else {
            self.more = self.more.saturating_add(1);
        }
    }

    /// Counts a mistake that would not be kept, and says so: then its words need not be found, which may be dear.
    pub(crate) fn only_counts(&mut self) -> bool {
        let full = self.found.len() >= KEPT;
        if full {
            self.more = self.more.saturating_add(1);
        }
        full
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.found.is_empty()
    }

    /// Whether looking for further kinds of mistakes is of any use.
    pub(crate) fn is_final(&self) -> bool {
        self.incomplete || self.found.len() >= KEPT
    }

    /// The places at which something is wrong already.
    pub(crate) fn spoilt(&self) -> Spoilt {
        let mut spoilt = Spoilt::default();
        for place in self.found.iter().map(|found| &found.path).chain(&self.unread) {
            let mut above = place.parent();
            while let Some(path) = above {
                above = path.parent();
                spoilt.above.insert(path);
            }
            spoilt.places.insert(place.clone());
        }
        spoilt
    }
}

/// Places of a document that could not be read, and all that they stand in.
#[derive(Debug, Default)]
pub(crate) struct Spoilt {
    places: HashSet<Path>,
    above: HashSet<Path>,
}

impl Spoilt {
    /// Whether a mistake at `path` may only follow from one that is told already.
    pub(crate) fn touches(&self, path: &Path) -> bool {
        if self.above.contains(path) {
            return true;
        }
        let mut place = Some(path.clone());
        while let Some(path) = place {
            if self.places.contains(&path) {
                return true;
            }
            place = path.parent();
        }
        false
    }

    /// Whether a place of this form is spoilt: `*` stands for any one step, and what lies further in counts too.
    pub(crate) fn any(&self, form: &[&str]) -> bool {
        self.places.iter().any(|path| {
            // A part that is bad as a whole spoils what would have stood in it.
            !path.segments().is_empty()
                && path.segments().iter().zip(form).all(|(segment, wanted)| match segment {
                    Segment::Key(key) => *wanted == "*" || key == wanted,
                    Segment::Index(_) => *wanted == "*",
                })
        })
    }
}

/// Where the reader is, as a chain of borrowed steps; it becomes a [`Path`] only when a mistake is told.
#[derive(Clone, Copy, Debug)]
pub(crate) struct At<'a> {
    parent: Option<&'a At<'a>>,
    step: Step<'a>,
}

#[derive(Clone, Copy, Debug)]
enum Step<'a> {
    Root,
    Key(&'a str),
    Index(usize),
}

impl<'a> At<'a> {
    pub(crate) const ROOT: At<'static> = At { parent: None, step: Step::Root };

    pub(crate) fn key(&'a self, key: &'a str) -> At<'a> {
        At { parent: Some(self), step: Step::Key(key) }
    }

    pub(crate) fn index(&'a self, index: usize) -> At<'a> {
        At { parent: Some(self), step: Step::Index(index) }
    }

    pub(crate) fn path(&self) -> Path {
        let above = self.parent.map(At::path).unwrap_or_default();
        match self.step {
            Step::Root => above,
            Step::Key(key) => above.key(key),
            Step::Index(index) => above.index(index),
        }
    }

    /// What stands here, as a message calls it.
    pub(crate) fn subject(&self) -> String {
        match (self.step, self.parent) {
            (Step::Key(key), _) => shown(key),
            (Step::Index(_), Some(parent)) => format!("an entry of {}", parent.subject()),
            _ => "the document".to_owned(),
        }
    }
}

/// A part of the document as a message shows it: in backticks, shortened, and without what a terminal would obey.
pub(crate) fn shown(text: &str) -> String {
    const MOST: usize = 60;
    let mut out = String::from("`");
    for (count, character) in text.chars().enumerate() {
        if count >= MOST {
            out.push('…');
            break;
        }
        if is_hidden(character) {
            out.extend(character.escape_unicode());
        } else {
            out.push(character);
        }
    }
    out.push('`');
    out
}

#[cfg(test)]
mod tests {
    use super::{At, Collector, shown};

    #[test]
    fn what_is_shown_is_short_and_harmless() {
        assert_eq!(shown("role"), "`role`");
        assert_eq!(shown("a\u{1b}[31m\u{202e}"), "`a\\u{1b}[31m\\u{202e}`");
        assert_eq!(shown(&"x".repeat(4_000)).chars().count(), 63);
    }

    #[test]
    fn a_place_is_spoilt_by_what_stands_in_it_and_around_it() {
        let root = At::ROOT;
        let (dependency, meter) = (root.key("dependency"), root.key("meter"));
        let (quota, store) = (dependency.key("quota"), meter.key("m"));
        let mut collector = Collector::default();
        collector.report("unknown-value", quota.key("role").path(), 0..0, String::new(), None);
        let spoilt = collector.spoilt();
        assert!(spoilt.touches(&quota.path()));
        assert!(spoilt.touches(&quota.key("role").path().key("further")));
        assert!(!spoilt.touches(&quota.key("deadline").path()));
        assert!(!spoilt.touches(&store.path()));
        assert!(spoilt.any(&["dependency", "*", "role"]));
        assert!(!spoilt.any(&["dependency", "*", "stage"]));
    }
}
