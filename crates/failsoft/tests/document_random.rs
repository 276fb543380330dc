//! No text whatever makes the reader panic, and a mutated matrix is either read or refused with a place.

use std::collections::BTreeMap;

use failsoft::document::{Format, Options, codes, load};
use proptest::prelude::*;

fn holds(bytes: &[u8], format: Format, options: &Options) {
    match load("random", bytes, format, options) {
        Ok(loaded) => {
            // What was read says the same when it is read again.
            let again = load("random", bytes, format, options).expect("no mistakes");
            assert_eq!(loaded.identity, again.identity);
            assert!(serde_json::from_str::<serde_json::Value>(&loaded.canonical).is_ok());
        }
        Err(told) => {
            assert!(!told.items().is_empty());
            for item in told.items() {
                assert!(codes::meaning(item.code).is_some(), "{} is not listed", item.code);
                assert!(item.line >= 1 && item.column >= 1);
                assert!(told.text().get(item.span.clone()).is_some(), "{:?}", item.span);
                assert!(!item.what.is_empty() && !item.what.ends_with('.'), "{}", item.what);
                assert!(!item.what.chars().any(char::is_control), "{:?}", item.what);
            }
            assert!(!told.render(true).is_empty());
            assert!(told.to_json().is_array());
        }
    }
}

fn in_both_formats() -> Vec<(Format, String)> {
    failsoft::presets::all()
        .flat_map(|preset| {
            let value: toml::Value = toml::from_str(preset.text).expect("TOML");
            let json = serde_json::to_string(&value).expect("JSON");
            [(Format::Toml, preset.text.to_owned()), (Format::Json, json)]
        })
        .collect()
}

/// What is put into a text to break it.
const PIECES: &[&str] = &[
    "",
    " ",
    "\n",
    "\"",
    "'",
    "{",
    "}",
    "[",
    "]",
    "[[",
    "=",
    ",",
    ".",
    ":",
    "#",
    "\\",
    "\\u0000",
    "\0",
    "$",
    "\"$p\"",
    "-1",
    "1.5",
    "null",
    "true",
    "9007199254740992",
    "\"10m\"",
    "deny",
    "allow",
    "on_failure",
    "spec",
    "é",
    "\u{202e}",
    "\u{feff}",
    "dependency.",
    "\"\"\"",
    "1979-05-27",
    "role = \"guard\"\n",
    "\"role\":\"observe\",",
];

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn arbitrary_bytes(bytes in prop::collection::vec(any::<u8>(), 0..2_000), json in any::<bool>()) {
        let format = if json { Format::Json } else { Format::Toml };
        holds(&bytes, format, &Options::default());
    }

    #[test]
    fn words_of_the_language(words in prop::collection::vec(prop::sample::select(PIECES), 0..200), json in any::<bool>()) {
        let format = if json { Format::Json } else { Format::Toml };
        holds(words.concat().as_bytes(), format, &Options::default());
    }

    #[test]
    fn mutated_presets(
        which in 0usize..10,
        cuts in prop::collection::vec((any::<prop::sample::Index>(), 0usize..12, prop::sample::select(PIECES)), 1..5),
        given in prop::collection::btree_map("[a-z_]{1,3}|enforcement_fail_open", "true|false|[0-9]{1,4}", 0..2),
    ) {
        let (format, text) = in_both_formats().swap_remove(which);
        let mut bytes = text.into_bytes();
        for (place, length, piece) in cuts {
            let start = place.index(bytes.len().max(1)).min(bytes.len());
            let end = start.saturating_add(length).min(bytes.len());
            bytes.splice(start..end, piece.bytes());
        }
        holds(&bytes, format, &Options { parameters: given });
    }
}

#[test]
fn no_prefix_of_a_preset_makes_trouble() {
    let options = Options { parameters: BTreeMap::new() };
    for (format, text) in in_both_formats() {
        for end in (0..text.len()).step_by(7) {
            holds(&text.as_bytes()[..end], format, &options);
        }
    }
}
