// SPDX-License-Identifier: MIT OR Apache-2.0
//! A crash report as it may be shown.

use super::looked_text::looked_text;
use crate::run::looked::Looked;
use analyzer::render;
use analyzer::report::Report;
use guest::shown::{field, lines};
use serde_json::Value;

/// A report as text of which each field stays in its line.
#[must_use]
pub fn shown_report(report: &Report) -> String {
    with(report, "")
}

/// The same, with what else the dump tells behind the verdict.
pub(crate) fn shown_report_with(report: &Report, looked: &Looked) -> String {
    with(report, &looked_text(looked))
}

fn with(report: &Report, more: &str) -> String {
    let own = serde_json::to_value(report).map(fields).and_then(serde_json::from_value::<Report>);
    lines(&render::text_with(own.as_ref().unwrap_or(report), more))
}

fn fields(value: Value) -> Value {
    match value {
        Value::String(text) => Value::String(field(&text)),
        Value::Array(items) => items.into_iter().map(fields).collect(),
        Value::Object(map) => map.into_iter().map(|(key, value)| (key, fields(value))).collect(),
        other => other,
    }
}
