//! Rungs: which kinds may stand where, and what they may not be narrowed to.

use alloc::format;
use alloc::string::String;
use alloc::sync::Arc;
use alloc::vec::Vec;

use super::{Compiler, limits, quoted};
use crate::draft::{ActionDraft, CapDraft, DependencyDraft, RungDraft, Share, WhenDraft};
use crate::matrix::{Action, Cap, CapOf, MeterId, Rung, RungEmit, Set, When};
use crate::mistake::Path;
use crate::{Effect, Fault, ObligationKind, Posture, Role, RungKind, Verdict};

impl ActionDraft {
    /// The kind, as the document writes it.
    #[must_use]
    pub const fn kind(&self) -> RungKind {
        match self {
            Self::Allow => RungKind::Allow,
            Self::Deny => RungKind::Deny,
            Self::Defer => RungKind::Defer,
            Self::Withhold => RungKind::Withhold,
            Self::Retry { .. } => RungKind::Retry,
            Self::Fallback { .. } => RungKind::Fallback,
            Self::LastKnown { .. } => RungKind::LastKnown,
            Self::LocalMeter { .. } => RungKind::LocalMeter,
            Self::Outbox { .. } => RungKind::Outbox,
            Self::LeastBad { .. } => RungKind::LeastBad,
            Self::MetadataOnly => RungKind::MetadataOnly,
            Self::DropTelemetry => RungKind::DropTelemetry,
            Self::SkipTool => RungKind::SkipTool,
            Self::ReadOnly => RungKind::ReadOnly,
            Self::Substitute { .. } => RungKind::Substitute,
        }
    }
}

/// With these words, and a dot, the engine's own events begin, now or later.
const OWN_EVENTS: &[&str] = &[
    "clock", "engine", "health", "instance", "limit", "matrix", "meter", "never", "override", "refusals",
    "table", "window",
];

/// What a refusal is answered with where the matrix says nothing.
pub(super) fn default_refusal() -> Rung {
    refusal_of(RungKind::Deny, Action::Deny, &RungDraft::new(ActionDraft::Deny))
}

/// A rung that answers a refusal: a `deny` without status and code is 403 `REFUSED`, and its posture is normal.
pub(super) fn refusal_of(kind: RungKind, action: Action, draft: &RungDraft) -> Rung {
    let mut rung =
        assembled(kind, action, draft, When { parameter: true, ..When::default() }, Posture::Normal);
    if kind == RungKind::Deny {
        rung.status = rung.status.or(Some(403));
        rung.code = rung.code.or_else(|| Some("REFUSED".into()));
    }
    rung
}

fn assembled(kind: RungKind, action: Action, draft: &RungDraft, when: When, posture: Posture) -> Rung {
    let text = |value: &Option<String>| value.as_deref().map(Arc::<str>::from);
    let alert_alone = draft.alert.is_some().then(|| Arc::<str>::from("alert"));
    let emit = text(&draft.emit).or(alert_alone).map(|event| RungEmit {
        event,
        reason: text(&draft.reason),
        alert: text(&draft.alert),
    });
    Rung {
        kind,
        also: further(&action, &draft.also),
        action,
        when,
        emit,
        status: draft.status,
        code: text(&draft.code),
        posture,
        cap: None,
    }
}

/// The further obligations, as written: equal ones once, and none that the rung makes itself.
fn further(action: &Action, also: &[String]) -> Vec<Arc<str>> {
    let mut names: Vec<Arc<str>> = Vec::new();
    for name in also {
        let own = matches!(action, Action::Named { name: own } if own.as_ref() == name);
        if !own && !names.iter().any(|known| known.as_ref() == name) {
            names.push(name.as_str().into());
        }
    }
    names
}

