// SPDX-License-Identifier: MIT OR Apache-2.0
//! The comment `/* BUG: why */` that marks the line at fault in a case's source.

use std::path::{Path, PathBuf};

/// The marked line.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Marker {
    /// Source file, relative to the case's folder.
    pub file: PathBuf,
    /// Line, from 1.
    pub line: u32,
    /// The reason the comment gives.
    pub why: String,
}

impl Marker {
    /// All markers of one source text; `file` is only copied.
    pub(super) fn find(file: &Path, text: &str) -> Vec<Self> {
        let marker = |(number, line): (usize, &str)| {
            let (_, rest) = line.split_once("/* BUG:")?;
            let why = rest.split("*/").next().unwrap_or(rest).trim().to_owned();
            Some(Self { file: file.to_owned(), line: u32::try_from(number + 1).ok()?, why })
        };
        text.lines().enumerate().filter_map(marker).collect()
    }
}
