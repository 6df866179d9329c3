// SPDX-License-Identifier: MIT OR Apache-2.0
//! Pages to look at, written by the program's own code about recorded crashes: one run with all that
//! there can be, and a matrix where everything has happened.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use analyzer::report::Report;
use anyhow::{Context as _, Result};
use harness::error::Failure;
use harness::events::{Accel, CaptureMethod, Phase};
use harness::exit::Exit;
use harness::recording::Recording;
use harness::report::{History, write_reports};
use harness::run::excerpt;
use harness::run::fault_state::{FaultState, Instruction, Register};
use harness::run::invocation::{Commit, Invocation};
use harness::run::object_users::{CodePlace, ObjectUser, ObjectUsers};
use harness::run::outcome::{Difference, Object, Outcome, RunResult, Runs};
use harness::run::plan::BootWay;
use harness::run::select::Selected;
use tempfile::TempDir;
use tests::project;

/// Cases of the matrix: all that are there would only be more of the same.
const CASES: usize = 20;
/// A line that no window is wide enough for.
const LONG_LINE: usize = 400;

/// A page in a folder of its own.
pub(crate) struct Page {
    pub(crate) name: &'static str,
    folder: TempDir,
}

impl Page {
    /// Its file.
    pub(crate) fn path(&self) -> PathBuf {
        self.folder.path().join("report.html")
    }

    /// A page with this text, which is none of the program's.
    pub(crate) fn of(text: &str) -> Result<Self> {
        let page = Self { name: "bad", folder: tempfile::tempdir()? };
        fs::write(page.path(), text)?;
        Ok(page)
    }

    fn write(name: &'static str, folder: TempDir, runs: Vec<RunResult>) -> Result<Self> {
        let history = History::load(&folder.path().join("history.jsonl"))?;
        let runs = Runs { invocation: Some(invocation()), ..Runs::new(runs) };
        write_reports(folder.path(), &runs, &history)?;
        Ok(Self { name, folder })
    }
}

/// Both pages.
pub(crate) fn all() -> Result<[Page; 2]> {
    Ok([one()?, matrix()?])
}

fn invocation() -> Invocation {
    let commit =
        Some(Commit { id: "0123456789abcdef0123456789abcdef01234567".into(), changed: true });
    Invocation { started: "2026-01-02T03:04:05Z".into(), millis: 83_000, commit }
}

/// The page of one run.
fn one() -> Result<Page> {
    let folder = tempfile::tempdir()?;
    let selected = project::default()?;
    let run = full(&selected, folder.path())?;
    Page::write("one", folder, vec![run])
}

/// The page of cases × guests, with a part of everything that can become of a run.
fn matrix() -> Result<Page> {
    let folder = tempfile::tempdir()?;
    let mut runs = Vec::new();
    let all = project::all()?;
    let cases = all.chunk_by(|a, b| a.case.name == b.case.name);
    let complete = cases.filter(|guests| guests.len() == 3 && guests.iter().all(is_recorded));
    for selected in complete.take(CASES).flatten() {
        runs.push(RunResult { report: Some(reviewed(selected)?), ..reproduced(selected) });
    }
    spoil(&mut runs);
    let bad = &runs[0];
    fs::create_dir_all(folder.path().join(bad.folder_name()))?;
    let console = folder.path().join(bad.folder_name()).join("console.log");
    fs::write(console, "Linux version 6.1.0\n".repeat(8) + &"x".repeat(LONG_LINE))?;
    earlier(&folder.path().join("history.jsonl"), &runs)?;
    Page::write("matrix", folder, runs)
}

fn is_recorded(selected: &Selected) -> bool {
    recording(selected, "recording").is_file()
}

fn recording(selected: &Selected, ending: &str) -> PathBuf {
    let folder = project::root().join("modules").join(&selected.case.name).join("recordings");
    folder.join(format!("{}.{ending}", selected.guest.name))
}

/// The report that was reviewed with the recording.
fn reviewed(selected: &Selected) -> Result<Report> {
    let text = fs::read_to_string(recording(selected, "json.snap"))?;
    let json = text.splitn(3, "---\n").nth(2).context("a snapshot has a header")?;
    Ok(serde_json::from_str(json)?)
}

fn reproduced(selected: &Selected) -> RunResult {
    let mut run = RunResult::new(selected.case.name.clone(), selected.guest.name.clone());
    run.outcome = Outcome::Reproduced;
    run.accel = Some(Accel::Tcg);
    run.boot = Some(BootWay::Snapshot);
    run.capture = Some(CaptureMethod::Fast);
    run.phases = BTreeMap::from([
        (Phase::Build, 2_300),
        (Phase::Boot, 900),
        (Phase::Load, 40),
        (Phase::Trigger, 310),
        (Phase::Capture, 120),
        (Phase::Analyze, 45),
    ]);
    run
}

