// SPDX-License-Identifier: MIT OR Apache-2.0
//! Names and links from elsewhere, which become parts of paths and of command lines here.

use std::path::{Component, Path};

/// Longest name: with a few others it is still the name of one file.
const MAX_NAME: usize = 160;
/// What names, versions and releases of packages are made of besides letters and digits: what
/// rpmbuild lets through, of which Debian's policy has a part.
const SIGNS: &str = "-._+%{}~^";

/// Takes the name of a package, a version, a release or a machine, if it is one: it leads nowhere
/// as a part of a path, and is no option of a program.
///
/// # Errors
/// What is wrong with the `what`, in words that may be printed.
pub(super) fn name(what: &str, text: &str) -> Result<String, String> {
    let shown: String = text.chars().take(MAX_NAME).collect();
    let wrong = |why: &str| Err(format!("the {what} `{}` {why}", shown.escape_debug()));
    let plain = |c: char| c.is_ascii_alphanumeric() || SIGNS.contains(c);
    if text.is_empty() {
        return wrong("is empty");
    }
    if text.len() > MAX_NAME {
        return wrong("is too long");
    }
    if let Some(c) = text.chars().find(|c| !plain(*c)) {
        return wrong(&format!("has `{}`", c.escape_debug()));
    }
    if text.starts_with(['.', '-']) || text.contains("..") {
        return wrong("is no name of a package's part");
    }
    Ok(text.to_owned())
}

/// Whether a link at `path` leads to a place in the same tree.
pub(super) fn stays(path: &Path, target: &Path) -> bool {
    if target.is_absolute() {
        return false;
    }
    let mut depth = path.components().count().saturating_sub(1);
    for part in target.components() {
        match part {
            Component::ParentDir if depth == 0 => return false,
            Component::ParentDir => depth -= 1,
            Component::Normal(_) => depth += 1,
            _ => {}
        }
    }
    true
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_of_packages_are_taken_and_what_leads_elsewhere_is_not() {
        for good in ["kernel-devel", "libstdc++", "3.10.0", "1160.el7~rc1^git", "x86_64", "_a"] {
            assert_eq!(name("name", good).unwrap(), good);
        }
        let long = "a".repeat(MAX_NAME + 1);
        let bad = ["", "/etc/x", "a/b", "..", "a..b", ".hidden", "-o", "a\0b", "a\x1b]0;b", "a b"];
        for text in bad.into_iter().chain([long.as_str(), "ä", "a\u{202e}b"]) {
            let why = name("version", text).unwrap_err();
            assert!(why.starts_with("the version `"), "{why}");
            assert!(why.is_ascii() || text == "ä", "{why}");
            assert!(!why.contains(char::is_control), "{why:?}");
        }
    }
}
