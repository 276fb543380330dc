//! What went through an open window, for whom, and by what (spec 7.2).

use alloc::collections::BTreeMap;
use alloc::sync::Arc;
use alloc::vec::Vec;

use crate::answer::{Reason, ReasonKind};
use crate::matrix::{DependencyId, MeterId};
use crate::meter::LONGEST_NAME;
use crate::{INTEGER_MAX, Millis, RuleKind, RungKind};

/// How a request went on in spite of a failure. In the order in which an account tells them.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Way {
    /// By this rung of the ladder.
    Rung(u16, RungKind),
    /// The ladder ran out; what stands at its end.
    RanOut(RungKind),
    /// An operator's `break_glass`.
    BreakGlass,
    /// It was held by a meter over its limit, in an operation that only watches.
    OverLimit,
    /// The operation is in `shadow`: whatever was decided, the host went on.
    Shadow,
}

impl Way {
    /// By which a need was answered.
    pub(crate) const fn of(reason: &Reason) -> Self {
        match (reason.rung, reason.kind) {
            (Some(rung), ReasonKind::Rung(kind)) => Self::Rung(rung, kind),
            (None, ReasonKind::Rung(kind)) => Self::RanOut(kind),
            (_, ReasonKind::Rule(RuleKind::BreakGlass)) => Self::BreakGlass,
            (_, ReasonKind::Rule(_)) => Self::OverLimit,
        }
    }

    /// The rung's place in the ladder, where it is one of its rungs.
    #[must_use]
    pub const fn rung(self) -> Option<u16> {
        match self {
            Self::Rung(rung, _) => Some(rung),
            _ => None,
        }
    }

    /// What it is called.
    #[must_use]
    pub const fn kind(self) -> &'static str {
        match self {
            Self::Rung(_, kind) | Self::RanOut(kind) => kind.as_str(),
            Self::BreakGlass => RuleKind::BreakGlass.as_str(),
            Self::OverLimit => RuleKind::OverLimit.as_str(),
            Self::Shadow => "shadow",
        }
    }

    /// The one of that place and name.
    pub(crate) fn from_names(rung: Option<u16>, kind: &str) -> Option<Self> {
        match (rung, RungKind::from_name(kind)) {
            (Some(rung), Some(kind)) => Some(Self::Rung(rung, kind)),
            (None, Some(kind)) => Some(Self::RanOut(kind)),
            (None, None) => {
                [Self::BreakGlass, Self::OverLimit, Self::Shadow].into_iter().find(|way| way.kind() == kind)
            }
            (Some(_), None) => None,
        }
    }
}

/// A line of an account.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct AccountRow {
    /// How many requests.
    pub requests: u64,
    /// What they took, of each meter of which it is not 0, meters as written.
    pub amounts: Vec<(MeterId, u64)>,
}

/// What went through a window so far.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct WindowAccount {
    /// From the opening to the last commit that used it.
    pub duration: Millis,
    /// Since that commit.
    pub idle: Millis,
    /// All rows together.
    pub total: AccountRow,
    /// How many requests, by the way in which each first went on.
    pub decisions: Vec<(Way, u64)>,
    /// By tenant, sorted.
    pub tenants: Vec<(Arc<str>, AccountRow)>,
    /// Those that have no row of their own.
    pub others: AccountRow,
}

/// Counted of one tenant, or of all others.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Row {
    pub(super) requests: u64,
    /// None of them 0.
    pub(super) amounts: BTreeMap<MeterId, u64>,
}

/// A request's part in an account: what a `finish` may correct.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Counted {
    pub(crate) dependency: DependencyId,
    /// The window's number.
    pub(crate) window: u64,
    /// Whose row; none of the `others`.
    tenant: Option<Arc<str>>,
    pub(crate) amounts: Vec<(MeterId, u64)>,
}

/// An account that is being written.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Ledger {
    /// Every way that was taken, and how many requests were counted under it.
    pub(super) ways: BTreeMap<Way, u64>,
    pub(super) tenants: BTreeMap<Arc<str>, Row>,
    pub(super) others: Row,
}

/// Counts stop at the largest number that every language can carry.
pub(super) fn add(count: u64, more: u64) -> u64 {
    count.saturating_add(more).min(INTEGER_MAX)
}

impl Row {
    /// So much less and so much more of a meter. Of a sum that was cut short nobody knows how much to take off.
    fn correct(&mut self, meter: MeterId, less: u64, more: u64) {
        let count = self.amounts.get(&meter).copied().unwrap_or(0);
        let less = if count >= INTEGER_MAX { 0 } else { less };
        match add(count.saturating_sub(less), more) {
            0 => self.amounts.remove(&meter),
            count => self.amounts.insert(meter, count),
        };
    }

    fn told(&self) -> AccountRow {
        let amounts = self.amounts.iter().map(|(meter, amount)| (*meter, *amount));
        AccountRow { requests: self.requests, amounts: amounts.collect() }
    }
}

impl Ledger {
    /// Notes a way that a commit has taken; whether it is new here.
    pub(super) fn take(&mut self, way: Way) -> bool {
        let known = self.ways.len();
        self.ways.entry(way).or_insert(0);
        self.ways.len() > known
    }

    /// Counts a request of a tenant, with its amounts. `most` tenants have a row each.
    pub(super) fn count(
        &mut self,
        way: Way,
        tenant: &Arc<str>,
        amounts: Vec<(MeterId, u64)>,
        most: usize,
        (dependency, window): (DependencyId, u64),
    ) -> Counted {
        let count = self.ways.entry(way).or_insert(0);
        *count = add(*count, 1);
        let has_row =
            tenant.len() <= LONGEST_NAME && (self.tenants.len() < most || self.tenants.contains_key(tenant));
        let tenant = has_row.then(|| tenant.clone());
        let row = self.row(tenant.as_ref());
        row.requests = add(row.requests, 1);
        amounts.iter().for_each(|(meter, amount)| row.correct(*meter, 0, *amount));
        Counted { dependency, window, tenant, amounts }
    }

    fn row(&mut self, tenant: Option<&Arc<str>>) -> &mut Row {
        match tenant {
            Some(tenant) => self.tenants.entry(tenant.clone()).or_default(),
            None => &mut self.others,
        }
    }

    /// What a request that was counted has really cost of a meter.
    pub(super) fn correct(&mut self, counted: &mut Counted, meter: MeterId, actual: u64) {
        let held = counted.amounts.iter_mut().find(|(of, _)| *of == meter);
        let before = match held {
            Some((_, amount)) => core::mem::replace(amount, actual),
            None => {
                counted.amounts.push((meter, actual));
                0
            }
        };
        self.row(counted.tenant.clone().as_ref()).correct(meter, before, actual);
    }

    pub(super) fn told(&self, duration: Millis, idle: Millis) -> WindowAccount {
        let mut total = Row::default();
        for row in self.tenants.values().chain([&self.others]) {
            total.requests = add(total.requests, row.requests);
            row.amounts.iter().for_each(|(meter, amount)| total.correct(*meter, 0, *amount));
        }
        let ways = self.ways.iter().filter(|(_, requests)| **requests > 0);
        WindowAccount {
            duration,
            idle,
            total: total.told(),
            decisions: ways.map(|(way, requests)| (*way, *requests)).collect(),
            tenants: self.tenants.iter().map(|(tenant, row)| (tenant.clone(), row.told())).collect(),
            others: self.others.told(),
        }
    }
}
