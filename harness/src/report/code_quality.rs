// SPDX-License-Identifier: MIT OR Apache-2.0
//! `code-quality.json`: what GitLab shows beside the lines of a merge request (its "Code Quality"
//! form, a subset of the Code Climate specification).

use serde_json::{Value, json};

use super::junit::headline;
use crate::run::matrix::{self, Cell};
use crate::run::outcome::Runs;

/// An entry for each cell that somebody has to look at.
pub(super) fn code_quality(runs: &Runs) -> String {
    let cells = matrix::cells(&runs.runs);
    let bad: Vec<Value> = cells.iter().filter(|cell| !cell.status().is_good()).map(entry).collect();
    format!("{:#}\n", Value::from(bad))
}

fn entry(cell: &Cell<'_>) -> Value {
    let run = cell.telling();
    let (path, line) = match &run.place {
        Some(place) => (place.file.clone(), place.line),
        None => ("case.toml".to_owned(), 1),
    };
    let signature = run.report.as_ref().and_then(|report| report.signature.clone());
    json!({
        "description": format!("{}: {}", run.name(), headline(cell)),
        "check_name": cell.status().name(),
        "fingerprint": format!("{}-{}", run.name(), signature.unwrap_or_else(|| "none".into())),
        "severity": "critical",
        "location": { "path": path, "lines": { "begin": line } },
    })
}
