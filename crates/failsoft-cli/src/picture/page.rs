//! The page: a template, and what stands in it.

use std::fmt::Write as _;

use super::Picture;
use super::lane::Lane;
use super::span::{Kind, Span};
use super::strip::{HIGH, WIDE, paths};
use super::{data, sums, tables};
use crate::table::Escaped as Text;
use crate::words::{Clock, counted, length, thousands};

const PAGE: &str = include_str!("page.html");
const TIMELINE: &str = include_str!("timeline.html");
const STYLE: &str = include_str!("picture.css");
const SCRIPT: &str = concat!(
    "\n(() => {\n\"use strict\";\n",
    include_str!("picture.js"),
    include_str!("moment.js"),
    include_str!("hands.js"),
    "})();\n"
);
/// The one script that a browser may run on the page, so that none that a name might smuggle in is.
const SCRIPT_HASH: &str = "sha256-NnDWZSLTYo96r9QFQuv5cyIH1bM9yICU7+RJGjZvCBE=";

/// So many columns the strips that are drawn in advance have together, and one at least and at most: beyond 1,600 lanes
/// only the script draws.
const COLUMNS: usize = 12_000;
const FEWEST: usize = 7;
const MOST: usize = 500;

pub(super) fn page(picture: &Picture, played: u64) -> String {
    let title = Text(&crate::words::name(picture.matrix.name())).to_string();
    let has_lines = picture.lines > 0;
    let range = picture.range();
    filled(PAGE, |name| match name {
        "title" => title.clone(),
        "hash" => SCRIPT_HASH.into(),
        "style" => STYLE.into(),
        "identity" => Text(picture.matrix.identity()).to_string(),
        "summary" => sums::summary(picture, played),
        "merged" => merged(picture),
        "timeline" if has_lines => timeline(picture, range),
        "tables" if has_lines => tables::all(picture),
        "tables" => empty(played),
        "data" if has_lines => script(picture, range),
        _ => String::new(),
    })
}

/// A template with its `{{names}}` filled in. What is filled in is not read again.
fn filled(template: &str, fill: impl Fn(&str) -> String) -> String {
    let mut parts = template.split("{{");
    let mut out = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        let (name, rest) = part.split_once("}}").unwrap_or((part, ""));
        out.push_str(&fill(name));
        out.push_str(rest);
    }
    out
}

fn empty(played: u64) -> String {
    let what = match played {
        0 => "The trace is empty: nothing was told, so nothing was decided.".to_owned(),
        _ => {
            let lines = counted(usize::try_from(played).unwrap_or(usize::MAX), "line", "lines");
            format!("The trace has {lines}, and none of them changed anything or asked for a decision.")
        }
    };
    format!(
        "<p class=\"empty\">{what} A line such as <code>{{\"at_ms\":0,\"decide\":{{\"operation\":\"…\"}}}}</code> asks for one.</p>\n"
    )
}

/// Says what the page no longer tells apart.
fn merged(picture: &Picture) -> String {
    let lines: u64 = picture.lanes().map(Lane::merged).sum();
    let left_out = match picture.left_out() {
        0 => String::new(),
        lanes => format!(
            "<p class=\"merged\"><strong>Left out:</strong> {} of what reloads have taken away, with all that stood in them.</p>\n",
            counted(usize::try_from(lanes).unwrap_or(usize::MAX), "lane", "lanes"),
        ),
    };
    if lines == 0 {
        return left_out;
    }
    let lanes: Vec<&Lane> = picture.lanes().filter(|lane| lane.merged() > 0).collect();
    let spans: usize =
        lanes.iter().map(|lane| lane.spans().iter().filter(|span| span.parts > 1).count()).sum();
    let widest = lanes.iter().map(|lane| lane.width()).max().unwrap_or_default();
    let within = length(failsoft::Millis::new(widest.unsigned_abs()));
    format!(
        "<p class=\"merged\"><strong>Merged to stay small:</strong> {} of {} printed lines stand in {} of {}. Neighbours within \
         {within} became one span, drawn as a comb where they differ: it tells how many there were, and the worst of them. \
         The sums are of all.</p>\n{left_out}",
        large(lines),
        large(picture.lines),
        counted(spans, "merged span", "merged spans"),
        counted(lanes.len(), "lane", "lanes"),
    )
}

