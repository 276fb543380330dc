//! The picture as a whole, drawn from traces and from printed lines.

use failsoft::document::{Format, Loaded, Options, load};
use failsoft::trace::Player;
use serde_json::{Value, json};

use super::Picture;
use super::account::Account;

/// One guard that is skipped where it fails, and one that denies.
const SMALL: &str = r#"spec = 1
name = "small"
[dependency.quota]
role = "guard"
deadline = "50ms"
on_failure = [{ allow = { emit = "quota.skipped" } }]
health = { consecutive_failure_threshold = 2, wait_duration_in_open_state = "5s", permitted_number_of_calls_in_half_open_state = 1 }
[dependency.policy]
role = "guard"
deadline = "50ms"
on_failure = [{ deny = { status = 403, code = "NO_POLICY" } }]
[operation.assist]
needs = ["policy", "quota"]
"#;

fn loaded(text: &str) -> Loaded {
    load("m.toml", text.as_bytes(), Format::Toml, &Options::default()).expect("no mistakes")
}

/// Plays `trace` and draws it; `printed` are lines that are drawn as if the replay had printed them, each before what is
/// printed at a later moment.
fn drawn(matrix: &str, trace: &str, printed: &str) -> String {
    let loaded = loaded(matrix);
    let mut player = Player::new(&loaded.matrix);
    let mut picture = Picture::new(player.matrix());
    let printed = printed.lines().filter(|line| !line.is_empty());
    let mut printed = printed.map(|line| serde_json::from_str::<Value>(line).expect("JSON")).peekable();
    let at = |line: &Value| line["at_ms"].as_i64().expect("a moment");
    let (mut played, mut said) = (0, Vec::new());
    for line in trace.lines() {
        player.line(line, &mut said).expect("a good line");
        played += 1;
        for output in said.drain(..) {
            while let Some(line) = printed.next_if(|line| at(line) < output.at.as_millis()) {
                picture.begin(at(&line));
                picture.lines += 1;
                picture.line(at(&line), &line, None);
            }
            let said =
                Some("health   it changed: why").filter(|_| player.json(&output).contains("health.changed"));
            picture.take(&player, &output, said);
        }
    }
    for line in printed {
        picture.begin(at(&line));
        picture.lines += 1;
        picture.line(at(&line), &line, None);
    }
    picture.page(&player, played)
}

/// The data that the script reads.
fn data(page: &str) -> Value {
    let (_, rest) = page.split_once("<script type=\"application/json\" id=\"data\">").expect("data");
    let (data, _) = rest.split_once("</script>").expect("an end");
    assert!(!data.contains('<'), "nothing in it is markup");
    serde_json::from_str(data).expect("JSON")
}

/// An outage of `quota` and its end.
const OUTAGE: &str = r#"{"at_ms":0,"decide":{"operation":"assist","request":"r1","tenant":"t1"}}
{"at_ms":1000,"outcome":{"dependency":"quota","result":"timeout"}}
{"at_ms":5000,"outcome":{"dependency":"quota","result":"timeout"}}
{"at_ms":5000,"decide":{"operation":"assist","request":"r2","tenant":"t1"}}
{"at_ms":6000,"decide":{"operation":"assist","request":"r3","tenant":"t2"}}
{"at_ms":8000,"permit":{"dependency":"quota"}}
{"at_ms":10000,"call":{"dependency":"quota","result":"ok"}}
{"at_ms":10000,"health":{"dependency":"quota"}}
{"at_ms":10001,"decide":{"operation":"assist","faults":{"policy":"timeout"}}}
"#;

#[test]
fn a_span_for_each_change_of_health_and_each_run_of_answers() {
    let page = drawn(SMALL, OUTAGE, "");
    let data = data(&page);
    assert_eq!((&data["from"], &data["to"]), (&json!(0), &json!(10_001)));
    let lane = |place: usize| &data["lanes"][place];
    let names: Vec<&Value> = (0..5).map(|place| &lane(place)["name"]).collect();
    assert_eq!(names, ["quota", "policy", "assist", "quota", "events"], "two healths, a posture, a window");
    // From, to and state: unknown 0, healthy 1, degraded 2, down 3.
    let spans = |place: usize| -> Vec<(i64, i64, i64, i64)> {
        let numbers = lane(place)["spans"].as_array().expect("spans").iter();
        let number = |span: &Value, place: usize| span[place].as_i64().expect("a number");
        numbers.map(|span| (number(span, 0), number(span, 1), number(span, 2), number(span, 3))).collect()
    };
    assert_eq!(spans(0), [(0, 1000, 0, 0), (1000, 5000, 1, 1), (5000, 10_000, 3, 1), (10_000, 10_001, 1, 1)]);
    assert_eq!(spans(1), [(0, 10_001, 0, 0)], "nothing was heard of it");
    // A verdict times 4 and a posture: allow normal, allow fail_open, deny fail_closed.
    assert_eq!(spans(2), [(0, 0, 0, 1), (5000, 6000, 2, 2), (10_001, 10_001, 15, 1)]);
    // One call was held back while it was down, and one let through.
    let held = &lane(0)["spans"][2][4];
    assert_eq!((&held[1], &held[2]), (&json!(1), &json!(1)));
    for said in [
        "9 lines, 0:00 to 0:10.001: 4 decisions, 3 changes of health, 1 window",
        "quota: 3 changes; the worst down, first at 0:05",
        "quota is down (timeout) since 0:05 -&gt; rung 0 allow",
        "r2 of t1</bdi> and 1 more like this",
    ] {
        assert!(page.contains(said), "{said}\n{page}");
    }
    assert!(!page.contains("Merged"));
    assert_eq!(page, drawn(SMALL, OUTAGE, ""), "the same bytes twice");
}

