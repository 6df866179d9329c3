// SPDX-License-Identifier: MIT OR Apache-2.0
//! Kernel parameters.

use std::fs;

/// Sets one, by its name with dots.
///
/// # Errors
/// In words: no such parameter, or a value it does not take.
pub(crate) fn set(name: &str, value: &str) -> Result<(), String> {
    let path = path(name).ok_or_else(|| format!("`{name}` is no name of a kernel parameter"))?;
    fs::write(&path, value).map_err(|error| format!("cannot write {value} to {path}: {error}"))
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
