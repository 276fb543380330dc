//! Where a key lies, found in one look: the keys are hashes already, so a cell holds a part of the key and a place.
//!
//! Open addressing with linear probing, at most half full; a cell that is emptied is filled from behind, so that no
//! mark of what is gone is left. A look-up touches one line of this and one of the entries.

use alloc::vec::Vec;

/// So many bits of a cell are a place, from 1; the others are a part of the hash.
const PLACE_BITS: u32 = 20;
const PLACE: u32 = (1 << PLACE_BITS) - 1;

/// So many places there may be.
pub(crate) const MOST: usize = 1_000_000;

const EMPTY: u32 = 0;

/// Places by hash. The caller keeps what lies there.
#[derive(Clone, Debug, Default)]
pub(super) struct Index {
    cells: Vec<u32>,
    held: usize,
}

/// The part of a hash that a cell holds: other bits than those that choose the cell.
fn tag(hash: u64) -> u32 {
    u32::try_from(hash >> (64 - (32 - PLACE_BITS))).unwrap_or(0) << PLACE_BITS
}

impl Index {
    pub(super) fn len(&self) -> usize {
        self.held
    }

    fn home(&self, hash: u64) -> usize {
        // The number of cells is a power of two.
        let mask = self.cells.len().wrapping_sub(1);
        usize::try_from(hash & u64::from(u32::MAX)).unwrap_or(0) & mask
    }

    fn after(&self, cell: usize) -> usize {
        cell.wrapping_add(1) & self.cells.len().wrapping_sub(1)
    }

    /// The place with this hash that `is` the one looked for.
    #[inline]
    pub(super) fn find(&self, hash: u64, is: impl Fn(u32) -> bool) -> Option<u32> {
        self.cell_of(hash, is).map(|(_, place)| place)
    }

    #[inline]
    fn cell_of(&self, hash: u64, is: impl Fn(u32) -> bool) -> Option<(usize, u32)> {
        let mut cell = self.home(hash);
        let tag = tag(hash);
        loop {
            let held = *self.cells.get(cell)?;
            if held == EMPTY {
                return None;
            }
            let place = (held & PLACE).wrapping_sub(1);
            if held & !PLACE == tag && is(place) {
                return Some((cell, place));
            }
            cell = self.after(cell);
        }
    }

    /// Holds one more place. `hash_of` tells the hash of any that is held.
    pub(super) fn insert(&mut self, hash: u64, place: u32, hash_of: impl Fn(u32) -> u64) {
        if self.held.saturating_add(1).saturating_mul(2) > self.cells.len() {
            let size = self.cells.len().saturating_mul(2).max(16);
            let held = core::mem::replace(&mut self.cells, alloc::vec![EMPTY; size]);
            for cell in held.into_iter().filter(|cell| *cell != EMPTY) {
                self.put(hash_of((cell & PLACE).wrapping_sub(1)), cell);
            }
        }
        self.put(hash, tag(hash) | (place.wrapping_add(1) & PLACE));
        self.held = self.held.saturating_add(1);
    }

    fn put(&mut self, hash: u64, filled: u32) {
        let mut cell = self.home(hash);
        while let Some(held) = self.cells.get_mut(cell) {
            if *held == EMPTY {
                *held = filled;
                return;
            }
            cell = self.after(cell);
        }
    }

    /// Lets a place go; whether it was held.
    pub(super) fn remove(&mut self, hash: u64, place: u32, hash_of: impl Fn(u32) -> u64) -> bool {
        let Some((mut gap, _)) = self.cell_of(hash, |held| held == place) else { return false };
        let mut cell = gap;
        loop {
            cell = self.after(cell);
            let Some(held) = self.cells.get(cell).copied().filter(|held| *held != EMPTY) else { break };
            // It may move to the gap if the gap lies on its way from home.
            let home = self.home(hash_of((held & PLACE).wrapping_sub(1)));
            let mask = self.cells.len().wrapping_sub(1);
            let way = cell.wrapping_sub(home) & mask;
            if cell.wrapping_sub(gap) & mask <= way {
                if let Some(empty) = self.cells.get_mut(gap) {
                    *empty = held;
                }
                gap = cell;
            }
        }
        if let Some(empty) = self.cells.get_mut(gap) {
            *empty = EMPTY;
        }
        self.held = self.held.saturating_sub(1);
        true
    }
}

#[cfg(test)]
mod tests {
    use alloc::collections::BTreeMap;

    use super::Index;

    /// A small generator: few homes, so that ways cross and wrap around.
    fn next(random: &mut u64) -> u64 {
        *random ^= *random << 13;
        *random ^= *random >> 7;
        *random ^= *random << 17;
        *random
    }

    #[test]
    fn it_holds_what_a_plain_map_holds() {
        for seed in 1..200_u64 {
            let mut random = seed.wrapping_mul(0x9e37_79b9_7f4a_7c15);
            let (mut index, mut plain) = (Index::default(), BTreeMap::<u32, u64>::new());
            let mut hashes = BTreeMap::<u32, u64>::new();
            for _ in 0..400 {
                let place = u32::try_from(next(&mut random) % 40).unwrap_or(0);
                let hash_of = |hashes: &BTreeMap<u32, u64>, place| hashes.get(&place).copied().unwrap_or(0);
                match plain.get(&place).copied() {
                    None => {
                        // Half of them share their low bits, some their tag as well.
                        let hash = next(&mut random) & 0xfff0_0000_0000_000f;
                        hashes.insert(place, hash);
                        index.insert(hash, place, |place| hash_of(&hashes, place));
                        plain.insert(place, hash);
                    }
                    Some(hash) => {
                        assert!(index.remove(hash, place, |place| hash_of(&hashes, place)));
                        plain.remove(&place);
                    }
                }
                assert_eq!(index.len(), plain.len());
                for (place, hash) in &plain {
                    assert_eq!(index.find(*hash, |found| found == *place), Some(*place), "seed {seed}");
                }
                for (place, hash) in hashes.iter().filter(|(place, _)| !plain.contains_key(place)) {
                    assert_eq!(index.find(*hash, |found| found == *place), None, "seed {seed}");
                }
            }
        }
    }
}
