// SPDX-License-Identifier: MIT OR Apache-2.0
//! Packages that a case brings into its guest: programs of the guest's distribution with the
//! libraries they need, and sources of modules.
//!
//! No script of a package is run: what such a script would make (links of `update-alternatives`,
//! users, caches) is not there.

use std::collections::BTreeSet;
use std::ops::ControlFlow;
use std::path::{Path, PathBuf};
use std::sync::atomic::Ordering;

use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};

use super::apt::{Apt, Record};
use super::apt_source::Suite;
use super::fetch::{FETCH_LOCK, FRESH, locked, now, watched};
use super::files::{Package, Progress};
use super::manifest::{Manifest, Source, is_apt_name};
use super::meter::Meter;
use super::rpm;
use super::store::{Lock, Store, hex};
use super::tools::{self, Tools};
use super::{FetchError, deb};

/// Raised when what is unpacked of a package, or how, changes.
const RECIPE: u32 = 1;
/// Texts for people.
const OF_NO_USE: [&str; 7] = [
    "usr/share/doc",
    "usr/share/man",
    "usr/share/info",
    "usr/share/locale",
    "usr/share/lintian",
    "usr/share/bash-completion",
    "usr/share/doc-base",
];

/// A package that was asked for: its name, or `NAME=VERSION`.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct WantedPackage {
    /// Name.
    pub name: String,
    /// Exactly this version; else the newest.
    pub version: Option<String>,
}

impl TryFrom<String> for WantedPackage {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        let (name, version) = match text.split_once('=') {
            Some((name, version)) => (name, Some(version)),
            None => (text.as_str(), None),
        };
        let version_fits = |version: &str| version.split(':').all(is_apt_name);
        if !is_apt_name(name) || !version.is_none_or(version_fits) {
            return Err(format!("`{text}` names no package"));
        }
        Ok(Self { name: name.to_owned(), version: version.map(str::to_owned) })
    }
}

impl From<WantedPackage> for String {
    fn from(wanted: WantedPackage) -> Self {
        match wanted.version {
            Some(version) => format!("{}={version}", wanted.name),
            None => wanted.name,
        }
    }
}

/// An unpacked package.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Brought {
    /// Which.
    pub package: Package,
    /// The folder with its files, as if it were the root.
    pub tree: PathBuf,
    /// Whether it was asked for; else it has libraries that another one may need.
    pub asked: bool,
}

/// What is brought.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Purpose {
    /// Programs for the guest, from its own distribution, with the libraries they depend on.
    Programs,
    /// Sources of modules, from the Debian suite that the guest's kernel or its tools are from.
    Sources,
}

/// What an earlier run decided.
#[derive(Debug, Serialize, Deserialize)]
struct Decided {
    source: Source,
    at: u64,
    packages: Vec<Brought>,
}

/// Brings packages into the cache; with everything there it takes milliseconds.
///
/// `progress` is called several times a second; when it breaks, the work ends with
/// [`FetchError::Cancelled`].
///
/// # Errors
/// A package is not to be had, a signature or checksum is wrong, the cache cannot be written.
pub fn bring(
    guest: &Manifest,
    purpose: Purpose,
    wanted: &[WantedPackage],
    store: &Store,
    progress: &mut dyn FnMut(Progress) -> ControlFlow<()>,
) -> Result<Vec<Brought>, FetchError> {
    if wanted.is_empty() {
        return Ok(Vec::new());
    }
    let name = record_name(guest, purpose, wanted);
    // A version that is named is what it is.
    let named = purpose == Purpose::Sources && wanted.iter().all(|it| it.version.is_some());
    if let Some(known) = decided(guest, &name, store, named || store.offline()) {
        return Ok(known);
    }
    if store.offline() {
        let (guest, cache) = (guest.name.clone(), store.root().to_owned());
        return Err(FetchError::Offline { guest, cache });
    }
    let lock = locked(store, FETCH_LOCK, progress)?;
    let meter = Meter::default();
    let brought = watched(&meter, progress, || take(guest, purpose, wanted, &lock, &meter));
    match (brought, decided(guest, &name, store, true)) {
        (Ok(packages), _) => {
            keep(guest, &name, &packages, &lock)?;
            Ok(packages)
        }
        (Err(error), Some(known)) if error.is_of_site() && !store.refresh() => Ok(known),
        (Err(error), _) => Err(error),
    }
}

fn record_name(guest: &Manifest, purpose: Purpose, wanted: &[WantedPackage]) -> String {
    let mut hash = Sha256::new();
    for one in wanted {
        hash.update(String::from(one.clone()));
        hash.update("\n");
    }
    hash.update(format!("{purpose:?}"));
    let hash = hex(&hash.finalize());
    format!("packages-{}-{}", guest.name, hash.get(..16).unwrap_or(&hash))
}

fn decided(guest: &Manifest, name: &str, store: &Store, any_age: bool) -> Option<Vec<Brought>> {
    if store.refresh() && !any_age {
        return None;
    }
    let record: Decided = store.record(name)?;
    let fresh = now().checked_sub(record.at).is_some_and(|age| age < FRESH.as_secs());
    if record.source != guest.source || !(fresh || any_age) {
        return None;
    }
    let mut packages = record.packages;
    for package in &mut packages {
        package.tree = store.root().join(&package.tree);
    }
    packages.iter().all(|package| package.tree.is_dir()).then_some(packages)
}

