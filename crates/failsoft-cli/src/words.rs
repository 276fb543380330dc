//! Decisions, healths and times in words, for people.

use std::fmt;

use failsoft::visible::is_hidden;
use failsoft::{
    Cause, Crossed, Decision, Detail, Emit, Fault, Health, HealthReport, Matrix, Millis, Obligation,
    ObligationKind, ObligationName, Reason, ReasonKind, Report, RuleKind, Time, WindowFigures,
};

use crate::out::Paint;

/// A moment as a clock shows it: `0:05`, `0:05.250`, `1:02:03`.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Clock(pub(crate) Time);

impl Clock {
    /// Hours (where there are any), minutes and seconds; what is left in milliseconds.
    fn parts(self) -> (String, u64) {
        let millis = self.0.as_millis();
        let sign = if millis < 0 { "-" } else { "" };
        let whole = millis.unsigned_abs();
        let (seconds, rest) = (whole / 1000, whole % 1000);
        let (hours, minutes) = (seconds / 3600, seconds / 60 % 60);
        let seconds = seconds % 60;
        let shown = match hours {
            0 => format!("{sign}{minutes}:{seconds:02}"),
            _ => format!("{sign}{hours}:{minutes:02}:{seconds:02}"),
        };
        (shown, rest)
    }

    /// The same in a column, whole seconds below one another.
    pub(crate) fn in_column(self) -> String {
        match self.parts() {
            (seconds, 0) => format!("{seconds:>7}    "),
            (seconds, rest) => format!("{seconds:>7}.{rest:03}"),
        }
    }
}

impl fmt::Display for Clock {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.parts() {
            (seconds, 0) => f.write_str(&seconds),
            (seconds, rest) => write!(f, "{seconds}.{rest:03}"),
        }
    }
}

/// A length of time in the largest unit that says it exactly: `250ms`, `1.4s`, `30s`, `24h`.
pub(crate) fn length(length: Millis) -> String {
    let millis = length.get();
    match millis {
        0 => "0s".into(),
        _ if millis.is_multiple_of(86_400_000) && millis > 86_400_000 => format!("{}d", millis / 86_400_000),
        _ if millis.is_multiple_of(3_600_000) => format!("{}h", millis / 3_600_000),
        _ if millis.is_multiple_of(60_000) => format!("{}m", millis / 60_000),
        _ if millis.is_multiple_of(1000) => format!("{}s", millis / 1000),
        1001.. => {
            let decimals = format!("{:03}", millis % 1000);
            format!("{}.{}s", millis / 1000, decimals.trim_end_matches('0'))
        }
        _ => format!("{millis}ms"),
    }
}

/// `1 mistake`, `2 mistakes`, `12,345 mistakes`.
pub(crate) fn counted(count: usize, one: &str, many: &str) -> String {
    format!("{} {}", thousands(count), if count == 1 { one } else { many })
}

/// A number with commas.
pub(crate) fn thousands(count: usize) -> String {
    let digits = count.to_string();
    let mut out = String::with_capacity(digits.len() + digits.len() / 3);
    for (place, digit) in digits.chars().enumerate() {
        if place > 0 && (digits.len() - place).is_multiple_of(3) {
            out.push(',');
        }
        out.push(digit);
    }
    out
}

/// A name of the trace's own: it may hold anything, and must not move a cursor or fill a screen.
pub(crate) fn name(text: &str) -> String {
    const MOST: usize = 40;
    let mut letters = text.chars();
    let mut out = String::with_capacity(text.len().min(MOST * 2));
    for letter in letters.by_ref().take(MOST) {
        // What controls a terminal, or hides in it or turns its text around, is shown as what it is.
        if is_hidden(letter) { out.extend(letter.escape_debug()) } else { out.push(letter) }
    }
    if letters.next().is_some() {
        out.push('…');
    }
    out
}

