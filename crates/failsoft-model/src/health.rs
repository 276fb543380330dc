//! The health of one dependency: the first simple machine (spec 9), its circuit, its outcomes, and what time
//! alone does to them. Permits are in `permit.rs`, probes in
//! `probe.rs`, what operators and advice do in `operator.rs`.

use crate::document::{Dependency, HealthSettings};

/// The longest Retry-After that is believed (HLT-11).
const LONGEST_RETRY_AFTER: i64 = 600_000;

/// The circuit (HLT-9). `wait_over` is set at the moment when the wait ends, so that health never asks the clock.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Circuit {
    Closed,
    Open { until: i64, wait_over: bool },
    HalfOpen,
}

/// A standing override: `forced_open`, `disabled` or `metrics_only` (OPR-2).
#[derive(Clone, Debug)]
pub(crate) struct Standing {
    pub(crate) to: String,
    /// The moment at which it ends by itself.
    pub(crate) until: Option<i64>,
    /// It is the matrix's `initial_state`, and nobody's act.
    pub(crate) initial: bool,
}

/// Advice from one source (ADV-1).
#[derive(Clone, Debug)]
pub(crate) struct Advice {
    pub(crate) source: String,
    pub(crate) until: i64,
}

/// The one permit that is out while the circuit is half open.
#[derive(Clone, Debug)]
pub(crate) struct Trial {
    pub(crate) name: Option<String>,
    pub(crate) expires: i64,
}

/// A permit remembered by its name.
#[derive(Clone, Debug)]
pub(crate) struct NamedPermit {
    pub(crate) name: String,
    pub(crate) generation: u64,
    pub(crate) expires: i64,
}

/// All that is known of one dependency.
#[derive(Clone, Debug)]
pub(crate) struct Health {
    pub(crate) settings: HealthSettings,
    pub(crate) circuit: Circuit,
    /// The circuit was opened or half opened by an operator, and by nothing else (OPR-5).
    pub(crate) by_operator: bool,
    pub(crate) standing: Option<Standing>,
    pub(crate) degraded: bool,
    pub(crate) advice: Vec<Advice>,
    /// False until the first counted outcome or probe (HLT-4).
    pub(crate) known: bool,
    pub(crate) consecutive: i64,
    /// The class of the last failure counted, or `unavailable` where a probe or an operator opened the circuit.
    pub(crate) class: Option<String>,
    /// The strongest of `auth`, `payment`, `indeterminate` that was counted (NEED-13).
    pub(crate) sticky: Option<String>,
    pub(crate) open_attempts: i64,
    pub(crate) ignored: i64,
    pub(crate) not_permitted: i64,
    pub(crate) ups: i64,
    pub(crate) downs: i64,
    pub(crate) generation: u64,
    pub(crate) permits: Vec<NamedPermit>,
    pub(crate) trial: Option<Trial>,
    /// When the last `ok` outcome came, for `last_known` with `of = "dependency"`.
    pub(crate) last_ok: Option<i64>,
    /// The override that ended by itself and was not told yet.
    pub(crate) expired: Option<String>,
    /// The health now, the last one told, and why it last changed (HLT-35).
    current: String,
    pub(crate) told: String,
    pub(crate) why: String,
    /// Since when it is neither healthy nor unknown (DEC-27).
    pub(crate) since: Option<i64>,
}

/// An outcome as the host tells it.
pub(crate) struct Outcome<'a> {
    pub(crate) result: &'a str,
    pub(crate) permit: Option<&'a str>,
    pub(crate) retry_after: Option<i64>,
    pub(crate) had: Option<i64>,
}

/// NEED-3: a guard's `timeout`, told with less time than the guard's deadline as the call began, is `cancelled`.
pub(crate) fn with_haste(dependency: &Dependency, class: &str, had: Option<i64>) -> String {
    let hasty = match (had, dependency.deadline) {
        (Some(had), Some(deadline)) => had < deadline,
        _ => false,
    };
    if dependency.is_guard() && class == "timeout" && hasty {
        "cancelled".to_owned()
    } else {
        class.to_owned()
    }
}

impl Health {
    /// The state in which the engine begins (HLT-1), at `beginning` (TRC-5).
    pub(crate) fn new(settings: &HealthSettings, beginning: i64) -> Health {
        let forced = settings.initial_state == "forced_open";
        let first = if forced { "down" } else { "unknown" };
        Health {
            settings: settings.clone(),
            circuit: Circuit::Closed,
            by_operator: false,
            standing: forced.then(|| Standing { to: "forced_open".to_owned(), until: None, initial: true }),
            degraded: false,
            advice: Vec::new(),
            known: false,
            consecutive: 0,
            class: None,
            sticky: None,
            open_attempts: 0,
            ignored: 0,
            not_permitted: 0,
            ups: 0,
            downs: 0,
            generation: 0,
            permits: Vec::new(),
            trial: None,
            last_ok: None,
            expired: None,
            current: first.to_owned(),
            told: first.to_owned(),
            why: String::new(),
            since: forced.then_some(beginning),
        }
    }

