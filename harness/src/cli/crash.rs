// SPDX-License-Identifier: MIT OR Apache-2.0
//! `repro crash`: questions to a vmcore by the names that crash(8) gave them.

use std::io::{self, BufRead as _, IsTerminal as _};
use std::path::PathBuf;

use analyzer::commands::{Output, Session};
use clap::Args;

use super::CommandResult;
use super::options::{self, OutputFormat};
use crate::error::Failure;
use crate::exit::Exit;
use crate::run::analysis::{Symbols, ask};

/// Ask a vmcore questions, with the commands of crash(8)
///
/// Without -c, commands are read from stdin, one line after the other, until `quit` or the end.
/// Several commands on one line are separated by `;`. The command `help` lists them. Nothing is
/// ever written to the dump. Files that are not given are looked for as `repro analyze` does.
#[derive(Debug, Args)]
pub(super) struct Crash {
    /// The dump: kdump-compressed or ELF; all files of a split one, in any order; or the
    /// description of raw RAM (docs/raw-ram.md)
    #[arg(required = true)]
    vmcore: Vec<PathBuf>,
    /// The kernel with symbols and debug information, or a folder with it
    #[arg(long, value_name = "PATH")]
    vmlinux: Option<PathBuf>,
    /// Folder with the modules that were loaded (.ko, .ko.xz, .ko.debug, …), at any depth
    #[arg(long, value_name = "DIR")]
    module_dir: Option<PathBuf>,
    /// Commands to run; may be given several times
    #[arg(short, long = "command", value_name = "COMMANDS")]
    commands: Vec<String>,
    /// The form of the answers; JSON is one object a line for each command
    #[arg(long, value_enum, default_value_t)]
    format: OutputFormat,
}

impl Crash {
    pub(super) fn run(&self) -> CommandResult {
        let symbols = Symbols {
            vmlinux: self.vmlinux.clone(),
            modules: Vec::new(),
            module_dir: self.module_dir.clone(),
            search_system: true,
        };
        ask(&self.vmcore, &symbols, |session| {
            if self.commands.is_empty() { self.converse(session) } else { self.answer(session) }
        })?
    }

    /// Runs the commands of the command line. One without an answer makes the whole fail.
    fn answer(&self, session: &mut Session<'_, '_>) -> CommandResult {
        let mut exit = Exit::Ok;
        for line in &self.commands {
            for output in session.run(line) {
                if output.result.is_err() {
                    exit = Exit::AnalysisFailed;
                }
                self.print(&output)?;
            }
        }
        Ok(exit)
    }

    /// Reads lines from stdin and answers each.
    fn converse(&self, session: &mut Session<'_, '_>) -> CommandResult {
        let prompt = if io::stdin().is_terminal() { "crash> " } else { "" };
        if !prompt.is_empty() {
            self.print_all(&session.run("sys; set"))?;
        }
        options::print(prompt)?;
        for line in io::stdin().lock().lines() {
            let line = line.map_err(|error| {
                Failure::new(Exit::Usage, "cannot read commands from stdin").caused_by(&error)
            })?;
            if matches!(line.trim(), "q" | "quit" | "exit") {
                break;
            }
            self.print_all(&session.run(&line))?;
            options::print(prompt)?;
        }
        Ok(Exit::Ok)
    }

    fn print_all(&self, outputs: &[Output]) -> Result<(), Failure> {
        outputs.iter().try_for_each(|output| self.print(output))
    }

    fn print(&self, output: &Output) -> Result<(), Failure> {
        match self.format {
            OutputFormat::Text if output.result.is_err() => options::complain(&output.text()),
            OutputFormat::Text => options::print(&output.text()),
            OutputFormat::Json => options::print(&format!("{}\n", output.json())),
        }
    }
}
