//! A lane as a strip: bars whose height tells the state, so that no colour has to.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use super::span::{Body, IDLE, Kind, Span};

/// How high a lane is drawn.
pub(super) const HIGH: u8 = 18;

/// The height of each state, by kind of lane and state: a health; a posture, twice; what is told.
pub(super) const HEIGHTS: [[u8; 5]; 4] =
    [[2, 4, 9, HIGH, 13], [4, 9, 14, HIGH, 0], [4, 9, 14, HIGH, 2], [9, 9, HIGH, 13, 0]];

/// How wide a strip is, in its own units.
pub(super) const WIDE: i64 = 1000;

/// What is drawn in one column.
#[derive(Clone, Copy, PartialEq, Eq)]
struct Cell {
    state: u8,
    spans: u8,
    mixed: bool,
}

/// The paths of a lane: each a class and its outline.
pub(super) fn paths(
    kind: Kind,
    spans: &[Span],
    (from, to): (i64, i64),
    columns: i64,
) -> BTreeMap<String, String> {
    let range = i128::from(to) - i128::from(from);
    let place = |at: i64| {
        let column = (i128::from(at) - i128::from(from)) * i128::from(columns) / range.max(1);
        i64::try_from(column).unwrap_or_default().clamp(0, columns)
    };
    let mut cells: Vec<Option<Cell>> = vec![None; usize::try_from(columns).unwrap_or_default()];
    for (from, to, state, mixed) in spans.iter().flat_map(pieces) {
        let first = place(from).min(columns - 1);
        let last = place(to).max(first + 1);
        let taken = usize::try_from(first).unwrap_or_default()..usize::try_from(last).unwrap_or_default();
        for cell in cells.get_mut(taken).into_iter().flatten() {
            *cell = Some(joined(kind, *cell, state, mixed));
        }
    }
    let mut paths = drawn(kind, &cells, columns);
    // Another rung than before.
    for mark in spans.iter().flat_map(changes_of_rung) {
        let x = place(mark).min(columns - 1) * WIDE / columns;
        bar(paths.entry("mark".into()).or_default(), x, 2, HIGH);
    }
    paths
}

/// What is drawn of a span: of a window its use, and the time after its last.
fn pieces(span: &Span) -> Vec<(i64, i64, u8, bool)> {
    match &span.body {
        Body::Window(window) if span.parts == 1 => {
            let last = window.last_use.unwrap_or(span.to).clamp(span.from, span.to);
            let used = (span.from, last, span.state, false);
            if last < span.to { vec![used, (last, span.to, IDLE, false)] } else { vec![used] }
        }
        _ => vec![(span.from, span.to, span.state, span.is_mixed())],
    }
}

fn changes_of_rung(span: &Span) -> impl Iterator<Item = i64> {
    let marks = if let Body::Window(window) = &span.body { window.marks.as_slice() } else { &[] };
    marks.iter().skip(1).map(|mark| mark.at)
}

fn joined(kind: Kind, cell: Option<Cell>, state: u8, mixed: bool) -> Cell {
    let Some(cell) = cell else { return Cell { state, spans: 1, mixed } };
    let worse = kind.rank(state) > kind.rank(cell.state);
    let spans = cell.spans.saturating_add(1);
    // Two that meet are no mixture.
    let mixed = cell.mixed || mixed || spans > 2;
    Cell { state: if worse { state } else { cell.state }, spans, mixed }
}

/// The class of a state and its height.
fn look(kind: Kind, state: u8) -> (String, u8) {
    let (letter, place, state) = match kind {
        Kind::Health => ('h', 0, state),
        Kind::Operation => ('p', 1, state % 4),
        Kind::Window => ('p', 2, state),
        Kind::Told => ('t', 3, state),
    };
    let heights: &[u8; 5] = HEIGHTS.get(place).unwrap_or(&[0; 5]);
    let class =
        if (kind, state) == (Kind::Window, IDLE) { "idle".into() } else { format!("{letter}{state}") };
    (class, heights.get(usize::from(state)).copied().unwrap_or_default())
}

