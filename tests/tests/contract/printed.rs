//! Every event that the engine prints, on all vectors and on some thousand random traces, is what the schema says.

use std::collections::{BTreeMap, BTreeSet};

use failsoft_tests::contract::{Contract, Key, Shape, schema};
use failsoft_tests::implementation::{Engine, Implementation};
use failsoft_tests::vector::Vectors;
use serde_json::{Value, json};

use crate::fits::fits;
use crate::present;

/// So many random matrices, each with a random trace.
const CASES: u64 = 5_000;

/// What an event of the matrix's own is noted as.
const OWN: &str = "the matrix's own";

struct Reader {
    schema: Value,
    contract: Contract,
    /// How often each kind was met.
    seen: BTreeMap<String, u64>,
    /// The keys of events that were null and those that were not, as `kind.key`.
    null: BTreeSet<String>,
    told: BTreeSet<String>,
}

impl Reader {
    fn new() -> Self {
        let (schema, contract) = (schema().expect("a schema"), present());
        Self { schema, contract, seen: BTreeMap::new(), null: BTreeSet::new(), told: BTreeSet::new() }
    }

    /// Every event among the lines.
    fn read(&mut self, lines: &[String]) -> Result<(), String> {
        for line in lines {
            let value: Value = serde_json::from_str(line).map_err(|error| format!("{line}: {error}"))?;
            if let Some(event) = value.get("event") {
                self.event(event).map_err(|wrong| format!("{wrong}\nin {line}"))?;
            }
        }
        Ok(())
    }

    fn event(&mut self, event: &Value) -> Result<(), String> {
        fits(&self.schema, &self.schema, event)?;
        let kind = event.get("kind").and_then(Value::as_str).ok_or("no `kind`")?;
        let known = self.contract.events.iter().find(|(known, _)| known == kind);
        let (place, own) = known.map_or((OWN, &self.contract.matrix), |(kind, own)| (kind.as_str(), own));
        let first = Key { name: "kind".to_string(), kind: "string".to_string(), nullable: false };
        let keys: Vec<&Key> = std::iter::once(&first).chain(own).chain(&self.contract.common).collect();
        exact(&self.contract, &keys, event)?;
        for key in own {
            let noted = if event[&key.name].is_null() { &mut self.null } else { &mut self.told };
            noted.insert(format!("{place}.{}", key.name));
        }
        *self.seen.entry(place.to_string()).or_default() += 1;
        Ok(())
    }
}

/// These keys and no others, in this order; and so in every object inside.
fn exact(contract: &Contract, keys: &[&Key], value: &Value) -> Result<(), String> {
    let map = value.as_object().ok_or("no object")?;
    if !map.keys().eq(keys.iter().map(|key| &key.name)) {
        let expected: Vec<&str> = keys.iter().map(|key| key.name.as_str()).collect();
        return Err(format!("its keys are not {expected:?}, in this order"));
    }
    for key in keys {
        let inner = key.kind.trim_matches(['[', ']']);
        let shape = contract.types.iter().find(|(name, _)| name == inner);
        let (Some((_, Shape::Object(keys))), Some(value)) = (shape, map.get(&key.name)) else { continue };
        let keys: Vec<&Key> = keys.iter().collect();
        match value {
            Value::Null => {}
            Value::Array(items) => items.iter().try_for_each(|item| exact(contract, &keys, item))?,
            other => exact(contract, &keys, other)?,
        }
    }
    Ok(())
}

/// A meter that counts by session: that an operator sets more limits of its keys than it holds is in no other trace.
fn limits_of_sessions() -> Value {
    json!({
        "spec": 1,
        "name": "limits",
        "dependency": { "quota": { "role": "guard", "deadline": "50ms" } },
        "meter": {
            "tokens": { "store": "quota", "limit": 10, "window": "1m", "key": ["tenant", "session"] },
        },
    })
}

