// SPDX-License-Identifier: MIT OR Apache-2.0
//! One run from its first event to its last.

use std::path::Path;

use crate::analysis::Symbols;
use crate::case::Outcome as Expected;
use crate::error::Failure;
use crate::events::{CaptureMethod, Event};
use crate::exit::Exit;
use crate::interrupt::Interrupt;
use crate::report::{ConsoleLog, Folder, run_folder, write_crash};
use crate::review::Review;
use crate::run::accel::{Candidates, Memory};
use crate::run::complaints::Complaints;
use crate::run::complete::complete;
use crate::run::drive::{Driven, drive};
use crate::run::explain::{self, Explained};
use crate::run::judge::{self, Judgement};
use crate::run::looked::Looked;
use crate::run::outcome::{Ending, Outcome, RunResult};
use crate::run::plan::Ways;
use crate::run::prepare::{Prepared, prepare};
use crate::run::recorder::Recorder;
use crate::run::select::Selected;
use crate::run::{excerpt, place, reviewed};
use crate::vm::Launcher;
use analyzer::Analysis;
use guest::Store;

/// What all runs of an invocation share.
#[derive(Debug)]
pub struct Setting<'a> {
    /// The cache.
    pub store: &'a Store,
    /// The project's root.
    pub project: &'a Path,
    /// The artefact folder.
    pub folder: &'a Folder,
    /// How the run is made.
    pub ways: Ways,
    /// The accelerators to try.
    pub candidates: Candidates,
    /// What is known about this host.
    pub memory: Memory,
    /// Whether the user asked to stop.
    pub interrupt: Interrupt,
    /// Whether to keep what the guest was booted from.
    pub keep: bool,
    /// What is done with reviewed reports.
    pub review: Review,
}

/// Makes one run. `name` is its folder's.
pub fn execute(
    selected: &Selected,
    name: &str,
    setting: &mut Setting<'_>,
    launcher: &mut dyn Launcher,
    bus: &mut crate::events::Bus,
) -> RunResult {
    bus.set_run(Some(name.to_owned()));
    let (case, guest) = (selected.case.name.clone(), selected.guest.name.clone());
    bus.emit(Event::RunStarted { case: case.clone(), guest: guest.clone() });
    let mut recorder = Recorder::new(bus);
    let mut result = RunResult::new(case, guest);
    result.parameters = selected.case.manifest.parameters();
    result.wanted_rate = selected.case.manifest.expectation(&selected.guest.name).rate;
    let artifacts = setting.folder.path().join(run_folder(name));
    result.artifacts = Some(artifacts.display().to_string());
    match setting.folder.run(name) {
        Ok(folder) => {
            if let Err(failure) =
                phases(selected, setting, launcher, &mut recorder, &folder, &mut result)
            {
                result.outcome = match failure.exit {
                    Exit::BuildFailed => Outcome::NotBuilt,
                    _ => Outcome::InfraError,
                };
                result.failure = Some(failure);
            }
        }
        Err(error) => {
            result.failure = Some(Failure::from_error(Exit::WriteFailed, &error));
        }
    }
    if result.interrupted() {
        result.outcome = Outcome::Skipped;
    }
    result.phases = recorder.into_phases();
    bus.emit(Event::RunFinished { result: Box::new(result.clone()) });
    bus.set_run(None);
    result
}

fn phases(
    selected: &Selected,
    setting: &mut Setting<'_>,
    launcher: &mut dyn Launcher,
    recorder: &mut Recorder<'_>,
    folder: &Path,
    result: &mut RunResult,
) -> Result<(), Failure> {
    let selected = &complete(selected, setting.store, folder, recorder, &setting.interrupt)?;
    let (mut driven, symbols) = driven(selected, setting, launcher, recorder, folder)?;
    let captured = driven.capture.is_some();
    let end = End {
        survived: driven.survived,
        complaints: std::mem::take(&mut driven.complaints),
        refused: driven.refused.take(),
        unloaded: driven.unloaded,
    };
    let image = driven.image.take();
    take(driven, result);
    result.ending = end.ending();
    let mut analyzed = None;
    if captured {
        let explained = match image {
            Some(image) => explain::memory(&image, folder, &symbols, recorder),
            None => explain::vmcore(&folder.join("vmcore"), &symbols, recorder),
        };
        match explained {
            Ok(Explained { analysis, looked, not_kept }) => {
                result.failure = result.failure.take().or(not_kept);
                write_crash(folder, &analysis, &symbols.lines, &looked)?;
                let culprit = analysis.report.verdict.culprit.as_ref();
                result.excerpt = culprit.and_then(|it| excerpt::of(&selected.case, it));
                Looked { object: result.object, users: result.users, fault: result.fault } = looked;
                result.report = Some(analysis.report.clone());
                analyzed = Some(analysis);
            }
            // A guest that was not ready is the graver failure.
            Err(failure) if result.failure.is_some() => {
                recorder.warn(failure.to_string());
            }
            Err(failure) => result.failure = Some(failure),
        }
    } else if result.crash.is_some()
        && let Some(analysis) = explain::log(folder, &symbols, recorder)
    {
        told(selected, folder, &symbols, &analysis, result)?;
    }
    let expected = selected.case.manifest.expectation(&selected.guest.name);
    let not_allowed: Vec<&str> = judge::not_allowed(&expected, &end.complaints).collect();
    if end.survived && !not_allowed.is_empty() {
        let console = folder.join("console.log");
        analyzed = explain::complaint(&console, &not_allowed, &symbols, recorder);
        if let Some(analysis) = &analyzed {
            told(selected, folder, &symbols, analysis, result)?;
        }
    }
    result.place = Some(place::of(&selected.case, result.excerpt.as_ref(), setting.project));
    judge(selected, &end, result);
    if expected.outcome == Expected::None && setting.review != Review::Off {
        reviewed::none_is_needed(selected, recorder);
    }
    if let Some(analysis) = analyzed.filter(|_| result.outcome == Outcome::Reproduced) {
        reviewed::hold(selected, setting.review, &analysis, result, recorder)?;
    }
    Ok(())
}

