//! What operators and advice do to a dependency's health (spec 9.6 and 9.7).

use crate::health::{Advice, Circuit, Health, Standing};

/// ADV-3: so many sources of advice are kept for each dependency, the oldest forgotten.
const SOURCES: usize = 16;

impl Health {
    /// Spec 9.6, "Operators". `None` lifts the one that stands.
    pub(crate) fn set_override(
        &mut self,
        to: Option<&str>,
        for_ms: Option<i64>,
        now: i64,
    ) -> Result<(), String> {
        // Another override, or null, ends the one that stands: the circuit as it was, aged, returns.
        self.standing = None;
        match to {
            None => {}
            Some(name @ ("forced_open" | "disabled" | "metrics_only")) => {
                let until = for_ms.map(|duration| now.saturating_add(duration));
                self.standing = Some(Standing { to: name.to_owned(), until, initial: false });
            }
            Some("open") => self.operator_opens(for_ms, now),
            Some("half_open") => self.operator_half_opens(),
            Some("closed") => self.close(),
            Some("reset") => self.reset(),
            Some(other) => return Err(format!("unknown override {other}")),
        }
        self.note_change(now, "operator");
        self.advance(now);
        Ok(())
    }

    /// OPR-2 and NEED-15: `open` waits for `for_ms` where it is given, counts as an opening, and carries `unavailable`
    /// where none of the classes that stay stands.
    fn operator_opens(&mut self, for_ms: Option<i64>, now: i64) {
        if self.circuit == Circuit::Closed {
            self.by_operator = true;
        }
        let wait = for_ms.unwrap_or(self.settings.wait);
        self.circuit = Circuit::Open { until: now.saturating_add(wait), wait_over: false };
        self.class = Some("unavailable".to_owned());
        self.open_attempts = self.open_attempts.saturating_add(1);
        self.trial = None;
        self.generation = self.generation.saturating_add(1);
    }

    /// OPR-2: `half_open` makes the health probing, with its permit free; one that is half open stays as it is.
    fn operator_half_opens(&mut self) {
        if self.circuit == Circuit::HalfOpen {
            return;
        }
        if self.circuit == Circuit::Closed {
            self.by_operator = true;
        }
        self.circuit = Circuit::HalfOpen;
        self.trial = None;
        self.generation = self.generation.saturating_add(1);
    }

    /// OPR-2: `reset` forgets all but the last answer: closed, nothing counted, no advice, unknown.
    fn reset(&mut self) {
        self.close();
        self.degraded = false;
        self.advice.clear();
        self.known = false;
        self.ignored = 0;
        self.not_permitted = 0;
        self.ups = 0;
        self.downs = 0;
    }

    /// ADV-1 and ADV-2: anything but healthy or unknown means degraded, until `signal_ttl` has passed;
    /// healthy or unknown withdraws what this source said.
    pub(crate) fn advise(&mut self, source: &str, health: &str, signal_ttl: i64, now: i64) {
        self.advice.retain(|advice| advice.source != source);
        if health != "healthy" && health != "unknown" {
            if self.advice.len() >= SOURCES {
                self.advice.remove(0);
            }
            self.advice.push(Advice { source: source.to_owned(), until: now.saturating_add(signal_ttl) });
        }
        self.note_change(now, "advice");
        self.advance(now);
    }

    /// NEED-8: degraded by advice alone.
    pub(crate) fn degraded_by_advice_alone(&self) -> bool {
        !self.degraded && !self.advice.is_empty()
    }
}
