// SPDX-License-Identifier: MIT OR Apache-2.0
//! The form of a line: a verb, right-aligned in twelve columns, and what it is about.

use anstyle::{AnsiColor, Style};

use crate::events::Phase;
use guest::shown;

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

/// A line with a verb. The text may be anybody's.
pub(super) fn verb(style: Style, verb: &str, text: &str) -> String {
    verb_with(style, verb, Style::new(), text)
}

/// The same, with the text in a style of its own.
pub(super) fn verb_with(style: Style, verb: &str, own: Style, text: &str) -> String {
    let text = shown::line(text);
    format!("{style}{verb:>VERB_COLUMNS$}{style:#} {own}{text}{own:#}\n")
}

/// Lines below a verb's text. The text may be anybody's.
pub(super) fn below(text: &str) -> String {
    below_with(Style::new(), text)
}

/// The same in a style of their own.
pub(super) fn below_with(style: Style, text: &str) -> String {
    let indented = |line: &str| {
        let line = shown::line(line);
        format!("{:VERB_COLUMNS$} {style}{line}{style:#}\n", "")
    };
    text.lines().map(indented).collect()
}

/// What a person can do.
pub(super) fn hint(text: &str) -> String {
    format!("  {PLACE}hint:{PLACE:#} {}\n", shown::lines(text))
}

/// The verb of a phase while it goes on and in its final line.
pub(super) const fn phase_verb(phase: Phase, over: bool) -> &'static str {
    match phase {
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
    }
}
