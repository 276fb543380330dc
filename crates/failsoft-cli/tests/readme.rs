//! What the README shows is what comes out.

mod common;

use std::fs;
use std::path::Path;
use std::process::Command;

fn readme() -> String {
    fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("../../README.md")).expect("a README")
}

/// The fenced block of `language` that holds `word`.
fn block(language: &str, word: &str) -> String {
    let text = readme();
    let blocks = text.split("```").skip(1).step_by(2);
    let found = blocks.filter_map(|block| block.strip_prefix(language)).find(|block| block.contains(word));
    found.unwrap_or_else(|| panic!("no block with `{word}`")).trim_start_matches('\n').to_string()
}

fn printed(arguments: &[&str], folder: &Path) -> String {
    let output = Command::new(env!("CARGO_BIN_EXE_failsoft")).args(arguments).current_dir(folder).output();
    let output = output.expect("it runs");
    let text = String::from_utf8(output.stdout).expect("text");
    text.lines().map(str::trim_end).collect::<Vec<_>>().join("\n")
}

#[test]
fn the_matrix_of_the_readme_has_no_mistakes() {
    let folder = common::Folder::new("readme-matrix");
    let matrix = folder.file("gateway.toml", block("toml", "[operation.assist]"));
    common::failsoft(&["check", &matrix]).done();
}

#[test]
fn the_outage_of_the_readme_comes_out() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    let trace = fs::read_to_string(root.join("spec/traces/budget-lost.jsonl")).expect("a trace");
    assert_eq!(block("json", "resets_in_ms"), trace);
    let out = printed(&["replay", "preset:budget-gate", "spec/traces/budget-lost.jsonl"], &root);
    let (story, _) = out.split_once("\n\n").expect("a summary");
    assert_eq!(story, block("text", "window   budget-store opened").trim_start_matches('\n').trim_end());
}

#[test]
fn the_decision_of_the_readme_comes_out() {
    let arguments = ["decide", "preset:ai-gateway", "--operation", "assist", "--fault", "quota=timeout"];
    assert_eq!(printed(&arguments, Path::new(".")), block("text", "because  quota").trim_end());
}

#[test]
fn the_mistakes_of_the_readme_come_out() {
    let folder = common::Folder::new("readme-mistakes");
    let matrix = "spec = 1\nname = \"my-gateway\"\n\n[dependency.quota]\nrole = \"guard\"\ndeadline = \"50 ms\"\n\
                  on_falure = [{ allow = {} }]\n\n[operation.assist]\nneeds = [\"quotta\"]\n";
    folder.file("gateway.toml", matrix);
    let printed = printed(&["check", "gateway.toml"], folder.path());
    assert_eq!(printed, block("text", "bad-duration").trim_end());
}

#[test]
fn every_moment_of_the_readmes_outage_is_in_the_demo() {
    let trace = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../spec/traces/ai-gateway-outage.jsonl");
    let trace = trace.to_str().expect("a path that is text");
    let printed = printed(&["replay", "preset:ai-gateway", trace], Path::new("."));
    let shown = block("text", "quota healthy -> down");
    let moments: Vec<&str> = shown.lines().filter(|line| line.starts_with("   0:")).collect();
    assert!(moments.len() > 6);
    for moment in moments {
        assert!(printed.lines().any(|line| line.starts_with(moment)), "not in the demo: {moment}");
    }
}
