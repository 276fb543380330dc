//! The JSON Schema of the document, from the same tables that its reader is driven by.

use failsoft_core::{INTEGER_MAX, RungKind};
use serde_json::{Map, Value, json};

use super::keys::{Default, Form, Key, Kind, Place, Table};
use super::node::STRING_MOST;
use super::rungs;
use super::tables::MATRIX;

/// The JSON Schema (2020-12) of a matrix, for editors and other tools, for TOML as for JSON.
///
/// It knows shapes: keys, types, ranges and closed vocabularies. That names exist, and what may stand where,
/// only [`load`](super::load) knows.
///
/// ```
/// let schema = failsoft::document::json_schema();
/// assert_eq!(schema["$schema"], "https://json-schema.org/draft/2020-12/schema");
/// assert_eq!(schema["properties"]["signal_ttl"]["default"], "60s");
/// ```
#[must_use]
pub fn json_schema() -> Value {
    let mut definitions = Map::new();
    definitions.insert(
        "bound".to_owned(),
        json!({
            "description": "The value of a parameter, which must be of the type that stands here.",
            "type": "string",
            "pattern": r"^\$[A-Za-z0-9_.-]{1,128}$",
        }),
    );
    for place in [Place::Ladder, Place::Refusal] {
        definitions.insert(rung_name(place).to_owned(), rung(place, &mut Map::new()));
    }
    let mut found = Map::new();
    for place in [Place::Ladder, Place::Refusal] {
        rung(place, &mut found);
    }
    let body = table(&MATRIX, &mut found);
    definitions.extend(found);
    let mut schema = Map::new();
    schema.insert("$schema".to_owned(), json!("https://json-schema.org/draft/2020-12/schema"));
    schema.insert("title".to_owned(), json!("failsoft matrix, spec 1"));
    if let Value::Object(body) = body {
        schema.extend(body);
    }
    schema.insert("$defs".to_owned(), Value::Object(definitions));
    Value::Object(schema)
}

fn rung_name(place: Place) -> &'static str {
    match place {
        Place::Ladder => "rung",
        Place::Refusal => "refusal",
    }
}

fn table(table: &'static Table, found: &mut Map<String, Value>) -> Value {
    let mut properties = Map::new();
    for key in table.keys() {
        properties.insert(key.name.to_owned(), property(key, found));
    }
    let mut schema = Map::new();
    schema.insert("description".to_owned(), json!(table.doc));
    schema.insert("type".to_owned(), json!("object"));
    schema.insert("properties".to_owned(), Value::Object(properties));
    let required: Vec<&str> = table.keys().filter(|key| key.required).map(|key| key.name).collect();
    if !required.is_empty() {
        schema.insert("required".to_owned(), json!(required));
    }
    if !table.one_of.is_empty() {
        let any: Vec<Value> = table.one_of.iter().map(|key| json!({ "required": [key] })).collect();
        schema.insert("anyOf".to_owned(), json!(any));
    }
    schema.insert("additionalProperties".to_owned(), json!(false));
    Value::Object(schema)
}

fn property(key: &'static Key, found: &mut Map<String, Value>) -> Value {
    let kind = match key.kind {
        // The parameters' own section is read as it stands.
        Kind::Scalar if key.name == "default" => json!({ "type": ["boolean", "integer", "string"] }),
        kind => schema(&kind, found),
    };
    let mut schema = match kind {
        Value::Object(map) => map,
        _ => Map::new(),
    };
    schema.insert("description".to_owned(), json!(key.doc));
    let default = match (key.default, key.kind) {
        (Default::None, _) => None,
        (Default::Integer(number), _) => Some(json!(number)),
        (Default::Millis(_, text) | Default::Word(text), _) => Some(json!(text)),
        (Default::Bool(value), _) => Some(json!(value)),
        (Default::Words(words), _) => Some(json!(words)),
        (Default::Empty, Kind::List { .. }) => Some(json!([])),
        (Default::Empty, _) => Some(json!({})),
    };
    if let Some(default) = default {
        schema.insert("default".to_owned(), default);
    }
    Value::Object(schema)
}

/// A scalar may also come from a parameter.
fn or_bound(schema: Value) -> Value {
    json!({ "anyOf": [schema, { "$ref": "#/$defs/bound" }] })
}

