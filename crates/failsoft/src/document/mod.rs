//! The document: from TOML or JSON text to a matrix, with every mistake in one pass.
//!
//! [`load`] takes bytes that nobody vouches for. What is too large, too deep or not UTF-8 is refused before a parser
//! sees it; then the text becomes a tree that knows its places, the tree is held against one table of keys, what
//! it says becomes a draft, and the core compiles the draft. A mistake at any step is told with its line and column,
//! beside all others, and one mistake never makes a second one.
//!
//! ```
//! use failsoft::document::{Format, Options, load};
//!
//! let text = r#"
//!     spec = 1
//!     name = "demo"
//!     [dependency.moderation]
//!     role = "guard"
//!     deadline = "800ms"
//!     on_failure = [{ deny = { status = 422, code = "MODERATION_UNAVAILABLE" } }]
//!     [operation.assist]
//!     needs = ["moderation"]
//! "#;
//! let loaded = load("demo.toml", text.as_bytes(), Format::Toml, &Options::default())?;
//! assert!(loaded.identity.starts_with("demo@1:sha256-"));
//! assert!(loaded.canonical.starts_with(r#"{"classes":["default"],"dependency":{"moderation":{"deadline_ms":800,"#));
//! # Ok::<(), failsoft::document::Diagnostics>(())
//! ```

// Strangers write documents: nothing here may panic, whatever they hold.
#![cfg_attr(
    not(test),
    deny(
        clippy::arithmetic_side_effects,
        clippy::as_conversions,
        clippy::expect_used,
        clippy::float_arithmetic,
        clippy::indexing_slicing,
        clippy::panic,
        clippy::string_slice,
        clippy::unreachable,
        clippy::unwrap_used
    )
)]

mod bind;
mod canonical;
mod check;
mod checked;
pub mod codes;
mod collect;
mod diagnostic;
mod fill;
mod fill_health;
mod fill_rung;
mod from_json;
mod from_toml;
mod health_table;
mod join;
mod keys;
mod node;
mod prove;
mod rungs;
mod scalar;
mod scan;
mod schema;
mod tables;

use std::collections::BTreeMap;
use std::path::Path;

use failsoft_core::Matrix;
use failsoft_core::draft::MatrixDraft;

use self::collect::{At, Collector};
pub use self::diagnostic::{Diagnostic, Diagnostics, Severity};
pub use self::prove::{Proven, prove};
pub use self::schema::json_schema;

/// How a document is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Format {
    /// TOML 1.0.
    Toml,
    /// JSON, strictly: no comments, no trailing commas.
    Json,
}

impl Format {
    /// The format that a file's name tells: `.toml` or `.json`.
    ///
    /// ```
    /// use failsoft::document::Format;
    /// assert_eq!(Format::of_file("matrices/gateway.toml"), Some(Format::Toml));
    /// assert_eq!(Format::of_file("gateway.JSON"), Some(Format::Json));
    /// assert_eq!(Format::of_file("gateway"), None);
    /// ```
    #[must_use]
    pub fn of_file(path: impl AsRef<Path>) -> Option<Self> {
        let extension = path.as_ref().extension()?.to_str()?.to_ascii_lowercase();
        match extension.as_str() {
            "toml" => Some(Self::Toml),
            "json" => Some(Self::Json),
            _ => None,
        }
    }
}

/// What the host says about a document beside its text.
///
/// ```
/// use failsoft::document::{Format, Options, load};
///
/// let text = "spec = 1\nname = \"demo\"\nsignal_ttl = \"$ttl\"\n[parameter.ttl]\ndefault = \"60s\"\n";
/// let mut options = Options::default();
/// options.parameters.insert("ttl".into(), "2m".into());
/// let loaded = load("demo.toml", text.as_bytes(), Format::Toml, &options)?;
/// assert_eq!(loaded.draft.signal_ttl.get(), 120_000);
/// # Ok::<(), failsoft::document::Diagnostics>(())
/// ```
#[derive(Clone, Debug, Default)]
pub struct Options {
    /// Values for parameters, as text that is read as the type of the parameter's default.
    pub parameters: BTreeMap<String, String>,
}

/// A document without mistakes.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Loaded {
    /// What decisions are made from.
    pub matrix: Matrix,
    /// The same as plain data, parameters bound.
    pub draft: MatrixDraft,
    /// The canonical form: one line of JSON, the same for all ways of writing the same matrix.
    pub canonical: String,
    /// `name@revision:sha256-` and the SHA-256 of the canonical form.
    pub identity: String,
}

/// Reads a document.
///
/// `source` is what messages call it, such as the path of its file.
///
/// # Errors
/// Every mistake there is, up to a hundred.
pub fn load(source: &str, bytes: &[u8], format: Format, options: &Options) -> Result<Loaded, Diagnostics> {
    load_with_places(source, bytes, format, options).map(|(loaded, _)| loaded)
}

fn load_with_places(
    source: &str,
    bytes: &[u8],
    format: Format,
    options: &Options,
) -> Result<(Loaded, node::Node), Diagnostics> {
    let mut collector = Collector::default();
    match read(bytes, format, options, &mut collector) {
        Some(loaded) => Ok(loaded),
        None => Err(Diagnostics::new(source, text_of(bytes), collector)),
    }
}

/// The text that messages show.
fn text_of(bytes: &[u8]) -> String {
    let kept = bytes.get(..bytes.len().min(scan::DOCUMENT_MOST)).unwrap_or_default();
    String::from_utf8_lossy(kept).into_owned()
}

fn read(
    bytes: &[u8],
    format: Format,
    options: &Options,
    collector: &mut Collector,
) -> Option<(Loaded, node::Node)> {
    let text = scan::text(bytes, format, collector)?;
    let mut root = match format {
        Format::Toml => from_toml::parse(text, collector)?,
        Format::Json => from_json::parse(text, collector)?,
    };
    let bound = bind::bind(&root, &options.parameters, collector);
    bind::replace(&mut root, &bound, collector);
    let checked = check::Checker { collector }.table(&root, &tables::MATRIX, &At::ROOT);
    let fields = checked.table()?;
    let draft = fill::matrix(fields, &bound);
    if !collector.is_empty() {
        if !collector.is_final() {
            let mistakes = draft.compile("").err().unwrap_or_default();
            join::join(mistakes, &root, collector);
        }
        return None;
    }
    let canonical = canonical::text(fields, &bound);
    let identity = canonical::identity(fields, &canonical);
    match draft.compile(&identity) {
        Ok(matrix) => Some((Loaded { matrix, draft, canonical, identity }, root)),
        Err(mistakes) => {
            join::join(mistakes, &root, collector);
            None
        }
    }
}
