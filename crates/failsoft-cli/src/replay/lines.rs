//! The lines of a trace, one at a time: no more of it is held than the longest line that may be.

use std::io::{self, BufRead};

use failsoft::trace::LINE_BYTES;

/// A line that can't be handed on.
#[derive(Debug)]
pub(super) enum Bad {
    /// The source can't be read.
    Unreadable(io::Error),
    /// It is longer than [`LINE_BYTES`].
    TooLong,
    /// Not UTF-8, from this column on.
    NotUtf8 { column: usize, byte: u8 },
}

/// Reads lines.
pub(super) struct Lines<R> {
    source: R,
    line: Vec<u8>,
    /// The number of the last line read, from 1.
    pub(super) number: u64,
    /// How many bytes have been read.
    pub(super) bytes: u64,
}

impl<R: BufRead> Lines<R> {
    pub(super) fn new(source: R) -> Self {
        Self { source, line: Vec::new(), number: 0, bytes: 0 }
    }

    /// The next line without its end, be that LF, CRLF or the end of the file; nothing at the end.
    pub(super) fn next(&mut self) -> Result<Option<&str>, Bad> {
        self.line.clear();
        self.number += 1;
        let most = LINE_BYTES as u64 + 2;
        let read = io::Read::take(&mut self.source, most).read_until(b'\n', &mut self.line);
        let read = read.map_err(Bad::Unreadable)?;
        if read == 0 {
            return Ok(None);
        }
        self.bytes += read as u64;
        if self.line.last() == Some(&b'\n') {
            self.line.pop();
        }
        if self.line.last() == Some(&b'\r') {
            self.line.pop();
        }
        if self.line.len() > LINE_BYTES {
            return Err(Bad::TooLong);
        }
        let mut line = self.line.as_slice();
        if self.number == 1 {
            line = line.strip_prefix(b"\xef\xbb\xbf").unwrap_or(line);
        }
        match std::str::from_utf8(line) {
            Ok(text) => Ok(Some(text)),
            Err(error) => {
                let (good, bad) = line.split_at(error.valid_up_to());
                let column = String::from_utf8_lossy(good).chars().count() + 1;
                Err(Bad::NotUtf8 { column, byte: bad.first().copied().unwrap_or_default() })
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn all(bytes: &[u8]) -> Vec<String> {
        let mut lines = Lines::new(bytes);
        std::iter::from_fn(|| lines.next().expect("a good line").map(str::to_owned)).collect()
    }

    #[test]
    fn line_ends() {
        assert_eq!(all(b"a\nb"), ["a", "b"]);
        assert_eq!(all(b"a\r\nb\r\n"), ["a", "b"]);
        assert_eq!(all(b"\xef\xbb\xbfa\n\n\nb\n"), ["a", "", "", "b"]);
        assert!(all(b"").is_empty());
    }

    #[test]
    fn the_longest_line() {
        let line = vec![b'x'; LINE_BYTES];
        assert_eq!(all(&line).len(), 1);
        assert_eq!(all(&[&line[..], b"\r\nb"].concat()).len(), 2);
        let longer = [&line[..], b"x\n"].concat();
        assert!(matches!(Lines::new(&longer[..]).next(), Err(Bad::TooLong)));
        let endless = io::BufReader::new(io::repeat(b'x'));
        assert!(matches!(Lines::new(endless).next(), Err(Bad::TooLong)));
    }

    #[test]
    fn not_utf8() {
        let bad = Lines::new(&b"\xc3\xa4\xff\n"[..]).next().map(|line| line.map(str::to_owned));
        assert!(matches!(bad, Err(Bad::NotUtf8 { column: 2, byte: 0xff })));
    }
}
