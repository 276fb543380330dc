//! Playing situations one after the other. What two of them tell alike before the last line is played once.

use serde_json::Value;

use super::Whole;
use super::fact::Fact;
use super::tell::{self, Question};
use crate::decide::Decision;
use crate::engine;
use crate::trace::Scene;

/// A matrix in which one question is asked in many situations.
pub(super) struct Player<'a> {
    whole: &'a Whole,
    question: Question<'a>,
    /// The state after the lines that these facts are told by.
    last: Option<(Vec<Fact>, Scene)>,
}

impl<'a> Player<'a> {
    /// Nothing was asked yet.
    pub(super) fn new(whole: &'a Whole, question: Question<'a>) -> Player<'a> {
        Player { whole, question, last: None }
    }

    /// Plays one situation, and reads of its decision what is to be known.
    pub(super) fn play<T>(
        &mut self,
        facts: &[&Fact],
        read: impl Fn(engine::Asked<'_>, Decision) -> Result<T, String>,
    ) -> Result<T, String> {
        let document = &*self.whole.document;
        let told = || facts.iter().copied().filter(|fact| tell::is_told_before(fact, facts));
        let same = self.last.as_ref().is_some_and(|(last, _)| told().eq(last.iter()));
        if !same {
            let (lines, _) = tell::before(document, &self.question, facts);
            let scene = Scene::new(self.whole.engine.clone(), &lines)?;
            self.last = Some((told().cloned().collect(), scene));
        }
        let parts = tell::last(document, &self.question, facts);
        match (&self.last, parts) {
            (Some((_, scene)), Value::Object(parts)) => scene.ask(&parts, read),
            _ => Err("nothing to ask".to_owned()),
        }
    }
}

#[cfg(test)]
mod tests {
    use fastrand::Rng;
    use serde_json::Value;

    use super::super::brute::each_set;
    use super::super::list;
    use super::*;
    use crate::generate;

    /// What is kept from one situation to the next changes no answer: each is what its own trace prints at last.
    #[test]
    fn a_situation_is_decided_as_its_trace_prints() {
        let (mut played, mut kinds) = (0, std::collections::BTreeSet::new());
        for seed in 0..200 {
            let case = generate::case_of_one_matrix(seed);
            let whole = Whole::new(&case.document, &case.parameters).expect("a document");
            let rng = &mut Rng::with_seed(seed);
            for operation in &whole.document.operations {
                let mut pool = list::facts(&whole, operation).expect("facts");
                rng.shuffle(&mut pool);
                pool.truncate(7);
                kinds.extend(pool.iter().map(|fact| fact.json()["fact"].to_string()));
                let class = whole.document.classes.first().expect("a class");
                let stage = super::super::STAGES[rng.usize(0..5)];
                let question = Question { operation: &operation.name, class, stage };
                let mut player = Player::new(&whole, question);
                each_set(&pool, &mut |facts| {
                    let decision = player.play(facts, |_, decision| Ok(decision.json))?;
                    let lines = tell::lines(&whole.document, &question, facts)?;
                    let printed = whole.replay(&lines)?;
                    assert_eq!(printed.last().map(|line| &line["decision"]), Some(&decision), "seed {seed}");
                    // The health that is said to come of it does: nothing else is told at the restart.
                    let restored = |line: &&Value| line["event"]["why"] == "restart";
                    assert_eq!(printed.iter().find(restored), None, "seed {seed}: {lines:?}");
                    played += 1;
                    Ok(())
                })
                .expect("situations");
            }
        }
        assert!(played > 5_000, "{played} situations");
        assert!(kinds.len() >= 18, "{kinds:?}");
    }
}
