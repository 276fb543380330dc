//! `failsoft diff`: every decision that changes between two matrices.

use std::collections::BTreeMap;
use std::io::Write;

use failsoft::Matrix;
use failsoft::check::{Change, Diff, Direction, diff};
use failsoft::document::Loaded;
use serde_json::{Value, json};

use crate::args::{DiffArgs, DiffFormat, FailOn, Pair};
use crate::matrix;
use crate::out::{Out, Paint};
use crate::progress::Progress;
use crate::situation as words;
use crate::trouble::{Outcome, Trouble};
use crate::words::counted;

pub(crate) fn run(args: &DiffArgs, out: &mut Out) -> Result<Outcome, Trouble> {
    let old = loaded(&args.old, &args.parameter)?;
    let new = loaded(&args.new, &args.parameter)?;
    for Pair { key, .. } in &args.parameter {
        let has = |loaded: &Loaded| loaded.draft.parameters.iter().any(|known| known.name == *key);
        if !has(&old) && !has(&new) {
            let what = format!("neither matrix has the parameter `{}`", key.escape_debug());
            return Err(Trouble::at("--parameter", what));
        }
    }
    let mut progress = Progress::new("comparing");
    let found = diff(&old.matrix, &new.matrix, &mut |done, all| progress.at(done, all));
    progress.end();
    let both = Both { old: &old, new: &new, found: &found };
    match if args.json { DiffFormat::Json } else { args.format } {
        DiffFormat::Text => both.text(out)?,
        DiffFormat::Markdown => both.markdown(out)?,
        DiffFormat::Json => writeln!(out, "{}", both.json())?,
    }
    let fails = match args.fail_on {
        FailOn::Any => !found.is_nothing(),
        FailOn::Looser => found.is_looser() || !found.too_large.is_empty(),
    };
    Ok(if fails { Outcome::DoesNotHold } else { Outcome::Done })
}

/// A matrix with those parameters that it has.
fn loaded(argument: &str, parameters: &[Pair]) -> Result<Loaded, Trouble> {
    let source = matrix::read(argument)?;
    let plain = matrix::parse(&source, &[])?;
    let plain = plain.map_err(|told| Trouble::Document { told: Box::new(told), lead: None })?;
    let known = |pair: &&Pair| plain.draft.parameters.iter().any(|known| known.name == pair.key);
    let bound: Vec<Pair> = parameters.iter().filter(known).cloned().collect();
    if bound.is_empty() {
        return Ok(plain);
    }
    matrix::parse(&source, &bound)?.map_err(|told| Trouble::Document { told: Box::new(told), lead: None })
}

struct Both<'a> {
    old: &'a Loaded,
    new: &'a Loaded,
    found: &'a Diff,
}