impl<'a> Compiler<'a> {
    /// A rung of `on_failure`.
    pub(super) fn rung(&mut self, of: &'a DependencyDraft, draft: &'a RungDraft, path: &Path) -> Rung {
        let kind = draft.action.kind();
        let place = path.key(kind.as_str());
        let when = self.when(&draft.when, &place.key("when"));
        let action = self.action(of, &draft.action, path, &place);
        self.common(draft, &place);
        self.narrowing(of, draft, &place);
        let mut rung = assembled(kind, action, draft, when, self.posture(of, draft));
        rung.cap = draft.cap.as_ref().and_then(|cap| self.cap(cap, kind, &place.key("cap")));
        if kind == RungKind::Deny {
            rung.code = rung.code.or_else(|| Some("DEPENDENCY_UNAVAILABLE".into()));
        }
        if kind.verdict() != Verdict::Allow {
            // Written out, so that it is the same rung whether the document says so or not.
            rung.status = rung.status.or(Some(kind.verdict().status()));
        }
        rung
    }

    /// The rung of `on_refusal`.
    pub(super) fn refusal(&mut self, of: &'a DependencyDraft, draft: &'a RungDraft, path: &Path) -> Rung {
        let kind = draft.action.kind();
        let place = path.key(kind.as_str());
        let permitted: &[&str] = match of.role {
            Role::Guard => &["deny", "withhold", "defer"],
            Role::Serve => &["deny", "withhold", "defer", "skip_tool", "substitute"],
            Role::Observe => &[],
        };
        if of.role == Role::Observe {
            let what =
                "an observer's refusal is taken as a fault, so `on_refusal` would change nothing".into();
            let help = Some("answer it in `on_failure`, as the fault `indeterminate`".into());
            self.mistake("rung-not-allowed", path.clone(), what, help);
        } else if !permitted.contains(&kind.as_str()) {
            let what = format!("a refusal is a no, and `{kind}` does not take it as one");
            let help = Some(format!("for a {} write one of {}", of.role, quoted(permitted)));
            self.mistake("rung-not-allowed", place.clone(), what, help);
        }
        if !draft.when.fault.is_empty() {
            let what = "a refusal has no fault class, so this rung would never be taken".into();
            let help = Some("leave `fault` out; a fault is answered in `on_failure`".into());
            self.mistake("fault-in-refusal", place.key("when").key("fault"), what, help);
        }
        if draft.cap.is_some() {
            let help = Some("leave `cap` out: there is nothing below it".into());
            self.mistake("bad-cap", place.key("cap"), "a refusal is no ladder".into(), help);
        }
        let when = self.when(&draft.when, &place.key("when"));
        let action = self.action(of, &draft.action, path, &place);
        self.common(draft, &place);
        Rung { when, ..refusal_of(kind, action, draft) }
    }

    /// Settings that every rung may have.
    pub(super) fn common(&mut self, draft: &RungDraft, place: &Path) {
        self.count("names", &place.key("also"), draft.also.len(), limits::LIST);
        for (index, name) in draft.also.iter().enumerate() {
            let reserved = ObligationKind::from_name(name).is_some_and(|kind| !kind.also());
            if reserved {
                let what = format!("`{name}` is made by the rung of that kind alone");
                let help = Some("use the rung, or name an obligation of your own".into());
                self.mistake("reserved-name", place.key("also").index(index), what, help);
            }
        }
        let emit = draft.emit.as_deref().and_then(|emit| emit.split_once('.'));
        if let Some((word, _)) = emit.filter(|(word, _)| OWN_EVENTS.contains(word)) {
            let what = format!("events that begin with `{word}.` are the engine's own");
            let help = Some("begin it with a word of your own, such as what it is about".into());
            self.mistake("reserved-name", place.key("emit"), what, help);
        }
        if draft.reason.is_some() && draft.emit.is_none() && draft.alert.is_none() {
            let help = Some("add `emit` or `alert`, or leave `reason` out".into());
            let what = "a reason is told with an event, and this rung tells none".into();
            self.mistake("reason-without-event", place.key("reason"), what, help);
        }
    }

