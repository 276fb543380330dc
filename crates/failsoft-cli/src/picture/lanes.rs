//! The lanes of dependencies, or of operations: by name, because a reload gives another matrix with other ids.

use std::collections::BTreeMap;

use super::lane::Lane;
use super::span::Kind;
use crate::words::name;

/// So many lanes there are of a kind: as many as a matrix may have. Where reloads bring more, whoever is gone makes room.
const MOST: usize = 1_024;

pub(super) struct Lanes {
    kind: Kind,
    lanes: Vec<Lane>,
    by_name: BTreeMap<Box<str>, usize>,
    /// The lane of each id of the present matrix.
    of: Vec<usize>,
    /// When what a lane is of began, where that was not at the beginning.
    since: Vec<Option<i64>>,
    /// How many lanes have made room.
    left_out: u64,
}

impl Lanes {
    pub(super) fn new<'n>(kind: Kind, names: impl Iterator<Item = &'n str>) -> Self {
        let (lanes, by_name, of) = (Vec::new(), BTreeMap::new(), Vec::new());
        let mut lanes = Self { kind, lanes, by_name, of, since: Vec::new(), left_out: 0 };
        lanes.follow(names, None);
        lanes
    }

    /// Another matrix has taken over. Says which lanes have become somebody else's.
    pub(super) fn follow<'n>(&mut self, names: impl Iterator<Item = &'n str>, at: Option<i64>) -> Vec<usize> {
        let names: Vec<&str> = names.collect();
        let known = |lanes: &Self, held: &str| lanes.by_name.get(held).copied();
        let mut gone = vec![true; self.lanes.len()];
        for place in names.iter().filter_map(|held| known(self, held)) {
            gone[place] = false;
        }
        let mut free = gone.into_iter().enumerate().filter_map(|(place, gone)| gone.then_some(place));
        let mut taken = Vec::new();
        self.of.clear();
        for held in names {
            let place = known(self, held).unwrap_or_else(|| {
                let lane = Lane::new(self.kind, name(held));
                let room = (self.lanes.len() >= MOST).then(|| free.next()).flatten();
                let place = room.unwrap_or(self.lanes.len());
                match self.lanes.get_mut(place) {
                    Some(gone) => {
                        *gone = lane;
                        self.by_name.retain(|_, other| *other != place);
                        self.left_out += 1;
                        taken.push(place);
                    }
                    None => {
                        self.lanes.push(lane);
                        self.since.push(None);
                    }
                }
                self.by_name.insert(held.into(), place);
                self.begin(place, at);
                place
            });
            self.of.push(place);
        }
        taken
    }

    /// What a lane is of begins then.
    pub(super) fn begin(&mut self, place: usize, at: Option<i64>) {
        if let Some(since) = self.since.get_mut(place) {
            *since = at;
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

    /// When it began; nothing where that was at the beginning.
    pub(super) fn since(&self, id: usize) -> Option<i64> {
        *self.since.get(self.place(id)?)?
    }

    pub(super) fn left_out(&self) -> u64 {
        self.left_out
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
