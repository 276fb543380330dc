//! From checked values to the draft that the core compiles.

use failsoft_core::draft::{
    DependencyDraft, InvariantCondition, InvariantDraft, MatrixDraft, MeterDraft, MeterKey, OperationDraft,
    ParameterDraft, RefuseDraft, RungDraft, SilenceDraft, Value,
};
use failsoft_core::{Effect, Enforcement, Fault, MeterMode, Millis, Posture, Role, Stage, Verdict};

use super::bind::Bound;
use super::checked::{Checked, Fields};
use super::{fill_health, fill_rung};

/// The draft of a checked document. What is spoilt is filled with something that makes no further mistakes; a
/// draft with such parts is only looked at for mistakes, never used.
pub(crate) fn matrix(root: &Fields, bound: &Bound) -> MatrixDraft {
    let mut draft = MatrixDraft::new(&root.text("name").unwrap_or_default());
    draft.revision = root.integer("revision").unwrap_or(draft.revision);
    draft.signal_ttl = root.millis("signal_ttl").unwrap_or(draft.signal_ttl);
    draft.window_idle = root.millis("window_idle").unwrap_or(draft.window_idle);
    draft.tenants = root.integer("tenants").unwrap_or(draft.tenants);
    if !root.list("classes").is_empty() {
        draft.classes = root.texts("classes");
    }
    draft.parameters = root
        .map("parameter")
        .iter()
        .map(|(name, fields)| {
            let default = fields.table().and_then(|fields| fields.get("default")).and_then(scalar);
            let default = default.unwrap_or(Value::Bool(false));
            let value = bound.get(name).cloned().flatten().unwrap_or_else(|| default.clone());
            ParameterDraft { name: name.clone(), default, value }
        })
        .collect();
    draft.dependencies =
        root.map("dependency").iter().map(|(name, fields)| dependency(name, fields.table())).collect();
    draft.operations =
        root.map("operation").iter().map(|(name, fields)| operation(name, fields.table())).collect();
    draft.meters = root.map("meter").iter().map(|(name, fields)| meter(name, fields.table())).collect();
    draft.invariants = root.list("invariant").iter().map(|fields| invariant(fields.table())).collect();
    draft.silences = root.list("silence").iter().map(|fields| silence(fields.table())).collect();
    draft
}

/// A value as the draft has it.
pub(crate) fn scalar(value: &Checked) -> Option<Value> {
    match value {
        Checked::Bool(value) => Some(Value::Bool(*value)),
        Checked::Integer(number) => Some(Value::Integer(*number)),
        Checked::Text(text) => Some(Value::Text(text.clone())),
        _ => None,
    }
}

fn dependency(name: &str, fields: Option<&Fields>) -> DependencyDraft {
    let mut draft = DependencyDraft::new(name, Role::Observe, None);
    let Some(fields) = fields else { return draft };
    draft.role = fields.choice("role", Role::from_name).unwrap_or(Role::Observe);
    draft.stage = fields.choice("stage", Stage::from_name);
    draft.deadline = fields.millis("deadline");
    if fields.is_spoilt("deadline") {
        draft.deadline = Some(Millis::new(1));
    }
    draft.health = fields.table("health").map(fill_health::health).unwrap_or_default();
    draft.break_glass =
        fields.table("break_glass").map(|glass| glass.millis("max_duration").unwrap_or(Millis::new(1)));
    draft.on_failure = fields.list("on_failure").iter().map(fill_rung::rung).collect();
    draft.on_refusal =
        fields.get("on_refusal").filter(|rung| matches!(rung, Checked::Rung(..))).map(fill_rung::rung);
    draft
}

fn operation(name: &str, fields: Option<&Fields>) -> OperationDraft {
    let mut draft = OperationDraft::new(name, &[]);
    let Some(fields) = fields else { return draft };
    draft.needs = fields.texts("needs");
    draft.effect = fields.choice("effect", Effect::from_name).unwrap_or(draft.effect);
    draft.deadline = fields.millis("deadline");
    draft.max_unchecked = fields.integer("max_unchecked");
    draft.enforcement = fields.choice("enforcement", Enforcement::from_name).unwrap_or(draft.enforcement);
    draft.refuse = fields.list("refuse").iter().map(|rule| refuse(rule.table())).collect();
    draft
}

fn refuse(fields: Option<&Fields>) -> RefuseDraft {
    let when = fields.and_then(|fields| fields.table("when"));
    let text = |value: &Checked| value.text().unwrap_or_default().to_owned();
    let same = when.map(|when| when.texts("same")).unwrap_or_default();
    RefuseDraft {
        present: when.and_then(|when| when.text("present")),
        equals: when
            .map(|when| when.map("equals").iter().map(|(name, value)| (name.clone(), text(value))).collect())
            .unwrap_or_default(),
        same: match <[String; 2]>::try_from(same) {
            Ok([left, right]) => Some((left, right)),
            Err(_) => None,
        },
        deny: fields.and_then(|fields| fields.table("deny")).map_or_else(
            || RungDraft::new(failsoft_core::draft::ActionDraft::Deny),
            |deny| fill_rung::with(failsoft_core::draft::ActionDraft::Deny, deny),
        ),
    }
}

fn meter(name: &str, fields: Option<&Fields>) -> MeterDraft {
    MeterDraft {
        name: name.to_owned(),
        store: fields.and_then(|fields| fields.text("store")).unwrap_or_default(),
        key: match fields.map(|fields| fields.list("key").len()) {
            Some(2) => MeterKey::TenantSession,
            _ => MeterKey::Tenant,
        },
        mode: fields
            .and_then(|fields| fields.choice("mode", MeterMode::from_name))
            .unwrap_or(MeterMode::Block),
        capacity: fields.and_then(|fields| fields.integer("capacity")).unwrap_or(10_000),
        limit: fields.and_then(|fields| fields.integer("limit")),
        window: fields.and_then(|fields| fields.millis("window")),
        max_instances: fields.and_then(|fields| fields.integer("max_instances")),
        max_unreported: fields.and_then(|fields| fields.integer("max_unreported")),
    }
}

fn invariant(fields: Option<&Fields>) -> InvariantDraft {
    let condition = |name: &str| match name {
        "fine" => Some(InvariantCondition::Fine),
        "refused" => Some(InvariantCondition::Refused),
        "failed" => Some(InvariantCondition::Failed),
        fault => Fault::from_name(fault).map(InvariantCondition::Fault),
    };
    let supposed = |(name, value): &(String, Checked)| {
        (name.clone(), value.text().and_then(condition).unwrap_or(InvariantCondition::Fine))
    };
    InvariantDraft {
        operation: fields.and_then(|fields| fields.text("operation")).unwrap_or_default(),
        when: fields.map(|fields| fields.map("when").iter().map(supposed).collect()).unwrap_or_default(),
        verdict: fields.and_then(|fields| fields.choice("verdict", Verdict::from_name)),
        posture: fields.and_then(|fields| fields.choice("posture", Posture::from_name)),
        obligation: fields.and_then(|fields| fields.text("obligation")),
        never: fields.and_then(|fields| fields.choice("never", Verdict::from_name)),
    }
}

fn silence(fields: Option<&Fields>) -> SilenceDraft {
    let text = |key| fields.and_then(|fields| fields.text(key)).unwrap_or_default();
    SilenceDraft { code: text("code"), at: text("at"), reason: text("reason") }
}
