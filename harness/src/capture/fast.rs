// SPDX-License-Identifier: MIT OR Apache-2.0
//! Fast capture: waits for the crash stub, which stops the machine, and takes the memory as it is.

use crate::capture::{Captured, Problem, kdump};
use crate::compose::{Image, Ram};
use crate::error::Failure;
use crate::events::CaptureMethod;
use crate::exit::Exit;
use crate::run::session::{Session, Stop};
use crate::vm::{QMP_LIMIT, qmp};

pub(super) fn capture(
    session: &mut Session<'_, '_>,
    armed: &Result<(), String>,
    ram: Option<&Ram>,
) -> Result<(Captured, Image), Problem> {
    let loaded = armed.clone().and_then(|()| {
        let told = session.memory.clone().zip(ram);
        told.ok_or_else(|| "the guest did not say where it is".to_owned())
    });
    let (memory, ram) = match loaded {
        Ok(loaded) => loaded,
        Err(why) => {
            kdump::wait_for_death(session)?;
            return Err(Problem::Failed(format!("there is no crash stub: {why}")));
        }
    };
    let method = wait_for_stub(session)?;
    // The machine stands still; it is left as it is for another way, should this one fail.
    let image = Image::of(ram, &memory).map_err(|error| {
        Problem::Failed(Failure::from_error(Exit::CaptureFailed, &error).to_string())
    })?;
    Ok((Captured { method, bytes: 0, dmesg_bytes: 0 }, image))
}

/// Waits for the stub, in the end with the help of an NMI.
fn wait_for_stub(session: &mut Session<'_, '_>) -> Result<CaptureMethod, Problem> {
    let limit = session.limits.capture_boot;
    if session.panicked {
        return Ok(CaptureMethod::Fast);
    }
    let left = session.left_to_capture();
    match session.wait(left, |session, _| session.panicked.then_some(())) {
        Ok(()) => return Ok(CaptureMethod::Fast),
        Err(Stop::TimedOut) => {}
        Err(stop) => return Err(kdump::problem(session, stop, "the crash stub ran")),
    }
    session.recorder.warn(format!("the crash stub did not run within {limit:?}: NMI"));
    session
        .machine
        .qmp(&qmp::Command::new("inject-nmi"), QMP_LIMIT)
        .map_err(|error| Problem::Failed(error.to_string()))?;
    match session.wait(limit, |session, _| session.panicked.then_some(())) {
        Ok(()) => Ok(CaptureMethod::NmiFast),
        Err(Stop::TimedOut) => Err(Problem::Failed(format!(
            "the crash stub did not run within {limit:?}, nor after an NMI"
        ))),
        Err(stop) => Err(kdump::problem(session, stop, "the crash stub ran")),
    }
}
