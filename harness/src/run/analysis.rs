// SPDX-License-Identifier: MIT OR Apache-2.0
//! Calls the analyzer: the one place where dumps and symbol files are opened for it.

use std::path::{Path, PathBuf};

use analyzer::commands::{Files, Session, with_session};
use analyzer::{Analysis, Inputs};
use vmcore::Vmcore;

use crate::dump::Dump;
use crate::error::Failure;
use crate::exit::Exit;
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

/// Says from a vmcore why the kernel crashed; a split one is in several files.
///
/// # Errors
/// A file cannot be opened, or the dump is none.
pub fn analyze(vmcore: &[impl AsRef<Path>], symbols: &Symbols) -> Result<Analysis, Failure> {
    opened(vmcore, symbols, |inputs, _| analyzer::analyze(inputs))
}

/// Opens a vmcore for questions; a split one is in several files.
///
/// # Errors
/// A file cannot be opened, or the dump is none.
pub fn ask<T>(
    vmcore: &[impl AsRef<Path>],
    symbols: &Symbols,
    talk: impl FnOnce(&mut Session<'_, '_>) -> T,
) -> Result<T, Failure> {
    opened(vmcore, symbols, |inputs, names| with_session(inputs, names(), talk))
}

/// Opens the files and hands their bytes on, and what they are called if that is asked for.
fn opened<T>(
    vmcore: &[impl AsRef<Path>],
    symbols: &Symbols,
    look: impl FnOnce(&Inputs<'_>, &dyn Fn() -> Files) -> Result<T, analyzer::Error>,
) -> Result<T, Failure> {
    let dump = Dump::open(vmcore)?;
    let vmcore = dump.vmcore();
    let wanted = vmcore.as_ref().map(wanted).unwrap_or_default();
    let vmlinux = symbols.kernel(&wanted)?;
    let modules = symbols.modules(&wanted)?;
    let vmcore = vmcore?;
    let files = vmlinux.as_ref().map(Found::files);
    let inputs = Inputs { vmcore: &vmcore, vmlinux: files, modules: &modules };
    let name = |path: &Path| path.display().to_string();
    let names = || Files {
        vmcore: dump.name(),
        vmlinux: vmlinux.as_ref().map(|found| name(found.path())),
        modules: modules.paths().map(|(module, path)| (module.to_owned(), name(path))).collect(),
    };
    look(&inputs, &names).map_err(|error| dump.failure(&error))
}

/// What the dump says of its kernel.
fn wanted(vmcore: &Vmcore<'_>) -> Wanted {
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
