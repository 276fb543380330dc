//! What is wrong with a line, where in it, and what to write instead.

use std::fmt;

use failsoft_core::{nearest, suggestion};

/// A mistake in one line of a trace. Nothing of that line was done.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LineMistake {
    /// Where in the line, in characters from 1.
    pub column: usize,
    /// What is wrong.
    pub what: String,
    /// What to write instead.
    pub help: Option<String>,
}

impl fmt::Display for LineMistake {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "column {}: {}", self.column, self.what)?;
        self.help.as_ref().map_or(Ok(()), |help| write!(f, " ({help})"))
    }
}

impl std::error::Error for LineMistake {}

/// The line being read, so that a mistake can say where in it it stands.
#[derive(Clone, Copy)]
pub(super) struct Source<'a>(pub(super) &'a str);

impl Source<'_> {
    /// A mistake at the place where `text` stands as a JSON string (or at the start, where it can't be found).
    pub(super) fn mistake(self, text: &str, what: String, help: Option<String>) -> LineMistake {
        let written = serde_json::to_string(text).unwrap_or_default();
        let byte = self.0.find(&written).unwrap_or(0);
        let column = self.0[..byte].chars().count() + 1;
        LineMistake { column, what, help }
    }

    /// A name that is none of the known ones.
    pub(super) fn unknown<'n>(
        self,
        what: &str,
        name: &str,
        known: impl IntoIterator<Item = &'n str> + Clone,
    ) -> LineMistake {
        self.mistake(name, format!("there is no {what} `{}`", shortened(name)), suggestion(name, known))
    }

    /// What the JSON reader has to say, with "did you mean" where it names a key that it does not know.
    pub(super) fn unreadable(self, error: &serde_json::Error) -> LineMistake {
        let text = error.to_string();
        let what = text.rsplit_once(" at line ").map_or(text.as_str(), |(what, _)| what);
        // The reader counts bytes: the column is that of the character in which the byte lies.
        let before = |(byte, character): &(usize, char)| byte + character.len_utf8() < error.column();
        let column = self.0.char_indices().take_while(before).count() + 1;
        if let Some((key, known)) = what.strip_prefix("unknown field `").and_then(|rest| rest.split_once('`'))
        {
            let known: Vec<&str> = known.split('`').skip(1).step_by(2).collect();
            let help = nearest(key, known.iter().copied())
                .map(|name| format!("did you mean `{name}`?"))
                .unwrap_or_else(|| format!("the keys here are `{}`", known.join("`, `")));
            return self.mistake(key, format!("there is no key `{}` here", shortened(key)), Some(help));
        }
        if error.is_syntax() || error.is_eof() {
            let help = Some("write one JSON object a line".into());
            return LineMistake { column, what: format!("this is not JSON: {what}"), help };
        }
        match mismatch(what) {
            Some((what, help)) => LineMistake { column, what, help: Some(help) },
            None => LineMistake { column, what: shortened(what), help: None },
        }
    }
}

/// "invalid type: string \"…\", expected …" in our words, and without the value: it may be a tenant's.
fn mismatch(what: &str) -> Option<(String, String)> {
    if let Some(key) = what.strip_prefix("missing field `").and_then(|rest| rest.strip_suffix('`')) {
        return Some((format!("the key `{key}` is missing"), format!("add `\"{key}\"`")));
    }
    let out_of_range = what.contains("invalid value: ");
    let (_, rest) = what.split_once("invalid type: ").or_else(|| what.split_once("invalid value: "))?;
    let (met, expected) = rest.rsplit_once(", expected ")?;
    let met = match met.split([' ', '`', '"']).next().unwrap_or_default() {
        "string" => "a text",
        "integer" => "a whole number",
        "floating" => "a number with a fraction",
        "boolean" => "true or false",
        "map" => "an object",
        "sequence" => "a list",
        "null" | "unit" => "null",
        _ => "something else",
    };
    let expected = match expected {
        "a string" => "a text",
        "a boolean" => "true or false",
        expected => expected,
    };
    let wrong =
        if out_of_range { "this number is out of range".into() } else { format!("{met} can't stand here") };
    Some((wrong, format!("write {expected}")))
}

/// A name that is long or odd must not fill a terminal.
pub(super) fn shortened(name: &str) -> String {
    let clean: String = name.chars().take(64).flat_map(char::escape_debug).collect();
    if name.chars().count() > 64 { format!("{clean}…") } else { clean }
}