fn drawn(kind: Kind, cells: &[Option<Cell>], columns: i64) -> BTreeMap<String, String> {
    let mut paths: BTreeMap<String, String> = BTreeMap::new();
    let mut rest = cells;
    let mut column = 0_i64;
    while let Some(first) = rest.first() {
        let alike = |cell: &Cell, other: &Cell| (cell.state, cell.mixed) == (other.state, other.mixed);
        let same = |cell: &&Option<Cell>| match (cell, first) {
            (Some(cell), Some(first)) => alike(cell, first),
            (cell, first) => cell.is_none() == first.is_none(),
        };
        let length = rest.iter().take_while(same).count().max(1);
        let next = column + i64::try_from(length).unwrap_or(1);
        let (x, wide) = (column * WIDE / columns, next * WIDE / columns - column * WIDE / columns);
        if let Some(cell) = first {
            let (class, height) = look(kind, cell.state);
            let path = paths.entry(class).or_default();
            if cell.mixed {
                comb(path, x, wide, height, (WIDE / columns).max(5));
            } else {
                bar(path, x, wide, height);
            }
            if kind == Kind::Operation && cell.state >= 4 {
                let path = paths.entry("stop".into()).or_default();
                let _ = write!(path, "M{x} {HIGH}h{wide}v2h-{wide}z");
            }
        }
        column = next;
        rest = rest.get(length..).unwrap_or_default();
    }
    paths
}

fn bar(path: &mut String, x: i64, wide: i64, height: u8) {
    let _ = write!(path, "M{x} {}h{wide}v{height}h-{wide}z", HIGH - height);
}

/// Many changes: a low bar with teeth.
fn comb(path: &mut String, x: i64, wide: i64, height: u8, apart: i64) {
    bar(path, x, wide, 2);
    let mut tooth = x;
    while tooth < x + wide {
        bar(path, tooth, 2.min(x + wide - tooth), height);
        tooth += apart;
    }
}

#[cfg(test)]
mod tests {
    use failsoft::Health;

    use super::super::span::{Body, health};
    use super::*;

    fn of(from: i64, to: i64, state: Health) -> Span {
        let body = Body::Health { said: None, given: 0, held: 0 };
        Span { to, ..Span::new(from, health(state), body) }
    }

    #[test]
    fn bars_of_the_height_of_their_state() {
        let spans = [of(0, 50, Health::Healthy), of(50, 75, Health::Down), of(75, 100, Health::Healthy)];
        let paths = paths(Kind::Health, &spans, (0, 100), 100);
        let expected = [
            ("h1".to_owned(), "M0 14h500v4h-500zM750 14h250v4h-250z".to_owned()),
            ("h3".to_owned(), "M500 0h250v18h-250z".to_owned()),
        ];
        assert_eq!(paths, BTreeMap::from(expected));
    }

    #[test]
    fn what_is_too_short_to_be_seen_is_seen() {
        let spans = [of(0, 1_000, Health::Healthy), of(1_000, 1_001, Health::Down)];
        let paths = paths(Kind::Health, &spans, (0, 1_000_000), 100);
        // Both lie in the first of 100 columns: the worse is drawn.
        assert_eq!(paths, BTreeMap::from([("h3".to_owned(), "M0 0h10v18h-10z".to_owned())]));
    }

    #[test]
    fn many_in_a_column_are_a_comb() {
        let spans = [of(0, 1, Health::Healthy), of(1, 2, Health::Down), of(2, 3, Health::Healthy)];
        let paths = paths(Kind::Health, &spans, (0, 300), 100);
        let comb = "M0 16h10v2h-10zM0 0h2v18h-2z";
        assert_eq!(paths, BTreeMap::from([("h3".to_owned(), comb.to_owned())]));
    }
}
