// SPDX-License-Identifier: MIT OR Apache-2.0
//! From a vmcore, or from the memory itself, to the report.

use std::fs::{self, File};
use std::io;
use std::path::Path;
use std::thread;

use analyzer::Analysis;

use crate::analysis::{self, Symbols};
use crate::compose::{self, Image};
use crate::error::Failure;
use crate::events::Phase;
use crate::exit::Exit;
use crate::run::crash::printk_text;
use crate::run::looked::{Looked, look};
use crate::run::recorder::Recorder;

/// Explains a vmcore.
pub(super) fn vmcore(
    vmcore: &Path,
    symbols: &Symbols,
    recorder: &mut Recorder<'_>,
) -> Result<(Analysis, Looked), Failure> {
    recorder.begin(Phase::Analyze, "vmcore");
    let (analysis, looked) = analysis::analyze_and(&[vmcore], symbols, look)?;
    recorder.finish(found(&analysis));
    Ok((analysis, looked))
}

/// Explains the memory while its vmcore is written into the folder. The report is about that
/// vmcore: analyzed again, it gives the same.
pub(super) fn memory(
    image: &Image,
    folder: &Path,
    symbols: &Symbols,
    recorder: &mut Recorder<'_>,
) -> Result<(Analysis, Looked), Failure> {
    let path = folder.join("vmcore");
    recorder.begin(Phase::Analyze, "memory");
    let (analysis, written) = thread::scope(|scope| {
        let writer = scope.spawn(|| write(image, &path));
        let analysis = analysis::analyze_memory(image, symbols, look);
        if let Ok((analysis, ..)) = &analysis {
            recorder.finish(found(analysis));
        }
        recorder.begin(Phase::Write, "vmcore");
        (analysis, writer.join().unwrap_or_else(|_| Err(io::Error::other("the writer gave up"))))
    });
    let unwritable = |error: &io::Error| {
        let message = format!("the vmcore cannot be written to {}", folder.display());
        Failure::new(Exit::CaptureFailed, message)
            .hint("make room there, or choose another folder with --out")
            .caused_by(error)
    };
    let bytes = written.map_err(|error| {
        // A part of it would be taken for the whole.
        let _ = fs::remove_file(&path);
        let mut failure = unwritable(&error);
        // What is known does not get lost with the file.
        let verdict = analysis.as_ref().map(|(analysis, ..)| &analysis.report.verdict.summary);
        failure.causes.extend(verdict.map(|summary| format!("the verdict was: {summary}")));
        failure
    })?;
    recorder.finish(format!("vmcore, {}", crate::units::bytes(bytes)));
    let (mut analysis, looked, log) = analysis?;
    if let Some(log) = log {
        fs::write(folder.join("vmcore-dmesg.txt"), log).map_err(|error| unwritable(&error))?;
    }
    analysis.report.dump = analysis::describe(&path)?;
    Ok((analysis, looked))
}

/// Explains what a kernel that survived complained of, by its console from a few lines above the first
/// of the complaints on, of each the last time: the kernel may have said the same while it booted. `None` if
/// no report is there that can be read.
pub(super) fn complaint(
    console: &Path,
    complaints: &[&str],
    symbols: &Symbols,
    recorder: &mut Recorder<'_>,
) -> Option<Analysis> {
    /// A warning says above its first line what it noticed.
    const ABOVE: usize = 4;
    recorder.begin(Phase::Analyze, "console.log");
    let text = fs::read(console).ok()?;
    let text = String::from_utf8_lossy(&text);
    let lines: Vec<&str> = text.lines().collect();
    let last =
        |complaint: &&str| lines.iter().rposition(|line| printk_text(line) == Some(*complaint));
    let first = complaints.iter().filter_map(last).min()?;
    let own = lines.get(first.saturating_sub(ABOVE)..)?.join("\n");
    match analysis::analyze_text(own.as_bytes(), symbols) {
        Ok(analysis) => {
            recorder.finish(found(&analysis));
            Some(analysis)
        }
        Err(failure) => {
            recorder.warn(failure.to_string());
            None
        }
    }
}

fn write(image: &Image, path: &Path) -> io::Result<u64> {
    compose::write(image, &File::create_new(path)?)
}

fn found(analysis: &Analysis) -> String {
    let report = &analysis.report;
    let (frames, findings) = (report.backtraces.fault.len(), report.findings.len());
    format!("{frames} frames, {findings} findings")
}
