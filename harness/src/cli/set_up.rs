// SPDX-License-Identifier: MIT OR Apache-2.0
//! Setting this machine up before runs are made.

use super::options::GlobalOptions;
use crate::error::Failure;
use crate::events::{Bus, Phase};
use crate::exit::Exit;
use crate::host::{self, Consent, Missing};
use crate::run::Recorder;

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
