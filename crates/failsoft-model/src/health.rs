//! The health of one dependency (spec 9): what is kept, and what it says. What moves it stands in the modules
//! below: `clock` (time), `count` (outcomes), `judge` (what opens and degrades), `circuit`, `trial` (half open),
//! `permit`, `probe`, `operator`; `change` and `line` tell of it, `restart` and `snapshot` are spec 10.

mod change;
mod circuit;
mod clock;
mod count;
mod judge;
mod line;
mod operator;
mod permit;
mod probe;
mod reload;
mod restart;
mod snapshot;
mod trial;
mod window;

use std::sync::Arc;

use serde_json::Value;

use crate::document::Dependency;
use crate::numbers::plus;
use crate::settings::HealthSettings;

pub(crate) use count::{Heard, Outcome, with_haste};
pub(crate) use operator::Acted;
pub(crate) use snapshot::{allowed, whole};
use window::{Sums, Window};

/// The circuit (HLT-9). `wait_over` is set at the moment when the wait ends, so that health never asks the clock.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Circuit {
    Closed,
    Open { until: i64, wait_over: bool },
    HalfOpen,
}

/// Who opened the circuit (OPR-5, HLT-1).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Opener {
    /// Its own failures, or probes.
    Own,
    Operator,
    /// `initial_state = "open"`: an operator's open, set by nobody.
    Initial,
}

/// A standing override (9.10).
#[derive(Clone, Debug)]
pub(crate) struct Standing {
    pub(crate) to: String,
    /// The moment at which it was set.
    pub(crate) set: i64,
    /// The moment at which it ends by itself.
    pub(crate) until: Option<i64>,
    pub(crate) by: Option<String>,
    pub(crate) reason: Option<String>,
    /// It is the matrix's `initial_state`, and nobody's act.
    pub(crate) initial: bool,
}

/// Advice from one source (ADV-1).
#[derive(Clone, Debug)]
struct Advice {
    source: String,
    until: i64,
}

/// A permit that is out (HLT-22), in the order in which they were taken.
#[derive(Clone, Debug)]
struct Lease {
    name: Option<String>,
    generation: u64,
    given: i64,
    end: i64,
    /// It is a trial's (HLT-20).
    trial: bool,
    /// It was given while the circuit was closed, under whatever override (HLT-70).
    given_closed: bool,
    /// The moment at which it became hung or lagging has been looked at.
    hung_seen: bool,
    lag_seen: bool,
    /// It added one to the run of failures as it became hung (HLT-71).
    hung_counted: bool,
}

/// Half open: what its trials have counted (HLT-60).
#[derive(Clone, Copy, Debug, Default)]
struct Trials {
    counted: i64,
    failed: i64,
    slow: i64,
    /// Those that count towards `m_of_n`: a slow success may not (HLT-61).
    succeeded: i64,
    /// The largest now + r that they told (HLT-54).
    retry_until: Option<i64>,
    /// Since when the longest stay runs (HLT-62).
    stay: Option<i64>,
}

/// *Degraded* by rates (HLT-72).
#[derive(Clone, Copy, Debug)]
struct Band {
    set: i64,
    /// The end of `min_dwell` has been looked at.
    dwelt: bool,
    /// Every end of a bucket up to here has been looked at.
    looked: i64,
}

/// `down` or `probing`, from the moment at which it last was neither (HLT-36).
#[derive(Clone, Copy, Debug, Default)]
struct Outage {
    start: Option<i64>,
    not_permitted: i64,
    opened: i64,
    /// The last one that ended: how long it was, and its two counts.
    ended: Option<(i64, i64, i64)>,
}

/// The health now, what was last told, and why it last changed (HLT-35, HLT-36).
#[derive(Clone, Debug)]
struct Told {
    current: String,
    current_since: i64,
    /// What the state says, as of the last look: `current`, but while a restart is being worked out.
    seen: String,
    told: String,
    told_since: i64,
    why: Option<String>,
    crossed: Value,
    figures: Sums,
}

