//! What can be the case with one dependency (spec 11.1), as a snapshot tells it, and the state that comes of it.

use alloc::vec;
use alloc::vec::Vec;

use crate::health::snapshot::{
    AdviceSnapshot, CapSnapshot, DependencySnapshot, OverrideSnapshot, WindowOpenSnapshot,
};
use crate::matrix::{Dependency, Matrix};
use crate::report::Report;
use crate::state::DependencyState;
use crate::window::OpenWindow;
use crate::{Cause, DependencyId, Fault, Health, Millis, Override, Time};

/// What its health is, in a situation.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Ailment {
    /// Nothing is said of it.
    None,
    /// A call went well.
    Well,
    /// A probe said that it is degraded.
    Degraded,
    /// Its circuit was opened by failures of this class.
    Down(Fault),
    /// The same, its wait is over, and a permit is free.
    Probing(Fault),
    /// The same, and no permit is free.
    Spent(Fault),
    /// Somebody else says that it is degraded.
    Advised,
    /// An operator holds it open.
    Held,
    /// An operator has this guard skipped.
    Skipped,
}

impl Ailment {
    /// How bad it is: what is worse of one class has more. What nothing is said of may be anything from the beginning on.
    #[must_use]
    pub const fn rank(self) -> Option<(u8, Option<Fault>)> {
        Some(match self {
            Self::Well => (0, None),
            Self::Degraded => (1, None),
            Self::Probing(class) => (2, Some(class)),
            Self::Spent(class) => (3, Some(class)),
            Self::Down(class) => (4, Some(class)),
            Self::None | Self::Advised | Self::Held | Self::Skipped => return None,
        })
    }

    /// The health that comes of it.
    #[must_use]
    pub const fn health(self) -> Option<Health> {
        Some(match self {
            Self::None | Self::Skipped => return None,
            Self::Well => Health::Healthy,
            Self::Degraded | Self::Advised => Health::Degraded,
            Self::Probing(_) | Self::Spent(_) => Health::Probing,
            Self::Down(_) | Self::Held => Health::Down,
        })
    }

    /// What the circuit was opened by.
    const fn class(self) -> Option<Fault> {
        match self {
            Self::Down(class) | Self::Probing(class) | Self::Spent(class) => Some(class),
            _ => None,
        }
    }
}

/// What is the case with a dependency.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Condition {
    /// Its health.
    pub ailment: Ailment,
    /// What the request met of it.
    pub report: Option<Report>,
}

impl Condition {
    /// How many facts tell it.
    #[must_use]
    pub fn size(&self) -> usize {
        usize::from(self.ailment != Ailment::None).saturating_add(usize::from(self.report.is_some()))
    }
}

/// The healths that a dependency can have, beside that nothing is said of it.
pub(super) fn ailments(dependency: &Dependency) -> Vec<Ailment> {
    let rules = &dependency.rules;
    // A probe or an operator opens a circuit as `unavailable`.
    let classes =
        || Fault::ALL.iter().copied().filter(|class| rules.counts(*class) || *class == Fault::Unavailable);
    // Without any wait it is never seen down.
    let waits = rules.wait > Millis::ZERO || rules.believed(Some(Millis::new(1))) > Millis::ZERO;
    [Ailment::None, Ailment::Well, Ailment::Degraded]
        .into_iter()
        .chain(classes().filter(|_| waits).map(Ailment::Down))
        .chain(classes().map(Ailment::Probing))
        .chain(classes().map(Ailment::Spent))
        .chain([Ailment::Advised, Ailment::Held])
        .chain(dependency.break_glass.map(|_| Ailment::Skipped))
        .collect()
}

/// Every condition of such healths; the first is that nothing is said.
pub(super) fn all(ailments: &[Ailment]) -> Vec<Condition> {
    let reports = || {
        let told =
            [Report::Ok, Report::Refused].into_iter().chain(Fault::ALL.iter().copied().map(Report::Failed));
        core::iter::once(None).chain(told.map(Some))
    };
    ailments
        .iter()
        .flat_map(|ailment| reports().map(|report| Condition { ailment: *ailment, report }))
        .collect()
}

/// Everything that a snapshot tells of one dependency in a situation.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Supposed {
    /// Its health.
    pub ailment: Ailment,
    /// The age of its last `ok`.
    pub last_ok: Option<Millis>,
    /// How deep its outbox is.
    pub outbox: Option<u64>,
    /// How long it has failed, and its window been open.
    pub failed_for: Option<Millis>,
    /// What caps have counted: rungs and amounts.
    pub caps: Vec<(u16, u64)>,
}

impl Supposed {
    /// Nothing is said of it.
    pub const NOTHING: Self =
        Self { ailment: Ailment::None, last_ok: None, outbox: None, failed_for: None, caps: Vec::new() };

