// SPDX-License-Identifier: MIT OR Apache-2.0
//! `modules/<case>/case.toml`: everything that makes one case.

use std::collections::BTreeMap;
use std::path::{Component, Path, PathBuf};
use std::time::Duration;

use serde::de::{Deserializer, Error as _};
use serde::{Deserialize, Serialize};

use super::exec_paths::{ExecPaths, WantedPaths};
use super::{BuildSection, Expectation, Parameter, Setup, WantedStatus};
use guest::Arch;
use guest::strict::{self, ManifestError};

/// One case.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Manifest {
    /// One line for people.
    pub summary: String,
    /// Guests to run on, by name, the default one first; empty means every guest that has what
    /// `requires` asks for.
    #[serde(default)]
    pub guests: Vec<String>,
    /// How often the project's own tests run it.
    #[serde(default)]
    pub tier: Tier,
    /// What a guest must have.
    #[serde(default)]
    pub requires: Requires,
    /// What it wants of machine and kernel.
    #[serde(default)]
    pub setup: Setup,
    /// How they are built, where it is not by Kbuild alone.
    #[serde(default)]
    pub build: BuildSection,
    /// The modules, in the order they are loaded; a kernel may crash without any.
    #[serde(default)]
    pub module: Vec<Module>,
    /// What makes the kernel crash.
    pub trigger: Trigger,
    /// What the crash must be.
    pub expect: Expectation,
    /// What differs on single guests, by the guest's name.
    #[serde(default)]
    pub guest: BTreeMap<String, GuestPart>,
}

impl Manifest {
    /// Reads a `case.toml`.
    ///
    /// # Errors
    /// The file cannot be read, is no TOML, or holds an unknown key or a value out of range.
    pub fn load(path: &Path) -> Result<Self, ManifestError> {
        let manifest: Self = strict::load(path)?;
        manifest.check().map_err(|message| ManifestError::Content {
            path: path.to_owned(),
            line: None,
            message,
            suggestion: None,
        })?;
        Ok(manifest)
    }

    /// What the modules are loaded with, as the kernel's command line would have it: values by
    /// `module.parameter`.
    #[must_use]
    pub fn parameters(&self) -> BTreeMap<String, String> {
        let of = |module: &Module| {
            let name = module.name.clone();
            let named = module.parameters.clone().into_iter();
            named.map(move |(parameter, value)| (format!("{name}.{parameter}"), value.0))
        };
        self.module.iter().flat_map(of).collect()
    }

    /// What the crash must be on one guest.
    #[must_use]
    pub fn expectation(&self, guest: &str) -> Expectation {
        let part = self.part(guest).and_then(|part| part.expect.as_ref());
        part.map_or_else(|| self.expect.clone(), |part| self.expect.overridden_by(part))
    }

    /// What it wants of machine and kernel on one guest.
    #[must_use]
    pub fn setup(&self, guest: &str) -> Setup {
        let part = self.part(guest).and_then(|part| part.setup.as_ref());
        part.map_or_else(|| self.setup.clone(), |part| self.setup.with(part))
    }

    /// What differs on a guest; what is said of `debian-12` is true of its other flavours too.
    fn part(&self, guest: &str) -> Option<&GuestPart> {
        let dashes = guest.match_indices('-').map(|(dash, _)| &guest[..dash]);
        let mut names: Vec<&str> = dashes.chain([guest]).collect();
        names.reverse();
        names.into_iter().find_map(|name| self.guest.get(name))
    }

