// SPDX-License-Identifier: MIT OR Apache-2.0
//! A running guest under watch: every signal passes here once, whatever phase waits for it.

use std::time::Duration;

use crate::events::{CrashSign, Event, Phase, millis};
use crate::run::complaints::complaint;
use crate::run::crash::{crash_message, printk_text};
use crate::run::outcome::Crash;
use crate::run::plan::Limits;
use crate::run::recorder::Recorder;
use crate::vm::agent::{Memory, Message, Request, Stage};
use crate::vm::{Exited, Machine, Signal, qmp};

/// How long to listen on after the machine stopped, for what the guest said just before: agent,
/// console and QMP are channels of their own.
const DRAIN: Duration = Duration::from_millis(300);

/// With these every kernel begins to speak.
const FIRST_WORDS: &str = "Linux version ";

/// Why a wait ended without what it waited for.
#[derive(Debug)]
pub(crate) enum Stop {
    /// The guest crashed; [`Session::crash`] says how.
    Crashed,
    /// The time is over.
    TimedOut,
    /// The guest switched off, reset itself or panicked: the machine stands still, its memory is
    /// there. QEMU's word for the reason.
    Halted(String),
    /// QEMU is gone.
    Exited(Exited),
    /// The user asked to stop.
    Interrupted,
}

/// The guest's answer to a request.
#[derive(Debug)]
pub(crate) enum Answer {
    Done,
    Refused(String),
}

#[derive(Debug)]
pub(crate) struct Session<'r, 'b> {
    pub(crate) machine: Box<dyn Machine>,
    pub(crate) recorder: &'r mut Recorder<'b>,
    pub(crate) limits: Limits,
    pub(crate) phase: Phase,
    /// Whether a line came from the guest's kernel (not its decompressor) or from its agent.
    pub(crate) kernel_spoke: bool,
    pub(crate) crash: Option<Crash>,
    /// Whether the capture kernel said hello.
    pub(crate) capture_kernel: bool,
    /// Bytes of kernel log on its disk, once the vmcore is on its own.
    pub(crate) captured: Option<u64>,
    /// Whether a second kernel began to speak on the console.
    second_kernel: bool,
    /// The first line of the capture kernel's own crash.
    pub(crate) capture_panic: Option<String>,
    /// What failed in the capture kernel.
    pub(crate) capture_failed: Option<String>,
    /// Why the host could not write a disk.
    pub(crate) disk_error: Option<String>,
    /// Where things are in the guest's memory, once the crash stub is loaded.
    pub(crate) memory: Option<Memory>,
    /// Whether something in the guest told QEMU of the crash: the crash stub, or the kernel.
    pub(crate) panicked: bool,
    /// The lines of the console with their times, where they are kept.
    pub(crate) heard: Option<Vec<(u64, String)>>,
    /// What the kernel complained of since the modules were loaded.
    pub(crate) complaints: Vec<String>,
    halted: Option<String>,
}

impl<'r, 'b> Session<'r, 'b> {
    pub(crate) fn new(
        machine: Box<dyn Machine>,
        recorder: &'r mut Recorder<'b>,
        limits: Limits,
    ) -> Self {
        Self {
            machine,
            recorder,
            limits,
            phase: Phase::Boot,
            kernel_spoke: false,
            crash: None,
            capture_kernel: false,
            captured: None,
            second_kernel: false,
            capture_panic: None,
            capture_failed: None,
            disk_error: None,
            memory: None,
            panicked: false,
            heard: None,
            complaints: Vec::new(),
            halted: None,
        }
    }

    /// Waits for something, at most `limit`. A crash that was not known before ends the wait too.
    pub(crate) fn wait<T>(
        &mut self,
        limit: Duration,
        mut want: impl FnMut(&Self, &Signal) -> Option<T>,
    ) -> Result<T, Stop> {
        let mut until = self.machine.elapsed().saturating_add(limit);
        loop {
            if self.halted.is_some() {
                until = until.min(self.machine.elapsed().saturating_add(DRAIN));
            }
            let Some(signal) = self.machine.next(until) else {
                return Err(self.halted.clone().map_or(Stop::TimedOut, Stop::Halted));
            };
            let known = self.crash.is_some();
            self.take(&signal);
            if let Some(wanted) = want(self, &signal) {
                return Ok(wanted);
            }
            match signal {
                Signal::Exited(exited) => return Err(Stop::Exited(exited)),
                Signal::Interrupted => return Err(Stop::Interrupted),
                _ if self.crash.is_some() && !known => return Err(Stop::Crashed),
                _ => {}
            }
        }
    }

