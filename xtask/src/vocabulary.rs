//! `crates/failsoft-core/src/vocabulary.rs`, generated from `spec/vocabulary.toml`.

use std::fmt::Write as _;

use toml::{Table, Value};

/// The vocabularies that the core speaks: the name in the specification, and the type's.
const ENUMS: &[(&str, &str, &str)] = &[
    ("role", "Role", "What the host needs a dependency for."),
    ("stage", "Stage", "A stage of the pipeline; an earlier one is less."),
    ("effect", "Effect", "What an operation does to the world."),
    ("fault", "Fault", "How a call failed."),
    ("health", "Health", "The health of a dependency."),
    ("circuit", "Circuit", "The state of a circuit, as a health line tells it."),
    ("verdict", "Verdict", "What a request may do, the loosest first."),
    ("posture", "Posture", "How a verdict came about, the least open first."),
    ("rung", "RungKind", "The kind of a rung."),
    ("obligation", "ObligationKind", "The reserved kinds of obligations."),
    ("override", "Override", "What an operator says of a dependency."),
    ("probe", "ProbeResult", "What an active probe met."),
    ("why", "Cause", "Why a health changed."),
    ("window_end", "WindowEnd", "What the window of a failure ended with."),
    ("event", "EventKind", "The events that the engine itself tells."),
    ("meter_mode", "MeterMode", "What a meter does at its limit."),
    ("reason", "RuleKind", "What decided where no rung did."),
    ("refused_override", "RefusedOverride", "Why an operator's override was refused."),
    ("initial_state", "InitialState", "How a circuit begins."),
    ("sliding_window_type", "SlidingWindowType", "The kind of a call window."),
    ("half_open_policy", "HalfOpenPolicy", "How trial calls decide."),
    ("unlisted_error", "UnlistedError", "What a class in neither list of error classes counts as."),
    ("retry_after_policy", "RetryAfterPolicy", "What a told Retry-After does."),
    ("half_open_exit", "HalfOpenExit", "Where the longest stay in half open leads."),
    ("enforcement", "Enforcement", "Whether an operation's decisions are obeyed, or only told."),
];

/// Attributes that the core reads: the key, and the type where it names another vocabulary.
const ATTRIBUTES: &[(&str, &str, Option<&str>, &str)] = &[
    ("role", "stage", Some("Stage"), "The stage of such a dependency where its matrix says none."),
    ("fault", "caller", None, "Whether the caller's input, hang-up or haste causes it."),
    (
        "fault",
        "named_only",
        None,
        "Whether it takes a guard's fail-open rung only where `when.fault` names it.",
    ),
    ("fault", "sticky", None, "0, or its precedence among the classes that stay until the circuit closes."),
    ("fault", "status", None, "The status of a ladder that ran out on it."),
    ("fault", "code", None, "The code of a ladder that ran out on it."),
    ("verdict", "goes_on", None, "Whether the request goes on."),
    ("verdict", "status", None, "The status where nothing else is said."),
    ("rung", "verdict", Some("Verdict"), "What it answers."),
    ("rung", "posture", Some("Posture"), "The posture of the answer, on a server or an observer."),
    ("rung", "soft_on_guard", None, "Whether it replaces a guard's check, so that it is soft there too."),
    ("rung", "past_no_return", None, "Whether it may be taken past the point of no return."),
    ("rung", "plain", None, "Whether it has no setting of its own, so that `true` is enough."),
    ("rung", "required", None, "Its one required setting, for which a plain value is short; or nothing."),
    ("obligation", "also", None, "Whether a rung's `also` may name it."),
    ("override", "stands", None, "Whether it stands until lifted or expired; else it acts once."),
];

/// The text of the generated file.
pub(crate) fn generate(source: &str) -> Result<String, String> {
    let table: Table = source.parse().map_err(|error| format!("spec/vocabulary.toml: {error}"))?;
    let mut out = String::from(
        "// Generated from spec/vocabulary.toml by `cargo xtask generate`. Change it there.\n\
         //! The closed vocabularies: the names that documents, traces and decisions use.\n\n",
    );
    for (key, type_name, doc) in ENUMS {
        let entries = table.get(*key).and_then(Value::as_array).ok_or(format!("no `{key}`"))?;
        let entries: Vec<&Table> = entries.iter().filter_map(Value::as_table).collect();
        enumeration(&mut out, key, type_name, doc, &entries)?;
    }
    Ok(out)
}

