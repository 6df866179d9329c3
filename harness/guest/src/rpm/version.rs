// SPDX-License-Identifier: MIT OR Apache-2.0
//! Versions of packages: epoch, version, release, and their order (rpm-version(7)).

use std::cmp::Ordering;
use std::fmt;

/// Epoch, version and release. As a bound, an empty release fits every release.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Evr {
    pub(super) epoch: u32,
    pub(super) version: String,
    pub(super) release: String,
}

impl Evr {
    /// Reads `1:2.3-4`; epoch and release may be absent.
    pub(super) fn parse(text: &str) -> Self {
        let (epoch, rest) = match text.split_once(':') {
            Some((epoch, rest)) => (epoch.parse().unwrap_or(0), rest),
            None => (0, text),
        };
        let (version, release) = rest.rsplit_once('-').unwrap_or((rest, ""));
        Self { epoch, version: version.to_owned(), release: release.to_owned() }
    }

    /// The order of two versions of which one may be a bound without a release.
    pub(super) fn compare(&self, other: &Self) -> Ordering {
        let by_version =
            self.epoch.cmp(&other.epoch).then_with(|| compare(&self.version, &other.version));
        if self.release.is_empty() || other.release.is_empty() {
            return by_version;
        }
        by_version.then_with(|| compare(&self.release, &other.release))
    }
}

impl fmt::Display for Evr {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.epoch != 0 {
            write!(f, "{}:", self.epoch)?;
        }
        write!(f, "{}", self.version)?;
        if self.release.is_empty() { Ok(()) } else { write!(f, "-{}", self.release) }
    }
}

/// The order of two versions or releases: runs of digits as numbers, runs of letters as text,
/// digits after letters; `~` sorts before the end of the text and `^` after it.
pub(super) fn compare(a: &str, b: &str) -> Ordering {
    let (mut a, mut b) = (a.as_bytes(), b.as_bytes());
    let counts = |byte: &u8| byte.is_ascii_alphanumeric() || matches!(byte, b'~' | b'^');
    loop {
        a = skip(a, |byte| !counts(byte));
        b = skip(b, |byte| !counts(byte));
        match (a.first(), b.first()) {
            (Some(b'~'), Some(b'~')) | (Some(b'^'), Some(b'^')) => {
                (a, b) = (&a[1..], &b[1..]);
                continue;
            }
            (Some(b'~'), _) | (None, Some(b'^')) => return Ordering::Less,
            (_, Some(b'~')) | (Some(b'^'), None) => return Ordering::Greater,
            (Some(b'^'), Some(_)) => return Ordering::Less,
            (Some(_), Some(b'^')) => return Ordering::Greater,
            (None, None) => return Ordering::Equal,
            (None, Some(_)) => return Ordering::Less,
            (Some(_), None) => return Ordering::Greater,
            (Some(x), Some(y)) if x.is_ascii_digit() != y.is_ascii_digit() => {
                return x.is_ascii_digit().cmp(&y.is_ascii_digit());
            }
            (Some(x), Some(_)) => {
                let digits = x.is_ascii_digit();
                let inside = |byte: &u8| {
                    if digits { byte.is_ascii_digit() } else { byte.is_ascii_alphabetic() }
                };
                let ((run_a, rest_a), (run_b, rest_b)) = (split(a, inside), split(b, inside));
                let order = if digits { by_number(run_a, run_b) } else { run_a.cmp(run_b) };
                if order != Ordering::Equal {
                    return order;
                }
                (a, b) = (rest_a, rest_b);
            }
        }
    }
}

fn by_number(a: &[u8], b: &[u8]) -> Ordering {
    let (a, b) = (skip(a, |byte| *byte == b'0'), skip(b, |byte| *byte == b'0'));
    a.len().cmp(&b.len()).then_with(|| a.cmp(b))
}

fn skip(text: &[u8], over: impl Fn(&u8) -> bool) -> &[u8] {
    split(text, over).1
}

fn split(text: &[u8], inside: impl Fn(&u8) -> bool) -> (&[u8], &[u8]) {
    let end = text.iter().position(|byte| !inside(byte)).unwrap_or(text.len());
    text.split_at(end)
}

#[cfg(test)]
mod tests {
    use super::*;

    // The examples of rpm-version(7) and of RPM's own description of `~` and `^`.
    #[test]
    fn versions_are_ordered_as_rpm_orders_them() {
        let ordered = [
            "1.0~rc1",
            "1.0~rc2",
            "1.0",
            "1.0^",
            "1.0^20160101",
            "1.0^20160102",
            "1.0.1",
            "1.1",
            "1.9",
            "1.10",
            "2a",
            "2b",
            "2.0",
            "10xyz",
            "10.1xyz",
            "20101122",
        ];
        for (index, low) in ordered.iter().enumerate() {
            assert_eq!(compare(low, low), Ordering::Equal);
            for high in &ordered[index + 1..] {
                assert_eq!(compare(low, high), Ordering::Less, "{low} {high}");
                assert_eq!(compare(high, low), Ordering::Greater, "{low} {high}");
            }
        }
        assert_eq!(compare("1.05", "1_5"), Ordering::Equal);
        assert_eq!(compare("xyz.4", "2"), Ordering::Less);
    }

    #[test]
    fn releases_of_the_kernel_are_ordered() {
        let order = |a: &str, b: &str| Evr::parse(a).compare(&Evr::parse(b));
        assert_eq!(order("3.10.0-1160.119.1.el7", "3.10.0-1160.49.1.el7"), Ordering::Greater);
        assert_eq!(order("3.10.0-1160.el7", "3.10.0-1160.2.1.el7"), Ordering::Less);
        assert_eq!(order("1:1.0-1", "2.0-1"), Ordering::Greater);
    }

    #[test]
    fn a_bound_without_a_release_fits_every_release() {
        assert_eq!(Evr::parse("2.17").compare(&Evr::parse("2.17-317.el7")), Ordering::Equal);
        assert_eq!(Evr::parse("2.17-1").to_string(), "2.17-1");
        assert_eq!(Evr::parse("2:3.82-24.el7").to_string(), "2:3.82-24.el7");
    }
}
