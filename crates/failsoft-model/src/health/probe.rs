//! Probes of a dependency (9.8).

use super::change::{Cause, crossed};
use super::{Circuit, Health, Opener};
use crate::numbers::{one_more, plus};

impl Health {
    /// One probe; it is heard under every override, and ends `unknown` (HLT-31, HLT-4).
    pub(crate) fn probe(&mut self, result: &str, now: i64) -> Result<(), String> {
        let figures = self.figures(now);
        let cause = match result {
            "up" => self.probe_up(now),
            "down" => self.probe_down(now),
            "degraded" => {
                (self.rise, self.fall) = (0, 0);
                self.degraded_by_probe = true;
                self.stop_forgetting(now);
                Cause::plain("probe_degraded")
            }
            _ => return Err(format!("unknown probe result {result}")),
        };
        self.known = true;
        self.last_signal = Some(now);
        self.last_probe = Some(now);
        self.note(now, &cause, figures);
        Ok(())
    }

    /// `up`: where `probe_rise` is reached, *degraded* by probe is cleared, and the circuit moves (HLT-30, HLT-32).
    fn probe_up(&mut self, now: i64) -> Cause {
        self.fall = 0;
        one_more(&mut self.rise);
        let limit = self.settings.probe_rise;
        if self.rise < limit {
            return Cause::plain("probe_up");
        }
        if std::mem::take(&mut self.degraded_by_probe) {
            self.begin_forgetting(now);
        }
        let can_close = self.settings.probe_can_close;
        match self.circuit {
            Circuit::Open { .. } if self.hold.is_some_and(|hold| now < hold) => {}
            Circuit::Open { .. } | Circuit::HalfOpen if can_close => self.close(now),
            Circuit::Open { .. } => self.half_open(now),
            Circuit::HalfOpen | Circuit::Closed => {}
        }
        Cause { why: "probe_up", crossed: crossed("probe_rise", self.rise, limit) }
    }

    /// `down`: where `probe_fall` is reached, a closed circuit opens, by probes.
    fn probe_down(&mut self, now: i64) -> Cause {
        self.rise = 0;
        one_more(&mut self.fall);
        let limit = self.settings.probe_fall;
        if self.fall < limit {
            return Cause::plain("probe_down");
        }
        if self.circuit == Circuit::Closed {
            self.class = Some("unavailable".to_owned());
            self.opener = Opener::Own;
            self.open(now, None, None);
        }
        Cause { why: "probe_down", crossed: crossed("probe_fall", self.fall, limit) }
    }

    /// HLT-33: the time until a probe is due: 0 where it is late, or where there was none.
    pub(super) fn probe_due(&self, now: i64) -> Option<i64> {
        let interval = self.settings.probe_interval?;
        let Some(last) = self.last_probe else { return Some(0) };
        Some(plus(last, interval).saturating_sub(now).max(0))
    }
}
