//! A situation as a trace that `failsoft replay` plays, and as data (spec 11.1).

use failsoft_core::explore::{Ailment, Fact, Situation, Supposed};
use failsoft_core::{DependencyId, Matrix, Millis, Report};
use serde_json::{Map, Value, json};

use crate::snapshot::{self, Snapshot};

/// The lines of the trace: what is known, then one question.
///
/// ```
/// # use failsoft::draft::{DependencyDraft, MatrixDraft, OperationDraft};
/// # use failsoft::explore::{Fact, Situation};
/// # use failsoft::{Fault, Millis, Report, Role, Stage, situation};
/// # let mut draft = MatrixDraft::new("m");
/// # draft.dependencies = vec![DependencyDraft::new("quota", Role::Guard, Some(Millis::new(50)))];
/// # draft.operations = vec![OperationDraft::new("assist", &["quota"])];
/// # let matrix = draft.compile("m@1").unwrap();
/// let quota = matrix.dependency("quota").unwrap();
/// let facts = vec![Fact::Met(quota, Report::Failed(Fault::Timeout))];
/// let (operation, class) = (matrix.operation("assist").unwrap(), matrix.class("default").unwrap());
/// let lines = situation::lines(&matrix, &Situation { operation, class, stage: Stage::Admit, facts });
/// assert_eq!(lines.len(), 1);
/// assert_eq!(lines[0]["decide"]["faults"]["quota"], "timeout");
/// ```
#[must_use]
pub fn lines(matrix: &Matrix, situation: &Situation) -> Vec<Value> {
    let mut lines = Vec::new();
    let mut at = 0;
    let operation = matrix.operation_name(situation.operation);
    // What the request met before: the last of these is told longest after the first.
    let mut earlier: Vec<(DependencyId, Report, u64)> = Vec::new();
    for fact in &situation.facts {
        if let (Fact::Met(id, report), Some(time)) = (fact, failed_for(situation, fact)) {
            earlier.push((*id, *report, time.get()));
        }
    }
    let end = earlier.iter().map(|(_, _, time)| *time).max().unwrap_or(0);
    earlier.sort_by_key(|(_, _, time)| std::cmp::Reverse(*time));
    for (id, report, time) in earlier {
        at = end - time;
        let faults = object(matrix.dependency_name(id), report.as_str().into());
        lines.push(json!({"at_ms": at, "decide": {"operation": operation, "request": "r1", "faults": faults, "preview": true}}));
    }
    if end > 0 {
        at = end;
    }
    let mut restored = Snapshot { v: 1, ..Snapshot::default() };
    let mut permits = Vec::new();
    for (id, name) in matrix.dependencies() {
        let supposed: Supposed = situation.supposed(id);
        if let Some(told) = supposed.snapshot(matrix, id) {
            restored.dependencies.insert(name.to_owned(), told);
        }
        for _ in 0..supposed.permits(matrix, id) {
            permits.push(json!({"at_ms": at, "permit": {"dependency": name}}));
        }
    }
    if !restored.dependencies.is_empty() {
        let told = snapshot::to_json(&restored);
        lines.push(json!({"at_ms": at, "restart": {"away_ms": 0, "snapshot": told}}));
    }
    lines.extend(permits);
    let mut ask = Map::new();
    ask.insert("operation".into(), operation.into());
    ask.insert("request".into(), "r1".into());
    let class = matrix.classes().find(|(class, _)| *class == situation.class).map_or("", |(_, name)| name);
    ask.insert("class".into(), class.into());
    ask.insert("stage".into(), situation.stage.as_str().into());
    for fact in &situation.facts {
        let mut part = |key: &str, id: DependencyId, value: Value| {
            let part = ask.entry(key).or_insert_with(|| json!({}));
            if let Value::Object(part) = part {
                part.insert(matrix.dependency_name(id).to_owned(), value);
            }
        };
        match fact {
            Fact::Used(id, amount) => {
                lines
                    .push(json!({"at_ms": at, "usage": {"meter": matrix.meter_name(*id), "amount": amount}}));
            }
            Fact::Reading(id, used) => {
                let meter = matrix.meter_name(*id);
                let told = json!({"meter": meter, "used": used, "limit": used, "mode": "block"});
                lines.push(json!({"at_ms": at, "reading": told}));
            }
            Fact::Met(id, report) => part("faults", *id, report.as_str().into()),
            Fact::Cached(id, age) => part("cached_ms", *id, age.get().into()),
            Fact::Attempts(id, count) => part("attempts", *id, (*count).into()),
            Fact::Remaining(left) => {
                ask.insert("remaining_ms".into(), left.get().into());
            }
            Fact::Rule(_, attributes) => {
                ask.insert("attributes".into(), told(attributes));
            }
            Fact::Health(..) | Fact::LastOk(..) | Fact::Outbox(..) | Fact::FailedFor(..) | Fact::Cap(..) => {}
        }
    }
    ask.insert("preview".into(), true.into());
    lines.push(json!({"at_ms": at, "decide": ask}));
    lines
}

