// SPDX-License-Identifier: MIT OR Apache-2.0
//! One repository: its packages, and getting their files checked.
//!
//! The chain: `repomd.xml` (signed or not) has the checksum of `primary.xml`, that one those of the
//! packages, and every package has to be signed by one of the repository's keys whatever the
//! metadata says. A folder without metadata is read package by package.

use std::fs::{self, File};
use std::io::{self, Read};
use std::path::{Path, PathBuf};
use std::sync::atomic::Ordering;

use super::super::FetchError;
use super::super::store::{Lock, StoreError, discard_file, hash_file};
use super::checksum::Checksum;
use super::error::RpmError;
use super::header::invalid;
use super::keyring::{Keyring, Verdict};
use super::location::Location;
use super::package::{Distrust, Package};
use super::primary;
use super::record::Record;
use super::repomd::{Listing, Repomd};
use crate::site::Site;
use crate::site_error::SiteError;
use crate::transport::Transport;

/// Where metadata and what is half downloaded are in the cache.
const FOLDER: &str = "rpm";
const DOWNLOADS: &str = "rpm/downloads";
const REPOMD: &str = "repodata/repomd.xml";
/// Larger ones are none.
const MAX_REPOMD: u64 = 4 << 20;
/// Folders below that of a repository without metadata.
const MAX_DEPTH: usize = 4;

/// What is said of a repository.
#[derive(Debug)]
pub(super) struct Setup<'a> {
    pub(super) name: &'a str,
    pub(super) site: Site,
    pub(super) keys: &'a [PathBuf],
    /// The user said that what is not signed by one of the keys is to be taken.
    pub(super) allow_unsigned: bool,
}

/// A repository whose packages are known.
#[derive(Debug)]
pub(super) struct Repository {
    pub(super) name: String,
    pub(super) site: Site,
    pub(super) records: Vec<Record>,
    keys: Keyring,
    allow_unsigned: bool,
    filelists: Option<Listing>,
    folder: PathBuf,
}

impl Repository {
    /// Reads what there is.
    pub(super) fn open(
        setup: Setup<'_>,
        number: usize,
        arch: &str,
        lock: &Lock<'_>,
        transport: &Transport<'_>,
    ) -> Result<Self, FetchError> {
        let Setup { name, site, keys, allow_unsigned } = setup;
        let keys = Keyring::open(keys).map_err(RpmError::from)?;
        if keys.is_empty() && !allow_unsigned {
            return Err(RpmError::untrusted("every package", name, &Distrust::NoKeys).into());
        }
        let key = super::checksum::Kind::Sha256.of(site.to_string().as_bytes());
        let key = key.unwrap_or_default();
        let folder = lock.folder(&format!("{FOLDER}/{key}"))?;
        lock.folder(DOWNLOADS)?;
        let mut repository = Self {
            name: name.to_owned(),
            site,
            records: Vec::new(),
            keys,
            allow_unsigned,
            filelists: None,
            folder,
        };
        if let Site::Folder(folder) = &repository.site
            && !folder.join(REPOMD).is_file()
        {
            repository.records = scan(folder, arch, number)?;
        } else {
            repository.read_metadata(number, arch, transport)?;
        }
        Ok(repository)
    }

    fn read_metadata(
        &mut self,
        number: usize,
        arch: &str,
        transport: &Transport<'_>,
    ) -> Result<(), FetchError> {
        let url = self.site.of_file(REPOMD);
        let text = self.small(REPOMD, transport)?;
        self.check_repomd(&text, transport)?;
        let wrong = |why| RpmError::Metadata { url: url.clone(), why };
        let repomd = Repomd::parse(&text).map_err(wrong)?;
        let listing = repomd.primary.ok_or_else(|| wrong("it names no primary.xml".into()))?;
        let file = self.listing(&listing, transport)?;
        let url = self.site.of_file(listing.location.as_str());
        let records = File::open(&file)
            .map_err(|error| error.to_string())
            .and_then(primary::opened)
            .and_then(|reader| primary::parse(reader, arch, number));
        self.records = records.map_err(|why| RpmError::Metadata { url, why })?;
        self.filelists = repomd.filelists;
        Ok(())
    }