    /// What a rung may not be narrowed to, so that a law holds whatever is written.
    fn narrowing(&mut self, of: &DependencyDraft, draft: &RungDraft, place: &Path) {
        if of.role != Role::Guard {
            return;
        }
        let kind = draft.action.kind();
        let when = place.key("when");
        let goes_on = kind.verdict().goes_on();
        if goes_on && draft.when.fault.iter().copied().any(Fault::caller) {
            let what = "the caller causes `rejected` and `cancelled`, and so could open this gate".into();
            let help = Some("name them only on a rung that stops the request".into());
            self.mistake("caller-opens-gate", when.key("fault"), what, help);
        }
        let replaced = self.replaces_guard(draft);
        let may = replaced || matches!(kind, RungKind::Deny | RungKind::Defer);
        if draft.when.effect.contains(&Effect::Irreversible) && !may {
            let what = format!("an irreversible operation can't rest on `{kind}` for a guard");
            let help =
                Some("only `last_known`, `local_meter` and a `fallback` to a guard may be so named".into());
            self.mistake("irreversible-substitute", when.key("effect"), what, help);
        }
    }

    /// Whether the rung puts a check in the place of a guard's.
    fn replaces_guard(&self, draft: &RungDraft) -> bool {
        match &draft.action {
            ActionDraft::Fallback { to } => {
                self.draft.dependencies.iter().any(|known| known.name == *to && known.role == Role::Guard)
            }
            action => action.kind().soft_on_guard(),
        }
    }

    fn posture(&self, of: &DependencyDraft, draft: &RungDraft) -> Posture {
        let posture = draft.action.kind().posture();
        if of.role == Role::Guard && posture == Posture::FailSoft && !self.replaces_guard(draft) {
            return Posture::FailOpen;
        }
        posture
    }

    fn action(&mut self, of: &DependencyDraft, action: &ActionDraft, path: &Path, place: &Path) -> Action {
        match action {
            ActionDraft::Allow => Action::Allow,
            ActionDraft::Deny => Action::Deny,
            ActionDraft::Defer => Action::Defer,
            ActionDraft::Withhold => Action::Withhold,
            ActionDraft::Retry { max_attempts, base, multiplier, jitter } => Action::Retry {
                max_attempts: *max_attempts,
                base: *base,
                multiplier: *multiplier,
                jitter: *jitter,
            },
            ActionDraft::Fallback { to } => Action::Fallback { to: self.target(of, to, place.key("to")) },
            ActionDraft::LastKnown { max_age, of } => Action::LastKnown { max_age: *max_age, of: *of },
            ActionDraft::LocalMeter { meter, share } => self.local_meter(of, meter, *share, place),
            ActionDraft::Outbox { capacity } => Action::Outbox { capacity: *capacity },
            ActionDraft::LeastBad { of: targets } => self.least_bad(of, targets, path, place),
            ActionDraft::MetadataOnly
            | ActionDraft::DropTelemetry
            | ActionDraft::SkipTool
            | ActionDraft::ReadOnly => Action::Named { name: action.kind().as_str().into() },
            ActionDraft::Substitute { name } => {
                if ObligationKind::from_name(name).is_some() {
                    let what = format!("`{name}` is a name that failsoft keeps for itself");
                    let help = Some("use the rung of that kind, or another name".into());
                    self.mistake("reserved-name", place.key("name"), what, help);
                }
                Action::Named { name: name.as_str().into() }
            }
        }
    }

    fn target(&mut self, of: &DependencyDraft, name: &str, path: Path) -> crate::DependencyId {
        if of.name == name {
            let what = format!("`{name}` can't stand in for itself");
            let help = Some("name another dependency".into());
            self.mistake("own-target", path.clone(), what, help);
        }
        self.dependency_id(name, path)
    }

    fn least_bad(&mut self, of: &DependencyDraft, targets: &[String], path: &Path, place: &Path) -> Action {
        if of.role != Role::Serve {
            let what = format!("`least_bad` tries what is down, which a {} can't rest on", of.role);
            let help = Some("write it on a dependency with the role `serve`".into());
            self.mistake("rung-not-allowed", path.key("least_bad"), what, help);
        }
        if targets.is_empty() {
            let what = "there is nothing to try".into();
            self.mistake("empty-list", place.key("of"), what, Some("name the targets in `of`".into()));
        }
        self.count("targets", &place.key("of"), targets.len(), limits::LIST);
        let of = targets
            .iter()
            .enumerate()
            .map(|(index, name)| self.target(of, name, place.key("of").index(index)))
            .collect();
        Action::LeastBad { of }
    }

