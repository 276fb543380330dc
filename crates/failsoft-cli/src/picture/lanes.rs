//! The lanes of dependencies, or of operations: by name, because a reload gives another matrix with other ids.

use std::collections::BTreeMap;

use super::lane::Lane;
use super::span::Kind;
use crate::words::name;

pub(super) struct Lanes {
    kind: Kind,
    lanes: Vec<Lane>,
    by_name: BTreeMap<Box<str>, usize>,
    /// The lane of each id of the present matrix.
    of: Vec<usize>,
    /// When the matrix came that has it.
    since: Vec<Option<i64>>,
}

impl Lanes {
    pub(super) fn new<'n>(kind: Kind, names: impl Iterator<Item = &'n str>) -> Self {
        let mut lanes =
            Self { kind, lanes: Vec::new(), by_name: BTreeMap::new(), of: Vec::new(), since: Vec::new() };
        lanes.follow(names, None);
        lanes
    }

    /// Another matrix has taken over: who is new begins a lane, and who is gone gets to the end of it.
    pub(super) fn follow<'n>(&mut self, names: impl Iterator<Item = &'n str>, at: Option<i64>) {
        let before = std::mem::take(&mut self.of);
        for held in names {
            let place = self.by_name.get(held).copied().unwrap_or_else(|| {
                self.by_name.insert(held.into(), self.lanes.len());
                self.lanes.push(Lane::new(self.kind, name(held)));
                self.since.push(at);
                self.lanes.len() - 1
            });
            self.of.push(place);
        }
        for gone in before.into_iter().filter(|place| !self.of.contains(place)) {
            if let Some((span, at)) = self.lanes.get_mut(gone).and_then(Lane::last_mut).zip(at) {
                span.to = at;
            }
        }
    }

    /// Which lane it is that an id of the present matrix has.
    pub(super) fn place(&self, id: usize) -> Option<usize> {
        self.of.get(id).copied()
    }

    pub(super) fn get_mut(&mut self, id: usize) -> Option<&mut Lane> {
        let place = self.place(id)?;
        self.lanes.get_mut(place)
    }

    /// When the matrix came that has it; nothing where the first one had.
    pub(super) fn since(&self, id: usize) -> Option<i64> {
        *self.since.get(self.place(id)?)?
    }

    pub(super) fn len(&self) -> usize {
        self.lanes.len()
    }

    pub(super) fn iter(&self) -> std::slice::Iter<'_, Lane> {
        self.lanes.iter()
    }

    pub(super) fn iter_mut(&mut self) -> std::slice::IterMut<'_, Lane> {
        self.lanes.iter_mut()
    }
}
