//! Random valid health settings (HLT-50): low thresholds and short spans, so that a short trace crosses them.

use fastrand::Rng;
use serde_json::{Map, Value, json};

use super::{FAULTS, Plan, chance, duration, maybe, pick, small};

/// The longest span that a document may hold (DOC-4).
const LONGEST: i64 = (1 << 53) - 1;

/// A span in milliseconds as a document writes it; a longest one, now and then.
fn span(rng: &mut Rng, of: &[i64]) -> Value {
    let picked = if chance(rng, 2) { LONGEST } else { pick(rng, of) };
    written(picked)
}

/// A span as a document writes it.
fn written(span: i64) -> Value {
    if span > 0 && span % 1_000 == 0 {
        json!(format!("{}s", span / 1_000))
    } else {
        json!(format!("{span}ms"))
    }
}

/// A value, or `"off"` so many times in a hundred.
fn or_off(rng: &mut Rng, percent: u32, value: Value) -> Value {
    if chance(rng, percent) { json!("off") } else { value }
}

/// A threshold in percent.
fn percent(rng: &mut Rng) -> i64 {
    pick(rng, &[1, 10, 20, 25, 33, 34, 49, 50, 50, 51, 60, 66, 67, 75, 99, 100, 100])
}

/// The whole table.
pub(super) fn health(rng: &mut Rng, plan: &Plan, deadline: Option<&Value>) -> Value {
    let mut map = Map::new();
    window(rng, &mut map);
    opening(rng, plan, &mut map);
    wait(rng, plan, &mut map);
    half_open(rng, &mut map);
    permit_ttl(rng, plan, deadline, &mut map);
    classes(rng, &mut map);
    degraded(rng, &mut map);
    around(rng, plan, &mut map);
    Value::Object(map)
}

/// The window: 1 to 6 buckets of 50 to some hundred ms, 1 to 8 calls, or none.
fn window(rng: &mut Rng, map: &mut Map<String, Value>) {
    let kind = pick(rng, &["time_based", "time_based", "count_based", "count_based", "none"]);
    maybe(rng, map, 75, "sliding_window_type", json!(kind));
    if chance(rng, 80) {
        // Together, so that the buckets divide the duration.
        let buckets = rng.i64(1..=6);
        let length = pick(rng, &[1, 50, 50, 100, 100, 150, 300]);
        map.insert("sliding_window_buckets".to_owned(), json!(buckets));
        map.insert("sliding_window_duration".to_owned(), written(buckets * length));
    }
    let size = rng.i64(1..=8);
    maybe(rng, map, 85, "sliding_window_size", json!(size));
    let least = pick(rng, &[1, 1, 2, 2, 3, 4, 6]);
    maybe(rng, map, 90, "minimum_number_of_calls", json!(least));
}

/// What opens a closed circuit.
fn opening(rng: &mut Rng, plan: &Plan, map: &mut Map<String, Value>) {
    let run = if chance(rng, 70) { small(rng, plan) } else { json!(rng.i64(1..=6)) };
    let run = or_off(rng, 40, run);
    maybe(rng, map, 90, "consecutive_failure_threshold", run);
    let rate = percent(rng);
    let rate = or_off(rng, 20, json!(rate));
    maybe(rng, map, 70, "failure_rate_threshold", rate);
    let count = rng.i64(1..=5);
    let count = or_off(rng, 20, json!(count));
    maybe(rng, map, 30, "failure_count_threshold", count);
    let slow = span(rng, &[0, 3, 4, 50, 100]);
    let slow = or_off(rng, 10, slow);
    maybe(rng, map, 60, "slow_call_duration_threshold", slow);
    let rate = percent(rng);
    maybe(rng, map, 60, "slow_call_rate_threshold", json!(rate));
}

/// The wait in open, its back-off, jitter and decay; and Retry-After.
fn wait(rng: &mut Rng, plan: &Plan, map: &mut Map<String, Value>) {
    if chance(rng, 30) {
        // By parameter, perhaps: at most a second, so below any longest wait that is written.
        map.insert("wait_duration_in_open_state".to_owned(), duration(rng, plan));
        maybe(rng, map, 30, "max_wait_duration_in_open_state", json!("1s"));
    } else if chance(rng, 90) {
        // A wait of no length at all is over in the line that begins it.
        let wait = pick(rng, &[0, 1, 50, 50, 100, 100, 200, 500]);
        map.insert("wait_duration_in_open_state".to_owned(), written(wait));
        let longest = wait + pick(rng, &[0, 1, 50, 100, 400, 1_000, 60_000]);
        maybe(rng, map, 50, "max_wait_duration_in_open_state", written(longest));
    }
    let multiplier = pick(rng, &[100, 101, 150, 200, 300, 10_000]);
    maybe(rng, map, 60, "wait_interval_multiplier", json!(multiplier));
    let jitter = pick(rng, &[0, 1, 10, 50, 100]);
    maybe(rng, map, 35, "wait_jitter_ratio", json!(jitter));
    let decay = span(rng, &[1, 50, 100, 200, 500]);
    let decay = or_off(rng, 15, decay);
    maybe(rng, map, 40, "open_attempts_decay", decay);
    let automatic = chance(rng, 70);
    maybe(rng, map, 35, "automatic_transition_from_open_to_half_open_enabled", json!(automatic));
    let policy = pick(rng, &["extend", "open", "open", "off"]);
    maybe(rng, map, 50, "retry_after_policy", json!(policy));
    let longest = span(rng, &[0, 60, 100, 300, 600_000]);
    maybe(rng, map, 40, "max_retry_after", longest);
}

