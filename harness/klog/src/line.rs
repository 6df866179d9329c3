// SPDX-License-Identifier: MIT OR Apache-2.0
//! Lines of a text, without what stands before the kernel's own words.

use std::borrow::Cow;

use crate::caller::Caller;
use crate::prefix::{self, Prefix};
use crate::undo::undone;

/// Longest line that is read, in bytes; what is behind is left out. The kernel's own limit is 1 KiB
/// (`PRINTKRB_RECORD_MAX`), and what others put before it is short.
pub const MAX_LINE: usize = 4096;

/// One line of the kernel's.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Line {
    /// Its number in the text, from 1.
    pub number: usize,
    /// Time since boot, in nanoseconds, where the text has it.
    pub nanoseconds: Option<u64>,
    /// Severity, 0 (emergency) to 7 (debug), where the text has it.
    pub level: Option<u8>,
    /// Who printed it, where the text has it.
    pub caller: Option<Caller>,
    /// The kernel's own words, blanks at the beginning kept.
    pub text: String,
}

/// The kernel's lines of a text, in its order; lines of other programs are left out. Each is read when
/// it is asked for, so that a large text takes no memory.
pub fn lines(text: &[u8]) -> impl Iterator<Item = Line> {
    let mut rest = Some(text);
    let mut number = 0;
    let mut second: Option<Line> = None;
    std::iter::from_fn(move || {
        if let Some(line) = second.take() {
            return Some(line);
        }
        loop {
            let (line, after) = cut(rest?);
            rest = after;
            number += 1;
            if let Some(line) = read(number, line) {
                let (line, behind) = parted(line);
                second = behind;
                return Some(line);
            }
        }
    })
}

/// The first line and what follows it.
fn cut(text: &[u8]) -> (&[u8], Option<&[u8]>) {
    match memchr::memchr(b'\n', text) {
        Some(end) => (text.get(..end).unwrap_or_default(), text.get(end + 1..)),
        None => (text, None),
    }
}

/// The line, and another one that stands behind it because its end was lost.
fn parted(mut line: Line) -> (Line, Option<Line>) {
    let behind = prefix::amidst(&line.text).map(str::to_owned);
    let Some(behind) = behind.filter(|_| line.nanoseconds.is_some()) else { return (line, None) };
    let second = read(line.number, behind.as_bytes());
    line.text.truncate(line.text.len() - behind.len());
    (line, second)
}

/// The kernel's words of a line; `None` if it has none, or is another program's.
fn read(number: usize, line: &[u8]) -> Option<Line> {
    let line = line.get(..line.len().min(MAX_LINE))?;
    // What is read most is ASCII, which the check alone is fast for.
    let whole = str::from_utf8(line).map(Cow::Borrowed);
    let text = undone(whole.unwrap_or_else(|_| String::from_utf8_lossy(line)));
    let text = match &text {
        Cow::Borrowed(text) => text,
        Cow::Owned(text) => text.as_str(),
    };
    let Prefix { text, nanoseconds, level, caller } = prefix::strip(text)?;
    let text = text.trim_end();
    (!text.is_empty()).then(|| Line { number, nanoseconds, level, caller, text: text.to_owned() })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn texts(text: &[u8]) -> Vec<String> {
        lines(text).map(|line| line.text).collect()
    }

    #[test]
    fn lines_have_the_numbers_of_the_text() {
        let text =
            b"[    1.5] first\n\nNov 29 10:11:12 host sshd[7]: not the kernel's\n[    2.0] last";
        let read: Vec<(usize, Option<u64>, String)> =
            lines(text).map(|line| (line.number, line.nanoseconds, line.text)).collect();
        let first = (1, Some(1_500_000_000), "first".to_owned());
        let last = (4, Some(2_000_000_000), "last".to_owned());
        assert_eq!(read, [first, last]);
    }

    #[test]
    fn two_lines_in_one_are_taken_apart() {
        let text = b"[   76.470085] sh: vmalloc failed[   76.471107] BUG: unable to handle\n";
        assert_eq!(texts(text), ["sh: vmalloc failed", "BUG: unable to handle"]);
    }

    #[test]
    fn a_line_without_an_end_is_cut() {
        let long = vec![b'x'; 10 << 20];
        let read = texts(&long);
        assert_eq!(read.len(), 1);
        assert_eq!(read[0].len(), MAX_LINE);
    }

    #[test]
    fn one_byte_and_none_are_texts() {
        assert!(texts(b"").is_empty());
        assert!(texts(b"\n").is_empty());
        assert_eq!(texts(b"x"), ["x"]);
        assert!(texts(b"\xff\xfe\0\0").len() <= 1);
    }
}
