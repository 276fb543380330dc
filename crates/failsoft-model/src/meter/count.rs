//! Counting (8.2), and what the store has not heard (MET-40).

use serde_json::{Value, json};

use super::period::{owed, roll};
use super::{Key, OWED, Owed, Table, Taken, Told, UNSETTLED, named};
use crate::document::Meter;
use crate::json::LARGEST;
use crate::numbers::{between, plus};

/// What a `finish` says of one meter (MET-7).
pub(crate) struct Finish<'a> {
    /// The request's key now.
    pub(crate) names: &'a [String],
    pub(crate) taken: Option<&'a Taken>,
    /// The actual figure, where the line names the meter.
    pub(crate) actual: Option<i64>,
    /// The meter's store is in the operation's `needs`.
    pub(crate) needed: bool,
    /// The store is `down` or `probing`.
    pub(crate) store_out: bool,
}

impl Table {
    /// MET-13: to `unreported` if it is such an amount, else to `newer`.
    pub(super) fn settle(&mut self, names: &[String], amount: i64, unreported: bool) {
        let tick = self.tick();
        let Some(key) = self.key_mut(names) else { return };
        if !unreported {
            key.newer = plus(key.newer, amount);
        } else if amount > 0 {
            if key.unreported == 0 {
                key.unreported_from = tick;
            }
            key.unreported = plus(key.unreported, amount);
        }
    }

    /// MET-5: takes an amount at a commit, unsettled until `due`; without one (no request's name) it is settled at
    /// once. One that finds no room is not held (MET-12).
    pub(crate) fn take(
        &mut self,
        meter: &Meter,
        names: Vec<String>,
        amount: i64,
        due: Option<i64>,
        unreported: bool,
        now: i64,
    ) -> (Taken, Told) {
        let mut taken = Taken { amount, names: names.clone(), id: None, period: 0, unreported };
        // MET-3.
        if amount == 0 {
            return (taken, Told::default());
        }
        let Some(due) = due else {
            return (taken, self.use_at_once(meter, &names, amount, unreported, now));
        };
        self.touch(meter, &names, now);
        if !self.come_in(meter, &names, false, now) {
            return (taken, self.no_room());
        }
        self.begin(&names, now);
        let id = self.tick();
        taken.id = Some(id);
        taken.period = self.key_mut(&names).map_or(0, |key| key.number());
        self.pending.push(super::Unsettled { id, names: names.clone(), amount, due, unreported });
        if self.pending.len() > UNSETTLED
            && let Some(place) = self.due_first()
        {
            self.settle_by_time(meter, place, now);
        }
        (taken, self.touched(meter, &names))
    }

    /// MET-40: what the request has told of the store by a later commit, which goes on too, says whether its amount is
    /// unreported, as long as that is unsettled. What is settled stays where it is.
    pub(crate) fn commit_again(&mut self, taken: &mut Taken, unreported: bool) {
        let amount = self.pending.iter_mut().find(|amount| taken.id == Some(amount.id));
        if let Some(amount) = amount {
            (amount.unreported, taken.unreported) = (unreported, unreported);
        }
    }

    /// MET-40: so much is owed apart; what is more is owed together with the last, under no name.
    pub(super) fn owe(&mut self, owed: Owed) {
        if self.owed.len() < OWED {
            self.owed.push(owed);
        } else if let Some(last) = self.owed.last_mut() {
            last.names.clear();
            last.amount = plus(last.amount, owed.amount);
        }
    }

    /// MET-14, and MET-31 for a commit without a request's name: settled at once.
    pub(crate) fn use_at_once(
        &mut self,
        meter: &Meter,
        names: &[String],
        amount: i64,
        unreported: bool,
        now: i64,
    ) -> Told {
        if amount == 0 {
            return Told::default();
        }
        self.touch(meter, names, now);
        if !self.come_in(meter, names, false, now) {
            return self.no_room();
        }
        self.begin(names, now);
        self.settle(names, amount, unreported);
        self.touched(meter, names)
    }

