//! `max_unchecked` (DEC-13) over compound outages: never more guards skipped than that in a request that goes on.

use std::collections::BTreeSet;

use failsoft::draft::{ActionDraft, RungDraft};
use failsoft::{Fault, Millis, Override, Report, Signal, Time};
use fastrand::Rng;
use serde_json::json;

use crate::desk::{Desk, guard, matrix};
use crate::naive::{Naive, Trouble};
use crate::play::{Case, pick};
use crate::reading::ALL_STAGES;

/// Random cases in which everything fails open: overrides, break-glass, stages, restarts and all.
#[test]
fn never_more_unchecked_than_the_operation_says() {
    let (mut at_most, mut stopped) = (0, 0);
    for seed in 400_000..405_000 {
        let case = Case::changed(seed, |document, rng| {
            let operations = document.get_mut("operation").and_then(|operations| operations.as_object_mut());
            for operation in operations.into_iter().flat_map(|operations| operations.values_mut()) {
                operation["max_unchecked"] = json!(rng.u8(0..=2));
            }
            let dependencies = document["dependency"].as_object_mut().expect("an object");
            for dependency in dependencies.values_mut() {
                let ladder = dependency.get_mut("on_failure").and_then(|ladder| ladder.as_array_mut());
                match ladder {
                    Some(ladder) => ladder.push(json!({ "allow": true })),
                    None => dependency["on_failure"] = json!([{ "read_only": true }]),
                }
            }
        });
        let mut naive = Naive::new(&case);
        for step in &case.play() {
            let seen = match naive.line(step) {
                Ok(seen) => seen,
                Err(Trouble::Unclear) => break,
                Err(Trouble::Wrong(why)) => panic!("{why}\n{}", case.told(&case.lines)),
            };
            let (Some(seen), Some(decision)) = (seen, step.decision()) else { continue };
            let most = case.operation(&decision.operation).max_unchecked.expect("every one has it");
            let count = u64::try_from(seen.unchecked.len()).expect("a few");
            let rule = |kind: &str| decision.reasons.iter().any(|reason| reason.kind.as_str() == kind);
            let told = || format!("{} {decision:?}\n{}", step.line, case.told(&case.lines));
            if rule("max_unchecked") {
                // Too late to stop it is cut, and nothing else makes it stop.
                let cut = decision.obligations.iter().any(|duty| duty.dependency.is_none());
                assert!(!decision.verdict.goes_on() || cut, "{}", told());
                assert!(count > most, "{count} of {most}: {}", told());
                stopped += 1;
            } else if decision.verdict.goes_on() && !rule("refuse") {
                assert!(count <= most, "{count} of {most}: {}", told());
                at_most += usize::from(count == most && most > 0);
            }
        }
    }
    assert!(at_most > 1_200 && stopped > 1_200, "{at_most} up to the bound, {stopped} past it");
}

/// Six guards of several stages that can all be skipped, each in a way of its own, failing one after another; a request
/// asks at stage after stage. What it was let past is counted here, by name.
#[test]
fn a_compound_outage_passes_no_more_than_the_bound() {
    let ways = || {
        [
            ActionDraft::Allow,
            ActionDraft::ReadOnly,
            ActionDraft::SkipTool,
            ActionDraft::MetadataOnly,
            ActionDraft::Substitute { name: "rules".into() },
            ActionDraft::Fallback { to: "server".into() },
        ]
    };
    let names = ["g0", "g1", "g2", "g3", "g4", "g5"];
    let (mut full, mut denied) = (0, 0);
    for seed in 0..4_000 {
        let mut rng = Rng::with_seed(seed);
        let most = rng.u64(0..=4);
        let guards = names.iter().zip(ways()).map(|(name, way)| {
            let mut guard = guard(name, vec![RungDraft::new(way)]);
            // `stream` is left out: there a stop only cuts.
            guard.stage = Some(pick(&mut rng, &[ALL_STAGES[0], ALL_STAGES[1], ALL_STAGES[3]]));
            guard.break_glass = Some(Millis::new(10_000));
            guard
        });
        let guards: Vec<_> = guards.collect();
        let stages: Vec<_> = guards.iter().map(|guard| guard.stage.expect("it has one")).collect();
        let matrix = matrix(50, guards, |draft| {
            draft.operations[0].max_unchecked = Some(most);
            let deadline = Some(Millis::new(50));
            let server = failsoft::draft::DependencyDraft::new("server", failsoft::Role::Serve, deadline);
            draft.dependencies.push(server);
        });
        let mut desk = Desk::new(&matrix);
        let (mut down, mut glass) = (BTreeSet::new(), BTreeSet::new());
        let mut at = 0;
        for _ in 0..6 {
            let mut request = desk.request("t");
            let mut told: [Option<Report>; 6] = [None; 6];
            // What it was let past by the latest decision that looked.
            let mut skipped: BTreeSet<usize> = BTreeSet::new();
            let mut answered: BTreeSet<usize> = BTreeSet::new();
            for stage in [ALL_STAGES[0], ALL_STAGES[1], ALL_STAGES[3], ALL_STAGES[4]] {
                at += 1;
                let which = rng.usize(0..6);
                match rng.u8(0..5) {
                    0 if !glass.contains(&which) => {
                        (0..3).for_each(|_| desk.outcome(names[which], Report::Failed(Fault::Timeout), at));
                        down.insert(which);
                    }
                    1 => {
                        let dependency = desk.id(names[which]);
                        let (to, length) = (Some(Override::BreakGlass), Some(Millis::new(10_000)));
                        let (by, reason) = (Some("ann"), Some("drill"));
                        desk.tell(Signal::Override { dependency, to, length, by, reason }, at);
                        glass.insert(which);
                    }
                    2 | 3 => {
                        let report = pick(&mut rng, &[Report::Ok, Report::Failed(Fault::Timeout)]);
                        told[which] = Some(report);
                        request.report(desk.id(names[which]), report, Time::from_millis(at));
                    }
                    _ => {}
                }
                request.set_stage(stage);
                let decision = desk.commit(&mut request, at);
                let fails = |place: usize| match told[place] {
                    Some(report) => report != Report::Ok,
                    None => down.contains(&place) || glass.contains(&place),
                };
                let left_behind = |place: usize| {
                    stages[place] < stage && told[place].is_none() && answered.contains(&place)
                };
                let now: BTreeSet<usize> = (0..6)
                    .filter(|place| if left_behind(*place) { skipped.contains(place) } else { fails(*place) })
                    .collect();
                let goes_on = now.len() <= usize::try_from(most).expect("a few");
                assert_eq!(decision.verdict.goes_on(), goes_on, "seed {seed} at {at}: {now:?} of {most}");
                full += usize::from(goes_on && now.len() > 1);
                denied += usize::from(!goes_on);
                for place in (0..6).filter(|place| !left_behind(*place)).collect::<Vec<_>>() {
                    if goes_on || !fails(place) {
                        answered.insert(place);
                    } else {
                        answered.remove(&place);
                    }
                }
                if goes_on {
                    skipped.extend(now);
                }
            }
        }
    }
    assert!(full > 8_000 && denied > 15_000, "{full} past several guards, {denied} stopped");
}
