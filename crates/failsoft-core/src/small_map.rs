//! A map of a few entries, in one allocation. A host holds thousands of requests at a time, each with a handful.

use alloc::vec::Vec;

/// Sorted by key, so that a look-up is a binary search and two equal maps are equal.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct SmallMap<K, V>(Vec<(K, V)>);

impl<K, V> Default for SmallMap<K, V> {
    fn default() -> Self {
        Self(Vec::new())
    }
}

impl<K: Copy + Ord, V> SmallMap<K, V> {
    fn place(&self, key: K) -> Result<usize, usize> {
        self.0.binary_search_by(|(held, _)| held.cmp(&key))
    }

    pub(crate) fn get(&self, key: K) -> Option<&V> {
        let place = self.place(key).ok()?;
        self.0.get(place).map(|(_, value)| value)
    }

    /// The value of `key`, made where there is none yet.
    pub(crate) fn entry(&mut self, key: K, make: impl FnOnce() -> V) -> &mut V {
        let place = match self.place(key) {
            Ok(place) => place,
            Err(place) => {
                self.0.insert(place, (key, make()));
                place
            }
        };
        #[expect(clippy::indexing_slicing, reason = "the place was found or filled just above")]
        &mut self.0[place].1
    }

    pub(crate) fn insert(&mut self, key: K, value: V) {
        match self.place(key) {
            Ok(place) => {
                if let Some(entry) = self.0.get_mut(place) {
                    entry.1 = value;
                }
            }
            Err(place) => self.0.insert(place, (key, value)),
        }
    }

    pub(crate) fn remove(&mut self, key: K) {
        if let Ok(place) = self.place(key) {
            self.0.remove(place);
        }
    }

    /// Every key gets another name; what has none goes.
    pub(crate) fn rename(&mut self, name: impl Fn(K) -> Option<K>) {
        self.0.retain_mut(|(key, _)| match name(*key) {
            Some(renamed) => {
                *key = renamed;
                true
            }
            None => false,
        });
        self.0.sort_by_key(|(key, _)| *key);
    }

    pub(crate) fn retain_values(&mut self, keep: impl Fn(&mut V) -> bool) {
        self.0.retain_mut(|(_, value)| keep(value));
    }

    pub(crate) fn iter(&self) -> impl Iterator<Item = (K, &V)> {
        self.0.iter().map(|(key, value)| (*key, value))
    }

    pub(crate) fn values(&self) -> impl Iterator<Item = &V> {
        self.0.iter().map(|(_, value)| value)
    }
}
