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
use super::compile::{Folders, LOG, compile};
use super::compiler::Compiler;
use super::copy::{copy, copy_error};
use super::symvers::{self, Symvers};
use super::{Case, DkmsSource, Origin, Outcome, modinfo};
use guest::{BUILDS, GuestFiles, Store, hex};

/// Raised when the way of building changes what comes out.
const RECIPE: &str = "modules 3";
/// Folder of the cache in which modules are built.
const WORK: &str = "work";

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
    if case.manifest.module.iter().any(|module| module.origin() == Origin::Built) {
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
        let from = match (module.origin(), &module.prebuilt, &tree) {
            (Origin::Prebuilt, Some(file), _) => case.folder.join(file),
            (Origin::Built, _, Some(tree)) => tree.join(module.file_name()),
            _ => continue,
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
    // Another state of the same case may be built at the same time.
    let work_key = work_key(case, guest, store, compiler);
    let work_lock = store.lock(&work_key, go_on)?;
    let work = work_lock.folder(WORK)?.join(&work_key);
    let tree = lock.make_tree(&key, |folder| {
        let folders = Folders { work: &work, tree: folder, out };
        compile(case, guest, compiler, folders, go_on)
    })?;
    Ok((tree, cached))
}

/// Hash of what decides whether a build can go on from an earlier one of the same case.
fn work_key(case: &Case, guest: &GuestFiles, store: &Store, compiler: &Compiler) -> String {
    let mut hash = Parts::default();
    match &case.manifest.build.dkms {
        // Cases of one package differ in little.
        Some(DkmsSource::Package(package)) => {
            hash.add(String::from(package.clone()).as_bytes());
        }
        Some(DkmsSource::Folder(_)) | None => {
            hash.add(case.folder.as_os_str().as_encoded_bytes());
        }
    }
    hash.add(format!("{:?}", case.manifest.build).as_bytes());
    surroundings(&mut hash, guest, store, compiler);
    format!("{WORK}-{}", hash.done())
}

/// What is the same for all cases.
fn surroundings(hash: &mut Parts, guest: &GuestFiles, store: &Store, compiler: &Compiler) {
    hash.add(RECIPE.as_bytes());
    hash.add(guest.release.as_bytes());
    hash.add(compiler.version.as_bytes());
    // Trees are named after what they were made of.
    for tree in [Some(&guest.build_dir), guest.build_root.as_ref()].into_iter().flatten() {
        let inside = tree.strip_prefix(store.root()).unwrap_or(tree);
        hash.add(inside.as_os_str().as_encoded_bytes());
    }
}

/// A hash of parts, each with its length, so that no two lists of parts look the same.
#[derive(Default)]
struct Parts(Sha256);

impl Parts {
    fn add(&mut self, part: &[u8]) {
        self.0.update((part.len() as u64).to_le_bytes());
        self.0.update(part);
    }

    fn done(self) -> String {
        hex(&self.0.finalize())
    }
}

/// Hash of all that decides what a build gives.
fn build_key(
    case: &Case,
    guest: &GuestFiles,
    store: &Store,
    compiler: &Compiler,
) -> Result<String, BuildError> {
    let mut hash = Parts::default();
    surroundings(&mut hash, guest, store, compiler);
    hash.add(format!("{:?}", case.manifest.build).as_bytes());
    for module in case.manifest.module.iter().filter(|module| module.origin() == Origin::Built) {
        hash.add(module.name.as_bytes());
        hash.add(module.build_folder().as_os_str().as_encoded_bytes());
    }
    for (place, path) in &case.sources {
        hash.add(place.as_os_str().as_encoded_bytes());
        hash.add(&fs::read(path).map_err(copy_error(path))?);
    }
    Ok(format!("{BUILDS}{}", hash.done()))
}

/// Finds out before the boot what the kernel would only say in its log.
fn check_fit(path: &Path, guest: &GuestFiles) -> Result<(), BuildError> {
    let no_module = |why: String| BuildError::NoModule { path: path.to_owned(), why };
    let data = fs::read(path).map_err(copy_error(path))?;
    let said = modinfo::read(&data).map_err(|error| no_module(error.to_string()))?;
    let vermagic = said.first("vermagic").ok_or_else(|| no_module("it has no vermagic".into()))?;
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
