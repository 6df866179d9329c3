// SPDX-License-Identifier: MIT OR Apache-2.0
//! Since when does it crash? Searches that halve what they search in: a list, or the commits of a
//! repository. What a step does to find out is the caller's.

mod commits;
mod git;
mod list;
mod steps;

use std::path::PathBuf;

pub use commits::{First, search};
pub use git::Repository;
pub use list::{Found, first_bad};
pub use steps::{Step, Steps};

use crate::error::Failure;

/// What a step found.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Answer {
    /// No crash.
    Good,
    /// A crash.
    Bad,
    /// Nothing could be found out.
    Untold,
}

impl Answer {
    /// In a word.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::Good => "good",
            Self::Bad => "bad",
            Self::Untold => "untold",
        }
    }
}

/// What a step found, and what there is to look at.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Tried {
    /// The answer.
    pub answer: Answer,
    /// Why there is none, or what it crashed with.
    pub why: Option<String>,
    /// The folder with all that was kept of it.
    pub folder: Option<PathBuf>,
}

impl Tried {
    /// An answer without more.
    #[must_use]
    pub const fn as_told(answer: Answer) -> Self {
        Self { answer, why: None, folder: None }
    }
}

/// How often so many can be halved until one is left.
const fn halvings(count: usize) -> usize {
    match count {
        0 | 1 => 0,
        more => (more - 1).ilog2() as usize + 1,
    }
}

#[cfg(test)]
mod tests {
    use super::halvings;

    #[test]
    fn halves_are_rounded_up() {
        let all = [0, 1, 2, 3, 4, 5, 8, 9].map(halvings);
        assert_eq!(all, [0, 0, 1, 2, 2, 3, 3, 4]);
    }
}
