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
        write_reports(folder.path(), &Runs::new(runs), &history)?;
        Ok(Self { name, folder })
    }
}

/// Both pages.
pub(crate) fn all() -> Result<[Page; 2]> {
    Ok([one()?, matrix()?])
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
    run.report = Some(analysis.report);
    Ok(run)
}

/// One guest does not boot, one case crashes otherwise, one does not crash, one crashes one time in
/// three.
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
    runs.extend([quiet.clone(), quiet]);
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
