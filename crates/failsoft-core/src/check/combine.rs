//! Putting needs together: of every way in which they can be answered at once the one that the fewest facts tell.
//!
//! One need after the other. What is held of the needs so far is what the rest of the decision can depend on: what they
//! come to together, and what is given of the things that a later need looks at too. Of all ways that come to the same
//! only the smallest is kept. So the work grows with the number of outcomes, not of situations.

use alloc::collections::btree_map::Entry;
use alloc::collections::{BTreeMap, BTreeSet};
use alloc::vec::Vec;

use crate::explore::{Domains, Given, TooMany, Variable, Work};

/// A way in which a need is answered: where, and what matters of it.
pub(super) struct Way<S> {
    pub(super) given: Given,
    pub(super) sign: S,
}

/// What has a way.
pub(super) trait AsWay {
    type Sign: Ord + Clone;
    fn given(&self) -> &Given;
    fn sign(&self) -> &Self::Sign;
}

impl<S: Ord + Clone> AsWay for Way<S> {
    type Sign = S;
    fn given(&self) -> &Given {
        &self.given
    }
    fn sign(&self) -> &S {
        &self.sign
    }
}

impl<S: Ord + Clone, T> AsWay for (Way<S>, T) {
    type Sign = S;
    fn given(&self) -> &Given {
        &self.0.given
    }
    fn sign(&self) -> &S {
        &self.0.sign
    }
}

/// One need, when its turn comes.
struct Step<S> {
    need: usize,
    ways: Vec<Reduced<S>>,
    /// Nobody later looks at these.
    done: Vec<Variable>,
}

/// Ways that come to the same and take as many facts beside what is shared.
struct Reduced<S> {
    size: usize,
    shared: Given,
    sign: S,
}

/// So much is held at once while needs are put together, about a hundred bytes each.
const MOST_HELD: usize = 500_000;

/// What needs come to, how many facts that takes, and the entry of the trail.
type Held<A> = BTreeMap<A, (usize, usize)>;

/// What the needs can come to, with the smallest way to each.
pub(super) struct Outcomes<'n, W: AsWay, A> {
    domains: &'n Domains,
    needs: &'n [&'n [W]],
    fixed: Given,
    last: Held<A>,
    steps: Vec<Step<W::Sign>>,
    /// For each step its entries: the entry before, and the way that was taken.
    trail: Vec<Vec<(usize, usize)>>,
}

impl<W: AsWay, A: Ord + Clone> Outcomes<'_, W, A> {
    /// Every outcome and how many facts it takes.
    pub(super) fn iter(&self) -> impl Iterator<Item = (&A, usize)> {
        self.last.iter().map(|(outcome, (size, _))| (outcome, *size))
    }

    /// What is given where an outcome comes about by the fewest facts.
    pub(super) fn given(&self, outcome: &A) -> Option<Given> {
        let (_, entry) = self.last.get(outcome)?;
        let mut entry = *entry;
        let mut taken: Vec<(usize, &Reduced<W::Sign>)> = Vec::new();
        for (step, entries) in self.steps.iter().zip(&self.trail).rev() {
            let (before, way) = entries.get(entry)?;
            taken.push((step.need, step.ways.get(*way)?));
            entry = *before;
        }
        // What is shared is chosen first; then each need has one way that is so and no larger.
        let mut shared = self.fixed.clone();
        for (_, reduced) in &taken {
            shared = shared.with(&reduced.shared)?;
        }
        let chosen: Vec<(Variable, usize)> = shared
            .iter()
            .map(|(variable, values)| (variable, self.domains.cheapest(variable, values).0))
            .collect();
        let mut given = Given::default();
        for (variable, place) in &chosen {
            given = given.and(*variable, &crate::explore::Values::one(*place))?;
        }
        let known = given.clone();
        for (need, reduced) in taken {
            let fits = |way: &&W| {
                *way.sign() == reduced.sign
                    && way.given().meets(&known)
                    && self.own_size(way, &shared) == reduced.size
            };
            let way = self.needs.get(need)?.iter().find(fits)?;
            given = given.with(way.given())?;
        }
        Some(given)
    }

    fn own_size(&self, way: &W, shared: &Given) -> usize {
        let own = way.given().iter().filter(|(variable, _)| shared.get(*variable).is_none());
        own.fold(0, |size, (variable, values)| size.saturating_add(self.domains.cheapest(variable, values).1))
    }
}

