// SPDX-License-Identifier: MIT OR Apache-2.0
//! Where things are: the project with its guests and cases, the cache, the artefacts.

use std::collections::BTreeMap;
use std::env;
use std::path::{Path, PathBuf};

use serde::Deserialize;

use crate::error::Failure;
use crate::exit::Exit;
use crate::guest::{self, Choice, Configured, ImportNote};
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
    /// Guests of the user's own, by name.
    pub imports: BTreeMap<String, ImportNote>,
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
        Ok(Self { root, settings, imports: BTreeMap::new() })
    }

    /// The same with the guests that were imported into a cache.
    #[must_use]
    pub fn with_imports(self, cache: &Path) -> Self {
        Self { imports: guest::imports(cache), ..self }
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

/// The user's own configuration: `$XDG_CONFIG_HOME/repro/config.toml`, else
/// `~/.config/repro/config.toml`.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case", default)]
pub struct Configuration {
    /// By the guest's name.
    guest: BTreeMap<String, Configured>,
}

impl Configuration {
    /// Reads the file; without one nothing is configured.
    ///
    /// # Errors
    /// It is no TOML, or holds an unknown key.
    pub fn load() -> Result<Self, Failure> {
        let folder = |variable: &str| {
            env::var_os(variable).map(PathBuf::from).filter(|folder| folder.is_absolute())
        };
        let home = || folder("HOME").map(|home| home.join(".config"));
        let Some(folder) = folder("XDG_CONFIG_HOME").or_else(home) else {
            return Ok(Self::default());
        };
        let path = folder.join("repro/config.toml");
        if !path.is_file() {
            return Ok(Self::default());
        }
        manifest::load(&path).map_err(|error| Failure::from_error(Exit::SetupError, &error))
    }

    /// What it says about a guest.
    #[must_use]
    pub fn choice(&self, guest: &str) -> Choice {
        self.guest.get(guest).map(Configured::choice).unwrap_or_default()
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
