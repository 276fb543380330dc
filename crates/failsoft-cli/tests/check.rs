//! `failsoft check`: every mistake, and every promise with what breaks it.

mod common;

use common::{Folder, SMALL, failsoft};
use serde_json::json;

/// Guards that answer alike whatever fails, and one promise.
const PROVEN: &str = r#"spec = 1
name = "proven"
[dependency.policy]
role = "guard"
deadline = "50ms"
on_failure = [{ deny = { status = 503, code = "NO_POLICY" } }]
[dependency.quota]
role = "guard"
deadline = "50ms"
on_failure = [{ allow = { when = { health = ["down"], fault = ["unavailable"] } } }, { deny = true }]
[operation.assist]
needs = ["policy", "quota"]
[[invariant]]
operation = "assist"
when = { policy = "failed" }
verdict = "deny"
"#;

#[test]
fn what_holds_is_proven() {
    let folder = Folder::new("check-good");
    let matrix = folder.file("proven.toml", PROVEN);
    let text = failsoft(&["check", &matrix, "--strict"]).done();
    let lines: Vec<&str> = text.lines().collect();
    let size = "every situation of 2 dependencies, 1 operation was gone through (";
    assert!(lines[0].starts_with(&format!("{matrix}: {size}")), "{text}");
    assert!(lines[1].starts_with("proven@1:sha256-"), "{text}");
    assert_eq!(lines[2..], ["invariants: 1 of 1 proven", "nothing to tell"]);
    for preset in ["ai-gateway", "sdk-direct", "sdk-proxy", "budget-gate", "agent-runtime"] {
        failsoft(&["check", &format!("preset:{preset}")]).done();
    }
    let value = failsoft(&["check", &matrix, "--json"]).json();
    assert_eq!((&value["errors"], &value["diagnostics"]), (&json!(0), &json!([])));
    assert_eq!(value["invariants"], json!({"written": 1, "proven": 1}));
    assert_eq!(value["operations"], json!({"written": 1, "proven": 1}));
}

#[test]
fn a_broken_promise_comes_with_a_trace_that_replays_to_it() {
    let folder = Folder::new("check-broken");
    let broken = PROVEN.replace("when = { policy = \"failed\" }", "when = { quota = \"failed\" }");
    let matrix = folder.file("broken.toml", broken);
    let run = failsoft(&["check", &matrix]);
    assert_eq!((run.status, run.err.as_str()), (1, ""));
    let told = "error[broken-invariant]: assist can come to `allow` with the posture `fail_open`, and this promises `deny`\n";
    assert!(run.out.starts_with(told), "{}", run.out);
    assert!(run.out.contains("  where assist, stage admit: quota is down (unavailable)\n"), "{}", run.out);
    assert!(run.out.contains("  then  allow 200 (fail_open)\n"), "{}", run.out);
    let lines = run.out.lines().filter_map(|line| line.strip_prefix("    {"));
    let trace: Vec<String> = lines.map(|line| format!("{{{line}\n")).collect();
    let trace = folder.file("trace.jsonl", trace.concat());
    let replayed = failsoft(&["replay", &matrix, &trace, "--json"]).done();
    assert!(replayed.contains(r#""verdict":"allow","posture":"fail_open""#), "{replayed}");
    let traces = folder.path().join("traces");
    let path = traces.to_str().expect("text");
    assert_eq!(failsoft(&["check", &matrix, "--traces", path]).status, 1);
    let written = traces.join("broken-invariant.invariant.0.jsonl");
    let written = std::fs::read_to_string(written).expect("a trace");
    assert_eq!(written, std::fs::read_to_string(&trace).expect("a trace"));
    let run = failsoft(&["check", &matrix, "--json"]);
    let value: serde_json::Value = serde_json::from_str(&run.out).expect("JSON");
    let told = &value["diagnostics"][0];
    assert_eq!((&told["code"], &told["path"]), (&json!("broken-invariant"), &json!("invariant[0]")));
    let facts = json!([{"fact": "down", "dependency": "quota", "class": "unavailable"}]);
    assert_eq!(told["situation"]["facts"], facts);
    assert_eq!(told["situation"]["decision"]["verdict"], "allow");
}

#[test]
fn a_warning_is_silenced_with_a_reason_or_fails_where_that_is_asked_for() {
    let folder = Folder::new("check-silence");
    let open = PROVEN.replace("health = [\"down\"], ", "");
    let matrix = folder.file("open.toml", &open);
    assert!(failsoft(&["check", &matrix]).done().contains("warning[unbounded-open]"));
    assert_eq!(failsoft(&["check", &matrix, "--strict"]).status, 1);
    let silence = |reason: &str| {
        format!(
            "{open}[[silence]]\ncode = \"unbounded-open\"\nat = \"dependency.quota.on_failure[0]\"\nreason = \"{reason}\"\n"
        )
    };
    let silenced = folder.file("silenced.toml", silence("a free tier; see the decision record"));
    let text = failsoft(&["check", &silenced, "--strict"]).done();
    assert!(text.ends_with("1 silenced\n"), "{text}");
    let told = failsoft(&["check", &folder.file("mute.toml", silence(" "))]);
    assert!(told.out.starts_with("error[empty-reason]: "), "{}", told.out);
    let identity = |matrix: &str| failsoft(&["check", matrix, "--json"]).json()["matrix"].clone();
    assert_eq!(identity(&matrix), identity(&silenced));
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
