//! What a check finds (spec 11.3).

use alloc::string::String;
use alloc::vec::Vec;

use crate::Path;
use crate::explore::Situation;

/// How much a finding weighs.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Severity {
    /// A promise is broken, or could not be proven.
    Error,
    /// What a reviewer should know, or mend.
    Warning,
    /// A fact.
    Note,
}

impl Severity {
    /// Its name.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Error => "error",
            Self::Warning => "warning",
            Self::Note => "note",
        }
    }
}

macro_rules! codes {
    ($($name:ident = $text:literal, $severity:ident;)*) => {
        /// What is found (spec 11.3).
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
        pub enum Code {
            $(#[doc = concat!("`", $text, "`.")] $name,)*
        }

        impl Code {
            /// All there are.
            pub const ALL: &[Self] = &[$(Self::$name,)*];

            /// Its name.
            #[must_use]
            pub const fn as_str(self) -> &'static str {
                match self { $(Self::$name => $text,)* }
            }

            /// How much it weighs.
            #[must_use]
            pub const fn severity(self) -> Severity {
                match self { $(Self::$name => Severity::$severity,)* }
            }
        }
    };
}

codes! {
    BrokenInvariant = "broken-invariant", Error;
    BrokenLaw = "broken-law", Error;
    TooLarge = "too-large-to-prove", Error;
    VacuousInvariant = "vacuous-invariant", Warning;
    WorseIsLooser = "worse-is-looser", Warning;
    DeadRung = "dead-rung", Warning;
    DeadSetting = "dead-setting", Warning;
    DeadClass = "dead-class", Warning;
    DeadParameter = "dead-parameter", Warning;
    Unused = "unused", Warning;
    RunsOut = "runs-out", Warning;
    FallbackCycle = "fallback-cycle", Warning;
    Late = "late", Warning;
    NotEnforced = "not-enforced", Warning;
    UnboundedOpen = "unbounded-open", Warning;
    StaleSilence = "stale-silence", Warning;
    SharedCap = "shared-cap", Note;
    BusinessStatus = "business-status", Note;
    Promise = "promise", Note;
}

/// Something that is found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Found {
    /// What.
    pub code: Code,
    /// Where in the document.
    pub path: Path,
    /// In one sentence without a final period.
    pub what: String,
    /// What to do about it, in one sentence without a final period.
    pub help: Option<String>,
    /// The smallest situation that shows it, where one does.
    pub situation: Option<Situation>,
}

/// All that a check has found, and how much it has gone through.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Report {
    /// Errors first, then in the order of the document.
    pub found: Vec<Found>,
    /// How many operations there are, and of how many everything was gone through.
    pub operations: (usize, usize),
    /// How many invariants there are, and how many hold.
    pub invariants: (usize, usize),
    /// How many ways there are in which needs are answered, in all.
    pub ways: u64,
}
