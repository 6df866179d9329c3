// SPDX-License-Identifier: MIT OR Apache-2.0
//! The developer's command line. It only starts other programs: `repro`, cargo, the test runner.
//! Avoid adding dependencies to this crate: every task waits for its build.

mod run;
mod tasks;
mod times;

use std::ffi::OsString;
use std::process::ExitCode;

use clap::{Parser, Subcommand};

/// Tasks of this project
#[derive(Debug, Parser)]
#[command(name = "cargo xtask", max_term_width = 100)]
struct Cli {
    #[command(subcommand)]
    task: Task,
}

#[derive(Debug, Subcommand)]
enum Task {
    /// Reproduce a crash and say why it happened (`repro run`; see `cargo xtask repro --help`)
    #[command(disable_help_flag = true)]
    Repro(Passed),
    /// Say why a kernel crashed, from its vmcore (`repro analyze`)
    #[command(disable_help_flag = true)]
    Analyze(Passed),
    /// Ask a vmcore questions, with the commands of crash(8) (`repro crash`)
    #[command(disable_help_flag = true)]
    Crash(Passed),
    /// Keep a small recording of a crash for the tests (`repro record`)
    #[command(disable_help_flag = true)]
    Record(Passed),
    /// Print how many verdicts are right (`repro score`)
    #[command(disable_help_flag = true)]
    Score(Passed),
    /// List guests, or bring one into the cache (`repro guest`)
    #[command(disable_help_flag = true)]
    Guest(Passed),
    /// Say what this machine lacks (`repro doctor`)
    #[command(disable_help_flag = true)]
    Doctor(Passed),
    /// Remove old artefacts, or the cache (`repro clean`)
    #[command(disable_help_flag = true)]
    Clean(Passed),
    /// Set this machine up and run the tests, as CI does
    Test(tasks::Test),
    /// Check the project's own rules: licences, layers, documents (part of `test`)
    Tidy,
    /// Write the files that are made from the code, such as the schemas in docs/
    Gen,
    /// Measure `repro analyze` beside drgn and crash (`cargo xtask bench -- --help`)
    Bench(tasks::Bench),
    /// Measure how long builds and quick tests take, from nothing and after an edit
    Times,
    /// Step through changed snapshots
    Review(tasks::Review),
    /// Run everything that CI runs
    Ci,
}

/// Arguments for another program, as they are.
#[derive(Debug, clap::Args)]
struct Passed {
    #[arg(trailing_var_arg = true, allow_hyphen_values = true, value_name = "ARGUMENTS")]
    arguments: Vec<OsString>,
}

fn main() -> ExitCode {
    let result = match Cli::parse().task {
        Task::Repro(Passed { arguments }) => run::repro("run", &arguments),
        Task::Analyze(Passed { arguments }) => run::repro("analyze", &arguments),
        Task::Crash(Passed { arguments }) => run::repro("crash", &arguments),
        Task::Record(Passed { arguments }) => run::repro("record", &arguments),
        Task::Score(Passed { arguments }) => run::repro("score", &arguments),
        Task::Guest(Passed { arguments }) => run::repro("guest", &arguments),
        Task::Doctor(Passed { arguments }) => run::repro("doctor", &arguments),
        Task::Clean(Passed { arguments }) => run::repro("clean", &arguments),
        Task::Test(test) => test.run(),
        Task::Tidy => tasks::tidy(),
        Task::Gen => tasks::generate(),
        Task::Bench(bench) => bench.run(),
        Task::Times => times::times(),
        Task::Review(review) => review.run(),
        Task::Ci => tasks::ci(),
    };
    result.unwrap_or_else(|error| {
        run::say(&format!("error: {error:#}"));
        ExitCode::FAILURE
    })
}
