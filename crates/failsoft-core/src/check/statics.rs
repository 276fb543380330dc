//! What is found without going through situations: cycles, deadlines, what nobody uses, shared caps, what meters promise.

use alloc::collections::BTreeSet;
use alloc::format;
use alloc::string::String;
use alloc::vec::Vec;

use super::finding::{Code, Found};
use super::ladders::{Seen, rung_path};
use super::prover::{Prover, targets};
use crate::draft::Share;
use crate::ladder::backed_off;
use crate::matrix::{Action, Rung};
use crate::{DependencyId, Enforcement, Millis, OperationId, Path, Role, promises};

fn ladder<'m>(prover: &Prover<'m>, id: DependencyId) -> &'m [Rung] {
    prover.matrix.dependencies.get(id.index()).map_or(&[], |known| known.ladder.as_slice())
}

/// Rungs that lead back to where they stand.
pub(super) fn cycles(prover: &Prover<'_>, found: &mut Vec<Found>) {
    for (id, name) in prover.matrix.dependencies() {
        for (index, rung) in (0u16..).zip(ladder(prover, id)) {
            let way = targets(rung).into_iter().find_map(|target| way_back(prover, target, id));
            // One of a cycle tells of it: the first that is written.
            let Some(way) = way.filter(|way| way.iter().all(|passed| *passed >= id)) else { continue };
            let names: Vec<&str> = way.iter().map(|id| prover.matrix.dependency_name(*id)).collect();
            found.push(Found {
                code: Code::FallbackCycle,
                path: rung_path(prover, id, index),
                what: format!("{name} falls back to {}", names.join(", which falls back to ")),
                help: Some(String::from(
                    "end one of these ladders without the other: when both fail neither can stand in",
                )),
                situation: None,
            });
        }
    }
}

/// The shortest way along fallbacks.
fn way_back(prover: &Prover<'_>, from: DependencyId, to: DependencyId) -> Option<Vec<DependencyId>> {
    let mut seen = BTreeSet::from([from]);
    let mut ways = Vec::from([Vec::from([from])]);
    while !ways.is_empty() {
        let mut next = Vec::new();
        for way in ways {
            let last = way.last().copied()?;
            if last == to {
                return Some(way);
            }
            for target in ladder(prover, last).iter().flat_map(targets) {
                if seen.insert(target) {
                    let mut longer = way.clone();
                    longer.push(target);
                    next.push(longer);
                }
            }
        }
        ways = next;
    }
    None
}

/// The longest that a need can take in an operation: its own calls, the waits between them, and those of its substitutes.
fn longest(prover: &Prover<'_>, seen: &Seen, operation: OperationId, id: DependencyId) -> Millis {
    let deadline = |id: DependencyId| {
        prover.matrix.dependencies.get(id.index()).and_then(|known| known.deadline).unwrap_or(Millis::ZERO)
    };
    let mut own = deadline(id);
    let mut others: BTreeSet<DependencyId> = BTreeSet::new();
    for (index, rung) in (0u16..).zip(ladder(prover, id)) {
        let answers =
            seen.operations.get(&(id, index)).is_some_and(|operations| operations.contains(&operation));
        if !answers {
            continue;
        }
        others.extend(targets(rung));
        if let Action::Retry { max_attempts, base, multiplier, jitter } = rung.action {
            own = own.max(tried(deadline(id), (base, multiplier, jitter), max_attempts));
        }
    }
    others.into_iter().fold(own, |sum, target| sum.plus(deadline(target)))
}

/// How long so many calls take, with the waits between them.
fn tried(deadline: Millis, (base, multiplier, jitter): (Millis, u64, u64), max_attempts: u32) -> Millis {
    let mut sum = deadline;
    let mut wait = base;
    for attempt in 1..max_attempts {
        let longest = if jitter > 0 { wait.percent(jitter.saturating_add(100)) } else { wait };
        let one = longest.plus(deadline);
        let next = backed_off(wait, multiplier, 2);
        if next == wait {
            // It grows no more, so the rest takes as long each.
            let rest = u64::from(max_attempts.saturating_sub(attempt));
            return sum.plus(Millis::new(one.get().saturating_mul(rest)));
        }
        sum = sum.plus(one);
        wait = next;
    }
    sum
}

/// Operations that can take longer than they may.
pub(super) fn late(prover: &Prover<'_>, seen: &Seen, found: &mut Vec<Found>) {
    for (id, name) in prover.matrix.operations() {
        let Some(most) = prover.operation(id).and_then(|operation| operation.deadline) else { continue };
        let needs: Vec<(DependencyId, Millis)> =
            prover.matrix.needs(id).map(|need| (need, longest(prover, seen, id, need))).collect();
        let sum = needs.iter().fold(Millis::ZERO, |sum, (_, time)| sum.plus(*time));
        if sum <= most {
            continue;
        }
        let parts = needs
            .iter()
            .filter(|(_, time)| *time > Millis::ZERO)
            .map(|(need, time)| format!("{} {} ms", prover.matrix.dependency_name(*need), time.get()));
        let parts: Vec<String> = parts.collect();
        found.push(Found {
            code: Code::Late,
            path: Path::root().key("operation").key(name).key("deadline"),
            what: format!(
                "{name} may take {} ms, and its longest way takes {} ms: {}",
                most.get(),
                sum.get(),
                parts.join(", ")
            ),
            help: Some(String::from(
                "tell `remaining_ms` with each ask, shorten deadlines and retries, or allow more time",
            )),
            situation: None,
        });
    }
}

