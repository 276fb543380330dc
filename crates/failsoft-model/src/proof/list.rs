//! Every fact that there is for an operation (PRF-2, the last column).

use super::{Fact, Whole, reached};
use crate::document::{Bound, Dependency, Document, Kind, Meter, Operation, Share};
use crate::generate::FAULTS;
use crate::meter::{Allowance, divisor, share_of};
use crate::numbers::{percent, plus};
use crate::settings::CountsAs;

/// All facts, in the order of the table; those of one dependency's snapshot together.
pub(super) fn facts(whole: &Whole, operation: &Operation) -> Result<Vec<Fact>, String> {
    let document = &*whole.document;
    let reached = reached(document, operation)?;
    let mut facts = Vec::new();
    for dependency in &reached {
        healths(dependency, &mut facts);
    }
    for dependency in &reached {
        state(dependency, &mut facts);
    }
    for meter in document.meters.iter().filter(|meter| operation.needs.contains(&meter.store)) {
        of_meter(document, operation, meter, &mut facts)?;
    }
    for dependency in &reached {
        of_request(dependency, &mut facts);
    }
    for time in lengths(document, operation)? {
        facts.push(Fact::Remaining { time: time.saturating_sub(1) });
    }
    let found = whole.attributes.get(&operation.name).ok_or("unknown operation")?.clone()?;
    for (rule, attributes) in found {
        facts.push(Fact::Rule { rule, attributes: Some(attributes) });
    }
    Ok(facts)
}

/// The rows of health.
fn healths(dependency: &Dependency, facts: &mut Vec<Fact>) {
    let mut push = |health: &str, class: Option<&str>| {
        let class = class.map(str::to_owned);
        facts.push(Fact::Health { dependency: dependency.name.clone(), health: health.to_owned(), class });
    };
    let settings = &dependency.health;
    push("well", None);
    push("degraded", None);
    let counts = |class: &str| class == "unavailable" || settings.counts_as(class) == CountsAs::Failure;
    let classes: Vec<&str> = FAULTS.into_iter().filter(|class| counts(class)).collect();
    for class in &classes {
        push("probing", Some(class));
    }
    for class in &classes {
        push("spent", Some(class));
    }
    // HLT-54: a told Retry-After is believed up to `max_retry_after`, so one of 0 is none.
    let believes = settings.retry_after_policy != "off" && settings.max_retry_after > 0;
    if first_wait(dependency) > 0 || believes {
        for class in &classes {
            push("down", Some(class));
        }
    }
    push("advised", None);
    push("held", None);
    if dependency.break_glass.is_some() {
        push("skipped", None);
    }
}

/// HLT-58: w(1).
pub(super) fn first_wait(dependency: &Dependency) -> i64 {
    dependency.health.wait.min(dependency.health.max_wait)
}

/// The rows `last_ok`, `outbox`, `failed_for` and `cap`.
fn state(dependency: &Dependency, facts: &mut Vec<Fact>) {
    let name = || dependency.name.clone();
    let ladder = || dependency.on_failure.iter();
    let of_dependency = |kind: &Kind| matches!(kind, Kind::LastKnown { of, .. } if of == "dependency");
    if ladder().any(|rung| of_dependency(&rung.kind)) {
        for age in ages(dependency) {
            facts.push(Fact::LastOk { dependency: name(), age });
        }
    }
    let capacities = ladder().filter_map(|rung| match &rung.kind {
        Kind::Outbox { capacity } => Some(*capacity),
        _ => None,
    });
    for depth in once_each(capacities) {
        facts.push(Fact::Outbox { dependency: name(), depth });
    }
    let bound = |place: usize| dependency.on_failure.get(place)?.cap.as_ref().map(|cap| cap.bound);
    let places = || (0..dependency.on_failure.len()).filter_map(|place| Some((place, bound(place)?)));
    let times = places().filter_map(|(_, bound)| match bound {
        Bound::Time(time) => Some(time),
        _ => None,
    });
    for time in once_each(times) {
        facts.push(Fact::FailedFor { dependency: name(), time });
    }
    for (rung, bound) in places() {
        match bound {
            Bound::Requests(amount) | Bound::Amount(amount) => {
                facts.push(Fact::Cap { dependency: name(), rung, amount });
            }
            Bound::Time(_) => {}
        }
    }
}

