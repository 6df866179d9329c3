// SPDX-License-Identifier: MIT OR Apache-2.0
//! Where things are: the project with its guests and cases, the cache, the artefacts.

use std::collections::BTreeMap;
use std::env;
use std::path::{Path, PathBuf};

use serde::Deserialize;

use crate::error::Failure;
use crate::exit::Exit;
use guest::strict;
use guest::{self, Choice, Configured, ImportNote, PartialTimeouts};

/// Name of the file in the project's root.
const FILE: &str = "repro.toml";

/// Folders of cases of a project that names none.
const CASES: [&str; 2] = ["cases", "modules"];

/// A project: a folder with cases, and with `repro.toml` where something is to be said about them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Project {
    /// The folder, absolute.
    pub root: PathBuf,
    /// What `repro.toml` says.
    pub settings: Settings,
    /// Guests of the user's own, by name.
    pub imports: BTreeMap<String, ImportNote>,
    /// The folder of the guests that this program knows by itself.
    pub built_in: Option<PathBuf>,
}

/// `repro.toml`; without one, everything has its default.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case", default)]
pub struct Settings {
    /// The case that runs when none is named.
    pub default_case: Option<String>,
    /// The guest of a case that names none.
    pub default_guest: String,
    /// The guests that cases which name none are for; empty means every guest there is.
    pub guests: Vec<String>,
    /// Folders of cases: each is a case, or holds some.
    pub cases: Vec<PathBuf>,
    /// Longest times of phases, instead of the guests' own.
    pub timeouts: PartialTimeouts,
    /// Where single guests come from, by name: kernel, mirrors, keys.
    guest: BTreeMap<String, Configured>,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            default_case: None,
            default_guest: guest::DEFAULT_GUEST.to_owned(),
            guests: Vec::new(),
            cases: CASES.map(PathBuf::from).to_vec(),
            timeouts: PartialTimeouts::default(),
            guest: BTreeMap::new(),
        }
    }
}

impl Settings {
    /// What it says about a guest.
    #[must_use]
    pub fn choice(&self, guest: &str) -> Choice {
        self.guest.get(guest).map(Configured::choice).unwrap_or_default()
    }
}

impl Project {
    /// The project in `root`, or the one that the current folder is part of: the first folder
    /// upwards with a `repro.toml`, else the current folder itself.
    ///
    /// # Errors
    /// There is no `repro.toml` in `root`, or it is wrong.
    pub fn find(root: Option<&Path>) -> Result<Self, Failure> {
        let here = env::current_dir().map_err(|error| {
            Failure::new(Exit::SetupError, "there is no current folder").caused_by(&error)
        })?;
        let root = match root {
            Some(root) => Some(here.join(root)),
            None => here.ancestors().find(|folder| folder.join(FILE).is_file()).map(Path::to_owned),
        };
        let settings = match &root {
            Some(root) => strict::load(&root.join(FILE))
                .map_err(|error| Failure::from_error(Exit::SetupError, &error))?,
            None => Settings::default(),
        };
        let root = root.unwrap_or(here);
        Ok(Self { root, settings, imports: BTreeMap::new(), built_in: None })
    }

    /// The same with the guests that are in a cache: what was imported, and those that this program
    /// knows by itself.
    ///
    /// # Errors
    /// The cache cannot be written.
    pub fn with_cache(self, cache: &Path) -> Result<Self, Failure> {
        let built_in = guest::built_in(cache).map_err(|error| {
            let message = format!("cannot write the cache {}", cache.display());
            Failure::new(Exit::SetupError, message)
                .caused_by(&error)
                .hint("name another folder with --cache-dir")
        })?;
        Ok(Self { imports: guest::imports(cache), built_in: Some(built_in), ..self })
    }

    /// The folders of the guests' manifests; a name is that of the first one with such a file.
    pub fn guest_folders(&self) -> impl Iterator<Item = PathBuf> + '_ {
        let own = self.root.join("guests");
        std::iter::once(own).filter(|folder| folder.is_dir()).chain(self.built_in.clone())
    }

    /// The folders of the cases.
    pub fn case_folders(&self) -> impl Iterator<Item = PathBuf> + '_ {
        self.settings.cases.iter().map(|folder| self.root.join(folder))
    }

    /// Whether a `repro.toml` tells of it.
    #[must_use]
    pub fn is_told(&self) -> bool {
        self.root.join(FILE).is_file()
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
        strict::load(&path).map_err(|error| Failure::from_error(Exit::SetupError, &error))
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
