// SPDX-License-Identifier: MIT OR Apache-2.0
//! The trait that run control drives a guest through.

use std::fmt;
use std::os::fd::BorrowedFd;
use std::time::Duration;

use serde_json::Value;

use crate::vm::{Spec, qmp};
use protocol::{Message, Request};

/// A machine that runs.
///
/// It has a clock of its own, so that a scripted machine can let minutes pass in no time.
/// Dropping it ends it.
pub trait Machine: fmt::Debug {
    /// Time since its start.
    fn elapsed(&self) -> Duration;

    /// The next thing it says, or `None` when its clock reached `until` before.
    ///
    /// After [`Signal::Exited`] there is nothing more: further calls return it again.
    fn next(&mut self, until: Duration) -> Option<Signal>;

    /// Sends a request to the agent; the answer comes as a signal.
    ///
    /// # Errors
    /// The port is gone.
    fn request(&mut self, request: &Request) -> Result<(), Lost>;

    /// Runs a QMP command and waits for its answer. What the machine says meanwhile is kept for
    /// [`Self::next`].
    ///
    /// # Errors
    /// The command failed, or there was no answer within `limit`.
    fn qmp(&mut self, command: &qmp::Command, limit: Duration) -> Result<Value, qmp::Error>;

    /// Gives it a descriptor, which later commands call `name`.
    ///
    /// # Errors
    /// The same as of [`Self::qmp`].
    fn give(
        &mut self,
        name: &'static str,
        fd: BorrowedFd<'_>,
        limit: Duration,
    ) -> Result<(), qmp::Error>;

    /// The version of what runs it, for reports.
    fn version(&self) -> String;

    /// Ends it at once and waits until it is gone.
    fn kill(&mut self);
}

/// Something that starts machines.
pub trait Launcher: fmt::Debug {
    /// Starts one.
    ///
    /// # Errors
    /// It could not be started, or ended before it could be controlled.
    fn launch(&mut self, spec: &Spec<'_>) -> Result<Box<dyn Machine>, LaunchError>;

    /// The command line that [`Self::launch`] uses, quoted for a shell.
    fn describe(&self, spec: &Spec<'_>) -> String;

    /// What tells the program that runs machines from another version of it.
    fn identity(&self) -> String;
}

/// What a machine says.
#[derive(Debug, Clone, PartialEq)]
pub enum Signal {
    /// A line of the serial console, control characters removed.
    Console(String),
    /// A message of the agent.
    Agent(Message),
    /// A line on the agent's port that is no message.
    Garbled(String),
    /// The guest closed the agent's port.
    AgentClosed,
    /// An event of QEMU.
    Qmp(qmp::Event),
    /// The machine ended.
    Exited(Exited),
    /// The user asked to stop.
    Interrupted,
}

/// How a machine ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Exited {
    /// Exit status or signal, in words.
    pub how: String,
    /// Whether QEMU ended as it should (the guest switched off or was reset).
    pub clean: bool,
    /// The end of what it wrote to stderr.
    pub stderr: String,
}

/// The agent's port is gone.
#[derive(Debug, thiserror::Error)]
#[error("the agent's port is gone")]
pub struct Lost(#[source] pub std::io::Error);

/// Why a machine could not be started.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum LaunchError {
    /// There is no such program.
    #[error("there is no {program} on this machine")]
    NotInstalled {
        /// The program.
        program: String,
    },
    /// The system refused.
    #[error("cannot start {program}")]
    Start {
        /// The program.
        program: String,
        /// What the system said.
        #[source]
        source: std::io::Error,
    },
    /// It ended before it answered.
    #[error("QEMU ended at once ({how}): {stderr}")]
    Ended {
        /// Exit status or signal, in words.
        how: String,
        /// What it wrote to stderr.
        stderr: String,
    },
    /// It runs but does not answer.
    #[error("QEMU does not answer on its control port")]
    NoAnswer {
        /// What it wrote to stderr.
        stderr: String,
        /// What was waited for.
        #[source]
        source: qmp::Error,
    },
    /// The user asked to stop.
    #[error("interrupted")]
    Interrupted,
}
