//! The form in which the keys of the document are written down: one table drives the reading, the messages, the
//! limits, the defaults of the canonical form and the JSON Schema. The tables themselves stand in `tables.rs` and
//! `rungs.rs`.

use failsoft_core::INTEGER_MAX;

/// A table of the document.
#[derive(Debug)]
pub(crate) struct Table {
    /// What a message calls it: "a dependency".
    pub(crate) title: &'static str,
    /// What it is, in one sentence; in the JSON Schema.
    pub(crate) doc: &'static str,
    /// Its keys, in groups that tables share.
    pub(crate) keys: &'static [&'static [Key]],
    /// One of these at least must be there; checked when the matrix is compiled.
    pub(crate) one_of: &'static [&'static str],
}

impl Table {
    pub(crate) fn keys(&self) -> impl Iterator<Item = &'static Key> + Clone {
        self.keys.iter().flat_map(|group| group.iter())
    }

    pub(crate) fn key(&self, name: &str) -> Option<&'static Key> {
        self.keys().find(|key| key.name == name)
    }
}

/// A key of a table.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Key {
    pub(crate) name: &'static str,
    pub(crate) kind: Kind,
    pub(crate) required: bool,
    pub(crate) default: Default,
    /// What it says, in one line; in messages and in the JSON Schema.
    pub(crate) doc: &'static str,
}

impl Key {
    pub(crate) const fn new(name: &'static str, kind: Kind, doc: &'static str) -> Self {
        Self { name, kind, required: false, default: Default::None, doc }
    }

    pub(crate) const fn required(mut self) -> Self {
        self.required = true;
        self
    }

    pub(crate) const fn default(mut self, default: Default) -> Self {
        self.default = default;
        self
    }
}

/// What a key has where the document does not write it.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Default {
    None,
    Integer(u64),
    /// A duration in milliseconds, and as a document would write it.
    Millis(u64, &'static str),
    Bool(bool),
    Word(&'static str),
    Words(&'static [&'static str]),
    /// A list, table or rung with nothing written in it.
    Empty,
}

/// What a key takes.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Kind {
    /// The specification version.
    Spec,
    Integer {
        min: u64,
        max: u64,
    },
    /// A string such as `"250ms"`, in a range of milliseconds.
    Duration {
        min: u64,
        max: u64,
    },
    /// A name of the matrix.
    Name,
    /// 1 to 128 bytes of printable ASCII without spaces.
    Word,
    /// The same, and spaces.
    Line,
    /// Any string.
    Text,
    /// One of a few strings.
    Choice(fn() -> Vec<&'static str>),
    Bool,
    /// `"off"`, or what is said here.
    OrOff(&'static Kind),
    /// A boolean, an integer or a string.
    Scalar,
    /// `"per_instance"` or a whole percentage.
    Share,
    /// `["tenant"]` or `["tenant", "session"]`.
    MeterKey,
    List {
        of: &'static Kind,
        min: usize,
        max: usize,
        form: Form,
    },
    /// A table with these keys.
    Table(&'static Table),
    /// A table with keys of the author's own.
    Map {
        of: &'static Kind,
        keys: &'static Kind,
        min: usize,
        max: usize,
    },
    Rung(Place),
    /// The `deny` of a refuse rule: a table, or `true`.
    Deny,
}

impl Kind {
    /// Whether a kind of value is a duration, be it one that can be off.
    pub(crate) fn is_duration(&self) -> bool {
        match self {
            Self::Duration { .. } => true,
            Self::OrOff(kind) => kind.is_duration(),
            _ => false,
        }
    }

    /// Any whole number that a document may hold.
    pub(crate) const WHOLE: Self = Self::Integer { min: 0, max: INTEGER_MAX };
    /// Any duration.
    pub(crate) const SPAN: Self = Self::Duration { min: 0, max: INTEGER_MAX };
    /// A duration that is some time.
    pub(crate) const SOME_TIME: Self = Self::Duration { min: 1, max: INTEGER_MAX };
}

/// How a list stands in the canonical form.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Form {
    /// As written.
    AsWritten,
    /// Sorted by bytes, without repeats.
    Set,
}

/// Where a rung stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Place {
    Ladder,
    Refusal,
}

macro_rules! names_of {
    ($($function:ident = $vocabulary:ty;)*) => {$(
        pub(crate) fn $function() -> Vec<&'static str> {
            <$vocabulary>::ALL.iter().map(|entry| entry.as_str()).collect()
        }
    )*};
}

names_of! {
    roles = failsoft_core::Role;
    stages = failsoft_core::Stage;
    effects = failsoft_core::Effect;
    faults = failsoft_core::Fault;
    healths = failsoft_core::Health;
    verdicts = failsoft_core::Verdict;
    postures = failsoft_core::Posture;
    enforcements = failsoft_core::Enforcement;
    meter_modes = failsoft_core::MeterMode;
    rung_kinds = failsoft_core::RungKind;
    initial_states = failsoft_core::InitialState;
    window_types = failsoft_core::SlidingWindowType;
    half_open_policies = failsoft_core::HalfOpenPolicy;
    half_open_exits = failsoft_core::HalfOpenExit;
    unlisted_errors = failsoft_core::UnlistedError;
    retry_after_policies = failsoft_core::RetryAfterPolicy;
}

pub(crate) fn last_known_ofs() -> Vec<&'static str> {
    vec!["request", "dependency"]
}

/// What an invariant may suppose of a dependency.
pub(crate) fn conditions() -> Vec<&'static str> {
    ["fine", "refused", "failed"].into_iter().chain(faults()).collect()
}

/// What can be silenced of what a check finds.
pub(crate) fn silenced() -> Vec<&'static str> {
    let codes = failsoft_core::check::Code::ALL.iter();
    codes
        .filter(|code| code.severity() != failsoft_core::check::Severity::Error)
        .map(|code| code.as_str())
        .collect()
}
