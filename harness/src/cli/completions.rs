// SPDX-License-Identifier: MIT OR Apache-2.0
//! `repro completions` and `repro man`: what shells and man(1) know about this program.

use std::path::PathBuf;

use clap::Args;
use clap_complete::Shell;
use clap_complete::env::Shells;

use super::options;
use super::{Cli, CommandResult};
use crate::error::Failure;
use crate::exit::Exit;

/// To bash, an `@` begins a word of its own, a host's name; here it is within one, `CASE@GUEST`.
const WHOLE_WORDS: &str = "COMP_WORDBREAKS=${COMP_WORDBREAKS//@}\n";

/// Print what a shell needs to complete this program's words
///
/// For bash: `repro completions bash > ~/.local/share/bash-completion/completions/repro`. The shell asks the
/// program itself then, which knows the cases and the guests of the project that one is in.
#[derive(Debug, Args)]
pub(super) struct Completions {
    /// The shell
    #[arg(value_enum)]
    shell: Shell,
}

impl Completions {
    pub(super) fn run(&self) -> CommandResult {
        let mut text = Vec::new();
        let shells = Shells::builtins();
        let shell = shells.completer(&self.shell.to_string());
        let written = shell.map(|shell| {
            shell.write_registration("COMPLETE", "repro", "repro", "repro", &mut text)
        });
        written.transpose().map_err(|error| {
            Failure::new(Exit::Internal, "cannot write the completions").caused_by(&error)
        })?;
        options::print_made(&String::from_utf8_lossy(&text))?;
        if self.shell == Shell::Bash {
            options::print_made(WHOLE_WORDS)?;
        }
        Ok(Exit::Ok)
    }
}

/// Write the manual pages, one for each command
#[derive(Debug, Args)]
pub(super) struct Man {
    /// Folder for them, which is made; such as ~/.local/share/man/man1
    #[arg(value_name = "DIR")]
    folder: PathBuf,
}

impl Man {
    pub(super) fn run(&self) -> CommandResult {
        let written = std::fs::create_dir_all(&self.folder)
            .and_then(|()| clap_mangen::generate_to(Cli::command(), &self.folder));
        written.map_err(|error| {
            let message = format!("cannot write the manual pages to {}", self.folder.display());
            Failure::new(Exit::WriteFailed, message).caused_by(&error)
        })?;
        Ok(Exit::Ok)
    }
}
