// SPDX-License-Identifier: MIT OR Apache-2.0
//! `repro crash`: questions to a vmcore by the names that crash(8) gave them.

use std::path::PathBuf;

use analyzer::machine::Machine;
use clap::Args;

use super::CommandResult;
use super::options::{GlobalOptions, OutputFormat};
use super::shell::{Pause, Shell};
use super::symbol_options::{self, SymbolOptions};
use crate::analysis::{Symbols, ask_input};
use crate::debug_files::Missing;
use crate::events::{Bus, Counts, Event};
use crate::input::Input;
use crate::run::Recorder;

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
        let mut shell = Shell::new(self.format, self.input.as_deref(), &self.commands)?;
        let mut context = None;
        let mut may_lack = true;
        let mut is_told = false;
        loop {
            let talked = ask_input(&input, &symbols, |session| {
                if may_lack && is_lacking(&input, session.machine(), global) {
                    return None;
                }
                if let Some(task) = context.take() {
                    session.set_context(task);
                }
                if !is_told {
                    is_told = true;
                    tell_damage(session.machine(), global);
                }
                let pause = shell.converse(session);
                context = session.context().ok().cloned();
                Some(pause)
            });
            let pause = match talked {
                Ok(Some(pause)) => pause?,
                Err(failure) if !may_lack => return Err(failure),
                Ok(None) | Err(_) => {
                    may_lack = false;
                    self.bring(&input, &mut symbols, global);
                    continue;
                }
            };
            may_lack = false;
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

    /// Brings what a report would be better with, and tells what is lacking still.
    fn bring(&self, input: &Input, symbols: &mut Symbols, global: &GlobalOptions) {
        // A dump that says nothing of its crash can still be asked.
        if let Ok((_, (), lacking)) = self.files.analyze(input, symbols, global, &|_, _| ()) {
            symbol_options::tell(&lacking, global);
        }
    }
}

/// Says before the first answer that memory is lost with a part of the file: a stack that ends early, or a task that is
/// not found, may be due to that.
fn tell_damage(machine: &Machine<'_>, global: &GlobalOptions) {
    let vmcore = machine.kernel().vmcore();
    if vmcore.info().complete {
        return;
    }
    let mut bus = Bus::new(vec![Box::new(global.terminal())]);
    let mut recorder = Recorder::new(&mut bus);
    for problem in vmcore.problems() {
        recorder.warn(problem.to_string());
    }
    if vmcore.problems().is_empty() {
        recorder.warn("the vmcore is incomplete");
    }
    bus.emit(Event::Finished { counts: Counts::default(), failure: None });
    // Where stderr is gone, there is nowhere to tell it.
    let _ = bus.finish();
}

/// Whether a whole report has to tell what to bring, or what is lacking: it takes as long as some commands.
fn is_lacking(input: &Input, machine: &Machine<'_>, global: &GlobalOptions) -> bool {
    let is_complete = machine.kernel().vmcore().info().complete;
    let is_whole = is_complete && input.damage().next().is_none();
    !is_whole || symbol_options::has_servers(global) || !Missing::of_crash(machine).is_nothing()
}
