// SPDX-License-Identifier: MIT OR Apache-2.0
//! What became of the trigger: how it ended, and the last that it printed.

use std::collections::VecDeque;
use std::fmt;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::run::exec_run::ExecRun;
use guest::shown;

/// Lines that are kept, and the characters of each.
const LINES: usize = 20;
const WIDTH: usize = 400;
/// What a shell adds to the number of the signal that ended a program.
const BY_SIGNAL: i32 = 128;

/// What became of the trigger.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct TriggerRun {
    /// How it ended.
    pub end: TriggerEnd,
    /// The last lines that it printed, without control characters, the oldest first.
    pub output: VecDeque<String>,
    /// What it told of the ways in which it executed programs; null where it does not.
    #[serde(default)]
    pub exec: Option<ExecRun>,
}

/// How the trigger ended.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(tag = "how", rename_all = "kebab-case")]
pub enum TriggerEnd {
    /// It did not: it ran when the kernel stopped, or when its time was over.
    #[default]
    Running,
    /// By itself.
    Exited {
        /// With this status.
        status: i32,
    },
    /// By a signal.
    Killed {
        /// The signal's number.
        signal: i32,
    },
    /// The guest did not say how.
    Unknown,
}

impl TriggerEnd {
    /// The status as a shell tells it: 128 and its number for a signal.
    #[must_use]
    pub const fn status(self) -> Option<i32> {
        match self {
            Self::Exited { status } => Some(status),
            Self::Killed { signal } => Some(BY_SIGNAL.saturating_add(signal)),
            Self::Running | Self::Unknown => None,
        }
    }
}

impl fmt::Display for TriggerEnd {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Running => f.write_str("had not ended"),
            Self::Exited { status } => write!(f, "exit status {status}"),
            Self::Killed { signal } => write!(f, "signal {signal}"),
            Self::Unknown => f.write_str("unknown status"),
        }
    }
}

impl TriggerRun {
    /// How it ended, and what it was at, in a few words.
    pub(crate) fn headline(&self) -> String {
        match &self.exec {
            None => self.end.to_string(),
            Some(exec) => format!("{}, {}", self.end, exec.headline()),
        }
    }

    /// How it ended, its steps that did not pass, and its last lines, at most so many, a line each.
    pub(crate) fn lines(&self, most: usize) -> Vec<String> {
        let last = self.output.iter().skip(self.output.len().saturating_sub(most));
        let last = last.map(|line| format!("| {}", shown::field(line)));
        let steps = self.exec.iter().flat_map(ExecRun::lines);
        let head = format!("trigger: {}", self.headline());
        std::iter::once(head).chain(steps).chain(last).collect()
    }

    /// Takes a line that it printed.
    pub(super) fn print(&mut self, line: &str) {
        if self.output.len() == LINES {
            self.output.pop_front();
        }
        self.output.push_back(line.chars().take(WIDTH).collect());
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_last_lines_are_kept_and_no_more() {
        let mut run = TriggerRun::default();
        for number in 0..100 {
            run.print(&format!("{number} {}", "x".repeat(1000)));
        }
        assert_eq!(run.output.len(), LINES);
        assert!(run.output[0].starts_with("80 ") && run.output[19].starts_with("99 "));
        assert!(run.output.iter().all(|line| line.chars().count() == WIDTH));
    }

    #[test]
    fn a_signal_has_the_status_that_a_shell_gives_it() {
        assert_eq!(TriggerEnd::Killed { signal: 9 }.status(), Some(137));
        assert_eq!(TriggerEnd::Exited { status: 127 }.status(), Some(127));
        assert_eq!(TriggerEnd::Running.status(), None);
    }
}
