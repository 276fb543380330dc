//! A lane: spans one after the other, no more than there is room for.

use super::span::{Kind, Span};

/// Beyond this width all spans of a lane lie in two buckets.
const WIDEST: i64 = 1 << 55;

pub(super) struct Lane {
    pub(super) kind: Kind,
    /// The dependency's or the operation's, as it may be shown.
    pub(super) name: String,
    spans: Vec<Span>,
    /// Spans shorter than this that begin in the same bucket of this width are merged; 0 where none are.
    width: i64,
    bytes: usize,
}

impl Lane {
    pub(super) fn new(kind: Kind, name: String) -> Self {
        Self { kind, name, spans: Vec::new(), width: 0, bytes: 0 }
    }

    pub(super) fn spans(&self) -> &[Span] {
        &self.spans
    }

    /// Bytes on the page, but for the last span, which may still grow.
    pub(super) fn bytes(&self) -> usize {
        self.bytes
    }

    pub(super) fn width(&self) -> i64 {
        self.width
    }

    /// How many lines are no longer told apart.
    pub(super) fn merged(&self) -> u64 {
        self.spans.iter().filter(|span| span.parts > 1).map(|span| span.count).sum()
    }

    pub(super) fn last_mut(&mut self) -> Option<&mut Span> {
        self.spans.last_mut()
    }

    pub(super) fn spans_mut(&mut self) -> impl Iterator<Item = &mut Span> {
        self.spans.iter_mut()
    }

    /// Adds a span; says how many bytes the one before it came to.
    pub(super) fn push(&mut self, span: Span) -> usize {
        let done = self.spans.last().map(Span::weight).unwrap_or_default();
        self.bytes += done;
        self.spans.push(span);
        done
    }

    /// Weighs itself anew.
    pub(super) fn weigh(&mut self) {
        let done = self.spans.len().saturating_sub(1);
        self.bytes = self.spans.iter().take(done).map(Span::weight).sum();
    }

    /// Merges neighbours until it is a quarter smaller, each time those within twice the width. Whether it got smaller.
    pub(super) fn shrink(&mut self) -> bool {
        let before = self.bytes;
        self.merge();
        while self.bytes > before / 4 * 3 && self.width < WIDEST && self.spans.len() > 3 {
            self.width = (self.width * 2).max(1);
            self.merge();
        }
        self.bytes < before
    }

    fn merge(&mut self) {
        let width = self.width;
        if width == 0 {
            return;
        }
        let last = self.spans.pop();
        let mut kept: Vec<Span> = Vec::new();
        for span in self.spans.drain(..) {
            match kept.last_mut() {
                Some(before) if joins(before, &span, width) => before.absorb(span, self.kind),
                _ => kept.push(span),
            }
        }
        kept.extend(last);
        self.spans = kept;
        self.weigh();
    }
}

fn joins(left: &Span, right: &Span, width: i64) -> bool {
    left.length() < width
        && right.length() < width
        && left.from.div_euclid(width) == right.from.div_euclid(width)
}

#[cfg(test)]
mod tests {
    use super::super::span::Body;
    use super::*;

    fn lane(moments: &[(i64, i64)]) -> Lane {
        let mut lane = Lane::new(Kind::Told, "told".into());
        for (from, to) in moments {
            lane.push(Span { to: *to, ..Span::new(*from, 0, Body::Told { said: None }) });
        }
        lane
    }

    #[test]
    fn neighbours_in_a_bucket_are_merged_and_long_spans_stay() {
        let mut lane = lane(&[(0, 0), (1, 1), (4, 20), (21, 21), (22, 22), (25, 25)]);
        lane.width = 4;
        lane.merge();
        // Buckets of 4: 0 to 3, 20 to 23, and the last, which may still grow, by itself.
        let shown: Vec<(i64, i64, u64)> =
            lane.spans.iter().map(|span| (span.from, span.to, span.parts)).collect();
        assert_eq!(shown, [(0, 1, 2), (4, 20, 1), (21, 22, 2), (25, 25, 1)]);
        assert_eq!(lane.merged(), 4);
    }

    #[test]
    fn whatever_is_in_it_it_can_be_made_small() {
        let far = 1 << 53;
        let mut lane = lane(&[(-far, -far), (-far + 1, -1), (-1, -1), (0, 7), (9, far - 1), (far, far)]);
        while lane.shrink() {}
        assert!(lane.spans.len() <= 3, "{:?}", lane.spans);
        assert_eq!(lane.spans.iter().map(|span| span.count).sum::<u64>(), 6);
    }
}
