// SPDX-License-Identifier: MIT OR Apache-2.0
//! Lines that are wider than the terminal, which would break them within a word: they go on below where their
//! words begin.

use std::os::fd::AsFd;

use rustix::termios::{isatty, tcgetwinsize};
use textwrap::{Options, WordSeparator, WordSplitter};

/// A terminal that is narrower has no room for words beside the margin.
const LEAST: usize = 40;

/// Columns of a terminal; `None` where it is none, or does not say.
pub(crate) fn columns(out: impl AsFd) -> Option<usize> {
    if !isatty(&out) {
        return None;
    }
    let columns = usize::from(tcgetwinsize(&out).ok()?.ws_col);
    (columns >= LEAST).then_some(columns)
}

/// The lines of a text in so many columns. What goes on begins `margin` columns to the right, or where its line
/// begins, if that is further.
pub(crate) fn wrapped(text: &str, columns: Option<usize>, margin: usize) -> String {
    let Some(columns) = columns else { return text.to_owned() };
    let line = |line: &str| match line.strip_suffix('\n') {
        Some(line) => one(line, columns, margin) + "\n",
        None => one(line, columns, margin),
    };
    text.split_inclusive('\n').map(line).collect()
}

fn one(line: &str, columns: usize, margin: usize) -> String {
    if textwrap::core::display_width(line) <= columns {
        return line.to_owned();
    }
    let begins = line.chars().take_while(|c| *c == ' ').count();
    let below = " ".repeat(begins.max(margin).min(columns / 2));
    let options = Options::new(columns)
        .subsequent_indent(&below)
        .break_words(false)
        .word_separator(WordSeparator::AsciiSpace)
        .word_splitter(WordSplitter::NoHyphenation);
    textwrap::wrap(line, options).join("\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    const LINE: &str = "             `ops->get-hash` is NULL: called at `capacity.c:40` in `__pad_exec`, inlined into `process_bprm_put [process]`\n";

    #[test]
    fn no_word_is_broken_and_none_is_lost() {
        for columns in [60, 80] {
            let text = wrapped(LINE, Some(columns), 13);
            assert!(text.lines().count() > 1 && text.ends_with("`process_bprm_put [process]`\n"));
            assert!(text.lines().all(|line| line.len() <= columns), "{text}");
            assert!(text.lines().all(|line| line.starts_with("             ")), "{text}");
            let words = |text: &str| text.split_whitespace().map(str::to_owned).collect::<Vec<_>>();
            assert_eq!(words(&text), words(LINE));
        }
        assert_eq!(wrapped(LINE, None, 13), LINE);
        assert_eq!(wrapped("short\n\nlines", Some(60), 13), "short\n\nlines");
    }

    #[test]
    fn colours_take_no_room_and_a_long_word_stays_whole() {
        let path = "/".repeat(90);
        let line = format!("\u{1b}[32m   Artifacts\u{1b}[0m {path}\n");
        let text = wrapped(&line, Some(60), 13);
        assert!(text.contains(&path), "{text}");
        let coloured = format!("\u{1b}[1m{}\u{1b}[0m", "word ".repeat(11).trim_end());
        assert_eq!(wrapped(&coloured, Some(60), 13), coloured);
    }
}