/// Trials, the longest stay, and permits.
fn half_open(rng: &mut Rng, map: &mut Map<String, Value>) {
    let permitted = rng.i64(1..=5);
    if chance(rng, 80) {
        map.insert("permitted_number_of_calls_in_half_open_state".to_owned(), json!(permitted));
        let needed = rng.i64(1..=permitted);
        maybe(rng, map, 50, "half_open_success_threshold", json!(needed));
    }
    let policy = pick(rng, &["rate", "m_of_n", "m_of_n"]);
    maybe(rng, map, 70, "half_open_policy", json!(policy));
    let rate = percent(rng);
    maybe(rng, map, 40, "half_open_failure_rate_threshold", json!(rate));
    let slow = chance(rng, 40);
    maybe(rng, map, 40, "half_open_counts_slow", json!(slow));
    let longest = span(rng, &[1, 50, 100, 150, 300]);
    let longest = or_off(rng, 20, longest);
    maybe(rng, map, 70, "max_wait_duration_in_half_open_state", longest);
    let leads = pick(rng, &["open", "closed"]);
    maybe(rng, map, 40, "transition_to_state_after_wait_duration", json!(leads));
}

/// A permit outlives the deadline (HLT-51), often by so little that a call is hung for a millisecond or not at all.
fn permit_ttl(rng: &mut Rng, plan: &Plan, deadline: Option<&Value>, map: &mut Map<String, Value>) {
    let ttl = match deadline.map(|deadline| crate::json::duration(deadline, "deadline").ok()) {
        None if chance(rng, 10) => json!("0ms"),
        None => duration(rng, plan),
        Some(Some(deadline)) => {
            let more = pick(rng, &[1, 1, 2, 50, 100, 300, 10_000]);
            written(deadline + more)
        }
        // A parameter: 200 ms at most.
        Some(None) => written(pick(rng, &[201, 300, 10_000])),
    };
    maybe(rng, map, 85, "permit_ttl", ttl);
}

/// Which classes count: the two lists hold different ones, and none that the caller causes (HLT-51).
fn classes(rng: &mut Rng, map: &mut Map<String, Value>) {
    let mut classes: Vec<&str> =
        FAULTS.into_iter().filter(|fault| !matches!(*fault, "rejected" | "cancelled")).collect();
    rng.shuffle(&mut classes);
    let (first, rest) = classes.split_at(rng.usize(0..=4));
    let mut ignored: Vec<&str> = rest.iter().copied().take(rng.usize(0..=2)).collect();
    if first.contains(&"exhausted") || chance(rng, 30) {
        ignored.retain(|class| *class != "exhausted");
    }
    if chance(rng, 35) {
        map.insert("record_error_classes".to_owned(), json!(first));
        maybe(rng, map, 40, "ignore_error_classes", json!(ignored));
    } else if chance(rng, 25) {
        // A class may stand twice; the canonical form has it once.
        let twice: Vec<&str> = ignored.iter().chain(ignored.iter().take(1)).copied().collect();
        map.insert("ignore_error_classes".to_owned(), json!(twice));
    }
    let unlisted = pick(rng, &["failure", "failure", "nothing"]);
    maybe(rng, map, 30, "unlisted_error", json!(unlisted));
    let refusals = percent(rng);
    let refusals = or_off(rng, 10, json!(refusals));
    maybe(rng, map, 40, "refusal_rate_threshold", refusals);
    let streak = rng.i64(1..=3);
    let streak = or_off(rng, 10, json!(streak));
    maybe(rng, map, 45, "ignored_streak_threshold", streak);
}

/// The band *degraded*: exits not above their entries.
fn degraded(rng: &mut Rng, map: &mut Map<String, Value>) {
    let bands = [
        ("degraded_failure_rate_threshold", "degraded_exit_failure_rate_threshold", 25),
        ("degraded_slow_call_rate_threshold", "degraded_exit_slow_call_rate_threshold", 50),
    ];
    for (entry, exit, default) in bands {
        let mut highest = default;
        if chance(rng, 65) {
            let rate = percent(rng);
            let value = or_off(rng, 20, json!(rate));
            highest = value.as_i64().unwrap_or(default);
            map.insert(entry.to_owned(), value);
        }
        let rate = rng.i64(1..=highest);
        maybe(rng, map, 45, exit, json!(rate));
    }
    let dwell = span(rng, &[0, 1, 50, 100, 200]);
    maybe(rng, map, 70, "min_dwell", dwell);
}

/// Signals, probes, operators, and the beginning.
fn around(rng: &mut Rng, plan: &Plan, map: &mut Map<String, Value>) {
    let ttl = span(rng, &[50, 100, 100, 200, 400]);
    let ttl = or_off(rng, 15, ttl);
    maybe(rng, map, 40, "signal_ttl", ttl);
    let rise = small(rng, plan);
    maybe(rng, map, 60, "probe_rise", rise);
    let fall = small(rng, plan);
    maybe(rng, map, 60, "probe_fall", fall);
    let interval = span(rng, &[1, 50, 100, 500]);
    let interval = or_off(rng, 15, interval);
    maybe(rng, map, 35, "probe_interval", interval);
    let can_close = chance(rng, 75);
    maybe(rng, map, 35, "probe_can_close", json!(can_close));
    let strict = chance(rng, 75);
    maybe(rng, map, 25, "strict_transitions", json!(strict));
    let initial = pick(rng, &["closed", "open", "open", "forced_open", "disabled", "metrics_only"]);
    maybe(rng, map, 25, "initial_state", json!(initial));
}
