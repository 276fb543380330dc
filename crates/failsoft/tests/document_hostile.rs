//! Documents that nobody meant well: each is refused, soon, with a mistake and without a panic.

use std::time::{Duration, Instant};

use failsoft::document::{Diagnostics, Format, Options, load};

/// Far above what any of them takes, far below what hurts.
const SOON: Duration = Duration::from_secs(20);

#[track_caller]
fn refused(bytes: &[u8], format: Format) -> Diagnostics {
    let start = Instant::now();
    let told = load("hostile", bytes, format, &Options::default()).expect_err("a document with mistakes");
    let rendered = told.render(true);
    assert!(start.elapsed() < SOON, "{:?}", start.elapsed());
    assert!(told.items().len() <= 101);
    assert!(rendered.len() < 1_000_000, "{} bytes of messages", rendered.len());
    told
}

#[track_caller]
fn one(bytes: &[u8], format: Format, code: &str, line: usize, column: usize) {
    let told = refused(bytes, format);
    let places: Vec<_> = told.items().iter().map(|item| (item.code, item.line, item.column)).collect();
    assert_eq!(places, [(code, line, column)]);
}

#[test]
fn too_large() {
    for format in [Format::Toml, Format::Json] {
        one(&vec![b' '; 1_048_577], format, "too-large", 1, 1);
    }
    // Exactly 1 MiB is read.
    let mut text = String::from("spec = 1\nname = \"x\"\n");
    text.push_str(&"#".repeat(1_048_576 - text.len()));
    assert!(load("large", text.as_bytes(), Format::Toml, &Options::default()).is_ok());
}

#[test]
fn too_deep() {
    let mebibyte = 1_000_000;
    one("[".repeat(mebibyte).as_bytes(), Format::Json, "too-deep", 1, 33);
    one("{\"a\":".repeat(mebibyte / 5).as_bytes(), Format::Json, "too-deep", 1, 161);
    one(format!("a = {}", "[".repeat(mebibyte)).as_bytes(), Format::Toml, "too-deep", 1, 36);
    one(format!("a = {}", "{a = ".repeat(mebibyte / 6)).as_bytes(), Format::Toml, "too-deep", 1, 160);
    one(format!("a{} = 1", ".a".repeat(mebibyte / 2)).as_bytes(), Format::Toml, "too-deep", 1, 64);
    one(format!("[a{}]", ".a".repeat(mebibyte / 2)).as_bytes(), Format::Toml, "too-deep", 1, 63);
    let told = refused("[\n".repeat(mebibyte / 2).as_bytes(), Format::Toml);
    assert!(!told.items().is_empty());
}

#[test]
fn bytes_that_are_no_text() {
    one(b"spec = 1\nname = \"\xc3\xa4\xff\"\n", Format::Toml, "not-utf8", 2, 10);
    one(b"{\"spec\": \xc0\x80}", Format::Json, "not-utf8", 1, 10);
    one(b"\xef\xbb\xbfspec = 1\n", Format::Toml, "byte-order-mark", 1, 1);
    one(b"\xef\xbb\xbf{}", Format::Json, "byte-order-mark", 1, 1);
    one(b"spec = 1\nname = '\0'\n", Format::Toml, "syntax", 2, 9);
    one(b"{\"spec\": \"\0\"}", Format::Json, "syntax", 1, 11);
    one(b"spec = 1\nname = \"\\u0000\"\n", Format::Toml, "bad-name", 2, 8);
}

#[test]
fn too_many_of_everything() {
    let head = "spec = 1\nname = \"x\"\n";
    let many = |count: usize, line: &dyn Fn(usize) -> String| (0..count).map(line).collect::<String>();
    let dependencies = |count| many(count, &|index| format!("d{index} = {{ role = \"observe\" }}\n"));
    let text = format!("{head}[dependency]\n{}", dependencies(1_024));
    assert!(load("many", text.as_bytes(), Format::Toml, &Options::default()).is_ok());
    let text = format!("{head}[dependency]\n{}", dependencies(1_025));
    one(text.as_bytes(), Format::Toml, "too-many", 3, 2);
    let text = format!("{head}[dependency]\n{}", many(90_000, &|index| format!("d{index}={{}}\n")));
    one(text.as_bytes(), Format::Toml, "too-many", 3, 2);
    let entries = many(90_000, &|index| format!(",\"{index}\":0"));
    let text = format!("{{\"spec\":1,\"name\":\"x\",\"dependency\":{{\"a\":0{entries}}}}}");
    one(text.as_bytes(), Format::Json, "too-many", 1, 22);

    let serve = |ladder: &str| {
        format!(
            "{head}[dependency.a]\nrole=\"observe\"\n{ladder}\n[dependency.d]\nrole = \"serve\"\ndeadline = \"1s\"\n"
        )
    };
    one(
        serve(&format!("on_failure = [{}]", "{allow=true},".repeat(65))).as_bytes(),
        Format::Toml,
        "too-many",
        5,
        1,
    );
    let also = many(257, &|index| format!("\"o{index}\","));
    one(
        serve(&format!("on_failure = [{{allow={{also=[{also}]}}}}]")).as_bytes(),
        Format::Toml,
        "too-many",
        5,
        23,
    );
    let when = "\"timeout\",".repeat(257);
    let text = serve(&format!("on_failure = [{{allow={{when={{fault=[{when}]}}}}}}]"));
    one(text.as_bytes(), Format::Toml, "too-many", 5, 29);
    let classes = many(9, &|index| format!("\"c{index}\","));
    one(format!("{head}classes = [{classes}]\n").as_bytes(), Format::Toml, "too-many", 3, 1);
    let needs = "\"a\",".repeat(257);
    one(format!("{head}[operation.o]\nneeds = [{needs}]\n").as_bytes(), Format::Toml, "too-many", 4, 1);
    let refuse = "{when={present=\"a\"}},".repeat(65);
    one(
        format!("{head}[operation.o]\nneeds = []\nrefuse = [{refuse}]\n").as_bytes(),
        Format::Toml,
        "too-many",
        5,
        1,
    );
    let parameters = many(257, &|index| format!("p{index}.default = 1\n"));
    one(format!("{head}[parameter]\n{parameters}").as_bytes(), Format::Toml, "too-many", 3, 2);
    let meters = many(257, &|index| format!("m{index}.store = \"a\"\n"));
    one(format!("{head}[meter]\n{meters}").as_bytes(), Format::Toml, "too-many", 3, 2);
    let invariants = "{operation=\"o\",never=\"deny\"},".repeat(1_025);
    one(format!("{head}invariant = [{invariants}]\n").as_bytes(), Format::Toml, "too-many", 3, 1);
    one("[[a]]\n".repeat(20_000).as_bytes(), Format::Toml, "too-many", 16_385, 1);
}

