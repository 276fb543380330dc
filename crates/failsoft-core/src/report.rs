//! What a call met, and how a guard was passed.

use crate::Fault;

/// What a call met.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Report {
    /// It answered; a guard said yes.
    Ok,
    /// It answered, and the answer is no.
    Refused,
    /// It failed.
    Failed(Fault),
}

impl Report {
    /// `ok`, `refused` or the fault's class.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Ok => "ok",
            Self::Refused => "refused",
            Self::Failed(fault) => fault.as_str(),
        }
    }

    /// The report of that name.
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        match name {
            "ok" => Some(Self::Ok),
            "refused" => Some(Self::Refused),
            name => Fault::from_name(name).map(Self::Failed),
        }
    }

    /// Every name that [`from_name`](Self::from_name) knows.
    pub fn names() -> impl Iterator<Item = &'static str> + Clone {
        ["ok", "refused"].into_iter().chain(Fault::ALL.iter().map(|fault| fault.as_str()))
    }
}

/// How a guard was passed in a committed decision that went on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Pass {
    Replaced,
    Skipped,
}
