//! The lines of meters: `reading`, `usage`, and `override` of a meter.

use serde_json::{Map, Value};

use super::{Own, Replay, event};
use crate::document::Meter;
use crate::json::{integer, optional_integer, optional_string, required_string};
use crate::meter::{self, Read};

impl Replay {
    /// The meter that a line names, and the key (MET-1).
    fn meter_and_key(&self, part: &Map<String, Value>) -> Result<(Meter, Vec<String>), String> {
        let meter = self.engine.document.meter(&required_string(part, "meter")?)?.clone();
        let tenant = optional_string(part, "tenant")?.unwrap_or_default();
        let session = optional_string(part, "session")?.unwrap_or_default();
        let names = meter::key(&meter, &tenant, &session);
        Ok((meter, names))
    }

    /// MET-30.
    pub(super) fn reading(&mut self, part: &Map<String, Value>) -> Result<Own, String> {
        let (meter, names) = self.meter_and_key(part)?;
        let read = Read {
            used: integer(part.get("used").unwrap_or(&Value::Null), "used")?,
            limit: optional_integer(part, "limit")?,
            mode: optional_string(part, "mode")?,
            resets_in: optional_integer(part, "resets_in_ms")?,
            age: optional_integer(part, "age_ms")?.unwrap_or(0),
        };
        let told = self.engine.table_mut(&meter.name)?.read(&meter, &names, read, self.now);
        Ok(Own::of_meter(&meter.name, told))
    }

    /// MET-14, and MET-40: unreported where the store is `down` or `probing`.
    pub(super) fn usage(&mut self, part: &Map<String, Value>) -> Result<Own, String> {
        let (meter, names) = self.meter_and_key(part)?;
        let amount = integer(part.get("amount").unwrap_or(&Value::Null), "amount")?;
        let out = self.engine.is_out(&meter.store)?;
        let table = self.engine.table_mut(&meter.name)?;
        let told = table.use_at_once(&meter, &names, amount, out, self.now);
        Ok(Own::of_meter(&meter.name, told))
    }

    /// MET-38: with the names of a key told, of that key; with none, of every key that has none of its own. A part of a
    /// key's names is an error.
    pub(super) fn override_meter(&mut self, part: &Map<String, Value>) -> Result<Own, String> {
        let (meter, names) = self.meter_and_key(part)?;
        let told = |key: &str| Ok::<bool, String>(optional_string(part, key)?.is_some());
        let by_session = meter.key.iter().any(|name| name == "session");
        let names = match (told("tenant")?, told("session")?) {
            (false, false) => None,
            (false, true) => return Err("a session without a tenant is no key".to_owned()),
            (true, false) if by_session => return Err("the key has a session too".to_owned()),
            (true, _) => Some(names),
        };
        let limit = optional_integer(part, "limit")?;
        let (by, reason) = (optional_string(part, "by")?, optional_string(part, "reason")?);
        let set = self.engine.table_mut(&meter.name)?.set_limit(&meter, names, limit, by, reason);
        Ok(Own { first: vec![event(set)], ..Own::default() })
    }
}
