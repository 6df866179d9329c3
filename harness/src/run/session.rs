// SPDX-License-Identifier: MIT OR Apache-2.0
//! A running guest under watch: every signal passes here once, whatever phase waits for it.

use std::time::Duration;

use crate::events::{CrashSign, Event, Phase, millis};
use crate::run::complaints::{Complaints, complaint};
use crate::run::cpus;
use crate::run::crash::{crash_message, is_panic, leaves, printk_text, starts_a_kernel, telling};
use crate::run::doubts::{Doubt, Doubts, Due};
use crate::run::limits::Limits;
use crate::run::outcome::Crash;
use crate::run::recorder::Recorder;
use crate::run::trigger_run::TriggerRun;
use crate::vm::{Exited, Machine, QMP_LIMIT, Signal, qmp};
use protocol::{Memory, Message, Request, Stage};

/// How long to listen on after the machine stopped, for what the guest said just before: agent,
/// console and QMP are channels of their own.
const DRAIN: Duration = Duration::from_millis(300);

/// How long a kernel is silent behind a report, which has no last line of its own.
const REPORT_ENDS: Duration = Duration::from_millis(200);
/// How long a report may take, if the kernel or a program prints without end.
const REPORT_TAKES: Duration = Duration::from_secs(5);

/// How often a wait that is over goes on for doubts that are still open; a kernel that answers each
/// time and prints new ones goes on.
const OVERTIME: u32 = 5;

/// How often a guest that does not answer is given its time again because its CPUs run programs.
const PATIENCE: u32 = 4;

/// QEMU's word for a machine that was reset.
const RESET: &str = "guest-reset";
/// The word for one that sleeps.
const SUSPENDED: &str = "guest-suspend";

/// With these the program in the guest begins its own lines on the console.
const OWN_LINES: &str = "repro: ";

