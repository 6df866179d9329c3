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

/// What is known of a crash.
pub(super) struct Explained {
    pub(super) analysis: Analysis,
    pub(super) looked: Looked,
    /// Why the vmcore or its log cannot be kept.
    pub(super) not_kept: Option<Failure>,
}

/// Explains a vmcore.
pub(super) fn vmcore(
    vmcore: &Path,
    symbols: &Symbols,
    recorder: &mut Recorder<'_>,
) -> Result<Explained, Failure> {
    recorder.begin(Phase::Analyze, "vmcore");
    let (analysis, looked) = analysis::analyze_and(&[vmcore], symbols, look)?;
    recorder.finish(found(&analysis));
    Ok(Explained { analysis, looked, not_kept: None })
}

/// Explains the memory while its vmcore is written into the folder. The report is about that
/// vmcore: analyzed again, it gives the same. Where there is no room for that, it is about the memory.
pub(super) fn memory(
    image: &Image,
    folder: &Path,
    symbols: &Symbols,
    recorder: &mut Recorder<'_>,
) -> Result<Explained, Failure> {
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
    let (mut analysis, looked, log) = analysis?;
    let mut not_kept = None;
    match written {
        Ok(bytes) => {
            recorder.finish(format!("vmcore, {}", crate::units::bytes(bytes)));
            analysis.report.dump = analysis::describe(&path)?;
        }
        Err(error) => {
            // A part of it would be taken for the whole.
            let _ = fs::remove_file(&path);
            not_kept = Some(unwritable(&error));
        }
    }
    if let Some(log) = log
        && let Err(error) = fs::write(folder.join("vmcore-dmesg.txt"), log)
    {
        not_kept.get_or_insert_with(|| unwritable(&error));
    }
    Ok(Explained { analysis, looked, not_kept })
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
    text_of(own.as_bytes(), symbols, recorder)
}

/// Explains a crash of which there is no dump (the disk was full, the guest could not dump) by its log: the one
/// that the capture kernel saved, else the console. `None` if no report is there that can be read.
pub(super) fn log(
    folder: &Path,
    symbols: &Symbols,
    recorder: &mut Recorder<'_>,
) -> Option<Analysis> {
    let names = ["vmcore-dmesg.txt", "console.log"];
    let texts = names.map(|name| (name, fs::read(folder.join(name)).unwrap_or_default()));
    let (name, text) = texts.into_iter().find(|(_, text)| !text.is_empty())?;
    recorder.begin(Phase::Analyze, name);
    text_of(&text, symbols, recorder)
}

fn text_of(text: &[u8], symbols: &Symbols, recorder: &mut Recorder<'_>) -> Option<Analysis> {
    match analysis::analyze_text(text, symbols) {
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::events::Bus;

    /// What a kernel says of a check that failed in a function of the module `hwport`.
    fn text(function: &str) -> String {
        format!(
            "[    1.0] kernel BUG at port.c:7!\n[    1.0] invalid opcode: 0000 [#1] SMP\n\
             [    1.0] CPU: 0 PID: 7 Comm: sh Tainted: G           OE     6.1.0 #1 Debian\n\
             [    1.0] RIP: 0010:{function}+0x1/0x10 [hwport]\n[    1.0] Call Trace:\n\
             [    1.0]  vfs_write+0x1/0x10\n[    1.0] Modules linked in: hwport(OE)\n"
        )
    }

    #[test]
    fn without_a_dump_the_log_that_was_saved_tells_and_else_the_console() {
        let folder = tempfile::tempdir().unwrap();
        let said = |folder: &Path| {
            let mut bus = Bus::new(Vec::new());
            let analysis = log(folder, &Symbols::default(), &mut Recorder::new(&mut bus));
            analysis.map(|analysis| analysis.report.verdict.title)
        };
        assert_eq!(said(folder.path()), None);
        // As of a disk that was full from its first byte on.
        fs::write(folder.path().join("vmcore-dmesg.txt"), "").unwrap();
        fs::write(folder.path().join("console.log"), text("hwport_send")).unwrap();
        assert!(said(folder.path()).unwrap().contains("hwport_send"));
        fs::write(folder.path().join("vmcore-dmesg.txt"), text("hwport_take")).unwrap();
        assert!(said(folder.path()).unwrap().contains("hwport_take"));
    }
}
