// SPDX-License-Identifier: MIT OR Apache-2.0
//! `repro doctor --kvm`: whole runs under KVM, and what a person can send of them to others.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::mpsc::{self, RecvTimeoutError};
use std::thread;
use std::time::{Duration, Instant};

use super::CommandResult;
use super::how::interrupt;
use super::kvm_report::{KvmReport, Tried, Way};
use super::options::{self, GlobalOptions};
use super::set_up::set_up;
use crate::config::Project;
use crate::error::Failure;
use crate::events::{Bus, Event, Reporter, Stamped};
use crate::exit::Exit;
use crate::host::KvmHost;
use crate::interrupt::Interrupt;
use crate::report::{Folder, Terminal};
use crate::review::Review;
use crate::run::Recorder;
use crate::run::accel::{self, AccelChoice, Memory};
use crate::run::execute::{Setting, execute};
use crate::run::prepare;
use crate::run::select::{self, Selected};
use crate::vm::Qemu;
use guest::{DEFAULT_GUEST, shown};
use process::helper;

/// Name of the case, which needs no module, no compiler and no project.
const CASE: &str = "kvm-test";
const MANIFEST: &str = include_str!("kvm_test/case.toml.template");

/// Longest time of all runs together. Each of their phases has its own; this is for a QEMU that the
/// host's kernel holds, so that nobody can end it.
const LIMIT: Duration = Duration::from_secs(15 * 60);

/// Longest time for QEMU to tell its version.
const VERSION_LIMIT: Duration = Duration::from_secs(10);

/// Makes the runs and prints what came of them.
pub(super) fn run(global: &GlobalOptions, qemu: &Path) -> CommandResult {
    let interrupt = interrupt()?;
    let mut bus = Bus::new(vec![Box::new(WithoutFolder(global.terminal()))]);
    let result = make(global, qemu, &interrupt, &mut bus);
    let finished = bus.finish();
    let report = result?;
    options::print(&report.to_string())?;
    finished?;
    if interrupt.requested() {
        return Ok(Exit::Interrupted);
    }
    Ok(Exit::combine(report.tried.iter().filter_map(Tried::exit)))
}

fn make(
    global: &GlobalOptions,
    qemu: &Path,
    interrupt: &Interrupt,
    bus: &mut Bus,
) -> Result<KvmReport, Failure> {
    set_up(global, bus)?;
    let store = global.store()?;
    let folder = tempfile::tempdir().map_err(|error| unwritable(&error))?;
    let selected = case(&global.project()?, folder.path())?;
    // Downloading takes what it takes, and is no part of the test.
    prepare::fetch(&selected.guest, &store, &mut Recorder::new(bus), interrupt)?;
    let end = deadline(folder.path().to_owned());
    let memory = Memory::open(store.root());
    let earlier = memory.broken();
    let artifacts = Folder::create(&folder.path().join("runs"), jiff::Timestamp::now())
        .map_err(|error| Failure::from_error(Exit::WriteFailed, &error))?;
    let mut setting = Setting {
        store: &store,
        project: folder.path(),
        folder: &artifacts,
        ways: Way::Kdump.ways(),
        candidates: accel::candidates(AccelChoice::Kvm, &memory),
        memory,
        interrupt: interrupt.clone(),
        keep: false,
        review: Review::Off,
    };
    let tried = try_all(&selected, qemu, &mut setting, bus);
    drop(end);
    Ok(KvmReport { host: KvmHost::this(), qemu: version(qemu), earlier, tried })
}

/// Each way, as long as there is a point in it: where no guest runs under KVM, none will in another
/// way.
fn try_all(
    selected: &Selected,
    qemu: &Path,
    setting: &mut Setting<'_>,
    bus: &mut Bus,
) -> Vec<Tried> {
    let mut over = false;
    Way::ALL
        .map(|way| {
            if over || setting.interrupt.requested() {
                return Tried { way, result: None };
            }
            setting.ways = way.ways();
            let mut launcher = Qemu::new(qemu, setting.interrupt.clone());
            let result = execute(selected, way.name(), setting, &mut launcher, bus);
            over = !result.outcome.is_judged();
            Tried { way, result: Some(Box::new(result)) }
        })
        .into()
}

/// What QEMU says of its version, unless it says nothing in time.
fn version(qemu: &Path) -> Option<String> {
    let program = helper::tied(qemu, ["--version"]).stdout_capture().stderr_null();
    let start = Instant::now();
    let output = helper::wait(&program, || start.elapsed() < VERSION_LIMIT).ok()??;
    let answer = String::from_utf8_lossy(&output.stdout).into_owned();
    answer.lines().next().map(|line| shown::field(line.trim()))
}

/// People see the runs, but no path of a folder that is gone when they are over.
#[derive(Debug)]
struct WithoutFolder(Terminal);

impl Reporter for WithoutFolder {
    fn event(&mut self, stamped: &Stamped) {
        let mut stamped = stamped.clone();
        if let Event::RunFinished { result } = &mut stamped.event {
            result.artifacts = None;
        }
        self.0.event(&stamped);
    }

    fn finish(&mut self) -> Result<(), Failure> {
        self.0.finish()
    }
}

/// The built-in case on the default guest.
fn case(project: &Project, above: &Path) -> Result<Selected, Failure> {
    let folder = above.join(CASE);
    let written =
        fs::create_dir(&folder).and_then(|()| fs::write(folder.join("case.toml"), MANIFEST));
    written.map_err(|error| unwritable(&error))?;
    let word = format!("{}@{DEFAULT_GUEST}", folder.display());
    let selected = select::select(project, &[word])?.into_iter().next();
    selected.ok_or_else(|| Failure::new(Exit::Internal, "the built-in case cannot be selected"))
}

fn unwritable(error: &io::Error) -> Failure {
    Failure::new(Exit::WriteFailed, "cannot write a temporary folder").caused_by(error)
}

/// Ends this program, and with it QEMU, unless what it returns is dropped before.
fn deadline(folder: PathBuf) -> mpsc::Sender<()> {
    let (end, over) = mpsc::channel();
    thread::spawn(move || {
        if over.recv_timeout(LIMIT) == Err(RecvTimeoutError::Timeout) {
            let _ = fs::remove_dir_all(folder);
            let message = format!("the runs are not over after {LIMIT:?}: QEMU cannot be ended");
            options::print_failure(&Failure::new(Exit::Unavailable, message));
            std::process::exit(Exit::Unavailable.code().into());
        }
    });
    end
}
