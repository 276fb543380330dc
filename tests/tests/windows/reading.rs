//! What a host reads from a decision: which needs have failed and went on, by its own book of what it has told.

use std::collections::{BTreeMap, BTreeSet};

use failsoft::draft::{ActionDraft, DependencyDraft, OperationDraft};
use failsoft::{Decision, Effect, Fault, Posture, Reason, Report, Role, Stage};
use serde_json::Value;

use crate::play::{Case, entries, text};

/// What a request has told, and what it was answered.
#[derive(Clone, Default)]
pub(crate) struct Told {
    pub(crate) operation: String,
    pub(crate) tenant: String,
    pub(crate) stage: usize,
    reported: BTreeSet<String>,
    amounts: BTreeMap<String, u64>,
    /// What it took of each meter whose store is among its operation's needs, once it went on.
    pub(crate) taken: Option<BTreeMap<String, u64>>,
    /// Needs that a commit has answered for (STG-10).
    answered: BTreeSet<String>,
    /// Guards that were skipped in a commit after which it went on (REQ-11).
    pub(crate) skipped: BTreeSet<String>,
}

/// A need that is not fine, as a decision tells it.
pub(crate) struct Failed<'d> {
    pub(crate) need: String,
    pub(crate) reason: &'d Reason,
    pub(crate) posture: Posture,
    /// Its own answer, before any conversion, goes on.
    pub(crate) goes_on: bool,
}

/// What a committed decision tells.
pub(crate) struct Seen<'d> {
    /// The needs that were looked at and have failed, in pipeline order.
    pub(crate) failed: Vec<Failed<'d>>,
    pub(crate) shadow: bool,
    /// Guards that count for `max_unchecked` (DEC-13).
    pub(crate) unchecked: BTreeSet<String>,
}

/// What is seen from outside does not say which of two it was.
pub(crate) struct Unclear;

const STAGES: [&str; 5] = ["admit", "dispatch", "stream", "output", "persist"];
const STREAM: usize = 2;
const PERSIST: usize = 4;

fn stage(dependency: &DependencyDraft) -> usize {
    match (dependency.stage, dependency.role) {
        (Some(stage), _) => STAGES.iter().position(|name| *name == stage.as_str()).expect("a stage"),
        (None, Role::Guard) => 0,
        (None, Role::Serve) => 1,
        (None, Role::Observe) => PERSIST,
    }
}

impl Case {
    pub(crate) fn dependency(&self, name: &str) -> &DependencyDraft {
        self.loaded.draft.dependencies.iter().find(|known| known.name == name).expect("it is there")
    }

    pub(crate) fn operation(&self, name: &str) -> &OperationDraft {
        self.loaded.draft.operations.iter().find(|known| known.name == name).expect("it is there")
    }

    /// The meters that an operation takes from, as written (MET-5).
    pub(crate) fn meters(&self, operation: &str) -> impl Iterator<Item = &str> {
        let needs = &self.operation(operation).needs;
        let meters = self.loaded.draft.meters.iter().filter(|meter| needs.contains(&meter.store));
        meters.map(|meter| meter.name.as_str())
    }

    /// The posture of what answered a failed need (DEC-5, DEC-6, OPR-20, MET-33).
    fn posture(&self, need: &str, reason: &Reason) -> Posture {
        let dependency = self.dependency(need);
        let guard = dependency.role == Role::Guard;
        let own = [Fault::Rejected, Fault::Cancelled].map(|fault| Some(Report::Failed(fault)));
        match reason.kind.as_str() {
            "deny" | "defer" | "retry" if own.contains(&reason.fault) => Posture::Normal,
            "deny" | "defer" | "retry" | "withhold" | "over_limit" => Posture::FailClosed,
            "allow" | "break_glass" => Posture::FailOpen,
            "last_known" | "local_meter" => Posture::FailSoft,
            "fallback" if guard => {
                let rung = reason.rung.and_then(|rung| dependency.on_failure.get(usize::from(rung)));
                match rung.map(|rung| &rung.action) {
                    Some(ActionDraft::Fallback { to }) if self.dependency(to).role == Role::Guard => {
                        Posture::FailSoft
                    }
                    _ => Posture::FailOpen,
                }
            }
            _ if guard => Posture::FailOpen,
            _ => Posture::FailSoft,
        }
    }
}

