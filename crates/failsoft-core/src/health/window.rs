//! The call window: what has counted lately. One outcome costs the same whatever the window holds.

use alloc::boxed::Box;
use alloc::vec;

use super::rules::WindowShape;
use crate::{INTEGER_MAX, Millis, Time};

/// What a number of calls were.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Tally {
    pub(crate) calls: u64,
    pub(crate) failed: u64,
    pub(crate) slow: u64,
    pub(crate) refused: u64,
}

impl Tally {
    const MOST: Self =
        Self { calls: INTEGER_MAX, failed: INTEGER_MAX, slow: INTEGER_MAX, refused: INTEGER_MAX };

    /// Counters stop, and so does what they add up to. Only a restored window holds as much.
    #[inline]
    fn told(self) -> Self {
        // All of them are below a power of two if their bits together are.
        if self.calls | self.failed | self.slow | self.refused <= INTEGER_MAX {
            return self;
        }
        self.each(Self::MOST, u64::min)
    }

    #[inline]
    fn each(self, other: Self, with: impl Fn(u64, u64) -> u64) -> Self {
        Self {
            calls: with(self.calls, other.calls),
            failed: with(self.failed, other.failed),
            slow: with(self.slow, other.slow),
            refused: with(self.refused, other.refused),
        }
    }

    pub(crate) fn plus(self, other: Self) -> Self {
        self.each(other, u64::saturating_add)
    }

    fn less(self, other: Self) -> Self {
        self.each(other, u64::saturating_sub)
    }
}

/// A call that counted.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Call {
    pub(crate) failed: bool,
    pub(crate) slow: bool,
    pub(crate) refused: bool,
}

impl Call {
    pub(crate) fn tally(self) -> Tally {
        Tally { calls: 1, failed: self.failed.into(), slow: self.slow.into(), refused: self.refused.into() }
    }

    /// As one octal digit.
    pub(crate) fn digit(self) -> u8 {
        u8::from(self.failed) | u8::from(self.slow) << 1 | u8::from(self.refused) << 2
    }

    pub(crate) fn from_digit(digit: u8) -> Self {
        Self { failed: digit & 1 != 0, slow: digit & 2 != 0, refused: digit & 4 != 0 }
    }
}

#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Window {
    None,
    Calls(CallRing),
    Time(TimeRing),
}

/// The last so many calls.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct CallRing {
    /// One digit a call.
    calls: Box<[u8]>,
    next: usize,
    held: usize,
    total: Tally,
}

/// The calls of the last so many buckets of time.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct TimeRing {
    buckets: Box<[Tally]>,
    current: usize,
    /// When the current bucket ends: everything else follows from it.
    end: Time,
    length: Millis,
    total: Tally,
}

impl Window {
    /// An empty window of an engine whose clock stands at `start`.
    pub(crate) fn new(shape: WindowShape, start: Time) -> Self {
        match shape {
            WindowShape::None => Self::None,
            WindowShape::Calls { size } => {
                let size = usize::try_from(size).unwrap_or(1).max(1);
                Self::Calls(CallRing {
                    calls: vec![0; size].into_boxed_slice(),
                    next: 0,
                    held: 0,
                    total: Tally::default(),
                })
            }
            WindowShape::Time { buckets, bucket } => {
                let count = usize::try_from(buckets).unwrap_or(1).max(1);
                let length = i64::try_from(bucket.get()).unwrap_or(i64::MAX).max(1);
                // A bucket begins at a multiple of its length.
                let into = start.as_millis().checked_rem_euclid(length).unwrap_or(0);
                let end = start.plus(Millis::new(u64::try_from(length.saturating_sub(into)).unwrap_or(1)));
                Self::Time(TimeRing {
                    buckets: vec![Tally::default(); count].into_boxed_slice(),
                    current: 0,
                    end,
                    length: bucket,
                    total: Tally::default(),
                })
            }
        }
    }

    pub(crate) fn is_none(&self) -> bool {
        matches!(self, Self::None)
    }

