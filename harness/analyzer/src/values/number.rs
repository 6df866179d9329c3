// SPDX-License-Identifier: MIT OR Apache-2.0
//! Numbers as people type them.

/// An address: hexadecimal with or without `0x`, as `crash` takes and prints them.
pub(super) fn address(text: &str) -> Option<u64> {
    let digits = text.strip_prefix("0x").or_else(|| text.strip_prefix("0X")).unwrap_or(text);
    // `from_str_radix` would take a sign.
    let plain = digits.bytes().all(|byte| byte.is_ascii_hexdigit());
    if plain { u64::from_str_radix(digits, 16).ok() } else { None }
}

/// Whether a word is meant as an address though C would take it for a name: an address of 16
/// digits (or 12, of user space) that was copied from output without its `0x`.
pub(super) fn is_bare_address(word: &str) -> bool {
    matches!(word.len(), 12 | 16) && word.bytes().all(|byte| byte.is_ascii_hexdigit())
}

/// Value, size in bytes and sign of a C number, suffixes included.
pub(super) fn literal(word: &str) -> Option<(u64, u64, bool)> {
    let digits_end = word.trim_end_matches(['u', 'U', 'l', 'L']);
    let suffix = word.get(digits_end.len()..)?.to_ascii_lowercase();
    if is_bare_address(word) && word.bytes().any(|byte| byte.is_ascii_alphabetic()) {
        return Some((address(word)?, 8, false));
    }
    if !matches!(suffix.as_str(), "" | "u" | "l" | "ul" | "lu" | "ll" | "ull" | "llu") {
        return None;
    }
    let lower = digits_end.to_ascii_lowercase();
    let (digits, radix) = match lower.strip_prefix("0x") {
        Some(digits) => (digits, 16),
        None if lower.len() > 1 && lower.starts_with('0') => (lower.get(1..)?, 8),
        None => (lower.as_str(), 10),
    };
    let value = u64::from_str_radix(digits, radix).ok()?;
    let unsigned = suffix.contains('u');
    let long = suffix.contains('l');
    Some(match (unsigned, radix) {
        (true, _) => (value, if long || value > u64::from(u32::MAX) { 8 } else { 4 }, false),
        (false, _) if !long && i32::try_from(value).is_ok() => (value, 4, true),
        // A hexadecimal number may be of an unsigned type without saying so (C11 6.4.4.1).
        (false, 8 | 16) if !long && u32::try_from(value).is_ok() => (value, 4, false),
        (false, _) => (value, 8, i64::try_from(value).is_ok()),
    })
}

/// CPUs as `crash` takes them behind a colon: `0`, `0,2-3`, `a` or `all`. Only those that there
/// are; `None` if the text names none.
pub fn cpus(text: &str, all: &[u32]) -> Option<Vec<u32>> {
    let text = text.trim();
    if matches!(text, "a" | "all") {
        return Some(all.to_vec());
    }
    let mut ranges = Vec::new();
    for part in text.split(',') {
        let (first, last) = part.split_once('-').unwrap_or((part, part));
        ranges.push(first.parse::<u32>().ok()?..=last.parse::<u32>().ok()?);
    }
    let chosen = |cpu: &u32| ranges.iter().any(|range| range.contains(cpu));
    let found: Vec<u32> = all.iter().copied().filter(chosen).collect();
    (!found.is_empty()).then_some(found)
}
