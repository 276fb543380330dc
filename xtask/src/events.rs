//! `spec/schema/events.schema.json`, generated from the events of `spec/vocabulary.toml`.

use serde_json::{Map, Value as Json, json};
use toml::{Table, Value};

/// What every integer of an event stays below or at: what a float of 64 bits still holds exactly.
const INTEGER_MAX: i64 = 9_007_199_254_740_991;

const DESCRIPTION: &str = "An event as the engine tells it and as `failsoft replay --json` prints it under `event`. \
    Within v 1 this form only grows: kinds, keys behind an event's own, words of a vocabulary. A reader ignores a kind, \
    a key and a word that it does not know; this schema is that of this version, and permits keys that it does not name. \
    The keys of an event are its `kind`, its own in the order written here, and those that every event ends with.";

/// The text of the generated file.
pub(crate) fn schema(source: &str) -> Result<String, String> {
    let table: Table = source.parse().map_err(|error| format!("spec/vocabulary.toml: {error}"))?;
    let mut events = Events { table: &table, used: vec![false; entries(&table, "event_key").count()] };
    let text = serde_json::to_string_pretty(&events.schema()?).map_err(|error| error.to_string())?;
    for (used, key) in events.used.iter().zip(entries(&table, "event_key")) {
        if !used {
            return Err(format!(
                "spec/vocabulary.toml: no event has the `event_key` {}",
                text_of(key, "name")?
            ));
        }
    }
    Ok(text + "\n")
}

struct Events<'a> {
    table: &'a Table,
    /// Which `event_key` tables some event has: one that none has is a slip of the pen.
    used: Vec<bool>,
}