impl Both<'_> {
    /// What is there in one alone, and what could not be compared.
    fn aside(&self) -> Vec<String> {
        let each = |names: &[String], what: &str| -> Vec<String> {
            names.iter().map(|name| format!("{what} {name}")).collect()
        };
        let found = self.found;
        let mut all = each(&found.removed, "removed: operation");
        all.extend(each(&found.added, "added: operation"));
        all.extend(each(&found.removed_classes, "removed: class"));
        all.extend(each(&found.added_classes, "added: class"));
        all.extend(each(&found.too_large, "too large to compare, so nothing is said of it: operation"));
        all
    }

    fn by_operation(&self) -> BTreeMap<&str, Vec<&Change>> {
        let mut by: BTreeMap<&str, Vec<&Change>> = BTreeMap::new();
        for change in &self.found.changes {
            by.entry(&change.operation).or_default().push(change);
        }
        by
    }

    fn text(&self, out: &mut Out) -> Result<(), Trouble> {
        let paint = out.paint;
        for (operation, changes) in self.by_operation() {
            writeln!(out, "{}", paint.bold(operation))?;
            for change in changes {
                let label = paint.direction(change.direction, change.direction.as_str());
                let need = change.need.as_ref().map_or_else(String::new, |need| format!(" ({need})"));
                writeln!(out, "  {label}{need} {}", paint.dim(self.of(change)))?;
                writeln!(out, "    {} {}", paint.dim("where"), self.facts(change))?;
                writeln!(
                    out,
                    "    {}  {} -> {}",
                    paint.dim("then"),
                    words::decision(&change.old.decision, paint),
                    words::decision(&change.new.decision, paint)
                )?;
                for line in self.owed(change) {
                    writeln!(out, "          {line}")?;
                }
            }
            writeln!(out)?;
        }
        for line in self.aside() {
            writeln!(out, "{line}")?;
        }
        writeln!(out, "{}", paint.bold(self.sum()))?;
        writeln!(out, "{}", paint.dim(format!("{} -> {}", self.old.identity, self.new.identity)))?;
        Ok(())
    }

    /// How much changes, in one line.
    fn sum(&self) -> String {
        let found = self.found;
        let operations = counted(found.operations, "operation", "operations");
        if found.is_nothing() {
            return format!("nothing changes: every situation of {operations} is decided alike");
        }
        let count = |direction| found.changes.iter().filter(|change| change.direction == direction).count();
        let parts: Vec<String> = Direction::ALL
            .iter()
            .filter(|direction| count(**direction) > 0)
            .map(|direction| format!("{} {}", count(*direction), direction.as_str()))
            .collect();
        if parts.is_empty() {
            return format!("no decision changes in the {operations} that both have");
        }
        format!("{}: {}", counted(found.changes.len(), "change", "changes"), parts.join(", "))
    }

    /// In which classes and at which stages; nothing where it is so in all.
    fn of(&self, change: &Change) -> String {
        let mut by: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
        for (class, stage) in &change.of {
            by.entry(class).or_default().push(stage.as_str());
        }
        let stages: Vec<&Vec<&str>> = by.values().collect();
        let alike = stages.windows(2).all(|pair| pair[0] == pair[1]);
        let classes = self.old.matrix.classes().count().max(self.new.matrix.classes().count());
        let at = |stages: &[&str]| {
            if stages.len() == failsoft::Stage::ALL.len() {
                "every stage".to_owned()
            } else {
                format!("at {}", stages.join(", "))
            }
        };
        if alike {
            let names: Vec<&str> = by.keys().copied().collect();
            let class =
                if names.len() == classes { String::new() } else { format!("class {}, ", names.join(", ")) };
            return format!("{class}{}", stages.first().map_or_else(String::new, |stages| at(stages)));
        }
        let parts: Vec<String> =
            by.iter().map(|(class, stages)| format!("class {class} {}", at(stages))).collect();
        parts.join("; ")
    }

    /// The facts of the smallest situation, each told once.
    fn facts(&self, change: &Change) -> String {
        let told = |matrix: &Matrix, shown: &failsoft::check::Shown| -> Vec<String> {
            shown.situation.facts.iter().map(|fact| words::in_words(matrix, fact)).collect()
        };
        let mut all = told(&self.old.matrix, &change.old);
        for fact in told(&self.new.matrix, &change.new) {
            if !all.contains(&fact) {
                all.push(fact);
            }
        }
        if all.is_empty() { "nothing has happened".into() } else { all.join("; ") }
    }

    /// Obligations and events that come or go, as the decisions' JSON has them.
    fn owed(&self, change: &Change) -> Vec<String> {
        let data = self.data(change);
        let mut lines = Vec::new();
        for key in ["obligations", "emits"] {
            let list = |side: &str| -> Vec<String> {
                data[side]["decision"][key].as_array().into_iter().flatten().map(Value::to_string).collect()
            };
            let (old, new) = (list("old"), list("new"));
            lines.extend(old.iter().filter(|of| !new.contains(of)).map(|of| format!("- {of}")));
            lines.extend(new.iter().filter(|of| !old.contains(of)).map(|of| format!("+ {of}")));
        }
        lines
    }

    fn data(&self, change: &Change) -> Value {
        json!({
            "operation": change.operation,
            "direction": change.direction.as_str(),
            "need": change.need,
            "of": change.of.iter().map(|(class, stage)| json!({"class": class, "stage": stage.as_str()})).collect::<Vec<Value>>(),
            "size": change.size,
            "old": words::data(&self.old.matrix, &change.old.situation),
            "new": words::data(&self.new.matrix, &change.new.situation),
        })
    }

    fn json(&self) -> Value {
        let found = self.found;
        json!({
            "old": self.old.identity,
            "new": self.new.identity,
            "nothing_changes": found.is_nothing(),
            "looser": found.is_looser(),
            "changes": found.changes.iter().map(|change| self.data(change)).collect::<Vec<Value>>(),
            "removed_operations": found.removed,
            "added_operations": found.added,
            "removed_classes": found.removed_classes,
            "added_classes": found.added_classes,
            "too_large": found.too_large,
        })
    }

    /// For a pull request: a table of each operation, the looser first.
    fn markdown(&self, out: &mut Out) -> Result<(), Trouble> {
        writeln!(out, "### What the matrix decides otherwise\n")?;
        writeln!(out, "{}\n", self.sum())?;
        for (operation, changes) in self.by_operation() {
            writeln!(out, "#### `{operation}`\n")?;
            writeln!(out, "| | where | before | after |")?;
            writeln!(out, "| --- | --- | --- | --- |")?;
            for change in changes {
                let label = match change.direction {
                    Direction::Looser => "**looser**",
                    Direction::Stricter => "stricter",
                    Direction::Other => "other",
                };
                let of = format!("{} ({})", self.facts(change), self.of(change));
                let owed: Vec<String> = self.owed(change);
                let (less, more): (Vec<_>, Vec<_>) = owed.iter().partition(|line| line.starts_with('-'));
                let side = |decision: &failsoft::Decision, lines: &[&String]| {
                    let lines: String =
                        lines.iter().map(|line| format!("<br>{}", escaped(&line[2..]))).collect();
                    format!("{}{lines}", escaped(&words::decision(decision, Paint::PLAIN)))
                };
                writeln!(
                    out,
                    "| {label} | {} | {} | {} |",
                    escaped(&of),
                    side(&change.old.decision, &less),
                    side(&change.new.decision, &more)
                )?;
            }
            writeln!(out)?;
        }
        for line in self.aside() {
            writeln!(out, "- {}", escaped(&line))?;
        }
        writeln!(out, "\n<sub>{} → {}</sub>", self.old.identity, self.new.identity)?;
        Ok(())
    }
}

/// What a table of markdown takes for what it is.
fn escaped(text: &str) -> String {
    text.chars()
        .flat_map(|letter| {
            let special = matches!(letter, '|' | '\\' | '`' | '*' | '_' | '<' | '>' | '[' | ']' | '&' | '#');
            special.then_some('\\').into_iter().chain([letter])
        })
        .collect()
}
