//! Saving and restoring (10.1): a restart in place, and what is common to it and to a snapshot.

use super::change::Cause;
use super::{Band, Circuit, Health, Trials};
use crate::json::LARGEST;
use crate::numbers::aged;

impl Health {
    /// RST-9: saves and restores in place. `away` is `None` where the time away is not known.
    pub(crate) fn restart(&mut self, away: Option<i64>, now: i64) {
        self.save_and_restore(away, now, "restart");
    }

    /// A restart in place; `why` is told where the health is thereby another.
    pub(super) fn save_and_restore(&mut self, away: Option<i64>, now: i64, why: &'static str) {
        // RST-6: half open comes back open, until the longest trial's permit has ended. What its trials counted is
        // forgotten, what they told of Retry-After included.
        if self.circuit == Circuit::HalfOpen {
            let trials =
                self.leases.iter().filter(|lease| lease.trial && lease.generation == self.generation);
            let until = trials.map(|lease| lease.end).max();
            self.circuit = self.restored_open(until, now);
            self.trials = Trials::default();
            self.hold = None;
        }
        // RST-7: permits do not survive.
        self.leases.clear();
        self.generation = self.generation.saturating_add(1);
        self.age(away.unwrap_or(0));
        self.settle(away, now, why);
    }

    /// An open circuit as restored: with its wait over, or until a moment.
    pub(super) fn restored_open(&self, until: Option<i64>, now: i64) -> Circuit {
        Circuit::Open { until: until.unwrap_or(now), wait_over: until.is_none() }
    }

    /// RST-4: every moment moves into the past by the time away.
    pub(super) fn age(&mut self, away: i64) {
        let past = |moment: &mut i64| *moment = aged(*moment, away);
        let past_if = |moment: &mut Option<i64>| {
            if let Some(moment) = moment {
                *moment = aged(*moment, away);
            }
        };
        // A sum that would pass 2^53 - 1 is that: also now and what is left.
        let left = |moment: &mut i64| *moment = moment.saturating_sub(away).min(LARGEST);
        if let Circuit::Open { until, .. } = &mut self.circuit {
            left(until);
        }
        if let Some(hold) = &mut self.hold {
            left(hold);
        }
        self.window.age(away);
        if let Some(Band { set, looked, .. }) = &mut self.band {
            past(set);
            past(looked);
        }
        past_if(&mut self.calm_since);
        past_if(&mut self.last_probe);
        past_if(&mut self.last_signal);
        past_if(&mut self.last_ok);
        past_if(&mut self.since);
        past_if(&mut self.outage.start);
        for advice in &mut self.advice {
            left(&mut advice.until);
        }
        if let Some(standing) = &mut self.standing {
            past(&mut standing.set);
            if let Some(until) = &mut standing.until {
                left(until);
            }
        }
        past(&mut self.told.current_since);
        past(&mut self.told.told_since);
    }

    /// Where the health is not what stood when it was saved, that changes at the moment of saving; then what fell due
    /// while away happens at its own (10.2, last sentence). With the time away not known: RST-5.
    pub(super) fn settle(&mut self, away: Option<i64>, now: i64, why: &'static str) {
        let then = now.saturating_sub(away.unwrap_or(0));
        if away.is_none() && self.known && self.shown_to(false) == "healthy" {
            self.known = false;
            self.last_signal = None;
        }
        let shown = self.shown().to_owned();
        self.told.seen.clone_from(&shown);
        self.note_outage(&shown, then);
        if shown != self.told.current {
            let figures = self.window.sums(then);
            self.begin(&shown, then, &Cause::plain(why), figures);
        }
        self.advance(now);
    }
}
