//! A window, and the account of what went through it.

use serde_json::{Value, json};

use super::span::{self, POSTURES, digits};
use crate::words::name;

/// So many tenants are shown one by one: those with the most requests.
const TENANTS: usize = 20;
/// So many meters a matrix may have.
const METERS: usize = 256;

/// Names, and how much of each.
type Sums = Vec<(String, u64)>;

/// A window of one dependency; or several, merged.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Window {
    /// The rungs that it was used by, and since when.
    pub(super) marks: Vec<Mark>,
    /// Its last use, and when it was closed.
    pub(super) last_use: Option<i64>,
    pub(super) closed: Option<i64>,
    /// It ended with its matrix.
    pub(super) reloaded: bool,
    /// A snapshot was restored that does not have it.
    pub(super) lost: bool,
    pub(super) account: Account,
}

/// The first use of a rung.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Mark {
    pub(super) at: i64,
    pub(super) posture: u8,
    /// `rung 0 local_meter (quota down, timeout) in assist`.
    pub(super) said: String,
}

/// What went through.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Account {
    /// Whether one was told at all: that of a window which is still open may not be.
    pub(super) told: bool,
    pub(super) requests: u64,
    pub(super) amounts: Sums,
    /// By rung: its name and the requests.
    pub(super) rungs: Sums,
    /// By tenant: its name, the requests and the amounts.
    pub(super) tenants: Vec<(String, u64, Sums)>,
    /// How many tenants more there were, and their requests.
    pub(super) more: (u64, u64),
    pub(super) more_amounts: Sums,
    /// The row of those who had none of their own.
    pub(super) others: u64,
    pub(super) others_amounts: Sums,
}

impl Mark {
    /// Reads a `window.opened` or `window.changed`.
    pub(super) fn read(at: i64, event: &Value) -> Self {
        let text = |key: &str| event.get(key).and_then(Value::as_str).unwrap_or_default();
        let known = POSTURES.into_iter().find(|posture| posture.as_str() == text("posture"));
        let mut said = rung(event);
        let met: Vec<&str> =
            ["health", "fault"].into_iter().map(text).filter(|met| !met.is_empty()).collect();
        if !met.is_empty() {
            said = format!("{said} ({})", met.join(", "));
        }
        let operation = text("operation");
        if !operation.is_empty() {
            said = format!("{said} in {}", name(operation));
        }
        Self { at, posture: known.map(span::posture).unwrap_or_default(), said }
    }
}

/// `rung 0 local_meter`, or what stands where there is no rung.
fn rung(value: &Value) -> String {
    let kind = value.get("rung_kind").and_then(Value::as_str).unwrap_or_default();
    match value.get("rung").and_then(Value::as_u64) {
        Some(rung) => format!("rung {rung} {}", name(kind)),
        None => name(kind),
    }
}

impl Account {
    /// Reads the account's keys of a `window.closed` or of an open window that was asked for.
    pub(super) fn read(value: &Value) -> Self {
        let row = |key: &str| value.get(key).unwrap_or(&Value::Null);
        let list = |key: &str| row(key).as_array().map(Vec::as_slice).unwrap_or_default();
        let mut tenants: Vec<(&str, u64, &Value)> =
            list("tenants").iter().map(|row| (text(row, "tenant"), number(row, "requests"), row)).collect();
        // They come sorted by name; of those with as many requests the first stays first.
        tenants.sort_by_key(|(_, requests, _)| std::cmp::Reverse(*requests));
        let more = tenants.split_off(tenants.len().min(TENANTS));
        let mut more_amounts = Sums::new();
        more.iter().for_each(|(_, _, row)| add(&mut more_amounts, amounts(row)));
        let more = (more.len() as u64, more.iter().map(|(_, requests, _)| *requests).sum());
        Self {
            told: row("total").is_object(),
            requests: number(row("total"), "requests"),
            amounts: amounts(row("total")),
            rungs: list("decisions").iter().map(|row| (rung(row), number(row, "requests"))).collect(),
            tenants: tenants
                .into_iter()
                .map(|(tenant, requests, row)| (name(tenant), requests, amounts(row)))
                .collect(),
            more,
            more_amounts,
            others: number(row("others"), "requests"),
            others_amounts: amounts(row("others")),
        }
    }

