//! The table for a program. Keys are only ever added.

use std::io::Write;

use serde_json::{Value, json};

use super::rows::{Row, Table};
use super::rung::Rung;
use crate::out::Out;
use crate::trouble::Trouble;

pub(super) fn write(table: &Table<'_>, out: &mut Out) -> Result<(), Trouble> {
    let draft = table.draft;
    let operations: Vec<Value> = table
        .groups
        .iter()
        .filter_map(|group| group.operation.map(|operation| (group, operation)))
        .map(|(group, operation)| {
            json!({
                "name": operation.name,
                "effect": operation.effect.as_str(),
                "enforcement": operation.enforcement.as_str(),
                "deadline_ms": operation.deadline.map(|length| length.get()),
                "max_unchecked": operation.max_unchecked,
                "needs": operation.needs,
                "refuse": group.refuse,
            })
        })
        .collect();
    let dependencies: Vec<Value> =
        table.groups.iter().flat_map(|group| &group.rows).map(dependency).collect();
    let parameters = draft.parameters.iter().map(|parameter| {
        let value = match &parameter.value {
            failsoft::draft::Value::Bool(value) => json!(value),
            failsoft::draft::Value::Integer(number) => json!(number),
            failsoft::draft::Value::Text(text) => json!(text),
        };
        (parameter.name.clone(), value)
    });
    let value = json!({
        "matrix": table.identity,
        "name": draft.name,
        "revision": draft.revision,
        "classes": draft.classes,
        "parameters": parameters.collect::<serde_json::Map<_, _>>(),
        "operations": operations,
        "dependencies": dependencies,
    });
    serde_json::to_writer_pretty(&mut *out, &value).map_err(std::io::Error::from)?;
    writeln!(out)?;
    Ok(())
}

fn dependency(row: &Row<'_>) -> Value {
    json!({
        "name": row.name,
        "role": row.role.as_str(),
        "stage": row.stage.as_str(),
        "deadline_ms": row.draft.deadline.map(|length| length.get()),
        "waits_for_operator": row.forced_open,
        "needed_by": row.needed_by,
        "on_refusal": row.on_refusal.as_ref().map(rung),
        "on_failure": row.ladder.iter().map(rung).collect::<Vec<_>>(),
        "end": row.end,
    })
}

fn rung(rung: &Rung) -> Value {
    json!({
        "rung": rung.index,
        "kind": rung.kind.as_str(),
        "verdict": rung.kind.verdict().as_str(),
        "posture": rung.posture.as_str(),
        "does": rung.does,
        "when": rung.when,
        "cap": rung.cap,
        "also": rung.also,
        "tells": rung.tells,
        "alert": rung.alert,
        "unchecked": rung.unchecked,
    })
}
