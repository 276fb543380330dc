//! The keys that a meter holds: found by their hash, and in a row, the one to be looked at next for room first.

use alloc::vec::Vec;

use super::Key;
use super::index::Index;
use crate::Time;

/// How many keys are looked at where a full table needs room: a newcomer costs no more, whatever the table holds.
pub(crate) const LOOKED_AT: usize = 16;

/// A place among the keys.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Slot(u32);

impl Slot {
    const NONE: Self = Self(u32::MAX);

    fn of(index: usize) -> Self {
        Self(u32::try_from(index).unwrap_or(u32::MAX))
    }

    fn index(self) -> usize {
        usize::try_from(self.0).unwrap_or(usize::MAX)
    }
}

/// What is counted of one key. A table may hold a million of these, so what few keys have lies beside it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Entry {
    pub(crate) key: Key,
    /// Settled amounts that no reading stands for, but for the older part (see `reading.rs`) and what is unreported.
    pub(crate) newer: u64,
    /// When its period began; where none runs, the time of its reading. Its reading is held from here.
    pub(crate) base: Time,
    /// Which period it is (a moment would not do, because a restart moves it), and the flags above it.
    period_and_flags: u64,
    /// Where its reading lies; [`Self::NO_READING`] where it has none.
    reading: u32,
    /// How many readings were accepted while it was held.
    pub(crate) accepted: u32,
    next: Slot,
    previous: Slot,
}

impl Entry {
    const NO_READING: u32 = u32::MAX;

    const REACHED: u64 = 1 << 63;
    const CARRIED: u64 = 1 << 62;

    /// Nothing is counted of it, and no period runs.
    pub(crate) fn new(key: Key, base: Time) -> Self {
        Self {
            key,
            newer: 0,
            base,
            period_and_flags: 0,
            reading: Self::NO_READING,
            accepted: 0,
            next: Slot::NONE,
            previous: Slot::NONE,
        }
    }

    /// Which period runs; 0 where none does.
    pub(crate) const fn period(&self) -> u64 {
        self.period_and_flags & !(Self::REACHED | Self::CARRIED)
    }

    /// When its period began, where one runs.
    pub(crate) fn began(&self) -> Option<Time> {
        (self.period() > 0).then_some(self.base)
    }

    /// That its use has come to its limit was told.
    pub(crate) const fn reached(&self) -> bool {
        self.period_and_flags & Self::REACHED != 0
    }

    /// Its period began where the one before ended.
    pub(crate) const fn carried(&self) -> bool {
        self.period_and_flags & Self::CARRIED != 0
    }

    pub(crate) fn set_reached(&mut self, reached: bool) {
        self.set(Self::REACHED, reached);
    }

    /// A period begins, where the one before ended or not; the number 0 ends it.
    pub(crate) fn set_period(&mut self, number: u64, carried: bool) {
        let reached = self.period_and_flags & Self::REACHED;
        self.period_and_flags = number & !(Self::REACHED | Self::CARRIED) | reached;
        self.set(Self::CARRIED, carried);
    }

    fn set(&mut self, flag: u64, to: bool) {
        let without = self.period_and_flags & !flag;
        self.period_and_flags = if to { without | flag } else { without };
    }

    /// All but its place in the row is as there.
    pub(crate) fn take_counts_of(&mut self, other: &Self) {
        *self = Self { next: self.next, previous: self.previous, ..*other };
    }

    /// Where its reading lies.
    pub(crate) fn reading(&self) -> Option<u32> {
        Some(self.reading).filter(|place| *place != Self::NO_READING)
    }

    pub(crate) fn set_reading(&mut self, place: Option<u32>) {
        self.reading = place.unwrap_or(Self::NO_READING);
    }
}

/// For one more. An eighth more at a time: doubling would leave half of a large table empty.
pub(super) fn make_room<T>(held: &mut Vec<T>) {
    if held.len() == held.capacity() {
        held.reserve_exact((held.len() >> 3).max(16));
    }
}

fn hash_of(entries: &[Entry], slot: u32) -> u64 {
    entries.get(Slot(slot).index()).map_or(0, |entry| entry.key.0)
}

