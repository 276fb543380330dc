//! A replay for people: what changed, what was decided and why, moment by moment.

use std::io::Write;
use std::sync::Arc;

use failsoft::trace::{Output, Player, Said};
use failsoft::{Decision, Event, KeyNames, Matrix, RefusedOverride, Time, WindowAccount, WindowEnd};

use super::fold::{Fold, Item};
use super::summary::Summary;
use super::windows;
use crate::out::{Out, Paint};
use crate::trouble::Trouble;
use crate::words::{self, Clock, name};

/// As wide as the column of moments and the space after it.
const GUTTER: &str = "             ";

pub(super) struct Text {
    /// The one under which the present line was said.
    matrix: Arc<Matrix>,
    paint: Paint,
    columns: usize,
    fold: Option<Fold>,
    /// The moment of the line before, which is not shown again.
    shown: Option<Time>,
    summary: Summary,
}

impl Text {
    pub(super) fn new(matrix: &Arc<Matrix>, out: &Out) -> Self {
        let (matrix, summary) = (matrix.clone(), Summary::default());
        // Into a pipe a decision is one line, however long, so that it can be searched for.
        let columns = out.columns.unwrap_or(usize::MAX);
        Self { matrix, paint: out.paint, columns, fold: None, shown: None, summary }
    }

    /// For single sentences, without colours.
    pub(super) fn plain(matrix: &Arc<Matrix>) -> Self {
        let (matrix, paint, summary) = (matrix.clone(), Paint::PLAIN, Summary::default());
        Self { matrix, paint, columns: usize::MAX, fold: None, shown: None, summary }
    }

    pub(super) fn say(&mut self, player: &Player, output: Output, out: &mut Out) -> Result<(), Trouble> {
        self.summary.note(&output);
        let at = output.at;
        if !Arc::ptr_eq(&self.matrix, &output.matrix) {
            self.unfold(out)?;
            let before = std::mem::replace(&mut self.matrix, output.matrix.clone());
            self.summary.follow(&before, &self.matrix);
        }
        match output.said {
            Said::Decision { decision, preview, request, tenant } => {
                let tenant = tenant.as_deref();
                let item = Item::Decision { decision: Box::new(decision), preview };
                if self.folded(&item, at, tenant) {
                    return Ok(());
                }
                self.unfold(out)?;
                if let Item::Decision { decision, .. } = &item {
                    self.decision(at, decision, preview, (request.as_deref(), tenant), out)?;
                }
                self.fold = Some(Fold::new(item, at, tenant));
            }
            Said::Permit { given: true, .. } => {}
            Said::Permit { dependency, given: false } => {
                let item = Item::NoCall { dependency };
                if self.folded(&item, at, None) {
                    return Ok(());
                }
                self.unfold(out)?;
                let dependency = self.matrix.dependency_name(dependency);
                let line = format!("{:<8} {dependency} may not be called now", "no call");
                self.line(at, &line, out)?;
                self.fold = Some(Fold::new(item, at, None));
            }
            Said::Health { dependency, report } => {
                self.unfold(out)?;
                let dependency = self.matrix.dependency_name(dependency);
                let line = format!("{:<8} {dependency} is {}", "asked", words::health(&report, self.paint));
                self.line(at, &line, out)?;
            }
            Said::Windows { open } => {
                self.unfold(out)?;
                if open.is_empty() {
                    self.line(at, &format!("{:<8} no window is open", "asked"), out)?;
                }
                for (id, account) in &open {
                    let head =
                        format!("{:<8} the window of {} is open", "asked", self.matrix.dependency_name(*id));
                    self.account(at, &head, account, out)?;
                }
            }
            // It stands in the decision that it belongs to.
            Said::Event { event: Event::Emitted(_), .. } => {}
            Said::Event { event: Event::WindowClosed { dependency, why, account }, .. } => {
                self.unfold(out)?;
                let dependency = self.paint.bold(self.matrix.dependency_name(dependency));
                let why = match why {
                    WindowEnd::Recovered => "",
                    WindowEnd::Reloaded => " by the reload",
                };
                self.account(at, &format!("{:<8} {dependency} closed{why}", "window"), &account, out)?;
            }
            Said::Event { event, .. } => {
                self.unfold(out)?;
                let line = self.event(player, &output.matrix, &event);
                self.line(at, &line, out)?;
            }
        }
        Ok(())
    }

    /// What is still held, and the summary where the trace was played to its end.
    pub(super) fn end(&mut self, player: &Player, played: Option<u64>, out: &mut Out) -> Result<(), Trouble> {
        self.unfold(out)?;
        match played {
            Some(played) => self.summary.tell(player, played, out),
            None => Ok(()),
        }
    }

    fn folded(&mut self, item: &Item, at: Time, tenant: Option<&str>) -> bool {
        self.fold.as_mut().is_some_and(|fold| fold.takes(item, at, tenant))
    }

