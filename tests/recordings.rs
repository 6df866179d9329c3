// SPDX-License-Identifier: MIT OR Apache-2.0
//! Recordings of crashes, analyzed again without QEMU, the network or a kernel's package: the text and
//! the JSON of each are those that somebody reviewed, and each verdict is held to its case.

use std::fs;
use std::path::PathBuf;
use std::process::ExitCode;

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

fn main() -> ExitCode {
    let arguments = Arguments::from_args();
    let trials = match project::all() {
        Ok(selected) => selected.into_iter().filter_map(recorded).collect(),
        Err(error) => {
            let error = format!("{error:#}");
            vec![Trial::test("recordings::manifests", move || Err(error.into()))]
        }
    };
    libtest_mimic::run(&arguments, trials).exit_code()
}

fn recorded(selected: Selected) -> Option<Trial> {
    let path = folder(&selected).join(format!("{}.{EXTENSION}", selected.guest.name));
    let name = format!("recordings::{}", selected.name());
    path.is_file().then(|| trial(name, move || replay(&selected, &path)))
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
