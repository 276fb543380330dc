//! `[dependency.NAME.health]`: how a dependency's health is judged (spec 9.1).

use alloc::vec;
use alloc::vec::Vec;

use crate::{
    Fault, HalfOpenExit, HalfOpenPolicy, InitialState, Millis, RetryAfterPolicy, SlidingWindowType,
    UnlistedError,
};

/// A limit that can be switched off.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Limit<T> {
    /// There is none.
    Off,
    /// It stands here.
    At(T),
}

/// `[dependency.NAME.health]`: how a dependency's health is judged.
///
/// Of the thresholds `None` means "off". Of the settings whose default depends on others, which say so, `None` means
/// that default; [`written_out`](Self::written_out) puts it there.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HealthSettings {
    /// The kind of the call window.
    pub sliding_window_type: SlidingWindowType,
    /// The length of a count-based window, in calls.
    pub sliding_window_size: u32,
    /// The length of a time-based window.
    pub sliding_window_duration: Millis,
    /// The buckets of a time-based window, which divide its duration.
    pub sliding_window_buckets: u32,
    /// So many calls must be in the window before a rate is judged.
    pub minimum_number_of_calls: u32,
    /// The failure rate, in percent, at which the circuit opens.
    pub failure_rate_threshold: Option<u32>,
    /// So many failures in the window open the circuit, however many calls there are.
    pub failure_count_threshold: Option<u32>,
    /// A call that takes longer is slow.
    pub slow_call_duration_threshold: Option<Millis>,
    /// The rate of slow calls, in percent, at which the circuit opens.
    pub slow_call_rate_threshold: u32,
    /// So many counted failures in a row open the circuit.
    pub consecutive_failure_threshold: Option<u32>,
    /// How long an open circuit waits before it lets trial calls through.
    pub wait_duration_in_open_state: Millis,
    /// How much longer each further wait is, in percent.
    pub wait_interval_multiplier: u32,
    /// The longest wait. By default five minutes, or the first wait where that is longer.
    pub max_wait_duration_in_open_state: Option<Millis>,
    /// How much longer, in percent, a wait may be drawn.
    pub wait_jitter_ratio: u32,
    /// So much healthy time takes one open attempt off; where off, closing takes off all.
    pub open_attempts_decay: Option<Millis>,
    /// Whether the circuit is half open as soon as its wait is over, or at the first trial call.
    pub automatic_transition_from_open_to_half_open_enabled: bool,
    /// So many trial calls may be made in half open.
    pub permitted_number_of_calls_in_half_open_state: u32,
    /// How they decide.
    pub half_open_policy: HalfOpenPolicy,
    /// So many of them must succeed, under `m_of_n`. By default all.
    pub half_open_success_threshold: Option<u32>,
    /// The failure rate among them, in percent, at which the circuit opens again. By default `failure_rate_threshold`.
    pub half_open_failure_rate_threshold: Option<u32>,
    /// Whether slow ones speak against it.
    pub half_open_counts_slow: bool,
    /// How long trial calls may be out without one that succeeds. By default 30 s, or twice the deadline.
    pub max_wait_duration_in_half_open_state: Option<Limit<Millis>>,
    /// Where that leads.
    pub transition_to_state_after_wait_duration: HalfOpenExit,
    /// How long a permit may stay out. By default 30 s, or twice the deadline where that is longer.
    pub permit_ttl: Option<Millis>,
    /// Classes that count as failures.
    pub record_error_classes: Vec<Fault>,
    /// Classes that count as nothing. By default `exhausted`, unless that is recorded.
    pub ignore_error_classes: Option<Vec<Fault>>,
    /// What a class in neither list counts as.
    pub unlisted_error: UnlistedError,
    /// What a told Retry-After does.
    pub retry_after_policy: RetryAfterPolicy,
    /// The longest Retry-After that is believed.
    pub max_retry_after: Millis,
    /// The failure rate, in percent, at which health is degraded.
    pub degraded_failure_rate_threshold: Option<u32>,
    /// The rate of slow calls, in percent, at which health is degraded.
    pub degraded_slow_call_rate_threshold: Option<u32>,
    /// The failure rate below which degraded may end. By default 10, or the threshold of entry where that is lower.
    pub degraded_exit_failure_rate_threshold: Option<u32>,
    /// The rate of slow calls below which it may end. By default 25, or the threshold of entry where that is lower.
    pub degraded_exit_slow_call_rate_threshold: Option<u32>,
    /// The shortest stay in degraded.
    pub min_dwell: Millis,
    /// The age of the last signal above which nothing is known any more.
    pub signal_ttl: Option<Millis>,
    /// So many good probes in a row end a degradation, or an open circuit's wait.
    pub probe_rise: u32,
    /// So many bad probes in a row open the circuit.
    pub probe_fall: u32,
    /// How often the host means to probe.
    pub probe_interval: Option<Millis>,
    /// Whether good probes alone close the circuit.
    pub probe_can_close: bool,
    /// The rate of refusals, in percent, that is told as an event.
    pub refusal_rate_threshold: Option<u32>,
    /// So many outcomes in a row that count as nothing are told as an event.
    pub ignored_streak_threshold: Option<u32>,
    /// Forbid an operator the transitions that resilience4j forbids.
    pub strict_transitions: bool,
    /// How the circuit begins.
    pub initial_state: InitialState,
}

