//! The keys of `[dependency.NAME.health]`.

use failsoft_core::INTEGER_MAX;

use super::keys::{
    Default, Form, Key, Kind, Table, faults, half_open_exits, half_open_policies, initial_states,
    retry_after_policies, unlisted_errors, window_types,
};

const CLASSES: Kind = Kind::List { of: &Kind::Choice(faults), min: 0, max: 16, form: Form::Set };

/// How a dependency's health is judged.
pub(crate) static HEALTH: Table = Table {
    title: "a health table",
    doc: "How a dependency's health is judged.",
    one_of: &[],
    keys: &[&[
        Key::new("sliding_window_type", Kind::Choice(window_types), "Whether the last so much time or the last so many calls are judged; `none` judges no rates.").default(Default::Word("time_based")),
        Key::new("sliding_window_size", Kind::Integer { min: 1, max: 10_000 }, "How many calls a count-based window holds.").default(Default::Integer(100)),
        Key::new("sliding_window_duration", Kind::SOME_TIME, "How much time a time-based window covers.").default(Default::Millis(30_000, "30s")),
        Key::new("sliding_window_buckets", Kind::Integer { min: 1, max: 60 }, "Into how many buckets that time is divided; it must divide it.").default(Default::Integer(10)),
        Key::new("minimum_number_of_calls", Kind::Integer { min: 1, max: 1_000_000 }, "So many calls must be in the window before a rate is judged.").default(Default::Integer(10)),
        Key::new("failure_rate_threshold", Kind::OrOff(&Kind::Integer { min: 1, max: 100 }), "The failure rate, in percent, at which the circuit opens.").default(Default::Integer(50)),
        Key::new("failure_count_threshold", Kind::OrOff(&Kind::Integer { min: 1, max: 1_000_000 }), "So many failures in the window open the circuit, however many calls there are.").default(Default::Word("off")),
        Key::new("slow_call_duration_threshold", Kind::OrOff(&Kind::SPAN), "A call that takes longer is slow.").default(Default::Word("off")),
        Key::new("slow_call_rate_threshold", Kind::Integer { min: 1, max: 100 }, "The rate of slow calls, in percent, at which the circuit opens.").default(Default::Integer(100)),
        Key::new("consecutive_failure_threshold", Kind::OrOff(&Kind::Integer { min: 1, max: 1_000_000 }), "So many counted failures in a row open the circuit.").default(Default::Integer(5)),
        Key::new("wait_duration_in_open_state", Kind::SPAN, "How long an open circuit waits before it lets trial calls through.").default(Default::Millis(5_000, "5s")),
        Key::new("wait_interval_multiplier", Kind::Integer { min: 100, max: 10_000 }, "How much longer each further wait is, in percent.").default(Default::Integer(200)),
        Key::new("max_wait_duration_in_open_state", Kind::SPAN, "The longest wait; 5m, or the first wait where that is longer."),
        Key::new("wait_jitter_ratio", Kind::Integer { min: 0, max: 100 }, "How much longer, in percent, a wait may be drawn from the host's seed.").default(Default::Integer(0)),
        Key::new("open_attempts_decay", Kind::OrOff(&Kind::SOME_TIME), "So much healthy time takes one open attempt off; where off, closing takes off all.").default(Default::Word("off")),
        Key::new("automatic_transition_from_open_to_half_open_enabled", Kind::Bool, "Half open as soon as the wait is over, and not at the first trial call.").default(Default::Bool(false)),
        Key::new("permitted_number_of_calls_in_half_open_state", Kind::Integer { min: 1, max: 1_000 }, "So many trial calls may be made in half open.").default(Default::Integer(3)),
        Key::new("half_open_policy", Kind::Choice(half_open_policies), "How they decide: by their rates, or by a number of successes (`m_of_n`).").default(Default::Word("rate")),
        Key::new("half_open_success_threshold", Kind::Integer { min: 1, max: 1_000 }, "So many of them must succeed, under `m_of_n`; all, if it is left out."),
        Key::new("half_open_failure_rate_threshold", Kind::Integer { min: 1, max: 100 }, "The failure rate among them, in percent, at which the circuit opens again; `failure_rate_threshold`, if it is left out."),
        Key::new("half_open_counts_slow", Kind::Bool, "Whether slow ones speak against it.").default(Default::Bool(true)),
        Key::new("max_wait_duration_in_half_open_state", Kind::OrOff(&Kind::SOME_TIME), "How long trial calls may be out without one that succeeds; 30s, or twice the deadline where that is longer."),
        Key::new("transition_to_state_after_wait_duration", Kind::Choice(half_open_exits), "Where that leads.").default(Default::Word("open")),
        Key::new("permit_ttl", Kind::SPAN, "How long a permit may stay out; 30s, or twice the deadline where that is longer."),
        Key::new("record_error_classes", CLASSES, "Fault classes that count as failures.").default(Default::Empty),
        Key::new("ignore_error_classes", CLASSES, "Fault classes that count as nothing; `exhausted`, unless that is recorded."),
        Key::new("unlisted_error", Kind::Choice(unlisted_errors), "What a class in neither list counts as.").default(Default::Word("failure")),
        Key::new("retry_after_policy", Kind::Choice(retry_after_policies), "What a told Retry-After does: the wait is at least as long, or it also opens the circuit at once.").default(Default::Word("extend")),
        Key::new("max_retry_after", Kind::SPAN, "The longest Retry-After that is believed.").default(Default::Millis(600_000, "10m")),
        Key::new("degraded_failure_rate_threshold", Kind::OrOff(&Kind::Integer { min: 1, max: 100 }), "The failure rate, in percent, at which health is degraded.").default(Default::Integer(25)),
        Key::new("degraded_slow_call_rate_threshold", Kind::OrOff(&Kind::Integer { min: 1, max: 100 }), "The rate of slow calls, in percent, at which health is degraded.").default(Default::Integer(50)),
        Key::new("degraded_exit_failure_rate_threshold", Kind::Integer { min: 1, max: 100 }, "The failure rate below which that may end; 10, or the threshold of entry where that is lower."),
        Key::new("degraded_exit_slow_call_rate_threshold", Kind::Integer { min: 1, max: 100 }, "The rate of slow calls below which that may end; 25, or the threshold of entry where that is lower."),
        Key::new("min_dwell", Kind::SPAN, "The shortest stay in degraded.").default(Default::Millis(5_000, "5s")),
        Key::new("signal_ttl", Kind::OrOff(&Kind::SPAN), "The age of the last signal above which nothing is known any more.").default(Default::Word("off")),
        Key::new("probe_rise", Kind::Integer { min: 1, max: INTEGER_MAX }, "So many good probes in a row end a degradation, or an open circuit's wait.").default(Default::Integer(2)),
        Key::new("probe_fall", Kind::Integer { min: 1, max: INTEGER_MAX }, "So many bad probes in a row open the circuit.").default(Default::Integer(3)),
        Key::new("probe_interval", Kind::OrOff(&Kind::SOME_TIME), "How often the host means to probe; the engine says when the next one is due.").default(Default::Word("off")),
        Key::new("probe_can_close", Kind::Bool, "Whether good probes alone close the circuit.").default(Default::Bool(false)),
        Key::new("refusal_rate_threshold", Kind::OrOff(&Kind::Integer { min: 1, max: 100 }), "The rate of refusals, in percent, that is told as `refusals.spiked`.").default(Default::Word("off")),
        Key::new("ignored_streak_threshold", Kind::OrOff(&Kind::Integer { min: 1, max: 1_000_000 }), "So many outcomes in a row that count as nothing are told as `never.answered`.").default(Default::Integer(20)),
        Key::new("strict_transitions", Kind::Bool, "Forbid an operator the transitions that resilience4j forbids.").default(Default::Bool(false)),
        Key::new("initial_state", Kind::Choice(initial_states), "How the circuit begins; `forced_open` waits for an operator before it is used.").default(Default::Word("closed")),
    ]],
};
