// SPDX-License-Identifier: MIT OR Apache-2.0
//! The programs that run in a guest, from Debian packages, and the libraries they need.
//!
//! They work on every kernel since 3.2, whatever distribution the kernel is from.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::sync::atomic::Ordering;

use super::apt::{Apt, Record};
use super::deb;
use super::files::GuestFile;
use super::libraries;
use super::store::{Lock, Store};
use super::{FetchError, Package};

/// Raised when what is unpacked, or how, changes: older trees are then left alone.
const RECIPE: u32 = 1;
/// Most packages that the tools may need; more is a mistake in the guest's file.
const MAX_TOOLS: usize = 60;
/// The package of kexec(8).
const KEXEC_PACKAGE: &str = "kexec-tools";
/// Folders of programs in a package.
const PROGRAM_FOLDERS: [&str; 4] = ["usr/bin", "usr/sbin", "bin", "sbin"];

/// The packages of the tools and of the libraries they depend on.
#[derive(Debug)]
pub(super) struct Tools {
    pub(super) records: Vec<Record>,
}

/// The tools' files.
#[derive(Debug)]
pub(super) struct ToolFiles {
    pub(super) makedumpfile: GuestFile,
    pub(super) busybox: GuestFile,
    /// What makedumpfile needs.
    pub(super) libraries: Vec<GuestFile>,
    /// kexec(8) and what it needs, if its package is among the tools.
    pub(super) kexec: Vec<GuestFile>,
}

impl Tools {
    /// The tools, then the packages of libraries that they and these depend on.
    pub(super) fn of(apt: &Apt<'_>, wanted: &[String]) -> Result<Self, FetchError> {
        let mut records: Vec<Record> = Vec::new();
        let mut level: BTreeSet<String> = wanted.iter().cloned().collect();
        while !level.is_empty() && records.len() < MAX_TOOLS {
            let names: Vec<String> = level.iter().cloned().collect();
            let found = apt.records(&names)?;
            let mut next = BTreeSet::new();
            for name in &names {
                let asked = wanted.contains(name);
                match found.iter().find(|record| record.package == *name) {
                    // A tool's other needs (perl, a service manager) are not for the guest.
                    Some(record) if asked || record.library => {
                        next.extend(record.depends.iter().map(|other| other.package.clone()));
                        records.push(record.clone());
                    }
                    None if asked => {
                        let (suite, package) = (apt.suite().to_owned(), name.clone());
                        return Err(FetchError::NoPackage { suite, package });
                    }
                    _ => {}
                }
            }
            level = next
                .into_iter()
                .filter(|name| !records.iter().any(|record| record.package == *name))
                .collect();
        }
        Ok(Self { records })
    }

    /// Those that are not in the cache.
    pub(super) fn absent(&self, store: &Store) -> Vec<&Record> {
        self.records.iter().filter(|record| !store.tree(&key(record)).is_dir()).collect()
    }

    /// Downloads and unpacks whatever is not in the cache.
    pub(super) fn take(&self, apt: &Apt<'_>, lock: &Lock<'_>) -> Result<(), FetchError> {
        let wanted = self.absent(lock.store());
        let bytes = wanted.iter().map(|record| record.size).sum();
        apt.meter().to_download.fetch_add(bytes, Ordering::Relaxed);
        apt.meter().to_extract.fetch_add(bytes, Ordering::Relaxed);
        let files = apt.download(lock, "tools", &wanted)?;
        self.unpack(apt, lock, &wanted, &files)
    }

    /// Unpacks downloaded packages, each into a tree of its own.
    pub(super) fn unpack(
        &self,
        apt: &Apt<'_>,
        lock: &Lock<'_>,
        wanted: &[&Record],
        files: &[PathBuf],
    ) -> Result<(), FetchError> {
        let file_of = |record: &Record| {
            wanted.iter().zip(files).find(|(other, _)| **other == record).map(|(_, file)| file)
        };
        for record in &self.records {
            unpack(apt, lock, record, file_of(record))?;
        }
        Ok(())
    }

    /// The unpacked packages.
    pub(super) fn trees(&self, store: &Store) -> Vec<PathBuf> {
        self.records.iter().map(|record| store.tree(&key(record))).collect()
    }

    /// Finds the tools in the unpacked trees.
    pub(super) fn files(&self, store: &Store) -> Result<ToolFiles, FetchError> {
        let trees = self.trees(store);
        let makedumpfile = program("makedumpfile", &trees)?;
        let libraries = libraries::closure(&makedumpfile.host, &trees)?;
        let mut kexec = Vec::new();
        if self.records.iter().any(|record| record.package == KEXEC_PACKAGE) {
            let program = program("kexec", &trees)?;
            kexec = libraries::closure(&program.host, &trees)?;
            kexec.insert(0, program);
        }
        Ok(ToolFiles { makedumpfile, busybox: program("busybox", &trees)?, libraries, kexec })
    }

    /// As the list of a guest's packages has them.
    pub(super) fn listed(&self) -> impl Iterator<Item = Package> {
        self.records.iter().map(Package::from)
    }
}

/// Unpacks what a guest can use of a kernel image, a tool or a library.
pub(super) fn unpack(
    apt: &Apt<'_>,
    lock: &Lock<'_>,
    record: &Record,
    file: Option<&PathBuf>,
) -> Result<(), FetchError> {
    lock.make_tree(&key(record), |folder| match file {
        Some(file) => deb::unpack(file, apt.meter(), folder, of_use),
        None => Ok(()),
    })?;
    Ok(())
}

/// Name of the tree a single package is unpacked into.
pub(super) fn key(record: &Record) -> String {
    format!("{}-{RECIPE}", record.sha256)
}

/// Files of a kernel image, a tool or a library that a guest can use.
fn of_use(path: &Path) -> bool {
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    let program = PROGRAM_FOLDERS.iter().any(|folder| path.starts_with(folder));
    let kernel = path.starts_with("boot") && name.starts_with("vmlinuz-");
    let library = (path.starts_with("lib") || path.starts_with("usr/lib")) && name.contains(".so");
    let module = path.components().any(|part| part.as_os_str() == "modules");
    program || kernel || library || module
}

fn program(name: &str, trees: &[PathBuf]) -> Result<GuestFile, FetchError> {
    let places = trees.iter().flat_map(|tree| {
        PROGRAM_FOLDERS.iter().map(move |folder| (tree, Path::new(folder).join(name)))
    });
    let mut found = places.filter(|(tree, inside)| tree.join(inside).is_file());
    let (tree, inside) = found.next().ok_or_else(|| FetchError::NoFile {
        package: "of the guest's tools".into(),
        file: name.to_owned(),
    })?;
    Ok(GuestFile { host: tree.join(&inside), guest: Path::new("/").join(inside) })
}
