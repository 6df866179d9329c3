// SPDX-License-Identifier: MIT OR Apache-2.0
//! The answer to a question that may honestly have none.

use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// Found, or unknown and why.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[must_use]
pub enum Lookup<T> {
    /// The answer.
    Found(T),
    /// There is none; the reason is a hint for people.
    Unknown(Reason),
}

/// Why a lookup has no answer. Written down, it is its words.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Reason {
    /// The file was built or stripped without the section that would tell.
    #[error("the file has no {0}")]
    NoSection(&'static str),
    /// No symbol of that name, or none that covers the address.
    #[error("no such symbol")]
    NoSymbol,
    /// The symbol's section has no known run-time address.
    #[error("the section of {0} was not loaded at a known address")]
    NotLoaded(String),
    /// No compile unit with debug information covers the address.
    #[error("no compile unit covers address {0:#x}")]
    NoUnit(u64),
    /// The unit is known, but no function in it covers the address.
    #[error("no function covers address {0:#x}")]
    NoFunction(u64),
    /// Nothing of that name where it was looked for.
    #[error("{0} was not found")]
    NotFound(String),
    /// The debug information contradicts itself or is cut off.
    #[error("malformed {what} at offset {offset:#x}")]
    Malformed {
        /// The section or structure.
        what: &'static str,
        /// Offset inside it, in bytes.
        offset: u64,
    },
    /// The answer is in the file of that name, which `dwz` made of what several files have in
    /// common.
    #[error("the supplementary debug file {0} was not found")]
    NoSupplementaryFile(String),
    /// The answer lies deeper or further than is looked; guards against hostile input.
    #[error("{0}: limit reached")]
    Limit(&'static str),
    /// A construct that kernels do not use and that is not read.
    #[error("{0} is not supported")]
    Unsupported(&'static str),
    /// As a recording has it: only the words are kept.
    #[error("{0}")]
    Recorded(String),
    /// The recording that stands in the place of the file has no answer to this.
    #[error("this is not in the recording")]
    NotRecorded,
}

impl Serialize for Reason {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Reason {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer).map(Self::Recorded)
    }
}

impl<T> Lookup<T> {
    /// The answer, without the reason if there is none.
    pub fn found(self) -> Option<T> {
        match self {
            Self::Found(answer) => Some(answer),
            Self::Unknown(_) => None,
        }
    }

    /// As a `Result`, for `?`.
    ///
    /// # Errors
    /// The reason, if there is no answer.
    pub fn ok(self) -> Result<T, Reason> {
        match self {
            Self::Found(answer) => Ok(answer),
            Self::Unknown(reason) => Err(reason),
        }
    }

    /// Changes the answer, keeps the reason.
    pub fn map<U>(self, change: impl FnOnce(T) -> U) -> Lookup<U> {
        match self {
            Self::Found(answer) => Lookup::Found(change(answer)),
            Self::Unknown(reason) => Lookup::Unknown(reason),
        }
    }

    /// Whether there is an answer.
    pub const fn is_found(&self) -> bool {
        matches!(self, Self::Found(_))
    }
}

impl<T> From<Result<T, Reason>> for Lookup<T> {
    fn from(result: Result<T, Reason>) -> Self {
        match result {
            Ok(answer) => Self::Found(answer),
            Err(reason) => Self::Unknown(reason),
        }
    }
}
