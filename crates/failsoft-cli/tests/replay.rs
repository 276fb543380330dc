//! `failsoft replay`: streams, folds, and says where a line is wrong.

mod common;

use std::fmt::Write as _;
use std::io::Read;
use std::process::{Command, Stdio};

use common::{Folder, SMALL, failsoft, with_input};
use serde_json::{Value, json};

/// An outage of `quota` and its end.
const OUTAGE: &str = r#"{"at_ms":0,"decide":{"operation":"assist","request":"r1","tenant":"t1"}}
{"at_ms":1000,"outcome":{"dependency":"quota","result":"timeout"}}
{"at_ms":5000,"outcome":{"dependency":"quota","result":"timeout"}}
{"at_ms":5000,"decide":{"operation":"assist","request":"r2","tenant":"t1"}}
{"at_ms":6000,"decide":{"operation":"assist","request":"r3","tenant":"t2"}}
{"at_ms":7250,"decide":{"operation":"assist","request":"r4","tenant":"t1"}}
{"at_ms":8000,"permit":{"dependency":"quota"}}
{"at_ms":10000,"call":{"dependency":"quota","result":"ok"}}
{"at_ms":10000,"health":{"dependency":"quota"}}
{"at_ms":10001,"decide":{"operation":"assist","faults":{"policy":"timeout"}}}
"#;

fn matrix(folder: &Folder) -> String {
    folder.file("matrix.toml", SMALL)
}

/// What `--json` prints, line by line.
fn json_lines(text: &str) -> Vec<Value> {
    text.lines().map(|line| serde_json::from_str(line).expect("JSON")).collect()
}

#[test]
fn json_is_the_answers_and_events_in_order() {
    let folder = Folder::new("replay-json");
    let trace = folder.file("trace.jsonl", OUTAGE);
    let arguments = ["replay", &matrix(&folder), &trace, "--json"];
    let text = failsoft(&arguments).done();
    assert_eq!(failsoft(&arguments).done(), text, "the same bytes twice");
    let lines = json_lines(&text);
    let kinds: Vec<(i64, &str)> = lines
        .iter()
        .map(|line| {
            let line = line.as_object().expect("an object");
            let at = line["at_ms"].as_i64().expect("a moment");
            (at, line.keys().nth(1).expect("a second key").as_str())
        })
        .collect();
    let expected = [
        (0, "decision"),
        (1000, "event"), // unknown -> healthy: a first outcome that counts
        (5000, "event"), // healthy -> down
        (5000, "decision"),
        (5000, "event"), // the window opens
        (5000, "event"), // with the rung's own event
        (6000, "decision"),
        (7250, "decision"),
        (8000, "permit"),
        (10000, "permit"),
        (10000, "event"), // down -> healthy: one event at most for one line
        (10000, "health"),
        (10001, "decision"),
    ];
    assert_eq!(kinds, expected);
    let event = &lines[2]["event"];
    assert_eq!(
        (&event["kind"], &event["from"], &event["to"], &event["why"], &event["sequence"]),
        (
            &json!("health.changed"),
            &json!("healthy"),
            &json!("down"),
            &json!("consecutive_failures"),
            &json!(2)
        )
    );
    assert_eq!(lines[8]["permit"], false);
    assert_eq!(lines[9]["permit"], true);
    assert!(text.contains(
        r#"{"at_ms":10000,"health":"healthy","circuit":"closed","metrics":{"failure_rate_bp":-1,"#
    ));
}