    /// Takes in the account of a later window. Tenants are no longer told one by one.
    fn absorb(&mut self, next: Self) {
        self.told |= next.told;
        self.requests = self.requests.saturating_add(next.requests);
        add(&mut self.amounts, next.amounts);
        self.amounts.truncate(METERS);
        add(&mut self.rungs, next.rungs);
        self.tenants.clear();
        self.more = (0, 0);
        self.others = 0;
        self.more_amounts.clear();
        self.others_amounts.clear();
    }

    fn weight(&self) -> usize {
        let pairs = |pairs: &[(String, u64)]| -> usize {
            pairs.iter().map(|(name, amount)| json_length(name) + digits(*amount) + 6).sum()
        };
        let tenants = self.tenants.iter();
        let tenants = tenants
            .map(|(name, requests, amounts)| json_length(name) + digits(*requests) + pairs(amounts) + 12);
        pairs(&self.amounts)
            + pairs(&self.more_amounts)
            + pairs(&self.others_amounts)
            + pairs(&self.rungs)
            + tenants.sum::<usize>()
            + 80
    }

    fn json(&self) -> Value {
        if !self.told {
            return Value::Null;
        }
        json!({
            "requests": self.requests, "amounts": self.amounts, "rungs": self.rungs, "tenants": self.tenants,
            "more": self.more, "others": self.others,
        })
    }
}

impl Window {
    pub(super) fn absorb(&mut self, next: Self) {
        self.marks.clear();
        self.last_use = next.last_use;
        self.closed = next.closed;
        self.reloaded = next.reloaded;
        self.lost = next.lost;
        self.account.absorb(next.account);
    }

    /// It was last used so long before `at`; but time that an engine was away is not on the clock of a trace.
    pub(super) fn used(&mut self, at: i64, idle: i64, from: i64) {
        let mark = self.marks.last().map_or(from, |mark| mark.at);
        self.last_use = Some(at.saturating_sub(idle).max(mark));
    }

    /// Lets go of what can be done without.
    pub(super) fn bare(&mut self) {
        for (_, requests, amounts) in self.account.tenants.drain(..) {
            add(&mut self.account.more_amounts, amounts);
            let (tenants, all) = self.account.more;
            self.account.more = (tenants + 1, all.saturating_add(requests));
        }
        self.marks.truncate(1);
    }

    pub(super) fn weight(&self) -> usize {
        let marks =
            self.marks.iter().map(|mark| digits(mark.at.unsigned_abs()) + json_length(&mark.said) + 8);
        marks.sum::<usize>() + self.account.weight() + 60
    }

    pub(super) fn json(&self) -> Value {
        let marks: Vec<_> = self.marks.iter().map(|mark| (mark.at, mark.posture, &mark.said)).collect();
        json!({ "marks": marks, "last": self.last_use, "closed": self.closed, "account": self.account.json() })
    }
}

fn json_length(text: &str) -> usize {
    super::interned::Weigh::weight(&Box::from(text))
}

fn text<'v>(value: &'v Value, key: &str) -> &'v str {
    value.get(key).and_then(Value::as_str).unwrap_or_default()
}

fn number(value: &Value, key: &str) -> u64 {
    value.get(key).and_then(Value::as_u64).unwrap_or_default()
}

fn amounts(row: &Value) -> Sums {
    let amounts = row.get("amounts").and_then(Value::as_object);
    let pairs = amounts.into_iter().flatten().take(METERS);
    pairs.map(|(meter, amount)| (name(meter), amount.as_u64().unwrap_or_default())).collect()
}

fn add(sums: &mut Sums, more: Sums) {
    for (name, amount) in more {
        match sums.iter_mut().find(|(held, _)| *held == name) {
            Some((_, sum)) => *sum = sum.saturating_add(amount),
            None => sums.push((name, amount)),
        }
    }
}
