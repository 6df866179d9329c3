// SPDX-License-Identifier: MIT OR Apache-2.0
//! Files of the artefact folder that are written once, at the end.

use std::fs;
use std::path::Path;

use analyzer::{Analysis, render};

use super::console_log::unwritable;
use crate::error::Failure;
use crate::run::outcome::Runs;

/// Writes `crash.txt` and `crash.json` (raw addresses) and `crash.stable.txt`.
///
/// # Errors
/// A file cannot be written.
pub fn write_crash(folder: &Path, analysis: &Analysis) -> Result<(), Failure> {
    let Analysis { report, stable } = analysis;
    write(&folder.join("crash.txt"), &render::text(report))?;
    write(&folder.join("crash.json"), &render::json(report))?;
    write(&folder.join("crash.stable.txt"), &render::text(stable))
}

/// Writes `run.json`.
///
/// # Errors
/// The file cannot be written.
pub fn write_runs(folder: &Path, runs: &Runs) -> Result<(), Failure> {
    write(&folder.join("run.json"), &runs.to_json())
}

fn write(path: &Path, text: &str) -> Result<(), Failure> {
    fs::write(path, text).map_err(|error| unwritable(path, &error))
}
