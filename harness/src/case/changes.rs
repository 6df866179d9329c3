// SPDX-License-Identifier: MIT OR Apache-2.0
//! Changes to sources of others that hold no line of them: what is deleted is named by its line
//! numbers, and the file by its checksum.
//!
//! ```json
//! [{"file": "vpoll-0.1/vpoll.c", "sha256": "72af…",
//!   "edits": [{"delete_lines": [39, 39]},
//!             {"insert_after": 12, "text": "\tint x;"},
//!             {"repeat_line": 20, "insert_after": 24},
//!             {"line": 40, "columns": [28, 46], "replace_by": "u32"}]}]
//! ```
//! All line numbers are those of the file before any change; columns count characters from 0.

use std::path::PathBuf;

use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};

use guest::hex;

/// The changes to one file.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct FileChange {
    /// Which, from the folder above that of the sources.
    pub file: PathBuf,
    /// What it must be before.
    pub sha256: String,
    /// What is done.
    pub edits: Vec<Edit>,
}

/// One change.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(untagged, deny_unknown_fields)]
pub enum Edit {
    /// These lines go, the first and the last of them.
    Delete {
        /// The first and the last.
        delete_lines: (usize, usize),
    },
    /// A text comes behind a line; 0 is the beginning of the file.
    Insert {
        /// The line.
        insert_after: usize,
        /// The text, of one line or several.
        text: String,
    },
    /// A line comes a second time.
    Repeat {
        /// Which.
        repeat_line: usize,
        /// Behind this one; 0 is the beginning of the file.
        insert_after: usize,
    },
    /// A part of a line becomes another text.
    Replace {
        /// The line.
        line: usize,
        /// From this character up to that one, which stays.
        columns: (usize, usize),
        /// The text.
        replace_by: String,
    },
}

/// Why a change cannot be made.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ChangeError {
    /// The file is another one.
    #[error("the changes are for a {file} of another content")]
    Other {
        /// The file.
        file: PathBuf,
    },
    /// There is no such line or column.
    #[error("the changes name line {line} of {file}, which has no such place")]
    NoPlace {
        /// The file.
        file: PathBuf,
        /// The line.
        line: usize,
    },
}

impl FileChange {
    /// The file's text with all changes.
    ///
    /// # Errors
    /// It is not the file that the changes are for, or has no such lines.
    pub fn apply(&self, content: &[u8]) -> Result<Vec<u8>, ChangeError> {
        if hex(&Sha256::digest(content)) != self.sha256 {
            return Err(ChangeError::Other { file: self.file.clone() });
        }
        let mut lines: Vec<Line> = content
            .split_inclusive(|byte| *byte == b'\n')
            .map(|line| Line { text: Some(line.to_owned()), behind: Vec::new() })
            .collect();
        let mut before = Vec::new();
        for edit in &self.edits {
            match edit {
                Edit::Delete { delete_lines: (first, last) } => {
                    for number in *first..=*last {
                        self.line(&mut lines, number)?.text = None;
                    }
                }
                Edit::Insert { insert_after: 0, text } => before.extend(whole(text)),
                Edit::Insert { insert_after, text } => {
                    self.line(&mut lines, *insert_after)?.behind.extend(whole(text));
                }
                Edit::Repeat { repeat_line, insert_after } => {
                    let text = self.text(content, *repeat_line)?;
                    match insert_after {
                        0 => before.extend(whole(text)),
                        after => self.line(&mut lines, *after)?.behind.extend(whole(text)),
                    }
                }
                Edit::Replace { line: number, columns, replace_by } => {
                    let line = self.line(&mut lines, *number)?;
                    let text = line.text.take().unwrap_or_default();
                    let changed = replaced(&text, *columns, replace_by);
                    line.text = Some(changed.ok_or_else(|| self.no_place(*number))?);
                }
            }
        }
        let rest = lines
            .into_iter()
            .flat_map(|line| line.text.unwrap_or_default().into_iter().chain(line.behind));
        Ok(before.into_iter().chain(rest).collect())
    }

