// SPDX-License-Identifier: MIT OR Apache-2.0
//! What stands before the kernel's own words.
//!
//! Forms: `print_prefix()` and `info_print_ext_header()` of `kernel/printk/printk.c`, dmesg(1) with
//! its options for times, RFC 3164, ISO 8601 as rsyslog and journalctl(1) write it, the headers of
//! `fs/pstore`. They come in any order and several at once: a syslog of a netconsole has three.

use crate::caller::Caller;
use crate::date;
use crate::header::{Header, header};

/// What can stand before the text at once.
const MOST: usize = 8;
/// Longest text in brackets that is one of these: `Wed Sep 30 11:06:02 2026`.
const LONGEST: usize = 40;

/// A line's text, and what stood before it.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Prefix<'a> {
    pub(crate) text: &'a str,
    pub(crate) nanoseconds: Option<u64>,
    pub(crate) level: Option<u8>,
    pub(crate) caller: Option<Caller>,
}

/// The line without what stands before the kernel's words; `None` if it is no line of the kernel's.
pub(crate) fn strip(line: &str) -> Option<Prefix<'_>> {
    let found = strip_all(line)?;
    if found.nanoseconds.is_some() {
        return Some(found);
    }
    // Another program was in the middle of a line: `login: [   59.806466] BUG: …`.
    match amidst(found.text) {
        Some(rest) => strip_all(rest),
        None => Some(found),
    }
}

/// The line from a time in brackets on that stands amidst it.
pub(crate) fn amidst(line: &str) -> Option<&str> {
    let at = memchr::memchr_iter(b'[', line.as_bytes()).take(MOST).find(|at| {
        let inner =
            line.get(at + 1..).and_then(|rest| rest.split_once(']')).map(|(inner, _)| inner.trim());
        let is_time =
            |inner: &str| inner.split_once('.').is_some_and(|(_, digits)| digits.len() == 6);
        *at > 0 && inner.is_some_and(|inner| is_time(inner) && seconds(inner).is_some())
    })?;
    line.get(at..)
}

fn strip_all(line: &str) -> Option<Prefix<'_>> {
    let mut found = Prefix { text: line, ..Prefix::default() };
    for _ in 0..MOST {
        match found.text.as_bytes().first() {
            Some(b'<') if found.level() => {}
            Some(b'[') if found.bracket() => {}
            Some(b'0'..=b'9') if found.record() || found.lost_bracket() => {}
            Some(b' ') if found.lost_bracket() => {}
            _ => match header(found.text) {
                Header::Kernel(rest) => found.text = rest,
                Header::Other => return None,
                Header::None => break,
            },
        }
    }
    Some(found).filter(|found| !is_of_pstore(found.text))
}

impl<'a> Prefix<'a> {
    /// `<4>`, `<12>`: severity, and facility times eight.
    fn level(&mut self) -> bool {
        let Some((digits, rest)) =
            self.text.get(1..).and_then(|rest| crate::words::parted(rest, b'>'))
        else {
            return false;
        };
        let number = Some(digits).filter(|digits| digits.len() <= 3).and_then(number::<u16>);
        let Some(number) = number else { return false };
        self.level = u8::try_from(number & 7).ok();
        self.text = rest;
        true
    }

    /// `[    5.123456] `, `[  +0.000047] `, `[    T12] `, `[   C1] `, `[Wed Sep 30 11:06:02 2026] `.
    fn bracket(&mut self) -> bool {
        let Some(end) = self.text.bytes().take(LONGEST).position(|byte| byte == b']') else {
            return false;
        };
        let inner = self.text.get(1..end).unwrap_or_default().trim();
        if let Some(nanoseconds) = seconds(inner) {
            self.nanoseconds = Some(nanoseconds);
        } else if let Some(caller) = caller(inner) {
            self.caller = Some(caller);
        } else if inner.strip_prefix('+').and_then(seconds).is_none() && !date::is_date(inner) {
            return false;
        }
        self.behind(end + 1);
        true
    }

    /// `    5.123456] `: the first byte of a line is what serial lines lose first.
    fn lost_bracket(&mut self) -> bool {
        // Most lines of a trace begin with a blank too, and have no bracket near.
        let near = self.text.bytes().take(2 * LONGEST).position(|byte| byte == b']');
        let Some(inner) = near.and_then(|end| self.text.get(..end)) else { return false };
        let Some(nanoseconds) =
            Some(inner.trim()).filter(|it| it.len() < LONGEST).and_then(seconds)
        else {
            return false;
        };
        self.nanoseconds = Some(nanoseconds);
        self.behind(inner.len() + 1);
        true
    }

    /// `4,4955,128123456,-,caller=T1;text` of `/dev/kmsg` and of netconsole's extended form.
    fn record(&mut self) -> bool {
        let Some((head, text)) = self.text.split_once(';') else { return false };
        let mut fields = head.split(',');
        let mut next = || fields.next().and_then(number::<u64>);
        let (Some(level), Some(_), Some(micros)) = (next(), next(), next()) else { return false };
        if !fields.next().is_some_and(|flag| ["-", "c", "+"].contains(&flag)) {
            return false;
        }
        self.level = u8::try_from(level & 7).ok();
        self.nanoseconds = micros.checked_mul(1000);
        let named = fields.find_map(|field| field.strip_prefix("caller="));
        self.caller = named.and_then(caller).or(self.caller);
        self.text = text;
        true
    }

