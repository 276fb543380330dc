//! The ways in which needs are answered, each found once however many operations, classes and stages share it.

use alloc::collections::{BTreeMap, BTreeSet};
use alloc::rc::Rc;
use alloc::vec::Vec;

use crate::explore::{Case, Domains, Explorer, Fact, Finding, Given, TooMany, Values, Variable, Work};
use crate::matrix::{Action, Matrix, Operation, Rung};
use crate::{ClassId, DependencyId, Effect, OperationId, Role, Stage};

/// What a need answers, in every way.
pub(super) struct Need {
    /// Its number: two of the same are the same.
    pub(super) number: usize,
    pub(super) id: DependencyId,
    pub(super) role: Role,
    pub(super) cases: Vec<Case>,
}

/// An operation, in a class and at a stage: and all classes and stages in which it is the same.
pub(super) struct View {
    pub(super) operation: OperationId,
    pub(super) alike: Vec<(ClassId, Stage)>,
    pub(super) past_no_return: bool,
    /// In pipeline order.
    pub(super) needs: Vec<Rc<Need>>,
}

impl View {
    pub(super) fn first(&self) -> (ClassId, Stage) {
        self.alike.first().copied().unwrap_or((ClassId(0), Stage::Admit))
    }
}

/// What makes two needs the same: which rungs may match at all, and what the laws look at.
type Key = (DependencyId, Vec<bool>);

/// Which situations are gone through; all of them unless said otherwise.
#[derive(Clone, Copy, Default)]
pub struct Scope<'a> {
    /// Of one class alone.
    pub class: Option<ClassId>,
    /// At one stage alone.
    pub stage: Option<Stage>,
    /// Only those all of whose facts this allows.
    pub facts: Option<&'a dyn Fn(&Fact) -> bool>,
}

impl Scope<'_> {
    /// The values of a variable that are allowed; that nothing is said always is.
    fn values(&self, domains: &Domains, variable: Variable) -> Option<Values> {
        let allows = self.facts?;
        let mut values = Values::none();
        for place in 0..domains.size(variable) {
            if domains.told(variable, place).iter().all(allows) {
                values.insert(place);
            }
        }
        Some(values)
    }

    pub(super) fn allows(&self, fact: &Fact) -> bool {
        self.facts.is_none_or(|allows| allows(fact))
    }
}

pub(super) struct Prover<'m> {
    pub(super) scope: Scope<'m>,
    pub(super) matrix: &'m Matrix,
    pub(super) domains: &'m Domains,
    known: BTreeMap<Key, Result<Rc<Need>, TooMany>>,
    found: BTreeMap<Key, Rc<Vec<Option<Finding>>>>,
    allowed: BTreeMap<Variable, Option<Values>>,
    numbers: usize,
    pub(super) work: Work,
}

impl<'m> Prover<'m> {
    pub(super) fn new(work: Work, matrix: &'m Matrix, domains: &'m Domains, scope: Scope<'m>) -> Self {
        Self {
            scope,
            matrix,
            domains,
            known: BTreeMap::new(),
            found: BTreeMap::new(),
            allowed: BTreeMap::new(),
            numbers: 0,
            work,
        }
    }