impl Default for HealthSettings {
    fn default() -> Self {
        Self {
            sliding_window_type: SlidingWindowType::TimeBased,
            sliding_window_size: 100,
            sliding_window_duration: Millis::new(30_000),
            sliding_window_buckets: 10,
            minimum_number_of_calls: 10,
            failure_rate_threshold: Some(50),
            failure_count_threshold: None,
            slow_call_duration_threshold: None,
            slow_call_rate_threshold: 100,
            consecutive_failure_threshold: Some(5),
            wait_duration_in_open_state: Millis::new(5_000),
            wait_interval_multiplier: 200,
            max_wait_duration_in_open_state: None,
            wait_jitter_ratio: 0,
            open_attempts_decay: None,
            automatic_transition_from_open_to_half_open_enabled: false,
            permitted_number_of_calls_in_half_open_state: 3,
            half_open_policy: HalfOpenPolicy::Rate,
            half_open_success_threshold: None,
            half_open_failure_rate_threshold: None,
            half_open_counts_slow: true,
            max_wait_duration_in_half_open_state: None,
            transition_to_state_after_wait_duration: HalfOpenExit::Open,
            permit_ttl: None,
            record_error_classes: Vec::new(),
            ignore_error_classes: None,
            unlisted_error: UnlistedError::Failure,
            retry_after_policy: RetryAfterPolicy::Extend,
            max_retry_after: Millis::new(600_000),
            degraded_failure_rate_threshold: Some(25),
            degraded_slow_call_rate_threshold: Some(50),
            degraded_exit_failure_rate_threshold: None,
            degraded_exit_slow_call_rate_threshold: None,
            min_dwell: Millis::new(5_000),
            signal_ttl: None,
            probe_rise: 2,
            probe_fall: 3,
            probe_interval: None,
            probe_can_close: false,
            refusal_rate_threshold: None,
            ignored_streak_threshold: Some(20),
            strict_transitions: false,
            initial_state: InitialState::Closed,
        }
    }
}

impl HealthSettings {
    /// The same settings with every default in place that depends on others, for a dependency of that deadline.
    #[must_use]
    pub fn written_out(&self, deadline: Option<Millis>) -> Self {
        // What is called for so long must be let out for longer: else its answer always comes late.
        let patience =
            Millis::new(30_000).max(deadline.map_or(Millis::ZERO, |deadline| deadline.plus(deadline)));
        let exit = |written: Option<u32>, plain: u32, entry: Option<u32>| {
            Some(written.unwrap_or_else(|| plain.min(entry.unwrap_or(plain))))
        };
        let longest = Millis::new(300_000).max(self.wait_duration_in_open_state);
        let recorded = self.record_error_classes.contains(&Fault::Exhausted);
        let ignored = || if recorded { Vec::new() } else { vec![Fault::Exhausted] };
        Self {
            max_wait_duration_in_open_state: self.max_wait_duration_in_open_state.or(Some(longest)),
            half_open_success_threshold: self
                .half_open_success_threshold
                .or(Some(self.permitted_number_of_calls_in_half_open_state)),
            half_open_failure_rate_threshold: self
                .half_open_failure_rate_threshold
                .or(self.failure_rate_threshold)
                .or(Some(50)),
            max_wait_duration_in_half_open_state: self
                .max_wait_duration_in_half_open_state
                .or(Some(Limit::At(patience))),
            permit_ttl: self.permit_ttl.or(Some(patience)),
            ignore_error_classes: Some(self.ignore_error_classes.clone().unwrap_or_else(ignored)),
            degraded_exit_failure_rate_threshold: exit(
                self.degraded_exit_failure_rate_threshold,
                10,
                self.degraded_failure_rate_threshold,
            ),
            degraded_exit_slow_call_rate_threshold: exit(
                self.degraded_exit_slow_call_rate_threshold,
                25,
                self.degraded_slow_call_rate_threshold,
            ),
            ..self.clone()
        }
    }

    /// Written out, with lists as sets: equal where the canonical form is.
    pub(crate) fn canonical(&self, deadline: Option<Millis>) -> Self {
        let mut settings = self.written_out(deadline);
        let lists = [Some(&mut settings.record_error_classes), settings.ignore_error_classes.as_mut()];
        for list in lists.into_iter().flatten() {
            list.sort_unstable();
            list.dedup();
        }
        settings
    }
}
