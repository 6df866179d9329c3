// SPDX-License-Identifier: MIT OR Apache-2.0
//! Calls the analyzer: the one place where dumps and symbol files are opened for it.

use std::path::{Path, PathBuf};

use analyzer::report::Report;

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
pub fn analyze(vmcore: &Path, symbols: &Symbols) -> Result<Report, Failure> {
    let open = |path: &Path| {
        Map::open(path).map_err(|error| {
            Failure::new(Exit::AnalysisFailed, format!("cannot read {}", path.display()))
                .caused_by(&error)
        })
    };
    let dump = open(vmcore)?;
    let _vmlinux = symbols.vmlinux.as_deref().map(open).transpose()?;
    let bytes = &dump[..];
    let info = vmcore::Vmcore::open(&bytes).map_err(|error| {
        Failure::new(Exit::AnalysisFailed, format!("cannot analyze {}", vmcore.display()))
            .caused_by(&error)
    })?;
    let release = info.vmcoreinfo().os_release().unwrap_or("unknown").to_owned();
    let message = format!("the dump of kernel {release} is readable, but was not analysed");
    Err(Failure::new(Exit::AnalysisFailed, message))
}

/// A report in the form that is the same for every boot.
#[must_use]
pub fn stable(report: &Report) -> Report {
    report.clone()
}
