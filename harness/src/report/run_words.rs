// SPDX-License-Identifier: MIT OR Apache-2.0
//! A run in words, for the terminal.

use std::collections::BTreeMap;
use std::time::Duration;

use anstyle::Style;

use super::line::{BAD, DIM, DOUBTFUL, GOOD, below, below_with, verb};
use crate::events::{CaptureMethod, Counts, Phase};
use crate::run::outcome::{Difference, Ending, Outcome, RunResult};
use crate::run::plan::BootWay;
use crate::units;
use guest::shown;

/// Lines shown of what the trigger of a run printed that is not as expected.
const TRIGGER_LINES: usize = 10;

/// The line that says how a run is judged: case, guest, accelerator, capture method, time.
pub(super) fn head(result: &RunResult, number: Option<(usize, usize)>) -> String {
    let (name, style) = outcome_verb(result);
    let number = numbered(number);
    let mut how = Vec::new();
    how.extend(result.accel.map(|accel| accel.to_string()));
    how.extend(result.boot.filter(|boot| *boot != BootWay::Cold).map(|boot| boot.to_string()));
    how.extend(result.capture.map(|method| format!("vmcore by {method}")));
    let how = if how.is_empty() { String::new() } else { format!(" [{}]", how.join(", ")) };
    let total = result.phases.values().sum();
    verb(style, name, &format!("{number}{}{how} ({})", result.name(), time(total)))
}

/// Which of several runs, before its name.
fn numbered(number: Option<(usize, usize)>) -> String {
    number.map(|(number, of)| format!("{number}/{of} ")).unwrap_or_default()
}

/// Why a run was not under KVM, below its line.
pub(super) fn not_under_kvm(reason: &str) -> String {
    below(&format!("not under kvm: {reason}"))
}

/// What is below: the verdict or the failure, what was not as wished, where the time went.
pub(super) fn body(result: &RunResult, not_kvm: Option<&str>) -> String {
    let mut text = String::new();
    if let Some(report) = &result.report {
        text.push_str(&below(&shown::field(&report.verdict.summary)));
    }
    if let Some(ending) = &result.ending {
        text.push_str(&below(&how_it_ended(ending, result)));
    }
    if let Some(failure) = &result.failure {
        text.push_str(&below(&failure.message));
        for cause in &failure.causes {
            text.push_str(&below(&format!("caused by: {cause}")));
        }
    }
    text.push_str(&differences(result));
    // Of a run that is as expected one line is enough to see that the trigger did something.
    let most = if result.outcome == Outcome::Reproduced { 1 } else { TRIGGER_LINES };
    for line in result.trigger.iter().flat_map(|trigger| trigger.lines(most)) {
        text.push_str(&below(&line));
    }
    if let Some(reason) = not_kvm {
        text.push_str(&not_under_kvm(reason));
    }
    if let Some(reason) = &result.boot_reason {
        text.push_str(&below(&format!("not from a snapshot: {reason}")));
    }
    if let Some(reason) = &result.capture_reason
        && result.capture.is_some()
    {
        let way = match result.capture {
            Some(CaptureMethod::Kdump | CaptureMethod::NmiKdump) => "fast",
            _ => "by kdump",
        };
        text.push_str(&below(&format!("not captured {way}: {reason}")));
    }
    if !result.phases.is_empty() {
        text.push_str(&below_with(DIM, &phases(&result.phases)));
    }
    text
}

fn differences(result: &RunResult) -> String {
    let mut text = String::new();
    let mut before = None;
    for Difference { key, expected, got } in &result.differences {
        // What is wrong with one thing may be several things.
        if before.replace((key, expected)) != Some((key, expected)) {
            let [key, expected] = [key, expected].map(|text| shown::field(text));
            text.push_str(&below(&format!("{key:<20} - {expected}")));
        }
        text.push_str(&below(&format!("{:<20} + {}", "", shown::field(got))));
    }
    text
}

fn phases(phases: &BTreeMap<Phase, u64>) -> String {
    let words: Vec<_> =
        phases.iter().map(|(phase, millis)| format!("{phase} {}", time(*millis))).collect();
    words.join(", ")
}