fn keep(
    guest: &Manifest,
    name: &str,
    packages: &[Brought],
    lock: &Lock<'_>,
) -> Result<(), FetchError> {
    let root = lock.store().root();
    let mut packages = packages.to_vec();
    for package in &mut packages {
        // So that the cache may be moved.
        package.tree = package.tree.strip_prefix(root).unwrap_or(&package.tree).to_owned();
    }
    let record = Decided { source: guest.source.clone(), at: now(), packages };
    Ok(lock.write_record(name, &record)?)
}

fn take(
    guest: &Manifest,
    purpose: Purpose,
    wanted: &[WantedPackage],
    lock: &Lock<'_>,
    meter: &Meter,
) -> Result<Vec<Brought>, FetchError> {
    let of_debian = |suite: Suite| {
        let apt = Apt::open(lock, suite, guest.arch.of_debian(), meter)?;
        apt.update()?;
        from_apt(&apt, purpose, wanted, lock)
    };
    match (&guest.source, purpose) {
        (Source::Apt(source), _) => of_debian(source.place()),
        (Source::Rpm(source), Purpose::Sources) => of_debian(source.tools.place()),
        (Source::Rpm(source), Purpose::Programs) => {
            let arch = guest.arch.of_rpm();
            let repositories = rpm::Repositories::open(lock, &guest.name, source, arch, meter)?;
            let names: Vec<String> = wanted.iter().map(|one| one.name.clone()).collect();
            repositories.bring(&names, &is_of_use)
        }
        (Source::Imported(_), _) => {
            let why = "no repository is known for an imported guest, so it gets no packages";
            Err(FetchError::Import { why: why.to_owned() })
        }
    }
}

fn from_apt(
    apt: &Apt<'_>,
    purpose: Purpose,
    wanted: &[WantedPackage],
    lock: &Lock<'_>,
) -> Result<Vec<Brought>, FetchError> {
    let records = records(apt, purpose, wanted)?;
    let asked = |record: &Record| wanted.iter().any(|one| one.name == record.package);
    let key = |record: &Record| match asked(record) {
        true => format!("{}-whole-{RECIPE}", record.sha256),
        false => tools::key(record),
    };
    let store = lock.store();
    let absent: Vec<&Record> =
        records.iter().filter(|record| !store.tree(&key(record)).is_dir()).collect();
    let bytes = absent.iter().map(|record| record.size).sum();
    apt.meter().to_download.store(bytes, Ordering::Relaxed);
    apt.meter().to_extract.store(bytes, Ordering::Relaxed);
    let files = apt.download(lock, "packages", &absent)?;
    for (record, file) in absent.iter().zip(&files) {
        if asked(record) {
            lock.make_tree(&key(record), |folder| {
                deb::unpack(file, apt.meter(), folder, is_of_use)
            })?;
        } else {
            tools::unpack(apt, lock, record, Some(file))?;
        }
    }
    let brought = |record: &Record| Brought {
        package: Package::from(record),
        tree: store.tree(&key(record)),
        asked: asked(record),
    };
    Ok(records.iter().map(brought).collect())
}

/// The packages that were asked for; programs also get the packages of libraries they depend on.
fn records(
    apt: &Apt<'_>,
    purpose: Purpose,
    wanted: &[WantedPackage],
) -> Result<Vec<Record>, FetchError> {
    let names: Vec<String> = wanted.iter().map(|one| one.name.clone()).collect();
    let mut records = match purpose {
        Purpose::Programs => Tools::of(apt, &names)?.records,
        Purpose::Sources => Vec::new(),
    };
    let all = apt.records(&names)?;
    for one in wanted {
        let fits = |record: &&Record| {
            record.package == one.name
                && one.version.as_ref().is_none_or(|version| record.version == *version)
        };
        let record = all.iter().find(fits).ok_or_else(|| FetchError::NoPackage {
            suite: apt.suite().to_owned(),
            package: one.clone().into(),
        })?;
        records.retain(|other| other.package != one.name);
        records.push(record.clone());
    }
    let mut seen = BTreeSet::new();
    records.retain(|record| seen.insert(record.package.clone()));
    Ok(records)
}

/// Whether a file of a package is not only for people to read.
fn is_of_use(path: &Path) -> bool {
    !OF_NO_USE.iter().any(|folder| path.starts_with(folder))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_package_is_named_with_or_without_its_version() {
        let read = |text: &str| WantedPackage::try_from(text.to_owned());
        let iptables = read("iptables").unwrap();
        assert_eq!((iptables.name.as_str(), &iptables.version), ("iptables", &None));
        let dkms = read("rapiddisk-dkms=9.0.0-1+deb12u1").unwrap();
        assert_eq!(dkms.version.as_deref(), Some("9.0.0-1+deb12u1"));
        let epoch = "x=1:2.11.1.0~dfsg-8";
        assert_eq!(String::from(read(epoch).unwrap()), epoch);
        for wrong in ["", "-o=Dir::Etc=x", "a b", "a=", "a=-b", "a/b"] {
            assert!(read(wrong).unwrap_err().contains("no package"), "{wrong}");
        }
    }
}
