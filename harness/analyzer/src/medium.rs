// SPDX-License-Identifier: MIT OR Apache-2.0
//! What a crash is known from.

/// What a crash is known from.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Medium {
    /// Its memory.
    #[default]
    Dump,
    /// The text of its log.
    Text,
}

impl std::fmt::Display for Medium {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::Dump => "dump",
            Self::Text => "text",
        })
    }
}
