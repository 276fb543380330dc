//! A dependency that goes on with other settings (RST-12): as from a restart with `away_ms` 0.

use super::Health;
use super::window::Window;
use crate::document::Dependency;
use crate::json::LARGEST;
use crate::numbers::between;

impl Health {
    /// RST-12: saved by the old matrix at this moment, and restored by the new one.
    pub(crate) fn reloaded(&self, dependency: &Dependency, now: i64) -> Health {
        let mut health = self.clone();
        // HLT-59: what was forgotten up to now was forgotten by the old settings; `attempts_age_ms` is since when the
        // next is being forgotten.
        health.attempts = self.attempts_now(now);
        if let (Some(decay), Some(since)) = (self.settings.open_attempts_decay, self.calm_since) {
            let part = between(since, now).checked_rem(decay).unwrap_or(0);
            health.calm_since = Some(now.saturating_sub(part));
        } else {
            // Nothing was being forgotten before.
            health.calm_since = None;
            health.begin_forgetting(now);
        }
        health.deadline = dependency.deadline;
        health.glass = dependency.break_glass;
        health.settings = dependency.health.clone();
        health.window = self.window.carried_into(Window::new(&health.settings), now);
        // HLT-4, by the new `signal_ttl`; what was too old stays so until the next signal.
        let ttl = health.settings.signal_ttl.unwrap_or(LARGEST);
        health.known = self.known && health.last_signal.is_some_and(|signal| between(signal, now) <= ttl);
        let shortest = health.settings.min_dwell;
        if let Some(band) = &mut health.band {
            band.dwelt = Health::after(band.set, shortest) <= now;
        }
        health.keep_glass_lawful(now);
        health.save_and_restore(Some(0), now, "reload");
        health
    }
}

impl Window {
    /// 10.2: a window of another type or shape is dropped: of more buckets or calls, or whose newest bucket has longer
    /// left than one lasts. A bucket keeps its place in time (RST-4).
    fn carried_into(&self, mut new: Window, now: i64) -> Window {
        match (self, &mut new) {
            (Window::Calls { calls: saved, .. }, Window::Calls { size, calls }) if saved.len() <= *size => {
                calls.clone_from(saved);
            }
            (Window::Buckets { .. }, Window::Buckets { count, length, .. }) => {
                let end = self.end_of_present_bucket(now);
                let buckets = self.newest_first(now);
                // Saved up to the last that is not empty.
                let last = buckets.iter().rposition(|bucket| *bucket != Default::default());
                let saved = last.map_or(0, |last| last + 1);
                if i128::try_from(saved).is_ok_and(|saved| saved <= *count)
                    && end.saturating_sub(now) <= *length
                {
                    new.with_buckets(end, buckets.get(..saved).unwrap_or_default());
                }
            }
            _ => {}
        }
        new
    }
}
