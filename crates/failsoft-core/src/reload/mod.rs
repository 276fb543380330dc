//! Another matrix takes over (spec 10.3).
//!
//! - this file: the moment itself, and what becomes of state.
//! - `succession.rs`: what of one matrix goes on in the next.
//! - `request.rs`: a request that has not finished.

mod request;
mod succession;

use alloc::vec::Vec;

use crate::apply::step;
use crate::matrix::{Dependency, DependencyId, Matrix};
use crate::meter::Table;
use crate::signal::Event;
use crate::state::{DependencyState, State};
use crate::{Cause, Time};

pub use succession::Succession;

/// Puts the matrix `to` in the place of `from`, at `now`: `state` is the one's before and the other's after.
///
/// `before` gets what the old matrix has still to tell (its ids are the old ones), `after` what the new one begins with. Requests that have not finished
/// [follow](crate::Request::follow).
pub fn reload(
    (from, to): (&Matrix, &Matrix),
    by: &Succession,
    state: &mut State,
    now: Time,
    before: &mut Vec<Event>,
    after: &mut Vec<Event>,
) {
    let now = state.observe(now);
    step(from, state, None, Some(by), now, before);
    state.follow(from, to, by, now);
    after.push(Event::MatrixReloaded { from: from.identity.clone() });
    // Everything is looked at once, as if time had done something.
    state.due = Some(now);
    step(to, state, None, None, now, after);
}

impl State {
    fn follow(&mut self, from: &Matrix, to: &Matrix, by: &Succession, now: Time) {
        for known in &self.dependencies {
            self.permits = self.permits.max(known.leases.given());
        }
        let mut held: Vec<Option<DependencyState>> =
            core::mem::take(&mut self.dependencies).into_iter().map(Some).collect();
        self.dependencies = (0u16..)
            .map(DependencyId)
            .zip(&to.dependencies)
            .map(|(id, dependency)| {
                let old = from.dependency(&dependency.name).filter(|old| by.dependency(*old) == Some(id));
                let known = old.and_then(|old| held.get_mut(old.index())?.take());
                match (old, known) {
                    (Some(old), Some(known)) => self.carried(from, old, dependency, known, by, now),
                    _ => {
                        let mut fresh = DependencyState::new(&dependency.rules, now, self.seed.jitter);
                        fresh.begin_permits_after(self.permits);
                        fresh
                    }
                }
            })
            .collect();
        let mut tables: Vec<Option<Table>> =
            core::mem::take(&mut self.tables).into_iter().map(Some).collect();
        self.tables = to
            .meters
            .iter()
            .map(|meter| {
                let old = from.meter(&meter.name).filter(|old| by.meter(*old).is_some());
                let table = old.and_then(|old| {
                    Some((from.meters.get(old.index())?, tables.get_mut(old.index())?.take()?))
                });
                table.map_or_else(Table::default, |(old, mut table)| {
                    table.follow(old, meter, now);
                    table
                })
            })
            .collect();
        crate::window::note_open(self);
    }

    /// One that goes on: with the same settings as it is, with others as from a restart, nothing away.
    fn carried(
        &self,
        from: &Matrix,
        old: DependencyId,
        dependency: &Dependency,
        mut known: DependencyState,
        by: &Succession,
        now: Time,
    ) -> DependencyState {
        let Some(old_self) = from.dependencies.get(old.index()) else { return known };
        if let Some(window) = &mut known.window_open {
            window.follow(old, by);
        }
        let written = |dependency: &Dependency| {
            (dependency.deadline, dependency.break_glass, dependency.settings.clone())
        };
        if written(old_self) != written(dependency) {
            let window = known.window_open.take();
            let saved = known.saved(&old_self.rules, now);
            known.come_back(dependency, Some(&saved), self.seed.jitter, (now, true), Cause::Reload, now);
            known.window_open = window;
        }
        known
    }
}
