// SPDX-License-Identifier: MIT OR Apache-2.0
//! `junit.xml`: what pipelines show of tests. A suite for each guest, a test for each case.
//!
//! By the schema's own words a failure is what the test checked, an error what nobody expected:
//! what is judged and is not as the case expects is the one, what could not be judged the other.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::fs;
use std::path::Path;

use quick_xml::escape::escape;

use crate::run::matrix::{self, Cell, Status};
use crate::run::outcome::{Outcome, RunResult, Runs};
use guest::shown;

/// Lines of the console that an error comes with.
const TAIL: usize = 60;
/// Lines of the trigger's output that a message comes with.
const TRIGGER_LINES: usize = 5;

/// The document. `folder` has the runs' folders.
pub(super) fn junit(runs: &Runs, folder: &Path) -> String {
    let mut suites = BTreeMap::<&str, Vec<Cell<'_>>>::new();
    for cell in matrix::cells(&runs.runs) {
        suites.entry(cell.first().guest.as_str()).or_default().push(cell);
    }
    let all: Vec<&Cell<'_>> = suites.values().flatten().collect();
    let mut text = String::from("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n");
    let _ = writeln!(text, "<testsuites name=\"repro\" {}>", counts(&all));
    for (guest, cells) in &suites {
        let cells: Vec<&Cell<'_>> = cells.iter().collect();
        let _ = writeln!(text, "  <testsuite name=\"{}\" {}>", plain(guest), counts(&cells));
        cells.iter().for_each(|cell| text.push_str(&test(cell, folder)));
        text.push_str("  </testsuite>\n");
    }
    text.push_str("</testsuites>\n");
    text
}

