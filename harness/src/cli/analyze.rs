// SPDX-License-Identifier: MIT OR Apache-2.0
//! `repro analyze`: the analyzer alone, for a vmcore from anywhere.

use std::fs;
use std::path::{Path, PathBuf};

use clap::{Args, ValueEnum};

use super::CommandResult;
use super::options::{self, OutputFormat};
use crate::error::Failure;
use crate::exit::Exit;
use crate::run::analysis::{Symbols, analyze};

/// Say why a kernel crashed, from its vmcore
///
/// Without --vmlinux and --module-dir the report has what the dump itself can tell. Nothing is
/// started and nothing is fetched.
#[derive(Debug, Args)]
pub(super) struct Analyze {
    /// The dump: kdump-compressed or ELF
    vmcore: PathBuf,
    /// The kernel with symbols and debug information
    #[arg(long, value_name = "FILE")]
    vmlinux: Option<PathBuf>,
    /// Folder with the modules (.ko) that were loaded, with debug information
    #[arg(long, value_name = "DIR")]
    module_dir: Option<PathBuf>,
    /// The form of the report
    #[arg(long, value_enum, default_value_t)]
    format: OutputFormat,
    /// How to print what differs between two boots
    #[arg(long, value_enum, default_value_t)]
    addresses: Addresses,
}

#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, ValueEnum)]
enum Addresses {
    /// As they are in the dump
    #[default]
    Raw,
    /// Numbered, so that two crashes can be compared
    Stable,
}

impl Analyze {
    pub(super) fn run(&self) -> CommandResult {
        let modules = match &self.module_dir {
            Some(folder) => modules(folder)?,
            None => Vec::new(),
        };
        let symbols = Symbols { vmlinux: self.vmlinux.clone(), modules };
        let analysis = analyze(&self.vmcore, &symbols)?;
        let report = match self.addresses {
            Addresses::Raw => &analysis.report,
            Addresses::Stable => &analysis.stable,
        };
        options::print(&match self.format {
            OutputFormat::Text => analyzer::render::text(report),
            OutputFormat::Json => analyzer::render::json(report),
        })?;
        Ok(Exit::Ok)
    }
}

/// The modules below a folder, by their names in the kernel.
pub(super) fn modules(folder: &Path) -> Result<Vec<(String, PathBuf)>, Failure> {
    let mut modules = Vec::new();
    collect(folder, 0, &mut modules).map_err(|error| {
        Failure::new(Exit::SetupError, format!("cannot read {}", folder.display()))
            .caused_by(&error)
    })?;
    modules.sort();
    Ok(modules)
}

/// Folders deeper than any /lib/modules are not searched.
const MAX_DEPTH: u32 = 16;

fn collect(folder: &Path, depth: u32, modules: &mut Vec<(String, PathBuf)>) -> std::io::Result<()> {
    for entry in fs::read_dir(folder)? {
        let entry = entry?;
        let path = entry.path();
        if entry.file_type()?.is_dir() {
            if depth < MAX_DEPTH {
                collect(&path, depth + 1, modules)?;
            }
        } else if path.extension().is_some_and(|extension| extension == "ko") {
            // The kernel names a module with underscores, whatever its file is called.
            let stem = path.file_stem().unwrap_or_default().to_string_lossy().replace('-', "_");
            modules.push((stem, path));
        }
    }
    Ok(())
}
