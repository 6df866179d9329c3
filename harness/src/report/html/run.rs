// SPDX-License-Identifier: MIT OR Apache-2.0
//! What is told about one case on one guest.

use std::fs;
use std::path::Path;

use maud::{Markup, html};

use super::{anchor, badge, evidence, part, stack, wide, with_code};
use crate::run::ExecRun;
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

/// The section of a cell: the run that tells most, and the rate of all.
pub(super) fn section(cell: &Cell<'_>, folder: &Path) -> Markup {
    let run = cell.telling();
    let own = folder.join(run.folder_name());
    let name = run.name();
    html! {
        section.run id=(anchor(&name)) {
            div.head {
                h2 { (visible(&name)) }
                (badge(cell.status()))
                @if cell.runs.len() > 1 { span { (cell.rate()) } }
                span.dim { (visible(&how(run))) }
            }
            (verdict(run))
            (part("Not as expected", differences(run)))
            (part("Trigger", trigger(run)))
            (part("Source", evidence::source(run)))
            (part("Evidence", evidence::chain(run)))
            (part("The object", evidence::object(run)))
            (part("Backtrace", stack::backtrace(run)))
            (part("Stack use", stack::picture(run)))
            (part("Time", time(run)))
            (part("End of the log", log(&own)))
            (part("Files", files(&own, &run.folder_name())))
        }
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
            @let confidence = serde_json::to_value(verdict.confidence).unwrap_or_default();
            @let confidence = confidence.as_str().unwrap_or_default();
            @let class = if confidence == "proven" { "good" } else { "doubt" };
            p.summary { (with_code(&verdict.summary)) }
            p {
                span class={ "badge " (class) } { (confidence) }
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

fn differences(run: &RunResult) -> Option<Markup> {
    if run.differences.is_empty() {
        return None;
    }
    let table = html! {
        table {
            tr { th { "what" } th { "expected" } th { "got" } }
            @for it in &run.differences {
                tr {
                    td { (visible(&it.key)) }
                    td { (with_code(&it.expected)) }
                    td { (with_code(&it.got)) }
                }
            }
        }
    };
    Some(wide("differences", &table))
}

/// How the trigger ended, and the last that it printed.
fn trigger(run: &RunResult) -> Option<Markup> {
    let trigger = run.trigger.as_ref()?;
    let output = html! { pre { @for line in &trigger.output { span { (visible(line)) } } } };
    Some(html! {
        p { (visible(&trigger.headline())) }
        @for line in trigger.exec.iter().flat_map(ExecRun::lines) { p { (visible(&line)) } }
        @if !trigger.output.is_empty() { (wide("what the trigger printed", &output)) }
    })
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
