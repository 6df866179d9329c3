// SPDX-License-Identifier: MIT OR Apache-2.0
//! The report for people: what happened first, then how it is known, then the stacks.

use crate::report::{
    Confidence, CrashKind, Does, EarlierReport, Evidence, Frame, LogEntry, Module, Repeats, Report,
    Severity, Task, Trust,
};

/// Width of the left column of a frame: number, function, offset and module.
const FUNCTION_WIDTH: usize = 52;
/// Width of the column with file and line.
const SOURCE_WIDTH: usize = 36;

/// Steps that are shown; whoever reads on wants the stacks.
const MAX_EVIDENCE: usize = 16;
/// Reports of a text that are listed.
const MAX_REPORTS: usize = 20;

/// The report as text.
pub fn text(report: &Report) -> String {
    text_with(report, "")
}

/// The same, with further lines behind the verdict: what a caller knows besides the report.
pub fn text_with(report: &Report, more: &str) -> String {
    let mut out = String::new();
    header(report, &mut out);
    verdict(report, &mut out);
    out.push_str(more);
    earlier(&report.earlier, &mut out);
    reports(&report.reports, &mut out);
    let stacks = &report.backtraces;
    match (stacks.does, &report.task) {
        (Some(does), Some(task)) => {
            backtrace(&format!("FAULT   {}", party(task, does)), &stacks.fault, &mut out);
        }
        _ => backtrace("FAULT", &stacks.fault, &mut out),
    }
    for other in &stacks.others {
        let title = format!("BESIDE  {}", party(&other.task, other.does));
        backtrace(&title, &other.frames, &mut out);
    }
    backtrace("PANIC PATH", &stacks.panic, &mut out);
    modules(&report.modules, &mut out);
    findings(report, &mut out);
    out
}

fn line(out: &mut String, label: &str, value: &str) {
    out.push_str(format!("{label:<10} {value}").trim_end());
    out.push('\n');
}

fn header(report: &Report, out: &mut String) {
    let kernel = &report.kernel;
    let mut parts: Vec<String> = Vec::new();
    parts.extend(kernel.release.clone());
    parts.extend(kernel.version.clone());
    parts.extend(kernel.kaslr_offset.as_ref().map(|offset| format!("kaslr {offset}")));
    parts.extend(kernel.taint.as_ref().map(|taint| match taint.as_str() {
        "" => "not tainted".to_owned(),
        letters => format!("taint {letters}"),
    }));
    line(out, "KERNEL", &joined(&parts));
    let mut machine: Vec<String> = Vec::new();
    machine.extend(kernel.nodename.clone());
    machine.extend(kernel.cpus.map(|cpus| format!("{cpus} CPUs")));
    machine.extend(kernel.memory_bytes.map(|bytes| format!("{} MiB", bytes >> 20)));
    machine.extend(kernel.uptime_seconds.map(|seconds| format!("up {seconds} s")));
    if !machine.is_empty() {
        line(out, "MACHINE", &joined(&machine));
    }
    let dump = &report.dump;
    let mut parts: Vec<String> = Vec::new();
    parts.extend(dump.format.clone());
    parts.extend(dump.compression.clone());
    parts.extend(dump.level.map(|level| format!("level {level}")));
    parts.extend(
        dump.complete.map(
            |complete| {
                if complete { "complete".to_owned() } else { "INCOMPLETE".to_owned() }
            },
        ),
    );
    if !parts.is_empty() {
        line(out, "DUMP", &joined(&parts));
    }
    let none = if report.verdict.kind == CrashKind::Running { "none" } else { "unknown" };
    line(out, "PANIC", report.panic.message.as_deref().unwrap_or(none));
    if let Some(task) = &report.task {
        let mut parts: Vec<String> = Vec::new();
        parts.extend(task.comm.clone());
        parts.extend(task.pid.map(|pid| format!("pid {pid}")));
        parts.extend(task.cpu.map(|cpu| format!("cpu {cpu}")));
        parts.extend(task.address.as_ref().map(|address| format!("task {address}")));
        line(out, "TASK", &joined(&parts));
    }
}

