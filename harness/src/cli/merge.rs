// SPDX-License-Identifier: MIT OR Apache-2.0
//! `repro merge`: the results of several invocations as those of one.

use std::fs;
use std::path::{Path, PathBuf};

use clap::Args;

use super::CommandResult;
use super::options::GlobalOptions;
use super::pipeline_options::PipelineOptions;
use crate::error::Failure;
use crate::events::{Bus, Counts, Event};
use crate::exit::Exit;
use crate::report::{History, write_reports};
use crate::run::matrix::{self, Cell};
use crate::run::outcome::{RunResult, Runs};

/// Merge the results of several invocations, such as the parts of a matrix, into one
///
/// Reads the run.json of each folder and writes run.json, junit.xml, report.html and
/// code-quality.json of all runs. The exit code is that of all of them together.
#[derive(Debug, Args)]
pub(super) struct Merge {
    /// Folders with a run.json
    #[arg(required = true, value_name = "DIR")]
    folders: Vec<PathBuf>,
    /// Folder for the merged results, which is made
    #[arg(long, value_name = "DIR")]
    into: PathBuf,
    /// File with the results of earlier invocations, which the HTML page shows; added to
    #[arg(long, env = "REPRO_HISTORY", hide_env_values = true, value_name = "FILE")]
    history: Option<PathBuf>,
    #[command(flatten)]
    pipeline: PipelineOptions,
}

impl Merge {
    pub(super) fn run(&self, global: &GlobalOptions) -> CommandResult {
        let mut runs = Vec::new();
        for folder in &self.folders {
            runs.extend(read(folder)?);
        }
        let runs = Runs::new(runs);
        let failed = |error: &std::io::Error| {
            Failure::new(Exit::WriteFailed, format!("cannot write {}", self.into.display()))
                .caused_by(error)
        };
        fs::create_dir_all(&self.into).map_err(|error| failed(&error))?;
        self.tails(&runs.runs).map_err(|error| failed(&error))?;
        let path = self.history.clone().unwrap_or_else(|| self.into.join("history.jsonl"));
        let mut history = History::load(&path)?;
        write_reports(&self.into, &runs, &history)?;
        history.add(&runs, jiff::Timestamp::now())?;
        self.tell(global, &runs)
    }

    /// Copies what the merged page shows of the runs' folders.
    fn tails(&self, runs: &[RunResult]) -> std::io::Result<()> {
        for run in runs {
            let name = run.folder_name();
            let from = self.folders.iter().map(|folder| folder.join(&name));
            let Some(from) = from.into_iter().find(|folder| folder.is_dir()) else { continue };
            let to = self.into.join(&name);
            fs::create_dir_all(&to)?;
            for file in ["console.log", "vmcore-dmesg.txt", "crash.txt", "crash.json"] {
                if from.join(file).is_file() {
                    fs::copy(from.join(file), to.join(file))?;
                }
            }
        }
        Ok(())
    }

    fn tell(&self, global: &GlobalOptions, runs: &Runs) -> CommandResult {
        let mut bus = Bus::new(vec![Box::new(global.terminal())]);
        if let Some(annotations) = self.pipeline.annotations() {
            bus.add(Box::new(annotations));
        }
        let mut counts = Counts::default();
        for run in &runs.runs {
            counts.add(run.outcome);
            bus.emit(Event::RunFinished { result: Box::new(run.clone()) });
        }
        let cells = matrix::cells(&runs.runs);
        for rated in cells.iter().filter_map(Cell::rated) {
            bus.emit(Event::Rated(rated));
        }
        bus.emit(Event::Finished { counts, failure: None });
        bus.finish()?;
        Ok(Exit::combine(cells.iter().map(Cell::exit)))
    }
}

fn read(folder: &Path) -> Result<Vec<RunResult>, Failure> {
    let path = folder.join("run.json");
    let failed = || Failure::new(Exit::SetupError, format!("cannot read {}", path.display()));
    let text = fs::read_to_string(&path).map_err(|error| {
        failed().caused_by(&error).hint("name the folders that `repro test` wrote")
    })?;
    let runs: Runs = serde_json::from_str(&text).map_err(|error| failed().caused_by(&error))?;
    Ok(runs.runs)
}
