// SPDX-License-Identifier: MIT OR Apache-2.0
//! Where the kernel's own symbol table is, and how its addresses may be stored.

use vmcore::VmcoreInfo;

use super::memory::VirtualMemory;
use super::unreadable::Unavailable;

/// Symbols that are believed; a distribution's kernel has about 200 000.
pub(super) const MAX_SYMBOLS: u32 = 4 << 20;

/// Addresses of the parts of the table, and how many symbols it has.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Tables {
    pub(super) count: u32,
    pub(super) names: u64,
    pub(super) tokens: u64,
    pub(super) index: u64,
    /// Where the addresses may be, with the forms they may have there.
    pub(super) addresses: Vec<(u64, Vec<Form>)>,
}

/// How addresses are stored.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Form {
    /// Whole addresses.
    Plain,
    /// Offsets from a base, of which only negative ones are relative.
    AbsolutePerCpu(u64),
    /// Offsets from a base.
    Relative(u64),
    /// Offsets from the place where they are stored.
    PlaceRelative,
}

impl Tables {
    /// The tables that VMCOREINFO names (6.0 and later).
    ///
    /// # Errors
    /// It names none, or what it names cannot be read.
    pub(super) fn named(
        memory: &dyn VirtualMemory,
        info: &VmcoreInfo,
    ) -> Result<Self, Unavailable> {
        let place = |name: &str| {
            info.symbol(name).ok_or_else(|| Unavailable::Symbol(format!("VMCOREINFO {name}")))
        };
        let count = memory.read_u32(place("kallsyms_num_syms")?);
        let count = count.map_err(|source| Unavailable::memory("kallsyms", source))?;
        if count > MAX_SYMBOLS {
            return Err(Unavailable::Damaged(format!("kallsyms claims {count} symbols")));
        }
        Ok(Self {
            count,
            names: place("kallsyms_names")?,
            tokens: place("kallsyms_token_table")?,
            index: place("kallsyms_token_index")?,
            addresses: vec![addresses(memory, info)?],
        })
    }
}

/// The table of addresses and the forms it may have.
fn addresses(
    memory: &dyn VirtualMemory,
    info: &VmcoreInfo,
) -> Result<(u64, Vec<Form>), Unavailable> {
    if let Some(table) = info.symbol("kallsyms_addresses") {
        return Ok((table, vec![Form::Plain]));
    }
    let table = info
        .symbol("kallsyms_offsets")
        .ok_or_else(|| Unavailable::Symbol("VMCOREINFO kallsyms_offsets".to_owned()))?;
    let Some(base) = info.symbol("kallsyms_relative_base") else {
        return Ok((table, vec![Form::PlaceRelative]));
    };
    let base = memory.read_u64(base).map_err(|source| Unavailable::memory("kallsyms", source))?;
    Ok((table, Form::based(base)))
}

impl Form {
    /// The forms of offsets from a base.
    pub(super) fn based(base: u64) -> Vec<Self> {
        vec![Self::AbsolutePerCpu(base), Self::Relative(base)]
    }

    /// Bytes of one entry.
    pub(super) const fn width(self) -> usize {
        if matches!(self, Self::Plain) { 8 } else { 4 }
    }

    /// The address that the bytes at `place` stand for.
    pub(super) fn address(self, place: u64, raw: &[u8]) -> u64 {
        let wide = raw.iter().rev().fold(0_u64, |sum, byte| sum << 8 | u64::from(*byte));
        // Sign extension of the low 32 bits.
        let signed = (wide << 32).cast_signed() >> 32;
        match self {
            Self::Plain => wide,
            Self::AbsolutePerCpu(base) if signed < 0 => {
                base.wrapping_sub(1).wrapping_sub(signed.cast_unsigned())
            }
            Self::AbsolutePerCpu(_) => wide,
            Self::Relative(base) => base.wrapping_add(wide),
            Self::PlaceRelative => place.wrapping_add_signed(signed),
        }
    }
}
