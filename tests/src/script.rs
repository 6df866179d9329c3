// SPDX-License-Identifier: MIT OR Apache-2.0
//! A scripted machine for tests: says what a script tells it to, at the times of its own clock.
//!
//! Its clock jumps to the next thing it says, so a test of a five-minute limit takes no time.
//! Whatever the script does not mention goes well at once: a request without a reaction is
//! answered, unless the guest has died, and a QMP command without one returns an empty object.

use std::cell::RefCell;
use std::collections::{BTreeMap, VecDeque};
use std::fs::File;
use std::io::{Read as _, Write as _};
use std::os::fd::BorrowedFd;
use std::os::unix::fs::FileExt as _;
use std::rc::Rc;
use std::time::Duration;

use serde_json::{Value, json};

use harness::events::Accel;
use harness::vm::{Exited, LaunchError, Launcher, Lost, Machine, Signal, Spec, qmp};
use protocol::{Message, Request, Stage};

/// The kernel release that a scripted guest claims to be.
pub const RELEASE: &str = "6.1.0-1-scripted";

/// The state of a scripted machine that is saved.
const STATE: &[u8] = b"state of a scripted machine";

/// Something a scripted machine does.
#[derive(Debug, Clone, PartialEq)]
pub enum Act {
    /// Says something.
    Say(Signal),
    /// Writes these bytes to the start of the disk for the vmcore.
    WriteVmcore(Vec<u8>),
    /// Writes these bytes to the start of the disk for the kernel log.
    WriteDmesg(Vec<u8>),
    /// Writes these bytes to the target of QEMU's own dump.
    WriteDump(Vec<u8>),
    /// Writes these bytes to the RAM that the host holds, at this offset.
    WriteRam(u64, Vec<u8>),
    /// The guest's kernel stops: from here on no request is answered.
    Die,
}

impl Act {
    /// A line on the console.
    #[must_use]
    pub fn console(line: &str) -> Self {
        Self::Say(Signal::Console(line.to_owned()))
    }

    /// A kernel says hello.
    #[must_use]
    pub fn hello(stage: Stage) -> Self {
        let kernel = RELEASE.to_owned();
        Self::Say(Signal::Agent(Message::Hello { stage, kernel, cpus: 2, uptime_ms: 1 }))
    }

    /// A request or a step of the capture failed.
    #[must_use]
    pub fn failed(command: &str, message: &str) -> Self {
        let (command, message) = (command.to_owned(), message.to_owned());
        Self::Say(Signal::Agent(Message::Failed { command, message }))
    }

    /// The trigger ended with this status.
    #[must_use]
    pub fn trigger_exit(status: i32) -> Self {
        Self::Say(Signal::Agent(Message::TriggerExit { status: Some(status), signal: None }))
    }

    /// The vmcore is on its disk.
    #[must_use]
    pub fn captured(dmesg_bytes: u64) -> Self {
        Self::Say(Signal::Agent(Message::Captured { dmesg_bytes }))
    }

    /// The guest switched off, was reset or panicked (`guest-shutdown`, `guest-reset`,
    /// `guest-panic`); the machine stands still.
    #[must_use]
    pub fn shutdown(reason: &str) -> Self {
        let data = json!({ "guest": true, "reason": reason });
        Self::Say(Signal::Qmp(qmp::Event { name: "SHUTDOWN".into(), data }))
    }

    /// An event of QEMU.
    #[must_use]
    pub fn event(name: &str, data: Value) -> Self {
        Self::Say(Signal::Qmp(qmp::Event { name: name.to_owned(), data }))
    }

    /// QEMU is gone, by a signal.
    #[must_use]
    pub fn killed() -> Self {
        let how = "signal 9".to_owned();
        Self::Say(Signal::Exited(Exited { how, clean: false, stderr: String::new() }))
    }
}

/// What happens after some cause, each thing after a delay counted from the cause.
pub type Acts = Vec<(Duration, Act)>;

/// What a machine will do.
#[derive(Debug, Clone, Default)]
pub struct Script {
    start: Acts,
    requests: BTreeMap<&'static str, VecDeque<Acts>>,
    commands: BTreeMap<&'static str, (Acts, Result<Value, String>)>,
    launch_error: Option<String>,
}

impl Script {
    /// A machine that says nothing by itself.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// A machine that boots: firmware, the kernel's first line, and hello after two seconds.
    #[must_use]
    pub fn boots() -> Self {
        let line = format!("[    0.000000] Linux version {RELEASE} (cc) #1 SMP");
        Self::new()
            .at(100, Act::console("early console in extract_kernel"))
            .at(300, Act::console(&line))
            .at(2000, Act::hello(Stage::First))
    }