fn object(key: &str, value: Value) -> Value {
    Value::Object(Map::from_iter([(key.to_owned(), value)]))
}

fn told(attributes: &[(std::sync::Arc<str>, std::sync::Arc<str>)]) -> Value {
    let told = attributes.iter().map(|(name, value)| (name.to_string(), Value::from(value.as_ref())));
    Value::Object(told.collect())
}

/// How long a dependency that is reported has failed.
fn failed_for(situation: &Situation, met: &Fact) -> Option<Millis> {
    let Fact::Met(id, _) = met else { return None };
    situation.facts.iter().find_map(|fact| match fact {
        Fact::FailedFor(of, time) if of == id => Some(*time),
        _ => None,
    })
}

/// A fact as data (the keys of PRF-2).
#[must_use]
pub fn fact(matrix: &Matrix, fact: &Fact) -> Value {
    let dependency = |id: &DependencyId| matrix.dependency_name(*id);
    match fact {
        Fact::Health(id, ailment) => {
            let mut told = json!({"fact": name(*ailment), "dependency": dependency(id)});
            if let Some((_, Some(class))) = ailment.rank() {
                told["class"] = class.as_str().into();
            }
            told
        }
        Fact::LastOk(id, age) => {
            json!({"fact": "last_ok", "dependency": dependency(id), "age_ms": age.get()})
        }
        Fact::Outbox(id, depth) => json!({"fact": "outbox", "dependency": dependency(id), "depth": depth}),
        Fact::FailedFor(id, time) => {
            json!({"fact": "failed_for", "dependency": dependency(id), "for_ms": time.get()})
        }
        Fact::Cap(id, rung, amount) => {
            json!({"fact": "cap", "dependency": dependency(id), "rung": rung, "amount": amount})
        }
        Fact::Used(id, amount) => json!({"fact": "used", "meter": matrix.meter_name(*id), "amount": amount}),
        Fact::Reading(id, used) => json!({"fact": "reading", "meter": matrix.meter_name(*id), "used": used}),
        Fact::Met(id, report) => {
            json!({"fact": "met", "dependency": dependency(id), "result": report.as_str()})
        }
        Fact::Cached(id, age) => json!({"fact": "cached", "dependency": dependency(id), "age_ms": age.get()}),
        Fact::Attempts(id, count) => {
            json!({"fact": "attempts", "dependency": dependency(id), "attempts": count})
        }
        Fact::Remaining(left) => json!({"fact": "remaining", "remaining_ms": left.get()}),
        Fact::Rule(rule, attributes) => json!({"fact": "rule", "rule": rule, "attributes": told(attributes)}),
    }
}

fn name(ailment: Ailment) -> &'static str {
    match ailment {
        Ailment::None => "none",
        Ailment::Well => "well",
        Ailment::Degraded => "degraded",
        Ailment::Down(_) => "down",
        Ailment::Probing(_) => "probing",
        Ailment::Spent(_) => "spent",
        Ailment::Advised => "advised",
        Ailment::Held => "held",
        Ailment::Skipped => "skipped",
    }
}
