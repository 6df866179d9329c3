// SPDX-License-Identifier: MIT OR Apache-2.0
//! A guest from a snapshot, which is made where there is none.

use std::fs::File;
use std::io::{self, Read as _, Write as _};
use std::os::fd::{AsFd as _, OwnedFd};
use std::os::unix::fs::FileExt as _;
use std::thread;

use crate::compose::Ram;
use crate::events::{Event, Phase};
use crate::run::attempt::Attempt;
use crate::run::boot::NotReady;
use crate::run::plan::{FromSnapshot, STUB};
use crate::run::recorder::Recorder;
use crate::run::session::{Answer, Session, Stop};
use crate::snapshot::{About, Found, Key, Saved, SnapshotError};
use crate::vm::{Exited, LaunchError, Launcher, Machine, QMP_LIMIT, SharedRam, Signal, qmp};
use guest::store::hex;
use protocol::{CASE_DISK, Request};

/// Name of the descriptor that a machine's state goes through.
const STATE: &str = "state";
/// Bytes that a restored guest's random numbers are stirred with.
const SEED: usize = 64;

/// Why a guest is not started from a snapshot.
#[derive(Debug, thiserror::Error)]
pub(crate) enum NoSnapshot {
    #[error("interrupted")]
    Interrupted,
    #[error("{0}")]
    Because(String),
}

/// A guest that goes on where its snapshot was taken, with its case unpacked.
pub(crate) struct Restored {
    pub(crate) machine: Box<dyn Machine>,
    pub(crate) ram: Ram,
    pub(crate) about: About,
    /// Whether its boot is part of this run.
    pub(crate) just_made: bool,
}

