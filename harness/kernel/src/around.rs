// SPDX-License-Identifier: MIT OR Apache-2.0
//! Memory behind page tables that are not in the dump.
//!
//! Situation: one page of the kernel's tables was left out of the dump, or is damaged. All that it maps, at the
//! worst the kernel's whole half, cannot be read by the tables, and is in the dump all the same. The kernel keeps
//! elsewhere what two of its mappings are:
//!
//! - all memory in one piece begins at `page_offset_base`, or where a segment of an ELF vmcore has it;
//! - the area of modules, of vmalloc and of stacks is mapped page by page, and `vm_struct.pages` has the pages
//!   (`mm/vmalloc.c`), each as its `struct page`.
//!
//! The image of the kernel has its arithmetic ([`space`](super::space)). Nothing here is a guess, and where the
//! tables can be read they are asked alone.

use vmcore::PhysAddr;

use super::direct_map::DirectMap;
use super::memory::VirtualMemory as _;
use super::unreadable::Unreadable;
use super::{Kernel, Unavailable};

/// Bytes of a page.
const PAGE: u64 = 4096;
/// Pages whose place is kept.
const MOST_KEPT: usize = 4096;

/// Where memory was found around the page tables.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Around {
    /// In the mapping of all memory.
    pub direct_map: bool,
    /// In areas that are mapped page by page.
    pub areas: bool,
}

impl Kernel<'_> {
    /// What was read so far around page tables that are not in the dump.
    #[must_use]
    pub const fn read_around(&self) -> Around {
        self.around.get()
    }

    /// The kernel's mapping of all memory: as the page tables have it, or where their pages are missing as the kernel
    /// or the dump says.
    #[must_use]
    pub fn direct_map(&self) -> Option<DirectMap> {
        self.space().direct_map().or_else(|| self.told_direct_map())
    }

    fn told_direct_map(&self) -> Option<DirectMap> {
        *self.told_direct_map.get_or_init(|| {
            let told = || {
                let address = self.symbol("page_offset_base").ok()?;
                self.space().read_u64(address).ok()
            };
            let is_base = |base: &u64| base.is_multiple_of(1 << 30) && base >> 63 == 1;
            told().filter(is_base).map(|base| DirectMap { base }).or_else(|| self.segment_map())
        })
    }

    /// The mapping of all memory by the segments of an ELF vmcore: most of them have its addresses.
    fn segment_map(&self) -> Option<DirectMap> {
        let window = super::space::KERNEL_MAP;
        let bases = self.vmcore().load_segments().iter().filter_map(|segment| {
            let base = segment.virt.0.checked_sub(segment.phys.0)?;
            (segment.virt.0 < window && base >> 63 == 1 && base % (1 << 30) == 0).then_some(base)
        });
        let mut bases: Vec<u64> = bases.collect();
        bases.dedup();
        match bases.as_slice() {
            [base] => Some(DirectMap { base: *base }),
            _ => None,
        }
    }

    /// Reads something of the image that names and layouts are told by: it is found without tables, and what is
    /// around them needs it.
    pub(super) fn by_tables_alone<T>(&self, read: impl FnOnce() -> T) -> T {
        let before = self.only_tables.replace(true);
        let found = read();
        self.only_tables.set(before);
        found
    }

    /// Fills `buf` where a page table is missing on the way; all of it or an error.
    pub(super) fn read_by_pages(&self, address: u64, buf: &mut [u8]) -> Result<(), Unreadable> {
        let (mut address, mut rest) = (address, buf);
        while !rest.is_empty() {
            let left = usize::try_from(PAGE - address % PAGE).unwrap_or(1);
            let (now, later) = rest.split_at_mut(left.min(rest.len()));
            match self.space().read(address, now) {
                Err(why @ Unreadable::TableAbsent { .. }) => {
                    let physical = self.physical_around(address).ok_or(why)?;
                    let read = self.vmcore().read_physical(physical, now);
                    read.map_err(|absent| Unreadable::Absent { address, physical, absent })?;
                }
                read => read?,
            }
            rest = later;
            address = address.wrapping_add(PAGE - address % PAGE);
        }
        Ok(())
    }

    /// Physical address of a kernel address whose page table is missing.
    fn physical_around(&self, address: u64) -> Option<PhysAddr> {
        let end = self.vmcore().info().max_pfn.0.saturating_mul(PAGE);
        let in_map = |map: DirectMap| address.checked_sub(map.base).filter(|at| *at < end);
        if let Some(physical) = self.told_direct_map().and_then(in_map) {
            self.around.set(Around { direct_map: true, ..self.around.get() });
            return Some(PhysAddr(physical));
        }
        let page = address & !(PAGE - 1);
        let frame = self.frame_of_area(page)?;
        self.around.set(Around { areas: true, ..self.around.get() });
        Some(PhysAddr(frame.checked_mul(PAGE)?.checked_add(address % PAGE)?))
    }

    /// Number of the page frame that an area has at a page.
    fn frame_of_area(&self, page: u64) -> Option<u64> {
        if let Some(known) = self.frames.borrow().get(&page) {
            return *known;
        }
        // What an area is told by lies in the mapping of all memory, and in no area.
        if self.in_area.replace(true) {
            return None;
        }
        let found = self.search_area(page).ok().flatten();
        self.in_area.set(false);
        let mut frames = self.frames.borrow_mut();
        if frames.len() >= MOST_KEPT {
            frames.clear();
        }
        frames.insert(page, found);
        found
    }

    fn search_area(&self, page: u64) -> Result<Option<u64>, Unavailable> {
        let Some(area) = self.vm_area_at(page)? else { return Ok(None) };
        let Some(user) = area.user else { return Ok(None) };
        let index = (page - area.start) / PAGE;
        if index >= user.pages {
            return Ok(None);
        }
        let pages = self.object("vm_struct", user.address).number("pages")?;
        let what = |source| Unavailable::memory("vm_struct.pages", source);
        let entry = self.read_u64(pages.wrapping_add(index.wrapping_mul(8))).map_err(what)?;
        let array = self.page_array()?;
        let offset = entry.checked_sub(array.base).filter(|offset| offset % array.size == 0);
        let frame = offset.map(|offset| offset / array.size);
        Ok(frame.filter(|frame| *frame < self.vmcore().info().max_pfn.0))
    }
}
