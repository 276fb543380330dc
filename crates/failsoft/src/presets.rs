//! Matrices to start from, each for one kind of host.
//!
//! Their home is `spec/presets`, where the specification and every language finds them. A package holds only what
//! lies in its own folder, so the copies in `presets/` beside this crate's sources are what is compiled in; a test
//! compares them with their originals wherever these are at hand.

/// A matrix to start from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Preset {
    /// The name, as in `preset:NAME`.
    pub name: &'static str,
    /// For whom it is, in one line: the first line of its text.
    pub about: &'static str,
    /// The document, in TOML.
    pub text: &'static str,
}

macro_rules! presets {
    ($($name:literal)*) => {
        &[$(($name, include_str!(concat!("../presets/", $name, ".toml")))),*]
    };
}

const ALL: &[(&str, &str)] = presets! { "ai-gateway" "sdk-direct" "sdk-proxy" "budget-gate" "agent-runtime" };

/// All presets.
///
/// ```
/// let names: Vec<&str> = failsoft::presets::all().map(|preset| preset.name).collect();
/// assert_eq!(names, ["ai-gateway", "sdk-direct", "sdk-proxy", "budget-gate", "agent-runtime"]);
/// ```
pub fn all() -> impl Iterator<Item = Preset> {
    ALL.iter().map(|(name, text)| Preset { name, about: about(name, text), text })
}

/// The text of the preset of that name.
///
/// ```
/// use failsoft::document::{Format, Options, load};
///
/// let text = failsoft::presets::preset("ai-gateway").expect("it is there");
/// assert!(load("preset:ai-gateway", text.as_bytes(), Format::Toml, &Options::default()).is_ok());
/// assert_eq!(failsoft::presets::preset("no-such-preset"), None);
/// ```
#[must_use]
pub fn preset(name: &str) -> Option<&'static str> {
    ALL.iter().find(|(known, _)| *known == name).map(|(_, text)| *text)
}

/// `# NAME: what it is` begins each of them.
fn about(name: &str, text: &'static str) -> &'static str {
    let line = text.lines().next().unwrap_or_default().trim_start_matches(['#', ' ']);
    line.strip_prefix(name).and_then(|rest| rest.strip_prefix(':')).unwrap_or(line).trim()
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    #[test]
    fn copies_are_as_their_originals() {
        let home = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../spec/presets");
        if !home.is_dir() {
            return; // a package of its own has no specification beside it
        }
        let mut names: Vec<String> = super::all().map(|preset| format!("{}.toml", preset.name)).collect();
        names.sort();
        let listing = std::fs::read_dir(&home).expect("a folder that is there");
        let mut originals: Vec<String> = listing
            .map(|entry| entry.expect("an entry").file_name().into_string().expect("a plain name"))
            .collect();
        originals.sort();
        assert_eq!(names, originals);
        for preset in super::all() {
            let original =
                std::fs::read_to_string(home.join(format!("{}.toml", preset.name))).expect("readable");
            assert!(
                preset.text == original,
                "crates/failsoft/presets/{0}.toml has drifted: cp spec/presets/{0}.toml crates/failsoft/presets/",
                preset.name
            );
        }
    }

    #[test]
    fn each_says_in_one_line_what_it_is() {
        for preset in super::all() {
            assert!(preset.about.len() > 10, "{}", preset.name);
            assert!(!preset.about.contains('#') && !preset.about.contains(preset.name), "{}", preset.about);
        }
    }
}
