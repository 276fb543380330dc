//! Windows and their accounts: see `spec/07-windows.md`.

use failsoft_core::{AccountRow, DependencyId, Matrix, MeterId, Way, WindowAccount, WindowUse};
use serde::ser::{Serialize, SerializeMap, Serializer};

/// A window that opens or takes another rung, without what every event carries.
pub(super) fn used<S: Serializer>(
    serializer: S,
    kind: &str,
    matrix: &Matrix,
    used: &WindowUse,
) -> Result<S::SerializeMap, S::Error> {
    Ok(map!(serializer,
        "kind": kind,
        "dependency": matrix.dependency_name(used.dependency),
        "operation": matrix.operation_name(used.operation),
        "posture": used.posture.as_str(),
        "rung": used.way.rung(),
        "rung_kind": used.way.kind(),
        "health": used.health.map(|health| health.as_str()),
        "fault": used.fault.map(|fault| fault.as_str()),
    ))
}

/// An account's keys.
pub(super) fn account_entries<M: SerializeMap>(
    map: &mut M,
    matrix: &Matrix,
    account: &WindowAccount,
) -> Result<(), M::Error> {
    map.serialize_entry("duration_ms", &account.duration.get())?;
    map.serialize_entry("idle_ms", &account.idle.get())?;
    map.serialize_entry("total", &RowJson(matrix, None, &account.total))?;
    let decisions = account.decisions.iter().map(|(way, requests)| DecisionsJson(*way, *requests));
    map.serialize_entry("decisions", &decisions.collect::<Vec<_>>())?;
    let tenants = account.tenants.iter().map(|(tenant, row)| RowJson(matrix, Some(tenant), row));
    map.serialize_entry("tenants", &tenants.collect::<Vec<_>>())?;
    map.serialize_entry("others", &RowJson(matrix, None, &account.others))
}

/// Windows that stand open, as the answer to a question.
pub(crate) struct WindowsJson<'a>(pub(crate) &'a Matrix, pub(crate) &'a [(DependencyId, WindowAccount)]);

impl Serialize for WindowsJson<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_seq(self.1.iter().map(|(id, account)| OpenJson(self.0, *id, account)))
    }
}

struct OpenJson<'a>(&'a Matrix, DependencyId, &'a WindowAccount);

impl Serialize for OpenJson<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = map!(serializer, "dependency": self.0.dependency_name(self.1));
        account_entries(&mut map, self.0, self.2)?;
        map.end()
    }
}

struct DecisionsJson(Way, u64);

impl Serialize for DecisionsJson {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        map!(serializer, "rung": self.0.rung(), "rung_kind": self.0.kind(), "requests": self.1).end()
    }
}

struct RowJson<'a>(&'a Matrix, Option<&'a str>, &'a AccountRow);

impl Serialize for RowJson<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(None)?;
        if let Some(tenant) = self.1 {
            map.serialize_entry("tenant", tenant)?;
        }
        map.serialize_entry("requests", &self.2.requests)?;
        map.serialize_entry("amounts", &AmountsJson(self.0, &self.2.amounts))?;
        map.end()
    }
}

struct AmountsJson<'a>(&'a Matrix, &'a [(MeterId, u64)]);

impl Serialize for AmountsJson<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_map(self.1.iter().map(|(meter, amount)| (self.0.meter_name(*meter), amount)))
    }
}
