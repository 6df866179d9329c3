// SPDX-License-Identifier: MIT OR Apache-2.0
//! Runs that other commands look at: made now, or kept from before.

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::fs;
use std::path::{Path, PathBuf};

use clap::Args;

use rustix::process::Signal;

use super::options::GlobalOptions;
use crate::analysis::Symbols;
use crate::error::Failure;
use crate::exit::Exit;
use crate::report::run_folder;
use crate::run::outcome::{RunResult, Runs};
use crate::run::plan::BootWay;
use crate::run::select::Selected;
use crate::symbols::{Lines, Places};
use guest;

/// How often a crash that did not come is tried again.
const MORE_TRIES: u32 = 2;
/// Folders below the one that is named are searched so deep.
const MAX_DEPTH: u32 = 6;

/// Where runs come from.
#[derive(Debug, Args)]
pub(super) struct KeptRuns {
    /// Take runs that were kept below this folder, the newest of each case and guest, instead of
    /// making them
    #[arg(long, value_name = "DIR")]
    from: Option<PathBuf>,
}

/// A run and its artefact folder.
#[derive(Debug, Clone)]
pub(super) struct KeptRun {
    pub(super) result: RunResult,
    pub(super) folder: PathBuf,
}

impl KeptRun {
    pub(super) fn vmcore(&self) -> PathBuf {
        self.folder.join("vmcore")
    }

    /// The debug information of its kernel and of what was built for it.
    pub(super) fn symbols(&self, vmlinux: &Path) -> Symbols {
        Symbols {
            vmlinux: Some(vmlinux.to_owned()),
            modules: Vec::new(),
            module_dir: Some(self.folder.join("build")).filter(|folder| folder.is_dir()),
            places: Places::default(),
            lines: Lines::kept_in(&self.folder),
        }
    }
}

impl KeptRuns {
    /// Whether they are taken from a folder.
    pub(super) const fn is_given(&self) -> bool {
        self.from.is_some()
    }

    /// Runs of cases of another project than the user's, made now.
    pub(super) fn make_in(
        &self,
        root: &Path,
        selected: &[Selected],
    ) -> Result<BTreeMap<String, Vec<KeptRun>>, Failure> {
        make(root, selected, 1, BootWay::Snapshot)
    }

    /// The runs of cases of another project than the user's. One that did not crash is tried again if
    /// `should_crash` says so.
    pub(super) fn get_in(
        &self,
        root: &Path,
        selected: &[Selected],
        should_crash: &dyn Fn(&Selected) -> bool,
    ) -> Result<BTreeMap<String, Vec<KeptRun>>, Failure> {
        if let Some(folder) = &self.from {
            return kept(folder, selected);
        }
        let mut runs = make(root, selected, 1, BootWay::Snapshot)?;
        for _ in 0..MORE_TRIES {
            let crashed = |selected: &&Selected| {
                let run = runs.get(&selected.name()).and_then(|runs| runs.first());
                run.is_some_and(|run| run.vmcore().is_file())
            };
            let again = |selected: &&Selected| !crashed(selected) && should_crash(selected);
            let calm: Vec<Selected> = selected.iter().filter(again).cloned().collect();
            if calm.is_empty() {
                break;
            }
            // Another boot has its memory elsewhere, and its races come out otherwise.
            runs.extend(make(root, &calm, 1, BootWay::Cold)?);
        }
        Ok(runs)
    }

    /// The runs of the selected cases, by their names; all of each if they are made now.
    pub(super) fn get(
        &self,
        global: &GlobalOptions,
        selected: &[Selected],
        repeat: u32,
    ) -> Result<BTreeMap<String, Vec<KeptRun>>, Failure> {
        let Some(folder) = &self.from else {
            return make(&global.project()?.root, selected, repeat, BootWay::Snapshot);
        };
        kept(folder, selected)
    }
}

/// The newest run of each case that is kept below a folder.
fn kept(folder: &Path, selected: &[Selected]) -> Result<BTreeMap<String, Vec<KeptRun>>, Failure> {
    let mut kept = all_below(folder)?;
    let wanted = |name: &str| selected.iter().any(|selected| selected.name() == name);
    kept.retain(|name, _| wanted(name));
    // Folders are named by their time.
    kept.values_mut().for_each(|runs| drop(runs.drain(..runs.len().saturating_sub(1))));
    Ok(kept)
}

