// SPDX-License-Identifier: MIT OR Apache-2.0
//! `repro exec-paths`: the names that `trigger.exec-paths` takes.

use std::fmt::Write as _;

use clap::Args;
use protocol::ExecPath;

use super::CommandResult;
use super::options;
use crate::exit::Exit;

/// Print the ways to execute a program that a trigger may take, one a line
///
/// With `exec-paths = "all"` in [trigger] of a case.toml, or with a list of these names, the guest
/// executes programs in these ways, one after the other, once the modules are loaded. Each has to
/// come out as its line says; where the kernel crashes, the run says in which it did.
#[derive(Debug, Args)]
pub(super) struct ExecPaths {}

impl ExecPaths {
    pub(super) fn run(&self) -> CommandResult {
        let width = ExecPath::EACH.iter().map(|path| path.name().len()).max().unwrap_or_default();
        let text = ExecPath::EACH.iter().fold(String::new(), |mut text, path| {
            let _ = writeln!(text, "{:<width$}  {}", path.name(), path.about());
            text
        });
        options::print_wrapped(&text, 25)?;
        Ok(Exit::Ok)
    }
}
