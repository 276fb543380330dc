//! What the refuse rules of an operation can come to, and with which attributes (spec 4.4).

use alloc::collections::BTreeMap;
use alloc::format;
use alloc::string::String;
use alloc::sync::Arc;
use alloc::vec::Vec;

use crate::explore::{Fact, TooMany};
use crate::matrix::{Operation, RefuseRule};

/// So many steps are taken to find attributes.
const MOST_STEPS: usize = 200_000;

type Told = Vec<(Arc<str>, Arc<str>)>;

/// What the rules come to.
pub(super) struct Rules {
    /// The first that holds where no attribute is told.
    pub(super) plain: Option<u16>,
    /// Of each rule, whether it can be the first that holds, and with which attributes.
    pub(super) first: Vec<Option<Told>>,
    /// The attributes with which none holds, if that can be.
    pub(super) none: Option<Told>,
}

impl Rules {
    pub(super) fn of(operation: &Operation, allows: impl Fn(&Fact) -> bool) -> Result<Self, TooMany> {
        let rules = operation.refuse.as_slice();
        let mut search = Search { steps: 0, prefix: prefix(rules.iter()) };
        let mut first = Vec::new();
        for place in 0..rules.len() {
            let before = rules.get(..place).unwrap_or_default();
            let holds: Vec<&RefuseRule> = rules.get(place).into_iter().collect();
            let told = search.attributes(&holds, before)?;
            let rule = u16::try_from(place).ok();
            first.push(told.filter(|told| allows(&Fact::Rule(rule, told.clone()))));
        }
        let none = search.attributes(&[], rules)?.filter(|told| allows(&Fact::Rule(None, told.clone())));
        let plain = first_of_nothing(operation);
        Ok(Self { plain, first, none })
    }

    /// The fact that lets needs be looked at; nothing where none is needed, an error where it never is so.
    pub(super) fn passed(&self) -> Result<Option<Fact>, ()> {
        match (self.plain, &self.none) {
            (None, _) => Ok(None),
            (Some(_), Some(told)) => Ok(Some(Fact::Rule(None, told.clone()))),
            (Some(_), None) => Err(()),
        }
    }

    /// What they come to where two matrices have them alike: that none stops, and that one does, whichever it is.
    pub(super) fn stops(&self) -> Vec<Stops> {
        let passed = self.passed().ok().map(|fact| ((None, None), fact));
        let mut places = 0..u16::try_from(self.first.len()).unwrap_or(u16::MAX);
        let stopped =
            places.find_map(|place| Some(((Some(place), Some(place)), self.stopped_by(place).ok()?)));
        passed.into_iter().chain(stopped).collect()
    }

    /// The fact by which a rule is the first that holds; nothing where none is needed, an error where it never is.
    pub(super) fn stopped_by(&self, place: u16) -> Result<Option<Fact>, ()> {
        if self.plain == Some(place) {
            return Ok(None);
        }
        let told = self.first.get(usize::from(place)).and_then(Option::as_ref).ok_or(())?;
        Ok(Some(Fact::Rule(Some(place), told.clone())))
    }
}

fn prefix<'r>(rules: impl Iterator<Item = &'r RefuseRule> + Clone) -> String {
    let mut prefix = String::from("not-");
    let mentioned = || rules.clone().flat_map(|rule| rule.equals.iter().map(|(_, value)| value));
    while mentioned().any(|value| value.starts_with(&prefix)) {
        prefix.push('-');
    }
    prefix
}

fn holds_of_nothing(rule: &RefuseRule) -> bool {
    rule.present.is_none() && rule.equals.is_empty()
}

/// What the rules of two operations come to for the same attributes: the first that holds of each, and a fact that tells
/// the attributes, where any must be told.
pub(super) type Stops = ((Option<u16>, Option<u16>), Option<Fact>);

/// Everything that the rules of two operations can come to at once.
pub(super) fn joint(old: &Operation, new: &Operation) -> Result<Vec<Stops>, TooMany> {
    let both = old.refuse.iter().chain(&new.refuse);
    let mut search = Search { steps: 0, prefix: prefix(both) };
    let same = old.refuse == new.refuse;
    let places = |rules: &[RefuseRule]| {
        let places = 0..u16::try_from(rules.len()).unwrap_or(u16::MAX);
        core::iter::once(None).chain(places.map(Some)).collect::<Vec<Option<u16>>>()
    };
    let plain = (first_of_nothing(old), first_of_nothing(new));
    let mut all = Vec::from([(plain, None)]);
    for one in places(&old.refuse) {
        for other in places(&new.refuse) {
            if (one, other) == plain || (same && one != other) {
                continue;
            }
            let (holds, mut not) = until(&old.refuse, one);
            let (also, nor) = until(&new.refuse, other);
            let holds: Vec<&RefuseRule> = holds.into_iter().chain(also).collect();
            not.extend(nor);
            if let Some(told) = search.attributes(&holds, &not)? {
                all.push(((one, other), Some(Fact::Rule(one.or(other), told))));
            }
        }
    }
    Ok(all)
}

