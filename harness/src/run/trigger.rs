// SPDX-License-Identifier: MIT OR Apache-2.0
//! The trigger, up to the crash it should cause.

use std::time::Duration;

use crate::events::{CrashSign, Event, Phase};
use crate::run::plan::Trigger;
use crate::run::session::{Answer, Session, Stop};
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
        let start = self.machine.elapsed();
        let request = Request::Trigger {
            argv: trigger.argv.clone(),
            environment: trigger.environment.clone(),
        };
        let mut exit = None;
        let answer = self.ask_noting_exit(&request, limit, &mut exit);
        match answer {
            Ok(Answer::Done) => {}
            Ok(Answer::Refused(message)) => return Err(NoCrash::NotStarted { message }),
            Err(stop) => return self.stopped(stop, limit),
        }
        if exit.is_none() {
            let left = limit.saturating_sub(self.machine.elapsed().saturating_sub(start));
            match self.wait(left, |_, signal| trigger_exit(signal)) {
                Ok(how) => exit = Some(how),
                Err(stop) => return self.stopped(stop, limit),
            }
        }
        self.settle(exit.unwrap_or_default())
    }

    /// Waits for a crash that comes after the trigger (or the last module) has done its work.
    pub(crate) fn settle(&mut self, how: String) -> Result<(), NoCrash> {
        self.recorder.emit(Event::TriggerExited { how: how.clone() });
        let settle = self.limits.settle;
        match self.wait(settle, |_, _| None::<()>) {
            Err(Stop::TimedOut) => Err(NoCrash::Survived { how, settle }),
            Err(stop) => self.stopped(stop, settle),
            Ok(()) => Ok(()),
        }
    }

    /// The trigger of a kernel that dies at once may end before its start is answered.
    fn ask_noting_exit(
        &mut self,
        request: &Request,
        limit: Duration,
        exit: &mut Option<String>,
    ) -> Result<Answer, Stop> {
        // A port that is gone is not told here: the wait tells why it is gone.
        let _ = self.machine.request(request);
        self.wait(limit, |_, signal| {
            *exit = trigger_exit(signal).or_else(|| exit.take());
            match signal {
                Signal::Agent(Message::Done { command }) if command == "trigger" => {
                    Some(Answer::Done)
                }
                Signal::Agent(Message::Failed { command, message }) if command == "trigger" => {
                    Some(Answer::Refused(message.clone()))
                }
                _ => None,
            }
        })
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

fn trigger_exit(signal: &Signal) -> Option<String> {
    match signal {
        Signal::Agent(Message::TriggerExit { status, signal }) => {
            Some(match (status, signal) {
                (_, Some(signal)) => format!("signal {signal}"),
                (Some(status), None) => format!("exit status {status}"),
                (None, None) => "unknown status".to_owned(),
            })
        }
        _ => None,
    }
}
