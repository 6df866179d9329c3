// SPDX-License-Identifier: MIT OR Apache-2.0
//! `repro crash`: questions to a vmcore by the names that crash(8) gave them.

use std::path::PathBuf;

use clap::Args;

use super::CommandResult;
use super::options::{GlobalOptions, OutputFormat};
use super::shell::{Pause, Shell};
use super::symbol_options::{self, SymbolOptions};
use crate::analysis::ask_input;

/// Ask a vmcore questions, with the commands of crash(8)
///
/// Without -c, commands are read from stdin, one line after the other, until `quit` or the end; in a
/// terminal with history and completion (Tab). Several commands on one line are separated by `;`.
/// Output goes into `| COMMAND`, `> FILE` or `>> FILE`; `< FILE` runs the lines of a file, `!COMMAND`
/// a command of the shell. The command `help` lists the commands. Nothing is ever written to the
/// dump. Files that are not given are looked for as `repro analyze` does.
#[derive(Debug, Args)]
pub(super) struct Crash {
    /// The dump: kdump-compressed or ELF, also compressed as a whole; all files of a split one, in any order; a
    /// crash's folder below /var/crash; or the description of raw RAM (docs/raw-ram.md). The kernel may be named
    /// here too, before or after it
    #[arg(required = true, value_name = "[VMLINUX] VMCORE")]
    vmcore: Vec<PathBuf>,
    #[command(flatten)]
    files: SymbolOptions,
    /// Commands to run; may be given several times
    #[arg(short, long = "command", value_name = "COMMANDS")]
    commands: Vec<String>,
    /// Run the commands of this file first
    #[arg(short, long, value_name = "FILE")]
    input: Option<PathBuf>,
    /// The form of the answers; JSON is one object a line for each command
    #[arg(long, value_enum, default_value_t)]
    format: OutputFormat,
}

impl Crash {
    pub(super) fn run(&self, global: &GlobalOptions) -> CommandResult {
        let (input, mut symbols) = self.files.open(&self.vmcore, global)?;
        // A dump that says nothing of its crash can still be asked.
        if let Ok((_, (), lacking)) = self.files.analyze(&input, &mut symbols, global, &|_, _| ()) {
            symbol_options::tell(&lacking, global);
        }
        let mut shell = Shell::new(self.format, self.input.as_deref(), &self.commands)?;
        let mut context = None;
        loop {
            let pause = ask_input(&input, &symbols, |session| {
                if let Some(task) = context.take() {
                    session.set_context(task);
                }
                let pause = shell.converse(session);
                context = session.context().ok().cloned();
                pause
            })??;
            match pause {
                Pause::Over => return Ok(shell.exit()),
                Pause::Modules(Some(name), file) => {
                    symbols.modules.retain(|(known, _)| *known != name);
                    symbols.modules.push((name, file));
                }
                Pause::Modules(None, folder) => symbols.module_dir = Some(folder),
            }
        }
    }
}
