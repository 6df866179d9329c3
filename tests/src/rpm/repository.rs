// SPDX-License-Identifier: MIT OR Apache-2.0
//! A folder of packages with metadata.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result};

use crate::peers::setup;
use crate::project;

/// Writes the metadata of the packages in a folder with `createrepo_c`.
///
/// # Errors
/// It is missing or fails.
pub fn describe(folder: &Path, checksum: &str) -> Result<()> {
    let createrepo = setup::program("createrepo_c", "createrepo-c")?;
    duct::cmd!(createrepo, "--quiet", "--no-database", "--checksum", checksum, folder)
        .stdout_null()
        .stderr_capture()
        .run()
        .context("run createrepo_c")?;
    Ok(())
}

/// An empty folder below `target/tests/rpm`.
///
/// # Errors
/// It cannot be made.
pub fn folder(name: &str) -> Result<PathBuf> {
    let folder = project::target().join("tests").join("rpm").join(name);
    if folder.exists() {
        fs::remove_dir_all(&folder)?;
    }
    fs::create_dir_all(&folder)?;
    Ok(folder)
}
