// SPDX-License-Identifier: MIT OR Apache-2.0
//! Dates, as far as they have to be told from other words.

const MONTHS: [&str; 12] =
    ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];
const DAYS: [&str; 7] = ["Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun"];

/// Whether a text in brackets is a date of dmesg(1): `Wed Sep 30 11:06:02 2026` (`-T`), `Sep30 11:06`
/// (`-H`), `2026-09-30T11:06:02,123456+00:00` (`--time-format iso`).
pub(crate) fn is_date(text: &str) -> bool {
    let begins = |names: &[&str]| names.iter().any(|name| text.starts_with(name));
    (begins(&DAYS) || begins(&MONTHS)) && text.contains(':') || iso(text).is_some_and(str::is_empty)
}

/// What follows a date in RFC 3164's form, `Sep 30 11:06:02 `.
pub(crate) fn syslog(text: &str) -> Option<&str> {
    let rest = MONTHS.iter().find_map(|month| text.strip_prefix(month))?.strip_prefix(' ')?;
    let rest = rest.trim_start();
    let (day, rest) = rest.split_once(' ')?;
    let is_day = (1..=2).contains(&day.len()) && day.bytes().all(|byte| byte.is_ascii_digit());
    is_day.then(|| time(rest.trim_start()))?.map(str::trim_start)
}

/// What follows a date in ISO 8601's form, with `T` or a blank before the time, with or without a
/// fraction and a zone.
pub(crate) fn iso(text: &str) -> Option<&str> {
    let (date, rest) = text.split_at_checked(10)?;
    let mut parts = date.splitn(3, ['-', '/']).map(|part| (part.len(), is_number(part)));
    let mut has = |length| parts.next() == Some((length, true));
    if !(has(4) && has(2) && has(2)) {
        return None;
    }
    let rest = time(rest.strip_prefix(['T', ' '])?)?;
    let rest = rest.trim_start_matches(|c: char| c.is_ascii_digit() || c == '.' || c == ',');
    let zone = rest.strip_prefix('Z').or_else(|| {
        let (hours, rest) = rest.strip_prefix(['+', '-'])?.split_at_checked(2)?;
        let (minutes, rest) = rest.strip_prefix(':').unwrap_or(rest).split_at_checked(2)?;
        (is_number(hours) && is_number(minutes)).then_some(rest)
    });
    Some(zone.unwrap_or(rest).trim_start())
}

/// What follows `11:06:02`.
fn time(text: &str) -> Option<&str> {
    let (time, rest) = text.split_at_checked(8)?;
    let mut parts = time.splitn(3, ':');
    let mut has = || parts.next().is_some_and(|part| part.len() == 2 && is_number(part));
    (has() && has() && has()).then_some(rest)
}

fn is_number(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dates_are_told_from_words() {
        assert_eq!(syslog("Sep  3 11:06:02 web1 x"), Some("web1 x"));
        assert_eq!(syslog("Sep is a month"), None);
        assert_eq!(iso("2026-09-30T11:06:02.123456+00:00 web1"), Some("web1"));
        assert_eq!(iso("2026/09/30 11:06:02 executing"), Some("executing"));
        assert_eq!(iso("2026-09-30T11:06:02Z x"), Some("x"));
        // `journalctl -o short-iso` of systemd 254 and before.
        assert_eq!(iso("2026-09-30T11:06:02+0200 web1"), Some("web1"));
        assert_eq!(iso("2026-09 30"), None);
        assert!(is_date("2026-09-30T11:06:02,123456+00:00"));
        assert!(!is_date("Monitor"));
    }
}
