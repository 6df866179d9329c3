// SPDX-License-Identifier: MIT OR Apache-2.0
//! Where a report of a case on a guest is kept, as text and as data.

use std::fs;
use std::path::{Path, PathBuf};

use super::Error;
use super::error::at;
use super::snap::{self, pending};

/// The folder of a case with its reviewed reports.
const REPORTS: &str = "snapshots";
/// The folder of a case with recordings; this project's tests keep reports of those beside them.
const RECORDINGS: &str = "recordings";
/// A text that was kept of a report by others; it lives and goes with the report.
const ENDING: &str = ".snap.new";
const PENDING_TEXT: &str = ".txt.snap.new";

/// Where a report is kept.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Place {
    /// Of runs: a folder of its own.
    Run {
        /// The folder.
        folder: PathBuf,
    },
    /// Of a recording: beside it, by the guest's name.
    Recording {
        /// The folder of the case's recordings.
        folder: PathBuf,
        /// The guest.
        guest: String,
    },
}

impl Place {
    pub(super) fn of_run(case: &Path, guest: &str) -> Self {
        Self::Run { folder: case.join(REPORTS).join(guest) }
    }

    /// All places of a case where something may wait, by guest.
    pub(super) fn all(case: &Path) -> Result<Vec<(String, Self)>, Error> {
        let mut all = Vec::new();
        for folder in files(&case.join(REPORTS))?.into_iter().filter(|path| path.is_dir()) {
            all.push((name(&folder), Self::Run { folder }));
        }
        let folder = case.join(RECORDINGS);
        for path in files(&folder)? {
            if let Some(guest) = name(&path).strip_suffix(PENDING_TEXT) {
                let (guest, folder) = (guest.to_owned(), folder.clone());
                all.push((guest.clone(), Self::Recording { folder, guest }));
            }
        }
        Ok(all)
    }

    pub(super) fn text(&self) -> PathBuf {
        self.file("txt")
    }

    pub(super) fn data(&self) -> PathBuf {
        self.file("json")
    }

    fn file(&self, form: &str) -> PathBuf {
        match self {
            Self::Run { folder } => folder.join(format!("crash.{form}.snap")),
            Self::Recording { folder, guest } => folder.join(format!("{guest}.{form}.snap")),
        }
    }

    /// What is added to the name of case and guest.
    pub(super) const fn suffix(&self) -> &'static str {
        match self {
            Self::Run { .. } => "",
            Self::Recording { .. } => " (recording)",
        }
    }

    /// All that waits here is the reviewed one now.
    pub(super) fn accept(&self) -> Result<(), Error> {
        self.waiting()?.iter().try_for_each(|path| snap::accept(path))
    }

    /// Nothing waits here any longer.
    pub(super) fn forget(&self) -> Result<(), Error> {
        self.waiting()?.iter().try_for_each(|path| fs::remove_file(path).map_err(at(path)))
    }

    /// A folder without a reviewed report would say that there is one.
    pub(super) fn remove_if_empty(&self) {
        match self {
            Self::Run { folder } => {
                for folder in [Some(folder.as_path()), folder.parent()].into_iter().flatten() {
                    let _ = fs::remove_dir(folder);
                }
            }
            Self::Recording { .. } => {}
        }
    }

    fn waiting(&self) -> Result<Vec<PathBuf>, Error> {
        Ok(match self {
            Self::Run { folder } => {
                let files = files(folder)?.into_iter();
                files.filter(|path| path.to_string_lossy().ends_with(ENDING)).collect()
            }
            Self::Recording { .. } => {
                let files = [pending(&self.text()), pending(&self.data())].into_iter();
                files.filter(|path| path.is_file()).collect()
            }
        })
    }
}

/// The file that a recording of a case on a guest has, if there is one.
pub(crate) fn recording(case: &Path, guest: &str, extension: &str) -> PathBuf {
    case.join(RECORDINGS).join(format!("{guest}.{extension}"))
}

/// What is in a folder, in order; nothing where there is none.
fn files(folder: &Path) -> Result<Vec<PathBuf>, Error> {
    if !folder.is_dir() {
        return Ok(Vec::new());
    }
    let entries = fs::read_dir(folder).map_err(at(folder))?.flatten();
    let mut paths: Vec<PathBuf> = entries.map(|entry| entry.path()).collect();
    paths.sort();
    Ok(paths)
}

pub(super) fn name(path: &Path) -> String {
    path.file_name().unwrap_or_default().to_string_lossy().into_owned()
}
