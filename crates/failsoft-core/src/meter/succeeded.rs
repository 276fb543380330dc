//! A meter's counts under the next matrix (spec 10.3).

use alloc::vec::Vec;

use super::keys::Slot;
use super::table::Table;
use crate::Time;
use crate::matrix::Meter;

impl Table {
    /// What has ended by now has ended by the old `window`, and a smaller table lets as many go as are too many.
    pub(crate) fn follow(&mut self, old: &Meter, new: &Meter, now: Time) {
        if (old.window, old.capacity) == (new.window, new.capacity) {
            return;
        }
        for slot in self.slots() {
            if self.roll(old, slot, now) {
                self.leave_if_empty(slot);
            }
        }
        let mut too_many = self.keys.len().saturating_sub(new.capacity);
        for is_over in [false, true] {
            for slot in self.slots() {
                if too_many > 0 && self.is_over(new, slot) == is_over {
                    self.displace(slot);
                    too_many = too_many.saturating_sub(1);
                }
            }
        }
    }

    /// All keys that are held, from the front of the row.
    fn slots(&self) -> Vec<Slot> {
        self.keys.row().map(|(slot, _)| slot).collect()
    }

    /// Settles all that waits, as it is.
    pub(crate) fn settle_all(&mut self, meter: &Meter, now: Time) {
        while let Some((_, serial)) = self.reserved.first() {
            self.settle_reserved(meter, serial, now);
        }
    }
}
