//! From an answer on the wire to a fault class, so that hosts agree (spec 9.13).

use crate::{Fault, Millis};

/// What an HTTP dependency answered, as far as it says how a call failed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct HttpAnswer<'a> {
    /// The status.
    pub status: u16,
    /// What the `Retry-After` header said.
    pub retry_after: Option<Millis>,
    /// The beginning of the body; 4,096 bytes are looked at.
    pub body: &'a [u8],
}

/// How much of a body is looked at.
const LOOKED_AT: usize = 4_096;

/// What a body says where the status alone lies, in lower case; the first that is found stands.
const HINTS: &[(&str, Fault)] = &[
    ("insufficient_quota", Fault::Payment),
    ("credit balance is too low", Fault::Payment),
    ("billing_hard_limit_reached", Fault::Payment),
    ("billing_not_active", Fault::Payment),
    ("insufficient_balance", Fault::Payment),
    ("insufficient credits", Fault::Payment),
    ("invalid_api_key", Fault::Auth),
    ("api_key_invalid", Fault::Auth),
    ("api key not valid", Fault::Auth),
    ("expiredtoken", Fault::Auth),
    ("unrecognizedclient", Fault::Auth),
    ("invalidsignature", Fault::Auth),
    ("signaturedoesnotmatch", Fault::Auth),
    ("throttlingexception", Fault::Throttled),
    ("too many requests", Fault::Throttled),
    ("rate_limit_exceeded", Fault::Throttled),
];

/// A provider's own no to the content, dressed as a 403.
const CONTENT: &[&str] = &["content_filter", "content_policy_violation"];

impl Fault {
    /// The class of an HTTP status; none where it is no fault (2xx).
    ///
    /// ```
    /// use failsoft_core::Fault;
    /// assert_eq!(Fault::from_http_status(200), None);
    /// assert_eq!(Fault::from_http_status(503), Some(Fault::Unavailable));
    /// assert_eq!(Fault::from_http_status(429), Some(Fault::Throttled));
    /// ```
    #[must_use]
    pub const fn from_http_status(status: u16) -> Option<Self> {
        Some(match status {
            200..=299 => return None,
            401 | 403 | 407 => Self::Auth,
            402 => Self::Payment,
            408 => Self::Timeout,
            429 => Self::Throttled,
            499 => Self::Cancelled,
            400..=499 => Self::Rejected,
            500..=599 => Self::Unavailable,
            _ => Self::Indeterminate,
        })
    }

    /// The class of an HTTP answer, with what its header and its body add where the status alone lies: a 400 that
    /// means an empty account, a 429 that no waiting cures.
    ///
    /// ```
    /// use failsoft_core::{Fault, HttpAnswer};
    /// let body = br#"{"error":{"code":"insufficient_quota"}}"#;
    /// let answer = HttpAnswer { status: 429, body, ..HttpAnswer::default() };
    /// assert_eq!(Fault::from_http(answer), Some(Fault::Payment));
    /// ```
    #[must_use]
    pub fn from_http(answer: HttpAnswer<'_>) -> Option<Self> {
        let by_status = Self::from_http_status(answer.status)?;
        if answer.status == 503 && answer.retry_after.is_some() {
            return Some(Self::Throttled);
        }
        if !matches!(answer.status, 400 | 403 | 404 | 422 | 429) {
            return Some(by_status);
        }
        let body = answer.body.get(..LOOKED_AT).unwrap_or(answer.body);
        let says = |phrase: &str| {
            body.windows(phrase.len()).any(|window| window.eq_ignore_ascii_case(phrase.as_bytes()))
        };
        if answer.status == 403 && CONTENT.iter().any(|phrase| says(phrase)) {
            return Some(Self::Rejected);
        }
        let hint = HINTS.iter().find(|(phrase, _)| says(phrase));
        Some(hint.map_or(by_status, |(_, fault)| *fault))
    }

    /// The class of a gRPC status code; none where it is no fault (0, OK).
    ///
    /// ```
    /// use failsoft_core::Fault;
    /// assert_eq!(Fault::from_grpc_code(0), None);
    /// assert_eq!(Fault::from_grpc_code(14), Some(Fault::Unavailable));
    /// ```
    #[must_use]
    pub const fn from_grpc_code(code: u32) -> Option<Self> {
        Some(match code {
            0 => return None,
            1 => Self::Cancelled,
            4 => Self::Timeout,
            7 | 12 | 16 => Self::Auth,
            8 => Self::Throttled,
            3 | 5 | 6 | 9 | 10 | 11 => Self::Rejected,
            13..=15 => Self::Unavailable,
            _ => Self::Indeterminate,
        })
    }
}
