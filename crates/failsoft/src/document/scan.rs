//! What is refused before a parser sees it: too large, not UTF-8, too deep.
//!
//! A parser may recurse once for each level of nesting, and may look at each table header against all others.
//! So both are counted first, by loops that need no stack.

use std::ops::Range;

use toml_parser::lexer::TokenKind;

use super::Format;
use super::codes;
use super::collect::{At, Collector};

/// A document may be so many bytes long.
pub(crate) const DOCUMENT_MOST: usize = 1_048_576;
/// Tables and lists may stand so deep in one another, the document itself being the first.
const DEPTH_MOST: usize = 32;
/// Table headers of a TOML document. One that means anything is longer than 64 bytes with its table, so a document
/// of 1 MiB can't need more.
const HEADERS_MOST: usize = 16_384;

/// The document as text, or the one mistake that keeps it from being read.
pub(crate) fn text<'a>(bytes: &'a [u8], format: Format, collector: &mut Collector) -> Option<&'a str> {
    let mut refuse = |code, span: Range<usize>, what: String, help: &str| {
        collector.report(code, At::ROOT.path(), span, what, Some(help.into()));
        None
    };
    if bytes.len() > DOCUMENT_MOST {
        let what = format!("a document of {} bytes is too large", bytes.len());
        return refuse(codes::TOO_LARGE, 0..0, what, "write at most 1 MiB (1048576 bytes)");
    }
    let text = match std::str::from_utf8(bytes) {
        Ok(text) => text,
        Err(error) => {
            let start = error.valid_up_to();
            let byte = bytes.get(start).copied().unwrap_or_default();
            let what = format!("the byte 0x{byte:02x} is not UTF-8");
            return refuse(codes::NOT_UTF8, start..start, what, "save the document as UTF-8");
        }
    };
    if text.starts_with('\u{feff}') {
        let what = "the document begins with a byte order mark".to_owned();
        return refuse(codes::BYTE_ORDER_MARK, 0..3, what, "save it as UTF-8 without a byte order mark");
    }
    let too_deep = match format {
        Format::Toml => toml_too_deep(text),
        Format::Json => json_too_deep(text),
    };
    match too_deep {
        None => Some(text),
        Some(Excess::Depth(span)) => {
            let what = format!("tables and lists are nested more than {DEPTH_MOST} deep here");
            refuse(codes::TOO_DEEP, span, what, "no key of a matrix stands deeper than 9")
        }
        Some(Excess::Headers(span)) => {
            let what = format!("more than {HEADERS_MOST} tables");
            refuse(codes::TOO_MANY, span, what, "no matrix needs so many")
        }
    }
}

enum Excess {
    Depth(Range<usize>),
    Headers(Range<usize>),
}

/// Where a JSON document gets too deep. Brackets in strings don't count.
fn json_too_deep(text: &str) -> Option<Excess> {
    let (mut depth, mut quoted, mut escaped) = (0usize, false, false);
    for (at, byte) in text.bytes().enumerate() {
        match byte {
            _ if escaped => escaped = false,
            b'\\' => escaped = quoted,
            b'"' => quoted = !quoted,
            _ if quoted => {}
            b'{' | b'[' => {
                depth = depth.saturating_add(1);
                if depth > DEPTH_MOST {
                    return Some(Excess::Depth(at..at.saturating_add(1)));
                }
            }
            b'}' | b']' => depth = depth.saturating_sub(1),
            _ => {}
        }
    }
    None
}

/// Where a TOML document gets too deep: by brackets, by the dots of a key, or by those of the header it stands under.
fn toml_too_deep(text: &str) -> Option<Excess> {
    let mut headers = 0usize;
    // Levels that the last header opened; dots of the key being read; open brackets with the dots of their keys.
    let (mut header, mut dots, mut open) = (0usize, 0usize, Vec::<usize>::new());
    let (mut in_header, mut line_start) = (false, true);
    for token in toml_parser::Source::new(text).lex() {
        let span = token.span().start()..token.span().end();
        match token.kind() {
            TokenKind::Whitespace | TokenKind::Comment => continue,
            TokenKind::Newline => {
                dots = 0;
                in_header = false;
                line_start = open.is_empty();
                continue;
            }
            TokenKind::LeftSquareBracket if line_start => {
                headers = headers.saturating_add(1);
                if headers > HEADERS_MOST {
                    return Some(Excess::Headers(span));
                }
                in_header = true;
                header = 1;
            }
            TokenKind::LeftSquareBracket if in_header => header = header.saturating_add(1),
            TokenKind::Dot if in_header => header = header.saturating_add(1),
            TokenKind::Dot => dots = dots.saturating_add(1),
            TokenKind::Comma => dots = 0,
            TokenKind::LeftSquareBracket | TokenKind::LeftCurlyBracket => {
                open.push(dots);
                dots = 0;
            }
            TokenKind::RightSquareBracket | TokenKind::RightCurlyBracket if !in_header => {
                dots = open.pop().unwrap_or(0);
            }
            _ => {}
        }
        line_start = false;
        let keys: usize = open.iter().sum();
        let depth = 1usize.saturating_add(header).saturating_add(dots);
        if depth.saturating_add(keys).saturating_add(open.len()) > DEPTH_MOST {
            return Some(Excess::Depth(span));
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::{Excess, json_too_deep, toml_too_deep};

    fn deep(excess: Option<Excess>) -> bool {
        matches!(excess, Some(Excess::Depth(_)))
    }

    #[test]
    fn depth_is_counted_alike_in_both_formats() {
        // Each of these has 32 tables and lists in one another; one more is too many.
        assert!(!deep(json_too_deep(&format!("{}{}", "[".repeat(32), "]".repeat(32)))));
        assert!(deep(json_too_deep(&format!("{}{}", "[".repeat(33), "]".repeat(33)))));
        assert!(!deep(toml_too_deep(&format!("x = {}{}", "[".repeat(31), "]".repeat(31)))));
        assert!(deep(toml_too_deep(&format!("x = {}{}", "[".repeat(32), "]".repeat(32)))));
        assert!(!deep(toml_too_deep(&format!("[a{}]\n", ".a".repeat(30)))));
        assert!(deep(toml_too_deep(&format!("[a{}]\n", ".a".repeat(31)))));
        assert!(deep(toml_too_deep(&format!("[a.b]\nc{} = 1", ".c".repeat(30)))));
        assert!(deep(toml_too_deep(&format!("a{} = 1", ".a".repeat(100_000)))));
        assert!(deep(toml_too_deep(&format!("x = {}", "{a.b = ".repeat(20)))));
    }

    #[test]
    fn what_stands_in_strings_and_comments_has_no_depth() {
        assert!(!deep(json_too_deep(&format!("\"{}\\\"{}\"", "[".repeat(40), "{".repeat(40)))));
        assert!(!deep(toml_too_deep(&format!("x = '{0}' # {0}\ny = \"\"\"\n{0}\"\"\"", "[".repeat(40)))));
        assert!(!deep(toml_too_deep(&"[a]\nb = [1]\nc = {d = 1.5}\n".repeat(200))));
    }

    #[test]
    fn headers_are_counted() {
        assert!(matches!(toml_too_deep(&"[[a]]\n".repeat(16_385)), Some(Excess::Headers(_))));
        assert!(toml_too_deep(&"[[a]]\n".repeat(16_384)).is_none());
    }
}
