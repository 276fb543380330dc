//! Reading a document (spec 1): parameters are bound, short forms expanded, defaults filled in.
//! The document is assumed to be valid; what cannot be read at all is an error.

use std::collections::BTreeMap;
use std::sync::Arc;

use serde_json::{Map, Value, json};

use crate::document::{
    Bound, Cap, Dependency, Document, Kind, Meter, Operation, Parameter, RefuseRule, Rung, Share, When,
};
use crate::json::{
    duration, integer, optional_duration, optional_integer, optional_string, required_string, section,
    string, string_or, strings, strings_or_none, table,
};
use crate::settings;
use crate::silence;

/// Spec 1.2: the whole document.
pub(crate) fn document(written: &Value, bindings: &BTreeMap<String, String>) -> Result<Document, String> {
    let parameters = bound_parameters(written, bindings)?;
    let bound = with_parameters(written, &parameters, true)?;
    let map = table(&bound, "the document")?;
    let mut dependencies = Vec::new();
    for (name, part) in section(map, "dependency")? {
        dependencies.push(dependency(&name, part)?);
    }
    let mut operations = Vec::new();
    for (name, part) in section(map, "operation")? {
        operations.push(operation(&name, part)?);
    }
    let mut meters = Vec::new();
    for (name, part) in section(map, "meter")? {
        meters.push(meter(&name, part)?);
    }
    silence::read(map)?;
    let invariants = match map.get("invariant") {
        None => Vec::new(),
        Some(list) => list.as_array().ok_or("invariant must be a list")?.clone(),
    };
    Ok(Document {
        name: required_string(map, "name")?,
        revision: optional_integer(map, "revision")?.unwrap_or(1),
        classes: strings_or_none(map, "classes")?.unwrap_or_else(|| vec!["default".to_owned()]),
        signal_ttl: optional_duration(map, "signal_ttl")?.unwrap_or(60_000),
        window_idle: optional_duration(map, "window_idle")?.unwrap_or(5_000),
        tenants: optional_integer(map, "tenants")?.unwrap_or(1_024),
        dependencies,
        operations,
        meters,
        parameters,
        invariants,
    })
}

/// Spec 1, "Parameter": each default, and the value bound at load, read as the default's type (DOC-24).
fn bound_parameters(written: &Value, bindings: &BTreeMap<String, String>) -> Result<Vec<Parameter>, String> {
    let map = table(written, "the document")?;
    let mut parameters = Vec::new();
    for (name, part) in section(map, "parameter")? {
        let default = part.get("default").ok_or_else(|| format!("parameter {name} has no default"))?.clone();
        let value = match (bindings.get(&name), &default) {
            (None, _) => default.clone(),
            (Some(text), Value::Bool(_)) => match text.as_str() {
                "true" => json!(true),
                "false" => json!(false),
                _ => return Err(format!("parameter {name} must be true or false")),
            },
            (Some(text), Value::Number(_)) => {
                json!(text.parse::<i64>().map_err(|_| format!("parameter {name} must be an integer"))?)
            }
            (Some(text), _) => json!(text),
        };
        parameters.push(Parameter { name, default, value });
    }
    for name in bindings.keys() {
        if !parameters.iter().any(|parameter| parameter.name == *name) {
            return Err(format!("unknown parameter {name}"));
        }
    }
    Ok(parameters)
}

/// Spec 1, "Parameter": `"$NAME"`, as a whole string value, stands for the bound value (DOC-25). The
/// parameters' own table is left as it is.
fn with_parameters(value: &Value, parameters: &[Parameter], top: bool) -> Result<Value, String> {
    match value {
        Value::String(text) => match text.strip_prefix('$') {
            None => Ok(value.clone()),
            Some(name) => {
                let found = parameters.iter().find(|parameter| parameter.name == name);
                Ok(found.ok_or_else(|| format!("unknown parameter {name}"))?.value.clone())
            }
        },
        Value::Array(items) => {
            let bound: Result<Vec<Value>, String> =
                items.iter().map(|item| with_parameters(item, parameters, false)).collect();
            Ok(Value::Array(bound?))
        }
        Value::Object(map) => {
            let mut bound = Map::new();
            for (key, part) in map {
                let kept = top && key == "parameter";
                let part = if kept { part.clone() } else { with_parameters(part, parameters, false)? };
                bound.insert(key.clone(), part);
            }
            Ok(Value::Object(bound))
        }
        _ => Ok(value.clone()),
    }
}

