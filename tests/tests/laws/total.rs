//! LAW-1.

use std::collections::BTreeSet;

use failsoft::{
    DependencyId, Fault, Health, Matrix, Millis, Outcome, Override, Posture, ProbeResult, Published, Report,
    Request, Signal, State, Time, Verdict, apply, decide, published, suppose,
};

use crate::world::{Found, holds, items, text};

#[test]
fn law_01_total_every_decide_line_has_one_decision_and_it_names_its_reason() {
    holds(3_000, 20_000, |world| {
        let mut looked = 0;
        // A request that was once let past a guard says so ever after, also when nothing is wrong any more.
        let mut remembers = BTreeSet::new();
        for step in world.play() {
            if let Some(finished) = step.line.pointer("/finish/request") {
                remembers.remove(&finished.to_string());
            }
            let decisions = step.printed.iter().filter(|printed| printed.get("decision").is_some()).count();
            if decisions != usize::from(step.decide().is_some()) {
                return Err(format!("{decisions} decisions for {}", step.line));
            }
            let Some(decision) = step.decision() else { continue };
            looked += 1;
            let request = step.request().map(|name| format!("{name:?}"));
            let named = items(decision, "reasons").next().is_some();
            let posture = text(decision, "posture");
            let excused = text(decision, "verdict") == "allow"
                && (posture == "normal" || request.as_ref().is_some_and(|name| remembers.contains(name)));
            if !named && !excused {
                return Err(format!("no reason: {decision}"));
            }
            if posture != "normal"
                && !step.is_preview()
                && let Some(request) = request
            {
                remembers.insert(request);
            }
        }
        Ok(looked)
    });
}

#[test]
fn law_01_total_in_every_combination_of_health() {
    holds(1_500, 100_000, |world| {
        let matrix = &world.loaded.matrix;
        let now = Time::from_millis(1_000);
        let mut looked = 0;
        for (operation, name) in matrix.operations() {
            let needs: Vec<DependencyId> = matrix.needs(operation).take(3).collect();
            for combination in 0..Health::ALL.len().pow(needs.len().try_into().expect("a few")) {
                let mut rest = combination;
                let supposed: Vec<_> = needs
                    .iter()
                    .map(|id| {
                        let health = Health::ALL[rest % Health::ALL.len()];
                        rest /= Health::ALL.len();
                        (*id, health)
                    })
                    .collect();
                let state = suppose::state(matrix, now, &supposed);
                let decision = decide(matrix, &state, &Request::new(matrix, name), now);
                let plain = (decision.verdict, decision.posture) == (Verdict::Allow, Posture::Normal);
                if plain != decision.reasons.is_empty() && decision.reasons.is_empty() {
                    return Err(format!("{name} with {supposed:?}: no reason in {decision:?}"));
                }
                looked += 1;
            }
        }
        Ok(looked)
    });
}

/// Not a law's own words, but what makes a published word as good as a decision ([REQ-16] to [REQ-19]).
#[test]
fn law_01_total_what_is_published_as_plain_is_the_decision() {
    holds(2_000, 5_000, |world| {
        let matrix = &world.loaded.matrix;
        let mut rng = fastrand::Rng::with_seed(world.seed);
        let ids: Vec<DependencyId> = matrix.dependencies().map(|(id, _)| id).collect();
        let mut now = 0;
        let mut state = State::new(matrix, Time::default());
        let mut looked = 0;
        for _ in 0..30 {
            now += rng.choice([0, 1, 50, 100, 400]).expect("a few");
            let dependency = rng.choice(ids.iter().copied()).expect("at least one");
            apply(matrix, &mut state, signal(&mut rng, dependency), Time::from_millis(now), &mut Vec::new());
            looked += plain_is_true(matrix, &state, now)?;
        }
        Ok(looked)
    });
}

fn signal(rng: &mut fastrand::Rng, dependency: DependencyId) -> Signal<'static> {
    let result = rng.choice([Report::Ok, Report::Ok, Report::Refused, Report::Failed(Fault::Timeout)]);
    match rng.u8(0..10) {
        0..4 => Signal::Outcome(Outcome {
            latency: None,
            dependency,
            result: result.expect("a few"),
            permit: None,
            retry_after: None,
            had: None,
        }),
        4 | 5 => Signal::Probe { dependency, result: *rng.choice(ProbeResult::ALL).expect("a few") },
        6 => Signal::Permit { dependency, named: false, instead_of: None },
        7 => Signal::Advice { source: "a", dependency, health: *rng.choice(Health::ALL).expect("a few") },
        _ => Signal::Override {
            dependency,
            to: rng.choice(Override::ALL).copied(),
            length: rng.bool().then(|| Millis::new(100)),
            by: None,
            reason: None,
        },
    }
}

/// At this moment, and at later ones up to the next signal.
fn plain_is_true(matrix: &Matrix, state: &State, now: i64) -> Found {
    let mut looked = 0;
    for (operation, name) in matrix.operations() {
        if published(matrix, state, operation, Time::from_millis(now)) != Published::Plain {
            continue;
        }
        for later in [0, 1, 99, 10_000_000] {
            let decision = decide(matrix, state, &Request::new(matrix, name), Time::from_millis(now + later));
            let normal = (decision.verdict, decision.posture, decision.status)
                == (Verdict::Allow, Posture::Normal, 200)
                && decision.reasons.is_empty()
                && decision.obligations.is_empty();
            if !normal {
                return Err(format!("{name} is plain at {now}, and {later} ms later {decision:?}"));
            }
            looked += 1;
        }
    }
    Ok(looked)
}
