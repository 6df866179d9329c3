// SPDX-License-Identifier: MIT OR Apache-2.0
//! A crash report as it may be shown.

use analyzer::render;
use analyzer::report::Report;
use guest::shown::{field, lines};
use serde_json::Value;

/// A report as text of which each field stays in its line.
#[must_use]
pub fn shown_report(report: &Report) -> String {
    let own = serde_json::to_value(report).map(fields).and_then(serde_json::from_value::<Report>);
    lines(&render::text(own.as_ref().unwrap_or(report)))
}

fn fields(value: Value) -> Value {
    match value {
        Value::String(text) => Value::String(field(&text)),
        Value::Array(items) => items.into_iter().map(fields).collect(),
        Value::Object(map) => map.into_iter().map(|(key, value)| (key, fields(value))).collect(),
        other => other,
    }
}
