// SPDX-License-Identifier: MIT OR Apache-2.0
//! What a guest is to be made of: its packages, and the trees they are unpacked into.

use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::sync::atomic::Ordering;

use sha2::{Digest, Sha256};

use super::apt::{Apt, KernelChoice, Record};
use super::files::{GuestFile, GuestFiles};
use super::manifest::{AptSource, Manifest};
use super::meter::Meter;
use super::store::{Lock, Store, hex};
use super::{FetchError, Package, deb, headers, libraries, programs, vmlinux};

/// Raised when what is unpacked, or how, changes: older trees are then left alone.
const RECIPE: u32 = 1;
/// The same of the headers.
const HEADERS_RECIPE: u32 = 2;
/// Most packages that the tools may need; more is a mistake in the guest's file.
const MAX_TOOLS: usize = 60;
/// Kernels that are listed but cannot be had, before it is an error.
const MAX_GONE: usize = 6;
/// Folders of programs in a package.
const PROGRAM_FOLDERS: [&str; 4] = ["usr/bin", "usr/sbin", "bin", "sbin"];

/// The packages of a guest.
#[derive(Debug)]
pub(super) struct Plan {
    kernel: KernelChoice,
    /// The tools and the packages of libraries they depend on.
    tools: Vec<Record>,
}

impl Plan {
    /// Decides which packages to take, from lists that are up to date, and takes them.
    pub(super) fn of(
        apt: &Apt<'_>,
        lock: &Lock<'_>,
        guest: &Manifest,
        source: &AptSource,
    ) -> Result<Self, FetchError> {
        let mut tools = with_libraries(apt, source)?;
        let mut gone = Vec::new();
        loop {
            let plan = Self { kernel: KernelChoice::of(apt, guest, &source.kernel, &gone)?, tools };
            match plan.carry_out(apt, lock, apt.meter()) {
                Err(error) if plan.kernel.is_gone(&error) && gone.len() < MAX_GONE => {
                    apt.meter().restart();
                    gone.push(plan.kernel.release);
                    tools = plan.tools;
                }
                done => return done.map(|()| plan),
            }
        }
    }

    fn records(&self) -> impl Iterator<Item = &Record> {
        let kernel = &self.kernel;
        [&kernel.image, &kernel.debug].into_iter().chain(&kernel.headers).chain(&self.tools)
    }

    /// Downloads and unpacks whatever of it is not in the cache.
    fn carry_out(&self, apt: &Apt<'_>, lock: &Lock<'_>, meter: &Meter) -> Result<(), FetchError> {
        let store = lock.store();
        let debug = &self.kernel.debug;
        let absent = |key: String| !store.tree(&key).is_dir();
        let mut others: Vec<&Record> = Vec::new();
        if absent(headers_key(&self.kernel.headers)) {
            others.extend(&self.kernel.headers);
        }
        let singles = std::iter::once(&self.kernel.image).chain(&self.tools);
        others.extend(singles.filter(|record| absent(key(record))));
        let debug = absent(key(debug)).then_some(debug);
        let total = others.iter().copied().chain(debug).map(|record| record.size).sum();
        meter.to_download.store(total, Ordering::Relaxed);
        meter.to_extract.store(total, Ordering::Relaxed);
        // The debug symbols are nine tenths of the bytes: the rest is done meanwhile.
        let (large, small) = std::thread::scope(|scope| {
            let large = scope.spawn(|| {
                let done = debug.map_or(Ok(()), |record| self.take_vmlinux(apt, lock, record));
                done.inspect_err(|_| meter.fail())
            });
            let small = self.take_others(apt, lock, &others).inspect_err(|_| meter.fail());
            (large.join(), small)
        });
        let large = large.unwrap_or_else(|panic| std::panic::resume_unwind(panic));
        match (large, small) {
            (Err(FetchError::Cancelled), Err(error)) | (Err(error), _) | (Ok(()), Err(error)) => {
                Err(error)
            }
            (Ok(()), Ok(())) => Ok(()),
        }
    }

    fn take_vmlinux(
        &self,
        apt: &Apt<'_>,
        lock: &Lock<'_>,
        record: &Record,
    ) -> Result<(), FetchError> {
        let meter = apt.meter();
        let packages = apt.download(lock, "symbols", &[record])?;
        lock.make_tree(&key(record), |folder| {
            let inside = self.vmlinux_inside();
            let name = inside.rsplit('/').next().unwrap_or(&inside);
            for package in &packages {
                if vmlinux::extract(package, Path::new(&inside), &folder.join(name), meter)? {
                    // What comes after it in the package is never read.
                    meter.extracted.fetch_max(record.size, Ordering::Relaxed);
                    return Ok(());
                }
            }
            Err(FetchError::NoFile { package: record.package.clone(), file: inside })
        })?;
        Ok(())
    }

    fn vmlinux_inside(&self) -> String {
        format!("usr/lib/debug/boot/vmlinux-{}", self.kernel.release)
    }

