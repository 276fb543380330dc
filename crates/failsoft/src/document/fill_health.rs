//! From a checked health table to the settings that the core resolves.

use failsoft_core::draft::{HealthSettings, Limit};
use failsoft_core::{
    Fault, HalfOpenExit, HalfOpenPolicy, InitialState, RetryAfterPolicy, SlidingWindowType, UnlistedError,
};

use super::checked::Fields;

/// The settings as they are written; what is left out is the core's to fill in.
pub(crate) fn health(fields: &Fields) -> HealthSettings {
    let plain = HealthSettings::default();
    HealthSettings {
        sliding_window_type: fields
            .choice("sliding_window_type", SlidingWindowType::from_name)
            .unwrap_or(plain.sliding_window_type),
        sliding_window_size: fields.count("sliding_window_size").unwrap_or(plain.sliding_window_size),
        sliding_window_duration: fields
            .millis("sliding_window_duration")
            .unwrap_or(plain.sliding_window_duration),
        sliding_window_buckets: fields
            .count("sliding_window_buckets")
            .unwrap_or(plain.sliding_window_buckets),
        minimum_number_of_calls: fields
            .count("minimum_number_of_calls")
            .unwrap_or(plain.minimum_number_of_calls),
        failure_rate_threshold: fields.or_off(
            "failure_rate_threshold",
            Fields::count,
            plain.failure_rate_threshold,
        ),
        failure_count_threshold: fields.or_off(
            "failure_count_threshold",
            Fields::count,
            plain.failure_count_threshold,
        ),
        slow_call_duration_threshold: fields.or_off(
            "slow_call_duration_threshold",
            Fields::millis,
            plain.slow_call_duration_threshold,
        ),
        slow_call_rate_threshold: fields
            .count("slow_call_rate_threshold")
            .unwrap_or(plain.slow_call_rate_threshold),
        consecutive_failure_threshold: fields.or_off(
            "consecutive_failure_threshold",
            Fields::count,
            plain.consecutive_failure_threshold,
        ),
        wait_duration_in_open_state: fields
            .millis("wait_duration_in_open_state")
            .unwrap_or(plain.wait_duration_in_open_state),
        wait_interval_multiplier: fields
            .count("wait_interval_multiplier")
            .unwrap_or(plain.wait_interval_multiplier),
        max_wait_duration_in_open_state: fields.millis("max_wait_duration_in_open_state"),
        wait_jitter_ratio: fields.count("wait_jitter_ratio").unwrap_or(plain.wait_jitter_ratio),
        open_attempts_decay: fields.or_off("open_attempts_decay", Fields::millis, plain.open_attempts_decay),
        automatic_transition_from_open_to_half_open_enabled: fields
            .boolean("automatic_transition_from_open_to_half_open_enabled")
            .unwrap_or(plain.automatic_transition_from_open_to_half_open_enabled),
        permitted_number_of_calls_in_half_open_state: fields
            .count("permitted_number_of_calls_in_half_open_state")
            .unwrap_or(plain.permitted_number_of_calls_in_half_open_state),
        half_open_policy: fields
            .choice("half_open_policy", HalfOpenPolicy::from_name)
            .unwrap_or(plain.half_open_policy),
        half_open_success_threshold: fields.count("half_open_success_threshold"),
        half_open_failure_rate_threshold: fields.count("half_open_failure_rate_threshold"),
        half_open_counts_slow: fields.boolean("half_open_counts_slow").unwrap_or(plain.half_open_counts_slow),
        max_wait_duration_in_half_open_state: fields
            .get("max_wait_duration_in_half_open_state")
            .map(|_| fields.millis("max_wait_duration_in_half_open_state").map_or(Limit::Off, Limit::At)),
        transition_to_state_after_wait_duration: fields
            .choice("transition_to_state_after_wait_duration", HalfOpenExit::from_name)
            .unwrap_or(plain.transition_to_state_after_wait_duration),
        permit_ttl: fields.millis("permit_ttl"),
        record_error_classes: fields.choices("record_error_classes", Fault::from_name),
        ignore_error_classes: fields
            .get("ignore_error_classes")
            .map(|_| fields.choices("ignore_error_classes", Fault::from_name)),
        unlisted_error: fields
            .choice("unlisted_error", UnlistedError::from_name)
            .unwrap_or(plain.unlisted_error),
        retry_after_policy: fields
            .choice("retry_after_policy", RetryAfterPolicy::from_name)
            .unwrap_or(plain.retry_after_policy),
        max_retry_after: fields.millis("max_retry_after").unwrap_or(plain.max_retry_after),
        degraded_failure_rate_threshold: fields.or_off(
            "degraded_failure_rate_threshold",
            Fields::count,
            plain.degraded_failure_rate_threshold,
        ),
        degraded_slow_call_rate_threshold: fields.or_off(
            "degraded_slow_call_rate_threshold",
            Fields::count,
            plain.degraded_slow_call_rate_threshold,
        ),
        degraded_exit_failure_rate_threshold: fields.count("degraded_exit_failure_rate_threshold"),
        degraded_exit_slow_call_rate_threshold: fields.count("degraded_exit_slow_call_rate_threshold"),
        min_dwell: fields.millis("min_dwell").unwrap_or(plain.min_dwell),
        signal_ttl: fields.or_off("signal_ttl", Fields::millis, plain.signal_ttl),
        probe_rise: fields.count("probe_rise").unwrap_or(plain.probe_rise),
        probe_fall: fields.count("probe_fall").unwrap_or(plain.probe_fall),
        probe_interval: fields.or_off("probe_interval", Fields::millis, plain.probe_interval),
        probe_can_close: fields.boolean("probe_can_close").unwrap_or(plain.probe_can_close),
        refusal_rate_threshold: fields.or_off(
            "refusal_rate_threshold",
            Fields::count,
            plain.refusal_rate_threshold,
        ),
        ignored_streak_threshold: fields.or_off(
            "ignored_streak_threshold",
            Fields::count,
            plain.ignored_streak_threshold,
        ),
        strict_transitions: fields.boolean("strict_transitions").unwrap_or(plain.strict_transitions),
        initial_state: fields.choice("initial_state", InitialState::from_name).unwrap_or(plain.initial_state),
    }
}