    /// MET-7: the first row that fits.
    pub(crate) fn finish(&mut self, meter: &Meter, finish: &Finish<'_>, now: i64) -> Told {
        let Some(taken) = finish.taken.filter(|taken| taken.amount > 0) else {
            // Nothing was taken; what it cost all the same is counted now.
            return match finish.actual {
                Some(actual) if finish.needed => {
                    self.use_at_once(meter, finish.names, actual, finish.store_out, now)
                }
                _ => Told::default(),
            };
        };
        let Some(id) = taken.id else { return Told::default() };
        if let Some(place) = self.pending.iter().position(|amount| amount.id == id) {
            // Its period may end at this moment: then this is of the next, which the unsettled rest has begun.
            self.touch(meter, &taken.names, now);
            self.pending.remove(place);
            return self.settle_and_tell(meter, taken, finish.actual.unwrap_or(taken.amount));
        }
        // It was settled: corrected while the period of the commit lasts.
        let seen = self.seen(meter, &taken.names, now).filter(|key| key.number() == taken.period);
        let (Some(actual), Some(key)) = (finish.actual, seen) else {
            return Told::default();
        };
        // The period lasts, but the reading may have gone, and *older* with it.
        self.touch(meter, &taken.names, now);
        if actual > taken.amount {
            return self.settle_and_tell(meter, taken, actual.saturating_sub(taken.amount));
        }
        if key.accepted < id {
            let much = taken.amount.saturating_sub(actual);
            if let Some(key) = self.key_mut(&taken.names) {
                take_off(key, much, taken.unreported);
            }
            self.leave_if_empty(&taken.names);
        }
        Told::default()
    }

    /// What a `finish` settles; of nothing there is nothing to tell (MET-25).
    fn settle_and_tell(&mut self, meter: &Meter, taken: &Taken, amount: i64) -> Told {
        self.settle(&taken.names, amount, taken.unreported);
        self.leave_if_empty(&taken.names);
        if amount == 0 {
            return Told::default();
        }
        self.touched(meter, &taken.names)
    }

    /// MET-12: told once per meter.
    pub(super) fn no_room(&mut self) -> Told {
        let full = !self.full_told;
        self.full_told = true;
        Told { reached: None, full }
    }

    /// MET-25: a line that took or settled an amount of a key, or read it, tells once that it is at its limit
    /// or over.
    pub(super) fn touched(&mut self, meter: &Meter, names: &[String]) -> Told {
        let Some(key) = self.row.iter().find(|key| key.names == names) else {
            return Told::default();
        };
        let mode = Table::mode(meter, Some(key)).to_owned();
        let limit = self.limit(meter, names, Some(key));
        let Some(limit) = limit.filter(|limit| !key.reached && self.use_of(key) >= *limit) else {
            return Told::default();
        };
        if mode == "block" {
            return Told::default();
        }
        let (tenant, session) = named(names);
        let event = json!({ "kind": "limit.reached", "meter": meter.name, "tenant": tenant, "session": session,
                            "mode": mode, "used": key.used(), "own": self.own(key), "limit": limit });
        if let Some(key) = self.key_mut(names) {
            key.reached = true;
        }
        Told { reached: Some(event), full: false }
    }

    /// MET-40, at the end of a line and while the store is neither `down` nor `probing`: each key's amount is told,
    /// and is the host's to add from then on.
    pub(crate) fn settlements(&mut self, meter: &Meter, now: i64) -> Vec<Value> {
        self.end_by_time(meter, now);
        let mut due = Vec::new();
        for key in &mut self.row {
            due.extend(owed(key, None));
            key.newer = plus(key.newer, key.unreported);
            key.unreported = 0;
        }
        due.append(&mut self.owed);
        due.sort_by_key(|owed| owed.from);
        let mut told = Vec::new();
        for owed in due {
            let (tenant, session) = named(&owed.names);
            let ended = owed.ended.map(|ended| between(ended, now));
            told.push(json!({ "kind": "meter.settlement", "meter": meter.name, "tenant": tenant,
                              "session": session, "amount": owed.amount, "ended_ms": ended }));
        }
        told
    }

    /// What has ended by now goes, of every key, as at its end: it stays in the row, and what it had unreported is owed.
    pub(crate) fn end_by_time(&mut self, meter: &Meter, now: i64) {
        let mut over = Vec::new();
        for place in 0..self.row.len() {
            let number = self.tick();
            let names = self.row.get(place).map(|key| key.names.clone()).unwrap_or_default();
            let rest = self.unsettled(&names) > 0;
            over.extend(self.row.get_mut(place).and_then(|key| roll(meter, key, now, rest, number)));
        }
        over.sort_by_key(|owed| owed.from);
        for owed in over {
            self.owe(owed);
        }
    }
}

/// MET-7: taken off `newer`, of an unreported amount first off `unreported`; not below 0.
fn take_off(key: &mut Key, much: i64, unreported: bool) {
    let mut rest = much;
    let mut off = |part: &mut i64| {
        // MET-8: nobody knows by how much a count that stands at the largest was cut.
        let from_here = if *part >= LARGEST { 0 } else { rest.min(*part) };
        *part = part.saturating_sub(from_here);
        rest = rest.saturating_sub(from_here);
    };
    if unreported {
        off(&mut key.unreported);
    }
    off(&mut key.newer);
}
