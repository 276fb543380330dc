//! As much of JSON Schema 2020-12 as the schema of events uses. A keyword that is not known here is refused, so that none
//! is passed over in silence.

use serde_json::Value;

/// Whether `value` fits `part` of `root`.
///
/// # Errors
/// Where it does not: the place, and the keyword that it fails.
pub(crate) fn fits(root: &Value, part: &Value, value: &Value) -> Result<(), String> {
    for (keyword, rule) in part.as_object().ok_or("a schema is an object")? {
        holds(root, part, keyword, rule, value).map_err(|inner| format!("{keyword}: {inner}"))?;
    }
    Ok(())
}

fn holds(root: &Value, part: &Value, keyword: &str, rule: &Value, value: &Value) -> Result<(), String> {
    let list = || rule.as_array().ok_or("a list stands here");
    let told = |holds: bool| if holds { Ok(()) } else { Err(format!("{value} is not {rule}")) };
    let inside = |name: &str, rule: &Value, value: &Value| {
        fits(root, rule, value).map_err(|inner| format!("{name}: {inner}"))
    };
    match keyword {
        "$schema" | "$defs" | "title" | "description" => Ok(()),
        "$ref" => {
            let target = rule.as_str().and_then(|target| root.pointer(target.trim_start_matches('#')));
            fits(root, target.ok_or("it leads nowhere")?, value)
        }
        "const" => told(rule == value),
        "enum" => told(list()?.contains(value)),
        "type" => told(is(rule.as_str().ok_or("one type")?, value)?),
        "minimum" => {
            told(value.as_i64().is_none_or(|number| rule.as_i64().is_some_and(|least| number >= least)))
        }
        "maximum" => {
            told(value.as_i64().is_none_or(|number| rule.as_i64().is_some_and(|most| number <= most)))
        }
        "not" => told(fits(root, rule, value).is_err()),
        "anyOf" => told(list()?.iter().any(|option| fits(root, option, value).is_ok())),
        "oneOf" => {
            let outcomes: Vec<_> = list()?.iter().map(|option| fits(root, option, value)).collect();
            match outcomes.iter().filter(|outcome| outcome.is_ok()).count() {
                1 => Ok(()),
                0 => Err(format!(
                    "none fits: {}",
                    outcomes.into_iter().filter_map(Result::err).collect::<Vec<_>>().join("; ")
                )),
                several => Err(format!("{several} fit")),
            }
        }
        "required" => {
            let Some(map) = value.as_object() else { return Ok(()) };
            let missing = list()?.iter().filter_map(Value::as_str).find(|key| !map.contains_key(*key));
            missing.map_or(Ok(()), |key| Err(format!("`{key}` is missing")))
        }
        "properties" => {
            let rules = rule.as_object().ok_or("an object stands here")?;
            let mut known = rules.iter().filter_map(|(key, rule)| Some((key, rule, value.get(key)?)));
            known.try_for_each(|(key, rule, value)| inside(key, rule, value))
        }
        "additionalProperties" => {
            let known = |key: &str| part.get("properties").is_some_and(|known| known.get(key).is_some());
            let others = value.as_object().into_iter().flatten().filter(|(key, _)| !known(key));
            others.into_iter().try_for_each(|(key, value)| inside(key, rule, value))
        }
        "items" => value.as_array().into_iter().flatten().try_for_each(|item| fits(root, rule, item)),
        _ => Err("this test does not know the keyword".to_string()),
    }
}

fn is(name: &str, value: &Value) -> Result<bool, String> {
    Ok(match name {
        "object" => value.is_object(),
        "array" => value.is_array(),
        "string" => value.is_string(),
        "integer" => value.is_i64() || value.is_u64(),
        "null" => value.is_null(),
        other => return Err(format!("this test does not know the type {other}")),
    })
}
