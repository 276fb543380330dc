//! The tables below the timeline: the replay for those who read it without a script, or on paper.

use std::fmt::{self, Display, Write as _};

use failsoft::{Millis, Time};

use super::account::{Account, Window};
use super::lane::Lane;
use super::span::{Body, Kind, Span};
use super::{Picture, sums};
use crate::table::Escaped as Text;
use crate::words::{Clock, counted, length, thousands};

/// So long a table may become, in rows and in bytes.
const ROWS: usize = 400;
const BYTES: usize = 75_000;

pub(super) fn all(picture: &Picture) -> String {
    let mut out = sums::by_posture(picture);
    out += &windows(picture);
    out += &list(picture, Kind::Health, "Changes of health", &["At", "What changed"]);
    out += &list(picture, Kind::Operation, "Decisions", &["At", "Decision", "Why, and what follows"]);
    out += &list(picture, Kind::Told, "Other events", &["At", "What was told"]);
    out
}

/// A table of so many rows as there is room for.
struct Rows {
    out: String,
    rows: usize,
    left: usize,
}

impl Rows {
    fn new(title: &str, columns: &[&str]) -> Self {
        let mut out = format!("<section>\n<h2>{title}</h2>\n<table>\n<thead><tr>");
        for column in columns {
            let _ = write!(out, "<th scope=\"col\">{column}</th>");
        }
        out += "</tr></thead>\n<tbody>\n";
        Self { out, rows: 0, left: 0 }
    }

    fn row(&mut self, row: impl FnOnce() -> String) {
        if self.rows >= ROWS || self.out.len() >= BYTES {
            self.left += 1;
            return;
        }
        self.rows += 1;
        self.out += &row();
    }

    fn end(mut self) -> String {
        if self.rows == 0 {
            return String::new();
        }
        self.out += "</tbody>\n</table>\n";
        if self.left > 0 {
            let more = counted(self.left, "row", "rows");
            let _ = writeln!(self.out, "<p class=\"more\">{more} more: the timeline above has them.</p>");
        }
        self.out + "</section>\n"
    }
}

/// The spans of a kind, in the order in which they began.
fn spans(picture: &Picture, kind: Kind) -> Vec<(&Lane, &Span)> {
    let lanes = picture.lanes().filter(|lane| lane.kind == kind);
    let mut spans: Vec<_> =
        lanes.flat_map(|lane| lane.spans().iter().map(move |span| (lane, span))).collect();
    spans.retain(|(_, span)| span.count > 0);
    spans.sort_by_key(|(_, span)| span.from);
    spans
}

fn list(picture: &Picture, kind: Kind, title: &str, columns: &[&str]) -> String {
    let mut rows = Rows::new(title, columns);
    for (lane, span) in spans(picture, kind) {
        rows.row(|| match &span.body {
            Body::Answer { answer, who, retry } => decision(picture, lane, span, (*answer, *who, *retry)),
            Body::Health { said, .. } | Body::Told { said } => {
                let said = said.and_then(|said| picture.words.get(said)).map_or("", |said| said);
                let said = match (span.parts, said) {
                    (1, "") => format!("{} {}", lane.name, kind.state(span.state)),
                    (1, said) => said.into(),
                    (_, "") => format!("{}: {}", lane.name, mixture(lane.kind, span)),
                    (_, said) => format!("{}: {}; {said}", lane.name, mixture(lane.kind, span)),
                };
                format!("<tr>{}<td>{}</td></tr>\n", At(span), Text(&said))
            }
            Body::Window(_) => String::new(),
        });
    }
    rows.end()
}

/// `mixed: 812 changes, worst down; healthy 6.8s, down 3.2s`.
fn mixture(kind: Kind, span: &Span) -> String {
    let what = match kind {
        Kind::Health => count(span.count, "change", "changes"),
        Kind::Operation => count(span.count, "decision", "decisions"),
        Kind::Window => count(span.count, "window", "windows"),
        Kind::Told => count(span.count, "line", "lines"),
    };
    let tallied = span.tallied();
    let parts = tallied.iter().filter(|(_, amount)| *amount > 0).map(|(state, amount)| {
        let amount = if kind == Kind::Health { length(Millis::new(*amount)) } else { large(*amount) };
        format!("{} {amount}", kind.state(*state))
    });
    let worst = kind.state(span.state);
    format!("mixed: {what}, worst {worst} ({})", parts.collect::<Vec<_>>().join(", "))
}

