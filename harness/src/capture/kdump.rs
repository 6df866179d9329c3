// SPDX-License-Identifier: MIT OR Apache-2.0
//! Classic kdump: waits for the capture kernel, its vmcore and its end.

use std::fs::File;
use std::time::Duration;

use rustix::fs::SeekFrom;

use crate::capture::{Captured, Problem};
use crate::error::Failure;
use crate::events::{CaptureMethod, CrashSign};
use crate::exit::Exit;
use crate::map::Map;
use crate::run::session::{Session, Stop};
use crate::vm::{Disks, Exited, QMP_LIMIT, Signal, qmp};
use protocol::{Message, Stage};

/// How long the capture kernel may take from the report of the vmcore to its end.
const POWEROFF_LIMIT: Duration = Duration::from_secs(30);

pub(super) fn capture(
    session: &mut Session<'_, '_>,
    armed: &Result<(), String>,
    disks: &Disks,
    cut: &mut Option<u64>,
) -> Result<Captured, Problem> {
    if let Err(why) = armed {
        wait_for_death(session)?;
        return Err(Problem::Failed(format!("there is no capture kernel: {why}")));
    }
    let method = wait_for_kernel(session)?;
    let dmesg_bytes = wait_for_vmcore(session)?;
    wait_for_end(session)?;
    match measure(&disks.vmcore) {
        Ok(bytes) => Ok(Captured { method, bytes, dmesg_bytes }),
        Err(why) => {
            *cut = data_end(&disks.vmcore).filter(|bytes| *bytes > 0);
            Err(Problem::Failed(format!("the vmcore is not usable: {why}")))
        }
    }
}

/// Lets a kernel that no capture kernel follows finish its last words: its log, the CPU it notes
/// for `panic()` and the stacks of the other CPUs are what QEMU's dump is read by.
pub(super) fn wait_for_death(session: &mut Session<'_, '_>) -> Result<(), Problem> {
    let sign = session.crash.as_ref().map(|crash| crash.sign);
    // A kernel that hangs or fell silent has nothing more to say, and pvpanic's word is the last.
    if matches!(sign, Some(CrashSign::Hang | CrashSign::Console | CrashSign::Pvpanic)) {
        return Ok(());
    }
    let limit = session.limits.settle;
    let dead = |signal: &Signal| matches!(signal, Signal::Qmp(event) if event.is_panic());
    match session.wait(limit, |_, signal| dead(signal).then_some(())) {
        Err(stop @ (Stop::Exited(_) | Stop::Interrupted)) => {
            Err(problem(session, stop, "its dump was taken"))
        }
        _ => Ok(()),
    }
}

/// Waits for the capture kernel's hello, in the end with the help of an NMI.
fn wait_for_kernel(session: &mut Session<'_, '_>) -> Result<CaptureMethod, Problem> {
    if session.capture_kernel {
        return Ok(CaptureMethod::Kdump);
    }
    let limit = session.limits.capture_boot;
    match session.wait(session.left_to_capture(), |_, signal| capture_hello(signal)) {
        Ok(()) => return Ok(CaptureMethod::Kdump),
        Err(Stop::TimedOut) => {}
        Err(stop) => return Err(problem(session, stop, "the capture kernel was up")),
    }
    // A kernel that died with a lock held may wait for it for ever in its own panic; an NMI
    // interrupts even that (kernel.unknown_nmi_panic is set).
    session.recorder.warn(format!("no capture kernel within {limit:?}: NMI"));
    session
        .machine
        .qmp(&qmp::Command::new("inject-nmi"), QMP_LIMIT)
        .map_err(|error| Problem::Failed(error.to_string()))?;
    match session.wait(limit, |_, signal| capture_hello(signal)) {
        Ok(()) => Ok(CaptureMethod::NmiKdump),
        Err(Stop::TimedOut) => Err(Problem::Failed(format!(
            "the capture kernel did not start within {limit:?}, nor after an NMI"
        ))),
        Err(stop) => Err(problem(session, stop, "the capture kernel was up")),
    }
}

