// SPDX-License-Identifier: MIT OR Apache-2.0
//! Where the project is, and its program.

use std::ffi::{OsStr, OsString};
use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result, ensure};
use guest::{Source, Store};
use harness::case::Tier;
use harness::config::{self, Project};
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

/// `repro`, as people run it: in the profile of the tests, brought up to date first.
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
    let arguments = ["build", "--quiet", "--package", "harness", "--bin", "repro"];
    // What cargo tells a test of the test's own package is not for this build: build scripts that look at such a
    // variable would run again at each turn between the two.
    let own = std::env::vars_os().map(|(name, _)| name).filter(|name| is_of_a_package(name));
    let output = own
        .fold(duct::cmd(cargo, arguments), |command, name| command.env_remove(name))
        .dir(root())
        .env("CARGO_TARGET_DIR", &target)
        .stdout_to_stderr()
        .stderr_capture()
        .unchecked()
        .run()
        .context("start cargo")?;
    let said = String::from_utf8_lossy(&output.stderr);
    ensure!(output.status.success(), "repro does not build:\n{said}");
    Ok(target.join("debug").join("repro"))
}

/// Whether cargo sets a variable for a program of one package.
fn is_of_a_package(variable: &OsStr) -> bool {
    let kinds = ["CARGO_MANIFEST_", "CARGO_PKG_"];
    variable.to_str().is_some_and(|name| kinds.iter().any(|kind| name.starts_with(kind)))
}

/// The program with words, to be run without the servers that the user's environment names: what a test sees is of
/// this machine alone.
///
/// # Errors
/// It does not build.
pub fn repro_with(words: Vec<OsString>) -> Result<duct::Expression> {
    Ok(duct::cmd(repro()?, words).env_remove("DEBUGINFOD_URLS"))
}

/// The project as `repro` sees it.
///
/// # Errors
/// Its `repro.toml` is wrong.
pub fn project() -> Result<Project> {
    Ok(Project::find(Some(&root()))?)
}

/// Every case on every guest it is for whose packages this machine's apt brings. Those of RPM
/// repositories may be out of reach; they have a test of their own with a repository made here.
///
/// # Errors
/// A manifest is wrong.
pub fn all() -> Result<Vec<Selected>> {
    let mut all = select::all(&project()?)?;
    all.retain(|selected| matches!(selected.guest.source, Source::Apt(_)));
    Ok(all)
}

/// The default case on its default guest.
///
/// # Errors
/// A manifest is wrong.
pub fn default() -> Result<Selected> {
    let selected = select::select(&project()?, &[])?;
    selected.into_iter().next().context("there is no default case")
}

/// Every case on the guests that this run of the tests is for: the core on all of its guests; with
/// `REPRO_TESTS=corpus` one guest for each other case but the rare ones too; with
/// `REPRO_TESTS=all` all of all.
///
/// # Errors
/// A manifest is wrong.
pub fn chosen() -> Result<Vec<Selected>> {
    let all = all()?;
    let wanted = std::env::var("REPRO_TESTS").unwrap_or_default();
    if wanted == "all" {
        return Ok(all);
    }
    let mut chosen = Vec::new();
    // The cases take turns at the guests, so that each guest has its share.
    for (turn, runs) in all.chunk_by(|a, b| a.case.name == b.case.name).enumerate() {
        match runs[0].case.manifest.tier {
            Tier::Core => chosen.extend_from_slice(runs),
            Tier::Corpus if wanted == "corpus" => {
                chosen.push(runs[turn % runs.len()].clone());
            }
            Tier::Corpus | Tier::Rare => {}
        }
    }
    Ok(chosen)
}

/// Whether the case is the one for its guest that classic kdump captures, which is the reference
/// for what is captured fast: the project's default case.
///
/// # Errors
/// The project's `repro.toml` is wrong.
pub fn is_reference(selected: &Selected) -> Result<bool> {
    Ok(Some(&selected.case.name) == project()?.settings.default_case.as_ref())
}

/// Whether this is the project's default case on its default guest.
#[must_use]
pub fn is_default(selected: &Selected) -> bool {
    project().is_ok_and(|project| {
        let settings = &project.settings;
        Some(&selected.case.name) == settings.default_case.as_ref()
            && selected.guest.name == settings.default_guest
    })
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