impl Attempt<'_> {
    /// Brings up a guest from the snapshot for this plan.
    pub(crate) fn restore(
        &self,
        from: &FromSnapshot,
        launcher: &mut dyn Launcher,
        recorder: &mut Recorder<'_>,
    ) -> Result<Restored, NoSnapshot> {
        let key = self.key(from, launcher).map_err(|error| because(&error))?;
        let locked = from.snapshots.lock(&key, &mut || !from.interrupt.requested())?;
        let (about, just_made) = match locked.about() {
            Ok(Some(about)) => (about, false),
            Ok(None) => (locked.keep(self.save(from, launcher, recorder)?.saved())?, true),
            Err(error @ SnapshotError::Damaged { .. }) => {
                recorder.warn(format!("{error}; it is made again"));
                (locked.keep(self.save(from, launcher, recorder)?.saved())?, true)
            }
            Err(error) => return Err(error.into()),
        };
        let found = locked.copy(about)?;
        drop(locked);
        from.snapshots.sweep();
        let resumed = self.resume(from, found, launcher, recorder);
        if let Err(NoSnapshot::Because(_)) = resumed {
            // Whatever is wrong with it, the next run makes a new one.
            from.snapshots.lock(&key, &mut || !from.interrupt.requested())?.discard();
        }
        let (machine, ram, about) = resumed?;
        Ok(Restored { machine, ram, about, just_made })
    }

    fn key(&self, from: &FromSnapshot, launcher: &dyn Launcher) -> io::Result<Key> {
        let ram = Ram::create(self.plan.memory_bytes)?;
        let shared = SharedRam { file: &ram.file, case: Some(&from.case), incoming: false };
        let machine = launcher.describe(&self.plan.spec(self.accel, self.disks, Some(shared)));
        let mut initrd = vec![0; usize::try_from(from.initrd.metadata()?.len()).unwrap_or(0)];
        from.initrd.read_exact_at(&mut initrd, 0)?;
        let host = std::fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
        let cpu = host.lines().filter(|line| line.starts_with("model name")).collect::<Vec<_>>();
        let words = [
            machine.as_str(),
            &launcher.identity(),
            cpu.first().copied().unwrap_or_default(),
            &from.variant.to_string(),
        ];
        Key::of(&[&self.plan.kernel], &initrd, &words)
    }

    /// Boots the guest without its case, arms it and takes its state.
    fn save(
        &self,
        from: &FromSnapshot,
        launcher: &mut dyn Launcher,
        recorder: &mut Recorder<'_>,
    ) -> Result<Machinery, NoSnapshot> {
        let plan = self.plan;
        recorder.progress("making a snapshot");
        let ram = Ram::create(plan.memory_bytes).map_err(|error| because(&error))?;
        let shared = SharedRam { file: &ram.file, case: Some(&from.case), incoming: false };
        let spec = plan.spec(self.accel, self.disks, Some(shared));
        let machine = launcher.launch(&spec).map_err(|error| launch_error(&error))?;
        let qemu = machine.version();
        recorder.emit(Event::MachineStarted {
            accel: self.accel,
            qemu: qemu.clone(),
            command_line: launcher.describe(&spec),
        });
        let mut session = Session::new(machine, recorder, *plan.limits.get(self.accel));
        session.heard = Some(Vec::new());
        let kernel = session.boot(None).map_err(|why| not_ready(&why))?;
        session
            // Parameters differ from case to case, and are set after the restore.
            .arm(Some(STUB), "", &[])
            .map_err(|why| not_ready(&why))?
            .map_err(NoSnapshot::Because)?;
        let memory = session.memory.clone();
        let memory = memory
            .ok_or_else(|| NoSnapshot::Because("the guest did not tell of its memory".into()))?;
        let state = take_state(&mut session)?;
        let console = session.heard.take().unwrap_or_default();
        let (ram_bytes, ram_filled, state_bytes) = (0, 0, 0);
        let about = About { qemu, kernel, memory, console, ram_bytes, ram_filled, state_bytes };
        Ok(Machinery { ram, state, about })
    }

    /// Starts a machine that goes on from the snapshot, and gives it its case.
    fn resume(
        &self,
        from: &FromSnapshot,
        found: Found,
        launcher: &mut dyn Launcher,
        recorder: &mut Recorder<'_>,
    ) -> Result<(Box<dyn Machine>, Ram, About), NoSnapshot> {
        let Found { ram, state, about } = found;
        let shared = SharedRam { file: &ram.file, case: Some(&from.case), incoming: true };
        let spec = self.plan.spec(self.accel, self.disks, Some(shared));
        let machine = self
            .launch(&spec, launcher, recorder)
            .map_err(|failure| NoSnapshot::Because(failure.into_words()))?;
        if machine.version() != about.qemu {
            let (is, was) = (machine.version(), &about.qemu);
            return Err(NoSnapshot::Because(format!("it is of QEMU {was}, this is {is}")));
        }
        let mut session = Session::new(machine, recorder, *self.plan.limits.get(self.accel));
        session.phase = Phase::Boot;
        give_state(&mut session, state)?;
        for request in [seed(), Request::Unpack { disk: CASE_DISK.to_owned() }] {
            let name = request.name();
            match session.ask(&request, session.limits.arm).map_err(|stop| stopped(stop, name))? {
                Answer::Done => {}
                Answer::Refused(why) => {
                    return Err(NoSnapshot::Because(format!("{name}: {why}")));
                }
            }
        }
        Ok((session.machine, ram, about))
    }
}

/// A machine that was saved.
struct Machinery {
    ram: Ram,
    state: Vec<u8>,
    about: About,
}

impl Machinery {
    fn saved(&self) -> Saved<'_> {
        Saved { ram: &self.ram, state: &self.state, about: self.about.clone() }
    }
}

/// Takes the state of a machine, which then ends.
fn take_state(session: &mut Session<'_, '_>) -> Result<Vec<u8>, NoSnapshot> {
    let (from, to) = pipe()?;
    let reader = thread::spawn(move || {
        let mut state = Vec::new();
        File::from(from).read_to_end(&mut state).map(|_| state)
    });
    command(session, &qmp::Command::new("stop"))?;
    command(session, &qmp::Command::set_capabilities())?;
    session.machine.give(STATE, to.as_fd(), QMP_LIMIT).map_err(|error| because(&error))?;
    drop(to);
    command(session, &qmp::Command::migrate(STATE))?;
    migrated(session)?;
    // Now nobody can write any more, so that the reader comes to the end.
    session.end();
    match reader.join() {
        Ok(Ok(state)) if !state.is_empty() => Ok(state),
        Ok(Err(error)) => Err(because(&error)),
        _ => Err(NoSnapshot::Because("QEMU wrote no state".into())),
    }
}

