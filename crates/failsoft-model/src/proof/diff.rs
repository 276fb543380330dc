//! What changes between two matrices (11.4).

use serde_json::Value;

use super::Whole;
use super::brute::{Smallest, each_set, keep};
use super::invariant::{posture_place, verdict_place};
use super::play::Player;
use super::tell::Question;

/// The smallest situation of a change in each direction (PRF-31).
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Diff {
    /// How many situations were played on both.
    pub situations: u64,
    /// The new matrix's decision is looser.
    pub looser: Option<Smallest>,
    /// It is stricter.
    pub stricter: Option<Smallest>,
    /// It is another, and neither.
    pub other: Option<Smallest>,
}

/// A change's direction.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Direction {
    Looser,
    Stricter,
    Other,
}

/// Plays every situation whose facts are drawn from a pool on two matrices. What is told of a dependency or meter that
/// one of them does not have is told to the other alone (PRF-30); a `rule` fact without attributes has those of the
/// new matrix, so those of the old one must carry theirs.
///
/// # Errors
/// Where a fact cannot be read, one of them does not have the operation, or a situation cannot be played.
pub fn brute_diff(
    old: &Whole,
    new: &Whole,
    operation: &str,
    class: &str,
    stage: &str,
    pool: &[Value],
) -> Result<Diff, String> {
    let pool = new.read(operation, pool)?;
    let mut before = Player::new(old, Question { operation, class: class_of(old, class), stage });
    let mut after = Player::new(new, Question { operation, class: class_of(new, class), stage });
    let mut diff = Diff::default();
    each_set(&pool, &mut |facts| {
        let was = before.play(facts, |_, decision| Ok(decision.json))?;
        let is = after.play(facts, |_, decision| Ok(decision.json))?;
        diff.situations = diff.situations.saturating_add(1);
        match direction(&was, &is) {
            None => {}
            Some(Direction::Looser) => keep(&mut diff.looser, facts),
            Some(Direction::Stricter) => keep(&mut diff.stricter, facts),
            Some(Direction::Other) => keep(&mut diff.other, facts),
        }
        Ok(())
    })?;
    Ok(diff)
}

/// PRF-30: a class that only one has is held against the first class of the other.
fn class_of<'a>(whole: &'a Whole, class: &'a str) -> &'a str {
    let classes = &whole.document.classes;
    let known = classes.iter().any(|known| known == class);
    if known { class } else { classes.first().map_or(class, String::as_str) }
}

/// The order of a list does not count (PRF-30).
fn in_any_order(value: Option<&Value>) -> Vec<String> {
    let mut parts: Vec<String> = match value {
        Some(Value::Array(list)) => list.iter().map(Value::to_string).collect(),
        other => other.map(Value::to_string).into_iter().collect(),
    };
    parts.sort_unstable();
    parts
}

/// PRF-30: none where what counts is alike. PRF-31: by enforcement, then by the verdict, then, where both go on, by the
/// posture.
fn direction(was: &Value, is: &Value) -> Option<Direction> {
    let keys = ["verdict", "posture", "enforced", "status", "code", "obligations", "emits"];
    if keys.iter().all(|key| in_any_order(was.get(key)) == in_any_order(is.get(key))) {
        return None;
    }
    let text =
        |decision: &Value, key: &str| decision.get(key).and_then(Value::as_str).unwrap_or("").to_owned();
    let enforced = |decision: &Value| decision.get("enforced").and_then(Value::as_bool).unwrap_or(true);
    if enforced(was) != enforced(is) {
        return Some(if enforced(is) { Direction::Stricter } else { Direction::Looser });
    }
    let verdict = |decision: &Value| verdict_place(&text(decision, "verdict"));
    let posture = |decision: &Value| posture_place(&text(decision, "posture"));
    let goes_on = matches!(text(is, "verdict").as_str(), "allow" | "withhold");
    let (from, to) = if verdict(was) != verdict(is) {
        (verdict(was), verdict(is))
    } else if goes_on {
        (posture(was), posture(is))
    } else {
        return Some(Direction::Other);
    };
    Some(match to.cmp(&from) {
        std::cmp::Ordering::Less => Direction::Looser,
        std::cmp::Ordering::Greater => Direction::Stricter,
        std::cmp::Ordering::Equal => Direction::Other,
    })
}
