// SPDX-License-Identifier: MIT OR Apache-2.0
//! Gives the dump, until now a file without a name, a name in the artefact folder.

use std::fs::{self, File};
use std::io::{self, Read as _, Seek as _};
use std::os::fd::AsRawFd as _;
use std::path::Path;

use rustix::fs::{AtFlags, CWD};

use crate::capture::Captured;
use crate::vm::Disks;

/// Keeps the vmcore and its kernel log in `folder`.
pub(crate) fn keep(captured: &Captured, disks: &Disks, folder: &Path) -> io::Result<()> {
    keep_file(captured.file(disks), captured.bytes, &folder.join("vmcore"))?;
    if captured.dmesg_bytes > 0 {
        let mut text = Vec::new();
        let mut disk = &disks.dmesg;
        disk.rewind()?;
        disk.take(captured.dmesg_bytes).read_to_end(&mut text)?;
        fs::write(folder.join("vmcore-dmesg.txt"), &text)?;
    }
    Ok(())
}

/// Cuts a file without a name to its true size and names it.
pub(crate) fn keep_file(file: &File, bytes: u64, path: &Path) -> io::Result<()> {
    file.set_len(bytes)?;
    let source = format!("/proc/self/fd/{}", file.as_raw_fd());
    // Not every file system can give a name to a file that never had one; then it is copied.
    if rustix::fs::linkat(CWD, source, CWD, path, AtFlags::SYMLINK_FOLLOW).is_ok() {
        return Ok(());
    }
    let mut from = file;
    from.rewind()?;
    let mut to = File::create_new(path)?;
    io::copy(&mut from, &mut to)?;
    Ok(())
}
