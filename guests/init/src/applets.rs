// SPDX-License-Identifier: MIT OR Apache-2.0
//! busybox under all of its names.

use std::fs;
use std::path::Path;
use std::process::Command;

/// The program.
const BUSYBOX: &str = "/bin/busybox";
/// Where its names are.
const FOLDER: &str = "/lib/busybox";

/// Makes a link for each name, of which a program that a script starts (`ip netns exec`) knows nothing
/// otherwise; once. Where that cannot be done, scripts have only what their shell has itself.
pub(crate) fn name_all() {
    if Path::new(FOLDER).exists() || fs::create_dir_all(FOLDER).is_err() {
        return;
    }
    if Command::new(BUSYBOX).args(["--install", "-s", FOLDER]).status().is_ok() {
        // The guest has its own.
        let _ = fs::remove_file(format!("{FOLDER}/modprobe"));
    }
}
