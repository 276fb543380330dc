//! Sets of the values of one variable.

use alloc::vec::Vec;

/// Some of the values that a variable can have, by their places.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Values(Vec<u64>);

impl Values {
    pub(crate) fn none() -> Self {
        Self(Vec::new())
    }

    /// The one of that place.
    #[must_use]
    pub fn one(place: usize) -> Self {
        let mut values = Self::none();
        values.insert(place);
        values
    }

    pub(crate) fn insert(&mut self, place: usize) {
        let (word, bit) = (place >> 6, place & 63);
        if self.0.len() <= word {
            self.0.resize(word.saturating_add(1), 0);
        }
        if let Some(held) = self.0.get_mut(word) {
            *held |= 1u64.rotate_left(u32::try_from(bit).unwrap_or(0));
        }
    }

    /// Whether the value of that place is one of them.
    #[must_use]
    pub fn contains(&self, place: usize) -> bool {
        let (word, bit) = (place >> 6, place & 63);
        self.0.get(word).is_some_and(|held| held.rotate_right(u32::try_from(bit).unwrap_or(0)) & 1 == 1)
    }

    /// Whether both have one.
    #[must_use]
    pub fn meets(&self, other: &Self) -> bool {
        self.0.iter().zip(&other.0).any(|(one, other)| one & other != 0)
    }

    /// Those that both have; nothing where there are none.
    #[must_use]
    pub fn and(&self, other: &Self) -> Option<Self> {
        let words = self.0.iter().zip(&other.0).map(|(one, other)| one & other).collect();
        Some(Self(words)).filter(|both: &Self| both.first().is_some())
    }

    /// The first that both have.
    pub(crate) fn first_of(&self, other: &Self) -> Option<usize> {
        first(self.0.iter().zip(&other.0).map(|(one, other)| one & other))
    }

    /// Those that either has.
    pub(crate) fn or(&mut self, other: &Self) {
        for place in other.iter() {
            self.insert(place);
        }
    }

    /// How many there are.
    #[must_use]
    pub fn count(&self) -> usize {
        self.0
            .iter()
            .fold(0_usize, |sum, word| sum.saturating_add(usize::try_from(word.count_ones()).unwrap_or(0)))
    }

    /// The first of them.
    #[must_use]
    pub fn first(&self) -> Option<usize> {
        first(self.0.iter().copied())
    }

    /// All of them, in order.
    pub fn iter(&self) -> impl Iterator<Item = usize> {
        self.0.iter().enumerate().flat_map(|(place, word)| {
            let mut rest = *word;
            core::iter::from_fn(move || {
                let bit = usize::try_from(rest.trailing_zeros()).ok().filter(|_| rest != 0)?;
                rest &= rest.wrapping_sub(1);
                Some(place.saturating_mul(64).saturating_add(bit))
            })
        })
    }
}

fn first(words: impl Iterator<Item = u64>) -> Option<usize> {
    let (place, word) = words.enumerate().find(|(_, word)| *word != 0)?;
    let bit = usize::try_from(word.trailing_zeros()).ok()?;
    Some(place.saturating_mul(64).saturating_add(bit))
}