fn capture_hello(signal: &Signal) -> Option<()> {
    matches!(signal, Signal::Agent(Message::Hello { stage: Stage::Capture, .. })).then_some(())
}

fn wait_for_vmcore(session: &mut Session<'_, '_>) -> Result<u64, Problem> {
    if let Some(dmesg_bytes) = session.captured {
        return Ok(dmesg_bytes);
    }
    let limit = session.limits.capture;
    let waited = session.wait(limit, |session, _| {
        let failed = session.capture_failed.clone().map(Err);
        failed.or(session.captured.map(Ok))
    });
    let failed = match waited {
        Ok(Ok(dmesg_bytes)) => return Ok(dmesg_bytes),
        Ok(Err(why)) => format!("the capture kernel failed: {why}"),
        Err(Stop::TimedOut) => format!("the capture kernel did not finish within {limit:?}"),
        Err(stop) => return Err(problem(session, stop, "the vmcore was complete")),
    };
    Err(session.disk_error.clone().map_or(Problem::Failed(failed), Problem::Disk))
}

/// The vmcore is complete when the capture kernel has written its caches and switched off.
fn wait_for_end(session: &mut Session<'_, '_>) -> Result<(), Problem> {
    let ended = session.wait(POWEROFF_LIMIT, |_, signal| match signal {
        Signal::Qmp(event) => event.halts().map(|_| ()),
        _ => None,
    });
    if let Some(why) = session.disk_error.clone() {
        return Err(Problem::Disk(why));
    }
    match ended {
        Ok(()) | Err(Stop::Halted(_) | Stop::Crashed) => Ok(()),
        Err(Stop::TimedOut) => {
            session.recorder.warn("the capture kernel did not switch off after the dump");
            Ok(())
        }
        Err(stop) => Err(problem(session, stop, "the vmcore was on disk")),
    }
}

pub(super) fn problem(session: &Session<'_, '_>, stop: Stop, what: &str) -> Problem {
    match stop {
        Stop::Halted(_) if session.capture_panic.is_some() => {
            let words = session.capture_panic.as_deref().unwrap_or_default();
            Problem::Failed(format!("the capture kernel crashed itself: {words}"))
        }
        Stop::Halted(reason) => {
            Problem::Failed(format!("the guest ended by itself ({reason}) before {what}"))
        }
        Stop::Exited(Exited { how, stderr, .. }) => Problem::QemuLost { how, stderr },
        Stop::Interrupted => Problem::Interrupted,
        Stop::Crashed | Stop::Complained | Stop::TimedOut => {
            Problem::Failed(format!("timed out before {what}"))
        }
    }
}

/// The true length of the vmcore on a raw disk, or why it is no complete vmcore.
fn measure(disk: &File) -> Result<u64, String> {
    let words = |error: &(dyn std::error::Error + 'static)| {
        Failure::from_error(Exit::CaptureFailed, error).to_string()
    };
    let map = Map::of(disk).map_err(|error| error.to_string())?;
    let bytes = vmcore::true_length(&&map[..]).map_err(|error| words(&error))?;
    let complete = vmcore::Vmcore::open(&&map[..]).map_err(|error| words(&error))?.info().complete;
    if !complete {
        return Err("makedumpfile could not finish it".into());
    }
    // Where the end should be there must be something; a hole never reached the disk.
    match data_end(disk) {
        Some(end) if end < bytes => Err(format!("it ends at {end} of its {bytes} bytes")),
        _ => Ok(bytes),
    }
}

/// End of the last piece of data in a sparse file, rounded up to the file system's block.
fn data_end(disk: &File) -> Option<u64> {
    let length = disk.metadata().ok()?.len();
    let mut end = 0;
    while let Ok(data) = rustix::fs::seek(disk, SeekFrom::Data(end)) {
        end = rustix::fs::seek(disk, SeekFrom::Hole(data)).unwrap_or(length);
    }
    Some(end)
}
