//! From a draft to a matrix: every rule that joins two places of a document is checked here, all in one pass.
//!
//! Ranges of single values (numbers, lengths of names) are the document layer's: a hand-made draft that leaves them
//! can't make the engine panic, but answers for its own size.

mod health;
mod rungs;

use alloc::boxed::Box;
use alloc::collections::BTreeMap;
use alloc::format;
use alloc::string::String;
use alloc::sync::Arc;
use alloc::vec::Vec;

use crate::draft::{
    DependencyDraft, InvariantDraft, MatrixDraft, MeterDraft, OperationDraft, ParameterDraft, RefuseDraft,
    Value,
};
use crate::health::Rules;
use crate::matrix::{
    ClassId, Dependency, DependencyId, Invariant, Matrix, Meter, MeterId, Operation, OperationId, RefuseRule,
};
use crate::mistake::{Mistake, Path, suggestion};
use crate::{Millis, Role, RungKind};

/// How much of everything a matrix may hold.
pub mod limits {
    /// Dependencies of a matrix.
    pub const DEPENDENCIES: usize = 1_024;
    /// Tenants that a window's account counts each; more are as many.
    pub const TENANTS: u64 = 65_536;
    /// Operations of a matrix.
    pub const OPERATIONS: usize = 1_024;
    /// Meters of a matrix.
    pub const METERS: usize = 256;
    /// Parameters of a matrix.
    pub const PARAMETERS: usize = 256;
    /// Invariants of a matrix.
    pub const INVARIANTS: usize = 1_024;
    /// Silences of a matrix.
    pub const SILENCES: usize = 1_024;
    /// Classes of traffic.
    pub const CLASSES: usize = 8;
    /// Needs of an operation.
    pub const NEEDS: usize = 256;
    /// Refuse rules of an operation.
    pub const REFUSE_RULES: usize = 64;
    /// Rungs of a ladder.
    pub const RUNGS: usize = 64;
    /// Entries of a list inside a rung.
    pub const LIST: usize = 256;
    /// Mistakes that are told at once.
    pub const MISTAKES: usize = 100;
}

impl MatrixDraft {
    /// Checks the draft and turns its names into ids.
    ///
    /// `identity` is what every decision and event will carry (the document layer computes it from the
    /// canonical form).
    ///
    /// # Errors
    /// Every mistake there is, in the order of the document's parts; none hides another.
    pub fn compile(&self, identity: &str) -> Result<Matrix, Vec<Mistake>> {
        let mut compiler = Compiler {
            draft: self,
            dependencies: index(self.dependencies.iter().map(|dependency| &dependency.name)),
            operations: index(self.operations.iter().map(|operation| &operation.name)),
            mistakes: Vec::new(),
        };
        let matrix = compiler.matrix(identity);
        if compiler.mistakes.is_empty() { Ok(matrix) } else { Err(compiler.mistakes) }
    }
}

struct Compiler<'a> {
    draft: &'a MatrixDraft,
    dependencies: BTreeMap<&'a str, u16>,
    operations: BTreeMap<&'a str, u16>,
    mistakes: Vec<Mistake>,
}

fn index<'a>(names: impl Iterator<Item = &'a String>) -> BTreeMap<&'a str, u16> {
    // The first of a repeated name stands; the repetition is a mistake of its own.
    let mut index = BTreeMap::new();
    for (id, name) in (0u16..).zip(names) {
        index.entry(name.as_str()).or_insert(id);
    }
    index
}

/// The place of `name` among `names`, as a dense id.
fn place<'a>(name: &str, names: impl IntoIterator<Item = &'a str>) -> Option<u16> {
    names.into_iter().position(|known| known == name).and_then(|index| u16::try_from(index).ok())
}

fn sorted<Id: Copy>(names: impl Iterator<Item = Arc<str>>, id: impl Fn(u16) -> Id) -> Vec<(Arc<str>, Id)> {
    let mut list: Vec<(Arc<str>, Id)> = (0u16..).zip(names).map(|(index, name)| (name, id(index))).collect();
    list.sort_by(|(left, _), (right, _)| left.cmp(right));
    list
}

impl<'a> Compiler<'a> {
    fn mistake(&mut self, code: &'static str, path: Path, what: String, help: Option<String>) {
        if !self.full() {
            self.mistakes.push(Mistake::new(code, path, what, help));
        }
    }

