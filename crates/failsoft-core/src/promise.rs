//! What a meter promises while its store is lost, in numbers (spec 8, MET-35).

use alloc::vec::Vec;

use crate::draft::Share;
use crate::matrix::{Action, Matrix, MeterId};
use crate::{INTEGER_MAX, MeterMode};

/// How much of one key may pass in a period, however often the store is lost.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Promise {
    /// Which meter.
    pub meter: MeterId,
    /// The limit of the document.
    pub limit: u64,
    /// How much of it one instance may let through alone.
    pub share: Share,
    /// How many instances count the key, where the document says so.
    pub instances: Option<u64>,
    /// Whether its count begins anew, so that a period that an instance has guessed may lie astride two of the store's.
    pub windowed: bool,
    /// `max_unreported`; 0 where the document does not say.
    pub unreported: u64,
}

impl Promise {
    /// What one instance may let through alone.
    #[must_use]
    pub fn alone(&self) -> u64 {
        self.share_of(1)
    }

    /// The most that may pass: what the store lets through, what each instance but one may add that has heard of none
    /// of it, what an instance that guesses its periods counts in the one before, and what is in flight. Whichever instances lose the store, when, and how often.
    ///
    /// Nothing where the document does not say how many instances there are.
    #[must_use]
    pub fn most(&self) -> Option<u64> {
        let instances = self.instances?;
        let others = self.share_of(instances.saturating_sub(1));
        let astride = if self.windowed { self.share_of(instances) } else { 0 };
        let in_flight = instances.saturating_mul(self.unreported);
        Some(
            self.limit
                .saturating_add(others)
                .saturating_add(astride)
                .saturating_add(in_flight)
                .min(INTEGER_MAX),
        )
    }

    /// So many times the share of one instance, rounded down once.
    fn share_of(&self, instances: u64) -> u64 {
        let (numerator, denominator) = match self.share {
            Share::PerInstance => (1, u128::from(self.instances.unwrap_or(1).max(1))),
            Share::Percent(percent) => (u128::from(percent), 100),
        };
        let all = u128::from(self.limit).saturating_mul(instances.into()).saturating_mul(numerator);
        u64::try_from(all.checked_div(denominator).unwrap_or(0)).unwrap_or(u64::MAX)
    }
}

/// What each meter that blocks promises for what passes by its `local_meter` rungs: meters as written, of each the
/// largest share. What a rung below lets through, or a `finish` adds to what was asked, is not in it.
///
/// ```
/// # use failsoft_core::draft::*;
/// # use failsoft_core::{Millis, Role, promises};
/// # let mut draft = MatrixDraft::new("m");
/// # let mut quota = DependencyDraft::new("quota", Role::Guard, Some(Millis::new(50)));
/// # let (meter, share) = ("requests".into(), Share::PerInstance);
/// # quota.on_failure = vec![RungDraft::new(ActionDraft::LocalMeter { meter, share })];
/// # draft.dependencies = vec![quota];
/// # let mut meter = MeterDraft::new("requests", "quota");
/// # (meter.limit, meter.max_instances) = (Some(600), Some(4));
/// # draft.meters = vec![meter];
/// let matrix = draft.compile("m@1").unwrap(); // 600 a period, by four instances
/// let promise = promises(&matrix)[0];
/// assert_eq!((promise.alone(), promise.most()), (150, Some(1_050)));
/// ```
#[must_use]
pub fn promises(matrix: &Matrix) -> Vec<Promise> {
    let mut promises: Vec<Promise> = Vec::new();
    let rungs = matrix.dependencies.iter().flat_map(|dependency| &dependency.ladder);
    for action in rungs.filter(|rung| rung.when.parameter).map(|rung| &rung.action) {
        let Action::LocalMeter { meter: id, share } = action else { continue };
        let Some((meter, limit)) = matrix
            .meters
            .get(id.index())
            .filter(|meter| meter.mode == MeterMode::Block)
            .and_then(|meter| Some((meter, meter.limit?)))
        else {
            continue;
        };
        let promise = Promise {
            meter: *id,
            limit,
            share: *share,
            instances: meter.max_instances.map(|instances| instances.max(1)),
            windowed: meter.window.is_some(),
            unreported: meter.max_unreported.unwrap_or(0),
        };
        match promises.iter_mut().find(|held| held.meter == *id) {
            Some(held) if held.alone() >= promise.alone() => {}
            Some(held) => *held = promise,
            None => promises.push(promise),
        }
    }
    promises.sort_by_key(|promise| promise.meter);
    promises
}
