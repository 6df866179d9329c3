// SPDX-License-Identifier: MIT OR Apache-2.0
//! The kernel's address space: virtual addresses to bytes of the dump.
//!
//! The page tables decide; the arithmetic of the kernel's own mapping of its image
//! (`__START_KERNEL_map`, `arch/x86/include/asm/page_64_types.h`) is used to find them, and
//! instead of them where their pages are missing from the dump.

use std::cell::{Cell, OnceCell, RefCell};

use vmcore::PhysAddr;

use super::direct_map::DirectMap;
use super::memory::VirtualMemory;
use super::paging::{Entry, Format, Mapping, PhysicalMemory};
use super::unreadable::{Level, Unreadable};

/// Where the kernel's image is mapped (`__START_KERNEL_map`), the same since 2.6.
pub const KERNEL_MAP: u64 = 0xffff_ffff_8000_0000;
/// Size of the image's window where VMCOREINFO does not say (`KERNEL_IMAGE_SIZE` with KASLR).
const DEFAULT_IMAGE_SIZE: u64 = 1 << 30;
/// Bytes in the smallest page.
const PAGE: u64 = 4096;
/// Translations kept for 4 KiB pages; a power of two.
const SLOTS: usize = 256;
/// Translations kept for 2 MiB and 1 GiB pages.
const LARGE_SLOTS: usize = 16;

/// Names of the kernel's top page table: it was `init_level4_pgt` to 4.12 and is `init_top_pgt` since;
/// kernels that export neither export `swapper_pg_dir`, another name of the same table.
pub(super) const ROOTS: [&str; 3] = ["init_top_pgt", "init_level4_pgt", "swapper_pg_dir"];

/// What the dump says about the kernel's address space.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Layout {
    /// Physical minus virtual address of the kernel's image, less [`KERNEL_MAP`] (`phys_base`);
    /// may be negative.
    pub phys_base: i64,
    /// Bytes of the window for the image (`KERNEL_IMAGE_SIZE`); modules follow it.
    pub image_size: u64,
    /// Virtual address of the kernel's top page table, in the image.
    pub root: Option<u64>,
    /// How to read the tables.
    pub format: Format,
}

impl Layout {
    /// Takes the layout from VMCOREINFO.
    #[must_use]
    pub fn new(info: &vmcore::VmcoreInfo) -> Self {
        let number = |name| info.number(name);
        Self {
            phys_base: number("phys_base").unwrap_or(0),
            image_size: number("KERNEL_IMAGE_SIZE")
                .and_then(|size| u64::try_from(size).ok())
                .filter(|size| (1 << 20..=1 << 31).contains(size))
                .unwrap_or(DEFAULT_IMAGE_SIZE),
            root: ROOTS.iter().find_map(|name| info.symbol(name)),
            format: Format {
                five_levels: number("pgtable_l5_enabled").is_some_and(|on| on != 0),
                encryption_mask: number("sme_mask").map_or(0, i64::cast_unsigned),
            },
        }
    }

    /// Takes the layout from VMCOREINFO, and from the dump's container what old kernels do not say.
    pub(super) fn of(vmcore: &vmcore::Vmcore<'_>, info: &vmcore::VmcoreInfo) -> Self {
        let phys_base = info.phys_base().or(vmcore.info().phys_base).unwrap_or(0);
        Self { phys_base, ..Self::new(info) }
    }

    /// Physical address of a byte of the kernel's image, by arithmetic alone.
    #[must_use]
    pub const fn image_physical(&self, address: u64) -> Option<PhysAddr> {
        match address.checked_sub(KERNEL_MAP) {
            Some(offset) if offset < self.image_size => {
                Some(PhysAddr(offset.wrapping_add_signed(self.phys_base)))
            }
            _ => None,
        }
    }
}

/// The kernel's address space.
pub struct AddressSpace<'a> {
    memory: &'a dyn PhysicalMemory,
    layout: Layout,
    /// Page number and frame number of 4 KiB pages, by low bits of the page number.
    small: RefCell<Vec<Option<(u64, u64)>>>,
    /// Start, length and physical start of large pages, replaced in turn.
    large: RefCell<[Option<(u64, u64, u64)>; LARGE_SLOTS]>,
    next_large: Cell<usize>,
    direct_map: OnceCell<Option<DirectMap>>,
}

impl std::fmt::Debug for AddressSpace<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("AddressSpace").field("layout", &self.layout).finish_non_exhaustive()
    }
}

impl<'a> AddressSpace<'a> {
    /// An address space over `memory`.
    #[must_use]
    pub fn new(memory: &'a dyn PhysicalMemory, layout: Layout) -> Self {
        Self {
            memory,
            layout,
            small: RefCell::new(vec![None; SLOTS]),
            large: RefCell::new([None; LARGE_SLOTS]),
            next_large: Cell::new(0),
            direct_map: OnceCell::new(),
        }
    }

    /// What the dump says about it.
    #[must_use]
    pub const fn layout(&self) -> &Layout {
        &self.layout
    }

    /// Physical address of the kernel's top page table.
    #[must_use]
    pub fn root(&self) -> Option<PhysAddr> {
        self.layout.root.and_then(|root| self.layout.image_physical(root))
    }

    /// The kernel's mapping of all memory, found in the page tables.
    #[must_use]
    pub fn direct_map(&self) -> Option<DirectMap> {
        *self
            .direct_map
            .get_or_init(|| DirectMap::find(self.memory, self.layout.format, self.root()?))
    }

