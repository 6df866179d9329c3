// SPDX-License-Identifier: MIT OR Apache-2.0
//! Where things are: the project with its guests and cases, the cache, the artefacts.

use std::env;
use std::path::{Path, PathBuf};

use serde::Deserialize;

use crate::error::Failure;
use crate::exit::Exit;
use crate::manifest;

/// Name of the file in the project's root.
const FILE: &str = "repro.toml";

/// A project: a folder with `repro.toml`, `guests/` and `modules/`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Project {
    /// The folder, absolute.
    pub root: PathBuf,
    /// What `repro.toml` says.
    pub settings: Settings,
}

/// `repro.toml`.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Settings {
    /// The case that runs when none is named.
    pub default_case: String,
    /// The guest of a case that names none.
    pub default_guest: String,
}

impl Project {
    /// The project in `root`, or the one that the current folder is part of.
    ///
    /// # Errors
    /// There is none, or its `repro.toml` is wrong.
    pub fn find(root: Option<&Path>) -> Result<Self, Failure> {
        let here = env::current_dir().map_err(|error| {
            Failure::new(Exit::SetupError, "there is no current folder").caused_by(&error)
        })?;
        let root = match root {
            Some(root) => here.join(root),
            None => here
                .ancestors()
                .find(|folder| folder.join(FILE).is_file())
                .map(Path::to_owned)
                .ok_or_else(|| {
                    let message = format!("no {FILE} here or in a folder above");
                    Failure::new(Exit::SetupError, message)
                        .hint("go to the project's folder, or name it with --root")
                })?,
        };
        let settings = manifest::load(&root.join(FILE))
            .map_err(|error| Failure::from_error(Exit::SetupError, &error))?;
        Ok(Self { root, settings })
    }

    /// The folder of the guests' manifests.
    #[must_use]
    pub fn guests(&self) -> PathBuf {
        self.root.join("guests")
    }

    /// The folder of the cases.
    #[must_use]
    pub fn cases(&self) -> PathBuf {
        self.root.join("modules")
    }

    /// Where artefacts go if nothing else is said.
    #[must_use]
    pub fn out(&self) -> PathBuf {
        self.root.join("target").join("repro")
    }
}

/// The cache folder if none is named: `$XDG_CACHE_HOME/repro`, or `~/.cache/repro`.
///
/// # Errors
/// There is neither of the two variables.
pub fn default_cache() -> Result<PathBuf, Failure> {
    let folder = |variable: &str| {
        env::var_os(variable).map(PathBuf::from).filter(|folder| folder.is_absolute())
    };
    folder("XDG_CACHE_HOME")
        .or_else(|| folder("HOME").map(|home| home.join(".cache")))
        .map(|folder| folder.join("repro"))
        .ok_or_else(|| {
            Failure::new(Exit::SetupError, "neither XDG_CACHE_HOME nor HOME names a folder")
                .hint("name a folder for the cache with --cache-dir")
        })
}
