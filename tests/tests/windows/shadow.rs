//! An operation in shadow (DEC-16, WIN-1, WIN-5): nothing is enforced, and everything is counted.

use failsoft::Way;
use fastrand::Rng;
use serde_json::json;

use crate::naive::{Naive, Trouble};
use crate::play::Case;

#[test]
fn in_shadow_nothing_is_enforced_and_everything_is_counted() {
    let (mut stopped, mut accounts) = (0, 0);
    for seed in 500_000..503_500 {
        let case = Case::changed(seed, |document, _| {
            let operations = document.get_mut("operation").and_then(|operations| operations.as_object_mut());
            for operation in operations.into_iter().flat_map(|operations| operations.values_mut()) {
                operation["enforcement"] = json!("shadow");
            }
        });
        let lines = case.asked_often(&mut Rng::with_seed(seed));
        let mut naive = Naive::new(&case);
        for step in &case.play_lines(&lines) {
            let told = || format!("{}\n{}", step.line, case.told(&lines));
            if let Some(decision) = step.decision() {
                assert!(!decision.enforced, "{}", told());
            }
            for account in step.accounts() {
                let all = account.decisions.iter().all(|(way, _)| *way == Way::Shadow);
                assert!(all && account.decisions.len() <= 1, "{account:?} {}", told());
                accounts += account.decisions.len();
            }
            match naive.line(step) {
                Ok(Some(seen)) if !step.decision().is_some_and(|decision| decision.verdict.goes_on()) => {
                    stopped += seen.failed.len();
                }
                Ok(_) => {}
                Err(Trouble::Unclear) => break,
                Err(Trouble::Wrong(why)) => panic!("{why}\n{}", case.told(&lines)),
            }
        }
    }
    assert!(stopped > 8_700 && accounts > 5_800, "{stopped} that would have stopped, {accounts} accounts");
}

/// What it costs to watch: an operation in shadow beside one that is enforced has a row of its own in `decisions`.
#[test]
fn shadow_and_enforced_requests_are_told_apart() {
    use crate::desk::{Desk, guard, matrix, open_rung};
    use failsoft::draft::OperationDraft;
    use failsoft::{Enforcement, Fault, Request, RungKind, Time};

    for seed in 0..400 {
        let mut rng = Rng::with_seed(seed);
        let matrix = matrix(1_000, vec![guard("g", vec![open_rung()])], |draft| {
            let mut watched = OperationDraft::new("watched", &["g"]);
            watched.enforcement = Enforcement::Shadow;
            draft.operations.push(watched);
        });
        let mut desk = Desk::new(&matrix);
        let (mut enforced, mut shadow) = (0, 0);
        for at in 0..rng.i64(1..40) {
            let watched = rng.bool();
            let mut request = Request::new(&matrix, if watched { "watched" } else { "call" });
            request.failed(desk.id("g"), Fault::Timeout, Time::from_millis(at));
            desk.commit(&mut request, at);
            shadow += u64::from(watched);
            enforced += u64::from(!watched);
            let account = desk.window("g", at).expect("it is open");
            let mut expected = vec![(Way::Rung(0, RungKind::Allow), enforced), (Way::Shadow, shadow)];
            expected.retain(|(_, requests)| *requests > 0);
            assert_eq!(account.decisions, expected, "seed {seed} at {at}");
        }
    }
}
