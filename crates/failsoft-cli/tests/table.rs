//! `failsoft table`, in each of its forms.

mod common;

use common::{Folder, failsoft};
use serde_json::json;

/// Attributes may hold anything; all else in a document is tame.
const ODD: &str = r#"spec = 1
name = "odd"
classes = ["standard", "regulated"]
[dependency.policy]
role = "guard"
deadline = "250ms"
on_refusal = { deny = { status = 403, code = "<NO>&\"'" } }
on_failure = [
  { last_known = { max_age = "24h", when = { class = ["standard"], fault = ["timeout", "unreachable"] } } },
  { allow = { emit = "policy,skipped|x", alert = "page" } },
]
[dependency.audit]
role = "observe"
[dependency.spare]
role = "guard"
deadline = "1s"
health = { initial_state = "forced_open" }
[operation.read]
effect = "read"
needs = ["policy", "audit"]
[operation.write]
needs = ["audit", "policy"]
max_unchecked = 1
[[operation.write.refuse]]
when = { equals = { "<script>alert(1)</script>" = "|\u001b[31m" } }
deny = { code = "X" }
"#;

fn table(test: &str, format: &str) -> String {
    let folder = Folder::new(test);
    let matrix = folder.file("odd.toml", ODD);
    failsoft(&["table", &matrix, "--format", format]).done()
}

#[test]
fn text() {
    let text = table("table-text", "text");
    let widest = text.lines().map(|line| line.chars().count()).max().expect("lines");
    assert!(widest <= 120, "{widest}\n{text}");
    for part in [
        "read  read\n  needs policy -> audit\n",
        "write  write, at most 1 guard unchecked\n  needs audit -> policy\n",
        "guard, admit, 250ms",
        "0 last_known up to 24h old",
        "when fault timeout/unreachable and",
        "1 allow, unchecked",
        "only watches",
        "no ladder: allow",
        "needed by no operation",
        "waits for an operator",
        "no ladder: deny 503",
    ] {
        assert!(text.contains(part), "{part}\n{text}");
    }
    assert!(!text.contains('\u{1b}'), "{text}");
    // Each dependency once, under the first operation that needs it.
    assert_eq!(text.matches("guard, admit, 250ms").count(), 1);
}

#[test]
fn presets_fit_a_terminal() {
    for preset in ["ai-gateway", "sdk-direct", "sdk-proxy", "budget-gate", "agent-runtime"] {
        let text = failsoft(&["table", &format!("preset:{preset}")]).done();
        let widest = text.lines().map(|line| line.chars().count()).max().expect("lines");
        assert!(widest <= 110, "{preset}: {widest}");
    }
}

#[test]
fn markdown() {
    let text = table("table-markdown", "markdown");
    assert!(text.contains("| dependency | needed by | says no | fails |\n| --- | --- | --- | --- |\n"));
    assert!(text.contains(r"tells policy,skipped\|x"), "{text}");
    assert!(!text.contains("<script>") && !text.contains("<NO>"), "{text}");
    let rows: Vec<&str> = text.lines().filter(|line| line.starts_with("| **")).collect();
    assert_eq!(rows.len(), 3);
    for row in rows {
        assert_eq!(row.replace(r"\|", "").matches('|').count(), 5, "{row}");
    }
}

#[test]
fn html() {
    let text = table("table-html", "html");
    assert!(text.starts_with("<!doctype html>\n") && text.ends_with("</html>\n"));
    assert!(text.contains("&lt;script&gt;alert(1)&lt;/script&gt;"), "{text}");
    assert!(text.contains("&lt;NO&gt;&amp;&quot;&#39;"));
    assert!(!text.contains("<script") && !text.contains('\u{1b}'));
    assert!(!text.contains("http") && !text.contains("url("), "nothing from elsewhere");
    assert!(text.contains("prefers-color-scheme: dark") && text.contains("@media print"));
    assert_eq!(text.matches("<tr>").count(), text.matches("</tr>").count());
}

#[test]
fn csv() {
    let text = table("table-csv", "csv");
    let (header, rest) = text.split_once("\r\n").expect("CRLF");
    assert_eq!(header, "operation,dependency,role,stage,deadline,needed_by,on_refusal,on_failure,postures");
    let expected = concat!(
        "read,policy,guard,admit,250ms,read write,\"deny 403 <NO>&\"\"'\",",
        "\"0 last_known up to 24h old when fault timeout/unreachable and class standard\n",
        "1 allow, unchecked; tells policy,skipped|x; alert page\n",
        "else deny 503 DEPENDENCY_UNAVAILABLE\",\"fail_soft\nfail_open\"\r\n",
    );
    assert!(rest.starts_with(expected), "{rest}");
    assert!(text.ends_with("\r\n"));
}

#[test]
fn json() {
    let folder = Folder::new("table-json");
    let matrix = folder.file("odd.toml", ODD);
    let value = failsoft(&["table", &matrix, "--format", "json"]).json();
    let names: Vec<&str> = value.as_object().expect("an object").keys().map(String::as_str).collect();
    assert_eq!(names, ["matrix", "name", "revision", "classes", "parameters", "operations", "dependencies"]);
    let policy = &value["dependencies"][0];
    assert_eq!(policy["needed_by"], json!(["read", "write"]));
    assert_eq!(policy["deadline_ms"], 250);
    // [DEC-5]: `last_known` is soft on a guard, `allow` is open.
    let postures: Vec<_> =
        policy["on_failure"].as_array().expect("a list").iter().map(|rung| &rung["posture"]).collect();
    assert_eq!(postures, ["fail_soft", "fail_open"]);
    assert_eq!(policy["on_refusal"]["verdict"], "deny");
    assert_eq!(value["dependencies"][1]["on_refusal"], json!(null));
    assert_eq!(value["dependencies"][2]["waits_for_operator"], true);
    assert_eq!(value["operations"][1]["max_unchecked"], 1);
}

#[test]
fn forms_that_are_not_there() {
    let told = failsoft(&["table", "preset:ai-gateway", "--format", "htm"]).refused();
    assert!(told.contains("a similar value exists: 'html'"), "{told}");
    let folder = Folder::new("table-bad");
    let matrix = folder.file("bad.toml", "spec = 2\n");
    assert!(failsoft(&["table", &matrix]).refused().contains("bad.toml:1:8"));
}