fn large(count: u64) -> String {
    thousands(usize::try_from(count).unwrap_or(usize::MAX))
}

fn script(picture: &Picture, range: (i64, i64)) -> String {
    let data = data::json(picture, range);
    format!("<script type=\"application/json\" id=\"data\">{data}</script>\n<script>{SCRIPT}</script>\n")
}

fn timeline(picture: &Picture, range: (i64, i64)) -> String {
    let lanes = lanes(picture, range);
    filled(TIMELINE, |name| match name {
        "ticks" => ticks(range),
        "lanes" => lanes.clone(),
        _ => String::new(),
    })
}

fn lanes(picture: &Picture, range: (i64, i64)) -> String {
    let columns = COLUMNS / picture.lanes().count().max(1);
    let columns = if columns < FEWEST { 0 } else { i64::try_from(columns.min(MOST)).unwrap_or_default() };
    let mut out = String::new();
    let mut kind = None;
    for lane in picture.lanes() {
        if kind.replace(lane.kind) != Some(lane.kind) {
            out.push_str(&heading(lane.kind));
        }
        let about = Text(&about(lane)).to_string();
        let _ = write!(
            out,
            "<div class=\"lane\"><span class=\"name\"><bdi>{0}</bdi></span><span class=\"track\"><svg viewBox=\"0 0 {WIDE} {1}\" \
             preserveAspectRatio=\"none\" role=\"img\" aria-label=\"{about}\">",
            Text(&lane.name),
            HIGH + 2,
        );
        let drawn = (columns > 0).then(|| paths(lane.kind, lane.spans(), range, columns));
        for (class, path) in drawn.into_iter().flatten() {
            let _ = write!(out, "<path class=\"{class}\" d=\"{path}\"/>");
        }
        out.push_str("</svg></span></div>\n");
    }
    out
}

/// What a kind of lanes shows, and what its bars mean.
fn heading(kind: Kind) -> String {
    let (title, keys): (&str, &[(&str, &str)]) = match kind {
        Kind::Health => (
            "Health",
            &[("h0", "unknown"), ("h1", "healthy"), ("h2", "degraded"), ("h4", "probing"), ("h3", "down")],
        ),
        Kind::Operation => (
            "Posture",
            &[
                ("p0", "normal"),
                ("p1", "fail_soft"),
                ("p2", "fail_open"),
                ("p3", "fail_closed"),
                ("stop", "not allowed"),
            ],
        ),
        Kind::Window => (
            "Windows",
            &[
                ("p1", "fail_soft"),
                ("p2", "fail_open"),
                ("mark", "another rung"),
                ("idle", "after its last use"),
            ],
        ),
        Kind::Told => ("Other events", &[("t0", "asked, meter"), ("t3", "notice"), ("t2", "operator")]),
    };
    let mut out = format!("<h2>{title}");
    for (class, what) in keys {
        let _ = write!(out, " <span class=\"key\"><i class=\"{class}\"></i>{what}</span>");
    }
    out + "</h2>\n"
}

