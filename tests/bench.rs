// SPDX-License-Identifier: MIT OR Apache-2.0
//! Wall time and memory of `repro analyze` and `repro crash` beside their peers, on one dump, in one
//! go; whole runs in every way; dumps of large machines; instructions.
//!
//! The contestants take turns, so that what else the machine does hits all of them alike. Each runs
//! once before anything is measured: the files are in memory then for everybody.

use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::Result;
use clap::Parser;
use harness::run::select::Selected;
use tests::bench::{Benchmark, Rounds, outcome};
use tests::dump::Dump;
use tests::{live, project};

/// Measure `repro analyze` and `repro crash` beside drgn and crash, and whole runs
#[derive(Debug, Parser)]
#[command(name = "bench", max_term_width = 100)]
struct Options {
    /// Rounds; in each of them every contestant runs once
    #[arg(short = 'n', long, default_value_t = 15,
          value_parser = clap::value_parser!(u32).range(10..=1000))]
    rounds: u32,
    /// Whole runs in each way; 0 leaves them out
    #[arg(long, default_value_t = 5, value_name = "N",
          value_parser = clap::value_parser!(u32).range(0..=1000))]
    runs: u32,
    /// Make a hundred runs in one go as well
    #[arg(long)]
    many: bool,
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
    fn dump(self, selected: &Selected) -> Result<Dump> {
        if let (Some(vmcore), Some(vmlinux), Some(modules)) =
            (self.vmcore, self.vmlinux, self.module_dir)
        {
            return Ok(Dump { vmcore, vmlinux, modules });
        }
        // As a server's kdump writes it.
        Ok(live::run(selected)?.dump)
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
    let rounds = Rounds { peers: options.rounds, runs: options.runs, many: options.many };
    let write = options.write;
    let selected = project::default()?;
    let dump = options.dump(&selected)?;
    let benchmark = Benchmark::take(&dump, &selected, rounds)?;
    outcome::print(&benchmark.markdown())?;
    if write {
        outcome::write("benchmark.md", &outcome::document(&benchmark, &dump)?)?;
        outcome::write("benchmark.json", &(serde_json::to_string_pretty(&benchmark)? + "\n"))?;
    }
    let misses = benchmark.misses();
    misses.iter().for_each(|miss| tests::trial::say(&format!("too slow or too big: {miss}")));
    Ok(if misses.is_empty() { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}
