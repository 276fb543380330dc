//! The settings of `[dependency.NAME.health]` (HLT-50): what they are where they are not written, and how the
//! canonical form writes them.

use serde_json::{Map, Value, json};

use crate::json::{
    duration, integer, optional_duration, optional_integer, string, string_or, strings_or_none, table,
};

/// The settings in the order of HLT-50. `None` is `"off"`; durations are in milliseconds, percents whole.
#[derive(Clone, Debug)]
pub(crate) struct HealthSettings {
    pub(crate) sliding_window_type: String,
    pub(crate) sliding_window_size: i64,
    pub(crate) sliding_window_duration: i64,
    pub(crate) sliding_window_buckets: i64,
    pub(crate) minimum_number_of_calls: i64,
    pub(crate) failure_rate_threshold: Option<i64>,
    pub(crate) failure_count_threshold: Option<i64>,
    pub(crate) slow_call_duration_threshold: Option<i64>,
    pub(crate) slow_call_rate_threshold: i64,
    pub(crate) consecutive_failure_threshold: Option<i64>,
    pub(crate) wait: i64,
    pub(crate) wait_interval_multiplier: i64,
    pub(crate) max_wait: i64,
    pub(crate) wait_jitter_ratio: i64,
    pub(crate) open_attempts_decay: Option<i64>,
    pub(crate) automatic_half_open: bool,
    pub(crate) permitted_calls: i64,
    pub(crate) half_open_policy: String,
    pub(crate) half_open_success_threshold: i64,
    pub(crate) half_open_failure_rate_threshold: i64,
    pub(crate) half_open_counts_slow: bool,
    pub(crate) max_wait_in_half_open: Option<i64>,
    pub(crate) after_half_open: String,
    pub(crate) permit_ttl: i64,
    pub(crate) record_error_classes: Vec<String>,
    pub(crate) ignore_error_classes: Vec<String>,
    pub(crate) unlisted_error: String,
    pub(crate) retry_after_policy: String,
    pub(crate) max_retry_after: i64,
    pub(crate) degraded_failure_rate: Option<i64>,
    pub(crate) degraded_slow_call_rate: Option<i64>,
    pub(crate) degraded_exit_failure_rate: i64,
    pub(crate) degraded_exit_slow_call_rate: i64,
    pub(crate) min_dwell: i64,
    pub(crate) signal_ttl: Option<i64>,
    pub(crate) probe_rise: i64,
    pub(crate) probe_fall: i64,
    pub(crate) probe_interval: Option<i64>,
    pub(crate) probe_can_close: bool,
    pub(crate) refusal_rate_threshold: Option<i64>,
    pub(crate) ignored_streak_threshold: Option<i64>,
    pub(crate) strict_transitions: bool,
    pub(crate) initial_state: String,
}

