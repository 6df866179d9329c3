// SPDX-License-Identifier: MIT OR Apache-2.0
//! Applies the relocations of a module's sections, as the kernel's loader would.
//!
//! Types: x86-64 psABI, table 4.9; those that gcc and the assembler put into debug and ORC sections.

use object::LittleEndian as LE;
use object::elf;
use object::read::elf::{Rela as _, Sym as _};

use crate::elf::Elf;

type RawRela = elf::Rela64<LE>;

/// Addresses of symbols that a file names and does not have, by their names.
pub(crate) type Externals<'e> = dyn Fn(&str) -> Option<u64> + 'e;

/// A copy of section `index` with its relocations applied, or `None` if it has none. `place` is the
/// address of the section itself, for relocations relative to their place. `absent` is stored
/// whole where a target is not loaded: a value that readers of the section skip.
///
/// Relocations that point outside of the section are left out: the rest stays of use.
pub(crate) fn relocated(
    elf: &Elf<'_>,
    index: usize,
    data: &[u8],
    place: u64,
    absent: u64,
) -> Option<Vec<u8>> {
    relocated_with(elf, index, data, (place, absent), &|_| None)
}

/// The same, with what lies elsewhere.
pub(crate) fn relocated_with(
    elf: &Elf<'_>,
    index: usize,
    data: &[u8],
    (place, absent): (u64, u64),
    externals: &Externals<'_>,
) -> Option<Vec<u8>> {
    let mut owned = None;
    for section in &elf.sections {
        if section.kind != elf::SHT_RELA || section.applies_to != index {
            continue;
        }
        let count = section.data.len() / size_of::<RawRela>();
        let Ok((entries, _)) = object::pod::slice_from_bytes::<RawRela>(section.data, count) else {
            continue;
        };
        let bytes = owned.get_or_insert_with(|| data.to_vec());
        for entry in entries {
            apply(elf, bytes, entry, (place, absent), externals);
        }
    }
    owned
}

/// Applies one relocation; does nothing if it is damaged or of a type not used here.
fn apply(
    elf: &Elf<'_>,
    bytes: &mut [u8],
    entry: &RawRela,
    (place, absent): (u64, u64),
    externals: &Externals<'_>,
) -> Option<()> {
    let offset = entry.r_offset(LE);
    let start = usize::try_from(offset).ok()?;
    let kind = entry.r_type(LE, false);
    let width = match kind {
        elf::R_X86_64_64 | elf::R_X86_64_PC64 => 8,
        elf::R_X86_64_32 | elf::R_X86_64_32S | elf::R_X86_64_PC32 | elf::R_X86_64_PLT32 => 4,
        _ => return None,
    };
    let field = bytes.get_mut(start..start.checked_add(width)?)?;
    let target = target(elf, usize::try_from(entry.r_sym(LE, false)).ok()?, externals);
    let value = match (target, kind) {
        (None, elf::R_X86_64_64) => absent,
        // A distance to what is not there: zero, that is, the place itself.
        (None, _) => 0,
        (Some(target), elf::R_X86_64_64 | elf::R_X86_64_32 | elf::R_X86_64_32S) => {
            target.wrapping_add_signed(entry.r_addend(LE))
        }
        (Some(target), _) => {
            target.wrapping_add_signed(entry.r_addend(LE)).wrapping_sub(place.wrapping_add(offset))
        }
    };
    field.copy_from_slice(value.to_le_bytes().get(..width)?);
    Some(())
}

/// What a symbol stands for. Sections that are not loaded (debug sections refer to each other)
/// start at 0; sections that should be loaded and are not have no address.
fn target(elf: &Elf<'_>, index: usize, externals: &Externals<'_>) -> Option<u64> {
    let symbol = elf.symbols.get(index)?;
    if symbol.st_shndx(LE) == elf::SHN_UNDEF {
        return externals(std::str::from_utf8(elf.name(symbol)).ok()?);
    }
    if let Some(section) = elf.section_of(symbol)
        && section.address.is_none()
        && section.name.starts_with(".debug_")
    {
        return Some(symbol.st_value(LE));
    }
    elf.address(symbol)
}
