// SPDX-License-Identifier: MIT OR Apache-2.0
//! What is told about one case on one guest.

use std::fs;
use std::path::Path;

use maud::{Markup, html};

use super::super::run_words::how_it_ended;
use super::{anchor, badge_with, parameters, part, shown_if, wide, with_code};
use super::{differences, ended, evidence, legend, processor, repeats, stack, stack_use, users};
use crate::run::alike::title;
use crate::run::matrix::Cell;
use crate::run::outcome::RunResult;
use crate::units;
use guest::shown::visible;

/// Lines of the log that are shown.
const TAIL: usize = 60;
/// Files of a run's folder that are linked to.
const FILES: [&str; 8] = [
    "crash.txt",
    "crash.json",
    "vmcore-dmesg.txt",
    "console.log",
    "qemu.txt",
    "case.json",
    "build/build.log",
    "vmcore",
];

/// The section of a cell: the run that tells most, and how often each came.
pub(super) fn section(cell: &Cell<'_>, folder: &Path, is_open: bool) -> Markup {
    let run = cell.telling();
    let own = folder.join(run.folder_name());
    html! {
        section class={ "run " (shown_if(&[cell]).unwrap_or_default()) } {
            details open[is_open] {
                summary { (head(cell)) }
                // A link to what is in a fold opens it, one to the fold itself does not.
                div id=(anchor(run)) {
                    (verdict(run))
                    (part("Not as expected", differences::differences(run)))
                    (part("Runs", repeats::repeats(cell, folder)))
                    (part("How it ended", Some(ended::ended(run))))
                    (part("Source", evidence::source(run)))
                    (part("Evidence", evidence::chain(run)))
                    (part("The object", evidence::object(run)))
                    (part("Who allocated and freed it", users::users(run)))
                    (part("Registers and code", processor::state(run)))
                    (part("Backtrace", stack::backtrace(run)))
                    (part("Stack use", stack_use::picture(run)))
                    (part("Time", time(run)))
                    (part("End of the log", log(&own)))
                    (part("Files", files(&own, &run.folder_name())))
                }
            }
        }
    }
}

/// What is seen of a section that is folded.
fn head(cell: &Cell<'_>) -> Markup {
    let run = cell.telling();
    html! {
        h2 { (visible(&run.name())) }
        (badge_with(cell.status(), &cell.word()))
        @if cell.runs.len() > 1 { span { (cell.rate()) } }
        @if !run.parameters.is_empty() { code { (visible(&parameters(&run.parameters))) } }
        span.short { (with_code(&in_short(run))) }
        span.dim { (visible(&how(run))) }
    }
}

fn how(run: &RunResult) -> String {
    let mut words: Vec<String> = Vec::new();
    let kernel = run.report.as_ref().and_then(|report| report.kernel.release.clone());
    words.extend(kernel.map(|kernel| format!("kernel {kernel}")));
    words.extend(run.accel.map(|accel| accel.to_string()));
    words.extend(run.boot.map(|boot| boot.to_string()));
    words.extend(run.capture.map(|capture| format!("vmcore by {capture}")));
    words.join(", ")
}

fn verdict(run: &RunResult) -> Markup {
    html! {
        @if let Some(report) = &run.report {
            @let verdict = &report.verdict;
            p.summary { (with_code(&verdict.summary)) }
            p {
                (legend::confidence_badge(verdict.confidence))
                " " (with_code(&verdict.title))
                @if let Some(signature) = &report.signature {
                    " " span.dim { "signature " code { (visible(signature)) } }
                }
            }
        }
        @if let Some(failure) = &run.failure {
            p.summary { (visible(&failure.message)) }
            p {
                @let hint = failure.hint.iter().map(|hint| format!("hint: {hint}"));
                @for (number, line) in failure.causes.iter().cloned().chain(hint).enumerate() {
                    @if number > 0 { br; }
                    (visible(&line))
                }
            }
        }
    }
}

/// A bar of the phases' lengths.
fn time(run: &RunResult) -> Option<Markup> {
    if run.phases.values().sum::<u64>() == 0 {
        return None;
    }
    let length = |millis: u64| units::duration(std::time::Duration::from_millis(millis));
    Some(html! {
        div.time {
            @for (phase, millis) in &run.phases {
                span style={ "flex:" (millis) } title={ (phase) " " (length(*millis)) } {}
            }
        }
        div.legend {
            @for (phase, millis) in &run.phases { span { (phase) " " (length(*millis)) } }
        }
    })
}

fn log(folder: &Path) -> Option<Markup> {
    let read = |name: &str| fs::read(folder.join(name)).ok().filter(|bytes| !bytes.is_empty());
    let bytes = read("vmcore-dmesg.txt").or_else(|| read("console.log"))?;
    let log = String::from_utf8_lossy(&bytes);
    let lines: Vec<&str> = log.lines().collect();
    let lines = &lines[lines.len().saturating_sub(TAIL)..];
    let text = html! { pre { @for line in lines { span { (visible(line)) } } } };
    Some(html! {
        details {
            summary { "last " (lines.len()) " lines" }
            (wide("log", &text))
        }
    })
}

fn files(folder: &Path, name: &str) -> Option<Markup> {
    let there: Vec<&str> = FILES.into_iter().filter(|file| folder.join(file).is_file()).collect();
    (!there.is_empty()).then(|| {
        html! {
            @for (number, file) in there.iter().enumerate() {
                @if number > 0 { " · " }
                a href={ (name) "/" (file) } { (file) }
            }
        }
    })
}

/// What a run came down to, in a line: its verdict, or how a kernel ended that did not crash.
fn in_short(run: &RunResult) -> String {
    match (&run.report, &run.ending) {
        (None, Some(ending)) => how_it_ended(ending, run),
        _ => title(run),
    }
}
