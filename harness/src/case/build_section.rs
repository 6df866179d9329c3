// SPDX-License-Identifier: MIT OR Apache-2.0
//! `[build]`: how a case's modules are built, where the kernel's build system alone does not know.

use std::path::PathBuf;

use serde::{Deserialize, Serialize};

use guest::WantedPackage;

/// What differs from a build by Kbuild of the case's own sources.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case", default)]
pub struct BuildSection {
    /// Sources with a `dkms.conf`, which says how they are built and what comes out.
    pub dkms: Option<DkmsSource>,
    /// Words for make, `NAME=VALUE`.
    pub make: Vec<String>,
    /// Commands for the shell that run in the folder of the sources first (`./configure`).
    pub before: Vec<String>,
    /// A file of the case's folder with changes to the sources.
    pub changes: Option<PathBuf>,
}

/// Where sources with a `dkms.conf` are.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub enum DkmsSource {
    /// In a Debian package.
    Package(WantedPackage),
    /// In a folder, relative to the case's folder.
    Folder(PathBuf),
}

impl TryFrom<String> for DkmsSource {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        if text.contains('/') || text.starts_with('.') {
            return Ok(Self::Folder(text.into()));
        }
        WantedPackage::try_from(text).map(Self::Package)
    }
}

impl From<DkmsSource> for String {
    fn from(source: DkmsSource) -> Self {
        match source {
            DkmsSource::Package(package) => package.into(),
            DkmsSource::Folder(folder) => folder.display().to_string(),
        }
    }
}

impl BuildSection {
    /// What make would take for something else.
    pub(super) fn check(&self) -> Result<(), String> {
        let is_name = |name: &str| {
            !name.is_empty() && name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_')
        };
        let wrong = |word: &&String| !word.split_once('=').is_some_and(|(name, _)| is_name(name));
        match self.make.iter().find(wrong) {
            Some(word) => Err(format!("build.make: `{word}` is not of the form NAME=VALUE")),
            None => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_word_is_a_package_and_a_path_is_a_folder() {
        let read = |text: &str| DkmsSource::try_from(text.to_owned());
        assert_eq!(read("../driver"), Ok(DkmsSource::Folder("../driver".into())));
        assert_eq!(read("."), Ok(DkmsSource::Folder(".".into())));
        assert!(matches!(read("vpoll-dkms=0.1-2"), Ok(DkmsSource::Package(_))));
        assert!(read("-oX").unwrap_err().contains("no package"));
    }

    #[test]
    fn a_word_for_make_sets_a_variable() {
        let make = |word: &str| BuildSection { make: vec![word.into()], ..Default::default() };
        assert_eq!(make("CONFIG_X=y").check(), Ok(()));
        assert_eq!(make("EMPTY=").check(), Ok(()));
        for wrong in ["clean", "-f=x", "=y", "A B=c"] {
            assert!(make(wrong).check().unwrap_err().contains(wrong), "{wrong}");
        }
    }
}
