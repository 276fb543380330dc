//! `failsoft decide`: one decision, before anything has happened.

use std::io::Write;

use failsoft::json::DecisionJson;
use failsoft::{Decision, Matrix, Request, Stage, State, Time, Verdict, decide, health, suppose};

use crate::args::{DecideArgs, Pair};
use crate::out::Out;
use crate::trouble::{Outcome, Trouble};
use crate::{ask, matrix, words};

pub(crate) fn run(args: &DecideArgs, out: &mut Out) -> Result<Outcome, Trouble> {
    let loaded = matrix::loaded(&args.matrix)?;
    let matrix = &loaded.matrix;
    let now = Time::default();
    let request = request(matrix, args, now)?;
    let state = state(matrix, args, now)?;
    let decision = decide(matrix, &state, &request, now);
    if args.json {
        serde_json::to_writer(&mut *out, &DecisionJson::new(matrix, &decision))
            .map_err(std::io::Error::from)?;
        writeln!(out)?;
    } else {
        text(matrix, &decision, out)?;
    }
    Ok(Outcome::Done)
}

fn request(matrix: &Matrix, args: &DecideArgs, now: Time) -> Result<Request, Trouble> {
    if matrix.operation(&args.operation).is_none() {
        let known = matrix.operations().map(|(_, name)| name);
        return Err(ask::unknown("--operation", "operation", &args.operation, known));
    }
    let mut request = Request::new(matrix, &args.operation);
    if let Some(class) = &args.class {
        if matrix.class(class).is_none() {
            let known = matrix.classes().map(|(_, name)| name);
            return Err(ask::unknown("--class", "class", class, known));
        }
        request.set_class(matrix, class);
    }
    if let Some(tenant) = &args.tenant {
        request.set_tenant(tenant);
    }
    if let Some(session) = &args.session {
        request.set_session(session);
    }
    if let Some(stage) = args.stage.as_deref().and_then(Stage::from_name) {
        request.set_stage(stage);
    }
    ask::once("--attribute", &args.attribute)?;
    for Pair { key, value } in &args.attribute {
        request.set_attribute(key, value);
    }
    for (meter, amount) in ask::amounts(matrix, &args.amount)? {
        request.set_amount(meter, amount);
    }
    for (id, report) in ask::faults(matrix, &args.fault)? {
        request.report(id, report, now);
    }
    Ok(request)
}

fn state(matrix: &Matrix, args: &DecideArgs, now: Time) -> Result<State, Trouble> {
    let supposed = ask::healths(matrix, &args.health)?;
    let state = suppose::state(matrix, now, &supposed);
    for (id, wanted) in supposed {
        let is = health(matrix, &state, id, now).map(|report| report.health);
        if let Some(is) = is.filter(|is| *is != wanted) {
            let name = matrix.dependency_name(id);
            let what =
                format!("`{name}` is never {wanted}: its `wait_duration_in_open_state` is no time at all");
            return Err(Trouble::at("--health", what).help(format!("ask for `{name}={is}`")));
        }
    }
    Ok(state)
}

/// The decision in a few lines: what, why, and what follows from it.
fn text(matrix: &Matrix, decision: &Decision, out: &mut Out) -> Result<(), Trouble> {
    let paint = out.paint;
    writeln!(
        out,
        "{}: {} {} {}",
        paint.bold(&decision.operation),
        paint.verdict(decision.verdict, decision.verdict),
        paint.posture(decision.posture, decision.posture),
        words::answer(decision),
    )?;
    let mut lines: Vec<(&str, String)> = Vec::new();
    let reasons = decision.reasons.iter().map(|reason| words::reason(matrix, reason));
    lines.extend(reasons.map(|reason| ("because", reason)));
    if decision.reasons.is_empty() {
        lines.push(("because", "nothing known stands in the way".into()));
    }
    let obligations = decision.obligations.iter().map(|item| words::obligation(matrix, item));
    lines.extend(obligations.map(|obligation| ("do", obligation)));
    lines.extend(decision.emits.iter().map(|emit| ("tell", words::emit(emit))));
    if !decision.enforced {
        lines.push(("but", "the operation is in shadow: the host goes on whatever this says".into()));
    }
    if !decision.cacheable && decision.verdict == Verdict::Allow {
        lines.push(("but", "not to be kept as an approval: a guard has not said yes".into()));
    }
    let mut last = "";
    for (label, line) in lines {
        let shown = if label == last { "" } else { label };
        writeln!(out, "  {}  {line}", paint.dim(format!("{shown:<7}")))?;
        last = label;
    }
    Ok(())
}
