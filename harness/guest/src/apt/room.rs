// SPDX-License-Identifier: MIT OR Apache-2.0
//! Whether the disk is full while apt runs.

use std::path::Path;

/// So often in a row a full disk is seen before apt is given up: some seconds.
const PATIENCE: u32 = 50;

/// Watches the file system of a folder.
///
/// apt ends with an error when it cannot write a package. When it cannot write a list it waits for
/// ever for its own `http` method (seen with apt 2.6 on a file system of 3 MiB).
pub(super) struct Room<'a> {
    folder: &'a Path,
    full: u32,
}

impl<'a> Room<'a> {
    pub(super) fn new(folder: &'a Path) -> Self {
        Self { folder, full: 0 }
    }

    /// Asked several times a second.
    pub(super) fn is_long_gone(&mut self) -> bool {
        self.full = if is_full(self.folder) { self.full.saturating_add(1) } else { 0 };
        self.full >= PATIENCE
    }
}

/// A file system that tells no size at all is not taken for a full one.
fn is_full(folder: &Path) -> bool {
    let Ok(room) = rustix::fs::statvfs(folder) else { return false };
    // Some blocks are left for root only.
    let root = rustix::process::geteuid().is_root();
    let free = if root { room.f_bfree } else { room.f_bavail };
    free == 0 && room.f_blocks > 0
}