/// The rule of a place, and those before it; all of them where none is to hold.
fn until(rules: &[RefuseRule], place: Option<u16>) -> (Option<&RefuseRule>, Vec<RefuseRule>) {
    let end = place.map_or(rules.len(), usize::from);
    (place.and_then(|_| rules.get(end)), rules.get(..end).unwrap_or_default().to_vec())
}

fn first_of_nothing(operation: &Operation) -> Option<u16> {
    (0u16..).zip(&operation.refuse).find(|(_, rule)| holds_of_nothing(rule)).map(|(place, _)| place)
}

/// What is told of an attribute.
#[derive(Clone, PartialEq, Eq)]
enum Telling {
    Missing,
    Is(Arc<str>),
}

type World = BTreeMap<Arc<str>, Telling>;

struct Search {
    steps: usize,
    /// No value that a rule mentions begins so.
    prefix: String,
}

impl Search {
    /// Attributes with which these rules hold, and none of the others does.
    fn attributes(&mut self, holds: &[&RefuseRule], not: &[RefuseRule]) -> Result<Option<Told>, TooMany> {
        let mut worlds = Vec::from([World::new()]);
        for rule in holds {
            worlds = worlds.iter().flat_map(|world| self.held(world, rule)).collect();
        }
        for world in worlds {
            if let Some(world) = self.falsify(world, not)? {
                let told = world.into_iter().filter_map(|(name, told)| match told {
                    Telling::Missing => None,
                    Telling::Is(value) => Some((name, value)),
                });
                return Ok(Some(told.collect()));
            }
        }
        Ok(None)
    }

    /// The same world with more told, in which none of the rules holds.
    fn falsify(&mut self, world: World, not: &[RefuseRule]) -> Result<Option<World>, TooMany> {
        self.steps = self.steps.saturating_add(1);
        if self.steps > MOST_STEPS {
            return Err(TooMany);
        }
        let Some((rule, rest)) = not.split_first() else { return Ok(Some(world)) };
        for world in self.falsified(&world, rule) {
            if let Some(found) = self.falsify(world, rest)? {
                return Ok(Some(found));
            }
        }
        Ok(None)
    }
}

fn told(world: &World, name: &str, told: Telling) -> Option<World> {
    match world.get(name) {
        Some(held) if *held == told => Some(world.clone()),
        Some(_) => None,
        None => {
            let mut world = world.clone();
            world.insert(name.into(), told);
            Some(world)
        }
    }
}

impl Search {
    /// A value of this attribute that no rule mentions.
    fn fresh(&self, name: &str) -> Arc<str> {
        format!("{}{name}", self.prefix).into()
    }

    /// Worlds in which the rule holds, as little told as can be.
    fn held(&self, world: &World, rule: &RefuseRule) -> Vec<World> {
        let mut world = world.clone();
        for (name, value) in &rule.equals {
            let value = Telling::Is(value.as_ref().into());
            match told(&world, name, value) {
                Some(more) => world = more,
                None => return Vec::new(),
            }
        }
        let present = |world: &World| match rule.present.as_deref() {
            Some(name) if !world.contains_key(name) => told(world, name, Telling::Is(self.fresh(name))),
            Some(name) => Some(world.clone()).filter(|world| world.get(name) != Some(&Telling::Missing)),
            None => Some(world.clone()),
        };
        let Some((left, right)) = &rule.same else { return present(&world).into_iter().collect() };
        let mut worlds = Vec::new();
        // Equal: as either is, or as nothing else is.
        let value = match (world.get(left.as_ref()), world.get(right.as_ref())) {
            (Some(Telling::Is(value)), _) | (_, Some(Telling::Is(value))) => value.clone(),
            _ => self.fresh(left),
        };
        let both = told(&world, left, Telling::Is(value.clone()))
            .and_then(|world| told(&world, right, Telling::Is(value)));
        worlds.extend(both.and_then(|world| present(&world)));
        for name in [left, right] {
            worlds.extend(told(&world, name, Telling::Missing).and_then(|world| present(&world)));
        }
        worlds
    }

    /// Worlds in which it does not, one for each of its conditions.
    fn falsified(&self, world: &World, rule: &RefuseRule) -> Vec<World> {
        let mut worlds = Vec::new();
        if let Some(name) = rule.present.as_deref() {
            worlds.extend(told(world, name, Telling::Missing));
        }
        for (name, value) in &rule.equals {
            match world.get(name.as_ref()) {
                Some(Telling::Is(held)) if held.as_ref() == value.as_ref() => {}
                Some(_) => worlds.push(world.clone()),
                None => {
                    worlds.extend(told(world, name, Telling::Missing));
                    worlds.extend(told(world, name, Telling::Is(self.fresh(name))));
                }
            }
        }
        if let Some((left, right)) = &rule.same {
            let is = |world: &World, name: &str| match world.get(name) {
                Some(_) => Some(world.clone()),
                None => told(world, name, Telling::Is(self.fresh(name))),
            };
            let both = is(world, left).and_then(|world| is(&world, right));
            worlds.extend(both.filter(|world| match (world.get(left.as_ref()), world.get(right.as_ref())) {
                (Some(Telling::Is(one)), Some(Telling::Is(other))) => one != other,
                _ => false,
            }));
        }
        worlds
    }
}
