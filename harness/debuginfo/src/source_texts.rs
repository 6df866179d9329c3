// SPDX-License-Identifier: MIT OR Apache-2.0
//! The texts of source lines, from whoever has the sources.

use std::fmt;

/// Who has the sources that an image was compiled from.
pub trait SourceTexts: fmt::Debug {
    /// The text of a line, from 1, of a file as the line table names it ([`SourceFrame::file`](crate::SourceFrame)),
    /// in one line of a length for people; `None` where it is not at hand.
    fn text(&self, file: &str, line: u32) -> Option<String>;
}
