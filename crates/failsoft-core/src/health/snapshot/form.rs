//! The form of a snapshot: ages, not moments (spec 10.2).

use alloc::collections::BTreeMap;
use alloc::string::String;
use alloc::vec::Vec;

use crate::meter::saved::MeterSnapshot;
use crate::window::saved::WindowOpenSnapshot;
use crate::{Cause, Circuit, Fault, Health, Millis, Override};

/// Data that every field of may be missing. Its types are written here, in `meter/saved.rs` and in `window/saved.rs`.
macro_rules! plain_data {
    ($($(#[$doc:meta])* pub struct $name:ident { $($(#[$field_doc:meta])* pub $field:ident: $type:ty,)* })*) => {$(
        $(#[$doc])*
        #[derive(Clone, Debug, Default, PartialEq, Eq)]
        #[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
        #[cfg_attr(feature = "serde", serde(deny_unknown_fields, default))]
        pub struct $name {
            $($(#[$field_doc])*
            #[cfg_attr(feature = "serde", serde(skip_serializing_if = "crate::health::snapshot::form::is_default"))]
            pub $field: $type,)*
        }
    )*};
}

pub(crate) use plain_data;

#[cfg(feature = "serde")]
pub(crate) fn is_default<T: Default + PartialEq>(value: &T) -> bool {
    *value == T::default()
}

plain_data! {
    /// All that is kept.
    pub struct Snapshot {
        /// The version of this form: 1.
        pub v: u64,
        /// What is known of each dependency, by name.
        pub dependencies: BTreeMap<String, DependencySnapshot>,
        /// What is counted of each meter, by name; under the same hash key when it is restored.
        pub meters: BTreeMap<String, MeterSnapshot>,
        /// How many instances were told, and when.
        pub instances: Option<InstancesSnapshot>,
        /// How many windows have opened.
        pub windows: u64,
    }

    /// The number of instances.
    pub struct InstancesSnapshot {
        /// How many.
        pub count: u64,
        /// How long ago they were told.
        pub age_ms: Millis,
    }

    /// What is known of a dependency.
    pub struct DependencySnapshot {
        /// `closed` where it is missing, else `open`.
        pub circuit: Option<Circuit>,
        /// What is left of an open circuit's wait.
        pub wait_left_ms: Millis,
        /// What is left of the Retry-After that it told.
        pub retry_after_left_ms: Option<Millis>,
        /// `operator` or `initial_state`; its own failures or probes where it is missing.
        pub opened_by: Option<OpenedBy>,
        /// How often it has opened.
        pub open_attempts: u64,
        /// Since when the next of them is being forgotten.
        pub attempts_age_ms: Option<Millis>,
        /// The run of failures.
        pub consecutive_failures: u64,
        /// A counter.
        pub ignored_calls: u64,
        /// Ignored outcomes in a row.
        pub ignored_streak: u64,
        /// A counter.
        pub not_permitted_calls: u64,
        /// A counter.
        pub late_outcomes: u64,
        /// A counter.
        pub lost_calls: u64,
        /// The call window.
        pub window: Option<WindowSnapshot>,
        /// The class of the last failure.
        pub last_failure: Option<Fault>,
        /// The class that stays until the circuit closes.
        pub sticky: Option<Fault>,
        /// Degraded by a probe.
        pub degraded_by_probe: bool,
        /// Degraded by its rates, and for how long.
        pub degraded_age_ms: Option<Millis>,
        /// Good probes in a row.
        pub rise: u64,
        /// Bad probes in a row.
        pub fall: u64,
        /// The age of the last probe.
        pub probe_age_ms: Option<Millis>,
        /// The age of the last signal; nothing is known where it is missing.
        pub signal_age_ms: Option<Millis>,
        /// The age of the last `ok`.
        pub last_ok_age_ms: Option<Millis>,
        /// Who advises, the one told longest ago first.
        pub advice: Vec<AdviceSnapshot>,
        /// The operator's override that stands.
        #[cfg_attr(feature = "serde", serde(rename = "override"))]
        pub standing: Option<OverrideSnapshot>,
        /// Too many refusals have been told.
        pub refusals_spiked: bool,
        /// The time in which requests go on in spite of its failure.
        pub window_open: Option<WindowOpenSnapshot>,
        /// How much waits in its outbox.
        pub outbox_depth: u64,
        /// The last number given.
        pub outbox_sequence: u64,
        /// Since when it is neither healthy nor unknown.
        pub ailing_age_ms: Option<Millis>,
        /// The outage that lasts.
        pub outage: Option<OutageSnapshot>,
        /// The outage that has ended, where that was not told yet.
        pub ended_outage: Option<EndedOutageSnapshot>,
        /// The health last told.
        pub told: Option<Health>,
        /// Since when that stood.
        pub told_age_ms: Millis,
        /// The health as it stood; as told where it is missing.
        pub health: Option<Health>,
        /// Since when the present health stands.
        pub health_age_ms: Millis,
        /// What changed it last.
        pub why: Option<Cause>,
        /// The setting and the value behind that.
        pub crossed: Option<CrossedSnapshot>,
        /// The figures behind it.
        pub figures: Option<FiguresSnapshot>,
    }

    /// A call window.
    pub struct WindowSnapshot {
        /// What is left of the current bucket; time-based.
        pub bucket_left_ms: Option<Millis>,
        /// Calls, failed, slow and refused ones of each bucket, the newest first; time-based.
        pub buckets: Vec<(u64, u64, u64, u64)>,
        /// A digit a call, the oldest first: 1 if it failed, plus 2 if slow, plus 4 if refused; count-based.
        pub calls: Option<String>,
    }

    /// Advice that stands.
    pub struct AdviceSnapshot {
        /// Who advises.
        pub source: String,
        /// How long it still stands.
        pub left_ms: Millis,
    }

    /// An operator's override that stands.
    pub struct OverrideSnapshot {
        /// What it is.
        pub to: Option<Override>,
        /// How long it still stands; until it is lifted where it is missing.
        pub left_ms: Option<Millis>,
        /// How long it has stood.
        pub age_ms: Millis,
        /// Who set it.
        pub by: Option<String>,
        /// Why.
        pub reason: Option<String>,
        /// Nobody: the matrix begins so.
        pub initial: bool,
    }

    /// An outage that lasts.
    pub struct OutageSnapshot {
        /// Since when.
        pub age_ms: Millis,
        /// Permits refused meanwhile.
        pub not_permitted_calls: u64,
        /// How often the circuit opened meanwhile.
        pub open_attempts: u64,
    }

    /// An outage that has ended.
    pub struct EndedOutageSnapshot {
        /// How long it lasted.
        pub duration_ms: Millis,
        /// Permits refused meanwhile.
        pub not_permitted_calls: u64,
        /// How often the circuit opened meanwhile.
        pub open_attempts: u64,
    }

    /// A setting, and the value that crossed it.
    pub struct CrossedSnapshot {
        /// The setting's key.
        pub setting: String,
        /// The value.
        pub value: u64,
        /// What it was held against.
        pub limit: u64,
    }

    /// The figures behind a change.
    pub struct FiguresSnapshot {
        /// Calls that counted.
        pub calls: u64,
        /// Failed ones.
        pub failed_calls: u64,
        /// Slow ones.
        pub slow_calls: u64,
    }
}

/// Who opened a circuit, where its own failures did not.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[cfg_attr(feature = "serde", serde(rename_all = "snake_case"))]
pub enum OpenedBy {
    /// An operator.
    Operator,
    /// Nobody yet.
    InitialState,
}

impl DependencySnapshot {
    /// A circuit that failures of this class have opened so long ago, and what is left of its wait.
    #[must_use]
    pub fn opened(class: Fault, wait_left_ms: Millis, ago: Millis) -> Self {
        Self {
            circuit: Some(Circuit::Open),
            wait_left_ms,
            open_attempts: 1,
            consecutive_failures: 1,
            last_failure: Some(class),
            sticky: Some(class).filter(|class| class.sticky() > 0),
            signal_age_ms: Some(ago),
            ailing_age_ms: Some(ago),
            outage: Some(OutageSnapshot { age_ms: ago, not_permitted_calls: 0, open_attempts: 1 }),
            told: Some(Health::Down),
            why: Some(Cause::ConsecutiveFailures),
            ..Self::default()
        }
    }
}
