//! Settings of a health table that must agree with each other (spec 9.1).

use alloc::format;
use alloc::string::String;

use super::Compiler;
use crate::draft::{DependencyDraft, HealthSettings};
use crate::mistake::Path;
use crate::{Millis, Role, SlidingWindowType};

impl Compiler<'_> {
    pub(super) fn health(&mut self, draft: &DependencyDraft, path: &Path) {
        let written = &draft.health;
        let path = path.key("health");
        self.error_classes(written, &path);
        let duration = written.sliding_window_duration.get();
        let buckets = u64::from(written.sliding_window_buckets);
        let even = duration.checked_rem(buckets) == Some(0) && duration > 0;
        if written.sliding_window_type == SlidingWindowType::TimeBased && !even {
            let what = format!("{buckets} buckets do not divide {duration} ms");
            let help = Some("choose a number of buckets that leaves whole milliseconds".into());
            self.mistake("uneven-buckets", path.key("sliding_window_buckets"), what, help);
        }
        let resolved = written.written_out(draft.deadline);
        let (wait, longest) = (written.wait_duration_in_open_state, resolved.max_wait_duration_in_open_state);
        if longest.is_some_and(|longest| longest < wait) {
            let what = format!(
                "the longest wait, {} ms, is shorter than the first, {} ms",
                longest.map_or(0, Millis::get),
                wait.get()
            );
            let help = Some("make it at least as long as `wait_duration_in_open_state`".into());
            self.mistake("out-of-order", path.key("max_wait_duration_in_open_state"), what, help);
        }
        let (permit_ttl, deadline) = (resolved.permit_ttl, draft.deadline);
        if let (Some(ttl), Some(deadline)) = (permit_ttl, deadline)
            && ttl <= deadline
        {
            let what = format!(
                "a permit would end after {} ms, before its call can be over: the deadline is {} ms",
                ttl.get(),
                deadline.get()
            );
            let help = Some("make it longer than `deadline`, or leave it out".into());
            self.mistake("out-of-order", path.key("permit_ttl"), what, help);
        }
        self.exit(
            written.degraded_failure_rate_threshold,
            written.degraded_exit_failure_rate_threshold,
            path.key("degraded_exit_failure_rate_threshold"),
            "degraded_failure_rate_threshold",
        );
        self.exit(
            written.degraded_slow_call_rate_threshold,
            written.degraded_exit_slow_call_rate_threshold,
            path.key("degraded_exit_slow_call_rate_threshold"),
            "degraded_slow_call_rate_threshold",
        );
        let permitted = written.permitted_number_of_calls_in_half_open_state;
        if let Some(successes) = written.half_open_success_threshold.filter(|of| *of > permitted) {
            let what = format!("{successes} of {permitted} trial calls can't succeed");
            let help = Some(format!("write at most {permitted}"));
            self.mistake("out-of-order", path.key("half_open_success_threshold"), what, help);
        }
    }

    /// A rate at which a degradation ends lies at or under the one at which it begins.
    fn exit(&mut self, entry: Option<u32>, exit: Option<u32>, path: Path, of: &str) {
        if let (Some(entry), Some(exit)) = (entry, exit)
            && exit > entry
        {
            let what = format!("it would end at {exit} percent, above the {entry} at which it begins");
            let help = Some(format!("write at most {entry}, or raise `{of}`"));
            self.mistake("out-of-order", path, what, help);
        }
    }

    fn error_classes(&mut self, written: &HealthSettings, path: &Path) {
        let ignored = written.ignore_error_classes.as_deref().unwrap_or_default();
        let lists =
            [("record_error_classes", &*written.record_error_classes), ("ignore_error_classes", ignored)];
        for (key, classes) in lists {
            for (index, class) in classes.iter().enumerate() {
                let path = path.key(key).index(index);
                if class.caller() {
                    let what = format!("`{class}` is the caller's doing, and never counts");
                    self.mistake("bad-classes", path, what, Some("leave it out".into()));
                } else if key == "ignore_error_classes" && written.record_error_classes.contains(class) {
                    let what = format!("`{class}` is recorded and ignored");
                    self.mistake("bad-classes", path, what, Some("leave it in one list".into()));
                }
            }
        }
    }

    pub(super) fn break_glass(&mut self, draft: &DependencyDraft, path: &Path) {
        if draft.break_glass.is_some() && draft.role != Role::Guard {
            let what = format!("`{}` is no guard: there is no check to skip", draft.name);
            let help: Option<String> = Some("leave `break_glass` out".into());
            self.mistake("break-glass-not-a-guard", path.key("break_glass"), what, help);
        }
    }
}
