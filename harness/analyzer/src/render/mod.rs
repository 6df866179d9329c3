// SPDX-License-Identifier: MIT OR Apache-2.0
//! The report as text and as JSON.

mod text;

pub use text::{text, text_with};

use crate::report::Report;

/// The report as JSON, indented, with a line feed at the end.
pub fn json(report: &Report) -> String {
    // The report has only strings, numbers, lists and structures: nothing that JSON cannot say.
    serde_json::to_string_pretty(report).expect("a report is plain data") + "\n"
}

/// The schema of the JSON form.
pub fn schema() -> String {
    let schema = schemars::schema_for!(Report);
    serde_json::to_string_pretty(&schema).expect("a schema is plain data") + "\n"
}
