// SPDX-License-Identifier: MIT OR Apache-2.0
//! The form of a line: a verb, right-aligned in twelve columns, and what it is about.

use anstyle::{AnsiColor, Style};

use crate::events::Phase;
use crate::run::outcome::Outcome;

/// Columns of the verb.
pub(super) const VERB_COLUMNS: usize = 12;

/// Goes on.
pub(super) const GOOD: Style = AnsiColor::Green.on_default().bold();
/// Went wrong.
pub(super) const BAD: Style = AnsiColor::Red.on_default().bold();
/// Deserves a look.
pub(super) const DOUBTFUL: Style = AnsiColor::Yellow.on_default().bold();
/// Paths and hints.
pub(super) const PLACE: Style = AnsiColor::Cyan.on_default();
/// Less important.
pub(super) const DIM: Style = Style::new().dimmed();

/// A line with a verb.
pub(super) fn verb(style: Style, verb: &str, text: &str) -> String {
    format!("{style}{verb:>VERB_COLUMNS$}{style:#} {text}\n")
}

/// Lines below a verb's text.
pub(super) fn below(text: &str) -> String {
    text.lines().map(|line| format!("{:VERB_COLUMNS$} {line}\n", "")).collect()
}

/// The verb of a phase while it goes on and in its final line; `None` for those that take no time
/// worth a line.
pub(super) const fn phase_verb(phase: Phase, over: bool) -> Option<&'static str> {
    Some(match phase {
        Phase::Plan | Phase::Judge => return None,
        Phase::Setup => "Setting up",
        Phase::Fetch => "Fetching",
        Phase::Build => "Building",
        Phase::Boot => "Booting",
        Phase::Arm if over => "Armed",
        Phase::Arm => "Arming",
        Phase::Load => "Loading",
        Phase::Trigger => "Triggering",
        Phase::Unload => "Unloading",
        Phase::Capture => "Capturing",
        Phase::Analyze => "Analyzing",
        Phase::Write => "Writing",
    })
}

/// The verb and style of an outcome.
pub(super) const fn outcome_verb(outcome: Outcome) -> (&'static str, Style) {
    match outcome {
        Outcome::Reproduced => ("Reproduced", GOOD),
        Outcome::Mismatched => ("Mismatched", BAD),
        Outcome::NotReproduced => ("Unreproduced", BAD),
        Outcome::InfraError => ("Failed", BAD),
        Outcome::Skipped => ("Skipped", DOUBTFUL),
    }
}
