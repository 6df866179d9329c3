// SPDX-License-Identifier: MIT OR Apache-2.0
//! The kernel's mapping of all memory in one piece (`page_offset_base`).
//!
//! Its start is random (`CONFIG_RANDOMIZE_MEMORY`), depends on the number of levels and was moved
//! in 4.20, and no note of a dump tells it. It is found in the page tables: the first mapping of
//! the kernel's half at which physical memory follows virtual memory from zero on.

use vmcore::PhysAddr;

use super::paging::{Format, PhysicalMemory};
use super::unreadable::{Level, Unreadable};

/// A gibibyte: the direct map starts at a multiple of it (`PUD_SIZE`).
const STEP: u64 = 1 << 30;
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
        for index in 0..ENTRIES / 2 {
            let start = half.wrapping_add(index * span);
            if let Some(base) = first_mapped(memory, format, root, start, span)
                && maps(memory, format, root, base, root)
            {
                return Some(Self { base });
            }
        }
        None
    }

    /// Virtual address of a physical one.
    #[must_use]
    pub const fn address(self, physical: PhysAddr) -> Option<u64> {
        self.base.checked_add(physical.0)
    }
}

/// First multiple of [`STEP`] from `start` on, below `start + span`, that the tables map.
fn first_mapped(
    memory: &dyn PhysicalMemory,
    format: Format,
    root: PhysAddr,
    start: u64,
    span: u64,
) -> Option<u64> {
    let mut address = start;
    let end = start.wrapping_add(span.wrapping_sub(1));
    loop {
        let skip = match format.walk(memory, root, address) {
            Ok(_) => return Some(address),
            Err(Unreadable::NotMapped { level, .. }) => 1 << level.shift().max(Level::Pud.shift()),
            Err(_) => STEP,
        };
        address = address.checked_add(skip).filter(|next| *next <= end)?;
    }
}

/// Whether `base` plus a physical address is mapped to that address.
fn maps(
    memory: &dyn PhysicalMemory,
    format: Format,
    root: PhysAddr,
    base: u64,
    physical: PhysAddr,
) -> bool {
    base.checked_add(physical.0)
        .and_then(|address| format.walk(memory, root, address).ok())
        .is_some_and(|mapping| mapping.physical == physical)
}
