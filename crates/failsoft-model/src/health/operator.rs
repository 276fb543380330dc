//! What operators and advice do to a dependency's health (9.10 and 9.11).

use super::change::Cause;
use super::{Advice, Circuit, Health, Opener, Standing};

/// ADV-3: so many sources of advice are kept for each dependency, the oldest forgotten.
const SOURCES: usize = 16;

/// An override as an operator gives it.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Acted<'a> {
    pub(crate) to: Option<&'a str>,
    pub(crate) for_ms: Option<i64>,
    pub(crate) by: Option<&'a str>,
    pub(crate) reason: Option<&'a str>,
}

impl Health {
    /// 9.10. `Some` is why it was refused, and then nothing has changed (OPR-7).
    pub(crate) fn set_override(&mut self, act: Acted<'_>, now: i64) -> Result<Option<&'static str>, String> {
        if let Some(refused) = self.refused_override(act) {
            return Ok(Some(refused));
        }
        let figures = self.figures(now);
        // OPR-3: another override, or null, ends the one that stands: the circuit as it was, aged, returns.
        self.standing = None;
        match act.to {
            None => {}
            Some(name @ ("forced_open" | "disabled" | "metrics_only")) => {
                self.stand(name, act.for_ms, act, now)
            }
            Some("break_glass") => {
                // OPR-20: cut to `max_duration`, and that where none is told.
                let longest = self.glass.unwrap_or(0);
                self.stand("break_glass", Some(act.for_ms.unwrap_or(longest).min(longest)), act, now);
            }
            Some("open") => self.operator_opens(act.for_ms, now),
            Some("half_open") => self.operator_half_opens(now),
            Some("closed") => self.operator_closes(now),
            Some("reset") => self.reset(now),
            Some(other) => return Err(format!("unknown override {other}")),
        }
        self.note(now, &Cause::plain("operator"), figures);
        Ok(None)
    }

    /// OPR-7 and OPR-20.
    fn refused_override(&self, act: Acted<'_>) -> Option<&'static str> {
        let signed = |text: Option<&str>| text.is_some_and(|text| !text.trim().is_empty());
        match act.to {
            Some("break_glass") if self.glass.is_none() => Some("undeclared"),
            Some("break_glass") if !signed(act.by) || !signed(act.reason) => Some("unsigned"),
            Some("half_open") if self.settings.strict_transitions && self.circuit == Circuit::Closed => {
                Some("strict_transitions")
            }
            Some("open")
                if self.settings.strict_transitions && self.standing_name() == Some("metrics_only") =>
            {
                Some("strict_transitions")
            }
            _ => None,
        }
    }

    /// OPR-20: for how long a `break_glass` stands.
    pub(crate) fn glass_stands_for(&self, for_ms: Option<i64>) -> Option<i64> {
        self.glass.map(|longest| for_ms.unwrap_or(longest).min(longest))
    }

    /// An override that stands.
    fn stand(&mut self, name: &str, for_ms: Option<i64>, act: Acted<'_>, now: i64) {
        self.standing = Some(Standing {
            to: name.to_owned(),
            set: now,
            until: for_ms.map(|duration| Health::after(now, duration)),
            by: act.by.map(str::to_owned),
            reason: act.reason.map(str::to_owned),
            initial: false,
        });
    }

    /// OPR-5: on a circuit that is not open or half open by its own failures or probes it is the operator's act.
    fn operator_takes_over(&mut self) {
        if self.circuit == Circuit::Closed || self.opener == Opener::Initial {
            self.opener = Opener::Operator;
        }
    }

    /// OPR-2 and NEED-15: `open` waits for `for_ms` where it is told, and carries `unavailable`. Without it the wait
    /// is that of HLT-58, which in half open is bounded by what the trials told (HLT-54).
    fn operator_opens(&mut self, for_ms: Option<i64>, now: i64) {
        self.operator_takes_over();
        self.class = Some("unavailable".to_owned());
        self.open(now, self.trials.retry_until, for_ms);
    }

    /// OPR-2: `half_open`; one that is half open stays as it is. It sets no class.
    fn operator_half_opens(&mut self, now: i64) {
        if self.circuit != Circuit::HalfOpen {
            self.operator_takes_over();
            self.half_open(now);
        }
    }

    /// OPR-2: `closed`, also on a closed circuit.
    fn operator_closes(&mut self, now: i64) {
        self.close(now);
        self.attempts = 0;
    }

    /// OPR-2: `reset` forgets all but the last answer: closed, nothing counted, no advice, unknown. When it was
    /// last probed is no counter and stays.
    fn reset(&mut self, now: i64) {
        self.degraded_by_probe = false;
        self.operator_closes(now);
        self.advice.clear();
        self.known = false;
        self.last_signal = None;
        self.ignored = 0;
        self.ignored_streak = 0;
        self.not_permitted = 0;
        self.late = 0;
        self.lost = 0;
        self.rise = 0;
        self.fall = 0;
    }

    /// ADV-1 and ADV-2: anything but healthy or unknown means degraded, until `signal_ttl` has passed;
    /// healthy or unknown withdraws what this source said.
    pub(crate) fn advise(&mut self, source: &str, health: &str, signal_ttl: i64, now: i64) {
        let figures = self.figures(now);
        self.advice.retain(|advice| advice.source != source);
        if health != "healthy" && health != "unknown" {
            if self.advice.len() >= SOURCES {
                self.advice.remove(0);
            }
            let until = Health::after(now, signal_ttl);
            self.advice.push(Advice { source: source.to_owned(), until });
        }
        self.note(now, &Cause::plain("advice"), figures);
    }
}
