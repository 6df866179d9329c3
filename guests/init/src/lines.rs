// SPDX-License-Identifier: MIT OR Apache-2.0
//! Bytes to lines.

/// Longest line that is taken.
const LONGEST: usize = 64 << 10;

/// A line of the port.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Line {
    /// Its text, without the end.
    Text(String),
    /// Longer than anything the host says; dropped.
    TooLong,
    /// Not UTF-8; dropped.
    NotText,
}

/// Collects bytes until there are whole lines.
#[derive(Debug, Default)]
pub(crate) struct Lines {
    pending: Vec<u8>,
    /// The rest of a line that is too long is still to come.
    skipping: bool,
}

impl Lines {
    /// Takes what was read and gives the lines it completes.
    pub(crate) fn push(&mut self, bytes: &[u8]) -> Vec<Line> {
        let mut lines = Vec::new();
        for byte in bytes {
            if *byte != b'\n' {
                if self.pending.len() < LONGEST {
                    self.pending.push(*byte);
                } else {
                    self.skipping = true;
                }
                continue;
            }
            let line = std::mem::take(&mut self.pending);
            if std::mem::take(&mut self.skipping) {
                lines.push(Line::TooLong);
            } else if !line.is_empty() {
                lines.push(String::from_utf8(line).map_or(Line::NotText, Line::Text));
            }
        }
        lines
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text(line: &str) -> Line {
        Line::Text(line.to_owned())
    }

    #[test]
    fn lines_arrive_in_pieces_and_several_at_once() {
        let mut lines = Lines::default();
        assert_eq!(lines.push(b"{\"do\":"), []);
        assert_eq!(lines.push(b"\"log\"}\n\n{}\nx"), [text("{\"do\":\"log\"}"), text("{}")]);
        assert_eq!(lines.push(b"\n"), [text("x")]);
    }

    #[test]
    fn a_line_without_end_takes_no_memory_and_the_next_one_is_read() {
        let mut lines = Lines::default();
        for _ in 0..40 {
            assert_eq!(lines.push(&[b'a'; 4096]), []);
        }
        assert!(lines.pending.len() <= LONGEST);
        assert_eq!(lines.push(b"a\nnext\n"), [Line::TooLong, text("next")]);
    }

    #[test]
    fn bytes_that_are_no_text_are_told() {
        assert_eq!(Lines::default().push(b"\xff\xfe\nok\n"), [Line::NotText, text("ok")]);
    }
}
