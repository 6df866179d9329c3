// SPDX-License-Identifier: MIT OR Apache-2.0
//! The file systems of a guest.

use std::fs;

use rustix::io::Errno;
use rustix::mount::{MountFlags, mount};

/// Type and place, in order.
const MOUNTS: [(&str, &str); 5] = [
    ("proc", "/proc"),
    ("sysfs", "/sys"),
    ("devtmpfs", "/dev"),
    ("tmpfs", "/tmp"),
    ("tmpfs", "/run"),
];

/// Mounts all of them and says in words what did not work.
pub(crate) fn mount_all() -> Vec<String> {
    let mut troubles = Vec::new();
    for (kind, place) in MOUNTS {
        // What is missing shows when it is mounted on.
        let _ = fs::create_dir_all(place);
        match mount(kind, place, kind, MountFlags::empty(), None) {
            // The kernel mounts devtmpfs itself when it is configured so.
            Ok(()) | Err(Errno::BUSY) => {}
            Err(error) => troubles.push(format!("cannot mount {kind} on {place}: {error}")),
        }
    }
    troubles
}
