//! The table in Markdown, as GitHub reads it.

use std::io::Write;

use super::rows::{Row, Table};
use super::rung::Rung;
use crate::out::Out;
use crate::trouble::Trouble;

pub(super) fn write(table: &Table<'_>, out: &mut Out) -> Result<(), Trouble> {
    writeln!(out, "# {}\n\n`{}`", escaped(&table.draft.name), table.identity)?;
    for group in &table.groups {
        writeln!(out, "\n## {}\n\n{}", escaped(group.title()), escaped(&capital(&group.about)))?;
        if let Some(pipeline) = group.pipeline() {
            writeln!(out, "\nNeeds {}", escaped(&pipeline))?;
        }
        for rule in &group.refuse {
            writeln!(out, "\nFirst: {}", escaped(rule))?;
        }
        if group.rows.is_empty() {
            continue;
        }
        writeln!(out, "\n| dependency | needed by | says no | fails |\n| --- | --- | --- | --- |")?;
        for row in &group.rows {
            writeln!(
                out,
                "| **{}**<br>{} | {} | {} | {} |",
                escaped(row.name),
                escaped(&about(row)),
                escaped(&row.needed_by.join(", ")),
                row.on_refusal
                    .as_ref()
                    .map_or_else(|| "only watches".into(), |rung| escaped(&rung.sentence())),
                ladder(row),
            )?;
        }
    }
    Ok(())
}

fn about(row: &Row<'_>) -> String {
    let waits = if row.forced_open { ", waits for an operator" } else { "" };
    format!("{}{waits}", row.about())
}

fn ladder(row: &Row<'_>) -> String {
    let rungs = row.ladder.iter().map(|rung: &Rung| {
        let index = rung.index.unwrap_or_default();
        format!("{index}. {} (*{}*)", escaped(&rung.sentence()), rung.posture.as_str().replace('_', " "))
    });
    let end = row.end.map(escaped);
    rungs.chain(end).collect::<Vec<_>>().join("<br>")
}

fn capital(text: &str) -> String {
    let mut letters = text.chars();
    letters.next().map_or_else(String::new, |first| first.to_uppercase().chain(letters).collect())
}

/// Text in which nothing is Markdown or HTML.
fn escaped(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for letter in text.chars() {
        match letter {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '\\' | '`' | '*' | '_' | '|' | '[' | ']' | '~' | '#' | '!' => {
                out.push('\\');
                out.push(letter);
            }
            '\n' | '\r' => out.push(' '),
            letter => out.push(letter),
        }
    }
    out
}

#[cfg(test)]
mod tests {
    #[test]
    fn nothing_in_it_is_markup() {
        assert_eq!(super::escaped("a|b_<i>*`"), r"a\|b\_&lt;i&gt;\*\`");
    }
}
