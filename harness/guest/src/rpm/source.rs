// SPDX-License-Identifier: MIT OR Apache-2.0
//! `[source.rpm]` of a guest's file: where its packages are, and which.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use super::super::apt_source::AptTools;
use super::error::RpmError;
use super::url::expanded;

/// Names in braces that a URL may have besides those of `sites`.
const POINT: &str = "point";
const ARCH: &str = "arch";
/// The name that stands for every repository.
pub(in super::super) const ALL: &str = "all";

/// Packages of RPM repositories.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct RpmSource {
    /// Beginnings of URLs that repositories share, by name.
    #[serde(default)]
    pub sites: BTreeMap<String, String>,
    /// Minor releases of the distribution, the newest first: one is current, the others are kept
    /// in folders of their own.
    #[serde(default)]
    pub point: Vec<Point>,
    /// The repositories.
    pub repository: Vec<RpmRepository>,
    /// Which kernel.
    pub kernel: RpmKernel,
    /// Where the programs that run in the guest come from.
    pub tools: AptTools,
    /// What modules are built in.
    pub build_root: Option<BuildRoot>,
    /// What builds modules.
    #[serde(default)]
    pub toolchain: Toolchain,
}

/// A minor release.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Point {
    /// Its folder.
    pub name: String,
    /// How the releases of its kernels begin.
    pub kernel: String,
}

/// A repository.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct RpmRepository {
    /// Its name, for people and for `--mirror`.
    pub name: String,
    /// Where it is: a URL or a folder.
    pub url: String,
    /// Files with the keys its packages are signed with; in the guest's file by their names in
    /// `guests/keys`.
    pub keys: Vec<PathBuf>,
    /// Whether packages are taken that none of the keys signed.
    #[serde(default)]
    pub allow_unsigned: bool,
}

/// The packages of a kernel.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct RpmKernel {
    /// Exactly one, as `uname -r` prints it, with or without the machine. Default: the newest one
    /// that is there with all its packages.
    pub release: Option<String>,
    /// Packages with the kernel and its modules.
    pub image: Vec<String>,
    /// Package with what modules are built against.
    pub devel: String,
    /// Package with the kernel's debug information.
    pub debug: String,
}

/// The distribution's own compiler and what it needs.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct BuildRoot {
    /// Packages, or what they provide; unpacked in this order, what they require after them.
    pub packages: Vec<String>,
    /// Links that scripts of the packages would make: path and target.
    #[serde(default)]
    pub links: BTreeMap<String, String>,
}

/// What builds modules.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, clap::ValueEnum)]
#[serde(rename_all = "kebab-case")]
pub enum Toolchain {
    /// The guest's own compiler if its packages are there, else this machine's
    #[default]
    Auto,
    /// The compiler of the guest's distribution
    Packages,
    /// This machine's compiler
    Host,
}

impl RpmRepository {
    /// Whether a name means it.
    pub(in super::super) fn is(&self, name: &str) -> bool {
        name == ALL || name == self.name
    }
}

impl RpmSource {
    pub(in super::super) fn check(&self) -> Result<(), String> {
        if self.repository.is_empty() {
            return Err("source.rpm.repository: there is none".into());
        }
        let named = |name: &str| self.repository.iter().filter(|it| it.name == name).count();
        for repository in &self.repository {
            let name = &repository.name;
            let taken = named(name) > 1 || self.sites.contains_key(name) || name == ALL;
            if taken || [POINT, ARCH].contains(&name.as_str()) {
                return Err(format!("source.rpm.repository: `{name}` is used twice"));
            }
        }
        if self.kernel.image.is_empty() {
            return Err("source.rpm.kernel.image: names no package".into());
        }
        Ok(())
    }

    /// Makes paths of the names of key files.
    pub(in super::super) fn find_keys(&mut self, folder: &Path) {
        for key in self.repository.iter_mut().flat_map(|repository| &mut repository.keys) {
            *key = folder.join(&*key);
        }
    }

