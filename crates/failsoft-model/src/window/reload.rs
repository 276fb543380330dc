//! Windows when another matrix takes over (RST-13).

use super::{CapTaken, Counted, Window, Windows};
use crate::reload::Going;

impl Window {
    /// RST-13: its dependency goes on, every rung that a commit has used it by, and every meter of which its account
    /// holds something. (A cap that holds something is of such a rung, which names its meter.)
    fn goes_on(&self, going: &Going) -> bool {
        let rung =
            |place: i64| usize::try_from(place).ok().and_then(|place| going.rung(&self.dependency, place));
        going.dependency(&self.dependency)
            && self.rungs.iter().filter_map(|taken| taken.place).all(|place| rung(place).is_some())
            && self.account.meters().iter().all(|meter| going.meter(meter))
    }
}

impl Windows {
    /// Closes those that do not go on.
    pub(crate) fn close_reloaded(&mut self, going: &Going) {
        self.close_unless("reloaded", |window| window.goes_on(going));
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
            for (place, _, _) in &mut window.counts {
                *place = new_place(*place).unwrap_or(*place);
            }
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