    #[inline]
    pub(crate) fn record(&mut self, now: Time, call: Call) {
        match self {
            Self::None => {}
            Self::Calls(ring) => ring.record(call),
            Self::Time(ring) => ring.record(now, call),
        }
    }

    /// What it holds at `now`.
    #[inline]
    pub(crate) fn at(&self, now: Time) -> Tally {
        match self {
            Self::None => Tally::default(),
            Self::Calls(ring) => ring.total,
            Self::Time(ring) => ring.at(now).told(),
        }
    }

    /// What it will hold when this call has been recorded.
    #[inline]
    pub(crate) fn with(&self, now: Time, call: Call) -> Tally {
        let left = match self {
            Self::Time(ring) if now < ring.end => ring.total,
            Self::Calls(ring) if ring.held == ring.calls.len() => {
                let oldest = ring.calls.get(ring.next).copied().unwrap_or(0);
                ring.total.less(Call::from_digit(oldest).tally())
            }
            window => window.at(now),
        };
        // One more can't overflow what counters that stop add up to.
        Tally {
            calls: left.calls.wrapping_add(1),
            failed: left.failed.wrapping_add(call.failed.into()),
            slow: left.slow.wrapping_add(call.slow.into()),
            refused: left.refused.wrapping_add(call.refused.into()),
        }
        .told()
    }

    pub(crate) fn clear(&mut self) {
        match self {
            Self::None => {}
            Self::Calls(ring) => {
                ring.next = 0;
                ring.held = 0;
                ring.total = Tally::default();
            }
            Self::Time(ring) => {
                ring.buckets.fill(Tally::default());
                ring.total = Tally::default();
            }
        }
    }

    /// The first end of a bucket that is not before `moment`; none where there are no buckets.
    pub(crate) fn bucket_end(&self, moment: Time) -> Option<Time> {
        let Self::Time(ring) = self else { return None };
        if moment <= ring.end {
            // The end of an earlier bucket may lie between.
            let back = ring.end.as_millis().saturating_sub(moment.as_millis());
            let whole = back.checked_div(ring.step()).unwrap_or(0);
            return Some(Time::from_unclamped(
                ring.end.as_millis().saturating_sub(whole.saturating_mul(ring.step())),
            ));
        }
        let past = moment.as_millis().saturating_sub(ring.end.as_millis()).saturating_sub(1);
        let whole = past.checked_div(ring.step()).unwrap_or(0).saturating_add(1);
        Some(Time::from_unclamped(ring.end.as_millis().saturating_add(whole.saturating_mul(ring.step()))))
    }

    /// How it is saved: what is left of the current bucket and the buckets, the newest first; or the calls, the
    /// oldest first.
    pub(crate) fn saved(&self, now: Time) -> Option<Saved> {
        match self {
            Self::None => None,
            Self::Calls(ring) => {
                let size = ring.calls.len();
                let first = ring.next.saturating_add(size).saturating_sub(ring.held);
                let digit = |place: usize| {
                    let place = first.saturating_add(place).checked_rem(size).unwrap_or(0);
                    ring.calls.get(place).copied().unwrap_or(0)
                };
                Some(Saved::Calls((0..ring.held).map(digit).collect()))
            }
            Self::Time(ring) => {
                let mut ring = ring.clone();
                ring.roll(now);
                let count = ring.buckets.len();
                let bucket = |back: usize| {
                    let place = ring.current.saturating_add(count).saturating_sub(back);
                    ring.buckets.get(place.checked_rem(count).unwrap_or(0)).copied().unwrap_or_default()
                };
                let mut buckets: alloc::vec::Vec<Tally> = (0..count).map(bucket).collect();
                while buckets.last() == Some(&Tally::default()) {
                    buckets.pop();
                }
                Some(Saved::Time { left: ring.end.since(now), buckets })
            }
        }
    }

