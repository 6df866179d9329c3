// SPDX-License-Identifier: MIT OR Apache-2.0
//! QEMU as a child process.
//!
//! Three readers (console, agent, QMP) put what they read into one queue; the thread that drives
//! the run takes from it. All three are socket pairs and end when QEMU ends, so that the end of
//! the third tells that nothing more will come.

use std::collections::VecDeque;
use std::io::{self, Read, Write as _};
use std::mem::MaybeUninit;
use std::os::fd::{AsFd as _, AsRawFd as _, BorrowedFd, OwnedFd};
use std::os::unix::net::UnixStream;
use std::os::unix::process::{CommandExt as _, ExitStatusExt as _};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, channel};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use rustix::net::{SendAncillaryBuffer, SendAncillaryMessage, SendFlags};
use rustix::process::{PidfdFlags, Signal as UnixSignal};
use serde_json::Value;

use crate::interrupt::Interrupt;
use crate::vm::args::{self, Descriptors};
use crate::vm::{
    Exited, LaunchError, Launcher, Lost, Machine, Signal, Spec, clean_line, console, qmp,
};
use process;
use process::helper;

/// Longest message of the agent, or answer of QEMU: the registers of hundreds of CPUs are one line.
const LONGEST_MESSAGE: usize = 16 << 20;

/// How long QEMU may take until it answers on QMP; a loaded host needs seconds.
const START_LIMIT: Duration = Duration::from_secs(30);

/// How often a waiting thread looks whether the user asked to stop.
const INTERRUPT_POLL: Duration = Duration::from_millis(50);

/// How long QEMU may take from closing its channels to its end.
const EXIT_LIMIT: Duration = Duration::from_secs(10);

/// How long the guest may take to read a request.
const SEND_LIMIT: Duration = Duration::from_secs(10);

/// How much of QEMU's stderr is kept.
const STDERR_BYTES: usize = 16 << 10;

/// Starts QEMU.
#[derive(Debug, Clone)]
pub struct Qemu {
    program: PathBuf,
    interrupt: Interrupt,
}

impl Qemu {
    /// A launcher for `program`, a path or a name to be found through `PATH`.
    #[must_use]
    pub fn new(program: &Path, interrupt: Interrupt) -> Self {
        Self { program: program.to_owned(), interrupt }
    }

    fn start_error(&self, source: io::Error) -> LaunchError {
        let program = self.program.display().to_string();
        if source.kind() == io::ErrorKind::NotFound {
            LaunchError::NotInstalled { program }
        } else {
            LaunchError::Start { program, source }
        }
    }
}

impl Launcher for Qemu {
    fn launch(&mut self, spec: &Spec<'_>) -> Result<Box<dyn Machine>, LaunchError> {
        let pair = || UnixStream::pair().map_err(|source| self.start_error(source));
        let ((console, console_end), (agent, agent_end), (qmp, qmp_end)) =
            (pair()?, pair()?, pair()?);
        let fds = Descriptors {
            console: console_end.as_raw_fd(),
            agent: agent_end.as_raw_fd(),
            qmp: qmp_end.as_raw_fd(),
            initrd: spec.initrd.as_raw_fd(),
            vmcore: spec.disks.vmcore.as_raw_fd(),
            dmesg: spec.disks.dmesg.as_raw_fd(),
            dump: spec.disks.dump_writer.as_raw_fd(),
            ram: spec.ram.map(|ram| ram.file.as_raw_fd()),
            case: spec.ram.and_then(|ram| ram.case).map(|case| case.as_raw_fd()),
            modules: spec.modules.map(|modules| modules.as_raw_fd()),
        };
        let mut command = Command::new(&self.program);
        command
            .args(args::arguments(spec, fds))
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::piped())
            // Ctrl-C in the terminal is for this program, which ends QEMU in order.
            .process_group(0);
        process::prepare_child(&mut command, UnixSignal::KILL, fds.all());
        let child = command.spawn().map_err(|source| self.start_error(source))?;
        drop((console_end, agent_end, qmp_end));
        let mut machine = Running::new(child, console, agent, qmp, self.interrupt.clone())
            .map_err(|source| self.start_error(source))?;
        machine.handshake()?;
        Ok(Box::new(machine))
    }

    fn describe(&self, spec: &Spec<'_>) -> String {
        // The numbers are those of a process that has nothing else open.
        let fds = Descriptors {
            console: 3,
            agent: 4,
            qmp: 5,
            initrd: 6,
            vmcore: 7,
            dmesg: 8,
            dump: 9,
            ram: spec.ram.map(|_| 10),
            case: spec.ram.and_then(|ram| ram.case).map(|_| 11),
            modules: spec.modules.map(|_| 12),
        };
        args::describe(&self.program, spec, fds)
    }

    fn identity(&self) -> String {
        // What the user calls it may be another program tomorrow.
        let found = helper::find(&self.program.to_string_lossy());
        let path = found.and_then(|path| path.canonicalize().ok());
        let file = path.as_ref().and_then(|path| path.metadata().ok());
        format!("{path:?} {:?}", file.map(|file| (file.len(), file.modified().ok())))
    }
}

