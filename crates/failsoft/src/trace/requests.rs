//! The named requests of a trace that have not finished.

use std::collections::{BTreeMap, HashMap};

use failsoft_core::Request;

/// A trace holds at most so many; the one whose last line is oldest is forgotten to make room.
const MOST: usize = 16_384;

#[derive(Debug, Default)]
pub(super) struct Requests {
    /// With the number of its last line. Boxed, because half of the table stands empty.
    held: HashMap<String, (Box<Request>, u64)>,
    by_last_line: BTreeMap<u64, String>,
    lines: u64,
}

impl Requests {
    /// Takes the request out to be worked with; it comes back with [`put`](Self::put).
    pub(super) fn take(&mut self, name: &str) -> Option<Box<Request>> {
        let (request, last) = self.held.remove(name)?;
        self.by_last_line.remove(&last);
        Some(request)
    }

    pub(super) fn put(&mut self, name: String, request: Box<Request>) {
        if self.held.len() >= MOST
            && let Some((_, oldest)) = self.by_last_line.pop_first()
        {
            self.held.remove(&oldest);
        }
        self.lines += 1;
        self.by_last_line.insert(self.lines, name.clone());
        self.held.insert(name, (request, self.lines));
    }

    /// Every request that is held.
    pub(super) fn all(&mut self) -> impl Iterator<Item = &mut Request> {
        self.held.values_mut().map(|(request, _)| request.as_mut())
    }

    pub(super) fn operation_of(&self, name: &str) -> Option<&str> {
        self.held.get(name).map(|(request, _)| request.operation())
    }
}
