//! How far a long proof has come, told on a terminal once it takes longer than a second.

use std::io::{self, IsTerminal};
use std::sync::mpsc::{self, RecvTimeoutError, Sender};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

/// What is through sooner needs no bar.
const SOON: Duration = Duration::from_secs(1);
/// How often it is drawn again, so that the time goes on while one step is long.
const TICK: Duration = Duration::from_millis(200);

pub(crate) struct Progress {
    bar: ProgressBar,
    /// Shows the bar once it is time, and ends when the other end of this is dropped.
    waits: Option<(Sender<()>, JoinHandle<()>)>,
}

impl Progress {
    pub(crate) fn new(what: &'static str) -> Self {
        let bar = ProgressBar::hidden();
        let style = ProgressStyle::with_template("{msg} {wide_bar} {percent:>3}%, {elapsed}");
        bar.set_style(style.unwrap_or_else(|_| ProgressStyle::default_bar()));
        bar.set_message(what);
        let waits = io::stderr().is_terminal().then(|| {
            let (ends, ended) = mpsc::channel::<()>();
            let shown = bar.clone();
            let waits = thread::spawn(move || {
                if ended.recv_timeout(SOON) == Err(RecvTimeoutError::Timeout) {
                    shown.set_draw_target(ProgressDrawTarget::stderr());
                    shown.enable_steady_tick(TICK);
                }
            });
            (ends, waits)
        });
        Self { bar, waits }
    }

    /// So much of so much is done.
    pub(crate) fn at(&self, done: usize, all: usize) {
        self.bar.set_length(u64::try_from(all).unwrap_or(u64::MAX));
        self.bar.set_position(u64::try_from(done).unwrap_or(u64::MAX));
    }

    pub(crate) fn end(&mut self) {
        if let Some((ends, waits)) = self.waits.take() {
            drop(ends);
            // It does nothing that could fail; a bar that is not shown is no reason to stop.
            let _ = waits.join();
        }
        self.bar.finish_and_clear();
    }
}

impl Drop for Progress {
    fn drop(&mut self) {
        self.end();
    }
}
