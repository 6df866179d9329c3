// SPDX-License-Identifier: MIT OR Apache-2.0
//! From the crash to a vmcore on the host.
//!
//! The reference is classic kdump: the capture kernel writes the vmcore to a raw disk. A fast
//! capture has a crash stub in the place of that kernel: the host reads the memory by itself. A
//! kernel that does not get that far by itself is sent an NMI; after that, QEMU writes the memory.

mod fast;
mod kdump;
mod keep;
mod qmp_dump;

use std::fs::File;
use std::path::Path;

pub(crate) use keep::{keep, keep_file};

use crate::compose::{Image, Ram};
use crate::error::Failure;
use crate::events::{CaptureMethod, Event};
use crate::exit::Exit;
use crate::run::plan::Plan;
use crate::run::session::Session;
use crate::vm::Disks;

/// Where a guest's memory goes.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Targets<'a> {
    pub(crate) disks: &'a Disks,
    /// The RAM itself, where the host has it.
    pub(crate) ram: Option<&'a Ram>,
    /// Where dumps are written, for messages.
    pub(crate) folder: &'a Path,
}

/// A vmcore that is on the host.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Captured {
    pub(crate) method: CaptureMethod,
    /// Bytes of the vmcore in its file.
    pub(crate) bytes: u64,
    /// Bytes of the kernel log on its disk.
    pub(crate) dmesg_bytes: u64,
}

impl Captured {
    /// The file that holds the vmcore.
    pub(crate) const fn file<'d>(&self, disks: &'d Disks) -> &'d File {
        match self.method {
            CaptureMethod::Qmp => &disks.dump,
            _ => &disks.vmcore,
        }
    }
}

/// Why a way of capturing gave nothing.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Problem {
    #[error("{0}")]
    Failed(String),
    #[error("QEMU ended ({how})")]
    QemuLost { how: String, stderr: String },
    #[error("a dump cannot be written: {0}")]
    Disk(String),
    #[error("interrupted")]
    Interrupted,
}

/// What came of all ways.
#[derive(Debug)]
pub(crate) struct Capture {
    pub(crate) captured: Result<Captured, Failure>,
    /// The memory, from a fast capture. Its vmcore has yet to be written.
    pub(crate) image: Option<Image>,
    /// Why the first way was not the one.
    pub(crate) reason: Option<String>,
    /// Bytes of a dump without its end on the vmcore's disk.
    pub(crate) cut: Option<u64>,
}

/// Takes the vmcore of a guest whose kernel runs, and stops it.
pub(crate) fn of_running(
    session: &mut Session<'_, '_>,
    disks: &Disks,
) -> Result<Captured, Problem> {
    qmp_dump::capture(session, disks)
}

/// Takes the vmcore of a crashed guest. `armed` says why there is no capture kernel.
pub(crate) fn capture(
    session: &mut Session<'_, '_>,
    plan: &Plan,
    armed: &Result<(), String>,
    targets: Targets<'_>,
) -> Capture {
    let Targets { disks, folder, .. } = targets;
    let mut capture = Capture {
        captured: Err(Failure::new(Exit::CaptureFailed, "the guest has no way to take a vmcore")),
        image: None,
        reason: None,
        cut: None,
    };
    let mut problems = Vec::new();
    let mut methods = plan.capture.iter().copied().peekable();
    while let Some(method) = methods.next() {
        let attempt = match method {
            CaptureMethod::Qmp => qmp_dump::capture(session, disks),
            CaptureMethod::Fast | CaptureMethod::NmiFast => {
                fast::capture(session, armed, targets.ram).map(|(captured, image)| {
                    capture.image = Some(image);
                    captured
                })
            }
            _ => kdump::capture(session, armed, disks, &mut capture.cut),
        };
        let problem = match attempt {
            Ok(captured) => return Capture { captured: Ok(captured), ..capture },
            Err(problem) => problem,
        };
        capture.reason.get_or_insert_with(|| problem.to_string());
        problems.push(format!("{method}: {problem}"));
        let Problem::Failed(reason) = problem else {
            // Another dump would need the same room, the same QEMU or the same patience.
            return Capture { captured: Err(problem.into_failure(folder)), ..capture };
        };
        if let Some(to) = methods.peek().copied() {
            session.recorder.emit(Event::CaptureFellBack { to, reason });
        }
    }
    if !problems.is_empty() {
        let message = "the guest crashed, but no vmcore could be taken";
        let mut failure = Failure::new(Exit::CaptureFailed, message);
        failure.causes = problems;
        capture.captured = Err(failure);
    }
    capture
}

impl Problem {
    fn into_failure(self, folder: &Path) -> Failure {
        match self {
            Self::Failed(message) => Failure::new(Exit::CaptureFailed, message),
            Self::QemuLost { how, stderr } => {
                let message = format!("QEMU ended ({how}) before the vmcore was complete");
                let mut failure = Failure::new(Exit::CaptureFailed, message);
                failure.causes.extend((!stderr.is_empty()).then_some(stderr));
                failure
            }
            Self::Disk(why) => {
                let message =
                    format!("the vmcore cannot be written to {}: {why}", folder.display());
                Failure::new(Exit::CaptureFailed, message)
                    .hint("make room there, or choose another folder with --out")
            }
            Self::Interrupted => Failure::new(Exit::Interrupted, "interrupted"),
        }
    }
}
