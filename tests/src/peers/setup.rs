// SPDX-License-Identifier: MIT OR Apache-2.0
//! Brings the peers onto this machine: `crash` and binutils from its distribution, drgn from PyPI
//! into a folder of its own below `target/`.

use std::ffi::{OsStr, OsString};
use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result};

use crate::lock::Lock;
use crate::project;
use crate::trial::{Unavailable, say};

/// What the comparison was written against. Raise a version on purpose, never by chance.
const PYTHON_PACKAGES: [&str; 2] = ["drgn==0.3.0", "jsonschema==4.25.1"];

/// A program, installed with the distribution's package manager if it is missing and this is root.
///
/// # Errors
/// [`Unavailable`] if it is not there and cannot be installed.
pub fn program(name: &str, package: &str) -> Result<PathBuf> {
    if let Some(program) = find(name) {
        return Ok(program);
    }
    install(package)?;
    find(name).ok_or_else(|| unavailable(name, package, "the package has no such program").into())
}

fn find(name: &str) -> Option<PathBuf> {
    let path = std::env::var_os("PATH")?;
    std::env::split_paths(&path).map(|folder| folder.join(name)).find(|file| file.is_file())
}

fn unavailable(name: &str, package: &str, why: &str) -> Unavailable {
    Unavailable {
        what: format!("{name} is not installed ({why})"),
        hint: format!("apt-get install {package}"),
    }
}

fn install(package: &str) -> Result<()> {
    let _lock = Lock::take(&project::target().join("tests").join("install.lock"))?;
    if !rustix::process::geteuid().is_root() {
        return Err(unavailable(package, package, "and this is not root").into());
    }
    say(&format!("installing {package}"));
    let words = ["install", "--yes", "--quiet", "--no-install-recommends", package];
    let apt = |words: &[&str]| {
        duct::cmd("apt-get", words)
            .env("DEBIAN_FRONTEND", "noninteractive")
            .stderr_to_stdout()
            .stdout_capture()
            .unchecked()
            .run()
    };
    let mut last = apt(&words).context("start apt-get")?;
    if !last.status.success() {
        // The lists may be older than the packages.
        apt(&["update", "--quiet"]).context("start apt-get")?;
        last = apt(&words).context("start apt-get")?;
    }
    if last.status.success() {
        return Ok(());
    }
    let said = String::from_utf8_lossy(&last.stdout).into_owned();
    Err(unavailable(package, package, &said).into())
}

/// The Python that has the peers' packages.
///
/// # Errors
/// [`Unavailable`] if there is no Python or the packages cannot be had.
pub fn python() -> Result<PathBuf> {
    let folder = project::target().join("tests").join("python");
    let _lock = Lock::take(&folder.with_extension("lock"))?;
    let python = folder.join("bin").join("python3");
    let stamp = folder.join("packages");
    let wanted = PYTHON_PACKAGES.join("\n");
    if python.is_file() && fs::read_to_string(&stamp).is_ok_and(|have| have == wanted) {
        return Ok(python);
    }
    if folder.exists() {
        fs::remove_dir_all(&folder).with_context(|| format!("remove {}", folder.display()))?;
    }
    make_environment(&folder)?;
    say(&format!("installing {}", PYTHON_PACKAGES.join(", ")));
    let quiet = ["-m", "pip", "install", "--quiet", "--disable-pip-version-check"];
    let words: Vec<&OsStr> = quiet.iter().chain(&PYTHON_PACKAGES).map(OsStr::new).collect();
    run(&python, &words).map_err(|said| Unavailable {
        what: format!("pip cannot install {}: {said}", PYTHON_PACKAGES.join(" ")),
        hint: "pip's configuration has to name a package index that is reachable".to_owned(),
    })?;
    fs::write(&stamp, wanted).with_context(|| format!("write {}", stamp.display()))?;
    Ok(python)
}

fn make_environment(folder: &Path) -> Result<()> {
    let python = program("python3", "python3")?;
    let make = || run(&python, &[OsStr::new("-m"), OsStr::new("venv"), folder.as_os_str()]);
    if make().is_ok() {
        return Ok(());
    }
    // Debian's python3 comes without what a venv needs.
    install("python3-venv")?;
    make().map_err(|said| unavailable("python3-venv", "python3-venv", &said).into())
}

/// Runs a program; what it said if it failed.
fn run(program: &Path, words: &[&OsStr]) -> Result<(), String> {
    let words = words.iter().map(|&word| OsString::from(word));
    let output = duct::cmd(program, words)
        .stderr_to_stdout()
        .stdout_capture()
        .unchecked()
        .run()
        .map_err(|error| error.to_string())?;
    let said = String::from_utf8_lossy(&output.stdout).into_owned();
    if output.status.success() { Ok(()) } else { Err(said) }
}