/// Spec 1, "Dependency".
fn dependency(name: &str, map: &Map<String, Value>) -> Result<Dependency, String> {
    let role = required_string(map, "role")?;
    let default_stage = match role.as_str() {
        "guard" => "admit",
        "serve" => "dispatch",
        "observe" => "persist",
        _ => return Err(format!("unknown role {role}")),
    };
    let mut on_failure = Vec::new();
    if let Some(list) = map.get("on_failure") {
        for written in list.as_array().ok_or("on_failure must be a list")? {
            on_failure.push(rung(written)?);
        }
    }
    let deadline = optional_duration(map, "deadline")?;
    let break_glass = match map.get("break_glass") {
        None => None,
        Some(value) => {
            let longest = table(value, "break_glass")?.get("max_duration");
            Some(duration(longest.ok_or("break_glass needs max_duration")?, "max_duration")?)
        }
    };
    Ok(Dependency {
        name: name.to_owned(),
        stage: string_or(map, "stage", default_stage)?,
        role,
        deadline,
        health: Arc::new(settings::read(map.get("health"), deadline)?),
        break_glass,
        on_failure,
        on_refusal: map.get("on_refusal").map(rung).transpose()?,
    })
}

/// Spec 1, "Rung": a table with one key, its kind; a plain value is short for its one required setting.
fn rung(written: &Value) -> Result<Rung, String> {
    let outer = table(written, "a rung")?;
    let (kind_name, value) = outer.iter().next().ok_or("a rung names no kind")?;
    let settings = match value {
        Value::Object(map) => map.clone(),
        Value::Bool(true) => Map::new(),
        plain => {
            let key = match kind_name.as_str() {
                "last_known" => "max_age",
                "fallback" => "to",
                "retry" => "max_attempts",
                "outbox" => "capacity",
                "local_meter" => "meter",
                "least_bad" => "of",
                "substitute" => "name",
                _ => return Err(format!("{kind_name} has no short form")),
            };
            let mut map = Map::new();
            map.insert(key.to_owned(), plain.clone());
            map
        }
    };
    Ok(Rung {
        kind: kind(kind_name, &settings)?,
        when: settings.get("when").map(when).transpose()?,
        also: strings_or_none(&settings, "also")?.unwrap_or_default(),
        emit: optional_string(&settings, "emit")?,
        reason: optional_string(&settings, "reason")?,
        alert: optional_string(&settings, "alert")?,
        status: optional_integer(&settings, "status")?,
        code: optional_string(&settings, "code")?,
        cap: settings.get("cap").map(cap).transpose()?,
    })
}

/// DOC-33: exactly one of `requests`, `amount` and `time`.
fn cap(written: &Value) -> Result<Cap, String> {
    let map = table(written, "cap")?;
    let numbers = (optional_integer(map, "requests")?, optional_integer(map, "amount")?);
    let bound = match (numbers, optional_duration(map, "time")?) {
        ((Some(requests), None), None) => Bound::Requests(requests),
        ((None, Some(amount)), None) => Bound::Amount(amount),
        ((None, None), Some(time)) => Bound::Time(time),
        _ => return Err("a cap has one of requests, amount and time".to_owned()),
    };
    let total = map.get("total").and_then(Value::as_bool).unwrap_or(false);
    Ok(Cap { bound, meter: optional_string(map, "meter")?, total })
}