    fn unfold(&mut self, out: &mut Out) -> Result<(), Trouble> {
        if let Some(told) = self.fold.take().and_then(|fold| fold.told()) {
            writeln!(out, "{GUTTER}{}", self.paint.dim(told))?;
            self.shown = None;
        }
        Ok(())
    }

    /// One line, with its moment where that is not the one of the line before.
    fn line(&mut self, at: Time, line: &str, out: &mut Out) -> Result<(), Trouble> {
        if self.shown.replace(at) == Some(at) {
            writeln!(out, "{GUTTER}{line}")?;
        } else {
            writeln!(out, "{}  {line}", self.paint.dim(Clock(at).in_column()))?;
        }
        Ok(())
    }

    fn decision(
        &mut self,
        at: Time,
        decision: &Decision,
        preview: bool,
        (request, tenant): (Option<&str>, Option<&str>),
        out: &mut Out,
    ) -> Result<(), Trouble> {
        let paint = self.paint;
        let mut what = decision.operation.to_string();
        if let Some(request) = request {
            what = format!("{what} {}", name(request));
        }
        if let Some(tenant) = tenant {
            what = format!("{what} of {}", name(tenant));
        }
        if preview {
            what.push_str(" (preview)");
        }
        if !decision.enforced {
            what.push_str(" (shadow: not obeyed)");
        }
        let answer = words::answer(decision);
        let head = format!(
            "{} {} {what}: {answer}",
            paint.verdict(decision.verdict, format!("{:<8}", decision.verdict)),
            paint.posture(decision.posture, format!("{:<11}", decision.posture)),
        );
        let details = self.details(decision);
        let width = GUTTER.len() + 23 + what.chars().count() + answer.chars().count();
        let rest: usize = details.iter().map(|detail| detail.chars().count() + 2).sum();
        if width + rest <= self.columns {
            let joined: String = details.iter().map(|detail| format!("; {detail}")).collect();
            return self.line(at, &format!("{head}{joined}"), out);
        }
        self.line(at, &head, out)?;
        for detail in details {
            writeln!(out, "{GUTTER}         {detail}")?;
        }
        Ok(())
    }

    /// What went through a window, and for whom.
    fn account(
        &mut self,
        at: Time,
        head: &str,
        account: &WindowAccount,
        out: &mut Out,
    ) -> Result<(), Trouble> {
        let mut lines = windows::account(&self.matrix, account).into_iter();
        self.line(at, &format!("{head}: {}", lines.next().unwrap_or_default()), out)?;
        for line in lines {
            writeln!(out, "{GUTTER}         {line}")?;
        }
        Ok(())
    }

    /// Why, and what follows.
    fn details(&self, decision: &Decision) -> Vec<String> {
        let matrix = &self.matrix;
        let mut details: Vec<String> =
            decision.reasons.iter().map(|reason| words::reason(matrix, reason)).collect();
        let obligations: Vec<String> =
            decision.obligations.iter().map(|item| words::obligation(matrix, item)).collect();
        if !obligations.is_empty() {
            details.push(format!("do {}", obligations.join(", ")));
        }
        let emits: Vec<String> = decision.emits.iter().map(words::emit).collect();
        if !emits.is_empty() {
            details.push(format!("tell {}", emits.join(", ")));
        }
        details
    }