impl Told {
    /// What a line says stands until it is told again (REQ-6).
    pub(crate) fn hear(&mut self, decide: &Value) {
        self.operation = text(decide, "operation").to_owned();
        if let Some(tenant) = decide.get("tenant").and_then(Value::as_str) {
            self.tenant = tenant.to_owned();
        }
        let told = STAGES.iter().position(|name| *name == text(decide, "stage"));
        if let Some(told) = told.filter(|_| self.stage != STREAM) {
            self.stage = told;
        }
        self.reported.extend(entries(decide, "faults").map(|(name, _)| name.clone()));
        let amounts = entries(decide, "amounts");
        self.amounts.extend(amounts.map(|(name, amount)| (name.clone(), amount.as_u64().expect("a number"))));
    }

    /// Takes note of a committed decision.
    pub(crate) fn commit<'d>(&mut self, case: &Case, decision: &'d Decision) -> Result<Seen<'d>, Unclear> {
        let operation = case.operation(&self.operation);
        let irreversible = operation.effect == Effect::Irreversible;
        let past_return = self.stage == STREAM || (self.stage == PERSIST && irreversible);
        let shadow = operation.enforcement == failsoft::Enforcement::Shadow;
        let went_on = decision.verdict.goes_on() || shadow;
        let rule = |kind: &str| decision.reasons.iter().any(|reason| reason.kind.as_str() == kind);
        let (refused_by_rule, too_many) = (rule("refuse"), rule("max_unchecked"));
        let (mut failed, mut unchecked) = (Vec::new(), BTreeSet::new());
        for need in &operation.needs {
            let dependency = case.dependency(need);
            let guard = dependency.role == Role::Guard;
            let id = case.loaded.matrix.dependency(need);
            let reason = decision.reasons.iter().find(|reason| reason.dependency == id);
            let left_behind = stage(dependency) < self.stage
                && !self.reported.contains(need)
                && self.answered.contains(need)
                && !(guard && irreversible);
            let over_limit = reason.is_some_and(|reason| reason.kind.as_str() == "over_limit");
            let cut = decision.obligations.iter().any(|duty| {
                duty.dependency == id && matches!(duty.kind.as_str(), "cut_stream" | "reconcile")
            });
            if left_behind {
                if over_limit && self.stage == STREAM && (shadow || !cut) {
                    return Err(Unclear); // It stands again, or was found anew (STG-3, MET-33).
                }
                if self.skipped.contains(need) {
                    unchecked.insert(need.clone());
                }
                continue;
            }
            if refused_by_rule && dependency.role != Role::Observe {
                continue; // It was not looked at (DEC-12).
            }
            let Some(reason) = reason else {
                self.answered.insert(need.clone());
                continue;
            };
            let kind = reason.kind.as_str();
            let goes_on = match kind {
                "deny" | "defer" | "retry" => false,
                "over_limit" if past_return && too_many => return Err(Unclear),
                "over_limit" => went_on && !cut && decision.verdict.goes_on(),
                _ => true,
            };
            let is_allow = goes_on && !matches!(kind, "withhold" | "over_limit");
            if is_allow && !went_on {
                self.answered.remove(need);
            } else {
                self.answered.insert(need.clone());
            }
            if reason.fault == Some(Report::Refused) {
                continue;
            }
            let posture = case.posture(need, reason);
            if guard && posture == Posture::FailOpen {
                unchecked.insert(need.clone());
                if went_on {
                    self.skipped.insert(need.clone());
                }
            }
            failed.push(Failed { need: need.clone(), reason, posture, goes_on });
        }
        if went_on && self.taken.is_none() {
            let meters = case.meters(&self.operation);
            let amount = |meter: &str| self.amounts.get(meter).copied().unwrap_or(1);
            self.taken = Some(meters.map(|meter| (meter.to_owned(), amount(meter))).collect());
        }
        Ok(Seen { failed, shadow, unchecked })
    }
}

/// Stages as they are written, for those who ask at one.
pub(crate) const ALL_STAGES: [Stage; 5] =
    [Stage::Admit, Stage::Dispatch, Stage::Stream, Stage::Output, Stage::Persist];
