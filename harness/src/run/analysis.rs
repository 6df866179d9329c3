// SPDX-License-Identifier: MIT OR Apache-2.0
//! Calls the analyzer: the one place where dumps and symbol files are opened for it.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use analyzer::commands::{Files, Session, with_session};
use analyzer::{Analysis, Inputs, ModuleFiles};

use crate::error::Failure;
use crate::exit::Exit;
use crate::map::Map;

/// Files that an analysis may use.
#[derive(Debug, Clone, Default)]
pub struct Symbols {
    /// The kernel with symbols and debug information.
    pub vmlinux: Option<PathBuf>,
    /// Modules by their names in the kernel.
    pub modules: Vec<(String, PathBuf)>,
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
    let vmlinux = symbols.vmlinux.as_deref().map(open).transpose()?;
    let modules = Modules::open(&symbols.modules)?;
    let inputs = Inputs { vmcore: &&dump[..], vmlinux: vmlinux.as_deref(), modules: &modules };
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

/// Module files, mapped: no byte is read before the analyzer asks for it.
struct Modules(BTreeMap<String, Map>);

impl Modules {
    fn open(files: &[(String, PathBuf)]) -> Result<Self, Failure> {
        let map = |(name, path): &(String, PathBuf)| Ok((name.replace('-', "_"), open(path)?));
        files.iter().map(map).collect::<Result<_, _>>().map(Self)
    }
}

impl ModuleFiles for Modules {
    fn module(&self, name: &str) -> Option<&[u8]> {
        self.0.get(name).map(|map| &**map)
    }
}
