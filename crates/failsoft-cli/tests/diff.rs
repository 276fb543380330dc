//! `failsoft diff`: what changes, from what to what, and nothing where nothing does.

mod common;

use common::{Folder, SMALL, failsoft};
use serde_json::json;

#[test]
fn nothing_changes_only_where_nothing_does() {
    let folder = Folder::new("diff-same");
    let old = folder.file("old.toml", SMALL);
    let new =
        folder.file("new.toml", SMALL.replace("5s", "9s").replace("spec = 1", "spec = 1\nrevision = 2"));
    let text = failsoft(&["diff", &old, &new]).done();
    assert!(text.starts_with("nothing changes: every situation of 1 operation is decided alike\n"), "{text}");
    let value = failsoft(&["diff", &old, &new, "--json"]).json();
    assert_eq!((&value["nothing_changes"], &value["changes"]), (&json!(true), &json!([])));
    failsoft(&["diff", "preset:ai-gateway", "preset:ai-gateway"]).done();
}

#[test]
fn changes_are_told_in_groups_with_the_smallest_situation() {
    let folder = Folder::new("diff-changes");
    let old = folder.file("old.toml", SMALL);
    let open =
        "[{ allow = { when = { fault = [\"auth\"] } } }, { deny = { status = 403, code = \"NO_POLICY\" } }]";
    let open = SMALL.replace("[{ deny = { status = 403, code = \"NO_POLICY\" } }]", open);
    let new = folder.file("new.toml", open.replace("\"quota.skipped\"", "\"quota.open\""));
    let run = failsoft(&["diff", &old, &new]);
    assert_eq!((run.status, run.err.as_str()), (1, ""));
    let expected = "\
assist
  looser (policy) at admit, dispatch, output, persist
    where policy fails (auth)
    then  deny 403 NO_POLICY (fail_closed) -> allow 200 (fail_open)
          + {\"kind\":\"mark_unchecked\",\"dependency\":\"policy\"}
";
    assert!(run.out.starts_with("assist\n  looser (policy) every stage\n"), "{}", run.out);
    assert_eq!(
        run.out.lines().skip(2).take(3).collect::<Vec<_>>(),
        expected.lines().skip(2).collect::<Vec<_>>()
    );
    assert!(
        run.out.contains("  other (quota) every stage\n    where quota fails (timeout)\n"),
        "{}",
        run.out
    );
    assert!(run.out.contains("2 changes: 1 looser, 1 other\n"), "{}", run.out);
    let table = failsoft(&["diff", &old, &new, "--format", "markdown"]).out;
    let row = "| **looser** | policy fails (auth) (every stage) | deny 403 NO\\_POLICY (fail\\_closed) | allow 200 (fail\\_open)";
    assert!(table.contains(row), "{table}");
    // The other way it is stricter, which need not fail.
    assert_eq!(failsoft(&["diff", &new, &old, "--fail-on", "looser"]).status, 0);
    assert_eq!(failsoft(&["diff", &old, &new, "--fail-on", "looser"]).status, 1);
}

#[test]
fn operations_and_classes_that_come_and_go_are_told() {
    let folder = Folder::new("diff-names");
    let old = folder.file("old.toml", SMALL);
    let new =
        SMALL.replace("[operation.assist]", "[operation.extra]\nneeds = [\"quota\"]\n[operation.assist]");
    let new = folder.file("new.toml", new.replace("spec = 1", "spec = 1\nclasses = [\"default\", \"paid\"]"));
    let run = failsoft(&["diff", &old, &new]);
    assert_eq!(run.status, 1);
    let expected =
        "added: operation extra\nadded: class paid\nno decision changes in the 1 operation that both have\n";
    assert!(run.out.starts_with(expected), "{}", run.out);
}

#[test]
fn a_document_with_mistakes_is_not_compared() {
    let folder = Folder::new("diff-bad");
    let old = folder.file("old.toml", SMALL);
    let bad = folder.file("bad.toml", "spec = 1\n");
    assert!(failsoft(&["diff", &old, &bad]).refused().contains("missing-key"));
    assert!(failsoft(&["diff", &old, "none.toml"]).refused().contains("none.toml"));
    let told = failsoft(&["diff", &old, &old, "--parameter", "none=1"]).refused();
    assert!(told.contains("neither matrix has the parameter `none`"), "{told}");
}