    fn take_others(
        &self,
        apt: &Apt<'_>,
        lock: &Lock<'_>,
        wanted: &[&Record],
    ) -> Result<(), FetchError> {
        let meter = apt.meter();
        let files = apt.download(lock, "others", wanted)?;
        let package = |record: &Record| {
            wanted.iter().zip(&files).find(|(other, _)| **other == record).map(|(_, file)| file)
        };
        let kernel = &self.kernel;
        for record in std::iter::once(&kernel.image).chain(&self.tools) {
            lock.make_tree(&key(record), |folder| match package(record) {
                Some(file) => deb::unpack(file, meter, folder, of_use),
                None => Ok(()),
            })?;
        }
        let trees = self.tool_trees(lock.store());
        lock.make_tree(&headers_key(&kernel.headers), |folder| {
            for file in kernel.headers.iter().filter_map(package) {
                let wanted =
                    |path: &Path| path.starts_with("usr/src") || path.starts_with("usr/lib");
                deb::unpack(file, meter, folder, wanted)?;
            }
            programs::adapt(folder, &trees)?;
            headers::relocate(&folder.join(self.build_inside()))
        })?;
        Ok(())
    }

    /// The unpacked packages of the tools and of their libraries.
    fn tool_trees(&self, store: &Store) -> Vec<PathBuf> {
        self.tools.iter().map(|record| store.tree(&key(record))).collect()
    }

    fn build_inside(&self) -> String {
        format!("usr/src/linux-headers-{}", self.kernel.release)
    }

    /// Finds the guest's files in the unpacked trees.
    pub(super) fn files(&self, store: &Store) -> Result<GuestFiles, FetchError> {
        let kernel = &self.kernel;
        let release = &kernel.release;
        let image = store.tree(&key(&kernel.image));
        let build_dir = store.tree(&headers_key(&kernel.headers)).join(self.build_inside());
        let trees = self.tool_trees(store);
        let makedumpfile = program("makedumpfile", &trees)?;
        let mut packages: Vec<Package> = self.records().map(Package::from).collect();
        packages.sort();
        let modules = format!("lib/modules/{release}");
        let merged = format!("usr/{modules}");
        let files = GuestFiles {
            release: release.clone(),
            vmlinuz: image.join(format!("boot/vmlinuz-{release}")),
            vmlinux: store.tree(&key(&kernel.debug)).join(format!("vmlinux-{release}")),
            // Packages of merged-/usr suites have them below /usr.
            modules_dir: first_folder(&image, &[&modules, &merged]).unwrap_or_default(),
            gcc_major: headers::gcc_major(&build_dir),
            build_dir,
            libraries: libraries::closure(&makedumpfile.host, &trees)?,
            makedumpfile,
            busybox: program("busybox", &trees)?,
            packages,
            notes: Vec::new(),
        };
        let no_file = |record: &Record, file: &str| FetchError::NoFile {
            package: record.package.clone(),
            file: file.to_owned(),
        };
        if !files.modules_dir.is_dir() {
            return Err(no_file(&kernel.image, &modules));
        }
        if !files.vmlinuz.is_file() {
            return Err(no_file(&kernel.image, &format!("boot/vmlinuz-{release}")));
        }
        Ok(files)
    }
}

/// The tools, then the packages of libraries that they and these depend on.
fn with_libraries(apt: &Apt<'_>, source: &AptSource) -> Result<Vec<Record>, FetchError> {
    let mut chosen: Vec<Record> = Vec::new();
    let mut level: BTreeSet<String> = source.tools.iter().cloned().collect();
    while !level.is_empty() && chosen.len() < MAX_TOOLS {
        let names: Vec<String> = level.iter().cloned().collect();
        let records = apt.records(&names)?;
        let mut next = BTreeSet::new();
        for name in &names {
            let asked = source.tools.contains(name);
            match records.iter().find(|record| record.package == *name) {
                // A tool's other needs (perl, a service manager) are not for the guest.
                Some(record) if asked || record.library => {
                    next.extend(record.depends.iter().map(|other| other.package.clone()));
                    chosen.push(record.clone());
                }
                None if asked => {
                    let (suite, package) = (source.suite.clone(), name.clone());
                    return Err(FetchError::NoPackage { suite, package });
                }
                _ => {}
            }
        }
        level =
            next.into_iter().filter(|name| !chosen.iter().any(|r| r.package == *name)).collect();
    }
    Ok(chosen)
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

/// Name of the tree a single package is unpacked into.
fn key(record: &Record) -> String {
    format!("{}-{RECIPE}", record.sha256)
}

/// Name of the tree the headers' packages, which link to each other, are unpacked into.
fn headers_key(records: &[Record]) -> String {
    let text = records.iter().fold(String::new(), |mut text, record| {
        let _ = writeln!(text, "{}", record.sha256);
        text
    });
    format!("{}-{HEADERS_RECIPE}", hex(&Sha256::digest(text)))
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

fn first_folder(tree: &Path, inside: &[&str]) -> Option<PathBuf> {
    inside.iter().map(|folder| tree.join(folder)).find(|folder| folder.is_dir())
}
