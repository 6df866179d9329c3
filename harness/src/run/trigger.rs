// SPDX-License-Identifier: MIT OR Apache-2.0
//! The trigger, up to the crash it should cause.

use std::time::Duration;

use crate::events::{CrashSign, Event, Phase};
use crate::run::cpus;
use crate::run::plan::Trigger;
use crate::run::process_words::words;
use crate::run::session::{Session, Stop};
use crate::run::trigger_run::{TriggerEnd, TriggerRun};
use crate::vm::{Exited, QMP_LIMIT, Signal, qmp};
use protocol::{Message, Process, Request};

/// How the trigger ended, when not in a crash.
#[derive(Debug, thiserror::Error)]
pub(crate) enum NoCrash {
    #[error("the trigger ended ({end}) and the kernel still runs {settle:?} later")]
    Survived { end: TriggerEnd, settle: Duration },
    #[error("the trigger ended ({end}), but the guest answers no more: {what}")]
    Unheard { end: TriggerEnd, what: String },
    #[error("the trigger did not end within {limit:?}; the kernel is alive: {what}")]
    StillRuns { limit: Duration, what: String },
    #[error("the guest cannot run the trigger: {message}")]
    NotStarted { message: String },
    #[error("the guest ended by itself ({reason}), without a crash that it told about")]
    Halted { reason: String },
    #[error("the guest was stopped at a complaint of its kernel")]
    Complained,
    #[error("QEMU ended ({how}) while the trigger ran")]
    QemuLost { how: String, stderr: String },
    #[error("interrupted")]
    Interrupted,
}

/// What is known of a guest that printed nothing and whose trigger did not end.
enum State {
    /// The kernel goes on, and nothing holds the trigger; in words, what it does.
    Alive(String),
    /// The kernel holds threads of the trigger, or answers no more; in words.
    Hangs(String),
}

impl Session<'_, '_> {
    /// Runs the trigger until the kernel crashes ([`Self::crash`] is set then) or does not.
    pub(crate) fn trigger(&mut self, trigger: &Trigger) -> Result<(), NoCrash> {
        self.phase = Phase::Trigger;
        self.trigger = Some(TriggerRun::default());
        self.stop_unless.clone_from(&trigger.stop_unless);
        let limit = trigger.limit.unwrap_or(self.limits.trigger);
        let request = Request::Trigger {
            argv: trigger.argv.clone(),
            environment: trigger.environment.clone(),
            tells: trigger.tells,
        };
        // A port that is gone is not told here: the wait tells why it is gone.
        let _ = self.machine.request(&request);
        match self.wait(limit, |_, signal| ended(signal)) {
            Ok(Ok(end)) => self.settle(end, trigger.settle.unwrap_or(self.limits.settle)),
            Ok(Err(message)) => Err(NoCrash::NotStarted { message }),
            Err(Stop::TimedOut) => self.did_not_end(limit),
            Err(stop) => self.stopped(stop),
        }
    }

    /// Waits for a crash that comes after the trigger has done its work. A kernel that is silent may
    /// as well hang: it survived only if it still answers.
    fn settle(&mut self, end: TriggerEnd, settle: Duration) -> Result<(), NoCrash> {
        self.recorder.emit(Event::TriggerExited { how: end.to_string() });
        if let Some(run) = &mut self.trigger {
            run.end = end;
        }
        match self.wait(settle, |_, _| None::<()>) {
            Err(Stop::TimedOut) => {}
            Err(stop) => return self.stopped(stop),
            Ok(()) => return Ok(()),
        }
        // What it started may hang while the rest of the guest goes on.
        match self.question(&Request::Processes { sleepers: false }, answer) {
            Ok(told) => match told.state() {
                State::Alive(_) => Err(NoCrash::Survived { end, settle }),
                State::Hangs(why) => self.wake_by_nmi(&why),
            },
            // The program that would answer comes before all others: something holds it.
            Err(Stop::TimedOut) => match self.silent()? {
                State::Alive(what) => Err(NoCrash::Unheard { end, what }),
                State::Hangs(why) => self.wake_by_nmi(&why),
            },
            Err(stop) => self.stopped(stop),
        }
    }