    /// A machine that cannot be started; QEMU says why.
    #[must_use]
    pub fn refuses(stderr: &str) -> Self {
        Self { launch_error: Some(stderr.to_owned()), ..Self::default() }
    }

    /// Does something a number of milliseconds after the start.
    #[must_use]
    pub fn at(mut self, millis: u64, act: Act) -> Self {
        self.start.push((Duration::from_millis(millis), act));
        self
    }

    /// Reacts to the next request of this name that has no reaction yet; an empty reaction is
    /// silence. Times are milliseconds after the request.
    #[must_use]
    pub fn on(mut self, request: &'static str, acts: impl IntoIterator<Item = (u64, Act)>) -> Self {
        self.requests.entry(request).or_default().push_back(timed(acts));
        self
    }

    /// Reacts to a QMP command with things that happen and its result.
    #[must_use]
    pub fn on_qmp(
        mut self,
        command: &'static str,
        acts: impl IntoIterator<Item = (u64, Act)>,
        result: Result<Value, String>,
    ) -> Self {
        self.commands.insert(command, (timed(acts), result));
        self
    }
}

fn timed(acts: impl IntoIterator<Item = (u64, Act)>) -> Acts {
    acts.into_iter().map(|(millis, act)| (Duration::from_millis(millis), act)).collect()
}

/// What was asked of the machines of a [`ScriptLauncher`].
#[derive(Debug, Clone, Default)]
pub struct Log {
    /// The accelerator of each start.
    pub launches: Vec<Accel>,
    /// Whether each start waited for its state instead of booting.
    pub incoming: Vec<bool>,
    /// Requests to the agent.
    pub requests: Vec<Request>,
    /// Names of QMP commands.
    pub commands: Vec<&'static str>,
    /// Machines that were ended.
    pub killed: u32,
}

/// Starts scripted machines, one script a start.
#[derive(Debug)]
pub struct ScriptLauncher {
    scripts: VecDeque<Script>,
    log: Rc<RefCell<Log>>,
}

impl ScriptLauncher {
    /// A launcher that plays these scripts in order.
    #[must_use]
    pub fn new(scripts: impl IntoIterator<Item = Script>) -> Self {
        Self { scripts: scripts.into_iter().collect(), log: Rc::default() }
    }

    /// What was asked so far.
    #[must_use]
    pub fn log(&self) -> Log {
        self.log.borrow().clone()
    }
}

impl Launcher for ScriptLauncher {
    fn launch(&mut self, spec: &Spec<'_>) -> Result<Box<dyn Machine>, LaunchError> {
        self.log.borrow_mut().launches.push(spec.accel);
        self.log.borrow_mut().incoming.push(spec.ram.is_some_and(|ram| ram.incoming));
        let script = self.scripts.pop_front().unwrap_or_default();
        if let Some(stderr) = script.launch_error {
            return Err(LaunchError::Ended { how: "exit status 1".into(), stderr });
        }
        let start_error =
            |source| LaunchError::Start { program: "scripted machine".into(), source };
        let mut machine = Scripted {
            now: Duration::ZERO,
            agenda: Vec::new(),
            requests: script.requests,
            commands: script.commands,
            exited: None,
            vmcore: spec.disks.vmcore.try_clone().map_err(start_error)?,
            dmesg: spec.disks.dmesg.try_clone().map_err(start_error)?,
            dump: spec.disks.dump.try_clone().map_err(start_error)?,
            ram: match spec.ram {
                Some(ram) => Some(ram.file.try_clone().map_err(start_error)?),
                None => None,
            },
            given: BTreeMap::new(),
            dead: false,
            log: Rc::clone(&self.log),
        };
        machine.plan(&script.start);
        Ok(Box::new(machine))
    }

    fn describe(&self, spec: &Spec<'_>) -> String {
        format!("scripted machine under {}\n", spec.accel)
    }

    fn identity(&self) -> String {
        "scripted".into()
    }
}

#[derive(Debug)]
struct Scripted {
    now: Duration,
    /// Things to come, in the order of their times; equal times keep the order of the script.
    agenda: Vec<(Duration, Act)>,
    requests: BTreeMap<&'static str, VecDeque<Acts>>,
    commands: BTreeMap<&'static str, (Acts, Result<Value, String>)>,
    exited: Option<Exited>,
    vmcore: File,
    dmesg: File,
    dump: File,
    ram: Option<File>,
    /// Descriptors it was given, by their names.
    given: BTreeMap<&'static str, File>,
    /// Whether its kernel has stopped.
    dead: bool,
    log: Rc<RefCell<Log>>,
}

impl Scripted {
    fn plan(&mut self, acts: &Acts) {
        self.agenda.extend(acts.iter().map(|(delay, act)| (self.now + *delay, act.clone())));
        self.agenda.sort_by_key(|(time, _)| *time);
    }

