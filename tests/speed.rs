// SPDX-License-Identifier: MIT OR Apache-2.0
//! That the report stays as fast as `docs/benchmark.json` says, beside drgn in the same minute, and
//! by its instructions. `cargo xtask bench` measures all of it, on a machine that is idle.

use std::path::Path;
use std::process::{Command, ExitCode, Stdio};
use std::time::Duration;

use anyhow::{Context as _, Result, ensure};
use libtest_mimic::Arguments;
use tests::bench::{Baseline, Contest, Instructions, Large, Table};
use tests::trial::trial;
use tests::{live, project};
use wait4::Wait4 as _;

/// Rounds of each contestant: some seconds in all.
const ROUNDS: u32 = 5;

fn main() -> ExitCode {
    let trials = vec![
        trial("speed::beside-drgn", beside_drgn),
        trial("speed::instructions", instructions),
        trial("speed::large-dumps", large_dumps),
        trial("speed::large-texts", large_texts),
    ];
    libtest_mimic::run(&Arguments::from_args(), trials).exit_code()
}

/// The report has not fallen back behind drgn.
fn beside_drgn() -> Result<()> {
    let dump = live::run(&project::default()?)?.dump;
    let table = Table::take(&[Contest::report(&dump)?], ROUNDS)?;
    let misses = Baseline::committed()?.misses(&table);
    ensure!(misses.is_empty(), "{}\n{}", misses.join("\n"), table.markdown());
    Ok(())
}

/// The report takes no more instructions than it did, by the same compiler for the same kernel.
fn instructions() -> Result<()> {
    let Some(before) = Baseline::committed()?.instructions else { return Ok(()) };
    let dump = live::run(&project::default()?)?.dump;
    let now = Instructions::count(&dump)?;
    match now.miss(&before) {
        Some(miss) => anyhow::bail!(miss),
        None => Ok(()),
    }
}

/// A text of 100 MiB takes a second at most, be it a log of months with one crash at its end or the same
/// crash thousands of times.
fn large_texts() -> Result<()> {
    const BYTES: usize = 100 << 20;
    const LIMIT: Duration = Duration::from_secs(1);
    const CRASH: &str = include_str!("../harness/analyzer/tests/texts/oops-6.1.txt");
    let calm = "[    1.000000] usb 1-1: New USB device found, idVendor=0627, idProduct=0001\n";
    for (name, repeated) in [("calm", calm), ("crashing", CRASH)] {
        let mut text = repeated.repeat(BYTES / repeated.len());
        text.push_str(CRASH);
        let file = tempfile::NamedTempFile::new()?;
        std::fs::write(file.path(), &text)?;
        let took = (0..ROUNDS).map(|_| seconds_of_text(file.path())).collect::<Result<Vec<_>>>()?;
        let best = took.into_iter().min().context("no round")?;
        ensure!(best <= LIMIT, "{name}: {best:?} of processor time");
    }
    Ok(())
}

/// Processor time of one report.
fn seconds_of_text(text: &Path) -> Result<Duration> {
    let mut command = Command::new(project::repro()?);
    command.arg("analyze").arg(text).stdout(Stdio::null());
    let ended = command.spawn()?.wait4()?;
    ensure!(ended.status.success(), "{}", ended.status);
    Ok(ended.rusage.utime + ended.rusage.stime)
}

/// The report of a dump of a large machine takes no more than twice that of a small one.
fn large_dumps() -> Result<()> {
    let dump = live::run(&project::default()?)?.dump;
    let misses: Vec<_> = Large::all(&dump, ROUNDS)?.iter().flat_map(Large::misses).collect();
    ensure!(misses.is_empty(), "{}", misses.join("\n"));
    Ok(())
}
