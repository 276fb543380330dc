//! What readers of events may rely on: their schema in a small flat form, and what may change between two of them.

use serde_json::{Map, Value};

use crate::{read, spec};

/// A key of an event, or of an object in one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Key {
    /// What it is called.
    pub name: String,
    /// `string`, `integer`, `signed`, `always 1`, the name of a type, several with ` | ` between them, `[a list]`,
    /// or `{a map}`.
    pub kind: String,
    /// Whether it may be null.
    pub nullable: bool,
}

/// A type that keys name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Shape {
    /// One of these words.
    Words(Vec<String>),
    /// An object with these keys.
    Object(Vec<Key>),
}

/// The form of events.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Contract {
    /// Its version, which stands in every event.
    pub v: u64,
    /// The keys with which every event ends.
    pub common: Vec<Key>,
    /// The engine's own kinds, each with its own keys.
    pub events: Vec<(String, Vec<Key>)>,
    /// The own keys of an event that a matrix names.
    pub matrix: Vec<Key>,
    /// The types that keys name.
    pub types: Vec<(String, Shape)>,
}

/// How one contract differs from the one before it.
#[derive(Debug, Default)]
pub struct Changes {
    /// What a reader of the one before could stumble over.
    pub broken: Vec<String>,
    /// What is only there in addition.
    pub added: Vec<String>,
}

/// `spec/schema/events.schema.json`, as it stands.
///
/// # Errors
/// Where it can't be read.
pub fn schema() -> Result<Value, String> {
    let text = read(&spec().join("schema/events.schema.json"))?;
    serde_json::from_str(&text).map_err(|error| format!("events.schema.json: {error}"))
}

fn object<'a>(value: &'a Value, key: &str) -> Result<&'a Map<String, Value>, String> {
    value.get(key).and_then(Value::as_object).ok_or_else(|| format!("no object `{key}`"))
}

fn array<'a>(value: &'a Value, key: &str) -> Result<&'a [Value], String> {
    value.get(key).and_then(Value::as_array).map(Vec::as_slice).ok_or_else(|| format!("no list `{key}`"))
}

fn words(list: &[Value]) -> Result<Vec<String>, String> {
    list.iter().map(|word| word.as_str().map(String::from).ok_or_else(|| "no word".to_string())).collect()
}

impl Contract {
    /// The contract that a schema of events writes down.
    ///
    /// # Errors
    /// Anything in the schema that the flat form can't say: it would go unwatched.
    pub fn from_schema(schema: &Value) -> Result<Self, String> {
        let v = schema.pointer("/properties/v/const").and_then(Value::as_u64).ok_or("no constant `v`")?;
        let mut contract =
            Self { v, common: own_keys(schema)?, events: vec![], matrix: vec![], types: vec![] };
        if !array(schema, "required")?.contains(&Value::from("kind")) {
            return Err("`kind` may be left out".to_string());
        }
        for branch in array(schema, "oneOf")? {
            let kind = branch.pointer("/properties/kind").ok_or("an event without `kind`")?;
            match kind.get("const").and_then(Value::as_str) {
                Some(kind) => contract.events.push((kind.to_string(), own_keys(branch)?)),
                None => contract.matrix = own_keys(branch)?,
            }
        }
        for (name, definition) in object(schema, "$defs")? {
            let shape = match definition.get("enum") {
                Some(_) => Shape::Words(words(array(definition, "enum")?)?),
                None => Shape::Object(keys(definition)?),
            };
            contract.types.push((name.clone(), shape));
        }
        Ok(contract)
    }

    /// Reads what [`to_json`](Self::to_json) writes.
    ///
    /// # Errors
    /// What is not of that form.
    pub fn from_json(text: &str) -> Result<Self, String> {
        let value: Value = serde_json::from_str(text).map_err(|error| error.to_string())?;
        let flat = |list: &[Value]| list.iter().map(flat_key).collect::<Result<Vec<_>, _>>();
        let listed = |value: &Value| flat(value.as_array().ok_or("no list of keys")?);
        let events = object(&value, "events")?.iter();
        let types = object(&value, "types")?.iter();
        Ok(Self {
            v: value.get("v").and_then(Value::as_u64).ok_or("no number `v`")?,
            common: flat(array(&value, "common")?)?,
            events: events
                .map(|(kind, keys)| Ok((kind.clone(), listed(keys)?)))
                .collect::<Result<_, String>>()?,
            matrix: flat(array(&value, "matrix")?)?,
            types: types
                .map(|(name, shape)| {
                    let list = shape.as_array().ok_or("no list of words or keys")?;
                    let shape = match list.first() {
                        Some(Value::Object(_)) => Shape::Object(flat(list)?),
                        _ => Shape::Words(words(list)?),
                    };
                    Ok((name.clone(), shape))
                })
                .collect::<Result<_, String>>()?,
        })
    }

