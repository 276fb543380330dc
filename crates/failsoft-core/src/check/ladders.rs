//! What the answers of single needs show: ladders that run out, fail-open rungs without a bound, business statuses,
//! laws; and which rungs answer at all.

use alloc::collections::{BTreeMap, BTreeSet};
use alloc::format;
use alloc::rc::Rc;
use alloc::string::String;
use alloc::vec::Vec;

use super::finding::{Code, Found};
use super::invariants::facts;
use super::prover::{Need, Prover, View, smallest, targets};
use super::rules::Rules;
use crate::answer::ReasonKind;
use crate::explore::{Ailment, Case, Fact, Given, Situation, Values, Variable};
use crate::matrix::{CapOf, Rung};
use crate::{DependencyId, Health, OperationId, Path, Posture, Report, Role, RungKind};

/// What answers a need: a rung of its ladder, its `on_refusal`, or that the ladder has run out.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum By {
    Rung(u16),
    Refusal,
    RanOut,
}

/// How many facts a situation has, and which; to find the smallest.
type Size = (usize, Vec<(Variable, usize)>);

/// What was seen of a ladder.
#[derive(Default)]
pub(super) struct Seen {
    /// What answers, and the smallest situation in which it does.
    by: BTreeMap<(DependencyId, By), (Size, Situation)>,
    /// In which operations a rung answers.
    pub(super) operations: BTreeMap<(DependencyId, u16), BTreeSet<OperationId>>,
    /// Rungs that stop a failure with a status that says something else.
    business: BTreeMap<(DependencyId, u16), (u16, Size, Situation)>,
    /// Needs that were looked at for the first time.
    known: BTreeSet<(usize, OperationId)>,
}

pub(super) fn rung_path(prover: &Prover<'_>, id: DependencyId, rung: u16) -> Path {
    let name = prover.matrix.dependency_name(id);
    Path::root().key("dependency").key(name).key("on_failure").index(usize::from(rung))
}

impl Seen {
    /// Takes in a view in which needs are looked at at all.
    pub(super) fn take(&mut self, prover: &Prover<'_>, view: &View, rules: &Rules) {
        // Where a rule always holds only observers are looked at.
        let passed = rules.passed();
        let looked = |need: &&Rc<Need>| passed.is_ok() || need.role == Role::Observe;
        let passed = passed.clone().ok().flatten();
        for need in view.needs.iter().filter(looked) {
            if self.known.insert((need.number, view.operation)) {
                self.need(prover, need, view, passed.as_ref());
            }
        }
    }

    fn need(&mut self, prover: &Prover<'_>, need: &Rc<Need>, view: &View, passed: Option<&Fact>) {
        let (class, stage) = view.first();
        // Observers are looked at even where a rule stops the request.
        let passed = passed.filter(|_| need.role != Role::Observe);
        for case in &need.cases {
            let Some(answer) = &case.answer else { continue };
            let by = match (answer.rung, answer.refusal, answer.kind) {
                (_, _, ReasonKind::Rule(_)) | (None, true, _) => continue,
                (Some(_), true, _) => By::Refusal,
                (Some(rung), false, _) => By::Rung(rung),
                (None, false, _) => By::RanOut,
            };
            // Of two of one size what the request itself met is read more easily than a health.
            let sized = |given: &Given| -> Size {
                let (places, size) = smallest(prover.domains, given);
                (size.saturating_add(usize::from(passed.is_some())), places)
            };
            let shown = |given: &Given| Situation {
                operation: view.operation,
                class,
                stage,
                facts: facts(prover.domains, given, passed.cloned()),
            };
            let all = Some(case.given.clone());
            let not_callers = || but(prover, need.id, &case.given, is_callers);
            if let By::Rung(rung) = by {
                self.operations.entry((need.id, rung)).or_default().insert(view.operation);
                let business = [401, 403, 404, 422, 429].contains(&answer.status);
                if business
                    && !answer.verdict.goes_on()
                    && let Some(given) = not_callers()
                {
                    let size = sized(&given);
                    let held = self.business.get(&(need.id, rung));
                    if held.is_none_or(|(_, held, _)| size < *held) {
                        self.business.insert((need.id, rung), (answer.status, size, shown(&given)));
                    }
                }
            }
            // An observer that nobody but a bystander speaks against goes on, as it would by a rung that says so.
            let told = match by {
                By::RanOut if need.role == Role::Observe => but(prover, need.id, &case.given, |told| {
                    is_callers(told) || *told == [Fact::Health(need.id, Ailment::Advised)]
                }),
                By::RanOut => not_callers(),
                By::Rung(_) | By::Refusal => all,
            };
            let Some(given) = told else { continue };
            let (size, situation) = (sized(&given), || shown(&given));
            if self.by.get(&(need.id, by)).is_none_or(|(held, _)| size < *held) {
                self.by.insert((need.id, by), (size, situation()));
            }
        }
    }

    pub(super) fn answers(&self, id: DependencyId, by: By) -> bool {
        self.by.contains_key(&(id, by))
    }