    /// Sends a request and waits for the guest's answer.
    pub(crate) fn ask(&mut self, request: &Request, limit: Duration) -> Result<Answer, Stop> {
        // A port that is gone is not told here: the wait tells why it is gone.
        let sent = self.machine.request(request);
        let limit = if sent.is_ok() { limit } else { DRAIN };
        let name = request.name();
        self.wait(limit, |_, signal| match signal {
            Signal::Agent(Message::Done { command, .. }) if command == name => Some(Answer::Done),
            Signal::Agent(Message::Failed { command, message }) if command == name => {
                Some(Answer::Refused(message.clone()))
            }
            _ => None,
        })
    }

    /// Ends the machine and listens to what it said before.
    pub(crate) fn end(&mut self) {
        self.machine.kill();
        while let Some(signal) = self.machine.next(self.machine.elapsed()) {
            if matches!(signal, Signal::Exited(_)) {
                break;
            }
            self.take(&signal);
        }
    }

    /// Notes a crash unless there was one: of several oopses the first tells.
    pub(crate) fn crashed(&mut self, sign: CrashSign, message: Option<&str>) {
        if let Some(crash) = &mut self.crash {
            // Signs that come without words get those of the console, which come later by a
            // channel of their own; but not those of the capture kernel.
            if crash.message.is_none() && !self.capture_kernel {
                crash.message = message.map(str::to_owned);
            }
            return;
        }
        self.crash = Some(Crash { sign, phase: self.phase, message: message.map(str::to_owned) });
    }

    fn take(&mut self, signal: &Signal) {
        match signal {
            Signal::Console(line) => self.take_console(line),
            Signal::Agent(message) => self.take_message(message),
            Signal::Garbled(why) => {
                self.recorder.warn(format!("the agent's port carries something else: {why}"));
            }
            Signal::AgentClosed => self.crashed(CrashSign::AgentClosed, None),
            Signal::Qmp(event) => self.take_event(event),
            Signal::Exited(_) | Signal::Interrupted => {}
        }
    }

    fn take_console(&mut self, line: &str) {
        let at_ms = millis(self.machine.elapsed());
        self.recorder.emit(Event::Console { at_ms, line: line.to_owned() });
        if let Some(heard) = &mut self.heard {
            heard.push((at_ms, line.to_owned()));
        }
        self.kernel_spoke |= printk_text(line).is_some();
        let message = crash_message(line);
        if self.crash.is_some() {
            self.second_kernel |=
                printk_text(line).is_some_and(|text| text.starts_with(FIRST_WORDS));
            if let Some(message) = message.filter(|_| self.second_kernel) {
                self.capture_panic.get_or_insert_with(|| message.to_owned());
                return;
            }
        }
        if let Some(message) = message {
            self.crashed(CrashSign::Console, Some(message));
        } else if let Some(complaint) = complaint(line).filter(|_| self.phase >= Phase::Load) {
            self.complaints.push(complaint.to_owned());
        }
    }

    fn take_message(&mut self, message: &Message) {
        self.kernel_spoke = true;
        match message {
            Message::Hello { stage: Stage::Capture, .. } => {
                self.crashed(CrashSign::CaptureKernel, None);
                self.capture_kernel = true;
            }
            Message::Done { memory: Some(memory), .. } => self.memory = Some((**memory).clone()),
            Message::Captured { dmesg_bytes, .. } => self.captured = Some(*dmesg_bytes),
            // The log of the dump is in the dump too.
            Message::Failed { command, message } if self.capture_kernel && command == "dmesg" => {
                self.recorder.warn(format!("no vmcore-dmesg.txt: {message}"));
            }
            Message::Failed { command, message } if self.capture_kernel => {
                self.capture_failed = Some(format!("{command}: {message}"));
            }
            Message::Note { message } => self.recorder.note(format!("guest: {message}")),
            _ => {}
        }
    }

    fn take_event(&mut self, event: &qmp::Event) {
        if event.is_panic() {
            self.panicked = true;
            self.crashed(CrashSign::Pvpanic, None);
        }
        if let Some(reason) = event.halts() {
            self.halted = Some(reason);
        }
        if let Some(why) = event.disk_error() {
            self.disk_error = Some(why);
        }
    }
}
