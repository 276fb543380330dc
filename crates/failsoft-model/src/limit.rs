//! What a meter does to the need that is its store (8.6): it holds a request whose store has failed (MET-33), and cuts
//! a stream (MET-32).

use serde_json::json;

use crate::document::Dependency;
use crate::engine::Asked;
use crate::ladder::{self, Stance};
use crate::needs::{self, Condition};
use crate::rung::{Answer, Found};

/// The answer of a store whose meter holds or cuts this request; `None` where none does.
pub(crate) fn answer(asked: Asked<'_>, dependency: &Dependency) -> Result<Option<Answer>, String> {
    match ladder::stance(asked, dependency)? {
        Stance::Refused => Ok(None),
        Stance::Fine if asked.request.stage == "stream" => over_limit(asked, dependency, None),
        Stance::Fine => Ok(None),
        // MET-33: the caller's own fault stops it anyway.
        Stance::Failed(failure) if matches!(failure.fault.as_deref(), Some("rejected" | "cancelled")) => {
            Ok(None)
        }
        Stance::Failed(failure) => {
            // LAD-2: advice is seen only where the need has failed by advice alone.
            let health = asked.engine.health(&dependency.name)?.shown_to(failure.advice_alone);
            over_limit(asked, dependency, Some((failure.fault.as_deref(), health)))
        }
        // MET-24: the class is that of the failure as if no glass were broken.
        Stance::BreakGlass { .. } => {
            let health = asked.engine.health(&dependency.name)?.shown_to(false);
            let fault = match needs::condition(asked, dependency)? {
                Condition::Failed(failure) => failure.fault,
                Condition::Fine | Condition::Refused => None,
            };
            over_limit(asked, dependency, Some((fault.as_deref(), health)))
        }
    }
}

/// MET-24: `on_refusal` answers; of several meters the first as written. `failed` is the fault and the health as rungs
/// see it, where the store has failed.
fn over_limit(
    asked: Asked<'_>,
    dependency: &Dependency,
    failed: Option<(Option<&str>, &str)>,
) -> Result<Option<Answer>, String> {
    let own = asked.engine.document.meters.iter().filter(|meter| meter.store == dependency.name);
    for meter in own {
        let table = asked.engine.table(&meter.name)?;
        let taken = asked.request.taken.get(&meter.name);
        let names = asked.request.key(meter);
        let since = table.stops_since(meter, &names, taken, failed.is_none(), asked.now);
        let Some(since) = since.filter(|_| asked.request.amount(&meter.name) != 0) else { continue };
        let health = match failed {
            Some((_, health)) => health,
            None => asked.engine.health(&dependency.name)?.shown_to(false),
        };
        let found =
            Found { dependency, refusal: true, callers: false, fault: Some("refused"), since, target: None };
        let mut answer = ladder::refusal(asked, &found, health);
        answer.reason["rung"] = json!(null);
        answer.reason["kind"] = json!("over_limit");
        if let Some((fault, _)) = failed {
            // The need has failed, and is no refusal: its wait is known (DEC-31).
            answer.reason["fault"] = json!(fault);
            "fail_closed".clone_into(&mut answer.posture);
            answer.refusal = false;
            answer.held_by = Some(meter.name.clone());
        }
        return Ok(Some(answer));
    }
    Ok(None)
}

/// DEC-31: the wait of a need that a meter holds.
pub(crate) fn wait(asked: Asked<'_>, meter: &str) -> Option<i64> {
    let meter = asked.engine.document.meter(meter).ok()?;
    let names = asked.request.key(meter);
    asked.engine.table(&meter.name).ok()?.life_left(meter, &names, asked.now)
}
