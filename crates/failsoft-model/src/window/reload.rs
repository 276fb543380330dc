//! Windows when another matrix takes over (RST-13).

use super::{CapTaken, Counted, Window, Windows};
use crate::document::Document;
use crate::reload::Going;

impl Window {
    /// RST-13: its dependency goes on, every rung that a commit has used it by, and every meter of which its account or
    /// its caps hold something. (A snapshot may have counted for rungs that no commit has used it by.)
    fn goes_on(&self, old: &Document, going: &Going) -> bool {
        let rung =
            |place: i64| usize::try_from(place).ok().and_then(|place| going.rung(&self.dependency, place));
        going.dependency(&self.dependency)
            && self.rungs.iter().filter_map(|taken| taken.place).all(|place| rung(place).is_some())
            && self.account.meters().iter().all(|meter| going.meter(meter))
            && self.counts.iter().all(|(place, _, _)| {
                let dependency = old.dependency(&self.dependency).ok();
                let rung = dependency.and_then(|dependency| dependency.on_failure.get(*place));
                let meter = rung.and_then(|rung| rung.cap.as_ref()?.meter.as_ref());
                meter.is_none_or(|meter| going.meter(meter))
            })
    }
}

impl Windows {
    /// Closes those that do not go on.
    pub(crate) fn close_reloaded(&mut self, old: &Document, going: &Going) {
        self.close_unless("reloaded", |window| window.goes_on(old, going));
    }

    /// What is told of a window from now on has the new rungs' numbers.
    pub(crate) fn renumber(&mut self, going: &Going) {
        for window in &mut self.open {
            let new_place = |place: usize| going.rung(&window.dependency, place);
            let told = |place: &mut Option<i64>| {
                let old = place.and_then(|place| usize::try_from(place).ok());
                *place = old.and_then(new_place).and_then(|place| i64::try_from(place).ok());
            };
            for rung in &mut window.rungs {
                told(&mut rung.place);
            }
            window.account.renumber(told);
            // RST-12: what did not go on is forgotten.
            window.counts.retain_mut(|(place, _, _)| {
                let goes_on_as = new_place(*place);
                *place = goes_on_as.unwrap_or(*place);
                goes_on_as.is_some()
            });
        }
    }

    /// RST-15: whether a request's part in a window's account goes on: the window stays open.
    pub(crate) fn counts(&self, counted: &Counted) -> bool {
        self.open.iter().any(|window| window.id == counted.window)
    }

    /// RST-15: the same of what it took from a cap, which is then of the new rung's number.
    pub(crate) fn renumber_taken(&self, taken: &mut CapTaken, going: &Going) -> bool {
        taken.place = going.rung(&taken.dependency, taken.place).unwrap_or(taken.place);
        self.open.iter().any(|window| window.id == taken.window)
    }
}