fn reference(name: &str) -> Value {
    json!({ "$ref": format!("#/$defs/{name}") })
}

/// A table as a definition of its own, by the last word of its title.
fn defined(of: &'static Table, found: &mut Map<String, Value>) -> Value {
    let name = of.title.replace('`', "").replace(' ', "-");
    let name = name.trim_start_matches("an-").trim_start_matches("a-").trim_start_matches("the-").to_owned();
    if !found.contains_key(&name) {
        found.insert(name.clone(), Value::Null);
        let body = table(of, found);
        found.insert(name.clone(), body);
    }
    reference(&name)
}

fn schema(kind: &Kind, found: &mut Map<String, Value>) -> Value {
    match kind {
        Kind::Spec => json!({ "const": 1 }),
        Kind::Integer { min, max } => or_bound(json!({ "type": "integer", "minimum": min, "maximum": max })),
        Kind::Duration { .. } => {
            or_bound(json!({ "type": "string", "pattern": "^(0|[1-9][0-9]*)(ms|s|m|h|d)$" }))
        }
        Kind::Name => or_bound(json!({ "type": "string", "pattern": "^[A-Za-z0-9_.-]{1,128}$" })),
        Kind::Word => json!({ "type": "string", "pattern": "^[!-~]{1,128}$" }),
        Kind::Line => json!({ "type": "string", "pattern": "^[ -~]{1,128}$" }),
        Kind::Text => json!({ "type": "string", "maxLength": STRING_MOST }),
        Kind::Choice(names) => or_bound(json!({ "enum": names() })),
        Kind::Scalar => json!({ "type": ["boolean", "integer", "string"] }),
        Kind::Bool => or_bound(json!({ "type": "boolean" })),
        Kind::OrOff(kind) => json!({ "anyOf": [{ "const": "off" }, schema(kind, found)] }),
        Kind::Share => {
            let percent = json!({ "type": "integer", "minimum": 1, "maximum": 100 });
            json!({ "anyOf": [{ "const": "per_instance" }, percent, reference("bound")] })
        }
        Kind::MeterKey => json!({ "enum": [["tenant"], ["tenant", "session"]] }),
        Kind::List { of, min, max, form } => {
            let mut list = json!({ "type": "array", "items": schema(of, found), "maxItems": max });
            if let (Some(map), 1..) = (list.as_object_mut(), *min) {
                map.insert("minItems".to_owned(), json!(min));
            }
            if let (Some(map), Form::Set) = (list.as_object_mut(), form) {
                map.insert("$comment".to_owned(), json!("a set: order and repeats mean nothing"));
            }
            list
        }
        Kind::Table(of) => defined(of, found),
        Kind::Map { of, keys, min, max } => {
            let names = match keys {
                Kind::Name => json!({ "pattern": "^[A-Za-z0-9_.-]{1,128}$" }),
                _ => json!({ "maxLength": STRING_MOST }),
            };
            let values = schema(of, found);
            json!({
                "type": "object",
                "propertyNames": names,
                "additionalProperties": values,
                "minProperties": min,
                "maxProperties": max,
            })
        }
        Kind::Rung(place) => reference(rung_name(*place)),
        Kind::Deny => json!({ "anyOf": [defined(&rungs::REFUSE_DENY, found), { "const": true }] }),
    }
}

/// Any rung: an object with its kind as the one key.
fn rung(place: Place, found: &mut Map<String, Value>) -> Value {
    let allowed = |kind: &RungKind| {
        let refusals = ["deny", "withhold", "defer", "skip_tool", "substitute"];
        place == Place::Ladder || refusals.contains(&kind.as_str())
    };
    let mut properties = Map::new();
    for kind in RungKind::ALL.iter().filter(|kind| allowed(kind)) {
        let of = rungs::table(*kind, place);
        let full = table(of, found);
        let short = match of.key(kind.required()) {
            Some(key) => schema(&key.kind, found),
            None => json!({ "const": true }),
        };
        properties.insert(kind.as_str().to_owned(), json!({ "description": of.doc, "anyOf": [full, short] }));
    }
    json!({
        "description": "One step of a ladder: its kind is the one key.",
        "type": "object",
        "minProperties": 1,
        "maxProperties": 1,
        "additionalProperties": false,
        "properties": properties,
    })
}

const _: () = assert!(INTEGER_MAX == 9_007_199_254_740_991);
