//! Save and restore (spec 10): no decision after it is looser than before it, and nothing else is lost.

use std::collections::BTreeMap;

use failsoft::trace::{Output, Player, Said};
use failsoft::{Cause, Circuit, Health, HealthReport, Posture, Verdict};
use fastrand::Rng;
use serde_json::{Value, json};

use crate::desk::pick;
use crate::stillness::{Case, play};

/// An engine that has played the lines before a cut.
struct Cut<'c> {
    case: &'c Case,
    player: Player,
    /// The lines that were played, those of the question left out.
    lines: Vec<Value>,
    at: i64,
}

/// A question, and how strict its answer is: the verdict first, then how little is open.
type Answers = Vec<(String, (usize, usize))>;

/// Verdict and posture as numbers: greater is stricter. What is stopped or withheld as ever, by a refusal, and what is
/// so because something has failed is the same here: `fail_closed` stands nearer to `fail_open` than `normal` does, and
/// lets nothing more past.
fn strictness(verdict: Verdict, posture: Posture) -> (usize, usize) {
    let verdicts = [Verdict::Allow, Verdict::Withhold, Verdict::Defer, Verdict::Deny];
    let postures = [Posture::FailOpen, Posture::FailSoft, Posture::FailClosed, Posture::Normal];
    let closed = verdict != Verdict::Allow && posture == Posture::Normal;
    let posture = if closed { Posture::FailClosed } else { posture };
    (
        verdicts.iter().position(|known| *known == verdict).expect("a verdict"),
        postures.iter().position(|known| *known == posture).expect("a posture"),
    )
}

impl<'c> Cut<'c> {
    fn new(case: &'c Case, lines: &[Value]) -> Self {
        let mut cut = Self { case, player: Player::new(&case.loaded.matrix), lines: Vec::new(), at: 0 };
        lines.iter().for_each(|line| {
            cut.tell(line);
        });
        cut
    }

    fn tell(&mut self, line: &Value) -> Vec<Output> {
        let mut out = Vec::new();
        self.player.line(&line.to_string(), &mut out).unwrap_or_else(|told| panic!("{told}: {line}"));
        self.at = line["at_ms"].as_i64().expect("a time");
        self.lines.push(line.clone());
        out
    }

    fn restart(&mut self, away: Option<i64>) {
        self.tell(&json!({ "at_ms": self.at, "restart": { "away_ms": away } }));
    }

    /// Every operation: of a request without a name, of one with a name that reports nothing, and of those that are
    /// going on, with all that they told.
    fn ask(&mut self, at: i64, going_on: &BTreeMap<String, String>) -> Answers {
        let mut answers = Vec::new();
        let mut ask = |cut: &mut Self, operation: &str, request: Option<&str>| {
            let line = json!({ "at_ms": at, "decide": { "operation": operation, "request": request, "preview": true } });
            let mut out = Vec::new();
            cut.player.line(&line.to_string(), &mut out).unwrap_or_else(|told| panic!("{told}: {line}"));
            let [Output { said: Said::Decision { decision, .. }, .. }] = &out[..] else {
                panic!("a preview has a decision and no events: {out:?}");
            };
            answers.push((line.to_string(), strictness(decision.verdict, decision.posture)));
        };
        for operation in self.case.operations() {
            ask(self, operation, None);
            ask(self, operation, Some(&format!("silent {operation}")));
        }
        for (request, operation) in going_on {
            ask(self, operation, Some(request));
        }
        answers
    }

    /// How each dependency stands after the last line.
    fn reports(&self) -> Vec<HealthReport> {
        let ids = self.case.loaded.matrix.dependencies();
        ids.map(|(id, _)| self.player.health(id).expect("a line was told").1).collect()
    }

    /// Whether a call is out of which an engine that goes on may hear yet: a trial's, which RST-6 speaks of, or one
    /// that it may see to hang (see below).
    fn call_is_out(&self) -> bool {
        self.reports().iter().any(|report| report.calls_out > 0)
    }
}

/// The named requests that have not finished, and their operations.
fn going_on(lines: &[Value]) -> BTreeMap<String, String> {
    let mut requests = BTreeMap::new();
    for line in lines {
        if let Some(finished) = line.pointer("/finish/request").and_then(Value::as_str) {
            requests.remove(finished);
        }
        let part = |key: &str| line.pointer(key).and_then(Value::as_str).map(str::to_owned);
        if let Some((request, operation)) = part("/decide/request").zip(part("/decide/operation")) {
            requests.insert(request, operation);
        }
    }
    requests
}

