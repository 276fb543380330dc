//! The call window and what opens a closed circuit, as one would do it by hand: every call is kept with its time, and
//! counted again from the beginning at each question.

use failsoft::{Cause, Circuit, HealthReport};
use fastrand::Rng;
use serde_json::{Value, json};

use crate::desk::{Desk, FAILURES, FOR_EVER, IGNORED, pick};

/// What is looked at.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Sight {
    /// So many buckets of so many milliseconds.
    Time { length: i64, buckets: i64 },
    /// The last so many calls.
    Count { size: usize },
}

/// Settings of one dependency, as far as a closed circuit looks at them.
#[derive(Clone, Debug)]
pub(crate) struct Plan {
    pub(crate) sight: Sight,
    pub(crate) minimum: u64,
    pub(crate) rate: Option<u64>,
    pub(crate) run: Option<u64>,
    pub(crate) slow_over: Option<i64>,
    pub(crate) slow_rate: u64,
}

/// A call as it is told.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Told {
    pub(crate) at: i64,
    pub(crate) result: &'static str,
    pub(crate) latency: i64,
}

/// A call that counted.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Kept {
    at: i64,
    failed: bool,
    slow: bool,
}

/// Every call since the window was last emptied.
pub(crate) struct Naive<'p> {
    plan: &'p Plan,
    pub(crate) kept: Vec<Kept>,
    run: u64,
}

/// Calls, failed ones and slow ones.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(crate) struct Figures {
    pub(crate) calls: u64,
    pub(crate) failed: u64,
    pub(crate) slow: u64,
}

impl Plan {
    /// Small windows and common fractions, so that a rate often stands exactly at its threshold.
    pub(crate) fn random(rng: &mut Rng) -> Self {
        let sight = if rng.bool() {
            Sight::Time { length: pick(rng, &[1, 7, 50, 100]), buckets: rng.i64(1..=6) }
        } else {
            Sight::Count { size: rng.usize(1..=10) }
        };
        Self {
            sight,
            minimum: rng.u64(1..=8),
            rate: Some(pick(rng, &[1, 10, 20, 25, 33, 34, 40, 50, 50, 60, 67, 75, 100])),
            run: rng.bool().then(|| rng.u64(1..=6)),
            slow_over: rng.bool().then(|| pick(rng, &[0, 5, 50])),
            slow_rate: pick(rng, &[20, 25, 50, 75, 100]),
        }
    }

    /// As a document writes it. The circuit, once open, stays so.
    pub(crate) fn health(&self) -> Value {
        let off = |value: Option<u64>| value.map_or(json!("off"), |value| json!(value));
        let mut health = json!({
            "minimum_number_of_calls": self.minimum,
            "failure_rate_threshold": off(self.rate),
            "consecutive_failure_threshold": off(self.run),
            "slow_call_duration_threshold": self.slow_over.map_or(json!("off"), |over| json!(format!("{over}ms"))),
            "slow_call_rate_threshold": self.slow_rate,
            "wait_duration_in_open_state": FOR_EVER,
        });
        match self.sight {
            Sight::Time { length, buckets } => {
                health["sliding_window_buckets"] = json!(buckets);
                health["sliding_window_duration"] = json!(format!("{}ms", length * buckets));
            }
            Sight::Count { size } => {
                health["sliding_window_type"] = json!("count_based");
                health["sliding_window_size"] = json!(size);
            }
        }
        health
    }

    /// How many calls must have counted before a rate is judged.
    pub(crate) fn judged_from(&self) -> u64 {
        match self.sight {
            Sight::Count { size } => self.minimum.min(size.try_into().expect("small")),
            Sight::Time { .. } => self.minimum,
        }
    }

    /// A random trace: calls that fail, are slow, or count as nothing, with now and then a gap.
    pub(crate) fn calls(&self, rng: &mut Rng, from: i64) -> Vec<Told> {
        let (failing, ignored) = (rng.u32(10..=90), pick(rng, &[0, 0, 20]));
        let length = match self.sight {
            Sight::Time { length, .. } => length,
            Sight::Count { .. } => 10,
        };
        let mut at = from;
        let mut calls = Vec::new();
        for _ in 0..rng.usize(10..=40) {
            at += match rng.u32(0..20) {
                0 => rng.i64(0..=9 * length),
                1..=5 => rng.i64(0..=length),
                _ => rng.i64(0..=length.div_euclid(3)),
            };
            let result = match rng.u32(0..100) {
                drawn if drawn < ignored => pick(rng, &IGNORED),
                _ if rng.u32(0..100) < failing => pick(rng, &FAILURES),
                _ => pick(rng, &["ok", "ok", "refused"]),
            };
            let over = self.slow_over.unwrap_or(5);
            let latency = pick(rng, &[0, over - 1, over, over, over + 1, over * 9]).max(0);
            calls.push(Told { at, result, latency });
        }
        calls
    }
}

impl<'p> Naive<'p> {
    pub(crate) fn new(plan: &'p Plan) -> Self {
        Self { plan, kept: Vec::new(), run: 0 }
    }

