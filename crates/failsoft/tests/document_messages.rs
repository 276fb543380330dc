//! Syntax, parameters, and how mistakes are told to people and to tools.

use std::collections::BTreeSet;

use failsoft::document::{Diagnostics, Format, Options, codes, load};

/// A document without mistakes, of six lines, to which others are added.
const SOUND: &str = r#"spec = 1
name = "test"
[dependency.g]
role = "guard"
deadline = "250ms"
[operation.o]
"#;

fn mistakes(text: &str, format: Format, options: &Options) -> Diagnostics {
    load("test", text.as_bytes(), format, options).expect_err("a document with mistakes")
}

fn places(told: &Diagnostics) -> Vec<(&'static str, usize, usize)> {
    told.items().iter().map(|item| (item.code, item.line, item.column)).collect()
}

/// Asserts that `text` in TOML has exactly these mistakes.
#[track_caller]
fn told(text: &str, expected: &[(&str, usize, usize)]) -> Diagnostics {
    let told = mistakes(text, Format::Toml, &Options::default());
    assert_eq!(places(&told), expected, "\n{told}");
    told
}

/// The same, after [`SOUND`] and its operation's needs: the first line of `text` is line 8.
#[track_caller]
fn told_after(text: &str, expected: &[(&str, usize, usize)]) -> Diagnostics {
    told(
        &format!(
            "{SOUND}needs = [\"g\"]
{text}"
        ),
        expected,
    )
}

/// Asserts that `text` in JSON has exactly these mistakes.
#[track_caller]
fn told_json(text: &str, expected: &[(&str, usize, usize)]) -> Diagnostics {
    let told = mistakes(text, Format::Json, &Options::default());
    assert_eq!(places(&told), expected, "\n{told}");
    told
}

#[test]
fn syntax() {
    let a = told("spec = 1\nname = demo\n", &[("syntax", 2, 8)]);
    assert_eq!(a.items()[0].what, "this is not TOML: string values must be quoted");
    assert_eq!(a.items()[0].help.as_deref(), Some("write `\"demo\"`"));
    // Several of them, and of each line the first.
    told(
        "spec = \nname = demo\n[dependency.a\nrole = \"observe\"\n",
        &[("syntax", 1, 8), ("syntax", 2, 8), ("syntax", 3, 14)],
    );
    told("spec = 1\nname = \"a\"\nname = \"b\"\n", &[("duplicate-key", 3, 1)]);
    told(
        "spec = 1\nname = \"a\"\n[dependency.d]\nrole = \"observe\"\n[dependency.d]\n",
        &[("duplicate-key", 5, 13)],
    );
    told_json("{\"spec\": 1,\n \"name\": \"x\",\n}", &[("syntax", 3, 1)]);
    told_json("{\"spec\": 1,\n \"name\": \"ä\" \"b\"}", &[("syntax", 2, 14)]);
    told_json("{\"spec\": 1, // one\n}", &[("syntax", 1, 13)]);
    told_json("{\"spec\": 1", &[("syntax", 1, 11)]);
    told_json("{\"spec\": \"a\\qb\"}", &[("syntax", 1, 13)]);
    told_json("{\"spec\": \"a\nb\"}", &[("syntax", 1, 12)]);
    told_json("{\"spec\": \"abc", &[("syntax", 1, 14)]);
    told_json("{\"spec\": 1} x", &[("syntax", 1, 13)]);
    told_json("", &[("syntax", 1, 1)]);
    told_json("{\"spec\": tru}", &[("syntax", 1, 13)]);
    told_json("{\"spec\": 01}", &[("syntax", 1, 11)]);
    told_json("{\n\"spec\": 1, \"name\": \"\\ud800\"}", &[("syntax", 2, 27)]);
    told_json("{\"spec\": 1, \"name\": \"x\", \"name\": \"y\"}", &[("duplicate-key", 1, 26)]);
    told_json("{\"spec\": 1, \"name\": \"x\", \"n\\u0061me\": \"y\"}", &[("duplicate-key", 1, 26)]);
}

