// SPDX-License-Identifier: MIT OR Apache-2.0
//! Serial console: bytes to lines.

use std::io::{self, Read};

/// A guest may print without end and without a line break; a longer line is cut into several.
pub(super) const LONGEST_LINE: usize = 4096;

/// Reads until the end of `source` and hands over each line, without its end; a longer one than
/// `longest` in pieces.
pub(crate) fn lines(
    mut source: impl Read,
    longest: usize,
    mut line: impl FnMut(&[u8]),
) -> io::Result<()> {
    let mut buffer = [0; 8192];
    let mut pending = Vec::new();
    loop {
        let count = match source.read(&mut buffer) {
            Ok(0) => break,
            Ok(count) => count,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
            Err(error) => return Err(error),
        };
        for byte in buffer.iter().take(count) {
            if *byte != b'\n' {
                pending.push(*byte);
            }
            if *byte == b'\n' || pending.len() == longest {
                line(&pending);
                pending.clear();
            }
        }
    }
    if !pending.is_empty() {
        line(&pending);
    }
    Ok(())
}

/// A console line as text without control characters and terminal sequences.
///
/// The firmware positions the cursor before the first line of the kernel, which would otherwise
/// hide the beginning of that line: `ESC c ESC [ ? 7 l ESC [ 2 J`.
#[must_use]
pub fn clean_line(bytes: &[u8]) -> String {
    let text = String::from_utf8_lossy(bytes);
    let mut clean = String::with_capacity(text.len());
    let mut chars = text.chars().peekable();
    while let Some(c) = chars.next() {
        match c {
            '\u{1b}' if chars.next_if_eq(&'[').is_some() => {
                // Control sequence: parameters, then one final byte 0x40–0x7e (ECMA-48 §5.4).
                while chars.next().is_some_and(|c| !('\u{40}'..='\u{7e}').contains(&c)) {}
            }
            '\u{1b}' => {
                chars.next();
            }
            '\t' => clean.push(' '),
            c if c.is_control() => {}
            c => clean.push(c),
        }
    }
    clean.truncate(clean.trim_end().len());
    clean
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn terminal_sequences_of_the_firmware_are_removed() {
        assert_eq!(
            clean_line(b"\x1bc\x1b[?7l\x1b[2J\x1b[0mearly console in extract_kernel\r"),
            "early console in extract_kernel"
        );
        assert_eq!(clean_line(b"\x1b["), "");
        assert_eq!(clean_line(b"a\tb\x07\xff "), "a b\u{fffd}");
    }

    #[test]
    fn lines_end_at_a_break_at_the_limit_and_at_the_end() {
        let mut input = vec![b'x'; LONGEST_LINE + 1];
        input.extend_from_slice(b"\nlast");
        let mut seen = Vec::new();
        lines(input.as_slice(), LONGEST_LINE, |line| seen.push(line.len())).unwrap();
        assert_eq!(seen, [LONGEST_LINE, 1, 4]);
    }
}