/// What was not fine, and what answered: `quota is down (timeout) since 0:05 -> rung 0 local_meter`.
pub(crate) fn reason(matrix: &Matrix, reason: &Reason) -> String {
    let (Some(id), ReasonKind::Rung(kind)) = (reason.dependency, reason.kind) else {
        return match reason.kind {
            ReasonKind::Rule(RuleKind::Refuse) => "a refuse rule of the operation holds".into(),
            ReasonKind::Rule(RuleKind::MaxUnchecked) => {
                "more guards unchecked than max_unchecked lets pass".into()
            }
            ReasonKind::Rule(RuleKind::UnknownName) => {
                "the request has a name that the matrix has not".into()
            }
            ReasonKind::Rule(RuleKind::BreakGlass) => {
                let guard = reason.dependency.map_or("", |id| matrix.dependency_name(id));
                format!("an operator skips {guard} since {}", Clock(reason.since))
            }
            ReasonKind::Rule(RuleKind::OverLimit) => {
                let store = reason.dependency.map_or("", |id| matrix.dependency_name(id));
                format!("{store} said at {} that a limit is reached", Clock(reason.since))
            }
            ReasonKind::Rung(kind) => kind.as_str().into(),
        };
    };
    let dependency = matrix.dependency_name(id);
    let refused = reason.fault == Some(Report::Refused);
    let since = Clock(reason.since);
    let what = match (reason.fault, reason.health) {
        (Some(Report::Refused), _) => format!("{dependency} refused"),
        (fault, Some(health @ (Health::Down | Health::Probing | Health::Degraded))) => match fault {
            Some(fault) => format!("{dependency} is {health} ({}) since {since}", fault.as_str()),
            None => format!("{dependency} is {health} since {since}"),
        },
        (Some(fault), _) => format!("{dependency} failed ({})", fault.as_str()),
        (None, _) => format!("{dependency} failed"),
    };
    match reason.rung {
        Some(_) if refused => format!("{what} -> on_refusal {kind}"),
        None if refused => format!("{what} -> {kind}, as on_refusal says nothing here"),
        Some(rung) => format!("{what} -> rung {rung} {kind}"),
        None => format!("{what} -> {kind}, as no rung stands"),
    }
}

/// What the host must do: `fallback to provider-secondary`, `outbox of event-bus, number 12`.
pub(crate) fn obligation(matrix: &Matrix, obligation: &Obligation) -> String {
    let kind = obligation.kind.as_str();
    let of = obligation.dependency.map(|id| matrix.dependency_name(id));
    match obligation.detail {
        Detail::To(target) => format!("{kind} to {}", matrix.dependency_name(target)),
        Detail::Meter(meter) => format!("{kind} of {}", matrix.meter_name(meter)),
        Detail::Sequence(number) => {
            let number = number.map(|number| format!(" #{number}")).unwrap_or_default();
            format!("{kind} of {}{number}", of.unwrap_or_default())
        }
        Detail::Retry { after, most, attempt, max_attempts } => {
            let most = most.map(|most| format!(" to {}", length(most))).unwrap_or_default();
            let of = of.unwrap_or_default();
            format!("{kind} {of} after {}{most} (call {attempt} of {max_attempts})", length(after))
        }
        Detail::None => match (&obligation.kind, of) {
            (ObligationName::Own(_) | ObligationName::Known(ObligationKind::WithholdOutput), _)
            | (_, None) => kind.into(),
            (ObligationName::Known(_), Some(of)) => format!("{kind} {of}"),
        },
    }
}

/// The event that a rung emits: `quota.degraded (QUOTA, alert ticket)`.
pub(crate) fn emit(emit: &Emit) -> String {
    let alert = emit.alert.as_deref().map(|alert| format!("alert {alert}"));
    let more: Vec<&str> = emit.reason.as_deref().into_iter().chain(alert.as_deref()).collect();
    // Without a name of its own an alert's event is called `alert`.
    if emit.event.as_ref() == "alert" && emit.reason.is_none() && alert.is_some() {
        return more.join(", ");
    }
    if more.is_empty() { emit.event.to_string() } else { format!("{} ({})", emit.event, more.join(", ")) }
}

/// Status, code and wait: `429 QUOTA_EXCEEDED, again in 1s`.
pub(crate) fn answer(decision: &Decision) -> String {
    let mut out = decision.status.to_string();
    if let Some(code) = &decision.code {
        out = format!("{out} {code}");
    }
    if let Some(wait) = decision.retry_after {
        out = format!("{out}, again in {}", length(wait));
    }
    out
}

