//! What is said again and again is kept once, and let go when nobody says it any more.

use std::collections::HashMap;
use std::hash::Hash;
use std::sync::Arc;

/// What can be kept once, and how long it is on the page.
pub(super) trait Weigh {
    /// Bytes of its JSON, or a few more.
    fn weight(&self) -> usize;
}

impl Weigh for Box<str> {
    fn weight(&self) -> usize {
        // `"` and `\` take two bytes, `<` and what controls six.
        let more = self.bytes().map(|byte| match byte {
            b'"' | b'\\' => 1,
            b'<' | 0..0x20 => 5,
            _ => 0,
        });
        self.len() + more.sum::<usize>() + 3
    }
}

/// Each thing once, by number.
pub(super) struct Interned<T> {
    numbers: HashMap<Arc<T>, u32>,
    items: Vec<Arc<T>>,
    bytes: usize,
}

impl<T: Eq + Hash + Weigh> Interned<T> {
    pub(super) fn new() -> Self {
        Self { numbers: HashMap::new(), items: Vec::new(), bytes: 0 }
    }

    /// The number of `item`, which it keeps.
    pub(super) fn number(&mut self, item: T) -> u32 {
        if let Some(number) = self.numbers.get(&item) {
            return *number;
        }
        // The budget of a page is exhausted long before the numbers are.
        let number = u32::try_from(self.items.len()).unwrap_or(u32::MAX);
        self.bytes += item.weight();
        let item = Arc::new(item);
        self.items.push(Arc::clone(&item));
        self.numbers.insert(item, number);
        number
    }

    pub(super) fn get(&self, number: u32) -> Option<&T> {
        self.items.get(usize::try_from(number).ok()?).map(Arc::as_ref)
    }

    pub(super) fn items(&self) -> impl Iterator<Item = &T> {
        self.items.iter().map(Arc::as_ref)
    }

    /// Bytes on the page.
    pub(super) fn bytes(&self) -> usize {
        self.bytes
    }

    /// Lets go of all but `used`, and says what their numbers are now.
    pub(super) fn keep(&mut self, used: &Marks) -> Renumbered {
        let mut numbers = Vec::with_capacity(self.items.len());
        let mut kept = Vec::new();
        self.numbers.clear();
        self.bytes = 0;
        for (item, used) in self.items.drain(..).zip(&used.0) {
            numbers.push(u32::try_from(kept.len()).unwrap_or(u32::MAX));
            if *used {
                self.bytes += item.weight();
                kept.push(item);
            }
        }
        self.items = kept;
        for (item, number) in self.items.iter().zip(0..) {
            self.numbers.insert(Arc::clone(item), number);
        }
        Renumbered(numbers)
    }

    /// Changes each in its place.
    pub(super) fn change(&mut self, change: impl Fn(&mut T))
    where
        T: Clone,
    {
        self.numbers.clear();
        for (item, number) in self.items.iter_mut().zip(0..) {
            change(Arc::make_mut(item));
            self.numbers.insert(Arc::clone(item), number);
        }
    }

    /// Nothing marked yet.
    pub(super) fn unmarked(&self) -> Marks {
        Marks(vec![false; self.items.len()])
    }
}

/// Which numbers are in use.
pub(super) struct Marks(Vec<bool>);

impl Marks {
    pub(super) fn mark(&mut self, number: u32) {
        if let Some(mark) = usize::try_from(number).ok().and_then(|place| self.0.get_mut(place)) {
            *mark = true;
        }
    }
}

/// What became of each number.
pub(super) struct Renumbered(Vec<u32>);

impl Renumbered {
    pub(super) fn apply(&self, number: &mut u32) {
        if let Some(new) = usize::try_from(*number).ok().and_then(|place| self.0.get(place)) {
            *number = *new;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_thing_once_and_none_unused() {
        let mut words: Interned<Box<str>> = Interned::new();
        let numbers = ["a", "b", "a", "c<"].map(|word| words.number(word.into()));
        assert_eq!(numbers, [0, 1, 0, 2]);
        assert_eq!(words.bytes(), 4 + 4 + 10);
        let mut used = words.unmarked();
        used.mark(2);
        let new = words.keep(&used);
        let mut number = 2;
        new.apply(&mut number);
        assert_eq!((number, words.get(0).map(|word| &**word), words.bytes()), (0, Some("c<"), 10));
        assert_eq!(words.number("b".into()), 1);
    }
}
