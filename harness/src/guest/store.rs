// SPDX-License-Identifier: MIT OR Apache-2.0
//! The cache: content-addressed, read-only, safe with several runs at once.

use std::path::{Path, PathBuf};

/// Why the cache cannot be used.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum StoreError {
    /// A folder or file of the cache cannot be made.
    #[error("cannot write to the cache at {path}")]
    Write {
        /// What was to be written.
        path: PathBuf,
        /// What the system said.
        #[source]
        source: std::io::Error,
    },
}

/// The cache folder.
#[derive(Debug, Clone)]
pub struct Store {
    root: PathBuf,
    offline: bool,
}

impl Store {
    /// Opens the cache in `root`, made if need be. With `offline`, nothing is fetched into it.
    ///
    /// # Errors
    /// The folder cannot be made or written.
    pub fn open(root: &Path, offline: bool) -> Result<Self, StoreError> {
        std::fs::create_dir_all(root)
            .map_err(|source| StoreError::Write { path: root.to_owned(), source })?;
        Ok(Self { root: root.to_owned(), offline })
    }

    /// The folder.
    #[must_use]
    pub fn root(&self) -> &Path {
        &self.root
    }

    /// Whether only what is already here may be used.
    #[must_use]
    pub fn offline(&self) -> bool {
        self.offline
    }
}