/// A lane in a sentence.
fn about(lane: &Lane) -> String {
    let worst = lane.spans().iter().map(|span| span.state).max_by_key(|state| lane.kind.rank(*state));
    let worst = worst.map(|state| lane.kind.state(state));
    let count: u64 = lane.spans().iter().map(|span| span.count).sum();
    let count = usize::try_from(count).unwrap_or(usize::MAX);
    let name = &lane.name;
    let (what, worst) = match (lane.kind, worst) {
        (_, None) => return format!("{name}: nothing"),
        (Kind::Health, Some(worst)) if count == 0 => return format!("{name}: {worst} throughout"),
        (Kind::Health, Some(worst)) => (counted(count, "change", "changes"), worst),
        (Kind::Operation, Some(worst)) => (counted(count, "decision", "decisions"), worst),
        (Kind::Window, Some(worst)) => (counted(count, "window", "windows"), worst),
        (Kind::Told, Some(_)) => return format!("{} of other kinds", counted(count, "line", "lines")),
    };
    match lane.spans().iter().max_by_key(|span| (lane.kind.rank(span.state), std::cmp::Reverse(span.from))) {
        Some(Span { from, .. }) => {
            format!(
                "{name}: {what}; the worst {worst}, first at {}",
                Clock(failsoft::Time::from_millis(*from))
            )
        }
        None => format!("{name}: {what}"),
    }
}

/// Round moments along the axis.
fn ticks((from, to): (i64, i64)) -> String {
    const STEPS: [i64; 13] = [
        10_000, 15_000, 30_000, 60_000, 120_000, 300_000, 600_000, 900_000, 1_800_000, 3_600_000, 7_200_000,
        21_600_000, 43_200_000,
    ];
    let range = to.saturating_sub(from);
    let least = range / 8 + 1;
    let tens = (0..4).flat_map(|power| [1, 2, 5].map(|step| step * 10_i64.pow(power)));
    let mut steps: Vec<i64> = tens.chain(STEPS).collect();
    steps.sort_unstable();
    let days = 86_400_000_i64;
    let step =
        steps.into_iter().find(|step| *step >= least).unwrap_or((least / days + 1).saturating_mul(days));
    let mut out = String::new();
    let mut at = from.div_euclid(step) * step;
    while at <= to {
        if at >= from {
            let place = (i128::from(at) - i128::from(from)) * 10_000 / i128::from(range.max(1));
            let _ = write!(
                out,
                "<span style=\"left:{}.{:02}%\">{}</span>",
                place / 100,
                place % 100,
                Clock(failsoft::Time::from_millis(at))
            );
        }
        at = at.saturating_add(step);
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Base64, as a browser writes a hash.
    fn base64(bytes: &[u8]) -> String {
        const LETTERS: &[u8] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
        let mut out = String::new();
        for three in bytes.chunks(3) {
            let bits = three.iter().fold(0_u32, |bits, byte| bits << 8 | u32::from(*byte))
                << (8 * (3 - three.len()));
            for place in 0..4 {
                let letter = LETTERS[(bits >> (18 - 6 * place) & 63) as usize];
                out.push(if place <= three.len() { char::from(letter) } else { '=' });
            }
        }
        out
    }

    #[test]
    fn the_script_is_the_one_that_may_run() {
        use sha2::Digest;
        // The vectors of RFC 4648.
        assert_eq!([&b"f"[..], b"fo", b"foobar"].map(base64), ["Zg==", "Zm8=", "Zm9vYmFy"]);
        let hash = format!("sha256-{}", base64(&sha2::Sha256::digest(SCRIPT)));
        assert_eq!(SCRIPT_HASH, hash, "the script has changed: write its new hash");
    }

    #[test]
    fn what_is_filled_in_is_not_read_again() {
        let out = filled("a {{x}} b {{y}}", |name| if name == "x" { "{{y}}".into() } else { "<".into() });
        assert_eq!(out, "a {{y}} b <");
    }

    #[test]
    fn ticks_are_round() {
        // 27 s in at most 8 steps: of 5 s.
        let expected = [("0.00", "0:00"), ("18.51", "0:05"), ("37.03", "0:10"), ("55.55", "0:15")];
        let out = ticks((0, 27_000));
        for (left, shown) in expected {
            assert!(out.contains(&format!("<span style=\"left:{left}%\">{shown}</span>")), "{out}");
        }
        assert_eq!(out.matches("<span").count(), 6);
        assert!(ticks((-5, 1 << 53)).matches("<span").count() <= 10);
    }
}
