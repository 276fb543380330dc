//! What a replay came to: a sentence, and the decisions counted.

use std::fmt::Write as _;

use super::Picture;
use super::lane::Lane;
use super::span::{Kind, POSTURES, Span, VERDICTS};
use super::tables::{clock, count, large};

/// `183 lines, 0:00 to 0:27; 45 decisions, 31 changes of health, 4 windows`.
pub(super) fn summary(picture: &Picture, played: u64) -> String {
    let lines = count(played, "line", "lines");
    let Some(first) = picture.first else { return lines };
    let sum = |kind: Kind| -> u64 {
        let lanes = picture.lanes().filter(|lane| lane.kind == kind);
        lanes.flat_map(Lane::spans).map(|span| span.count).sum()
    };
    let parts = [
        count(sum(Kind::Operation), "decision", "decisions"),
        count(sum(Kind::Health), "change of health", "changes of health"),
        count(sum(Kind::Window), "window", "windows"),
    ];
    format!("{lines}, {} to {}: {}", clock(first), clock(picture.last), parts.join(", "))
}

pub(super) fn by_posture(picture: &Picture) -> String {
    let mut sums = [[0_u64; 4]; 4];
    let lanes = picture.lanes().filter(|lane| lane.kind == Kind::Operation);
    for (state, amount) in lanes.flat_map(Lane::spans).flat_map(Span::tallied) {
        let row = sums.get_mut(usize::from(state / 4));
        if let Some(sum) = row.and_then(|row| row.get_mut(usize::from(state % 4))) {
            *sum += amount;
        }
    }
    if sums.iter().flatten().all(|sum| *sum == 0) {
        return String::new();
    }
    let mut out = String::from(
        "<section class=\"sums\">\n<h2>Decisions by posture</h2>\n<table>\n<thead><tr><th scope=\"col\">Verdict</th>",
    );
    for posture in POSTURES {
        let _ = write!(out, "<th scope=\"col\">{}</th>", posture.as_str().replace('_', "_<wbr>"));
    }
    out += "<th scope=\"col\">all</th></tr></thead>\n<tbody>\n";
    for (verdict, row) in VERDICTS.iter().zip(sums) {
        let all: u64 = row.iter().sum();
        if all > 0 {
            let _ = write!(out, "<tr><th scope=\"row\">{verdict}</th>");
            for sum in row.into_iter().chain([all]) {
                let shown = if sum == 0 { "–".into() } else { large(sum) };
                let _ = write!(out, "<td>{shown}</td>");
            }
            out += "</tr>\n";
        }
    }
    out + "</tbody>\n</table>\n</section>\n"
}
