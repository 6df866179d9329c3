// SPDX-License-Identifier: MIT OR Apache-2.0
//! The files of a package: a compressed cpio archive.

use std::io::{self, Read, Seek as _, SeekFrom};
use std::ops::ControlFlow;
use std::path::{Component, Path, PathBuf};
use std::thread::available_parallelism;

use lzma_rust2::XzReaderMt;

use super::super::meter::{Meter, Metered};
use super::header::{invalid, tag};
use super::package::Package;

/// Longest target of a link (the kernel's `PATH_MAX`).
const MAX_TARGET: u64 = 4096;
/// What `mode` has of a file's type, and the types (inode(7)).
const TYPE: u32 = 0o170_000;
const REGULAR: u32 = 0o100_000;
const FOLDER: u32 = 0o040_000;
const LINK: u32 = 0o120_000;

/// A file of a package.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Entry {
    /// Its path, relative, of plain names only.
    pub(super) path: PathBuf,
    pub(super) kind: EntryKind,
    /// The permission bits.
    pub(super) mode: u32,
    /// Names that share the content; the content comes with the last one of them.
    pub(super) links: u32,
    /// The number that these names share.
    pub(super) inode: u32,
    pub(super) size: u32,
}

/// What a file of a package is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum EntryKind {
    File,
    Folder,
    /// A symbolic link and where it leads.
    Link(PathBuf),
    /// A device or a socket.
    Other,
}

/// What is done with a file and a reader of its content; a break ends the reading.
pub(super) type Visit<'v> = dyn FnMut(&Entry, &mut dyn Read) -> io::Result<ControlFlow<()>> + 'v;

/// Shows every file of a package to `visit`, with a reader of its content.
///
/// A break of `visit` ends the reading; what comes after is not decompressed.
pub(super) fn visit(package: &Package, meter: &Meter, visit: &mut Visit<'_>) -> io::Result<()> {
    if let Some(format) = package.header.text(tag::PAYLOADFORMAT).filter(|it| *it != "cpio") {
        return Err(invalid(&format!("its payload is of the form {format}, not cpio")));
    }
    let mut payload = Metered::new(package.payload()?, meter);
    let mut magic = [0; 6];
    payload.read_exact(&mut magic)?;
    payload.seek(SeekFrom::Start(0))?;
    match magic {
        [0xfd, b'7', b'z', b'X', b'Z', 0] => {
            let workers = available_parallelism().map_or(1, |count| count.get().min(8));
            let workers = u32::try_from(workers).unwrap_or(1);
            walk(XzReaderMt::new(payload, false, workers)?, visit)
        }
        [0x1f, 0x8b, ..] => walk(flate2::read::MultiGzDecoder::new(payload), visit),
        [0x28, 0xb5, 0x2f, 0xfd, ..] => {
            let reader = ruzstd::decoding::StreamingDecoder::new(payload);
            walk(reader.map_err(|error| invalid(&error.to_string()))?, visit)
        }
        [b'0', b'7', b'0', b'7', b'0', b'1'] => walk(payload, visit),
        _ => {
            let name = package.header.text(tag::PAYLOADCOMPRESSOR).unwrap_or("a way not known");
            Err(invalid(&format!("its payload is compressed by {name}, which is not read here")))
        }
    }
}

fn walk(reader: impl Read, visit: &mut Visit<'_>) -> io::Result<()> {
    // The reader of the archive asks for a few bytes at a time.
    let mut archive = io::BufReader::with_capacity(1 << 16, reader);
    loop {
        let mut member = cpio::newc::Reader::new(archive)?;
        if member.entry().is_trailer() {
            return Ok(());
        }
        let entry = entry(&mut member)?;
        if visit(&entry, &mut member)?.is_break() {
            return Ok(());
        }
        archive = member.finish()?;
    }
}

fn entry<R: Read>(member: &mut cpio::newc::Reader<R>) -> io::Result<Entry> {
    let header = member.entry();
    let path = plain(header.name())?;
    let (mode, links, inode) = (header.mode(), header.nlink(), header.ino());
    let size = header.file_size();
    let kind = match mode & TYPE {
        REGULAR => EntryKind::File,
        FOLDER => EntryKind::Folder,
        LINK => {
            let mut target = String::new();
            member.take(MAX_TARGET).read_to_string(&mut target)?;
            EntryKind::Link(target.into())
        }
        _ => EntryKind::Other,
    };
    Ok(Entry { path, kind, mode: mode & 0o7777, links, inode, size })
}

/// The path of a file, which packages write as `./usr/…`. One that leads out of the folder it is
/// unpacked into is an error, whatever signed it.
fn plain(name: &str) -> io::Result<PathBuf> {
    let mut path = PathBuf::new();
    for part in Path::new(name).components() {
        match part {
            Component::CurDir | Component::RootDir => {}
            Component::Normal(part) => path.push(part),
            Component::ParentDir | Component::Prefix(_) => {
                return Err(invalid(&format!("it has a file `{name}` outside of its folder")));
            }
        }
    }
    Ok(path)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_are_made_relative() {
        assert_eq!(plain("./usr/lib/a").unwrap(), Path::new("usr/lib/a"));
        assert_eq!(plain("/usr//lib/./a").unwrap(), Path::new("usr/lib/a"));
        assert_eq!(plain(".").unwrap(), Path::new(""));
    }

    #[test]
    fn a_path_out_of_the_folder_is_refused() {
        for name in ["../evil", "usr/../../evil", "./a/.."] {
            let message = plain(name).unwrap_err().to_string();
            assert!(message.contains(name), "{message}");
        }
    }
}
