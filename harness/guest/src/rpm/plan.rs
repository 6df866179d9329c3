// SPDX-License-Identifier: MIT OR Apache-2.0
//! What a guest is to be made of: its packages, and the trees they are unpacked into.

use std::ops::ControlFlow;
use std::path::{Path, PathBuf};
use std::sync::atomic::Ordering;

use sha2::{Digest, Sha256};

use super::super::brought::Brought;
use super::super::debug_files::DebugFiles;
use super::super::files::GuestFiles;
use super::super::meter::Meter;
use super::super::store::{Lock, hex};
use super::super::tools::{ToolFiles, Tools};
use super::super::{FetchError, Package as Listed, headers};
use super::error::RpmError;
use super::kernel;
use super::package::Package;
use super::payload::{self, Entry, EntryKind, Visit};
use super::record::Record;
use super::repository::{Repository, Setup};
use super::resolve::resolve;
use super::source::{BuildRoot, RpmKernel, RpmSource, Toolchain};
use super::tree::{Links, Tree};
use crate::site::Site;
use crate::transport::{Manners, Transport};

/// Raised when what is unpacked, or how, changes: older trees are then left alone.
const RECIPE: &str = "rpm 1";
/// Folders that a root has without any package saying so.
const ROOT_FOLDERS: [&str; 6] = ["dev", "proc", "sys", "tmp", "usr/src/kernels", "build"];

/// The repositories of a guest.
pub(in super::super) struct Repositories<'a> {
    all: Vec<Repository>,
    lock: &'a Lock<'a>,
    transport: Transport<'a>,
}

/// The packages of a guest.
#[derive(Debug)]
pub(in super::super) struct Plan {
    release: String,
    image: Vec<Record>,
    devel: Record,
    debug: Record,
    root: Option<Root>,
    notes: Vec<String>,
}

/// What modules are built in.
#[derive(Debug)]
struct Root {
    records: Vec<Record>,
    setup: BuildRoot,
}

impl<'a> Repositories<'a> {
    /// Reads the metadata of all repositories.
    pub(in super::super) fn open(
        lock: &'a Lock<'a>,
        guest: &str,
        source: &RpmSource,
        arch: &str,
        meter: &'a Meter,
    ) -> Result<Self, FetchError> {
        let transport = Transport::new(meter, Manners::default());
        let sites: Vec<Site> = source.urls(guest, arch)?.iter().map(|url| Site::of(url)).collect();
        let mut all: Vec<Repository> = Vec::new();
        for (repository, site) in source.repository.iter().zip(&sites) {
            // Several names may lead to one folder: its packages are there once, signed with any
            // of the keys.
            if all.iter().any(|other| other.site == *site) {
                continue;
            }
            let alike = || source.repository.iter().zip(&sites).filter(|(_, it)| *it == site);
            let keys: Vec<PathBuf> = alike().flat_map(|(it, _)| it.keys.clone()).collect();
            let setup = Setup {
                name: &repository.name,
                site: site.clone(),
                keys: &keys,
                allow_unsigned: alike().all(|(it, _)| it.allow_unsigned),
            };
            all.push(Repository::open(setup, all.len(), arch, lock, &transport)?);
        }
        Ok(Self { all, lock, transport })
    }

    fn records(&self) -> Vec<&Record> {
        self.all.iter().flat_map(|repository| &repository.records).collect()
    }

    /// The repositories, for people.
    fn place(&self) -> String {
        let names = self.all.iter().map(|it| format!("{} ({})", it.name, it.site));
        names.collect::<Vec<_>>().join(", ")
    }

