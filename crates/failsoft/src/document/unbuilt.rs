//! The health settings that are specified and not built: read by nobody, so that each is refused by name.

use super::keys::Key;

/// The settings of the whole health machine, of which this version builds a part. A test holds them against
/// `[[unbuilt]]` in `spec/vocabulary.toml`.
pub(crate) const HEALTH: &[Key] = &[
    Key::unbuilt("sliding_window_type", "Kind of the call window: count_based, time_based or none."),
    Key::unbuilt("sliding_window_size", "Length of a count-based window, in calls."),
    Key::unbuilt("sliding_window_duration", "Length of a time-based window."),
    Key::unbuilt("sliding_window_buckets", "Buckets of a time-based window."),
    Key::unbuilt("minimum_number_of_calls", "Calls in the window below which no rate is judged."),
    Key::unbuilt("failure_rate_threshold", "Failure rate at which the circuit opens."),
    Key::unbuilt("slow_call_duration_threshold", "Latency above which a call is slow."),
    Key::unbuilt("slow_call_rate_threshold", "Slow rate at which the circuit opens."),
    Key::unbuilt("wait_interval_multiplier", "How much longer each further wait is."),
    Key::unbuilt("max_wait_duration_in_open_state", "The longest wait."),
    Key::unbuilt("wait_jitter_ratio", "Seeded jitter of the wait."),
    Key::unbuilt("open_attempts_decay", "Healthy time that takes one open attempt off."),
    Key::unbuilt(
        "automatic_transition_from_open_to_half_open_enabled",
        "Half open as soon as the wait is over.",
    ),
    Key::unbuilt("permitted_number_of_calls_in_half_open_state", "Trial calls at a time."),
    Key::unbuilt("half_open_policy", "How trials decide: rate or m_of_n."),
    Key::unbuilt("half_open_success_threshold", "Successes that close, under m_of_n."),
    Key::unbuilt("half_open_failure_rate_threshold", "Failure rate of the trials that opens again."),
    Key::unbuilt("half_open_counts_slow", "Whether a slow trial is a failed one."),
    Key::unbuilt("max_wait_duration_in_half_open_state", "The longest stay in half open."),
    Key::unbuilt("transition_to_state_after_wait_duration", "Where the longest stay in half open leads."),
    Key::unbuilt("record_error_classes", "Fault classes that count."),
    Key::unbuilt("ignore_error_classes", "Fault classes that do not count."),
    Key::unbuilt("unlisted_error", "What a class in neither list counts as."),
    Key::unbuilt("retry_after_policy", "What a told Retry-After does: extend, open or off."),
    Key::unbuilt("max_retry_after", "The longest Retry-After that is believed."),
    Key::unbuilt("degraded_failure_rate_threshold", "Failure rate at which health is degraded."),
    Key::unbuilt("degraded_slow_call_rate_threshold", "Slow rate at which health is degraded."),
    Key::unbuilt("degraded_exit_failure_rate_threshold", "Failure rate below which degraded may end."),
    Key::unbuilt("degraded_exit_slow_call_rate_threshold", "Slow rate below which degraded may end."),
    Key::unbuilt("min_dwell", "The shortest stay in degraded."),
    Key::unbuilt("probe_can_close", "Whether passing probes alone close the circuit."),
    Key::unbuilt("signal_ttl", "Age at which the last signal makes health unknown."),
    Key::unbuilt("strict_transitions", "Forbid the transitions that resilience4j forbids."),
    Key::unbuilt("refusal_rate_threshold", "Refusal rate that is told as refusals.spiked."),
    Key::unbuilt("ignored_streak_threshold", "Ignored outcomes in a row that are told as never.answered."),
];
