// SPDX-License-Identifier: MIT OR Apache-2.0
//! Says from the text of a crash alone why the kernel crashed: from vmcore-dmesg.txt, a console, pstore.
//!
//! The text is split into its reports by the one table of the kernel's formats. The first that can be
//! the cause is diagnosed by the same code as a dump: what a text has are registers, some code and a
//! trace; with the files of kernel and modules the code and the types are those of a dump, too. Memory it
//! has none, so that nothing is ever proven by it.

mod chain;
mod files;
mod found;
mod guess;
mod helper_names;
mod helpers;
pub(crate) mod in_dump;
pub(crate) mod log_report;
mod names;
mod scene;
mod split;
mod stack;
mod summary;
mod verdict;

use debuginfo::Files;
use klog::Machine;

use crate::analyze::Analysis;
use crate::formats::Sort;
use crate::module_files::ModuleFiles;
use crate::outside::is_outside;
use split::{Split, Splitter};

pub use summary::LogEntry;

/// A text, split into its reports.
#[derive(Debug)]
pub struct TextLog {
    split: Split,
    main: usize,
}

/// Files that an analysis of a text may use.
#[derive(Clone, Copy)]
pub struct TextInputs<'a> {
    /// The kernel's `vmlinux` with debug information, if there is one.
    pub vmlinux: Option<Files<'a>>,
    /// Files of modules.
    pub modules: &'a dyn ModuleFiles,
}

impl std::fmt::Debug for TextInputs<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("TextInputs").field("vmlinux", &self.vmlinux).finish_non_exhaustive()
    }
}

/// Why a text gives no report.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum TextError {
    /// No line of it begins a report.
    #[error(
        "not a vmcore, and as a text it has no crash and no complaint of a kernel ({} read)",
        counted(*lines)
    )]
    NoReport {
        /// Lines that may be a kernel's.
        lines: usize,
    },
    /// It is of another machine.
    #[error("the text is of a kernel for {0}; only x86-64 is read")]
    Machine(Machine),
}

/// So many lines, before what was done with them.
fn counted(lines: usize) -> String {
    match lines {
        1 => "1 line was".to_owned(),
        _ => format!("{lines} lines were"),
    }
}

/// Whether bytes are a text: what they begin with has hardly a byte that no text has.
#[must_use]
pub fn is_text(bytes: &[u8]) -> bool {
    const LOOKED_AT: usize = 64 << 10;
    let start = bytes.get(..bytes.len().min(LOOKED_AT)).unwrap_or_default();
    let is_odd = |byte: &&u8| !matches!(byte, b'\t' | b'\n' | b'\r' | 0x08 | 0x0c | 0x1b | 0x20..=0x7e | 0x80..);
    let odd = start.iter().filter(is_odd).count();
    !start.is_empty() && odd * 20 <= start.len()
}

impl TextLog {
    /// Splits a text, in whatever form it was kept. It takes memory for its reports alone.
    ///
    /// # Errors
    /// If no report is in it, or only reports of another machine.
    pub fn read(text: &[u8]) -> Result<Self, TextError> {
        let mut splitter = Splitter::default();
        for line in klog::lines(text) {
            splitter.take(line);
        }
        let split = splitter.finish();
        let count = |machine| split.machines.get(&machine).copied().unwrap_or(0);
        let others = split.machines.keys().filter(|machine| **machine != Machine::X86_64);
        if let Some(machine) = others.max_by_key(|machine| count(**machine))
            && count(*machine) > count(Machine::X86_64)
        {
            return Err(TextError::Machine(*machine));
        }
        let main = split.first_cause().ok_or(TextError::NoReport { lines: split.lines })?;
        Ok(Self { split, main })
    }

    /// The kernel's release, for who looks for its files.
    #[must_use]
    pub fn release(&self) -> Option<String> {
        self.split.release()
    }

    /// Says why the kernel crashed, or what it complains of first.
    #[must_use]
    pub fn analyze(&self, inputs: &TextInputs<'_>) -> Analysis {
        verdict::analysis(inputs, &self.split, self.main)
    }
}

impl Split {
    /// Position of the first report that can be the cause: memory that is short and what somebody asked
    /// for only where there is nothing else.
    fn first_cause(&self) -> Option<usize> {
        let is_told = |report: &log_report::LogReport| {
            !report.is_headless && (!report.is_torn() || report.place().is_some())
        };
        let is_cause = |report: &log_report::LogReport| {
            is_told(report)
                && !matches!(report.begins.sort, Sort::Memory | Sort::Asked)
                && !self.is_of_others(report)
        };
        let first = self.reports.iter().position(is_cause);
        let whole = || self.reports.iter().position(is_told);
        let first = first.or_else(whole);
        let whole = || self.reports.iter().position(|report| !report.is_headless);
        first.or_else(whole).or_else(|| (!self.reports.is_empty()).then_some(0))
    }

    /// Whether a check of the kernel's own code failed and a module from outside of its tree ended the
    /// kernel later.
    ///
    /// Example: a driver of the tree warns at boot, and a day later a module reads through NULL.
    fn is_of_others(&self, report: &log_report::LogReport) -> bool {
        let own = self.modules();
        let is_own = |module: &str| {
            let mut listed = own.iter().flat_map(|list| &list.loaded);
            listed.any(|it| it.name == module && is_outside(&it.taint))
        };
        let has_part = |report: &log_report::LogReport| report.modules_on_stack().any(is_own);
        let ended = |other: &log_report::LogReport| {
            other.number > report.number && (other.panic.is_some() || other.is_fault())
        };
        report.begins.sort == Sort::Check
            && report.panic.is_none()
            && !has_part(report)
            && self.reports.iter().any(|other| ended(other) && has_part(other))
    }

    /// The report of the panic that a hang came to: of several hangs, the last one's. The report itself, of
    /// others.
    fn end_of<'s>(&'s self, report: &'s log_report::LogReport) -> &'s log_report::LogReport {
        let is_end = |other: &&log_report::LogReport| {
            other.number > report.number && other.panic.is_some() && other.kind() == report.kind()
        };
        let end = || self.reports.iter().find(is_end);
        let is_open = report.panic.is_none() && report.is_of_all_cpus();
        Some(()).filter(|()| is_open).and_then(|()| end()).unwrap_or(report)
    }

    /// The modules that the first list has.
    fn modules(&self) -> Option<klog::Modules> {
        self.reports.iter().find_map(|report| report.modules.clone())
    }

    /// The kernel's release: as a report has it, or the banner.
    fn release(&self) -> Option<String> {
        let told = self.reports.iter().find_map(|report| report.cpu()?.release.clone());
        told.or_else(|| Some(self.banner.as_ref()?.split(' ').next()?.to_owned()))
    }
}
