//! Rungs, settings and classes that change nothing: a knob is only real if some decision turns with it.

use alloc::collections::BTreeSet;
use alloc::format;
use alloc::rc::Rc;
use alloc::string::String;
use alloc::vec::Vec;

use super::Done;
use super::finding::{Code, Found};
use super::invariants::facts;
use super::ladders::{By, Seen, rung_path};
use super::pairs::{Pair, shown};
use super::prover::{Prover, targets};
use super::rules::Rules;
use crate::explore::{Names, TooMany};
use crate::matrix::{Matrix, Rung, Set};
use crate::{ClassId, DependencyId, OperationId, Path};

/// What is tried without.
struct Knob {
    code: Code,
    path: Path,
    what: String,
    help: &'static str,
    change: Change,
    /// The needs that it can make a difference to.
    touches: Rc<BTreeSet<DependencyId>>,
}

/// What is taken out.
#[derive(Clone, Copy)]
enum Change {
    /// A rung of a ladder, or what is written for a no.
    Rung(DependencyId, Option<usize>),
    /// A key of its `when`.
    Key(DependencyId, Option<usize>, fn(&mut Rung)),
    Cap(DependencyId, usize),
    /// It needs no trying without.
    Nothing,
}

impl Change {
    fn of(self, matrix: &Matrix) -> Matrix {
        let mut matrix = matrix.clone();
        let (id, place) = match self {
            Self::Rung(id, place) | Self::Key(id, place, _) => (id, place),
            Self::Cap(id, place) => (id, Some(place)),
            Self::Nothing => return matrix,
        };
        let dependency = matrix.dependencies.get_mut(id.index());
        let rung = dependency.and_then(|dependency| match place {
            Some(place) => dependency.ladder.get_mut(place),
            None => dependency.refusal.as_mut(),
        });
        if let Some(rung) = rung {
            match self {
                Self::Rung(..) => rung.when.parameter = false,
                Self::Key(_, _, take_out) => take_out(rung),
                Self::Cap(..) => rung.cap = None,
                Self::Nothing => {}
            }
        }
        matrix
    }
}

/// A key of `when`, and how it is taken out.
type Key = (&'static str, fn(&Rung) -> bool, fn(&mut Rung));

const KEYS: [Key; 6] = [
    ("fault", |rung| !rung.when.fault.is_any(), |rung| rung.when.fault = Set::default()),
    ("health", |rung| !rung.when.health.is_any(), |rung| rung.when.health = Set::default()),
    ("effect", |rung| !rung.when.effect.is_any(), |rung| rung.when.effect = Set::default()),
    ("stage", |rung| !rung.when.stage.is_any(), |rung| rung.when.stage = Set::default()),
    ("class", |rung| !rung.when.class.is_any(), |rung| rung.when.class = Set::default()),
    ("operation", |rung| !rung.when.operation.is_empty(), |rung| rung.when.operation = Vec::new()),
];

/// Everything that changes nothing, of the operations that could be gone through.
pub(super) fn found(
    prover: &mut Prover<'_>,
    seen: &Seen,
    operations: &[Done],
    progress: &mut dyn FnMut(usize, usize),
    found: &mut Vec<Found>,
) {
    let knobs = knobs(prover, seen, operations);
    let count = knobs.len();
    for (place, knob) in knobs.into_iter().enumerate() {
        progress(place, count);
        match is_live(prover, &knob, operations) {
            Ok(true) => {}
            Ok(false) => found.push(Found {
                code: knob.code,
                path: knob.path,
                what: knob.what,
                help: Some(String::from(knob.help)),
                situation: None,
            }),
            Err(TooMany) => {
                found
                    .push(super::too_large(knob.path, "whether it, or a setting after it, changes anything"));
                return;
            }
        }
    }
    for done in operations {
        if bound(prover, done, found).is_err() {
            let path = Path::root().key("operation").key(prover.matrix.operation_name(done.id));
            found.push(super::too_large(path.key("max_unchecked"), "whether it bounds anything"));
        }
    }
    classes(prover, operations, found);
}

fn knobs(prover: &Prover<'_>, seen: &Seen, operations: &[Done]) -> Vec<Knob> {
    let mut knobs = Vec::new();
    let needed: BTreeSet<DependencyId> =
        operations.iter().flat_map(|done| prover.matrix.needs(done.id)).collect();
    for (id, name) in prover.matrix.dependencies() {
        let ladder =
            prover.matrix.dependencies.get(id.index()).map_or(&[][..], |known| known.ladder.as_slice());
        let touches = Rc::new(touched(prover.matrix, id));
        let read = needed.contains(&id);
        if touches.is_disjoint(&needed) {
            continue;
        }
        let knob = |code, path: Path, what, help, change| {
            let touches = touches.clone();
            Knob { code, path, what, help, change, touches }
        };
        for (place, (index, rung)) in (0u16..).zip(ladder).enumerate() {
            let path = rung_path(prover, id, index);
            let answers = seen.answers(id, By::Rung(index));
            // What a parameter rules out is for another value of it.
            if !rung.when.parameter {
                continue;
            }
            if !answers {
                knobs.push(knob(
                    Code::DeadRung,
                    path.clone(),
                    format!("this rung of {name} answers in no situation"),
                    "take it out, or mend what stands above it or its `when`",
                    Change::Rung(id, Some(place)),
                ));
                continue; // What is said of it is said of the whole rung.
            }
            let within = path.key(rung.kind.as_str());
            for (key, is_written, take_out) in KEYS {
                if is_written(rung) {
                    knobs.push(knob(
                        Code::DeadSetting,
                        within.key("when").key(key),
                        format!("`when.{key}` of this rung of {name} narrows nothing: no situation is decided otherwise without it"),
                        "take it out, or mend what it was meant to keep away",
                        Change::Key(id, Some(place), take_out),
                    ));
                }
            }
            if rung.cap.is_some() {
                knobs.push(knob(
                    Code::DeadSetting,
                    within.key("cap"),
                    format!("the cap of this rung of {name} bounds nothing: no situation is decided otherwise without it"),
                    "take it out, or see what answers below it",
                    Change::Cap(id, place),
                ));
            }
        }
        refusal(prover, seen, id, read, &knob, &mut knobs);
    }
    for done in operations {
        of_operation(prover, done.id, &done.rules, &mut knobs);
    }
    knobs
}

type Make<'a> = dyn Fn(Code, Path, String, &'static str, Change) -> Knob + 'a;