    /// A file of a few kilobytes, always asked for anew.
    fn small(&self, inside: &str, transport: &Transport<'_>) -> Result<Vec<u8>, FetchError> {
        let name = inside.rsplit('/').next().unwrap_or(inside);
        let target = self.folder.join(name);
        discard_file(&target);
        transport.get(&self.site, inside, &target, None, &mut |_| ())?;
        let read = |source| StoreError::Read { path: target.clone(), source };
        let mut bytes = Vec::new();
        let file = File::open(&target).map_err(read)?;
        file.take(MAX_REPOMD).read_to_end(&mut bytes).map_err(read)?;
        Ok(bytes)
    }

    /// Checks the signature beside `repomd.xml`, where there is one.
    fn check_repomd(&self, text: &[u8], transport: &Transport<'_>) -> Result<(), FetchError> {
        if self.allow_unsigned {
            return Ok(());
        }
        let signature = match self.small(&format!("{REPOMD}.asc"), transport) {
            Ok(bytes) => bytes,
            // Many repositories have none: their packages are signed.
            Err(FetchError::Site(SiteError::Refused { .. })) => return Ok(()),
            Err(error) => return Err(error),
        };
        let verdict = self.keys.verify(&signature, text);
        let why = match verdict {
            Verdict::Good => return Ok(()),
            Verdict::OtherKey(id) => Distrust::OtherKey(id),
            Verdict::Wrong(why) => Distrust::Wrong(why),
        };
        Err(RpmError::untrusted("repomd.xml", &self.name, &why).into())
    }

    /// A listing of packages, unless the one that is here is still the one.
    fn listing(&self, listing: &Listing, transport: &Transport<'_>) -> Result<PathBuf, FetchError> {
        let target = self.folder.join(&listing.checksum.value);
        if listing.checksum.fits(&target).unwrap_or(false) {
            return Ok(target);
        }
        let part = self.folder.join(format!("{}.part", listing.checksum.value));
        let Listing { location, checksum, size } = listing;
        self.checked(location, checksum, *size, &part, "repomd.xml", transport, &mut |_| ())?;
        let write = |source| StoreError::Write { path: target.clone(), source };
        fs::rename(&part, &target).map_err(write)?;
        Ok(target)
    }

    /// Brings a file to `part` and compares its checksum. What an earlier run left there is
    /// completed; if that does not fit, it is brought anew once.
    #[expect(clippy::too_many_arguments, reason = "each is another fact about one file")]
    fn checked(
        &self,
        location: &Location,
        checksum: &Checksum,
        size: Option<u64>,
        part: &Path,
        source_of_it: &'static str,
        transport: &Transport<'_>,
        more: &mut dyn FnMut(u64),
    ) -> Result<(), FetchError> {
        let read = |source| StoreError::Read { path: part.to_owned(), source };
        let location = location.as_str();
        let resumed = part.is_file();
        transport.get(&self.site, location, part, size, more)?;
        if checksum.fits(part).map_err(read)? {
            return Ok(());
        }
        discard_file(part);
        if resumed {
            transport.get(&self.site, location, part, size, more)?;
            if checksum.fits(part).map_err(read)? {
                return Ok(());
            }
            discard_file(part);
        }
        let error = RpmError::Checksum {
            url: self.site.of_file(location),
            kind: format!("{:?}", checksum.kind).to_ascii_lowercase(),
            expected: checksum.value.clone(),
            source_of_it,
        };
        Err(error.into())
    }

    /// The file of a package, downloaded unless the cache has it, and checked.
    pub(super) fn package(
        &self,
        record: &Record,
        lock: &Lock<'_>,
        transport: &Transport<'_>,
    ) -> Result<Package, FetchError> {
        let counter = &transport.meter().downloaded;
        if let Some(path) = lock.find(&record.checksum.value) {
            counter.fetch_add(record.size, Ordering::Relaxed);
            return self.opened(record, &path);
        }
        let downloads = lock.folder(DOWNLOADS)?;
        let part = downloads.join(format!("{}.part", record.checksum.value));
        let before = part.metadata().map_or(0, |meta| meta.len());
        counter.fetch_add(before, Ordering::Relaxed);
        let mut more = |bytes| {
            counter.fetch_add(bytes, Ordering::Relaxed);
        };
        let (location, checksum) = (&record.location, &record.checksum);
        let size = Some(record.size).filter(|size| *size > 0);
        self.checked(location, checksum, size, &part, "primary.xml", transport, &mut more)?;
        let path = lock.keep(&part, &hash_file(&part)?)?;
        self.opened(record, &path)
    }

