// SPDX-License-Identifier: MIT OR Apache-2.0
//! `repro completions` and `repro man`: what shells and man(1) know about this program.

use std::path::PathBuf;

use clap::Args;
use clap_complete::Shell;

use super::options;
use super::{Cli, CommandResult};
use crate::error::Failure;
use crate::exit::Exit;

/// Print what a shell needs to complete this program's words
///
/// For bash: `repro completions bash > ~/.local/share/bash-completion/completions/repro`.
#[derive(Debug, Args)]
pub(super) struct Completions {
    /// The shell
    #[arg(value_enum)]
    shell: Shell,
}

impl Completions {
    pub(super) fn run(&self) -> CommandResult {
        let mut text = Vec::new();
        clap_complete::generate(self.shell, &mut Cli::command(), "repro", &mut text);
        options::print_made(&String::from_utf8_lossy(&text))?;
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
