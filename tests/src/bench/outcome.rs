// SPDX-License-Identifier: MIT OR Apache-2.0
//! The outcome, printed and written.

use std::fs;
use std::io::Write as _;

use analyzer::report::Report;
use anyhow::{Context as _, Result};

use super::Benchmark;
use crate::dump::Dump;
use crate::project;

/// Prints to stdout.
///
/// # Errors
/// It is closed.
pub fn print(text: &str) -> Result<()> {
    std::io::stdout().write_all(text.as_bytes()).context("write to stdout")
}

/// Writes a file in `docs/`.
///
/// # Errors
/// It cannot be written.
pub fn write(name: &str, text: &str) -> Result<()> {
    let path = project::root().join("docs").join(name);
    fs::write(&path, text).with_context(|| format!("write {}", path.display()))
}

/// The page about it.
///
/// # Errors
/// The dump cannot be read.
pub fn document(benchmark: &Benchmark, dump: &Dump) -> Result<String> {
    let report: Report = serde_json::from_str(&dump.analyze(&["--format", "json"])?)?;
    let mib = |path| anyhow::Ok(fs::metadata(path)?.len() >> 20);
    let (vmcore, vmlinux) = (mib(&dump.vmcore)?, mib(&dump.vmlinux)?);
    let release = report.kernel.release.unwrap_or_default();
    let compression = report.dump.compression.unwrap_or_default();
    let rounds = benchmark.table.questions.first().map_or(0, |question| question.rounds);
    let tables = benchmark.markdown();
    let (processor, cores) = machine();
    Ok(format!(
        "# Benchmark\n\n\
         `cargo xtask bench -- --write` made this page and `benchmark.json`.\n\n\
         One dump of the default case: kernel {release}, vmcore of {vmcore} MiB \
         (kdump-compressed, {compression}), vmlinux of {vmlinux} MiB. {rounds} rounds; the programs \
         take turns, everything is in the page cache. `repro analyze` makes the whole report: both \
         stacks with inlined functions and lines, the verdict evaluated on the dump, modules, log. \
         drgn and `crash` print the stack of the same task, with the same debug information. The other \
         questions are commands that `repro crash`, `drgn-crash` and `crash` all have.\n\n\
         {tables}\n\
         Whole runs are of the default case, without KVM unless the machine has it: from the machine's \
         start to the written report, and from the crash to the verdict. Dumps of large machines are \
         the same dump with the pages of such a machine, all of them left out.\n\n\
         Memory is the peak resident set, with the pages of mapped files that were touched.\n\n\
         Measured on {cores} cores of: {processor}.\n"
    ))
}

/// The processor's name and the number of its cores that are usable here.
fn machine() -> (String, usize) {
    let info = fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
    let model = info.lines().find_map(|line| line.strip_prefix("model name")?.split_once(": "));
    let processor = model.map_or("unknown", |(_, name)| name).to_owned();
    (processor, std::thread::available_parallelism().map_or(1, usize::from))
}
