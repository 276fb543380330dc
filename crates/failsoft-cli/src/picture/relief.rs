//! Where the lanes outgrow their budget, the fullest yield.

use super::lane::Lane;
use super::span::Body;
use super::{LANE, Picture};

impl Picture {
    /// Bytes of the data on the page, or a few more.
    pub(super) fn bytes(&self) -> usize {
        self.held + self.words.bytes() + self.answers.all.bytes()
    }

    /// So many bytes the data may have; less with each lane.
    pub(super) fn budget(&self) -> usize {
        let lanes = self.health.len() + self.operations.len() + self.windows.len() + 1;
        self.room.saturating_sub(lanes * LANE)
    }

    /// Merges where there is more than fits, until a quarter is free again.
    pub(super) fn relieve(&mut self) {
        if self.bytes() <= self.limit.max(self.budget()) {
            return;
        }
        let goal = self.budget() / 4 * 3;
        loop {
            let fullest = self.lanes().map(Lane::bytes).max().unwrap_or_default();
            let mut shrunk = false;
            for lane in self.lanes_mut().filter(|lane| lane.bytes() > fullest / 2) {
                shrunk |= lane.shrink();
            }
            self.let_go();
            self.held = self.lanes().map(Lane::bytes).sum();
            if self.bytes() <= goal {
                break;
            }
            if !shrunk {
                // What is left is what single spans say.
                self.bare();
                break;
            }
        }
        // Where even that is too much, it is not tried again at every line.
        self.limit = self.bytes() + self.budget() / 8;
    }

    fn bare(&mut self) {
        for lane in self.lanes_mut() {
            for span in lane.spans_mut() {
                match &mut span.body {
                    Body::Window(window) => window.bare(),
                    Body::Answer { answer, who, .. } => (*answer, *who) = (None, None),
                    Body::Health { said, .. } | Body::Told { said } => *said = None,
                }
            }
            lane.weigh();
        }
        self.held = self.lanes().map(Lane::bytes).sum();
        self.let_go();
    }

    /// Lets go of the answers and sentences that nobody uses any more.
    fn let_go(&mut self) {
        let mut used = self.answers.all.unmarked();
        for span in self.lanes().flat_map(Lane::spans) {
            if let Body::Answer { answer: Some(answer), .. } = &span.body {
                used.mark(*answer);
            }
        }
        let new = self.answers.all.keep(&used);
        let mut used = self.words.unmarked();
        for span in self.lanes_mut().flat_map(Lane::spans_mut) {
            match &mut span.body {
                Body::Answer { answer, who, .. } => {
                    answer.iter_mut().for_each(|number| new.apply(number));
                    who.iter().for_each(|number| used.mark(*number));
                }
                Body::Health { said, .. } | Body::Told { said } => {
                    said.iter().for_each(|number| used.mark(*number));
                }
                Body::Window(_) => {}
            }
        }
        self.answers.all.items().flat_map(super::Answer::words).for_each(|number| used.mark(number));
        let new = self.words.keep(&used);
        for span in self.lanes_mut().flat_map(Lane::spans_mut) {
            match &mut span.body {
                Body::Answer { who, .. } => who.iter_mut().for_each(|number| new.apply(number)),
                Body::Health { said, .. } | Body::Told { said } => {
                    said.iter_mut().for_each(|number| new.apply(number));
                }
                Body::Window(_) => {}
            }
        }
        self.answers.renumber(&new);
    }
}
