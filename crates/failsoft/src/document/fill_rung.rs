//! From checked rungs to their drafts.

use failsoft_core::draft::{ActionDraft, CapDraft, LastKnownOf, RungDraft, Share, WhenDraft};
use failsoft_core::{Effect, Fault, Health, Millis, RungKind, Stage};

use super::checked::{Checked, Fields};
use super::fill::scalar;

/// A rung; a spoilt one is a plain `deny`, so that the others keep their places.
pub(crate) fn rung(checked: &Checked) -> RungDraft {
    match checked {
        Checked::Rung(kind, fields) => with(action(*kind, fields), fields),
        _ => RungDraft::new(ActionDraft::Deny),
    }
}

/// A rung that does `action`, with what all kinds share.
pub(crate) fn with(action: ActionDraft, fields: &Fields) -> RungDraft {
    let mut draft = RungDraft::new(action);
    draft.when = fields.table("when").map(when).unwrap_or_default();
    draft.also = fields.texts("also");
    draft.emit = fields.text("emit");
    draft.reason = fields.text("reason");
    draft.alert = fields.text("alert");
    draft.status = fields.integer("status").and_then(|status| u16::try_from(status).ok());
    draft.code = fields.text("code");
    draft.cap = fields.table("cap").map(|cap| CapDraft {
        requests: cap.integer("requests"),
        amount: cap.integer("amount"),
        time: cap.millis("time"),
        meter: cap.text("meter"),
        total: cap.boolean("total").unwrap_or(false),
    });
    draft
}

fn action(kind: RungKind, fields: &Fields) -> ActionDraft {
    let text = |key: &str| fields.text(key).unwrap_or_default();
    let millis = |key: &str| fields.millis(key).unwrap_or(Millis::ZERO);
    match kind {
        RungKind::Allow => ActionDraft::Allow,
        RungKind::Deny => ActionDraft::Deny,
        RungKind::Defer => ActionDraft::Defer,
        RungKind::Withhold => ActionDraft::Withhold,
        RungKind::Retry => ActionDraft::Retry {
            max_attempts: fields.count("max_attempts").unwrap_or_default(),
            base: millis("base"),
            multiplier: fields.integer("multiplier").unwrap_or(100),
            jitter: fields.integer("jitter").unwrap_or_default(),
        },
        RungKind::Fallback => ActionDraft::Fallback { to: text("to") },
        RungKind::LastKnown => ActionDraft::LastKnown {
            max_age: millis("max_age"),
            of: match text("of").as_str() {
                "dependency" => LastKnownOf::Dependency,
                _ => LastKnownOf::Request,
            },
        },
        RungKind::LocalMeter => ActionDraft::LocalMeter {
            meter: text("meter"),
            share: fields.integer("share").map_or(Share::PerInstance, Share::Percent),
        },
        RungKind::Outbox => ActionDraft::Outbox { capacity: fields.integer("capacity").unwrap_or_default() },
        RungKind::LeastBad => ActionDraft::LeastBad { of: fields.texts("of") },
        RungKind::MetadataOnly => ActionDraft::MetadataOnly,
        RungKind::DropTelemetry => ActionDraft::DropTelemetry,
        RungKind::SkipTool => ActionDraft::SkipTool,
        RungKind::ReadOnly => ActionDraft::ReadOnly,
        RungKind::Substitute => ActionDraft::Substitute { name: text("name") },
    }
}

fn when(fields: &Fields) -> WhenDraft {
    let parameter = |(name, value): &(String, Checked)| scalar(value).map(|value| (name.clone(), value));
    WhenDraft {
        fault: fields.choices("fault", Fault::from_name),
        health: fields.choices("health", Health::from_name),
        effect: fields.choices("effect", Effect::from_name),
        stage: fields.choices("stage", Stage::from_name),
        operation: fields.texts("operation"),
        class: fields.texts("class"),
        parameter: fields.map("parameter").iter().filter_map(parameter).collect(),
    }
}