/// What a reader puts into the queue.
enum Item {
    Signal(Signal),
    Qmp(qmp::Reply),
    Closed,
}

#[derive(Debug)]
struct Running {
    child: Child,
    start: Instant,
    queue: Receiver<Item>,
    open_readers: u32,
    pending: VecDeque<Signal>,
    greeting: Option<String>,
    answer: Option<(u64, Result<Value, String>)>,
    agent: UnixStream,
    qmp: UnixStream,
    commands: u64,
    stderr: Option<JoinHandle<String>>,
    exited: Option<Exited>,
    interrupt: Interrupt,
    interrupt_told: bool,
}

impl Running {
    fn new(
        mut child: Child,
        console: UnixStream,
        agent: UnixStream,
        qmp: UnixStream,
        interrupt: Interrupt,
    ) -> io::Result<Self> {
        let (sender, queue) = channel();
        let stderr = child.stderr.take().map(|pipe| thread::spawn(move || tail(pipe)));
        let machine = Self {
            child,
            start: Instant::now(),
            queue,
            open_readers: 3,
            pending: VecDeque::new(),
            greeting: None,
            answer: None,
            agent: agent.try_clone()?,
            qmp: qmp.try_clone()?,
            commands: 0,
            stderr,
            exited: None,
            interrupt,
            interrupt_told: false,
        };
        machine.agent.set_write_timeout(Some(SEND_LIMIT))?;
        machine.qmp.set_write_timeout(Some(SEND_LIMIT))?;
        read(console, sender.clone(), console::LONGEST_LINE, |line| {
            Some(Item::Signal(Signal::Console(clean_line(line))))
        });
        read(agent, sender.clone(), LONGEST_MESSAGE, |line| {
            let line = clean_line(line);
            Some(Item::Signal(match protocol::parse(&line) {
                Ok(message) => Signal::Agent(message),
                Err(why) => Signal::Garbled(why),
            }))
        });
        read(qmp, sender, LONGEST_MESSAGE, |line| {
            qmp::parse(&String::from_utf8_lossy(line)).map(Item::Qmp)
        });
        Ok(machine)
    }

    /// Waits for the greeting and leaves the negotiation mode.
    fn handshake(&mut self) -> Result<(), LaunchError> {
        let deadline = Instant::now() + START_LIMIT;
        while self.greeting.is_none() {
            let waiting = qmp::Command::new("qmp_capabilities").name;
            if self.interrupt.requested() {
                return Err(LaunchError::Interrupted);
            }
            if let Some(Exited { how, stderr, .. }) = self.exited.take() {
                return Err(LaunchError::Ended { how, stderr });
            }
            if !self.pump(deadline) {
                return Err(self.no_answer(qmp::Error::TimedOut { command: waiting }));
            }
        }
        match self.qmp(&qmp::Command::new("qmp_capabilities"), START_LIMIT) {
            Ok(_) => Ok(()),
            Err(qmp::Error::Interrupted { .. }) => Err(LaunchError::Interrupted),
            Err(error) => Err(match self.exited.take() {
                Some(Exited { how, stderr, .. }) => LaunchError::Ended { how, stderr },
                None => self.no_answer(error),
            }),
        }
    }

