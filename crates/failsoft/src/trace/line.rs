//! A line of a trace as it is written, before names are looked up.

use std::collections::BTreeSet;
use std::fmt;
use std::marker::PhantomData;

use failsoft_core::INTEGER_MAX;
use serde::de::{Deserialize, Deserializer, Error, MapAccess, Unexpected, Visitor};

/// One line: a moment, and exactly one other key.
#[derive(Debug, serde::Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Line {
    #[serde(default)]
    pub(super) at_ms: Option<Moment>,
    pub(super) outcome: Option<Object<OutcomeLine>>,
    pub(super) probe: Option<Object<ProbeLine>>,
    #[serde(rename = "override")]
    pub(super) overriding: Option<Object<OverrideLine>>,
    pub(super) advice: Option<Object<AdviceLine>>,
    pub(super) instances: Option<Object<InstancesLine>>,
    pub(super) outbox: Option<Object<OutboxLine>>,
    pub(super) decide: Option<Object<DecideLine>>,
    pub(super) finish: Option<Object<FinishLine>>,
    pub(super) permit: Option<Object<PermitLine>>,
    pub(super) release: Option<Object<PermitLine>>,
    pub(super) call: Option<Object<CallLine>>,
    pub(super) health: Option<Object<HealthLine>>,
    pub(super) windows: Option<Object<WindowsLine>>,
    pub(super) restart: Option<Object<RestartLine>>,
    pub(super) reload: Option<Object<ReloadLine>>,
    pub(super) reading: Option<Object<ReadingLine>>,
    pub(super) usage: Option<Object<UsageLine>>,
}

#[derive(Debug, serde::Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct OutcomeLine {
    pub(super) dependency: String,
    pub(super) result: String,
    pub(super) latency_ms: Option<Moment>,
    pub(super) permit: Option<String>,
    pub(super) retry_after_ms: Option<Whole>,
    pub(super) had_ms: Option<Whole>,
}

#[derive(Debug, serde::Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct CallLine {
    pub(super) dependency: String,
    pub(super) result: Option<String>,
    pub(super) latency_ms: Option<Moment>,
    pub(super) retry_after_ms: Option<Whole>,
    pub(super) had_ms: Option<Whole>,
}

#[derive(Debug, serde::Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct ProbeLine {
    pub(super) dependency: String,
    pub(super) result: String,
}

#[derive(Debug, serde::Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct OverrideLine {
    pub(super) dependency: Option<String>,
    /// Of a meter's limit.
    pub(super) meter: Option<String>,
    pub(super) tenant: Option<String>,
    pub(super) session: Option<String>,
    #[serde(default, deserialize_with = "said")]
    pub(super) limit: Option<Option<Whole>>,
    #[serde(default, deserialize_with = "said")]
    pub(super) to: Option<Option<String>>,
    pub(super) for_ms: Option<Whole>,
    pub(super) by: Option<String>,
    pub(super) reason: Option<String>,
}

#[derive(Debug, serde::Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct AdviceLine {
    pub(super) source: String,
    pub(super) dependency: String,
    pub(super) health: String,
}

#[derive(Debug, serde::Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct ReadingLine {
    pub(super) meter: String,
    pub(super) tenant: Option<String>,
    pub(super) session: Option<String>,
    pub(super) used: Whole,
    pub(super) limit: Option<Whole>,
    pub(super) mode: Option<String>,
    pub(super) resets_in_ms: Option<Whole>,
    pub(super) age_ms: Option<Whole>,
}

#[derive(Debug, serde::Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct UsageLine {
    pub(super) meter: String,
    pub(super) tenant: Option<String>,
    pub(super) session: Option<String>,
    pub(super) amount: Whole,
}

#[derive(Debug, serde::Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct InstancesLine {
    pub(super) count: Whole,
}

#[derive(Debug, serde::Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct OutboxLine {
    pub(super) dependency: String,
    pub(super) depth: Whole,
}

#[derive(Debug, Default, serde::Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct DecideLine {
    pub(super) operation: String,
    pub(super) request: Option<String>,
    pub(super) tenant: Option<String>,
    pub(super) session: Option<String>,
    pub(super) class: Option<String>,
    #[serde(default)]
    pub(super) faults: Entries<String>,
    #[serde(default)]
    pub(super) cached_ms: Entries<Whole>,
    #[serde(default)]
    pub(super) attempts: Entries<Whole>,
    #[serde(default)]
    pub(super) retry_after_ms: Entries<Whole>,
    #[serde(default)]
    pub(super) attributes: Entries<String>,
    #[serde(default)]
    pub(super) amounts: Entries<Whole>,
    pub(super) stage: Option<String>,
    pub(super) remaining_ms: Option<Whole>,
    #[serde(default)]
    pub(super) had_ms: Entries<Whole>,
    pub(super) preview: Option<bool>,
}