/// The settings as written, with the defaults of HLT-50; some of them rest on the dependency's deadline.
pub(crate) fn read(written: Option<&Value>, deadline: Option<i64>) -> Result<HealthSettings, String> {
    let empty = Map::new();
    let map = match written {
        None => &empty,
        Some(value) => table(value, "health")?,
    };
    let number = |key: &str, default: i64| Ok::<i64, String>(optional_integer(map, key)?.unwrap_or(default));
    let span = |key: &str, default: i64| Ok::<i64, String>(optional_duration(map, key)?.unwrap_or(default));
    let text = |key: &str, default: &str| string_or(map, key, default);
    let classes = |key: &str| strings_or_none(map, key);
    let twice_deadline = deadline.unwrap_or(0).saturating_mul(2).max(30_000);

    let wait = span("wait_duration_in_open_state", 5_000)?;
    let permitted = number("permitted_number_of_calls_in_half_open_state", 3)?;
    let failure_rate_threshold = number_or_off(map, "failure_rate_threshold", Some(50))?;
    let degraded_failure_rate = number_or_off(map, "degraded_failure_rate_threshold", Some(25))?;
    let degraded_slow_call_rate = number_or_off(map, "degraded_slow_call_rate_threshold", Some(50))?;
    let record = classes("record_error_classes")?.unwrap_or_default();
    let exhausted_recorded = record.iter().any(|class| class == "exhausted");
    let ignored = if exhausted_recorded { Vec::new() } else { vec!["exhausted".to_owned()] };
    let longest_stay = span_or_off(map, "max_wait_duration_in_half_open_state", Some(twice_deadline))?;
    Ok(HealthSettings {
        sliding_window_type: text("sliding_window_type", "time_based")?,
        sliding_window_size: number("sliding_window_size", 100)?,
        sliding_window_duration: span("sliding_window_duration", 30_000)?,
        sliding_window_buckets: number("sliding_window_buckets", 10)?,
        minimum_number_of_calls: number("minimum_number_of_calls", 10)?,
        failure_rate_threshold,
        failure_count_threshold: number_or_off(map, "failure_count_threshold", None)?,
        slow_call_duration_threshold: span_or_off(map, "slow_call_duration_threshold", None)?,
        slow_call_rate_threshold: number("slow_call_rate_threshold", 100)?,
        consecutive_failure_threshold: number_or_off(map, "consecutive_failure_threshold", Some(5))?,
        wait,
        wait_interval_multiplier: number("wait_interval_multiplier", 200)?,
        max_wait: span("max_wait_duration_in_open_state", wait.max(300_000))?,
        wait_jitter_ratio: number("wait_jitter_ratio", 0)?,
        open_attempts_decay: span_or_off(map, "open_attempts_decay", None)?,
        automatic_half_open: flag(map, "automatic_transition_from_open_to_half_open_enabled", false)?,
        permitted_calls: permitted,
        half_open_policy: text("half_open_policy", "rate")?,
        half_open_success_threshold: number("half_open_success_threshold", permitted)?,
        half_open_failure_rate_threshold: number(
            "half_open_failure_rate_threshold",
            failure_rate_threshold.unwrap_or(50),
        )?,
        half_open_counts_slow: flag(map, "half_open_counts_slow", true)?,
        max_wait_in_half_open: longest_stay,
        after_half_open: text("transition_to_state_after_wait_duration", "open")?,
        permit_ttl: span("permit_ttl", twice_deadline)?,
        ignore_error_classes: classes("ignore_error_classes")?.unwrap_or(ignored),
        record_error_classes: record,
        unlisted_error: text("unlisted_error", "failure")?,
        retry_after_policy: text("retry_after_policy", "extend")?,
        max_retry_after: span("max_retry_after", 600_000)?,
        degraded_failure_rate,
        degraded_slow_call_rate,
        // "10, or that threshold where it is lower": where entry is off there is none to be lower.
        degraded_exit_failure_rate: number(
            "degraded_exit_failure_rate_threshold",
            degraded_failure_rate.unwrap_or(100).min(10),
        )?,
        degraded_exit_slow_call_rate: number(
            "degraded_exit_slow_call_rate_threshold",
            degraded_slow_call_rate.unwrap_or(100).min(25),
        )?,
        min_dwell: span("min_dwell", 5_000)?,
        signal_ttl: span_or_off(map, "signal_ttl", None)?,
        probe_rise: number("probe_rise", 2)?,
        probe_fall: number("probe_fall", 3)?,
        probe_interval: span_or_off(map, "probe_interval", None)?,
        probe_can_close: flag(map, "probe_can_close", false)?,
        refusal_rate_threshold: number_or_off(map, "refusal_rate_threshold", None)?,
        ignored_streak_threshold: number_or_off(map, "ignored_streak_threshold", Some(20))?,
        strict_transitions: flag(map, "strict_transitions", false)?,
        initial_state: text("initial_state", "closed")?,
    })
}

/// A number, or `"off"`.
fn number_or_off(map: &Map<String, Value>, key: &str, default: Option<i64>) -> Result<Option<i64>, String> {
    match map.get(key) {
        None => Ok(default),
        Some(Value::String(text)) if text == "off" => Ok(None),
        Some(value) => Ok(Some(integer(value, key)?)),
    }
}

/// A duration, or `"off"`.
fn span_or_off(map: &Map<String, Value>, key: &str, default: Option<i64>) -> Result<Option<i64>, String> {
    match map.get(key) {
        None => Ok(default),
        Some(value) if string(value, key)? == "off" => Ok(None),
        Some(value) => Ok(Some(duration(value, key)?)),
    }
}

/// A boolean.
fn flag(map: &Map<String, Value>, key: &str, default: bool) -> Result<bool, String> {
    match map.get(key) {
        None => Ok(default),
        Some(value) => value.as_bool().ok_or_else(|| format!("{key} must be true or false")),
    }
}

/// CAN-5: a number, or `"off"` under the same key.
fn or_off(value: Option<i64>) -> Value {
    value.map_or_else(|| json!("off"), |value| json!(value))
}

/// CAN-7: sorted by bytes, no repeats.
fn sorted_classes(classes: &[String]) -> Value {
    let mut classes = classes.to_vec();
    classes.sort();
    classes.dedup();
    json!(classes)
}

