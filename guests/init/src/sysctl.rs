// SPDX-License-Identifier: MIT OR Apache-2.0
//! Kernel parameters.

use std::fs;

/// The console's level, the first of four numbers: what is below it is printed.
const LEVEL: &str = "/proc/sys/kernel/printk";
/// A level that prints warnings (4) and what is graver.
const WARNINGS: u32 = 5;
/// Whether lines of the log have their times.
const TIMES: &str = "/sys/module/printk/parameters/time";

/// Sets one, by its name with dots.
///
/// # Errors
/// In words: no such parameter, or a value it does not take.
pub(crate) fn set(name: &str, value: &str) -> Result<(), String> {
    let path = path(name).ok_or_else(|| format!("`{name}` is no name of a kernel parameter"))?;
    fs::write(&path, value).map_err(|error| format!("cannot write {value} to {path}: {error}"))
}

/// Makes the console carry what the host listens for, whatever the command line says: warnings, each
/// line with its time (`quiet`, `loglevel=`, `printk.time=0`).
pub(crate) fn speak_up() {
    let level = fs::read_to_string(LEVEL).unwrap_or_default();
    let current = level.split_ascii_whitespace().next().and_then(|level| level.parse::<u32>().ok());
    if current.is_some_and(|current| current < WARNINGS) {
        // A kernel that cannot be told stays as it is.
        let _ = fs::write(LEVEL, WARNINGS.to_string());
    }
    let _ = fs::write(TIMES, "Y");
}

/// The file behind a name.
fn path(name: &str) -> Option<String> {
    let words: Vec<&str> = name.split('.').collect();
    let word = |word: &&str| !word.is_empty() && !word.contains(['/', '\0']);
    words.iter().all(word).then(|| format!("/proc/sys/{}", words.join("/")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dots_are_folders() {
        assert_eq!(path("kernel.panic_on_oops").unwrap(), "/proc/sys/kernel/panic_on_oops");
    }

    #[test]
    fn a_name_stays_below_proc_sys() {
        for bad in ["", "kernel..panic", "../etc/passwd", "kernel/panic", ".x", "x."] {
            assert_eq!(path(bad), None, "{bad}");
        }
    }
}