    fn cap(&mut self, draft: &CapDraft, kind: RungKind, path: &Path) -> Option<Cap> {
        let bounds = [
            draft.requests.map(CapOf::Requests),
            draft.amount.map(CapOf::Amount),
            draft.time.map(CapOf::Time),
        ];
        let mut bad = |what: String, help: &str| {
            self.mistake("bad-cap", path.clone(), what, Some(help.into()));
        };
        let mut bounds = bounds.into_iter().flatten();
        let (Some(of), None) = (bounds.next(), bounds.next()) else {
            bad("a cap bounds one thing".into(), "write exactly one of `requests`, `amount` and `time`");
            return None;
        };
        let timed = draft.time.is_some();
        if !timed && !kind.verdict().goes_on() {
            bad(format!("`{kind}` lets nothing through that could be counted"), "bound it by `time`");
        }
        if timed && (draft.total || draft.meter.is_some()) {
            bad("`time` is the same for every request".into(), "leave `total` and `meter` out");
        }
        if draft.amount.is_some() && draft.meter.is_none() {
            bad("an amount is one of a meter".into(), "add `meter`");
        }
        let meter = match &draft.meter {
            Some(name) => Some(self.meter_id(name, path.key("meter"))?),
            None => None,
        };
        Some(Cap { of, meter, total: draft.total })
    }

    fn meter_id(&mut self, name: &str, path: Path) -> Option<MeterId> {
        let found = (0u16..).zip(&self.draft.meters).find(|(_, known)| known.name == name);
        if found.is_none() {
            let names = self.draft.meters.iter().map(|known| known.name.as_str());
            self.unknown("unknown-meter", "meter", name, names, path);
        }
        found.map(|(id, _)| MeterId(id))
    }

    fn local_meter(&mut self, of: &DependencyDraft, meter: &str, share: Share, place: &Path) -> Action {
        let id = self.meter_id(meter, place.key("meter"));
        let Some((id, known)) = id.and_then(|id| Some((id, self.draft.meters.get(id.index())?))) else {
            return Action::LocalMeter { meter: MeterId(u16::MAX), share };
        };
        if known.store != of.name {
            let what = format!("`{meter}` is kept by `{}`, not by `{}`", known.store, of.name);
            let help = Some(format!("move this rung to `{}`, or name a meter of `{}`", known.store, of.name));
            self.mistake("meter-of-another-store", place.key("meter"), what, help);
        }
        if share == Share::PerInstance && known.max_instances.is_none() {
            let what = format!("a share per instance needs the most instances that `{meter}` may have");
            let help =
                Some(format!("add `max_instances` to `[meter.{meter}]`, or give a percentage as `share`"));
            self.mistake("missing-max-instances", place.key("share"), what, help);
        }
        Action::LocalMeter { meter: id, share }
    }

    fn when(&mut self, draft: &WhenDraft, path: &Path) -> When {
        let lists = [
            ("fault", draft.fault.len()),
            ("health", draft.health.len()),
            ("operation", draft.operation.len()),
            ("class", draft.class.len()),
            ("parameter", draft.parameter.len()),
        ];
        for (key, count) in lists {
            self.count("entries", &path.key(key), count, limits::LIST);
        }
        let mut operation: Vec<_> = draft
            .operation
            .iter()
            .enumerate()
            .map(|(index, name)| self.operation_id(name, path.key("operation").index(index)))
            .collect();
        // A set, like the others.
        operation.sort_unstable();
        operation.dedup();
        let class: Vec<u8> = draft
            .class
            .iter()
            .enumerate()
            .filter_map(|(index, name)| self.class_id(name, path.key("class").index(index)))
            .collect();
        let bound: Vec<bool> = draft
            .parameter
            .iter()
            .map(|(name, value)| self.parameter_is(name, value, path.key("parameter").key(name)))
            .collect();
        When {
            fault: Set::of(draft.fault.iter().map(|fault| fault.number())),
            health: Set::of(draft.health.iter().map(|health| health.number())),
            effect: Set::of(draft.effect.iter().map(|effect| effect.number())),
            stage: Set::of(draft.stage.iter().map(|stage| stage.number())),
            class: Set::of(class),
            operation,
            parameter: bound.iter().all(|is| *is),
        }
    }
}
