// SPDX-License-Identifier: MIT OR Apache-2.0
//! Wall time and memory of `repro analyze` and `repro crash` beside their peers, on one dump, in one go.
//!
//! The contestants take turns, so that what else the machine does hits all of them alike. Each runs
//! once before anything is measured: the files are in memory then for everybody.

use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::{Context as _, Result};
use clap::Parser;
use tests::bench::{Contest, Table, outcome};
use tests::dump::Dump;
use tests::{live, project};

/// Measure `repro analyze` and `repro crash` beside drgn and crash
#[derive(Debug, Parser)]
#[command(name = "bench", max_term_width = 100)]
struct Options {
    /// Rounds; in each of them every contestant runs once
    #[arg(short = 'n', long, default_value_t = 15,
          value_parser = clap::value_parser!(u32).range(10..=1000))]
    rounds: u32,
    /// The dump [default: one of the project's default case, made now]
    #[arg(long, requires_all = ["vmlinux", "module_dir"])]
    vmcore: Option<PathBuf>,
    /// The kernel with debug information
    #[arg(long)]
    vmlinux: Option<PathBuf>,
    /// Folder with the files of the modules
    #[arg(long)]
    module_dir: Option<PathBuf>,
    /// Write docs/benchmark.md and docs/benchmark.json
    #[arg(long)]
    write: bool,
}

impl Options {
    fn dump(self) -> Result<Dump> {
        if let (Some(vmcore), Some(vmlinux), Some(modules)) =
            (self.vmcore, self.vmlinux, self.module_dir)
        {
            return Ok(Dump { vmcore, vmlinux, modules });
        }
        let case = project::project()?.settings.default_case;
        let selected = project::all()?.into_iter().find(|selected| selected.case.name == case);
        Ok(live::run(&selected.context("the default case is for no guest")?)?.dump)
    }
}

fn main() -> ExitCode {
    match run(Options::parse()) {
        Ok(code) => code,
        Err(error) => {
            tests::trial::say(&format!("error: {error:#}"));
            ExitCode::FAILURE
        }
    }
}

fn run(options: Options) -> Result<ExitCode> {
    let (rounds, write) = (options.rounds, options.write);
    let dump = options.dump()?;
    let table = Table::take(&Contest::all(&dump)?, rounds)?;
    outcome::print(&table.markdown())?;
    if write {
        outcome::write("benchmark.md", &outcome::document(&table, &dump)?)?;
        outcome::write("benchmark.json", &(serde_json::to_string_pretty(&table)? + "\n"))?;
    }
    let misses = table.misses();
    misses.iter().for_each(|miss| tests::trial::say(&format!("too slow or too big: {miss}")));
    Ok(if misses.is_empty() { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}