#[test]
fn mistakes_without_end_are_counted() {
    let text = format!(
        "spec = 1\nname = \"x\"\n{}",
        (0..5_000).map(|i| format!("k{i} = 1.5\n")).collect::<String>()
    );
    let told = refused(text.as_bytes(), Format::Toml);
    assert_eq!(told.items().len(), 101);
    let last = told.items().last().expect("an item");
    assert_eq!((last.code, last.what.as_str()), ("more-mistakes", "and 9900 more"));
    assert!(told.to_string().ends_with("error[more-mistakes]: and 9900 more"), "{}", told);

    let equals = "=\n".repeat(500_000);
    let quotes = "\"".repeat(1_000_000);
    let duplicates = "a=1\n".repeat(250_000);
    for text in [&equals, &quotes, &duplicates] {
        refused(text.as_bytes(), Format::Toml);
        refused(text.as_bytes(), Format::Json);
        refused(&text.as_bytes()[..60_000], Format::Toml);
    }
    refused(format!("{{{}\"a\":1}}", "\"a\":1,".repeat(160_000)).as_bytes(), Format::Json);
    refused(format!("x = [{}]", "0,".repeat(500_000)).as_bytes(), Format::Toml);
    refused(format!("[{}0]", "0,".repeat(500_000)).as_bytes(), Format::Json);
}

#[test]
fn what_a_stranger_wrote_does_not_drive_the_terminal() {
    let told = refused(b"spec = 1\nname = \"x\"\n\"\\u001b[31m\\u202e\" = 1\n", Format::Toml);
    assert_eq!(told.items()[0].what, "a matrix has no key `\\u{1b}[31m\\u{202e}`");
    let told = refused(format!("spec = 1\nname = \"{}\"\n", "n ".repeat(2_000)).as_bytes(), Format::Toml);
    assert!(told.items()[0].what.len() < 200, "{}", told.items()[0].what);
}

#[test]
fn a_line_without_end_is_shown_in_part() {
    let text = format!("{{\"spec\":1,\"name\":\"x\",{}\"zz\":1}}", " ".repeat(900_000));
    let told = refused(text.as_bytes(), Format::Json);
    assert_eq!((told.items()[0].line, told.items()[0].column), (1, 900_022));
    assert!(told.to_string().len() < 1_000, "{}", told.to_string().len());
}

#[test]
fn many_mistakes_on_a_long_line_stay_cheap() {
    let entries: String = (0..60_000).map(|index| format!(",\"k{index}\":1.5")).collect();
    refused(format!("{{\"spec\":1{entries}}}").as_bytes(), Format::Json);
}

#[test]
fn wrong_names_without_end_stay_cheap() {
    let dependencies: String = (0..1_024).map(|i| format!("dependency.d{i:04}.role=\"observe\"\n")).collect();
    let needs = "\"e0123\",".repeat(256);
    let operations: String = (0..440).map(|i| format!("[operation.o{i}]\nneeds=[{needs}]\n")).collect();
    refused(format!("spec=1\nname=\"x\"\n{dependencies}{operations}").as_bytes(), Format::Toml);
    let parameters: String = (0..256).map(|i| format!("parameter.p{i:04}.default=1\n")).collect();
    let needs = "\"$q0123\",".repeat(256);
    let operations: String = (0..380).map(|i| format!("[operation.o{i}]\nneeds=[{needs}]\n")).collect();
    refused(format!("spec=1\nname=\"x\"\n{parameters}{operations}").as_bytes(), Format::Toml);
}
