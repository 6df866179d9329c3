// SPDX-License-Identifier: MIT OR Apache-2.0
//! Calls the analyzer: the one place where dumps and symbol files are opened for it.

use std::path::{Path, PathBuf};

use analyzer::commands::{Files, Session, with_session};
use analyzer::{Analysis, Inputs};
use vmcore::{ReadAt, Vmcore};

use crate::error::Failure;
use crate::exit::Exit;
use crate::map::Map;
use crate::symbols::{Found, Modules, Wanted, kernel};

/// Files that an analysis may use.
#[derive(Debug, Clone, Default)]
pub struct Symbols {
    /// The kernel with symbols and debug information, or a folder with it.
    pub vmlinux: Option<PathBuf>,
    /// Modules by their names in the kernel.
    pub modules: Vec<(String, PathBuf)>,
    /// A folder with modules, at any depth.
    pub module_dir: Option<PathBuf>,
    /// Whether what is not given is looked for where packages put debug information.
    pub search_system: bool,
}

/// Says from a vmcore why the kernel crashed.
///
/// # Errors
/// A file cannot be opened, or the dump is none.
pub fn analyze(vmcore: &Path, symbols: &Symbols) -> Result<Analysis, Failure> {
    opened(vmcore, symbols, analyzer::analyze)
}

/// Opens a vmcore for questions.
///
/// # Errors
/// A file cannot be opened, or the dump is none.
pub fn ask<T>(
    vmcore: &Path,
    symbols: &Symbols,
    files: Files,
    talk: impl FnOnce(&mut Session<'_, '_>) -> T,
) -> Result<T, Failure> {
    opened(vmcore, symbols, |inputs| with_session(inputs, files, talk))
}

/// Opens the files and hands their bytes on.
fn opened<T>(
    vmcore: &Path,
    symbols: &Symbols,
    look: impl FnOnce(&Inputs<'_>) -> Result<T, analyzer::Error>,
) -> Result<T, Failure> {
    let dump = open(vmcore)?;
    let dump: &dyn ReadAt = &&dump[..];
    let wanted = wanted(dump);
    let vmlinux = symbols.kernel(&wanted)?;
    let modules = symbols.modules(&wanted)?;
    let vmlinux = vmlinux.as_ref().map(Found::files);
    let inputs = Inputs { vmcore: dump, vmlinux, modules: &modules };
    look(&inputs).map_err(|error| {
        Failure::new(Exit::AnalysisFailed, format!("cannot analyze {}", vmcore.display()))
            .caused_by(&error)
    })
}

/// An empty file cannot be mapped, and tells nothing either.
fn open(path: &Path) -> Result<Map, Failure> {
    Map::open(path).map_err(|error| {
        Failure::new(Exit::AnalysisFailed, format!("cannot read {}", path.display()))
            .caused_by(&error)
    })
}

/// What the dump says of its kernel; nothing of a file that is no dump, which the analyzer names.
fn wanted(dump: &dyn ReadAt) -> Wanted {
    let Ok(vmcore) = Vmcore::open(dump) else { return Wanted::default() };
    Wanted {
        release: vmcore.vmcoreinfo().os_release().map(str::to_owned),
        build_id: vmcore.vmcoreinfo().build_id(),
    }
}

impl Symbols {
    fn kernel(&self, wanted: &Wanted) -> Result<Option<Found>, Failure> {
        let given = self.vmlinux.as_deref();
        if given.is_none() && !self.search_system {
            return Ok(None);
        }
        kernel(given, wanted).map_err(|error| {
            let path = given.unwrap_or(Path::new("vmlinux"));
            Failure::new(Exit::AnalysisFailed, format!("cannot read {}", path.display()))
                .caused_by(&error)
        })
    }

    fn modules(&self, wanted: &Wanted) -> Result<Modules, Failure> {
        let mut modules = Modules::named(&self.modules).map_err(|error| {
            Failure::new(Exit::AnalysisFailed, "cannot read the modules' files").caused_by(&error)
        })?;
        match &self.module_dir {
            Some(folder) => modules.search(folder, wanted).map_err(|error| {
                Failure::new(Exit::SetupError, format!("cannot read {}", folder.display()))
                    .caused_by(&error)
            })?,
            None if self.search_system => modules.search_system(wanted),
            None => {}
        }
        Ok(modules)
    }
}
