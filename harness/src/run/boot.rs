// SPDX-License-Identifier: MIT OR Apache-2.0
//! QEMU's start to a guest that is ready for the trigger: booted, armed, modules loaded.

use std::time::Duration;

use crate::events::{Event, Phase};
use crate::run::plan::{Module, ModuleFrom, Plan, Sysctl};
use crate::run::session::{Answer, Session, Stop};
use crate::vm::{Exited, Signal};
use protocol::{Message, Request, Stage};

/// How long to listen for what the kernel says of modules that are gone.
const LAST_WORDS: Duration = Duration::from_millis(500);

/// Why a guest did not become ready.
#[derive(Debug, thiserror::Error)]
pub(crate) enum NotReady {
    #[error("the guest's kernel printed nothing within {limit:?} of QEMU's start")]
    Silent { limit: Duration },
    #[error("the guest's kernel started, but its init said nothing within {limit:?}")]
    NoHello { limit: Duration },
    #[error("the guest crashed")]
    Crashed,
    #[error("the guest ended by itself ({reason}) before {what}")]
    Halted { reason: String, what: &'static str },
    #[error("QEMU ended ({how}) before {what}")]
    QemuLost { how: String, stderr: String, what: &'static str },
    #[error("the guest did not answer to `{request}` within {limit:?}")]
    NoAnswer { request: String, limit: Duration },
    #[error("the kernel refused {module}: {message}")]
    ModuleRefused { module: String, message: String },
    #[error("cannot set {name}: {message}")]
    SysctlRefused { name: String, message: String },
    #[error("interrupted")]
    Interrupted,
}

impl NotReady {
    fn from_stop(stop: Stop, timed_out: Self, what: &'static str) -> Self {
        match stop {
            Stop::Crashed => Self::Crashed,
            // Only what the trigger brings about stops the guest.
            Stop::Complained | Stop::TimedOut => timed_out,
            Stop::Halted(reason) => Self::Halted { reason, what },
            Stop::Exited(Exited { how, stderr, .. }) => Self::QemuLost { how, stderr, what },
            Stop::Interrupted => Self::Interrupted,
        }
    }
}

impl Session<'_, '_> {
    /// Waits for the agent's first word. `first_output` is the limit for the kernel's first line.
    pub(crate) fn boot(&mut self, first_output: Option<Duration>) -> Result<String, NotReady> {
        let what = "its kernel was up";
        let hello = |signal: &Signal| match signal {
            Signal::Agent(Message::Hello { stage: Stage::First, kernel, .. }) => {
                Some(kernel.clone())
            }
            _ => None,
        };
        if let Some(limit) = first_output {
            let spoke = self.wait(limit, |session, signal| match hello(signal) {
                Some(kernel) => Some(Some(kernel)),
                None => session.kernel_spoke.then_some(None),
            });
            match spoke {
                Ok(Some(kernel)) => return Ok(kernel),
                Ok(None) => {}
                Err(stop) => {
                    return Err(NotReady::from_stop(stop, NotReady::Silent { limit }, what));
                }
            }
        }
        let limit = self.limits.boot;
        let left = limit.saturating_sub(self.machine.elapsed());
        self.wait(left, |_, signal| hello(signal)).map_err(|stop| {
            let timed_out = if self.kernel_spoke {
                NotReady::NoHello { limit }
            } else {
                NotReady::Silent { limit }
            };
            NotReady::from_stop(stop, timed_out, what)
        })
    }

    /// Loads the capture kernel, or what takes its place, and sets the kernel's parameters. The inner
    /// result is why there is none; the run goes on without it.
    pub(crate) fn arm(
        &mut self,
        method: Option<&str>,
        command_line: &str,
        sysctls: &[Sysctl],
    ) -> Result<Result<(), String>, NotReady> {
        self.phase = Phase::Arm;
        let armed = match method {
            None => Err("none is wanted".to_owned()),
            Some(method) => {
                let (method, command_line) = (method.to_owned(), command_line.to_owned());
                let request = Request::Arm { method, command_line };
                match self.checked(&request, "arm", self.limits.arm)? {
                    Answer::Done => Ok(()),
                    Answer::Refused(message) => Err(message),
                }
            }
        };
        for Sysctl { name, value, required } in sysctls {
            let request = Request::Sysctl { name: name.clone(), value: value.clone() };
            match self.checked(&request, &format!("sysctl {name}"), self.limits.arm)? {
                Answer::Refused(message) if *required => {
                    return Err(NotReady::SysctlRefused { name: name.clone(), message });
                }
                _ => {}
            }
        }
        Ok(armed)
    }

    /// Loads the modules in order.
    pub(crate) fn load(&mut self, plan: &Plan) -> Result<(), NotReady> {
        self.phase = Phase::Load;
        for Module { name, from, parameters } in &plan.modules {
            let parameters = parameters.clone();
            let request = match from {
                ModuleFrom::Case(path) => Request::Load { path: path.clone(), parameters },
                ModuleFrom::Kernel => Request::Modprobe { name: name.clone(), parameters },
            };
            match self.checked(&request, &format!("load {name}"), self.limits.load)? {
                Answer::Done => self.recorder.emit(Event::ModuleLoaded { module: name.clone() }),
                Answer::Refused(message) => {
                    return Err(NotReady::ModuleRefused { module: name.clone(), message });
                }
            }
        }
        Ok(())
    }

    /// Unloads the case's modules from a kernel that survived, the youngest first. What the kernel refuses is a
    /// complaint: something still holds the module. Nothing is told if it crashes over it.
    pub(crate) fn unload(&mut self, plan: &Plan) -> Result<(), NotReady> {
        self.phase = Phase::Unload;
        for Module { name, .. } in plan.own_modules().rev() {
            let name = name.trim_end_matches(".ko").replace('-', "_");
            let request = Request::Unload { name: name.clone() };
            match self.checked(&request, &format!("unload {name}"), self.limits.load)? {
                Answer::Done => {}
                Answer::Refused(message) => self.complaints.add(message),
            }
        }
        // The console is slower than the port.
        match self.wait(LAST_WORDS, |_, _| None::<()>) {
            Err(Stop::TimedOut) | Ok(()) => Ok(()),
            Err(stop) => Err(NotReady::from_stop(stop, NotReady::Crashed, "its modules were gone")),
        }
    }

    fn checked(
        &mut self,
        request: &Request,
        label: &str,
        limit: Duration,
    ) -> Result<Answer, NotReady> {
        self.ask(request, limit).map_err(|stop| {
            let timed_out = NotReady::NoAnswer { request: label.to_owned(), limit };
            NotReady::from_stop(stop, timed_out, "it was ready")
        })
    }
}