fn joined(parts: &[String]) -> String {
    parts.join("   ")
}

fn verdict(report: &Report, out: &mut String) {
    let verdict = &report.verdict;
    line(out, "TITLE", &verdict.title);
    out.push('\n');
    line(out, "VERDICT", &verdict.summary);
    if let Some(confidence) = confidence(report) {
        line(out, "", confidence);
    }
    if let Some(signature) = &report.signature {
        let root = report.root_signature.as_ref().map(|root| format!(" (root {root})"));
        line(out, "SIGNATURE", &format!("{signature}{}", root.unwrap_or_default()));
    }
    let shown = verdict.evidence.len().min(MAX_EVIDENCE);
    for (index, evidence) in verdict.evidence.iter().take(shown).enumerate() {
        line(out, if index == 0 { "EVIDENCE" } else { "" }, &sentence(evidence));
    }
    if verdict.evidence.len() > shown {
        let more = verdict.evidence.len() - shown;
        line(out, "", &format!("     {more} more steps in the JSON form"));
    }
    for (index, next) in verdict.next.iter().enumerate() {
        line(out, if index == 0 { "NEXT" } else { "" }, next);
    }
}

/// How far the verdict carries, as far as its sentence does not say that itself.
fn confidence(report: &Report) -> Option<&'static str> {
    let verdict = &report.verdict;
    match verdict.confidence {
        Confidence::Proven if verdict.expression.is_some() => {
            Some("proven: evaluated again on the dump")
        }
        Confidence::Proven => Some("proven: by the stacks and the code in the dump"),
        Confidence::Likely | Confidence::Unknown if verdict.open.is_some() => None,
        Confidence::Likely if report.is_of_text() => {
            Some("likely: a text has no memory to check it on")
        }
        Confidence::Likely => {
            Some("likely: it follows from the code, and the dump does not show it")
        }
        Confidence::Unknown => Some("unknown"),
    }
}

/// A task, and what it does.
fn party(task: &Task, does: Does) -> String {
    let comm = task.comm.as_deref().unwrap_or("?");
    let pid = task.pid.map(|pid| format!(" (pid {pid})")).unwrap_or_default();
    let does = does.words();
    format!("task {comm}{pid}, which {does}")
}

fn sentence(evidence: &Evidence) -> String {
    let mark = match evidence.confirmed {
        Some(true) => "yes",
        Some(false) => "NO ",
        None => "?  ",
    };
    format!("{mark}  {}", evidence.claim)
}

fn backtrace(title: &str, frames: &[Frame], out: &mut String) {
    if frames.is_empty() {
        return;
    }
    out.push_str(&format!("\n{title}\n"));
    for frame in frames {
        let name = function(frame);
        let source = match (&frame.file, frame.line) {
            (Some(file), Some(line)) => format!("{file}:{line}"),
            (Some(file), None) => file.clone(),
            _ => String::new(),
        };
        let trust = if frame.inlined { "inlined" } else { trust(frame.trust) };
        let row = format!(
            " {:>3} {name:<FUNCTION_WIDTH$} {source:<SOURCE_WIDTH$} {trust}",
            format!("#{}", frame.index)
        );
        out.push_str(row.trim_end());
        out.push('\n');
        if let (Some(text), None) = (&frame.source, frame.line) {
            out.push_str(&format!("       | {text}\n"));
        }
        if !frame.arguments.is_empty() {
            out.push_str(&format!("       {}\n", frame.arguments.join(", ")));
        }
        if let Some(repeats) = &frame.repeats {
            out.push_str(&format!("     {}\n", folded(repeats)));
        }
        if let Some(boundary) = &frame.boundary {
            out.push_str(&format!("     --- {boundary} ---\n"));
        }
    }
}

/// What was left out; the stable form does not tell how much.
fn folded(repeats: &Repeats) -> String {
    let times = match repeats.times {
        0 => "again and again".to_owned(),
        1 => "once more".to_owned(),
        times => format!("{times} more times"),
    };
    match repeats.frames {
        1 => format!("… {times}"),
        frames => format!("… the last {frames} functions {times}"),
    }
}

