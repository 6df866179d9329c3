// SPDX-License-Identifier: MIT OR Apache-2.0
//! Where the kernel lays a module's sections: what was at an address of a module that is not loaded any more.

use object::elf;
use object::{LittleEndian as LE, read::elf::Sym as _};
use serde::{Deserialize, Serialize};

use crate::Image;
use crate::elf::Section;

/// Bytes of a page.
const PAGE: u64 = 4096;
/// Symbols that are told, of one place in a page.
const MOST: usize = 4096;

/// A function or variable of a module, by where it lies in the module's memory.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct LaidSymbol {
    /// Its name.
    pub name: String,
    /// Distance from the start of the module's memory, in bytes, where that is one piece (before 6.4).
    pub offset: u64,
    /// Its size, in bytes.
    pub size: u64,
    /// Whether it is a function; else it is a variable that may be written.
    pub is_code: bool,
}

impl Image<'_> {
    /// The functions and writable variables of a module that have a byte at that distance from the start of a
    /// page, wherever the module was loaded: each of the kernel's groups of sections begins a page (`layout_sections()` in
    /// `kernel/module.c`, 3.10 to 6.12). Empty for a kernel, and where there are too many to tell.
    pub fn symbols_in_pages(&self, at: u64) -> Vec<LaidSymbol> {
        let question = || format!("symbols at {at:#x} of a page");
        self.derived(question, || Some(self.symbols_laid(at))).unwrap_or_default()
    }

    fn symbols_laid(&self, at: u64) -> Vec<LaidSymbol> {
        let starts = self.core_layout();
        let all = self.elf.symbols.iter().filter_map(|symbol| {
            let index = usize::from(symbol.st_shndx(LE).index()?);
            let group = Group::of(self.elf.sections.get(index)?);
            let is_code = match (symbol.st_type(), group?) {
                (elf::STT_FUNC, Group::Code) => true,
                (elf::STT_OBJECT, Group::Data) => false,
                _ => return None,
            };
            let offset = starts.get(index).copied().flatten()?.checked_add(symbol.st_value(LE))?;
            let size = symbol.st_size(LE).max(1);
            // From the first byte at that place of a page on.
            let first = at.wrapping_sub(offset) % PAGE;
            if first >= size {
                return None;
            }
            let name = String::from_utf8_lossy(self.elf.name(symbol)).into_owned();
            (!name.is_empty()).then_some(LaidSymbol { name, offset, size, is_code })
        });
        // Of a part of them, none is the only one.
        let found: Vec<LaidSymbol> = all.take(MOST + 1).collect();
        if found.len() > MOST { Vec::new() } else { found }
    }

    /// Distances of the sections from the start of the module's memory; `None` for those that are not kept.
    fn core_layout(&self) -> Vec<Option<u64>> {
        let mut starts = vec![None; self.elf.sections.len()];
        if !self.elf.is_module() {
            return starts;
        }
        let mut end: u64 = 0;
        for group in [Group::Code, Group::Constant, Group::AfterInit, Group::Data] {
            end = end.checked_next_multiple_of(PAGE).unwrap_or(end);
            let sections = self.elf.sections.iter().zip(&mut starts);
            for (section, start) in
                sections.filter(|(section, _)| Group::of(section) == Some(group))
            {
                let alignment = section.alignment.clamp(1, PAGE).next_power_of_two();
                let place = end.checked_next_multiple_of(alignment).unwrap_or(end);
                *start = Some(place);
                end = place.saturating_add(section.size);
            }
        }
        starts
    }
}

/// What the kernel lays together.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Group {
    Code,
    Constant,
    AfterInit,
    Data,
}

impl Group {
    /// Of a section that is kept; `SHF_RO_AFTER_INIT` is set by the kernel for those names.
    fn of(section: &Section<'_>) -> Option<Self> {
        const AFTER_INIT: [&str; 2] = [".data..ro_after_init", "__jump_table"];
        // The kernel reads these from the file, and does not lay them.
        const READ: [&str; 2] = ["__versions", ".modinfo"];
        let is_init = section.name.starts_with(".init") || READ.contains(&section.name);
        let is_kept = section.loaded && !is_init && !section.per_cpu;
        is_kept.then(|| match section.executable {
            true => Self::Code,
            false if AFTER_INIT.contains(&section.name) => Self::AfterInit,
            false if section.writable => Self::Data,
            false => Self::Constant,
        })
    }
}