fn refusal(
    prover: &Prover<'_>,
    seen: &Seen,
    id: DependencyId,
    read: bool,
    knob: &Make<'_>,
    knobs: &mut Vec<Knob>,
) {
    let name = prover.matrix.dependency_name(id);
    let path = Path::root().key("dependency").key(name).key("on_refusal");
    let Some(written) = prover.matrix.dependencies.get(id.index()).and_then(|known| known.refusal.as_ref())
    else {
        return;
    };
    if !seen.answers(id, By::Refusal) && read {
        knobs.push(knob(
            Code::DeadRung,
            path,
            format!("the `on_refusal` of {name} answers in no situation: every no is denied as if it were not written"),
            "take it out, or mend its `when`",
            Change::Rung(id, None),
        ));
        return;
    }
    for (key, is_written, take_out) in KEYS {
        if is_written(written) {
            knobs.push(knob(
                Code::DeadSetting,
                path.key(written.kind.as_str()).key("when").key(key),
                format!("`when.{key}` of the `on_refusal` of {name} narrows nothing: no situation is decided otherwise without it"),
                "take it out, or mend what it was meant to keep away",
                Change::Key(id, None, take_out),
            ));
        }
    }
}

fn of_operation(prover: &Prover<'_>, id: OperationId, rules: &Rules, knobs: &mut Vec<Knob>) {
    let Some(operation) = prover.operation(id) else { return };
    let path = Path::root().key("operation").key(&operation.name);
    for place in 0..u16::try_from(operation.refuse.len()).unwrap_or(u16::MAX) {
        if rules.stopped_by(place).is_err() {
            // No attributes make it the first that holds, so it needs no trying without.
            knobs.push(Knob {
                code: Code::DeadRung,
                path: path.key("refuse").index(usize::from(place)),
                what: format!(
                    "this refuse rule of {} decides nothing: a rule above it holds wherever it would",
                    operation.name
                ),
                help: "take it out, or put it above the other",
                change: Change::Nothing,
                touches: Rc::default(),
            });
        }
    }
}

/// A bound on guards passed unchecked that no request reaches.
fn bound(prover: &Prover<'_>, done: &Done, found: &mut Vec<Found>) -> Result<(), TooMany> {
    let Some(operation) = prover.operation(done.id) else { return Ok(()) };
    let (Some(most), Ok(_)) = (operation.max_unchecked, done.rules.passed()) else { return Ok(()) };
    for view in &done.views {
        if prover.is_ever_over(view)? {
            return Ok(());
        }
    }
    found.push(Found {
        code: Code::DeadSetting,
        path: Path::root().key("operation").key(&operation.name).key("max_unchecked"),
        what: format!(
            "no more than {most} guards of {} are ever passed unchecked, so this bounds nothing",
            operation.name
        ),
        help: Some(String::from("lower it, or take it out")),
        situation: None,
    });
    Ok(())
}