    fn meter(&self) -> &'a Meter {
        self.transport.meter()
    }

    fn package(&self, record: &Record) -> Result<Package, FetchError> {
        self.all[record.repository].package(record, self.lock, &self.transport)
    }

    /// Name of the tree that these packages are unpacked into. Who was trusted for them is part of
    /// it: what came in unchecked is not taken when it has to be checked.
    fn key<'r>(&self, records: impl Iterator<Item = &'r Record>, more: &str) -> String {
        let mut hash = Sha256::new();
        for record in records {
            hash.update(&record.checksum.value);
            hash.update(self.all[record.repository].trust());
            hash.update("\n");
        }
        hash.update(more);
        hash.update(RECIPE);
        hex(&hash.finalize())
    }

    /// Packages with all that they depend on, each in a tree of its own, of which `of_use` says what
    /// is unpacked.
    pub(in super::super) fn bring(
        &self,
        names: &[String],
        of_use: &dyn Fn(&Path) -> bool,
    ) -> Result<Vec<Brought>, FetchError> {
        let chosen = self.resolved(names)?;
        let (store, meter) = (self.lock.store(), self.meter());
        let key = |record: &Record| self.key([record].into_iter(), "whole");
        let absent = chosen.iter().filter(|record| !store.tree(&key(record)).is_dir());
        let bytes = absent.map(|record| record.size).sum();
        meter.to_download.store(bytes, Ordering::Relaxed);
        meter.to_extract.store(bytes, Ordering::Relaxed);
        let mut all = Vec::new();
        for record in &chosen {
            let key = key(record);
            if !store.tree(&key).is_dir() {
                let package = self.package(record)?;
                self.lock.make_tree(&key, |folder| {
                    let mut tree = Tree::new(folder, Links::Root);
                    unpack_into(&mut tree, &package, meter, of_use)
                })?;
            }
            let asked = names.iter().any(|name| name == record.name());
            all.push(Brought { package: record.listed(), tree: store.tree(&key), asked });
        }
        Ok(all)
    }

    /// All packages of a build root.
    fn root(&self, setup: &BuildRoot) -> Result<Root, FetchError> {
        Ok(Root { records: self.resolved(&setup.packages)?, setup: setup.clone() })
    }

    /// Packages and all that they depend on.
    fn resolved(&self, packages: &[String]) -> Result<Vec<Record>, FetchError> {
        let mut owners = |wanted: &std::collections::BTreeSet<String>| {
            let mut found = Vec::new();
            for repository in &self.all {
                let is_wanted = |path: &str| wanted.contains(path);
                found.extend(repository.owners(&is_wanted, &self.transport)?);
            }
            Ok(found)
        };
        let places = self.place();
        let chosen = resolve(&self.records(), packages, &places, &mut owners)?;
        Ok(chosen.into_iter().cloned().collect())
    }
}

impl Plan {
    /// Decides which packages to take.
    pub(in super::super) fn of(
        repositories: &Repositories<'_>,
        guest: &str,
        source: &RpmSource,
    ) -> Result<Self, FetchError> {
        let records = repositories.records();
        let place = repositories.place();
        let chosen = kernel::choose(guest, &records, &source.kernel, &place)?;
        let mut notes = chosen.notes;
        let root = match (&source.build_root, source.toolchain) {
            (None, _) | (_, Toolchain::Host) => None,
            (Some(setup), toolchain) => match (repositories.root(setup), toolchain) {
                (Err(FetchError::Rpm(error @ RpmError::Unresolved { .. })), Toolchain::Auto) => {
                    let gcc = "this machine's compiler builds the modules, because";
                    notes.push(format!("{gcc} {error}"));
                    None
                }
                (root, _) => Some(root?),
            },
        };
        Ok(Self {
            release: chosen.release,
            image: chosen.image.into_iter().cloned().collect(),
            devel: chosen.devel.clone(),
            debug: chosen.debug.clone(),
            root,
            notes,
        })
    }

