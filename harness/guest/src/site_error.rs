// SPDX-License-Identifier: MIT OR Apache-2.0
//! Why a site does not give a file.

/// Why a site does not give a file.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum SiteError {
    /// It does not answer.
    #[error("cannot fetch {url}: {why}")]
    Unreachable {
        /// What was asked for.
        url: String,
        /// What went wrong, the last time.
        why: String,
    },
    /// It answers that it does not give the file.
    #[error("{url}: {why}")]
    Refused {
        /// What was asked for.
        url: String,
        /// Whether it says that there is no such file (HTTP's 404).
        unknown: bool,
        /// The site's answer.
        why: String,
    },
    /// The file is larger than is taken.
    #[error("{url} has more than {most} bytes")]
    TooLarge {
        /// What was asked for.
        url: String,
        /// Bytes that are taken at most.
        most: u64,
    },
}
