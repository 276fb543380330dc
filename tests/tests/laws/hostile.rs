//! LAW-15. What a fault inside the engine does is the business of the library that wraps it.

use failsoft::Matrix;
use failsoft::document::{Format, Options, load};
use failsoft_model::generate;
use failsoft_tests::fuzz::refused_lines_leave_nothing;
use proptest::prelude::*;

/// A matrix and the lines of its trace as text.
fn world(seed: u64) -> (Matrix, Vec<String>) {
    let case = generate::case_of_one_matrix(seed);
    let options = Options { parameters: case.parameters.clone() };
    let loaded =
        load("m", case.document.to_string().as_bytes(), Format::Json, &options).expect("a valid document");
    (loaded.matrix, case.lines.iter().map(ToString::to_string).collect())
}

/// No panic; a refused line has a place and leaves nothing behind.
fn holds(seed: u64, place: usize, bad: &str) {
    let (matrix, mut lines) = world(seed);
    let place = place % (lines.len() + 1);
    lines.insert(place, bad.to_owned());
    refused_lines_leave_nothing(&matrix, &lines.iter().map(String::as_str).collect::<Vec<_>>());
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 1_500, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn law_15_never_the_outage_any_text(seed in 0_u64..200, place: usize, bad in "\\PC*") {
        holds(seed, place, &bad);
    }

    #[test]
    fn law_15_never_the_outage_json_like_text(
        seed in 0_u64..200, place: usize,
        bad in r#"\{"(at_ms|decide|outcome|finish|override|reading|usage|restart|ä)": ?([0-9\-\.eE+]{1,30}|"[a-zé\\u0-9"]{0,9}|\{.{0,20}\}|\[*|null|true),?.{0,5}\}?"#,
    ) {
        holds(seed, place, &bad);
    }

    #[test]
    fn law_15_never_the_outage_a_line_with_bytes_changed(
        seed in 0_u64..400, place: usize, from: usize,
        changes in prop::collection::vec((any::<usize>(), any::<u8>(), 0_u8..3), 1..4),
    ) {
        let (_, lines) = world(seed);
        let mut bytes = lines[from % lines.len()].clone().into_bytes();
        for (at, byte, what) in changes {
            let at = at % bytes.len().max(1);
            match what {
                0 if !bytes.is_empty() => bytes[at] = byte,
                1 => bytes.insert(at, byte),
                _ => bytes.truncate(at),
            }
        }
        holds(seed, place, &String::from_utf8_lossy(&bytes));
    }

    #[test]
    fn law_15_never_the_outage_numbers_beyond_all_bounds(
        seed in 0_u64..400, place: usize, from: usize, number in r"-?[0-9]{1,400}|-?[0-9]{1,5}(\.[0-9]{1,9})?[eE][+-]?[0-9]{1,5}",
    ) {
        let (_, lines) = world(seed);
        // Every number of a line in turn has the same form: digits after a colon.
        let line = &lines[from % lines.len()];
        for (at, _) in line.match_indices(':') {
            let rest = &line[at + 1..];
            let digits = rest.len() - rest.trim_start_matches(|digit: char| digit.is_ascii_digit() || digit == '-').len();
            if digits > 0 {
                holds(seed, place, &format!("{}{number}{}", &line[..=at], &rest[digits..]));
            }
        }
    }
}

#[test]
fn law_15_never_the_outage_depth_and_length() {
    let deep =
        |open: &str, close: &str, times: usize| format!("{}1{}", open.repeat(times), close.repeat(times));
    let long = "x".repeat(1_000_000);
    for bad in [
        deep("[", "]", 100_000),
        deep("{\"decide\":", "}", 100_000),
        format!("{{\"reading\":{}}}", deep("[", "]", 100_000)),
        format!("{{\"restart\":{}}}", deep("{\"a\":", "}", 100_000)),
        format!("{{\"override\":{{\"limit\":{}}}}}", deep("[", "]", 100_000)),
        format!("{{\"decide\":{{\"operation\":\"{long}\"}}}}"),
        format!("{{\"{long}\":{{}}}}"),
        format!(
            "{{\"decide\":{{\"operation\":\"op-0\",\"tenant\":\"{long}\",\"attributes\":{{\"{long}\":\"{long}\"}}}}}}"
        ),
        "\u{0}".repeat(10_000),
    ] {
        for seed in 0..5 {
            holds(seed, 3, &bad);
        }
    }
}
