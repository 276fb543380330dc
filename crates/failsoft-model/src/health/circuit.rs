//! The circuit's own moves (HLT-9), the wait (HLT-58), and the forgetting of attempts (HLT-59).

use super::{Circuit, Health, Opener, Trials};
use crate::numbers::{between, one_more, percent, plus};

impl Health {
    /// HLT-9, HLT-58: opens; `retry_until` bounds the wait from below (HLT-54), `for_ms` stands in its place (OPR-2).
    /// Class and opener are the caller's to set.
    pub(super) fn open(&mut self, moment: i64, retry_until: Option<i64>, for_ms: Option<i64>) {
        self.stop_forgetting(moment);
        one_more(&mut self.attempts);
        one_more(&mut self.outage.opened);
        let until = match for_ms {
            Some(told) => Health::after(moment, told),
            None => Health::after(moment, self.wait()).max(retry_until.unwrap_or(moment)),
        };
        self.hold = if for_ms.is_some() { None } else { retry_until };
        self.circuit = Circuit::Open { until, wait_over: false };
        self.new_generation();
        self.band = None;
    }

    /// HLT-9: half open, with no permit out; the window is emptied (HLT-55).
    pub(super) fn half_open(&mut self, moment: i64) {
        self.stop_forgetting(moment);
        self.circuit = Circuit::HalfOpen;
        self.new_generation();
        self.hold = None;
        self.window.clear();
        self.band = None;
    }

    /// HLT-12: the circuit closes; what it had counted against the dependency is gone.
    pub(super) fn close(&mut self, moment: i64) {
        if self.circuit != Circuit::Closed {
            self.circuit = Circuit::Closed;
            self.new_generation();
        }
        self.opener = Opener::Own;
        self.hold = None;
        self.run = 0;
        self.window.clear();
        self.class = None;
        self.sticky = None;
        self.band = None;
        // HLT-59: with a decay only healthy time takes attempts off.
        if self.settings.open_attempts_decay.is_none() {
            self.attempts = 0;
        }
        self.calm_since = None;
        self.begin_forgetting(moment);
    }

    /// HLT-13: permits that are out are of an older generation from here on; what trials counted ends with half open.
    fn new_generation(&mut self) {
        self.generation = self.generation.saturating_add(1);
        self.trials = Trials::default();
        // A permit without a name is remembered only as a trial's (HLT-24).
        self.leases.retain(|lease| lease.name.is_some());
    }

    /// HLT-58: the wait after the k-th opening, k being `open_attempts` by now.
    fn wait(&self) -> i64 {
        let mut wait = self.settings.wait.min(self.settings.max_wait);
        let mut step = 1;
        while step < self.attempts {
            let longer = percent(wait, self.settings.wait_interval_multiplier).min(self.settings.max_wait);
            // A wait that does not grow by this step will not grow by the next.
            if longer == wait {
                break;
            }
            wait = longer;
            step += 1;
        }
        let spread = percent(wait, self.settings.wait_jitter_ratio);
        let spread = u64::try_from(spread).unwrap_or(0).saturating_add(1);
        let drawn = draw(&self.name, self.attempts).checked_rem(spread).unwrap_or(0);
        plus(wait, i64::try_from(drawn).unwrap_or(0))
    }

    /// HLT-59: `open_attempts` up to now.
    pub(super) fn attempts_now(&self, now: i64) -> i64 {
        let (Some(decay), Some(since)) = (self.settings.open_attempts_decay, self.calm_since) else {
            return self.attempts;
        };
        let whole = between(since, now).checked_div(decay).unwrap_or(0);
        self.attempts.saturating_sub(whole).max(0)
    }

    /// HLT-59: *degraded* begins, or the circuit opens: what was forgotten is gone, and a part of one is lost.
    pub(super) fn stop_forgetting(&mut self, moment: i64) {
        self.attempts = self.attempts_now(moment);
        self.calm_since = None;
    }

    /// HLT-59: the time begins anew where the circuit is closed and not *degraded* by probe or rates.
    pub(super) fn begin_forgetting(&mut self, moment: i64) {
        let calm = self.circuit == Circuit::Closed && !self.degraded_by_probe && self.band.is_none();
        if calm && self.calm_since.is_none() {
            self.calm_since = Some(moment);
        }
    }

    /// NEED-13: the class of the last failure, and the three that stay, in their order of precedence.
    pub(super) fn note_class(&mut self, class: &str) {
        self.class = Some(class.to_owned());
        for stays in ["auth", "payment", "indeterminate"] {
            if class == stays || self.sticky.as_deref() == Some(stays) {
                self.sticky = Some(stays.to_owned());
                return;
            }
        }
    }
}

/// HLT-58: u, drawn from the seed 0, the dependency's name and the attempt; all modulo 2^64.
fn draw(name: &str, attempt: i64) -> u64 {
    let seed: u64 = 0;
    let mut hash: u64 = 0xcbf2_9ce4_8422_2325;
    for byte in name.bytes() {
        hash = (hash ^ u64::from(byte)).wrapping_mul(0x0000_0100_0000_01b3);
    }
    let attempt = u64::try_from(attempt).unwrap_or(0);
    let mut x = (seed ^ hash).wrapping_add(attempt.wrapping_mul(0x9e37_79b9_7f4a_7c15));
    x = (x ^ (x >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    x = (x ^ (x >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    x ^ (x >> 31)
}
