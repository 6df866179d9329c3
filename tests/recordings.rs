// SPDX-License-Identifier: MIT OR Apache-2.0
//! Recordings of crashes, analyzed again without QEMU, the network or a kernel's package: the text and
//! the JSON of each are those that somebody reviewed, and each verdict is held to its case. Without a page
//! that it needs, none blames another.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use analyzer::machine::Machine;
use analyzer::render;
use analyzer::report::Confidence;
use anyhow::{Context as _, Result, ensure};
use guest::shown;
use harness::recording::{EXTENSION, MAX_BYTES, Recording};
use harness::report::shown_report;
use harness::run::select::Selected;
use harness::score::Row;
use libtest_mimic::{Arguments, Trial};
use tests::trial::trial;
use tests::{project, snapshot};
use vmcore::PhysAddr;

fn main() -> ExitCode {
    let arguments = Arguments::from_args();
    let trials = match project::all() {
        Ok(selected) => selected.into_iter().flat_map(recorded).collect(),
        Err(error) => {
            let error = format!("{error:#}");
            vec![Trial::test("recordings::manifests", move || Err(error.into()))]
        }
    };
    libtest_mimic::run(&arguments, trials).exit_code()
}

fn recorded(selected: Selected) -> Vec<Trial> {
    let path = folder(&selected).join(format!("{}.{EXTENSION}", selected.guest.name));
    if !path.is_file() {
        return Vec::new();
    }
    let name = selected.name();
    let damaged = path.clone();
    vec![
        trial(format!("damaged::{name}"), move || damage(&damaged)),
        trial(format!("recordings::{name}"), move || replay(&selected, &path)),
    ]
}

/// Without a page that modules or the kernel's page tables are found by, nobody else is blamed.
fn damage(path: &Path) -> Result<()> {
    let bytes = fs::read(path).with_context(|| format!("read {}", path.display()))?;
    let recording = Recording::from_bytes(&bytes)?;
    let whole = recording.replay_without(&BTreeSet::new())?.report.verdict;
    let losses = recording.look(pages_of_modules)?.into_iter().map(|page| [page].into());
    let stack = recording.look(pages_of_stack)?;
    for lost in losses.chain([stack]) {
        let Ok(damaged) = recording.replay_without(&lost) else { continue };
        let verdict = damaged.report.verdict;
        let is_by_log = damaged.report.findings.iter().any(|finding| finding.code == "A026");
        ensure!(!is_by_log || verdict.confidence != Confidence::Proven, "the log proves nothing");
        let Some(culprit) = verdict.culprit.as_ref() else { continue };
        let told = whole.culprit.as_ref();
        let is_same = told.is_some_and(|told| told.function == culprit.function);
        // Where the line is not known, the function is the one that it was inlined into.
        let is_outer = told
            .zip(culprit.function.as_ref())
            .is_some_and(|(told, outer)| told.inlined_into.contains(outer));
        let is_unknown = verdict.confidence == Confidence::Unknown || culprit.module.is_none();
        ensure!(
            is_same || is_outer || is_unknown,
            "without pages {lost:x?}: {:?} {:?} by {culprit:?}, and not by {told:?}",
            verdict.kind,
            verdict.confidence
        );
    }
    Ok(())
}

/// Numbers of the pages of the stack of the task that crashed.
fn pages_of_stack(machine: &Machine<'_>) -> BTreeSet<u64> {
    let kernel = machine.kernel();
    let stack = kernel.crash().task.as_ref().and_then(|task| kernel.task_stack(task));
    let pages = stack.into_iter().flat_map(|stack| (stack.low..stack.high).step_by(4096));
    pages.filter_map(|page| Some(kernel.space().physical(page).ok()?.0 / 4096)).collect()
}

/// Numbers of the pages with the modules' structures, the head of their list, and the tables that map both.
fn pages_of_modules(machine: &Machine<'_>) -> BTreeSet<u64> {
    let kernel = machine.kernel();
    let modules =
        machine.modules().flat_map(|(module, _)| [module.address, module.address + 0x400]);
    let places: Vec<u64> = kernel.symbol("modules").into_iter().chain(modules).collect();
    let mut pages = BTreeSet::new();
    for place in places {
        pages.extend(kernel.space().physical(place).ok().map(|physical| physical.0 / 4096));
        let Some(root) = kernel.space().root() else { continue };
        let top = kernel.space().layout().format.top();
        let (mut table, mut level) = (root.0, Some(top));
        while let Some(here) = level {
            pages.insert(table / 4096);
            let mut entry = [0; 8];
            let at = PhysAddr(table + (place >> here.shift() & 0x1ff) * 8);
            let read = kernel.vmcore().read_physical(at, &mut entry);
            let entry = u64::from_le_bytes(entry);
            if read.is_err() || entry & 1 == 0 || entry & 0x80 != 0 {
                break;
            }
            (table, level) = (entry & 0x000f_ffff_ffff_f000, here.below());
        }
    }
    pages
}

fn folder(selected: &Selected) -> PathBuf {
    project::root().join("modules").join(&selected.case.name).join("recordings")
}

fn replay(selected: &Selected, path: &PathBuf) -> Result<()> {
    let bytes = fs::read(path).with_context(|| format!("read {}", path.display()))?;
    ensure!(bytes.len() <= MAX_BYTES, "{} bytes are too many", bytes.len());
    let (about, analysis) = Recording::from_bytes(&bytes)?.replay()?;
    ensure!(about.name() == selected.name(), "it is of {}", about.name());
    let mut row = Row::new(selected);
    let as_expected = row.add(selected, &about.crash, &analysis.report);
    ensure!(as_expected && row.differences.is_empty(), "{:#?}", row.differences);
    ensure!(!row.wrong_proven, "{:?} and wrong", Confidence::Proven);
    let (text, json) = (render::text(&analysis.report), render::json(&analysis.report));
    ensure!(shown_report(&analysis.report) == text, "an ordinary report is shown as it is");
    ensure!(shown::json(&json) == json, "also as data");
    let (text, json) = (render::text(&analysis.stable), render::json(&analysis.stable));
    let guest = &selected.guest.name;
    let names = [format!("{guest}.txt"), format!("{guest}.json")];
    snapshot::settings_in(selected, &folder(selected)).bind(|| {
        insta::assert_snapshot!(names[0].as_str(), text);
        insta::assert_snapshot!(names[1].as_str(), json);
    });
    // Reached with a report that is another only where it is to be reviewed (`cargo xtask review`).
    snapshot::wait_together(&folder(selected), [(&names[0], &text), (&names[1], &json)])
        .context("write the report for review")
}
