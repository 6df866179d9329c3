// SPDX-License-Identifier: MIT OR Apache-2.0
//! What a file says about its identity and about the files that belong to it: the build-id note,
//! `.modinfo`, and the links to a separate and to a supplementary debug file.

use object::LittleEndian as LE;
use object::elf;
use object::read::elf::NoteIterator;

use crate::elf::Elf;

/// Descriptor of the GNU build-id note: `.notes` of a kernel, `.note.gnu.build-id` of a module.
pub(crate) fn build_id(elf: &Elf<'_>) -> Option<Vec<u8>> {
    elf.sections.iter().filter(|section| section.kind == elf::SHT_NOTE).find_map(|section| {
        let mut notes = NoteIterator::<elf::FileHeader64<LE>>::new(LE, 4, section.data).ok()?;
        while let Ok(Some(note)) = notes.next() {
            if note.name() == elf::ELF_NOTE_GNU && note.n_type(LE) == elf::NT_GNU_BUILD_ID {
                return Some(note.desc().to_vec());
            }
        }
        None
    })
}

/// First value of a key in `.modinfo`: strings `key=value`, each ended by a zero byte.
pub(crate) fn modinfo<'d>(elf: &Elf<'d>, key: &str) -> Option<&'d str> {
    let (_, section) = elf.section(".modinfo")?;
    section.data.split(|&byte| byte == 0).find_map(|entry| {
        let value = entry.strip_prefix(key.as_bytes())?.strip_prefix(b"=")?;
        std::str::from_utf8(value).ok()
    })
}

/// A link to the separate debug file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct DebugLink<'d> {
    /// Name of the file, without a folder.
    pub name: &'d str,
    /// CRC-32 of the whole file (that of ISO 3309, as in zip), if the section is not cut before it.
    pub crc: Option<u32>,
}

/// The link in `.gnu_debuglink`: a name, a zero byte, zeros up to a multiple of four, the checksum
/// in the file's own order of bytes (gdb's manual, "Debugging Information in Separate Files").
pub(crate) fn debug_link<'d>(elf: &Elf<'d>) -> Option<DebugLink<'d>> {
    let (_, section) = elf.section(".gnu_debuglink")?;
    let bytes = section.data.split(|&byte| byte == 0).next()?;
    let name = std::str::from_utf8(bytes).ok();
    let name = name.filter(|name| !name.is_empty() && !name.contains('/'))?;
    let crc = || {
        let at = name.len().checked_add(1)?.checked_next_multiple_of(4)?;
        Some(u32::from_le_bytes(*section.data.get(at..)?.first_chunk()?))
    };
    Some(DebugLink { name, crc: crc() })
}

/// A link to the file that `dwz` made of what several files have in common.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SupplementaryLink<'d> {
    /// Path of the file: absolute, or from the folder of the file that has the link.
    pub name: &'d str,
    /// Its build-id.
    pub build_id: &'d [u8],
}

/// The link in `.gnu_debugaltlink` (a path, a zero byte, the build-id) or in DWARF 5's `.debug_sup`
/// (§7.3.6: version, whether this is the supplementary file, path, length and bytes of a checksum).
pub(crate) fn supplementary<'d>(elf: &Elf<'d>) -> Option<SupplementaryLink<'d>> {
    let gnu = elf.section(".gnu_debugaltlink").map(|(_, section)| section.data);
    let (name, build_id) = match gnu {
        Some(data) => split_at_zero(data)?,
        None => {
            let (_, section) = elf.section(".debug_sup")?;
            let rest = section.data.strip_prefix(&[5, 0, 0])?;
            let (name, rest) = split_at_zero(rest)?;
            (name, checksum(rest)?)
        }
    };
    let name = std::str::from_utf8(name).ok().filter(|name| !name.is_empty())?;
    Some(SupplementaryLink { name, build_id })
}

/// What a supplementary file calls itself: its build-id, or the checksum in its `.debug_sup`.
pub(crate) fn supplementary_id(elf: &Elf<'_>) -> Option<Vec<u8>> {
    let own = || {
        let (_, section) = elf.section(".debug_sup")?;
        let (_, rest) = split_at_zero(section.data.strip_prefix(&[5, 0, 1])?)?;
        checksum(rest).map(<[u8]>::to_vec)
    };
    build_id(elf).or_else(own)
}

fn split_at_zero(data: &[u8]) -> Option<(&[u8], &[u8])> {
    let end = data.iter().position(|&byte| byte == 0)?;
    Some((data.get(..end)?, data.get(end + 1..)?))
}

/// Length (ULEB128, below 128 for every checksum there is) and bytes.
fn checksum(data: &[u8]) -> Option<&[u8]> {
    let (&length, bytes) = data.split_first()?;
    bytes.get(..usize::from(length)).filter(|_| length < 0x80)
}
