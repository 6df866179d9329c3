// SPDX-License-Identifier: MIT OR Apache-2.0
//! `repro doctor`: what this machine lacks, and installing it.

use std::fmt::Write as _;

use clap::Args;

use super::CommandResult;
use super::options::{self, GlobalOptions};
use crate::error::Failure;
use crate::events::{Bus, Phase};
use crate::exit::Exit;
use crate::host::{self, Consent, Missing};
use crate::run::Recorder;
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
}

impl Doctor {
    pub(super) fn run(&self, global: &GlobalOptions) -> CommandResult {
        if self.install {
            let mut bus = Bus::new(vec![Box::new(global.terminal())]);
            let result = set_up(global, &mut bus);
            bus.finish()?;
            result?;
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
        options::print(&text)?;
        Ok(if missing.is_empty() { Exit::Ok } else { Exit::Unavailable })
    }
}

/// Finds out what is missing, and installs it where that is wanted.
///
/// # Errors
/// Something is missing and may not, or cannot, be installed.
pub(super) fn set_up(global: &GlobalOptions, bus: &mut Bus) -> Result<(), Failure> {
    let missing = host::missing();
    if missing.is_empty() {
        return Ok(());
    }
    let names: Vec<_> = missing.iter().map(|missing| missing.what.as_str()).collect();
    let names = names.join(", ");
    let Some(consent) = Consent::of(global.yes()) else {
        return Err(lacking(&names, &missing));
    };
    let mut recorder = Recorder::new(bus);
    recorder.begin(Phase::Setup, names.clone());
    let installed = host::install(&missing, consent, &mut |step| recorder.progress(step));
    installed.map_err(|error| {
        Failure::new(Exit::Unavailable, format!("this machine lacks {names}")).caused_by(&error)
    })?;
    recorder.finish(format!("this machine, which lacked {names}"));
    Ok(())
}

fn lacking(names: &str, missing: &[Missing]) -> Failure {
    let failure = Failure::new(Exit::Unavailable, format!("this machine lacks {names}"));
    match host::install_line(missing) {
        Some(line) => failure.hint(format!("run `{line}`, or this command again with --yes")),
        None => failure.hint("install it with this machine's package manager"),
    }
}