/// One more than it holds ([MET-38]).
fn limits() -> Vec<Value> {
    let line = |number| json!({"override": {"meter": "tokens", "tenant": "t", "session": format!("s{number}"), "limit": 5}});
    (0..=1_024).map(line).collect()
}

/// Null for a name that is too long to be held, which no line of a trace can tell.
const LONG_NAMES: [&str; 3] = ["limit.reached.tenant", "limit.refused.tenant", "meter.settlement.tenant"];

#[test]
fn every_event_is_what_the_schema_says_and_every_kind_is_seen() {
    let mut reader = Reader::new();
    for vector in Vectors::load().expect("the vectors can be read").vectors {
        let matrix = vector.matrix().expect("a matrix");
        let lines = Engine.replay(&matrix, &vector.parameters, &vector.trace).expect("it is played");
        reader.read(&lines).unwrap_or_else(|wrong| panic!("{}: {wrong}", vector.id));
    }
    for seed in 0..CASES {
        let case = failsoft_model::generate::case(seed);
        let lines = Engine.replay(&case.document, &case.parameters, &case.lines).expect("it is played");
        reader.read(&lines).unwrap_or_else(|wrong| panic!("seed {seed}: {wrong}"));
    }
    let lines = Engine.replay(&limits_of_sessions(), &BTreeMap::new(), &limits()).expect("it is played");
    reader.read(&lines).unwrap_or_else(|wrong| panic!("limits: {wrong}"));
    let kinds = failsoft::EventKind::ALL.iter().map(|kind| kind.as_str()).chain([OWN]);
    let unseen: Vec<&str> = kinds.filter(|kind| !reader.seen.contains_key(*kind)).collect();
    assert!(unseen.is_empty(), "no trace tells {unseen:?}");
    // What may be null is at times, and what has a value has one at times: else the schema says too little or too much.
    let keys = reader.contract.events.iter().flat_map(|(kind, keys)| keys.iter().map(move |key| (kind, key)));
    let wrong = keys.filter_map(|(kind, key)| {
        let name = format!("{kind}.{}", key.name);
        match (reader.null.contains(&name), reader.told.contains(&name)) {
            (false, true) if key.nullable && !LONG_NAMES.contains(&name.as_str()) => {
                Some(format!("{name} is never null"))
            }
            (_, false) => Some(format!("{name} is never told")),
            _ => None,
        }
    });
    let wrong: Vec<String> = wrong.collect();
    assert!(wrong.is_empty(), "{wrong:#?}");
}

#[test]
fn what_is_not_what_the_schema_says_is_refused() {
    let good =
        json!({"kind":"table.full","meter":"tokens","v":1,"matrix":"m","instance":"replay","sequence":1});
    let refused = |change: &dyn Fn(&mut Value)| {
        let mut event = good.clone();
        change(&mut event);
        Reader::new().event(&event).is_err()
    };
    assert!(!refused(&|_| {}));
    assert!(refused(&|event| event["meter"] = Value::Null));
    assert!(refused(&|event| event["meter"] = json!(5)));
    assert!(refused(&|event| event["v"] = json!(2)));
    assert!(refused(&|event| event["sequence"] = json!(1.5)));
    assert!(refused(&|event| event["sequence"] = json!(9_007_199_254_740_992_u64)));
    assert!(refused(&|event| event["kind"] = json!("clock.skewed")));
    assert!(refused(&|event| event["kind"] = json!("unheard.of")), "the matrix's own have other keys");
    assert!(refused(&|event| event["more"] = json!(1)), "keys that no schema names");
    assert!(refused(&|event| {
        let map = event.as_object_mut().expect("an object");
        let matrix = map.shift_remove("matrix").expect("it is there");
        map.insert("matrix".to_string(), matrix);
    }));
    let mut more = good.clone();
    more["more"] = json!(1);
    let schema = schema().expect("a schema");
    assert_eq!(fits(&schema, &schema, &more), Ok(()), "a reader tolerates keys that are added");
}
