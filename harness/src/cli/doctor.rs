// SPDX-License-Identifier: MIT OR Apache-2.0
//! `repro doctor`: what this machine lacks, and installing it.

use std::fmt::Write as _;

use clap::Args;

use super::CommandResult;
use super::options::{self, GlobalOptions};
use crate::error::Failure;
use crate::exit::Exit;
use crate::host::{self, Missing};
use crate::run::accel::Memory;

/// Say what this machine lacks
///
/// `repro run` does the same by itself before its first run, and installs what is missing when it
/// is root's or with --yes.
#[derive(Debug, Args)]
pub(super) struct Doctor {
    /// Install what is missing with the machine's package manager
    #[arg(long)]
    install: bool,
}

impl Doctor {
    pub(super) fn run(&self, global: &GlobalOptions) -> CommandResult {
        if self.install {
            set_up(global)?;
        }
        let missing = host::missing();
        let mut text = String::new();
        if missing.is_empty() {
            text.push_str("nothing is missing\n");
        }
        for missing in &missing {
            let package = missing.package.as_deref().unwrap_or("no known package");
            let _ = writeln!(text, "{:<20} {} ({package})", missing.what, missing.why);
        }
        if let Some(why) = Memory::open(&global.cache()?).broken() {
            let _ = writeln!(text, "kvm is not used: {why}");
        }
        options::print(&text)?;
        Ok(if missing.is_empty() { Exit::Ok } else { Exit::Unavailable })
    }
}

/// Finds out what is missing, and installs it where that is wanted.
///
/// # Errors
/// Something is missing and may not, or cannot, be installed.
pub(super) fn set_up(global: &GlobalOptions) -> Result<(), Failure> {
    let missing = host::missing();
    if missing.is_empty() {
        return Ok(());
    }
    let names: Vec<_> = missing.iter().map(|missing| missing.what.as_str()).collect();
    let failure =
        Failure::new(Exit::Unavailable, format!("this machine lacks {}", names.join(", ")));
    if !global.may_install() {
        return Err(failure.hint(format!("{}; or add --yes", install_line(&missing))));
    }
    Err(failure)
}

fn install_line(missing: &[Missing]) -> String {
    let packages: Vec<_> = missing.iter().filter_map(|missing| missing.package.clone()).collect();
    format!("sudo apt-get install {}", packages.join(" "))
}
