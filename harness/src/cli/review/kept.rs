// SPDX-License-Identifier: MIT OR Apache-2.0
//! What was kept of the crashes that reviewed reports are of: recordings beside the cases, and runs.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use analyzer::report::Report;

use super::super::kept_runs::{self, KeptRun, Kernels};
use super::super::options::{self, GlobalOptions};
use crate::analysis;
use crate::config::Project;
use crate::error::Failure;
use crate::recording::Recorded;
use crate::review::{Evidence, Reviewed, Waiting};
use crate::run::select;

/// Name of the file in a run's folder with its stable report.
const STABLE: &str = "crash.stable.txt";

/// What was kept.
pub(super) struct Kept<'p> {
    project: &'p Project,
    /// Folders of the cases, by name.
    folders: BTreeMap<String, PathBuf>,
    runs: Option<Runs>,
}

/// Runs that were kept, and the kernels that they are analyzed with.
struct Runs {
    /// By the names of case and guest.
    all: BTreeMap<String, Vec<KeptRun>>,
    kernels: RefCell<Kernels>,
}

/// What was kept of one case on one guest.
pub(super) struct KeptOf<'k, 'p> {
    kept: &'k Kept<'p>,
    case: &'k str,
    guest: &'k str,
}

impl<'p> Kept<'p> {
    /// Recordings, and runs below a folder.
    pub(super) fn new(
        global: &GlobalOptions,
        project: &'p Project,
        folders: BTreeMap<String, PathBuf>,
        from: Option<&Path>,
    ) -> Result<Self, Failure> {
        let runs = from.map(|from| Runs::new(global, from)).transpose()?;
        Ok(Self { project, folders, runs })
    }

    pub(super) fn of<'k>(&'k self, one: &'k Waiting) -> KeptOf<'k, 'p> {
        KeptOf { kept: self, case: &one.case, guest: &one.guest }
    }
}

impl Runs {
    fn new(global: &GlobalOptions, from: &Path) -> Result<Self, Failure> {
        let kernels = RefCell::new(Kernels::new(global)?);
        Ok(Self { all: kept_runs::all_below(from)?, kernels })
    }

    fn analyze(&self, run: &KeptRun, guest: &guest::Manifest) -> Result<Report, Failure> {
        let mut kernels = self.kernels.borrow_mut();
        let symbols = run.symbols(kernels.vmlinux(guest)?);
        Ok(analysis::analyze(&[run.vmcore()], &symbols)?.stable)
    }
}

impl Evidence for KeptOf<'_, '_> {
    fn again(&self, reviewed: Reviewed<'_>) -> Option<Report> {
        let folder = self.kept.folders.get(self.case);
        let recorded = folder.and_then(|case| Recorded::of(case, self.guest).again(reviewed));
        recorded.or_else(|| self.of_runs(reviewed))
    }
}

impl KeptOf<'_, '_> {
    fn of_runs(&self, reviewed: Reviewed<'_>) -> Option<Report> {
        let runs = self.kept.runs.as_ref()?;
        let own = runs.all.get(&format!("{}@{}", self.case, self.guest))?;
        let run = own.iter().find(|run| is_of(run, reviewed))?;
        let guest = select::load_guest(self.kept.project, self.guest);
        let again = guest.and_then(|guest| runs.analyze(run, &guest));
        // The other ways to tell are left; that this one is not taken has to be known.
        again.inspect_err(options::print_failure).ok()
    }
}

/// A run whose own report, made when it ran, is the reviewed one is the run that was reviewed.
fn is_of(run: &KeptRun, reviewed: Reviewed<'_>) -> bool {
    let said = fs::read_to_string(run.folder.join(STABLE));
    said.is_ok_and(|said| said.trim_end_matches('\n') == reviewed.text) && run.vmcore().is_file()
}
