// SPDX-License-Identifier: MIT OR Apache-2.0
//! Reading of `.deb` packages: an `ar` archive with a compressed tar archive of the files.
//!
//! Written from deb(5). Only xz is understood, which all suites from 5.10 kernels on use.
//! Packages are checked against their hash before they get here.

use std::fs::File;
use std::io;
use std::ops::ControlFlow;
use std::path::{Path, PathBuf};
use std::thread::available_parallelism;

use lzma_rust2::XzReaderMt;
use object::read::ReadCache;
use object::read::archive::ArchiveFile;

use super::FetchError;
use super::foreign;
use super::member::Member;
use super::meter::{Meter, Metered};

/// A file of a package while it is read.
pub(super) type Entry<'a, 'm> = tar::Entry<'a, XzReaderMt<Metered<'m, Member>>>;

/// Shows every file of a package to `visit`, with its path inside the package.
///
/// A break of `visit` ends the reading; what comes after is not decompressed.
pub(super) fn visit(
    deb: &Path,
    meter: &Meter,
    mut visit: impl FnMut(&Path, &mut Entry<'_, '_>) -> io::Result<ControlFlow<()>>,
) -> Result<(), FetchError> {
    let mut walk = || -> io::Result<()> {
        let member = Metered::new(data_member(File::open(deb)?)?, meter);
        let workers = available_parallelism().map_or(1, |count| count.get().min(8));
        let xz = XzReaderMt::new(member, false, u32::try_from(workers).unwrap_or(1))?;
        let mut archive = tar::Archive::new(xz);
        // Read-only: what the cache holds is not to be changed by what uses it.
        archive.set_mask(0o222);
        for entry in archive.entries()? {
            let mut entry = entry?;
            let path = inside(&entry.path()?);
            if visit(&path, &mut entry)?.is_break() {
                break;
            }
        }
        Ok(())
    };
    walk().map_err(|source| meter.or_cancelled(FetchError::unpack(deb, source)))
}

/// Unpacks the files that `wanted` says into `folder`.
pub(super) fn unpack(
    deb: &Path,
    meter: &Meter,
    folder: &Path,
    mut wanted: impl FnMut(&Path) -> bool,
) -> Result<(), FetchError> {
    visit(deb, meter, |path, entry| {
        // Folders come into being with their files, writable, so that a cache can be removed.
        if !entry.header().entry_type().is_dir() && wanted(path) && stays_inside(path, entry)? {
            entry.unpack_in(folder)?;
        }
        Ok(ControlFlow::Continue(()))
    })
}

/// Whether a link leads to a place in the package. Debian's kernels have others: `build` leads to
/// `/usr/src`, which here would be the host's.
fn stays_inside(path: &Path, entry: &Entry<'_, '_>) -> io::Result<bool> {
    if !entry.header().entry_type().is_symlink() {
        return Ok(true);
    }
    Ok(entry.link_name()?.is_some_and(|target| foreign::stays(path, &target)))
}

/// Packages write `./usr/…`.
fn inside(path: &Path) -> PathBuf {
    path.strip_prefix(".").unwrap_or(path).to_owned()
}

/// The compressed tar archive inside a package.
fn data_member(file: File) -> io::Result<Member> {
    let invalid = |why: String| io::Error::new(io::ErrorKind::InvalidData, why);
    let cache = ReadCache::new(file);
    let archive = ArchiveFile::parse(&cache).map_err(|error| invalid(error.to_string()))?;
    let mut range = None;
    for member in archive.members() {
        let member = member.map_err(|error| invalid(error.to_string()))?;
        match member.name() {
            b"data.tar.xz" => range = Some(member.file_range()),
            name if name.starts_with(b"data.tar") => {
                let name = String::from_utf8_lossy(name).into_owned();
                return Err(invalid(format!("{name} is compressed in a way that is not known")));
            }
            _ => {}
        }
    }
    let (start, length) = range.ok_or_else(|| invalid("no data.tar.xz in it".into()))?;
    Ok(Member::new(cache.into_inner(), start, length))
}

#[cfg(test)]
mod tests;