    fn check(&self) -> Result<(), String> {
        let mut seen = Vec::new();
        for module in &self.module {
            let name = module.name.as_str();
            if name.is_empty()
                || !name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_' || c == '-')
            {
                return Err(format!("module: `{name}` is no module name"));
            }
            if seen.contains(&name) {
                return Err(format!("module: `{name}` is named twice"));
            }
            seen.push(name);
            stays_inside("module.folder", &module.folder)?;
            if let Some(file) = &module.prebuilt {
                stays_inside("module.prebuilt", file)?;
            }
            if let Some(file) = &module.debug {
                stays_inside("module.debug", file)?;
                if module.prebuilt.is_none() {
                    return Err(format!("module: `{name}` has `debug` and is not prebuilt"));
                }
            }
            if module.source.is_some() && module.prebuilt.is_some() {
                return Err(format!("module: `{name}` has `source` and is prebuilt"));
            }
            if module.in_tree && (module.source.is_some() || module.prebuilt.is_some()) {
                return Err(format!("module: `{name}` is in-tree: it is neither built nor given"));
            }
        }
        self.build.check()?;
        if let Some(file) = &self.build.changes {
            stays_inside("build.changes", file)?;
        }
        if let Some(TriggerCommand::Run(script)) = &self.trigger.command {
            stays_inside("trigger.run", script)?;
        }
        let unloads = self.trigger.exec_paths.as_ref().is_some_and(ExecPaths::unloads);
        if unloads && self.module.is_empty() {
            return Err("trigger.exec-paths: there is no module to unload".into());
        }
        let parts = self.guest.values().filter_map(|part| part.setup.as_ref());
        for setup in std::iter::once(&self.setup).chain(parts) {
            setup.check()?;
            for file in &setup.files {
                stays_inside("setup.files", file)?;
            }
        }
        Ok(())
    }
}

/// Paths in a manifest point into the case's own folder.
fn stays_inside(key: &str, path: &Path) -> Result<(), String> {
    if path.components().all(|part| matches!(part, Component::Normal(_) | Component::CurDir)) {
        return Ok(());
    }
    Err(format!("{key}: `{}` leads out of the case's folder", path.display()))
}

/// The last part of a folder's path, below which its files are built.
pub(super) fn name_of(source: &Path) -> PathBuf {
    source.file_name().map_or_else(|| PathBuf::from("source"), PathBuf::from)
}

/// How often the project's own tests run a case; by hand it can be run on all its guests.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Tier {
    /// On every guest, each time.
    Core,
    /// On one of its guests each time.
    #[default]
    Corpus,
    /// Only when all are asked for: it does not crash each time, or takes long.
    Rare,
}

/// What a guest must have for a case.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Requires {
    /// Machine.
    pub arch: Option<Arch>,
    /// Flavour of the kernel, where the usual one lacks drivers (`amd64` for video, sound, USB).
    pub flavour: Option<String>,
}

/// One module.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Module {
    /// Name of the file without `.ko`.
    pub name: String,
    /// Folder of its Kbuild, relative to the case's folder. Modules with the same folder are
    /// built in one go.
    #[serde(default = "own_folder")]
    pub folder: PathBuf,
    /// Folder of the sources where they are not the case's own, relative to the case's folder
    /// (`"../../driver"`); `folder` is inside of it then.
    pub source: Option<PathBuf>,
    /// A module that is already built (a vendor's), relative to the case's folder; nothing is
    /// compiled then.
    pub prebuilt: Option<PathBuf>,
    /// A module of the guest's kernel.
    #[serde(default)]
    pub in_tree: bool,
    /// Separate debug information of a prebuilt module (`x.ko.debug`), relative to the case's
    /// folder.
    pub debug: Option<PathBuf>,
    /// Parameters it is loaded with.
    #[serde(default)]
    pub parameters: BTreeMap<String, Parameter>,
}

/// Where a module comes from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Origin {
    /// It is compiled.
    Built,
    /// It came built.
    Prebuilt,
    /// It is the guest's kernel's.
    InTree,
}

fn own_folder() -> PathBuf {
    PathBuf::from(".")
}

impl Module {
    /// The folder it is built in, relative to where all sources are brought together.
    #[must_use]
    pub fn build_folder(&self) -> PathBuf {
        match &self.source {
            Some(source) => name_of(source).join(&self.folder),
            None => self.folder.clone(),
        }
    }

