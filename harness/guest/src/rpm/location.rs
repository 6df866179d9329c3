// SPDX-License-Identifier: MIT OR Apache-2.0
//! Where in a repository a file is.

use std::path::{Component, Path};

/// A path below the repository's own folder.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Location(String);

impl Location {
    /// From an `href` of metadata: a relative path of plain names (RFC 3986, section 4.2).
    ///
    /// # Errors
    /// It leads, or may lead, to another place.
    pub(super) fn new(href: &str) -> Result<Self, String> {
        let wrong = |why: &str| Err(format!("the location `{}` {why}", href.escape_debug()));
        if href.is_empty() {
            return wrong("is empty");
        }
        if href.chars().any(char::is_control) {
            return wrong("has control characters");
        }
        if href.split('/').next().is_some_and(|first| first.contains(':')) {
            return wrong("names another site");
        }
        let inside = |part| matches!(part, Component::Normal(_) | Component::CurDir);
        if !Path::new(href).components().all(inside) {
            return wrong("leads out of the repository");
        }
        Ok(Self(href.to_owned()))
    }

    /// A file that was found below the repository's folder, whatever it is called.
    pub(super) fn found(inside: &Path) -> Self {
        Self(inside.to_string_lossy().into_owned())
    }

    pub(super) fn as_str(&self) -> &str {
        &self.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_below_the_repository_are_taken_and_others_are_not() {
        for good in ["Packages/k/kernel-1-2.x86_64.rpm", "./a+b~c.rpm", "Packages/a-1:2.rpm"] {
            assert_eq!(Location::new(good).unwrap().as_str(), good);
        }
        let bad = ["", "/etc/passwd", "../x", "a/../../x", "//host/x", "http://host/x", "file:x"];
        for href in bad.into_iter().chain(["a\nb", "a\0b", "a\x1b[0mb", "a\u{85}b"]) {
            let why = Location::new(href).unwrap_err();
            assert!(why.contains("location") && !why.contains(char::is_control), "{why:?}");
        }
    }
}