fn enumeration(out: &mut String, key: &str, name: &str, doc: &str, entries: &[&Table]) -> Result<(), String> {
    let write = |out: &mut String, line: String| {
        out.push_str(&line);
        out.push('\n');
    };
    write(out, format!("/// {doc}"));
    write(out, "#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]".into());
    write(out, format!("#[repr(u8)]\npub enum {name} {{"));
    for (number, entry) in entries.iter().enumerate() {
        let said = entry.get("number").and_then(Value::as_integer);
        if said != i64::try_from(number).ok() {
            return Err(format!("{key}: entry {number} has another number"));
        }
        write(out, format!("    /// `{}`: {}", text(entry, "name")?, lower_first(text(entry, "doc")?)));
        write(out, format!("    {} = {number},", variant(text(entry, "name")?)));
    }
    write(out, "}\n".into());
    write(out, format!("impl {name} {{"));
    write(out, "    /// All of them, in order.".into());
    let all: Vec<String> = entries
        .iter()
        .map(|entry| text(entry, "name").map(|name| format!("Self::{}", variant(name))))
        .collect::<Result<_, _>>()?;
    write(out, format!("    pub const ALL: &'static [Self] = &[{}];\n", all.join(", ")));
    accessor(out, "as_str", "&'static str", "The name.", entries, |entry| {
        Ok(format!("{:?}", text(entry, "name")?))
    })?;
    write(out, "    /// Its number, which never changes.\n    #[must_use]\n    #[expect(clippy::as_conversions, reason = \"the way to a variant's number\")]".into());
    write(out, "    pub const fn number(self) -> u8 {\n        self as u8\n    }\n".into());
    write(out, "    /// The one of that name.\n    #[must_use]".into());
    write(out, "    pub fn from_name(name: &str) -> Option<Self> {\n        match name {".into());
    for entry in entries {
        let name = text(entry, "name")?;
        write(out, format!("            {name:?} => Some(Self::{}),", variant(name)));
    }
    write(out, "            _ => None,\n        }\n    }".into());
    for (_, attribute, typed, doc) in ATTRIBUTES.iter().filter(|(of, ..)| *of == key) {
        out.push('\n');
        attribute_accessor(out, attribute, *typed, doc, entries)?;
    }
    if key == "fault" {
        out.push('\n');
        accessor(out, "counts_as_failure", "bool", "Whether it counts against health.", entries, |entry| {
            text(entry, "counts").map(|counts| (counts == "failure").to_string())
        })?;
    }
    write(out, "}\n".into());
    write(out, format!("impl core::fmt::Display for {name} {{"));
    write(out, "    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {".into());
    write(out, "        f.pad(self.as_str())\n    }\n}\n".into());
    Ok(())
}

fn attribute_accessor(
    out: &mut String,
    key: &str,
    typed: Option<&str>,
    doc: &str,
    entries: &[&Table],
) -> Result<(), String> {
    let first = entries.first().and_then(|entry| entry.get(key)).ok_or(format!("no `{key}`"))?;
    let kind = match (typed, first) {
        (Some(name), _) => name,
        (None, Value::Boolean(_)) => "bool",
        (None, Value::Integer(_)) => "u16",
        (None, _) => "&'static str",
    };
    accessor(out, key, kind, doc, entries, |entry| match (typed, entry.get(key)) {
        (Some(name), Some(Value::String(value))) => Ok(format!("{name}::{}", variant(value))),
        (None, Some(Value::String(value))) => Ok(format!("{value:?}")),
        (None, Some(Value::Boolean(value))) => Ok(value.to_string()),
        (None, Some(Value::Integer(value))) => Ok(value.to_string()),
        _ => Err(format!("an entry has no `{key}`")),
    })
}

fn accessor(
    out: &mut String,
    name: &str,
    kind: &str,
    doc: &str,
    entries: &[&Table],
    value: impl Fn(&Table) -> Result<String, String>,
) -> Result<(), String> {
    let _ = writeln!(out, "    /// {doc}\n    #[must_use]\n    pub const fn {name}(self) -> {kind} {{");
    let _ = writeln!(out, "        match self {{");
    // One arm a value, so that entries that agree stand together.
    let mut arms: Vec<(String, Vec<String>)> = Vec::new();
    for entry in entries {
        let value = value(entry)?;
        let pattern = format!("Self::{}", variant(text(entry, "name")?));
        match arms.iter_mut().find(|(known, _)| *known == value) {
            Some((_, patterns)) => patterns.push(pattern),
            None => arms.push((value, vec![pattern])),
        }
    }
    for (value, patterns) in arms {
        let _ = writeln!(out, "            {} => {value},", patterns.join(" | "));
    }
    let _ = writeln!(out, "        }}\n    }}\n");
    Ok(())
}

fn text<'a>(entry: &'a Table, key: &str) -> Result<&'a str, String> {
    entry.get(key).and_then(Value::as_str).ok_or(format!("an entry has no `{key}`"))
}

/// `forced_open` and `window.opened` become `ForcedOpen` and `WindowOpened`.
fn variant(name: &str) -> String {
    name.split(['_', '.'])
        .map(|part| {
            let mut characters = part.chars();
            characters
                .next()
                .map(|first| first.to_ascii_uppercase())
                .into_iter()
                .chain(characters)
                .collect::<String>()
        })
        .collect()
}

fn lower_first(text: &str) -> String {
    let mut characters = text.chars();
    match (characters.next(), characters.clone().next()) {
        (Some(first), Some(second)) if !second.is_uppercase() => {
            first.to_lowercase().chain(characters).collect()
        }
        _ => text.to_string(),
    }
}
