//! The names that a trace gives its permits. The engine knows numbers.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use failsoft_core::{DependencyId, Permit};

/// So many names are held per dependency, as many as the engine holds permits; past it the oldest is forgotten.
const MOST: usize = 16_384;

/// The names of permits that have not come back.
#[derive(Debug, Default)]
pub(super) struct PermitNames {
    of: HashMap<DependencyId, Names>,
}

#[derive(Debug, Default)]
struct Names {
    permits: HashMap<Arc<str>, (Permit, u64)>,
    by_age: BTreeMap<u64, Arc<str>>,
    given: u64,
}

impl PermitNames {
    pub(super) fn give(&mut self, dependency: DependencyId, name: &str, permit: Permit) {
        let names = self.of.entry(dependency).or_default();
        if names.permits.len() >= MOST
            && let Some((_, oldest)) = names.by_age.pop_first()
        {
            names.permits.remove(&oldest);
        }
        names.given = names.given.saturating_add(1);
        let name: Arc<str> = name.into();
        names.by_age.insert(names.given, name.clone());
        names.permits.insert(name, (permit, names.given));
    }

    /// Dependencies have other ids now; what has none goes.
    pub(super) fn rename(&mut self, name: impl Fn(DependencyId) -> Option<DependencyId>) {
        let held = std::mem::take(&mut self.of).into_iter();
        self.of = held.filter_map(|(id, names)| Some((name(id)?, names))).collect();
    }

    /// The permit of that name, which then is nobody's.
    pub(super) fn take(&mut self, dependency: DependencyId, name: &str) -> Option<Permit> {
        let names = self.of.get_mut(&dependency)?;
        let (permit, order) = names.permits.remove(name)?;
        names.by_age.remove(&order);
        Some(permit)
    }
}
