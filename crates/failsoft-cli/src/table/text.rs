//! The table for a terminal.

use std::io::Write;

use comfy_table::{Cell, ColumnConstraint, ContentArrangement, Table as Grid, Width, presets};

use super::rows::{Group, Row, Table};
use super::rung::Rung;
use crate::out::{Out, Paint};
use crate::trouble::Trouble;

/// Where nobody says how wide the page is.
const COLUMNS: usize = 110;

pub(super) fn write(table: &Table<'_>, out: &mut Out) -> Result<(), Trouble> {
    let width = out.columns.map_or(COLUMNS, |columns| columns.clamp(72, 140));
    let paint = out.paint;
    writeln!(out, "{}", paint.bold(table.identity))?;
    for parameter in &table.draft.parameters {
        writeln!(
            out,
            "{} {} = {}",
            paint.dim("parameter"),
            parameter.name,
            super::rung::shown(&parameter.value)
        )?;
    }
    for group in &table.groups {
        title(group, width, out)?;
        if !group.rows.is_empty() {
            writeln!(out, "{}", grid(group, width, paint))?;
        }
    }
    Ok(())
}

fn title(group: &Group<'_>, width: usize, out: &mut Out) -> Result<(), Trouble> {
    let paint = out.paint;
    writeln!(out, "\n{}  {}", paint.bold(group.title()), paint.dim(&group.about))?;
    let pipeline = group.pipeline().map(|pipeline| format!("needs {pipeline}"));
    let refuse = group.refuse.iter().map(|rule| format!("first {rule}"));
    for line in pipeline.into_iter().chain(refuse) {
        for part in wrapped(&line, width.saturating_sub(2), 6) {
            writeln!(out, "  {}", paint.dim(part))?;
        }
    }
    Ok(())
}

fn grid(group: &Group<'_>, width: usize, paint: Paint) -> Grid {
    // Fixed shares, so that the tables of all operations stand below one another.
    let inner = width - 4 - 6;
    let first = 26.min(inner * 27 / 100);
    let second = 28.min(inner * 30 / 100);
    let mut grid = Grid::new();
    grid.load_style(presets::UTF8_FULL.with_rounded_corners())
        .set_content_arrangement(ContentArrangement::Dynamic)
        .set_width(u16::try_from(width).unwrap_or(u16::MAX))
        .set_header(
            ["dependency", "when it says no", "when it fails"].map(|title| Cell::new(paint.bold(title))),
        );
    for row in &group.rows {
        grid.add_row([
            dependency(row, first, paint),
            refusal(row, second, paint),
            ladder(row, inner - first - second, paint),
        ]);
    }
    for (column, share) in grid.column_iter_mut().zip([first, second, inner - first - second]) {
        let share = u16::try_from(share + 2).unwrap_or(u16::MAX);
        column.set_constraint(ColumnConstraint::Absolute(Width::Fixed(share)));
    }
    grid
}

fn dependency(row: &Row<'_>, width: usize, paint: Paint) -> String {
    let mut lines = Vec::new();
    lines.extend(wrapped(row.name, width, 0).iter().map(|line| paint.bold(line).to_string()));
    let mut add = |text: String| {
        lines.extend(wrapped(&text, width, 0).iter().map(|line| paint.dim(line).to_string()));
    };
    add(row.about());
    if row.forced_open {
        add("waits for an operator".into());
    }
    if row.needed_by.len() > 1 {
        add(format!("for {}", row.needed_by.join(", ")));
    }
    lines.join("\n")
}

fn refusal(row: &Row<'_>, width: usize, paint: Paint) -> String {
    match &row.on_refusal {
        Some(rung) => {
            let lines = wrapped(&rung.sentence(), width, 2);
            let dim = |line: String| paint.dim(line).to_string();
            let lines: Vec<String> =
                if rung.by_default { lines.into_iter().map(dim).collect() } else { lines };
            lines.join("\n")
        }
        None => paint.dim("only watches").to_string(),
    }
}

/// Rung by rung, the number at the left and what it does in its posture's colour.
fn ladder(row: &Row<'_>, width: usize, paint: Paint) -> String {
    let mut lines: Vec<String> = Vec::new();
    for rung in &row.ladder {
        let own = lines_of(rung, width);
        let number = rung.index.unwrap_or_default();
        for (place, line) in own.into_iter().enumerate() {
            let line = match line.strip_prefix(rung.kind.as_str()) {
                Some(rest) if place == 0 => format!("{}{rest}", paint.posture(rung.posture, rung.kind)),
                _ => line,
            };
            let margin = if place == 0 { format!("{number} ") } else { "    ".into() };
            lines.push(format!("{}{line}", paint.dim(margin)));
        }
    }
    if let Some(end) = row.end {
        let margin = if row.ladder.is_empty() { "" } else { "  " };
        lines.extend(
            wrapped(&format!("{margin}{end}"), width, 4).iter().map(|line| paint.dim(line).to_string()),
        );
    }
    lines.join("\n")
}

/// What it does on a line of its own, its conditions and what it tells below, where one line is too short.
fn lines_of(rung: &Rung, width: usize) -> Vec<String> {
    let whole = rung.sentence();
    if whole.chars().count() + 2 <= width {
        return vec![whole];
    }
    let mut lines = wrapped(&rung.does, width - 4, 0);
    for (before, part) in rung.parts() {
        let lead = before.trim_start_matches([';', ',', ' ']);
        lines.extend(wrapped(&format!("{lead}{part}"), width - 4, 2));
    }
    lines
}

/// `text` in lines no longer than `width`, broken at spaces and slashes, and where a word is too long for a line;
/// further lines are indented by `indent`.
fn wrapped(text: &str, width: usize, indent: usize) -> Vec<String> {
    let mut lines: Vec<String> = Vec::new();
    let mut line = String::new();
    for word in text.split_inclusive([' ', '/']) {
        let fits = |line: &str, word: &str| line.chars().count() + word.trim_end().chars().count() <= width;
        if !fits(&line, word) && !line.trim().is_empty() {
            lines.push(std::mem::take(&mut line).trim_end().to_owned());
            line = " ".repeat(indent);
        }
        let mut rest = word;
        while !fits(&line, rest) {
            let room = width.saturating_sub(line.chars().count()).max(1);
            let cut = rest.char_indices().nth(room).map_or(rest.len(), |(at, _)| at);
            line.push_str(&rest[..cut]);
            lines.push(std::mem::take(&mut line));
            rest = &rest[cut..];
        }
        line.push_str(rest);
    }
    lines.push(line.trim_end().to_owned());
    lines
}

#[cfg(test)]
mod tests {
    use super::wrapped;

    #[test]
    fn wrapping() {
        assert_eq!(wrapped("a bb ccc", 4, 0), ["a bb", "ccc"]);
        assert_eq!(wrapped("a bb ccc", 5, 2), ["a bb", "  ccc"]);
        assert_eq!(wrapped("abcdefgh", 3, 0), ["abc", "def", "gh"]);
        assert_eq!(wrapped("ab/cd/ef", 6, 0), ["ab/cd/", "ef"]);
        assert_eq!(wrapped("", 6, 0), [""]);
    }
}