/// Why a wait ended without what it waited for.
#[derive(Debug)]
pub(crate) enum Stop {
    /// The guest crashed; [`Session::crash`] says how.
    Crashed,
    /// The kernel goes on and has said a complaint at which the guest is to be stopped.
    Complained,
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
    /// The end of what QEMU wrote to stderr, once it has ended.
    pub(crate) qemu_stderr: Option<String>,
    /// Whether something in the guest told QEMU of the crash: the crash stub, or the kernel.
    pub(crate) panicked: bool,
    /// The lines of the console with their times, where they are kept.
    pub(crate) heard: Option<Vec<(u64, String)>>,
    /// What the kernel complained of since the modules were loaded.
    pub(crate) complaints: Complaints,
    /// The guest is stopped at the first complaint of the trigger that has none of these words.
    pub(crate) stop_unless: Option<Vec<String>>,
    /// When the kernel said the first and the last line of such a complaint, as far as it is heard.
    report: Option<(Duration, Duration)>,
    /// What became of the trigger, once it is started.
    pub(crate) trigger: Option<TriggerRun>,
    /// Lines that may be the kernel's last.
    doubts: Doubts,
    /// When the first was heard of those that the crash made true.
    doubted_since: Option<Duration>,
    /// Whether the program in the guest is up and has nothing else to answer.
    listens: bool,
    /// Whether the program in the guest, or the kernel below it, closed its port.
    closed: bool,
    /// Whether the kernel said that it gave up, before the crash was known.
    pub(crate) gave_up: bool,
    /// Whether the kernel said that it ends or restarts because it was told to.
    leaves: bool,
    /// How often a guest that is silent may still be given its time again.
    patience: u32,
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
            qemu_stderr: None,
            panicked: false,
            heard: None,
            complaints: Complaints::default(),
            stop_unless: None,
            report: None,
            trigger: None,
            doubts: Doubts::default(),
            doubted_since: None,
            listens: false,
            closed: false,
            gave_up: false,
            leaves: false,
            patience: PATIENCE,
            halted: None,
        }
    }

    /// Waits for something, at most `limit`. A crash that was not known before ends the wait too.
    ///
    /// A line that looks like a crash is none: while it is in doubt, the program in the guest is
    /// asked, and the wait is not over before that is settled.
    pub(crate) fn wait<T>(
        &mut self,
        limit: Duration,
        mut want: impl FnMut(&Self, &Signal) -> Option<T>,
    ) -> Result<T, Stop> {
        let mut until = self.machine.elapsed().saturating_add(limit);
        let mut overtime = OVERTIME;
        loop {
            if self.halted.is_some() {
                until = until.min(self.machine.elapsed().saturating_add(DRAIN));
            }
            let known = self.crash.is_some();
            let due = self.due().filter(|_| overtime > 0);
            let over = until <= self.machine.elapsed();
            let next = due.map_or(until, |(at, _)| if over { at } else { until.min(at) });
            let end = |(first, last): (Duration, Duration)| {
                (last + REPORT_ENDS).min(first + REPORT_TAKES)
            };
            let reported = self.report.filter(|_| !known).map(end);
            if reported.is_some_and(|end| end <= self.machine.elapsed()) {
                self.report = None;
                return Err(Stop::Complained);
            }
            let next = reported.map_or(next, |end| next.min(end));
            let Some(signal) = self.machine.next(next) else {
                let over = until <= self.machine.elapsed();
                match due {
                    Some((at, due)) if at <= self.machine.elapsed() => {
                        overtime -= u32::from(over);
                        self.settle_doubt(due);
                    }
                    None if over => return Err(self.time_over()),
                    _ => {}
                }
                if self.crash.is_some() && !known {
                    return Err(Stop::Crashed);
                }
                continue;
            };
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

    /// What has to be done about lines in doubt, and when; nothing while nobody could answer.
    fn due(&self) -> Option<(Duration, Due)> {
        let listens = self.listens && self.crash.is_none() && self.halted.is_none();
        listens.then(|| self.doubts.due(self.limits.capture_boot)).flatten()
    }

    fn settle_doubt(&mut self, due: Due) {
        match due {
            Due::Ask => self.ask_alive(),
            // Programs that leave no time to the one that would answer.
            Due::Silent if self.patience > 0 && self.runs_a_program() => {
                self.patience -= 1;
                self.ask_alive();
            }
            Due::Silent => self.crashed(self.sign(), None),
        }
    }

    /// What made a kernel doubtful that then stopped.
    const fn sign(&self) -> CrashSign {
        match (self.second_kernel, self.closed) {
            (true, _) => CrashSign::CaptureKernel,
            (false, true) => CrashSign::AgentClosed,
            (false, false) => CrashSign::Console,
        }
    }

    fn ask_alive(&mut self) {
        self.doubts.ask(self.machine.elapsed());
        // A port that is gone is told by the answer that does not come.
        let _ = self.machine.request(&Request::Alive);
    }

    /// Whether a CPU runs a program at this moment; a machine that cannot be looked at does not.
    pub(crate) fn runs_a_program(&mut self) -> bool {
        let registers = self.machine.qmp(&qmp::Command::registers(), QMP_LIMIT);
        let text = registers.as_ref().ok().and_then(serde_json::Value::as_str);
        text.is_some_and(cpus::runs_a_program)
    }

    /// Why a wait has nothing. A kernel that printed what looks like its end has crashed if it stopped
    /// after that, or if nobody was there who could have been asked; and one whose CPU was reset
    /// without a word, as by a triple fault.
    fn time_over(&mut self) -> Stop {
        let told_to = self.leaves || self.halted.as_deref() == Some(SUSPENDED);
        let unasked = self.halted.is_some() || !self.listens;
        if self.crash.is_none() && !told_to {
            if self.doubts.first().is_some() && unasked {
                self.crashed(self.sign(), None);
                return Stop::Crashed;
            }
            if self.halted.as_deref() == Some(RESET) && self.phase >= Phase::Load {
                self.crashed(CrashSign::Reset, None);
                return Stop::Crashed;
            }
        }
        self.halted.clone().map_or(Stop::TimedOut, Stop::Halted)
    }

    /// Sends a request and waits for the guest's answer.
    pub(crate) fn ask(&mut self, request: &Request, limit: Duration) -> Result<Answer, Stop> {
        // A port that is gone is not told here: the wait tells why it is gone.
        let sent = self.machine.request(request);
        let limit = if sent.is_ok() { limit } else { DRAIN };
        let name = request.name();
        // It does one thing after the other, and would answer nothing else meanwhile.
        let listened = std::mem::replace(&mut self.listens, false);
        let answer = self.wait(limit, |_, signal| match signal {
            Signal::Agent(Message::Done { command, .. }) if command == name => Some(Answer::Done),
            Signal::Agent(Message::Failed { command, message }) if command == name => {
                Some(Answer::Refused(message.clone()))
            }
            _ => None,
        });
        self.listens = listened || answer.is_ok();
        answer
    }

    /// Ends the machine and listens to what it said before.
    pub(crate) fn end(&mut self) {
        self.machine.kill();
        while let Some(signal) = self.machine.next(self.machine.elapsed()) {
            self.take(&signal);
            if matches!(signal, Signal::Exited(_)) {
                break;
            }
        }
    }

    /// Stops the guest at no complaint any more: something graver is looked for.
    pub(crate) fn go_on_at_complaints(&mut self) {
        self.stop_unless = None;
        self.report = None;
    }

    /// Notes a crash unless there was one: of several signs the first tells. Its words are those of
    /// the line in doubt that tells most; a sign that comes before them gets them later, by the console's own
    /// channel, but not those of the capture kernel.
    pub(crate) fn crashed(&mut self, sign: CrashSign, message: Option<&str>) {
        if let Some(crash) = &mut self.crash {
            if crash.message.is_none() && !self.capture_kernel {
                crash.message = message.map(str::to_owned);
            }
            return;
        }
        self.doubted_since = self.doubts.since();
        let doubts = self.doubts.take();
        let messages: Vec<&str> =
            doubts.iter().filter_map(|doubt| doubt.message.as_deref()).collect();
        self.gave_up = messages.iter().any(|message| is_panic(message));
        let phase = doubts.first().map_or(self.phase, |doubt| doubt.phase);
        let message = telling(&messages).or(message).map(str::to_owned);
        self.crash = Some(Crash { sign, phase, message });
    }

    /// How long what follows a crash may still take, which may have begun with the first line in
    /// doubt.
    pub(crate) fn left_to_capture(&self) -> Duration {
        let waited = self.doubted_since.map(|since| self.machine.elapsed().saturating_sub(since));
        self.limits.capture_boot.saturating_sub(waited.unwrap_or_default())
    }

    /// Ends all doubts of a kernel that survived: its lines are complaints.
    pub(crate) fn survived(&mut self) -> Complaints {
        let doubts = self.doubts.take();
        self.complain(doubts);
        std::mem::take(&mut self.complaints)
    }

    /// Notes something that may be the kernel's last.
    fn doubt(&mut self, message: Option<&str>) {
        if self.crash.is_none() {
            self.doubts.hear(self.machine.elapsed(), self.phase, message);
        }
    }

    /// Lines of a kernel that goes on are complaints, those of its boot are not the case's.
    fn complain(&mut self, doubts: Vec<Doubt>) {
        let loaded = doubts.into_iter().filter(|doubt| doubt.phase >= Phase::Load);
        self.complaints.extend(loaded.filter_map(|doubt| doubt.message));
    }

    fn take(&mut self, signal: &Signal) {
        match signal {
            Signal::Console(line) => self.take_console(line),
            Signal::Agent(message) => self.take_message(message),
            Signal::Garbled(why) => {
                self.recorder.warn(format!("the agent's port carries something else: {why}"));
            }
            // The capture kernel resets the device; so does a guest that goes to sleep.
            Signal::AgentClosed => {
                self.closed = true;
                self.doubt(None);
            }
            Signal::Qmp(event) => self.take_event(event),
            Signal::Exited(exited) => {
                let stderr = Some(exited.stderr.clone()).filter(|stderr| !stderr.is_empty());
                self.qemu_stderr = stderr;
            }
            Signal::Interrupted => {}
        }
    }

    fn take_console(&mut self, line: &str) {
        let at_ms = millis(self.machine.elapsed());
        self.doubts.print(self.machine.elapsed());
        self.recorder.emit(Event::Console { at_ms, line: line.to_owned() });
        if let Some(heard) = &mut self.heard {
            heard.push((at_ms, line.to_owned()));
        }
        self.kernel_spoke |= printk_text(line).is_some();
        if let Some((_, last)) = &mut self.report {
            *last = self.machine.elapsed();
        }
        let message = crash_message(line);
        self.leaves |= self.crash.is_none() && leaves(line);
        // Once the program in the guest was up, another kernel that starts is the capture kernel,
        // unless a program shows the log from its beginning.
        if (self.listens || self.phase > Phase::Boot) && starts_a_kernel(line) {
            self.second_kernel = true;
            self.doubt(None);
        }
        if let Some(message) = message.filter(|_| self.second_kernel) {
            self.capture_panic.get_or_insert_with(|| message.to_owned());
            return;
        }
        if let Some(message) = message {
            match self.crash {
                None => self.doubt(Some(message)),
                Some(_) => self.crashed(CrashSign::Console, Some(message)),
            }
        } else if let Some(complaint) = complaint(line).filter(|_| self.phase >= Phase::Load) {
            self.complaints.add(complaint.to_owned());
            let is_allowed = |unless: &Vec<String>| unless.iter().any(|it| complaint.contains(it));
            let unless = self.stop_unless.as_ref().filter(|_| self.phase == Phase::Trigger);
            if unless.is_some_and(|unless| !is_allowed(unless)) {
                let now = self.machine.elapsed();
                self.report.get_or_insert((now, now));
            }
        } else if self.crash.as_ref().is_none_or(|crash| crash.message.is_none())
            && !self.second_kernel
            && !self.capture_kernel
            && let Some(trigger) = &mut self.trigger
            && printk_text(line).is_none()
            && !line.starts_with(OWN_LINES)
        {
            // The console is slower than other signs of a crash; what comes after the kernel's last
            // words is the capture kernel's.
            trigger.print(line);
        }
    }

    fn take_message(&mut self, message: &Message) {
        self.kernel_spoke = true;
        match message {
            Message::Hello { stage: Stage::First, .. } => self.listens = true,
            Message::Alive => {
                let settled = self.doubts.answered();
                if !settled.is_empty() {
                    self.second_kernel = false;
                    self.complaints.extend(self.capture_panic.take());
                }
                self.complain(settled);
            }
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
            Message::ExecBegins(step) => {
                if let Some(trigger) = &mut self.trigger {
                    trigger.exec.get_or_insert_default().begin(*step);
                    self.recorder.emit(Event::ExecBegan { step: *step });
                }
            }
            Message::ExecEnds { step, end } => {
                if let Some(trigger) = &mut self.trigger {
                    trigger.exec.get_or_insert_default().end(*step, end);
                }
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