/// The `max_age` of each `last_known` rung.
fn ages(dependency: &Dependency) -> Vec<i64> {
    once_each(dependency.on_failure.iter().filter_map(|rung| match &rung.kind {
        Kind::LastKnown { max_age, .. } => Some(*max_age),
        _ => None,
    }))
}

/// The rows `used` and `reading`.
fn of_meter(
    document: &Document,
    operation: &Operation,
    meter: &Meter,
    facts: &mut Vec<Fact>,
) -> Result<(), String> {
    facts.push(Fact::Reading { meter: meter.name.clone(), used: meter.limit.unwrap_or(1) });
    let Some(limit) = meter.limit else { return Ok(()) };
    let divisor = divisor(meter, None, document.signal_ttl, 0);
    let share_of = |share: &Share| share_of(limit, &Allowance { share, divisor });
    let mut shares = Vec::new();
    for need in &operation.needs {
        for rung in &document.dependency(need)?.on_failure {
            match &rung.kind {
                Kind::LocalMeter { meter: named, share } if *named == meter.name => {
                    shares.push(share_of(share));
                }
                _ => {}
            }
        }
    }
    for amount in once_each(shares) {
        facts.push(Fact::Used { meter: meter.name.clone(), amount });
    }
    Ok(())
}

/// The rows `met`, `cached` and `attempts`.
fn of_request(dependency: &Dependency, facts: &mut Vec<Fact>) {
    let name = || dependency.name.clone();
    for result in ["ok", "refused"].into_iter().chain(FAULTS) {
        facts.push(Fact::Met { dependency: name(), result: result.to_owned() });
    }
    for age in ages(dependency) {
        facts.push(Fact::Cached { dependency: name(), age });
    }
    for attempts in attempts(dependency) {
        facts.push(Fact::Attempts { dependency: name(), attempts });
    }
}

/// The `max_attempts` of each `retry` rung, where it is more than 1.
fn attempts(dependency: &Dependency) -> Vec<i64> {
    let all = dependency.on_failure.iter().filter_map(|rung| match &rung.kind {
        Kind::Retry { max_attempts, .. } => Some(*max_attempts),
        _ => None,
    });
    once_each(all.filter(|attempts| *attempts > 1))
}

/// The lengths that a rung of a need is held against, those above 0.
fn lengths(document: &Document, operation: &Operation) -> Result<Vec<i64>, String> {
    let mut lengths = Vec::new();
    for need in &operation.needs {
        let dependency = document.dependency(need)?;
        for target in super::targets(dependency) {
            lengths.extend(document.dependency(target)?.deadline);
        }
        for rung in &dependency.on_failure {
            if let Kind::Retry { base, multiplier, jitter, .. } = rung.kind {
                for calls in [1].into_iter().chain(attempts(dependency)) {
                    let longest = percent(waited(base, multiplier, calls), jitter.saturating_add(100));
                    lengths.push(plus(longest, dependency.deadline.unwrap_or(0)));
                }
            }
        }
    }
    Ok(once_each(lengths.into_iter().filter(|length| *length > 0)))
}

/// LAD-43: the wait after so many calls.
fn waited(base: i64, multiplier: i64, calls: i64) -> i64 {
    let mut wait = base;
    for _ in 1..calls {
        let longer = percent(wait, multiplier);
        if longer == wait {
            break;
        }
        wait = longer;
    }
    wait
}

/// Each number once, in the order in which they come.
fn once_each(numbers: impl IntoIterator<Item = i64>) -> Vec<i64> {
    let mut once = Vec::new();
    for number in numbers {
        if !once.contains(&number) {
            once.push(number);
        }
    }
    once
}