    /// A name that is none of the known ones, with the one that was meant.
    fn unknown<'n>(
        &mut self,
        code: &'static str,
        what: &str,
        name: &str,
        known: impl Iterator<Item = &'n str> + Clone,
        path: Path,
    ) {
        if !self.full() {
            let help = suggestion(name, known);
            self.mistake(code, path, format!("there is no {what} `{name}`"), help);
        }
    }

    /// Nobody reads more, and looking for the name that was meant costs time.
    fn full(&self) -> bool {
        self.mistakes.len() >= limits::MISTAKES
    }

    fn matrix(&mut self, identity: &str) -> Matrix {
        let draft = self.draft;
        let root = Path::root();
        self.count("dependencies", &root.key("dependency"), draft.dependencies.len(), limits::DEPENDENCIES);
        self.count("operations", &root.key("operation"), draft.operations.len(), limits::OPERATIONS);
        self.count("meters", &root.key("meter"), draft.meters.len(), limits::METERS);
        self.count("parameters", &root.key("parameter"), draft.parameters.len(), limits::PARAMETERS);
        self.count("invariants", &root.key("invariant"), draft.invariants.len(), limits::INVARIANTS);
        self.count("silences", &root.key("silence"), draft.silences.len(), limits::SILENCES);
        for (index, silence) in draft.silences.iter().enumerate() {
            if silence.reason.trim().is_empty() {
                let path = root.key("silence").index(index).key("reason");
                let help = Some("say why this is meant so, for who reads it next".into());
                self.mistake("empty-reason", path, "this silence has no reason".into(), help);
            }
        }
        self.classes();
        self.unique("dependency", draft.dependencies.iter().map(|dependency| dependency.name.as_str()));
        self.unique("operation", draft.operations.iter().map(|operation| operation.name.as_str()));
        self.unique("meter", draft.meters.iter().map(|meter| meter.name.as_str()));
        self.unique("parameter", draft.parameters.iter().map(|parameter| parameter.name.as_str()));

        let dependencies: Vec<Dependency> =
            draft.dependencies.iter().map(|dependency| self.dependency(dependency)).collect();
        let meters: Vec<Meter> = draft.meters.iter().map(|meter| self.meter(meter)).collect();
        let operations: Vec<Operation> =
            draft.operations.iter().map(|operation| self.operation(operation)).collect();
        let invariants = draft.invariants.iter().enumerate();
        let invariants = invariants
            .map(|(index, invariant)| self.invariant(invariant, &root.key("invariant").index(index)))
            .collect();
        let classes: Vec<Arc<str>> = draft.classes.iter().map(|class| Arc::from(class.as_str())).collect();
        Matrix {
            identity: identity.into(),
            name: draft.name.as_str().into(),
            signal_ttl: draft.signal_ttl,
            window_idle: draft.window_idle,
            tenants: usize::try_from(draft.tenants.min(limits::TENANTS)).unwrap_or(0),
            dependency_names: sorted(dependencies.iter().map(|item| item.name.clone()), DependencyId),
            operation_names: sorted(operations.iter().map(|item| item.name.clone()), OperationId),
            class_names: sorted(classes.iter().cloned(), ClassId),
            meter_names: sorted(meters.iter().map(|item| item.name.clone()), MeterId),
            classes,
            dependencies,
            operations,
            meters,
            invariants,
        }
    }

    fn count(&mut self, what: &str, path: &Path, count: usize, most: usize) {
        if count > most {
            let help = Some(format!("write at most {most}"));
            self.mistake("too-many", path.clone(), format!("{count} {what} are too many"), help);
        }
    }

    fn unique<'n>(&mut self, table: &str, names: impl Iterator<Item = &'n str>) {
        let mut sorted: Vec<&str> = names.collect();
        sorted.sort_unstable();
        for pair in sorted.windows(2) {
            if let [first, second] = pair
                && first == second
            {
                let path = Path::root().key(table).key(first);
                self.mistake("repeated-name", path, format!("`{first}` is there twice"), None);
            }
        }
    }

    fn classes(&mut self) {
        let path = Path::root().key("classes");
        let classes = &self.draft.classes;
        self.count("classes", &path, classes.len(), limits::CLASSES);
        if classes.is_empty() {
            let help = Some("name at least one class, or leave `classes` out".into());
            self.mistake("empty-list", path.clone(), "there is no class".into(), help);
        }
        for (index, class) in classes.iter().enumerate() {
            if classes.iter().take(index).any(|earlier| earlier == class) {
                self.mistake("repeated-name", path.index(index), format!("`{class}` is there twice"), None);
            }
        }
    }

    fn dependency_id(&mut self, name: &str, path: Path) -> DependencyId {
        if let Some(id) = self.dependencies.get(name) {
            return DependencyId(*id);
        }
        let names = self.draft.dependencies.iter().map(|known| known.name.as_str());
        self.unknown("unknown-dependency", "dependency", name, names, path);
        DependencyId(u16::MAX)
    }

    fn operation_id(&mut self, name: &str, path: Path) -> OperationId {
        if let Some(id) = self.operations.get(name) {
            return OperationId(*id);
        }
        let names = self.draft.operations.iter().map(|known| known.name.as_str());
        self.unknown("unknown-operation", "operation", name, names, path);
        OperationId(u16::MAX)
    }

    fn dependency(&mut self, draft: &'a DependencyDraft) -> Dependency {
        let path = Path::root().key("dependency").key(&draft.name);
        if draft.role != Role::Observe && draft.deadline.is_none() {
            let what = format!("a dependency with the role `{}` needs a deadline", draft.role);
            let help = Some("write for example `deadline = \"250ms\"`, at most 10m".into());
            self.mistake("missing-deadline", path.clone(), what, help);
        }
        self.health(draft, &path);
        self.break_glass(draft, &path);
        let ladder_path = path.key("on_failure");
        self.count("rungs", &ladder_path, draft.on_failure.len(), limits::RUNGS);
        let ladder = draft
            .on_failure
            .iter()
            .enumerate()
            .map(|(index, rung)| self.rung(draft, rung, &ladder_path.index(index)))
            .collect();
        let refusal_path = path.key("on_refusal");
        let refusal = match &draft.on_refusal {
            Some(rung) => Some(self.refusal(draft, rung, &refusal_path)),
            None => (draft.role != Role::Observe).then(rungs::default_refusal),
        };
        Dependency {
            name: draft.name.as_str().into(),
            role: draft.role,
            stage: draft.stage.unwrap_or_else(|| draft.role.stage()),
            deadline: draft.deadline,
            settings: draft.health.canonical(draft.deadline),
            rules: Rules::new(&draft.health, draft.deadline, &draft.name),
            break_glass: draft.break_glass,
            ladder,
            refusal,
            meters: self.meters_of(|store| store == draft.name),
        }
    }

    fn meter(&mut self, draft: &MeterDraft) -> Meter {
        let path = Path::root().key("meter").key(&draft.name);
        let store = self.dependency_id(&draft.store, path.key("store"));
        if self.draft.dependencies.iter().any(|known| known.name == draft.store && known.role != Role::Guard)
        {
            let what = format!("the store of a meter must be a guard, and `{}` is none", draft.store);
            let help = Some("name the guard that checks this quota or budget".into());
            self.mistake("store-not-a-guard", path.key("store"), what, help);
        }
        Meter {
            name: draft.name.as_str().into(),
            store,
            key: draft.key,
            mode: draft.mode,
            capacity: usize::try_from(draft.capacity).unwrap_or(usize::MAX).min(crate::meter::MOST_KEYS),
            limit: draft.limit,
            window: draft.window,
            max_instances: draft.max_instances,
            max_unreported: draft.max_unreported,
        }
    }

    fn operation(&mut self, draft: &'a OperationDraft) -> Operation {
        let path = Path::root().key("operation").key(&draft.name);
        let needs_path = path.key("needs");
        self.count("needs", &needs_path, draft.needs.len(), limits::NEEDS);
        let mut needs: Vec<DependencyId> = Vec::with_capacity(draft.needs.len().min(limits::NEEDS));
        for (index, name) in draft.needs.iter().enumerate().take(limits::NEEDS) {
            let need = self.dependency_id(name, needs_path.index(index));
            if needs.contains(&need) && need.0 != u16::MAX {
                let help = Some("name each need once, where it stands in the pipeline".into());
                let what = format!("`{name}` is needed twice");
                self.mistake("repeated-name", needs_path.index(index), what, help);
            }
            needs.push(need);
        }
        let refuse_path = path.key("refuse");
        self.count("refuse rules", &refuse_path, draft.refuse.len(), limits::REFUSE_RULES);
        let refuse = draft
            .refuse
            .iter()
            .enumerate()
            .map(|(index, rule)| self.refuse_rule(rule, &refuse_path.index(index)))
            .collect();
        let meters = self.meters_of(|store| draft.needs.iter().any(|need| need == store));
        let deadlines = self.draft.dependencies.iter().filter(|known| draft.needs.contains(&known.name));
        let sum = deadlines.filter_map(|known| known.deadline).fold(Millis::ZERO, Millis::plus);
        Operation {
            name: draft.name.as_str().into(),
            needs,
            effect: draft.effect,
            deadline: draft.deadline,
            max_unchecked: draft.max_unchecked,
            enforcement: draft.enforcement,
            attributes: attributes(draft),
            refuse,
            meters,
            unsettled_for: draft.deadline.unwrap_or(sum),
        }
    }

    /// The meters of such a store, as written.
    fn meters_of(&self, is_store: impl Fn(&str) -> bool) -> Vec<MeterId> {
        let meters = (0u16..).zip(&self.draft.meters);
        meters.filter(|(_, meter)| is_store(&meter.store)).map(|(id, _)| MeterId(id)).collect()
    }

    fn refuse_rule(&mut self, draft: &RefuseDraft, path: &Path) -> RefuseRule {
        if draft.present.is_none() && draft.equals.is_empty() && draft.same.is_none() {
            let help = Some("write `present`, `equals` or `same`".into());
            self.mistake("empty-condition", path.key("when"), "this rule has no condition".into(), help);
        }
        self.common(&draft.deny, &path.key("deny"));
        RefuseRule {
            present: draft.present.as_deref().map(Box::from),
            equals: draft
                .equals
                .iter()
                .map(|(name, value)| (name.as_str().into(), value.as_str().into()))
                .collect(),
            same: draft.same.as_ref().map(|(left, right)| (left.as_str().into(), right.as_str().into())),
            deny: rungs::refusal_of(RungKind::Deny, crate::matrix::Action::Deny, &draft.deny),
        }
    }

    fn invariant(&mut self, draft: &InvariantDraft, path: &Path) -> Invariant {
        let operation = self.operation_id(&draft.operation, path.key("operation"));
        let when = draft.when.iter();
        let when = when
            .map(|(name, condition)| (self.dependency_id(name, path.key("when").key(name)), *condition))
            .collect();
        let promises = draft.verdict.is_some()
            || draft.posture.is_some()
            || draft.obligation.is_some()
            || draft.never.is_some();
        if !promises {
            let help = Some("write `verdict`, `posture`, `obligation` or `never`".into());
            self.mistake("empty-promise", path.clone(), "this invariant promises nothing".into(), help);
        }
        Invariant {
            operation,
            when,
            verdict: draft.verdict,
            posture: draft.posture,
            obligation: draft.obligation.as_deref().map(Arc::from),
            never: draft.never,
        }
    }

    /// Whether `value` is what `parameter` is bound to; a name or a type that does not fit is a mistake.
    fn parameter_is(&mut self, name: &str, value: &Value, path: Path) -> bool {
        let known: &[ParameterDraft] = &self.draft.parameters;
        let Some(parameter) = known.iter().find(|parameter| parameter.name == name) else {
            let names = known.iter().map(|parameter| parameter.name.as_str());
            self.unknown("unknown-parameter", "parameter", name, names, path);
            return false;
        };
        if core::mem::discriminant(&parameter.default) != core::mem::discriminant(value) {
            let what =
                format!("`{name}` is {}, and this is {}", type_name(&parameter.default), type_name(value));
            self.mistake(
                "wrong-parameter-type",
                path,
                what,
                Some("compare it with a value of its type".into()),
            );
        }
        parameter.value == *value
    }

    fn class_id(&mut self, name: &str, path: Path) -> Option<u8> {
        let names = self.draft.classes.iter().map(String::as_str);
        let id = place(name, names.clone()).and_then(|id| u8::try_from(id).ok());
        if id.is_none() {
            self.unknown("unknown-class", "class", name, names, path);
        }
        id
    }
}

/// Every attribute that a refuse rule of the operation looks at, once.
fn attributes(draft: &OperationDraft) -> Arc<[Arc<str>]> {
    let names = draft.refuse.iter().flat_map(|rule| {
        let pair = rule.same.iter().flat_map(|(left, right)| [left, right]);
        rule.present.iter().chain(rule.equals.iter().map(|(name, _)| name)).chain(pair)
    });
    let mut names: Vec<Arc<str>> = names.map(|name| Arc::from(name.as_str())).collect();
    names.sort();
    names.dedup();
    names.into()
}

fn type_name(value: &Value) -> &'static str {
    match value {
        Value::Bool(_) => "true or false",
        Value::Integer(_) => "a whole number",
        Value::Text(_) => "a text",
    }
}

fn quoted(names: &[&str]) -> String {
    names.iter().map(|name| format!("`{name}`")).collect::<Vec<_>>().join(", ")
}
