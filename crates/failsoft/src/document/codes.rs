//! Every code that a diagnostic of a document may carry. Codes are stable: tools may rest on them.

/// A code and what it stands for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Code {
    /// The stable name, in kebab-case.
    pub name: &'static str,
    /// What it stands for, in one sentence.
    pub meaning: &'static str,
}

macro_rules! codes {
    ($($constant:ident = $name:literal, $meaning:literal;)*) => {
        $(pub(crate) const $constant: &str = $name;)*

        /// Codes of mistakes that one place of a document shows by itself.
        const OF_THE_DOCUMENT: &[Code] = &[$(Code { name: $name, meaning: $meaning }),*];
    };
}

codes! {
    NOT_UTF8 = "not-utf8", "The document is not UTF-8.";
    BYTE_ORDER_MARK = "byte-order-mark", "The document begins with a byte order mark.";
    TOO_LARGE = "too-large", "The document is larger than 1 MiB.";
    TOO_DEEP = "too-deep", "Tables and lists are nested more than 32 deep.";
    SYNTAX = "syntax", "The text is not TOML, or not JSON.";
    DUPLICATE_KEY = "duplicate-key", "A key stands twice in one table.";
    FLOAT = "float", "A number has a point or an exponent.";
    NEGATIVE_NUMBER = "negative-number", "A number is below zero.";
    NUMBER_TOO_BIG = "number-too-big", "A number is above 2^53 - 1.";
    DATE = "date", "A TOML date or time, which no key takes.";
    NULL = "null", "A JSON null, which no key takes.";
    TOO_LONG = "too-long", "A string is longer than 4,096 bytes.";
    WRONG_TYPE = "wrong-type", "A value is of another type than its key takes.";
    UNKNOWN_KEY = "unknown-key", "No such key in this table.";
    MISSING_KEY = "missing-key", "A required key is not there.";
    UNSUPPORTED_SPEC = "unsupported-spec", "The document is of a specification version that is not read here.";
    OUT_OF_RANGE = "out-of-range", "A number or a duration is outside its range.";
    BAD_DURATION = "bad-duration", "A string is not a whole number and one unit.";
    BAD_NAME = "bad-name", "A name, event, code or reason holds what it may not, or is too long or empty.";
    UNKNOWN_VALUE = "unknown-value", "A string is not one of the values that its key takes.";
    RUNG_SHAPE = "rung-shape", "A rung is not a table with exactly one key, its kind.";
    UNKNOWN_RUNG = "unknown-rung", "No such kind of rung.";
    EMPTY_LIST = "empty-list", "A list or table has fewer entries than it needs.";
    TOO_MANY = "too-many", "A list or table has more entries than it may.";
    UNKNOWN_PARAMETER = "unknown-parameter", "No such parameter in the matrix.";
    BAD_PARAMETER_VALUE = "bad-parameter-value", "A value given for a parameter can't be read as its type.";
    MORE_MISTAKES = "more-mistakes", "There are more mistakes than are shown.";
}

/// Codes of mistakes that join two places, found when names become ids.
const OF_THE_MATRIX: &[Code] = &[
    code("bad-cap", "A cap bounds nothing, or more than one thing, or what its rung can't bound."),
    code("bad-classes", "A class of faults counts two ways, or one that the caller causes counts."),
    code("break-glass-not-a-guard", "A dependency that is no guard declares `break_glass`."),
    code("caller-opens-gate", "A rung that goes on names a fault that the caller causes, on a guard."),
    code("empty-condition", "A refuse rule has no condition."),
    code("empty-promise", "An invariant promises nothing."),
    code("fault-in-refusal", "A refusal is narrowed to a fault class, which it never has."),
    code("empty-reason", "A silence has no reason."),
    code("irreversible-substitute", "A guard's rung names `irreversible` and may not."),
    code("meter-of-another-store", "A `local_meter` rung does not stand on its meter's store."),
    code("missing-deadline", "A guard or server has no deadline."),
    code("missing-max-instances", "A share per instance needs the meter's `max_instances`."),
    code("out-of-order", "A limit stands on the wrong side of another."),
    code("own-target", "A dependency is its own fallback."),
    code("reason-without-event", "A rung has a `reason` and neither `emit` nor `alert`."),
    code("repeated-name", "A name stands twice where it may stand once."),
    code("reserved-name", "A name that failsoft keeps for itself."),
    code("rung-not-allowed", "A rung of this kind may not stand here."),
    code("store-not-a-guard", "A meter's store is no guard."),
    code("uneven-buckets", "The buckets of a window do not divide its duration."),
    code("unknown-class", "No such class in the matrix."),
    code("unknown-dependency", "No such dependency in the matrix."),
    code("unknown-meter", "No such meter in the matrix."),
    code("unknown-operation", "No such operation in the matrix."),
    code("wrong-parameter-type", "A parameter is compared with a value of another type."),
];

const fn code(name: &'static str, meaning: &'static str) -> Code {
    Code { name, meaning }
}

/// All codes, first those of single places, then those that join two.
///
/// ```
/// let names: Vec<&str> = failsoft::document::codes::all().map(|code| code.name).collect();
/// assert!(names.contains(&"unknown-key") && names.contains(&"unknown-dependency"));
/// ```
pub fn all() -> impl Iterator<Item = Code> {
    OF_THE_DOCUMENT.iter().chain(OF_THE_MATRIX).copied()
}

/// What a code stands for.
///
/// ```
/// use failsoft::document::codes::meaning;
/// assert_eq!(meaning("float"), Some("A number has a point or an exponent."));
/// assert_eq!(meaning("no-such-code"), None);
/// ```
#[must_use]
pub fn meaning(name: &str) -> Option<&'static str> {
    all().find(|code| code.name == name).map(|code| code.meaning)
}