    /// Downloads and unpacks whatever of it is not in the cache.
    pub(in super::super) fn carry_out(
        &self,
        repositories: &Repositories<'_>,
    ) -> Result<(), FetchError> {
        let store = repositories.lock.store();
        let meter = repositories.meter();
        let has = |key: String| store.tree(&key).is_dir();
        let mut bytes = 0;
        let sizes = |records: &[&Record]| records.iter().map(|it| it.size).sum::<u64>();
        if !has(self.image_key(repositories)) {
            bytes += sizes(&self.image.iter().collect::<Vec<_>>());
        }
        for record in [&self.devel, &self.debug] {
            if !has(repositories.key([record].into_iter(), "")) {
                bytes += record.size;
            }
        }
        if let Some(root) = self.root.as_ref().filter(|it| !has(it.key(repositories))) {
            bytes += sizes(&root.records.iter().collect::<Vec<_>>());
        }
        meter.to_download.store(bytes, Ordering::Relaxed);
        meter.to_extract.store(bytes, Ordering::Relaxed);
        // The debug symbols are nine tenths of the bytes: the rest is done meanwhile.
        meter.both(
            || take_vmlinux(repositories, &self.debug, &self.release),
            || {
                self.take_kernel(repositories)?;
                self.root.as_ref().map_or(Ok(()), |root| root.take(repositories))
            },
        )
    }

    fn image_key(&self, repositories: &Repositories<'_>) -> String {
        repositories.key(self.image.iter(), "image")
    }

    fn take_kernel(&self, repositories: &Repositories<'_>) -> Result<(), FetchError> {
        let (lock, meter) = (repositories.lock, repositories.meter());
        let key = self.image_key(repositories);
        if !lock.store().tree(&key).is_dir() {
            let packages: Vec<Package> =
                self.image.iter().map(|it| repositories.package(it)).collect::<Result<_, _>>()?;
            lock.make_tree(&key, |folder| {
                let mut tree = Tree::new(folder, Links::Inside);
                for package in &packages {
                    tree.next_package();
                    unpack_into(&mut tree, package, meter, &|path| is_of_kernel(path))?;
                }
                Ok::<_, FetchError>(())
            })?;
        }
        let key = repositories.key([&self.devel].into_iter(), "");
        if !lock.store().tree(&key).is_dir() {
            let package = repositories.package(&self.devel)?;
            lock.make_tree(&key, |folder| {
                let mut tree = Tree::new(folder, Links::Inside);
                unpack_into(&mut tree, &package, meter, &|path| path.starts_with("usr/src"))
            })?;
        }
        Ok(())
    }

    /// Finds the guest's files in the unpacked trees.
    pub(in super::super) fn files(
        &self,
        repositories: &Repositories<'_>,
        tools: &Tools,
    ) -> Result<GuestFiles, FetchError> {
        let store = repositories.lock.store();
        let release = &self.release;
        let image = store.tree(&self.image_key(repositories));
        let devel = store.tree(&repositories.key([&self.devel].into_iter(), ""));
        let ToolFiles { makedumpfile, busybox, libraries, kexec } = tools.files(store)?;
        let name = self.image.first().map(Record::full_name).unwrap_or_default();
        let no_file = |file: String| FetchError::NoFile { package: name.clone(), file };
        let modules_dir = ["lib/modules", "usr/lib/modules"]
            .into_iter()
            .find_map(|folder| folder_of(&image.join(folder), release, "kernel"))
            .ok_or_else(|| no_file(format!("lib/modules/{release}/kernel")))?;
        let release = modules_dir.file_name().unwrap_or_default().to_string_lossy().into_owned();
        let vmlinuz = image.join(format!("boot/vmlinuz-{release}"));
        let vmlinuz = [vmlinuz, modules_dir.join("vmlinuz")]
            .into_iter()
            .find(|file| file.is_file())
            .ok_or_else(|| no_file(format!("boot/vmlinuz-{release}")))?;
        let inside = "usr/src/kernels";
        let build_dir =
            folder_of(&devel.join(inside), &release, "Module.symvers").ok_or_else(|| {
                FetchError::NoFile {
                    package: self.devel.full_name(),
                    file: format!("{inside}/{release}/Module.symvers"),
                }
            })?;
        Ok(GuestFiles {
            release,
            vmlinuz,
            vmlinux: vmlinux_of(repositories, &self.debug),
            modules_dir,
            gcc_major: headers::gcc_major(&build_dir),
            build_dir,
            build_root: self.root.as_ref().map(|root| store.tree(&root.key(repositories))),
            makedumpfile,
            libraries,
            busybox,
            kexec,
            debug_package: Some(self.debug.listed().sha256).filter(|hash| !hash.is_empty()),
            packages: self.packages(tools),
            notes: self.notes.clone(),
        })
    }

