//! The JSON Schema tells what the reader obeys: the same keys, defaults and limits.

use failsoft::document::{Format, Options, json_schema, load};
use serde_json::Value;

/// Follows `$ref`.
fn resolved<'a>(schema: &'a Value, part: &'a Value) -> &'a Value {
    match part.get("$ref").and_then(Value::as_str) {
        Some(reference) => {
            resolved(schema, schema.pointer(reference.trim_start_matches('#')).expect("a definition"))
        }
        None => part,
    }
}

/// Whether `value` fits `part`: as much of JSON Schema as this schema uses, and no more.
fn fits(schema: &Value, part: &Value, value: &Value) -> bool {
    let part = resolved(schema, part);
    part.as_object().expect("a schema").iter().all(|(keyword, rule)| match keyword.as_str() {
        "anyOf" => rule.as_array().expect("a list").iter().any(|option| fits(schema, option, value)),
        "const" => rule == value,
        "enum" => rule.as_array().expect("a list").contains(value),
        "type" => match rule {
            Value::Array(names) => names.iter().any(|name| is(name, value)),
            name => is(name, value),
        },
        "minimum" => value.as_u64().is_none_or(|number| Some(number) >= rule.as_u64()),
        "maximum" => value.as_u64().is_none_or(|number| Some(number) <= rule.as_u64()),
        "maxItems" => {
            value.as_array().is_none_or(|list| list.len() as u64 <= rule.as_u64().expect("a number"))
        }
        "minItems" => {
            value.as_array().is_none_or(|list| list.len() as u64 >= rule.as_u64().expect("a number"))
        }
        "maxProperties" => {
            value.as_object().is_none_or(|map| map.len() as u64 <= rule.as_u64().expect("a number"))
        }
        "minProperties" => {
            value.as_object().is_none_or(|map| map.len() as u64 >= rule.as_u64().expect("a number"))
        }
        "required" => value.as_object().is_none_or(|map| {
            rule.as_array().expect("a list").iter().all(|key| map.contains_key(key.as_str().expect("a key")))
        }),
        "items" => value.as_array().is_none_or(|list| list.iter().all(|item| fits(schema, rule, item))),
        "properties" => value.as_object().is_none_or(|map| {
            map.iter().all(|(key, value)| rule.get(key).is_none_or(|part| fits(schema, part, value)))
        }),
        "additionalProperties" => value.as_object().is_none_or(|map| {
            let known = part.get("properties");
            let others =
                map.iter().filter(|(key, _)| known.and_then(|known| known.get(key.as_str())).is_none());
            others.into_iter().all(|(_, value)| *rule != Value::Bool(false) && fits(schema, rule, value))
        }),
        "pattern" if rule.as_str().is_some_and(|pattern| pattern.starts_with(r"^\$")) => {
            value.as_str().is_none_or(|text| text.starts_with('$'))
        }
        // The other patterns say in another way what the reader's own tests say.
        "pattern" | "propertyNames" | "maxLength" => true,
        "description" | "default" | "title" | "$schema" | "$defs" | "$comment" => true,
        other => panic!("the schema uses {other}, which this test does not know"),
    })
}

fn is(name: &Value, value: &Value) -> bool {
    match name.as_str() {
        Some("object") => value.is_object(),
        Some("array") => value.is_array(),
        Some("string") => value.is_string(),
        Some("integer") => value.is_u64(),
        Some("boolean") => value.is_boolean(),
        _ => panic!("an unknown type {name}"),
    }
}

#[test]
fn the_presets_fit_the_schema() {
    let schema = json_schema();
    for preset in failsoft::presets::all() {
        let value: toml::Value = toml::from_str(preset.text).expect("TOML");
        let value = serde_json::to_value(value).expect("JSON");
        assert!(fits(&schema, &schema, &value), "{}", preset.name);
    }
}

