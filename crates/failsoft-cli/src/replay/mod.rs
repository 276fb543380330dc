//! `failsoft replay`: a trace through the engine.

mod fold;
mod lines;
mod progress;
mod summary;
mod text;
mod windows;

use std::fs::File;
use std::io::{self, BufRead, BufReader, Write};
use std::sync::Arc;

use failsoft::trace::{LINE_BYTES, Output, Player, Said};

pub(crate) use self::fold::alike;
use self::lines::{Bad, Lines};
use self::progress::Progress;
use self::text::Text;
use crate::args::ReplayArgs;
use crate::matrix::{self, shown};
use crate::out::Out;
use crate::picture::{Picture, Target};
use crate::trouble::{Outcome, Trouble, plain};

/// So much of a trace is read at a time.
const BUFFER: usize = 64 * 1024;

pub(crate) fn run(args: &ReplayArgs, out: &mut Out) -> Result<Outcome, Trouble> {
    let loaded = matrix::loaded(&args.matrix)?;
    let player = Player::new(&loaded.matrix);
    let inputs = [args.matrix.matrix.as_str(), args.trace.as_str()];
    let target = || args.html.as_deref().map(|path| Target::open(path, &inputs)).transpose();
    if args.trace == "-" {
        let drawing = target()?.map(|target| Drawing::new(player.matrix(), target));
        let mut replay = Replay {
            name: "standard input".into(),
            player,
            progress: Progress::none(),
            drawing,
            unread: false,
        };
        let source = BufReader::with_capacity(BUFFER, io::stdin().lock());
        return replay.run(Lines::new(source), args.json, out);
    }
    let (file, size) = open(&args.trace)?;
    let drawing = target()?.map(|target| Drawing::new(player.matrix(), target));
    let progress = Progress::of(size);
    let mut replay = Replay { name: shown(&args.trace), player, progress, drawing, unread: false };
    let source = BufReader::with_capacity(BUFFER, file);
    replay.run(Lines::new(source), args.json, out)
}

fn open(path: &str) -> Result<(File, u64), Trouble> {
    let opened = File::open(path).and_then(|file| {
        let about = file.metadata()?;
        if about.is_dir() { Err(io::ErrorKind::IsADirectory.into()) } else { Ok((file, about.len())) }
    });
    opened.map_err(|error| {
        let trouble = Trouble::at(shown(path), plain(&error));
        match error.kind() {
            io::ErrorKind::NotFound => trouble.help("give the path of a trace, or `-` for standard input"),
            io::ErrorKind::IsADirectory => trouble.help("give a trace inside it"),
            _ => trouble,
        }
    })
}

struct Replay {
    name: String,
    player: Player,
    progress: Progress,
    drawing: Option<Drawing>,
    /// Nobody reads standard output any more; a page is drawn to its end all the same.
    unread: bool,
}

/// A page that is drawn meanwhile.
struct Drawing {
    picture: Picture,
    /// What the text form says of an event.
    sentences: Text,
    target: Target,
}

impl Drawing {
    fn new(matrix: &Arc<failsoft::Matrix>, target: Target) -> Self {
        Self { picture: Picture::new(matrix), sentences: Text::plain(matrix), target }
    }

    fn take(&mut self, player: &Player, output: &Output) {
        let said = match &output.said {
            Said::Event { event, .. } => Some(self.sentences.event(player, &output.matrix, event)),
            _ => None,
        };
        self.picture.take(player, output, said.as_deref());
    }

    /// Asks which windows are still open, and writes the page.
    fn end(mut self, player: &mut Player, played: u64) -> Result<(), Trouble> {
        let mut open = Vec::new();
        // A question changes nothing, and without an answer the page says less.
        if played > 0 && player.line(r#"{"windows":{}}"#, &mut open).is_ok() {
            open.iter().for_each(|output| self.picture.asked(player, output));
        }
        self.target.write(&self.picture.page(player, played))
    }
}

impl Replay {
    fn run(&mut self, mut lines: Lines<impl BufRead>, json: bool, out: &mut Out) -> Result<Outcome, Trouble> {
        let mut text = (!json).then(|| Text::new(self.player.matrix(), out));
        let mut said: Vec<Output> = Vec::new();
        let mut played: u64 = 0;
        let ended = loop {
            let line = match lines.next() {
                Ok(Some(line)) => line,
                Ok(None) => break Ok(()),
                Err(bad) => break Err(self.bad_line(bad, lines.number)),
            };
            if line.trim_ascii().is_empty() {
                continue;
            }
            if let Err(mistake) = self.player.line(line, &mut said) {
                let place = format!("{}:{}:{}", self.name, lines.number, mistake.column);
                break Err(Trouble::at(place, mistake.what).maybe_help(mistake.help));
            }
            played += 1;
            self.say(&mut said, &mut text, out)?;
            self.progress.at(lines.bytes);
        };
        self.progress.end();
        if let Some(text) = text.as_mut().filter(|_| !self.unread) {
            match text.end(&self.player, ended.is_ok().then_some(played), out) {
                Err(Trouble::ClosedPipe) if self.drawing.is_some() => {}
                told => told?,
            }
        }
        ended?;
        if let Some(drawing) = self.drawing.take() {
            drawing.end(&mut self.player, played)?;
        }
        Ok(Outcome::Done)
    }

    fn say(&mut self, said: &mut Vec<Output>, text: &mut Option<Text>, out: &mut Out) -> Result<(), Trouble> {
        for output in said.drain(..) {
            if let Some(drawing) = &mut self.drawing {
                drawing.take(&self.player, &output);
            }
            if self.unread {
                continue;
            }
            let told = match text {
                Some(text) => text.say(&self.player, output, out),
                None => {
                    let written = self.player.write_json(&mut *out, &output);
                    written.and_then(|()| out.write_all(b"\n")).map_err(Trouble::from)
                }
            };
            match told {
                Err(Trouble::ClosedPipe) if self.drawing.is_some() => self.unread = true,
                told => told?,
            }
        }
        Ok(())
    }

    fn bad_line(&self, bad: Bad, number: u64) -> Trouble {
        let name = &self.name;
        match bad {
            Bad::Unreadable(error) => Trouble::at(format!("{name}:{number}:1"), plain(&error)),
            Bad::TooLong => Trouble::at(
                format!("{name}:{number}:{}", LINE_BYTES + 1),
                format!("the line is longer than {} MiB ({LINE_BYTES} bytes)", LINE_BYTES >> 20),
            )
            .help("a trace is JSON Lines: each line one object of its own"),
            Bad::NotUtf8 { column, byte } => Trouble::at(
                format!("{name}:{number}:{column}"),
                format!("the byte 0x{byte:02x} is not UTF-8"),
            )
            .help("a trace is text; unpack it first, or save it as UTF-8"),
        }
    }
}