    /// Ends a QEMU that does not answer, for what it wrote to stderr.
    fn no_answer(&mut self, source: qmp::Error) -> LaunchError {
        self.kill();
        let stderr = self.exited.as_ref().map(|exited| exited.stderr.clone()).unwrap_or_default();
        LaunchError::NoAnswer { stderr, source }
    }

    /// Sends a command, with a descriptor if there is one, and waits for the answer.
    fn send(
        &mut self,
        command: &qmp::Command,
        fd: Option<BorrowedFd<'_>>,
        limit: Duration,
    ) -> Result<Value, qmp::Error> {
        let name = command.name;
        self.commands += 1;
        let id = self.commands;
        self.answer = None;
        send_line(&mut self.qmp, command.to_line(id).as_bytes(), fd)
            .map_err(|_| qmp::Error::Gone { command: name })?;
        let deadline = Instant::now() + limit;
        loop {
            if let Some((answered, result)) = self.answer.take()
                && answered == id
            {
                return result.map_err(|message| qmp::Error::Refused { command: name, message });
            }
            if self.exited.is_some() {
                return Err(qmp::Error::Gone { command: name });
            }
            if self.interrupt.requested() && !self.interrupt_told {
                return Err(qmp::Error::Interrupted { command: name });
            }
            if !self.pump(deadline) {
                return Err(qmp::Error::TimedOut { command: name });
            }
        }
    }

    /// Takes one item from the queue, waiting for it at most until `deadline` or the next look
    /// at the interruption. False when the deadline has passed.
    fn pump(&mut self, deadline: Instant) -> bool {
        let now = Instant::now();
        let wait = deadline.saturating_duration_since(now).min(INTERRUPT_POLL);
        match self.queue.recv_timeout(wait) {
            Ok(Item::Signal(signal)) => self.pending.push_back(signal),
            Ok(Item::Qmp(qmp::Reply::Greeting { version })) => self.greeting = Some(version),
            Ok(Item::Qmp(qmp::Reply::Answer { id, result })) => {
                self.answer = id.map(|id| (id, result));
            }
            Ok(Item::Qmp(qmp::Reply::Event(event))) => {
                let closed = event.closes_agent();
                self.pending.push_back(Signal::Qmp(event));
                if closed {
                    self.pending.push_back(Signal::AgentClosed);
                }
            }
            Ok(Item::Closed) => {
                self.open_readers = self.open_readers.saturating_sub(1);
                if self.open_readers == 0 {
                    self.reap();
                }
            }
            Err(RecvTimeoutError::Timeout) => return now < deadline,
            Err(RecvTimeoutError::Disconnected) => self.reap(),
        }
        true
    }

    /// Waits for QEMU's end and keeps how it ended.
    fn reap(&mut self) {
        if self.exited.is_some() {
            return;
        }
        if !ends_within(&self.child, EXIT_LIMIT) {
            let _ = self.child.kill();
        }
        let status = self.child.wait();
        let stderr = self.stderr.take().and_then(|reader| reader.join().ok()).unwrap_or_default();
        self.exited = Some(match status {
            Ok(status) => Exited { how: describe_status(status), clean: status.success(), stderr },
            Err(error) => Exited { how: error.to_string(), clean: false, stderr },
        });
    }
}

impl Machine for Running {
    fn elapsed(&self) -> Duration {
        self.start.elapsed()
    }

    fn next(&mut self, until: Duration) -> Option<Signal> {
        let deadline = self.start + until;
        loop {
            if self.interrupt.requested() && !self.interrupt_told {
                self.interrupt_told = true;
                return Some(Signal::Interrupted);
            }
            if let Some(signal) = self.pending.pop_front() {
                return Some(signal);
            }
            if let Some(exited) = &self.exited {
                return Some(Signal::Exited(exited.clone()));
            }
            if !self.pump(deadline) {
                return None;
            }
        }
    }