    /// Names of the sites that repositories are on.
    pub(in super::super) fn sites(&self) -> Vec<&str> {
        self.sites.keys().map(String::as_str).collect()
    }

    /// Names of the repositories.
    pub(in super::super) fn repositories(&self) -> Vec<&str> {
        self.repository.iter().map(|repository| repository.name.as_str()).collect()
    }

    /// The URL of each repository for the kernel that was asked for.
    pub(in super::super) fn urls(&self, guest: &str, arch: &str) -> Result<Vec<String>, RpmError> {
        let mut names: BTreeMap<&str, &str> = BTreeMap::from([(ARCH, arch)]);
        names.extend(self.sites.iter().map(|(name, url)| (name.as_str(), url.as_str())));
        let needed = self.repository.iter().any(|it| it.url.contains("{point}"));
        if needed && let Some(point) = self.point(guest)? {
            names.insert(POINT, point);
        }
        let url = |it: &RpmRepository| expanded(&it.name, &it.url, &names);
        self.repository.iter().map(url).collect()
    }

    /// The minor release that has the kernel.
    fn point(&self, guest: &str) -> Result<Option<&str>, RpmError> {
        let Some(release) = &self.kernel.release else {
            return Ok(self.point.first().map(|point| point.name.as_str()));
        };
        let has = |point: &&Point| {
            let rest = release.strip_prefix(point.kernel.as_str());
            rest.is_some_and(|rest| !rest.starts_with(|c: char| c.is_ascii_digit()))
        };
        let found = self.point.iter().find(has).map(|point| point.name.as_str());
        if found.is_none() && !self.point.is_empty() {
            let known: Vec<_> = self.point.iter().map(|it| format!("{}*", it.kernel)).collect();
            return Err(RpmError::NoPoint {
                guest: guest.to_owned(),
                kernel: release.clone(),
                known: known.join(", "),
            });
        }
        Ok(found)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn source(release: Option<&str>) -> RpmSource {
        let point = |name: &str, kernel: &str| Point { name: name.into(), kernel: kernel.into() };
        RpmSource {
            sites: BTreeMap::from([("vault".to_owned(), "http://v/".to_owned())]),
            point: vec![point("7.9.2009", "3.10.0-1160"), point("7.0.1406", "3.10.0-123")],
            repository: vec![RpmRepository {
                name: "os".into(),
                url: "{vault}/{point}/os/{arch}".into(),
                keys: vec!["K".into()],
                allow_unsigned: false,
            }],
            kernel: RpmKernel {
                release: release.map(str::to_owned),
                image: vec!["kernel".into()],
                devel: "kernel-devel".into(),
                debug: "kernel-debuginfo".into(),
            },
            tools: AptTools {
                suite: "bookworm".into(),
                security: None,
                component: "main".into(),
                keyring: "k".into(),
                packages: vec![],
            },
            build_root: None,
            toolchain: Toolchain::Auto,
        }
    }

    fn url(release: Option<&str>) -> Result<String, RpmError> {
        source(release).urls("g", "x86_64").map(|mut urls| urls.remove(0))
    }

    #[test]
    fn the_kernel_decides_which_folder_of_the_vault_is_asked() {
        assert_eq!(url(None).unwrap(), "http://v/7.9.2009/os/x86_64");
        assert_eq!(url(Some("3.10.0-123.20.1.el7")).unwrap(), "http://v/7.0.1406/os/x86_64");
        assert_eq!(url(Some("3.10.0-1160.el7.x86_64")).unwrap(), "http://v/7.9.2009/os/x86_64");
    }

    #[test]
    fn a_kernel_of_no_known_release_is_an_error_that_names_those_known() {
        let message = url(Some("3.10.0-12.el7")).unwrap_err().to_string();
        assert!(message.contains("3.10.0-1160*"), "{message}");
        let mut mirrored = source(Some("3.10.0-12.el7"));
        mirrored.repository[0].url = "/srv/rpms".into();
        assert_eq!(mirrored.urls("g", "x86_64").unwrap(), ["/srv/rpms"]);
    }
}