impl Events<'_> {
    fn schema(&mut self) -> Result<Json, String> {
        let table = self.table;
        // What is referred to, in the order in which it is first met.
        let mut defs = Vec::new();
        let mut branches = Vec::new();
        let mut kinds = Vec::new();
        for event in entries(table, "event") {
            let name = text_of(event, "name")?;
            let kind = json!({ "const": name });
            branches.push(self.branch(name, text_of(event, "doc")?, kind, event, &mut defs)?);
            kinds.push(name);
        }
        let own = table.get("event_own").and_then(Value::as_table).ok_or("no `event_own`")?;
        let title = "an event of the matrix's own";
        let other = json!({ "type": "string", "not": { "enum": kinds } });
        branches.push(self.branch(title, text_of(own, "doc")?, other, own, &mut defs)?);
        let common = table.get("event_common").and_then(Value::as_table).ok_or("no `event_common`")?;
        let mut properties = Map::from_iter([(
            "kind".to_owned(),
            json!({ "type": "string", "description": "What has happened." }),
        )]);
        let required = self.keys("event_common", common, &mut properties, &mut defs)?;
        let required: Vec<Json> = std::iter::once(json!("kind")).chain(required).collect();
        let mut definitions = Map::new();
        let mut next = 0;
        while let Some(name) = defs.get(next).cloned() {
            let definition = self.definition(&name, &mut defs)?;
            definitions.insert(name, definition);
            next += 1;
        }
        Ok(json!({
            "$schema": "https://json-schema.org/draft/2020-12/schema",
            "title": "failsoft event, v 1",
            "description": DESCRIPTION,
            "type": "object",
            "properties": properties,
            "required": required,
            "oneOf": branches,
            "$defs": definitions,
        }))
    }

    fn branch(
        &mut self,
        title: &str,
        doc: &str,
        kind: Json,
        event: &Table,
        defs: &mut Vec<String>,
    ) -> Result<Json, String> {
        let mut properties = Map::from_iter([("kind".to_owned(), kind)]);
        let required = self.keys(title, event, &mut properties, defs)?;
        Ok(json!({ "title": title, "description": doc, "properties": properties, "required": required }))
    }

    /// Adds the keys of an event or form to its properties; every one of them is always there.
    fn keys(
        &mut self,
        of: &str,
        owner: &Table,
        properties: &mut Map<String, Json>,
        defs: &mut Vec<String>,
    ) -> Result<Vec<Json>, String> {
        let keys = owner.get("keys").and_then(Value::as_array).ok_or(format!("`{of}` has no `keys`"))?;
        let mut required = Vec::new();
        for key in keys.iter().filter_map(Value::as_str) {
            let name = key.strip_suffix('?').unwrap_or(key);
            let (kind, doc) = self.key(of, name)?;
            let shape = self.shape(&kind, defs)?;
            let mut property =
                if name.len() < key.len() { json!({ "anyOf": [shape, { "type": "null" }] }) } else { shape };
            property["description"] = json!(doc);
            if properties.insert(name.to_owned(), property).is_some() {
                return Err(format!("`{of}` has `{name}` twice"));
            }
            required.push(json!(name));
        }
        Ok(required)
    }

    /// The type and the sentence of a key: those for this event or form, else those for every other.
    fn key(&mut self, of: &str, name: &str) -> Result<(String, String), String> {
        let mut general = None;
        let mut special = None;
        for (index, entry) in entries(self.table, "event_key").enumerate() {
            if text_of(entry, "name")? != name {
                continue;
            }
            let places = entry.get("of").and_then(Value::as_array).ok_or(format!("`{name}` has no `of`"))?;
            if places.is_empty() {
                general = Some((index, entry));
            } else if places.iter().any(|place| place.as_str() == Some(of)) {
                special = Some((index, entry));
            }
        }
        let (index, entry) =
            special.or(general).ok_or(format!("`{of}` has `{name}`, which is no `event_key`"))?;
        self.used[index] = true;
        Ok((text_of(entry, "type")?.to_owned(), text_of(entry, "doc")?.to_owned()))
    }

    fn shape(&self, kind: &str, defs: &mut Vec<String>) -> Result<Json, String> {
        if let Some(item) = kind.strip_prefix('[').and_then(|kind| kind.strip_suffix(']')) {
            return Ok(json!({ "type": "array", "items": self.shape(item, defs)? }));
        }
        if let Some(value) = kind.strip_prefix('{').and_then(|kind| kind.strip_suffix('}')) {
            return Ok(json!({ "type": "object", "additionalProperties": self.shape(value, defs)? }));
        }
        if kind.contains(" | ") {
            let any: Vec<Json> =
                kind.split(" | ").map(|kind| self.shape(kind, defs)).collect::<Result<_, _>>()?;
            return Ok(json!({ "anyOf": any }));
        }
        Ok(match kind {
            "string" => json!({ "type": "string" }),
            "integer" => json!({ "type": "integer", "minimum": 0, "maximum": INTEGER_MAX }),
            "signed" => json!({ "type": "integer", "minimum": -INTEGER_MAX, "maximum": INTEGER_MAX }),
            "one" => json!({ "const": 1 }),
            name => {
                if !defs.iter().any(|known| known == name) {
                    defs.push(name.to_owned());
                }
                json!({ "$ref": format!("#/$defs/{name}") })
            }
        })
    }

    /// A form of events, or a vocabulary.
    fn definition(&mut self, name: &str, defs: &mut Vec<String>) -> Result<Json, String> {
        let table = self.table;
        for form in entries(table, "event_form") {
            if text_of(form, "name")? == name {
                let mut properties = Map::new();
                let required = self.keys(name, form, &mut properties, defs)?;
                return Ok(json!({
                    "description": text_of(form, "doc")?,
                    "type": "object",
                    "properties": properties,
                    "required": required,
                }));
            }
        }
        let words: Vec<&str> =
            entries(table, name).map(|entry| text_of(entry, "name")).collect::<Result<_, _>>()?;
        if words.is_empty() {
            return Err(format!(
                "spec/vocabulary.toml: `{name}` is neither an `event_form` nor a vocabulary"
            ));
        }
        Ok(json!({ "type": "string", "enum": words }))
    }
}

fn entries<'a>(table: &'a Table, key: &str) -> impl Iterator<Item = &'a Table> + use<'a> {
    table.get(key).and_then(Value::as_array).into_iter().flatten().filter_map(Value::as_table)
}

fn text_of<'a>(entry: &'a Table, key: &str) -> Result<&'a str, String> {
    entry.get(key).and_then(Value::as_str).ok_or(format!("spec/vocabulary.toml: an entry has no `{key}`"))
}
