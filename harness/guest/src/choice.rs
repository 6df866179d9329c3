// SPDX-License-Identifier: MIT OR Apache-2.0
//! What the user says about guests beside their files: another kernel, mirrors, keys.

use std::path::PathBuf;

use serde::Deserialize;

use super::manifest::{Manifest, Source};
use super::rpm::{self, ALL, RpmSource, Toolchain};

/// What the user says about guests beside their files.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Choice {
    /// The kernel, as `uname -r` prints it.
    pub kernel: Option<String>,
    /// What builds modules.
    pub toolchain: Option<Toolchain>,
    /// Other places of repositories.
    pub mirrors: Vec<Mirror>,
    /// Files with keys that are trusted too.
    pub keys: Vec<PathBuf>,
    /// Repositories whose packages need no signature.
    pub allow_unsigned: Vec<String>,
}

/// Another place of a repository.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Mirror {
    /// Name of a site or repository in the guest's file, or `all`.
    pub name: String,
    /// A URL, or the absolute path of a folder.
    pub place: String,
}

impl Mirror {
    /// Reads `NAME=URL`, `NAME=FOLDER`, or only a place, which is then that of all repositories.
    ///
    /// # Errors
    /// A folder cannot be made absolute.
    pub fn parse(text: &str) -> Result<Self, String> {
        let is_name = |name: &str| {
            let plain = |c: char| c.is_ascii_alphanumeric() || "-_.".contains(c);
            !name.is_empty() && name.chars().all(plain)
        };
        let named = text.split_once('=').filter(|(name, _)| is_name(name));
        let (name, place) = named.unwrap_or((ALL, text));
        if place.is_empty() {
            return Err("no URL and no folder".to_owned());
        }
        let place = if place.contains("://") {
            place.to_owned()
        } else {
            let path = std::path::absolute(place).map_err(|error| error.to_string())?;
            path.display().to_string()
        };
        Ok(Self { name: name.to_owned(), place })
    }
}

/// A name that no repository of a guest has.
#[derive(Debug, thiserror::Error)]
#[error("guest {guest} has no repository {name} for {option} (it takes {known})")]
pub struct UnknownRepository {
    /// The guest.
    pub guest: String,
    /// The option it was said to.
    pub option: &'static str,
    /// What was said.
    pub name: String,
    /// The names that the option takes.
    pub known: String,
}

impl Choice {
    /// The same with what `other` says, which counts for more.
    #[must_use]
    pub fn overridden_by(mut self, other: &Self) -> Self {
        self.kernel = other.kernel.clone().or(self.kernel);
        self.toolchain = other.toolchain.or(self.toolchain);
        // The last one said for a name counts.
        self.mirrors.extend(other.mirrors.iter().cloned());
        self.keys.extend(other.keys.iter().cloned());
        self.allow_unsigned.extend(other.allow_unsigned.iter().cloned());
        self
    }

    /// Changes a guest. What is about repositories says nothing about a guest without them.
    ///
    /// # Errors
    /// A name is none of a repository.
    pub fn apply(&self, guest: &mut Manifest) -> Result<(), UnknownRepository> {
        match &mut guest.source {
            Source::Apt(apt) => {
                apt.kernel.release = self.kernel.clone().or(apt.kernel.release.take());
                Ok(())
            }
            Source::Imported(_) => Ok(()),
            Source::Rpm(rpm) => {
                rpm.kernel.release = self.kernel.clone().or(rpm.kernel.release.take());
                rpm.toolchain = self.toolchain.unwrap_or(rpm.toolchain);
                let guest = &guest.name;
                self.places(rpm).map_err(|name| {
                    unknown(guest, "--mirror", name, &[rpm.sites(), rpm.repositories()])
                })?;
                self.unsigned(rpm).map_err(|name| {
                    unknown(guest, "--allow-unsigned", name, &[rpm.repositories(), vec![ALL]])
                })
            }
        }
    }

    /// Gives sites and repositories other places and keys; fails with a name that is neither's.
    fn places(&self, rpm: &mut RpmSource) -> Result<(), String> {
        for Mirror { name, place } in &self.mirrors {
            let mut found = false;
            if let Some(site) = rpm.sites.get_mut(name) {
                site.clone_from(place);
                found = true;
            }
            for repository in rpm.repository.iter_mut().filter(|it| it.is(name)) {
                repository.url.clone_from(place);
                found = true;
            }
            found.then_some(()).ok_or_else(|| name.clone())?;
        }
        for repository in &mut rpm.repository {
            repository.keys.extend(self.keys.iter().cloned());
        }
        Ok(())
    }

    /// Takes what nobody signed from repositories; fails with a name that is none's.
    fn unsigned(&self, rpm: &mut RpmSource) -> Result<(), String> {
        for name in &self.allow_unsigned {
            let mut found = false;
            for repository in rpm.repository.iter_mut().filter(|it| it.is(name)) {
                repository.allow_unsigned = true;
                found = true;
            }
            found.then_some(()).ok_or_else(|| name.clone())?;
        }
        Ok(())
    }
}

fn unknown(
    guest: &str,
    option: &'static str,
    name: String,
    known: &[Vec<&str>],
) -> UnknownRepository {
    UnknownRepository { guest: guest.to_owned(), option, name, known: known.concat().join(", ") }
}

/// What the user's configuration says about one guest.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case", default)]
pub struct Configured {
    kernel: Option<String>,
    toolchain: Option<rpm::Toolchain>,
    mirror: std::collections::BTreeMap<String, String>,
    keys: Vec<PathBuf>,
    allow_unsigned: Vec<String>,
}

impl Configured {
    /// As a choice.
    pub fn choice(&self) -> Choice {
        let mirror =
            |(name, place): (&String, &String)| Mirror { name: name.clone(), place: place.clone() };
        Choice {
            kernel: self.kernel.clone(),
            toolchain: self.toolchain,
            mirrors: self.mirror.iter().map(mirror).collect(),
            keys: self.keys.clone(),
            allow_unsigned: self.allow_unsigned.clone(),
        }
    }
}

#[cfg(test)]
mod tests;
