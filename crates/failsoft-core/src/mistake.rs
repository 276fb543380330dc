//! What is wrong with a matrix, where, and what to write instead.

use alloc::format;
use alloc::string::{String, ToString};
use alloc::vec::Vec;
use core::fmt;

/// A step on the way to a place in a matrix.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Segment {
    /// A key of a table.
    Key(String),
    /// An element of a list, counted from 0.
    Index(usize),
}

/// A place in a matrix, such as `dependency.quota.on_failure[0].local_meter.meter`.
///
/// Rungs are addressed in their long form, whichever was written.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Path(Vec<Segment>);

impl Path {
    /// The matrix itself.
    #[must_use]
    pub const fn root() -> Self {
        Self(Vec::new())
    }

    /// The value under `key`.
    #[must_use]
    pub fn key(&self, key: &str) -> Self {
        let mut path = self.clone();
        path.0.push(Segment::Key(key.to_string()));
        path
    }

    /// Element `index`.
    #[must_use]
    pub fn index(&self, index: usize) -> Self {
        let mut path = self.clone();
        path.0.push(Segment::Index(index));
        path
    }

    /// The steps, from the root.
    #[must_use]
    pub fn segments(&self) -> &[Segment] {
        &self.0
    }

    /// The place that this one stands in; `None` for the root.
    #[must_use]
    pub fn parent(&self) -> Option<Self> {
        let (_, rest) = self.0.split_last()?;
        Some(Self(rest.to_vec()))
    }
}

impl fmt::Display for Path {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (position, segment) in self.0.iter().enumerate() {
            match segment {
                Segment::Key(key) if position == 0 => f.write_str(key)?,
                Segment::Key(key) => write!(f, ".{key}")?,
                Segment::Index(index) => write!(f, "[{index}]")?,
            }
        }
        Ok(())
    }
}

/// A mistake in a matrix: a stable code, the place, what is wrong, and what to write instead.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Mistake {
    /// A stable name such as `unknown-dependency`, listed in the specification.
    pub code: &'static str,
    /// Where.
    pub path: Path,
    /// What is wrong, in one sentence without a final period.
    pub what: String,
    /// What to write instead, in one sentence without a final period.
    pub help: Option<String>,
}

impl Mistake {
    /// A mistake with a hint.
    #[must_use]
    pub fn new(code: &'static str, path: Path, what: String, help: Option<String>) -> Self {
        Self { code, path, what, help }
    }
}

impl fmt::Display for Mistake {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.path, self.what)?;
        match &self.help {
            Some(help) => write!(f, " ({help})"),
            None => Ok(()),
        }
    }
}

impl core::error::Error for Mistake {}

/// "did you mean": the known name nearest to `given`, where one is near enough to be a slip of the hand.
#[must_use]
pub fn nearest<'a>(given: &str, known: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    // A name of another length by more than the tolerance cannot be near; so long ones cost nothing.
    let tolerance = (given.chars().count() / 3).clamp(1, 3);
    known
        .into_iter()
        .filter(|name| name.chars().count().abs_diff(given.chars().count()) <= tolerance)
        .map(|name| (distance(given, name), name))
        .filter(|(distance, _)| *distance <= tolerance)
        .min_by_key(|(distance, _)| *distance)
        .map(|(_, name)| name)
}

/// "did you mean `x`?", or the whole choice where nothing is near.
#[must_use]
pub fn suggestion<'a>(given: &str, known: impl IntoIterator<Item = &'a str> + Clone) -> Option<String> {
    if let Some(name) = nearest(given, known.clone()) {
        return Some(format!("did you mean `{name}`?"));
    }
    let names: Vec<&str> = known.into_iter().take(13).collect();
    match names.as_slice() {
        [] => None,
        [..] if names.len() > 12 => None,
        [..] => Some(format!("one of `{}`", names.join("`, `"))),
    }
}

/// Insertions, deletions, replacements and swaps of neighbours between two names (optimal string alignment).
fn distance(left: &str, right: &str) -> usize {
    // What both begin and end with costs nothing, and names of one matrix often share most of their letters.
    let shared = left.chars().zip(right.chars()).take_while(|(one, other)| one == other).count();
    let (left, right) = (left.chars().skip(shared), right.chars().skip(shared));
    let (mut left, mut right): (Vec<char>, Vec<char>) = (left.collect(), right.collect());
    while left.last().is_some() && left.last() == right.last() {
        left.pop();
        right.pop();
    }
    let mut before: Vec<usize> = Vec::new();
    let mut above: Vec<usize> = (0..=right.len()).collect();
    let mut last = None;
    for (row, character) in left.into_iter().enumerate() {
        if above.iter().min().is_none_or(|least| *least > 3) {
            return usize::MAX; // Too far to be meant, and it only grows.
        }
        let mut current = Vec::with_capacity(above.len());
        current.push(row.saturating_add(1));
        for (column, other) in right.iter().enumerate() {
            let at = |line: &[usize], index: usize| line.get(index).copied().unwrap_or(usize::MAX);
            let next = column.saturating_add(1);
            let replaced = at(&above, column).saturating_add(usize::from(character != *other));
            let mut cost =
                replaced.min(at(&above, next).saturating_add(1)).min(at(&current, column).saturating_add(1));
            let previous = column.checked_sub(1);
            if let Some(previous) = previous
                && last == Some(*other)
                && right.get(previous) == Some(&character)
            {
                cost = cost.min(at(&before, previous).saturating_add(1));
            }
            current.push(cost);
        }
        last = Some(character);
        before = core::mem::replace(&mut above, current);
    }
    above.last().copied().unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::{distance, nearest};

    #[test]
    fn distance_counts_slips_of_the_hand() {
        assert_eq!(distance("", ""), 0);
        assert_eq!(distance("fault", "fault"), 0);
        assert_eq!(distance("fualt", "fault"), 1);
        assert_eq!(distance("faults", "fault"), 1);
        assert_eq!(distance("kitten", "sitting"), 3);
    }

    #[test]
    fn nearest_offers_only_what_is_near() {
        let known = ["on_failure", "on_refusal", "role"];
        assert_eq!(nearest("on_falure", known), Some("on_failure"));
        assert_eq!(nearest("rol", known), Some("role"));
        assert_eq!(nearest("deadline", known), None);
    }
}
