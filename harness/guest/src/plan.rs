// SPDX-License-Identifier: MIT OR Apache-2.0
//! What a guest is to be made of: its packages, and the trees they are unpacked into.

use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::sync::atomic::Ordering;

use sha2::{Digest, Sha256};

use super::apt::{Apt, KernelChoice, Record};
use super::apt_source::AptSource;
use super::files::GuestFiles;
use super::manifest::Manifest;
use super::meter::Meter;
use super::store::{Lock, Store, hex};
use super::tools::{self, ToolFiles, Tools, key};
use super::{FetchError, Package, deb, headers, programs, vmlinux};

/// Raised when what is unpacked of the headers, or how, changes: older trees are then left alone.
const HEADERS_RECIPE: u32 = 2;
/// Kernels that are listed but cannot be had, before it is an error.
const MAX_GONE: usize = 6;

/// The packages of a guest.
#[derive(Debug)]
pub(super) struct Plan {
    kernel: KernelChoice,
    tools: Tools,
}

impl Plan {
    /// Decides which packages to take, from lists that are up to date, and takes them.
    pub(super) fn of(
        apt: &Apt<'_>,
        lock: &Lock<'_>,
        guest: &Manifest,
        source: &AptSource,
    ) -> Result<Self, FetchError> {
        let mut tools = Tools::of(apt, &source.tools)?;
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
        let own = [&kernel.image, &kernel.debug].into_iter().chain(&kernel.headers);
        own.chain(&self.tools.records)
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
        others.extend(Some(&self.kernel.image).filter(|record| absent(key(record))));
        others.extend(self.tools.absent(store));
        let debug = absent(key(debug)).then_some(debug);
        let total = others.iter().copied().chain(debug).map(|record| record.size).sum();
        meter.to_download.store(total, Ordering::Relaxed);
        meter.to_extract.store(total, Ordering::Relaxed);
        // The debug symbols are nine tenths of the bytes: the rest is done meanwhile.
        meter.both(
            || debug.map_or(Ok(()), |record| take_vmlinux(apt, lock, record, &self.kernel.release)),
            || self.take_others(apt, lock, &others),
        )
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
        tools::unpack(apt, lock, &kernel.image, package(&kernel.image))?;
        self.tools.unpack(apt, lock, wanted, &files)?;
        let trees = self.tools.trees(lock.store());
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

    fn build_inside(&self) -> String {
        format!("usr/src/linux-headers-{}", self.kernel.release)
    }

    /// Finds the guest's files in the unpacked trees.
    pub(super) fn files(&self, store: &Store) -> Result<GuestFiles, FetchError> {
        let kernel = &self.kernel;
        let release = &kernel.release;
        let image = store.tree(&key(&kernel.image));
        let build_dir = store.tree(&headers_key(&kernel.headers)).join(self.build_inside());
        let ToolFiles { makedumpfile, busybox, libraries, kexec } = self.tools.files(store)?;
        let mut packages: Vec<Package> = self.records().map(Package::from).collect();
        packages.sort();
        let modules = format!("lib/modules/{release}");
        let merged = format!("usr/{modules}");
        let files = GuestFiles {
            release: release.clone(),
            vmlinuz: image.join(format!("boot/vmlinuz-{release}")),
            vmlinux: vmlinux_of(store, &kernel.debug, release),
            // Packages of merged-/usr suites have them below /usr.
            modules_dir: first_folder(&image, &[&modules, &merged]).unwrap_or_default(),
            gcc_major: headers::gcc_major(&build_dir),
            build_dir,
            libraries,
            makedumpfile,
            busybox,
            kexec,
            build_root: None,
            debug_package: Some(kernel.debug.sha256.clone()),
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

/// Brings a kernel's package of debug information, and unpacks the kernel out of it.
pub(super) fn take_vmlinux(
    apt: &Apt<'_>,
    lock: &Lock<'_>,
    record: &Record,
    release: &str,
) -> Result<(), FetchError> {
    let meter = apt.meter();
    let packages = apt.download(lock, "symbols", &[record])?;
    lock.make_tree(&key(record), |folder| {
        let name = format!("vmlinux-{release}");
        let inside = format!("usr/lib/debug/boot/{name}");
        for package in &packages {
            if vmlinux::extract(package, Path::new(&inside), &folder.join(&name), meter)? {
                // What comes after it in the package is never read.
                meter.extracted.fetch_max(record.size, Ordering::Relaxed);
                return Ok(());
            }
        }
        Err(FetchError::NoFile { package: record.package.clone(), file: inside })
    })?;
    Ok(())
}

/// Where that kernel then is.
pub(super) fn vmlinux_of(store: &Store, record: &Record, release: &str) -> PathBuf {
    store.tree(&key(record)).join(format!("vmlinux-{release}"))
}

/// Name of the tree the headers' packages, which link to each other, are unpacked into.
fn headers_key(records: &[Record]) -> String {
    let text = records.iter().fold(String::new(), |mut text, record| {
        let _ = writeln!(text, "{}", record.sha256);
        text
    });
    format!("{}-{HEADERS_RECIPE}", hex(&Sha256::digest(text)))
}

fn first_folder(tree: &Path, inside: &[&str]) -> Option<PathBuf> {
    inside.iter().map(|folder| tree.join(folder)).find(|folder| folder.is_dir())
}