/// Gives its state to a machine that waits for it, and lets it run.
fn give_state(session: &mut Session<'_, '_>, state: Vec<u8>) -> Result<(), NoSnapshot> {
    let (from, to) = pipe()?;
    command(session, &qmp::Command::set_capabilities())?;
    session.machine.give(STATE, from.as_fd(), QMP_LIMIT).map_err(|error| because(&error))?;
    drop(from);
    // Ends when all is read, or when the machine is gone.
    let writer = thread::spawn(move || File::from(to).write_all(&state));
    let read =
        command(session, &qmp::Command::migrate_incoming(STATE)).and_then(|()| migrated(session));
    if read.is_err() {
        session.end();
    }
    let written = writer.join();
    read?;
    match written {
        Ok(Ok(())) => command(session, &qmp::Command::new("cont")),
        _ => Err(NoSnapshot::Because("QEMU did not read the whole state".into())),
    }
}

/// Waits for the end of a migration.
fn migrated(session: &mut Session<'_, '_>) -> Result<(), NoSnapshot> {
    let limit = session.limits.arm;
    let ended = session.wait(limit, |_, signal| match signal {
        Signal::Qmp(event) => event.migrated(),
        _ => None,
    });
    match ended {
        Ok(true) => Ok(()),
        Ok(false) => Err(NoSnapshot::Because("QEMU cannot migrate this machine".into())),
        Err(stop) => Err(stopped(stop, "migration")),
    }
}

fn command(session: &mut Session<'_, '_>, command: &qmp::Command) -> Result<(), NoSnapshot> {
    session.machine.qmp(command, QMP_LIMIT).map(|_| ()).map_err(|error| match error {
        qmp::Error::Interrupted { .. } => NoSnapshot::Interrupted,
        error => because(&error),
    })
}

/// A pipe whose ends no other program inherits.
fn pipe() -> Result<(OwnedFd, OwnedFd), NoSnapshot> {
    rustix::pipe::pipe_with(rustix::pipe::PipeFlags::CLOEXEC).map_err(|error| because(&error))
}

/// Random bytes of this host; without any, the guest's own have to do.
fn seed() -> Request {
    let mut bytes = [0; SEED];
    let _ = File::open("/dev/urandom").and_then(|mut random| random.read_exact(&mut bytes));
    Request::Seed { bytes: hex(&bytes) }
}

fn because(error: &(dyn std::error::Error + 'static)) -> NoSnapshot {
    let mut words = error.to_string();
    let mut source = error.source();
    while let Some(error) = source {
        words.push_str(&format!(": {error}"));
        source = error.source();
    }
    NoSnapshot::Because(words)
}

fn launch_error(error: &LaunchError) -> NoSnapshot {
    match error {
        LaunchError::Interrupted => NoSnapshot::Interrupted,
        error => because(error),
    }
}

fn not_ready(why: &NotReady) -> NoSnapshot {
    match why {
        NotReady::Interrupted => NoSnapshot::Interrupted,
        why => because(why),
    }
}

fn stopped(stop: Stop, what: &str) -> NoSnapshot {
    match stop {
        Stop::Interrupted => NoSnapshot::Interrupted,
        Stop::Crashed => NoSnapshot::Because(format!("the guest crashed during {what}")),
        Stop::Complained | Stop::TimedOut => {
            NoSnapshot::Because(format!("no end of {what} in time"))
        }
        Stop::Halted(why) => NoSnapshot::Because(format!("the guest ended ({why}) during {what}")),
        Stop::Exited(Exited { how, stderr, .. }) => {
            let said = stderr.lines().last().map_or(String::new(), |line| format!(": {line}"));
            NoSnapshot::Because(format!("QEMU ended ({how}) during {what}{said}"))
        }
    }
}

impl From<SnapshotError> for NoSnapshot {
    fn from(error: SnapshotError) -> Self {
        match error {
            SnapshotError::Cancelled => Self::Interrupted,
            error => because(&error),
        }
    }
}
