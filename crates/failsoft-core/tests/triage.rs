//! The tables of the specification (9.13): what an answer on the wire is, as a fault class.

use failsoft_core::{Fault, HttpAnswer, Millis};

fn answer(status: u16, body: &str) -> Option<Fault> {
    Fault::from_http(HttpAnswer { status, body: body.as_bytes(), ..HttpAnswer::default() })
}

#[test]
fn http_statuses() {
    for (statuses, class) in [
        (&[200, 204, 299][..], None),
        (&[401, 403, 407], Some(Fault::Auth)),
        (&[402], Some(Fault::Payment)),
        (&[408], Some(Fault::Timeout)),
        (&[429], Some(Fault::Throttled)),
        (&[499], Some(Fault::Cancelled)),
        (&[400, 404, 405, 409, 410, 413, 415, 422, 451, 498], Some(Fault::Rejected)),
        (&[500, 502, 503, 504, 529, 599], Some(Fault::Unavailable)),
        (&[0, 100, 199, 301, 304, 399, 600, 999, u16::MAX], Some(Fault::Indeterminate)),
    ] {
        for status in statuses {
            assert_eq!(Fault::from_http_status(*status), class, "{status}");
        }
    }
}

#[test]
fn a_header_and_a_body_help_where_the_status_lies() {
    let told = HttpAnswer { status: 503, retry_after: Some(Millis::new(1_000)), body: b"" };
    assert_eq!(Fault::from_http(told), Some(Fault::Throttled));
    let credit = r#"{"error":{"message":"Your Credit balance is too low to access the API."}}"#;
    assert_eq!(answer(400, credit), Some(Fault::Payment));
    assert_eq!(answer(429, r#"{"error":{"code":"insufficient_quota"}}"#), Some(Fault::Payment));
    assert_eq!(answer(429, r#"{"error":{"code":"rate_limit_exceeded"}}"#), Some(Fault::Throttled));
    assert_eq!(answer(400, r#"{"reason":"API_KEY_INVALID"}"#), Some(Fault::Auth));
    assert_eq!(answer(400, r#"{"__type":"ThrottlingException"}"#), Some(Fault::Throttled));
    assert_eq!(answer(403, r#"{"code":"content_filter"}"#), Some(Fault::Rejected));
    // A body never makes a fault of what is none, nor changes what the status says plainly.
    assert_eq!(answer(200, credit), None);
    assert_eq!(answer(500, credit), Some(Fault::Unavailable));
    assert_eq!(answer(401, "rate_limit_exceeded"), Some(Fault::Auth));
}

#[test]
fn only_the_beginning_of_a_body_is_looked_at_and_any_bytes_are_fine() {
    let hint = "insufficient_quota";
    let at = |place: usize| format!("{}{hint}", " ".repeat(place));
    assert_eq!(answer(429, &at(4_096 - hint.len())), Some(Fault::Payment));
    assert_eq!(answer(429, &at(4_097 - hint.len())), Some(Fault::Throttled));
    let bytes: Vec<u8> = (0..=255).cycle().take(10_000).collect();
    let any = HttpAnswer { status: 400, retry_after: None, body: &bytes };
    assert_eq!(Fault::from_http(any), Some(Fault::Rejected));
}

#[test]
fn grpc_codes() {
    for (codes, class) in [
        (&[0][..], None),
        (&[1], Some(Fault::Cancelled)),
        (&[4], Some(Fault::Timeout)),
        (&[7, 12, 16], Some(Fault::Auth)),
        (&[8], Some(Fault::Throttled)),
        (&[3, 5, 6, 9, 10, 11], Some(Fault::Rejected)),
        (&[13, 14, 15], Some(Fault::Unavailable)),
        (&[2, 17, 99, u32::MAX], Some(Fault::Indeterminate)),
    ] {
        for code in codes {
            assert_eq!(Fault::from_grpc_code(*code), class, "{code}");
        }
    }
}
