// SPDX-License-Identifier: MIT OR Apache-2.0
//! Files that come on a disk, into a guest that was started without them.

use std::fs::OpenOptions;
use std::process::{Command, Stdio};

use crate::disk::disk;

const BUSYBOX: &str = "/bin/busybox";

/// Unpacks the cpio archive at the start of a disk into the root file system.
///
/// # Errors
/// In words: no such disk, or no whole archive on it.
pub(crate) fn unpack(serial: &str) -> Result<(), String> {
    let path = disk(serial)?;
    let device = OpenOptions::new()
        .read(true)
        .open(&path)
        .map_err(|error| format!("cannot open {}: {error}", path.display()))?;
    let output = Command::new(BUSYBOX)
        .args(["cpio", "-idmu"])
        .current_dir("/")
        .stdin(device)
        .stdout(Stdio::null())
        .output()
        .map_err(|error| format!("cannot run {BUSYBOX}: {error}"))?;
    if output.status.success() {
        return Ok(());
    }
    let said = String::from_utf8_lossy(&output.stderr);
    let last = said.lines().last().unwrap_or("no message");
    Err(format!("cpio ended with {}: {last}", output.status))
}