/// Why a health changed: `failure rate 62.5% >= 50% over 16 calls (timeout)`.
pub(crate) fn cause(
    cause: Cause,
    crossed: Option<Crossed>,
    window: WindowFigures,
    fault: Option<Fault>,
) -> String {
    let class = fault.map(|fault| format!(" ({fault})")).unwrap_or_default();
    let value = crossed.map_or(0, |crossed| crossed.value);
    let rate = |what: &str| {
        let crossed = crossed.map(|crossed| {
            let sign = if crossed.value < crossed.limit { "<" } else { ">=" };
            format!(" {} {sign} {}", percent(crossed.value), percent(crossed.limit))
        });
        let calls = counted(usize::try_from(window.calls).unwrap_or(usize::MAX), "call", "calls");
        format!("{what}{} over {calls}", crossed.unwrap_or_default())
    };
    let base: &str = match cause {
        Cause::FirstOutcome => "first outcome",
        Cause::ConsecutiveFailures if value == 1 => return format!("1 failure{class}"),
        Cause::ConsecutiveFailures => return format!("{value} failures in a row{class}"),
        Cause::FailureRate => return format!("{}{class}", rate("failure rate")),
        Cause::SlowCallRate => return format!("{}{class}", rate("rate of slow calls")),
        Cause::FailureCount => return format!("{value} failures in the window{class}"),
        Cause::HungCalls => "calls hang past their deadline",
        Cause::RetryAfter => return format!("it asks to be left alone{class}"),
        Cause::RatesFell => "its rates have fallen",
        Cause::WaitOver => "its wait is over",
        Cause::TrialOk => "the trial calls went well",
        Cause::TrialFailed => return format!("the trial calls failed{class}"),
        Cause::PermitExpired => "a trial call never came back",
        Cause::MaxWaitInHalfOpen => "its trial calls took too long",
        Cause::ProbeUp => "a probe says up",
        Cause::ProbeDown => "probes say down",
        Cause::ProbeDegraded => "a probe says degraded",
        Cause::Operator => "an operator's act",
        Cause::OverrideExpired => "an override's time was over",
        Cause::Advice => "advice",
        Cause::AdviceLapsed => "advice lapsed",
        Cause::SignalTooOld => "nothing was heard for too long",
        Cause::Restart => "the restart",
        Cause::Reload => "the new matrix has other settings for it",
    };
    base.into()
}

/// Hundredths of a percent as people write them.
pub(crate) fn percent(basis_points: u64) -> String {
    let (whole, part) = (basis_points / 100, basis_points % 100);
    match part {
        0 => format!("{whole}%"),
        part if part % 10 == 0 => format!("{whole}.{}%", part / 10),
        part => format!("{whole}.{part:02}%"),
    }
}

/// How far a judgement is: `7 of 10 calls needed`.
pub(crate) fn judged(report: &HealthReport) -> Option<String> {
    let (held, needed) = (report.metrics.buffered_calls, report.minimum_calls);
    (held < needed && needed > 0 && held > 0).then(|| format!("{held} of {needed} calls needed"))
}

/// A health with its class and its wait: `down (timeout), may be tried in 0.6s`.
pub(crate) fn health(report: &HealthReport, paint: Paint) -> String {
    let mut out = paint.health(report.health, report.health).to_string();
    if let Some(fault) = report.fault {
        out = format!("{out} ({fault})");
    }
    if let Some(wait) = report.wait {
        out = format!("{out}, may be tried in {}", length(wait));
    }
    let is_judged = matches!(report.circuit.as_str(), "closed" | "half_open");
    if let Some(judged) = judged(report).filter(|_| is_judged) {
        out = format!("{out}, {judged}");
    }
    if report.hung_calls > 0 {
        out = format!("{out}, {} hung", thousands(usize::try_from(report.hung_calls).unwrap_or(usize::MAX)));
    }
    if !matches!(report.circuit.as_str(), "closed" | "open" | "half_open") {
        out = format!("{out}, held {}", report.circuit.as_str().replace('_', " "));
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn clocks() {
        let shown = |millis| Clock(Time::from_millis(millis)).to_string();
        assert_eq!(shown(0), "0:00");
        assert_eq!(shown(5_000), "0:05");
        assert_eq!(shown(31_250), "0:31.250");
        assert_eq!(shown(3_723_000), "1:02:03");
        assert_eq!(shown(-1_001), "-0:01.001");
        assert_eq!(Clock(Time::from_millis(5_000)).in_column(), "   0:05    ");
        assert_eq!(Clock(Time::from_millis(5_007)).in_column(), "   0:05.007");
    }

    #[test]
    fn lengths() {
        let shown = |millis| length(Millis::new(millis));
        assert_eq!(shown(0), "0s");
        assert_eq!(shown(250), "250ms");
        assert_eq!(shown(1_400), "1.4s");
        assert_eq!(shown(1_450), "1.45s");
        assert_eq!(shown(30_000), "30s");
        assert_eq!(shown(90_000), "90s");
        assert_eq!(shown(86_400_000), "24h");
        assert_eq!(shown(172_800_000), "2d");
    }

    #[test]
    fn numbers() {
        assert_eq!(thousands(0), "0");
        assert_eq!(thousands(999), "999");
        assert_eq!(thousands(1_000), "1,000");
        assert_eq!(thousands(1_234_567), "1,234,567");
        assert_eq!(counted(1, "line", "lines"), "1 line");
    }

    #[test]
    fn names_are_tame() {
        assert_eq!(name("t1"), "t1");
        assert_eq!(name("a\u{1b}[31m\n"), "a\\u{1b}[31m\\n");
        assert_eq!(name(&"x".repeat(41)), format!("{}…", "x".repeat(40)));
    }
}
