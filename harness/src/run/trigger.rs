// SPDX-License-Identifier: MIT OR Apache-2.0
//! The trigger, up to the crash it should cause.

use std::time::Duration;

use crate::events::{CrashSign, Event, Phase};
use crate::run::plan::Trigger;
use crate::run::session::{Session, Stop};
use crate::vm::agent::{Message, Request};
use crate::vm::{Exited, QMP_LIMIT, Signal, qmp};

/// How the trigger ended, when not in a crash.
#[derive(Debug, thiserror::Error)]
pub(crate) enum NoCrash {
    #[error("the trigger ended ({how}) and the kernel still runs {settle:?} later")]
    Survived { how: String, settle: Duration },
    #[error("the guest cannot run the trigger: {message}")]
    NotStarted { message: String },
    #[error("the guest ended by itself ({reason}), without a crash that it told about")]
    Halted { reason: String },
    #[error("QEMU ended ({how}) while the trigger ran")]
    QemuLost { how: String, stderr: String },
    #[error("interrupted")]
    Interrupted,
}

impl Session<'_, '_> {
    /// Runs the trigger until the kernel crashes ([`Self::crash`] is set then) or does not.
    pub(crate) fn trigger(&mut self, trigger: &Trigger) -> Result<(), NoCrash> {
        self.phase = Phase::Trigger;
        let limit = trigger.limit.unwrap_or(self.limits.trigger);
        let request = Request::Trigger {
            argv: trigger.argv.clone(),
            environment: trigger.environment.clone(),
        };
        // A port that is gone is not told here: the wait tells why it is gone.
        let _ = self.machine.request(&request);
        match self.wait(limit, |_, signal| ended(signal)) {
            Ok(Ok(how)) => self.settle(how, trigger.settle.unwrap_or(self.limits.settle)),
            Ok(Err(message)) => Err(NoCrash::NotStarted { message }),
            Err(stop) => self.stopped(stop, limit),
        }
    }

    /// Waits for a crash that comes after the trigger has done its work.
    fn settle(&mut self, how: String, settle: Duration) -> Result<(), NoCrash> {
        self.recorder.emit(Event::TriggerExited { how: how.clone() });
        match self.wait(settle, |_, _| None::<()>) {
            Err(Stop::TimedOut) => Err(NoCrash::Survived { how, settle }),
            Err(stop) => self.stopped(stop, settle),
            Ok(()) => Ok(()),
        }
    }

    fn stopped(&mut self, stop: Stop, limit: Duration) -> Result<(), NoCrash> {
        match stop {
            Stop::Crashed => Ok(()),
            Stop::TimedOut => self.wake_by_nmi(limit),
            // A triple fault: the kernel died too deep to say anything.
            Stop::Halted(reason) if reason == "guest-reset" => {
                self.crashed(CrashSign::Reset, None);
                Ok(())
            }
            Stop::Halted(reason) => Err(NoCrash::Halted { reason }),
            Stop::Exited(Exited { how, stderr, .. }) => Err(NoCrash::QemuLost { how, stderr }),
            Stop::Interrupted => Err(NoCrash::Interrupted),
        }
    }

    /// A kernel that hangs with interrupts off still takes an NMI, and panics by it
    /// (`kernel.unknown_nmi_panic`, set before the trigger). One that does not is left to QEMU's
    /// own dump.
    fn wake_by_nmi(&mut self, limit: Duration) -> Result<(), NoCrash> {
        self.recorder.warn(format!("no crash and no end of the trigger within {limit:?}: NMI"));
        let sent = self.machine.qmp(&qmp::Command::new("inject-nmi"), QMP_LIMIT);
        let wait = if sent.is_ok() { self.limits.capture_boot } else { Duration::ZERO };
        match self.wait(wait, |_, _| None::<()>) {
            Err(Stop::Interrupted) => return Err(NoCrash::Interrupted),
            Err(Stop::Exited(Exited { how, stderr, .. })) => {
                return Err(NoCrash::QemuLost { how, stderr });
            }
            _ => self.crashed(CrashSign::Hang, None),
        }
        if let Some(crash) = &mut self.crash {
            crash.sign = CrashSign::Hang;
        }
        Ok(())
    }
}

/// How the trigger ended, or why it could not be started. That it was started is not waited for:
/// it may be over, or have crashed the kernel, before the agent can say so.
fn ended(signal: &Signal) -> Option<Result<String, String>> {
    let Signal::Agent(message) = signal else { return None };
    match message {
        Message::TriggerExit { signal: Some(signal), .. } => Some(Ok(format!("signal {signal}"))),
        Message::TriggerExit { status: Some(status), .. } => {
            Some(Ok(format!("exit status {status}")))
        }
        Message::TriggerExit { .. } => Some(Ok("unknown status".to_owned())),
        Message::Failed { command, message } if command == "trigger" => Some(Err(message.clone())),
        _ => None,
    }
}