/// All runs that were kept below a folder, by their names, the oldest first.
pub(super) fn all_below(folder: &Path) -> Result<BTreeMap<String, Vec<KeptRun>>, Failure> {
    let mut kept = BTreeMap::new();
    collect(folder, 0, &mut kept)?;
    Ok(kept)
}

/// Makes the runs of cases of the project in `root`, captured fast, by this program.
fn make(
    root: &Path,
    selected: &[Selected],
    repeat: u32,
    boot: BootWay,
) -> Result<BTreeMap<String, Vec<KeptRun>>, Failure> {
    let boot = match boot {
        BootWay::Cold => "cold",
        BootWay::Snapshot => "snapshot",
    };
    let failed = |error: &std::io::Error| {
        Failure::new(Exit::Internal, "cannot start the runs").caused_by(error)
    };
    let program = std::env::current_exe().map_err(|error| failed(&error))?;
    let mut arguments: Vec<OsString> = ["run", "--capture", "fast", "--boot", boot]
        .map(OsString::from)
        .into_iter()
        .chain(["--format".into(), "json".into(), "-n".into(), repeat.to_string().into()])
        .chain(["--root".into(), root.into()])
        .collect();
    arguments.extend(selected.iter().map(|selected| selected.name().into()));
    // The runs end with us, in order: each has a guest to stop.
    let tied = |command: &mut std::process::Command| {
        process::tie_to_parent(command, Signal::TERM);
        Ok(())
    };
    let output = duct::cmd(program, arguments).before_spawn(tied).stdout_capture();
    let output = output.unchecked().run();
    let output = output.map_err(|error| failed(&error))?;
    let runs: Runs = serde_json::from_slice(&output.stdout).map_err(|error| {
        Failure::new(Exit::Internal, "the runs were not made").caused_by(&error)
    })?;
    let mut made = BTreeMap::<String, Vec<KeptRun>>::new();
    for result in runs.runs {
        let folder = PathBuf::from(result.artifacts.clone().unwrap_or_default());
        made.entry(result.name()).or_default().push(KeptRun { result, folder });
    }
    Ok(made)
}

/// Adds the runs of all `run.json` below a folder, in the order of the folders' names.
fn collect(
    folder: &Path,
    depth: u32,
    found: &mut BTreeMap<String, Vec<KeptRun>>,
) -> Result<(), Failure> {
    let failed = |error: &dyn std::fmt::Display| {
        Failure::new(Exit::SetupError, format!("cannot read the runs in {}", folder.display()))
            .hint(error.to_string())
    };
    let mut folders = Vec::new();
    for entry in fs::read_dir(folder).map_err(|error| failed(&error))? {
        let entry = entry.map_err(|error| failed(&error))?;
        if entry.file_type().is_ok_and(|kind| kind.is_dir()) {
            folders.push(entry.path());
        }
    }
    folders.sort();
    if let Ok(text) = fs::read_to_string(folder.join("run.json")) {
        let runs: Runs = serde_json::from_str(&text).map_err(|error| failed(&error))?;
        for result in runs.runs {
            let own = folder.join(run_folder(&result.name()));
            found.entry(result.name()).or_default().push(KeptRun { result, folder: own });
        }
        return Ok(());
    }
    for below in folders.iter().filter(|_| depth < MAX_DEPTH) {
        collect(below, depth + 1, found)?;
    }
    Ok(())
}

/// The kernels of guests, each fetched once.
pub(super) struct Kernels {
    store: guest::Store,
    found: BTreeMap<String, PathBuf>,
}

impl Kernels {
    pub(super) fn new(global: &GlobalOptions) -> Result<Self, Failure> {
        Ok(Self { store: global.store()?, found: BTreeMap::new() })
    }

    pub(super) fn vmlinux(&mut self, guest: &guest::Manifest) -> Result<&Path, Failure> {
        let name = &guest.name;
        if !self.found.contains_key(name) {
            let go_on = &mut |_: guest::Progress| std::ops::ControlFlow::Continue(());
            let files = guest::fetch(guest, &self.store, go_on)
                .map_err(|error| Failure::from_error(Exit::FetchFailed, &error))?;
            self.found.insert(name.clone(), files.vmlinux);
        }
        Ok(&self.found[name])
    }
}