/// Guards that nobody is held to.
pub(super) fn not_enforced(prover: &Prover<'_>, found: &mut Vec<Found>) {
    for (id, name) in prover.matrix.operations() {
        let shadow =
            prover.operation(id).is_some_and(|operation| operation.enforcement == Enforcement::Shadow);
        let guards: Vec<&str> = prover
            .matrix
            .needs(id)
            .filter(|need| prover.matrix.role(*need) == Role::Guard)
            .map(|need| prover.matrix.dependency_name(need))
            .collect();
        if shadow && !guards.is_empty() {
            found.push(Found {
                code: Code::NotEnforced,
                path: Path::root().key("operation").key(name).key("enforcement"),
                what: format!(
                    "{name} is in `shadow`: {} is asked, and the request goes on whatever it says",
                    guards.join(", ")
                ),
                help: Some(String::from(
                    "write `enforcement = \"enforce\"`, or silence this with the reason and its end",
                )),
                situation: None,
            });
        }
    }
}

/// What no operation uses.
pub(super) fn unused(prover: &Prover<'_>, found: &mut Vec<Found>) {
    let mut reached: BTreeSet<DependencyId> = BTreeSet::new();
    for (operation, _) in prover.matrix.operations() {
        for need in prover.matrix.needs(operation) {
            reached.insert(need);
            reached.extend(ladder(prover, need).iter().flat_map(targets));
        }
    }
    for (id, name) in prover.matrix.dependencies() {
        if !reached.contains(&id) {
            found.push(Found {
                code: Code::Unused,
                path: Path::root().key("dependency").key(name),
                what: format!("no operation needs {name}, and no ladder that is read goes to it"),
                help: Some(String::from(
                    "add it to the `needs` of the operations that it is for, or take it out",
                )),
                situation: None,
            });
        }
    }
    for (id, name) in prover.matrix.meters() {
        let used = prover.matrix.operations.iter().any(|operation| operation.meters.contains(&id));
        if !used {
            found.push(Found {
                code: Code::Unused,
                path: Path::root().key("meter").key(name),
                what: format!("no operation needs the store of {name}, so nothing is ever taken of it"),
                help: None,
                situation: None,
            });
        }
    }
}

/// Caps that tenants share.
pub(super) fn shared_caps(prover: &Prover<'_>, found: &mut Vec<Found>) {
    for (id, name) in prover.matrix.dependencies() {
        for (index, rung) in (0u16..).zip(ladder(prover, id)) {
            if rung.cap.is_some_and(|cap| cap.total) {
                found.push(Found {
                    code: Code::SharedCap,
                    path: rung_path(prover, id, index).key(rung.kind.as_str()).key("cap").key("total"),
                    what: format!(
                        "tenants share the cap of this rung of {name}: one can use up what others would need"
                    ),
                    help: None,
                    situation: None,
                });
            }
        }
    }
}

/// What meters promise while their stores are lost, in numbers.
pub(super) fn promised(prover: &Prover<'_>, found: &mut Vec<Found>) {
    for promise in promises(prover.matrix) {
        let name = prover.matrix.meter_name(promise.meter);
        let (limit, alone) = (promise.limit, promise.alone());
        let lost =
            format!("while its store is lost, local_meter lets {alone} of {limit} through on one instance");
        let what = match (promise.instances, promise.most()) {
            (Some(instances), Some(most)) => {
                let told = match promise.share {
                    Share::PerInstance => format!(" (and none told that there are fewer than {instances})"),
                    Share::Percent(_) => String::new(),
                };
                format!(
                    "{lost}; in all at most {most} in a period on {instances}, however often it is lost{told}"
                )
            }
            _ => format!("{lost}; how much in all is not known without max_instances"),
        };
        found.push(Found {
            code: Code::Promise,
            path: Path::root().key("meter").key(name),
            what,
            help: None,
            situation: None,
        });
    }
    for meter in prover.matrix.meters.iter().filter(|meter| meter.window.is_none()) {
        found.push(Found {
            code: Code::Promise,
            path: Path::root().key("meter").key(&meter.name),
            what: format!(
                "without a window its {} keys leave only at a reset that a reading tells; then newcomers find no room",
                meter.capacity
            ),
            help: None,
            situation: None,
        });
    }
}
