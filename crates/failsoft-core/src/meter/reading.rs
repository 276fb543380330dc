//! What the store last said of a key.
//!
//! A reading stands for what this instance had settled up to its time. When each amount was settled is not kept: the
//! older part was settled up to a mark, the newer part after it. So an amount may for a while be counted twice, and
//! never be forgotten.

use crate::{MeterMode, Time};

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
    /// How many were accepted in this period.
    pub(crate) accepted: u64,
}

impl Held {
    /// What follows on `before` (nothing where it is the period's first) as this is told at `now`; `newer` becomes
    /// what is left of it.
    pub(crate) fn after(
        before: Option<&Self>,
        began: Time,
        told: Reading,
        newer: &mut u64,
        now: Time,
    ) -> Self {
        let first = Self { told, older: 0, mark: began, accepted: 0 };
        let held = before.unwrap_or(&first);
        let (older, mark) = if told.at >= now {
            *newer = 0;
            (0, now)
        } else if told.at >= held.mark {
            (core::mem::take(newer), now)
        } else {
            (held.older, held.mark)
        };
        let reset = told.reset.or(held.told.reset);
        Self { told: Reading { reset, ..told }, older, mark, accepted: held.accepted.saturating_add(1) }
    }
}
