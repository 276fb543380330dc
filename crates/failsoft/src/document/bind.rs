//! Parameters: what each is bound to, and `"$NAME"` in the place of a value.

use std::collections::{BTreeMap, HashMap};
use std::rc::Rc;

use failsoft_core::draft::Value as Scalar;
use failsoft_core::{INTEGER_MAX, suggestion};

use super::codes;
use super::collect::{At, Collector, shown};
use super::node::{Node, STRING_MOST, Value};

/// The values of all parameters by name; nothing for one whose default or value is bad.
pub(crate) type Bound = BTreeMap<String, Option<Scalar>>;

/// What each parameter of the document is bound to, `given` standing before the default.
pub(crate) fn bind(root: &Node, given: &BTreeMap<String, String>, collector: &mut Collector) -> Bound {
    let mut bound = Bound::new();
    let section = root.get("parameter");
    if let Some(Node { value: Value::Table(entries), .. }) = section {
        for (name, parameter) in entries {
            let value = parameter.get("default").and_then(|default| {
                let scalar = scalar(default)?;
                match given.get(name) {
                    None => Some(scalar),
                    Some(text) => as_type_of(&scalar, text).or_else(|| {
                        refuse(name, text, &scalar, default, collector);
                        None
                    }),
                }
            });
            bound.insert(name.clone(), value);
        }
    }
    for name in given.keys() {
        if !bound.contains_key(name) {
            let what = format!(
                "a value was given for the parameter {}, which the matrix does not have",
                shown(name)
            );
            let span = section.map_or(0..0, Node::place);
            let help = suggestion(name, bound.keys().map(String::as_str));
            collector.report(codes::UNKNOWN_PARAMETER, At::ROOT.key("parameter").path(), span, what, help);
        }
    }
    bound
}

fn scalar(node: &Node) -> Option<Scalar> {
    match &node.value {
        Value::Bool(value) => Some(Scalar::Bool(*value)),
        Value::Integer(number) => Some(Scalar::Integer(*number)),
        Value::Text(text) => Some(Scalar::Text(text.clone())),
        _ => None,
    }
}

fn as_type_of(default: &Scalar, text: &str) -> Option<Scalar> {
    match default {
        Scalar::Bool(_) => match text {
            "true" => Some(Scalar::Bool(true)),
            "false" => Some(Scalar::Bool(false)),
            _ => None,
        },
        Scalar::Integer(_) => {
            let digits = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
            let number = digits.then(|| text.parse().ok()).flatten();
            number.filter(|number| *number <= INTEGER_MAX).map(Scalar::Integer)
        }
        Scalar::Text(_) => (text.len() <= STRING_MOST).then(|| Scalar::Text(text.to_owned())),
    }
}

fn refuse(name: &str, text: &str, default: &Scalar, place: &Node, collector: &mut Collector) {
    let (kind, help) = match default {
        Scalar::Bool(_) => ("`true` or `false`", "give `true` or `false`".to_owned()),
        Scalar::Integer(_) => ("a whole number", format!("give a whole number from 0 to {INTEGER_MAX}")),
        Scalar::Text(_) => ("a string", format!("give at most {STRING_MOST} bytes")),
    };
    let what = format!("the parameter {} takes {kind}, and {} was given", shown(name), shown(text));
    let path = At::ROOT.key("parameter").path().key(name).key("default");
    collector.report(codes::BAD_PARAMETER_VALUE, path, place.span.clone(), what, Some(help));
}

/// Puts values in the places of `"$NAME"`, everywhere but in the parameters' own section.
pub(crate) fn replace(root: &mut Node, bound: &Bound, collector: &mut Collector) {
    let names: HashMap<&str, Rc<str>> =
        bound.keys().map(|name| (name.as_str(), Rc::from(name.as_str()))).collect();
    if let Value::Table(entries) = &mut root.value {
        for (key, node) in entries.iter_mut().filter(|(key, _)| key != "parameter") {
            inside(node, &At::ROOT.key(key), bound, &names, collector);
        }
    }
}

fn inside(
    node: &mut Node,
    at: &At<'_>,
    bound: &Bound,
    names: &HashMap<&str, Rc<str>>,
    collector: &mut Collector,
) {
    match &mut node.value {
        Value::List(items) => {
            for (index, item) in items.iter_mut().enumerate() {
                inside(item, &at.index(index), bound, names, collector);
            }
        }
        Value::Table(entries) => {
            for (key, entry) in entries {
                inside(entry, &at.key(key), bound, names, collector);
            }
        }
        Value::Text(text) => {
            let Some(name) = text.strip_prefix('$') else { return };
            let value = match bound.get(name) {
                Some(Some(Scalar::Bool(value))) => Value::Bool(*value),
                Some(Some(Scalar::Integer(number))) => Value::Integer(*number),
                Some(Some(Scalar::Text(text))) => Value::Text(text.clone()),
                Some(None) => Value::Bad,
                None if collector.only_counts() => Value::Bad,
                None => {
                    let what = format!("there is no parameter {}", shown(name));
                    let help = suggestion(name, bound.keys().map(String::as_str))
                        .or_else(|| Some("declare it: `[parameter.NAME]` with a `default`".into()));
                    collector.report(codes::UNKNOWN_PARAMETER, at.path(), node.span.clone(), what, help);
                    Value::Bad
                }
            };
            node.parameter = names.get(name).cloned();
            node.value = value;
        }
        _ => {}
    }
}