/// A run with all that a page can tell, its files beside it.
fn full(selected: &Selected, folder: &Path) -> Result<RunResult> {
    let bytes = fs::read(recording(selected, "recording"))?;
    let (_, analysis) = Recording::from_bytes(&bytes)?.replay()?;
    let mut run = reproduced(selected);
    run.outcome = Outcome::Mismatched;
    let culprit = analysis.report.verdict.culprit.as_ref().context("it has a culprit")?;
    run.excerpt = excerpt::of(&selected.case, culprit);
    let members = ["{", "  get_path = 0xffffffffc06ae0d0 <akfs_get_path+0 [akfs]>,"];
    let rest = ["  get_fhash = 0x0,", "  get_class = 0x0", "}"];
    let lines = members.iter().chain(&rest).map(|&line| line.to_owned()).collect();
    run.object = Some(Object { expression: "*__akfs_ops".into(), lines, bad: 2 });
    run.differences.push(Difference {
        key: "culprit".into(),
        expected: "function `process_bprm_put`".into(),
        got: "function `__pad_exec`".into(),
    });
    let own = folder.join(run.folder_name());
    fs::create_dir_all(own.join("build"))?;
    for file in ["crash.txt", "crash.json", "console.log", "qemu.txt", "build/build.log", "vmcore"]
    {
        fs::write(own.join(file), "something\n")?;
    }
    let log = "[    2.401288] akfs: loaded <by the trigger>\n".repeat(80) + &"y".repeat(LONG_LINE);
    fs::write(own.join("vmcore-dmesg.txt"), log)?;
    run.users = Some(users());
    run.fault = Some(fault());
    run.report = Some(analysis.report);
    // Most of a stack is used.
    let frames = run.report.iter_mut().flat_map(|report| &mut report.backtraces.fault);
    frames.last().context("it has a stack")?.stack_bytes = Some(9 << 10);
    Ok(run)
}

fn users() -> ObjectUsers {
    let place = |function: &str, module: Option<&str>| CodePlace {
        function: function.into(),
        module: module.map(str::to_owned),
        file: Some("a/long/path/to/a/file/of/the/kernel/mm/slab_common.c".into()),
        line: Some(1026),
        inlined: module.is_some(),
    };
    let stack = vec![place("kmalloc", Some("akfs")), place("vfs_write", None)];
    let user = Some(ObjectUser { pid: 89, cpu: 1, stack });
    let address = "0xff1721eedb103a40".into();
    ObjectUsers { address, cache: "kmalloc-64".into(), allocated: user.clone(), freed: user }
}

fn fault() -> FaultState {
    let register = |number: u32| {
        let (name, value) = (format!("R{number}"), "ffffffffc05913b5".into());
        Register { name, value }
    };
    let instruction = |number: u32| Instruction {
        address: "0xffffffffc05913b5".into(),
        place: Some(format!("sessd_charge+{number}")),
        text: "mov    0x2094(%rip),%rax # 0xffffffffc0593440 <selected>".into(),
        at_fault: number == 8,
    };
    let code = (0..12).map(instruction).collect();
    FaultState { registers: (0..16).map(register).collect(), code }
}

/// One guest does not boot, one case crashes otherwise, one does not crash, one crashes one time in
/// three, and each time with another parameter.
fn spoil(runs: &mut Vec<RunResult>) {
    let [error, other, none, race, ..] = &mut runs[..] else { return };
    error.outcome = Outcome::InfraError;
    error.report = None;
    let failure = Failure::new(Exit::BootFailed, "the guest's kernel did not start in 2m");
    error.failure = Some(failure.hint("its console is in console.log"));
    other.outcome = Outcome::Mismatched;
    other.differences.push(Difference {
        key: "report".into(),
        expected: "as it was reviewed".into(),
        got: "the culprit moved from `hook_exec [hook]` to `hook_open [hook]`".into(),
    });
    none.outcome = Outcome::NotReproduced;
    none.report = None;
    none.failure = Some(Failure::new(Exit::CaseFailed, "the trigger ended and nothing crashed"));
    let quiet = RunResult { outcome: Outcome::NotReproduced, report: None, ..race.clone() };
    let mut strict = race.clone();
    strict.parameters.insert("akfs.mode".into(), "strict".into());
    runs.extend([quiet.clone(), quiet, strict]);
}

/// Earlier invocations, more than are shown.
fn earlier(path: &Path, runs: &[RunResult]) -> Result<()> {
    let mut history = History::load(path)?;
    for day in 0..14 {
        let mut runs = runs.to_vec();
        if day == 5 {
            runs.iter_mut().for_each(|run| run.outcome = Outcome::Mismatched);
        }
        history.add(&Runs::new(runs), jiff::Timestamp::from_second(day * 86_400)?)?;
    }
    Ok(())
}
