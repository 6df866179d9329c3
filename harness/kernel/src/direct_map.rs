// SPDX-License-Identifier: MIT OR Apache-2.0
//! The kernel's mapping of all memory in one piece (`page_offset_base`).
//!
//! Its start is random (`CONFIG_RANDOMIZE_MEMORY`), depends on the number of levels and was moved
//! in 4.20, and no note of a dump tells it. It is found in the page tables: the first mapping of
//! the kernel's half at which physical memory follows virtual memory from zero on.

use vmcore::PhysAddr;

use super::paging::{Format, PhysicalMemory};
use super::unreadable::{Level, Unreadable};

/// Places that are looked at before the tables count as damaged; real ones need some hundred.
const MAX_WALKS: u32 = 1 << 16;
/// Entries of one table.
const ENTRIES: u64 = 512;

/// Where the direct map is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct DirectMap {
    /// Virtual address of physical address zero.
    pub base: u64,
}

impl DirectMap {
    /// Finds the direct map in the tables at `root`.
    ///
    /// A candidate counts only if it maps the top page table, which is RAM, where it must; that
    /// rules out the other regions of the kernel's half (LDT remap, vmalloc, hypervisor's hole).
    #[must_use]
    pub fn find(memory: &dyn PhysicalMemory, format: Format, root: PhysAddr) -> Option<Self> {
        let top = format.top();
        let span = 1_u64 << top.shift();
        // The sign extension of the lowest address of the upper half.
        let half = u64::MAX << (top.shift() + 8);
        let mut search = Search { memory, format, root, budget: MAX_WALKS };
        (0..ENTRIES / 2)
            .map(|index| half.wrapping_add(index * span))
            .find_map(|start| search.first_mapped(start, span).filter(|base| search.maps(*base)))
            .map(|base| Self { base })
    }

    /// Virtual address of a physical one.
    #[must_use]
    pub const fn address(self, physical: PhysAddr) -> Option<u64> {
        self.base.checked_add(physical.0)
    }
}

/// A search through the kernel's half of the tables.
struct Search<'m> {
    memory: &'m dyn PhysicalMemory,
    format: Format,
    root: PhysAddr,
    budget: u32,
}

impl Search<'_> {
    /// First multiple of 1 GiB (`PUD_SIZE`, where the direct map starts) from `start` on, below `start + span`, that the tables map.
    fn first_mapped(&mut self, start: u64, span: u64) -> Option<u64> {
        let mut address = start;
        let end = start.wrapping_add(span.wrapping_sub(1));
        loop {
            self.budget = self.budget.checked_sub(1)?;
            let covered = match self.format.walk(self.memory, self.root, address) {
                Ok(_) => return Some(address),
                Err(Unreadable::NotMapped { level, .. } | Unreadable::Damaged { level, .. }) => {
                    level.shift()
                }
                // All that the missing table would have mapped.
                Err(Unreadable::TableAbsent { level, .. }) => level.shift() + 9,
                Err(_) => return None,
            };
            let skip = 1 << covered.max(Level::Pud.shift());
            // From the entry's own start, wherever in it this is.
            address = (address & !(skip - 1)).checked_add(skip).filter(|next| *next <= end)?;
        }
    }

    /// Whether `base` plus the physical address of the top table is mapped to that table.
    fn maps(&self, base: u64) -> bool {
        base.checked_add(self.root.0)
            .and_then(|address| self.format.walk(self.memory, self.root, address).ok())
            .is_some_and(|mapping| mapping.physical == self.root)
    }
}
