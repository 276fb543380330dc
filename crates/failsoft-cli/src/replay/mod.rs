//! `failsoft replay`: a trace through the engine.

mod fold;
mod lines;
mod progress;
mod summary;
mod text;
mod windows;

use std::fs::File;
use std::io::{self, BufRead, BufReader, Write};

use failsoft::trace::{LINE_BYTES, Output, Player};

use self::lines::{Bad, Lines};
use self::progress::Progress;
use self::text::Text;
use crate::args::ReplayArgs;
use crate::matrix::{self, shown};
use crate::out::Out;
use crate::trouble::{Outcome, Trouble, plain};

/// So much of a trace is read at a time.
const BUFFER: usize = 64 * 1024;

pub(crate) fn run(args: &ReplayArgs, out: &mut Out) -> Result<Outcome, Trouble> {
    if args.html.is_some() {
        let help = "leave --html out for text, or take --json and draw it with something else";
        return Err(Trouble::not_built("`failsoft replay --html`", help));
    }
    let loaded = matrix::loaded(&args.matrix)?;
    let player = Player::new(&loaded.matrix);
    if args.trace == "-" {
        let mut replay = Replay { name: "standard input".into(), player, progress: Progress::none() };
        let source = BufReader::with_capacity(BUFFER, io::stdin().lock());
        return replay.run(Lines::new(source), args.json, &loaded.matrix, out);
    }
    let (file, size) = open(&args.trace)?;
    let mut replay = Replay { name: shown(&args.trace), player, progress: Progress::of(size) };
    let source = BufReader::with_capacity(BUFFER, file);
    replay.run(Lines::new(source), args.json, &loaded.matrix, out)
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

struct Replay<'m> {
    name: String,
    player: Player<'m>,
    progress: Progress,
}

impl<'m> Replay<'m> {
    fn run(
        &mut self,
        mut lines: Lines<impl BufRead>,
        json: bool,
        matrix: &'m failsoft::Matrix,
        out: &mut Out,
    ) -> Result<Outcome, Trouble> {
        let mut text = (!json).then(|| Text::new(matrix, out));
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
        if let Some(text) = &mut text {
            text.end(&self.player, ended.is_ok().then_some(played), out)?;
        }
        ended.map(|()| Outcome::Done)
    }

    fn say(&self, said: &mut Vec<Output>, text: &mut Option<Text<'m>>, out: &mut Out) -> Result<(), Trouble> {
        for output in said.drain(..) {
            match text {
                Some(text) => text.say(&self.player, output, out)?,
                None => {
                    self.player.write_json(&mut *out, &output)?;
                    out.write_all(b"\n")?;
                }
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
