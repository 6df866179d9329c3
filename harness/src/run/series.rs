// SPDX-License-Identifier: MIT OR Apache-2.0
//! The runs of an invocation, in order, and in which way each is made.
//!
//! A single run is the reference: a cold boot and real kdump. Several runs are made fast, from
//! snapshots; then each guest has one run by kdump in addition, whose report must be the same as
//! that of the fast run of its case.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use crate::error::Failure;
use crate::exit::Exit;
use crate::report::run_folder;
use crate::run::outcome::{Difference, Outcome, RunResult};
use crate::run::plan::{BootWay, CaptureWay, Ways};
use crate::run::select::Selected;

/// What the user says about the ways; what is left open is decided here.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Wish {
    /// How dumps are taken.
    pub capture: Option<CaptureWay>,
    /// How guests get up.
    pub boot: Option<BootWay>,
    /// How often each run is made.
    pub repeat: u32,
}

/// One run.
#[derive(Debug)]
pub struct Job<'s> {
    /// Its name, which is its folder's too.
    pub name: String,
    /// Case and guest.
    pub selected: &'s Selected,
    /// How it is made.
    pub ways: Ways,
    /// The run by kdump whose report has to be the same.
    pub check_against: Option<String>,
}

/// Each so many runs of a guest boots, so that not all share a few snapshots' random numbers.
const COLD_EACH: u32 = 10;
/// Snapshots of a guest by the number of its runs: each gives its runs their own addresses.
const VARIANTS: [(u32, u32); 2] = [(32, 3), (8, 2)];

/// Ends the name of a run that is made by kdump to check the fast ones.
const KDUMP: &str = "kdump";

impl Wish {
    /// The runs.
    ///
    /// # Errors
    /// What the user wishes cannot be had together.
    pub fn jobs<'s>(&self, selected: &'s [Selected]) -> Result<Vec<Job<'s>>, Failure> {
        let several = selected.len() > 1 || self.repeat > 1;
        let (capture, boot) = self.ways(several)?;
        let checked = several && self.capture.is_none() && capture == CaptureWay::Fast;
        let mut names = Names::default();
        let mut guests = BTreeMap::<&str, u32>::new();
        let mut jobs = Vec::new();
        let runs_of = |guest: &str| {
            let of_guest = selected.iter().filter(|selected| selected.guest.name == guest).count();
            u32::try_from(of_guest).unwrap_or(u32::MAX).saturating_mul(self.repeat)
        };
        for selected in selected {
            let guest = selected.guest.name.as_str();
            let variants = variants(runs_of(guest));
            for _ in 0..self.repeat {
                let number = guests.entry(guest).or_default();
                let name = names.next(selected.name());
                let mut check_against = None;
                if checked && *number == 0 {
                    let reference = format!("{name}.{KDUMP}");
                    check_against = Some(reference.clone());
                    let ways = Ways::default();
                    jobs.push(Job { name: reference, selected, ways, check_against: None });
                }
                let cold = self.boot.is_none() && *number % COLD_EACH == COLD_EACH - 1;
                let boot = if cold { BootWay::Cold } else { boot };
                let ways = Ways { capture, boot, variant: *number % variants };
                *number += 1;
                jobs.push(Job { name, selected, ways, check_against });
            }
        }
        Ok(jobs)
    }

    fn ways(&self, several: bool) -> Result<(CaptureWay, BootWay), Failure> {
        let fast = several || self.boot == Some(BootWay::Snapshot);
        let capture =
            self.capture.unwrap_or(if fast { CaptureWay::Fast } else { CaptureWay::Kdump });
        let is_fast = capture == CaptureWay::Fast;
        let boot = match self.boot {
            Some(BootWay::Snapshot) if !is_fast => {
                let message = "a snapshot is of a guest that is captured fast";
                return Err(Failure::new(Exit::Usage, message)
                    .hint("leave out --boot snapshot, or say --capture fast"));
            }
            Some(boot) => boot,
            None if several && is_fast => BootWay::Snapshot,
            None => BootWay::Cold,
        };
        Ok((capture, boot))
    }
}

fn variants(runs: u32) -> u32 {
    VARIANTS.iter().find(|(least, _)| runs >= *least).map_or(1, |(_, variants)| *variants)
}

/// One name for each run; a repeated one has its number.
#[derive(Default)]
struct Names(BTreeMap<String, u32>);

impl Names {
    fn next(&mut self, name: String) -> String {
        let number = self.0.entry(name.clone()).or_default();
        *number += 1;
        if *number == 1 { name } else { format!("{name}.{number}") }
    }
}

/// Compares a fast run's report with that of the run by kdump; both are in `folder`, in their
/// stable forms. Gives the first difference in words.
///
/// Another verdict or another way to the fault makes the fast run a mismatch. What is left may differ
/// from crash to crash: which CPU took an interrupt, and what it was doing. A run without a report
/// has failed anyway.
pub fn check(
    fast: &mut RunResult,
    name: &str,
    reference: (&RunResult, &str),
    folder: &Path,
) -> Option<String> {
    let (reference, reference_name) = reference;
    let stable =
        |run: &str| fs::read_to_string(folder.join(run_folder(run)).join("crash.stable.txt")).ok();
    let (is, expected) = (stable(name)?, stable(reference_name)?);
    let different = expected.lines().zip(is.lines()).find(|(expected, is)| expected != is);
    let (expected, got) = match different {
        Some((expected, got)) => (expected.to_owned(), got.to_owned()),
        None if expected == is => return None,
        None => (lines(&expected), lines(&is)),
    };
    let key = format!("the report of {reference_name}");
    let words = format!("{name} has not {key}: `{got}` instead of `{expected}`");
    if verdict(fast) == verdict(reference) {
        return Some(words);
    }
    fast.differences.push(Difference { key, expected, got });
    if fast.outcome == Outcome::Reproduced {
        fast.outcome = Outcome::Mismatched;
    }
    Some(words)
}