#[test]
fn windows_with_their_accounts() {
    let printed = r#"
{"at_ms":5000,"event":{"kind":"window.opened","dependency":"quota","operation":"assist","posture":"fail_soft","rung":0,"rung_kind":"local_meter","health":"down","fault":"timeout"}}
{"at_ms":7000,"event":{"kind":"window.changed","dependency":"quota","operation":"assist","posture":"fail_open","rung":1,"rung_kind":"allow","health":"down","fault":"timeout"}}
{"at_ms":9000,"event":{"kind":"window.closed","dependency":"quota","why":"recovered","duration_ms":3000,"idle_ms":1000,"total":{"requests":4,"amounts":{"spend":12}},"decisions":[{"rung":0,"rung_kind":"local_meter","requests":3},{"rung":null,"rung_kind":"break_glass","requests":1}],"tenants":[{"tenant":"a","requests":1,"amounts":{}},{"tenant":"b","requests":2,"amounts":{"spend":12}}],"others":{"requests":1,"amounts":{}}}}
{"at_ms":9500,"event":{"kind":"window.opened","dependency":"policy","operation":"assist","posture":"fail_open","rung":0,"rung_kind":"allow","health":"unknown","fault":"timeout"}}
{"at_ms":10001,"windows":[{"dependency":"policy","duration_ms":0,"idle_ms":501,"total":{"requests":7,"amounts":{}},"decisions":[],"tenants":[],"others":{"requests":7,"amounts":{}}}]}
"#;
    let quiet = "{\"at_ms\":0,\"health\":{\"dependency\":\"quota\"}}\n{\"at_ms\":10001,\"health\":{\"dependency\":\"quota\"}}\n";
    let page = drawn(SMALL, quiet, printed);
    let data = data(&page);
    let lanes = data["lanes"].as_array().expect("lanes");
    let windows: Vec<&Value> = lanes.iter().filter(|lane| lane["spans"][0][4]["marks"].is_array()).collect();
    let closed = json!([5000, 9000, 2, 1, {
        "marks": [
            [5000, 1, "rung 0 local_meter (down, timeout) in assist"],
            [7000, 2, "rung 1 allow (down, timeout) in assist"],
        ],
        "last": 8000, "closed": 9000,
        "account": {
            "requests": 4, "amounts": [["spend", 12]], "rungs": [["rung 0 local_meter", 3], ["break_glass", 1]],
            "tenants": [["b", 2, [["spend", 12]]], ["a", 1, []]], "more": [0, 0], "others": 1,
        },
    }]);
    assert_eq!(windows[0]["spans"], json!([closed]));
    let open = &windows[1]["spans"][0];
    assert_eq!((&open[0], &open[1], &open[4]["closed"]), (&json!(9500), &json!(10_001), &Value::Null));
    assert_eq!(open[4]["account"]["requests"], 7);
    for said in
        ["last used 0:08, closed 0:09", "<i>2</i> <bdi>b</bdi> (spend 12)", "<i>1</i> others", "still open"]
    {
        assert!(page.contains(said), "{said}\n{page}");
    }
}

#[test]
fn tenants_beyond_what_is_shown_are_counted() {
    let rows: Vec<Value> = (0..1_000)
        .map(|number| json!({ "tenant": format!("t{number}"), "requests": number, "amounts": {} }))
        .collect();
    let account = Account::read(&json!({ "total": { "requests": 499_500 }, "tenants": rows }));
    // 980 to 999 are shown; the sum of 0 to 979 is 980 · 979 / 2.
    assert_eq!(account.tenants.first().map(|(name, ..)| name.as_str()), Some("t999"));
    assert_eq!((account.tenants.len(), account.more), (20, (980, 479_710)));
}

