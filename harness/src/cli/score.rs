// SPDX-License-Identifier: MIT OR Apache-2.0
//! `repro score`: how many verdicts are right.

use std::fs;
use std::path::Path;

use clap::Args;

use super::CommandResult;
use super::kept_runs::{KeptRun, KeptRuns, Kernels};
use super::names;
use super::options::{self, GlobalOptions, OutputFormat};
use super::score_foreign::{self, Wanted};
use crate::analysis;
use crate::error::Failure;
use crate::exit::Exit;
use crate::recording::{EXTENSION, Recording};
use crate::run::select::{self, Selected};
use crate::score::{Row, Table};

/// Where the committed table is, below the project's folder.
const TABLE: &str = "docs/score.json";

/// Compare the verdicts with the marked lines and the expected kinds of all cases
///
/// By itself it analyzes the recordings below modules/ again. With --live it makes every case on
/// every guest crash now; with --from it analyzes the vmcores of runs that were kept. It fails if
/// something is wrong that is right in docs/score.json.
///
/// With --foreign it makes crashes of modules that the analyzer was not made with, and holds the
/// verdicts to truths that were found without it (docs/score-foreign.json, docs/score-foreign.md).
#[derive(Debug, Args)]
pub(super) struct Score {
    /// Which cases to score; all without it
    #[arg(value_name = "CASE[@GUEST]", add = names::runs())]
    cases: Vec<String>,
    /// Make the runs
    #[arg(long, conflicts_with = "from")]
    live: bool,
    /// Make each run so many times
    #[arg(short = 'n', long, value_name = "N", default_value_t = 1, requires = "live",
          value_parser = clap::value_parser!(u32).range(1..=10_000))]
    repeat: u32,
    #[command(flatten)]
    runs: KeptRuns,
    /// The form of the table
    #[arg(long, value_enum, default_value_t)]
    format: OutputFormat,
    /// Write the table to docs/score.json; with --foreign that of the recordings, or of what was run, and the page
    #[arg(long)]
    write: bool,
    /// Score faults in modules of others, which are in tests/foreign: their sources come from Debian
    /// packages. CASE is the name of a fault then
    #[arg(long, conflicts_with_all = ["live", "repeat"])]
    foreign: bool,
    /// Run the modules of --foreign without a fault instead: each has to survive what the faults are
    /// provoked by
    #[arg(long, requires = "foreign", conflicts_with_all = ["from", "record", "recorded", "write"])]
    soaks: bool,
    /// Record the crashes of --foreign, so that tests can analyze them again
    #[arg(long, requires = "foreign")]
    record: bool,
    /// Analyze the recorded crashes of --foreign again, in seconds, instead of making them
    #[arg(long, requires = "foreign", conflicts_with_all = ["from", "record"])]
    recorded: bool,
}

impl Score {
    pub(super) fn run(&self, global: &GlobalOptions) -> CommandResult {
        let project = global.project()?;
        if self.foreign {
            let wanted = Wanted {
                ids: &self.cases,
                runs: &self.runs,
                format: self.format,
                write: self.write,
                record: self.record,
                recorded: self.recorded,
                soaks: self.soaks,
            };
            return score_foreign::run(&wanted, &project.root, global);
        }
        let all = self.cases.is_empty();
        let selected =
            if all { select::all(&project)? } else { select::select(&project, &self.cases)? };
        let by_runs = self.live || self.runs.is_given();
        let rows = if by_runs { self.by_runs(global, &selected)? } else { recorded(&selected)? };
        let table = Table::new(rows);
        match self.format {
            OutputFormat::Text => options::print(&table.to_text())?,
            OutputFormat::Json => options::print_json(&table.to_json())?,
        }
        let path = project.root.join(TABLE);
        if self.write {
            fs::write(&path, table.to_json()).map_err(|error| unwritable(&path, &error))?;
            return Ok(Exit::Ok);
        }
        let falls = table.falls(&committed(&path)?, self.live && all);
        for fall in &falls {
            options::complain(&format!("fell: {fall}\n"))?;
        }
        Ok(if falls.is_empty() { Exit::Ok } else { Exit::CaseFailed })
    }

    fn by_runs(&self, global: &GlobalOptions, selected: &[Selected]) -> Result<Vec<Row>, Failure> {
        let runs = self.runs.get(global, selected, self.repeat)?;
        let mut kernels = Kernels::new(global)?;
        let mut rows = Vec::new();
        for selected in selected {
            let Some(runs) = runs.get(&selected.name()) else { continue };
            let mut row = Row::new(selected);
            for run in runs {
                let report = report(run, kernels.vmlinux(&selected.guest)?)?;
                row.add_run(selected, &run.result, report.as_ref());
            }
            rows.push(row);
        }
        Ok(rows)
    }
}

/// What the analyzer says now of a run's dump.
fn report(run: &KeptRun, vmlinux: &Path) -> Result<Option<analyzer::report::Report>, Failure> {
    let vmcore = run.vmcore();
    if !vmcore.is_file() {
        return Ok(run.result.report.clone());
    }
    Ok(Some(analysis::analyze(&[vmcore], &run.symbols(vmlinux))?.report))
}

/// The rows of the recordings that there are.
fn recorded(selected: &[Selected]) -> Result<Vec<Row>, Failure> {
    let mut rows = Vec::new();
    for selected in selected {
        let folder = selected.case.folder.join("recordings");
        let path = folder.join(format!("{}.{EXTENSION}", selected.guest.name));
        let Ok(bytes) = fs::read(&path) else { continue };
        let failed = |error: &(dyn std::error::Error + 'static)| {
            Failure::new(Exit::AnalysisFailed, format!("cannot analyze {}", path.display()))
                .caused_by(error)
        };
        let recording = Recording::from_bytes(&bytes).map_err(|error| failed(&error))?;
        let (about, analysis) = recording.replay().map_err(|error| failed(&error))?;
        let mut row = Row::new(selected);
        row.add(selected, &about.crash, &analysis.report);
        rows.push(row);
    }
    Ok(rows)
}

/// The table of the project; an empty one if there is none.
fn committed(path: &Path) -> Result<Table, Failure> {
    let Ok(text) = fs::read_to_string(path) else { return Ok(Table::new(Vec::new())) };
    serde_json::from_str(&text).map_err(|error| {
        Failure::new(Exit::SetupError, format!("cannot read {}", path.display())).caused_by(&error)
    })
}

fn unwritable(path: &Path, error: &std::io::Error) -> Failure {
    Failure::new(Exit::WriteFailed, format!("cannot write {}", path.display())).caused_by(error)
}