    /// The same for a matrix in which only these needs are answered otherwise.
    pub(super) fn with<'n>(
        &self,
        matrix: &'n Matrix,
        domains: &'n Domains,
        other: &BTreeSet<DependencyId>,
    ) -> Prover<'n>
    where
        'm: 'n,
    {
        let known = self.known.iter().filter(|((id, _), _)| !other.contains(id));
        let known = known.map(|(key, need)| (key.clone(), need.clone())).collect();
        Prover {
            scope: self.scope,
            matrix,
            domains,
            known,
            found: BTreeMap::new(),
            allowed: BTreeMap::new(),
            numbers: self.numbers,
            work: self.work.clone(),
        }
    }

    /// How much there is to copy of the matrix and of what is known.
    pub(super) fn size(&self) -> usize {
        let rungs = self.matrix.dependencies.iter().map(|known| known.ladder.len().saturating_add(10));
        rungs.sum::<usize>().saturating_add(self.matrix.operations.len()).saturating_add(self.known.len())
    }

    /// How many ways there are in which needs are answered.
    pub(super) fn ways(&self) -> u64 {
        let needs = self.known.values().filter_map(|need| need.as_ref().ok());
        needs.fold(0, |sum, need| sum.saturating_add(u64::try_from(need.cases.len()).unwrap_or(0)))
    }

    pub(super) fn operation(&self, id: OperationId) -> Option<&'m Operation> {
        self.matrix.operations.get(id.index())
    }

    /// Every class and stage of an operation, those that are alike together.
    pub(super) fn views(&mut self, operation: OperationId) -> Result<Vec<View>, TooMany> {
        let mut views: Vec<View> = Vec::new();
        let classes: Vec<ClassId> = self.matrix.classes().map(|(class, _)| class).collect();
        for class in classes {
            let (of_class, at_stage) = (self.scope.class, self.scope.stage);
            let stages = Stage::ALL.iter().filter(|stage| at_stage.is_none_or(|at| at == **stage));
            for stage in stages.filter(|_| of_class.is_none_or(|of| of == class)) {
                let view = self.view(operation, class, *stage)?;
                let same = |held: &View| {
                    held.past_no_return == view.past_no_return
                        && held
                            .needs
                            .iter()
                            .map(|need| need.number)
                            .eq(view.needs.iter().map(|need| need.number))
                };
                match views.iter_mut().find(|held| same(held)) {
                    Some(held) => held.alike.push((class, *stage)),
                    None => views.push(view),
                }
            }
        }
        Ok(views)
    }

    pub(super) fn view(
        &mut self,
        operation: OperationId,
        class: ClassId,
        stage: Stage,
    ) -> Result<View, TooMany> {
        let of = (operation, class, stage);
        let mut explorer = None;
        let needs: Vec<DependencyId> = self.matrix.needs(operation).collect();
        let needs = needs.into_iter().map(|id| self.need(id, of, &mut explorer)).collect::<Result<_, _>>()?;
        let past_no_return = self.is_past_no_return(operation, stage);
        Ok(View { operation, alike: Vec::from([(class, stage)]), past_no_return, needs })
    }

    fn is_past_no_return(&self, operation: OperationId, stage: Stage) -> bool {
        let irreversible = self.matrix.effect(operation) == Effect::Irreversible;
        stage == Stage::Stream || (stage == Stage::Persist && irreversible)
    }

    fn need(
        &mut self,
        id: DependencyId,
        of: (OperationId, ClassId, Stage),
        explorer: &mut Option<Explorer<'m>>,
    ) -> Result<Rc<Need>, TooMany> {
        let key = (id, self.distinguished(id, of));
        if let Some(known) = self.known.get(&key) {
            return known.clone();
        }
        self.work.enough()?;
        let mut held = explorer.take().or_else(|| self.explorer(of)).ok_or(TooMany)?;
        let cases = held.cases(id);
        *explorer = Some(held);
        let number = self.numbers;
        self.numbers = number.saturating_add(1);
        let role = self.matrix.role(id);
        let need = cases.map(|mut cases| {
            if self.scope.facts.is_some() {
                let within = |case: Case| Some(Case { given: self.within(case.given)?, answer: case.answer });
                cases = cases.into_iter().filter_map(within).collect();
            }
            Rc::new(Need { number, id, role, cases })
        });
        self.known.insert(key, need.clone());
        need
    }

    /// What is left of what is given.
    pub(super) fn within(&mut self, given: Given) -> Option<Given> {
        if self.scope.facts.is_none() {
            return Some(given);
        }
        let variables: Vec<Variable> = given.iter().map(|(variable, _)| variable).collect();
        variables.into_iter().try_fold(given, |given, variable| {
            let (scope, domains) = (self.scope, self.domains);
            let allowed = self.allowed.entry(variable).or_insert_with(|| scope.values(domains, variable));
            match allowed {
                Some(values) => given.and(variable, values),
                None => Some(given),
            }
        })
    }

    pub(super) fn explorer(&self, of: (OperationId, ClassId, Stage)) -> Option<Explorer<'m>> {
        Explorer::within(self.work.clone(), self.matrix, self.domains, of)
    }

    /// Whether it is one of its needs, or a target of theirs.
    pub(super) fn reaches(&self, operation: OperationId, id: DependencyId) -> bool {
        let ladder = |need: DependencyId| {
            self.matrix.dependencies.get(need.index()).map_or(&[][..], |known| known.ladder.as_slice())
        };
        self.matrix
            .needs(operation)
            .any(|need| need == id || ladder(need).iter().flat_map(targets).any(|to| to == id))
    }

    /// What the rules find of a dependency in each of its conditions.
    pub(super) fn findings(
        &mut self,
        id: DependencyId,
        of: (OperationId, ClassId, Stage),
    ) -> Rc<Vec<Option<Finding>>> {
        let key = (id, self.distinguished(id, of));
        if let Some(known) = self.found.get(&key) {
            return known.clone();
        }
        let found = self.explorer(of).map_or_else(Vec::new, |mut explorer| explorer.findings(id));
        let found = Rc::new(found);
        self.found.insert(key, found.clone());
        found
    }

    /// Everything that an answer of this need depends on and that an operation, class or stage decides.
    fn distinguished(
        &self,
        id: DependencyId,
        (operation_id, class, stage): (OperationId, ClassId, Stage),
    ) -> Vec<bool> {
        let Some(operation) = self.operation(operation_id) else { return Vec::new() };
        let may = |rung: &Rung| rung.when.may_match((operation_id, operation), class, stage);
        let mut bits = Vec::from([
            operation.needs.contains(&id),
            operation.effect == Effect::Irreversible,
            stage == Stage::Stream,
            self.is_past_no_return(operation_id, stage),
        ]);
        let ladder = |id: DependencyId| {
            self.matrix.dependencies.get(id.index()).map_or(&[][..], |known| known.ladder.as_slice())
        };
        bits.extend(ladder(id).iter().map(may));
        let refusal = self.matrix.dependencies.get(id.index()).and_then(|known| known.refusal.as_ref());
        bits.extend(refusal.map(may));
        for target in ladder(id).iter().flat_map(targets) {
            bits.extend(ladder(target).iter().map(may));
        }
        self.work.spend(bits.len());
        bits
    }
}

/// The dependencies that a rung goes to.
pub(super) fn targets(rung: &Rung) -> Vec<DependencyId> {
    match &rung.action {
        Action::Fallback { to } => Vec::from([*to]),
        Action::LeastBad { of } => of.clone(),
        _ => Vec::new(),
    }
}

/// The smallest situation in which this is given: places, and how many facts they are.
pub(super) fn smallest(domains: &Domains, given: &Given) -> (Vec<(Variable, usize)>, usize) {
    let mut size = 0_usize;
    let mut places = Vec::new();
    for (variable, values) in given.iter() {
        let (place, facts) = domains.cheapest(variable, values);
        size = size.saturating_add(facts);
        places.push((variable, place));
    }
    (places, size)
}
