// SPDX-License-Identifier: MIT OR Apache-2.0
//! QEMU's own dump of the guest's memory, for a kernel that cannot dump itself.

use crate::capture::{Captured, Problem};
use crate::events::CaptureMethod;
use crate::run::session::Session;
use crate::vm::{DUMP_SET, Disks, QMP_LIMIT, qmp};

pub(super) fn capture(session: &mut Session<'_, '_>, disks: &Disks) -> Result<Captured, Problem> {
    // Without this a CPU that still runs would change what is being written.
    session.machine.qmp(&qmp::Command::new("stop"), QMP_LIMIT).map_err(problem)?;
    let dump = qmp::Command::dump_guest_memory(DUMP_SET);
    session.machine.qmp(&dump, session.limits.capture).map_err(problem)?;
    let bytes = disks.dump.metadata().map_err(|error| Problem::Disk(error.to_string()))?.len();
    if bytes == 0 {
        return Err(Problem::Failed("QEMU wrote an empty dump".into()));
    }
    Ok(Captured { method: CaptureMethod::Qmp, bytes, dmesg_bytes: 0 })
}

fn problem(error: qmp::Error) -> Problem {
    match error {
        qmp::Error::Gone { .. } => {
            Problem::QemuLost { how: error.to_string(), stderr: String::new() }
        }
        qmp::Error::Interrupted { .. } => Problem::Interrupted,
        qmp::Error::Refused { ref message, .. } if message.contains("No space left") => {
            Problem::Disk("no space left on device".into())
        }
        _ => Problem::Failed(error.to_string()),
    }
}