    /// Takes back what was saved; false, and nothing, where it is of another shape.
    pub(crate) fn restore(&mut self, now: Time, saved: &Saved) -> bool {
        self.clear();
        match (self, saved) {
            (Self::Calls(ring), Saved::Calls(calls)) if calls.len() <= ring.calls.len() => {
                calls.iter().for_each(|digit| ring.record(Call::from_digit(*digit)));
                true
            }
            (Self::Time(ring), Saved::Time { left, buckets })
                if buckets.len() <= ring.buckets.len() && *left <= ring.length =>
            {
                ring.end = now.exactly_after(*left);
                let count = ring.buckets.len();
                for (back, tally) in buckets.iter().enumerate() {
                    let place = ring.current.saturating_add(count).saturating_sub(back);
                    if let Some(bucket) = ring.buckets.get_mut(place.checked_rem(count).unwrap_or(0)) {
                        *bucket = *tally;
                        ring.total = ring.total.plus(*tally);
                    }
                }
                true
            }
            _ => false,
        }
    }
}

/// A window as a snapshot holds it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Saved {
    Calls(alloc::vec::Vec<u8>),
    Time { left: Millis, buckets: alloc::vec::Vec<Tally> },
}

impl CallRing {
    fn record(&mut self, call: Call) {
        let full = self.held == self.calls.len();
        if let Some(place) = self.calls.get_mut(self.next) {
            if full {
                self.total = self.total.less(Call::from_digit(*place).tally());
            } else {
                self.held = self.held.saturating_add(1);
            }
            *place = call.digit();
            self.total = self.total.plus(call.tally());
        }
        self.next = self.next.saturating_add(1);
        if self.next == self.calls.len() {
            self.next = 0;
        }
    }
}

impl TimeRing {
    fn step(&self) -> i64 {
        i64::try_from(self.length.get()).unwrap_or(i64::MAX).max(1)
    }

    #[inline]
    fn record(&mut self, now: Time, call: Call) {
        if now >= self.end {
            self.roll(now);
        }
        let Some(bucket) = self.buckets.get_mut(self.current) else { return };
        // Each counter stops by itself, so that the sum stays the sum of the buckets.
        let one = |held: &mut u64, total: &mut u64, counts: bool| {
            let more = u64::from(counts && *held < INTEGER_MAX);
            *held = held.wrapping_add(more);
            *total = total.wrapping_add(more);
        };
        one(&mut bucket.calls, &mut self.total.calls, true);
        one(&mut bucket.failed, &mut self.total.failed, call.failed);
        one(&mut bucket.slow, &mut self.total.slow, call.slow);
        one(&mut bucket.refused, &mut self.total.refused, call.refused);
    }

    /// How many buckets have ended by `now`.
    fn ended(&self, now: Time) -> u64 {
        if now < self.end {
            return 0;
        }
        // A restored window may lie further back than a length of time can say.
        let past = now.as_millis().saturating_sub(self.end.as_millis());
        let ended = past.checked_div(self.step()).unwrap_or(0).saturating_add(1);
        u64::try_from(ended).unwrap_or(0)
    }

    /// Empties every bucket that time has skipped.
    #[cold]
    fn roll(&mut self, now: Time) {
        let ended = self.ended(now);
        let count = self.buckets.len();
        let emptied = usize::try_from(ended).unwrap_or(count).min(count);
        for _ in 0..emptied {
            self.current = self.current.saturating_add(1);
            if self.current == count {
                self.current = 0;
            }
            if let Some(bucket) = self.buckets.get_mut(self.current) {
                self.total = self.total.less(*bucket);
                *bucket = Tally::default();
            }
        }
        let ended = i64::try_from(ended).unwrap_or(i64::MAX);
        self.end =
            Time::from_unclamped(self.end.as_millis().saturating_add(ended.saturating_mul(self.step())));
    }

    #[inline]
    fn at(&self, now: Time) -> Tally {
        if now < self.end {
            return self.total;
        }
        self.later(now)
    }

    #[cold]
    fn later(&self, now: Time) -> Tally {
        let count = self.buckets.len();
        let ended = usize::try_from(self.ended(now)).unwrap_or(count).min(count);
        let oldest_first =
            (1..=ended).map(|ahead| self.current.saturating_add(ahead).checked_rem(count).unwrap_or(0));
        oldest_first
            .filter_map(|place| self.buckets.get(place))
            .fold(self.total, |total, bucket| total.less(*bucket))
    }
}
