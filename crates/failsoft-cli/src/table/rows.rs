//! What every form of the table is written from: one row per dependency, in pipeline order.

use std::collections::HashSet;

use failsoft::document::Loaded;
use failsoft::draft::{ActionDraft, DependencyDraft, MatrixDraft, OperationDraft, RungDraft, WhenDraft};
use failsoft::{Effect, Enforcement, InitialState, Posture, Role, RungKind, Stage};

use super::rung::{self, Rung};
use crate::words;

/// The table.
pub(super) struct Table<'a> {
    pub(super) identity: &'a str,
    pub(super) draft: &'a MatrixDraft,
    pub(super) groups: Vec<Group<'a>>,
}

/// An operation with the rows that stand under it; without one, what no operation needs.
pub(super) struct Group<'a> {
    pub(super) operation: Option<&'a OperationDraft>,
    /// `write; at most 1 guard unchecked`.
    pub(super) about: String,
    /// Its refuse rules in words.
    pub(super) refuse: Vec<String>,
    pub(super) rows: Vec<Row<'a>>,
}

/// One dependency.
pub(super) struct Row<'a> {
    pub(super) name: &'a str,
    pub(super) role: Role,
    pub(super) stage: Stage,
    pub(super) deadline: Option<String>,
    /// The operations that need it.
    pub(super) needed_by: Vec<&'a str>,
    /// An observer has none.
    pub(super) on_refusal: Option<Rung>,
    pub(super) ladder: Vec<Rung>,
    /// What stands below the last rung, where it can be reached.
    pub(super) end: Option<&'static str>,
    /// Waits for an operator at the beginning.
    pub(super) forced_open: bool,
    pub(super) draft: &'a DependencyDraft,
}

impl<'a> Table<'a> {
    pub(super) fn of(loaded: &'a Loaded) -> Self {
        let draft = &loaded.draft;
        let mut shown: HashSet<&str> = HashSet::new();
        let mut groups: Vec<Group<'a>> = Vec::new();
        for operation in &draft.operations {
            let new = operation.needs.iter().filter(|name| shown.insert(name.as_str()));
            let rows = new.filter_map(|name| row(loaded, name)).collect();
            let refuse = operation.refuse.iter().map(rung::refuse).collect();
            groups.push(Group { operation: Some(operation), about: about(operation), refuse, rows });
        }
        let others = draft.dependencies.iter().filter(|dependency| !shown.contains(dependency.name.as_str()));
        let rows: Vec<Row<'a>> = others.filter_map(|dependency| row(loaded, &dependency.name)).collect();
        if !rows.is_empty() {
            let about = "fallback targets, and what is not used".into();
            groups.push(Group { operation: None, about, refuse: Vec::new(), rows });
        }
        Self { identity: &loaded.identity, draft, groups }
    }
}

impl Group<'_> {
    /// The operation's name, or what the group is.
    pub(super) fn title(&self) -> &str {
        self.operation.map_or("needed by no operation", |operation| operation.name.as_str())
    }

    /// What it needs, in pipeline order.
    pub(super) fn pipeline(&self) -> Option<String> {
        let needs = &self.operation?.needs;
        Some(if needs.is_empty() { "nothing".into() } else { needs.join(" -> ") })
    }
}

impl Row<'_> {
    /// `guard, admit, 250ms`.
    pub(super) fn about(&self) -> String {
        let parts = [Some(self.role.to_string()), Some(self.stage.to_string()), self.deadline.clone()];
        parts.into_iter().flatten().collect::<Vec<_>>().join(", ")
    }
}

fn about(operation: &OperationDraft) -> String {
    let mut parts = vec![operation.effect.to_string()];
    if let Some(deadline) = operation.deadline {
        parts.push(format!("deadline {}", words::length(deadline)));
    }
    if let Some(most) = operation.max_unchecked {
        let most = usize::try_from(most).unwrap_or(usize::MAX);
        parts.push(format!("at most {} unchecked", words::counted(most, "guard", "guards")));
    }
    if operation.enforcement == Enforcement::Shadow {
        parts.push("shadow: told, not obeyed".into());
    }
    parts.join(", ")
}

fn row<'a>(loaded: &'a Loaded, name: &str) -> Option<Row<'a>> {
    let dependency = loaded.draft.dependencies.iter().find(|dependency| dependency.name == name)?;
    let postures = loaded.matrix.ladder_postures(loaded.matrix.dependency(name)?);
    let rungs = dependency.on_failure.iter().zip(postures).enumerate();
    let ladder = rungs.map(|(index, (draft, posture))| {
        let rung = written(draft, Some(index), posture);
        if dependency.role == Role::Guard { rung.of_guard() } else { rung }
    });
    let observer = dependency.role == Role::Observe;
    let plain = RungDraft::new(ActionDraft::Deny);
    let refusal = dependency.on_refusal.as_ref().unwrap_or(&plain);
    let needing = || {
        let operations = loaded.draft.operations.iter();
        operations.filter(|operation| operation.needs.iter().any(|need| need == name))
    };
    let irreversible = needing().any(|operation| operation.effect == Effect::Irreversible);
    Some(Row {
        name: &dependency.name,
        role: dependency.role,
        stage: dependency.stage.unwrap_or(dependency.role.stage()),
        deadline: dependency.deadline.map(words::length),
        needed_by: needing().map(|operation| operation.name.as_str()).collect(),
        on_refusal: (!observer).then(|| Rung {
            by_default: dependency.on_refusal.is_none(),
            ..written(refusal, None, Posture::Normal)
        }),
        end: end(dependency, irreversible),
        ladder: ladder.collect(),
        forced_open: dependency.health.initial_state == InitialState::ForcedOpen,
        draft: dependency,
    })
}

/// A rung with the status and code that it gives where it says none.
fn written(draft: &RungDraft, index: Option<usize>, posture: Posture) -> Rung {
    let mut draft = draft.clone();
    if matches!(draft.action, ActionDraft::Deny) {
        let (status, code) = if index.is_some() { (503, "DEPENDENCY_UNAVAILABLE") } else { (403, "REFUSED") };
        draft.status = draft.status.or(Some(status));
        draft.code = draft.code.or_else(|| Some(code.into()));
    }
    Rung::of(&draft, index, posture)
}

/// What stands below the last rung, unless that rung always stands.
fn end(dependency: &DependencyDraft, irreversible: bool) -> Option<&'static str> {
    let stops = |kind| matches!(kind, RungKind::Deny | RungKind::Defer | RungKind::Withhold);
    // A rung that lets a request past a guard, or goes on with what can't be taken back, is barred to some failures.
    let barred = match dependency.role {
        Role::Guard => true,
        Role::Serve => irreversible,
        Role::Observe => false,
    };
    let always = dependency.on_failure.last().is_some_and(|rung| {
        let kind = rung.action.kind();
        let ready = stops(kind) || (!barred && (kind.plain() || kind == RungKind::Substitute));
        ready && rung.when == WhenDraft::default()
    });
    let empty = dependency.on_failure.is_empty();
    match (dependency.role, empty) {
        _ if always => None,
        (Role::Observe, false) => Some("else allow"),
        (Role::Observe, true) => Some("no ladder: allow"),
        (Role::Guard | Role::Serve, false) => Some("else deny 503 DEPENDENCY_UNAVAILABLE"),
        (Role::Guard | Role::Serve, true) => Some("no ladder: deny 503 DEPENDENCY_UNAVAILABLE"),
    }
}
