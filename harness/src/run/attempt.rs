// SPDX-License-Identifier: MIT OR Apache-2.0
//! A run under one accelerator, and the start of its machine.

use std::io;
use std::path::Path;

use crate::error::Failure;
use crate::events::{Accel, Event};
use crate::exit::Exit;
use crate::run::plan::Plan;
use crate::run::recorder::Recorder;
use crate::vm::{Disks, LaunchError, Launcher, Machine, Spec};

/// A run under one accelerator.
pub(super) struct Attempt<'a> {
    pub(super) plan: &'a Plan,
    pub(super) accel: Accel,
    pub(super) disks: &'a Disks,
    pub(super) folder: &'a Path,
}

impl Attempt<'_> {
    /// Starts a machine.
    pub(super) fn launch(
        &self,
        spec: &Spec<'_>,
        launcher: &mut dyn Launcher,
        recorder: &mut Recorder<'_>,
    ) -> Result<Box<dyn Machine>, LaunchFailure> {
        let command_line = launcher.describe(spec);
        let written = self
            .disks
            .reset(self.plan.memory_bytes)
            .and_then(|()| std::fs::write(self.folder.join("qemu.txt"), &command_line));
        written.map_err(|error| LaunchFailure::Other(unwritable(self.folder, &error)))?;
        let machine = launcher.launch(spec).map_err(|error| self.launch_failure(error))?;
        let qemu = machine.version();
        recorder.emit(Event::MachineStarted { accel: self.accel, qemu, command_line });
        Ok(machine)
    }

    fn launch_failure(&self, error: LaunchError) -> LaunchFailure {
        match error {
            LaunchError::Ended { how, stderr } if self.accel == Accel::Kvm => {
                let first = stderr.lines().next().unwrap_or("no message");
                let reason = format!("QEMU ended at once ({how}): {first}");
                LaunchFailure::Accel { reason, stderr }
            }
            LaunchError::NoAnswer { stderr, ref source } if self.accel == Accel::Kvm => {
                LaunchFailure::Accel { reason: format!("QEMU does not start: {source}"), stderr }
            }
            LaunchError::Interrupted => {
                LaunchFailure::Other(Failure::new(Exit::Interrupted, "interrupted"))
            }
            error => LaunchFailure::Other(
                Failure::from_error(Exit::Unavailable, &error)
                    .hint("`repro doctor` says what this machine lacks"),
            ),
        }
    }
}

/// Why a machine did not start.
pub(super) enum LaunchFailure {
    /// QEMU does not start under this accelerator.
    Accel {
        /// Why, in words.
        reason: String,
        /// The end of what it wrote to stderr.
        stderr: String,
    },
    Other(Failure),
}

impl LaunchFailure {
    /// In words.
    pub(super) fn into_words(self) -> String {
        match self {
            Self::Accel { reason, .. } => reason,
            Self::Other(failure) => failure.to_string(),
        }
    }
}

/// A folder that cannot be written to.
pub(super) fn unwritable(folder: &Path, error: &io::Error) -> Failure {
    let message = format!("cannot write to {}", folder.display());
    Failure::new(Exit::WriteFailed, message).caused_by(error)
}
