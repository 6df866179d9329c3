// SPDX-License-Identifier: MIT OR Apache-2.0
//! Why a guest's files could not be had.

use super::StoreError;

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
    /// The cache failed.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The caller asked to stop.
    #[error("cancelled")]
    Cancelled,
}
