//! Situations in words and as data.

use failsoft::explore::{Ailment, Fact, Situation};
use failsoft::trace::{Player, Said};
use failsoft::{Decision, DependencyId, Matrix, Report, situation};
use serde_json::{Value, json};

use crate::out::Paint;
use crate::words::length;

/// What is asked: `assist, class standard, stage admit`.
pub(crate) fn asked(matrix: &Matrix, shown: &Situation) -> String {
    let operation = matrix.operation_name(shown.operation);
    let classes = matrix.classes().count();
    let class = matrix.classes().find(|(class, _)| *class == shown.class).map_or("", |(_, name)| name);
    let class = if classes > 1 { format!(", class {class}") } else { String::new() };
    format!("{operation}{class}, stage {}", shown.stage)
}

/// What is the case.
pub(crate) fn facts(matrix: &Matrix, shown: &Situation) -> String {
    if shown.facts.is_empty() {
        return "nothing has happened".into();
    }
    let facts: Vec<String> = shown.facts.iter().map(|fact| in_words(matrix, fact)).collect();
    facts.join("; ")
}

/// What the engine answers to the trace of a situation, in the form of a replay and as it is.
fn replayed(matrix: &Matrix, shown: &Situation) -> Option<(Decision, Value)> {
    let mut player = Player::new(matrix);
    let mut said = Vec::new();
    let mut answer = None;
    for line in situation::lines(matrix, shown) {
        player.line(&line.to_string(), &mut said).ok()?;
        for output in said.drain(..) {
            if let Said::Decision { decision, .. } = &output.said {
                let value: Value = serde_json::from_str(&player.json(&output)).ok()?;
                answer = Some((decision.clone(), value["decision"].clone()));
            }
        }
    }
    answer
}

/// What is decided, in a few words: `deny 503 QUOTA_UNAVAILABLE (fail_closed)`.
pub(crate) fn decision(decision: &Decision, paint: Paint) -> String {
    let code = decision.code.as_ref().map(|code| format!(" {code}")).unwrap_or_default();
    let enforced = if decision.enforced { "" } else { ", not enforced" };
    let verdict = paint.verdict(decision.verdict, decision.verdict.as_str());
    format!("{verdict} {}{code} ({}{enforced})", decision.status, decision.posture)
}

/// The same of a situation.
pub(crate) fn decided(matrix: &Matrix, shown: &Situation, paint: Paint) -> String {
    replayed(matrix, shown).map_or_else(String::new, |(answer, _)| decision(&answer, paint))
}

/// A situation as data, with its trace and what the engine answers to it.
pub(crate) fn data(matrix: &Matrix, shown: &Situation) -> Value {
    let class = matrix.classes().find(|(class, _)| *class == shown.class).map(|(_, name)| name);
    let facts: Vec<Value> = shown.facts.iter().map(|fact| situation::fact(matrix, fact)).collect();
    json!({
        "operation": matrix.operation_name(shown.operation),
        "class": class,
        "stage": shown.stage.as_str(),
        "facts": facts,
        "trace": situation::lines(matrix, shown),
        "decision": replayed(matrix, shown).map(|(_, value)| value),
    })
}

/// A fact in words.
pub(crate) fn in_words(matrix: &Matrix, fact: &Fact) -> String {
    let dependency = |id: &DependencyId| matrix.dependency_name(*id);
    match fact {
        Fact::Health(id, ailment) => {
            let name = dependency(id);
            match ailment {
                Ailment::None => format!("nothing is known of {name}"),
                Ailment::Well => format!("{name} is healthy"),
                Ailment::Degraded => format!("{name} is degraded"),
                Ailment::Down(class) => format!("{name} is down ({class})"),
                Ailment::Probing(class) => format!("{name} is probing ({class}), and a permit is free"),
                Ailment::Spent(class) => format!("{name} is probing ({class}), and no permit is free"),
                Ailment::Advised => format!("{name} is degraded by advice alone"),
                Ailment::Held => format!("an operator holds {name} open"),
                Ailment::Skipped => format!("an operator skips {name} (break_glass)"),
            }
        }
        Fact::LastOk(id, age) => format!("the last ok of {} is {} old", dependency(id), length(*age)),
        Fact::Outbox(id, depth) => format!("the outbox of {} holds {depth}", dependency(id)),
        Fact::FailedFor(id, time) => format!("{} has failed for {}", dependency(id), length(*time)),
        Fact::Cap(id, rung, amount) => {
            format!("the cap of {}.on_failure[{rung}] ({amount}) is used up", dependency(id))
        }
        Fact::Used(id, amount) => format!("{amount} of {} is counted here", matrix.meter_name(*id)),
        Fact::Reading(id, used) => format!("{} was last read at {used}", matrix.meter_name(*id)),
        Fact::Met(id, report) => match report {
            Report::Ok => format!("{} says yes", dependency(id)),
            Report::Refused => format!("{} refuses", dependency(id)),
            Report::Failed(class) => format!("{} fails ({class})", dependency(id)),
        },
        Fact::Cached(id, age) => format!("a yes of {} is cached, {} old", dependency(id), length(*age)),
        Fact::Attempts(id, count) => format!("{} has been called {count} times", dependency(id)),
        Fact::Remaining(left) => format!("{} remain", length(*left)),
        Fact::Rule(_, attributes) => {
            let told: Vec<String> =
                attributes.iter().map(|(name, value)| format!("{name}={value:?}")).collect();
            if told.is_empty() {
                "no attribute is told".into()
            } else {
                format!("attributes {}", told.join(", "))
            }
        }
    }
}
