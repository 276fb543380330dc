//! How far a long replay has come, told on a terminal.

use std::io::{self, IsTerminal};

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

/// A shorter trace is through before a bar could be read.
const LONG: u64 = 4 << 20;
/// So many bytes are played between two looks at the clock.
const STEP: u64 = 1 << 20;

pub(super) struct Progress {
    bar: Option<ProgressBar>,
    next: u64,
}

impl Progress {
    /// No bar: nobody knows how long it will be.
    pub(super) fn none() -> Self {
        Self { bar: None, next: u64::MAX }
    }

    /// A bar, if the trace is long, somebody sees it, and it does not stand between the lines of the answer.
    pub(super) fn of(size: u64) -> Self {
        if size < LONG || !io::stderr().is_terminal() || io::stdout().is_terminal() {
            return Self::none();
        }
        let bar = ProgressBar::with_draw_target(Some(size), ProgressDrawTarget::stderr());
        let style = ProgressStyle::with_template("{wide_bar} {bytes} of {total_bytes}, {eta} left");
        bar.set_style(style.unwrap_or_else(|_| ProgressStyle::default_bar()));
        Self { bar: Some(bar), next: 0 }
    }

    pub(super) fn at(&mut self, bytes: u64) {
        if bytes >= self.next {
            self.next = bytes.saturating_add(STEP);
            if let Some(bar) = &self.bar {
                bar.set_position(bytes);
            }
        }
    }

    pub(super) fn end(&mut self) {
        if let Some(bar) = self.bar.take() {
            bar.finish_and_clear();
        }
    }
}
