//! A half-open circuit's permits, kept as a person would: who is out and until when, and what has counted.

use serde_json::{Value, json};

use crate::desk::{FOR_EVER, IGNORED};

/// How trials are decided.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Policy {
    /// Failed trials of so many that counted, in percent.
    Rate { minimum: u64, threshold: u64 },
    /// So many successes.
    MOfN { m: u64 },
}

/// Settings of one dependency, as far as a half-open circuit looks at them.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Terms {
    pub(crate) n: u64,
    pub(crate) policy: Policy,
    /// How long a permit lasts.
    pub(crate) ttl: i64,
    /// The longest stay.
    pub(crate) stay: Option<i64>,
    /// Whether the longest stay ends in a closed circuit.
    pub(crate) stay_closes: bool,
}

/// How a stay in half open ended.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum End {
    Closed,
    Opened,
}

/// A trial's permit that is out.
#[derive(Clone, Debug)]
pub(crate) struct Lease {
    pub(crate) name: Option<String>,
    pub(crate) until: i64,
}

/// One stay in half open.
#[derive(Debug)]
pub(crate) struct Ledger {
    terms: Terms,
    /// The one taken longest ago first.
    pub(crate) out: Vec<Lease>,
    pub(crate) counted: u64,
    failed: u64,
    /// Since when the longest stay runs.
    since: Option<i64>,
    pub(crate) ended: Option<End>,
    /// Trials' permits that ended by time.
    pub(crate) expired: u64,
}

impl Terms {
    /// As a document writes it. A circuit that opens again stays open until somebody acts.
    pub(crate) fn health(&self) -> Value {
        let mut health = json!({
            "permitted_number_of_calls_in_half_open_state": self.n,
            "permit_ttl": format!("{}ms", self.ttl),
            "max_wait_duration_in_half_open_state": self.stay.map_or(json!("off"), |stay| json!(format!("{stay}ms"))),
            "transition_to_state_after_wait_duration": if self.stay_closes { "closed" } else { "open" },
            "wait_duration_in_open_state": FOR_EVER,
            "failure_rate_threshold": "off", "consecutive_failure_threshold": "off",
        });
        match self.policy {
            Policy::Rate { minimum, threshold } => {
                health["minimum_number_of_calls"] = json!(minimum);
                health["half_open_failure_rate_threshold"] = json!(threshold);
            }
            Policy::MOfN { m } => {
                health["half_open_policy"] = json!("m_of_n");
                health["half_open_success_threshold"] = json!(m);
            }
        }
        health
    }
}

impl Ledger {
    pub(crate) fn new(terms: Terms) -> Self {
        Self { terms, out: Vec::new(), counted: 0, failed: 0, since: None, ended: None, expired: 0 }
    }

    /// How many more may begin.
    pub(crate) fn left(&self) -> u64 {
        let out = u64::try_from(self.out.len()).expect("small");
        self.terms.n.saturating_sub(out).saturating_sub(self.counted)
    }

    /// What time alone does, each thing at its own moment; of one moment the longest stay comes first.
    pub(crate) fn passes(&mut self, now: i64) {
        while self.ended.is_none() {
            let stay = self.since.zip(self.terms.stay).map(|(since, stay)| since + stay);
            let lease = self.out.first().map(|lease| lease.until);
            match (stay, lease) {
                (Some(stay), lease) if stay <= now && lease.is_none_or(|lease| stay <= lease) => {
                    self.ended = Some(if self.terms.stay_closes { End::Closed } else { End::Opened });
                }
                (_, Some(lease)) if lease <= now => {
                    self.out.remove(0);
                    self.expired += 1;
                    self.counts(true, lease);
                }
                _ => return,
            }
        }
    }

    /// Whether a permit is given.
    pub(crate) fn permit(&mut self, now: i64, name: Option<&str>) -> bool {
        // A name that is out and asks again gives its first permit back.
        if name.is_some() {
            self.take(name);
        }
        let given = self.left() > 0;
        if given {
            if self.out.is_empty() {
                self.since = Some(now);
            }
            self.out.push(Lease { name: name.map(str::to_owned), until: now + self.terms.ttl });
        }
        given
    }

    /// Whether the outcome was in time: one that names what is not out is late.
    pub(crate) fn outcome(&mut self, now: i64, name: Option<&str>, result: &str) -> bool {
        if !self.take(name) && name.is_some() {
            return false;
        }
        if !IGNORED.contains(&result) {
            self.counts(!matches!(result, "ok" | "refused"), now);
        }
        true
    }

    /// Gives a permit back: the one of that name, or the oldest without one. Whether there was one.
    pub(crate) fn take(&mut self, name: Option<&str>) -> bool {
        let place = self.out.iter().position(|lease| lease.name.as_deref() == name);
        place.map(|place| self.out.remove(place)).inspect(|_| self.settle()).is_some()
    }

    fn settle(&mut self) {
        if self.out.is_empty() {
            self.since = None;
        }
    }

    /// A trial has ended.
    fn counts(&mut self, failed: bool, now: i64) {
        self.counted += 1;
        self.failed += u64::from(failed);
        if !failed && !self.out.is_empty() {
            self.since = Some(now);
        }
        self.settle();
        let (counted, failed) = (self.counted, self.failed);
        self.ended = match self.terms.policy {
            Policy::Rate { minimum, threshold } if counted >= minimum.min(self.terms.n) => {
                Some(if failed * 100 >= threshold * counted { End::Opened } else { End::Closed })
            }
            Policy::MOfN { m } if counted - failed >= m => Some(End::Closed),
            Policy::MOfN { m } if failed > self.terms.n - m => Some(End::Opened),
            _ => None,
        };
    }
}
