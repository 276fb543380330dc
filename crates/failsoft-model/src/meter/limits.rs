//! Whose limit and mode a key has (MET-9), and operators' limits (MET-38).

use serde_json::{Value, json};

use super::{Key, Table, named};
use crate::document::Meter;

/// LIM-2: so many keys' limits are held.
const KEYS: usize = 1_024;

/// What operators have set.
#[derive(Clone, Debug, Default)]
pub(super) struct Limits {
    /// Of every key that has none of its own.
    all: Option<i64>,
    keys: Vec<(Vec<String>, i64)>,
}

impl Table {
    /// MET-9: an operator's limit, else the reading's, else the document's.
    pub(super) fn limit(&self, meter: &Meter, names: &[String], key: Option<&Key>) -> Option<i64> {
        let told = key.and_then(|key| key.reading.as_ref()).and_then(|reading| reading.limit);
        self.operators_limit(names).or(told).or(meter.limit)
    }

    /// MET-38: the key's own, else that of every key.
    pub(super) fn operators_limit(&self, names: &[String]) -> Option<i64> {
        let own = self.limits.keys.iter().find(|(key, _)| key == names).map(|(_, limit)| *limit);
        own.or(self.limits.all)
    }

    /// MET-9: the reading's mode, else the document's.
    pub(super) fn mode<'a>(meter: &'a Meter, key: Option<&'a Key>) -> &'a str {
        let told = key.and_then(|key| key.reading.as_ref()).and_then(|reading| reading.mode.as_deref());
        told.unwrap_or(&meter.mode)
    }

    /// Whether a key's own reading is at or over its limit.
    pub(super) fn reads_over(&self, meter: &Meter, key: &Key) -> bool {
        let limit = self.limit(meter, &key.names, Some(key));
        key.reading.as_ref().is_some_and(|reading| limit.is_some_and(|limit| reading.used >= limit))
    }

    /// MET-38: sets or lifts (`null`) a limit, of one key or, without names, of all; and its event.
    pub(crate) fn set_limit(
        &mut self,
        meter: &Meter,
        names: Option<Vec<String>>,
        limit: Option<i64>,
        by: Option<String>,
        reason: Option<String>,
    ) -> Value {
        let (tenant, session) = names.as_deref().map_or((Value::Null, Value::Null), named);
        let set = json!({ "kind": "limit.set", "meter": meter.name, "tenant": tenant, "session": session,
                          "limit": limit, "by": by, "reason": reason });
        let Some(names) = names else {
            self.limits.all = limit;
            return set;
        };
        let place = self.limits.keys.iter().position(|(key, _)| *key == names);
        match (place, limit) {
            (None, None) => {}
            (Some(place), None) => {
                self.limits.keys.remove(place);
            }
            (Some(_), Some(limit)) => {
                self.limits.keys.retain(|(key, _)| *key != names);
                self.limits.keys.push((names, limit));
            }
            (None, Some(limit)) if self.limits.keys.len() < KEYS => self.limits.keys.push((names, limit)),
            (None, Some(_)) => {
                return json!({ "kind": "limit.refused", "meter": meter.name, "tenant": tenant,
                               "session": session, "limit": limit, "why": "too_many" });
            }
        }
        set
    }
}
