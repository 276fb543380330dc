//! Meters (spec 8): what the store last said of a key, and what this instance has counted itself. The modules below:
//! `table` (keys, room), `period` (periods and the lives of readings), `count` (amounts), `reading`, `limits` (operators),
//! `question` (what decisions ask).

mod count;
mod limits;
mod period;
mod question;
mod reading;
mod table;

use serde_json::{Value, json};

use crate::document::Meter;
use crate::numbers::plus;

pub(crate) use count::Finish;
pub(crate) use question::{Allowance, divisor, share_of};
pub(crate) use reading::Read;

/// LIM-2: so many unsettled amounts of a meter are remembered (MET-31).
const UNSETTLED: usize = 65_536;

/// LIM-2: a name of more bytes is told as null (MET-40).
const LONGEST_NAME: usize = 4_096;

/// LIM-2: so many amounts of a meter are owed apart (MET-40).
const OWED: usize = 65_536;

/// The number of instances last told, and when (trace.md, `instances`).
pub(crate) type Instances = Option<(i64, i64)>;

/// What the store last said of a key (MET-6).
#[derive(Clone, Debug)]
struct Reading {
    used: i64,
    time: i64,
    limit: Option<i64>,
    mode: Option<String>,
    /// The moment at which the store begins to count anew, where it was told, by this reading or one before (MET-30).
    reset: Option<i64>,
}

/// One key (MET-6). Its unsettled amounts stand in the table, each with its own end.
#[derive(Clone, Debug)]
pub(crate) struct Key {
    names: Vec<String>,
    reading: Option<Reading>,
    newer: i64,
    older: i64,
    unreported: i64,
    /// The period that runs; none before the first amount (MET-2).
    period: Option<Period>,
    /// The number of the last reading accepted (MET-7: "since the commit").
    accepted: u64,
    /// `limit.reached` was told, and since then neither has a period ended nor the reading gone (MET-25).
    reached: bool,
    /// Its place in the order in which keys began to have something unreported (TRC-22).
    unreported_from: u64,
}

/// A period of what is counted of a key (MET-2).
#[derive(Clone, Debug)]
struct Period {
    /// When it began.
    start: i64,
    /// It began where the one before ended (MET-30).
    carried: bool,
    /// Up to when `older` was settled (MET-34).
    mark: i64,
    /// Which period this is, so that a request's own part is known to be in it or not. None has 0.
    number: u64,
}

/// An amount of a request that has not finished (MET-31).
#[derive(Clone, Debug)]
struct Unsettled {
    id: u64,
    names: Vec<String>,
    amount: i64,
    due: i64,
    /// As in what the request took.
    unreported: bool,
}

/// What a request took from a meter (MET-5).
#[derive(Clone, Debug)]
pub(crate) struct Taken {
    pub(crate) amount: i64,
    pub(crate) names: Vec<String>,
    /// Under which number it was counted; none where it was 0, or found no room.
    id: Option<u64>,
    /// The period of the commit (MET-7).
    period: u64,
    /// Whether it is unreported (MET-40), by the commit that took it or by what the request told later.
    unreported: bool,
}

impl Taken {
    /// MET-12: a full table kept it from being counted.
    pub(crate) fn found_no_room(&self) -> bool {
        self.amount > 0 && self.id.is_none()
    }
}

/// One meter's state.
#[derive(Clone, Debug, Default)]
pub(crate) struct Table {
    /// The row of MET-11. Time alone takes nobody out of it.
    row: Vec<Key>,
    pending: Vec<Unsettled>,
    limits: limits::Limits,
    /// What keys that have left, or whose period a window ended, had unreported, in the order in which it became owed
    /// (MET-40).
    owed: Vec<Owed>,
    full_told: bool,
    /// Counts commits, readings and periods, so that one is known to be later than another at the same moment.
    ticks: u64,
}

/// Told as soon as it can be, and counted no more (MET-40).
#[derive(Clone, Debug)]
struct Owed {
    /// Empty where several are owed together, under no name.
    names: Vec<String>,
    amount: i64,
    from: u64,
    /// When its period ended; none where the key had to leave before.
    ended: Option<i64>,
}

/// What a line that touched a key tells of it (MET-12, MET-25).
#[derive(Clone, Debug, Default)]
pub(crate) struct Told {
    pub(crate) reached: Option<Value>,
    pub(crate) full: bool,
}

/// MET-1 and REQ-7: the key is made of the names that the meter's `key` lists; a missing one is the empty string.
pub(crate) fn key(meter: &Meter, tenant: &str, session: &str) -> Vec<String> {
    let part = |name: &String| {
        if name == "tenant" { tenant.to_owned() } else { session.to_owned() }
    };
    meter.key.iter().map(part).collect()
}

/// trace.md: the names of a key in an event; `session` is null where the meter counts by tenant alone.
fn named(names: &[String]) -> (Value, Value) {
    let told = |name: Option<&String>| match name {
        Some(name) if name.len() <= LONGEST_NAME => json!(name),
        _ => Value::Null,
    };
    (told(names.first()), told(names.get(1)))
}

impl Key {
    /// A key of which nothing is counted or read yet.
    fn new(names: Vec<String>) -> Key {
        Key {
            names,
            reading: None,
            newer: 0,
            older: 0,
            unreported: 0,
            period: None,
            accepted: 0,
            reached: false,
            unreported_from: 0,
        }
    }

    /// MET-8: the parts that are settled, together.
    fn settled(&self) -> i64 {
        plus(plus(self.newer, self.older), self.unreported)
    }

    /// Which period runs; 0 where none does.
    fn number(&self) -> u64 {
        self.period.as_ref().map_or(0, |period| period.number)
    }

    /// The reading's `used`, 0 without one.
    fn used(&self) -> i64 {
        self.reading.as_ref().map_or(0, |reading| reading.used)
    }
}