/// What the needs can come to by fewer facts than `limit`. `fixed` is given besides.
pub(super) fn combine<'n, W: AsWay, A: Ord + Clone>(
    domains: &'n Domains,
    needs: &'n [&'n [W]],
    fixed: &Given,
    limit: usize,
    start: A,
    work: &Work,
    join: impl Fn(&A, &W::Sign) -> Option<A>,
) -> Result<Outcomes<'n, W, A>, TooMany> {
    let (steps, unused) = reduced(domains, needs, fixed, work)?;
    let size_of = |given: &Given, variables: &[Variable]| {
        variables.iter().fold(0_usize, |sum, variable| {
            let facts = given.get(*variable).map_or(0, |values| domains.cheapest(*variable, values).1);
            sum.saturating_add(facts)
        })
    };
    let rest = unused.iter().fold(fixed.clone(), |given, variable| given.without(*variable));
    let begun = BTreeMap::from([(start, (size_of(fixed, &unused), 0))]);
    let mut held: BTreeMap<Given, Held<A>> = BTreeMap::from([(rest, begun)]);
    let mut trail = Vec::new();
    for step in &steps {
        let mut next: BTreeMap<Given, Held<A>> = BTreeMap::new();
        let mut entries: Vec<(usize, usize)> = Vec::new();
        let mut room = MOST_HELD;
        for (given, outcomes) in &held {
            for (place, way) in step.ways.iter().enumerate() {
                if !given.meets(&way.shared) {
                    continue;
                }
                // What is shared is the same for all that they come to, so it is put together once.
                let Some(both) = given.with(&way.shared) else { continue };
                let more = way.size.saturating_add(size_of(&both, &step.done));
                let both = step.done.iter().fold(both, |given, variable| given.without(*variable));
                work.take(both.len().saturating_mul(4).saturating_add(outcomes.len()))?;
                room = room.saturating_sub(both.len().saturating_add(outcomes.len() >> 2));
                if room == 0 {
                    return Err(TooMany);
                }
                let next = next.entry(both).or_default();
                for (outcome, (size, entry)) in outcomes {
                    let size = size.saturating_add(more);
                    if size >= limit {
                        continue;
                    }
                    let Some(outcome) = join(outcome, &way.sign) else { continue };
                    let here = (size, entries.len());
                    match next.entry(outcome) {
                        Entry::Occupied(held) if held.get().0 <= size => continue,
                        Entry::Occupied(mut held) => _ = held.insert(here),
                        Entry::Vacant(none) => _ = none.insert(here),
                    }
                    entries.push((*entry, place));
                }
            }
            let each = given.len().saturating_add(4) >> 2;
            work.take(step.ways.len().saturating_mul(each))?;
        }
        trail.push(entries);
        held = next;
    }
    let mut last: Held<A> = BTreeMap::new();
    for (outcome, (size, entry)) in held.into_values().flatten() {
        if last.get(&outcome).is_none_or(|(held, _)| size < *held) {
            last.insert(outcome, (size, entry));
        }
    }
    Ok(Outcomes { domains, needs, fixed: fixed.clone(), last, steps, trail })
}

/// The needs in the order in which they are put together, and what nobody looks at.
type Parts<S> = (Vec<Step<S>>, Vec<Variable>);

