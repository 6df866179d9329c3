// SPDX-License-Identifier: MIT OR Apache-2.0
//! A line of a module's source. People look it up by its number; what is compared with what another build said
//! names it by its text, which what is added above it does not change.

use debuginfo::{Image, SourceFrame};

/// Characters of a text that a sentence quotes; the frame beside it has more.
const MOST_IN_A_SENTENCE: usize = 60;

/// A line of a module's source.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct SourceLine {
    /// The file as the debug information names it.
    pub file: String,
    /// The number, from 1.
    pub line: u32,
    /// What stands there, where the sources are at hand.
    pub text: Option<String>,
}

impl SourceLine {
    /// A line of a file that the image was compiled from.
    pub(crate) fn of(image: Option<&Image<'_>>, file: String, line: u32) -> Self {
        let text = image.and_then(|image| image.source_text(&file, line));
        Self { file, line, text }
    }

    /// The line of a place in the source, where the debug information has one.
    pub(crate) fn of_frame(image: Option<&Image<'_>>, frame: &SourceFrame) -> Option<Self> {
        Some(Self::of(image, frame.file.clone()?, frame.line?))
    }

    /// By its number, as in `main.c:7`.
    #[must_use]
    pub fn numbered(&self) -> String {
        format!("{}:{}", name(&self.file), self.line)
    }

    /// By its text, as in `main.c: return 0;`; by its number where that is not known.
    #[must_use]
    pub fn quoted(&self) -> String {
        match &self.text {
            Some(text) => quoted(&self.file, text),
            None => self.numbered(),
        }
    }
}

/// A line as sentences name it by its text.
#[must_use]
pub fn quoted(file: &str, text: &str) -> String {
    // Sentences put it between backticks.
    format!("{}: {}", name(file), start(text).replace('`', "'"))
}

/// The file without its folders.
fn name(file: &str) -> &str {
    file.rsplit('/').next().unwrap_or(file)
}

/// What of a text is put into a sentence.
fn start(text: &str) -> String {
    match text.char_indices().nth(MOST_IN_A_SENTENCE) {
        Some((end, _)) => format!("{}…", text[..end].trim_end()),
        None => text.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_is_named_by_its_text_where_that_is_known() {
        let line = |text: Option<&str>| SourceLine {
            file: "driver/main.c".to_owned(),
            line: 7,
            text: text.map(str::to_owned),
        };
        assert_eq!(line(Some("return `x`;")).quoted(), "main.c: return 'x';");
        assert_eq!(line(Some("return 0;")).numbered(), "main.c:7");
        assert_eq!(line(None).quoted(), "main.c:7");
        let long = "x".repeat(MOST_IN_A_SENTENCE + 1);
        let cut = format!("main.c: {}…", "x".repeat(MOST_IN_A_SENTENCE));
        assert_eq!(line(Some(&long)).quoted(), cut);
    }
}
