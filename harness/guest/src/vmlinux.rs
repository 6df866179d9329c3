// SPDX-License-Identifier: MIT OR Apache-2.0
//! The kernel with debug information, taken out of its package without what no analysis reads.
//!
//! Debian's vmlinux is linked with `--emit-relocs`: its `.rela.*` sections, which only repeat what
//! has been applied already, are more than half of the file. They are made holes: the file keeps
//! its form and its offsets, and needs 280 MB of the disk instead of 590.

use std::fs::{self, File, Permissions};
use std::io::{self, BufReader};
use std::ops::ControlFlow;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;

use object::Endianness;
use object::elf::{self, FileHeader64};
use object::read::ReadCache;
use object::read::elf::{FileHeader, SectionHeader};
use rustix::fs::{FallocateFlags, fallocate};

use super::FetchError;
use super::deb;
use super::meter::Meter;

/// Blocks of a file system are of this size or a part of it.
const BLOCK: u64 = 4096;

/// Takes `inside` out of a package and writes it as `file`.
pub(super) fn extract(
    package: &Path,
    inside: &Path,
    file: &Path,
    meter: &Meter,
) -> Result<bool, FetchError> {
    let mut found = false;
    deb::visit(package, meter, |path, entry| {
        if path != inside || !entry.header().entry_type().is_file() {
            return Ok(ControlFlow::Continue(()));
        }
        let mut target = File::options().read(true).write(true).create_new(true).open(file)?;
        io::copy(entry, &mut target)?;
        // The file is good without the holes, only larger.
        let _ = punch_relocations(&target);
        fs::set_permissions(file, Permissions::from_mode(0o444))?;
        found = true;
        Ok(ControlFlow::Break(()))
    })?;
    Ok(found)
}

/// Makes holes of the relocation sections of an executable; gives the bytes no longer stored.
fn punch_relocations(file: &File) -> io::Result<u64> {
    let ranges = relocations(file)
        .map_err(|error| io::Error::new(io::ErrorKind::InvalidData, error.to_string()))?;
    let mut saved = 0;
    for (start, end) in ranges {
        let start = start.next_multiple_of(BLOCK);
        let length = (end / BLOCK * BLOCK).saturating_sub(start);
        if length > 0 {
            fallocate(file, FallocateFlags::PUNCH_HOLE | FallocateFlags::KEEP_SIZE, start, length)?;
            saved += length;
        }
    }
    Ok(saved)
}

/// Ranges of the relocation sections, neighbours joined. None for a file that still needs them.
fn relocations(file: &File) -> object::read::Result<Vec<(u64, u64)>> {
    let cache = ReadCache::new(BufReader::new(file));
    let header = FileHeader64::<Endianness>::parse(&cache)?;
    let endian = header.endian()?;
    if header.e_type(endian) != elf::ET_EXEC {
        return Ok(Vec::new());
    }
    let mut ranges: Vec<(u64, u64)> = Vec::new();
    for section in header.sections(endian, &cache)?.iter() {
        let Some((start, size)) = section.file_range(endian) else { continue };
        let wanted = section.sh_type(endian) == elf::SHT_RELA;
        if let (true, Some(end)) = (wanted, start.checked_add(size)) {
            ranges.push((start, end));
        }
    }
    ranges.sort_unstable();
    // Sections are aligned: up to seven bytes between two of them belong to nobody.
    ranges.dedup_by(|next, previous| {
        let joined = next.0 >= previous.1 && next.0 - previous.1 < 8;
        if joined {
            previous.1 = next.1;
        }
        joined
    });
    Ok(ranges)
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::{FileExt, MetadataExt};

    use super::*;

    /// An executable made by the host's linker with its relocations kept.
    fn program(folder: &Path) -> File {
        let mut code = String::new();
        for number in 0..20_000 {
            code += &format!("extern int a; int *p{number} = &a;\n");
        }
        fs::write(folder.join("a.c"), code + "int a; int _start(void) { return a; }").unwrap();
        duct::cmd!("gcc", "-nostdlib", "-static", "-no-pie", "-Wl,--emit-relocs", "a.c", "-o", "a")
            .dir(folder)
            .run()
            .unwrap();
        File::options().read(true).write(true).open(folder.join("a")).unwrap()
    }

    #[test]
    fn holes_replace_relocations_and_nothing_else() {
        let folder = tempfile::tempdir().unwrap();
        let file = program(folder.path());
        let size = file.metadata().unwrap().len();
        let mut before = vec![0; usize::try_from(size).unwrap()];
        file.read_exact_at(&mut before, 0).unwrap();
        let ranges = relocations(&file).unwrap();
        let saved = punch_relocations(&file).unwrap();
        assert!(saved > 20_000 * 24 / 2, "{saved}");
        assert_eq!(file.metadata().unwrap().len(), size);
        assert!(file.metadata().unwrap().blocks() * 512 < size);
        let mut after = vec![0; before.len()];
        file.read_exact_at(&mut after, 0).unwrap();
        for (offset, (old, new)) in before.iter().zip(&after).enumerate() {
            let inside =
                ranges.iter().any(|(start, end)| (*start..*end).contains(&(offset as u64)));
            assert!(old == new || inside, "byte {offset}");
        }
    }

    #[test]
    fn a_file_that_needs_its_relocations_keeps_them() {
        let folder = tempfile::tempdir().unwrap();
        fs::write(folder.path().join("m.c"), "extern int a; int *p = &a;").unwrap();
        duct::cmd!("gcc", "-c", "m.c", "-o", "m.ko").dir(folder.path()).run().unwrap();
        let file = File::open(folder.path().join("m.ko")).unwrap();
        assert_eq!(relocations(&file).unwrap(), []);
    }

    #[test]
    fn what_is_no_elf_file_is_an_error() {
        let mut file = tempfile::tempfile().unwrap();
        io::Write::write_all(&mut file, b"#!/bin/sh\n").unwrap();
        assert!(punch_relocations(&file).is_err());
    }
}