/// All that is known of one dependency (9.2).
#[derive(Clone, Debug)]
pub(crate) struct Health {
    name: String,
    deadline: Option<i64>,
    /// The longest `break_glass`, where it is declared (OPR-20).
    glass: Option<i64>,
    settings: Arc<HealthSettings>,
    circuit: Circuit,
    opener: Opener,
    generation: u64,
    window: Window,
    trials: Trials,
    leases: Vec<Lease>,
    run: i64,
    attempts: i64,
    /// Since when attempts are being forgotten (HLT-59).
    calm_since: Option<i64>,
    /// Until when a Retry-After holds a wait against probes (HLT-32).
    hold: Option<i64>,
    /// The class of the last failure counted, or what stands in its place (NEED-13, NEED-15, NEED-16).
    class: Option<String>,
    /// The strongest of `auth`, `payment`, `indeterminate` that was counted (NEED-13).
    sticky: Option<String>,
    degraded_by_probe: bool,
    band: Option<Band>,
    rise: i64,
    fall: i64,
    last_probe: Option<i64>,
    /// False until the first signal, and when the last one is too old (HLT-4).
    known: bool,
    last_signal: Option<i64>,
    advice: Vec<Advice>,
    pub(crate) standing: Option<Standing>,
    ignored: i64,
    ignored_streak: i64,
    not_permitted: i64,
    late: i64,
    lost: i64,
    /// `refusals.spiked` was told, and the rate has not been below since (HLT-43).
    spiked: bool,
    /// When the last `ok` outcome came, for `last_known` with `of = "dependency"` (LAD-21).
    pub(crate) last_ok: Option<i64>,
    /// The overrides that ended by themselves and were not told yet.
    pub(crate) expired: Vec<String>,
    told: Told,
    outage: Outage,
    /// Since when it is neither healthy nor unknown (DEC-27).
    pub(crate) since: Option<i64>,
}

impl Health {
    /// The state in which the engine begins (HLT-1), at `beginning` (TRC-5).
    pub(crate) fn new(dependency: &Dependency, beginning: i64) -> Health {
        let settings = &dependency.health;
        let initial = settings.initial_state.as_str();
        let stands = matches!(initial, "forced_open" | "disabled" | "metrics_only");
        let standing = stands.then(|| Standing {
            to: initial.to_owned(),
            set: beginning,
            until: None,
            by: None,
            reason: None,
            initial: true,
        });
        let mut health = Health::bare(dependency, beginning);
        health.standing = standing;
        if initial == "open" {
            health.opener = Opener::Initial;
            health.class = Some("unavailable".to_owned());
            health.open(beginning, None, None);
        }
        health.begin_telling(beginning);
        health
    }

    /// Nothing counted, no override, a closed circuit.
    fn bare(dependency: &Dependency, beginning: i64) -> Health {
        Health {
            name: dependency.name.clone(),
            deadline: dependency.deadline,
            glass: dependency.break_glass,
            settings: Arc::clone(&dependency.health),
            circuit: Circuit::Closed,
            opener: Opener::Own,
            generation: 0,
            window: Window::new(&dependency.health),
            trials: Trials::default(),
            leases: Vec::new(),
            run: 0,
            attempts: 0,
            calm_since: Some(beginning),
            hold: None,
            class: None,
            sticky: None,
            degraded_by_probe: false,
            band: None,
            rise: 0,
            fall: 0,
            last_probe: None,
            known: false,
            last_signal: None,
            advice: Vec::new(),
            standing: None,
            ignored: 0,
            ignored_streak: 0,
            not_permitted: 0,
            late: 0,
            lost: 0,
            spiked: false,
            last_ok: None,
            expired: Vec::new(),
            told: Told {
                current: String::new(),
                current_since: beginning,
                seen: String::new(),
                told: String::new(),
                told_since: beginning,
                why: None,
                crossed: Value::Null,
                figures: Sums::default(),
            },
            outage: Outage::default(),
            since: None,
        }
    }