    /// Where it comes from.
    #[must_use]
    pub fn origin(&self) -> Origin {
        if self.in_tree {
            Origin::InTree
        } else if self.prebuilt.is_some() {
            Origin::Prebuilt
        } else {
            Origin::Built
        }
    }

    /// Name of its file.
    pub(super) fn file_name(&self) -> String {
        format!("{}.ko", self.name)
    }

    /// The parameters as `insmod` takes them: `a=1 b=x`.
    #[must_use]
    pub fn parameter_line(&self) -> String {
        let words: Vec<_> =
            self.parameters.iter().map(|(name, value)| format!("{name}={}", value.0)).collect();
        words.join(" ")
    }
}

/// What makes the kernel crash.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub struct Trigger {
    /// What is run, as root, after the modules are loaded. There is this, or `exec_paths`, or both.
    pub command: Option<TriggerCommand>,
    /// In which ways programs are executed after that; not where it ended with another status than 0.
    pub exec_paths: Option<ExecPaths>,
    /// Its environment.
    pub environment: BTreeMap<String, String>,
    /// Longest time to the crash; default: the guest's.
    pub timeout: Option<Duration>,
    /// How long after the trigger's end a crash may still come (a timer, deferred work); default:
    /// a tenth of the longest time.
    pub settle: Option<Duration>,
    /// The status it has to end with where the kernel survives; default: 0.
    pub status: Option<WantedStatus>,
    /// Whether the guest is stopped, and dumped, where the kernel has said the first complaint that is not
    /// allowed.
    pub stop_at_complaint: bool,
}

/// What a trigger runs.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum TriggerCommand {
    /// A shell script of the case's folder.
    Run(PathBuf),
    /// Program and arguments, by paths of the guest.
    Exec(Vec<String>),
}

/// A trigger as the file has it.
#[derive(Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case", rename = "trigger")]
struct RawTrigger {
    run: Option<PathBuf>,
    exec: Option<Vec<String>>,
    exec_paths: Option<WantedPaths>,
    exec_seed: Option<u64>,
    exec_rounds: Option<u32>,
    #[serde(default)]
    environment: BTreeMap<String, String>,
    #[serde(default, deserialize_with = "strict::some_duration")]
    timeout: Option<Duration>,
    #[serde(default, deserialize_with = "strict::some_duration")]
    settle: Option<Duration>,
    status: Option<WantedStatus>,
    #[serde(default)]
    stop_at_complaint: bool,
}

impl<'de> Deserialize<'de> for Trigger {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let raw = RawTrigger::deserialize(deserializer)?;
        let command = match (raw.run, raw.exec) {
            (Some(script), None) => Some(TriggerCommand::Run(script)),
            (None, Some(words)) if !words.is_empty() => Some(TriggerCommand::Exec(words)),
            (None, Some(_)) => return Err(D::Error::custom("`exec` is empty")),
            (None, None) if raw.exec_paths.is_some() => None,
            _ => {
                let message = "needs either `run` or `exec`, or `exec-paths` without or after one";
                return Err(D::Error::custom(message));
            }
        };
        let exec_paths = match (raw.exec_paths, raw.exec_seed, raw.exec_rounds) {
            (Some(wanted), seed, rounds) => {
                Some(ExecPaths::new(wanted, seed, rounds).map_err(D::Error::custom)?)
            }
            (None, None, None) => None,
            _ => {
                return Err(D::Error::custom("`exec-seed` and `exec-rounds` are for `exec-paths`"));
            }
        };
        let RawTrigger { environment, timeout, settle, status, stop_at_complaint, .. } = raw;
        Ok(Self { command, exec_paths, environment, timeout, settle, status, stop_at_complaint })
    }
}

/// What differs on one guest.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct GuestPart {
    /// What it needs beside the general setup.
    pub setup: Option<Setup>,
    /// Expectations that replace the general ones, key by key.
    pub expect: Option<super::expect::PartialExpectation>,
}

#[cfg(test)]
mod tests;