#[test]
fn the_example_of_the_specification() {
    // spec/trace.md, "Order".
    let folder = Folder::new("replay-spec");
    let text = "spec = 1\nname = \"m\"\n[dependency.quota]\nrole = \"guard\"\ndeadline = \"50ms\"\n\
        health = { consecutive_failure_threshold = 1, wait_duration_in_open_state = \"5s\" }\n";
    let matrix = folder.file("m.toml", text);
    let trace = r#"{"at_ms":0,"outcome":{"dependency":"quota","result":"timeout"}}
{"at_ms":6000,"health":{"dependency":"quota"}}
{"at_ms":6001,"permit":{"dependency":"quota"}}
"#;
    let out = with_input(&["replay", &matrix, "-", "--json"], trace.as_bytes()).done();
    let identity = json_lines(&out)[0]["event"]["matrix"].as_str().expect("an identity").to_owned();
    let expected = r#"{"at_ms":0,"event":{"kind":"health.changed","dependency":"quota","from":"unknown","to":"down","why":"consecutive_failures","crossed":{"setting":"consecutive_failure_threshold","value":1,"limit":1},"window":{"calls":1,"failed_calls":1,"slow_calls":0},"held_ms":0,"wait_ms":5000,"outage":null,"v":1,"instance":"replay","sequence":1}}
{"at_ms":6000,"health":"probing","circuit":"open","metrics":{"failure_rate_bp":-1,"slow_call_rate_bp":-1,"buffered_calls":1,"failed_calls":1,"slow_calls":0,"ignored_calls":0,"not_permitted_calls":0,"consecutive_failures":1,"open_attempts":1},"detail":{"why":"wait_over","crossed":null,"held_ms":1000,"fault":"timeout","enforced":true,"minimum_calls":10,"permits_left":3,"calls_out":0,"hung_calls":0,"lagging_calls":0,"late_outcomes":0,"lost_calls":0,"wait_ms":null,"probe_due_ms":null,"override":null}}
{"at_ms":6001,"permit":true}
{"at_ms":6001,"event":{"kind":"health.changed","dependency":"quota","from":"down","to":"probing","why":"wait_over","crossed":null,"window":{"calls":1,"failed_calls":1,"slow_calls":0},"held_ms":5000,"wait_ms":null,"outage":null,"v":1,"instance":"replay","sequence":2}}
"#;
    assert_eq!(out.replace(&format!(r#""matrix":"{identity}","#), ""), expected);
}

#[test]
fn for_people() {
    let folder = Folder::new("replay-text");
    let trace = folder.file("trace.jsonl", OUTAGE);
    let arguments = ["replay", &matrix(&folder), &trace];
    let text = failsoft(&arguments).done();
    assert_eq!(failsoft(&arguments).done(), text, "the same bytes twice");
    let (story, summary) = text.split_once("\n\n").expect("a summary");
    let expected = "   0:00      allow    normal      assist r1 of t1: 200
   0:01      health   quota unknown -> healthy: first outcome
   0:05      health   quota healthy -> down: 2 failures in a row (timeout), may be tried in 5s
             allow    fail_open   assist r2 of t1: 200; quota is down (timeout) since 0:05 -> rung 0 allow; do mark_unchecked quota; tell quota.skipped
             window   quota opened: assist goes on fail_open by rung 0 allow
   0:06      allow    fail_open   assist r3 of t2: 200; quota is down (timeout) since 0:05 -> rung 0 allow; do mark_unchecked quota; tell quota.skipped
             × 1 more like this, to 0:07.250 (2 tenants)
   0:08      no call  quota may not be called now
   0:10      health   quota down -> healthy: the trial calls went well; it was out for 5s, 1 call held back
             asked    quota is healthy
   0:10.001  deny     fail_closed assist: 403 NO_POLICY; policy failed (timeout) -> rung 0 deny";
    assert_eq!(story, expected);
    let summary: Vec<&str> = summary.lines().map(str::trim_end).collect();
    assert_eq!(summary[0], "10 lines, 0:00 to 0:10.001");
    assert!(summary[1].starts_with("small@1:sha256-"));
    let expected = [
        "",
        "decisions        normal    fail_open  fail_closed          all",
        "allow                 1            3            -            4",
        "deny                  -            -            1            1",
        "",
        "calls   1 let through, 1 not",
        "",
        "events  quota.skipped 1",
        "",
        "at end  the window of quota is open: 2.25s, 3 requests: 3 by rung 0 allow",
        "        healthy: quota",
        "        unknown: 1 dependency, of which nothing was heard",
    ];
    assert_eq!(summary[2..], expected);
}

#[test]
fn colours_only_where_asked_for() {
    let folder = Folder::new("replay-colour");
    let matrix = matrix(&folder);
    assert!(!with_input(&["replay", &matrix, "-"], OUTAGE.as_bytes()).done().contains('\u{1b}'));
    let coloured = with_input(&["replay", &matrix, "-", "--color", "always"], OUTAGE.as_bytes()).done();
    assert!(coloured.contains("\u{1b}[1m\u{1b}[31mdeny    \u{1b}[0m"), "{coloured}");
}

#[test]
fn names_in_a_trace_move_no_cursor() {
    let folder = Folder::new("replay-names");
    let line = format!(
        r#"{{"decide":{{"operation":"assist","request":"\u001b[2J{}","tenant":"a\nb"}}}}"#,
        "x".repeat(100)
    );
    let text = with_input(&["replay", &matrix(&folder), "-"], line.as_bytes()).done();
    assert!(
        !text.contains('\u{1b}') && text.contains(r"\u{1b}[2Jxxx") && text.contains(r"of a\nb: 200"),
        "{text}"
    );
    assert!(!text.contains(&"x".repeat(41)));
}

#[test]
fn line_ends_and_marks() {
    let folder = Folder::new("replay-ends");
    let matrix = matrix(&folder);
    let plain = with_input(&["replay", &matrix, "-", "--json"], OUTAGE.as_bytes()).done();
    let same = |input: String| {
        assert_eq!(with_input(&["replay", &matrix, "-", "--json"], input.as_bytes()).done(), plain);
    };
    same(OUTAGE.replace('\n', "\r\n"));
    same(OUTAGE.trim_end().to_owned());
    same(format!("\u{feff}{OUTAGE}"));
    same(OUTAGE.replace('\n', "\n\n  \t\n"));
    assert_eq!(with_input(&["replay", &matrix, "-", "--json"], b"").done(), "");
    let nothing = with_input(&["replay", &matrix, "-"], b"\n\n").done();
    assert!(nothing.starts_with("0 lines\n"), "{nothing}");
}

#[test]
fn a_bad_line_says_where_and_loses_nothing() {
    let folder = Folder::new("replay-bad");
    let matrix = matrix(&folder);
    let good = OUTAGE.lines().take(4).fold(String::new(), |mut text, line| {
        let _ = writeln!(text, "{line}");
        text
    });
    let whole = with_input(&["replay", &matrix, "-", "--json"], good.as_bytes()).done();
    let told = |line: &str| {
        let trace = folder.file("trace.jsonl", format!("{good}{line}\n"));
        let run = failsoft(&["replay", &matrix, &trace, "--json"]);
        assert_eq!((run.status, run.out.as_str()), (2, whole.as_str()), "what was said stands");
        assert!(run.err.starts_with(&trace), "{}", run.err);
        run.err[trace.len()..].to_owned()
    };
    assert_eq!(
        told(r#"{"at_ms":9,"outcome":{"dependency":"quta","result":"ok"}}"#),
        ":5:36: there is no dependency `quta`\n  help: did you mean `quota`?\n"
    );
    assert_eq!(
        told(r#"{"decide":{"operation":"asist"}}"#),
        ":5:24: there is no operation `asist`\n  help: did you mean `assist`?\n"
    );
    assert!(
        told(r#"{"outcome":{"dependency":"quota","result":"timout"}}"#).contains("did you mean `timeout`?")
    );
    assert!(told(r#"{"outcom":{}}"#).contains("did you mean `outcome`?"));
    assert!(told("not json").starts_with(":5:"));
    assert!(told(r#"{"usage":{"meter":"m","amount":1}}"#).contains("there is no meter `m`"));
    assert!(told(r#"{"override":{"meter":"requests"}}"#).contains("this override does not say which limit"));
    assert!(
        told(r#"{"override":{"meter":"requests","limit":5,"to":"open"}}"#)
            .contains("an override of a meter has no `to`")
    );
    assert!(
        told(r#"{"override":{"dependency":"quota","to":"open","tenant":"t1"}}"#)
            .contains("`tenant` is a meter's, and this override names none")
    );
    assert!(
        told(r#"{"reading":{"meter":"requests","used":1,"mode":"blok"}}"#).contains("did you mean `block`?")
    );
    assert!(told(r#"{"restart":{"snapshot":{"v":2}}}"#).contains("it is of version 2"));
    assert!(
        told(r#"{"restart":{"snapshot":{"v":1,"dependencis":{}}}}"#)
            .contains("unknown key `dependencis`; did you mean `dependencies`?")
    );
    // The text says what was folded so far, and no summary.
    let trace = folder.file("trace.jsonl", format!("{good}x\n"));
    let run = failsoft(&["replay", &matrix, &trace]);
    assert_eq!(run.status, 2);
    assert!(run.out.contains("assist r2 of t1") && !run.out.contains("decisions"), "{}", run.out);
}

#[test]
fn what_is_no_trace() {
    let folder = Folder::new("replay-none");
    let matrix = matrix(&folder);
    let told = |trace: &str| failsoft(&["replay", &matrix, trace]).refused();
    let missing = folder.at("missing.jsonl");
    assert_eq!(
        told(&missing),
        format!(
            "{missing}: there is no such file\n  help: give the path of a trace, or `-` for standard input\n"
        )
    );
    let here = folder.path().to_str().expect("UTF-8");
    assert_eq!(told(here), format!("{here}: it is a directory\n  help: give a trace inside it\n"));
    let binary = folder.file("binary.jsonl", b"{\xff\xfe");
    assert!(told(&binary).starts_with(&format!("{binary}:1:2: the byte 0xff is not UTF-8\n")));
    let long = folder.file("long.jsonl", vec![b' '; (1 << 20) + 1]);
    let expected = format!("{long}:1:1048577: the line is longer than 1 MiB (1048576 bytes)\n");
    assert!(told(&long).starts_with(&expected));
    let told = with_input(&["replay", &matrix, "-"], b"[]\n").refused();
    assert!(told.starts_with("standard input:1:"), "{told}");
}

#[test]
fn the_longest_line_that_may_be() {
    let folder = Folder::new("replay-long");
    let line = r#"{"decide":{"operation":"assist"}}"#;
    let trace = format!("{}{line}\r\n{line}\n", " ".repeat((1 << 20) - line.len()));
    let out = with_input(&["replay", &matrix(&folder), "-", "--json"], trace.as_bytes()).done();
    assert_eq!(out.lines().count(), 2);
}

#[test]
fn who_stops_reading_ends_it_quietly() {
    let folder = Folder::new("replay-pipe");
    let matrix = matrix(&folder);
    let mut trace = String::new();
    for at in 0..50_000 {
        let _ = writeln!(trace, r#"{{"at_ms":{at},"health":{{"dependency":"quota"}}}}"#);
    }
    let trace = folder.file("trace.jsonl", trace);
    for more in [&[][..], &["--json"]] {
        let mut child = Command::new(env!("CARGO_BIN_EXE_failsoft"))
            .args(["replay", &matrix, &trace])
            .args(more)
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .expect("the binary starts");
        let mut first = [0];
        let mut stdout = child.stdout.take().expect("piped");
        stdout.read_exact(&mut first).expect("a byte");
        drop(stdout);
        let output = child.wait_with_output().expect("it ends");
        assert_eq!((output.status.code(), output.stderr.as_slice()), (Some(0), &b""[..]));
    }
}