/// The ways of each need with what only it looks at counted, and what nobody looks at.
fn reduced<W: AsWay>(
    domains: &Domains,
    needs: &[&[W]],
    fixed: &Given,
    work: &Work,
) -> Result<Parts<W::Sign>, TooMany> {
    work.take(needs.iter().map(|ways| ways.len()).sum::<usize>().saturating_mul(5))?;
    let looked: Vec<BTreeSet<Variable>> = needs
        .iter()
        .map(|ways| ways.iter().flat_map(|way| way.given().iter().map(|(variable, _)| variable)).collect())
        .collect();
    let mut times: BTreeMap<Variable, usize> = BTreeMap::new();
    for variable in looked.iter().flatten() {
        let held = times.entry(*variable).or_insert(0);
        *held = held.saturating_add(1);
    }
    let shared = |variable: &Variable| {
        fixed.get(*variable).is_some() || times.get(variable).is_some_and(|times| *times > 1)
    };
    let looked: Vec<BTreeSet<Variable>> = looked
        .into_iter()
        .map(|variables| variables.into_iter().filter(|variable| shared(variable)).collect())
        .collect();
    let mut steps = Vec::new();
    let mut open: BTreeSet<Variable> = BTreeSet::new();
    let mut rest: Vec<(usize, Vec<Reduced<W::Sign>>)> =
        needs.iter().map(|ways| smallest_of((domains, work), ways, fixed, &shared)).enumerate().collect();
    while !rest.is_empty() {
        work.take(rest.len().saturating_mul(open.len().saturating_add(2)))?;
        // What looks at the same things as others comes first, while needs have come to little together. Next comes the need
        // after which the fewest things are open; of such the one with the fewest ways.
        let opens = |need: usize| {
            let Some(mine) = looked.get(need) else { return open.len() };
            let after = |variable: &&Variable| {
                times.get(*variable).is_some_and(|times| *times > usize::from(mine.contains(*variable)))
            };
            let new = mine.iter().filter(|variable| !open.contains(*variable));
            open.iter().chain(new).filter(after).count()
        };
        let alone = |need: usize| looked.get(need).is_none_or(BTreeSet::is_empty);
        let best = rest
            .iter()
            .enumerate()
            .min_by_key(|(_, (need, ways))| (!ways.is_empty(), alone(*need), opens(*need), ways.len()));
        let Some(place) = best.map(|(place, _)| place) else { break };
        let (need, ways) = rest.remove(place);
        for variable in looked.get(need).into_iter().flatten() {
            open.insert(*variable);
            if let Some(times) = times.get_mut(variable) {
                *times = times.saturating_sub(1);
            }
        }
        let (still, done): (BTreeSet<Variable>, BTreeSet<Variable>) =
            open.into_iter().partition(|variable| times.get(variable).is_some_and(|times| *times > 0));
        open = still;
        steps.push(Step { need, ways, done: done.into_iter().collect() });
    }
    let unused = fixed.iter().map(|(variable, _)| variable).filter(|variable| !times.contains_key(variable));
    Ok((steps, unused.collect()))
}

fn smallest_of<W: AsWay>(
    (domains, work): (&Domains, &Work),
    ways: &[W],
    fixed: &Given,
    shared: &impl Fn(&Variable) -> bool,
) -> Vec<Reduced<W::Sign>> {
    let mut best: BTreeMap<(W::Sign, Given), usize> = BTreeMap::new();
    'ways: for way in ways {
        let mut size = 0_usize;
        let mut common = Given::default();
        for (variable, values) in way.given().iter() {
            if !shared(&variable) {
                size = size.saturating_add(domains.cheapest(variable, values).1);
                continue;
            }
            let both = match fixed.get(variable) {
                Some(held) => held.and(values),
                None => Some(values.clone()),
            };
            match both.and_then(|both| common.and(variable, &both)) {
                Some(given) => common = given,
                None => continue 'ways,
            }
        }
        let held = best.entry((way.sign().clone(), common)).or_insert(size);
        *held = size.min(*held);
    }
    let mut groups: BTreeMap<(W::Sign, usize), Vec<Given>> = BTreeMap::new();
    for ((sign, shared), size) in best {
        groups.entry((sign, size)).or_default().push(shared);
    }
    let merged = groups.into_iter().flat_map(|((sign, size), shared)| {
        let shared = Given::fewer(shared, domains, work);
        shared.into_iter().map(move |shared| Reduced { size, shared, sign: sign.clone() })
    });
    merged.collect()
}