    /// As a snapshot tells it; nothing where there is nothing to tell.
    #[must_use]
    pub fn snapshot(&self, matrix: &Matrix, id: DependencyId) -> Option<DependencySnapshot> {
        let dependency = matrix.dependencies.get(id.index())?;
        // Without a window how long it has failed is told of what it is from the beginning, too.
        if *self == Self::NOTHING {
            return None;
        }
        let now = Time::default();
        let mut told = self.health(matrix, dependency, now);
        told.last_ok_age_ms = self.last_ok;
        told.outbox_depth = self.outbox.unwrap_or(0);
        if let Some(age) = self.failed_for {
            told.ailing_age_ms = told.ailing_age_ms.map(|_| age);
            if let Some(standing) = &mut told.standing {
                standing.age_ms = age;
            }
        }
        if self.failed_for.is_some() || !self.caps.is_empty() {
            let cap = |(rung, amount): &(u16, u64)| CapSnapshot {
                rung: Some(u64::from(*rung)),
                amount: *amount,
                ..CapSnapshot::default()
            };
            told.window_open = Some(WindowOpenSnapshot {
                age_ms: self.failed_for.unwrap_or(Millis::ZERO),
                caps: self.caps.iter().map(cap).collect(),
                ..WindowOpenSnapshot::default()
            });
        }
        Some(told)
    }

    fn health(&self, matrix: &Matrix, dependency: &Dependency, now: Time) -> DependencySnapshot {
        let plain = DependencySnapshot::default;
        let just = Some(Millis::ZERO);
        let standing = |to: Override, left_ms: Option<Millis>| {
            let by = Some("check").filter(|_| to == Override::BreakGlass);
            OverrideSnapshot {
                to: Some(to),
                left_ms,
                by: by.map(Into::into),
                reason: by.map(Into::into),
                ..OverrideSnapshot::default()
            }
        };
        match self.ailment {
            // What it is from the beginning.
            Ailment::None => {
                let rules = &dependency.rules;
                let begun = DependencyState::new(rules, now, 0).saved(rules, now);
                DependencySnapshot {
                    told: begun.told.filter(|told| *told != Health::Unknown),
                    health: None,
                    ..begun
                }
            }
            Ailment::Well => {
                DependencySnapshot { signal_age_ms: just, told: Some(Health::Healthy), ..plain() }
            }
            Ailment::Degraded => DependencySnapshot {
                degraded_by_probe: true,
                signal_age_ms: just,
                probe_age_ms: just,
                ailing_age_ms: just,
                told: Some(Health::Degraded),
                ..plain()
            },
            Ailment::Probing(class) | Ailment::Spent(class) => DependencySnapshot {
                told: Some(Health::Probing),
                ..DependencySnapshot::opened(class, Millis::ZERO, Millis::ZERO)
            },
            Ailment::Down(class) => {
                DependencySnapshot::opened(class, dependency.rules.wait.max(Millis::new(1)), Millis::ZERO)
            }
            Ailment::Advised => DependencySnapshot {
                advice: vec![AdviceSnapshot { source: "check".into(), left_ms: matrix.signal_ttl }],
                ailing_age_ms: just,
                told: Some(Health::Degraded),
                ..plain()
            },
            Ailment::Held => DependencySnapshot {
                standing: Some(standing(Override::ForcedOpen, None)),
                ailing_age_ms: just,
                told: Some(Health::Down),
                ..plain()
            },
            Ailment::Skipped => DependencySnapshot {
                standing: Some(standing(Override::BreakGlass, dependency.break_glass)),
                ..plain()
            },
        }
    }

    /// How many permits are asked for, until none is free.
    #[must_use]
    pub fn permits(&self, matrix: &Matrix, id: DependencyId) -> u64 {
        let trials = matrix.dependencies.get(id.index()).map_or(0, |dependency| dependency.rules.trials);
        if matches!(self.ailment, Ailment::Spent(_)) { trials } else { 0 }
    }

    /// The dependency as it is then.
    pub(super) fn state(&self, matrix: &Matrix, id: DependencyId, now: Time) -> Option<DependencyState> {
        let dependency = matrix.dependencies.get(id.index())?;
        let rules = &dependency.rules;
        let mut known = DependencyState::new(rules, now, 0);
        if let Some(told) = self.snapshot(matrix, id) {
            known.come_back(dependency, Some(&told), 0, (now, true), Cause::Restart, now);
            let of = (matrix, dependency);
            known.window_open =
                told.window_open.map(|window| OpenWindow::restored(of, SECRET, &window, 1, now));
        }
        // What is due at once, such as the end of a wait of no time, is done.
        known.advance(rules, 0, now);
        for _ in 0..self.permits(matrix, id) {
            known.admit(rules, 0, now, true);
            // A permit of no time has run out when the next is asked for.
            known.advance(rules, 0, now);
        }
        Some(known)
    }

    /// The class that its circuit was opened by.
    #[must_use]
    pub const fn class(&self) -> Option<Fault> {
        self.ailment.class()
    }
}

/// The hash key of a state that is not seeded.
const SECRET: (u64, u64) = (0, 0);