#[test]
fn what_the_reader_refuses_for_its_shape_does_not_fit() {
    let schema = json_schema();
    let with = |rest: &str| {
        let text = format!(r#"{{"spec": 1, "name": "x"{rest}}}"#);
        let value: Value = serde_json::from_str(&text).expect("JSON");
        let reads = load("x", text.as_bytes(), Format::Json, &Options::default()).is_ok();
        (fits(&schema, &schema, &value), reads)
    };
    for good in [
        "",
        r#", "signal_ttl": "$p", "parameter": {"p": {"default": "5s"}}"#,
        r#", "dependency": {"d": {"role": "observe", "on_failure": [{"allow": true}, {"outbox": 5}, {"deny": {"status": 429}}]}}"#,
        r#", "operation": {"o": {"needs": [], "refuse": [{"when": {"present": "a"}, "deny": true}]}}"#,
    ] {
        assert_eq!(with(good), (true, true), "{good}");
    }
    for bad in [
        r#", "colour": "red""#,
        r#", "tenants": 65537"#,
        r#", "revision": "one""#,
        r#", "classes": []"#,
        r#", "dependency": {"d": {}}"#,
        r#", "dependency": {"d": {"role": "guarded"}}"#,
        r#", "dependency": {"d": {"role": "observe", "on_failure": [{"allow": true, "deny": true}]}}"#,
        r#", "dependency": {"d": {"role": "observe", "on_failure": [{}]}}"#,
        r#", "dependency": {"d": {"role": "observe", "on_failure": [{"fallback": true}]}}"#,
        r#", "dependency": {"d": {"role": "observe", "on_failure": [{"deny": {"status": 42}}]}}"#,
        r#", "dependency": {"d": {"role": "observe", "health": {"probe_rise": 0}}}"#,
        r#", "operation": {"o": {"needs": [], "refuse": [{"when": {}}]}}"#,
        r#", "meter": {"m": {"store": "d", "key": ["session"]}}"#,
        r#", "invariant": [{"operation": "o"}]"#,
    ] {
        assert_eq!(with(bad), (false, false), "{bad}");
    }
}

#[test]
fn every_key_is_described_and_every_reference_resolves() {
    fn walk(schema: &Value, part: &Value) {
        if let Some(map) = part.as_object() {
            if map.contains_key("$ref") {
                assert!(!resolved(schema, part).is_null());
            }
            if let Some(properties) = map.get("properties").and_then(Value::as_object) {
                for (name, property) in properties {
                    let described = property.get("description").and_then(Value::as_str);
                    assert!(described.is_some_and(|text| text.ends_with('.')), "{name}");
                }
            }
        }
        let inner: Vec<&Value> = match part {
            Value::Object(map) => map.values().collect(),
            Value::Array(items) => items.iter().collect(),
            _ => Vec::new(),
        };
        inner.into_iter().for_each(|inner| walk(schema, inner));
    }
    let schema = json_schema();
    walk(&schema, &schema);
    assert_eq!(schema, json_schema());
}

#[test]
fn the_limits_are_those_of_the_specification() {
    let schema = json_schema();
    let limit = |path: &str| schema.pointer(path).and_then(Value::as_u64).unwrap_or_else(|| panic!("{path}"));
    for (path, most) in [
        ("/properties/dependency/maxProperties", 1_024),
        ("/properties/operation/maxProperties", 1_024),
        ("/properties/meter/maxProperties", 256),
        ("/properties/parameter/maxProperties", 256),
        ("/properties/invariant/maxItems", 1_024),
        ("/properties/classes/maxItems", 8),
        ("/$defs/operation/properties/needs/maxItems", 256),
        ("/$defs/operation/properties/refuse/maxItems", 64),
        ("/$defs/dependency/properties/on_failure/maxItems", 64),
        ("/$defs/when-of-a-rung/properties/fault/maxItems", 256),
    ] {
        assert_eq!(limit(path), most, "{path}");
    }
}
