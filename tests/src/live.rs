// SPDX-License-Identifier: MIT OR Apache-2.0
//! Live runs that several tests look at: one QEMU run serves all tests that need its vmcore.
//!
//! The test runner starts each test as a process of its own, so a run is kept in
//! `target/tests/live/<case>@<guest>/`, under a lock, together with the name of the invocation that
//! made it. The next invocation makes it again.

use std::ffi::OsString;
use std::fs;
use std::path::{Path, PathBuf};

use analyzer::report::Report;
use anyhow::{Context as _, Result, bail, ensure};
use harness::exit::Exit;
use harness::run::outcome::{RunResult, Runs};
use harness::run::select::Selected;
use serde::{Deserialize, Serialize};

use crate::dump::Dump;
use crate::lock::Lock;
use crate::project;
use crate::trial::Unavailable;

/// A run of `repro` and what it left.
#[derive(Debug, Clone)]
pub struct Live {
    /// What it printed on stdout.
    pub stdout: String,
    /// What it printed on stderr.
    pub stderr: String,
    /// The run.
    pub result: RunResult,
    /// Its artefact folder.
    pub artifacts: PathBuf,
    /// The dump and the debug information that it used.
    pub dump: Dump,
}

impl Live {
    /// The report.
    ///
    /// # Errors
    /// There is none.
    pub fn report(&self) -> Result<&Report> {
        self.result.report.as_ref().context("the run has no report")
    }

    /// The kernel's log, as `makedumpfile` or `repro` wrote it.
    ///
    /// # Errors
    /// It cannot be read.
    pub fn dmesg(&self) -> Result<String> {
        let path = self.artifacts.join("vmcore-dmesg.txt");
        fs::read_to_string(&path).with_context(|| format!("read {}", path.display()))
    }
}

/// How `repro` ended, as it is kept.
#[derive(Debug, Serialize, Deserialize)]
struct Ended {
    invocation: String,
    code: Option<i32>,
    stdout: String,
    stderr: String,
}

