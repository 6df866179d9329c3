// SPDX-License-Identifier: MIT OR Apache-2.0
//! `repro merge`: the results of several invocations as those of one.

use std::collections::BTreeSet;
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
use crate::run::invocation::Invocation;
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
        let (mut runs, mut invocations) = (Vec::new(), Vec::new());
        let (mut taken, mut folders) = (BTreeSet::new(), Vec::new());
        for folder in &self.folders {
            let part = read(folder)?;
            for mut run in part.runs {
                let own = run.folder_name();
                let name = free(&own, &mut taken);
                let to = self.into.join(&name);
                if name != own {
                    run.artifacts = Some(to.display().to_string());
                }
                folders.push((folder.join(own), to));
                runs.push(run);
            }
            invocations.push(part.invocation);
        }
        // Of parts that do not all tell their times, nothing is told.
        let invocations = invocations.into_iter().collect::<Option<Vec<_>>>();
        let invocation = invocations.and_then(|parts| Invocation::together(&parts));
        let runs = Runs { invocation, ..Runs::new(runs) };
        let failed = |error: &std::io::Error| {
            Failure::new(Exit::WriteFailed, format!("cannot write {}", self.into.display()))
                .caused_by(error)
        };
        fs::create_dir_all(&self.into).map_err(|error| failed(&error))?;
        tails(&folders).map_err(|error| failed(&error))?;
        let path = self.history.clone().unwrap_or_else(|| self.into.join("history.jsonl"));
        let mut history = History::load(&path)?;
        write_reports(&self.into, &runs, &history)?;
        history.add(&runs, jiff::Timestamp::now())?;
        self.tell(global, &runs)
    }

    fn tell(&self, global: &GlobalOptions, runs: &Runs) -> CommandResult {
        let mut bus = Bus::new(vec![Box::new(global.terminal())]);
        if let Some(annotations) = self.pipeline.annotations() {
            bus.add(Box::new(annotations));
        }
        bus.emit(Event::Started {
            version: env!("CARGO_PKG_VERSION").to_owned(),
            runs: runs.runs.iter().map(RunResult::name).collect(),
            folder: self.into.display().to_string(),
        });
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

/// A name for a run's folder that no run of another part has: the same case may have run in several.
fn free(name: &str, taken: &mut BTreeSet<String>) -> String {
    let numbered = (2u32..).map(|number| format!("{name}.{number}"));
    let mut names = std::iter::once(name.to_owned()).chain(numbered);
    let free = names.find(|name| !taken.contains(name)).unwrap_or_default();
    taken.insert(free.clone());
    free
}

/// Copies what the merged page shows of the runs' folders.
fn tails(folders: &[(PathBuf, PathBuf)]) -> std::io::Result<()> {
    for (from, to) in folders.iter().filter(|(from, _)| from.is_dir()) {
        fs::create_dir_all(to)?;
        for file in ["console.log", "vmcore-dmesg.txt", "crash.txt", "crash.json"] {
            if from.join(file).is_file() {
                fs::copy(from.join(file), to.join(file))?;
            }
        }
    }
    Ok(())
}

fn read(folder: &Path) -> Result<Runs, Failure> {
    let path = folder.join("run.json");
    let failed = || Failure::new(Exit::SetupError, format!("cannot read {}", path.display()));
    let text = fs::read_to_string(&path).map_err(|error| {
        failed().caused_by(&error).hint("name the folders that `repro test` wrote")
    })?;
    serde_json::from_str(&text).map_err(|error| failed().caused_by(&error))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn runs_of_several_parts_that_have_the_same_name_keep_a_folder_each() {
        let mut taken = BTreeSet::new();
        let names = ["a--g", "a--g.2", "a--g", "b--g", "a--g"].map(|name| free(name, &mut taken));
        assert_eq!(names, ["a--g", "a--g.2", "a--g.3", "b--g", "a--g.4"]);
    }
}
