//! The settings of one dependency, resolved at load, so that nothing is worked out twice.

use crate::draft::{HealthSettings, Limit};
use crate::{
    Fault, HalfOpenExit, HalfOpenPolicy, InitialState, Millis, RetryAfterPolicy, SlidingWindowType,
    UnlistedError,
};

#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Rules {
    pub(crate) window: WindowShape,
    /// Calls that must have counted before a rate is judged.
    pub(crate) minimum: u64,
    pub(crate) failure_rate: Option<u64>,
    pub(crate) failure_count: Option<u64>,
    /// A call is slow above this.
    pub(crate) slow_over: Option<Millis>,
    pub(crate) slow_rate: u64,
    pub(crate) consecutive: Option<u64>,
    pub(crate) wait: Millis,
    pub(crate) wait_multiplier: u64,
    pub(crate) longest_wait: Millis,
    pub(crate) wait_jitter: u64,
    pub(crate) decay: Option<Millis>,
    pub(crate) half_open_at_once: bool,
    /// So many trials may be made in half open.
    pub(crate) trials: u64,
    /// So many must have counted before they decide by their rates.
    trials_minimum: u64,
    pub(crate) policy: HalfOpenPolicy,
    /// So many of them must pass, under `m_of_n`.
    pub(crate) passes: u64,
    pub(crate) trial_failure_rate: u64,
    pub(crate) trials_count_slow: bool,
    pub(crate) longest_stay: Option<Millis>,
    pub(crate) stay_leads_to: HalfOpenExit,
    pub(crate) permit_ttl: Millis,
    failures: u16,
    pub(crate) retry_after: RetryAfterPolicy,
    pub(crate) max_retry_after: Millis,
    pub(crate) degraded_failure_rate: Option<u64>,
    pub(crate) degraded_slow_rate: Option<u64>,
    pub(crate) exit_failure_rate: u64,
    pub(crate) exit_slow_rate: u64,
    pub(crate) dwell: Millis,
    pub(crate) signal_ttl: Option<Millis>,
    pub(crate) rise: u64,
    pub(crate) fall: u64,
    pub(crate) probe_interval: Option<Millis>,
    pub(crate) probe_can_close: bool,
    /// The lowest rates at which anything happens to a closed circuit that is well; 101 where none does.
    pub(crate) lowest_failure_rate: u64,
    pub(crate) lowest_slow_rate: u64,
    pub(crate) refusal_rate: Option<u64>,
    pub(crate) ignored_streak: Option<u64>,
    pub(crate) strict: bool,
    pub(crate) initial: InitialState,
    /// A call that is out for longer is hung.
    pub(crate) hung_over: Option<Millis>,
    /// A call that is out for longer is slow already.
    pub(crate) lagging_over: Option<Millis>,
    /// The first that time does with a call that is out.
    pub(crate) call_due: Millis,
    /// What tells this dependency's jitter from another's.
    pub(crate) name_hash: u64,
}

/// The call window, as it is laid out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum WindowShape {
    None,
    Calls { size: u32 },
    Time { buckets: u32, bucket: Millis },
}

