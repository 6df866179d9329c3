// SPDX-License-Identifier: MIT OR Apache-2.0
//! The committed table of verdicts is of all that is recorded: a case that is left out of it would
//! neither count nor be missed when it gets worse.

use std::collections::BTreeSet;

use serde_json::Value;

use crate::{none, tree};

const TABLE: &str = "docs/score.json";

/// `case@guest` of each recording: `modules/<case>/recordings/<guest>.recording`.
fn recorded() -> BTreeSet<String> {
    let paths = tree::ending(".recording").into_iter();
    let name = |path: String| match path.split('/').collect::<Vec<_>>()[..] {
        ["modules", case, "recordings", file] => {
            Some(format!("{case}@{}", file.strip_suffix(".recording")?))
        }
        _ => None,
    };
    paths.filter_map(name).collect()
}

#[test]
fn every_recording_has_a_row_in_the_score() {
    let table: Value = serde_json::from_str(&tree::read(TABLE)).unwrap();
    let row = |row: &Value| {
        format!("{}@{}", row["case"].as_str().unwrap(), row["guest"].as_str().unwrap())
    };
    let rows: BTreeSet<String> = table["rows"].as_array().unwrap().iter().map(row).collect();
    let recorded = recorded();
    assert!(!recorded.is_empty(), "recordings are somewhere else");
    let missing: Vec<String> = recorded.difference(&rows).cloned().collect();
    none(&format!("{TABLE} lacks what is recorded: `cargo xtask score --live --write`"), &missing);
}