fn decision(
    picture: &Picture,
    lane: &Lane,
    span: &Span,
    (answer, who, retry): (Option<u32>, Option<u32>, Option<u64>),
) -> String {
    let word = |number: u32| picture.words.get(number).map_or("", |word| word);
    let answer = answer.and_then(|answer| picture.answers.all.get(answer));
    let state = Kind::Operation.state(span.state);
    let (verdict, posture) = state.split_once(' ').unwrap_or((&state, ""));
    let class = span.state % 4;
    let mut out = format!("<tr>{}<td><b>{verdict} <span class=\"p{class}\">{posture}</span></b> ", At(span));
    if let Some(answer) = answer {
        let _ = write!(out, "{}", Text(word(answer.head)));
    }
    if let Some(retry) = retry {
        let _ = write!(out, ", again in {}", length(Millis::new(retry)));
    }
    let _ = write!(out, "<small>{} <bdi>{}</bdi>", Text(&lane.name), Text(who.map_or("", word)));
    match span {
        Span { parts: 1, count: 1, .. } => {}
        Span { parts: 1, count, .. } => {
            let _ = write!(out, " and {} more like this", large(count - 1));
        }
        span => {
            let _ =
                write!(out, ", {}; the first of the worst is told", Text(&mixture(Kind::Operation, span)));
        }
    }
    let flags = answer.map(|answer| (answer.preview, answer.enforced));
    out += match flags {
        Some((true, _)) => " (preview)",
        Some((_, false)) => " (shadow: not obeyed)",
        _ => "",
    };
    out += "</small></td><td>";
    if let Some(answer) = answer {
        for reason in &answer.reasons {
            let _ = write!(out, "<span class=\"line\">{}</span>", Text(word(*reason)));
        }
        for (label, lines) in [("do", &answer.obligations), ("tell", &answer.emits)] {
            let said: Vec<&str> = lines.iter().map(|line| word(*line)).collect();
            if !said.is_empty() {
                let _ = write!(out, "<span class=\"line\"><i>{label}</i> {}</span>", Text(&said.join(", ")));
            }
        }
    }
    out + "</td></tr>\n"
}

fn windows(picture: &Picture) -> String {
    let columns = ["At", "Window", "What went through", "For whom"];
    let mut rows = Rows::new("Windows", &columns);
    for (lane, span) in spans(picture, Kind::Window) {
        let Body::Window(window) = &span.body else { continue };
        rows.row(|| self::window(lane, span, window));
    }
    rows.end()
}

fn window(lane: &Lane, span: &Span, window: &Window) -> String {
    let mut out = format!("<tr>{}<td><b>{}</b>", At(span), Text(&lane.name));
    match (span.parts, window.closed) {
        (1, Some(closed)) => {
            let last = window.last_use.map_or_else(|| clock(closed), clock);
            let how = if window.reloaded { "closed by the reload" } else { "closed" };
            let _ = write!(out, "<small>last used {last}, {how} {}</small>", clock(closed));
        }
        (1, None) if window.lost => {
            out += "<small>told no more of: a snapshot was restored without it</small>";
        }
        (1, None) => out += "<small>still open</small>",
        _ => {
            let _ = write!(out, "<small>{}</small>", Text(&mixture(Kind::Window, span)));
        }
    }
    for mark in &window.marks {
        let _ = write!(out, "<span class=\"line\"><i>{}</i> {}</span>", clock(mark.at), Text(&mark.said));
    }
    out += "</td><td>";
    let account = &window.account;
    if account.told {
        let _ = write!(out, "<b>{}</b>", count(account.requests, "request", "requests"));
        for (meter, amount) in &account.amounts {
            let _ = write!(out, "<span class=\"line\">{} {}</span>", Text(meter), large(*amount));
        }
        for (rung, requests) in &account.rungs {
            let _ = write!(out, "<span class=\"line\"><i>{}</i> {}</span>", large(*requests), Text(rung));
        }
    } else {
        out += "<small>no account was told</small>";
    }
    out += "</td><td>";
    out += &tenants(account);
    out + "</td></tr>\n"
}

fn tenants(account: &Account) -> String {
    let mut out = String::new();
    for (tenant, requests, amounts) in &account.tenants {
        let amounts = in_brackets(amounts);
        let _ = write!(
            out,
            "<span class=\"line\"><i>{}</i> <bdi>{}</bdi>{}</span>",
            large(*requests),
            Text(tenant),
            Text(&amounts)
        );
    }
    let (more, requests) = account.more;
    if more > 0 {
        let more = count(more, "tenant", "tenants");
        let _ = write!(
            out,
            "<span class=\"line\"><i>{}</i> {more} more{}</span>",
            large(requests),
            Text(&in_brackets(&account.more_amounts))
        );
    }
    if account.others > 0 {
        let amounts = in_brackets(&account.others_amounts);
        let _ = write!(
            out,
            "<span class=\"line\"><i>{}</i> others{}</span>",
            large(account.others),
            Text(&amounts)
        );
    }
    out
}

/// ` (spend 3,000)`.
fn in_brackets(amounts: &[(String, u64)]) -> String {
    let amounts: Vec<String> =
        amounts.iter().map(|(meter, amount)| format!("{meter} {}", large(*amount))).collect();
    if amounts.is_empty() { String::new() } else { format!(" ({})", amounts.join(", ")) }
}

/// The cell that says when.
struct At<'s>(&'s Span);

impl Display for At<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self(span) = self;
        write!(f, "<td class=\"at\" data-t=\"{}\">{}", span.from, clock(span.from))?;
        let goes_on = !matches!(span.body, Body::Health { .. }) || span.parts > 1;
        if goes_on && span.to > span.from {
            write!(f, "<small>to {}</small>", clock(span.to))?;
        }
        f.write_str("</td>")
    }
}

pub(super) fn clock(at: i64) -> String {
    Clock(Time::from_millis(at)).to_string()
}

pub(super) fn large(count: u64) -> String {
    thousands(usize::try_from(count).unwrap_or(usize::MAX))
}

pub(super) fn count(count: u64, one: &str, many: &str) -> String {
    counted(usize::try_from(count).unwrap_or(usize::MAX), one, many)
}
