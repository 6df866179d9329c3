// SPDX-License-Identifier: MIT OR Apache-2.0
//! What packages provide and require: a name, maybe with a version or a bound of it.

use std::cmp::Ordering;
use std::fmt;

use super::version::Evr;

/// How a version is compared.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Relation {
    Less,
    LessOrEqual,
    Equal,
    GreaterOrEqual,
    Greater,
}

impl Relation {
    /// By its name in primary.xml.
    pub(super) fn named(name: &str) -> Option<Self> {
        match name {
            "LT" => Some(Self::Less),
            "LE" => Some(Self::LessOrEqual),
            "EQ" => Some(Self::Equal),
            "GE" => Some(Self::GreaterOrEqual),
            "GT" => Some(Self::Greater),
            _ => None,
        }
    }

    /// By the bits of a package's header (`RPMSENSE_LESS` 2, `GREATER` 4, `EQUAL` 8).
    pub(super) fn of_bits(bits: u32) -> Option<Self> {
        match bits & 0xe {
            2 => Some(Self::Less),
            4 => Some(Self::Greater),
            8 => Some(Self::Equal),
            10 => Some(Self::LessOrEqual),
            12 => Some(Self::GreaterOrEqual),
            _ => None,
        }
    }

    /// By its sign, as boolean dependencies write it.
    pub(super) fn signed(sign: &str) -> Option<Self> {
        match sign {
            "<" => Some(Self::Less),
            "<=" => Some(Self::LessOrEqual),
            "=" | "==" => Some(Self::Equal),
            ">=" => Some(Self::GreaterOrEqual),
            ">" => Some(Self::Greater),
            _ => None,
        }
    }

    fn sign(self) -> &'static str {
        match self {
            Self::Less => "<",
            Self::LessOrEqual => "<=",
            Self::Equal => "=",
            Self::GreaterOrEqual => ">=",
            Self::Greater => ">",
        }
    }

    fn allows_less(self) -> bool {
        matches!(self, Self::Less | Self::LessOrEqual)
    }

    fn allows_equal(self) -> bool {
        matches!(self, Self::LessOrEqual | Self::Equal | Self::GreaterOrEqual)
    }

    fn allows_greater(self) -> bool {
        matches!(self, Self::Greater | Self::GreaterOrEqual)
    }
}

/// A name with a bound of its version.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Capability {
    pub(super) name: String,
    pub(super) bound: Option<(Relation, Evr)>,
}

impl Capability {
    /// Whether what is provided is what is required: both are ranges of versions, and one version
    /// has to be in both. What is provided without a version fits every bound.
    pub(super) fn fits(&self, required: &Self) -> bool {
        if self.name != required.name {
            return false;
        }
        let (Some((mine, have)), Some((theirs, want))) = (&self.bound, &required.bound) else {
            return true;
        };
        match have.compare(want) {
            Ordering::Less => mine.allows_greater() || theirs.allows_less(),
            Ordering::Greater => mine.allows_less() || theirs.allows_greater(),
            Ordering::Equal => {
                mine.allows_equal() && theirs.allows_equal()
                    || mine.allows_less() && theirs.allows_less()
                    || mine.allows_greater() && theirs.allows_greater()
            }
        }
    }
}

impl fmt::Display for Capability {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.name)?;
        match &self.bound {
            Some((relation, evr)) => write!(f, " {} {evr}", relation.sign()),
            None => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn capability(text: &str) -> Capability {
        let mut words = text.split(' ');
        let name = words.next().unwrap().to_owned();
        let bound = words
            .next()
            .map(|sign| (Relation::signed(sign).unwrap(), Evr::parse(words.next().unwrap())));
        Capability { name, bound }
    }

    #[test]
    fn a_version_has_to_be_in_both_ranges() {
        let fits = |have: &str, want: &str| capability(have).fits(&capability(want));
        assert!(fits("glibc = 2.17-317.el7", "glibc >= 2.5"));
        assert!(fits("glibc = 2.17-317.el7", "glibc = 2.17"), "the bound has no release");
        assert!(!fits("glibc = 2.17-317.el7", "glibc = 2.17-260.el7"));
        assert!(!fits("glibc = 2.17-317.el7", "glibc < 2.17-317.el7"));
        assert!(fits("glibc = 2.17-317.el7", "glibc <= 2.17-317.el7"));
        assert!(fits("glibc", "glibc > 99"));
        assert!(!fits("glib", "glibc"));
        assert!(fits("a < 2", "a > 1"), "as far as rpm knows");
        assert!(!fits("a < 1", "a >= 1"));
        assert!(!fits("a = 1:1.0", "a <= 2.0"), "the epoch counts first");
    }

    #[test]
    fn it_is_written_as_rpm_writes_it() {
        assert_eq!(capability("a >= 1:2-3").to_string(), "a >= 1:2-3");
        assert_eq!(
            capability("libc.so.6(GLIBC_2.4)(64bit)").to_string(),
            "libc.so.6(GLIBC_2.4)(64bit)"
        );
    }
}