    /// Finds where the kernel's tables map `address`.
    ///
    /// # Errors
    /// Why the kernel has no such mapping, or why it cannot be told.
    pub fn mapping(&self, address: u64) -> Result<Mapping, Unreadable> {
        self.refuse(address)?;
        let root = self.root().ok_or(Unreadable::NoTables { address })?;
        self.mapping_at(root, address)
    }

    /// Finds where the tables at `root` (a task's `mm->pgd`) map `address`.
    ///
    /// # Errors
    /// Why those tables have no such mapping, or why it cannot be told.
    pub fn mapping_at(&self, root: PhysAddr, address: u64) -> Result<Mapping, Unreadable> {
        self.layout.format.walk(self.memory, root, address)
    }

    /// The entries of the tables at `root` that lead to `address`, from the top one on, as far as they can be read.
    #[must_use]
    pub fn entries_at(&self, root: PhysAddr, address: u64) -> Vec<Entry> {
        let mut entries = Vec::new();
        let _unmapped =
            self.layout.format.walk_by(self.memory, root, address, |entry| entries.push(entry));
        entries
    }

    /// Physical address of a kernel address.
    ///
    /// # Errors
    /// Why there is none, or why it cannot be told.
    pub fn physical(&self, address: u64) -> Result<PhysAddr, Unreadable> {
        self.refuse(address)?;
        if let Some(found) = self.cached(address) {
            return Ok(found);
        }
        match self.mapping(address) {
            Ok(mapping) => {
                self.remember(address, &mapping);
                Ok(mapping.physical)
            }
            Err(error @ (Unreadable::TableAbsent { .. } | Unreadable::NoTables { .. })) => {
                let end = self.memory.end_pfn().unwrap_or(u64::MAX);
                let image = self.layout.image_physical(address);
                image.filter(|physical| physical.0 / PAGE < end).ok_or(error)
            }
            Err(error) => Err(error),
        }
    }

    /// Fills `buf` from the memory that the tables at `root` map, such as a user process.
    ///
    /// # Errors
    /// Why the first byte that cannot be read cannot be read.
    pub fn read_at(&self, root: PhysAddr, address: u64, buf: &mut [u8]) -> Result<(), Unreadable> {
        self.read_pages(address, buf, &|page| Ok(self.mapping_at(root, page)?.physical))
    }

    /// Reads page by page, since pages next to each other may lie anywhere.
    fn read_pages(
        &self,
        address: u64,
        buf: &mut [u8],
        translate: &dyn Fn(u64) -> Result<PhysAddr, Unreadable>,
    ) -> Result<(), Unreadable> {
        let mut address = address;
        let mut rest = buf;
        while !rest.is_empty() {
            let in_page = usize::try_from(PAGE - address % PAGE).expect("a page fits in usize");
            let (now, later) = rest.split_at_mut(in_page.min(rest.len()));
            let physical = translate(address)?;
            self.memory.read(physical, now).map_err(|absent| Unreadable::Absent {
                address,
                physical,
                absent,
            })?;
            rest = later;
            // Past the last page the sum wraps to user space, which the next round refuses.
            address = address.wrapping_add(PAGE - address % PAGE);
        }
        Ok(())
    }

    /// Tells user addresses and non-canonical ones apart from kernel ones.
    const fn refuse(&self, address: u64) -> Result<(), Unreadable> {
        if !self.layout.format.is_canonical(address) {
            return Err(Unreadable::NonCanonical { address });
        }
        if address >> 63 == 0 { Err(Unreadable::User { address }) } else { Ok(()) }
    }

    /// Looks `address` up among the translations kept.
    #[expect(clippy::indexing_slicing, reason = "a slot is below the number of slots")]
    fn cached(&self, address: u64) -> Option<PhysAddr> {
        let page = address / PAGE;
        if let Some((kept, frame)) = self.small.borrow()[slot(page)]
            && kept == page
        {
            return Some(PhysAddr(frame * PAGE + address % PAGE));
        }
        self.large.borrow().iter().flatten().find_map(|&(start, length, physical)| {
            let offset = address.checked_sub(start).filter(|offset| *offset < length)?;
            Some(PhysAddr(physical + offset))
        })
    }

    /// Keeps a translation.
    #[expect(clippy::indexing_slicing, reason = "slots and turns are below the numbers of slots")]
    fn remember(&self, address: u64, mapping: &Mapping) {
        let page = address / PAGE;
        if mapping.level == Level::Pte {
            self.small.borrow_mut()[slot(page)] = Some((page, mapping.physical.0 / PAGE));
            return;
        }
        let length = mapping.page_bytes();
        let offset = address % length;
        let turn = self.next_large.get();
        self.large.borrow_mut()[turn] =
            Some((address - offset, length, mapping.physical.0 - offset));
        self.next_large.set((turn + 1) % LARGE_SLOTS);
    }
}

impl VirtualMemory for AddressSpace<'_> {
    fn read(&self, address: u64, buf: &mut [u8]) -> Result<(), Unreadable> {
        self.read_pages(address, buf, &|page| self.physical(page))
    }
}

/// Slot of a page among the translations kept.
fn slot(page: u64) -> usize {
    usize::try_from(page % SLOTS as u64).expect("less than the number of slots")
}
