//! The keys of rungs: one table a kind, each with its own settings and those that all share.

use failsoft_core::RungKind;

use super::keys::{Default, Form, Key, Kind, Place, Table, last_known_ofs};
use super::tables::{LIST_MOST, WHEN};

const SHARED: &[Key] = &[
    Key::new("when", Kind::Table(&WHEN), "What the rung is narrowed to."),
    Key::new("cap", Kind::Table(&CAP), "A bound on what the rung lets through, or for how long it stands."),
];

/// Exactly one of the first three; `total` stands with a count only.
static CAP: Table = Table {
    title: "a cap",
    doc: "A bound on what a rung lets through, or for how long it stands.",
    one_of: &[],
    keys: &[&[
        Key::new("requests", SOME, "So many requests of a key, in one window."),
        Key::new("amount", SOME, "So much of a meter, of a key, in one window."),
        Key::new(
            "time",
            Kind::SOME_TIME,
            "For so long after the window opened; of a rung that stops, after the failure began.",
        ),
        Key::new(
            "meter",
            Kind::Name,
            "The meter whose amounts are counted, or whose keys requests are counted by.",
        ),
        Key::new(
            "total",
            Kind::Bool,
            "Whether all requests are counted together. False where it is left out.",
        ),
    ]],
};

const SOME: Kind = Kind::Integer { min: 1, max: failsoft_core::INTEGER_MAX };

const TOLD: &[Key] = &[
    Key::new(
        "also",
        Kind::List { of: &Kind::Word, min: 0, max: LIST_MOST, form: Form::AsWritten },
        "Further obligations, by name.",
    )
    .default(Default::Empty),
    Key::new("emit", Kind::Word, "The event that taking this rung tells."),
    Key::new("reason", Kind::Line, "Why, in that event."),
    Key::new("alert", Kind::Line, "Who is to be called, in that event."),
];

const STATUS: Key = Key::new(
    "status",
    Kind::Integer { min: 100, max: 599 },
    "The HTTP status of a decision that it decides.",
);
const CODE: Key = Key::new("code", Kind::Word, "The code of a decision that it decides.");
const ANSWER: &[Key] = &[STATUS, CODE];
const DENIAL: &[Key] =
    &[STATUS.default(Default::Integer(503)), CODE.default(Default::Word("DEPENDENCY_UNAVAILABLE"))];
const REFUSAL: &[Key] = &[STATUS.default(Default::Integer(403)), CODE.default(Default::Word("REFUSED"))];
const DEFERRAL: &[Key] = &[STATUS.default(Default::Integer(202)), CODE];
const WITHHELD: &[Key] = &[STATUS.default(Default::Integer(200)), CODE];

macro_rules! rung {
    ($name:ident, $title:literal, $doc:literal, $answer:ident $(, $own:expr)*) => {
        static $name: Table =
            Table { title: $title, doc: $doc, one_of: &[], keys: &[&[$($own),*], TOLD, $answer, SHARED] };
    };
}

