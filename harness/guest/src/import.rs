// SPDX-License-Identifier: MIT OR Apache-2.0
//! Guests made of files that somebody already has: RPM packages, or a kernel, its `vmlinux` and its
//! folder of modules.
//!
//! All that is needed is copied into the cache, together with a note which guest's machine, options
//! and tools it takes. Nothing is asked of a site afterwards.

use std::collections::BTreeMap;
use std::fs;
use std::ops::ControlFlow;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use super::FetchError;
use super::apt::Apt;
use super::apt_source::AptTools;
use super::copy::{copy, copy_folder, list};
use super::fetch::{FETCH_LOCK, from_rpm, keep_record, locked, watched};
use super::files::{GuestFiles, Progress};
use super::foreign;
use super::headers;
use super::manifest::{Imported, Manifest, Source};
use super::meter::Meter;
use super::rpm::{ALL, Toolchain};
use super::store::{Lock, Store, StoreError, discard, hash_file, hex, record, record_names};
use super::tools::{ToolFiles, Tools};

/// Raised when what is copied, or how, changes.
const RECIPE: &str = "import 1";
/// Where a bzImage has its version: offset of a 16-bit number, which counts from 0x200
/// (`Documentation/arch/x86/boot.rst`, `kernel_version`).
const VERSION_AT: usize = 0x20e;
const SETUP_MAGIC: (usize, &[u8]) = (0x202, b"HdrS");

/// Files of a kernel.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ImportFiles {
    /// Packages.
    Rpm(Vec<PathBuf>),
    /// Single files.
    Bare(Bare),
}

/// A kernel without packages.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Bare {
    /// The bootable kernel (a bzImage).
    pub vmlinuz: PathBuf,
    /// The same kernel with symbols and debug information.
    pub vmlinux: PathBuf,
    /// `…/lib/modules/<release>`: a folder with `kernel/`.
    pub modules: PathBuf,
    /// What modules are built against; without it only prebuilt modules can be used.
    pub build: Option<PathBuf>,
}

/// What the cache notes about an imported guest.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ImportNote {
    /// The guest whose machine, options, times and tools it has.
    pub like: String,
    /// Its kernel.
    pub release: String,
}

impl ImportFiles {
    /// Tells the files apart by what they hold.
    ///
    /// # Errors
    /// A file is neither a package nor a part of a kernel, or a part is missing.
    pub fn sort(files: &[PathBuf]) -> Result<Self, FetchError> {
        let is_rpm = |path: &PathBuf| path.extension().is_some_and(|it| it == "rpm");
        if !files.is_empty() && files.iter().all(is_rpm) {
            return Ok(Self::Rpm(files.to_vec()));
        }
        let (mut vmlinuz, mut vmlinux, mut modules, mut build) = (None, None, None, None);
        for path in files {
            let place = if path.join("kernel").is_dir() && !path.join("Makefile").is_file() {
                &mut modules
            } else if path.join("Makefile").is_file() {
                &mut build
            } else if begins_with(path, 0, b"\x7fELF") {
                &mut vmlinux
            } else if begins_with(path, SETUP_MAGIC.0, SETUP_MAGIC.1) {
                &mut vmlinuz
            } else {
                let what = "neither a package, a kernel, a vmlinux nor a folder of modules";
                return Err(refused(format!("{} is {what}", path.display())));
            };
            if place.replace(path.clone()).is_some() {
                return Err(refused(format!("{} is the second of its kind", path.display())));
            }
        }
        let missing = |what: &str| refused(format!("{what} is missing"));
        Ok(Self::Bare(Bare {
            vmlinuz: vmlinuz.ok_or_else(|| missing("the kernel (vmlinuz, a bzImage)"))?,
            vmlinux: vmlinux.ok_or_else(|| missing("the kernel's vmlinux"))?,
            modules: modules.ok_or_else(|| missing("a folder of modules (with kernel/ in it)"))?,
            build,
        }))
    }
}

impl ImportFiles {
    /// What tells which distribution the kernel is from: its release, or the packages' names.
    #[must_use]
    pub fn name(&self) -> String {
        match self {
            Self::Bare(bare) => release_of(&bare.vmlinuz).unwrap_or_default(),
            Self::Rpm(packages) => {
                let names = packages.iter().filter_map(|path| path.file_name()?.to_str());
                names.collect::<Vec<_>>().join(" ")
            }
        }
    }
}

/// Makes a guest of files that are here. `like` is the guest it resembles.
///
/// # Errors
/// A file is missing, damaged, of another kernel or not signed; the cache cannot be written.
pub fn import(
    like: &Manifest,
    name: Option<&str>,
    files: &ImportFiles,
    store: &Store,
    progress: &mut dyn FnMut(Progress) -> ControlFlow<()>,
) -> Result<(String, GuestFiles), FetchError> {
    if let Some(name) = name {
        foreign::name("guest's name", name).map_err(refused)?;
    }
    let lock = locked(store, FETCH_LOCK, progress)?;
    let meter = Meter::default();
    let found = watched(&meter, progress, || match files {
        ImportFiles::Rpm(packages) => of_packages(like, packages, &lock, &meter),
        ImportFiles::Bare(bare) => of_bare(like, bare, &lock, &meter),
    })?;
    let name = name.map_or_else(|| found.release.clone(), str::to_owned);
    let note = ImportNote { like: like.name.clone(), release: found.release.clone() };
    lock.write_record(&note_name(&name), &note)?;
    let guest = imported(like.clone(), &name, &note);
    keep_record(&guest, &lock, &found)?;
    Ok((name, found))
}

