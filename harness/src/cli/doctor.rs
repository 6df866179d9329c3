// SPDX-License-Identifier: MIT OR Apache-2.0
//! `repro doctor`: what this machine lacks, and installing it.

use std::fmt::Write as _;
use std::path::PathBuf;

use clap::Args;

use super::options::{self, GlobalOptions};
use super::set_up::set_up;
use super::{CommandResult, kvm_test};
use crate::events::Bus;
use crate::exit::Exit;
use crate::host;
use crate::run::accel::Memory;

/// Say what this machine has and lacks
///
/// `repro run` looks for the same things before its first run, and installs what is missing when
/// it is root's or with --yes.
#[derive(Debug, Args)]
pub(super) struct Doctor {
    /// Install what is missing with the machine's package manager
    #[arg(long)]
    install: bool,
    /// Run a guest under KVM, in each way, and print what came of it
    ///
    /// A kernel is made to crash by sysrq, without a module: captured by kdump, captured fast, and
    /// from a snapshot. Each phase has its longest time, and nothing is left but what the cache
    /// keeps. KVM was not tried by those who wrote this: what it prints, whether KVM works or not, is
    /// worth sending to them.
    #[arg(long)]
    kvm: bool,
    /// QEMU's program, for --kvm
    #[arg(
        long,
        env = "REPRO_QEMU",
        hide_env_values = true,
        value_name = "PROGRAM",
        default_value = "qemu-system-x86_64"
    )]
    qemu: PathBuf,
}

impl Doctor {
    pub(super) fn run(&self, global: &GlobalOptions) -> CommandResult {
        if self.install {
            let mut bus = Bus::new(vec![Box::new(global.terminal())]);
            let result = set_up(global, &mut bus);
            bus.finish()?;
            result?;
        }
        if self.kvm {
            return kvm_test::run(global, &self.qemu);
        }
        let inventory = host::inventory();
        let mut text = String::new();
        for need in &inventory {
            let state = need.found.as_deref().unwrap_or("MISSING");
            let _ = writeln!(text, "{:<20} {state}  ({})", need.what, need.why);
            if let Some(note) = &need.note {
                let _ = writeln!(text, "{:<20} note: {note}", "");
            }
        }
        if let Some(why) = Memory::open(&global.cache()?).broken() {
            let _ = writeln!(text, "{:<20} not used: {why}", "/dev/kvm");
        }
        let missing = host::missing();
        if let Some(line) = host::install_line(&missing) {
            let _ = writeln!(text, "\nto install what is missing: {line}");
        }
        options::print_wrapped(&text, 21)?;
        Ok(if missing.is_empty() { Exit::Ok } else { Exit::Unavailable })
    }
}
