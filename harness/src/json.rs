// SPDX-License-Identifier: MIT OR Apache-2.0
//! Documents as JSON files.

use serde::Serialize;

/// A document as indented JSON with a line end.
///
/// # Panics
/// The document has a map whose keys are no text; ours have none.
pub(crate) fn text(document: &impl Serialize) -> String {
    let mut text = serde_json::to_string_pretty(document)
        .expect("text, numbers and maps with names for keys can always be written as JSON");
    text.push('\n');
    text
}
