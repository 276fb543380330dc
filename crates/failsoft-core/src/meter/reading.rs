//! What the store last said of a key.
//!
//! A reading stands for what this instance had settled up to its time. When each amount was settled is not kept: the
//! older part was settled up to a mark, the newer part after it. So an amount may for a while be counted twice, and
//! never be forgotten.

use crate::{MeterMode, Millis, Time};

/// A reading as it is told.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Reading {
    pub(crate) used: u64,
    pub(crate) limit: Option<u64>,
    pub(crate) mode: Option<MeterMode>,
    /// Its time.
    pub(crate) at: Time,
    /// When the store will begin anew, where it said so.
    pub(crate) reset: Option<Time>,
}

/// A reading as it is held.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Held {
    pub(crate) told: Reading,
    /// Settled here up to the mark, and not known to be in what was told.
    pub(crate) older: u64,
    pub(crate) mark: Time,
}

impl Reading {
    /// When it goes: at the reset that was told, else `window` after its time; nothing where it stays for good.
    pub(crate) fn end(&self, window: Option<Millis>) -> Option<Time> {
        self.reset.or_else(|| window.map(|window| self.at.exactly_after(window)))
    }

    pub(crate) fn lives(&self, window: Option<Millis>, now: Time) -> bool {
        self.end(window).is_none_or(|end| now < end)
    }
}

impl Held {
    /// What follows on `before` (nothing where none was held) as this is told at `now`; `newer` becomes what is left of
    /// it. `began` is when the period began, where one runs.
    pub(crate) fn after(
        before: Option<&Self>,
        began: Option<Time>,
        told: Reading,
        newer: &mut u64,
        now: Time,
    ) -> Self {
        let (held_older, held_mark) = before.map_or((0, began), |held| (held.older, Some(held.mark)));
        let (older, mark) = match held_mark {
            _ if told.at >= now => {
                *newer = 0;
                (0, now)
            }
            Some(mark) if told.at < mark => (held_older, mark),
            _ => (core::mem::take(newer), now),
        };
        let reset = told.reset.or(before.and_then(|held| held.told.reset));
        Self { told: Reading { reset, ..told }, older, mark }
    }
}
