// SPDX-License-Identifier: MIT OR Apache-2.0
//! Disks by the serial numbers that the host gave them.

use std::fs;
use std::path::{Path, PathBuf};
use std::thread;
use std::time::{Duration, Instant};

/// How long a disk may take to appear.
const LIMIT: Duration = Duration::from_secs(5);
const INTERVAL: Duration = Duration::from_millis(10);

/// The device of the disk with a serial number.
///
/// # Errors
/// In words: there is none.
pub(crate) fn disk(serial: &str) -> Result<PathBuf, String> {
    let start = Instant::now();
    loop {
        if let Some(device) = present(serial) {
            return Ok(device);
        }
        if start.elapsed() >= LIMIT {
            return Err(format!("no disk with serial number `{serial}`"));
        }
        thread::sleep(INTERVAL);
    }
}

/// The same, if it is there by now.
pub(crate) fn present(serial: &str) -> Option<PathBuf> {
    find_disk(Path::new("/sys/block"), serial)
        .map(|name| Path::new("/dev").join(name))
        .filter(|device| device.exists())
}

fn find_disk(blocks: &Path, serial: &str) -> Option<std::ffi::OsString> {
    let mut entries = fs::read_dir(blocks).ok()?.flatten();
    let is_it = |path: PathBuf| {
        fs::read_to_string(path.join("serial")).is_ok_and(|text| text.trim() == serial)
    };
    entries.find(|entry| is_it(entry.path())).map(|entry| entry.file_name())
}