    /// Opens a package after all checks of who made it.
    fn opened(&self, record: &Record, path: &Path) -> Result<Package, FetchError> {
        let unpack =
            |source| FetchError::Unpack { what: record.full_name(), path: path.to_owned(), source };
        let package = Package::open(path).map_err(unpack)?;
        let found = package.header.identity().map_err(|why| unpack(invalid(&why)))?;
        if found != record.identity {
            let url = self.site.of_file(record.location.as_str());
            let (found, expected) = (found.to_string(), record.identity.to_string());
            return Err(RpmError::OtherPackage { url, found, expected }.into());
        }
        if !self.allow_unsigned {
            let refused = |why| RpmError::untrusted(&record.full_name(), &self.name, &why);
            package.check(&self.keys).map_err(refused)?;
        }
        Ok(package)
    }

    /// Part of the name of what is unpacked from it: who was trusted then.
    pub(super) fn trust(&self) -> String {
        if self.allow_unsigned { "anybody".to_owned() } else { self.keys.names() }
    }

    /// Which of its packages has one of these files, from the list of all files.
    pub(super) fn owners(
        &self,
        wanted: &dyn Fn(&str) -> bool,
        transport: &Transport<'_>,
    ) -> Result<Vec<(&Record, String)>, FetchError> {
        let Some(listing) = &self.filelists else { return Ok(Vec::new()) };
        let file = self.listing(listing, transport)?;
        let url = self.site.of_file(listing.location.as_str());
        let found = File::open(&file)
            .map_err(|error| error.to_string())
            .and_then(primary::opened)
            .and_then(|reader| primary::owners(reader, wanted));
        let found = found.map_err(|why| RpmError::Metadata { url, why })?;
        let of = |checksum: &str| self.records.iter().find(|it| it.checksum.value == checksum);
        Ok(found.into_iter().filter_map(|(id, path)| Some((of(&id)?, path))).collect())
    }
}

/// The packages of a folder without metadata, by their own headers.
fn scan(folder: &Path, arch: &str, number: usize) -> Result<Vec<Record>, FetchError> {
    let mut files = Vec::new();
    let read = |source| RpmError::Read { path: folder.to_owned(), source };
    collect(folder, 0, &mut files).map_err(read)?;
    if files.is_empty() {
        return Err(RpmError::NoPackages { folder: folder.to_owned() }.into());
    }
    files.sort();
    let mut records = Vec::new();
    for path in files {
        if let Some(mut record) = of_file(&path, number)?
            && record.identity.runs_on(arch)
        {
            let inside = path.strip_prefix(folder).unwrap_or(&path);
            record.location = Location::found(inside);
            records.push(record);
        }
    }
    Ok(records)
}

/// What the header of a package's file says; none for a package of sources.
pub(super) fn of_file(path: &Path, repository: usize) -> Result<Option<Record>, FetchError> {
    let unpack = |source| FetchError::unpack(path, source);
    let package = Package::open(path).map_err(unpack)?;
    let record = Record::of_header(&package.header, path, hash_file(path)?).map_err(unpack)?;
    Ok(record.map(|record| Record { repository, ..record }))
}

fn collect(folder: &Path, depth: usize, files: &mut Vec<PathBuf>) -> io::Result<()> {
    for entry in fs::read_dir(folder)? {
        let path = entry?.path();
        if path.is_dir() && depth < MAX_DEPTH {
            collect(&path, depth + 1, files)?;
        } else if path.extension().is_some_and(|extension| extension == "rpm") {
            files.push(path);
        }
    }
    Ok(())
}
