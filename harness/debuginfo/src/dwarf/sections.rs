// SPDX-License-Identifier: MIT OR Apache-2.0
//! Bytes of the debug sections, decompressed and relocated only when they are first needed.

use std::cell::OnceCell;

use gimli::{EndianSlice, LittleEndian, SectionId};

use crate::elf::{Elf, Placement};
use crate::relocate;

/// How gimli reads: borrowed little-endian bytes.
pub(crate) type Reader<'a> = EndianSlice<'a, LittleEndian>;

/// Debug sections by gimli's names, with room for the copies that had to be made.
#[derive(Debug)]
pub(crate) struct Sections(Vec<Slot>);

#[derive(Debug)]
struct Slot {
    id: SectionId,
    /// Number of the section in the ELF file.
    index: usize,
    /// Decompressed or relocated bytes; `None` inside if the file's own serve.
    owned: OnceCell<Option<Vec<u8>>>,
}

const READ: [SectionId; 13] = [
    SectionId::DebugAbbrev,
    SectionId::DebugAddr,
    SectionId::DebugAranges,
    SectionId::DebugFrame,
    SectionId::DebugInfo,
    SectionId::DebugLine,
    SectionId::DebugLineStr,
    SectionId::DebugLoc,
    SectionId::DebugLocLists,
    SectionId::DebugRanges,
    SectionId::DebugRngLists,
    SectionId::DebugStr,
    SectionId::DebugStrOffsets,
];

impl Sections {
    /// Finds the debug sections.
    pub(crate) fn new(elf: &Elf<'_>) -> Self {
        let slot = |id: SectionId| {
            let (index, _) = elf.section(id.name())?;
            Some(Slot { id, index, owned: OnceCell::new() })
        };
        Self(READ.into_iter().filter_map(slot).collect())
    }

    /// Bytes of one section; empty if the file has none.
    pub(crate) fn reader<'a>(&'a self, elf: &'a Elf<'_>, id: SectionId) -> Reader<'a> {
        let slot = self.0.iter().find(|slot| slot.id == id);
        let bytes = slot.and_then(|slot| slot.bytes(elf)).unwrap_or(&[]);
        EndianSlice::new(bytes, LittleEndian)
    }

    /// Whether the file has the section.
    pub(crate) fn has(&self, id: SectionId) -> bool {
        self.0.iter().any(|slot| slot.id == id)
    }
}

impl Slot {
    fn bytes<'a>(&'a self, elf: &'a Elf<'_>) -> Option<&'a [u8]> {
        let section = elf.sections.get(self.index)?;
        let owned = self.owned.get_or_init(|| {
            let decompressed = section.compression.is_some().then(|| section.decompress());
            if matches!(elf.placement, Placement::Kernel { .. }) {
                // `--emit-relocs` leaves relocations in vmlinux that were applied already.
                return decompressed.map(Option::unwrap_or_default);
            }
            let decompressed = decompressed.map(Option::unwrap_or_default);
            let data = decompressed.as_deref().unwrap_or(section.data);
            relocate::relocated(elf, self.index, data, 0, absent(self.id)).or(decompressed)
        });
        Some(owned.as_deref().unwrap_or(section.data))
    }
}

/// What stands for an address that was not loaded: the value that DWARF 5's readers take for "no
/// code here". In the lists of DWARF 4 that value means a new base; there, one less makes an empty
/// range of begin and end.
fn absent(id: SectionId) -> u64 {
    match id {
        SectionId::DebugLoc | SectionId::DebugRanges => u64::MAX - 1,
        _ => u64::MAX,
    }
}
