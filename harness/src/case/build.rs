// SPDX-License-Identifier: MIT OR Apache-2.0
//! Building a case's modules against a guest's kernel.

use std::path::{Path, PathBuf};

use super::Case;
use crate::guest::{GuestFiles, Store};

/// The modules of a case, built for one kernel.
#[derive(Debug, Clone)]
pub struct Build {
    /// In the order they are loaded.
    pub modules: Vec<BuiltModule>,
    /// First line of `gcc --version`; none when nothing was compiled.
    pub compiler: Option<String>,
    /// Whether an earlier build was taken.
    pub cached: bool,
    /// What the user should know (a compiler of another version).
    pub notes: Vec<String>,
}

/// A built module.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BuiltModule {
    /// Name without `.ko`.
    pub name: String,
    /// The file.
    pub path: PathBuf,
}

/// Why a case's modules cannot be had.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum BuildError {
    /// `make` failed.
    #[error("the modules of {case} do not build for {release}:\n{lines}")]
    Compile {
        /// The case.
        case: String,
        /// The kernel.
        release: String,
        /// The compiler's lines.
        lines: String,
        /// All of the output.
        log: PathBuf,
    },
}

/// Builds the modules of a case into `out`, which is made; `out/build.log` keeps the output.
///
/// # Errors
/// No compiler, a module that does not build or is for another kernel, no room.
pub fn build(
    case: &Case,
    guest: &GuestFiles,
    store: &Store,
    out: &Path,
) -> Result<Build, BuildError> {
    let _ = store;
    Err(BuildError::Compile {
        case: case.name.clone(),
        release: guest.release.clone(),
        lines: "not written yet".into(),
        log: out.join("build.log"),
    })
}
