// SPDX-License-Identifier: MIT OR Apache-2.0
//! The header that a program that keeps logs puts before each line: date, host, program.

use crate::date;
use crate::words::parted;

/// What a line begins with.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Header<'a> {
    /// A header of a line of the kernel's, and what follows it.
    Kernel(&'a str),
    /// A header of another program's line.
    Other,
    /// No header.
    None,
}

/// Reads a header.
pub(crate) fn header(text: &str) -> Header<'_> {
    if !text.starts_with(|c: char| c.is_ascii_alphanumeric()) {
        return Header::None;
    }
    if let Some(rest) = date::syslog(text).or_else(|| date::iso(text)) {
        return tagged(rest).unwrap_or(Header::Kernel(rest));
    }
    // journalctl -o short-monotonic has its time in brackets, which is off already.
    match tagged(text) {
        Some(Header::Kernel(rest)) => Header::Kernel(rest),
        Some(Header::Other) if has_process(text) => Header::Other,
        _ => Header::None,
    }
}

/// `web1 kernel: `, `kernel: `, `web1 sshd[7]: `; a host without a program (netconsole) before a bracket.
fn tagged(text: &str) -> Option<Header<'_>> {
    let (first, rest) = parted(text, b' ')?;
    if is_kernel(first) {
        return Some(Header::Kernel(rest));
    }
    if first.is_empty() || first.ends_with(':') {
        return None;
    }
    let (second, behind) = parted(rest, b' ').unwrap_or((rest, ""));
    if is_kernel(second) {
        return Some(Header::Kernel(behind));
    }
    if is_program(second) {
        return Some(Header::Other);
    }
    (is_host(first) && rest.starts_with(['[', '<'])).then_some(Header::Kernel(rest))
}

/// An address or a name with dots: a word before a bracket may be the kernel's own.
fn is_host(word: &str) -> bool {
    let is_part = |c: char| c.is_ascii_alphanumeric() || "-.:_".contains(c);
    word.contains('.')
        && !word.starts_with('.')
        && !word.ends_with('.')
        && word.chars().all(is_part)
}

/// `kernel:`, `kernel[0]:`.
fn is_kernel(word: &str) -> bool {
    let rest = word.strip_prefix("kernel").and_then(|rest| rest.strip_suffix(':'));
    rest.is_some_and(|rest| rest.is_empty() || in_brackets(rest))
}

/// `sshd[7]:`, `systemd:`.
fn is_program(word: &str) -> bool {
    let Some(word) = word.strip_suffix(':') else { return false };
    let name = word.split('[').next().unwrap_or(word);
    let is_part = |c: char| c.is_ascii_alphanumeric() || "-._/()".contains(c);
    let has_letter = name.chars().any(|c| c.is_ascii_lowercase());
    has_letter
        && name.chars().all(is_part)
        && (name.len() == word.len() || in_brackets(word.get(name.len()..).unwrap_or_default()))
}

/// Whether `web1 sshd[7]: ` names a process: without a date before it, only that is a header.
fn has_process(text: &str) -> bool {
    text.split(' ').nth(1).is_some_and(|word| word.ends_with("]:"))
}

fn in_brackets(text: &str) -> bool {
    let inner = text.strip_prefix('[').and_then(|rest| rest.strip_suffix(']'));
    inner.is_some_and(|inner| !inner.is_empty() && inner.bytes().all(|byte| byte.is_ascii_digit()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_colon_alone_makes_no_header() {
        for words in
            ["BUG: unable to handle", "x86/mm: checked", "task:sh state:D", "usb 1-1: new device"]
        {
            assert_eq!(header(words), Header::None, "{words}");
        }
        assert_eq!(header("Sep 30 11:06:02 BUG: x y"), Header::Kernel("BUG: x y"));
    }
}