    /// A sentence for what changed under `matrix`.
    pub(super) fn event(&self, player: &Player, matrix: &Arc<Matrix>, event: &Event) -> String {
        let of = |id| matrix.dependency_name(id);
        match event {
            Event::HealthChanged { dependency, from, to, why, crossed, window, wait, outage, .. } => {
                // What it stands at now is known of the matrix that runs now.
                let known = player.health(*dependency).filter(|_| Arc::ptr_eq(player.matrix(), matrix));
                let fault = known.and_then(|(_, report)| report.fault);
                let why = words::cause(*why, *crossed, *window, fault);
                let wait = wait.map(|wait| format!(", may be tried in {}", words::length(wait)));
                let outage = outage.map(|outage| {
                    let refused = usize::try_from(outage.not_permitted_calls).unwrap_or(usize::MAX);
                    let refused = words::counted(refused, "call", "calls");
                    format!("; it was out for {}, {refused} held back", words::length(outage.duration))
                });
                format!(
                    "{:<8} {} {} -> {}: {why}{}{}",
                    "health",
                    self.paint.bold(of(*dependency)),
                    self.paint.health(*from, from),
                    self.paint.health(*to, to),
                    wait.unwrap_or_default(),
                    outage.unwrap_or_default(),
                )
            }
            Event::OverrideRefused { dependency, to, why } => {
                let to = to.map_or("lifting", |to| to.as_str());
                let why = match why {
                    RefusedOverride::Undeclared => "its matrix does not declare it",
                    RefusedOverride::Unsigned => "it needs `by` and `reason`",
                    RefusedOverride::StrictTransitions => "strict_transitions forbids it",
                    RefusedOverride::TooMany => "there are too many",
                };
                format!("{:<8} {} {to} is refused: {why}", "operator", self.paint.bold(of(*dependency)))
            }
            Event::ClockSkewed { dependency, latency } => {
                let dependency = self.paint.bold(of(*dependency));
                format!("{:<8} {dependency} told a latency of {latency}ms; taken as none", "clock")
            }
            Event::RefusalsSpiked { dependency, refusal_rate_bp, limit_bp, calls } => {
                let rate = format!("{} >= {}", words::percent(*refusal_rate_bp), words::percent(*limit_bp));
                let dependency = self.paint.bold(of(*dependency));
                format!("{:<8} {dependency} refuses {rate} of {calls} calls", "health")
            }
            Event::NeverAnswered { dependency, ignored_calls } => {
                let dependency = self.paint.bold(of(*dependency));
                format!(
                    "{:<8} {dependency} gave {ignored_calls} outcomes in a row that say nothing",
                    "health"
                )
            }
            Event::OverrideSet { dependency, to, length, by, reason } => {
                let to = to.map_or("lifted", |to| to.as_str());
                let length = length.map(|length| format!(" for {}", words::length(length)));
                let by = by.as_deref().map(|by| format!(" by {}", name(by)));
                let reason = reason.as_deref().map(|reason| format!(": {}", name(reason)));
                format!(
                    "{:<8} {} {to}{}{}{}",
                    "operator",
                    self.paint.bold(of(*dependency)),
                    length.unwrap_or_default(),
                    by.unwrap_or_default(),
                    reason.unwrap_or_default(),
                )
            }
            Event::OverrideExpired { dependency, was } => {
                format!("{:<8} {} {was} is over", "operator", self.paint.bold(of(*dependency)))
            }
            Event::ClockSteppedBack { told, kept } => {
                format!("{:<8} stepped back to {}; taken as {}", "clock", Clock(*told), Clock(*kept))
            }
            Event::LimitReached { meter, names, used, own, limit, .. } => {
                let meter = self.paint.bold(matrix.meter_name(*meter));
                let all = used.saturating_add(*own);
                format!("{:<8} {meter} of {} is at its limit: {all} of {limit}", "meter", key(names))
            }
            Event::LimitSet { meter, names, limit, by, reason } => {
                let meter = self.paint.bold(matrix.meter_name(*meter));
                let limit = limit.map_or("limit lifted".to_owned(), |limit| format!("limit {limit}"));
                let of = names.as_ref().map(|names| format!(" of {}", key(names))).unwrap_or_default();
                let by = by.as_deref().map(|by| format!(" by {}", name(by))).unwrap_or_default();
                let reason = reason.as_deref().map(|why| format!(": {}", name(why))).unwrap_or_default();
                format!("{:<8} {meter}{of} {limit}{by}{reason}", "operator")
            }
            Event::LimitRefused { meter, .. } => {
                let meter = self.paint.bold(matrix.meter_name(*meter));
                format!("{:<8} a limit of {meter} is refused: it holds no more of them", "operator")
            }
            Event::MeterSettlement { meter, names, amount, ended } => {
                let meter = self.paint.bold(matrix.meter_name(*meter));
                let of = key(names);
                match ended {
                    None => format!(
                        "{:<8} {meter} of {of}: {amount} counted here is to be added to its store",
                        "meter"
                    ),
                    Some(ended) => format!(
                        "{:<8} {meter} of {of}: {amount} counted here in a period that ended {} ago",
                        "meter",
                        words::length(*ended)
                    ),
                }
            }
            Event::WindowOpened(used) | Event::WindowChanged(used) => {
                let what =
                    if matches!(event, Event::WindowOpened(_)) { "opened" } else { "takes another rung" };
                format!(
                    "{:<8} {} {what}: {} goes on {} by {}",
                    "window",
                    self.paint.bold(of(used.dependency)),
                    matrix.operation_name(used.operation),
                    self.paint.posture(used.posture, used.posture),
                    windows::way(used.way),
                )
            }
            // Told with its account.
            Event::WindowClosed { .. } => String::new(),
            Event::TableFull { meter } => {
                let meter = matrix.meter_name(*meter);
                format!("{:<8} {meter} is full: it counts as many keys as it may, and no newcomer", "meter")
            }
            Event::Emitted(emit) => words::emit(emit),
            Event::MatrixReloaded { from } => {
                format!("{:<8} {} takes over from {}", "reload", name(matrix.identity()), name(from))
            }
        }
    }
}

/// Whose key of a meter it is.
fn key(names: &KeyNames) -> String {
    let tenant = match names.tenant.as_deref() {
        None => "a long name".to_owned(),
        Some("") => "no tenant".to_owned(),
        Some(tenant) => name(tenant),
    };
    match names.session.as_deref() {
        Some(session) => format!("{tenant} / {}", name(session)),
        None => tenant,
    }
}