/// A run that is as expected, in one line.
pub(super) fn brief(result: &RunResult, number: Option<(usize, usize)>) -> String {
    let (name, style) = outcome_verb(result);
    let number = numbered(number);
    let what = match (&result.report, &result.ending) {
        (Some(report), _) => format!(": {}", report.verdict.title),
        (None, Some(ending)) => format!(": {}", how_it_ended(ending, result)),
        (None, None) => String::new(),
    };
    let total = time(result.phases.values().sum());
    verb(style, name, &format!("{number}{} ({total}){what}", result.name()))
}

/// Whether all that is told of a run was told of another one of the same case.
pub(super) fn says_the_same(shown: &RunResult, run: &RunResult) -> bool {
    let title = |run: &RunResult| run.report.as_ref().map(|report| report.verdict.title.clone());
    (shown.name(), shown.outcome, &shown.differences, &shown.failure)
        == (run.name(), run.outcome, &run.differences, &run.failure)
        && title(shown) == title(run)
}

/// A run of which all was told.
pub(super) fn again(result: &RunResult, number: Option<(usize, usize)>) -> String {
    let (name, style) = outcome_verb(result);
    let number = numbered(number);
    let total = time(result.phases.values().sum());
    verb(style, name, &format!("{number}{} ({total}): as before", result.name()))
}

/// The runs for a log that has nothing else: a line each, what is not as expected in full, and the sum.
#[must_use]
pub fn told(runs: &[RunResult]) -> String {
    let mut counts = Counts::default();
    let mut text = String::new();
    let mut shown: Option<&RunResult> = None;
    for (run, number) in runs.iter().zip(1..) {
        counts.add(run.outcome);
        let number = (runs.len() > 1).then_some((number, runs.len()));
        text.push_str(&match (run.outcome, shown) {
            (Outcome::Reproduced, _) => brief(run, number),
            (_, Some(shown)) if says_the_same(shown, run) => again(run, number),
            _ => {
                shown = Some(run);
                head(run, number) + &body(run, None)
            }
        });
    }
    let style = if counts.is_good() { GOOD } else { BAD };
    text + &verb(style, "Summary", &summary(counts))
}

/// How many runs came out how; what there was none of is not said.
pub(super) fn summary(counts: Counts) -> String {
    let total = counts.total();
    let Counts { reproduced, mismatched, not_reproduced, not_built, infra_errors, skipped } =
        counts;
    let errors = if infra_errors == 1 { "infra error" } else { "infra errors" };
    let all = [
        (reproduced, "as expected"),
        (mismatched, "mismatched"),
        (not_reproduced, "not reproduced"),
        (not_built, "not built"),
        (infra_errors, errors),
        (skipped, "skipped"),
    ];
    let some = all.iter().filter(|(count, _)| *count > 0);
    let words: Vec<String> = some.map(|(count, what)| format!("{count} {what}")).collect();
    format!("{total} {}: {}", if total == 1 { "run" } else { "runs" }, words.join(", "))
}

/// How a kernel ended that did not crash.
pub(super) fn how_it_ended(ending: &Ending, result: &RunResult) -> String {
    match ending {
        Ending::Survived { complaints, unloaded } => {
            let trigger = result.phases.get(&Phase::Trigger).copied().unwrap_or_default();
            let complaints = match complaints {
                0 => "no complaint".to_owned(),
                1 => "1 complaint".to_owned(),
                more => format!("{more} complaints"),
            };
            let unloaded = if *unloaded { "unloaded" } else { "still loaded" };
            format!("survived {}, {complaints}, {unloaded}", time(trigger))
        }
        Ending::Refused { why } => format!("not loaded: {}", shown::field(why)),
    }
}

/// The verb of a run, and its style.
fn outcome_verb(result: &RunResult) -> (&'static str, Style) {
    match (result.outcome, &result.ending) {
        (Outcome::Reproduced, Some(Ending::Survived { .. })) if result.report.is_none() => {
            ("Survived", GOOD)
        }
        (Outcome::Reproduced, Some(Ending::Refused { .. })) => ("Refused", GOOD),
        (Outcome::Reproduced, _) => ("Reproduced", GOOD),
        (Outcome::Mismatched, _) => ("Mismatched", BAD),
        (Outcome::NotReproduced, _) => ("Unreproduced", BAD),
        (Outcome::NotBuilt, _) => ("Not built", BAD),
        (Outcome::InfraError, _) => ("Failed", BAD),
        (Outcome::Skipped, _) => ("Skipped", DOUBTFUL),
    }
}

pub(super) fn time(millis: u64) -> String {
    units::duration(Duration::from_millis(millis))
}
