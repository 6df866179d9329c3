// SPDX-License-Identifier: MIT OR Apache-2.0
//! The source around the line at fault, while the case's files are at hand.

use std::fs;

use analyzer::report::Culprit;

use crate::case::Case;
use crate::run::outcome::Excerpt;
use crate::symbols::source_of;

/// Lines shown before and after the one at fault.
const AROUND: u32 = 8;
/// Longer lines are cut: a source of one line is not for people.
const MAX_LINE: usize = 200;

/// The lines around the culprit's, if its file is one of the case's.
#[must_use]
pub fn of(case: &Case, culprit: &Culprit) -> Option<Excerpt> {
    let (file, line) = (culprit.file.as_deref()?, culprit.line.filter(|line| *line > 0)?);
    let (place, path) = source_of(&case.sources, file)?;
    let text = fs::read(path).ok()?;
    let text = String::from_utf8_lossy(&text);
    let first = line.saturating_sub(AROUND).max(1);
    let count = usize::try_from(line - first + AROUND + 1).ok()?;
    let skipped = usize::try_from(first - 1).ok()?;
    let cut = |line: &str| line.chars().take(MAX_LINE).collect();
    let text: Vec<String> = text.lines().skip(skipped).take(count).map(cut).collect();
    let file = place.display().to_string();
    (!text.is_empty()).then_some(Excerpt { file, first, line, text })
}