/// Random cases, each cut at some places: the lines before, those after, and a generator.
fn cuts(
    seeds: u64,
    each: usize,
    case: impl Fn(u64) -> Case,
    mut look: impl FnMut(&Case, &[Value], &[Value], &mut Rng),
) -> usize {
    let mut count = 0;
    for seed in 0..seeds {
        let case = case(seed);
        let mut rng = Rng::with_seed(seed ^ 0xc07);
        let lines = case.clamped();
        for _ in 0..each {
            let (before, after) = lines.split_at(rng.usize(1..=lines.len()));
            look(&case, before, after, &mut rng);
            count += 1;
        }
    }
    count
}

/// Matrices in which nothing is written that lets anything past where something has failed, not even where it is only
/// degraded. An observer's failure is always let past, so no operation needs one.
fn that_denies(seed: u64) -> Case {
    Case::changed(seed, |document| {
        let all = document["dependency"].as_object_mut().expect("a document has dependencies");
        let deny = json!([{ "deny": { "when": { "health": ["degraded"] } } }, { "deny": true }]);
        let observers: Vec<String> = all
            .iter()
            .filter(|(_, known)| known["role"] == "observe")
            .map(|(name, _)| name.clone())
            .collect();
        all.values_mut().filter(|known| known["role"] != "observe").for_each(|known| {
            known["on_failure"] = deny.clone();
            known.as_object_mut().expect("it is a table").shift_remove("on_refusal");
        });
        for operation in document.get_mut("operation").and_then(Value::as_object_mut).into_iter().flatten() {
            let needs = operation.1["needs"].as_array_mut().expect("it has needs");
            needs.retain(|need| !observers.iter().any(|observer| need == observer.as_str()));
        }
        // What it says of needs and rungs need not hold any more.
        document.as_object_mut().expect("a document").shift_remove("invariant");
    })
}

/// The question that is answered looser after than before, if there is one.
fn looser(before: &Answers, after: &Answers) -> Option<String> {
    let mut pairs = before.iter().zip(after);
    let (before, after) = pairs.find(|((_, before), (_, after))| after < before)?;
    Some(format!("{:?} becomes {:?}: {}", before.1, after.1, before.0))
}

/// So many answers could get looser.
fn strict(answers: &Answers) -> usize {
    answers.iter().filter(|(_, strict)| *strict > (0, 0)).count()
}

/// Whether it is [RST-5] or [RST-6] that a dependency's health is another after a restart: one that was well is not
/// known any more, or one whose trial is out waits for the trial's end.
fn by_the_rules(before: &HealthReport, after: &HealthReport, away: Option<i64>) -> bool {
    match (before.health, after.health) {
        (Health::Healthy, Health::Unknown) => away.is_none(),
        // What stood behind the advice was well, and is not known any more.
        (Health::Degraded, Health::Degraded) => away.is_none() && is_by_advice(before),
        (Health::Probing, Health::Down) => before.circuit != Circuit::Closed && before.calls_out > 0,
        _ => false,
    }
}

fn is_by_advice(report: &HealthReport) -> bool {
    report.health == Health::Degraded && report.why == Some(Cause::Advice)
}

/// Whether a rung that is narrowed to a health may see another.
fn may_differ(before: &HealthReport, after: &HealthReport, away: Option<i64>) -> bool {
    before.health != after.health || (away.is_none() && is_by_advice(before))
}

/// RST-8 to the letter, where no ladder lets anything past: at every place, trials out or not.
#[test]
fn where_ladders_deny_no_decision_is_looser_just_after_a_restart() {
    let mut held = 0;
    let cuts = cuts(3_000, 4, that_denies, |case, lines, _, rng| {
        let going_on = going_on(lines);
        let mut cut = Cut::new(case, lines);
        let before = cut.ask(cut.at, &going_on);
        cut.restart(rng.bool().then_some(0));
        let after = cut.ask(cut.at, &going_on);
        held += strict(&before);
        let looser = looser(&before, &after);
        assert!(looser.is_none(), "{looser:?}\n{}", case.told(&cut.lines));
    });
    assert!(cuts >= 12_000 && held >= 20_000, "only {cuts} cuts, {held} answers that could get looser");
}

