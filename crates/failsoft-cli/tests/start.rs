//! `init`, `presets`, `schema`, what is not built, and the command line itself.

mod common;

use common::{Folder, failsoft};
use serde_json::json;

#[test]
fn presets() {
    let text = failsoft(&["presets"]).done();
    let names: Vec<&str> = text.lines().filter_map(|line| line.split_whitespace().next()).collect();
    assert_eq!(names, ["ai-gateway", "sdk-direct", "sdk-proxy", "budget-gate", "agent-runtime"]);
    let value = failsoft(&["presets", "--json"]).json();
    assert_eq!(value[0]["name"], "ai-gateway");
    assert_eq!(value[0]["about"], "an AI gateway service inside a regulated product.");
}

#[test]
fn init_prints_or_writes_a_preset() {
    let text = failsoft(&["init", "--preset", "budget-gate"]).done();
    assert_eq!(Some(text.as_str()), failsoft::presets::preset("budget-gate"));
    let folder = Folder::new("init");
    let path = folder.at("gate.toml");
    let run = failsoft(&["init", "--preset", "budget-gate", "--output", &path]);
    assert_eq!((run.status, run.out.as_str()), (0, ""));
    assert_eq!(run.err, format!("wrote {path}; next: failsoft check {path}\n"));
    assert_eq!(std::fs::read_to_string(&path).expect("a file"), text);
    failsoft(&["check", &path]).done();
}

#[test]
fn init_never_writes_over_a_file() {
    let folder = Folder::new("init-over");
    let path = folder.file("mine.toml", "mine");
    let told = failsoft(&["init", "--preset", "ai-gateway", "--output", &path]).refused();
    assert!(told.starts_with(&format!("{path}: it is there already, and is left as it is\n")), "{told}");
    assert_eq!(std::fs::read_to_string(&path).expect("a file"), "mine");
    let nowhere = folder.at("no/such/folder.toml");
    let told = failsoft(&["init", "--preset", "ai-gateway", "--output", &nowhere]).refused();
    assert_eq!(told, format!("{nowhere}: the folder to write it in is not there\n"));
    let told = failsoft(&["init", "--preset", "ai-gatewa"]).refused();
    assert!(told.contains("a similar value exists: 'ai-gateway'"), "{told}");
}

#[test]
fn schema_is_json() {
    let schema = failsoft(&["schema"]).json();
    assert_eq!(schema["properties"]["spec"], failsoft::document::json_schema()["properties"]["spec"]);
    assert!(schema["$schema"].is_string());
}

#[test]
fn the_command_line() {
    assert!(failsoft(&["--version"]).done().starts_with("failsoft "));
    for command in ["decide", "replay", "check", "table", "init"] {
        let help = failsoft(&[command, "--help"]).done();
        assert!(help.contains("Examples:\n  failsoft "), "{command}");
        assert!(!help.contains('\u{1b}'));
    }
    assert!(failsoft(&[]).refused().contains("Usage: failsoft"));
    assert!(failsoft(&["decid"]).refused().contains("'decide'"));
    assert!(failsoft(&["presets", "--color", "sometimes"]).refused().contains("always"));
    assert_eq!(json!(failsoft(&["check"]).status), 2);
}
