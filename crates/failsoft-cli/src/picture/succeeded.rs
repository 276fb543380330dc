//! Another matrix takes over in the midst of a trace.

use std::sync::Arc;

use failsoft::trace::{Output, Player};
use failsoft::{DependencyId, Health, Matrix, State, Succession, Time, health};

use super::Picture;
use super::span::{self, Body, Span};

impl Picture {
    /// Lanes go on where their dependencies do; one that is gone ends, and one that begins anew says so.
    pub(super) fn follow(&mut self, player: &Player, output: &Output, at: i64) {
        let before = std::mem::replace(&mut self.matrix, output.matrix.clone());
        let by = Succession::new(&before, &self.matrix);
        for (id, _) in before.dependencies().filter(|(id, _)| by.dependency(*id).is_none()) {
            // Of which nothing was told is as it was at the beginning.
            let health = first_health(&before, id);
            if let Some(span) = self.standing(id, health).and_then(super::Lane::last_mut) {
                span.to = at;
            }
        }
        let matrix = self.matrix.clone();
        for place in self.health.follow(matrix.dependencies().map(|(_, name)| name), Some(at)) {
            self.windows.remove(&place);
        }
        self.operations.follow(matrix.operations().map(|(_, name)| name), Some(at));
        // An answer of another matrix is another answer.
        self.answers.forget();
        let mut goes_on = vec![false; matrix.dependencies().count()];
        for id in before.dependencies().filter_map(|(id, _)| by.dependency(id)) {
            goes_on[id.index()] = true;
        }
        for (id, _) in matrix.dependencies().filter(|(id, _)| !goes_on[id.index()]) {
            let now = player.health(id).filter(|_| Arc::ptr_eq(player.matrix(), &matrix));
            let health = now.map_or_else(|| first_health(&matrix, id), |(_, report)| report.health);
            if let Some(place) = self.health.place(id.index()) {
                self.health.begin(place, Some(at));
            }
            if let Some(lane) = self.health.get_mut(id.index()) {
                let body = Body::Health { said: None, given: 0, held: 0 };
                lane.push(Span { count: 0, ..Span::new(at, span::health(health), body) });
            }
        }
        self.held = self.lanes().map(super::Lane::bytes).sum();
    }

    /// How many lanes are not on the page.
    pub(super) fn left_out(&self) -> u64 {
        self.health.left_out() + self.operations.left_out()
    }
}

fn first_health(matrix: &Matrix, id: DependencyId) -> Health {
    let start = Time::default();
    health(matrix, &State::new(matrix, start), id, start).map_or(Health::Unknown, |report| report.health)
}