/// With ladders of any kind. Where a rung is written that goes on, worse health is a looser answer because the matrix
/// says so (LAW-9), so RST-8 can hold only where RST-5 and RST-6 change no health: there it does, and they never make
/// one better.
#[test]
fn no_decision_is_looser_just_after_a_restart_but_by_a_ladder_written_for_it() {
    let (mut held, mut changed, mut loosened) = (0, 0, 0);
    let cuts = cuts(2_000, 4, Case::new, |case, lines, _, rng| {
        let going_on = going_on(lines);
        let mut cut = Cut::new(case, lines);
        let away = rng.bool().then_some(0);
        let (before, stood) = (cut.ask(cut.at, &going_on), cut.reports());
        cut.restart(away);
        let (after, stands) = (cut.ask(cut.at, &going_on), cut.reports());
        held += strict(&before);
        let others: Vec<_> =
            stood.iter().zip(&stands).filter(|(old, new)| may_differ(old, new, away)).collect();
        let told = || format!("{others:?}\n{}", case.told(&cut.lines));
        assert!(others.iter().all(|(old, new)| by_the_rules(old, new, away)), "{}", told());
        changed += usize::from(!others.is_empty());
        if let Some(looser) = looser(&before, &after) {
            assert!(!others.is_empty(), "{looser}\n{}", told());
            loosened += 1;
        }
    });
    assert!(cuts >= 8_000 && held >= 15_000, "only {cuts} cuts, {held} answers that could get looser");
    assert!(
        changed >= 300 && loosened <= 200,
        "{changed} cuts changed a health, {loosened} loosened an answer"
    );
}

/// RST-8 leaves out where a trial was out. A call of a closed circuit that is out is left out here as well: an engine that
/// goes on may see it hang (HLT-70) and open, and one that was restarted has forgotten it (RST-7).
#[test]
fn no_decision_is_looser_than_that_of_an_engine_that_went_on() {
    let (mut held, mut compared) = (0, 0);
    let cuts = cuts(1_800, 4, Case::new, |case, lines, _, rng| {
        let mut went_on = Cut::new(case, lines);
        if went_on.call_is_out() {
            return;
        }
        let at = went_on.at;
        let away = pick(rng, &[0, 1, 49, 50, 51, 100, 150, 200, 500, 1_000, 60_000]);
        let mut restored = Cut::new(case, lines);
        restored.restart(Some(away));
        // What a request has told grows older with the clock, and the clock does not move: only silent ones are asked.
        let after = restored.ask(at, &BTreeMap::new());
        let before = went_on.ask(at + away, &BTreeMap::new());
        (compared, held) = (compared + 1, held + strict(&before));
        let looser = looser(&before, &after);
        assert!(looser.is_none(), "{looser:?}\n{}", case.told(&restored.lines));
    });
    assert!(compared >= 5_000 && held >= 10_000, "only {compared} of {cuts} cuts, {held} could get looser");
}

/// What comes back is what was saved, however often: a second restart changes nothing, in all that follows.
#[test]
fn a_snapshot_of_a_restored_engine_is_the_same() {
    let (mut looked, mut events) = (0, 0);
    cuts(900, 2, Case::new, |case, before, after, _| {
        let restart =
            json!({ "at_ms": before.last().map(|line| line["at_ms"].clone()), "restart": { "away_ms": 0 } });
        let played = |restarts: usize| {
            let mut lines = before.to_vec();
            lines.extend(std::iter::repeat_n(restart.clone(), restarts));
            for dependency in case.dependencies() {
                lines.push(json!({ "at_ms": restart["at_ms"], "health": { "dependency": dependency } }));
            }
            lines.extend_from_slice(after);
            (play(case, &lines), lines)
        };
        let ((once, lines), (twice, _)) = (played(1), played(2));
        assert_eq!(once, twice, "{}", case.told(&lines));
        looked += once.len();
        // And the numbers of events go on, without gaps, over both.
        let numbers: Vec<u64> = once.iter().filter_map(|line| line["event"]["sequence"].as_u64()).collect();
        assert!((1..).zip(&numbers).all(|(expected, number)| expected == *number), "{numbers:?}");
        events += numbers.len();
    });
    assert!(looked >= 18_000 && events >= 9_000, "only {looked} lines, {events} events");
}