    /// The standing override's name.
    pub(crate) fn standing_name(&self) -> Option<&str> {
        self.standing.as_ref().map(|standing| standing.to.as_str())
    }

    /// HLT-3: what a health line says.
    pub(crate) fn shown(&self) -> &'static str {
        match self.standing_name() {
            Some("forced_open") => return "down",
            Some("disabled") => return "healthy",
            _ => {}
        }
        match self.circuit {
            Circuit::Open { wait_over: false, .. } => "down",
            Circuit::Open { wait_over: true, .. } | Circuit::HalfOpen => "probing",
            Circuit::Closed if self.degraded || !self.advice.is_empty() => "degraded",
            Circuit::Closed if self.known => "healthy",
            Circuit::Closed => "unknown",
        }
    }

    /// Law 7: advice is seen only where it alone speaks against the dependency.
    pub(crate) fn shown_to(&self, advice_alone: bool) -> &'static str {
        if advice_alone || self.shown() != "degraded" || !self.degraded_by_advice_alone() {
            return self.shown();
        }
        if self.known { "healthy" } else { "unknown" }
    }

    /// HLT-3, `circuit` told: the circuit, or the override that stands over it.
    pub(crate) fn circuit_shown(&self) -> String {
        match (self.standing_name(), self.circuit) {
            (Some(name), _) => name.to_owned(),
            (None, Circuit::Closed) => "closed".to_owned(),
            (None, Circuit::Open { .. }) => "open".to_owned(),
            (None, Circuit::HalfOpen) => "half_open".to_owned(),
        }
    }

    /// NEED-13 and NEED-15: the class that a failed health carries.
    pub(crate) fn carried(&self) -> Option<String> {
        if self.sticky.is_some() {
            return self.sticky.clone();
        }
        if self.standing_name() == Some("forced_open") {
            return Some("unavailable".to_owned());
        }
        self.class.clone()
    }

    /// NEED-18: failed only by an operator or by its `initial_state`.
    pub(crate) fn only_by_operator(&self) -> bool {
        let own_trouble = self.circuit != Circuit::Closed && !self.by_operator;
        match self.standing_name() {
            Some("forced_open") => !own_trouble,
            _ => self.circuit != Circuit::Closed && self.by_operator,
        }
    }

    /// Failed only by an operator's act; an `initial_state` is none.
    pub(crate) fn held_by_operator(&self) -> bool {
        let initial = self.standing.as_ref().is_some_and(|standing| standing.initial);
        self.only_by_operator() && !initial
    }

    /// DEC-29: the wait that is left of an open circuit or of a timed `forced_open`, where one is known.
    pub(crate) fn wait_left(&self, now: i64) -> Option<i64> {
        match &self.standing {
            Some(standing) if standing.to == "forced_open" => {
                standing.until.map(|until| until.saturating_sub(now))
            }
            Some(_) => None,
            None => match self.circuit {
                Circuit::Open { until, wait_over: false } => Some(until.saturating_sub(now)),
                _ => None,
            },
        }
    }

    /// Notes, after anything that may have changed the health, that it changed: the reason of the last change
    /// is the one told (HLT-35), and `since` runs from the last time it was healthy or unknown (DEC-27).
    pub(crate) fn note_change(&mut self, moment: i64, why: &str) {
        let shown = self.shown();
        if shown == self.current {
            return;
        }
        self.current = shown.to_owned();
        self.why = why.to_owned();
        if shown == "healthy" || shown == "unknown" {
            self.since = None;
        } else if self.since.is_none() {
            self.since = Some(moment);
        }
    }

    /// Lets time pass up to `now`, one moment after the other: permits that run out, waits that end, overrides
    /// that expire, advice that lapses. At one moment the circuit ages first, then the override over it ends.
    pub(crate) fn advance(&mut self, now: i64) {
        loop {
            let mut moments: Vec<(i64, &str)> = Vec::new();
            if let (Circuit::HalfOpen, Some(trial)) = (self.circuit, &self.trial) {
                moments.push((trial.expires, "permit_expired"));
            }
            if let Circuit::Open { until, wait_over: false } = self.circuit {
                moments.push((until, "wait_over"));
            }
            if let Some(until) = self.standing.as_ref().and_then(|standing| standing.until) {
                moments.push((until, "override_expired"));
            }
            for advice in &self.advice {
                moments.push((advice.until, "advice_lapsed"));
            }
            // `min_by_key` keeps the first of equals: the order of the pushes above.
            let Some((moment, why)) = moments.into_iter().min_by_key(|(moment, _)| *moment) else {
                return;
            };
            if moment > now {
                return;
            }
            match why {
                "permit_expired" => {
                    self.known = true;
                    self.note_class("timeout");
                    self.open(moment, None);
                }
                "wait_over" => {
                    if let Circuit::Open { wait_over, .. } = &mut self.circuit {
                        *wait_over = true;
                    }
                }
                "override_expired" => self.expired = self.standing.take().map(|standing| standing.to),
                _ => self.advice.retain(|advice| advice.until > moment),
            }
            self.note_change(moment, why);
        }
    }

    /// HLT-9 and HLT-11: the circuit opens by a failure or by probes; the wait is the longer of ours and the one told.
    pub(crate) fn open(&mut self, moment: i64, retry_after: Option<i64>) {
        let told = retry_after.unwrap_or(0).min(LONGEST_RETRY_AFTER);
        let wait = self.settings.wait.max(told);
        self.circuit = Circuit::Open { until: moment.saturating_add(wait), wait_over: false };
        self.by_operator = false;
        self.open_attempts = self.open_attempts.saturating_add(1);
        self.trial = None;
        self.generation = self.generation.saturating_add(1);
    }

    /// HLT-9 and HLT-12: the circuit closes; what it had counted against the dependency is gone.
    pub(crate) fn close(&mut self) {
        if self.circuit != Circuit::Closed {
            self.generation = self.generation.saturating_add(1);
        }
        self.circuit = Circuit::Closed;
        self.by_operator = false;
        self.consecutive = 0;
        self.open_attempts = 0;
        self.class = None;
        self.sticky = None;
        self.trial = None;
    }

    /// NEED-13: the class of the last failure, and the three that stay, in their order of precedence.
    fn note_class(&mut self, class: &str) {
        self.class = Some(class.to_owned());
        for stays in ["auth", "payment", "indeterminate"] {
            if class == stays || self.sticky.as_deref() == Some(stays) {
                self.sticky = Some(stays.to_owned());
                return;
            }
        }
    }

    /// Spec 9.3, "Outcomes" (HLT-5, HLT-26).
    pub(crate) fn outcome(&mut self, dependency: &Dependency, told: &Outcome<'_>, now: i64) {
        let result = with_haste(dependency, told.result, told.had);
        if let Some(name) = told.permit
            && !self.is_out(name, now)
        {
            return;
        }
        if matches!(self.standing_name(), Some("forced_open" | "disabled")) {
            self.remember_answer(&result, now);
            self.release(told.permit);
            return;
        }
        match result.as_str() {
            "rejected" | "cancelled" | "exhausted" => {
                self.ignored = self.ignored.saturating_add(1);
                self.release(told.permit);
            }
            "ok" | "refused" => {
                self.give_back_for_outcome(told.permit);
                self.remember_answer(&result, now);
                self.known = true;
                self.note_change(now, "first_outcome");
                self.success(now);
            }
            class => {
                self.give_back_for_outcome(told.permit);
                self.known = true;
                self.note_change(now, "first_outcome");
                self.failure(class, told.retry_after, now);
            }
        }
        self.advance(now);
    }

    /// LAD-28: an `ok` is the last answer known; a `refused` ends it.
    fn remember_answer(&mut self, result: &str, now: i64) {
        match result {
            "ok" => self.last_ok = Some(now),
            "refused" => self.last_ok = None,
            _ => {}
        }
    }

    /// HLT-9: a success in each state of the circuit.
    fn success(&mut self, now: i64) {
        match self.circuit {
            Circuit::Closed => {
                self.consecutive = 0;
                self.class = None;
                self.sticky = None;
            }
            Circuit::Open { wait_over: false, .. } => {}
            Circuit::Open { wait_over: true, .. } | Circuit::HalfOpen => {
                self.close();
                self.note_change(now, "trial_ok");
            }
        }
    }

    /// HLT-9 and HLT-11: a counted failure in each state of the circuit.
    fn failure(&mut self, class: &str, retry_after: Option<i64>, now: i64) {
        self.note_class(class);
        match &mut self.circuit {
            Circuit::Closed => {
                self.consecutive = self.consecutive.saturating_add(1);
                if self.consecutive >= self.settings.threshold {
                    self.open(now, retry_after);
                    self.note_change(now, "consecutive_failures");
                }
            }
            Circuit::Open { until, wait_over: false } => {
                let told = retry_after.unwrap_or(0).min(LONGEST_RETRY_AFTER);
                *until = (*until).max(now.saturating_add(told));
            }
            Circuit::Open { wait_over: true, .. } | Circuit::HalfOpen => {
                self.open(now, retry_after);
                self.note_change(now, "trial_failed");
            }
        }
    }
}
