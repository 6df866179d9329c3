// SPDX-License-Identifier: MIT OR Apache-2.0
//! Why a guest's files could not be had.

use std::io;
use std::path::{Path, PathBuf};

use super::rpm::RpmError;
use super::site_error::SiteError;
use super::store::{StoreError, advice};

/// Why a guest's files could not be had.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum FetchError {
    /// The suite has no kernel for which all the packages exist.
    #[error("no kernel for guest {guest}: {why}")]
    NoKernel {
        /// The guest.
        guest: String,
        /// What was looked for and what is missing.
        why: String,
    },
    /// A package is not in the suite.
    #[error("suite {suite} has no package {package}")]
    NoPackage {
        /// The suite.
        suite: String,
        /// The package.
        package: String,
    },
    /// No configured site of the host's apt has the suite.
    #[error("none of the host's apt sources has suite {suite}{}", last(.why))]
    NoSite {
        /// The suite.
        suite: String,
        /// What apt said to the last try.
        why: String,
    },
    /// The host has no apt.
    #[error("cannot run {program} (Debian packages come through apt)")]
    NoApt {
        /// The program.
        program: String,
        /// What the system said.
        source: io::Error,
    },
    /// An apt program failed.
    #[error("{what} failed:\n{output}")]
    Apt {
        /// Program and verb.
        what: String,
        /// What it printed on standard error.
        output: String,
    },
    /// A package is not what its format says.
    #[error("cannot unpack {what} ({path}){}", advice(source))]
    Unpack {
        /// The package.
        what: String,
        /// Its file.
        path: PathBuf,
        /// What is wrong.
        source: io::Error,
    },
    /// A package lacks a file that is taken from it.
    #[error("package {package} has no {file}")]
    NoFile {
        /// The package.
        package: String,
        /// The file.
        file: String,
    },
    /// A program needs a shared library that no package brought.
    #[error("{program} needs {library}, which is in none of the packages it depends on")]
    NoLibrary {
        /// The program or library.
        program: PathBuf,
        /// Name it is asked for.
        library: String,
    },
    /// A file of the guest is no ELF file where it should be one.
    #[error("cannot read {path}: {why}")]
    Elf {
        /// The file.
        path: PathBuf,
        /// What is wrong.
        why: String,
    },
    /// Something is needed that is not in the cache, and nothing may be fetched.
    #[error("guest {guest} is not in the cache {cache}, and nothing may be fetched (--offline)")]
    Offline {
        /// The guest.
        guest: String,
        /// The cache.
        cache: PathBuf,
    },
    /// Files cannot be made a guest.
    #[error("cannot import: {why}")]
    Import {
        /// What is wrong.
        why: String,
    },
    /// An imported guest's files are gone.
    #[error("the files of the imported guest {guest} are no longer in the cache")]
    NotImported {
        /// The guest.
        guest: String,
    },
    /// A repository of RPM packages, or a package of it, cannot be used.
    #[error(transparent)]
    Rpm(#[from] RpmError),
    /// A site does not give a file.
    #[error(transparent)]
    Site(#[from] SiteError),
    /// The cache failed.
    #[error(transparent)]
    Store(StoreError),
    /// The caller asked to stop.
    #[error("cancelled")]
    Cancelled,
}

impl FetchError {
    /// A file, which is not known by another name, cannot be unpacked.
    pub(super) fn unpack(path: &Path, source: io::Error) -> Self {
        let what = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
        Self::Unpack { what, path: path.to_owned(), source }
    }

    /// Whether the site is to blame, so that what an earlier run fetched is still good.
    pub(super) fn is_of_site(&self) -> bool {
        matches!(self, Self::NoSite { .. } | Self::Apt { .. } | Self::Site(_))
    }

    /// What the user can do about it.
    #[must_use]
    pub fn hint(&self) -> Option<String> {
        match self {
            Self::Rpm(error) => error.hint(),
            Self::Site(_) => {
                let text = "name a mirror or a folder of packages with --mirror NAME=URL|FOLDER, or take \
                            packages that are already here with `repro guest import FILES`";
                Some(text.to_owned())
            }
            Self::NotImported { .. } => Some("import it again: `repro guest import`".to_owned()),
            _ => None,
        }
    }
}

impl From<StoreError> for FetchError {
    fn from(error: StoreError) -> Self {
        match error {
            StoreError::Cancelled => Self::Cancelled,
            other => Self::Store(other),
        }
    }
}

fn last(why: &str) -> String {
    if why.is_empty() { String::new() } else { format!(":\n{why}") }
}
