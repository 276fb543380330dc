//! Reload (10.3): what of an old matrix goes on in a new one, by name (RST-11). What becomes of it stands with the
//! thing itself: `engine`, `health/reload`, `window/reload`, `request/reload`, `trace/reload`.

mod alike;

use std::collections::BTreeMap;

use crate::document::{Document, Kind, Rung};

/// What goes on.
pub(crate) struct Going {
    dependencies: Vec<String>,
    meters: Vec<String>,
    /// Of each dependency that goes on, for each rung of its old ladder: the place of the rung as which it goes on.
    rungs: BTreeMap<String, Vec<Option<usize>>>,
    /// The dependencies whose answers a request goes on remembering (RST-15).
    answers: Vec<String>,
    /// The rungs whose emits a request goes on knowing as told (RST-15): their old and new `rung_key`.
    emits: BTreeMap<String, String>,
}

impl Going {
    /// RST-11: compares two matrices.
    pub(crate) fn on(old: &Document, new: &Document) -> Going {
        let mut going = Going {
            dependencies: Vec::new(),
            meters: Vec::new(),
            rungs: BTreeMap::new(),
            answers: Vec::new(),
            emits: BTreeMap::new(),
        };
        for before in &old.dependencies {
            if new.dependency(&before.name).is_ok_and(|after| after.role == before.role) {
                going.dependencies.push(before.name.clone());
            }
        }
        for before in &old.meters {
            if new.meter(&before.name).is_ok_and(|after| after.key == before.key) {
                going.meters.push(before.name.clone());
            }
        }
        for name in going.dependencies.clone() {
            going.ladder(old, new, &name);
        }
        going
    }

    /// The rungs of one dependency that goes on, and what rests on them.
    fn ladder(&mut self, old: &Document, new: &Document, name: &str) {
        let (Ok(before), Ok(after)) = (old.dependency(name), new.dependency(name)) else { return };
        let (old_rungs, new_rungs) = (alike::ladder(old, before), alike::ladder(new, after));
        let mut places = Vec::new();
        for (place, rung) in before.on_failure.iter().enumerate() {
            let goes_on_as = alike::counterpart(&old_rungs, &new_rungs, place);
            places.push(goes_on_as.filter(|_| self.all_that_it_names(rung)));
        }
        for (place, goes_on_as) in places.iter().enumerate() {
            if let Some(new_place) = goes_on_as {
                let key = |place: usize| format!("{name} on_failure {place}");
                self.emits.insert(key(place), key(*new_place));
            }
        }
        let same_refusal = alike::refusal(old, before) == alike::refusal(new, after);
        if same_refusal {
            let key = format!("{name} on_refusal 0");
            self.emits.insert(key.clone(), key);
        }
        // RST-15: a ladder of the same length, of which every rung goes on in its place.
        let in_place = old_rungs.len() == new_rungs.len()
            && old_rungs
                .iter()
                .zip(&new_rungs)
                .all(|((from, _), (to, _))| places.get(*from) == Some(&Some(*to)));
        if in_place && same_refusal && before.stage == after.stage {
            self.answers.push(name.to_owned());
        }
        self.rungs.insert(name.to_owned(), places);
    }

    /// Whether every dependency and meter that a rung names goes on.
    fn all_that_it_names(&self, rung: &Rung) -> bool {
        let named = match &rung.kind {
            Kind::Fallback { to } => self.dependency(to),
            Kind::LeastBad { of } => of.iter().all(|name| self.dependency(name)),
            Kind::LocalMeter { meter, .. } => self.meter(meter),
            _ => true,
        };
        let of_cap = rung.cap.as_ref().and_then(|cap| cap.meter.as_ref());
        named && of_cap.is_none_or(|meter| self.meter(meter))
    }

    /// Whether a dependency goes on.
    pub(crate) fn dependency(&self, name: &str) -> bool {
        self.dependencies.iter().any(|dependency| dependency == name)
    }

    /// Whether a meter goes on.
    pub(crate) fn meter(&self, name: &str) -> bool {
        self.meters.iter().any(|meter| meter == name)
    }

    /// The place of the rung as which one goes on; none where it does not.
    pub(crate) fn rung(&self, dependency: &str, place: usize) -> Option<usize> {
        self.rungs.get(dependency)?.get(place).copied().flatten()
    }

    /// Whether a request goes on remembering the answer of a need (RST-15).
    pub(crate) fn answer(&self, dependency: &str) -> bool {
        self.answers.iter().any(|name| name == dependency)
    }

    /// The new key of a rung, or an `on_refusal`, whose emit was told (RST-15); none where it does not go on.
    pub(crate) fn emit(&self, rung_key: &str) -> Option<&String> {
        self.emits.get(rung_key)
    }
}

pub(crate) use alike::same_refuse_rules;