rung!(ALLOW, "an `allow` rung", "Go on with nothing in its place.", ANSWER);
rung!(DENY, "a `deny` rung", "Stop: no.", DENIAL);
rung!(DENY_REFUSED, "a `deny` rung", "Stop: what was refused does not happen.", REFUSAL);
rung!(DEFER, "a `defer` rung", "Stop: not now.", DEFERRAL);
rung!(WITHHOLD, "a `withhold` rung", "Go on and suppress the output.", WITHHELD);
rung!(METADATA_ONLY, "a `metadata_only` rung", "Store metadata, not the content.", ANSWER);
rung!(DROP_TELEMETRY, "a `drop_telemetry` rung", "Drop the telemetry of this request.", ANSWER);
rung!(SKIP_TOOL, "a `skip_tool` rung", "Skip the tool and say so.", ANSWER);
rung!(READ_ONLY, "a `read_only` rung", "Go on, reading only.", ANSWER);
rung!(
    RETRY,
    "a `retry` rung",
    "Stop for now: do this one call again after the wait.",
    ANSWER,
    Key::new("max_attempts", Kind::Integer { min: 0, max: 1_000_000 }, "So many calls in all.").required(),
    Key::new("base", Kind::SPAN, "The first wait.").default(Default::Millis(1_000, "1s")),
    Key::new(
        "multiplier",
        Kind::Integer { min: 100, max: failsoft_core::INTEGER_MAX },
        "Each further wait, as a percentage of the one before."
    )
    .default(Default::Integer(200)),
    Key::new("jitter", Kind::Integer { min: 0, max: 100 }, "By how many percent a wait may be stretched.")
        .default(Default::Integer(0))
);
rung!(
    FALLBACK,
    "a `fallback` rung",
    "Use another dependency that is fine.",
    ANSWER,
    Key::new("to", Kind::Name, "The dependency to use instead.").required()
);
rung!(
    LAST_KNOWN,
    "a `last_known` rung",
    "Use the last good answer, if it is young enough.",
    ANSWER,
    Key::new("max_age", Kind::SPAN, "No older than this.").required(),
    Key::new(
        "of",
        Kind::Choice(last_known_ofs),
        "Whose age counts: the cached yes that the request tells, or the dependency's last ok."
    )
    .default(Default::Word("request"))
);
rung!(
    LOCAL_METER,
    "a `local_meter` rung",
    "Count here, against this instance's share of the limit.",
    ANSWER,
    Key::new("meter", Kind::Name, "The meter to count on.").required(),
    Key::new(
        "share",
        Kind::Share,
        "This instance's share of the limit: `per_instance`, or a whole percentage."
    )
    .default(Default::Word("per_instance"))
);
rung!(
    OUTBOX,
    "an `outbox` rung",
    "Store what was to be sent, numbered, and send it later.",
    ANSWER,
    Key::new("capacity", Kind::WHOLE, "Available while fewer than so many wait.").required()
);
rung!(
    LEAST_BAD,
    "a `least_bad` rung",
    "Try the one of what is down whose wait ends first (panic mode).",
    ANSWER,
    Key::new(
        "of",
        Kind::List { of: &Kind::Name, min: 1, max: LIST_MOST, form: Form::AsWritten },
        "The dependencies to try."
    )
    .required()
);
rung!(
    SUBSTITUTE,
    "a `substitute` rung",
    "A substitute of the host's own; the obligation has its name.",
    ANSWER,
    Key::new("name", Kind::Word, "What the host calls it.").required()
);

/// The `deny` of a refuse rule: it has no `when` of its own.
pub(crate) static REFUSE_DENY: Table = Table {
    title: "the `deny` of a refuse rule",
    doc: "Stop: what was refused does not happen.",
    one_of: &[],
    keys: &[TOLD, REFUSAL],
};

/// The settings of a rung of that kind in that place.
pub(crate) fn table(kind: RungKind, place: Place) -> &'static Table {
    match (kind, place) {
        (RungKind::Allow, _) => &ALLOW,
        (RungKind::Deny, Place::Ladder) => &DENY,
        (RungKind::Deny, Place::Refusal) => &DENY_REFUSED,
        (RungKind::Defer, _) => &DEFER,
        (RungKind::Withhold, _) => &WITHHOLD,
        (RungKind::Retry, _) => &RETRY,
        (RungKind::Fallback, _) => &FALLBACK,
        (RungKind::LastKnown, _) => &LAST_KNOWN,
        (RungKind::LocalMeter, _) => &LOCAL_METER,
        (RungKind::Outbox, _) => &OUTBOX,
        (RungKind::LeastBad, _) => &LEAST_BAD,
        (RungKind::MetadataOnly, _) => &METADATA_ONLY,
        (RungKind::DropTelemetry, _) => &DROP_TELEMETRY,
        (RungKind::SkipTool, _) => &SKIP_TOOL,
        (RungKind::ReadOnly, _) => &READ_ONLY,
        (RungKind::Substitute, _) => &SUBSTITUTE,
    }
}
