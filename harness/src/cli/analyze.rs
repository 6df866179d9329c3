// SPDX-License-Identifier: MIT OR Apache-2.0
//! `repro analyze`: the analyzer alone, for a vmcore from anywhere.

use std::path::PathBuf;

use analyzer::machine::Machine;
use analyzer::report::Report;
use clap::{Args, ValueEnum};

use super::CommandResult;
use super::options::{self, GlobalOptions, OutputFormat};
use super::symbol_options::{self, SymbolOptions};
use crate::analysis::Symbols;
use crate::error::Failure;
use crate::exit::Exit;
use crate::group::{group, page, words};
use crate::json;
use crate::report::{columns, shown_report_with, wrapped};
use crate::run::looked::{Looked, look_at_object};

/// Columns of a report's labels.
const REPORT_MARGIN: usize = 11;

/// Say why a kernel crashed, from its vmcore or from the text of its log
///
/// The kernel and its modules that are not named by --vmlinux and --module-dir are looked for by build-id and
/// release: beside the dump (a run's build/ too), where debug packages are installed (/usr/lib/debug), in the cache,
/// then from the debuginfod servers of DEBUGINFOD_URLS (with DEBUGINFOD_TIMEOUT, _MAXTIME and _MAXSIZE; not with
/// --offline), and with --fetch in the repositories of the guest that has such kernels. What is lacking still is said
/// below the report, with the line that gets it; the report has what the dump or the text itself can tell.
///
/// Files may be compressed (xz, zstd, gzip, bzip2, lz4); the separate debug file of a stripped one is found by
/// build-id and .gnu_debuglink, the supplementary one that `dwz -m` makes by .gnu_debugaltlink.
/// With --group nothing is fetched.
#[derive(Debug, Args)]
pub(super) struct Analyze {
    /// The dump: kdump-compressed or ELF; all files of a split one, in any order; a crash's folder below /var/crash;
    /// the description of raw RAM (docs/raw-ram.md); or a text with a kernel's log (vmcore-dmesg.txt,
    /// console, journal, pstore, netconsole; `-` reads standard input). Each may be compressed as a whole (gzip, xz,
    /// zstd, bzip2, lz4). The kernel may be named here too, as for crash(8)
    #[arg(required = true, value_name = "FILE")]
    vmcore: Vec<PathBuf>,
    #[command(flatten)]
    files: SymbolOptions,
    /// The form of the report
    #[arg(long, value_enum, default_value_t)]
    format: OutputFormat,
    /// How to print what differs between two boots
    #[arg(long, value_enum, default_value_t)]
    addresses: Addresses,
    /// FILE is a folder: analyze all dumps and texts below it, and show which crashes are the same
    #[arg(long, conflicts_with_all = ["show_signature_input", "addresses"])]
    group: bool,
    /// With --group: write the groups as a page, too
    #[arg(long, value_name = "PATH", requires = "group")]
    html: Option<PathBuf>,
    /// Print what the signature is the hash of instead of the report, to see why two differ
    #[arg(long)]
    show_signature_input: bool,
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
    pub(super) fn run(&self, global: &GlobalOptions) -> CommandResult {
        if self.group {
            return self.grouped(&self.files.symbols(&[], None, global));
        }
        let (input, mut symbols) = self.files.open(&self.vmcore, global)?;
        let look = &|machine: &Machine<'_>, report: &Report| match (self.addresses, self.format) {
            (Addresses::Raw, OutputFormat::Text) => look_at_object(machine, report),
            // Another boot has other addresses; the JSON form is the report alone.
            (Addresses::Stable, _) | (_, OutputFormat::Json) => Looked::default(),
        };
        let (analysis, looked, lacking) = self.files.analyze(&input, &mut symbols, global, look)?;
        let report = match self.addresses {
            Addresses::Raw => &analysis.report,
            Addresses::Stable => &analysis.stable,
        };
        if self.show_signature_input {
            options::print(&analysis.signature_input)?;
            return Ok(Exit::Ok);
        }
        match self.format {
            OutputFormat::Text => {
                let columns = columns(std::io::stdout());
                let text = shown_report_with(report, &looked);
                options::print_made(&wrapped(&text, columns, REPORT_MARGIN))?;
            }
            OutputFormat::Json => options::print_json(&analyzer::render::json(report))?,
        }
        symbol_options::tell(&lacking, global);
        Ok(Exit::Ok)
    }

    fn grouped(&self, symbols: &Symbols) -> CommandResult {
        let [folder] = self.vmcore.as_slice() else {
            return Err(Failure::new(Exit::SetupError, "--group takes one folder"));
        };
        let groups = group(folder, symbols)?;
        if let Some(path) = &self.html {
            std::fs::write(path, page(&groups).into_string()).map_err(|error| {
                Failure::new(Exit::SetupError, format!("cannot write {}", path.display()))
                    .caused_by(&error)
            })?;
        }
        match self.format {
            OutputFormat::Text => options::print(&words(&groups))?,
            OutputFormat::Json => options::print_json(&json::text(&groups))?,
        }
        Ok(Exit::Ok)
    }
}