impl HealthSettings {
    /// CAN-4 and CAN-5: all keys of HLT-50, durations with the suffix `_ms`.
    pub(crate) fn canonical(&self) -> Value {
        let mut map = Map::new();
        let mut put = |key: &str, value: Value| {
            map.insert(key.to_owned(), value);
        };
        put("sliding_window_type", json!(self.sliding_window_type));
        put("sliding_window_size", json!(self.sliding_window_size));
        put("sliding_window_duration_ms", json!(self.sliding_window_duration));
        put("sliding_window_buckets", json!(self.sliding_window_buckets));
        put("minimum_number_of_calls", json!(self.minimum_number_of_calls));
        put("failure_rate_threshold", or_off(self.failure_rate_threshold));
        put("failure_count_threshold", or_off(self.failure_count_threshold));
        put("slow_call_duration_threshold_ms", or_off(self.slow_call_duration_threshold));
        put("slow_call_rate_threshold", json!(self.slow_call_rate_threshold));
        put("consecutive_failure_threshold", or_off(self.consecutive_failure_threshold));
        put("wait_duration_in_open_state_ms", json!(self.wait));
        put("wait_interval_multiplier", json!(self.wait_interval_multiplier));
        put("max_wait_duration_in_open_state_ms", json!(self.max_wait));
        put("wait_jitter_ratio", json!(self.wait_jitter_ratio));
        put("open_attempts_decay_ms", or_off(self.open_attempts_decay));
        put("automatic_transition_from_open_to_half_open_enabled", json!(self.automatic_half_open));
        put("permitted_number_of_calls_in_half_open_state", json!(self.permitted_calls));
        put("half_open_policy", json!(self.half_open_policy));
        put("half_open_success_threshold", json!(self.half_open_success_threshold));
        put("half_open_failure_rate_threshold", json!(self.half_open_failure_rate_threshold));
        put("half_open_counts_slow", json!(self.half_open_counts_slow));
        put("max_wait_duration_in_half_open_state_ms", or_off(self.max_wait_in_half_open));
        put("transition_to_state_after_wait_duration", json!(self.after_half_open));
        put("permit_ttl_ms", json!(self.permit_ttl));
        put("record_error_classes", sorted_classes(&self.record_error_classes));
        put("ignore_error_classes", sorted_classes(&self.ignore_error_classes));
        put("unlisted_error", json!(self.unlisted_error));
        put("retry_after_policy", json!(self.retry_after_policy));
        put("max_retry_after_ms", json!(self.max_retry_after));
        put("degraded_failure_rate_threshold", or_off(self.degraded_failure_rate));
        put("degraded_slow_call_rate_threshold", or_off(self.degraded_slow_call_rate));
        put("degraded_exit_failure_rate_threshold", json!(self.degraded_exit_failure_rate));
        put("degraded_exit_slow_call_rate_threshold", json!(self.degraded_exit_slow_call_rate));
        put("min_dwell_ms", json!(self.min_dwell));
        put("signal_ttl_ms", or_off(self.signal_ttl));
        put("probe_rise", json!(self.probe_rise));
        put("probe_fall", json!(self.probe_fall));
        put("probe_interval_ms", or_off(self.probe_interval));
        put("probe_can_close", json!(self.probe_can_close));
        put("refusal_rate_threshold", or_off(self.refusal_rate_threshold));
        put("ignored_streak_threshold", or_off(self.ignored_streak_threshold));
        put("strict_transitions", json!(self.strict_transitions));
        put("initial_state", json!(self.initial_state));
        Value::Object(map)
    }

    /// Whether a window is kept at all (HLT-55).
    pub(crate) fn has_window(&self) -> bool {
        self.sliding_window_type != "none"
    }

    /// HLT-56: from how many calls on a rate is judged; for a count-based window at most its size.
    pub(crate) fn minimum_calls(&self) -> i64 {
        if self.sliding_window_type == "count_based" {
            self.minimum_number_of_calls.min(self.sliding_window_size)
        } else {
            self.minimum_number_of_calls
        }
    }

    /// HLT-61: how many trials decide by rate; under `m_of_n` the number of successes that decides (HLT-39 says
    /// "the number that decides" of both).
    pub(crate) fn deciding_trials(&self) -> i64 {
        if self.half_open_policy == "m_of_n" {
            self.half_open_success_threshold
        } else {
            self.minimum_number_of_calls.min(self.permitted_calls)
        }
    }

    /// HLT-5: what a result counts as, after NEED-3; the first row that fits.
    pub(crate) fn counts_as(&self, result: &str) -> CountsAs {
        let listed = |list: &[String]| list.iter().any(|class| class == result);
        match result {
            "ok" | "refused" => CountsAs::Success,
            "rejected" | "cancelled" => CountsAs::Nothing,
            _ if listed(&self.ignore_error_classes) => CountsAs::Nothing,
            _ if listed(&self.record_error_classes) => CountsAs::Failure,
            _ if self.unlisted_error == "nothing" => CountsAs::Nothing,
            _ => CountsAs::Failure,
        }
    }
}

/// What an outcome counts as (HLT-5).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum CountsAs {
    Success,
    Failure,
    Nothing,
}