fn counts(cells: &[&Cell<'_>]) -> String {
    let count =
        |wanted: &dyn Fn(Status) -> bool| cells.iter().filter(|cell| wanted(cell.status())).count();
    let skipped = |status| status == Status::As(Outcome::Skipped);
    let error = |status| matches!(status, Status::As(Outcome::InfraError | Outcome::NotBuilt));
    let failed = |status: Status| !status.is_good() && !error(status);
    format!(
        "tests=\"{}\" failures=\"{}\" errors=\"{}\" skipped=\"{}\" time=\"{}\"",
        cells.len(),
        count(&failed),
        count(&error),
        count(&skipped),
        seconds(cells.iter().flat_map(|cell| &cell.runs).map(|run| millis(run)).sum()),
    )
}

fn test(cell: &Cell<'_>, folder: &Path) -> String {
    let run = cell.telling();
    let time = seconds(cell.runs.iter().map(|run| millis(run)).sum());
    let mut text = format!(
        "    <testcase classname=\"{}\" name=\"{}\" time=\"{time}\">\n",
        plain(&run.guest),
        plain(&run.case)
    );
    text.push_str(&properties(cell));
    match cell.status() {
        Status::As(Outcome::Reproduced) => {}
        Status::As(Outcome::Skipped) => text.push_str("      <skipped/>\n"),
        Status::As(Outcome::InfraError | Outcome::NotBuilt) => text.push_str(&error(cell)),
        status => {
            let kind = status.name().replace(' ', "-");
            let _ = writeln!(
                text,
                "      <failure type=\"{kind}\" message=\"{}\">{}</failure>",
                plain(&headline(cell)),
                plain(&details(cell))
            );
        }
    }
    let mut out: Vec<String> = run.trigger.iter().flat_map(|trigger| trigger.lines(TAIL)).collect();
    if !cell.status().is_good() {
        out.push(console_tail(&folder.join(run.folder_name())));
    }
    if !out.is_empty() {
        let _ = writeln!(text, "      <system-out>{}</system-out>", plain(&out.join("\n")));
    }
    text.push_str("    </testcase>\n");
    text
}

fn error(cell: &Cell<'_>) -> String {
    let run = cell.runs.iter().find(|run| !run.outcome.is_judged());
    let failure = run.and_then(|run| run.failure.as_ref());
    let kind = failure.and_then(|failure| serde_json::to_value(failure.exit).ok());
    let kind = kind.as_ref().and_then(|kind| kind.as_str()).unwrap_or("internal");
    let message = failure.map_or("not judged", |failure| failure.message.as_str());
    let causes = failure.map(|failure| failure.causes.join("\n")).unwrap_or_default();
    let (message, causes) = (plain(message), plain(&causes));
    format!("      <error type=\"{kind}\" message=\"{message}\">{causes}</error>\n")
}

fn properties(cell: &Cell<'_>) -> String {
    let mut list = Vec::new();
    if let Some(report) = &cell.telling().report {
        list.push(("title", report.verdict.title.clone()));
        list.extend(report.signature.clone().map(|signature| ("signature", signature)));
    }
    if cell.runs.len() > 1 {
        list.push(("rate", cell.rate().to_string()));
    }
    if list.is_empty() {
        return String::new();
    }
    let property = |(name, value): &(&str, String)| {
        format!("        <property name=\"{name}\" value=\"{}\"/>\n", plain(value))
    };
    let lines: String = list.iter().map(property).collect();
    format!("      <properties>\n{lines}      </properties>\n")
}

/// What went wrong with a cell, in one line.
pub(super) fn headline(cell: &Cell<'_>) -> String {
    let run = cell.telling();
    let title = run.report.as_ref().map(|report| shown::field(&report.verdict.title));
    match cell.status() {
        Status::Flaky => format!("flaky: {} as expected", cell.rate()),
        Status::As(Outcome::NotReproduced) => {
            let why = run.failure.as_ref().map(|failure| failure.message.clone());
            why.unwrap_or_else(|| "the kernel did not crash as expected".to_owned())
        }
        Status::As(Outcome::InfraError | Outcome::NotBuilt) => {
            let error = cell.runs.iter().find_map(|run| run.failure.as_ref());
            error.map_or_else(|| "not judged".to_owned(), |failure| failure.message.clone())
        }
        _ => title.unwrap_or_else(|| run.outcome.to_string()),
    }
}

/// The differences of the run that tells most, a line each.
pub(super) fn details(cell: &Cell<'_>) -> String {
    let run = cell.telling();
    let mut lines: Vec<String> = run
        .differences
        .iter()
        .map(|it| [&it.key, &it.expected, &it.got].map(|text| shown::field(text)))
        .map(|[key, expected, got]| format!("{key}: expected {expected}, got {got}"))
        .collect();
    lines.extend(run.trigger.iter().flat_map(|trigger| trigger.lines(TRIGGER_LINES)));
    lines.extend(run.failure.as_ref().map(|failure| failure.to_string()));
    lines.extend(run.report.as_ref().map(|report| shown::field(&report.verdict.summary)));
    lines.join("\n")
}

/// The end of what the guest printed.
pub(super) fn console_tail(folder: &Path) -> String {
    let text = fs::read(folder.join("console.log")).unwrap_or_default();
    let text = String::from_utf8_lossy(&text);
    let lines: Vec<&str> = text.lines().collect();
    lines[lines.len().saturating_sub(TAIL)..].join("\n")
}

fn millis(run: &RunResult) -> u64 {
    run.phases.values().sum()
}

fn seconds(millis: u64) -> String {
    format!("{}.{:03}", millis / 1000, millis % 1000)
}

/// Text for XML 1.0, which has no way to write most control characters; what it cannot hold besides
/// is left out.
fn plain(text: &str) -> String {
    let mut held = shown::visible(text);
    held.retain(|c| !matches!(c, '\u{fffe}' | '\u{ffff}'));
    escape(held.as_str()).into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::error::Failure;
    use crate::exit::Exit;
    use crate::run::outcome::Difference;

    #[test]
    fn failures_errors_and_skips_are_told_apart() {
        let run = |case: &str, guest: &str, outcome| {
            let mut run = RunResult::new(case.into(), guest.into());
            run.outcome = outcome;
            run
        };
        let mut wrong = run("wrong", "guest-b", Outcome::Mismatched);
        wrong.differences.push(Difference {
            key: "title".into(),
            expected: "a < b".into(),
            got: "\u{1}c & \"d\"".into(),
        });
        let mut down = run("down", "guest-a", Outcome::InfraError);
        down.failure = Some(Failure::new(Exit::BootFailed, "no boot"));
        let runs = Runs::new(vec![
            run("fine", "guest-b", Outcome::Reproduced),
            wrong,
            down,
            run("later", "guest-b", Outcome::Skipped),
            run("race", "guest-b", Outcome::Reproduced),
            run("race", "guest-b", Outcome::NotReproduced),
        ]);
        let folder = tempfile::tempdir().unwrap();
        fs::create_dir(folder.path().join("down--guest-a")).unwrap();
        fs::write(folder.path().join("down--guest-a/console.log"), "last words\n").unwrap();
        let text = junit(&runs, folder.path());
        insta::assert_snapshot!(text);
        // Another reader of XML agrees that it is well formed.
        let mut reader = quick_xml::Reader::from_str(&text);
        while reader.read_event().unwrap() != quick_xml::events::Event::Eof {}
    }
}
