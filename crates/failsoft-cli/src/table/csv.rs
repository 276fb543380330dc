//! The table for a spreadsheet: RFC 4180, one row per dependency.

use std::io::Write;

use super::rows::Table;
use crate::out::Out;
use crate::trouble::Trouble;

const HEADER: [&str; 9] = [
    "operation",
    "dependency",
    "role",
    "stage",
    "deadline",
    "needed_by",
    "on_refusal",
    "on_failure",
    "postures",
];

pub(super) fn write(table: &Table<'_>, out: &mut Out) -> Result<(), Trouble> {
    line(&HEADER.map(String::from), out)?;
    for group in &table.groups {
        for row in &group.rows {
            let rungs = row
                .ladder
                .iter()
                .map(|rung| format!("{} {}", rung.index.unwrap_or_default(), rung.sentence()));
            let rungs: Vec<String> = rungs.chain(row.end.map(str::to_owned)).collect();
            let postures: Vec<&str> = row.ladder.iter().map(|rung| rung.posture.as_str()).collect();
            line(
                &[
                    group.operation.map(|operation| operation.name.clone()).unwrap_or_default(),
                    row.name.to_owned(),
                    row.role.to_string(),
                    row.stage.to_string(),
                    row.deadline.clone().unwrap_or_default(),
                    row.needed_by.join(" "),
                    row.on_refusal.as_ref().map(|rung| rung.sentence()).unwrap_or_default(),
                    rungs.join("\n"),
                    postures.join("\n"),
                ],
                out,
            )?;
        }
    }
    Ok(())
}

fn line(fields: &[String], out: &mut Out) -> Result<(), Trouble> {
    let fields: Vec<String> = fields.iter().map(|field| quoted(field)).collect();
    write!(out, "{}\r\n", fields.join(","))?;
    Ok(())
}

fn quoted(field: &str) -> String {
    if field.contains(['"', ',', '\r', '\n']) {
        format!("\"{}\"", field.replace('"', "\"\""))
    } else {
        field.to_owned()
    }
}

#[cfg(test)]
mod tests {
    use super::quoted;

    #[test]
    fn what_needs_quotes_has_them() {
        assert_eq!(quoted("a b"), "a b");
        assert_eq!(quoted("a,b"), "\"a,b\"");
        assert_eq!(quoted("a\"b\nc"), "\"a\"\"b\nc\"");
    }
}
