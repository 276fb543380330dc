//! What no compiler checks: files that stay small, and a core that reaches for nothing.

use std::fs;
use std::path::{Path, PathBuf};

use crate::process::root;

/// A file longer than this is two files. The generated vocabulary is none that people read through.
const LINES: usize = 600;
const UNBOUNDED: &[&str] = &["crates/failsoft-core/src/vocabulary.rs"];

/// What the core must not mention: it knows no clock, file, thread, socket or environment, and no float.
const FORBIDDEN: &[&str] =
    &["std::", "unsafe ", "f32", "f64", ".unwrap()", ".expect(", "panic!(", "unreachable!(", "todo!("];

pub(crate) fn run() -> Result<(), String> {
    let mut wrong = Vec::new();
    for folder in ["crates", "tests", "xtask", "fuzz/fuzz_targets"] {
        for path in sources(&root().join(folder)) {
            let name = path.strip_prefix(root()).unwrap_or(&path).display().to_string();
            let text = fs::read_to_string(&path).map_err(|error| format!("{name}: {error}"))?;
            let lines = text.lines().count();
            if lines > LINES && !UNBOUNDED.contains(&name.as_str()) {
                wrong.push(format!("{name}: {lines} lines; split it (at most {LINES})"));
            }
            if name.starts_with("crates/failsoft-core/src") {
                wrong.extend(reaches_out(&name, &text));
            }
        }
    }
    for page in ["README.md", "ARCHITECTURE.md", "CONTRIBUTING.md", "SECURITY.md", "CHANGELOG.md"] {
        let text = fs::read_to_string(root().join(page)).map_err(|error| format!("{page}: {error}"))?;
        if text.contains("@@") {
            wrong.push(format!("{page}: a placeholder is left"));
        }
    }
    if wrong.is_empty() { Ok(()) } else { Err(wrong.join("\n")) }
}

/// Mentions of what is forbidden, comments and unit tests aside.
fn reaches_out(name: &str, text: &str) -> Vec<String> {
    let code = text.split("#[cfg(test)]").next().unwrap_or_default();
    let lines = (1..).zip(code.lines()).filter(|(_, line)| !line.trim_start().starts_with("//"));
    lines
        .flat_map(|(number, line)| {
            let found = FORBIDDEN.iter().filter(move |word| line.contains(**word));
            found.map(move |word| format!("{name}:{number}: the core must not use `{}`", word.trim()))
        })
        .collect()
}

fn sources(folder: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    let Ok(entries) = fs::read_dir(folder) else { return found };
    for path in entries.flatten().map(|entry| entry.path()) {
        if path.is_dir() && path.file_name().is_none_or(|name| name != "target") {
            found.extend(sources(&path));
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            found.push(path);
        }
    }
    found.sort();
    found
}