    /// Goes on behind a bracket and the blank that belongs to it: further ones are the kernel's.
    fn behind(&mut self, end: usize) {
        let rest = self.text.get(end..).unwrap_or_default();
        self.text = rest.strip_prefix(' ').unwrap_or(rest);
    }
}

/// `Panic#1 Part2`, `Oops#1 Part1`: the first line of each piece that pstore keeps.
fn is_of_pstore(text: &str) -> bool {
    let piece = ["Panic#", "Oops#", "Emergency#", "Shutdown#"];
    let rest = piece.iter().find_map(|start| text.strip_prefix(start));
    rest.and_then(|rest| rest.split_once(" Part")).is_some_and(|(count, part)| {
        number::<u32>(count).is_some() && number::<u32>(part.trim_end()).is_some()
    })
}

/// Nanoseconds of `5.123456`.
fn seconds(text: &str) -> Option<u64> {
    let (whole, fraction) = text.split_once('.')?;
    if fraction.is_empty() || fraction.len() > 9 {
        return None;
    }
    let scale = 10_u64.pow(9 - u32::try_from(fraction.len()).ok()?);
    let nanoseconds = number::<u64>(fraction)?.checked_mul(scale)?;
    number::<u64>(whole)?.checked_mul(1_000_000_000)?.checked_add(nanoseconds)
}

/// `T12`, `C1`.
fn caller(text: &str) -> Option<Caller> {
    match text.split_at_checked(1)? {
        ("T", id) => number(id).map(Caller::Task),
        ("C", id) => number(id).map(Caller::Cpu),
        _ => None,
    }
}

/// A number of digits alone: `parse` takes a sign, too.
fn number<T: std::str::FromStr>(text: &str) -> Option<T> {
    text.bytes().all(|byte| byte.is_ascii_digit()).then(|| text.parse().ok())?
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text(line: &str) -> Option<&str> {
        strip(line).map(|found| found.text)
    }

    /// One line as each of them writes it.
    #[test]
    fn every_form_leaves_the_kernels_words() {
        let words = "BUG: kernel NULL pointer dereference, address: 0000000000000000";
        for before in [
            "",
            "[    2.082704] ",
            "[12345.082704] ",
            "[    2.082704][  T311] ",
            "[    2.082704][    C1] ",
            "[  +0.000047] ",
            "    2.082704] ",
            "2.082704] ",
            "[Wed Sep 30 11:06:02 2026] ",
            "[Sep30 11:06] ",
            "<1>",
            "<1>[    2.082704] ",
            "<12>[    2.082704][  T311] ",
            "1,4955,2082704,-;",
            "1,4955,2082704,-,caller=T311;",
            "Sep 30 11:06:02 web1 kernel: ",
            "Sep  3 11:06:02 web1 kernel: [    2.082704] ",
            "Sep 30 11:06:02 web1 kernel[0]: ",
            "Sep 30 11:06:02 kernel: ",
            "2026-09-30T11:06:02.123456+00:00 web1 kernel: [    2.082704] ",
            "2026-09-30T11:06:02Z web1 kernel: ",
            "2026-09-30 11:06:02.123 [    2.082704] ",
            "[    2.082704] web1 kernel: ",
            "Sep 30 11:06:02 10.0.0.7 [    2.082704] ",
            "Sep 30 11:06:02 web1 kernel: <1>[    2.082704] ",
            "web1 login: [    2.082704][  T311] ",
            "** 93 printk messages dropped ** [    2.082704] ",
        ] {
            assert_eq!(text(&format!("{before}{words}")), Some(words), "{before}");
        }
    }

    #[test]
    fn lines_of_other_programs_are_not_the_kernels() {
        for line in [
            "Sep 30 11:06:02 web1 systemd[1]: Started x.",
            "2026-09-30T11:06:02Z web1 sshd[7]: BUG: not the kernel's",
            "Panic#1 Part2",
            "Oops#12 Part1",
        ] {
            assert_eq!(text(line), None, "{line}");
        }
    }

    #[test]
    fn the_kernels_own_brackets_and_blanks_stay() {
        for words in [
            " [<ffffffff9e8a5a56>] sysrq_handle_crash+0x16/0x20",
            "------------[ cut here ]------------",
            "  ? release_pages+0x159/0x470",
            "<TASK>",
            "[drm:foo] *ERROR* x",
            "12 blocks; 3 free",
        ] {
            assert_eq!(text(&format!("[    2.1] {words}")), Some(words));
            assert_eq!(text(words), Some(words));
        }
    }

    #[test]
    fn time_caller_and_level_are_kept() {
        let found = strip("<4>[    2.082704][   C1] x").unwrap();
        assert_eq!(found.nanoseconds, Some(2_082_704_000));
        assert_eq!((found.level, found.caller), (Some(4), Some(Caller::Cpu(1))));
        let found = strip("6,12,2082704,-,caller=T7;x").unwrap();
        assert_eq!((found.level, found.caller), (Some(6), Some(Caller::Task(7))));
        assert_eq!(found.nanoseconds, Some(2_082_704_000));
    }
}
