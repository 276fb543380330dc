//! How far a long proof has come, told on a terminal once it takes longer than a second.

use std::io::{self, IsTerminal};
use std::time::{Duration, Instant};

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

/// What is through sooner needs no bar.
const SOON: Duration = Duration::from_secs(1);

pub(crate) struct Progress {
    began: Instant,
    bar: Option<ProgressBar>,
    what: &'static str,
}

impl Progress {
    pub(crate) fn new(what: &'static str) -> Self {
        Self { began: Instant::now(), bar: None, what }
    }

    /// So much of so much is done.
    pub(crate) fn at(&mut self, done: usize, all: usize) {
        if self.bar.is_none() && (self.began.elapsed() < SOON || !io::stderr().is_terminal()) {
            return;
        }
        let (done, all) = (u64::try_from(done).unwrap_or(u64::MAX), u64::try_from(all).unwrap_or(u64::MAX));
        let bar = self.bar.get_or_insert_with(|| {
            let bar = ProgressBar::with_draw_target(Some(all), ProgressDrawTarget::stderr());
            let style = ProgressStyle::with_template("{msg} {wide_bar} {pos} of {len}, {elapsed}");
            bar.set_style(style.unwrap_or_else(|_| ProgressStyle::default_bar()));
            bar.set_message(self.what);
            bar
        });
        bar.set_length(all);
        bar.set_position(done);
    }

    pub(crate) fn end(&mut self) {
        if let Some(bar) = self.bar.take() {
            bar.finish_and_clear();
        }
    }
}

impl Drop for Progress {
    fn drop(&mut self) {
        self.end();
    }
}