    fn packages(&self, tools: &Tools) -> Vec<Listed> {
        let own = self.image.iter().chain([&self.devel, &self.debug]);
        let root = self.root.iter().flat_map(|root| &root.records);
        let mut all: Vec<Listed> =
            own.chain(root).map(Record::listed).chain(tools.listed()).collect();
        all.sort();
        all.dedup();
        all
    }
}

impl Root {
    fn key(&self, repositories: &Repositories<'_>) -> String {
        repositories.key(self.records.iter(), &format!("{:?}", self.setup.links))
    }

    fn take(&self, repositories: &Repositories<'_>) -> Result<(), FetchError> {
        let (lock, meter) = (repositories.lock, repositories.meter());
        let key = self.key(repositories);
        if lock.store().tree(&key).is_dir() {
            return Ok(());
        }
        let packages: Vec<Package> =
            self.records.iter().map(|it| repositories.package(it)).collect::<Result<_, _>>()?;
        lock.make_tree(&key, |folder| {
            let mut tree = Tree::new(folder, Links::Root);
            for package in &packages {
                tree.next_package();
                unpack_into(&mut tree, package, meter, &|path| !is_of_no_use(path))?;
            }
            let write = |source| FetchError::unpack(folder, source);
            for (path, target) in &self.setup.links {
                let path = Path::new(path.trim_start_matches('/'));
                tree.link(path, Path::new(target)).map_err(write)?;
            }
            for name in ROOT_FOLDERS {
                std::fs::create_dir_all(folder.join(name)).map_err(write)?;
            }
            Ok::<_, FetchError>(())
        })?;
        Ok(())
    }
}

/// A kernel's package of debug information, and the kernel out of it.
pub(in super::super) fn bring_debug(
    repositories: &Repositories<'_>,
    guest: &str,
    kernel: &RpmKernel,
) -> Result<DebugFiles, FetchError> {
    let records = repositories.records();
    let (release, record) = kernel::choose_debug(guest, &records, kernel, &repositories.place())?;
    let meter = repositories.meter();
    if !vmlinux_of(repositories, record).is_file() {
        meter.to_download.store(record.size, Ordering::Relaxed);
        meter.to_extract.store(record.size, Ordering::Relaxed);
    }
    take_vmlinux(repositories, record, &release)?;
    let package = Some(record.listed().sha256).filter(|hash| !hash.is_empty());
    Ok(DebugFiles { vmlinux: vmlinux_of(repositories, record), release, package })
}

fn take_vmlinux(
    repositories: &Repositories<'_>,
    record: &Record,
    release: &str,
) -> Result<(), FetchError> {
    let (lock, meter) = (repositories.lock, repositories.meter());
    let key = repositories.key([record].into_iter(), "");
    if lock.store().tree(&key).is_dir() {
        return Ok(());
    }
    let package = repositories.package(record)?;
    lock.make_tree(&key, |folder| {
        let mut tree = Tree::new(folder, Links::Inside);
        let mut found = false;
        unpack(&package, meter, &mut |entry, content| {
            if !is_vmlinux(&entry.path) || entry.kind != EntryKind::File {
                return Ok(ControlFlow::Continue(()));
            }
            found = true;
            let vmlinux = Entry { path: "vmlinux".into(), links: 1, ..entry.clone() };
            tree.add(&vmlinux, content)?;
            Ok(ControlFlow::Break(()))
        })?;
        // What comes after it in the package is never read.
        meter.extracted.fetch_add(record.size / 4, Ordering::Relaxed);
        let file = format!("usr/lib/debug/lib/modules/{release}/vmlinux");
        let no_file = || FetchError::NoFile { package: record.full_name(), file };
        found.then_some(()).ok_or_else(no_file)
    })?;
    Ok(())
}