#[test]
fn hostile_names_are_text() {
    let tenant = "</script><script>alert(1)</script>\u{202e}\u{2028}\"'&";
    let long = "x".repeat(4096);
    let trace = [tenant, &long].map(|tenant| {
        json!({ "decide": { "operation": "assist", "tenant": tenant, "request": tenant } }).to_string()
    });
    let opened = json!({ "at_ms": 0, "event": {
        "kind": "window.opened", "dependency": "quota", "operation": tenant, "posture": tenant, "rung_kind": tenant,
    } });
    let closed = json!({ "at_ms": 0, "event": {
        "kind": "window.closed", "dependency": "quota", "total": { "requests": 1, "amounts": { (tenant): 1 } },
        "tenants": [{ "tenant": tenant, "requests": 1 }, { "tenant": long, "requests": 1 }],
    } });
    let page = drawn(SMALL, &trace.join("\n"), &format!("{opened}\n{closed}"));
    let _ = data(&page);
    assert_eq!((page.matches("<script").count(), page.matches("</script").count()), (2, 2));
    assert!(!page.contains(['\u{202e}', '\u{2028}']), "what hides is shown as what it is");
    assert!(page.contains("&lt;/script&gt;&lt;script&gt;alert(1)") && page.contains(r"\\u{202e}"));
    assert!(!page.contains(&"x".repeat(41)));
}

#[test]
fn a_trace_that_says_nothing() {
    let page = drawn(SMALL, "", "");
    assert!(page.contains("The trace is empty: nothing was told, so nothing was decided."), "{page}");
    assert!(!page.contains("<script") && !page.contains("{{"));
    let page = drawn(SMALL, r#"{"at_ms":5,"finish":{"request":"r1"}}"#, "");
    assert!(page.contains("The trace has 1 line, and none of them changed anything"), "{page}");
}

#[test]
fn where_it_outgrows_its_budget_the_fullest_lane_yields() {
    let loaded = loaded(SMALL);
    let mut player = Player::new(&loaded.matrix);
    let mut picture = Picture::within(player.matrix(), 20_000);
    let mut said = Vec::new();
    let mut most = 0;
    let faults = [r#","faults":{"quota":"timeout"}"#, "", r#","faults":{"policy":"timeout"}"#];
    for number in 0..5_000 {
        let fault = faults[number % 3];
        let line =
            format!(r#"{{"at_ms":{number},"decide":{{"operation":"assist","tenant":"t{number}"{fault}}}}}"#);
        player.line(&line, &mut said).expect("a good line");
        for output in said.drain(..) {
            picture.take(&player, &output, Some("event"));
        }
        most = most.max(picture.bytes());
    }
    assert!(most <= 20_000, "{most}");
    let page = picture.page(&player, 5_000);
    let data = data(&page);
    let spans = data["lanes"][2]["spans"].as_array().expect("spans");
    let sum = |place: usize| -> u64 { spans.iter().filter_map(|span| span[place].as_u64()).sum() };
    assert_eq!(sum(3), 5_000, "each decision is counted");
    let tallied = |state: u64| -> u64 {
        let of = |span: &Value| match span[6].as_array() {
            Some(tally) => {
                tally.iter().filter(|pair| pair[0] == state).filter_map(|pair| pair[1].as_u64()).sum()
            }
            None if span[2] == state => span[3].as_u64().unwrap_or_default(),
            None => 0,
        };
        spans.iter().map(of).sum()
    };
    // Of 0 to 4,999 those that leave 0, 1 and 2 over when divided by 3.
    assert_eq!([2, 0, 15].map(tallied), [1_667, 1_667, 1_666]);
    assert!(page.contains("<strong>Merged to stay small:</strong>"), "{page}");
    assert!(page.contains("mixed: "), "{page}");
}

#[test]
fn a_thousand_dependencies_that_all_flap() {
    let mut matrix = String::from("spec = 1\nname = \"wide\"\n");
    for number in 0..1_024 {
        matrix += &format!("[dependency.d{number}]\nrole = \"observe\"\non_failure = [{{ allow = {{}} }}]\n");
        matrix += "health = { consecutive_failure_threshold = 1, wait_duration_in_open_state = \"1s\" }\n";
    }
    matrix += "[operation.o]\nneeds = [\"d0\"]\n";
    let mut trace = String::new();
    for at in 0..98_304_u64 {
        let result = if at / 1_024 % 2 == 0 { "timeout" } else { "ok" };
        trace += &format!(
            "{{\"at_ms\":{},\"call\":{{\"dependency\":\"d{}\",\"result\":\"{result}\"}}}}\n",
            at * 2,
            at % 1_024
        );
    }
    let page = drawn(&matrix, &trace, "");
    assert!(page.len() <= 2_000_000, "{}", page.len());
    assert!(page.contains("Merged to stay small"));
    assert_eq!(data(&page)["lanes"].as_array().map(Vec::len), Some(1_025));
}