/// The keys of one meter.
#[derive(Clone, Debug)]
pub(crate) struct Keys {
    /// By the first half of the key.
    index: Index,
    entries: Vec<Entry>,
    free: Vec<Slot>,
    front: Slot,
    back: Slot,
}

impl Default for Keys {
    fn default() -> Self {
        Self {
            index: Index::default(),
            entries: Vec::new(),
            free: Vec::new(),
            front: Slot::NONE,
            back: Slot::NONE,
        }
    }
}

impl PartialEq for Keys {
    fn eq(&self, other: &Self) -> bool {
        let same = |(one, other): (&Entry, &Entry)| {
            let plain = |entry: &Entry| Entry { next: Slot::NONE, previous: Slot::NONE, ..*entry };
            plain(one) == plain(other)
        };
        self.len() == other.len()
            && self.row().zip(other.row()).all(|((_, one), (_, other))| same((one, other)))
    }
}

impl Keys {
    pub(crate) fn len(&self) -> usize {
        self.index.len()
    }

    pub(crate) fn find(&self, key: Key) -> Option<Slot> {
        let same = |slot: u32| self.get(Slot(slot)).is_some_and(|entry| entry.key == key);
        self.index.find(key.0, same).map(Slot)
    }

    pub(crate) fn get(&self, slot: Slot) -> Option<&Entry> {
        self.entries.get(slot.index())
    }

    pub(crate) fn get_mut(&mut self, slot: Slot) -> Option<&mut Entry> {
        self.entries.get_mut(slot.index())
    }

    /// All that are held, from the front of the row.
    pub(crate) fn row(&self) -> impl Iterator<Item = (Slot, &Entry)> {
        let mut next = self.front;
        core::iter::from_fn(move || {
            let slot = next;
            let entry = self.entries.get(slot.index())?;
            next = entry.next;
            Some((slot, entry))
        })
    }

    /// The slots at the front of the row, and how many they are.
    pub(crate) fn front(&self) -> ([Slot; LOOKED_AT], usize) {
        let mut slots = [Slot::NONE; LOOKED_AT];
        let mut count = 0usize;
        for (place, (slot, _)) in slots.iter_mut().zip(self.row()) {
            *place = slot;
            count = count.saturating_add(1);
        }
        (slots, count)
    }

    /// Holds one more, at the end of the row.
    pub(crate) fn push(&mut self, entry: Entry) -> Slot {
        let slot = match self.free.pop() {
            Some(slot) => {
                if let Some(place) = self.entries.get_mut(slot.index()) {
                    *place = entry;
                }
                slot
            }
            None => {
                make_room(&mut self.entries);
                self.entries.push(entry);
                Slot::of(self.entries.len().saturating_sub(1))
            }
        };
        let entries = &self.entries;
        self.index.insert(entry.key.0, slot.0, |slot| hash_of(entries, slot));
        self.link(slot);
        slot
    }

    pub(crate) fn remove(&mut self, slot: Slot) {
        let Some(key) = self.get(slot).map(|entry| entry.key) else { return };
        let entries = &self.entries;
        if self.index.remove(key.0, slot.0, |slot| hash_of(entries, slot)) {
            self.unlink(slot);
            self.free.push(slot);
        }
    }

    pub(crate) fn move_to_back(&mut self, slot: Slot) {
        self.unlink(slot);
        self.link(slot);
    }

    fn link(&mut self, slot: Slot) {
        let back = core::mem::replace(&mut self.back, slot);
        if let Some(entry) = self.entries.get_mut(slot.index()) {
            entry.previous = back;
            entry.next = Slot::NONE;
        }
        match self.entries.get_mut(back.index()) {
            Some(last) => last.next = slot,
            None => self.front = slot,
        }
    }

    fn unlink(&mut self, slot: Slot) {
        let Some(Entry { next, previous, .. }) = self.entries.get(slot.index()).copied() else { return };
        match self.entries.get_mut(previous.index()) {
            Some(entry) => entry.next = next,
            None => self.front = next,
        }
        match self.entries.get_mut(next.index()) {
            Some(entry) => entry.previous = previous,
            None => self.back = previous,
        }
    }
}
