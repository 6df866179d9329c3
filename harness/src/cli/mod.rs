// SPDX-License-Identifier: MIT OR Apache-2.0
//! The command line of `repro`.

mod analyze;
mod binaries;
mod bisect;
mod clean;
mod completions;
mod crash;
mod dkms;
mod doctor;
mod exec_paths;
mod guest;
mod guest_options;
mod help;
mod how;
mod kept_runs;
mod kvm_report;
mod kvm_test;
mod merge;
mod names;
mod new_case;
mod options;
mod pager;
mod pipeline_options;
mod record;
mod review;
mod run;
mod score;
mod score_foreign;
mod set_up;
mod shell;
mod symbol_options;
mod test;

use std::process::ExitCode;

use clap::{FromArgMatches as _, Parser, Subcommand};
use clap_complete::CompleteEnv;

pub use options::{ColorChoice, GlobalOptions, OutputFormat};

use crate::error::Failure;
use crate::exit::Exit;

/// Reproduces a kernel crash in QEMU, collects the vmcore and says why it crashed.
///
/// A case is a folder with kernel modules, a trigger and what is expected of the crash. A guest is
/// a file that says where a kernel comes from. `repro run` builds the modules for the guest's
/// kernel, boots it with kdump armed, loads the modules, runs the trigger, takes the vmcore of the
/// crash, analyses it and compares the verdict with what the case expects.
#[derive(Debug, Parser)]
#[command(
    name = "repro",
    version,
    propagate_version = true,
    max_term_width = 100,
    disable_help_subcommand = true
)]
pub struct Cli {
    #[command(flatten)]
    global: GlobalOptions,
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    #[command(alias = "repro")]
    Run(run::Run),
    Test(test::Test),
    Review(review::ReviewCommand),
    Merge(merge::Merge),
    Bisect(bisect::Bisect),
    NewCase(new_case::NewCase),
    ExecPaths(exec_paths::ExecPaths),
    Analyze(analyze::Analyze),
    Crash(crash::Crash),
    Record(record::Record),
    Score(score::Score),
    Guest(guest::Guest),
    Doctor(doctor::Doctor),
    Clean(clean::Clean),
    Completions(completions::Completions),
    Help(help::Help),
    Man(completions::Man),
}

impl Cli {
    /// The command line with the table of exit codes below every help text.
    #[must_use]
    pub fn command() -> clap::Command {
        with_exit_codes(<Self as clap::CommandFactory>::command(), &Exit::table())
    }
}

/// With the table below the help of a command and of all commands below it.
fn with_exit_codes(command: clap::Command, table: &str) -> clap::Command {
    command.after_long_help(table.to_owned()).mut_subcommands(|inner| with_exit_codes(inner, table))
}

/// Runs the program with the arguments of the process.
#[must_use]
pub fn main() -> ExitCode {
    // A shell that asks what a word may become gets that, and nothing is run.
    CompleteEnv::with_factory(Cli::command).complete();
    let arguments = Cli::command().try_get_matches().and_then(|matches| {
        Cli::from_arg_matches(&matches).map_err(|error| error.format(&mut Cli::command()))
    });
    let cli = match arguments {
        Ok(cli) => cli,
        Err(error) => {
            // It cannot be told where the terminal is gone.
            let _ = error.print();
            let exit = if error.use_stderr() { Exit::Usage } else { Exit::Ok };
            return exit.into();
        }
    };
    cli.global.set_colors();
    let result = match &cli.command {
        Command::Run(run) => run.run(&cli.global),
        Command::Test(test) => test.run(&cli.global),
        Command::Review(review) => review.run(&cli.global),
        Command::Merge(merge) => merge.run(&cli.global),
        Command::Bisect(bisect) => bisect.run(&cli.global),
        Command::Completions(completions) => completions.run(),
        Command::Help(help) => help.run(),
        Command::Man(man) => man.run(),
        Command::NewCase(new_case) => new_case.run(&cli.global),
        Command::ExecPaths(exec_paths) => exec_paths.run(),
        Command::Analyze(analyze) => analyze.run(&cli.global),
        Command::Crash(crash) => crash.run(&cli.global),
        Command::Record(record) => record.run(&cli.global),
        Command::Score(score) => score.run(&cli.global),
        Command::Guest(guest) => guest.run(&cli.global),
        Command::Doctor(doctor) => doctor.run(&cli.global),
        Command::Clean(clean) => clean.run(&cli.global),
    };
    result
        .unwrap_or_else(|failure| {
            options::print_failure(&failure);
            failure.exit
        })
        .into()
}

/// What a command ends with.
type CommandResult = Result<Exit, Failure>;