#[test]
fn parameters() {
    let a = told(
        "spec = 1\nname = \"$nam\"\n[parameter.name]\ndefault = \"x\"\n",
        &[("unknown-parameter", 2, 8)],
    );
    assert_eq!(a.items()[0].help.as_deref(), Some("did you mean `name`?"));
    let a = told(
        "spec = 1\nname = \"x\"\nsignal_ttl = \"$t\"\n[parameter.t]\ndefault = 5\n",
        &[("wrong-type", 3, 14)],
    );
    let what = "`signal_ttl` takes a duration, and this is a whole number (the value of the parameter `t`)";
    assert_eq!(a.items()[0].what, what);
    // A default that can't be read is told where it stands, not where it is used.
    told(
        "spec = 1\nname = \"x\"\nsignal_ttl = \"$t\"\n[parameter.t]\ndefault = []\n",
        &[("wrong-type", 5, 1)],
    );
    let a = told_after(
        "[dependency.h]\nrole = \"serve\"\ndeadline = \"1s\"\non_failure = [{ fallback = \"$p\" }]\n[parameter.p]\ndefault = \"gg\"\n",
        &[("unknown-dependency", 11, 28)],
    );
    assert_eq!(a.items()[0].what, "there is no dependency `gg` (the value of the parameter `p`)");

    let text = "spec = 1\nname = \"x\"\n[parameter.yes]\ndefault = true\n[parameter.n]\ndefault = 3\n";
    let given = |name: &str, value: &str| {
        let mut options = Options::default();
        options.parameters.insert(name.into(), value.into());
        places(&mistakes(text, Format::Toml, &options))
    };
    assert_eq!(given("yes", "maybe"), [("bad-parameter-value", 4, 11)]);
    assert_eq!(given("n", "-1"), [("bad-parameter-value", 6, 11)]);
    assert_eq!(given("n", "9007199254740992"), [("bad-parameter-value", 6, 11)]);
    assert_eq!(given("m", "1"), [("unknown-parameter", 3, 2)]);
}

#[test]
fn columns_count_characters() {
    told(
        "spec = 1\nname = \"x\"\n[dependency.d]\nrole = \"observe\"\non_failure = [{ allow = { emit = \"ä\", code = \"é\" } }]\n",
        &[("bad-name", 5, 34), ("bad-name", 5, 46)],
    );
}

#[test]
fn a_mistake_for_people() {
    let text = format!("{SOUND}needs = [\"q\"]\n\u{9}# \u{1b}[31m");
    let told = mistakes(&text.replace("\u{9}# \u{1b}[31m", ""), Format::Toml, &Options::default());
    let expected = "\
error[unknown-dependency]: there is no dependency `q`
 --> test:7:10
  |
7 | needs = [\"q\"]
  |          ^^^
  |
  = help: did you mean `g`?";
    assert_eq!(told.to_string(), expected);
    assert!(told.render(true).contains("\u{1b}["));
    assert_eq!(told.source(), "test");
}

#[test]
fn a_mistake_for_tools() {
    let told = mistakes(&format!("{SOUND}needs = [\"q\"]\n"), Format::Toml, &Options::default());
    let expected = serde_json::json!([{
        "source": "test", "severity": "error", "code": "unknown-dependency", "path": "operation.o.needs[0]",
        "line": 7, "column": 10, "start": 95, "end": 98,
        "what": "there is no dependency `q`", "help": "did you mean `g`?",
    }]);
    assert_eq!(told.to_json(), expected);
}

#[test]
fn codes_are_listed_once_and_kebab_case() {
    let names: Vec<&str> = codes::all().map(|code| code.name).collect();
    assert_eq!(names.iter().collect::<BTreeSet<_>>().len(), names.len());
    for code in codes::all() {
        assert!(
            code.name.bytes().all(|byte| byte.is_ascii_lowercase() || byte == b'-' || byte.is_ascii_digit())
        );
        assert!(code.meaning.ends_with('.'), "{}", code.name);
    }
}

#[test]
fn every_code_is_met_in_a_test() {
    let tests = [
        include_str!("document_mistakes.rs"),
        include_str!("document_messages.rs"),
        include_str!("document_hostile.rs"),
    ]
    .concat();
    for code in codes::all() {
        assert!(
            tests.contains(&format!("(\"{}\"", code.name)) || tests.contains(&format!("\"{}\", ", code.name)),
            "{}",
            code.name
        );
    }
}