/// How a run is made.
type Ways = [&'static str; 4];

/// In a second or two.
const FAST: Ways = ["--capture", "fast", "--boot", "snapshot"];
/// With addresses, times and random numbers of its own.
const BOOTED: Ways = ["--capture", "fast", "--boot", "cold"];
/// All memory, as QEMU writes it.
const BY_QEMU: Ways = ["--capture", "qmp", "--boot", "cold"];
/// The reference.
const REFERENCE: Ways = ["--capture", "kdump", "--boot", "cold"];

/// The run of this invocation, made now if no other test did: by classic kdump where the case is
/// its guest's reference ([`project::is_reference`]), else captured fast from a snapshot.
///
/// # Errors
/// It did not end well; [`Unavailable`] if this machine lacks something.
pub fn run(selected: &Selected) -> Result<Live> {
    let ways = if project::is_reference(selected)? { REFERENCE } else { FAST };
    kept(selected, &selected.name(), ways)
}

/// A second run of the same case and guest, in another boot.
///
/// # Errors
/// The same as of [`run`].
pub fn run_again(selected: &Selected) -> Result<Live> {
    kept(selected, &format!("{}.again", selected.name()), BOOTED)
}

/// A run of the same case and guest that is captured fast, from a snapshot.
///
/// # Errors
/// The same as of [`run`].
pub fn run_fast(selected: &Selected) -> Result<Live> {
    kept(selected, &format!("{}.fast", selected.name()), FAST)
}

/// A run of the same case and guest whose memory QEMU writes, with nothing left out.
///
/// # Errors
/// The same as of [`run`].
pub fn run_by_qemu(selected: &Selected) -> Result<Live> {
    kept(selected, &format!("{}.qemu", selected.name()), BY_QEMU)
}

fn kept(selected: &Selected, folder: &str, ways: Ways) -> Result<Live> {
    let repro = project::repro()?;
    let live = project::target().join("tests").join("live");
    let _lock = Lock::take(&live.join(format!("{folder}.lock")))?;
    let folder = live.join(folder);
    let invocation = invocation(&repro)?;
    let record = folder.join("ended.json");
    let ended = match read(&record).filter(|ended| ended.invocation == invocation) {
        Some(ended) => ended,
        None => {
            if folder.exists() {
                fs::remove_dir_all(&folder)
                    .with_context(|| format!("remove {}", folder.display()))?;
            }
            let ended = start(&repro, &selected.name(), &folder, ways, invocation)?;
            fs::write(&record, serde_json::to_string(&ended)?)
                .with_context(|| format!("write {}", record.display()))?;
            ended
        }
    };
    ended.live(selected)
}

fn read(record: &Path) -> Option<Ended> {
    serde_json::from_str(&fs::read_to_string(record).ok()?).ok()
}

fn start(repro: &Path, name: &str, folder: &Path, ways: Ways, invocation: String) -> Result<Ended> {
    let out = folder.join("out");
    let arguments: [OsString; 7] = [
        "run".into(),
        name.into(),
        "--format".into(),
        "json".into(),
        "--out".into(),
        out.into(),
        "--no-progress".into(),
    ];
    let arguments = arguments.into_iter().chain(ways.map(OsString::from));
    let output = duct::cmd(repro, arguments)
        .dir(project::root())
        .stdout_capture()
        .stderr_capture()
        .unchecked()
        .run()
        .with_context(|| format!("start {}", repro.display()))?;
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    let (stdout, stderr) = (text(&output.stdout), text(&output.stderr));
    fs::create_dir_all(folder).with_context(|| format!("make {}", folder.display()))?;
    Ok(Ended { invocation, code: output.status.code(), stdout, stderr })
}

impl Ended {
    fn live(self, selected: &Selected) -> Result<Live> {
        let code = |exit: Exit| Some(i32::from(exit.code()));
        if self.code == code(Exit::Unavailable) || self.code == code(Exit::FetchFailed) {
            let what = format!("repro ended with exit code {:?}:\n{}", self.code, self.stderr);
            let hint = "install what it names, or run `cargo xtask doctor --install`";
            return Err(Unavailable { what, hint: hint.to_owned() }.into());
        }
        ensure!(self.code == code(Exit::Ok), "repro ended with {:?}:\n{}", self.code, self.stderr);
        let runs: Runs = serde_json::from_str(&self.stdout)
            .with_context(|| format!("stdout is not the JSON of runs:\n{}", self.stdout))?;
        let Ok([result]) = <[RunResult; 1]>::try_from(runs.runs) else {
            bail!("stdout does not tell of one run:\n{}", self.stdout)
        };
        let artifacts = result.artifacts.as_ref().context("the run names no artefact folder")?;
        let artifacts = PathBuf::from(artifacts);
        let store = project::store()?;
        let files =
            guest::fetch(&selected.guest, &store, &mut |_| std::ops::ControlFlow::Continue(()))?;
        let dump = Dump {
            vmcore: artifacts.join("vmcore"),
            vmlinux: files.vmlinux,
            modules: artifacts.join("build"),
        };
        Ok(Live { dump, artifacts, result, stdout: self.stdout, stderr: self.stderr })
    }
}

/// What tells this invocation of the test runner from others: nextest names it; else the runner's
/// process does. A program that was built anew is run anew.
fn invocation(repro: &Path) -> Result<String> {
    let built = fs::metadata(repro).and_then(|metadata| metadata.modified());
    let built = built.with_context(|| format!("look at {}", repro.display()))?;
    let runner = match std::env::var("NEXTEST_RUN_ID") {
        Ok(run) => run,
        Err(_) => parent()?,
    };
    Ok(format!("{runner} {built:?}"))
}

/// The parent process and when it started, since process ids come again.
fn parent() -> Result<String> {
    let parent = rustix::process::getppid().map_or(0, |parent| parent.as_raw_nonzero().get());
    let path = format!("/proc/{parent}/stat");
    let stat = fs::read_to_string(&path).with_context(|| format!("read {path}"))?;
    // The name may have blanks; it ends with the last parenthesis. Field 22 is the start time.
    let fields = stat.rsplit_once(')').map_or("", |(_, fields)| fields);
    let started = fields.split_whitespace().nth(19).context("no start time")?;
    Ok(format!("{parent} {started}"))
}