    fn stopped(&mut self, stop: Stop) -> Result<(), NoCrash> {
        match stop {
            Stop::Crashed => Ok(()),
            Stop::Complained => Err(NoCrash::Complained),
            Stop::TimedOut => self.wake_by_nmi("no answer"),
            Stop::Halted(reason) => Err(NoCrash::Halted { reason }),
            Stop::Exited(Exited { how, stderr, .. }) => Err(NoCrash::QemuLost { how, stderr }),
            Stop::Interrupted => Err(NoCrash::Interrupted),
        }
    }

    /// The trigger's time is over. A kernel that goes on is not made to crash.
    fn did_not_end(&mut self, limit: Duration) -> Result<(), NoCrash> {
        let state = match self.question(&Request::Processes { sleepers: true }, answer) {
            Ok(told) => told.state(),
            Err(Stop::TimedOut) => self.silent()?,
            Err(stop) => return self.stopped(stop),
        };
        match state {
            State::Alive(what) => Err(NoCrash::StillRuns { limit, what }),
            State::Hangs(why) => {
                self.wake_by_nmi(&format!("the trigger did not end within {limit:?}: {why}"))
            }
        }
    }

    /// Asks the program in the guest; no answer in time is [`Stop::TimedOut`].
    fn question<T>(
        &mut self,
        request: &Request,
        answer: impl Fn(&Signal) -> Option<T>,
    ) -> Result<T, Stop> {
        let _ = self.machine.request(request);
        self.wait(self.limits.capture_boot, |_, signal| answer(signal))
    }

    /// The program in the guest does not answer: the CPUs tell whether others still run.
    fn silent(&mut self) -> Result<State, NoCrash> {
        for _ in 0..cpus::LOOKS {
            if self.runs_a_program() {
                let what = "it runs programs, but not the one that would answer";
                return Ok(State::Alive(what.to_owned()));
            }
            match self.wait(cpus::INTERVAL, |_, _| None::<()>) {
                Err(Stop::Interrupted) => return Err(NoCrash::Interrupted),
                Err(Stop::Exited(Exited { how, stderr, .. })) => {
                    return Err(NoCrash::QemuLost { how, stderr });
                }
                _ => {}
            }
        }
        Ok(State::Hangs("the guest does not answer, and no CPU runs a program".to_owned()))
    }

    /// A kernel that hangs with interrupts off still takes an NMI, and panics by it
    /// (`kernel.unknown_nmi_panic`, set before the trigger). One that does not is left to QEMU's
    /// own dump.
    pub(crate) fn wake_by_nmi(&mut self, why: &str) -> Result<(), NoCrash> {
        if self.crash.is_some() {
            return Ok(());
        }
        self.go_on_at_complaints();
        self.recorder.warn(format!("no crash, but {why}: NMI"));
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

/// What the guest said of its processes and CPUs.
struct Told {
    processes: Vec<Process>,
    more: u64,
    silent_cpus: Vec<u32>,
}

fn answer(signal: &Signal) -> Option<Told> {
    match signal {
        Signal::Agent(Message::Processes { processes, more, silent_cpus }) => Some(Told {
            processes: processes.clone(),
            more: *more,
            silent_cpus: silent_cpus.clone(),
        }),
        _ => None,
    }
}

impl Told {
    fn state(&self) -> State {
        let held = self.processes.iter().filter(|process| process.held);
        let mut hangs: Vec<_> = held.map(words).collect();
        hangs.extend(self.silent_cpus.iter().map(|cpu| format!("CPU {cpu} runs nothing any more")));
        if !hangs.is_empty() {
            return State::Hangs(hangs.join("; "));
        }
        let mut all: Vec<_> = self.processes.iter().map(words).collect();
        all.extend((self.more > 0).then(|| format!("{} more", self.more)));
        State::Alive(if all.is_empty() { "no process is left".into() } else { all.join("; ") })
    }
}

/// How the trigger ended, or why it could not be started. That it was started is not waited for:
/// it may be over, or have crashed the kernel, before the agent can say so.
fn ended(signal: &Signal) -> Option<Result<TriggerEnd, String>> {
    let Signal::Agent(message) = signal else { return None };
    match *message {
        Message::TriggerExit { signal: Some(signal), .. } => {
            Some(Ok(TriggerEnd::Killed { signal }))
        }
        Message::TriggerExit { status: Some(status), .. } => {
            Some(Ok(TriggerEnd::Exited { status }))
        }
        Message::TriggerExit { .. } => Some(Ok(TriggerEnd::Unknown)),
        Message::Failed { ref command, ref message } if command == "trigger" => {
            Some(Err(message.clone()))
        }
        _ => None,
    }
}