/// What two runs of one case have in common: what happened, where, why, and how it is known.
fn verdict(run: &RunResult) -> Option<(String, Option<String>, String)> {
    let report = run.report.as_ref()?;
    let verdict = serde_json::to_value(&report.verdict).ok()?;
    let told = |key: &str| verdict.get(key).map(ToString::to_string).unwrap_or_default();
    let said = ["kind", "title", "culprit", "expression", "confidence"].map(told).join(" ");
    Some((said, report.signature.clone(), run.case.clone()))
}

fn lines(text: &str) -> String {
    format!("{} lines", text.lines().count())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn selected(case: &str, guest: &str) -> Selected {
        let root = Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap();
        let project = crate::config::Project::find(Some(root)).unwrap();
        let mut selected = crate::run::select::select(&project, &[]).unwrap().remove(0);
        selected.case.name = case.to_owned();
        selected.guest.name = guest.to_owned();
        selected
    }

    fn jobs(wish: Wish, selected: &[Selected]) -> Vec<(String, Ways, Option<String>)> {
        let jobs = wish.jobs(selected).unwrap();
        jobs.into_iter().map(|job| (job.name, job.ways, job.check_against)).collect()
    }

    const FAST: Ways = Ways { capture: CaptureWay::Fast, boot: BootWay::Snapshot, variant: 0 };

    #[test]
    fn a_single_run_is_the_reference() {
        let one = [selected("a", "x")];
        let wish = Wish { repeat: 1, ..Wish::default() };
        assert_eq!(jobs(wish, &one), [("a@x".into(), Ways::default(), None)]);
        let wish = Wish { boot: Some(BootWay::Snapshot), ..wish };
        assert_eq!(jobs(wish, &one), [("a@x".into(), FAST, None)]);
        let wish = Wish { capture: Some(CaptureWay::Kdump), ..wish };
        assert_eq!(wish.jobs(&one).unwrap_err().exit, Exit::Usage);
    }

    #[test]
    fn several_runs_are_fast_and_each_guest_is_checked_once() {
        let three = [selected("a", "x"), selected("b", "x"), selected("a", "y")];
        let made = jobs(Wish { repeat: 1, ..Wish::default() }, &three);
        let check = |name: &str| Some(format!("{name}.kdump"));
        let expected = [
            ("a@x.kdump".to_owned(), Ways::default(), None),
            ("a@x".to_owned(), FAST, check("a@x")),
            ("b@x".to_owned(), FAST, None),
            ("a@y.kdump".to_owned(), Ways::default(), None),
            ("a@y".to_owned(), FAST, check("a@y")),
        ];
        assert_eq!(made, expected);
        let kdump = Wish { capture: Some(CaptureWay::Kdump), repeat: 1, boot: None };
        let names: Vec<_> = jobs(kdump, &three).into_iter().map(|(name, ..)| name).collect();
        assert_eq!(names, ["a@x", "b@x", "a@y"], "what is wished needs no check");
    }

    #[test]
    fn many_runs_have_several_snapshots_and_a_share_boots() {
        let one = [selected("a", "x")];
        let made = jobs(Wish { repeat: 40, ..Wish::default() }, &one);
        let fast: Vec<_> = made.iter().filter(|job| job.1.capture == CaptureWay::Fast).collect();
        let cold = fast.iter().filter(|job| job.1.boot == BootWay::Cold).count();
        assert_eq!((fast.len(), cold), (40, 4));
        let variants: std::collections::BTreeSet<_> =
            fast.iter().map(|job| job.1.variant).collect();
        assert_eq!(variants.len(), 3);
        assert_eq!(fast.last().unwrap().0, "a@x.40");
    }

    #[test]
    fn another_verdict_is_a_mismatch_and_another_cpu_is_told() {
        let folder = tempfile::tempdir().unwrap();
        let write = |run: &str, text: &str| {
            let own = folder.path().join(run_folder(run));
            fs::create_dir_all(&own).unwrap();
            fs::write(own.join("crash.stable.txt"), text).unwrap();
        };
        let run = |signature: &str| {
            let mut result = RunResult::new("a".into(), "x".into());
            result.outcome = Outcome::Reproduced;
            let report = serde_json::json!({
                "schema_version": 1, "kernel": {}, "dump": {}, "panic": {}, "task": null,
                "verdict": {
                    "kind": "unknown", "title": "t", "summary": "s", "confidence": "unknown",
                    "culprit": null, "expression": null, "evidence": []
                },
                "signature": signature, "backtraces": { "fault": [], "panic": [] },
                "modules": [], "findings": []
            });
            result.report = Some(serde_json::from_value(report).unwrap());
            result
        };
        let check = |kdump: &str, signature: &str| {
            write("a@x", "TASK swapper/0\nframe 1\n");
            write("a@x.kdump", kdump);
            let mut fast = run(signature);
            let reference = run("one");
            let words = super::check(&mut fast, "a@x", (&reference, "a@x.kdump"), folder.path());
            (fast.outcome, words.is_some())
        };
        assert_eq!(check("TASK swapper/0\nframe 1\n", "one"), (Outcome::Reproduced, false));
        assert_eq!(check("TASK swapper/1\nframe 1\n", "one"), (Outcome::Reproduced, true));
        assert_eq!(check("TASK swapper/0\nframe 2\n", "two"), (Outcome::Mismatched, true));
        assert_eq!(check("TASK swapper/0\n", "two"), (Outcome::Mismatched, true));
    }
}