    fn request(&mut self, request: &protocol::Request) -> Result<(), Lost> {
        let mut line =
            serde_json::to_string(request).map_err(|error| Lost(io::Error::other(error)))?;
        line.push('\n');
        self.agent.write_all(line.as_bytes()).map_err(Lost)
    }

    fn qmp(&mut self, command: &qmp::Command, limit: Duration) -> Result<Value, qmp::Error> {
        self.send(command, None, limit)
    }

    fn give(
        &mut self,
        name: &'static str,
        fd: BorrowedFd<'_>,
        limit: Duration,
    ) -> Result<(), qmp::Error> {
        self.send(&qmp::Command::take_descriptor(name), Some(fd), limit).map(|_| ())
    }

    fn version(&self) -> String {
        self.greeting.clone().unwrap_or_default()
    }

    fn kill(&mut self) {
        let _ = self.child.kill();
        // What it said before, the last lines of the console, is not lost.
        let deadline = Instant::now() + EXIT_LIMIT;
        while self.exited.is_none() && self.pump(deadline) {}
        self.reap();
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        self.kill();
    }
}

/// Writes a line; a descriptor goes with its first byte (unix(7), `SCM_RIGHTS`).
fn send_line(socket: &mut UnixStream, line: &[u8], fd: Option<BorrowedFd<'_>>) -> io::Result<()> {
    let Some(fd) = fd else { return socket.write_all(line) };
    let fds = [fd];
    let mut space = [MaybeUninit::uninit(); rustix::cmsg_space!(ScmRights(1))];
    let mut ancillary = SendAncillaryBuffer::new(&mut space);
    if !ancillary.push(SendAncillaryMessage::ScmRights(&fds)) {
        return Err(io::ErrorKind::InvalidInput.into());
    }
    let flags = SendFlags::empty();
    let sent = rustix::net::sendmsg(&*socket, &[io::IoSlice::new(line)], &mut ancillary, flags)?;
    socket.write_all(line.get(sent..).unwrap_or_default())
}

/// Reads lines in a thread until the channel ends.
fn read(
    source: UnixStream,
    queue: Sender<Item>,
    longest: usize,
    mut item: impl FnMut(&[u8]) -> Option<Item> + Send + 'static,
) {
    thread::spawn(move || {
        // An error ends the channel as its end does: QEMU is gone or will be ended.
        let _ = console::lines(source, longest, |line| {
            if let Some(item) = item(line) {
                // Nobody listens any more when the machine is dropped.
                let _ = queue.send(item);
            }
        });
        let _ = queue.send(Item::Closed);
    });
}

/// Reads to the end and keeps the last bytes.
fn tail(mut source: impl Read) -> String {
    let mut kept = VecDeque::new();
    let mut buffer = [0; 4096];
    while let Ok(count) = source.read(&mut buffer) {
        if count == 0 {
            break;
        }
        kept.extend(buffer.iter().take(count).copied());
        let surplus = kept.len().saturating_sub(STDERR_BYTES);
        kept.drain(..surplus);
    }
    let bytes: Vec<u8> = kept.into();
    String::from_utf8_lossy(&bytes).trim().to_owned()
}

/// Whether a child ends in time; it is not reaped.
fn ends_within(child: &Child, limit: Duration) -> bool {
    let open = || -> Option<OwnedFd> {
        let pid = rustix::process::Pid::from_child(child);
        rustix::process::pidfd_open(pid, PidfdFlags::empty()).ok()
    };
    // Linux before 5.3 has no such descriptor; then the child is ended without waiting.
    let Some(pidfd) = open() else { return false };
    let limit = rustix::event::Timespec::try_from(limit).ok();
    let mut fds =
        [rustix::event::PollFd::from_borrowed_fd(pidfd.as_fd(), rustix::event::PollFlags::IN)];
    matches!(rustix::event::poll(&mut fds, limit.as_ref()), Ok(1..))
}

fn describe_status(status: ExitStatus) -> String {
    match (status.code(), status.signal()) {
        (Some(code), _) => format!("exit status {code}"),
        (None, Some(signal)) => format!("signal {signal}"),
        (None, None) => "unknown status".into(),
    }
}