/// Spec 1.4: what belongs to each kind.
fn kind(name: &str, map: &Map<String, Value>) -> Result<Kind, String> {
    let required = |key: &str| map.get(key).ok_or_else(|| format!("{name} needs {key}"));
    Ok(match name {
        "allow" => Kind::Allow,
        "deny" => Kind::Deny,
        "defer" => Kind::Defer,
        "withhold" => Kind::Withhold,
        "retry" => Kind::Retry {
            max_attempts: integer(required("max_attempts")?, "max_attempts")?,
            base: optional_duration(map, "base")?.unwrap_or(1_000),
            multiplier: optional_integer(map, "multiplier")?.unwrap_or(200),
            jitter: optional_integer(map, "jitter")?.unwrap_or(0),
        },
        "fallback" => Kind::Fallback { to: required_string(map, "to")? },
        "last_known" => Kind::LastKnown {
            max_age: duration(required("max_age")?, "max_age")?,
            of: string_or(map, "of", "request")?,
        },
        "local_meter" => Kind::LocalMeter {
            meter: required_string(map, "meter")?,
            share: match map.get("share") {
                None => Share::PerInstance,
                Some(Value::String(text)) if text == "per_instance" => Share::PerInstance,
                Some(value) => Share::Percent(integer(value, "share")?),
            },
        },
        "outbox" => Kind::Outbox { capacity: integer(required("capacity")?, "capacity")? },
        "least_bad" => Kind::LeastBad { of: strings(required("of")?, "of")? },
        "metadata_only" | "drop_telemetry" | "skip_tool" | "read_only" => Kind::Plain(name.to_owned()),
        "substitute" => Kind::Substitute { name: required_string(map, "name")? },
        _ => return Err(format!("unknown kind {name}")),
    })
}

/// Spec 1, "Rung": lists under six keys, and a table under `parameter`.
fn when(written: &Value) -> Result<When, String> {
    let map = table(written, "when")?;
    let parameter = match map.get("parameter") {
        None => None,
        Some(value) => {
            let pairs = table(value, "parameter")?;
            Some(pairs.iter().map(|(name, value)| (name.clone(), value.clone())).collect())
        }
    };
    Ok(When {
        fault: strings_or_none(map, "fault")?,
        health: strings_or_none(map, "health")?,
        effect: strings_or_none(map, "effect")?,
        stage: strings_or_none(map, "stage")?,
        operation: strings_or_none(map, "operation")?,
        class: strings_or_none(map, "class")?,
        parameter,
    })
}

/// Spec 1, "Operation".
fn operation(name: &str, map: &Map<String, Value>) -> Result<Operation, String> {
    let mut refuse = Vec::new();
    if let Some(list) = map.get("refuse") {
        for written in list.as_array().ok_or("refuse must be a list")? {
            refuse.push(refuse_rule(table(written, "refuse")?)?);
        }
    }
    Ok(Operation {
        name: name.to_owned(),
        needs: strings(map.get("needs").ok_or("needs is missing")?, "needs")?,
        effect: string_or(map, "effect", "write")?,
        deadline: optional_duration(map, "deadline")?,
        max_unchecked: optional_integer(map, "max_unchecked")?,
        enforcement: string_or(map, "enforcement", "enforce")?,
        refuse,
    })
}

/// Spec 1, `[[operation.NAME.refuse]]`.
fn refuse_rule(map: &Map<String, Value>) -> Result<RefuseRule, String> {
    let conditions = table(map.get("when").ok_or("a refuse rule has no when")?, "when")?;
    let equals = match conditions.get("equals") {
        None => None,
        Some(value) => {
            let mut pairs = Vec::new();
            for (attribute, value) in table(value, "equals")? {
                pairs.push((attribute.clone(), string(value, "equals")?));
            }
            Some(pairs)
        }
    };
    let same = match strings_or_none(conditions, "same")? {
        None => None,
        Some(pair) => match pair.as_slice() {
            [first, second] => Some((first.clone(), second.clone())),
            _ => return Err("same takes two attributes".to_owned()),
        },
    };
    let deny = map.get("deny").cloned().unwrap_or_else(|| json!({}));
    Ok(RefuseRule {
        present: optional_string(conditions, "present")?,
        equals,
        same,
        deny: rung(&json!({ "deny": deny }))?,
    })
}

/// Spec 1.6, "Meter".
fn meter(name: &str, map: &Map<String, Value>) -> Result<Meter, String> {
    Ok(Meter {
        name: name.to_owned(),
        store: required_string(map, "store")?,
        key: strings_or_none(map, "key")?.unwrap_or_else(|| vec!["tenant".to_owned()]),
        mode: string_or(map, "mode", "block")?,
        capacity: optional_integer(map, "capacity")?.unwrap_or(10_000),
        limit: optional_integer(map, "limit")?,
        window: optional_duration(map, "window")?,
        max_instances: optional_integer(map, "max_instances")?,
        max_unreported: optional_integer(map, "max_unreported")?,
    })
}
