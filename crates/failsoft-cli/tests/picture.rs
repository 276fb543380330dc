//! `failsoft replay --html`: a page beside the usual output, whole or not at all.

mod common;

use std::fmt::Write as _;
use std::fs;
use std::io::Read;
use std::process::{Command, Stdio};

use common::{Folder, SMALL, failsoft, with_input};

const TRACE: &str = r#"{"at_ms":0,"decide":{"operation":"assist","request":"r1","tenant":"t1"}}
{"at_ms":10,"outcome":{"dependency":"quota","result":"timeout"}}
{"at_ms":20,"outcome":{"dependency":"quota","result":"timeout"}}
{"at_ms":20,"decide":{"operation":"assist","request":"r2","tenant":"t1"}}
"#;

/// The names of what is in a folder.
fn names(folder: &Folder) -> Vec<String> {
    let entries = fs::read_dir(folder.path()).expect("a folder").flatten();
    let mut names: Vec<String> =
        entries.map(|entry| entry.file_name().into_string().expect("UTF-8")).collect();
    names.sort();
    names
}

#[test]
fn the_page_stands_beside_the_usual_output() {
    let folder = Folder::new("picture-beside");
    let (matrix, trace) = (folder.file("m.toml", SMALL), folder.file("t.jsonl", TRACE));
    let page = folder.at("page.html");
    for more in [&[][..], &["--json"]] {
        let plain = failsoft(&[&["replay", &matrix, &trace][..], more].concat()).done();
        let drawn = failsoft(&[&["replay", &matrix, &trace, "--html", &page][..], more].concat()).done();
        assert_eq!(drawn, plain);
    }
    let first = fs::read_to_string(&page).expect("a page");
    assert!(first.starts_with("<!doctype html>\n") && first.ends_with("</html>\n"));
    assert!(
        first.contains("4 lines, 0:00 to 0:00.020: 2 decisions, 2 changes of health, 1 window"),
        "{first}"
    );
    assert!(first.contains("content=\"default-src 'none';"));
    for elsewhere in ["http:", "https:", " src=", " href=", "url(", "@import"] {
        assert!(!first.contains(elsewhere), "{elsewhere}");
    }
    // From standard input, over the page that is there, with the same bytes.
    with_input(&["replay", &matrix, "-", "--html", &page], TRACE.as_bytes()).done();
    assert_eq!(fs::read_to_string(&page).expect("a page"), first);
    assert_eq!(names(&folder), ["m.toml", "page.html", "t.jsonl"]);
}

#[test]
fn a_bad_line_leaves_no_page_and_the_old_one_alone() {
    let folder = Folder::new("picture-bad");
    let matrix = folder.file("m.toml", SMALL);
    let trace = folder.file("t.jsonl", format!("{TRACE}nonsense\n"));
    let page = folder.at("page.html");
    let run = failsoft(&["replay", &matrix, &trace, "--html", &page]);
    assert_eq!(run.status, 2);
    assert!(run.err.starts_with(&format!("{trace}:5:")), "{}", run.err);
    assert_eq!(names(&folder), ["m.toml", "t.jsonl"]);
    let old = folder.file("page.html", "old");
    failsoft(&["replay", &matrix, &trace, "--html", &old]);
    assert_eq!(fs::read_to_string(&old).expect("a page"), "old");
}

#[test]
fn where_a_page_can_not_be() {
    let folder = Folder::new("picture-where");
    let (matrix, trace) = (folder.file("m.toml", SMALL), folder.file("t.jsonl", TRACE));
    let told = |page: &str| failsoft(&["replay", &matrix, &trace, "--html", page]).refused();
    let here = folder.path().to_str().expect("UTF-8");
    assert_eq!(
        told(here),
        format!("{here}: the page can't be written: it is a directory\n  help: give a file inside it\n")
    );
    let nowhere = folder.at("none/page.html");
    assert_eq!(
        told(&nowhere),
        format!(
            "{nowhere}: the page can't be written: there is no such file\n  help: give a file in a folder that is there\n"
        )
    );
    assert!(told("-").starts_with("--html -: a page is a file of its own"));
    for input in [&matrix, &trace] {
        assert!(told(input).starts_with(&format!("{input}: the page would be written over what is read\n")));
    }
    assert_eq!(fs::read_to_string(&trace).expect("a trace"), TRACE);
    assert_eq!(names(&folder), ["m.toml", "t.jsonl"]);
}

#[cfg(unix)]
#[test]
fn devices_and_links_stay_what_they_are() {
    let folder = Folder::new("picture-links");
    let (matrix, trace) = (folder.file("m.toml", SMALL), folder.file("t.jsonl", TRACE));
    failsoft(&["replay", &matrix, &trace, "--html", "/dev/null"]).done();
    assert!(!fs::metadata("/dev/null").expect("it is there").is_file());
    let (page, link) = (folder.file("page.html", "old"), folder.at("link.html"));
    std::os::unix::fs::symlink(&page, &link).expect("a link");
    failsoft(&["replay", &matrix, &trace, "--html", &link]).done();
    assert!(fs::symlink_metadata(&link).expect("it is there").is_symlink());
    assert!(fs::read_to_string(&page).expect("a page").starts_with("<!doctype html>"));
}

#[test]
fn a_page_is_drawn_though_nobody_reads_the_rest() {
    let folder = Folder::new("picture-unread");
    let (matrix, trace) = (folder.file("m.toml", SMALL), folder.file("t.jsonl", long(20_000)));
    let page = folder.at("page.html");
    let mut child = Command::new(env!("CARGO_BIN_EXE_failsoft"))
        .args(["replay", &matrix, &trace, "--json", "--html", &page])
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("the binary starts");
    let mut stdout = child.stdout.take().expect("piped");
    stdout.read_exact(&mut [0]).expect("a byte");
    drop(stdout);
    let output = child.wait_with_output().expect("it ends");
    assert_eq!((output.status.code(), output.stderr.as_slice()), (Some(0), &b""[..]));
    assert!(
        fs::read_to_string(&page)
            .expect("a page")
            .contains("20,000 lines, 0:00 to 16:39.900: 10,000 decisions")
    );
}

/// Decisions each unlike the one before, and a dependency that flaps.
fn long(lines: u64) -> String {
    let faults = [r#","faults":{"quota":"timeout"}"#, "", r#","faults":{"policy":"timeout"}"#];
    let mut trace = String::new();
    for at in 0..lines / 2 {
        let result = if at / 40 % 2 == 0 { "ok" } else { "unreachable" };
        let fault = faults[usize::try_from(at % 3).expect("small")];
        let _ = writeln!(
            trace,
            r#"{{"at_ms":{0},"call":{{"dependency":"quota","result":"{result}"}}}}
{{"at_ms":{0},"decide":{{"operation":"assist","tenant":"t{at}"{fault}}}}}"#,
            at * 100
        );
    }
    trace
}

#[test]
fn a_million_lines() {
    let folder = Folder::new("picture-long");
    let (matrix, page) = (folder.file("m.toml", SMALL), folder.at("page.html"));
    let run = with_input(&["replay", &matrix, "-", "--html", &page], long(1_000_000).as_bytes());
    assert_eq!(run.status, 0, "{}", run.err);
    let page = fs::read_to_string(&page).expect("a page");
    assert!(page.len() <= 2_000_000, "{}", page.len());
    assert!(page.contains("<strong>Merged to stay small:</strong>"), "it says so");
    assert!(page.contains("1,000,000 lines, 0:00 to 13:53:19.900: 500,000 decisions"), "each is counted");
}