    /// Whether a call counted.
    pub(crate) fn told(&mut self, told: Told) -> bool {
        if IGNORED.contains(&told.result) {
            return false;
        }
        let failed = FAILURES.contains(&told.result);
        let late = |over: i64| told.latency > over || told.result == "timeout";
        self.kept.push(Kept { at: told.at, failed, slow: self.plan.slow_over.is_some_and(late) });
        self.run = if failed { self.run + 1 } else { 0 };
        true
    }

    /// Half open empties the window; the run goes on.
    pub(crate) fn empty(&mut self) {
        self.kept.clear();
    }

    /// Closing empties the window and ends the run.
    pub(crate) fn close(&mut self) {
        self.kept.clear();
        self.run = 0;
    }

    /// The window at a moment.
    pub(crate) fn figures(&self, now: i64) -> Figures {
        self.aligned_at(now, 0)
    }

    /// The same, with buckets that begin at a multiple of their length after `zero`.
    pub(crate) fn aligned_at(&self, now: i64, zero: i64) -> Figures {
        let skipped = match self.plan.sight {
            Sight::Count { size } => self.kept.len().saturating_sub(size),
            Sight::Time { .. } => 0,
        };
        let seen = self.kept.iter().skip(skipped).filter(|call| match self.plan.sight {
            Sight::Count { .. } => true,
            Sight::Time { length, buckets } => {
                (call.at - zero).div_euclid(length) > (now - zero).div_euclid(length) - buckets
            }
        });
        seen.fold(Figures::default(), |sum, call| Figures {
            calls: sum.calls + 1,
            failed: sum.failed + u64::from(call.failed),
            slow: sum.slow + u64::from(call.slow),
        })
    }

    /// Why the circuit opens at the call just told, if it does.
    pub(crate) fn opens(&self, now: i64) -> Option<Cause> {
        let Figures { calls, failed, slow } = self.figures(now);
        let judged = calls >= self.plan.judged_from();
        let crosses = |part: u64, threshold: u64| judged && part * 100 >= threshold * calls;
        if self.plan.run.is_some_and(|run| self.run >= run) {
            Some(Cause::ConsecutiveFailures)
        } else if self.plan.rate.is_some_and(|rate| crosses(failed, rate)) {
            Some(Cause::FailureRate)
        } else if self.plan.slow_over.is_some() && crosses(slow, self.plan.slow_rate) {
            Some(Cause::SlowCallRate)
        } else {
            None
        }
    }

    /// What a health line has to tell of the window; a rate is told in hundredths of a percent, rounded down.
    pub(crate) fn expects(&self, now: i64, report: &HealthReport) -> Result<(), String> {
        let Figures { calls, failed, slow } = self.figures(now);
        let told = |part: u64, on: bool| match on && calls >= self.plan.judged_from() {
            true => i64::try_from(part * 10_000 / calls).expect("small"),
            false => -1,
        };
        let metrics = &report.metrics;
        let expected = (calls, failed, slow, told(failed, true), told(slow, self.plan.slow_over.is_some()));
        let engine = (
            metrics.buffered_calls,
            metrics.failed_calls,
            metrics.slow_calls,
            metrics.failure_rate_bp,
            metrics.slow_call_rate_bp,
        );
        let run = (self.run, metrics.consecutive_failures);
        if engine != expected || run.0 != run.1 {
            return Err(format!("{expected:?}, run {} expected; {engine:?}, run {}", run.0, run.1));
        }
        Ok(())
    }
}

/// What a walk met.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Opening {
    pub(crate) why: Cause,
    /// By which call.
    pub(crate) by: Told,
    pub(crate) window: Figures,
}

/// Plays calls, compares every figure after each, and the circuit: it opens where the naive one does, and not before.
/// Once open it stays open, and the window goes on. `look` sees every call with the naive window after it.
#[track_caller]
pub(crate) fn walk(plan: &Plan, calls: &[Told], mut look: impl FnMut(&Naive, Told)) -> Option<Opening> {
    let matrix = crate::desk::matrix(&plan.health());
    let mut desk = Desk::new(&matrix);
    let mut naive = Naive::new(plan);
    let mut opened = None;
    for told in calls {
        desk.slow(told.at, told.result, told.latency);
        let counted = naive.told(*told);
        if counted && opened.is_none() {
            let window = naive.figures(told.at);
            opened = naive.opens(told.at).map(|why| Opening { why, by: *told, window });
        }
        let report = desk.report();
        let circuit = if opened.is_some() { Circuit::Open } else { Circuit::Closed };
        let why = opened.as_ref().map(|opened: &Opening| opened.why);
        let told_of = |why: String| format!("{why}\n{plan:?}\n{}", desk.told());
        naive.expects(told.at, &report).unwrap_or_else(|why| panic!("{}", told_of(why)));
        assert_eq!(report.circuit, circuit, "{}", told_of(format!("{why:?}")));
        assert!(why.is_none() || report.why == why, "{}", told_of(format!("{:?}, not {why:?}", report.why)));
        look(&naive, *told);
    }
    opened
}
