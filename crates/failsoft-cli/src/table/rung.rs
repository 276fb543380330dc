//! A rung in words.

use failsoft::draft::{ActionDraft, CapDraft, LastKnownOf, RefuseDraft, RungDraft, Share, Value, WhenDraft};
use failsoft::{Posture, RungKind};

use crate::words;

/// One rung, as each form of the table needs it.
pub(super) struct Rung {
    /// Its place in the ladder; none of a refusal.
    pub(super) index: Option<usize>,
    pub(super) kind: RungKind,
    pub(super) posture: Posture,
    /// `last_known up to 30s`, `deny 403 POLICY_DENIED`.
    pub(super) does: String,
    /// `fault timeout, unreachable`, `class standard`: all must hold.
    pub(super) when: Vec<String>,
    /// How much it lets through, or for how long it stands.
    pub(super) cap: Option<String>,
    /// Further obligations.
    pub(super) also: Vec<String>,
    /// The event it emits, and why.
    pub(super) tells: Option<String>,
    /// Who is called.
    pub(super) alert: Option<String>,
    /// It lets a request past a guard that has not said yes, with nothing in its place.
    pub(super) unchecked: bool,
    /// The matrix does not write it: it stands by itself.
    pub(super) by_default: bool,
}

impl Rung {
    pub(super) fn of(draft: &RungDraft, index: Option<usize>, posture: Posture) -> Self {
        let parts = [draft.emit.clone(), draft.reason.clone()];
        let tells: Vec<String> = parts.into_iter().flatten().collect();
        Self {
            index,
            kind: draft.action.kind(),
            posture,
            does: does(draft),
            when: when(&draft.when),
            cap: draft.cap.as_ref().map(cap),
            also: draft.also.clone(),
            tells: (!tells.is_empty()).then(|| tells.join(", ")),
            alert: draft.alert.clone(),
            unchecked: false,
            by_default: false,
        }
    }

    /// The same on a guard, where a rung that fails open says so.
    pub(super) fn of_guard(mut self) -> Self {
        if self.posture == Posture::FailOpen {
            self.unchecked = true;
            self.does.push_str(", unchecked");
        }
        self
    }

    /// All of it but its place: `deny 403 X when class standard; also a, b; tells event`.
    pub(super) fn sentence(&self) -> String {
        let mut out = self.does.clone();
        for (before, part) in self.parts() {
            out = format!("{out}{before}{part}");
        }
        out
    }

    /// What comes after what it does, each with what leads it in.
    pub(super) fn parts(&self) -> Vec<(&'static str, String)> {
        let mut parts = Vec::new();
        if !self.when.is_empty() {
            parts.push((" when ", self.when.join(" and ")));
        }
        if let Some(cap) = &self.cap {
            parts.push((", ", cap.clone()));
        }
        if !self.also.is_empty() {
            parts.push(("; also ", self.also.join(", ")));
        }
        if let Some(tells) = &self.tells {
            parts.push(("; tells ", tells.clone()));
        }
        if let Some(alert) = &self.alert {
            parts.push(("; alert ", alert.clone()));
        }
        parts
    }
}

fn does(draft: &RungDraft) -> String {
    let kind = draft.action.kind();
    let own = match &draft.action {
        ActionDraft::Retry { max_attempts, base, multiplier, jitter } => {
            let grows = match multiplier {
                100 => String::new(),
                more => {
                    format!(", then {}.{:02} times as long each", more / 100, more % 100).replace(".00 ", " ")
                }
            };
            let jitter = if *jitter == 0 { String::new() } else { format!(", up to {jitter}% more") };
            let wait = words::length(*base);
            format!("retry, {max_attempts} calls in all, after {wait}{grows}{jitter}")
        }
        ActionDraft::Fallback { to } => format!("fallback to {to}"),
        ActionDraft::LastKnown { max_age, of } => {
            let of = match of {
                LastKnownOf::Request => "",
                LastKnownOf::Dependency => " of anybody's",
            };
            format!("last_known{of} up to {} old", words::length(*max_age))
        }
        ActionDraft::LocalMeter { meter, share } => match share {
            Share::PerInstance => format!("local_meter of {meter}, an instance's share"),
            Share::Percent(percent) => format!("local_meter of {meter}, {percent}%"),
        },
        ActionDraft::Outbox { capacity } => {
            format!("outbox up to {}", words::thousands(usize::try_from(*capacity).unwrap_or(usize::MAX)))
        }
        ActionDraft::LeastBad { of } => format!("least_bad of {}", of.join(", ")),
        ActionDraft::Substitute { name } => format!("substitute {name}"),
        _ => kind.as_str().to_owned(),
    };
    let status = draft.status.map(|status| status.to_string());
    [Some(own), status, draft.code.clone()].into_iter().flatten().collect::<Vec<_>>().join(" ")
}

/// `at most 100 requests for each tenant`, `for 15m`.
fn cap(draft: &CapDraft) -> String {
    if let Some(time) = draft.time {
        return format!("for {}", words::length(time));
    }
    let counted = |count: u64| words::thousands(usize::try_from(count).unwrap_or(usize::MAX));
    let what = match (draft.requests, draft.amount, &draft.meter) {
        (_, Some(amount), Some(meter)) => format!("{} of {meter}", counted(amount)),
        (requests, ..) => format!("{} requests", counted(requests.unwrap_or_default())),
    };
    let whose = match (&draft.meter, draft.total) {
        (_, true) => "in all".to_owned(),
        (Some(_), false) if draft.amount.is_some() => "for each of its keys".to_owned(),
        (Some(meter), false) => format!("for each key of {meter}"),
        (None, false) => "for each tenant".to_owned(),
    };
    format!("at most {what} {whose}")
}

fn when(draft: &WhenDraft) -> Vec<String> {
    fn list<T: ToString>(name: &str, items: &[T]) -> Option<String> {
        let items: Vec<String> = items.iter().map(T::to_string).collect();
        (!items.is_empty()).then(|| format!("{name} {}", items.join("/")))
    }
    let lists = [
        list("fault", &draft.fault),
        list("health", &draft.health),
        list("effect", &draft.effect),
        list("stage", &draft.stage),
        list("operation", &draft.operation),
        list("class", &draft.class),
    ];
    let parameters = draft.parameter.iter().map(|(name, value)| format!("{name} = {}", shown(value)));
    lists.into_iter().flatten().chain(parameters).collect()
}

/// A refuse rule: `deny 409 CIRCULAR_SAGA when originator is told`.
pub(super) fn refuse(rule: &RefuseDraft) -> String {
    let present = rule.present.as_ref().map(|name| format!("{} is told", quoted(name)));
    let equals = rule.equals.iter().map(|(name, value)| format!("{} is {}", quoted(name), quoted(value)));
    let same = rule.same.as_ref().map(|(left, right)| {
        format!("{} and {} are the same, or one is not told", quoted(left), quoted(right))
    });
    let conditions: Vec<String> = present.into_iter().chain(equals).chain(same).collect();
    let mut deny = Rung::of(&rule.deny, None, Posture::Normal);
    if rule.deny.status.is_none() {
        deny.does = format!("deny 403 {}", rule.deny.code.as_deref().unwrap_or("REFUSED"));
    }
    deny.when = conditions;
    deny.sentence()
}

pub(super) fn shown(value: &Value) -> String {
    match value {
        Value::Bool(value) => value.to_string(),
        Value::Integer(number) => number.to_string(),
        Value::Text(text) => quoted(text),
    }
}

/// Any text, marked off and tame.
fn quoted(text: &str) -> String {
    format!("\"{}\"", words::name(text))
}
