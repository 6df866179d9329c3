// SPDX-License-Identifier: MIT OR Apache-2.0
//! Which compiler builds the modules.

use std::path::PathBuf;

use super::build_error::BuildError;
use super::build_root::BuildRoot;
use process::helper;

/// A C compiler: the host's, or the one of a build root.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Compiler {
    pub(super) path: PathBuf,
    /// First line of `--version`.
    pub(super) version: String,
    pub(super) major: Option<u32>,
    /// Where it runs, if not on the host.
    pub(super) root: Option<BuildRoot>,
}

impl Compiler {
    /// The compiler of the kernel's major version (`gcc-12`), else the host's `gcc`.
    pub(super) fn find(wanted: Option<u32>) -> Result<Self, BuildError> {
        let exact = wanted.and_then(|major| helper::find(&format!("gcc-{major}")));
        let path =
            exact.or_else(|| helper::find("gcc")).ok_or(BuildError::NoCompiler { wanted })?;
        Ok(Self::asked(path.clone(), None, |argument| helper::answer(&path, argument)))
    }

    /// The compiler of a build root.
    pub(super) fn of_root(root: BuildRoot) -> Self {
        let place = root.clone();
        Self::asked("gcc".into(), Some(root), |argument| place.answer("gcc", argument))
    }

    fn asked(
        path: PathBuf,
        root: Option<BuildRoot>,
        answer: impl Fn(&str) -> Option<String>,
    ) -> Self {
        let version = answer("--version").unwrap_or_default();
        let major =
            answer("-dumpversion").and_then(|version| version.split('.').next()?.parse().ok());
        let version = version.lines().next().unwrap_or_default().to_owned();
        Self { path, version, major, root }
    }

    /// What to say about a compiler that is not the kernel's.
    pub(super) fn note(&self, wanted: Option<u32>) -> Option<String> {
        let (wanted, actual) = (wanted?, self.major?);
        (wanted != actual).then(|| {
            format!("the kernel was compiled by gcc {wanted}, the modules are by gcc {actual}")
        })
    }

    /// Whether it knows an option.
    pub(super) fn accepts(&self, option: &str) -> bool {
        let words = [option, "-x", "c", "-c", "/dev/null", "-o", "/dev/null"];
        let command = match &self.root {
            Some(root) => root.start(std::iter::once("gcc").chain(words)),
            None => helper::tied(&self.path, words),
        };
        let tried = command.stdout_null().stderr_null().unchecked().run();
        tried.is_ok_and(|output| output.status.success())
    }

    /// The option that replaces the beginning of a path in what the compiler writes.
    pub(super) fn map_option(&self, from: &str, to: &str) -> String {
        // The general form is known since GCC 8; the older one does without __FILE__.
        let option = match self.major {
            Some(major) if major < 8 => "-fdebug-prefix-map",
            _ => "-ffile-prefix-map",
        };
        format!("{option}={from}={to}")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn compiler(major: u32) -> Compiler {
        Compiler { path: "gcc".into(), version: String::new(), major: Some(major), root: None }
    }

    #[test]
    fn another_major_version_is_told() {
        assert_eq!(compiler(12).note(Some(12)), None);
        assert_eq!(compiler(12).note(None), None);
        let note = compiler(14).note(Some(12)).unwrap();
        assert!(note.contains("gcc 12") && note.contains("gcc 14"), "{note}");
    }

    #[test]
    fn an_option_is_tried_out() {
        let compiler = Compiler::find(None).unwrap();
        assert!(compiler.accepts("-O2"));
        assert!(!compiler.accepts("-fno-such-option-at-all"));
    }

    #[test]
    fn old_compilers_get_the_option_they_know() {
        assert_eq!(compiler(12).map_option("/a", "b"), "-ffile-prefix-map=/a=b");
        assert_eq!(compiler(4).map_option("/a", "b"), "-fdebug-prefix-map=/a=b");
    }
}
