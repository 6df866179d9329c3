// SPDX-License-Identifier: MIT OR Apache-2.0
//! Tests with names of their own, and skipping that nobody can overlook.

use std::io::Write as _;

use anyhow::Result;
use libtest_mimic::{Completion, Failed, Trial};

/// This machine cannot run the test: something is missing that is no part of the project.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{what}; {hint}")]
pub struct Unavailable {
    /// What is missing.
    pub what: String,
    /// What to do about it.
    pub hint: String,
}

/// A test. It is skipped where it ends with [`Unavailable`], but never in CI (`CI` is set), where
/// that is a failure.
pub fn trial(name: impl Into<String>, test: impl FnOnce() -> Result<()> + Send + 'static) -> Trial {
    let name = name.into();
    Trial::ignorable_test(name.clone(), move || match test() {
        Ok(()) => Ok(Completion::Completed),
        Err(error) => match error.downcast_ref::<Unavailable>() {
            Some(missing) if std::env::var_os("CI").is_none() => {
                say(&format!("SKIPPED {name}: {missing}"));
                Ok(Completion::ignored_with(missing))
            }
            _ => Err(Failed::from(format!("{error:#}"))),
        },
    })
}

/// Writes a line to stderr; where nobody listens, nothing is lost.
pub fn say(line: &str) {
    let _ = writeln!(std::io::stderr(), "{line}");
}
