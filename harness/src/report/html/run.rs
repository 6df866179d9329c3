// SPDX-License-Identifier: MIT OR Apache-2.0
//! What is told about one case on one guest.

use std::fmt::Write as _;
use std::fs;
use std::path::Path;

use super::{anchor, badge, evidence, part, stack, wide, with_code};
use crate::report::junit::plain;
use crate::run::matrix::Cell;
use crate::run::outcome::RunResult;
use crate::units;

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
pub(super) fn section(cell: &Cell<'_>, folder: &Path) -> String {
    let run = cell.telling();
    let own = folder.join(run.folder_name());
    let name = run.name();
    let mut text =
        format!("<section class=\"run\" id=\"{}\">\n<div class=\"head\">", anchor(&name));
    let _ = write!(text, "<h2>{}</h2>{}", plain(&name), badge(cell.status()));
    if cell.runs.len() > 1 {
        let _ = write!(text, "<span>{}</span>", cell.rate());
    }
    let _ = writeln!(text, "<span class=\"dim\">{}</span></div>", plain(&how(run)));
    text.push_str(&verdict(run));
    text.push_str(&part("Not as expected", &differences(run)));
    text.push_str(&part("Source", &evidence::source(run)));
    text.push_str(&part("Evidence", &evidence::chain(run)));
    text.push_str(&part("The object", &evidence::object(run)));
    text.push_str(&part("Backtrace", &stack::backtrace(run)));
    text.push_str(&part("Stack use", &stack::picture(run)));
    text.push_str(&part("Time", &time(run)));
    text.push_str(&part("End of the log", &log(&own)));
    text.push_str(&part("Files", &files(&own, &run.folder_name())));
    text.push_str("</section>\n");
    text
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

fn verdict(run: &RunResult) -> String {
    let mut text = String::new();
    if let Some(report) = &run.report {
        let verdict = &report.verdict;
        let confidence = serde_json::to_value(verdict.confidence).unwrap_or_default();
        let confidence = confidence.as_str().unwrap_or_default();
        let class = if confidence == "proven" { "good" } else { "doubt" };
        let _ = writeln!(text, "<p class=\"summary\">{}</p>", with_code(&verdict.summary));
        let _ = write!(text, "<p><span class=\"badge {class}\">{confidence}</span> ");
        let _ = write!(text, "{}", with_code(&verdict.title));
        if let Some(signature) = &report.signature {
            let _ = write!(text, " <span class=\"dim\">signature <code>{signature}</code></span>");
        }
        text.push_str("</p>\n");
    }
    if let Some(failure) = &run.failure {
        let _ = writeln!(text, "<p class=\"summary\">{}</p>", plain(&failure.message));
        let causes = failure.causes.iter().map(|cause| plain(cause));
        let hint = failure.hint.iter().map(|hint| format!("hint: {}", plain(hint)));
        let lines: Vec<String> = causes.chain(hint).collect();
        let _ = writeln!(text, "<p>{}</p>", lines.join("<br>"));
    }
    text
}

fn differences(run: &RunResult) -> String {
    if run.differences.is_empty() {
        return String::new();
    }
    let mut text = String::from("<table>\n<tr><th>what</th><th>expected</th><th>got</th></tr>\n");
    for it in &run.differences {
        let (key, expected, got) = (plain(&it.key), with_code(&it.expected), with_code(&it.got));
        let _ = writeln!(text, "<tr><td>{key}</td><td>{expected}</td><td>{got}</td></tr>");
    }
    text.push_str("</table>\n");
    wide("differences", &text)
}

/// A bar of the phases' lengths.
fn time(run: &RunResult) -> String {
    let total: u64 = run.phases.values().sum();
    if total == 0 {
        return String::new();
    }
    let (mut bar, mut legend) = (String::new(), String::new());
    for (phase, millis) in &run.phases {
        let time = units::duration(std::time::Duration::from_millis(*millis));
        let _ = write!(bar, "<span style=\"flex:{millis}\" title=\"{phase} {time}\"></span>");
        let _ = write!(legend, "<span>{phase} {time}</span>");
    }
    format!("<div class=\"time\">{bar}</div>\n<div class=\"legend\">{legend}</div>\n")
}

fn log(folder: &Path) -> String {
    let read = |name: &str| fs::read(folder.join(name)).ok().filter(|bytes| !bytes.is_empty());
    let Some(bytes) = read("vmcore-dmesg.txt").or_else(|| read("console.log")) else {
        return String::new();
    };
    let log = String::from_utf8_lossy(&bytes);
    let lines: Vec<&str> = log.lines().collect();
    let lines = &lines[lines.len().saturating_sub(TAIL)..];
    let count = lines.len();
    let lines: String = lines.iter().map(|line| format!("<span>{}</span>", plain(line))).collect();
    let lines = wide("log", &format!("<pre>{lines}</pre>\n"));
    format!("<details><summary>last {count} lines</summary>\n{lines}</details>\n")
}

fn files(folder: &Path, name: &str) -> String {
    let there = FILES.iter().filter(|file| folder.join(file).is_file());
    let link = |file: &&str| format!("<a href=\"{}/{file}\">{file}</a>", plain(name));
    there.map(link).collect::<Vec<_>>().join(" · ")
}
