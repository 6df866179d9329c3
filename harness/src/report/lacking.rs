// SPDX-License-Identifier: MIT OR Apache-2.0
//! What a report would be better with, below it.

use super::line::{DOUBTFUL, VERB_COLUMNS, below, verb};
use super::wrap::wrapped;

/// A file that is lacking, and the lines that get it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Lacking {
    /// The file.
    pub(crate) what: String,
    /// What gets it, the easiest first.
    pub(crate) lines: Vec<String>,
}

/// Lines for people, within so many columns.
pub(crate) fn lacking_text(lacking: &[Lacking], columns: Option<usize>) -> String {
    let of = |one: &Lacking| verb(DOUBTFUL, "Missing", &one.what) + &below(&one.lines.join("\n"));
    let text: String = lacking.iter().map(of).collect();
    wrapped(&text, columns, VERB_COLUMNS + 1)
}
