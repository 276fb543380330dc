//! What time alone does (HLT-2): what fell due happens in order of its own time, and at one time in a fixed order.

use super::change::Cause;
use super::{Circuit, Health};

/// What falls due, in the order in which it happens at one time (HLT-2).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Due {
    LongestStay,
    PermitEnd(usize),
    WaitOver,
    TooLong(usize),
    Band,
    SignalTooOld,
    OverrideEnd,
    AdviceLapse,
}

impl Health {
    /// Lets time pass up to `now`, one moment after the other.
    pub(crate) fn advance(&mut self, now: i64) {
        let mut clock = i64::MIN;
        while let Some((moment, due)) = self.next_due(clock.max(self.looked_up_to())) {
            if moment > now {
                break;
            }
            clock = clock.max(moment);
            self.happens(due, moment);
        }
        // Every end of a bucket up to now was looked at, or would have changed nothing (HLT-72).
        if let Some(band) = &mut self.band {
            band.looked = band.looked.max(now);
        }
    }

    /// The moment up to which the ends of buckets have been looked at.
    fn looked_up_to(&self) -> i64 {
        self.band.map_or(i64::MIN, |band| band.looked)
    }

    /// The next that falls due: the earliest, and of those at one time the first in the order of HLT-2; of several
    /// permits or calls the one taken longest ago.
    fn next_due(&self, clock: i64) -> Option<(i64, Due)> {
        let mut all: Vec<(i64, Due)> = Vec::new();
        if let (Some(since), Some(longest)) = (self.trials.stay, self.settings.max_wait_in_half_open) {
            all.push((Health::after(since, longest), Due::LongestStay));
        }
        for (place, lease) in self.leases.iter().enumerate() {
            all.push((lease.end, Due::PermitEnd(place)));
            let (hung_at, lagging_at) = self.too_long_moments(lease);
            let unseen = [hung_at.filter(|_| !lease.hung_seen), lagging_at.filter(|_| !lease.lag_seen)];
            all.extend(unseen.into_iter().flatten().map(|at| (at, Due::TooLong(place))));
        }
        if let Circuit::Open { until, wait_over: false } = self.circuit {
            all.push((until, Due::WaitOver));
        }
        all.extend(self.next_look(clock).map(|at| (at, Due::Band)));
        if let (true, Some(ttl), Some(signal)) = (self.known, self.settings.signal_ttl, self.last_signal) {
            // HLT-4: older than that, so one past it. An age is compared exactly.
            all.push((signal.saturating_add(ttl).saturating_add(1), Due::SignalTooOld));
        }
        let override_end = self.standing.as_ref().and_then(|standing| standing.until);
        all.extend(override_end.map(|at| (at, Due::OverrideEnd)));
        all.extend(self.advice.iter().map(|advice| (advice.until, Due::AdviceLapse)));
        all.into_iter().min()
    }

    /// One thing that fell due happens at its moment.
    fn happens(&mut self, due: Due, moment: i64) {
        let figures = self.figures(moment);
        match due {
            Due::LongestStay => self.longest_stay_ends(moment),
            Due::PermitEnd(place) => self.permit_ends(place, moment),
            Due::WaitOver => {
                if self.settings.automatic_half_open {
                    self.half_open(moment);
                } else if let Circuit::Open { wait_over, .. } = &mut self.circuit {
                    *wait_over = true;
                }
                self.note(moment, &Cause::plain("wait_over"), figures);
            }
            Due::TooLong(place) => self.becomes_too_long(place, moment),
            Due::Band => {
                if let Some(band) = &mut self.band {
                    if band.dwelt {
                        band.looked = moment;
                    }
                    band.dwelt = true;
                }
                self.end_band_if_fallen(moment);
            }
            Due::SignalTooOld => {
                self.known = false;
                self.note(moment, &Cause::plain("signal_too_old"), figures);
            }
            Due::OverrideEnd => {
                if let Some(standing) = self.standing.take() {
                    self.expired.push(standing.to);
                }
                self.note(moment, &Cause::plain("override_expired"), figures);
            }
            Due::AdviceLapse => {
                self.advice.retain(|advice| advice.until > moment);
                self.note(moment, &Cause::plain("advice_lapsed"), figures);
            }
        }
    }
}
