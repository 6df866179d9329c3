// SPDX-License-Identifier: MIT OR Apache-2.0
//! That the report stays as fast as `docs/benchmark.json` says, beside drgn in the same minute, and
//! by its instructions. `cargo xtask bench` measures all of it, on a machine that is idle.

use std::process::ExitCode;

use anyhow::{Result, ensure};
use libtest_mimic::Arguments;
use tests::bench::{Baseline, Contest, Instructions, Large, Table};
use tests::trial::trial;
use tests::{live, project};

/// Rounds of each contestant: some seconds in all.
const ROUNDS: u32 = 5;

fn main() -> ExitCode {
    let trials = vec![
        trial("speed::beside-drgn", beside_drgn),
        trial("speed::instructions", instructions),
        trial("speed::large-dumps", large_dumps),
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

/// The report of a dump of a large machine takes no more than twice that of a small one.
fn large_dumps() -> Result<()> {
    let dump = live::run(&project::default()?)?.dump;
    let misses: Vec<_> = Large::all(&dump, ROUNDS)?.iter().flat_map(Large::misses).collect();
    ensure!(misses.is_empty(), "{}", misses.join("\n"));
    Ok(())
}
