// SPDX-License-Identifier: MIT OR Apache-2.0
//! Rules of this project that no other tool checks.

mod files;
mod layers;
mod licences;

use std::fs;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::{Context as _, Result};
use duct::cmd;

use crate::run::{root, say};

/// Something that breaks a rule.
#[derive(Debug)]
pub(crate) struct Problem {
    pub(crate) path: PathBuf,
    pub(crate) line: Option<usize>,
    pub(crate) message: String,
}

impl Problem {
    pub(crate) fn of(path: &Path, message: impl Into<String>) -> Self {
        Self { path: path.to_owned(), line: None, message: message.into() }
    }

    pub(crate) fn at(path: &Path, line: usize, message: impl Into<String>) -> Self {
        Self { path: path.to_owned(), line: Some(line), message: message.into() }
    }
}

/// A file of the project.
#[derive(Debug)]
pub(crate) struct Source {
    /// Relative to the project's root.
    pub(crate) path: PathBuf,
    /// Its text; none if it is binary.
    pub(crate) text: Option<String>,
}

impl Source {
    pub(crate) fn extension(&self) -> &str {
        self.path.extension().and_then(|extension| extension.to_str()).unwrap_or_default()
    }

    pub(crate) fn name(&self) -> &str {
        self.path.file_name().and_then(|name| name.to_str()).unwrap_or_default()
    }

    pub(crate) fn lines(&self) -> impl Iterator<Item = (usize, &str)> {
        (1..).zip(self.text.as_deref().unwrap_or_default().lines())
    }
}

/// Checks everything and says what breaks a rule.
pub(crate) fn tidy() -> Result<ExitCode> {
    let sources = sources()?;
    let mut problems: Vec<Problem> = sources.iter().flat_map(files::check).collect();
    problems.extend(layers::check(&sources));
    problems.extend(licences::check()?);
    for problem in &problems {
        let line = problem.line.map(|line| format!(":{line}")).unwrap_or_default();
        say(&format!("{}{line}: {}", problem.path.display(), problem.message));
    }
    say(&format!("tidy: {} files, {} problems", sources.len(), problems.len()));
    Ok(if problems.is_empty() { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

/// The files that git tracks or would track.
fn sources() -> Result<Vec<Source>> {
    let list = ["ls-files", "-z", "--cached", "--others", "--exclude-standard"];
    let names = cmd("git", list).dir(root()).read().context("list the project's files with git")?;
    let mut sources = Vec::new();
    for name in names.split('\0').filter(|name| !name.is_empty()) {
        // A file that was removed but not yet from git's list is no file of the project.
        if let Ok(bytes) = fs::read(root().join(name)) {
            sources.push(Source { path: name.into(), text: String::from_utf8(bytes).ok() });
        }
    }
    Ok(sources)
}
