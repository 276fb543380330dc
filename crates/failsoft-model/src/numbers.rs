//! Arithmetic on integers that never pass 2^53 - 1 (spec/README.md, "How to read it").

use crate::json::LARGEST;

/// A sum, at most 2^53 - 1: a moment and a span, or two counts.
pub(crate) fn plus(left: i64, right: i64) -> i64 {
    left.saturating_add(right).min(LARGEST)
}

/// One more; counters stop at 2^53 - 1 (HLT-38).
pub(crate) fn one_more(counter: &mut i64) {
    *counter = plus(*counter, 1);
}

/// The time from one moment to a later one, at most 2^53 - 1.
pub(crate) fn between(from: i64, to: i64) -> i64 {
    to.saturating_sub(from).min(LARGEST)
}

/// A moment of the past after so much time away: its age grows (RST-4). No moment is told before -(2^53 - 1).
pub(crate) fn aged(moment: i64, away: i64) -> i64 {
    moment.saturating_sub(away).max(-LARGEST)
}

/// `value` times so many hundredths, rounded down, at most 2^53 - 1.
pub(crate) fn percent(value: i64, hundredths: i64) -> i64 {
    let product = i128::from(value).saturating_mul(i128::from(hundredths)) / 100;
    i64::try_from(product).unwrap_or(LARGEST).min(LARGEST)
}

/// A share of a whole: so many of so many calls. Compared exactly, told in hundredths of a percent (HLT-56).
#[derive(Clone, Copy, Debug)]
pub(crate) struct Rate {
    pub(crate) part: i64,
    pub(crate) whole: i64,
}

impl Rate {
    /// Whether it is at or above so many percent; nothing of nothing is not.
    pub(crate) fn reaches(self, percent: i64) -> bool {
        let part = i128::from(self.part).saturating_mul(100);
        self.whole > 0 && part >= i128::from(self.whole).saturating_mul(i128::from(percent))
    }

    /// Hundredths of a percent, rounded down.
    pub(crate) fn basis_points(self) -> i64 {
        if self.whole == 0 {
            return 0;
        }
        let product = i128::from(self.part).saturating_mul(10_000) / i128::from(self.whole);
        i64::try_from(product).unwrap_or(LARGEST).min(LARGEST)
    }
}