    /// A migration that goes well: the state is written, or read, and its end is told.
    fn migrate(&mut self, command: &str) {
        let done = match command {
            "migrate" => self.given.remove("state").map(|mut to| to.write_all(STATE).is_ok()),
            "migrate-incoming" => self.given.remove("state").map(|mut from| {
                let mut state = Vec::new();
                from.read_to_end(&mut state).is_ok() && state == STATE
            }),
            _ => None,
        };
        if let Some(worked) = done {
            let status = if worked { "completed" } else { "failed" };
            let event = Act::event("MIGRATION", json!({ "status": status }));
            self.plan(&vec![(Duration::from_millis(1), event)]);
        }
    }

    /// Does what is due until `until`, up to the first thing that is said.
    fn advance(&mut self, until: Duration) -> Option<Signal> {
        while self.agenda.first().is_some_and(|(time, _)| *time <= until) {
            let (time, act) = self.agenda.remove(0);
            self.now = self.now.max(time);
            match act {
                Act::Say(signal) => return Some(signal),
                Act::WriteVmcore(bytes) => write(&self.vmcore, &bytes),
                Act::WriteDmesg(bytes) => write(&self.dmesg, &bytes),
                Act::WriteDump(bytes) => write(&self.dump, &bytes),
                Act::Die => self.dead = true,
                Act::WriteRam(at, bytes) => {
                    let ram = self.ram.as_ref().expect("this machine's RAM is its own");
                    ram.write_all_at(&bytes, at).expect("RAM is writable");
                }
            }
        }
        self.now = self.now.max(until);
        None
    }
}

/// The answer to a request that goes well.
fn well(request: &Request) -> Message {
    match request {
        Request::Alive => Message::Alive,
        Request::Processes { .. } => {
            Message::Processes { processes: Vec::new(), more: 0, silent_cpus: Vec::new() }
        }
        request => Message::done(request.name()),
    }
}

fn write(disk: &File, bytes: &[u8]) {
    disk.write_all_at(bytes, 0).expect("the disk of a scripted machine is writable");
}

impl Machine for Scripted {
    fn elapsed(&self) -> Duration {
        self.now
    }

    fn next(&mut self, until: Duration) -> Option<Signal> {
        if let Some(exited) = &self.exited {
            return Some(Signal::Exited(exited.clone()));
        }
        let signal = self.advance(until);
        if let Some(Signal::Exited(exited)) = &signal {
            self.exited = Some(exited.clone());
        }
        signal
    }

    fn request(&mut self, request: &Request) -> Result<(), Lost> {
        self.log.borrow_mut().requests.push(request.clone());
        if self.dead {
            return Ok(());
        }
        let name = request.name();
        let scripted = self.requests.get_mut(name).and_then(VecDeque::pop_front);
        let acts = scripted.unwrap_or_else(|| {
            vec![(Duration::from_millis(10), Act::Say(Signal::Agent(well(request))))]
        });
        self.plan(&acts);
        Ok(())
    }

    fn qmp(&mut self, command: &qmp::Command, _: Duration) -> Result<Value, qmp::Error> {
        self.log.borrow_mut().commands.push(command.name);
        if self.exited.is_some() {
            return Err(qmp::Error::Gone { command: command.name });
        }
        let Some((acts, result)) = self.commands.get(command.name).cloned() else {
            self.migrate(command.name);
            return Ok(json!({}));
        };
        self.plan(&acts);
        // What a command writes is there when it is answered.
        while self.agenda.iter().any(|(_, act)| matches!(act, Act::WriteDump(_))) {
            self.advance(self.now + Duration::from_millis(1));
        }
        result.map_err(|message| qmp::Error::Refused { command: command.name, message })
    }

    fn give(
        &mut self,
        name: &'static str,
        fd: BorrowedFd<'_>,
        _: Duration,
    ) -> Result<(), qmp::Error> {
        self.log.borrow_mut().commands.push("getfd");
        if self.exited.is_some() {
            return Err(qmp::Error::Gone { command: "getfd" });
        }
        let fd = fd.try_clone_to_owned();
        self.given.insert(name, fd.expect("a descriptor can be doubled").into());
        Ok(())
    }

    fn version(&self) -> String {
        "0.0.0".into()
    }

    fn kill(&mut self) {
        if self.exited.is_none() {
            self.log.borrow_mut().killed += 1;
            let how = "signal 9".to_owned();
            self.exited = Some(Exited { how, clean: false, stderr: String::new() });
        }
    }
}

impl Drop for Scripted {
    fn drop(&mut self) {
        self.kill();
    }
}
