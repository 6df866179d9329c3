// SPDX-License-Identifier: MIT OR Apache-2.0
//! Building a case's modules against a guest's kernel.
//!
//! The same sources, kernel and compiler give the same file, byte for byte, in whatever folder:
//! the build is therefore done once and kept in the cache.

use std::fs;
use std::path::{Path, PathBuf};

use sha2::{Digest, Sha256};

use super::build_error::BuildError;
use super::build_root::BuildRoot;
use super::compile::{LOG, compile};
use super::compiler::Compiler;
use super::copy::{copy, copy_error};
use super::symvers::{self, Symvers};
use super::{Case, Outcome, modinfo};
use guest::{BUILDS, GuestFiles, Store, hex};

/// Raised when the way of building changes what comes out.
const RECIPE: &str = "modules 2";

/// The modules of a case, built for one kernel.
#[derive(Debug, Clone)]
pub struct Build {
    /// In the order they are loaded.
    pub modules: Vec<BuiltModule>,
    /// First line of the compiler's `--version`; none when nothing had to be compiled.
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

/// Builds the modules of a case into `out`, which is made; `out/build.log` keeps the output.
///
/// `go_on` is asked several times a second; when it says no, the work ends with
/// [`BuildError::Cancelled`].
///
/// # Errors
/// No compiler, a module that does not build or is for another kernel, no room.
pub fn build(
    case: &Case,
    guest: &GuestFiles,
    store: &Store,
    out: &Path,
    go_on: &mut dyn FnMut() -> bool,
) -> Result<Build, BuildError> {
    fs::create_dir_all(out).map_err(copy_error(out))?;
    let mut result = Build { modules: Vec::new(), compiler: None, cached: true, notes: Vec::new() };
    let mut tree = None;
    if case.manifest.module.iter().any(|module| module.prebuilt.is_none()) {
        if !guest.build_dir.join("Makefile").is_file() {
            return Err(BuildError::NoHeaders { release: guest.release.clone() });
        }
        let compiler = match &guest.build_root {
            Some(root) => Compiler::of_root(BuildRoot::open(root)?),
            None => Compiler::find(guest.gcc_major)?,
        };
        result.notes.extend(compiler.note(guest.gcc_major));
        let (built, cached) = built_tree(case, guest, store, &compiler, out, go_on)?;
        copy(&built.join(LOG), &out.join(LOG))?;
        result.compiler = Some(compiler.version);
        result.cached = cached;
        tree = Some(built);
    }
    for module in &case.manifest.module {
        let from = match (&module.prebuilt, &tree) {
            (Some(file), _) => case.folder.join(file),
            (None, Some(tree)) => tree.join(module.file_name()),
            (None, None) => continue,
        };
        // Where the kernel should refuse it, the kernel is asked.
        if case.manifest.expect.outcome != Outcome::Refused {
            check_fit(&from, guest)?;
        }
        let path = out.join(module.file_name());
        copy(&from, &path)?;
        if let Some(debug) = &module.debug {
            // Where the analysis looks for it.
            copy(&case.folder.join(debug), &out.join(format!("{}.debug", module.file_name())))?;
        }
        result.modules.push(BuiltModule { name: module.name.clone(), path });
    }
    Ok(result)
}

/// The folder of the cache with the built modules, and whether it was there.
fn built_tree(
    case: &Case,
    guest: &GuestFiles,
    store: &Store,
    compiler: &Compiler,
    out: &Path,
    go_on: &mut dyn FnMut() -> bool,
) -> Result<(PathBuf, bool), BuildError> {
    let key = build_key(case, guest, store, compiler)?;
    let tree = store.tree(&key);
    if tree.is_dir() {
        return Ok((tree, true));
    }
    let plain = |c: char| c.is_ascii_alphanumeric() || "-_.+@/".contains(c);
    if !store.root().to_str().is_some_and(|path| path.chars().all(plain)) {
        return Err(BuildError::Path { path: store.root().to_owned() });
    }
    let lock = store.lock(&key, go_on)?;
    let cached = tree.is_dir();
    let tree = lock.make_tree(&key, |folder| compile(case, guest, compiler, folder, out, go_on))?;
    Ok((tree, cached))
}

/// Hash of all that decides what a build gives.
fn build_key(
    case: &Case,
    guest: &GuestFiles,
    store: &Store,
    compiler: &Compiler,
) -> Result<String, BuildError> {
    let mut hash = Sha256::new();
    // Each part with its length, so that no two lists of parts look the same.
    let mut part = |bytes: &[u8]| {
        hash.update((bytes.len() as u64).to_le_bytes());
        hash.update(bytes);
    };
    part(RECIPE.as_bytes());
    part(guest.release.as_bytes());
    part(compiler.version.as_bytes());
    // Trees are named after what they were made of.
    for tree in [Some(&guest.build_dir), guest.build_root.as_ref()].into_iter().flatten() {
        let inside = tree.strip_prefix(store.root()).unwrap_or(tree);
        part(inside.as_os_str().as_encoded_bytes());
    }
    for module in case.manifest.module.iter().filter(|module| module.prebuilt.is_none()) {
        part(module.name.as_bytes());
        part(module.build_folder().as_os_str().as_encoded_bytes());
    }
    for (place, path) in &case.sources {
        part(place.as_os_str().as_encoded_bytes());
        part(&fs::read(path).map_err(copy_error(path))?);
    }
    Ok(format!("{BUILDS}{}", hex(&hash.finalize())))
}

/// Finds out before the boot what the kernel would only say in its log.
fn check_fit(path: &Path, guest: &GuestFiles) -> Result<(), BuildError> {
    let no_module = |why: String| BuildError::NoModule { path: path.to_owned(), why };
    let data = fs::read(path).map_err(copy_error(path))?;
    let vermagic = modinfo::value(&data, "vermagic")
        .map_err(|error| no_module(error.to_string()))?
        .ok_or_else(|| no_module("it has no vermagic".into()))?;
    let file = object::File::parse(&data[..]).map_err(|error| no_module(error.to_string()))?;
    let versions = symvers::versions(&file).map_err(|error| no_module(error.to_string()))?;
    // A guest without headers has no list of checksums.
    let text = fs::read_to_string(guest.build_dir.join("Module.symvers")).unwrap_or_default();
    let symvers = Symvers::parse(&text);
    let differing = symvers.differing(&versions);
    let mut words = vermagic.split(' ');
    let built_for = words.next().unwrap_or_default();
    let by_checksums =
        words.any(|word| word == "modversions") && !versions.is_empty() && symvers.has_checksums();
    let release = &guest.release;
    if built_for != release && !by_checksums {
        let (path, vermagic) = (path.to_owned(), built_for.to_owned());
        return Err(BuildError::Vermagic { path, vermagic, release: release.clone() });
    }
    if differing.is_empty() {
        return Ok(());
    }
    Err(BuildError::Checksums {
        path: path.to_owned(),
        vermagic: built_for.to_owned(),
        release: release.clone(),
        symbols: differing.join(", "),
    })
}

#[cfg(test)]
mod tests;