    /// The flat form, a key or a vocabulary a line, so that a change of it reads well.
    #[must_use]
    pub fn to_json(&self) -> String {
        let listed = |keys: &[Key], indent: &str| {
            let line = |key: &Key| {
                let (name, kind) = (Value::from(key.name.as_str()), Value::from(key.kind.as_str()));
                format!("{indent}  {{\"key\": {name}, \"type\": {kind}, \"null\": {}}}", key.nullable)
            };
            format!("[\n{}\n{indent}]", keys.iter().map(line).collect::<Vec<_>>().join(",\n"))
        };
        let events =
            self.events.iter().map(|(kind, keys)| format!("    \"{kind}\": {}", listed(keys, "    ")));
        let types = self.types.iter().map(|(name, shape)| {
            let shape = match shape {
                Shape::Words(words) => Value::from(words.clone()).to_string().replace("\",\"", "\", \""),
                Shape::Object(keys) => listed(keys, "    "),
            };
            format!("    \"{name}\": {shape}")
        });
        format!(
            "{{\n  \"v\": {},\n  \"common\": {},\n  \"events\": {{\n{}\n  }},\n  \"matrix\": {},\n  \"types\": {{\n{}\n  }}\n}}\n",
            self.v,
            listed(&self.common, "  "),
            events.collect::<Vec<_>>().join(",\n"),
            listed(&self.matrix, "  "),
            types.collect::<Vec<_>>().join(",\n"),
        )
    }

    /// What has changed from `published` to this one.
    #[must_use]
    pub fn changes_since(&self, published: &Self) -> Changes {
        let mut changes = Changes::default();
        if self.v != published.v {
            changes.broken.push(format!("v is {}, and was {}", self.v, published.v));
        }
        changes.keys("every event", &published.common, &self.common);
        changes.keys("an event of the matrix's own", &published.matrix, &self.matrix);
        for (kind, keys) in &published.events {
            match self.events.iter().find(|(known, _)| known == kind) {
                Some((_, present)) => changes.keys(kind, keys, present),
                None => changes.broken.push(format!("{kind}: the kind is gone")),
            }
        }
        changes.named("kind", &names(&published.events), &names(&self.events));
        for (name, shape) in &published.types {
            match (shape, self.types.iter().find(|(known, _)| known == name).map(|(_, shape)| shape)) {
                (Shape::Object(keys), Some(Shape::Object(present))) => changes.keys(name, keys, present),
                (Shape::Words(words), Some(Shape::Words(present))) => {
                    let gone = words.iter().filter(|word| !present.contains(word));
                    changes.broken.extend(gone.map(|word| format!("{name}: the word `{word}` is gone")));
                    changes.named(&format!("{name}: word"), words, present);
                }
                (_, Some(_)) => changes.broken.push(format!("{name}: words and keys have changed places")),
                (_, None) => changes.broken.push(format!("{name}: the type is gone")),
            }
        }
        changes.named("type", &names(&published.types), &names(&self.types));
        changes
    }
}

impl Changes {
    /// New keys stand behind those that were there, which stay as and where they were.
    fn keys(&mut self, place: &str, published: &[Key], present: &[Key]) {
        let mut kept = true;
        for key in published {
            match present.iter().find(|known| known.name == key.name) {
                None => {
                    self.broken.push(format!("{place}: the key `{}` is gone", key.name));
                    kept = false;
                }
                Some(now) if now.kind != key.kind => self.broken.push(format!(
                    "{place}: `{}` is of type `{}`, and was `{}`",
                    key.name, now.kind, key.kind
                )),
                Some(now) if now.nullable != key.nullable => {
                    let may = if now.nullable { "may be null now" } else { "is never null now" };
                    self.broken.push(format!("{place}: `{}` {may}", key.name));
                }
                Some(_) => {}
            }
        }
        let order = |keys: &[Key]| -> Vec<String> { keys.iter().map(|key| key.name.clone()).collect() };
        let (before, now) = (order(published), order(present));
        if kept && !now.starts_with(&before) {
            self.broken
                .push(format!("{place}: the keys {before:?} do not come first, in this order: {now:?}"));
        }
        self.named(&format!("{place}: key"), &before, &now);
    }