impl Rules {
    /// The rules of settings that have been checked. What is out of range all the same is brought into it.
    pub(crate) fn new(settings: &HealthSettings, deadline: Option<Millis>, name: &str) -> Self {
        let settings = settings.written_out(deadline);
        let percent = |value: u32| u64::from(value.clamp(1, 100));
        let buckets = settings.sliding_window_buckets.clamp(1, 60);
        let bucket = settings.sliding_window_duration.get().checked_div(u64::from(buckets)).unwrap_or(1);
        let size = settings.sliding_window_size.clamp(1, 10_000);
        let minimum = u64::from(settings.minimum_number_of_calls.max(1));
        let (window, minimum) = match settings.sliding_window_type {
            SlidingWindowType::None => (WindowShape::None, minimum),
            SlidingWindowType::CountBased => (WindowShape::Calls { size }, minimum.min(size.into())),
            SlidingWindowType::TimeBased => {
                (WindowShape::Time { buckets, bucket: Millis::new(bucket.max(1)) }, minimum)
            }
        };
        let trials = u64::from(settings.permitted_number_of_calls_in_half_open_state.max(1));
        let failures = failures(&settings);
        let slow_over = settings.slow_call_duration_threshold;
        let timeout_counts = failures & bit(Fault::Timeout) != 0;
        let shorter = |limit: Millis| deadline.map_or(limit, |deadline| limit.min(deadline));
        let permit_ttl = settings.permit_ttl.unwrap_or_default();
        let hung_over = deadline.filter(|_| timeout_counts);
        let lagging_over = slow_over.map(shorter);
        let lowest = |opens: Option<u32>, degrades: Option<u32>| {
            opens.into_iter().chain(degrades).map(percent).min().unwrap_or(101)
        };
        let after = |limit: Option<Millis>| limit.map_or(permit_ttl, |limit| limit.plus(Millis::new(1)));
        Self {
            window,
            minimum,
            failure_rate: settings.failure_rate_threshold.map(percent),
            failure_count: settings.failure_count_threshold.map(u64::from),
            slow_over,
            slow_rate: percent(settings.slow_call_rate_threshold),
            consecutive: settings.consecutive_failure_threshold.map(|run| u64::from(run.max(1))),
            wait: settings.wait_duration_in_open_state,
            wait_multiplier: u64::from(settings.wait_interval_multiplier.max(100)),
            longest_wait: settings.max_wait_duration_in_open_state.unwrap_or_default(),
            wait_jitter: u64::from(settings.wait_jitter_ratio.min(100)),
            decay: settings.open_attempts_decay.filter(|decay| *decay > Millis::ZERO),
            half_open_at_once: settings.automatic_transition_from_open_to_half_open_enabled,
            trials,
            trials_minimum: u64::from(settings.minimum_number_of_calls.max(1)).min(trials),
            policy: settings.half_open_policy,
            passes: settings
                .half_open_success_threshold
                .map_or(trials, |passes| u64::from(passes).clamp(1, trials)),
            trial_failure_rate: settings.half_open_failure_rate_threshold.map_or(50, percent),
            trials_count_slow: settings.half_open_counts_slow,
            longest_stay: match settings.max_wait_duration_in_half_open_state {
                Some(Limit::At(stay)) => Some(stay),
                Some(Limit::Off) | None => None,
            },
            stay_leads_to: settings.transition_to_state_after_wait_duration,
            permit_ttl,
            failures,
            retry_after: settings.retry_after_policy,
            max_retry_after: settings.max_retry_after,
            degraded_failure_rate: settings.degraded_failure_rate_threshold.map(percent),
            degraded_slow_rate: settings.degraded_slow_call_rate_threshold.map(percent),
            exit_failure_rate: settings.degraded_exit_failure_rate_threshold.map_or(100, percent),
            exit_slow_rate: settings.degraded_exit_slow_call_rate_threshold.map_or(100, percent),
            dwell: settings.min_dwell,
            signal_ttl: settings.signal_ttl,
            rise: u64::from(settings.probe_rise.max(1)),
            fall: u64::from(settings.probe_fall.max(1)),
            probe_interval: settings.probe_interval,
            probe_can_close: settings.probe_can_close,
            lowest_failure_rate: lowest(
                settings.failure_rate_threshold,
                settings.degraded_failure_rate_threshold,
            ),
            lowest_slow_rate: match slow_over {
                Some(_) => lowest(
                    Some(settings.slow_call_rate_threshold),
                    settings.degraded_slow_call_rate_threshold,
                ),
                None => 101,
            },
            refusal_rate: settings.refusal_rate_threshold.map(percent),
            ignored_streak: settings.ignored_streak_threshold.map(u64::from),
            strict: settings.strict_transitions,
            initial: settings.initial_state,
            hung_over,
            lagging_over,
            call_due: permit_ttl.min(after(hung_over)).min(after(lagging_over)),
            name_hash: fnv1a(name),
        }
    }

    pub(crate) fn opens_on_retry_after(&self) -> bool {
        self.retry_after == RetryAfterPolicy::Open
    }

    /// Whether a class counts as a failure here; else it counts as nothing.
    pub(crate) fn counts(&self, fault: Fault) -> bool {
        self.failures & bit(fault) != 0
    }

    /// How many trials must have counted before they decide.
    pub(crate) fn deciding_trials(&self) -> u64 {
        match self.policy {
            HalfOpenPolicy::Rate => self.trials_minimum,
            HalfOpenPolicy::MOfN => self.passes,
        }
    }

    /// The Retry-After that is believed.
    pub(crate) fn believed(&self, retry_after: Option<Millis>) -> Millis {
        match (self.retry_after, retry_after) {
            (RetryAfterPolicy::Off, _) | (_, None) => Millis::ZERO,
            (_, Some(told)) => told.min(self.max_retry_after),
        }
    }

    /// The wait after this many openings, jitter and all.
    pub(crate) fn wait_of(&self, attempts: u64, seed: u64) -> Millis {
        let mut wait = self.wait.min(self.longest_wait);
        let mut attempt = 1;
        while attempt < attempts && wait < self.longest_wait {
            let longer = wait.percent(self.wait_multiplier).min(self.longest_wait);
            if longer == wait {
                break; // Too short to grow: no later step would.
            }
            wait = longer;
            attempt = u64::saturating_add(attempt, 1);
        }
        let most = wait.percent(self.wait_jitter).get();
        let drawn = draw(seed ^ self.name_hash, attempts).checked_rem(most.saturating_add(1)).unwrap_or(0);
        wait.plus(Millis::new(drawn))
    }
}

/// The classes that count as failures, as bits. What the caller causes never does (law 4).
fn failures(settings: &HealthSettings) -> u16 {
    let ignored = settings.ignore_error_classes.as_deref().unwrap_or_default();
    let counts = |fault: &&Fault| {
        let listed = match (ignored.contains(fault), settings.record_error_classes.contains(fault)) {
            (true, _) => false,
            (false, true) => true,
            (false, false) => settings.unlisted_error == UnlistedError::Failure,
        };
        listed && !fault.caller()
    };
    Fault::ALL.iter().filter(counts).fold(0, |bits, fault| bits | bit(*fault))
}

fn bit(fault: Fault) -> u16 {
    1u16.checked_shl(u32::from(fault.number())).unwrap_or(0)
}

fn fnv1a(name: &str) -> u64 {
    name.bytes()
        .fold(0xcbf2_9ce4_8422_2325, |hash, byte| (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3))
}

/// A number from a seed: the splitmix64 sequence, at this place.
fn draw(seed: u64, place: u64) -> u64 {
    let mut bits = seed.wrapping_add(place.wrapping_mul(0x9E37_79B9_7F4A_7C15));
    bits = (bits ^ (bits >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    bits = (bits ^ (bits >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
    bits ^ (bits >> 31)
}