fn function(frame: &Frame) -> String {
    let mut name = match (&frame.symbol, &frame.function, &frame.address) {
        (Some(name), _, _) | (None, Some(name), _) => name.clone(),
        (None, None, Some(address)) => address.clone(),
        (None, None, None) => "?".to_owned(),
    };
    if let (false, Some(offset)) = (frame.inlined, &frame.offset) {
        name.push_str(&format!("+{offset}"));
        if let Some(size) = &frame.size {
            name.push_str(&format!("/{size}"));
        }
    }
    if let Some(module) = &frame.module {
        name.push_str(&format!(" [{module}]"));
    }
    name
}

fn trust(trust: Trust) -> &'static str {
    match trust {
        Trust::Exact => "exact",
        Trust::Cfi => "cfi",
        Trust::Orc => "orc",
        Trust::FramePointer => "frame-pointer",
        Trust::Jumped => "jumped",
        Trust::Told => "log",
        Trust::Call => "call",
        Trust::Scan => "scan (may be stale)",
    }
}

/// What the kernel complained of before it crashed: when, its first line, and where.
fn earlier(reports: &[EarlierReport], out: &mut String) {
    if reports.is_empty() {
        return;
    }
    out.push_str("\nEARLIER\n");
    for report in reports {
        let mark = if report.main { '*' } else { ' ' };
        let time = report.time.as_deref().unwrap_or_default();
        out.push_str(&format!(" {mark} {time:>14}  {}\n", report.headline));
        let Some(culprit) = &report.culprit else { continue };
        let function = culprit.function.as_deref().unwrap_or("?");
        let module = culprit.module.as_ref().map(|module| format!(" [{module}]"));
        let line = match (&culprit.file, culprit.line, &culprit.source) {
            (Some(file), Some(line), _) => format!(" at {file}:{line}"),
            (Some(file), None, Some(text)) => format!(" at {file}: {text}"),
            _ => String::new(),
        };
        let task = report.task.as_ref().and_then(|task| task.comm.as_ref());
        let task = task.map(|comm| format!(", task {comm}")).unwrap_or_default();
        let place = format!("{function}{}{line}{task}", module.unwrap_or_default());
        out.push_str(&format!("{:>19}{place}\n", ""));
    }
}

/// The reports of a text, if there are several: which line, when, and what each says first.
fn reports(reports: &[LogEntry], out: &mut String) {
    let [_, _, ..] = reports else { return };
    out.push_str("\nREPORTS IN THE TEXT\n");
    for report in reports.iter().take(MAX_REPORTS) {
        let mark = if report.main { '*' } else { ' ' };
        let time = report.time.as_deref().unwrap_or_default();
        let torn = if report.torn { " (torn)" } else { "" };
        let line = format!("line {}", report.line);
        out.push_str(&format!(" {mark} {line:<11} {time:>14}  {}{torn}\n", report.headline));
    }
    if reports.len() > MAX_REPORTS {
        out.push_str(&format!("   {} more in the JSON form\n", reports.len() - MAX_REPORTS));
    }
}

fn modules(modules: &[Module], out: &mut String) {
    if modules.is_empty() {
        return;
    }
    out.push_str("\nMODULES\n");
    for module in modules {
        let mut row = format!("  {:<24}", module.name);
        if let (Some(base), Some(size)) = (&module.base, module.size) {
            row.push_str(&format!(" {base} {size:>9}"));
        }
        for part in [&module.state, &module.taint].into_iter().flatten() {
            row.push_str(&format!(" {part}"));
        }
        if module.debug_info {
            row.push_str(" debug info");
        }
        out.push_str(row.trim_end());
        out.push('\n');
    }
}

fn findings(report: &Report, out: &mut String) {
    if report.findings.is_empty() {
        return;
    }
    out.push_str("\nFINDINGS\n");
    for finding in &report.findings {
        let severity = match finding.severity {
            Severity::Info => "info",
            Severity::Warning => "warning",
            Severity::Error => "error",
        };
        out.push_str(&format!("  {} {severity:<8} {}\n", finding.code, finding.message));
    }
}
