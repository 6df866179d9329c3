// SPDX-License-Identifier: MIT OR Apache-2.0
//! What the capture kernel leaves out of a dump.

use std::fmt;

use serde::{Deserialize, Serialize};

/// What `kdump` leaves out, as makedumpfile's `-d` takes it: the sum of 1 (pages of zeros), 2 and 4
/// (contents of files), 8 (memory of processes) and 16 (free pages).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "u8", into = "u8")]
pub struct DumpLevel(u8);

impl Default for DumpLevel {
    /// All of them, as kdump's own configuration has it.
    fn default() -> Self {
        Self(31)
    }
}

impl TryFrom<u8> for DumpLevel {
    type Error = String;

    fn try_from(level: u8) -> Result<Self, String> {
        if level <= 31 {
            return Ok(Self(level));
        }
        Err(format!("{level} is no dump level of makedumpfile: those are 0 to 31"))
    }
}

impl From<DumpLevel> for u8 {
    fn from(level: DumpLevel) -> Self {
        level.0
    }
}

impl fmt::Display for DumpLevel {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn makedumpfile_has_five_sorts_of_pages_to_leave_out() {
        assert_eq!(DumpLevel::default(), DumpLevel::try_from(31).unwrap());
        assert!(DumpLevel::try_from(0).is_ok());
        assert!(DumpLevel::try_from(32).unwrap_err().contains("0 to 31"));
    }
}
