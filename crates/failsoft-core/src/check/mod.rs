//! What a matrix is proven to do (spec 11): every situation of every operation, class and stage.
//!
//! - `prover.rs`: the ways in which needs are answered, from [`explore`](crate::explore), each found once.
//! - `rules.rs`: what refuse rules can come to.
//! - `combine.rs`: needs put together, of all ways to one outcome the smallest.
//! - `invariants.rs`: promises, and the smallest situation that breaks one.
//! - `ladders.rs`, `worse.rs`: what single needs show.
//! - `statics.rs`: what shows without situations.
//! - `knobs.rs`: what changes nothing.
//! - `pairs.rs`: two matrices side by side.
//! - `diff.rs`: what changes from one to the other.

mod combine;
mod diff;
mod finding;
mod invariants;
mod knobs;
mod ladders;
mod pairs;
mod prover;
mod rules;
mod statics;
mod worse;

use alloc::collections::BTreeSet;
use alloc::format;
use alloc::string::String;
use alloc::vec::Vec;

pub use diff::{Change, Diff, Shown, diff, diff_in, differ};
pub use finding::{Code, Found, Report, Severity};
pub use pairs::Direction;
pub use prover::Scope;

use crate::explore::{Domains, TooMany, Work};
use crate::matrix::Matrix;
use crate::{OperationId, Path};

use ladders::{Seen, unlawful};
use prover::{Prover, View};
use rules::Rules;
use worse::Looser;

/// Everything that there is to say of a matrix. `progress` is told how much of how much is done.
///
/// ```
/// use failsoft_core::check::{Code, check};
/// use failsoft_core::draft::{ActionDraft, DependencyDraft, MatrixDraft, OperationDraft, RungDraft};
/// use failsoft_core::{Millis, Role};
///
/// let mut draft = MatrixDraft::new("example");
/// let mut policy = DependencyDraft::new("policy", Role::Guard, Some(Millis::new(50)));
/// policy.on_failure = vec![RungDraft::new(ActionDraft::Allow)];
/// draft.dependencies = vec![policy];
/// draft.operations = vec![OperationDraft::new("assist", &["policy"])];
/// let matrix = draft.compile("example@1").unwrap();
///
/// let report = check(&matrix, &mut |_, _| ());
/// assert!(report.found.iter().any(|found| found.code == Code::UnboundedOpen));
/// ```
#[must_use]
pub fn check(matrix: &Matrix, progress: &mut dyn FnMut(usize, usize)) -> Report {
    check_in(matrix, Scope::default(), progress)
}

/// The same for some situations alone: what then holds is proven of them and of no others.
#[must_use]
pub fn check_in(matrix: &Matrix, scope: Scope<'_>, progress: &mut dyn FnMut(usize, usize)) -> Report {
    let domains = Domains::of(matrix);
    let mut prover = Prover::new(Work::default(), matrix, &domains, scope);
    let mut report = Report::default();
    let mut seen = Seen::default();
    let mut looser = Looser::default();
    let mut done: Vec<Done> = Vec::new();
    let operations: Vec<(OperationId, String)> =
        matrix.operations().map(|(id, name)| (id, String::from(name))).collect();
    // What changes nothing takes about as long as all that is before it.
    let half = operations.len().max(1).saturating_mul(100);
    let total = half.saturating_mul(2);
    for (place, (id, name)) in operations.iter().enumerate() {
        progress(place.saturating_mul(100), total);
        match operation(&mut prover, *id, &mut seen, &mut looser, &mut report) {
            Ok(gone_through) => done.push(gone_through),
            Err(TooMany) => {
                let path = Path::root().key("operation").key(name);
                report.found.push(too_large(path, "what it answers"));
            }
        }
    }
    progress(half, total);
    let all = done.len() == operations.len();
    report.operations = (operations.len(), done.len());
    report.invariants.0 = matrix.invariants.len();
    report.ways = prover.ways();
    if all {
        let more = &mut |done: usize, of: usize| {
            let part = half.saturating_mul(done).checked_div(of).unwrap_or(0);
            progress(half.saturating_add(part), total);
        };
        knobs::found(&mut prover, &seen, &done, more, &mut report.found);
    }
    seen.unbounded(&prover, &mut report.found);
    statics::late(&prover, &seen, &mut report.found);
    statics::cycles(&prover, &mut report.found);
    statics::not_enforced(&prover, &mut report.found);
    statics::unused(&prover, &mut report.found);
    statics::shared_caps(&prover, &mut report.found);
    statics::promised(&prover, &mut report.found);
    worse::told_of(&prover, looser, &mut report.found);
    seen.found(&prover, &mut report.found);
    report.found.sort_by(|one, other| {
        (one.code.severity(), one.code, &one.path).cmp(&(other.code.severity(), other.code, &other.path))
    });
    progress(total, total);
    report
}

/// An operation that was gone through.
pub(crate) struct Done {
    id: OperationId,
    rules: Rules,
    views: Vec<View>,
}

/// One operation, in every class and at every stage.
fn operation(
    prover: &mut Prover<'_>,
    id: OperationId,
    seen: &mut Seen,
    looser: &mut Looser,
    report: &mut Report,
) -> Result<Done, TooMany> {
    let scope = prover.scope;
    let rules = Rules::of(prover.operation(id).ok_or(TooMany)?, |fact| scope.allows(fact))?;
    let views = prover.views(id)?;
    let matrix = prover.matrix;
    let mut held = 0_usize;
    let mut found = Vec::new();
    for (place, invariant) in matrix.invariants.iter().enumerate() {
        if invariant.operation == id {
            match prover.invariant(place, invariant, &views, &rules)? {
                Some(broken) => found.push(broken),
                None => held = held.saturating_add(1),
            }
        }
    }
    let mut known = BTreeSet::new();
    for view in &views {
        seen.take(prover, view, &rules);
        for need in &view.needs {
            if known.insert(need.number) {
                worse::looser(prover, view, need, &rules, looser);
                let broken = need.cases.iter().find_map(|case| unlawful(prover, view, need, case));
                if let Some(law) = broken {
                    let name = matrix.dependency_name(need.id);
                    found.push(Found {
                        code: Code::BrokenLaw,
                        path: Path::root().key("dependency").key(name).key("on_failure"),
                        what: format!("law {law}"),
                        help: Some(String::from("this is a mistake of failsoft's own: please report it")),
                        situation: None,
                    });
                }
            }
        }
    }
    report.found.append(&mut found);
    report.invariants.1 = report.invariants.1.saturating_add(held);
    Ok(Done { id, rules, views })
}

/// Something that was not gone through.
#[must_use]
pub fn too_large(path: Path, what: &str) -> Found {
    Found {
        code: Code::TooLarge,
        path,
        what: format!("this is too large to go through: nothing is said of {what}"),
        help: Some(String::from("split it: fewer needs, shorter ladders, fewer fallbacks in one ladder")),
        situation: None,
    }
}
