//! One fact (PRF-2): how it is written, and which others it excludes.

use std::collections::BTreeMap;

use serde_json::{Map, Value, json};

use crate::json::{integer, optional_string, required_string, string, table};

/// The facts of health, of which there is at most one for each dependency.
const HEALTHS: [&str; 8] = ["well", "degraded", "probing", "spent", "down", "advised", "held", "skipped"];

/// A fact, as the rows of the table have it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Fact {
    Health {
        dependency: String,
        health: String,
        class: Option<String>,
    },
    LastOk {
        dependency: String,
        age: i64,
    },
    Outbox {
        dependency: String,
        depth: i64,
    },
    FailedFor {
        dependency: String,
        time: i64,
    },
    Cap {
        dependency: String,
        rung: usize,
        amount: i64,
    },
    Used {
        meter: String,
        amount: i64,
    },
    Reading {
        meter: String,
        used: i64,
    },
    Met {
        dependency: String,
        result: String,
    },
    Cached {
        dependency: String,
        age: i64,
    },
    Attempts {
        dependency: String,
        attempts: i64,
    },
    Remaining {
        time: i64,
    },
    Rule {
        /// None holds.
        rule: Option<usize>,
        attributes: Option<BTreeMap<String, String>>,
    },
}

impl Fact {
    /// Reads a fact as `json` writes it.
    pub(super) fn read(written: &Value) -> Result<Fact, String> {
        let map = table(written, "a fact")?;
        let dependency = || required_string(map, "dependency");
        let meter = || required_string(map, "meter");
        let number = |key: &str| integer(map.get(key).unwrap_or(&Value::Null), key);
        let name = required_string(map, "fact")?;
        Ok(match name.as_str() {
            health if HEALTHS.contains(&health) => {
                let class = optional_string(map, "class")?;
                if class.is_some() != matches!(health, "probing" | "spent" | "down") {
                    return Err(format!("{health} has a class where it has failed, and only there"));
                }
                Fact::Health { dependency: dependency()?, class, health: name }
            }
            "last_ok" => Fact::LastOk { dependency: dependency()?, age: number("age_ms")? },
            "outbox" => Fact::Outbox { dependency: dependency()?, depth: number("depth")? },
            "failed_for" => Fact::FailedFor { dependency: dependency()?, time: number("for_ms")? },
            "cap" => Fact::Cap {
                dependency: dependency()?,
                rung: place(number("rung")?)?,
                amount: number("amount")?,
            },
            "used" => Fact::Used { meter: meter()?, amount: number("amount")? },
            "reading" => Fact::Reading { meter: meter()?, used: number("used")? },
            "met" => Fact::Met { dependency: dependency()?, result: required_string(map, "result")? },
            "cached" => Fact::Cached { dependency: dependency()?, age: number("age_ms")? },
            "attempts" => Fact::Attempts { dependency: dependency()?, attempts: number("attempts")? },
            "remaining" => Fact::Remaining { time: number("remaining_ms")? },
            "rule" => Fact::Rule { rule: rule(map)?, attributes: attributes(map)? },
            other => return Err(format!("unknown fact {other}")),
        })
    }

    /// The fact with its keys in the order of the table.
    pub(super) fn json(&self) -> Value {
        match self {
            Fact::Health { dependency, health, class: Some(class) } => {
                json!({ "fact": health, "dependency": dependency, "class": class })
            }
            Fact::Health { dependency, health, class: None } => {
                json!({ "fact": health, "dependency": dependency })
            }
            Fact::LastOk { dependency, age } => {
                json!({ "fact": "last_ok", "dependency": dependency, "age_ms": age })
            }
            Fact::Outbox { dependency, depth } => {
                json!({ "fact": "outbox", "dependency": dependency, "depth": depth })
            }
            Fact::FailedFor { dependency, time } => {
                json!({ "fact": "failed_for", "dependency": dependency, "for_ms": time })
            }
            Fact::Cap { dependency, rung, amount } => {
                json!({ "fact": "cap", "dependency": dependency, "rung": rung, "amount": amount })
            }
            Fact::Used { meter, amount } => json!({ "fact": "used", "meter": meter, "amount": amount }),
            Fact::Reading { meter, used } => json!({ "fact": "reading", "meter": meter, "used": used }),
            Fact::Met { dependency, result } => {
                json!({ "fact": "met", "dependency": dependency, "result": result })
            }
            Fact::Cached { dependency, age } => {
                json!({ "fact": "cached", "dependency": dependency, "age_ms": age })
            }
            Fact::Attempts { dependency, attempts } => {
                json!({ "fact": "attempts", "dependency": dependency, "attempts": attempts })
            }
            Fact::Remaining { time } => json!({ "fact": "remaining", "remaining_ms": time }),
            Fact::Rule { rule, attributes: None } => json!({ "fact": "rule", "rule": rule }),
            Fact::Rule { rule, attributes: Some(attributes) } => {
                json!({ "fact": "rule", "rule": rule, "attributes": attributes })
            }
        }
    }

    /// PRF-2: at most one fact of each slot stands in one situation.
    pub(super) fn slot(&self) -> String {
        match self {
            Fact::Health { dependency, .. } => format!("health {dependency}"),
            Fact::LastOk { dependency, .. } => format!("last_ok {dependency}"),
            Fact::Outbox { dependency, .. } => format!("outbox {dependency}"),
            Fact::FailedFor { dependency, .. } => format!("failed_for {dependency}"),
            Fact::Cap { dependency, rung, .. } => format!("cap {dependency} {rung}"),
            Fact::Used { meter, .. } => format!("used {meter}"),
            Fact::Reading { meter, .. } => format!("reading {meter}"),
            Fact::Met { dependency, .. } => format!("met {dependency}"),
            Fact::Cached { dependency, .. } => format!("cached {dependency}"),
            Fact::Attempts { dependency, .. } => format!("attempts {dependency}"),
            Fact::Remaining { .. } => "remaining".to_owned(),
            Fact::Rule { .. } => "rule".to_owned(),
        }
    }

    /// It is told by lines that stand before the request's own: of the engine, not of the request.
    pub(super) fn of_engine(&self) -> bool {
        !matches!(
            self,
            Fact::Met { .. }
                | Fact::Cached { .. }
                | Fact::Attempts { .. }
                | Fact::Remaining { .. }
                | Fact::Rule { .. }
        )
    }
}

/// A place in a list.
fn place(number: i64) -> Result<usize, String> {
    usize::try_from(number).map_err(|_| "a place is an integer from 0".to_owned())
}

/// The rule's place, or null.
fn rule(map: &Map<String, Value>) -> Result<Option<usize>, String> {
    match map.get("rule").ok_or("rule is missing")? {
        Value::Null => Ok(None),
        value => Ok(Some(place(integer(value, "rule")?)?)),
    }
}

/// The attributes that a `rule` fact carries, where it does.
fn attributes(map: &Map<String, Value>) -> Result<Option<BTreeMap<String, String>>, String> {
    let Some(written) = map.get("attributes") else { return Ok(None) };
    let mut attributes = BTreeMap::new();
    for (name, value) in table(written, "attributes")? {
        attributes.insert(name.clone(), string(value, "attributes")?);
    }
    Ok(Some(attributes))
}