#[derive(Debug, serde::Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct FinishLine {
    pub(super) request: String,
    #[serde(default)]
    pub(super) amounts: Entries<Whole>,
}

#[derive(Debug, serde::Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct PermitLine {
    pub(super) dependency: String,
    pub(super) permit: Option<String>,
}

#[derive(Debug, serde::Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct WindowsLine {
    pub(super) dependency: Option<String>,
}

#[derive(Debug, serde::Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct HealthLine {
    pub(super) dependency: String,
}

#[derive(Debug, serde::Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct RestartLine {
    pub(super) away_ms: Option<Whole>,
    pub(super) snapshot: Option<Box<serde_json::value::RawValue>>,
}

#[derive(Debug, serde::Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct ReloadLine {
    pub(super) document: Box<serde_json::value::RawValue>,
    #[serde(default)]
    pub(super) parameters: Entries<String>,
}

/// A key that was written, be it with null.
fn said<'de, T: Deserialize<'de>, D: Deserializer<'de>>(
    deserializer: D,
) -> Result<Option<Option<T>>, D::Error> {
    Option::deserialize(deserializer).map(Some)
}

/// A whole number from 0 to 2^53 − 1.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Whole(pub(super) u64);

impl<'de> Deserialize<'de> for Whole {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(WholeVisitor { negative: false }).map(|whole| Self(whole.unsigned_abs()))
    }
}

/// A moment, or a latency: a whole number from −(2^53 − 1) to 2^53 − 1.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Moment(pub(super) i64);

impl<'de> Deserialize<'de> for Moment {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(WholeVisitor { negative: true }).map(Self)
    }
}

struct WholeVisitor {
    negative: bool,
}

impl Visitor<'_> for WholeVisitor {
    type Value = i64;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let least = if self.negative { "-(2^53 - 1)" } else { "0" };
        write!(f, "a whole number from {least} to 2^53 - 1")
    }

    fn visit_u64<E: Error>(self, value: u64) -> Result<i64, E> {
        let most = i64::try_from(value).ok().filter(|_| value <= INTEGER_MAX);
        most.ok_or_else(|| E::invalid_value(Unexpected::Unsigned(value), &self))
    }

    fn visit_i64<E: Error>(self, value: i64) -> Result<i64, E> {
        if value.unsigned_abs() > INTEGER_MAX || (value < 0 && !self.negative) {
            return Err(E::invalid_value(Unexpected::Signed(value), &self));
        }
        Ok(value)
    }
}

/// An object, and nothing else: the derived readers would take a list for one.
#[derive(Debug)]
pub(super) struct Object<T>(pub(super) T);

impl<'de, T: Deserialize<'de>> Deserialize<'de> for Object<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(ObjectVisitor(PhantomData))
    }
}

struct ObjectVisitor<T>(PhantomData<T>);

impl<'de, T: Deserialize<'de>> Visitor<'de> for ObjectVisitor<T> {
    type Value = Object<T>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object")
    }

    fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<Object<T>, A::Error> {
        T::deserialize(serde::de::value::MapAccessDeserializer::new(map)).map(Object)
    }
}

/// A map as written; a key that stands twice is refused rather than lost.
#[derive(Debug)]
pub(super) struct Entries<V>(pub(super) Vec<(String, V)>);

impl<V> Default for Entries<V> {
    fn default() -> Self {
        Self(Vec::new())
    }
}

impl<'de, V: Deserialize<'de>> Deserialize<'de> for Entries<V> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(EntriesVisitor(PhantomData))
    }
}

struct EntriesVisitor<V>(PhantomData<V>);

impl<'de, V: Deserialize<'de>> Visitor<'de> for EntriesVisitor<V> {
    type Value = Entries<V>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object")
    }

    fn visit_unit<E: Error>(self) -> Result<Entries<V>, E> {
        Ok(Entries::default())
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Entries<V>, A::Error> {
        let mut entries = Vec::new();
        let mut known = BTreeSet::new();
        while let Some((key, value)) = map.next_entry::<String, V>()? {
            if !known.insert(key.clone()) {
                return Err(A::Error::custom(format!("the key `{key}` stands twice")));
            }
            entries.push((key, value));
        }
        Ok(Entries(entries))
    }
}
