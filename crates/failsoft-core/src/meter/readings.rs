//! The readings that a table holds, small: a table may hold one for each of a million keys.
//!
//! Nearly every reading is told as it is made, and ends within weeks. Such a one lies in six words, its moments as
//! lengths to or from a base that its key holds, which is the beginning of its period where one runs. Any other lies whole, beside them.

use alloc::collections::BTreeMap;
use alloc::vec::Vec;

use super::keys::make_room;
use super::reading::{Held, Reading};
use crate::{MeterMode, Millis, Time};

/// In the place of a length: there is none, or it doesn't fit.
const NONE: u32 = u32::MAX;

/// So many bits of a double word are a limit, one more than it is; the mode stands above.
const LIMIT_BITS: u32 = 54;

/// The reading's time is before the base.
const BEFORE_BASE: u64 = 1 << 61;

/// The mark is at the base; else it is the reading's time.
const MARK_AT_BASE: u64 = 1 << 60;

/// A reading in six words, or the mark of one that lies whole.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Packed {
    used: [u32; 2],
    limit_and_mode: [u32; 2],
    /// From the base.
    at: u32,
    /// From the reading's time.
    reset: u32,
}

impl Packed {
    /// It lies whole, or its place is free.
    const ELSEWHERE: Self = Self { used: [0; 2], limit_and_mode: [0; 2], at: NONE, reset: NONE };

    fn of(held: &Held, base: Time) -> Option<Self> {
        let Held { told, older, mark } = *held;
        let mark = match mark {
            mark if mark == told.at => 0,
            mark if mark == base => MARK_AT_BASE,
            _ => return None,
        };
        if older != 0 {
            return None;
        }
        let (at, side) = match length(base, told.at) {
            Some(after) => (after, 0),
            None => (length(told.at, base)?, BEFORE_BASE),
        };
        let limit = told.limit.map_or(0, |limit| limit.saturating_add(1));
        let mode = told.mode.map_or(0, |mode| u64::from(mode.number()).saturating_add(1));
        let reset = match told.reset {
            Some(reset) => length(told.at, reset)?,
            None => NONE,
        };
        (limit < 1 << LIMIT_BITS).then_some(())?;
        Some(Self {
            used: halves(told.used),
            limit_and_mode: halves(limit | mode << LIMIT_BITS | mark | side),
            at,
            reset,
        })
    }

    fn held(&self, base: Time) -> Held {
        let both = whole(self.limit_and_mode);
        let length = Millis::new(self.at.into());
        let at = if both & BEFORE_BASE == 0 { base.exactly_after(length) } else { base.minus(length) };
        let mark = if both & MARK_AT_BASE == 0 { at } else { base };
        let both = both & !(BEFORE_BASE | MARK_AT_BASE);
        let (limit, mode) = (both & ((1 << LIMIT_BITS) - 1), both >> LIMIT_BITS);
        let numbered = |known: &&MeterMode| u64::from(known.number()).saturating_add(1) == mode;
        let told = Reading {
            used: whole(self.used),
            limit: limit.checked_sub(1),
            mode: MeterMode::ALL.iter().find(numbered).copied(),
            at,
            reset: Some(self.reset)
                .filter(|reset| *reset != NONE)
                .map(|reset| at.exactly_after(Millis::new(reset.into()))),
        };
        Held { told, older: 0, mark }
    }
}

/// From one moment to a later one, where it is short enough.
fn length(from: Time, to: Time) -> Option<u32> {
    let length = to.as_millis().checked_sub(from.as_millis())?;
    u32::try_from(length).ok().filter(|length| *length != NONE)
}

fn halves(number: u64) -> [u32; 2] {
    let half = |number: u64| u32::try_from(number & u64::from(u32::MAX)).unwrap_or(0);
    [half(number >> 32), half(number)]
}

fn whole([high, low]: [u32; 2]) -> u64 {
    u64::from(high) << 32 | u64::from(low)
}

/// Readings by their places, which their keys remember.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Readings {
    packed: Vec<Packed>,
    whole: BTreeMap<u32, Held>,
    free: Vec<u32>,
}

impl Readings {
    pub(super) fn are_none(&self) -> bool {
        self.packed.len() == self.free.len()
    }

    /// The reading that was put there, with the same base.
    pub(super) fn get(&self, place: u32, base: Time) -> Option<Held> {
        let packed = self.packed.get(usize::try_from(place).ok()?)?;
        if *packed == Packed::ELSEWHERE { self.whole.get(&place).copied() } else { Some(packed.held(base)) }
    }

    /// Holds a reading of a key, in the place of the one that it has; where it is then.
    pub(super) fn put(&mut self, before: Option<u32>, base: Time, held: Held) -> u32 {
        let place = before.or_else(|| self.free.pop()).unwrap_or_else(|| {
            make_room(&mut self.packed);
            self.packed.push(Packed::ELSEWHERE);
            u32::try_from(self.packed.len().saturating_sub(1)).unwrap_or(NONE)
        });
        self.whole.remove(&place);
        let packed = Packed::of(&held, base).unwrap_or_else(|| {
            self.whole.insert(place, held);
            Packed::ELSEWHERE
        });
        self.set(place, packed);
        place
    }

    pub(super) fn remove(&mut self, place: u32) {
        self.whole.remove(&place);
        if self.set(place, Packed::ELSEWHERE) {
            self.free.push(place);
        }
    }

    fn set(&mut self, place: u32, packed: Packed) -> bool {
        let held = usize::try_from(place).ok().and_then(|place| self.packed.get_mut(place));
        held.map(|held| *held = packed).is_some()
    }
}

#[cfg(test)]
mod tests {
    use alloc::vec::Vec;

    use super::{Packed, Readings};
    use crate::meter::reading::{Held, Reading};
    use crate::{INTEGER_MAX, MeterMode, Time};

    #[test]
    fn a_reading_is_six_words() {
        assert_eq!(size_of::<Packed>(), 24);
    }

    fn place_after(put: &[(u32, Held)]) -> u32 {
        u32::try_from(put.len()).unwrap_or(0)
    }

    #[test]
    fn what_is_put_is_got() {
        let base = Time::from_millis(-40);
        let mut readings = Readings::default();
        let mut put = Vec::new();
        let moments =
            [-1 << 40, -4_000, -40, 0, 1 << 31, (1 << 32) - 42, 1 << 32, 1 << 50].map(Time::from_millis);
        let resets = moments.map(Some).into_iter().chain([None]);
        for reset in resets {
            for at in moments {
                for (used, limit) in [(0, None), (3, Some(0)), (INTEGER_MAX, Some(INTEGER_MAX))] {
                    for mode in [None, Some(MeterMode::Block), Some(MeterMode::Degrade)] {
                        for (older, mark) in [(0, at), (4, at), (0, base)] {
                            let told = Reading { used, limit, mode, at, reset };
                            let held = Held { told, older, mark };
                            put.push((readings.put(None, base, held), held));
                        }
                    }
                }
            }
        }
        for (place, held) in &put {
            assert_eq!(readings.get(*place, base), Some(*held));
        }
        for (place, _) in &put {
            readings.remove(*place);
            assert_eq!(readings.get(*place, base), None);
        }
        assert!(readings.are_none() && readings.whole.is_empty());
        let used_again = put.iter().all(|(_, held)| readings.put(None, base, *held) < place_after(&put));
        assert!(used_again && readings.packed.len() == put.len());
    }
}
