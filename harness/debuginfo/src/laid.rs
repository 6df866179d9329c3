// SPDX-License-Identifier: MIT OR Apache-2.0
//! Code as it lies in memory, for crashes of which only a text is left: where a module may be laid, and
//! its bytes there. Nothing of this is kept in a ledger: who has a text has the files, too.

use std::collections::BTreeMap;

use object::LittleEndian as LE;
use object::read::elf::{FileHeader as _, SectionHeader as _};

use crate::elf::header;
use crate::relocate::{Externals, relocated_with};
use crate::{Error, Image, Symbol, symbol};

/// Sections of a module that are laid, at most: what a file claims to be beyond that is none.
const MOST_BYTES: u64 = 1 << 30;

/// Bytes of code of one module: what jumps of 32 bits and the area of the modules allow is some more.
const MOST_CODE: usize = 256 << 20;

/// Sections of code of one module: a compiler may make one for each function. For each all sections are
/// looked through.
const MOST_SECTIONS: usize = 4096;

/// Bytes between sections.
const GAP: u64 = 64;

/// Addresses for the sections of a module that was loaded nobody knows where: `.text` at `base`, the
/// others behind it, each as its file asks to be aligned; and where the last one ends.
///
/// # Errors
/// The file is no x86-64 ELF file, or its section headers are damaged.
pub fn lay(module: &[u8], base: u64) -> Result<(BTreeMap<String, u64>, u64), Error> {
    let damaged = |_| Error::Damaged { what: "section table" };
    let table = header(module)?.sections(LE, module).map_err(damaged)?;
    let mut sections: Vec<(&str, u64, u64)> = Vec::new();
    for raw in table.iter() {
        let name = table.section_name(LE, raw).ok().and_then(|name| std::str::from_utf8(name).ok());
        let is_loaded = raw.sh_flags(LE).0 & object::elf::SHF_ALLOC.0 != 0;
        if let Some(name) = name.filter(|name| is_loaded && *name != ".data..percpu") {
            sections.push((name, raw.sh_size(LE), raw.sh_addralign(LE).max(1)));
        }
    }
    sections.sort_by_key(|(name, ..)| *name != ".text");
    let mut laid = BTreeMap::new();
    let mut next = base;
    for (name, size, alignment) in sections {
        let alignment = alignment.min(4096).next_power_of_two();
        let start = next.checked_next_multiple_of(alignment);
        // A gap, so that the end of one is not the start of the next.
        let end = |start: u64| start.checked_add(size)?.checked_add(GAP);
        let Some((start, end)) = start.and_then(|start| Some((start, end(start)?))) else { break };
        if size > MOST_BYTES {
            break;
        }
        laid.entry(name.to_owned()).or_insert(start);
        next = end;
    }
    Ok((laid, next))
}

impl<'d> Image<'d> {
    /// Every symbol of that name: functions that are `static` may share one.
    pub fn symbols_named(&self, name: &str) -> Vec<Symbol> {
        symbol::all_by_name(&self.elf, self.symbols(), name)
    }

    /// Run-time addresses and bytes of a module's sections of instructions, relocated; `externals` gives
    /// the addresses of what they refer to elsewhere. No more bytes than a module may be long.
    pub fn code(&self, externals: &Externals<'_>) -> Vec<(u64, Vec<u8>)> {
        let sections = self.elf.sections.iter().enumerate();
        let code = sections.filter(|(_, section)| section.executable).take(MOST_SECTIONS);
        let mut left = MOST_CODE;
        let laid = code.filter_map(|(index, section)| {
            let address = section.address?;
            left = left.checked_sub(section.data.len())?;
            let bytes = relocated_with(&self.elf, index, section.data, (address, 0), externals);
            Some((address, bytes.unwrap_or_else(|| section.data.to_vec())))
        });
        laid.collect()
    }

    /// Bytes of a kernel at a run-time address, as they are in its file.
    pub fn bytes(&self, address: u64, length: u64) -> Option<&'d [u8]> {
        let is_inside = |start: u64, size: u64| {
            address
                .checked_sub(start)
                .is_some_and(|at| at.checked_add(length).is_some_and(|end| end <= size))
        };
        let mut sections = self.elf.sections.iter();
        let section = sections
            .find(|section| section.address.is_some_and(|start| is_inside(start, section.size)))?;
        let at = usize::try_from(address - section.address?).ok()?;
        section.data.get(at..at.checked_add(usize::try_from(length).ok()?)?)
    }
}
