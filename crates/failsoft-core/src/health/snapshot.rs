//! What an engine knows, to be kept over a restart: ages, not moments (spec 10).
//!
//! Every field but `v` may be missing, and then is as at the beginning. State follows names, so a snapshot of one
//! matrix can be restored under the next.

use alloc::collections::BTreeMap;
use alloc::string::String;
use alloc::vec::Vec;

use super::vital::{Crossed, Episode, Opener, Outage, Phase, Standing, Vital};
use super::window::{Saved, Tally};
use super::{Machine, Rules};
use crate::apply::is_said;
use crate::matrix::Matrix;
use crate::meter::saved;
pub use crate::meter::saved::*;
use crate::state::{DependencyState, Signed, State};
use crate::window::OpenWindow;
pub use crate::window::saved::{
    AccountRowSnapshot, AccountSnapshot, CapSnapshot, WaySnapshot, WindowOpenSnapshot,
};
use crate::{Cause, Circuit, Fault, Health, INTEGER_MAX, Millis, Override, Time};

/// Data that every field of may be missing. Its types are written here and in `meter/saved.rs`.
macro_rules! plain_data {
    ($($(#[$doc:meta])* pub struct $name:ident { $($(#[$field_doc:meta])* pub $field:ident: $type:ty,)* })*) => {$(
        $(#[$doc])*
        #[derive(Clone, Debug, Default, PartialEq, Eq)]
        #[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
        #[cfg_attr(feature = "serde", serde(deny_unknown_fields, default))]
        pub struct $name {
            $($(#[$field_doc])*
            #[cfg_attr(feature = "serde", serde(skip_serializing_if = "crate::health::snapshot::is_default"))]
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

/// The settings that a change of health can name.
const SETTINGS: &[&str] = &[
    "consecutive_failure_threshold",
    "failure_rate_threshold",
    "failure_count_threshold",
    "slow_call_rate_threshold",
    "degraded_failure_rate_threshold",
    "degraded_slow_call_rate_threshold",
    "half_open_failure_rate_threshold",
    "half_open_success_threshold",
    "max_wait_duration_in_half_open_state",
    "max_retry_after",
    "probe_rise",
    "probe_fall",
];

impl State {
    /// What is to be kept, as of `now`. It changes nothing.
    #[must_use]
    pub fn save(&self, matrix: &Matrix, now: Time) -> Snapshot {
        let now = self.clamp(now);
        let mut state = self.clone();
        crate::apply::advance_all(matrix, &mut state, now, &mut Vec::new());
        let meters = matrix.meters.iter().zip(&mut state.tables);
        let meters =
            meters.map(|(meter, table)| (meter.name.as_ref().into(), table.save(meter, now))).collect();
        let known = matrix.dependencies.iter().zip(&state.dependencies);
        Snapshot {
            v: 1,
            dependencies: known
                .map(|(dependency, known)| {
                    (dependency.name.as_ref().into(), saved(matrix, &dependency.rules, known, now))
                })
                .collect(),
            meters,
            instances: state
                .instances
                .map(|(count, told)| InstancesSnapshot { count, age_ms: now.since(told) }),
            windows: state.windows,
        }
    }

    /// Puts a snapshot in the place of what is known. What fell due while away is not done yet.
    pub(crate) fn restore(&mut self, matrix: &Matrix, from: &Snapshot, now: Time, away: Option<Millis>) {
        let gone = away.unwrap_or(Millis::ZERO);
        let then = now.minus(gone);
        self.windows = self.windows.max(saved::number(from.windows));
        for (dependency, known) in matrix.dependencies.iter().zip(&mut self.dependencies) {
            let rules = &dependency.rules;
            let mut fresh = DependencyState::new(rules, now, self.seed.jitter);
            // Permits are not kept, and their numbers are not given again.
            fresh.leases = core::mem::take(&mut known.leases);
            fresh.leases.clear();
            fresh.vital.out.floor = fresh.leases.next_serial();
            if let Some(from) = from.dependencies.get(dependency.name.as_ref()) {
                restored(rules, &mut fresh, from, then, away.is_some());
                fresh.window_open = from.window_open.as_ref().map(|from| {
                    let window = OpenWindow::restored(matrix, from, self.windows.saturating_add(1), then);
                    self.windows = self.windows.max(saved::number(window.number));
                    window
                });
                fresh.keep_glass_lawful(dependency.break_glass, then);
            }
            let before = from
                .dependencies
                .get(dependency.name.as_ref())
                .and_then(|from| from.health)
                .unwrap_or(fresh.told);
            let mut machine = fresh.machine(rules, self.seed.jitter);
            machine.note_restart(before, then);
            *known = fresh;
        }
        for (meter, table) in matrix.meters.iter().zip(&mut self.tables) {
            table.restore(meter, from.meters.get(meter.name.as_ref()), then);
        }
        crate::window::note_open(self);
        self.instances = from.instances.as_ref().map(|told| (told.count, then.minus(told.age_ms)));
    }
}

fn saved(matrix: &Matrix, rules: &Rules, known: &DependencyState, now: Time) -> DependencySnapshot {
    let vital = &known.vital;
    let age = |moment: Time| now.since(moment);
    let left = |moment: Time| moment.since(now);
    let out = |health: Health| matches!(health, Health::Down | Health::Probing);
    let (circuit, wait_left_ms) = match vital.phase {
        Phase::Closed => (None, Millis::ZERO),
        Phase::Open { until, over } => (Some(Circuit::Open), if over { Millis::ZERO } else { left(until) }),
        Phase::HalfOpen => (Some(Circuit::Open), left_of_trials(rules, known, now)),
    };
    DependencySnapshot {
        circuit,
        wait_left_ms,
        retry_after_left_ms: vital.told_until.map(left).filter(|left| *left > Millis::ZERO),
        opened_by: match vital.opener {
            Opener::Own => None,
            Opener::Operator => Some(OpenedBy::Operator),
            Opener::Initial => Some(OpenedBy::InitialState),
        },
        open_attempts: vital.attempts,
        attempts_age_ms: vital.forgetting.map(age),
        consecutive_failures: vital.run,
        ignored_calls: known.ignored_calls,
        ignored_streak: known.ignored_streak,
        not_permitted_calls: vital.not_permitted,
        late_outcomes: known.late_outcomes,
        lost_calls: vital.out.lost,
        window: known.window.saved(now).map(|saved| match saved {
            Saved::Time { left, buckets } => WindowSnapshot {
                bucket_left_ms: Some(left),
                buckets: buckets
                    .iter()
                    .map(|bucket| (bucket.calls, bucket.failed, bucket.slow, bucket.refused))
                    .collect(),
                calls: None,
            },
            Saved::Calls(calls) => WindowSnapshot {
                bucket_left_ms: None,
                buckets: Vec::new(),
                calls: Some(calls.iter().map(|digit| char::from(b'0' | digit)).collect()),
            },
        }),
        last_failure: vital.last_failure,
        sticky: vital.sticky,
        degraded_by_probe: vital.degraded_by_probe,
        degraded_age_ms: vital.band.map(|band| age(band.since)),
        rise: vital.rise,
        fall: vital.fall,
        probe_age_ms: vital.probed.map(age),
        signal_age_ms: vital.signal.map(age),
        last_ok_age_ms: known.last_ok.map(age),
        advice: known
            .advice
            .iter()
            .map(|(source, until)| AdviceSnapshot { source: source.as_ref().into(), left_ms: left(*until) })
            .filter(|advice| advice.left_ms > Millis::ZERO)
            .collect(),
        standing: vital.standing.map(|standing| OverrideSnapshot {
            to: Some(standing.kind),
            left_ms: standing.until.map(left),
            age_ms: age(standing.since),
            by: known.signed.by.as_deref().map(String::from),
            reason: known.signed.reason.as_deref().map(String::from),
            initial: standing.initial,
        }),
        refusals_spiked: known.refusals_spiked,
        window_open: known.window_open.as_ref().map(|window| window.save(matrix, now)),
        outbox_depth: known.outbox_depth,
        outbox_sequence: known.outbox_sequence,
        ailing_age_ms: vital.ailing_since.map(age),
        ended_outage: vital.episode.filter(|_| out(known.told) && !out(vital.health())).map(|episode| {
            EndedOutageSnapshot {
                duration_ms: episode.duration,
                not_permitted_calls: episode.not_permitted_calls,
                open_attempts: episode.open_attempts,
            }
        }),
        outage: vital.outage.map(|outage| OutageSnapshot {
            age_ms: age(outage.since),
            not_permitted_calls: outage.not_permitted,
            open_attempts: outage.opened,
        }),
        told: Some(known.told),
        told_age_ms: age(known.told_since),
        health: Some(vital.health()),
        health_age_ms: age(vital.since),
        why: vital.cause,
        crossed: vital.crossed.map(|crossed| CrossedSnapshot {
            setting: crossed.setting.into(),
            value: crossed.value,
            limit: crossed.limit,
        }),
        figures: Some(vital.figures).filter(|figures| *figures != Tally::default()).map(|figures| {
            FiguresSnapshot {
                calls: figures.calls.min(INTEGER_MAX),
                failed_calls: figures.failed.min(INTEGER_MAX),
                slow_calls: figures.slow.min(INTEGER_MAX),
            }
        }),
    }
}

/// A half-open circuit comes back open until the last trial's permit that was out has ended.
fn left_of_trials(rules: &Rules, known: &DependencyState, now: Time) -> Millis {
    let mut slot = known.vital.out.current;
    let mut left = Millis::ZERO;
    while let Some(lease) = known.leases.get(slot) {
        if lease.trial {
            left = left.max(lease.given.plus(rules.permit_ttl).since(now));
        }
        slot = lease.next;
    }
    left
}

/// `then` is the moment of saving, as this engine's clock counts it.
fn restored(
    rules: &Rules,
    known: &mut DependencyState,
    from: &DependencySnapshot,
    then: Time,
    away_is_known: bool,
) {
    let ago = |age: Millis| then.minus(age);
    let ahead = |left: Millis| then.plus(left);
    let vital = &mut known.vital;
    vital.phase = match from.circuit {
        None | Some(Circuit::Closed) => Phase::Closed,
        // Whatever else a hand-made one says, it is not closed.
        Some(_) => Phase::Open { until: ahead(from.wait_left_ms), over: from.wait_left_ms == Millis::ZERO },
    };
    vital.told_until = from.retry_after_left_ms.map(ahead);
    vital.opener = match from.opened_by.filter(|_| !vital.is_closed()) {
        None => Opener::Own,
        Some(OpenedBy::Operator) => Opener::Operator,
        Some(OpenedBy::InitialState) => Opener::Initial,
    };
    vital.attempts = from.open_attempts;
    vital.run = from.consecutive_failures;
    vital.not_permitted = from.not_permitted_calls;
    vital.out.lost = from.lost_calls;
    vital.last_failure = from.last_failure;
    vital.sticky = from.sticky.filter(|class| class.sticky() > 0);
    vital.degraded_by_probe = from.degraded_by_probe;
    vital.band = from
        .degraded_age_ms
        .filter(|_| vital.is_closed())
        .map(|age| super::vital::Band { since: ago(age), looked: then });
    vital.rise = from.rise;
    vital.fall = from.fall;
    vital.probed = from.probe_age_ms.map(ago);
    vital.signal = from.signal_age_ms.map(ago);
    vital.standing = from.standing.as_ref().and_then(|standing| {
        Some(Standing {
            kind: standing.to.filter(|kind| kind.stands())?,
            until: standing.left_ms.map(ahead),
            since: ago(standing.age_ms),
            initial: standing.initial,
        })
    });
    known.signed = from.standing.as_ref().map_or_else(Signed::default, |standing| Signed {
        by: standing.by.as_deref().map(Into::into),
        reason: standing.reason.as_deref().map(Into::into),
    });
    vital.ailing_since = from.ailing_age_ms.map(ago);
    vital.outage = from.outage.as_ref().map(|outage| Outage {
        since: ago(outage.age_ms),
        not_permitted: outage.not_permitted_calls,
        opened: outage.open_attempts,
    });
    vital.episode = from.ended_outage.as_ref().map(|ended| Episode {
        duration: ended.duration_ms,
        not_permitted_calls: ended.not_permitted_calls,
        open_attempts: ended.open_attempts,
    });
    vital.since = ago(from.health_age_ms);
    vital.cause = from.why;
    vital.crossed = from.crossed.as_ref().and_then(|crossed| {
        let setting = SETTINGS.iter().copied().find(|setting| *setting == crossed.setting)?;
        Some(Crossed { setting, value: crossed.value, limit: crossed.limit })
    });
    vital.figures = from.figures.as_ref().map_or_else(Tally::default, |figures| Tally {
        calls: figures.calls,
        failed: figures.failed_calls,
        slow: figures.slow_calls,
        refused: 0,
    });
    known.told = from.told.unwrap_or(known.told);
    known.told_since = ago(from.told_age_ms);
    known.ignored_calls = from.ignored_calls;
    known.ignored_streak = from.ignored_streak;
    known.late_outcomes = from.late_outcomes;
    known.refusals_spiked = from.refusals_spiked;
    known.last_ok = from.last_ok_age_ms.map(ago);
    known.outbox_depth = from.outbox_depth;
    known.outbox_sequence = from.outbox_sequence;
    known.advice = from
        .advice
        .iter()
        .skip(from.advice.len().saturating_sub(crate::state::MOST_SOURCES))
        .map(|advice| (advice.source.as_str().into(), ahead(advice.left_ms)))
        .collect();
    let vital = &mut known.vital;
    vital.advised_until = known.advice.iter().map(|(_, until)| *until).max();
    // Attempts are forgotten only while it is closed and well.
    let well = vital.is_closed() && !vital.degraded_by_probe && vital.band.is_none();
    vital.forgetting = from.attempts_age_ms.filter(|_| well && rules.decay.is_some()).map(ago);
    if let Some(window) = &from.window {
        let saved = match (&window.calls, window.bucket_left_ms) {
            (Some(calls), None) => Some(Saved::Calls(calls.bytes().map(|digit| digit & 7).collect())),
            (None, Some(left)) => Some(Saved::Time {
                left,
                buckets: window
                    .buckets
                    .iter()
                    .map(|(calls, failed, slow, refused)| Tally {
                        calls: *calls,
                        failed: *failed,
                        slow: *slow,
                        refused: *refused,
                    })
                    .collect(),
            }),
            _ => None,
        };
        if let Some(saved) = saved {
            known.window.restore(then, &saved);
        }
    }
    let own = known.vital.without_advice().health();
    if !away_is_known && own == Health::Healthy && known.vital.signal.is_some() {
        known.vital.signal = None;
    }
}

impl DependencyState {
    /// A snapshot breaks no glass that an operator may not.
    fn keep_glass_lawful(&mut self, longest: Option<Millis>, then: Time) {
        let signed = is_said(self.signed.by.as_deref()) && is_said(self.signed.reason.as_deref());
        let may = longest.filter(|_| signed);
        if let Some(standing) = self.vital.standing.filter(|standing| standing.kind == Override::BreakGlass) {
            self.vital.standing = may.map(|longest| {
                let last = then.plus(longest);
                Standing { until: Some(standing.until.map_or(last, |until| until.min(last))), ..standing }
            });
        }
    }
}

impl Machine<'_> {
    /// What a restart itself has changed of the health, if anything.
    fn note_restart(&mut self, before: Health, now: Time) {
        let figures = self.window.get().at(now);
        let vital: &mut Vital = self.vital;
        let after = vital.health();
        if after == before {
            return;
        }
        vital.cause = Some(Cause::Restart);
        vital.crossed = None;
        vital.figures = figures;
        vital.since = now;
        let ailing = !matches!(after, Health::Unknown | Health::Healthy);
        vital.ailing_since = vital.ailing_since.filter(|_| ailing).or(ailing.then_some(now));
        let out = matches!(after, Health::Down | Health::Probing);
        vital.outage = vital.outage.filter(|_| out).or(out.then_some(Outage {
            since: now,
            not_permitted: 0,
            opened: 0,
        }));
    }
}
