//! Lines that speak of meters: what the store says, what was used, and an operator's limit.

use failsoft_core::draft::MeterKey;
use failsoft_core::{MeterId, MeterMode, Millis, Signal};

use super::line::{OverrideLine, ReadingLine, UsageLine};
use super::names::LineMistake;
use super::read::{OwnedSignal, Reader, millis};

/// A key's names; what is not told is the empty name.
pub(super) struct Names {
    tenant: Option<String>,
    session: Option<String>,
}

impl Names {
    fn tenant(&self) -> &str {
        self.tenant.as_deref().unwrap_or_default()
    }

    fn session(&self) -> &str {
        self.session.as_deref().unwrap_or_default()
    }
}

/// A line of a meter that holds its own names.
pub(super) enum OfMeter {
    Reading { mode: Option<MeterMode>, line: ReadingLine },
    Usage { amount: u64 },
    Limit { limit: Option<u64>, by: Option<String>, reason: Option<String> },
}

pub(super) struct MeterSignal {
    meter: MeterId,
    names: Names,
    of: OfMeter,
}

impl MeterSignal {
    pub(super) fn as_signal(&self) -> Signal<'_> {
        let (meter, tenant, session) = (self.meter, self.names.tenant(), self.names.session());
        match &self.of {
            OfMeter::Reading { mode, line } => Signal::Reading {
                meter,
                tenant,
                session,
                used: line.used.0,
                limit: line.limit.map(|limit| limit.0),
                mode: *mode,
                resets_in: line.resets_in_ms.map(millis),
                age: line.age_ms.map_or(Millis::ZERO, millis),
            },
            OfMeter::Usage { amount } => Signal::Usage { meter, tenant, session, amount: *amount },
            OfMeter::Limit { limit, by, reason } => Signal::Limit {
                meter,
                key: (self.names.tenant.is_some() || self.names.session.is_some())
                    .then_some((tenant, session)),
                limit: *limit,
                by: by.as_deref(),
                reason: reason.as_deref(),
            },
        }
    }
}

impl Reader<'_> {
    pub(super) fn reading(&self, mut line: ReadingLine) -> Result<OwnedSignal, LineMistake> {
        let known = MeterMode::ALL.iter().map(|mode| mode.as_str());
        let mode = match &line.mode {
            Some(mode) => Some(self.word("mode", mode, MeterMode::from_name, known)?),
            None => None,
        };
        let names = Names { tenant: line.tenant.take(), session: line.session.take() };
        self.of_meter(&line.meter.clone(), names, OfMeter::Reading { mode, line })
    }

    pub(super) fn usage(&self, line: UsageLine) -> Result<OwnedSignal, LineMistake> {
        let names = Names { tenant: line.tenant, session: line.session };
        self.of_meter(&line.meter, names, OfMeter::Usage { amount: line.amount.0 })
    }

    /// An override that names a meter.
    pub(super) fn limit(&self, meter: &str, line: OverrideLine) -> Result<OwnedSignal, LineMistake> {
        let foreign = [
            ("dependency", line.dependency.is_some()),
            ("to", line.to.is_some()),
            ("for_ms", line.for_ms.is_some()),
        ];
        if let Some((key, _)) = foreign.iter().find(|(_, there)| *there) {
            let what = format!("an override of a meter has no `{key}`");
            let help = Some("name a meter and its `limit`, or a dependency".into());
            return Err(self.source.mistake(key, what, help));
        }
        let Some(limit) = line.limit else {
            let help = Some("write `\"limit\":500`, or `\"limit\":null` to lift the one that stands".into());
            return Err(self.source.mistake(
                "override",
                "this override does not say which limit".into(),
                help,
            ));
        };
        let names = Names { tenant: line.tenant, session: line.session };
        self.whole_key(meter, &names)?;
        let of = OfMeter::Limit { limit: limit.map(|limit| limit.0), by: line.by, reason: line.reason };
        self.of_meter(meter, names, of)
    }

    /// A limit is of one key, which all its names tell, or of all keys.
    fn whole_key(&self, meter: &str, names: &Names) -> Result<(), LineMistake> {
        let by_session = self.matrix.meter_key(self.meter(meter)?) == Some(MeterKey::TenantSession);
        let (missing, told) = match (&names.tenant, &names.session) {
            (None, Some(_)) => ("tenant", "a session"),
            (Some(_), None) if by_session => ("session", "a tenant"),
            _ => return Ok(()),
        };
        let what = format!("this limit names {told} and no {missing}");
        let help = Some(format!("name the {missing} too, or neither for a limit of every key"));
        Err(self.source.mistake("override", what, help))
    }

    fn of_meter(&self, meter: &str, names: Names, of: OfMeter) -> Result<OwnedSignal, LineMistake> {
        self.held("tenant", names.tenant.as_deref())?;
        self.held("session", names.session.as_deref())?;
        Ok(OwnedSignal::Meter(MeterSignal { meter: self.meter(meter)?, names, of }))
    }
}
