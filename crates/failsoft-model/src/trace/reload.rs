//! The line `reload` (RST-16, TRC-30): the old matrix's part, then the new one's.

use std::collections::BTreeMap;
use std::sync::Arc;

use serde_json::{Map, Value, json};

use super::{Own, Replay, event};
use crate::json::{string, table};
use crate::reading;
use crate::reload::Going;

impl Replay {
    /// RST-16. Time has passed up to now, by the old matrix.
    pub(super) fn reload(&mut self, part: &Map<String, Value>) -> Result<(), String> {
        let now = self.now;
        let written = part.get("document").ok_or("document is missing")?;
        table(written, "document")?;
        let mut bindings = BTreeMap::new();
        match part.get("parameters") {
            None | Some(Value::Null) => {}
            Some(values) => {
                for (name, value) in table(values, "parameters")? {
                    bindings.insert(name.clone(), string(value, "parameters")?);
                }
            }
        }
        let document = reading::document(written, &bindings)?;
        let going = Going::on(&self.engine.document, &document);

        // The old matrix's part: what a line tells that does nothing else, and the windows that do not stay open.
        self.engine.close_idle_windows(now);
        self.engine.windows.close_reloaded(&self.engine.document, &going);
        // RST-12: a meter that does not go on tells what is unreported, whatever its store's health.
        let gone = |name: &String| !going.meter(name);
        for meter in self.engine.document.meters.clone().iter().filter(|meter| gone(&meter.name)) {
            self.engine.table_mut(&meter.name)?.settle_all(meter, now);
        }
        self.tell_with(Own::default(), gone)?;

        for request in self.requests.values_mut() {
            request.reload(&self.engine.document, &document, &going, &self.engine.windows);
        }
        let from = self.engine.identity.clone();
        self.engine.reload(Arc::new(document), &going, now);

        // The new matrix's part: its first look at the same moment.
        self.print(vec![event(json!({ "kind": "matrix.reloaded", "from": from }))]);
        self.engine.advance(now);
        self.engine.close_idle_windows(now);
        self.tell(Own::default())
    }
}