/// The needs whose answers a dependency's rungs can change: its own, and those that have it for a target.
fn touched(matrix: &Matrix, id: DependencyId) -> BTreeSet<DependencyId> {
    let aim = |of: &DependencyId| {
        let ladder = matrix.dependencies.get(of.index()).map_or(&[][..], |known| known.ladder.as_slice());
        ladder.iter().flat_map(targets).any(|target| target == id)
    };
    matrix.dependencies().map(|(of, _)| of).filter(|of| *of == id || aim(of)).collect()
}

/// Whether some situation is decided otherwise without it.
fn is_live(prover: &mut Prover<'_>, knob: &Knob, operations: &[Done]) -> Result<bool, TooMany> {
    let names = Names::default();
    let domains = prover.domains;
    if matches!(knob.change, Change::Nothing) {
        return Ok(false);
    }
    prover.work.take(prover.size())?;
    let matrix = knob.change.of(prover.matrix);
    let mut without = prover.with(&matrix, domains, &knob.touches);
    let concerned = |id: &OperationId| prover.matrix.needs(*id).any(|need| knob.touches.contains(&need));
    let concerned: Vec<&Done> = operations.iter().filter(|done| concerned(&done.id)).collect();
    for done in &concerned {
        if is_seen_at_once(prover, &without, done, &knob.touches) {
            return Ok(true);
        }
    }
    for Done { id, rules, .. } in concerned {
        let stops = rules.stops();
        let classes: Vec<ClassId> = prover.matrix.classes().map(|(class, _)| class).collect();
        let mut pair = Pair::new(&mut *prover, &mut without, &names);
        for class in classes {
            if pair.differs((*id, *id), (class, class), &stops)? {
                return Ok(true);
            }
        }
    }
    Ok(false)
}

/// A short way: a situation in which one need is answered otherwise often shows it.
fn is_seen_at_once(
    prover: &Prover<'_>,
    without: &Prover<'_>,
    done: &Done,
    touches: &BTreeSet<DependencyId>,
) -> bool {
    let Ok(passed) = done.rules.passed() else { return false };
    let mut known = BTreeSet::new();
    for view in &done.views {
        let mut explorers = None;
        for need in view.needs.iter().filter(|need| touches.contains(&need.id)) {
            if !known.insert(need.number) {
                continue;
            }
            if explorers.is_none() {
                let (class, stage) = view.first();
                let of = (done.id, class, stage);
                explorers = prover.explorer(of).zip(without.explorer(of));
            }
            let Some((old, new)) = &mut explorers else { continue };
            for case in &need.cases {
                if without.work.enough().is_err() {
                    return false;
                }
                if new.answer(need.id, &case.given) == case.answer {
                    continue;
                }
                let facts = facts(prover.domains, &case.given, passed.clone());
                let decisions = (old.decided(&facts), new.decided(&facts));
                if let (Some(one), Some(other)) = decisions
                    && shown(&one) != shown(&other)
                {
                    return true;
                }
            }
        }
    }
    false
}

/// Classes that are answered as the first one is.
fn classes(prover: &mut Prover<'_>, operations: &[Done], found: &mut Vec<Found>) {
    let classes: Vec<(ClassId, String)> =
        prover.matrix.classes().map(|(id, name)| (id, String::from(name))).collect();
    let Some(((first, first_name), others)) = classes.split_first() else { return };
    let names = Names::of(prover.matrix, prover.matrix);
    let mut other = prover.with(prover.matrix, prover.domains, &BTreeSet::new());
    for (class, name) in others {
        let mut pair = Pair::new(&mut *prover, &mut other, &names);
        let live = operations
            .iter()
            .map(|Done { id, rules, .. }| pair.differs((*id, *id), (*first, *class), &rules.stops()))
            .find(|differs| *differs != Ok(false));
        if live.is_none() && !operations.is_empty() {
            let path = Path::root().key("classes").index(class.index());
            found.push(Found {
                code: Code::DeadClass,
                path,
                what: format!("every situation of class {name} is decided as one of {first_name}"),
                help: Some(String::from("name it in the `when.class` of a rung, or take it out")),
                situation: None,
            });
        }
    }
}
