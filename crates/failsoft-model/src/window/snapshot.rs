//! The open window of a dependency in a snapshot (10.2, `window_open`).

use serde_json::{Map, Value};

use super::{Window, Windows, cap};
use crate::document::{Bound, Dependency, Document};
use crate::health::{allowed, whole};
use crate::json::{string, table};
use crate::numbers::aged;

/// What a cap has counted of one key, as it is written by hand.
struct Counted {
    rung: usize,
    tenant: String,
    session: String,
    amount: i64,
}

impl Windows {
    /// 10.2, `window_open`. Its account is in the engine's own form, which is not read here: then it is empty, and so are
    /// the rungs that it was used by.
    pub(crate) fn restore(
        &mut self,
        document: &Document,
        dependency: &Dependency,
        saved: &Map<String, Value>,
        away: Option<i64>,
        now: i64,
    ) -> Result<(), String> {
        let Some(saved) = saved.get("window_open") else { return Ok(()) };
        let saved = table(saved, "window_open")?;
        allowed(saved, &["age_ms", "last_age_ms", "caps"])?;
        let moment = |key: &str| {
            let age = whole(saved, key)?.unwrap_or(0);
            Ok::<i64, String>(aged(aged(now, age), away.unwrap_or(0)))
        };
        let (opened, last) = (moment("age_ms")?, moment("last_age_ms")?);
        self.open(&dependency.name, opened);
        let Some(window) = self.open.last_mut() else { return Ok(()) };
        window.last = last;
        let Some(caps) = saved.get("caps") else { return Ok(()) };
        let mut seen = Vec::new();
        for entry in caps.as_array().ok_or("caps must be a list")? {
            let counted = read(table(entry, "caps")?)?;
            window.count_again(document, dependency, counted, &mut seen)?;
        }
        Ok(())
    }
}

/// One entry. In the engine's own form (`key` in the place of names) it is a mistake here.
fn read(entry: &Map<String, Value>) -> Result<Counted, String> {
    allowed(entry, &["rung", "tenant", "session", "amount"])?;
    let name = |key: &str| entry.get(key).map_or(Ok(String::new()), |name| string(name, key));
    let rung = whole(entry, "rung")?.ok_or("an entry of caps has a rung")?;
    Ok(Counted {
        rung: usize::try_from(rung).unwrap_or(usize::MAX),
        tenant: name("tenant")?,
        session: name("session")?,
        amount: whole(entry, "amount")?.unwrap_or(0),
    })
}

impl Window {
    /// State follows names: a rung that the ladder does not have, or that has no such cap, is dropped, and so is a name
    /// that the cap's key does not have (LAD-51). One key of a rung twice is a mistake.
    fn count_again(
        &mut self,
        document: &Document,
        dependency: &Dependency,
        counted: Counted,
        seen: &mut Vec<(usize, Vec<String>)>,
    ) -> Result<(), String> {
        let rung = dependency.on_failure.get(counted.rung);
        let cap = rung.and_then(|rung| rung.cap.as_ref());
        let Some(cap) = cap.filter(|cap| !matches!(cap.bound, Bound::Time(_))) else { return Ok(()) };
        let meter = cap.meter.as_ref().map(|name| document.meter(name)).transpose()?;
        let key = cap::key_of(cap, meter, &counted.tenant, &counted.session);
        if seen.contains(&(counted.rung, key.clone())) {
            return Err(format!("caps counts a key of rung {} twice", counted.rung));
        }
        self.add(counted.rung, &key, counted.amount, cap::capacity(meter));
        seen.push((counted.rung, key));
        Ok(())
    }
}