/// Keeps what a log told.
fn told(
    selected: &Selected,
    folder: &Path,
    symbols: &Symbols,
    analysis: &Analysis,
    result: &mut RunResult,
) -> Result<(), Failure> {
    write_crash(folder, analysis, &symbols.lines, &Looked::default())?;
    let culprit = analysis.report.verdict.culprit.as_ref();
    result.excerpt = culprit.and_then(|it| excerpt::of(&selected.case, it));
    result.report = Some(analysis.report.clone());
    Ok(())
}

/// Prepares and drives the guest; a second time by classic kdump if it turns out that it cannot be
/// captured fast.
fn driven(
    selected: &Selected,
    setting: &Setting<'_>,
    launcher: &mut dyn Launcher,
    recorder: &mut Recorder<'_>,
    folder: &Path,
) -> Result<(Driven, Symbols), Failure> {
    let mut ways = setting.ways;
    let mut reason = None;
    loop {
        let Prepared { plan, symbols } =
            prepare(selected, ways, setting.store, folder, recorder, &setting.interrupt)?;
        if setting.keep {
            keep_boot_files(&plan, folder)?;
        }
        let console = ConsoleLog::create(&folder.join("console.log")).map_err(|error| {
            Failure::new(Exit::WriteFailed, format!("cannot write to {}", folder.display()))
                .caused_by(&error)
        })?;
        recorder.bus().add(Box::new(console));
        let mut driven =
            drive(&plan, launcher, &setting.candidates, &setting.memory, recorder, folder);
        let logged = recorder.bus().remove();
        if let Some(why) = driven.not_fast.take() {
            recorder.emit(Event::CaptureFellBack { to: CaptureMethod::Kdump, reason: why.clone() });
            reason = Some(why);
            ways = Ways::default();
            continue;
        }
        driven.capture_reason = driven.capture_reason.or(reason);
        // Where the disk is full, the dump that is lost matters more than the log.
        driven.failure = driven.failure.or(logged.err());
        return Ok((driven, symbols));
    }
}

/// The initramfs, so that QEMU can be started by hand.
fn keep_boot_files(plan: &crate::run::plan::Plan, folder: &Path) -> Result<(), Failure> {
    let path = folder.join("initrd");
    // From the first way, where this is the second.
    let _ = std::fs::remove_file(&path);
    let bytes = plan.initrd.metadata().map(|metadata| metadata.len());
    bytes.and_then(|bytes| crate::capture::keep_file(&plan.initrd, bytes, &path)).map_err(|error| {
        Failure::new(Exit::WriteFailed, format!("cannot write to {}", folder.display()))
            .caused_by(&error)
    })
}

fn take(driven: Driven, result: &mut RunResult) {
    result.accel = driven.accel;
    result.accel_reason = driven.accel_reason;
    result.qemu = driven.qemu;
    result.qemu_stderr = driven.qemu_stderr;
    result.boot = driven.boot;
    result.boot_reason = driven.boot_reason;
    result.capture = driven.capture;
    result.capture_reason = driven.capture_reason;
    result.crash = driven.crash;
    result.trigger = driven.trigger;
    result.failure = driven.failure;
}

/// How a guest ended that did not crash.
struct End {
    survived: bool,
    complaints: Complaints,
    refused: Option<String>,
    unloaded: bool,
}

impl End {
    /// The same for people.
    fn ending(&self) -> Option<Ending> {
        if let Some(why) = &self.refused {
            return Some(Ending::Refused { why: why.clone() });
        }
        let complaints = self.complaints.lines.len() as u64 + self.complaints.more;
        self.survived.then_some(Ending::Survived { complaints, unloaded: self.unloaded })
    }
}

fn judge(selected: &Selected, end: &End, result: &mut RunResult) {
    let expected = selected.case.manifest.expectation(&selected.guest.name);
    let marker = selected.case.marker.as_ref();
    let refused = end.refused.as_deref().and_then(|why| judge::refused(&expected, why));
    if let Some(judged) = refused {
        result.failure = None;
        result.outcome = judged.outcome;
        result.differences = judged.differences;
        return;
    }
    let judged = match (&result.failure, &result.crash, &result.report) {
        (Some(failure), _, _) if failure.exit == Exit::CaseFailed => {
            Judgement { outcome: Outcome::NotReproduced, differences: Vec::new() }
        }
        (None, Some(crash), Some(report)) => {
            let judged = judge::crash(&expected, marker, crash, report);
            judged.and(judge::exec_path(&expected, result.trigger.as_ref()))
        }
        (None, None, report) if end.survived => {
            let wanted = selected.case.manifest.trigger.status.unwrap_or_default();
            let told = report.as_ref().and_then(|it| judge::complained(&expected, marker, it));
            let trigger = (wanted, result.trigger.as_ref());
            told.unwrap_or_else(|| judge::survived(&expected, &end.complaints, trigger))
        }
        _ => return,
    };
    result.outcome = judged.outcome;
    result.differences = judged.differences;
}