    /// TRC-26: what was last told is at first the health at the beginning; no change has led to it.
    fn begin_telling(&mut self, beginning: i64) {
        let shown = self.shown();
        shown.clone_into(&mut self.told.current);
        shown.clone_into(&mut self.told.seen);
        shown.clone_into(&mut self.told.told);
        if shown != "healthy" && shown != "unknown" {
            self.since = Some(beginning);
        }
        if out_of_order(shown) {
            self.outage.start = Some(beginning);
        }
    }

    /// The standing override's name.
    pub(crate) fn standing_name(&self) -> Option<&str> {
        self.standing.as_ref().map(|standing| standing.to.as_str())
    }

    /// HLT-7: under these two no outcome counts.
    fn inert(&self) -> bool {
        matches!(self.standing_name(), Some("forced_open" | "disabled"))
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
            Circuit::Closed if self.degraded_by_probe || !self.advice.is_empty() => "degraded",
            Circuit::Closed => self.closed_without_probe_or_advice(),
        }
    }

    /// HLT-3, the last three rows.
    fn closed_without_probe_or_advice(&self) -> &'static str {
        match (self.known, &self.band) {
            (false, _) => "unknown",
            (true, Some(_)) => "degraded",
            (true, None) => "healthy",
        }
    }

    /// Law 7: advice is seen only where it alone speaks against the dependency.
    pub(crate) fn shown_to(&self, advice_alone: bool) -> &'static str {
        if !advice_alone && self.degraded_by_advice_alone() {
            return self.closed_without_probe_or_advice();
        }
        self.shown()
    }

    /// NEED-8: it is degraded, and would not be if nobody had advised. (Rates that stand over too old a signal
    /// show `unknown`, so they do not degrade it.)
    pub(crate) fn degraded_by_advice_alone(&self) -> bool {
        let by_rates = self.closed_without_probe_or_advice() == "degraded";
        self.shown() == "degraded" && !self.degraded_by_probe && !by_rates
    }

    /// HLT-3, `circuit` told: the circuit, or the override that stands over it; `break_glass` is as if it did not
    /// stand (OPR-20).
    pub(crate) fn circuit_shown(&self) -> String {
        match (self.standing_name(), self.circuit) {
            (Some(name), _) if name != "break_glass" => name.to_owned(),
            (_, Circuit::Closed) => "closed".to_owned(),
            (_, Circuit::Open { .. }) => "open".to_owned(),
            (_, Circuit::HalfOpen) => "half_open".to_owned(),
        }
    }

    /// NEED-13, NEED-15 and NEED-16: the class that a failed health carries.
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
        let own_trouble = self.circuit != Circuit::Closed && self.opener == Opener::Own;
        match self.standing_name() {
            Some("forced_open") => !own_trouble,
            _ => self.circuit != Circuit::Closed && !own_trouble,
        }
    }

    /// LAD-34: failed only by an operator's act; an `initial_state` that nobody has lifted is none.
    pub(crate) fn held_by_operator(&self) -> bool {
        let act = match &self.standing {
            Some(standing) if standing.to == "forced_open" => !standing.initial,
            _ => self.opener == Opener::Operator,
        };
        self.only_by_operator() && act
    }

    /// DEC-29: the wait that is left of an open circuit or of a timed `forced_open`, where one is known.
    pub(crate) fn wait_left(&self, now: i64) -> Option<i64> {
        match self.standing_name() {
            Some("forced_open") => {
                let until = self.standing.as_ref().and_then(|standing| standing.until);
                until.map(|until| until.saturating_sub(now))
            }
            Some("disabled" | "metrics_only") => None,
            _ => self.open_wait_left(now),
        }
    }

    /// What is left of an open circuit's wait.
    fn open_wait_left(&self, now: i64) -> Option<i64> {
        match self.circuit {
            Circuit::Open { until, wait_over: false } => Some(until.saturating_sub(now)),
            _ => None,
        }
    }

    /// The moment of a span that begins now: it is over at now >= this.
    fn after(now: i64, span: i64) -> i64 {
        plus(now, span)
    }
}

/// The two healths in which calls wait (HLT-36).
fn out_of_order(shown: &str) -> bool {
    shown == "down" || shown == "probing"
}
