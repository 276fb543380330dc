//! The call window (HLT-55): buckets of time, the last calls, or nothing.

use crate::numbers::plus;
use crate::settings::HealthSettings;

/// What a window, a bucket of it or one call adds up to.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Sums {
    pub(crate) calls: i64,
    pub(crate) failed: i64,
    pub(crate) slow: i64,
    pub(crate) refused: i64,
}

impl Sums {
    /// Added up, each figure at most 2^53 - 1.
    fn and(self, other: Sums) -> Sums {
        Sums {
            calls: plus(self.calls, other.calls),
            failed: plus(self.failed, other.failed),
            slow: plus(self.slow, other.slow),
            refused: plus(self.refused, other.refused),
        }
    }
}

/// The window of one dependency.
#[derive(Clone, Debug)]
pub(crate) enum Window {
    /// `none`.
    Nothing,
    /// `count_based`: the calls, oldest first, at most `size`.
    Calls { size: usize, calls: Vec<Sums> },
    /// `time_based`: a bucket begins at `origin` plus a multiple of its `length`; each is kept under its number.
    Buckets { length: i64, count: i128, origin: i128, kept: Vec<(i128, Sums)> },
}

impl Window {
    /// An empty window whose buckets begin at multiples of their length on the engine's clock.
    pub(crate) fn new(settings: &HealthSettings) -> Window {
        match settings.sliding_window_type.as_str() {
            "count_based" => Window::Calls {
                size: usize::try_from(settings.sliding_window_size).unwrap_or(1),
                calls: Vec::new(),
            },
            "time_based" => Window::Buckets {
                length: bucket_length(settings),
                count: i128::from(settings.sliding_window_buckets),
                origin: 0,
                kept: Vec::new(),
            },
            _ => Window::Nothing,
        }
    }

    /// Adds one call.
    pub(crate) fn add(&mut self, call: Sums, now: i64) {
        match self {
            Window::Nothing => {}
            Window::Calls { size, calls } => {
                calls.push(call);
                if calls.len() > *size {
                    calls.remove(0);
                }
            }
            Window::Buckets { length, count, origin, kept } => {
                let present = bucket(now, *origin, *length);
                kept.retain(|(number, _)| *number > present - *count);
                match kept.iter_mut().find(|(number, _)| *number == present) {
                    Some((_, sums)) => *sums = sums.and(call),
                    None => kept.push((present, call)),
                }
            }
        }
    }

    /// What it adds up to now: of buckets the present one and those before it that are still in the window.
    pub(crate) fn sums(&self, now: i64) -> Sums {
        match self {
            Window::Nothing => Sums::default(),
            Window::Calls { calls, .. } => calls.iter().fold(Sums::default(), |sum, call| sum.and(*call)),
            Window::Buckets { length, count, origin, kept } => {
                let present = bucket(now, *origin, *length);
                let inside = kept.iter().filter(|(number, _)| *number > present - *count);
                inside.fold(Sums::default(), |sum, (_, bucket)| sum.and(*bucket))
            }
        }
    }

    /// Forgets all calls; buckets keep their places in time.
    pub(crate) fn clear(&mut self) {
        match self {
            Window::Nothing => {}
            Window::Calls { calls, .. } => calls.clear(),
            Window::Buckets { kept, .. } => kept.clear(),
        }
    }

    /// The first end of a bucket at or after a moment; none where there are no buckets.
    pub(crate) fn end_of_bucket(&self, from: i64) -> Option<i64> {
        let Window::Buckets { length, origin, .. } = self else { return None };
        let length = i128::from(*length);
        let past = (i128::from(from) - origin).rem_euclid(length);
        let end = if past == 0 { i128::from(from) } else { i128::from(from) + length - past };
        i64::try_from(end).ok()
    }

    /// RST-4: after so much time away the buckets began that much earlier.
    pub(crate) fn age(&mut self, away: i64) {
        if let Window::Buckets { origin, .. } = self {
            *origin -= i128::from(away);
        }
    }

    /// HLT-55: buckets begin at multiples of their length on the engine's clock.
    pub(crate) fn begin_at_clock(&mut self) {
        if let Window::Buckets { origin, .. } = self {
            *origin = 0;
        }
    }

    /// When the bucket ends in which a moment lies.
    pub(super) fn end_of_present_bucket(&self, now: i64) -> i64 {
        self.end_of_bucket(now.saturating_add(1)).unwrap_or(now)
    }

    /// Every bucket of the window at a moment, the newest first.
    pub(super) fn newest_first(&self, now: i64) -> Vec<Sums> {
        let Window::Buckets { length, count, origin, kept } = self else { return Vec::new() };
        let present = bucket(now, *origin, *length);
        let mut all = Vec::new();
        let mut number = present;
        while number > present - *count {
            let sums = kept.iter().find(|(own, _)| *own == number).map(|(_, sums)| *sums);
            all.push(sums.unwrap_or_default());
            number -= 1;
        }
        all
    }

    /// Spec 10.2: buckets as saved, the newest first; the newest ends at `end`.
    pub(crate) fn with_buckets(&mut self, end: i64, newest_first: &[Sums]) {
        if let Window::Buckets { length, origin, kept, .. } = self {
            *origin = i128::from(end).rem_euclid(i128::from(*length));
            let mut number = bucket(end, *origin, *length) - 1;
            for sums in newest_first {
                if *sums != Sums::default() {
                    kept.push((number, *sums));
                }
                number -= 1;
            }
        }
    }
}

/// HLT-55: B buckets of L = duration / B.
pub(crate) fn bucket_length(settings: &HealthSettings) -> i64 {
    settings.sliding_window_duration.checked_div(settings.sliding_window_buckets).unwrap_or(1).max(1)
}

/// The number of the bucket in which a moment lies.
fn bucket(moment: i64, origin: i128, length: i64) -> i128 {
    (i128::from(moment) - origin).div_euclid(i128::from(length))
}
