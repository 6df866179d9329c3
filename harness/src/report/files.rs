// SPDX-License-Identifier: MIT OR Apache-2.0
//! Files of the artefact folder that are written once, at the end.

use std::fs;
use std::path::Path;

use analyzer::{Analysis, render};

use super::console_log::unwritable;
use super::shown::{shown_report, shown_report_with};
use super::{History, code_quality, html, junit};
use crate::error::Failure;
use crate::run::looked::Looked;
use crate::run::outcome::Runs;
use crate::symbols::{LINES, Lines};
use guest::shown;

/// Writes `crash.txt` and `crash.json` (raw addresses), `crash.stable.txt`, and the lines of sources that they quote.
///
/// # Errors
/// A file cannot be written.
pub(crate) fn write_crash(
    folder: &Path,
    analysis: &Analysis,
    lines: &Lines,
    looked: &Looked,
) -> Result<(), Failure> {
    let Analysis { report, stable, .. } = analysis;
    write(&folder.join("crash.txt"), &shown_report_with(report, looked))?;
    write(&folder.join("crash.json"), &shown::json(&render::json(report)))?;
    if let Some(lines) = lines.to_json() {
        write(&folder.join(LINES), &shown::json(&lines))?;
    }
    write(&folder.join("crash.stable.txt"), &shown_report(stable))
}

/// Writes `run.json`, and the same for people and pipelines: `report.html`, `junit.xml`
/// and `code-quality.json`.
///
/// # Errors
/// A file cannot be written.
pub fn write_reports(folder: &Path, runs: &Runs, history: &History) -> Result<(), Failure> {
    write(&folder.join("run.json"), &shown::json(&runs.to_json()))?;
    write(&folder.join("junit.xml"), &junit::junit(runs, folder))?;
    write(&folder.join("report.html"), &html::html(runs, folder, history))?;
    let quality = shown::json(&code_quality::code_quality(runs));
    write(&folder.join("code-quality.json"), &quality)
}

fn write(path: &Path, text: &str) -> Result<(), Failure> {
    fs::write(path, text).map_err(|error| unwritable(path, &error))
}
