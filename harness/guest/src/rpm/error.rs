// SPDX-License-Identifier: MIT OR Apache-2.0
//! Why packages of an RPM repository cannot be used.

use std::path::PathBuf;

use super::keyring::KeyError;
use super::package::Distrust;

/// Why packages of an RPM repository cannot be used.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum RpmError {
    /// Metadata of a repository is not what it should be.
    #[error("{url} is no metadata of a repository: {why}")]
    Metadata {
        /// The file.
        url: String,
        /// What is wrong.
        why: String,
    },
    /// A file does not have the checksum that the metadata says.
    #[error("{url} does not have the {kind} checksum {expected} that {source_of_it} says")]
    Checksum {
        /// The file.
        url: String,
        /// Kind of the checksum.
        kind: String,
        /// What it should have.
        expected: String,
        /// Who says so.
        source_of_it: &'static str,
    },
    /// A package or metadata is not signed by a key that is trusted.
    #[error("{what} of repository {repository} is refused: {why}")]
    Untrusted {
        /// The package, or `repomd.xml`.
        what: String,
        /// The repository.
        repository: String,
        /// What is wrong.
        why: String,
    },
    /// A package is not the one that the metadata describes.
    #[error("{url} holds {found} instead of {expected}")]
    OtherPackage {
        /// The file.
        url: String,
        /// What its header says.
        found: String,
        /// What the metadata says.
        expected: String,
    },
    /// The guest names no folder for such a kernel.
    #[error(
        "guest {guest} names no release of the distribution with kernel {kernel} (it has {known})"
    )]
    NoPoint {
        /// The guest.
        guest: String,
        /// What was asked for.
        kernel: String,
        /// The kernels of the releases it names.
        known: String,
    },
    /// A name in braces in a URL stands for nothing.
    #[error("the URL {url} of repository {repository} has {{{name}}}, which stands for nothing")]
    NoName {
        /// The URL.
        url: String,
        /// The repository.
        repository: String,
        /// The name.
        name: String,
    },
    /// Something the build root needs is in none of the repositories.
    #[error("{wanted}, needed by {user}, is in none of the repositories {repositories}")]
    Unresolved {
        /// The package or capability.
        wanted: String,
        /// Who needs it.
        user: String,
        /// Where it was looked for.
        repositories: String,
    },
    /// A folder that is to be a repository is none.
    #[error("{} has neither packages (*.rpm) nor metadata (repodata/repomd.xml)", .folder.display())]
    NoPackages {
        /// The folder.
        folder: PathBuf,
    },
    /// A folder or file of packages cannot be read.
    #[error("cannot read {path}")]
    Read {
        /// The folder or file.
        path: PathBuf,
        /// What the system said.
        source: std::io::Error,
    },
    /// A key file cannot be used.
    #[error(transparent)]
    Keys(#[from] KeyError),
}

impl RpmError {
    /// What the user can do about it.
    #[must_use]
    pub fn hint(&self) -> Option<String> {
        let text = match self {
            Self::Untrusted { .. } => {
                "trust another key with --key FILE, or say --allow-unsigned REPOSITORY"
            }
            Self::NoPoint { .. } => "name the repositories that have it with --mirror NAME=URL",
            Self::Unresolved { .. } => {
                "build with this machine's compiler instead: --toolchain host"
            }
            Self::NoPackages { .. } | Self::Read { .. } => {
                "--mirror takes the URL of a repository, or a folder of this machine with packages \
                 in it; --mirror NAME=… is for one site or repository of the guest's file"
            }
            _ => return None,
        };
        Some(text.to_owned())
    }

    pub(super) fn untrusted(what: &str, repository: &str, why: &Distrust) -> Self {
        Self::Untrusted {
            what: what.to_owned(),
            repository: repository.to_owned(),
            why: why.to_string(),
        }
    }
}
