// SPDX-License-Identifier: MIT OR Apache-2.0
//! Text that a guest, a package or a repository made, as it may be shown.
//!
//! Whoever can make a kernel print, name a process or write a commit's subject chooses such text. It
//! may hold what a terminal obeys (escape sequences; the order of letters), what a pipeline obeys
//! that reads the job's output (GitHub's runner: `::error::…` at the beginning of a line,
//! `##[error]…` anywhere in one; others: `##vso[…]`), line ends that make a field look like another
//! one, or the marks of a page's language. Each door has its function here or, for XML and HTML, a
//! library's behind [`visible`]. What acts is written as the escape that a programmer knows: `\x1b`,
//! `\n`, `\u{202e}`.

use std::fmt::Write as _;

/// Whether a character does something where others are seen: control characters, those that order
/// or hide text, and line ends that are none for a program (Unicode's categories Cc, Cf, Zl, Zp).
fn acts(c: char) -> bool {
    c.is_control()
        || matches!(c, '\u{ad}' | '\u{61c}' | '\u{180e}' | '\u{200b}'..='\u{200f}'
            | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{feff}'
            | '\u{fff9}'..='\u{fffb}' | '\u{e0000}'..='\u{e007f}')
}

fn push_escaped(text: &mut String, c: char) {
    let _ = match c {
        '\n' => write!(text, "\\n"),
        '\r' => write!(text, "\\r"),
        c if c.is_ascii() => write!(text, "\\x{:02x}", u32::from(c)),
        c => write!(text, "\\u{{{:x}}}", u32::from(c)),
    };
}

fn escaped(text: &str, kept: &[char]) -> String {
    let mut shown = String::with_capacity(text.len());
    for c in text.chars() {
        if acts(c) && !kept.contains(&c) {
            push_escaped(&mut shown, c);
        } else {
            shown.push(c);
        }
    }
    shown
}

/// For a page that has its own way to escape its marks: lines stay lines, all else is seen.
#[must_use]
pub fn visible(text: &str) -> String {
    escaped(text, &['\n', '\t'])
}

/// The same for what is one line by its nature: a line end would make a second one of it.
#[must_use]
pub fn field(text: &str) -> String {
    escaped(text, &['\t'])
}

/// For one line, or a part of one, of a terminal or a pipeline.
#[must_use]
pub fn line(text: &str) -> String {
    disobeyed(&field(text))
}

/// The same for text whose line ends are meant.
#[must_use]
pub fn lines(text: &str) -> String {
    text.split('\n').map(line).collect::<Vec<_>>().join("\n")
}

/// A line of which no pipeline obeys a part.
fn disobeyed(line: &str) -> String {
    let mut shown = String::with_capacity(line.len());
    let begin = line.len() - line.trim_start().len();
    let mut rest = line;
    if line[begin..].starts_with("::") {
        shown.push_str(&line[..begin]);
        shown.push_str("\\x3a");
        rest = &line[begin + 1..];
    }
    while let Some(at) = command(rest) {
        shown.push_str(&rest[..=at]);
        shown.push_str("\\x23");
        rest = &rest[at + 2..];
    }
    shown.push_str(rest);
    shown
}

/// Where `##[` or `##word[` begins.
fn command(text: &str) -> Option<usize> {
    let is = |at: &usize| {
        let word = text[*at..].strip_prefix("##");
        let letter = |c: char| c.is_ascii_alphanumeric();
        word.is_some_and(|word| word.trim_start_matches(letter).starts_with('['))
    };
    text.match_indices('#').map(|(at, _)| at).find(is)
}

/// JSON that says the same and holds only what is seen, and nothing that is obeyed.
#[must_use]
pub fn json(text: &str) -> String {
    let mut shown = String::with_capacity(text.len());
    for c in text.chars() {
        // Inside of strings the others are escaped already.
        if acts(c) && c != '\n' {
            let mut units = [0; 2];
            for unit in c.encode_utf16(&mut units) {
                let _ = write!(shown, "\\u{unit:04x}");
            }
        } else {
            shown.push(c);
        }
    }
    let mut rest = shown.as_str();
    let mut all = String::with_capacity(rest.len());
    while let Some(at) = command(rest) {
        all.push_str(&rest[..=at]);
        all.push_str("\\u0023");
        rest = &rest[at + 2..];
    }
    all + rest
}

/// Text for a cell of a table in Markdown, with what is between backticks as code. Every sign that
/// Markdown or HTML could take for its own is written as a character reference.
#[must_use]
pub fn markdown(text: &str) -> String {
    let mut cell = String::new();
    for (number, part) in line_of(text).split('`').enumerate() {
        let plain = |c: char| !c.is_ascii_punctuation() || "-,()+".contains(c);
        let encoded = part.chars().fold(String::new(), |mut all, c| {
            let _ = if plain(c) { write!(all, "{c}") } else { write!(all, "&#{};", u32::from(c)) };
            all
        });
        match number % 2 {
            1 => cell.push_str(&format!("<code>{encoded}</code>")),
            _ => cell.push_str(&encoded),
        }
    }
    cell
}

/// Lines as one.
fn line_of(text: &str) -> String {
    visible(text).replace(['\n', '\t'], " ")
}

/// What is wrong with a name of a case or a guest, which is a part of paths, of `case@guest` and of
/// what a pipeline reads.
#[must_use]
pub fn name_fault(name: &str) -> Option<String> {
    let wrong = |c: &char| acts(*c) || "@/\\".contains(*c);
    if name.is_empty() {
        return Some("it is empty".to_owned());
    }
    if name.starts_with('-') {
        return Some("it begins with `-`".to_owned());
    }
    name.chars().find(wrong).map(|c| format!("it has `{}`", escaped(&c.to_string(), &[])))
}

#[cfg(test)]
mod tests;
