// SPDX-License-Identifier: MIT OR Apache-2.0
//! Walks x86-64 page tables of four and five levels.
//!
//! Written from the Intel SDM, volume 3, "4-level paging and 5-level paging", and the kernel's
//! `arch/x86/include/asm/pgtable_types.h` and `pgtable-invert.h`. The walk is given the root of
//! the tables, so that a task's own tables can be walked as the kernel's are.

use vmcore::{Absent, PhysAddr};

use super::unreadable::{Level, Unreadable};

/// Present (`_PAGE_PRESENT`).
const PRESENT: u64 = 1 << 0;
/// Writable (`_PAGE_RW`).
const WRITABLE: u64 = 1 << 1;
/// Reachable from user mode (`_PAGE_USER`).
const USER: u64 = 1 << 2;
/// The entry maps a large page (`_PAGE_PSE`); PAT in a PTE.
const LARGE: u64 = 1 << 7;
/// Mapped without any access (`_PAGE_PROTNONE`), meaningful only without `PRESENT`.
const PROT_NONE: u64 = 1 << 8;
/// Not executable (`_PAGE_NX`).
const NO_EXECUTE: u64 = 1 << 63;
/// Physical address bits of an entry (`PTE_PFN_MASK` with 52 physical bits).
const ADDRESS: u64 = 0x000f_ffff_ffff_f000;

/// Physical memory as the walk needs it.
pub trait PhysicalMemory {
    /// Fills `buf` from physical memory.
    ///
    /// # Errors
    /// What became of the first page that is missing.
    fn read(&self, address: PhysAddr, buf: &mut [u8]) -> Result<(), Absent>;

    /// First page frame number that cannot exist, where that is known.
    fn end_pfn(&self) -> Option<u64>;
}

impl PhysicalMemory for vmcore::Vmcore<'_> {
    fn read(&self, address: PhysAddr, buf: &mut [u8]) -> Result<(), Absent> {
        self.read_physical(address, buf)
    }

    fn end_pfn(&self) -> Option<u64> {
        Some(self.info().max_pfn.0)
    }
}

/// How the tables of a dump are to be read; the same for every root of one kernel.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Format {
    /// Whether there are five levels (LA57).
    pub five_levels: bool,
    /// Bits of an entry that mean "encrypted" (SME, SEV); not part of the address.
    pub encryption_mask: u64,
}

/// An entry of a page table.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Entry {
    /// Level of its table.
    pub level: Level,
    /// Where it is.
    pub place: PhysAddr,
    /// What it holds.
    pub value: u64,
}

/// Where a virtual address is mapped.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Mapping {
    /// Physical address of the very byte asked for.
    pub physical: PhysAddr,
    /// Level of the entry that maps it: PTE 4 KiB, PMD 2 MiB, PUD 1 GiB.
    pub level: Level,
    /// Whether all levels allow writing.
    pub writable: bool,
    /// Whether all levels allow execution.
    pub executable: bool,
    /// Whether all levels allow user mode.
    pub user: bool,
}

impl Mapping {
    /// Bytes that the entry maps.
    #[must_use]
    pub const fn page_bytes(&self) -> u64 {
        1 << self.level.shift()
    }
}

impl Format {
    /// Level of the table that the root points to.
    #[must_use]
    pub const fn top(self) -> Level {
        if self.five_levels { Level::Pgd } else { Level::P4d }
    }

    /// Whether the bits above the virtual address width are copies of its highest bit.
    #[must_use]
    pub const fn is_canonical(self, address: u64) -> bool {
        let above = self.top().shift() + 8;
        let sign = address.cast_signed() >> above;
        sign == 0 || sign == -1
    }

    /// Finds where `address` is mapped by the tables at `root`.
    ///
    /// # Errors
    /// Which level has no entry or cannot be read; a non-canonical address.
    pub fn walk(
        self,
        memory: &dyn PhysicalMemory,
        root: PhysAddr,
        address: u64,
    ) -> Result<Mapping, Unreadable> {
        self.walk_by(memory, root, address, |_| {})
    }

    /// The same; each entry on the way is shown to `look`, from the top one on.
    ///
    /// # Errors
    /// Those of [`Self::walk`].
    pub fn walk_by(
        self,
        memory: &dyn PhysicalMemory,
        root: PhysAddr,
        address: u64,
        mut look: impl FnMut(Entry),
    ) -> Result<Mapping, Unreadable> {
        if !self.is_canonical(address) {
            return Err(Unreadable::NonCanonical { address });
        }
        let mut level = self.top();
        let mut table = root.0;
        let mut rights = WRITABLE | USER;
        loop {
            let found = read_entry(memory, table, level, address)?;
            look(found);
            let entry = found.value;
            let present = entry & PRESENT != 0;
            let leaf = level == Level::Pte || entry & LARGE != 0;
            let kept = leaf && level <= Level::Pud && entry & PROT_NONE != 0;
            if !present && !kept {
                return Err(Unreadable::NotMapped { address, level, entry });
            }
            rights = (rights & (entry | NO_EXECUTE)) | (entry & NO_EXECUTE);
            let target = self.target(memory, entry);
            if !leaf {
                table = target;
                level = level.below().expect("a page table entry is always a leaf");
                continue;
            }
            if level > Level::Pud {
                return Err(Unreadable::Damaged { address, level, entry });
            }
            let offset = (1_u64 << level.shift()) - 1;
            return Ok(Mapping {
                physical: PhysAddr((target & !offset) | (address & offset)),
                level,
                writable: present && rights & WRITABLE != 0,
                executable: present && rights & NO_EXECUTE == 0,
                user: present && rights & USER != 0,
            });
        }
    }

    /// The address in an entry.
    ///
    /// Entries that are not present are stored with the address inverted since the L1TF fix
    /// (August 2018, in all stable trees), so that speculation finds no memory there. Older
    /// kernels store it plainly; the inverted one then lies beyond the end of memory.
    fn target(self, memory: &dyn PhysicalMemory, entry: u64) -> u64 {
        let mask = ADDRESS & !self.encryption_mask;
        if entry & PRESENT != 0 {
            return entry & mask;
        }
        let inverted = !entry & mask;
        match memory.end_pfn() {
            Some(end) if inverted >> 12 >= end => entry & mask,
            _ => inverted,
        }
    }
}

/// Reads the entry for `address` from the table of `level` at physical `table`.
fn read_entry(
    memory: &dyn PhysicalMemory,
    table: u64,
    level: Level,
    address: u64,
) -> Result<Entry, Unreadable> {
    let index = (address >> level.shift()) & 0x1ff;
    let place = PhysAddr((table & !0xfff) | (index * 8));
    let mut bytes = [0; 8];
    memory.read(place, &mut bytes).map_err(|absent| Unreadable::TableAbsent {
        address,
        level,
        absent,
    })?;
    Ok(Entry { level, place, value: u64::from_le_bytes(bytes) })
}
