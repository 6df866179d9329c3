// SPDX-License-Identifier: MIT OR Apache-2.0
//! `repro record`: keeps what the analysis of a crash looks at.

use std::fs;
use std::path::Path;

use clap::Args;

use super::CommandResult;
use super::kept_runs::{KeptRun, KeptRuns, Kernels};
use super::names;
use super::options::{self, GlobalOptions};
use crate::error::Failure;
use crate::exit::Exit;
use crate::recording::{self, About, EXTENSION};
use crate::review;
use crate::run::select::{self, Selected};
use crate::units;

/// Keep a small recording of a crash, so that tests can analyze it again without QEMU
///
/// A recording is written to modules/<case>/recordings/<guest>.recording, at most 512 KiB: the bytes
/// of the dump that the analysis read, and the names, lines and types that it asked for. Tests
/// analyze all recordings again and compare the reports with reviewed snapshots.
#[derive(Debug, Args)]
pub(super) struct Record {
    /// What to record
    #[arg(value_name = "CASE[@GUEST]", required_unless_present = "all", add = names::runs())]
    cases: Vec<String>,
    /// Record every case on every guest
    #[arg(long, conflicts_with = "cases")]
    all: bool,
    #[command(flatten)]
    runs: KeptRuns,
}

impl Record {
    pub(super) fn run(&self, global: &GlobalOptions) -> CommandResult {
        let project = global.project()?;
        let selected =
            if self.all { select::all(&project)? } else { select::select(&project, &self.cases)? };
        let runs = self.runs.get(global, &selected, 1)?;
        let mut kernels = Kernels::new(global)?;
        let mut exits = Vec::new();
        for selected in &selected {
            let Some(run) = runs.get(&selected.name()).and_then(|runs| runs.first()) else {
                continue;
            };
            match record(selected, run, kernels.vmlinux(&selected.guest)?) {
                Ok(line) => options::print(&line)?,
                Err(failure) => {
                    options::print_failure(&failure);
                    exits.push(failure.exit);
                }
            }
        }
        Ok(Exit::combine(exits))
    }
}

fn record(selected: &Selected, run: &KeptRun, vmlinux: &Path) -> Result<String, Failure> {
    let name = selected.name();
    let failed = |error: &(dyn std::error::Error + 'static)| {
        Failure::new(Exit::AnalysisFailed, format!("{name} is not recorded")).caused_by(error)
    };
    let Some(crash) = run.result.crash.clone().filter(|_| run.vmcore().is_file()) else {
        return Ok(format!("{name}: no crash to record\n"));
    };
    let (case, guest) = (selected.case.name.clone(), selected.guest.name.clone());
    let about = About { case, guest, crash, made: None };
    let (bytes, analysis) = recording::make(about, &run.vmcore(), &run.symbols(vmlinux))
        .map_err(|error| failed(&error))?;
    let path = review::recording(&selected.case.folder, &selected.guest.name, EXTENSION);
    let folder = path.parent().unwrap_or(&selected.case.folder);
    fs::create_dir_all(folder).and_then(|()| fs::write(&path, &bytes)).map_err(|error| {
        Failure::new(Exit::WriteFailed, format!("cannot write {}", path.display()))
            .caused_by(&error)
    })?;
    let size = units::bytes(bytes.len().try_into().unwrap_or(u64::MAX));
    Ok(format!("{name}: {size}, {}\n", analysis.report.verdict.title))
}
