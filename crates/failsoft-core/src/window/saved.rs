//! An open window over a restart: ages, not moments (spec 10).

use alloc::collections::BTreeMap;
use alloc::string::String;
use alloc::sync::Arc;
use alloc::vec::Vec;

use super::OpenWindow;
use super::account::{Ledger, Row, Way, add};
use crate::health::snapshot::plain_data;
use crate::matrix::{Dependency, Matrix};
use crate::meter::saved::{digits, key_of};
use crate::meter::{Key, LONGEST_NAME};
use crate::{INTEGER_MAX, Millis, Time};

plain_data! {
    /// The time in which requests go on in spite of a failure.
    pub struct WindowOpenSnapshot {
        /// Since when.
        pub age_ms: Millis,
        /// Since when it was not used.
        pub last_age_ms: Millis,
        /// Its number; a new one where it is missing.
        pub number: u64,
        /// What caps have counted in it.
        pub caps: Vec<CapSnapshot>,
        /// What went through it so far.
        pub account: AccountSnapshot,
    }

    /// What a cap has counted of a key.
    pub struct CapSnapshot {
        /// The rung's place in the ladder.
        pub rung: Option<u64>,
        /// The key's hash, in hexadecimal digits; under the same hash key when it is restored.
        pub key: Option<String>,
        /// By hand, in its place: whose key it is; none told where it is missing.
        pub tenant: Option<String>,
        /// The same.
        pub session: Option<String>,
        /// How much.
        pub amount: u64,
    }

    /// What went through a window.
    pub struct AccountSnapshot {
        /// By which ways; also those under which nothing is counted.
        pub decisions: Vec<WaySnapshot>,
        /// For whom.
        pub tenants: Vec<AccountRowSnapshot>,
        /// For all others.
        pub others: Option<AccountRowSnapshot>,
    }

    /// A way in which requests went on.
    pub struct WaySnapshot {
        /// The rung's place in the ladder, where it is one of its rungs.
        pub rung: Option<u64>,
        /// What it is called.
        pub rung_kind: String,
        /// How many were counted under it.
        pub requests: u64,
    }

    /// What went through for a tenant.
    pub struct AccountRowSnapshot {
        /// Which tenant.
        pub tenant: String,
        /// How many requests.
        pub requests: u64,
        /// How much, by the meter's name.
        pub amounts: BTreeMap<String, u64>,
    }
}

impl OpenWindow {
    pub(crate) fn save(&self, matrix: &Matrix, now: Time) -> WindowOpenSnapshot {
        let caps = self.counted.iter().flat_map(|(place, counted)| {
            counted.iter().map(|(key, amount)| CapSnapshot {
                rung: Some(u64::from(*place)),
                key: Some(digits(*key)),
                tenant: None,
                session: None,
                amount: *amount,
            })
        });
        let row = |tenant: &str, row: &Row| AccountRowSnapshot {
            tenant: tenant.into(),
            requests: row.requests,
            amounts: row
                .amounts
                .iter()
                .map(|(meter, amount)| (String::from(matrix.meter_name(*meter)), *amount))
                .collect(),
        };
        let ways = self.ledger.ways.iter().map(|(way, requests)| WaySnapshot {
            rung: way.rung().map(u64::from),
            rung_kind: way.kind().into(),
            requests: *requests,
        });
        WindowOpenSnapshot {
            age_ms: now.since(self.opened),
            last_age_ms: now.since(self.last),
            number: self.number,
            caps: caps.collect(),
            account: AccountSnapshot {
                decisions: ways.collect(),
                tenants: self.ledger.tenants.iter().map(|(tenant, counted)| row(tenant, counted)).collect(),
                others: Some(row("", &self.ledger.others))
                    .filter(|row| *row != AccountRowSnapshot::default()),
            },
        }
    }

    /// `then` is the moment of saving; `next` the number of a window that has none.
    pub(crate) fn restored(
        (matrix, dependency): (&Matrix, &Dependency),
        secret: (u64, u64),
        from: &WindowOpenSnapshot,
        next: u64,
        then: Time,
    ) -> Self {
        let mut counted: BTreeMap<u16, BTreeMap<Key, u64>> = BTreeMap::new();
        for told in &from.caps {
            let Some(Ok(place)) = told.rung.map(u16::try_from) else { continue };
            let key = match &told.key {
                Some(key) => key_of(key),
                None => {
                    let cap = dependency.ladder.get(usize::from(place)).and_then(|rung| rung.cap.as_ref());
                    let [tenant, session] =
                        [&told.tenant, &told.session].map(|name| name.as_deref().unwrap_or(""));
                    cap.map(|cap| cap.key_of(matrix, secret, tenant, session))
                }
            };
            if let Some(key) = key {
                counted.entry(place).or_default().insert(key, told.amount);
            }
        }
        Self {
            number: if from.number == 0 { next } else { from.number },
            opened: then.minus(from.age_ms),
            last: then.minus(from.last_age_ms),
            counted,
            ledger: ledger(matrix, &from.account),
        }
    }
}

fn ledger(matrix: &Matrix, from: &AccountSnapshot) -> Ledger {
    let mut ledger = Ledger::default();
    for way in &from.decisions {
        let rung = way.rung.map(u16::try_from);
        let rung = rung.transpose().ok();
        if let Some(known) = rung.and_then(|rung| Way::from_names(rung, &way.rung_kind)) {
            ledger.ways.insert(known, way.requests.min(INTEGER_MAX));
        }
    }
    for told in &from.tenants {
        // Rows that are there stay, also where the matrix keeps fewer.
        let has_row = told.tenant.len() <= LONGEST_NAME;
        let row = if has_row {
            ledger.tenants.entry(Arc::from(told.tenant.as_str())).or_default()
        } else {
            &mut ledger.others
        };
        add_row(matrix, row, told);
    }
    if let Some(others) = &from.others {
        add_row(matrix, &mut ledger.others, others);
    }
    ledger
}

fn add_row(matrix: &Matrix, row: &mut Row, from: &AccountRowSnapshot) {
    row.requests = add(row.requests, from.requests);
    for (name, amount) in from.amounts.iter().filter(|(_, amount)| **amount > 0) {
        if let Some(meter) = matrix.meter(name) {
            let held = row.amounts.entry(meter).or_insert(0);
            *held = add(*held, *amount);
        }
    }
}
