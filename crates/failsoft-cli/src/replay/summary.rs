//! What a replay came to.

use std::collections::BTreeMap;
use std::io::Write;
use std::sync::Arc;

use failsoft::trace::{Output, Player, Said};
use failsoft::{Event, Health, Matrix, Posture, Succession, Time, Verdict};

use super::windows;
use crate::out::Out;
use crate::trouble::Trouble;
use crate::words::{self, Clock, counted, thousands};

/// The columns, most closed first.
const POSTURES: [Posture; 4] = [Posture::Normal, Posture::FailSoft, Posture::FailOpen, Posture::FailClosed];

/// So many names of events are counted each.
const NAMES: usize = 1_024;

#[derive(Default)]
pub(super) struct Summary {
    decisions: BTreeMap<(Verdict, Posture), usize>,
    calls: (usize, usize),
    /// Events of the matrix's own, and those beyond so many names: a reload brings new ones.
    told: BTreeMap<Arc<str>, usize>,
    told_more: usize,
    /// When each dependency's health last changed.
    since: BTreeMap<String, Time>,
    first: Option<Time>,
}

impl Summary {
    pub(super) fn note(&mut self, output: &Output) {
        self.first = self.first.or(Some(output.at));
        match &output.said {
            Said::Decision { decision, .. } => {
                *self.decisions.entry((decision.verdict, decision.posture)).or_default() += 1;
            }
            Said::Permit { given: true, .. } => self.calls.0 += 1,
            Said::Permit { given: false, .. } => self.calls.1 += 1,
            Said::Health { .. } | Said::Windows { .. } => {}
            Said::Event { event: Event::Emitted(emit), .. } => {
                let is_full = self.told.len() >= NAMES;
                match self.told.get_mut(&emit.event) {
                    Some(count) => *count += 1,
                    None if is_full => self.told_more += 1,
                    None => drop(self.told.insert(emit.event.clone(), 1)),
                }
            }
            Said::Event { event: Event::HealthChanged { dependency, .. }, .. } => {
                let name = output.matrix.dependency_name(*dependency);
                match self.since.get_mut(name) {
                    Some(since) => *since = output.at,
                    None => drop(self.since.insert(name.into(), output.at)),
                }
            }
            Said::Event { .. } => {}
        }
    }

    /// Another matrix has taken over: of what does not go on nothing is known any more.
    pub(super) fn follow(&mut self, before: &Matrix, now: &Matrix) {
        let by = Succession::new(before, now);
        self.since.retain(|name, _| before.dependency(name).is_some_and(|id| by.dependency(id).is_some()));
    }

    pub(super) fn tell(&self, player: &Player, played: u64, out: &mut Out) -> Result<(), Trouble> {
        let (paint, matrix) = (out.paint, player.matrix().as_ref());
        let lines = counted(usize::try_from(played).unwrap_or(usize::MAX), "line", "lines");
        let last = player.now();
        if played > 0 {
            writeln!(out)?;
        }
        match (self.first, last) {
            (Some(first), Some(last)) => {
                writeln!(out, "{}", paint.bold(format!("{lines}, {} to {}", Clock(first), Clock(last))))?;
            }
            _ => writeln!(out, "{}", paint.bold(lines))?,
        }
        writeln!(out, "{}", paint.dim(matrix.identity()))?;
        self.tell_decisions(out)?;
        let (made, not) = self.calls;
        if made + not > 0 {
            writeln!(
                out,
                "\n{}  {} let through, {} not",
                paint.dim("calls "),
                thousands(made),
                thousands(not)
            )?;
        }
        let mut told: Vec<String> =
            self.told.iter().map(|(event, count)| format!("{event} {}", thousands(*count))).collect();
        if self.told_more > 0 {
            told.push(format!("others {}", thousands(self.told_more)));
        }
        if !told.is_empty() {
            writeln!(out, "\n{}  {}", paint.dim("events"), told.join(", "))?;
        }
        self.tell_health(player, out)
    }

    fn tell_decisions(&self, out: &mut Out) -> Result<(), Trouble> {
        if self.decisions.is_empty() {
            return Ok(());
        }
        let paint = out.paint;
        let used = |posture: &Posture| self.decisions.keys().any(|(_, held)| held == posture);
        let postures: Vec<Posture> = POSTURES.into_iter().filter(used).collect();
        write!(out, "\n{}", paint.dim(format!("{:<10}", "decisions")))?;
        for posture in &postures {
            write!(out, "{}", paint.posture(*posture, format!("{posture:>13}")))?;
        }
        writeln!(out, "{}", paint.dim(format!("{:>13}", "all")))?;
        for verdict in Verdict::ALL {
            let count = |posture: &Posture| self.decisions.get(&(*verdict, *posture)).copied().unwrap_or(0);
            let all: usize = postures.iter().map(count).sum();
            if all == 0 {
                continue;
            }
            write!(out, "{}", paint.verdict(*verdict, format!("{verdict:<10}")))?;
            for posture in &postures {
                let shown = match count(posture) {
                    0 => "-".into(),
                    count => thousands(count),
                };
                write!(out, "{shown:>13}")?;
            }
            writeln!(out, "{:>13}", thousands(all))?;
        }
        Ok(())
    }

    /// What is not fine one by one, then what is, then what nothing is known of.
    fn tell_health(&self, player: &Player, out: &mut Out) -> Result<(), Trouble> {
        let (paint, matrix) = (out.paint, player.matrix().as_ref());
        let mut healthy: Vec<&str> = Vec::new();
        let mut unknown = 0;
        let mut lines: Vec<String> = Vec::new();
        for (id, name) in matrix.dependencies() {
            let Some((_, report)) = player.health(id) else { continue };
            match report.health {
                Health::Healthy if report.circuit.as_str() == "closed" => healthy.push(name),
                Health::Unknown if report.circuit.as_str() == "closed" => unknown += 1,
                _ => {
                    let since =
                        self.since.get(name).map(|at| format!(", since {}", Clock(*at))).unwrap_or_default();
                    lines.push(format!("{} is {}{since}", paint.bold(name), words::health(&report, paint)));
                }
            }
        }
        for (id, account) in player.windows() {
            let told = windows::account(matrix, &account).swap_remove(0);
            lines.push(format!("the window of {} is open: {told}", paint.bold(matrix.dependency_name(id))));
        }
        if !healthy.is_empty() {
            lines.push(format!("{}: {}", paint.health(Health::Healthy, "healthy"), healthy.join(", ")));
        }
        if unknown > 0 {
            let many = counted(unknown, "dependency", "dependencies");
            lines.push(paint.dim(format!("unknown: {many}, of which nothing was heard")).to_string());
        }
        for (place, line) in lines.iter().enumerate() {
            let label = if place == 0 { "at end" } else { "" };
            let gap = if place == 0 { "\n" } else { "" };
            writeln!(out, "{gap}{}  {line}", paint.dim(format!("{label:<6}")))?;
        }
        Ok(())
    }
}
