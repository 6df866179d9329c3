// SPDX-License-Identifier: MIT OR Apache-2.0
//! Exit codes of `repro`, in one enum; `cargo xtask` passes them through unchanged.

use std::fmt::Write as _;
use std::process::ExitCode;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// How an invocation ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub enum Exit {
    /// Everything selected was reproduced, or the analysis is done.
    Ok,
    /// An unexpected error: a bug of this program.
    Internal,
    /// The command line is wrong.
    Usage,
    /// The selection holds no case.
    NoCases,
    /// QEMU, an accelerator or something of the guest is missing.
    Unavailable,
    /// A manifest, the configuration or the environment is invalid.
    SetupError,
    /// At least one case was judged and is mismatched or not reproduced.
    CaseFailed,
    /// cargo or the build of a module failed.
    BuildFailed,
    /// A download failed or does not have the checksum it should have.
    FetchFailed,
    /// The guest never became ready for the trigger.
    BootFailed,
    /// The guest crashed, but no way of capturing gave a usable vmcore.
    CaptureFailed,
    /// The dump cannot be read.
    AnalysisFailed,
    /// Reports could not be written.
    WriteFailed,
    /// Stopped by SIGINT or SIGTERM.
    Interrupted,
}

impl Exit {
    /// Every code, in rising order.
    pub const ALL: [Self; 14] = [
        Self::Ok,
        Self::Internal,
        Self::Usage,
        Self::NoCases,
        Self::Unavailable,
        Self::SetupError,
        Self::CaseFailed,
        Self::BuildFailed,
        Self::FetchFailed,
        Self::BootFailed,
        Self::CaptureFailed,
        Self::AnalysisFailed,
        Self::WriteFailed,
        Self::Interrupted,
    ];

    /// The number the process ends with.
    #[must_use]
    pub const fn code(self) -> u8 {
        match self {
            Self::Ok => 0,
            Self::Internal => 1,
            Self::Usage => 2,
            Self::NoCases => 4,
            Self::Unavailable => 69,
            Self::SetupError => 96,
            Self::CaseFailed => 100,
            Self::BuildFailed => 101,
            Self::FetchFailed => 103,
            Self::BootFailed => 104,
            Self::CaptureFailed => 105,
            Self::AnalysisFailed => 106,
            Self::WriteFailed => 110,
            Self::Interrupted => 130,
        }
    }

    /// What the code means, as `--help` prints it.
    #[must_use]
    pub const fn meaning(self) -> &'static str {
        match self {
            Self::Ok => "everything selected was reproduced, or the analysis is done",
            Self::Internal => "unexpected error: a bug of this program",
            Self::Usage => "the command line is wrong",
            Self::NoCases => "the selection holds no case",
            Self::Unavailable => "QEMU, an accelerator or something of the guest is missing",
            Self::SetupError => "a manifest, the configuration or the environment is invalid",
            Self::CaseFailed => "a case was judged and is mismatched or not reproduced",
            Self::BuildFailed => "cargo or the build of a module failed",
            Self::FetchFailed => "a download failed or has the wrong checksum",
            Self::BootFailed => "the guest never became ready for the trigger",
            Self::CaptureFailed => "the guest crashed, but there is no usable vmcore",
            Self::AnalysisFailed => "the dump cannot be read",
            Self::WriteFailed => "reports could not be written",
            Self::Interrupted => "stopped by SIGINT or SIGTERM",
        }
    }

    /// The code of an invocation with several results: an interruption is told first, then a
    /// case that was judged and failed, otherwise the first failure that occurred.
    #[must_use]
    pub fn combine(results: impl IntoIterator<Item = Self>) -> Self {
        let mut combined = Self::Ok;
        for result in results {
            match result {
                Self::Interrupted => return Self::Interrupted,
                Self::CaseFailed => combined = Self::CaseFailed,
                other if combined == Self::Ok => combined = other,
                _ => {}
            }
        }
        combined
    }

    /// The table that `--help` ends with.
    #[must_use]
    pub fn table() -> String {
        let mut table = String::from("Exit codes:\n");
        for exit in Self::ALL {
            let _ = writeln!(table, "{:>5}  {}", exit.code(), exit.meaning());
        }
        table.push_str(
            "With several results, 100 wins if any case was judged and failed, otherwise the \
             first failure that occurred.",
        );
        table
    }
}

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> Self {
        Self::from(exit.code())
    }
}

#[cfg(test)]
mod tests {
    use super::Exit;

    #[test]
    fn a_judged_failure_wins_over_infrastructure_and_the_first_of_those_stays() {
        assert_eq!(Exit::combine([]), Exit::Ok);
        assert_eq!(
            Exit::combine([Exit::Ok, Exit::BootFailed, Exit::CaptureFailed]),
            Exit::BootFailed
        );
        assert_eq!(Exit::combine([Exit::BootFailed, Exit::CaseFailed]), Exit::CaseFailed);
        assert_eq!(
            Exit::combine([Exit::CaseFailed, Exit::Interrupted, Exit::BootFailed]),
            Exit::Interrupted
        );
    }

    #[test]
    fn codes_rise_and_are_told_apart() {
        let codes: Vec<u8> = Exit::ALL.iter().map(|exit| exit.code()).collect();
        assert!(codes.is_sorted_by(|a, b| a < b), "{codes:?}");
    }
}
