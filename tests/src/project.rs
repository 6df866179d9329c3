// SPDX-License-Identifier: MIT OR Apache-2.0
//! Where the project is, and its program.

use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result, ensure};
use harness::config::{self, Project};
use harness::guest::Store;
use harness::run::select::{self, Selected};

use crate::lock::Lock;

/// The project's root.
#[must_use]
pub fn root() -> PathBuf {
    let own = Path::new(env!("CARGO_MANIFEST_DIR"));
    own.parent().unwrap_or(own).to_owned()
}

/// Cargo's target folder.
#[must_use]
pub fn target() -> PathBuf {
    let folder =
        std::env::var_os("CARGO_TARGET_DIR").map_or_else(|| "target".into(), PathBuf::from);
    root().join(folder)
}

/// `repro`, as people run it: the release build, brought up to date first.
///
/// Where there is no cargo (an archive of the tests, unpacked on another machine), it is the
/// program that `REPRO_BIN` names.
///
/// # Errors
/// It does not build.
pub fn repro() -> Result<PathBuf> {
    if let Some(program) = std::env::var_os("REPRO_BIN") {
        return Ok(program.into());
    }
    let target = target();
    // Each of many test processes asks; one that waits here does not wait in cargo, which would
    // say so on stderr.
    let _lock = Lock::take(&target.join("tests").join("build.lock"))?;
    let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let arguments = ["build", "--quiet", "--release", "--package", "harness", "--bin", "repro"];
    let output = duct::cmd(cargo, arguments)
        .dir(root())
        .env("CARGO_TARGET_DIR", &target)
        .stdout_to_stderr()
        .stderr_capture()
        .unchecked()
        .run()
        .context("start cargo")?;
    let said = String::from_utf8_lossy(&output.stderr);
    ensure!(output.status.success(), "repro does not build:\n{said}");
    Ok(target.join("release").join("repro"))
}

/// The project as `repro` sees it.
///
/// # Errors
/// Its `repro.toml` is wrong.
pub fn project() -> Result<Project> {
    Ok(Project::find(Some(&root()))?)
}

/// Every case on every guest it is for.
///
/// # Errors
/// A manifest is wrong.
pub fn all() -> Result<Vec<Selected>> {
    Ok(select::all(&project()?)?)
}

/// The cache that `repro` uses.
///
/// # Errors
/// It cannot be told where it is, or it cannot be opened.
pub fn store() -> Result<Store> {
    let folder = match std::env::var_os("REPRO_CACHE") {
        Some(folder) => folder.into(),
        None => config::default_cache()?,
    };
    Ok(Store::open(&folder, true)?)
}