/// The imported guests of the cache in `root`, which need not be there.
#[must_use]
pub fn imports(root: &Path) -> BTreeMap<String, ImportNote> {
    let names = record_names(root).into_iter();
    let notes = names.filter_map(|name| {
        let guest = name.strip_prefix("import-")?.to_owned();
        Some((guest, record(root, &name)?))
    });
    notes.collect()
}

/// The manifest of an imported guest, from that of the guest it resembles.
#[must_use]
pub fn imported(like: Manifest, name: &str, note: &ImportNote) -> Manifest {
    Manifest {
        name: name.to_owned(),
        summary: format!("imported: kernel {}, as {}", note.release, note.like),
        source: Source::Imported(Imported { release: note.release.clone() }),
        ..like
    }
}

/// Forgets an imported guest; `repro clean` frees the room.
///
/// # Errors
/// There is none of this name.
pub fn remove(name: &str, store: &Store) -> Result<(), FetchError> {
    let lock = store.lock("fetch", &mut || true)?;
    if store.record::<ImportNote>(&note_name(name)).is_none() {
        return Err(refused(format!("there is no imported guest {name}")));
    }
    lock.remove_record(&note_name(name));
    lock.remove_record(&format!("guest-{name}"));
    Ok(())
}

fn note_name(name: &str) -> String {
    format!("import-{name}")
}

fn refused(why: String) -> FetchError {
    FetchError::Import { why }
}

fn of_packages(
    like: &Manifest,
    packages: &[PathBuf],
    lock: &Lock<'_>,
    meter: &Meter,
) -> Result<GuestFiles, FetchError> {
    let Source::Rpm(source) = &like.source else {
        return Err(refused(format!("guest {} is not made of RPM packages", like.name)));
    };
    // A folder with only these packages is a repository.
    let folder = lock.workspace("import")?;
    for package in packages {
        let write = |source| StoreError::Write { path: folder.clone(), source };
        let from = fs::canonicalize(package)
            .map_err(|source| StoreError::Read { path: package.clone(), source })?;
        let name = from.file_name().unwrap_or_default();
        std::os::unix::fs::symlink(&from, folder.join(name)).map_err(write)?;
    }
    let mut source = source.clone();
    for repository in source.repository.iter_mut().filter(|it| it.is(ALL)) {
        repository.url = folder.display().to_string();
    }
    if source.toolchain == Toolchain::Auto && packages.len() <= source.kernel.image.len() + 2 {
        source.toolchain = Toolchain::Host;
    }
    let found = from_rpm(like, &source, lock, meter);
    discard(&folder);
    found
}

fn of_bare(
    like: &Manifest,
    bare: &Bare,
    lock: &Lock<'_>,
    meter: &Meter,
) -> Result<GuestFiles, FetchError> {
    let release = release_of(&bare.vmlinuz)?;
    check_banner(&bare.vmlinux, &release)?;
    let parts = [("vmlinuz", &bare.vmlinuz), ("vmlinux", &bare.vmlinux)];
    let mut hash = Sha256::new();
    for (_, path) in parts {
        hash.update(hash_file(path)?);
    }
    for folder in [Some(&bare.modules), bare.build.as_ref()].into_iter().flatten() {
        let mut names = Vec::new();
        list(folder, 0, &mut names)?;
        names.iter().for_each(|name| hash.update(format!("{name}\n")));
    }
    hash.update(RECIPE);
    let tree = lock.make_tree(&hex(&hash.finalize()), |folder| {
        for (name, path) in parts {
            copy(path, &folder.join(name))?;
        }
        copy_folder(&bare.modules, &folder.join("modules").join(&release), 0)?;
        match &bare.build {
            Some(build) => copy_folder(build, &folder.join("build").join(&release), 0),
            None => Ok(()),
        }
    })?;
    let ToolFiles { makedumpfile, busybox, libraries, kexec } = tools(like, lock, meter)?;
    // Without it there is nothing to build with, which a build says.
    let build_dir = match bare.build {
        Some(_) => tree.join("build").join(&release),
        None => tree.clone(),
    };
    Ok(GuestFiles {
        vmlinuz: tree.join("vmlinuz"),
        vmlinux: tree.join("vmlinux"),
        modules_dir: tree.join("modules").join(&release),
        gcc_major: headers::gcc_major(&build_dir),
        build_dir,
        build_root: None,
        debug_package: None,
        makedumpfile,
        libraries,
        busybox,
        kexec,
        packages: Vec::new(),
        notes: Vec::new(),
        release,
    })
}

