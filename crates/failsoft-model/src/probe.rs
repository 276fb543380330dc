//! Probes of a dependency (spec 9.5).

use crate::health::{Circuit, Health};

impl Health {
    /// Spec 9.5, "Probes".
    pub(crate) fn probe(&mut self, result: &str, now: i64) -> Result<(), String> {
        self.known = true;
        match result {
            "up" => {
                self.downs = 0;
                self.ups = self.ups.saturating_add(1);
                if self.ups >= self.settings.probe_rise {
                    self.degraded = false;
                    if let Circuit::Open { until, wait_over } = &mut self.circuit {
                        *until = (*until).min(now);
                        *wait_over = true;
                    }
                }
                self.note_change(now, "probe_up");
            }
            "down" => {
                self.ups = 0;
                self.downs = self.downs.saturating_add(1);
                if self.downs >= self.settings.probe_fall && self.circuit == Circuit::Closed {
                    self.open(now, None);
                    self.class = Some("unavailable".to_owned());
                }
                self.note_change(now, "probe_down");
            }
            "degraded" => {
                self.ups = 0;
                self.downs = 0;
                self.degraded = true;
                self.note_change(now, "probe_degraded");
            }
            _ => return Err(format!("unknown probe result {result}")),
        }
        self.advance(now);
        Ok(())
    }
}
