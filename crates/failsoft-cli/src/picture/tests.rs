//! The picture as a whole, drawn from traces and from printed lines.

use failsoft::document::{Format, Loaded, Options, load};
use failsoft::trace::Player;
use serde_json::Value;

use super::Picture;

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
    let mut picture = Picture::new(&loaded.matrix);
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

/// Draws a page for looking at it: `MATRIX TRACE PRINTED PAGE` in the environment, as `DRAW`.
#[test]
#[ignore = "it draws a page for people"]
fn draw() {
    let paths = std::env::var("DRAW").expect("four paths");
    let read = |path: &str| std::fs::read_to_string(path).expect("a file");
    let paths: Vec<&str> = paths.split(' ').collect();
    std::fs::write(paths[3], drawn(&read(paths[0]), &read(paths[1]), &read(paths[2]))).expect("written");
}