    /// Ladders that run out, and rungs with a business status.
    pub(super) fn found(self, prover: &Prover<'_>, found: &mut Vec<Found>) {
        for ((id, by), (_, situation)) in self.by {
            if by == By::RanOut {
                let name = prover.matrix.dependency_name(id);
                let observes = prover.matrix.role(id) == Role::Observe;
                let (then, last) = if observes { ("goes on", "allow") } else { ("is denied", "deny") };
                found.push(Found {
                    code: Code::RunsOut,
                    path: Path::root().key("dependency").key(name).key("on_failure"),
                    what: format!(
                        "the ladder of {name} can run out, and the request {then} without a rung that says so"
                    ),
                    help: Some(format!("end it with a rung that always stands: `{{ {last} = true }}`")),
                    situation: Some(situation),
                });
            }
        }
        for ((id, rung), (status, _, situation)) in self.business {
            found.push(Found {
                code: Code::BusinessStatus,
                path: rung_path(prover, id, rung),
                what: format!(
                    "a failure of {} is answered with {status}, as if the caller were at fault",
                    prover.matrix.dependency_name(id)
                ),
                help: Some(String::from("503 says that it is not, and that it may be tried again")),
                situation: Some(situation),
            });
        }
    }

    /// Fail-open rungs of guards that nothing bounds.
    pub(super) fn unbounded(&self, prover: &Prover<'_>, found: &mut Vec<Found>) {
        for ((id, rung), operations) in &self.operations {
            if prover.matrix.role(*id) != Role::Guard {
                continue;
            }
            let ladder = prover.matrix.dependencies.get(id.index()).map(|known| known.ladder.as_slice());
            let Some(written) = ladder.and_then(|ladder| ladder.get(usize::from(*rung))) else { continue };
            let unbounded = operations.iter().find(|operation| {
                prover.operation(**operation).is_some_and(|operation| operation.max_unchecked.is_none())
            });
            if written.posture == Posture::FailOpen
                && !is_bounded(written)
                && let Some(operation) = unbounded
            {
                let name = prover.matrix.dependency_name(*id);
                let operation = prover.matrix.operation_name(*operation);
                found.push(Found {
                    code: Code::UnboundedOpen,
                    path: rung_path(prover, *id, *rung),
                    what: format!("{operation} goes on without {name} as often and for as long as it fails"),
                    help: Some(String::from("corroborate it with `when = { health = [\"down\"] }`, bound it with `cap = { requests = 100 }`, or the operation with `max_unchecked`")),
                    situation: self.by.get(&(*id, By::Rung(*rung))).map(|(_, situation)| situation.clone()),
                });
            }
        }
    }
}

fn is_bounded(rung: &Rung) -> bool {
    let by_key = rung.cap.is_some_and(|cap| !cap.total && !matches!(cap.of, CapOf::Time(_)));
    by_key || rung.when.health == crate::matrix::Set::of([Health::Down.number()])
}

/// Whether it is told that the request itself is at fault.
pub(super) fn is_callers(told: &[Fact]) -> bool {
    told.iter().any(|fact| matches!(fact, Fact::Met(_, Report::Failed(fault)) if fault.caller()))
}

/// The same but for some conditions of a dependency; nothing where that is all.
fn but(
    prover: &Prover<'_>,
    id: DependencyId,
    given: &Given,
    is_out: impl Fn(&[Fact]) -> bool,
) -> Option<Given> {
    let variable = Variable::Condition(id);
    let mut rest = Values::none();
    for place in 0..prover.domains.size(variable) {
        if !is_out(&prover.domains.told(variable, place)) {
            rest.insert(place);
        }
    }
    given.and(variable, &rest)
}

/// Whether some of what is given is that the request itself is at fault.
fn opens_for_callers(prover: &Prover<'_>, id: DependencyId, given: &Given) -> bool {
    but(prover, id, given, |told| !is_callers(told)).is_some()
}

/// Answers by which a law would be broken (spec, laws). No matrix that was checked makes one.
pub(super) fn unlawful(prover: &Prover<'_>, view: &View, need: &Need, case: &Case) -> Option<&'static str> {
    let answer = case.answer.as_ref()?;
    let guard = need.role == Role::Guard;
    let dependency = prover.matrix.dependencies.get(need.id.index())?;
    let rung =
        answer.rung.filter(|_| !answer.refusal).and_then(|rung| dependency.ladder.get(usize::from(rung)));
    let goes_on = answer.verdict.goes_on();
    let skipped = matches!(answer.kind, ReasonKind::Rule(_));
    let stops = |rung: &Rung| !rung.verdict().goes_on();
    let effect = prover.matrix.effect(view.operation);
    if goes_on
        && !answer.refusal
        && !skipped
        && need.role != Role::Observe
        && dependency.ladder.iter().all(stops)
    {
        return Some("2: a ladder of nothing but stops goes on");
    }
    if guard && goes_on && !skipped && opens_for_callers(prover, need.id, &case.given) {
        return Some("4: the caller's own fault opens a guard");
    }
    if guard && answer.refusal && answer.verdict == crate::Verdict::Allow {
        return Some("5: what was refused goes on");
    }
    if guard && goes_on && effect == crate::Effect::Irreversible {
        let named = rung.is_some_and(|rung| rung.when.effect.names(effect.number()));
        if !named {
            return Some("8: an irreversible act rests on a guard that has not said yes");
        }
    }
    let calls =
        matches!(answer.kind, ReasonKind::Rung(RungKind::Fallback | RungKind::LeastBad | RungKind::Retry));
    if view.past_no_return && calls {
        return Some("10: another call is made past the point of no return");
    }
    let refused_target = rung.into_iter().flat_map(targets).any(|target| {
        let places = case.given.get(Variable::Condition(target));
        matches!(answer.kind, ReasonKind::Rung(RungKind::Fallback))
            && places.is_none_or(|places| {
                places.iter().any(|place| {
                    prover
                        .domains
                        .told(Variable::Condition(target), place)
                        .iter()
                        .any(|fact| matches!(fact, Fact::Met(_, Report::Refused | Report::Failed(_))))
                })
            })
    });
    refused_target.then_some("11: a substitute that refused or failed is used")
}
