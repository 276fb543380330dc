//! The table as a page by itself: no script, no font, nothing from elsewhere.

use std::fmt;
use std::io::Write;

use super::rows::{Group, Row, Table};
use super::rung::Rung;
use crate::out::Out;
use crate::trouble::Trouble;

use self::Escaped as Text;

const STYLE: &str = include_str!("style.css");

pub(super) fn write(table: &Table<'_>, out: &mut Out) -> Result<(), Trouble> {
    let name = Text(&table.draft.name);
    write!(
        out,
        "<!doctype html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n\
         <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n\
         <meta name=\"color-scheme\" content=\"light dark\">\n\
         <title>{name}: failure matrix</title>\n<style>\n{STYLE}</style>\n</head>\n<body>\n<main>\n\
         <header>\n<h1>{name}</h1>\n<p class=\"id\">{}</p>\n",
        Text(table.identity),
    )?;
    if !table.draft.parameters.is_empty() {
        write!(out, "<p class=\"note\">Parameters: ")?;
        for (place, parameter) in table.draft.parameters.iter().enumerate() {
            let value = super::rung::shown(&parameter.value);
            let before = if place == 0 { "" } else { ", " };
            write!(out, "{before}<code>{} = {}</code>", Text(&parameter.name), Text(&value))?;
        }
        writeln!(out, "</p>")?;
    }
    write!(
        out,
        "<p class=\"key\"><span class=\"fail_soft\">fails soft: something stands in</span> \
         <span class=\"fail_open\">fails open: goes on unchecked</span> \
         <span class=\"fail_closed\">fails closed: stops</span></p>\n</header>\n"
    )?;
    for group in &table.groups {
        self::group(group, out)?;
    }
    write!(out, "</main>\n</body>\n</html>\n")?;
    Ok(())
}

fn group(group: &Group<'_>, out: &mut Out) -> Result<(), Trouble> {
    let title = Text(group.title());
    writeln!(out, "<section>\n<h2>{title} <small>{}</small></h2>", Text(&group.about))?;
    if let Some(operation) = group.operation {
        write!(out, "<ol class=\"needs\" aria-label=\"needs, in order\">")?;
        for need in &operation.needs {
            write!(out, "<li>{}</li>", Text(need))?;
        }
        writeln!(out, "</ol>")?;
    }
    for rule in &group.refuse {
        writeln!(out, "<p class=\"note\">First: {}</p>", Text(rule))?;
    }
    if !group.rows.is_empty() {
        write!(
            out,
            "<table>\n<thead><tr><th scope=\"col\">Dependency</th><th scope=\"col\">When it says no</th>\
             <th scope=\"col\">When it fails</th></tr></thead>\n<tbody>\n"
        )?;
        for row in &group.rows {
            self::row(row, out)?;
        }
        write!(out, "</tbody>\n</table>\n")?;
    }
    writeln!(out, "</section>")?;
    Ok(())
}

fn row(row: &Row<'_>, out: &mut Out) -> Result<(), Trouble> {
    write!(out, "<tr>\n<th scope=\"row\">{}<small>{}</small>", Text(row.name), Text(&row.about()))?;
    if row.forced_open {
        write!(out, "<small>waits for an operator</small>")?;
    }
    if row.needed_by.len() > 1 {
        write!(out, "<small>for {}</small>", Text(&row.needed_by.join(", ")))?;
    }
    write!(out, "</th>\n<td data-title=\"When it says no\">")?;
    match &row.on_refusal {
        Some(rung) if rung.by_default => {
            write!(out, "<span class=\"quiet\">")?;
            self::rung(rung, out)?;
            write!(out, "</span>")?;
        }
        Some(rung) => self::rung(rung, out)?,
        None => write!(out, "<span class=\"quiet\">only watches</span>")?,
    }
    write!(out, "</td>\n<td data-title=\"When it fails\">")?;
    if !row.ladder.is_empty() {
        write!(out, "<ol start=\"0\">")?;
        for rung in &row.ladder {
            write!(out, "<li class=\"{0}\" title=\"{0}\">", rung.posture)?;
            self::rung(rung, out)?;
            write!(out, "</li>")?;
        }
        write!(out, "</ol>")?;
    }
    if let Some(end) = row.end {
        write!(out, "<span class=\"quiet\">{}</span>", Text(end))?;
    }
    writeln!(out, "</td>\n</tr>")?;
    Ok(())
}

fn rung(rung: &Rung, out: &mut Out) -> Result<(), Trouble> {
    let kind = rung.kind.as_str();
    match rung.does.strip_prefix(kind) {
        Some(rest) => write!(out, "<b>{}</b>{}", Text(kind), Text(rest))?,
        None => write!(out, "{}", Text(&rung.does))?,
    }
    for (before, part) in rung.parts() {
        let lead = before.trim_start_matches([';', ',', ' ']);
        write!(out, "<small>{lead}{}</small>", Text(&part))?;
    }
    Ok(())
}

/// Text in which nothing is markup, in an attribute as well.
pub(crate) struct Escaped<'a>(pub(crate) &'a str);

impl fmt::Display for Escaped<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for letter in self.0.chars() {
            match letter {
                '&' => f.write_str("&amp;")?,
                '<' => f.write_str("&lt;")?,
                '>' => f.write_str("&gt;")?,
                '"' => f.write_str("&quot;")?,
                '\'' => f.write_str("&#39;")?,
                letter => write!(f, "{letter}")?,
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    #[test]
    fn nothing_in_it_is_markup() {
        assert_eq!(super::Escaped("<a href='x'>&\"").to_string(), "&lt;a href=&#39;x&#39;&gt;&amp;&quot;");
    }
}
