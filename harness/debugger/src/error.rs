// SPDX-License-Identifier: MIT OR Apache-2.0
//! Why a command has no answer.

use kernel::{Unavailable, Unreadable};

/// Why a command has no answer.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum CommandError {
    /// There is no such command.
    #[error("no command `{0}`; `help` lists them")]
    NoCommand(String),
    /// It is a part of crash(8) that is not here.
    #[error("crash's `{typed}` ({what}) is not here")]
    Absent {
        /// What was typed.
        typed: String,
        /// What it is for there.
        what: &'static str,
    },
    /// The command was typed in a way that it does not understand.
    #[error("{0}")]
    Usage(String),
    /// Memory cannot be read.
    #[error(transparent)]
    Unreadable(#[from] Unreadable),
    /// The kernel or the debug information does not tell.
    #[error(transparent)]
    Unavailable(#[from] Unavailable),
    /// There is nothing of that kind.
    #[error("{0}")]
    Nothing(String),
}

impl CommandError {
    /// An error of usage, in words.
    pub fn usage(words: impl Into<String>) -> Self {
        Self::Usage(words.into())
    }

    /// There is nothing of that kind, in words.
    pub fn nothing(words: impl Into<String>) -> Self {
        Self::Nothing(words.into())
    }
}