/// The tools of the guest it resembles.
fn tools(like: &Manifest, lock: &Lock<'_>, meter: &Meter) -> Result<ToolFiles, FetchError> {
    let (place, packages) = match &like.source {
        Source::Apt(apt) => (apt.place(), &apt.tools),
        Source::Rpm(rpm) => {
            let AptTools { packages, .. } = &rpm.tools;
            (rpm.tools.place(), packages)
        }
        Source::Imported(_) => {
            return Err(refused(format!("guest {} is imported itself", like.name)));
        }
    };
    let apt = Apt::open(lock, place, like.arch.of_debian(), meter)?;
    apt.update()?;
    let tools = Tools::of(&apt, packages)?;
    tools.take(&apt, lock)?;
    tools.files(lock.store())
}

/// The release in the setup header of a kernel.
fn release_of(vmlinuz: &Path) -> Result<String, FetchError> {
    let bytes = read(vmlinuz)?;
    let at = bytes.get(VERSION_AT..VERSION_AT + 2).map(|it| u16::from_le_bytes([it[0], it[1]]));
    let text = at.and_then(|at| bytes.get(usize::from(at) + 0x200..)).unwrap_or_default();
    let end = text.iter().take(256).position(|byte| b" \0".contains(byte));
    let text = std::str::from_utf8(&text[..end.unwrap_or(0)]).unwrap_or_default();
    let plain = |c: char| c.is_ascii_alphanumeric() || "-_.+~".contains(c);
    if text.is_empty() || !text.chars().all(plain) {
        return Err(refused(format!("{} does not say its version", vmlinuz.display())));
    }
    Ok(text.to_owned())
}

/// A `vmlinux` of another kernel would only be noticed after the crash.
fn check_banner(vmlinux: &Path, release: &str) -> Result<(), FetchError> {
    let bytes = read(vmlinux)?;
    let banner = format!("Linux version {release} ");
    if bytes.windows(banner.len()).any(|window| window == banner.as_bytes()) {
        return Ok(());
    }
    Err(refused(format!("{} is not the vmlinux of kernel {release}", vmlinux.display())))
}

fn begins_with(path: &Path, at: usize, magic: &[u8]) -> bool {
    use std::os::unix::fs::FileExt;
    let mut bytes = vec![0; magic.len()];
    let read = fs::File::open(path).and_then(|it| it.read_exact_at(&mut bytes, at as u64));
    read.is_ok() && bytes == magic
}

fn read(path: &Path) -> Result<Vec<u8>, FetchError> {
    let read = |source| StoreError::Read { path: path.to_owned(), source };
    Ok(fs::read(path).map_err(read)?)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn file(folder: &Path, name: &str, bytes: &[u8]) -> PathBuf {
        let path = folder.join(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(&path, bytes).unwrap();
        path
    }

    fn kernel() -> Vec<u8> {
        let mut bytes = vec![0; 0x300];
        bytes[0x202..0x206].copy_from_slice(b"HdrS");
        bytes[VERSION_AT..VERSION_AT + 2].copy_from_slice(&0x40_u16.to_le_bytes());
        let version = b"3.10.0-1160.el7.x86_64 (builder@host) #1 SMP\0";
        bytes[0x240..0x240 + version.len()].copy_from_slice(version);
        bytes
    }

    #[test]
    fn parts_of_a_kernel_are_known_by_what_they_hold() {
        let folder = tempfile::tempdir().unwrap();
        let one = file(folder.path(), "a", &kernel());
        let two = file(folder.path(), "b", b"\x7fELF...");
        fs::create_dir_all(folder.path().join("m/kernel")).unwrap();
        let modules = folder.path().join("m");
        let sorted = ImportFiles::sort(&[modules.clone(), two.clone(), one.clone()]).unwrap();
        let bare = Bare { vmlinuz: one.clone(), vmlinux: two.clone(), modules, build: None };
        assert_eq!(sorted, ImportFiles::Bare(bare));
        let message = ImportFiles::sort(&[one.clone(), two.clone()]).unwrap_err().to_string();
        assert!(message.contains("folder of modules"), "{message}");
        let message = ImportFiles::sort(&[one.clone(), one]).unwrap_err().to_string();
        assert!(message.contains("second of its kind"), "{message}");
        let rpm = vec![PathBuf::from("k.rpm")];
        assert_eq!(ImportFiles::sort(&rpm).unwrap(), ImportFiles::Rpm(rpm));
    }

    #[test]
    fn the_kernel_says_its_release_and_vmlinux_has_to_say_the_same() {
        let folder = tempfile::tempdir().unwrap();
        let release = release_of(&file(folder.path(), "a", &kernel())).unwrap();
        assert_eq!(release, "3.10.0-1160.el7.x86_64");
        let right = b"\x7fELF Linux version 3.10.0-1160.el7.x86_64 (x)";
        check_banner(&file(folder.path(), "b", right), &release).unwrap();
        let wrong = b"\x7fELF Linux version 3.10.0-1160.49.1.el7.x86_64 (x)";
        let error = check_banner(&file(folder.path(), "c", wrong), &release).unwrap_err();
        assert!(error.to_string().contains("not the vmlinux of kernel"), "{error}");
        assert!(release_of(&file(folder.path(), "d", b"HdrS")).is_err());
    }
}
