//! A document proven: what the core finds in its matrix, at its places in the text, but for what the document silences.

use failsoft_core::Path;
use failsoft_core::check::{self, Code, Report};
use failsoft_core::draft::{MatrixDraft, Value};
use failsoft_core::explore::{Situation, TooMany, Work};

use super::collect::Found;
use super::diagnostic::{Diagnostics, Severity};
use super::node::{self, Node};
use super::{Format, Loaded, Options, load, load_with_places, text_of};

/// What is known of a document that was gone through.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Proven {
    /// The document.
    pub loaded: Loaded,
    /// How much was gone through; its findings are in `told`.
    pub report: Report,
    /// What is told: errors first, then warnings, then notes.
    pub told: Diagnostics,
    /// Of each the smallest situation that shows it, where one does.
    pub situations: Vec<Option<Situation>>,
    /// How many findings the document silences.
    pub silenced: usize,
}

impl Proven {
    /// How many findings of a severity are told.
    #[must_use]
    pub fn count(&self, severity: Severity) -> usize {
        self.told.items().iter().filter(|item| item.severity == severity).count()
    }
}

/// Reads a document and goes through every situation of its matrix (spec 11). `progress` is told how much of how much is done.
///
/// ```
/// use failsoft::document::{Format, Options, prove};
///
/// let text = r#"
///     spec = 1
///     name = "demo"
///     [dependency.policy]
///     role = "guard"
///     deadline = "50ms"
///     on_failure = [{ allow = true }]
///     [operation.assist]
///     needs = ["policy"]
///     [[invariant]]
///     operation = "assist"
///     when = { policy = "failed" }
///     verdict = "deny"
/// "#;
/// let proven = prove("demo.toml", text.as_bytes(), Format::Toml, &Options::default(), &mut |_, _| ())?;
/// let broken = &proven.told.items()[0];
/// assert_eq!((broken.code, broken.line), ("broken-invariant", 10));
/// assert_eq!(proven.situations[0].as_ref().map(|shown| shown.facts.len()), Some(1));
/// # Ok::<(), failsoft::document::Diagnostics>(())
/// ```
///
/// # Errors
/// Every mistake in the document, as [`load`] tells them.
pub fn prove(
    source: &str,
    bytes: &[u8],
    format: Format,
    options: &Options,
    progress: &mut dyn FnMut(usize, usize),
) -> Result<Proven, Diagnostics> {
    let (loaded, root) = load_with_places(source, bytes, format, options)?;
    let mut report = check::check(&loaded.matrix, progress);
    parameters(&loaded, (source, bytes, format, options), &mut report);
    let silenced = silence(&loaded.draft, &mut report);
    report.found.sort_by_key(|found| found.code.severity());
    let found = std::mem::take(&mut report.found);
    let (mut told, mut situations) = (Vec::new(), Vec::new());
    for found in found {
        let span = root.nearest(&found.path).place();
        let severity = match found.code.severity() {
            check::Severity::Error => Severity::Error,
            check::Severity::Warning => Severity::Warning,
            check::Severity::Note => Severity::Note,
        };
        let code = found.code.as_str();
        told.push((severity, Found { code, path: found.path, span, what: found.what, help: found.help }));
        situations.push(found.situation);
    }
    let told = Diagnostics::of_check(source, text_of(bytes), told);
    Ok(Proven { loaded, report, told, situations, silenced })
}

/// Takes out what the document silences, and adds what silences nothing.
fn silence(draft: &MatrixDraft, report: &mut Report) -> usize {
    let mut used = vec![false; draft.silences.len()];
    let before = report.found.len();
    report.found.retain(|found| {
        let path = found.path.to_string();
        let mut silenced = false;
        for (silence, used) in draft.silences.iter().zip(&mut used) {
            if silence.code == found.code.as_str() && silence.at == path {
                *used = true;
                silenced = true;
            }
        }
        !silenced
    });
    let silenced = before.saturating_sub(report.found.len());
    for (index, silence) in draft.silences.iter().enumerate() {
        if used.get(index) == Some(&false) {
            report.found.push(check::Found {
                code: Code::StaleSilence,
                path: Path::root().key("silence").index(index),
                what: format!("there is no `{}` at `{}` to silence", silence.code, silence.at),
                help: Some("take it out, or write the place as `failsoft check` tells it".into()),
                situation: None,
            });
        }
    }
    silenced
}

/// Parameters that change nothing, whatever other value they have. Together they may take as much work as the matrix.
fn parameters(
    loaded: &Loaded,
    (source, bytes, format, options): (&str, &[u8], Format, &Options),
    report: &mut Report,
) {
    let written = written(bytes, format);
    let work = Work::default();
    for parameter in &loaded.draft.parameters {
        let reference = format!("${}", parameter.name);
        let placed = written.as_ref().is_some_and(|root| holds(root, &reference));
        let values = match parameter.value {
            Value::Bool(value) => vec![Value::Bool(!value)],
            _ if placed => continue, // What it is put in is a setting like any.
            _ => compared(&loaded.draft, &parameter.name, &parameter.value),
        };
        let changes = |value: &Value| {
            work.take(bytes.len().saturating_mul(2))?;
            let mut options = options.clone();
            options.parameters.insert(parameter.name.clone(), text(value));
            // Where another value makes a mistake, it changes something.
            load(source, bytes, format, &options)
                .map_or(Ok(true), |other| check::differ(&loaded.matrix, &other.matrix, &work))
        };
        let path = Path::root().key("parameter").key(&parameter.name);
        let found: Result<bool, TooMany> =
            values.iter().map(changes).find(|changes| *changes != Ok(false)).unwrap_or(Ok(false));
        match found {
            Ok(true) => {}
            Err(TooMany) => report.found.push(check::too_large(path, "whether it changes anything")),
            Ok(false) => report.found.push(check::Found {
                code: Code::DeadParameter,
                path,
                what: format!("every situation is decided alike, whatever `{}` is", parameter.name),
                help: Some("name it in a `when.parameter`, put it in a setting, or take it out".into()),
                situation: None,
            }),
        }
    }
}

fn text(value: &Value) -> String {
    match value {
        Value::Bool(value) => value.to_string(),
        Value::Integer(number) => number.to_string(),
        Value::Text(text) => text.clone(),
    }
}

/// The other values that a parameter is compared with.
fn compared(draft: &MatrixDraft, name: &str, bound: &Value) -> Vec<Value> {
    let rungs = draft.dependencies.iter().flat_map(|known| known.on_failure.iter().chain(&known.on_refusal));
    let pairs = rungs.flat_map(|rung| &rung.when.parameter);
    let mut values: Vec<Value> = Vec::new();
    for (_, value) in pairs.filter(|(known, value)| known == name && value != bound) {
        if !values.contains(value) {
            values.push(value.clone());
        }
    }
    values
}

/// The document as it is written, `$NAME` where it stands.
fn written(bytes: &[u8], format: Format) -> Option<Node> {
    let mut collector = super::collect::Collector::default();
    let text = super::scan::text(bytes, format, &mut collector)?;
    match format {
        Format::Toml => super::from_toml::parse(text, &mut collector),
        Format::Json => super::from_json::parse(text, &mut collector),
    }
}

/// Whether a text stands somewhere as a value.
fn holds(node: &Node, text: &str) -> bool {
    match &node.value {
        node::Value::Text(held) => held == text,
        node::Value::List(items) => items.iter().any(|item| holds(item, text)),
        node::Value::Table(entries) => entries.iter().any(|(_, entry)| holds(entry, text)),
        _ => false,
    }
}
