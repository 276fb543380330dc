//! How much work may be done: counted in steps, so that a matrix is gone through or too large on every machine alike.

use alloc::rc::Rc;
use core::cell::Cell;

/// There are more ways than can be gone through.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TooMany;

/// What is left of the work that may be done. Copies share it.
#[derive(Clone, Debug)]
pub struct Work(Rc<Cell<u64>>);

/// So many steps for one matrix, or two: a step takes about a tenth of a microsecond.
const MOST: u64 = 60_000_000;

/// The steps of one question to the engine's rules.
pub(super) const ASKED: usize = 10;

impl Default for Work {
    fn default() -> Self {
        Self(Rc::new(Cell::new(MOST)))
    }
}

impl Work {
    /// So many steps are done; that they were too many shows in [`enough`](Self::enough).
    pub(crate) fn spend(&self, steps: usize) {
        let steps = u64::try_from(steps).unwrap_or(u64::MAX);
        self.0.set(self.0.get().saturating_sub(steps));
    }

    /// # Errors
    /// Nothing is left.
    pub(crate) fn enough(&self) -> Result<(), TooMany> {
        if self.0.get() == 0 { Err(TooMany) } else { Ok(()) }
    }

    /// Both at once.
    ///
    /// # Errors
    /// Nothing is left.
    pub fn take(&self, steps: usize) -> Result<(), TooMany> {
        self.spend(steps);
        self.enough()
    }
}