/// Where that kernel then is.
fn vmlinux_of(repositories: &Repositories<'_>, record: &Record) -> PathBuf {
    let key = repositories.key([record].into_iter(), "");
    repositories.lock.store().tree(&key).join("vmlinux")
}

/// Whether a file of the debug package is the kernel: `…/modules/<release>/vmlinux`.
fn is_vmlinux(path: &Path) -> bool {
    let above = |level: usize| path.ancestors().nth(level).and_then(Path::file_name);
    let inside = path.starts_with("usr/lib/debug") && above(2) == Some("modules".as_ref());
    inside && above(0) == Some("vmlinux".as_ref())
}

/// The folder of a kernel: the one with its package's release, else the only one there. The names
/// of some kernels say more than their packages' versions (`…el7.x86_64.debug`).
fn folder_of(above: &Path, release: &str, inside: &str) -> Option<PathBuf> {
    let has = |folder: &Path| folder.join(inside).exists();
    let named = above.join(release);
    if has(&named) {
        return Some(named);
    }
    let entries = std::fs::read_dir(above).ok()?.flatten().map(|entry| entry.path());
    let mut folders: Vec<PathBuf> = entries.filter(|folder| has(folder)).collect();
    if folders.len() == 1 { folders.pop() } else { None }
}

/// The kernel, and what is below `lib/modules/<release>` but for links to its sources.
fn is_of_kernel(path: &Path) -> bool {
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    let kernel = path.starts_with("boot") && name.starts_with("vmlinuz-");
    let module = path.components().any(|part| part.as_os_str() == "modules");
    kernel || module && !matches!(&*name, "build" | "source")
}

/// Texts for people: a third of a build root.
fn is_of_no_use(path: &Path) -> bool {
    ["usr/share/doc", "usr/share/man", "usr/share/info", "usr/share/locale"]
        .iter()
        .any(|folder| path.starts_with(folder))
}

fn unpack(package: &Package, meter: &Meter, visit: &mut Visit<'_>) -> Result<(), FetchError> {
    let what = package.header.identity().map(|it| it.full_name()).unwrap_or_default();
    let path = package.path.clone();
    let failed = |source| meter.or_cancelled(FetchError::Unpack { what, path, source });
    payload::visit(package, meter, visit).map_err(failed)
}

/// Whether a file is an RPM package.
pub(in super::super) fn is_package(path: &Path) -> bool {
    Package::open(path).is_ok()
}

/// What is done with a file's path and content; a break ends the reading.
pub(in super::super) type Take<'t> =
    dyn FnMut(&Path, &mut dyn std::io::Read) -> std::io::Result<ControlFlow<()>> + 't;

/// Shows the files of a package that is in the cache, each with its path and content.
pub(in super::super) fn visit_files(
    path: &Path,
    meter: &Meter,
    take: &mut Take<'_>,
) -> Result<(), FetchError> {
    let package = Package::open(path).map_err(|source| FetchError::unpack(path, source))?;
    unpack(&package, meter, &mut |entry, content| match entry.kind {
        EntryKind::File => take(&entry.path, content),
        _ => Ok(ControlFlow::Continue(())),
    })
}

fn unpack_into(
    tree: &mut Tree,
    package: &Package,
    meter: &Meter,
    wanted: &dyn Fn(&Path) -> bool,
) -> Result<(), FetchError> {
    unpack(package, meter, &mut |entry, content| {
        if wanted(&entry.path) {
            tree.add(entry, content)?;
        }
        Ok(ControlFlow::Continue(()))
    })
}