    fn line<'l>(&self, lines: &'l mut [Line], number: usize) -> Result<&'l mut Line, ChangeError> {
        let index = number.checked_sub(1);
        index.and_then(|index| lines.get_mut(index)).ok_or_else(|| self.no_place(number))
    }

    /// A line of the file before any change.
    fn text<'c>(&self, content: &'c [u8], number: usize) -> Result<&'c str, ChangeError> {
        let index = number.checked_sub(1);
        let line =
            index.and_then(|index| content.split_inclusive(|byte| *byte == b'\n').nth(index));
        line.and_then(|line| std::str::from_utf8(line).ok()).ok_or_else(|| self.no_place(number))
    }

    fn no_place(&self, line: usize) -> ChangeError {
        ChangeError::NoPlace { file: self.file.clone(), line }
    }
}

/// A line of the file: its text, unless it is deleted, and what comes behind it.
struct Line {
    text: Option<Vec<u8>>,
    behind: Vec<u8>,
}

/// A text as whole lines.
fn whole(text: &str) -> Vec<u8> {
    let end = if text.ends_with('\n') { "" } else { "\n" };
    format!("{text}{end}").into_bytes()
}

fn replaced(line: &[u8], (from, to): (usize, usize), by: &str) -> Option<Vec<u8>> {
    let text = std::str::from_utf8(line).ok()?;
    let place = |column: usize| {
        let end = (text.len(), '\n');
        text.char_indices().chain([end]).nth(column).map(|(place, _)| place)
    };
    let (from, to) = (place(from)?, place(to)?);
    (from <= to).then(|| [&text[..from], by, &text[to..]].concat().into_bytes())
}

#[cfg(test)]
mod tests {
    use super::*;

    const TEXT: &str = "one\ntwo\nthree ü four\nfive\n";

    fn change(edits: &str) -> FileChange {
        let sha256 = hex(&Sha256::digest(TEXT));
        let edits = serde_json::from_str(edits).unwrap();
        FileChange { file: "a/x.c".into(), sha256, edits }
    }

    fn changed(edits: &str) -> Result<String, ChangeError> {
        change(edits).apply(TEXT.as_bytes()).map(|bytes| String::from_utf8(bytes).unwrap())
    }

    #[test]
    fn all_numbers_are_those_of_the_file_before() {
        let edits = r#"[{"delete_lines": [1, 2]}, {"insert_after": 2, "text": "new"},
            {"insert_after": 0, "text": "first\nsecond\n"},
            {"line": 3, "columns": [6, 7], "replace_by": "x"}]"#;
        assert_eq!(changed(edits).unwrap(), "first\nsecond\nnew\nthree x four\nfive\n");
        let again = r#"[{"repeat_line": 1, "insert_after": 3}, {"delete_lines": [1, 1]},
            {"repeat_line": 4, "insert_after": 0}]"#;
        assert_eq!(changed(again).unwrap(), "five\ntwo\nthree ü four\none\nfive\n");
        let both = r#"[{"line": 4, "columns": [0, 4], "replace_by": ""}]"#;
        assert_eq!(changed(both).unwrap(), "one\ntwo\nthree ü four\n\n");
    }

    #[test]
    fn what_does_not_fit_is_an_error() {
        let other = change("[]").apply(b"another text").unwrap_err();
        assert!(other.to_string().contains("a/x.c"), "{other}");
        for edits in [
            r#"[{"delete_lines": [5, 5]}]"#,
            r#"[{"delete_lines": [0, 1]}]"#,
            r#"[{"insert_after": 9, "text": ""}]"#,
            r#"[{"repeat_line": 5, "insert_after": 1}]"#,
            r#"[{"repeat_line": 1, "insert_after": 5}]"#,
            r#"[{"line": 1, "columns": [2, 9], "replace_by": ""}]"#,
            r#"[{"line": 1, "columns": [3, 2], "replace_by": ""}]"#,
        ] {
            assert!(matches!(changed(edits), Err(ChangeError::NoPlace { .. })), "{edits}");
        }
        assert!(serde_json::from_str::<Edit>(r#"{"delete_lines": [1, 2], "text": ""}"#).is_err());
    }
}
