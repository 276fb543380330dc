//! What an engine knows, to be kept over a restart: ages, not moments (spec 10).
//!
//! Every field but `v` may be missing, and then is as at the beginning. State follows names, so a snapshot of one
//! matrix can be restored under the next.

pub(crate) mod form;

use alloc::string::String;
use alloc::vec::Vec;

pub(crate) use form::plain_data;
pub use form::*;

use super::vital::{Crossed, Episode, Opener, Outage, Phase, Standing, Vital};
use super::window::{Saved, Tally};
use super::{Machine, Rules};
use crate::apply::is_said;
use crate::matrix::{Dependency, Matrix};
use crate::meter::saved;
pub use crate::meter::saved::*;
use crate::state::{DependencyState, Signed, State};
use crate::window::OpenWindow;
pub use crate::window::saved::{
    AccountRowSnapshot, AccountSnapshot, CapSnapshot, WaySnapshot, WindowOpenSnapshot,
};
use crate::{Cause, Circuit, Health, INTEGER_MAX, Millis, Override, Time};

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
                    let window = known.window_open.as_ref().map(|window| window.save(matrix, now));
                    let known =
                        DependencySnapshot { window_open: window, ..known.saved(&dependency.rules, now) };
                    (dependency.name.as_ref().into(), known)
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
            let from = from.dependencies.get(dependency.name.as_ref());
            known.come_back(dependency, from, self.seed.jitter, (then, away.is_some()), Cause::Restart, now);
            known.window_open = from.and_then(|from| from.window_open.as_ref()).map(|from| {
                let next = self.windows.saturating_add(1);
                let window = OpenWindow::restored((matrix, dependency), self.seed.hash_key, from, next, then);
                self.windows = self.windows.max(saved::number(window.number));
                window
            });
        }
        for (meter, table) in matrix.meters.iter().zip(&mut self.tables) {
            table.restore(meter, from.meters.get(meter.name.as_ref()), then);
        }
        crate::window::note_open(self);
        self.instances = from.instances.as_ref().map(|told| (told.count, then.minus(told.age_ms)));
    }
}

fn saved(rules: &Rules, known: &DependencyState, now: Time) -> DependencySnapshot {
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
        open_attempts: vital.attempts_at(rules, now),
        attempts_age_ms: vital.since_forgotten(rules, now),
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
        window_open: None,
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
    /// What is kept of it, but for its window.
    pub(crate) fn saved(&self, rules: &Rules, now: Time) -> DependencySnapshot {
        saved(rules, self, now)
    }

    /// Puts what was saved at `then`, if anything, in the place of what is known; but no window. Permits are not kept, and their numbers are not given again.
    pub(crate) fn come_back(
        &mut self,
        dependency: &Dependency,
        from: Option<&DependencySnapshot>,
        seed: u64,
        (then, away_is_known): (Time, bool),
        why: Cause,
        now: Time,
    ) {
        let rules = &dependency.rules;
        let mut fresh = Self::new(rules, now, seed);
        fresh.begin_permits_after(self.leases.given());
        if let Some(from) = from {
            restored(rules, &mut fresh, from, then, away_is_known);
            fresh.keep_glass_lawful(dependency.break_glass, then);
        }
        if why == Cause::Reload {
            // Nothing has passed: what its new settings find due is their doing.
            fresh.machine(rules, seed).begin_forgetting(now);
            fresh.advance(rules, seed, now);
        }
        let before = from.and_then(|from| from.health).unwrap_or(fresh.told);
        fresh.machine(rules, seed).note_restart(before, why, then);
        *self = fresh;
    }

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
    /// What a restart, or another matrix's settings, has changed of the health, if anything.
    fn note_restart(&mut self, before: Health, why: Cause, now: Time) {
        let figures = self.window.get().at(now);
        let vital: &mut Vital = self.vital;
        let after = vital.health();
        if after == before {
            return;
        }
        vital.cause = Some(why);
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