    fn named(&mut self, what: &str, published: &[String], present: &[String]) {
        let new = present.iter().filter(|name| !published.contains(name));
        self.added.extend(new.map(|name| format!("{what} `{name}`")));
    }
}

fn names<T>(entries: &[(String, T)]) -> Vec<String> {
    entries.iter().map(|(name, _)| name.clone()).collect()
}

fn flat_key(value: &Value) -> Result<Key, String> {
    let text = |key: &str| value.get(key).and_then(Value::as_str).ok_or(format!("a key without `{key}`"));
    let nullable = value.get("null").and_then(Value::as_bool).ok_or("a key without `null`")?;
    Ok(Key { name: text("key")?.to_string(), kind: text("type")?.to_string(), nullable })
}

/// All keys but `kind`, which stands first in every event.
fn own_keys(schema: &Value) -> Result<Vec<Key>, String> {
    let mut keys = keys(schema)?;
    if keys.is_empty() || keys.remove(0).name != "kind" {
        return Err("an event whose first key is not `kind`".to_string());
    }
    Ok(keys)
}

fn keys(schema: &Value) -> Result<Vec<Key>, String> {
    let mut keys = Vec::new();
    for (name, property) in object(schema, "properties")? {
        let told = |what: &str| format!("`{name}`: {what}");
        let (kind, nullable) = kind(name, property).map_err(|what| told(&what))?;
        keys.push(Key { name: name.clone(), kind, nullable });
    }
    // What an event need not have is no promise. Where a schema is a branch, `kind` is required by the trunk.
    let required = words(array(schema, "required")?)?;
    match keys.iter().find(|key| key.name != "kind" && !required.contains(&key.name)) {
        Some(key) => Err(format!("`{}` may be left out", key.name)),
        None => Ok(keys),
    }
}

/// A property's type in words, and whether it may be null.
fn kind(name: &str, property: &Value) -> Result<(String, bool), String> {
    let mut property = property.as_object().ok_or("no object")?.clone();
    property.shift_remove("description");
    if name == "kind" {
        return Ok(("kind".to_string(), false));
    }
    let null = serde_json::json!({ "type": "null" });
    match property.get("anyOf").and_then(Value::as_array).map(Vec::as_slice) {
        Some([one, other]) if *other == null => Ok((plain_kind(one)?, true)),
        _ => Ok((plain_kind(&Value::Object(property))?, false)),
    }
}

fn plain_kind(schema: &Value) -> Result<String, String> {
    const MOST: i64 = 9_007_199_254_740_991;
    let entries = schema.as_object().ok_or("no object")?;
    let is = |keys: &[&str]| entries.keys().eq(keys);
    let number = |key: &str| entries.get(key).and_then(Value::as_i64);
    let text = |key: &str| entries.get(key).and_then(Value::as_str);
    if is(&["$ref"]) {
        let name = text("$ref").and_then(|target| target.strip_prefix("#/$defs/"));
        return name.map(String::from).ok_or_else(|| "a `$ref` to somewhere else".to_string());
    }
    if is(&["anyOf"]) {
        let kinds: Vec<String> = array(schema, "anyOf")?.iter().map(plain_kind).collect::<Result<_, _>>()?;
        return Ok(kinds.join(" | "));
    }
    if is(&["const"]) {
        return number("const").map(|number| format!("always {number}")).ok_or("no number".to_string());
    }
    match text("type") {
        Some("string") if is(&["type"]) => Ok("string".to_string()),
        Some("integer") if is(&["type", "minimum", "maximum"]) && number("maximum") == Some(MOST) => {
            match number("minimum") {
                Some(0) => Ok("integer".to_string()),
                Some(least) if least == -MOST => Ok("signed".to_string()),
                _ => Err("an integer of another range".to_string()),
            }
        }
        Some("array") if is(&["type", "items"]) => Ok(format!("[{}]", plain_kind(&entries["items"])?)),
        Some("object") if is(&["type", "additionalProperties"]) => {
            Ok(format!("{{{}}}", plain_kind(&entries["additionalProperties"])?))
        }
        _ => Err(format!("the flat form has no word for {schema}")),
    }
}
