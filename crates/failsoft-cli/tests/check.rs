//! `failsoft check`: every mistake, and no more said than is known.

mod common;

use common::{Folder, SMALL, failsoft};
use serde_json::json;

#[test]
fn no_mistakes() {
    let folder = Folder::new("check-good");
    let matrix = folder.file("small.toml", SMALL);
    let text = failsoft(&["check", &matrix]).done();
    let lines: Vec<&str> = text.lines().collect();
    assert_eq!(lines[0], format!("{matrix}: no mistakes (2 dependencies, 1 operation, 0 invariants)"));
    assert!(lines[1].starts_with("small@1:sha256-"));
    assert!(lines[2].starts_with("not proven: "));
    for preset in ["ai-gateway", "sdk-direct", "sdk-proxy", "budget-gate", "agent-runtime"] {
        failsoft(&["check", &format!("preset:{preset}")]).done();
    }
    let value = failsoft(&["check", "preset:ai-gateway", "--json"]).json();
    assert_eq!((&value["errors"], &value["diagnostics"]), (&json!(0), &json!([])));
    assert_eq!(value["invariants"], json!({"written": 3, "proven": 0}));
}

#[test]
fn every_mistake_with_its_place() {
    let folder = Folder::new("check-bad");
    let text = SMALL.replacen("\"guard\"", "\"gaurd\"", 1).replace("[\"policy\", ", "[\"polcy\", ");
    let matrix = folder.file("bad.toml", text);
    let run = failsoft(&["check", &matrix]);
    assert_eq!((run.status, run.err.as_str()), (1, ""));
    let expected = format!(
        "\
error[unknown-value]: `role` can't be `gaurd`
 --> {matrix}:6:8
  |
6 | role = \"gaurd\"
  |        ^^^^^^^
  |
  = help: did you mean `guard`?

error[unknown-dependency]: there is no dependency `polcy`
  --> {matrix}:16:10
   |
16 | needs = [\"polcy\", \"quota\"]
   |          ^^^^^^^
   |
   = help: did you mean `policy`?

{matrix}: 2 mistakes
"
    );
    assert_eq!(run.out, expected);
    let run = failsoft(&["check", &matrix, "--json"]);
    assert_eq!((run.status, run.err.as_str()), (1, ""));
    let value: serde_json::Value = serde_json::from_str(&run.out).expect("JSON");
    assert_eq!((&value["matrix"], &value["errors"]), (&json!(null), &json!(2)));
    let first = &value["diagnostics"][0];
    assert_eq!(
        (&first["line"], &first["column"], &first["code"]),
        (&json!(6), &json!(8), &json!("unknown-value"))
    );
    let coloured = failsoft(&["check", &matrix, "--color", "always"]);
    assert!(coloured.out.contains('\u{1b}'));
}

#[test]
fn what_is_odd_but_text_is_checked() {
    let folder = Folder::new("check-odd");
    let wrong = |name: &str, bytes: &[u8], expected: &str| {
        let run = failsoft(&["check", &folder.file(name, bytes)]);
        assert_eq!((run.status, run.err.as_str()), (1, ""), "{}", run.out);
        assert!(run.out.contains(expected), "{}", run.out);
    };
    wrong("empty.toml", b"", "a matrix needs `spec`");
    wrong("empty.json", b"", "this is not JSON: it ends too early");
    wrong(
        "mark.toml",
        "\u{feff}spec = 1\nname = \"x\"\n".as_bytes(),
        "save it as UTF-8 without a byte order mark",
    );
    let windows = folder.file("windows.toml", SMALL.replace('\n', "\r\n"));
    failsoft(&["check", &windows]).done();
    let crlf = SMALL.replacen("\"guard\"", "\"gaurd\"", 1).replace('\n', "\r\n");
    wrong("windows-wrong.toml", crlf.as_bytes(), "windows-wrong.toml:6:8");
}

#[test]
fn what_can_not_be_read() {
    let folder = Folder::new("check-unreadable");
    let told = |matrix: &str| failsoft(&["check", matrix]).refused();
    let missing = folder.at("missing.toml");
    assert!(told(&missing).starts_with(&format!("{missing}: there is no such file\n  help: give the path")));
    let here = folder.path().to_str().expect("UTF-8");
    assert_eq!(told(here), format!("{here}: it is a directory\n  help: give the document inside it\n"));
    let unnamed = folder.file("matrix.yaml", "");
    let expected = format!(
        "{unnamed}: whether this is TOML or JSON is told by the name, which ends in neither `.toml` nor `.json`\n"
    );
    assert!(told(&unnamed).starts_with(&expected));
    let binary = folder.file("binary.toml", b"spec = 1\nname = \"\xff\"\n");
    let text = told(&binary);
    assert!(text.contains("the byte 0xff is not UTF-8") && text.contains("binary.toml:2:9"), "{text}");
    let huge = folder.file("huge.toml", vec![b'\n'; (1 << 20) + 1]);
    assert_eq!(
        told(&huge),
        format!("{huge}: it is longer than 1048576 bytes (1 MiB), the most that a document may have\n")
    );
    // A parameter on the command line is no mistake of the document.
    let text = failsoft(&["check", "preset:ai-gateway", "--parameter", "x=1"]).refused();
    assert!(text.contains("the document is sound"), "{text}");
}

#[cfg(unix)]
#[test]
fn what_may_not_be_read() {
    use std::os::unix::fs::PermissionsExt;
    let folder = Folder::new("check-permission");
    let matrix = folder.file("secret.toml", SMALL);
    std::fs::set_permissions(&matrix, std::fs::Permissions::from_mode(0o000)).expect("its own file");
    if std::fs::read(&matrix).is_ok() {
        return; // A superuser reads everything.
    }
    assert_eq!(failsoft(&["check", &matrix]).refused(), format!("{matrix}: permission denied\n"));
}
