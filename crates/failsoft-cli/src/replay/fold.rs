//! Folding: what is alike and follows one another is told once, and counted.

use std::collections::BTreeSet;

use failsoft::{Decision, DependencyId, Detail, Obligation, Reason, Time};

use crate::words::{Clock, thousands};

/// So many tenants are told apart in one fold.
const TENANTS: usize = 1000;

/// What can be folded.
pub(super) enum Item {
    Decision { decision: Box<Decision>, preview: bool },
    NoCall { dependency: DependencyId },
}

impl Item {
    fn is_like(&self, other: &Self) -> bool {
        match (self, other) {
            (
                Self::Decision { decision, preview },
                Self::Decision { decision: other, preview: other_preview },
            ) => preview == other_preview && alike(decision, other),
            (Self::NoCall { dependency }, Self::NoCall { dependency: other }) => dependency == other,
            _ => false,
        }
    }
}

/// The line last shown, and how many more were like it.
pub(super) struct Fold {
    item: Item,
    more: u64,
    last: Time,
    tenants: BTreeSet<Box<str>>,
}

impl Fold {
    /// A line that is shown.
    pub(super) fn new(item: Item, at: Time, tenant: Option<&str>) -> Self {
        Self { item, more: 0, last: at, tenants: tenant.map(Into::into).into_iter().collect() }
    }

    /// Takes `item` in where it is like the line shown.
    pub(super) fn takes(&mut self, item: &Item, at: Time, tenant: Option<&str>) -> bool {
        if !self.item.is_like(item) {
            return false;
        }
        self.more += 1;
        self.last = at;
        if let Some(tenant) = tenant
            && self.tenants.len() < TENANTS
            && !self.tenants.contains(tenant)
        {
            self.tenants.insert(tenant.into());
        }
        true
    }

    /// `× 12 more like this, to 0:31 (3 tenants)`; nothing where there are none.
    pub(super) fn told(&self) -> Option<String> {
        if self.more == 0 {
            return None;
        }
        let more = usize::try_from(self.more).unwrap_or(usize::MAX);
        let tenants = match self.tenants.len() {
            0 | 1 => String::new(),
            TENANTS => format!(" ({} tenants or more)", thousands(TENANTS)),
            count => format!(" ({count} tenants)"),
        };
        Some(format!("× {} more like this, to {}{tenants}", thousands(more), Clock(self.last)))
    }
}

/// Whether two decisions say the same, numbers that count on and waits that run off aside.
pub(crate) fn alike(left: &Decision, right: &Decision) -> bool {
    let reasons = || left.reasons.iter().zip(&right.reasons);
    let obligations = || left.obligations.iter().zip(&right.obligations);
    left.operation == right.operation
        && (left.verdict, left.posture) == (right.verdict, right.posture)
        && (left.enforced, left.cacheable) == (right.enforced, right.cacheable)
        && (left.status, &left.code) == (right.status, &right.code)
        && left.retry_after.is_some() == right.retry_after.is_some()
        && left.reasons.len() == right.reasons.len()
        && left.obligations.len() == right.obligations.len()
        && left.emits == right.emits
        && reasons().all(|(left, right)| same_reason(left, right))
        && obligations().all(|(left, right)| same_obligation(left, right))
}

/// What only the request itself met begins with each request anew.
fn same_reason(left: &Reason, right: &Reason) -> bool {
    Reason { since: right.since, ..*left } == *right
}

fn same_obligation(left: &Obligation, right: &Obligation) -> bool {
    let details = match (left.detail, right.detail) {
        (Detail::Sequence(left), Detail::Sequence(right)) => left.is_some() == right.is_some(),
        (
            Detail::Retry { attempt, max_attempts, .. },
            Detail::Retry { attempt: other, max_attempts: other_max, .. },
        ) => (attempt, max_attempts) == (other, other_max),
        (left, right) => left == right,
    };
    left.kind == right.kind && left.dependency == right.dependency && details
}
