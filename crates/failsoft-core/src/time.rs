//! The core's own time: whole milliseconds, handed in by the host.
//!
//! The core never reads a clock. A [`Time`] is a moment on whatever monotonic scale the host uses; only
//! differences mean anything, so a moment before the host's zero is negative and fine.

/// The largest number that a document, a trace or a decision may hold: 2^53 − 1, which every language carries exactly.
pub const INTEGER_MAX: u64 = (1 << 53) - 1;

/// A length of time in whole milliseconds, at most [`INTEGER_MAX`].
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Millis(u64);

impl Millis {
    /// No time at all.
    pub const ZERO: Self = Self(0);

    /// `milliseconds`, or [`INTEGER_MAX`] where there are more.
    #[must_use]
    pub const fn new(milliseconds: u64) -> Self {
        Self(if milliseconds > INTEGER_MAX { INTEGER_MAX } else { milliseconds })
    }

    /// The number of milliseconds.
    #[must_use]
    pub const fn get(self) -> u64 {
        self.0
    }

    /// Both together, or the most there is.
    #[must_use]
    pub const fn plus(self, other: Self) -> Self {
        Self::new(self.0.saturating_add(other.0))
    }

    /// What is left of this when `other` is taken away; nothing where `other` is longer.
    #[must_use]
    pub const fn less(self, other: Self) -> Self {
        Self(self.0.saturating_sub(other.0))
    }

    /// This times `percent` / 100, rounded down, or the most there is.
    #[must_use]
    pub fn percent(self, percent: u64) -> Self {
        let scaled = u128::from(self.0).saturating_mul(u128::from(percent)).checked_div(100).unwrap_or(0);
        Self::new(u64::try_from(scaled).unwrap_or(INTEGER_MAX))
    }
}

/// A moment, in whole milliseconds on the host's monotonic scale.
///
/// ```
/// use failsoft_core::{Millis, Time};
/// let start = Time::from_millis(-5);
/// assert_eq!(start.plus(Millis::new(12)), Time::from_millis(7));
/// assert_eq!(Time::from_millis(7).since(start), Millis::new(12));
/// assert_eq!(start.since(Time::from_millis(7)), Millis::ZERO); // never negative
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Time(i64);

impl Time {
    /// The moment `milliseconds` after the host's zero, clamped to ±[`INTEGER_MAX`].
    #[must_use]
    #[expect(clippy::as_conversions, reason = "2^53 - 1 fits, and `try_from` is not const")]
    pub const fn from_millis(milliseconds: i64) -> Self {
        const MOST: i64 = INTEGER_MAX as i64;
        Self(if milliseconds > MOST {
            MOST
        } else if milliseconds < -MOST {
            -MOST
        } else {
            milliseconds
        })
    }

    /// Milliseconds since the host's zero.
    #[must_use]
    pub const fn as_millis(self) -> i64 {
        self.0
    }

    /// A moment that was worked out: it may lie beyond what a host can tell, and then is never reached.
    pub(crate) const fn from_unclamped(milliseconds: i64) -> Self {
        Self(milliseconds)
    }

    /// The moment `length` later, or the last that a host can tell.
    #[must_use]
    #[expect(clippy::as_conversions, reason = "a length is at most 2^53 - 1")]
    pub const fn plus(self, length: Millis) -> Self {
        Self::from_millis(self.0.saturating_add(length.get() as i64))
    }

    /// The moment `length` later; it may lie beyond what a host can tell, and then never comes.
    #[expect(clippy::as_conversions, reason = "a length is at most 2^53 - 1")]
    pub(crate) const fn exactly_after(self, length: Millis) -> Self {
        Self(self.0.saturating_add(length.get() as i64))
    }

    /// The first moment at which more than `length` has passed; likewise.
    pub(crate) const fn past(self, length: Millis) -> Self {
        Self(self.exactly_after(length).0.saturating_add(1))
    }

    /// The moment `length` earlier, or the first that a host can tell.
    #[must_use]
    #[expect(clippy::as_conversions, reason = "a length is at most 2^53 - 1")]
    pub const fn minus(self, length: Millis) -> Self {
        Self::from_millis(self.0.saturating_sub(length.get() as i64))
    }

    /// The time from `earlier` to this moment; nothing where `earlier` is later.
    #[must_use]
    #[expect(clippy::as_conversions, reason = "a negative length has become 0")]
    pub const fn since(self, earlier: Self) -> Millis {
        let length = self.0.saturating_sub(earlier.0);
        Millis::new(if length < 0 { 0 } else { length as u64 })
    }
}
